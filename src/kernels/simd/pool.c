/* SPDX-License-Identifier: MIT
 *
 * Rows of pooling windows; vectors run over channels. See pool.h.
 */
#include "kernels/simd/simd.h"

ALWAYS_INLINE spur__window window_y(const spur__pool_shape *s, ptrdiff_t i) {
    return spur__pool_window(i, s->h, s->oh, s->kh, s->stride_h, s->pad_top, s->pad_bottom,
                             s->adaptive);
}

ALWAYS_INLINE spur__window window_x(const spur__pool_shape *s, ptrdiff_t i) {
    return spur__pool_window(i, s->w, s->ow, s->kw, s->stride_w, s->pad_left, s->pad_right,
                             s->adaptive);
}

ALWAYS_INLINE ptrdiff_t window_width(const spur__pool_shape *s, const spur__window *across) {
    return s->adaptive ? across->size : s->kw;
}

ALWAYS_INLINE void store_argmax(const spur__pool_row *p, ptrdiff_t at, const uint32_t *index,
                                ptrdiff_t n) {
    if (!p->argmax) return;
    if (p->wide) {
        memcpy((uint32_t *)p->argmax + at, index, (size_t)n * sizeof *index);
        return;
    }
    uint8_t *out = (uint8_t *)p->argmax + at;
    for (ptrdiff_t i = 0; i < n; i++) out[i] = (uint8_t)index[i];
}

/* n <= 16 channels from c on of one window. */
ALWAYS_INLINE void max_window(const spur__pool_row *p, const spur__window *v, const spur__window *u,
                              ptrdiff_t at, ptrdiff_t c, ptrdiff_t n) {
    const spur__pool_shape *s = p->s;
    float best[16];
    uint32_t index[16] = {0};
    ptrdiff_t width = window_width(s, u);
    for (ptrdiff_t j = 0; j < 16; j++) best[j] = -__builtin_inff();
    for (ptrdiff_t y = v->begin; y < v->end; y++) {
        for (ptrdiff_t x = u->begin; x < u->end; x++) {
            const float *from = p->x + (y * s->w + x) * s->x_pitch + c;
            bool start = y == v->begin && x == u->begin;
            uint32_t tap = (uint32_t)((y - v->begin + v->first) * width + x - u->begin + u->first);
            for (ptrdiff_t j = 0; j < n; j++) {
                bool wins = (from[j] > best[j]) | (from[j] != from[j]) | start;
                best[j] = wins ? from[j] : best[j];
                index[j] = wins ? tap : index[j];
            }
        }
    }
    memcpy(p->y + at * s->y_pitch + c, best, (size_t)n * sizeof(float));
    store_argmax(p, at * s->c + c, index, n);
}

void SPUR__SIMD(max_pool)(const spur__pool_row *p) {
    const spur__pool_shape *s = p->s;
    spur__window v = window_y(s, p->row);
    for (ptrdiff_t i = 0; i < s->ow; i++) {
        spur__window u = window_x(s, i);
        ptrdiff_t c = 0;
        for (; c + 16 <= s->c; c += 16) max_window(p, &v, &u, i, c, 16);
        if (c < s->c) max_window(p, &v, &u, i, c, s->c - c);
    }
}

ALWAYS_INLINE float average_factor(const spur__pool_shape *s, const spur__window *v,
                                   const spur__window *u) {
    ptrdiff_t inside = (v->end - v->begin) * (u->end - u->begin);
    return 1.0f / (float)(s->exclude_padding ? inside : v->size * u->size);
}

ALWAYS_INLINE void avg_window(const spur__pool_row *p, const spur__window *v, const spur__window *u,
                              ptrdiff_t at, ptrdiff_t c, ptrdiff_t n) {
    const spur__pool_shape *s = p->s;
    float sum[16] = {0}, factor = average_factor(s, v, u);
    for (ptrdiff_t y = v->begin; y < v->end; y++) {
        for (ptrdiff_t x = u->begin; x < u->end; x++) {
            const float *from = p->x + (y * s->w + x) * s->x_pitch + c;
            for (ptrdiff_t j = 0; j < n; j++) sum[j] += from[j];
        }
    }
    float *to = p->y + at * s->y_pitch + c;
    for (ptrdiff_t j = 0; j < n; j++) to[j] = sum[j] * factor;
}

void SPUR__SIMD(avg_pool)(const spur__pool_row *p) {
    const spur__pool_shape *s = p->s;
    spur__window v = window_y(s, p->row);
    for (ptrdiff_t i = 0; i < s->ow; i++) {
        spur__window u = window_x(s, i);
        ptrdiff_t c = 0;
        for (; c + 16 <= s->c; c += 16) avg_window(p, &v, &u, i, c, 16);
        if (c < s->c) avg_window(p, &v, &u, i, c, s->c - c);
    }
}

/* dx += dy where the argmax points to this position. */
ALWAYS_INLINE void scatter_max(const spur__pool_row_gradient *p, const float *dy, ptrdiff_t at,
                               uint32_t tap, float *dx) {
    ptrdiff_t c0 = p->c0, c1 = p->c1;
    if (p->wide) {
        const uint32_t *index = (const uint32_t *)p->argmax + at;
        for (ptrdiff_t c = c0; c < c1; c++) dx[c] = index[c] == tap ? dx[c] + dy[c] : dx[c];
    } else {
        const uint8_t *index = (const uint8_t *)p->argmax + at;
        for (ptrdiff_t c = c0; c < c1; c++)
            dx[c] = index[c] == (uint8_t)tap ? dx[c] + dy[c] : dx[c];
    }
}

void SPUR__SIMD(max_pool_backward)(const spur__pool_row_gradient *p) {
    const spur__pool_shape *s = p->s;
    spur__window v = window_y(s, p->row);
    for (ptrdiff_t i = 0; i < s->ow; i++) {
        spur__window u = window_x(s, i);
        ptrdiff_t width = window_width(s, &u);
        const float *dy = p->dy + i * s->y_pitch;
        for (ptrdiff_t y = v.begin; y < v.end; y++) {
            for (ptrdiff_t x = u.begin; x < u.end; x++) {
                ptrdiff_t tap = (y - v.begin + v.first) * width + x - u.begin + u.first;
                scatter_max(p, dy, i * s->c, (uint32_t)tap, p->dx + (y * s->w + x) * s->x_pitch);
            }
        }
    }
}

void SPUR__SIMD(avg_pool_backward)(const spur__pool_row_gradient *p) {
    const spur__pool_shape *s = p->s;
    spur__window v = window_y(s, p->row);
    for (ptrdiff_t i = 0; i < s->ow; i++) {
        spur__window u = window_x(s, i);
        float factor = average_factor(s, &v, &u);
        const float *dy = p->dy + i * s->y_pitch;
        for (ptrdiff_t y = v.begin; y < v.end; y++) {
            for (ptrdiff_t x = u.begin; x < u.end; x++) {
                float *dx = p->dx + (y * s->w + x) * s->x_pitch;
                for (ptrdiff_t c = p->c0; c < p->c1; c++) dx[c] = dx[c] + dy[c] * factor;
            }
        }
    }
}
