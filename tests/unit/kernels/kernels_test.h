/* SPDX-License-Identifier: MIT
 *
 * Shared by the tests of the kernels: cmocka, test data, comparison with double-precision oracles,
 * and a loop over instruction sets and team sizes that must all give the same bytes.
 */
#ifndef SPUR_TESTS_KERNELS_TEST_H
#define SPUR_TESTS_KERNELS_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "base/random.h"
#include "kernels/parallel.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Members of a spur__pool_shape, so that a shape is one line. */
#define IMAGES(n_, h_, w_, c_) .n = (n_), .h = (h_), .w = (w_), .c = (c_)
#define WINDOWS(kh_, kw_, stride_h_, stride_w_)                                                    \
    .kh = (kh_), .kw = (kw_), .stride_h = (stride_h_), .stride_w = (stride_w_)
#define PADDED(by_) .pad_top = (by_), .pad_left = (by_), .pad_bottom = (by_), .pad_right = (by_)

/* n floats from the heap, 64-byte aligned, so that a sanitizer sees every overrun. */
static inline float *floats(ptrdiff_t n) {
    void *p = NULL;
    size_t bytes = (size_t)(n > 0 ? n : 1) * sizeof(float);
    assert_int_equal(posix_memalign(&p, 64, bytes), 0);
    return p;
}

static inline void *scratch(size_t bytes) {
    void *p = NULL;
    assert_int_equal(posix_memalign(&p, 64, bytes ? bytes : 64), 0);
    memset(p, 0xa5, bytes);
    return p;
}

/* Standard normal numbers, the same for the same seed. */
static inline float *random_floats(ptrdiff_t n, uint64_t seed) {
    float *p = floats(n);
    spur__rng rng;
    spur__rng_init(&rng, seed, SPUR__STREAM_TEST, 0, 0);
    for (ptrdiff_t i = 0; i < n; i++) p[i] = spur__rng_normal(&rng);
    return p;
}

/* Largest difference relative to the largest reference value. */
static inline double relative_error(const float *found, const double *wanted, ptrdiff_t n) {
    double difference = 0.0, largest = 1e-30;
    for (ptrdiff_t i = 0; i < n; i++) {
        double d = fabs((double)found[i] - wanted[i]);
        if (!(d <= difference)) difference = d; /* NaN counts as a difference */
        if (fabs(wanted[i]) > largest) largest = fabs(wanted[i]);
    }
    return difference / largest;
}

#define assert_close(what, found, wanted, n, bound)                                                \
    do {                                                                                           \
        double error_ = relative_error(found, wanted, n);                                          \
        if (!(error_ <= (bound)))                                                                  \
            fail_msg("%s: relative error %g > %g", what, error_, (double)(bound));                 \
    } while (0)

/* The same with just as much memory of each thread's own; free(.scratch). */
static inline spur__exec with_scratch(const spur__exec *exec, size_t bytes) {
    spur__exec own = *exec;
    own.scratch_bytes = (bytes + 63) / 64 * 64;
    own.scratch = scratch((size_t)own.threads * own.scratch_bytes);
    return own;
}

/* What the byte comparison runs over: every instruction set here, with 1 thread, and the best
 * one with 1 to 4. `fn` writes its results to out[n]. */
static inline void assert_same_bytes(const char *what,
                                     void (*fn)(void *, const spur__exec *, float *), void *arg,
                                     ptrdiff_t n) {
    spur__isa best = spur__cpu_isa();
    float *reference = floats(n), *found = floats(n);
    memset(reference, 0, (size_t)n * sizeof(float));
    memset(found, 0, (size_t)n * sizeof(float));
    for (int i = 0; i < 4 + (int)best; i++) {
        spur__exec exec = {.threads = i < 4 ? i + 1 : 1, .gemm = SPUR__GEMM_SPUR};
        spur__isa isa = spur__cpu_force(i < 4 ? best : (spur__isa)(i - 4));
        fn(arg, &exec, i ? found : reference);
        if (i && memcmp(found, reference, (size_t)n * sizeof(float)) != 0)
            fail_msg("%s: %s with %d threads gives other bytes than %s with 1", what,
                     spur__isa_name(isa), exec.threads, spur__isa_name(best));
    }
    spur__cpu_force(best);
    free(reference);
    free(found);
}

#endif
