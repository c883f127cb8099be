/* SPDX-License-Identifier: MIT
 *
 * Winograd's transforms of images, inputs and output gradients; see winograd.h.
 */
#include "kernels/simd/winograd_corner.h"

/* ---- one-dimensional transforms; m is a constant where they are inlined ----------------------- */

ALWAYS_INLINE void transform_input(int m, const vf d[6], vf o[6]) {
    if (m == 2) {
        o[0] = d[0] - d[2];
        o[1] = d[1] + d[2];
        o[2] = d[2] - d[1];
        o[3] = d[1] - d[3];
        return;
    }
    vf p = scaled(-4.0f, d[2], d[4]), q = scaled(-4.0f, d[1], d[3]);
    vf r = d[4] - d[2], s = d[3] - d[1];
    o[0] = scaled(4.0f, d[0] - d[2], r);
    o[1] = p + q;
    o[2] = p - q;
    o[3] = scaled(2.0f, s, r);
    o[4] = scaled(-2.0f, s, r);
    o[5] = scaled(-4.0f, s, d[5] - d[3]);
}

ALWAYS_INLINE void transform_gradient(int m, const vf d[4], vf o[6]) {
    if (m == 2) {
        o[0] = d[0];
        o[1] = d[0] + d[1];
        o[2] = d[0] - d[1];
        o[3] = -d[1];
        return;
    }
    vf even = d[0] + d[2], odd = d[1] + d[3];
    vf even2 = scaled(4.0f, d[2], d[0]), odd2 = scaled(4.0f, d[3], d[1]);
    o[0] = d[0];
    o[1] = even + odd;
    o[2] = even - odd;
    o[3] = scaled(2.0f, odd2, even2);
    o[4] = scaled(-2.0f, odd2, even2);
    o[5] = d[3];
}

/* ---- patches that are no whole vectors wide ------------------------------------------------ */

/* Copies a patch's channels [c, c + n) into buffer [edge][edge][VL], zeros outside the image. */
static void gather(const spur__tiling *t, const corner *at, int edge, ptrdiff_t c, float *buffer) {
    ptrdiff_t n = t->channels - c;
    for (ptrdiff_t y = 0; y < edge; y++) {
        for (ptrdiff_t x = 0; x < edge; x++) {
            vf v = {0};
            if (y >= at->y0 && y < at->y1 && x >= at->x0 && x < at->x1) {
                ptrdiff_t from = at->offset + y * t->row_step + x * t->column_step + c;
                v = vload_n(t->x + from, n);
                if (t->mask) v = vmask_positive(v, vload_n(t->mask + from, n));
            }
            vstore(buffer + (y * edge + x) * VL, v);
        }
    }
}

/* The same of an image that a pool has halved: each value goes where its maximum stood. */
static void unpool(const spur__tiling *t, const corner *at, int edge, ptrdiff_t c, float *buffer) {
    ptrdiff_t n = t->channels - c, h = t->h / 2, w = t->w / 2;
    ptrdiff_t y0 = at->y + at->y0, x0 = at->x + at->x0;
    ptrdiff_t y1 = at->y + at->y1, x1 = at->x + at->x1;
    if (!at->inside || (t->h | t->w) % 2)
        memset(buffer, 0, (size_t)(edge * edge * VL) * sizeof(float));
    for (ptrdiff_t i = y0 / 2; i < h && 2 * i < y1; i++) {
        for (ptrdiff_t j = x0 / 2; j < w && 2 * j < x1; j++) {
            ptrdiff_t cell = (at->image * h + i) * w + j;
            vf v = vload_n(t->x + cell * t->pitch + c, n);
            vi code = vload_bytes_n(t->argmax + cell * t->channels + c, n);
            for (int tap = 0; tap < 4; tap++) {
                ptrdiff_t y = 2 * i + tap / 2, x = 2 * j + tap % 2;
                if (y < y0 || y >= y1 || x < x0 || x >= x1) continue;
                vf here = (vf)((vi)v & (code == tap));
                vstore(buffer + ((y - at->y) * edge + x - at->x) * VL, here);
            }
        }
    }
}

/* ---- from images to spectra ---------------------------------------------------------------- */

/* How a patch is read. CUT: it hangs over the image's edge. POOLED: from behind a pool, the first
 * row of the patch being the upper (EVEN) or lower (ODD) one of its windows. */
enum { PLAIN, MASKED, CUT, CUT_MASKED, POOLED_EVEN, POOLED_ODD };

