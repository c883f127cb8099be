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

/* The part of a window inside the image: its first pixel's value, and the code of that position. */
typedef struct taps {
    const float *from;
    ptrdiff_t rows, columns, row_step; /* floats */
    ptrdiff_t ahead; /* to pixels that are fetched meanwhile */
    int32_t first, code_step; /* from row to row */
} taps;

ALWAYS_INLINE taps taps_of(const spur__pool_shape *s, const float *x, const spur__window *v,
                           const spur__window *u) {
    return (taps){.from = x + (v->begin * s->w + u->begin) * s->x_pitch,
                  .rows = v->end - v->begin,
                  .columns = u->end - u->begin,
                  .row_step = s->w * s->x_pitch,
                  .ahead = walk_ahead(s->x_pitch),
                  .first = (int32_t)tap_of(s, v, u, v->begin, u->begin),
                  .code_step = (int32_t)window_width(s, u)};
}

/* Channels [c, c + n) of one window. affine is a constant: p->affine or NULL; so is n if it is VL, and
 * so are the usual numbers of rows and columns. */
ALWAYS_INLINE void max_vector(const spur__pool_row *p, const spur__pool_affine *affine,
                              const taps *w, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t at,
                              ptrdiff_t c, ptrdiff_t n) {
    const spur__pool_shape *s = p->s;
    vf scale = affine ? vload_n(affine->scale + c, n) : (vf){0};
    vf shift = affine ? vload_n(affine->shift + c, n) : (vf){0};
    bool relu = affine && affine->relu;
    vf best = vset(-__builtin_inff());
    vi code = (vi){0} + w->first;
#pragma GCC unroll 3
    for (ptrdiff_t y = 0; y < rows; y++) {
        const float *from = w->from + y * w->row_step + c;
        int32_t tap = w->first + (int32_t)y * w->code_step;
#pragma GCC unroll 3
        for (ptrdiff_t x = 0; x < columns; x++) {
            vf value = vload_n(from + x * s->x_pitch, n);
            __builtin_prefetch(from + x * s->x_pitch + w->ahead);
            if (affine) value = vfma(value, scale, shift);
            if (relu) value = vrelu(value);
            vtake_greater(&best, &code, value, tap + (int32_t)x);
        }
    }
    vstore_n(p->y + at * s->y_pitch + c, best, n);
    if (!p->argmax) return;
    if (p->wide) {
        memcpy((uint32_t *)p->argmax + at * s->c + c, &code, (size_t)n * sizeof(uint32_t));
    } else {
        vbytes narrow = __builtin_convertvector(code, vbytes);
        memcpy((uint8_t *)p->argmax + at * s->c + c, &narrow, (size_t)n);
    }
}

ALWAYS_INLINE void max_channels(const spur__pool_row *p, const spur__pool_affine *affine,
                                const taps *w, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t at) {
    ptrdiff_t c = 0, channels = p->s->c;
    for (; c + VL <= channels; c += VL) max_vector(p, affine, w, rows, columns, at, c, VL);
    if (c < channels) max_vector(p, affine, w, rows, columns, at, c, channels - c);
}

/* One window; the usual sizes as constants. */
ALWAYS_INLINE void max_window(const spur__pool_row *p, const spur__pool_affine *affine,
                              const taps *w, ptrdiff_t at) {
    if (w->rows == 2 && w->columns == 2)
        max_channels(p, affine, w, 2, 2, at);
    else if (w->rows == 3 && w->columns == 3)
        max_channels(p, affine, w, 3, 3, at);
    else
        max_channels(p, affine, w, w->rows, w->columns, at);
}

ALWAYS_INLINE bool any_nan(vf v) {
#if defined(SPUR_ISA_avx512)
    return _mm512_cmp_ps_mask((__m512)v, (__m512)v, _CMP_UNORD_Q) != 0;
#elif defined(SPUR_ISA_avx2)
    return _mm256_movemask_ps(_mm256_cmp_ps((__m256)v, (__m256)v, _CMP_UNORD_Q)) != 0;
#else
    bool any = false;
    for (int i = 0; i < VL; i++) any = any || v[i] != v[i];
    return any;
#endif
}

/* FEW vectors of channels of one window, values alone; false, with nothing written, if there may be a
 * NaN among them: sums turn NaN then, and when infinities cancel. */
