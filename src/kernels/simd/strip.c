/* SPDX-License-Identifier: MIT
 *
 * The register tile that reads B in place and fetches ahead; see strip.h.
 */
#include "kernels/simd/simd.h"

enum { RUN = SPUR__STRIP_RUN, UNIT = SPUR__STRIP_UNIT, PAIR = 2 * 64 };

/* Pairs of lines to ask for, a few in every UNIT steps. */
typedef struct request {
    const char *at;
    ptrdiff_t step;
    int pairs;
} request;

/* The next lines to ask for; when nothing is left, what is near already again and again: a step
 * without a choice is the cheaper one. */
static request next_request(spur__fetch *f, const void *near) {
    if (f->first == f->count) return (request){near, 0, 1};
    spur__lines *lines = &f->lines[f->first];
    request r = {lines->at + f->done, PAIR, f->pairs};
    f->done += (ptrdiff_t)f->pairs * (RUN / UNIT) * PAIR;
    if (f->done < lines->width) return r;
    f->done = 0;
    lines->at += lines->pitch;
    if (--lines->rows == 0) f->first++;
    return r;
}

/* `steps` steps of a run. */
ALWAYS_INLINE void unit(vf acc[MR][2], const spur__strip *t, const float *a, const float *b,
                        int steps, int rows) {
    const ptrdiff_t step = t->b_step, near = t->near;
#pragma GCC unroll 4
    for (int k = 0; k < steps; k++) {
        vf b0 = vload(b), b1 = vload(b + VL);
        __builtin_prefetch(b + near);
        if (NR > 16) __builtin_prefetch(b + near + 16);
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            vf x = vset(a[i * RUN + k]);
            acc[i][0] = vfma(x, b0, acc[i][0]);
            acc[i][1] = vfma(x, b1, acc[i][1]);
        }
        b += step;
    }
}

/* RUN steps. */
ALWAYS_INLINE void run(vf acc[MR][2], const spur__strip *t, const float *a, const float *b,
                       int rows) {
    request r = next_request(t->fetch, a);
#pragma GCC unroll 1
    for (int k = 0; k < RUN; k += UNIT) {
#pragma GCC unroll 1
        for (int p = 0; p < r.pairs; p++, r.at += r.step) {
            __builtin_prefetch(r.at, 0, 2);
            __builtin_prefetch(r.at + PAIR / 2, 0, 2);
        }
        unit(acc, t, a + k, b, UNIT, rows);
        b += UNIT * t->b_step;
    }
}

ALWAYS_INLINE void store(const spur__strip *t, vf acc[MR][2], int rows) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < 2; v++) {
            float *c = t->c + i * t->c_row + v * VL;
            vf value = acc[i][v];
            if (t->load) value += vload(c);
            if (t->bias) value += vload(t->bias + v * VL);
            if (t->relu) value = vrelu(value);
            vstore(c, value);
        }
}

ALWAYS_INLINE void strip(const spur__strip *t, int rows) {
    vf acc[MR][2];
    const float *a = t->a, *b = t->b;
    ptrdiff_t left = t->steps;
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) acc[i][0] = acc[i][1] = (vf){0};
    for (; left >= RUN; left -= RUN, a += t->a_run, b += RUN * t->b_step) run(acc, t, a, b, rows);
    for (; left > 0; left--, a++, b += t->b_step) unit(acc, t, a, b, 1, rows);
    store(t, acc, rows);
}

#define INSTANCE(rows)                                                                             \
    static void strip_##rows(const spur__strip *t) {                                               \
        strip(t, rows);                                                                            \
    }

#if defined(SPUR_ISA_avx512)
#define EACH_ROWS(X, comma)                                                                        \
    X(1)                                                                                           \
    comma X(2) comma X(3) comma X(4) comma X(5) comma X(6) comma X(7) comma X(8) comma X(9)        \
        comma X(10) comma X(11) comma X(12) comma X(13) comma X(14)
#elif defined(SPUR_ISA_avx2)
#define EACH_ROWS(X, comma) X(1) comma X(2) comma X(3) comma X(4) comma X(5) comma X(6)
#else
#define EACH_ROWS(X, comma) X(1) comma X(2) comma X(3) comma X(4)
#endif
#define NOTHING
#define COMMA ,
#define ENTRY(rows) strip_##rows

EACH_ROWS(INSTANCE, NOTHING)

static void (*const instances[MR])(const spur__strip *) = {EACH_ROWS(ENTRY, COMMA)};

void SPUR__SIMD(strip)(const spur__strip *t) {
    instances[t->rows - 1](t);
}