/* Where the rows and columns of a patch that is not whole lie: offsets are clamped to the image. */
typedef struct patch {
    ptrdiff_t row[6], column[6]; /* of values */
    ptrdiff_t code_row[6], code_column[6]; /* of a pool's codes */
    int32_t shown[6]; /* rows inside the image: -1, else 0 */
    int32_t tap[6], side[6]; /* codes that mean this row (never for those outside) and column */
    bool open[6]; /* columns inside */
} patch;

static void cut_patch(const spur__tiling *t, const corner *at, int edge, patch *p) {
    for (int i = 0; i < edge; i++) {
        ptrdiff_t y = i < at->y0 ? at->y0 : i < at->y1 ? i : at->y1 - 1;
        p->open[i] = i >= at->x0 && i < at->x1;
        p->shown[i] = i == y ? -1 : 0;
        p->row[i] = at->offset + y * t->row_step;
        p->column[i] = i * t->column_step;
    }
}

static void pooled_patch(const spur__tiling *t, const corner *at, int edge, patch *p) {
    ptrdiff_t h = t->h / 2, w = t->w / 2;
    for (int i = 0; i < edge; i++) {
        ptrdiff_t y = at->y + i, x = at->x + i, cell = y < 0 ? 0 : y / 2 < h ? y / 2 : h - 1;
        p->open[i] = x >= 0 && x < 2 * w;
        p->tap[i] = y >= 0 && y < 2 * h ? (int32_t)(y % 2 * 2) : -2 * SPUR__POOL_NOWHERE;
        p->side[i] = (int32_t)(x & 1);
        p->row[i] = (at->image * h + cell) * w * t->pitch;
        p->code_row[i] = (at->image * h + cell) * w * t->channels;
        p->column[i] = x / 2 * t->pitch;
        p->code_column[i] = x / 2 * t->channels;
    }
}

/* A vector of channels of a patch. */
typedef struct view {
    const float *x, *mask;
    ptrdiff_t row, column; /* PLAIN and MASKED: steps from x */
    const uint8_t *codes;
    const patch *patch; /* otherwise */
} view;

/* Multiples by powers of two cost an address nothing; three and five it shall not make anew. */
ALWAYS_INLINE ptrdiff_t column_offset(ptrdiff_t column, int x) {
    ptrdiff_t step = column * (ptrdiff_t)sizeof(float), step3 = 3 * step, step5 = 5 * step;
    step = hidden(step), step3 = hidden(step3), step5 = hidden(step5);
    return x == 3 ? step3 : x == 5 ? step5 : x * step;
}

ALWAYS_INLINE vf vload_at(const char *p, ptrdiff_t offset) {
    return vload((const float *)(const void *)(p + offset));
}

ALWAYS_INLINE void load_plain(int kind, int edge, const view *s, int x, vf d[6]) {
    const char *row = (const char *)s->x, *mask = kind == MASKED ? (const char *)s->mask : row;
    ptrdiff_t down = s->row * (ptrdiff_t)sizeof(float), at = column_offset(s->column, x);
#pragma GCC unroll 6
    for (int y = 0; y < edge; y++, row += down, mask += down) {
        d[y] = vload_at(row, at);
        if (kind == MASKED) d[y] = vmask_positive(d[y], vload_at(mask, at));
    }
}

ALWAYS_INLINE void load_cut(int kind, int edge, const view *s, int x, vf d[6]) {
#pragma GCC unroll 6
    for (int y = 0; y < edge; y++) {
        ptrdiff_t at = s->patch->row[y] + s->patch->column[x];
        d[y] = (vf)((vi)vload(s->x + at) & s->patch->shown[y]);
        if (kind == CUT_MASKED) d[y] = vmask_positive(d[y], vload(s->mask + at));
    }
}

ALWAYS_INLINE void load_pooled(int kind, int edge, const view *s, int x, vf d[6]) {
    const patch *p = s->patch;
    int odd = kind == POOLED_ODD;
    vf v = {0};
    vi code = {0};
#pragma GCC unroll 6
    for (int y = 0; y < edge; y++) {
        if (y == 0 || (y + odd) % 2 == 0) {
            v = vload(s->x + p->row[y] + p->column[x]);
            code = vload_bytes_n(s->codes + p->code_row[y] + p->code_column[x], VL);
        }
        d[y] = (vf)((vi)v & (code == p->tap[y] + p->side[x]));
    }
}

ALWAYS_INLINE void load_column(int kind, int edge, const view *s, int x, vf d[6]) {
    if (kind == PLAIN || kind == MASKED) {
        load_plain(kind, edge, s, x, d);
    } else if (!s->patch->open[x]) {
        for (int y = 0; y < edge; y++) d[y] = (vf){0};
    } else if (kind == CUT || kind == CUT_MASKED) {
        load_cut(kind, edge, s, x, d);
    } else {
        load_pooled(kind, edge, s, x, d);
    }
}

