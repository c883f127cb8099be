/* SPDX-License-Identifier: MIT
 *
 * The register tile, one instance per row count, width and way of walking A; see tile.h.
 */
#include "kernels/simd/math.h"

/* How A is walked: rows apart by a_row with unit steps; rows 16 apart, also with something to fetch;
 * neighbouring rows. */
enum { WALK_ROWS, WALK_BLOCKED, WALK_FETCHING, WALK_STEPS };

/* What happens to all sums at once: one branch for the tile, none for a row. */

ALWAYS_INLINE void add_whole(const spur__tile *t, vf acc[MR][2], int rows, int vectors) {
    const float *c = t->c;
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++, c += t->c_row)
        for (int v = 0; v < vectors; v++) acc[i][v] += vload(c + v * VL);
}

ALWAYS_INLINE void add_bias(const vf bias[2], vf acc[MR][2], int rows, int vectors) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++) acc[i][v] += bias[v];
}

ALWAYS_INLINE void shut_negative(vf acc[MR][2], int rows, int vectors) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++) acc[i][v] = vrelu(acc[i][v]);
}

ALWAYS_INLINE void store_whole(const spur__tile *t, vf acc[MR][2], int rows, int vectors,
                               bool stream) {
    float *c = t->c;
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++, c += t->c_row) {
        for (int v = 0; v < vectors; v++) {
            if (stream)
                vstream(c + v * VL, acc[i][v]);
            else
                vstore(c + v * VL, acc[i][v]);
        }
    }
}

/* Columns of vector v, of those that end with t->cols. */
ALWAYS_INLINE ptrdiff_t columns_of(const spur__tile *t, int v) {
    ptrdiff_t left = t->cols - v * VL;
    return left < 0 ? 0 : left < VL ? left : VL;
}

ALWAYS_INLINE void add_partial(const spur__tile *t, vf acc[MR][2], int rows, int vectors) {
    const float *c = t->c;
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++, c += t->c_row)
        for (int v = 0; v < vectors; v++) acc[i][v] += vload_n(c + v * VL, columns_of(t, v));
}

ALWAYS_INLINE void store_partial(const spur__tile *t, vf acc[MR][2], int rows, int vectors) {
    float *c = t->c;
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++, c += t->c_row)
        for (int v = 0; v < vectors; v++) vstore_n(c + v * VL, acc[i][v], columns_of(t, v));
}

ALWAYS_INLINE void finish(const spur__tile *t, vf acc[MR][2], int rows, int vectors) {
    bool whole = t->cols == vectors * VL;
    if (t->load && whole) add_whole(t, acc, rows, vectors);
    if (t->load && !whole) add_partial(t, acc, rows, vectors);
    if (t->bias) {
        vf bias[2];
        for (int v = 0; v < vectors; v++) bias[v] = vload_n(t->bias + v * VL, columns_of(t, v));
        add_bias(bias, acc, rows, vectors);
    }
    if (t->relu) shut_negative(acc, rows, vectors);
    if (!whole)
        store_partial(t, acc, rows, vectors);
    else if (t->stream)
        store_whole(t, acc, rows, vectors, true);
    else
        store_whole(t, acc, rows, vectors, false);
}

/* Moves the sums of a stretch to those of the whole, or `back`: adds these to it. */
ALWAYS_INLINE void fold(vf acc[MR][2], float total[MR][2][VL], int rows, int vectors, bool back) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        for (int v = 0; v < vectors; v++) {
            vf sum = vload(total[i][v]) + acc[i][v];
            if (!back) vstore(total[i][v], sum);
            acc[i][v] = back ? sum : (vf){0};
        }
    }
}

/* A's prefetch: blocked rows in floats, a page, where the hardware stops; else in steps, which makes
 * a page of lines 16 floats apart. C's: more than a few lines at once would keep A and B waiting. */
enum { AHEAD = 1024, AHEAD_STEPS = 64 };