enum { FEW = 4 };
ALWAYS_INLINE bool max_plain(const spur__pool_row *p, const spur__window *v, const spur__window *u,
                             ptrdiff_t at, ptrdiff_t c) {
    const spur__pool_shape *s = p->s;
    vf best[FEW], sum[FEW];
#pragma GCC unroll 4
    for (int i = 0; i < FEW; i++) {
        best[i] = vset(-__builtin_inff());
        sum[i] = (vf){0};
    }
    for (ptrdiff_t y = v->begin; y < v->end; y++) {
        const float *from = p->x + (y * s->w + u->begin) * s->x_pitch + c;
        for (ptrdiff_t x = u->begin; x < u->end; x++, from += s->x_pitch) {
#pragma GCC unroll 4
            for (int i = 0; i < FEW; i++) {
                vf value = vload(from + i * VL);
                best[i] = vselect(value > best[i], value, best[i]);
                sum[i] += value;
            }
        }
    }
    if (any_nan((sum[0] + sum[1]) + (sum[2] + sum[3]))) return false;
    for (int i = 0; i < FEW; i++) vstore(p->y + at * s->y_pitch + c + i * VL, best[i]);
    return true;
}

/* Without affine and argmax. */
static void max_plain_row(const spur__pool_row *p) {
    const spur__pool_shape *s = p->s;
    spur__window v = window_y(s, p->row);
    for (ptrdiff_t i = 0; i < s->ow; i++) {
        spur__window u = window_x(s, i);
        taps w = taps_of(p->s, p->x, &v, &u);
        ptrdiff_t c = 0;
        while (c + VL <= s->c) {
            if (c + FEW * VL <= s->c && max_plain(p, &v, &u, i, c)) {
                c += FEW * VL;
                continue;
            }
            max_vector(p, NULL, &w, w.rows, w.columns, i, c, VL);
            c += VL;
        }
        if (c < s->c) max_vector(p, NULL, &w, w.rows, w.columns, i, c, s->c - c);
    }
}

ALWAYS_INLINE void max_row(const spur__pool_row *p, const spur__pool_affine *affine) {
    spur__window v = window_y(p->s, p->row);
    for (ptrdiff_t i = 0; i < p->s->ow; i++) {
        spur__window u = window_x(p->s, i);
        taps w = taps_of(p->s, p->x, &v, &u);
        max_window(p, affine, &w, i);
    }
}