/* transform(transform(patch)^T)^T of one vector of channels, rows [begin, end) of it; m, gradient, kind,
 * begin and end are constants. */
ALWAYS_INLINE void spread_rows(int m, bool gradient, int kind, const view *s, float *out,
                               ptrdiff_t xi_step, int begin, int end) {
    int edge = gradient ? m : m + 2, n = m + 2;
    vf half[6][6]; /* [xi row][column] */
#pragma GCC unroll 6
    for (int x = 0; x < edge; x++) {
        vf d[6], o[6];
        load_column(kind, edge, s, x, d);
        if (gradient)
            transform_gradient(m, d, o);
        else
            transform_input(m, d, o);
#pragma GCC unroll 6
        for (int y = begin; y < end; y++) half[y][x] = o[y];
    }
#pragma GCC unroll 6
    for (int y = begin; y < end; y++) {
        vf o[6];
        if (gradient)
            transform_gradient(m, half[y], o);
        else
            transform_input(m, half[y], o);
#pragma GCC unroll 6
        for (int x = 0; x < n; x++) vstore(out + (y * n + x) * xi_step, o[x]);
    }
}

ALWAYS_INLINE void spread_patch(int m, bool gradient, int kind, const view *s, float *out,
                                ptrdiff_t xi_step, ptrdiff_t ahead) {
    int n = m + 2;
    if (m == 2 || gradient) {
        spread_rows(m, gradient, kind, s, out, xi_step, 0, n);
    } else { /* in halves, which the registers hold */
        spread_rows(m, gradient, kind, s, out, xi_step, 0, 3);
        spread_rows(m, gradient, kind, s, out, xi_step, 3, 6);
    }
    if (ahead == 0) return;
    for (int xi = 0; xi < n * n; xi++) __builtin_prefetch(out + xi * xi_step + ahead, 0, 2);
}

enum { LATER = 2 }; /* tiles between asking and reading */

/* What a tile further on reads and those before it do not: rows inside the image of columns that
 * are new. Hardware follows neither six rows at a time nor their short stretches. */
typedef struct later {
    const float *x, *mask;
    const uint8_t *codes;
    ptrdiff_t rows, row, column; /* of x and mask */
    ptrdiff_t code_row, code_column;
} later;

ALWAYS_INLINE later later_of(bool gradient, const spur__tiling *t, const corner *at) {
    ptrdiff_t known = gradient ? 0 : 2; /* columns that tiles share */
    ptrdiff_t rows = at->y1 - at->y0;
    if (!t->argmax) {
        ptrdiff_t from = at->offset + at->y0 * t->row_step + known * t->column_step;
        return (later){.x = t->x + from,
                       .mask = t->mask ? t->mask + from : NULL,
                       .rows = rows,
                       .row = t->row_step,
                       .column = t->column_step};
    }
    ptrdiff_t h = t->h / 2, w = t->w / 2, y = (at->y + at->y0) / 2;
    ptrdiff_t cell = (at->image * h + y) * w + (at->x + known) / 2;
    return (later){.x = t->x + cell * t->pitch,
                   .codes = t->argmax + cell * t->channels,
                   .rows = rows > 0 ? (at->y + at->y1 - 1) / 2 - y + 1 : 0,
                   .row = w * t->pitch,
                   .column = t->pitch,
                   .code_row = w * t->channels,
                   .code_column = t->channels};
}

/* Asks for channels from c on. */
ALWAYS_INLINE void ask_for_later(int m, int kind, const later *l, ptrdiff_t c) {
    bool pooled = kind == POOLED_EVEN || kind == POOLED_ODD;
    for (ptrdiff_t y = 0; y < l->rows; y++) {
#pragma GCC unroll 4
        for (int x = 0; x < 4; x++) {
            if (x >= (pooled ? m / 2 : m)) continue;
            ptrdiff_t at = y * l->row + x * l->column + c;
            __builtin_prefetch(l->x + at);
            if (kind == MASKED || kind == CUT_MASKED) __builtin_prefetch(l->mask + at);
            if (pooled) __builtin_prefetch(l->codes + y * l->code_row + x * l->code_column + c);
        }
    }
}

/* All whole vectors of channels of one tile. */
ALWAYS_INLINE void spread_tile(int m, bool gradient, int kind, const spur__tiling *t, view s,
                               const later *next, float *v, const spur__spectrum *to) {
    for (ptrdiff_t c = 0; c + VL <= t->channels; c += VL) {
        float *out = v + c / to->group * to->group_step + c % to->group;
        if (c % 16 == 0) ask_for_later(m, kind, next, c);
        spread_patch(m, gradient, kind, &s, out, to->xi_step, to->ahead * to->row_step);
        s.x += VL;
        if (kind == MASKED || kind == CUT_MASKED) s.mask += VL;
        if (kind == POOLED_EVEN || kind == POOLED_ODD) s.codes += VL;
    }
}