/* One stretch of k; rows, vectors and walk are constants where this is inlined. */
ALWAYS_INLINE const float *run(vf acc[MR][2], const float *a, const float *b, const float *next,
                               ptrdiff_t lines, ptrdiff_t length, ptrdiff_t row, ptrdiff_t step,
                               int rows, int vectors, int walk) {
    bool blocked = walk == WALK_BLOCKED || walk == WALK_FETCHING;
#pragma GCC unroll 2
    for (ptrdiff_t k = 0; k < length; k++) {
        vf b0 = vload(b), b1 = vectors > 1 ? vload(b + VL) : b0;
        __builtin_prefetch(b + 16 * vectors * VL);
        if (vectors * VL > 16)
            __builtin_prefetch(b + 16 * NR + 16); /* the other line of the step */
        if (walk == WALK_STEPS) __builtin_prefetch(a + AHEAD_STEPS * step);
        if (walk == WALK_FETCHING && k < lines) __builtin_prefetch(next + 16 * k, 0, 2);
        if (blocked && k < rows) __builtin_prefetch(a + AHEAD + 15 * k);
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            vf x = vset(a[i * row]);
            acc[i][0] = vfma(x, b0, acc[i][0]);
            if (vectors > 1) acc[i][1] = vfma(x, b1, acc[i][1]);
        }
        a += step;
        b += vectors * VL;
    }
    return b;
}

/* Asks for rows `first` and first + 1 of a tile's C. */
ALWAYS_INLINE void ask_for_rows(const spur__tile *t, ptrdiff_t first, int vectors) {
    const float *row = t->next + first * t->c_row;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < vectors * VL; j += 16) __builtin_prefetch(row + i * t->c_row + j, 1);
}

/* Asks for lines; returns where the next ones lie. */
ALWAYS_INLINE const float *ask_for_lines(const float *next, ptrdiff_t lines) {
    for (ptrdiff_t i = 0; i < lines; i++, next += 16) __builtin_prefetch(next, 0, 2);
    return next;
}

ALWAYS_INLINE void tile(const spur__tile *t, int rows, int vectors, int walk) {
    vf acc[MR][2];
    float total[MR][2][VL];
    const float *b = t->b;
    bool blocked = walk == WALK_BLOCKED || walk == WALK_FETCHING;
    ptrdiff_t length = blocked ? 16 : t->run_length, room = SPUR__TILE_STRETCH;
    const float *next = t->next;
    ptrdiff_t lines = t->next_lines, asked = 0;
    bool folded = false;
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) acc[i][0] = acc[i][1] = (vf){0};
    for (ptrdiff_t r = 0; r < t->runs; r++) {
        const float *a = t->a + t->a_run[r];
        if (t->b_run) b = t->b + t->b_run[r] * vectors * VL;
        for (ptrdiff_t k = 0, count; k < length; k += count, room -= count) {
            if (room == 0) {
                if (!folded) memset(total, 0, sizeof total);
                fold(acc, total, rows, vectors, false);
                folded = true;
                room = SPUR__TILE_STRETCH;
            }
            count = length - k < room ? length - k : room;
            if (walk == WALK_ROWS && next && asked < rows) { /* twice as often: k may be short */
                ask_for_rows(t, asked, vectors);
                asked += 2;
                if (count > SPUR__TILE_ASK / 2) count = SPUR__TILE_ASK / 2;
            }
            if (walk == WALK_STEPS && next) {
                if (lines)
                    next = ask_for_lines(next, lines);
                else
                    ask_for_rows(t, k / SPUR__TILE_ASK * 2, vectors);
                if (count > SPUR__TILE_ASK) count = SPUR__TILE_ASK;
            }
            if (blocked)
                b = run(acc, a, b, next + r * lines * 16, lines, count = 16, 16, 1, rows, vectors,
                        walk);
            else if (walk == WALK_ROWS)
                b = run(acc, a + k, b, NULL, 0, count, t->a_row, 1, rows, vectors, walk);
            else
                b = run(acc, a + k * t->a_step, b, NULL, 0, count, 1, t->a_step, rows, vectors,
                        walk);
        }
    }
    if (folded) fold(acc, total, rows, vectors, true);
    finish(t, acc, rows, vectors);
}

#define INSTANCE(rows, vectors, walk)                                                              \
    static void tile_##rows##_##vectors##_##walk(const spur__tile *t) {                            \
        tile(t, rows, vectors, walk);                                                              \
    }
