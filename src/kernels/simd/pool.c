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

ALWAYS_INLINE uint32_t tap_of(const spur__pool_shape *s, const spur__window *v,
                              const spur__window *u, ptrdiff_t y, ptrdiff_t x) {
    return (uint32_t)((y - v->begin + v->first) * window_width(s, u) + x - u->begin + u->first);
}

/* One channel of one window. */
static void max_channel(const spur__pool_row *p, const spur__window *v, const spur__window *u,
                        ptrdiff_t at, ptrdiff_t c) {
    const spur__pool_shape *s = p->s;
    float best = -__builtin_inff();
    uint32_t index = tap_of(s, v, u, v->begin, u->begin);
    for (ptrdiff_t y = v->begin; y < v->end; y++) {
        for (ptrdiff_t x = u->begin; x < u->end; x++) {
            float value = p->x[(y * s->w + x) * s->x_pitch + c];
            if (!(value > best) && value == value) continue;
            best = value;
            index = tap_of(s, v, u, y, x);
        }
    }
    p->y[at * s->y_pitch + c] = best;
    if (p->argmax && p->wide) ((uint32_t *)p->argmax)[at * s->c + c] = index;
    if (p->argmax && !p->wide) ((uint8_t *)p->argmax)[at * s->c + c] = (uint8_t)index;
}

typedef uint8_t vbytes __attribute__((vector_size(VL)));

/* VL channels of one window; the same choice. */
ALWAYS_INLINE void max_vector(const spur__pool_row *p, const spur__window *v, const spur__window *u,
                              ptrdiff_t at, ptrdiff_t c) {
    const spur__pool_shape *s = p->s;
    vf best = vset(-__builtin_inff());
    vi index = (vi){0} + (int32_t)tap_of(s, v, u, v->begin, u->begin);
    for (ptrdiff_t y = v->begin; y < v->end; y++) {
        const float *from = p->x + (y * s->w + u->begin) * s->x_pitch + c;
        uint32_t tap = tap_of(s, v, u, y, u->begin);
        for (ptrdiff_t x = u->begin; x < u->end; x++, from += s->x_pitch, tap++) {
            vf value = vload(from);
            vi wins = (value > best) | (value != value);
            best = vselect(wins, value, best);
            index = (vi)vselect(wins, (vf)((vi){0} + (int32_t)tap), (vf)index);
        }
    }
    vstore(p->y + at * s->y_pitch + c, best);
    if (!p->argmax) return;
    if (p->wide) {
        memcpy((uint32_t *)p->argmax + at * s->c + c, &index, sizeof index);
    } else {
        vbytes narrow = __builtin_convertvector(index, vbytes);
        memcpy((uint8_t *)p->argmax + at * s->c + c, &narrow, sizeof narrow);
    }
}

void SPUR__SIMD(max_pool)(const spur__pool_row *p) {
    const spur__pool_shape *s = p->s;
    spur__window v = window_y(s, p->row);
    for (ptrdiff_t i = 0; i < s->ow; i++) {
        spur__window u = window_x(s, i);
        ptrdiff_t c = 0;
        for (; c + VL <= s->c; c += VL) max_vector(p, &v, &u, i, c);
        for (; c < s->c; c++) max_channel(p, &v, &u, i, c);
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