/* Channels from c up to the next multiple of 16, through a buffer. */
ALWAYS_INLINE void spread_rest(int m, bool gradient, const spur__tiling *t, const corner *at,
                               ptrdiff_t c, float *v, const spur__spectrum *to) {
    int edge = gradient ? m : m + 2;
    float buffer[36 * VL] __attribute__((aligned(64)));
    ptrdiff_t padded = (t->channels + 15) & ~(ptrdiff_t)15;
    view s = {.x = buffer, .row = edge * VL, .column = VL};
    for (; c < padded; c += VL) {
        if (t->argmax && c < t->channels)
            unpool(t, at, edge, c, buffer);
        else
            gather(t, at, edge, c, buffer);
        spread_patch(m, gradient, PLAIN, &s, v + c / to->group * to->group_step + c % to->group,
                     to->xi_step, 0);
    }
}

ALWAYS_INLINE void spread_pooled(int m, bool gradient, const spur__tiling *t, const corner *at,
                                 const later *next, float *v, const spur__spectrum *to) {
    patch p;
    view s = {.x = t->x, .codes = t->argmax, .patch = &p};
    pooled_patch(t, at, gradient ? m : m + 2, &p);
    if (at->y % 2 == 0)
        spread_tile(m, gradient, POOLED_EVEN, t, s, next, v, to);
    else if (!gradient) /* whose tiles start at even rows */
        spread_tile(m, gradient, POOLED_ODD, t, s, next, v, to);
}

ALWAYS_INLINE void spread_cut(int m, bool gradient, const spur__tiling *t, const corner *at,
                              const later *next, float *v, const spur__spectrum *to) {
    patch p;
    view s = {.x = t->x, .mask = t->mask, .patch = &p};
    cut_patch(t, at, gradient ? m : m + 2, &p);
    if (t->mask)
        spread_tile(m, gradient, CUT_MASKED, t, s, next, v, to);
    else
        spread_tile(m, gradient, CUT, t, s, next, v, to);
}

ALWAYS_INLINE void spread_tiles(int m, bool gradient, const spur__tiling *t, ptrdiff_t tile,
                                ptrdiff_t count, const spur__spectrum *to) {
    int edge = gradient ? m : m + 2;
    corner corners[LATER + 1]; /* of tile i and those behind it */
    ptrdiff_t last = t->order ? count - 1 : PTRDIFF_MAX; /* place that is known */
    for (ptrdiff_t i = 0; i < LATER; i++)
        corners[i] = corner_of(t, m, edge, tile + (i < last ? i : last));
    for (ptrdiff_t i = 0; i < count; i++) {
        ptrdiff_t ahead = i + LATER < last ? i + LATER : last;
        corners[LATER] = corner_of(t, m, edge, tile + ahead);
        corner at = corners[0];
        later next = later_of(gradient, t, &corners[LATER]);
        for (int j = 0; j < LATER; j++) corners[j] = corners[j + 1];
        float *v = to->v + i * to->row_step;
        ptrdiff_t done = t->channels & ~(ptrdiff_t)(VL - 1);
        view s = {.x = t->x + at.offset, .row = t->row_step, .column = t->column_step};
        if (t->mask) s.mask = t->mask + at.offset;
        if (at.y0 >= at.y1 || at.x0 >= at.x1)
            done = 0; /* nothing of it is inside */
        else if (t->argmax)
            spread_pooled(m, gradient, t, &at, &next, v, to);
        else if (!at.inside)
            spread_cut(m, gradient, t, &at, &next, v, to);
        else if (t->mask)
            spread_tile(m, gradient, MASKED, t, s, &next, v, to);
        else
            spread_tile(m, gradient, PLAIN, t, s, &next, v, to);
        spread_rest(m, gradient, t, &at, done, v, to);
    }
}

void SPUR__SIMD(wino_input)(int m, const spur__tiling *t, ptrdiff_t tile, ptrdiff_t count,
                            const spur__spectrum *to) {
    if (m == 2)
        spread_tiles(2, false, t, tile, count, to);
    else
        spread_tiles(4, false, t, tile, count, to);
}

void SPUR__SIMD(wino_gradient)(int m, const spur__tiling *t, ptrdiff_t tile, ptrdiff_t count,
                               const spur__spectrum *to) {
    if (m == 2)
        spread_tiles(2, true, t, tile, count, to);
    else
        spread_tiles(4, true, t, tile, count, to);
}