void SPUR__SIMD(max_pool)(const spur__pool_row *p) {
    if (p->affine)
        max_row(p, p->affine);
    else if (p->argmax)
        max_row(p, NULL);
    else
        max_plain_row(p);
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

ALWAYS_INLINE vi argmax_vector(const char *argmax, ptrdiff_t c, ptrdiff_t n, bool wide) {
    if (!wide) return vload_bytes_n((const uint8_t *)argmax + c, n);
    vi index = {0};
    memcpy(&index, (const uint32_t *)(const void *)argmax + c, (size_t)n * sizeof(uint32_t));
    return index;
}

/* Channels [c, c + n) of one window: dx += dy at the position that the argmax names. */
ALWAYS_INLINE void scatter_vector(const spur__pool_row_gradient *p, const float *dy,
                                  const char *argmax, const taps *w, ptrdiff_t rows,
                                  ptrdiff_t columns, float *dx, ptrdiff_t c, ptrdiff_t n) {
    vi code = argmax_vector(argmax, c, n, p->wide);
    vf given = vload_n(dy + c, n);
#pragma GCC unroll 2
    for (ptrdiff_t y = 0; y < rows; y++) {
        int32_t tap = w->first + (int32_t)y * w->code_step;
#pragma GCC unroll 2
        for (ptrdiff_t x = 0; x < columns; x++) {
            float *to = dx + y * w->row_step + x * p->s->x_pitch + c;
            int32_t here = tap + (int32_t)x;
            vi wins = code == (p->wide ? here : (uint8_t)here);
            vf old = vload_n(to, n);
            __builtin_prefetch(to + w->ahead, 1);
            vstore_n(to, vselect(wins, old + given, old), n);
        }
    }
}

ALWAYS_INLINE void scatter_window(const spur__pool_row_gradient *p, const taps *w, ptrdiff_t rows,
                                  ptrdiff_t columns, ptrdiff_t at, float *dx) {
    const float *dy = p->dy + at * p->s->y_pitch;
    const char *argmax =
        (const char *)p->argmax + (size_t)(at * p->s->c) * (p->wide ? sizeof(uint32_t) : 1);
    ptrdiff_t c = p->c0;
    for (; c + VL <= p->c1; c += VL) scatter_vector(p, dy, argmax, w, rows, columns, dx, c, VL);
    if (c < p->c1) scatter_vector(p, dy, argmax, w, rows, columns, dx, c, p->c1 - c);
}

void SPUR__SIMD(max_pool_backward)(const spur__pool_row_gradient *p) {
    const spur__pool_shape *s = p->s;
    spur__window v = window_y(s, p->row);
    for (ptrdiff_t i = 0; i < s->ow; i++) {
        spur__window u = window_x(s, i);
        taps w = taps_of(s, p->dx, &v, &u);
        float *dx = p->dx + (v.begin * s->w + u.begin) * s->x_pitch;
        if (w.rows == 2 && w.columns == 2)
            scatter_window(p, &w, 2, 2, i, dx);
        else
            scatter_window(p, &w, w.rows, w.columns, i, dx);
    }
}

/* The windows over a pixel: their values, and what their argmax says if the pixel won. */
enum { MOST_WINDOWS = 16 };
typedef struct windows_over {
    const float *dy[MOST_WINDOWS]; /* [c] */
    const char *argmax[MOST_WINDOWS]; /* [c] */
    int32_t tap[MOST_WINDOWS];
    int count;
} windows_over;

/* Channels [c, c + n) of one pixel of dx; the windows add up in their order. */
ALWAYS_INLINE void gather_vector(const float *const *dy, const char *const *argmax,
                                 const int32_t *tap, int count, ptrdiff_t c, ptrdiff_t n, bool wide,
                                 bool accumulate, float *dx) {
    vf sum = accumulate ? vload_n(dx + c, n) : (vf){0};
#pragma GCC unroll 4
    for (int i = 0; i < count; i++) {
        vi wins = argmax_vector(argmax[i], c, n, wide) == tap[i];
        sum += (vf)(wins & (vi)vload_n(dy[i] + c, n));
    }
    vstore_n(dx + c, sum, n);
}

/* All channels of one pixel of dx. */
ALWAYS_INLINE void gather_channels(const float *const *dy, const char *const *argmax,
                                   const int32_t *tap, int count, const spur__pool_gather *p,
                                   bool accumulate, float *dx) {
    const bool wide = p->wide;
    const ptrdiff_t channels = p->s->c;
    ptrdiff_t c = 0;
    for (; c + VL <= channels; c += VL)
        gather_vector(dy, argmax, tap, count, c, VL, wide, accumulate, dx);
    if (c < channels) gather_vector(dy, argmax, tap, count, c, channels - c, wide, accumulate, dx);
}

/* The usual counts as constants: their windows stay in registers. */
ALWAYS_INLINE void gather_few(const windows_over *w, int count, const spur__pool_gather *p,
                              bool accumulate, float *dx) {
    const float *dy[4];
    const char *argmax[4];
    int32_t tap[4];
#pragma GCC unroll 4
    for (int i = 0; i < count; i++) {
        dy[i] = w->dy[i];
        argmax[i] = w->argmax[i];
        tap[i] = w->tap[i];
    }
    gather_channels(dy, argmax, tap, count, p, accumulate, dx);
}

static void gather_pixel(windows_over *w, const spur__pool_gather *p, bool accumulate, float *dx) {
    if (w->count == 1)
        gather_few(w, 1, p, accumulate, dx);
    else if (w->count == 2)
        gather_few(w, 2, p, accumulate, dx);
    else if (w->count == 4)
        gather_few(w, 4, p, accumulate, dx);
    else
        gather_channels(w->dy, w->argmax, w->tap, w->count, p, accumulate, dx);
    w->count = 0;
}

/* More windows than fit the list are taken in several goes. */
void SPUR__SIMD(max_pool_gather)(const spur__pool_gather *p) {
    const spur__pool_shape s = *p->s;
    const size_t size = p->wide ? sizeof(uint32_t) : 1;
    ptrdiff_t top, bottom, left, right;
    windows_over w = {.count = 0};
    spur__pool_windows_over(p->row, s.oh, s.kh, s.stride_h, s.pad_top, &top, &bottom);
    for (ptrdiff_t x = 0; x < s.w; x++) {
        bool accumulate = p->accumulate;
        float *dx = p->dx + x * s.x_pitch;
        spur__pool_windows_over(x, s.ow, s.kw, s.stride_w, s.pad_left, &left, &right);
        for (ptrdiff_t i = top; i < bottom; i++) {
            ptrdiff_t tap = (p->row - i * s.stride_h + s.pad_top) * s.kw + x + s.pad_left;
            for (ptrdiff_t j = left; j < right; j++) {
                if (w.count == MOST_WINDOWS) {
                    gather_pixel(&w, p, accumulate, dx);
                    accumulate = true;
                }
                ptrdiff_t at = i * s.ow + j;
                w.dy[w.count] = p->dy + at * s.y_pitch;
                w.argmax[w.count] = (const char *)p->argmax + (size_t)(at * s.c) * size;
                w.tap[w.count++] = (int32_t)(tap - j * s.stride_w);
            }
        }
        gather_pixel(&w, p, accumulate, dx);
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
