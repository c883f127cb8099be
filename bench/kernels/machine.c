/* SPDX-License-Identifier: MIT
 *
 * What this machine can do at most: fused multiply-adds per second out of registers, bytes per second
 * from memory and back, and how long a line takes from core to core. Every performance claim stands beside these numbers.
 */
#include <omp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/memory.h"
#include "bench.h"
#include "kernels/parallel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { CHAINS = 24, TURNS = 1 << 20, ROUNDS = 7, CHUNK = 1 << 20 };

/* ---- arithmetic ----------------------------------------------------------------------------- */

/* Each: TURNS times CHAINS fused multiply-adds of one vector; returns floats in it. */
#if defined(__x86_64__)
__attribute__((target("avx512f"))) static int turns_avx512(float *out) {
    __m512 sums[CHAINS], x = _mm512_set1_ps(out[0]), y = _mm512_set1_ps(out[1]);
    for (int i = 0; i < CHAINS; i++) sums[i] = _mm512_set1_ps((float)i);
    for (int t = 0; t < TURNS; t++)
#pragma GCC unroll 24
        for (int i = 0; i < CHAINS; i++) sums[i] = _mm512_fmadd_ps(sums[i], x, y);
    for (int i = 1; i < CHAINS; i++) sums[0] = _mm512_add_ps(sums[0], sums[i]);
    _mm512_storeu_ps(out, sums[0]);
    return 16;
}

__attribute__((target("avx2,fma"))) static int turns_avx2(float *out) {
    enum { HALF = CHAINS / 2 };
    __m256 sums[HALF], x = _mm256_set1_ps(out[0]), y = _mm256_set1_ps(out[1]);
    for (int i = 0; i < HALF; i++) sums[i] = _mm256_set1_ps((float)i);
    for (int t = 0; t < 2 * TURNS; t++)
#pragma GCC unroll 24
        for (int i = 0; i < HALF; i++) sums[i] = _mm256_fmadd_ps(sums[i], x, y);
    for (int i = 1; i < HALF; i++) sums[0] = _mm256_add_ps(sums[0], sums[i]);
    _mm256_storeu_ps(out, sums[0]);
    return 8;
}
#endif

static int turns_generic(float *out) {
    typedef float v4 __attribute__((vector_size(16)));
    enum { THIRD = CHAINS / 3 };
    v4 sums[THIRD], x = {out[0], out[0], out[0], out[0]}, y = {out[1], out[1], out[1], out[1]};
    for (int i = 0; i < THIRD; i++) sums[i] = x * (float)i;
    for (int t = 0; t < 3 * TURNS; t++)
#pragma GCC unroll 24
        for (int i = 0; i < THIRD; i++) sums[i] = sums[i] * x + y;
    for (int i = 1; i < THIRD; i++) sums[0] += sums[i];
    memcpy(out, &sums[0], sizeof sums[0]);
    return 4;
}

static int turns(float *out) {
    switch (spur__cpu_isa()) {
#if defined(__x86_64__)
    case SPUR__ISA_AVX512:
        return turns_avx512(out);
    case SPUR__ISA_AVX2:
        return turns_avx2(out);
#endif
    default:
        return turns_generic(out);
    }
}

typedef struct arithmetic {
    float (*out)[16]; /* per task */
    int width;
} arithmetic;

static void arithmetic_task(void *job, ptrdiff_t index, int thread) {
    arithmetic *a = job;
    int width = turns(a->out[index]);
    if (thread == 0) a->width = width;
}

static double peak(int threads) {
    float out[64][16];
    arithmetic a = {.out = out};
    spur__exec exec = {.threads = threads < 64 ? threads : 64};
    double best = 0;
    for (int i = 0; i < 64; i++) out[i][0] = 0.5f, out[i][1] = 0.25f;
    for (int r = 0; r < ROUNDS; r++) {
        uint64_t start = spur__monotonic_ns();
        spur__parallel(&exec, exec.threads, arithmetic_task, &a);
        double s = (double)(spur__monotonic_ns() - start) * 1e-9;
        double rate = 2.0 * TURNS * CHAINS * a.width * exec.threads / s;
        if (rate > best) best = rate;
    }
    return best * 1e-9;
}