#define INSTANCES(rows)                                                                            \
    INSTANCE(rows, 1, WALK_ROWS)                                                                   \
    INSTANCE(rows, 1, WALK_BLOCKED)                                                                \
    INSTANCE(rows, 1, WALK_FETCHING)                                                               \
    INSTANCE(rows, 1, WALK_STEPS)                                                                  \
    INSTANCE(rows, 2, WALK_ROWS)                                                                   \
    INSTANCE(rows, 2, WALK_BLOCKED)                                                                \
    INSTANCE(rows, 2, WALK_FETCHING)                                                               \
    INSTANCE(rows, 2, WALK_STEPS)
#define ENTRY(rows, vectors)                                                                       \
    {                                                                                              \
        tile_##rows##_##vectors##_WALK_ROWS, tile_##rows##_##vectors##_WALK_BLOCKED,               \
            tile_##rows##_##vectors##_WALK_FETCHING, tile_##rows##_##vectors##_WALK_STEPS          \
    }
#define ENTRIES(rows)                                                                              \
    { ENTRY(rows, 1), ENTRY(rows, 2) }

EACH_ROWS(INSTANCES, NOTHING)

static void (*const instances[MR][2][4])(const spur__tile *) = {EACH_ROWS(ENTRIES, COMMA)};

ALWAYS_INLINE void swish_rows(const spur__tile *t, const float *sums, spur__swish kind) {
    for (ptrdiff_t i = 0; i < t->rows; i++)
        for (ptrdiff_t j = 0; j < t->cols; j += VL) {
            vf y = vswish(vload_n(sums + i * NR + j, t->cols - j), kind);
            if (t->stream)
                vstream(t->c + i * t->c_row + j, y);
            else
                vstore_n(t->c + i * t->c_row + j, y, t->cols - j);
        }
}

/* Seldom, and no business of the instances: the sums go by a place that is near. */
static void tile_with_swish(const spur__tile *t, void (*instance)(const spur__tile *)) {
    float sums[MR * NR] __attribute__((aligned(64)));
    spur__tile near = *t;
    near.c = sums;
    near.c_row = NR;
    near.stream = false;
    instance(&near);
    if (t->swish == SPUR__SILU)
        swish_rows(t, sums, SPUR__SILU);
    else
        swish_rows(t, sums, SPUR__HARD_SWISH);
}

void SPUR__SIMD(tile)(const spur__tile *t) {
    bool blocked = t->a_row == 16 && t->run_length == 16;
    int walk = t->a_step != 1      ? WALK_STEPS
               : !blocked          ? WALK_ROWS
               : t->next_lines > 0 ? WALK_FETCHING
                                   : WALK_BLOCKED;
    if (t->swish) {
        tile_with_swish(t, instances[t->rows - 1][t->cols > VL][walk]);
        return;
    }
    instances[t->rows - 1][t->cols > VL][walk](t); /* a jump: nothing comes after it */
}

void SPUR__SIMD(end_stream)(void) {
#if defined(SPUR_ISA_avx512) || defined(SPUR_ISA_avx2)
    _mm_sfence();
#endif
}

/* Some rows at a time, so that y is loaded and stored once for them. */
ALWAYS_INLINE void add_some(const float *x, const float *w, ptrdiff_t ldw, ptrdiff_t n, float *y,
                            int rows) {
    ptrdiff_t j = 0;
    for (; j + VL <= n; j += VL) {
        vf sum = vload(y + j);
#pragma GCC unroll 8
        for (int k = 0; k < rows; k++) sum = vfma(vset(x[k]), vload(w + k * ldw + j), sum);
        vstore(y + j, sum);
    }
    for (; j < n; j++)
        for (int k = 0; k < rows; k++) y[j] = fma1(x[k], w[k * ldw + j], y[j]);
}

void SPUR__SIMD(add_rows)(const float *x, ptrdiff_t steps, const float *w, ptrdiff_t ldw,
                          ptrdiff_t n, float *y) {
    ptrdiff_t k = 0;
    for (; k + 8 <= steps; k += 8) add_some(x + k, w + k * ldw, ldw, n, y, 8);
    for (; k < steps; k++) add_some(x + k, w + k * ldw, ldw, n, y, 1);
}
