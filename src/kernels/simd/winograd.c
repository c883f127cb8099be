/* SPDX-License-Identifier: MIT
 *
 * Winograd's transforms of weights and their gradients, and of products into images; see winograd.h.
 */
#include "kernels/simd/winograd_corner.h"

/* ---- one-dimensional transforms; m is a constant where they are inlined ----------------------- */

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

/* ---- weights ------------------------------------------------------------------------------- */

/* Rows of a panel are short and far apart: no hardware guesses the next ones. */
ALWAYS_INLINE void prefetch_weights(const spur__wino_weights *p, ptrdiff_t s) {
    enum { AHEAD = 6 };
    const float *w = p->w + (s + AHEAD) * p->step;
    for (int tap = 0; tap < 9 && s + AHEAD < p->steps; tap++)
        for (ptrdiff_t j = 0; j < p->columns; j += 16)
            __builtin_prefetch(w + tap * p->tap_step + j);
}

/* The transform of a vector of columns, VL or fewer, of one step. */
ALWAYS_INLINE void weights_vector(int m, const spur__wino_weights *p, const float *w,
                                  ptrdiff_t columns, float *u) {
    int n = m + 2;
    ptrdiff_t step = hidden(p->rotated ? -p->tap_step : p->tap_step), xi_step = hidden(p->xi_step);
    if (p->rotated) w += 8 * p->tap_step;
    vf half[6][3];
#pragma GCC unroll 3
    for (int x = 0; x < 3; x++) {
        vf g[3], o[6];
#pragma GCC unroll 3
        for (int y = 0; y < 3; y++) g[y] = vload_n(w + (y * 3 + x) * step, columns);
        transform_weights(m, g, o);
#pragma GCC unroll 6
        for (int y = 0; y < n; y++) half[y][x] = o[y];
    }
#pragma GCC unroll 6
    for (int y = 0; y < n; y++) {
        vf o[6];
        transform_weights(m, half[y], o);
#pragma GCC unroll 6
        for (int x = 0; x < n; x++) vstore(u + (y * n + x) * xi_step, o[x]);
    }
}

ALWAYS_INLINE void weights_of(int m, const spur__wino_weights *p) {
    for (ptrdiff_t s = 0; s < p->steps; s++) {
        prefetch_weights(p, s);
        for (ptrdiff_t j = 0; j < p->width; j += VL) {
            const float *w = p->w + s * p->step + j;
            float *u = p->u + s * p->width + j;
            ptrdiff_t left = p->columns - j;
            if (left >= VL)
                weights_vector(m, p, w, VL, u);
            else
                weights_vector(m, p, w, left > 0 ? left : 0, u);
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
            float *to = out + r * t->row_step + s * t->column_step;
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
                vtake_greater(&best, &code, v, tap);
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