/* ---- memory --------------------------------------------------------------------------------- */

typedef struct traffic {
    char *from, *to; /* to: NULL: only read */
    unsigned long long sums[64];
} traffic;

static void traffic_task(void *job, ptrdiff_t index, int thread) {
    traffic *t = job;
    const char *from = t->from + index * CHUNK;
    if (t->to) {
        memcpy(t->to + index * CHUNK, from, CHUNK);
        return;
    }
    unsigned long long sum = 0;
    for (size_t i = 0; i < CHUNK / sizeof sum; i++) {
        unsigned long long word;
        memcpy(&word, from + i * sizeof word, sizeof word);
        sum += word;
    }
    t->sums[thread % 64] += sum;
}

/* Bytes a second over `bytes` of memory, the best of some rounds. */
static double bandwidth(int threads, traffic *t, size_t bytes) {
    double best = 0;
    spur__exec exec = {.threads = threads};
    for (int r = 0; r < ROUNDS; r++) {
        uint64_t start = spur__monotonic_ns();
        spur__parallel(&exec, (ptrdiff_t)(bytes / CHUNK), traffic_task, t);
        double rate = (double)bytes / ((double)(spur__monotonic_ns() - start) * 1e-9);
        if (rate > best) best = rate;
    }
    return best * 1e-9;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values, size_t n) {
    qsort(values, n, sizeof *values, ascending);
    return values[n / 2];
}

/* ---- from core to core ---------------------------------------------------------------------- */

enum { TRIPS = 100000 };

/* Nanoseconds for a line to go to the next core and back, median of some rounds: some 80 on one die, 400
 * where the cores sit on two. 0 with one thread or CPU. */
static double round_trip(int threads) {
    static _Alignas(256) _Atomic int turn;
    double ns[ROUNDS] = {0};
    for (int r = 0; r < ROUNDS && threads > 1 && spur__cpu_count() > 1; r++) {
        atomic_store(&turn, -1);
#pragma omp parallel num_threads(2)
        {
            int me = omp_get_thread_num();
            uint64_t start = spur__monotonic_ns();
            if (me == 1) atomic_store(&turn, 0);
            while (atomic_load(&turn) < 0 && spur__monotonic_ns() - start < 1000000000) continue;
            bool both = omp_get_num_threads() == 2 && atomic_load(&turn) >= 0;
            start = spur__monotonic_ns();
            for (int i = me; both && i < 2 * TRIPS; i += 2) {
                while (atomic_load(&turn) != i) continue;
                atomic_store(&turn, i + 1);
            }
            if (me == 0 && both) ns[r] = (double)(spur__monotonic_ns() - start) / TRIPS;
        }
    }
    return median(ns, ROUNDS);
}

int print_machine(int threads, size_t megabytes) {
    size_t bytes = megabytes << 20;
    char *from = spur__malloc_aligned(4096, bytes), *to = spur__malloc_aligned(4096, bytes);
    if (!from || !to) {
        spur__free(from);
        spur__free(to);
        return 1;
    }
    memset(from, 1, bytes);
    memset(to, 2, bytes);
    traffic reads = {.from = from}, copies = {.from = from, .to = to};
    printf(
        "{\"cpu\": \"%s\", \"instructions\": \"%s\", \"threads\": %d, \"gflops\": %.1f, "
        "\"read_gb\": %.1f, \"copy_gb\": %.1f, \"cached_read_gb\": %.1f, \"round_trip_ns\": %.0f}\n",
        spur__cpu_name(), spur__isa_name(spur__cpu_isa()), threads, peak(threads),
        bandwidth(threads, &reads, bytes), 2 * bandwidth(threads, &copies, bytes),
        bandwidth(threads, &reads, bytes < (24u << 20) ? bytes : 24u << 20), round_trip(threads));
    spur__free(from);
    spur__free(to);
    return 0;
}
