/* SPDX-License-Identifier: MIT
 *
 * Winograd transforms; see winograd.h.
 */
#include "kernels/simd/simd.h"

/* a * b + c where a is a power of two: the product is exact, so one rounding either way. */
ALWAYS_INLINE vf scaled(float a, vf b, vf c) {
#if defined(SPUR__SOFT_FMA)
    return a * b + c;
#else
    return vfma(vset(a), b, c);
#endif
}

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

ALWAYS_INLINE void transform_output(int m, const vf d[6], vf o[4]) {
    vf sum = d[1] + d[2], difference = d[1] - d[2];
    if (m == 2) {
        o[0] = d[0] + sum;
        o[1] = difference - d[3];
        return;
    }
    vf sum2 = d[3] + d[4], difference2 = d[3] - d[4];
    o[0] = d[0] + sum + sum2;
    o[1] = scaled(2.0f, difference2, difference);
    o[2] = scaled(4.0f, sum2, sum);
    o[3] = scaled(8.0f, difference2, difference) + d[5];
}

ALWAYS_INLINE void transform_weights(int m, const vf g[3], vf o[6]) {
    vf ends = g[0] + g[2];
    if (m == 2) {
        o[0] = g[0];
        o[1] = (ends + g[1]) * 0.5f;
        o[2] = (ends - g[1]) * 0.5f;
        o[3] = g[2];
        return;
    }
    vf far = scaled(4.0f, g[2], g[0]);
    o[0] = g[0] * 0.25f;
    o[1] = (ends + g[1]) * (-1.0f / 6.0f);
    o[2] = (ends - g[1]) * (-1.0f / 6.0f);
    o[3] = scaled(2.0f, g[1], far) * (1.0f / 24.0f);
    o[4] = scaled(-2.0f, g[1], far) * (1.0f / 24.0f);
    o[5] = g[2];
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

ALWAYS_INLINE void transform_dw(int m, const vf d[6], vf o[3]) {
    vf sum = d[1] + d[2];
    if (m == 2) {
        vf half = sum * 0.5f;
        o[0] = d[0] + half;
        o[1] = (d[1] - d[2]) * 0.5f;
        o[2] = half + d[3];
        return;
    }
    vf sum2 = d[3] + d[4], difference = d[2] - d[1], difference2 = d[3] - d[4];
    vf sixth = sum * (1.0f / 6.0f);
    o[0] = d[0] * 0.25f - sixth + sum2 * (1.0f / 24.0f);
    o[1] = difference * (1.0f / 6.0f) + difference2 * (1.0f / 12.0f);
    o[2] = sum2 * (1.0f / 6.0f) - sixth + d[5];
}

/* ---- patches ------------------------------------------------------------------------------- */

/* The upper left corner of a tile's patch, and the part of the patch inside the image. */
typedef struct corner {
    ptrdiff_t image, y, x; /* y and x may be negative */
    ptrdiff_t offset; /* of that pixel */
    ptrdiff_t y0, y1, x0, x1; /* rows and columns of the patch inside */
    bool inside; /* all of it */
} corner;

ALWAYS_INLINE corner corner_of(const spur__tiling *t, int m, int edge, ptrdiff_t tile) {
    corner c;
    ptrdiff_t tx = tile % t->tiles_x, rest = tile / t->tiles_x;
    ptrdiff_t ty = rest % t->tiles_y;
    c.image = rest / t->tiles_y;
    c.y = ty * m - t->pad_y;
    c.x = tx * m - t->pad_x;
    c.offset = ((c.image * t->h + c.y) * t->w + c.x) * t->pitch;
    c.y0 = c.y < 0 ? -c.y : 0;
    c.x0 = c.x < 0 ? -c.x : 0;
    c.y1 = t->h - c.y < edge ? t->h - c.y : edge;
    c.x1 = t->w - c.x < edge ? t->w - c.x : edge;
    c.inside = c.y0 == 0 && c.x0 == 0 && c.y1 == edge && c.x1 == edge;
    return c;
}

/* Copies a patch's channels [c, c + n) into buffer [edge][edge][VL], zeros outside the image. */
static void gather(const spur__tiling *t, const corner *at, int edge, ptrdiff_t c, float *buffer) {
    ptrdiff_t n = t->channels - c;
    for (ptrdiff_t y = 0; y < edge; y++) {
        for (ptrdiff_t x = 0; x < edge; x++) {
            vf v = {0};
            if (y >= at->y0 && y < at->y1 && x >= at->x0 && x < at->x1) {
                ptrdiff_t from = at->offset + (y * t->w + x) * t->pitch + c;
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
        p->row[i] = at->offset + y * t->w * t->pitch;
        p->column[i] = i * t->pitch;
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

ALWAYS_INLINE void load_plain(int kind, int edge, const view *s, int x, vf d[6]) {
#pragma GCC unroll 6
    for (int y = 0; y < edge; y++) {
        d[y] = vload(s->x + y * s->row + x * s->column);
        if (kind == MASKED)
            d[y] = vmask_positive(d[y], vload(s->mask + y * s->row + x * s->column));
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

/* transform(transform(patch)^T)^T of one vector of channels; m, gradient and kind are constants. */
ALWAYS_INLINE void spread_patch(int m, bool gradient, int kind, const view *s, float *out,
                                ptrdiff_t xi_step, ptrdiff_t ahead) {
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
        for (int y = 0; y < n; y++) half[y][x] = o[y];
    }
#pragma GCC unroll 6
    for (int y = 0; y < n; y++) {
        vf o[6];
        if (gradient)
            transform_gradient(m, half[y], o);
        else
            transform_input(m, half[y], o);
#pragma GCC unroll 6
        for (int x = 0; x < n; x++) vstore(out + (y * n + x) * xi_step, o[x]);
    }
    if (ahead == 0) return;
    for (int xi = 0; xi < n * n; xi++) __builtin_prefetch(out + xi * xi_step + ahead, 0, 2);
}

/* All whole vectors of channels of one tile. */
ALWAYS_INLINE void spread_tile(int m, bool gradient, int kind, const spur__tiling *t, view s,
                               float *v, const spur__spectrum *to) {
    for (ptrdiff_t c = 0; c + VL <= t->channels; c += VL) {
        float *out = v + c / to->group * to->group_step + c % to->group;
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
                                 float *v, const spur__spectrum *to) {
    patch p;
    view s = {.x = t->x, .codes = t->argmax, .patch = &p};
    pooled_patch(t, at, gradient ? m : m + 2, &p);
    if (at->y % 2 == 0)
        spread_tile(m, gradient, POOLED_EVEN, t, s, v, to);
    else if (!gradient) /* whose tiles start at even rows */
        spread_tile(m, gradient, POOLED_ODD, t, s, v, to);
}

ALWAYS_INLINE void spread_cut(int m, bool gradient, const spur__tiling *t, const corner *at,
                              float *v, const spur__spectrum *to) {
    patch p;
    view s = {.x = t->x, .mask = t->mask, .patch = &p};
    cut_patch(t, at, gradient ? m : m + 2, &p);
    if (t->mask)
        spread_tile(m, gradient, CUT_MASKED, t, s, v, to);
    else
        spread_tile(m, gradient, CUT, t, s, v, to);
}

ALWAYS_INLINE void spread_tiles(int m, bool gradient, const spur__tiling *t, ptrdiff_t tile,
                                ptrdiff_t count, const spur__spectrum *to) {
    int edge = gradient ? m : m + 2;
    for (ptrdiff_t i = 0; i < count; i++) {
        corner at = corner_of(t, m, edge, tile + i);
        float *v = to->v + i * to->row_step;
        ptrdiff_t done = t->channels & ~(ptrdiff_t)(VL - 1);
        view s = {.x = t->x + at.offset, .row = t->w * t->pitch, .column = t->pitch};
        if (t->mask) s.mask = t->mask + at.offset;
        if (at.y0 >= at.y1 || at.x0 >= at.x1)
            done = 0; /* nothing of it is inside */
        else if (t->argmax)
            spread_pooled(m, gradient, t, &at, v, to);
        else if (!at.inside)
            spread_cut(m, gradient, t, &at, v, to);
        else if (t->mask)
            spread_tile(m, gradient, MASKED, t, s, v, to);
        else
            spread_tile(m, gradient, PLAIN, t, s, v, to);
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

/* ---- weights ------------------------------------------------------------------------------- */

/* Rows of a panel are short and far apart: no hardware guesses the next ones. */
ALWAYS_INLINE void prefetch_weights(const spur__wino_weights *p, ptrdiff_t s) {
    enum { AHEAD = 6 };
    const float *w = p->w + (s + AHEAD) * p->step;
    for (int tap = 0; tap < 9 && s + AHEAD < p->steps; tap++)
        for (ptrdiff_t j = 0; j < p->columns; j += 16)
            __builtin_prefetch(w + tap * p->tap_step + j);
}

ALWAYS_INLINE void weights_of(int m, const spur__wino_weights *p) {
    int n = m + 2;
    for (ptrdiff_t s = 0; s < p->steps; s++) {
        prefetch_weights(p, s);
        for (ptrdiff_t j = 0; j < p->width; j += VL) {
            const float *w = p->w + s * p->step + j;
            float *u = p->u + s * p->width + j;
            vf half[6][3];
#pragma GCC unroll 3
            for (int x = 0; x < 3; x++) {
                vf g[3], o[6];
#pragma GCC unroll 3
                for (int y = 0; y < 3; y++) {
                    int tap = p->rotated ? 8 - y * 3 - x : y * 3 + x;
                    g[y] =
                        j < p->columns ? vload_n(w + tap * p->tap_step, p->columns - j) : (vf){0};
                }
                transform_weights(m, g, o);
                for (int y = 0; y < n; y++) half[y][x] = o[y];
            }
            for (int y = 0; y < n; y++) {
                vf o[6];
                transform_weights(m, half[y], o);
                for (int x = 0; x < n; x++) vstore(u + (y * n + x) * p->xi_step, o[x]);
            }
        }
    }
}

void SPUR__SIMD(wino_weights)(int m, const spur__wino_weights *p) {
    if (m == 2)
        weights_of(2, p);
    else
        weights_of(4, p);
}

ALWAYS_INLINE void dw_of(int m, const spur__wino_dw *p) {
    int n = m + 2;
    for (ptrdiff_t r = 0; r < p->rows; r++) {
        for (ptrdiff_t j = 0; j < p->columns; j += VL) {
            const float *u = p->u + r * p->u_row + j;
            float *dw = p->dw + r * p->row_step + j;
            ptrdiff_t left = p->columns - j;
            vf half[3][6];
            for (int x = 0; x < n; x++) {
                vf d[6], o[3];
                for (int y = 0; y < n; y++) d[y] = vload(u + (y * n + x) * p->xi_step);
                transform_dw(m, d, o);
                for (int y = 0; y < 3; y++) half[y][x] = o[y];
            }
            for (int y = 0; y < 3; y++) {
                vf o[3];
                transform_dw(m, half[y], o);
                for (int x = 0; x < 3; x++) {
                    float *to = dw + (y * 3 + x) * p->tap_step;
                    vstore_n(to, p->accumulate ? vload_n(to, left) + o[x] : o[x], left);
                }
            }
        }
    }
}

void SPUR__SIMD(wino_dw)(int m, const spur__wino_dw *p) {
    if (m == 2)
        dw_of(2, p);
    else
        dw_of(4, p);
}

/* ---- outputs ------------------------------------------------------------------------------- */

/* Writes the part of an m x m block that lies inside the image. */
ALWAYS_INLINE void store_block(int m, const spur__tiling *t, const spur__wino_output *p,
                               const corner *at, ptrdiff_t j, vf y[4][4]) {
    float *out = t->y + at->offset + p->first + j;
    ptrdiff_t left = p->columns - j;
    vf bias = p->bias ? vload_n(p->bias + j, left) : (vf){0};
#pragma GCC unroll 4
    for (int r = 0; r < m; r++) {
#pragma GCC unroll 4
        for (int s = 0; s < m; s++) {
            if (r >= at->y1 || s >= at->x1) continue;
            float *to = out + (r * t->w + s) * t->pitch;
            vf v = p->accumulate ? vload_n(to, left) + y[r][s] : y[r][s];
            if (p->bias) v += bias;
            vstore_n(to, p->relu ? vrelu(v) : v, left);
        }
    }
}

/* The maxima of the block's 2x2 windows: the first of equal ones, NaN before all. */
ALWAYS_INLINE void store_pooled(int m, const spur__tiling *t, const spur__wino_output *p,
                                const corner *at, ptrdiff_t j, vf y[4][4]) {
    ptrdiff_t left = p->columns - j, h = t->h / 2, w = t->w / 2;
    ptrdiff_t row = at->y / 2, column = at->x / 2, channel = p->first + j;
    vf bias = p->bias ? vload_n(p->bias + j, left) : (vf){0};
#pragma GCC unroll 2
    for (int r = 0; r < m / 2; r++) {
#pragma GCC unroll 2
        for (int s = 0; s < m / 2; s++) {
            if (row + r >= h || column + s >= w) continue;
            ptrdiff_t cell = (at->image * h + row + r) * w + column + s;
            vf best = y[2 * r][2 * s];
            vi code = {0};
            if (p->bias) best += bias;
#pragma GCC unroll 3
            for (int tap = 1; tap < 4; tap++) {
                vf v = y[2 * r + tap / 2][2 * s + tap % 2];
                if (p->bias) v += bias;
                vi wins = (v > best) | (v != v);
                best = vselect(wins, v, best);
                code = (wins & tap) | (~wins & code);
            }
            if (p->relu) {
                vi shut = ~(best > (vf){0});
                best = vrelu(best);
                code = (shut & SPUR__POOL_NOWHERE) | (~shut & code);
            }
            vstore_n(t->y + cell * t->pitch + channel, best, left);
            if (!p->argmax) continue;
            vbytes bytes = __builtin_convertvector(code, vbytes);
            memcpy(p->argmax + cell * t->channels + channel, &bytes,
                   left >= VL ? (size_t)VL : (size_t)left);
        }
    }
}

ALWAYS_INLINE void output_of(int m, const spur__tiling *t, ptrdiff_t tile, ptrdiff_t count,
                             const spur__wino_output *p) {
    int n = m + 2;
    for (ptrdiff_t i = 0; i < count; i++) {
        corner at = corner_of(t, m, m, tile + i);
        for (ptrdiff_t j = 0; j < p->columns; j += VL) {
            const float *from = p->m + i * p->width + j;
            vf half[4][6], y[4][4];
#pragma GCC unroll 6
            for (int x = 0; x < n; x++) {
                vf d[6], o[4];
#pragma GCC unroll 6
                for (int r = 0; r < n; r++) d[r] = vload(from + (r * n + x) * p->xi_step);
                transform_output(m, d, o);
#pragma GCC unroll 4
                for (int r = 0; r < m; r++) half[r][x] = o[r];
            }
#pragma GCC unroll 4
            for (int r = 0; r < m; r++) transform_output(m, half[r], y[r]);
            if (p->pool)
                store_pooled(m, t, p, &at, j, y);
            else
                store_block(m, t, p, &at, j, y);
        }
    }
}

void SPUR__SIMD(wino_output)(int m, const spur__tiling *t, ptrdiff_t tile, ptrdiff_t count,
                             const spur__wino_output *p) {
    if (m == 2)
        output_of(2, t, tile, count, p);
    else
        output_of(4, t, tile, count, p);
}
