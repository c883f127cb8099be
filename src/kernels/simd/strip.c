/* SPDX-License-Identifier: MIT
 *
 * The register tile that fetches ahead, one instance per row count, width and way of walking A; see
 * strip.h.
 */
#include "kernels/simd/simd.h"

enum { RUN = SPUR__STRIP_RUN, UNIT = SPUR__STRIP_UNIT, PAIR = 2 * 64 };

enum { BLOCKED = SPUR__STRIP_BLOCKED, ROWS = SPUR__STRIP_ROWS, STEPS = SPUR__STRIP_STEPS };

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

/* A register tile's shape, a constant where it is inlined. */
typedef struct shape {
    int rows, vectors, walk;
} shape;

ALWAYS_INLINE ptrdiff_t a_step(shape s) {
    return s.walk == STEPS ? MR : 1;
}

ALWAYS_INLINE ptrdiff_t b_step(const spur__strip *t, shape s) {
    return s.walk == BLOCKED ? t->b_step : s.vectors * VL;
}

/* Element (row, 0) of A; two pointers spare registers that would hold multiples of a_row. */
ALWAYS_INLINE float element(const float *a, const float *a8, ptrdiff_t a_row, int row, int walk) {
    if (walk == STEPS) return a[row];
    if (walk == BLOCKED) return a[row * RUN];
    return row < 8 ? a[row * a_row] : a8[(row - 8) * a_row];
}

/* `steps` steps of a run. */
ALWAYS_INLINE void unit(vf acc[MR][2], const spur__strip *t, const float *a, const float *b,
                        int steps, shape s) {
    const ptrdiff_t a_row = t->a_row, near = s.walk == BLOCKED ? t->near : 8 * s.vectors * VL;
    const float *a8 = a + 8 * a_row;
#pragma GCC unroll 4
    for (int k = 0; k < steps; k++) {
        vf b0 = vload(b), b1 = s.vectors > 1 ? vload(b + VL) : b0;
        __builtin_prefetch(b + near);
        if (s.vectors * VL > 16) __builtin_prefetch(b + near + 16);
#pragma GCC unroll 16
        for (int i = 0; i < s.rows; i++) {
            vf x = vset(element(a, a8, a_row, i, s.walk));
            acc[i][0] = vfma(x, b0, acc[i][0]);
            if (s.vectors > 1) acc[i][1] = vfma(x, b1, acc[i][1]);
        }
        a += a_step(s);
        a8 += a_step(s);
        b += b_step(t, s);
    }
}

/* RUN steps. */
ALWAYS_INLINE void run(vf acc[MR][2], const spur__strip *t, const float *a, const float *b,
                       shape s) {
    request r = next_request(t->fetch, a);
    const float *next = a + RUN; /* the next line of a row */
#pragma GCC unroll 1
    for (int k = 0; k < RUN; k += UNIT) {
#pragma GCC unroll 1
        for (int p = 0; p < r.pairs; p++, r.at += r.step) {
            __builtin_prefetch(r.at, 0, 2);
            __builtin_prefetch(r.at + PAIR / 2, 0, 2);
        }
        for (int i = k; s.walk == ROWS && i < k + UNIT && i < s.rows; i++, next += t->a_row)
            __builtin_prefetch(next);
        unit(acc, t, a, b, UNIT, s);
        a += UNIT * a_step(s);
        b += UNIT * b_step(t, s);
    }
}

/* One test for all rows, not one a row: tiles of few steps spend their time here. */
ALWAYS_INLINE void store(const spur__strip *t, vf acc[MR][2], ptrdiff_t column, shape s) {
    float *c = t->c + column;
    if (t->load) {
#pragma GCC unroll 16
        for (int i = 0; i < s.rows; i++)
            for (int v = 0; v < s.vectors; v++) acc[i][v] += vload(c + i * t->c_row + v * VL);
    }
    if (t->bias) {
#pragma GCC unroll 16
        for (int i = 0; i < s.rows; i++)
            for (int v = 0; v < s.vectors; v++) acc[i][v] += vload(t->bias + column + v * VL);
    }
    if (t->relu) {
#pragma GCC unroll 16
        for (int i = 0; i < s.rows; i++)
            for (int v = 0; v < s.vectors; v++) acc[i][v] = vrelu(acc[i][v]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < s.rows; i++)
        for (int v = 0; v < s.vectors; v++) vstore(c + i * t->c_row + v * VL, acc[i][v]);
}

/* One panel. */
ALWAYS_INLINE void tile(const spur__strip *t, const float *b, ptrdiff_t column, shape s) {
    vf acc[MR][2];
    const float *a = t->a;
    const ptrdiff_t a_run = s.walk == BLOCKED ? t->a_run : RUN * a_step(s);
    ptrdiff_t left = t->steps;
#pragma GCC unroll 16
    for (int i = 0; i < s.rows; i++) acc[i][0] = acc[i][1] = (vf){0};
    for (; left >= RUN; left -= RUN, a += a_run, b += RUN * b_step(t, s)) run(acc, t, a, b, s);
    for (; left > 0; left--, a += a_step(s), b += b_step(t, s)) unit(acc, t, a, b, 1, s);
    store(t, acc, column, s);
}

ALWAYS_INLINE void strip(const spur__strip *t, shape s) {
    for (ptrdiff_t p = 0; p < t->panels; p++) tile(t, t->b + p * t->b_panel, p * s.vectors * VL, s);
}

#define INSTANCE(rows, vectors, walk)                                                              \
    static void strip_##rows##_##vectors##_##walk(const spur__strip *t) {                          \
        strip(t, (shape){rows, vectors, walk});                                                    \
    }
#define INSTANCES(rows)                                                                            \
    INSTANCE(rows, 1, BLOCKED)                                                                     \
    INSTANCE(rows, 1, ROWS)                                                                        \
    INSTANCE(rows, 1, STEPS)                                                                       \
    INSTANCE(rows, 2, BLOCKED)                                                                     \
    INSTANCE(rows, 2, ROWS)                                                                        \
    INSTANCE(rows, 2, STEPS)
#define ENTRY(rows, vectors)                                                                       \
    {                                                                                              \
        strip_##rows##_##vectors##_BLOCKED, strip_##rows##_##vectors##_ROWS,                       \
            strip_##rows##_##vectors##_STEPS                                                       \
    }
#define ENTRIES(rows)                                                                              \
    { ENTRY(rows, 1), ENTRY(rows, 2) }

EACH_ROWS(INSTANCES, NOTHING)

static void (*const instances[MR][2][3])(const spur__strip *) = {EACH_ROWS(ENTRIES, COMMA)};

void SPUR__SIMD(strip)(const spur__strip *t) {
    instances[t->rows - 1][t->width > VL][t->walk](t);
}
