/* SPDX-License-Identifier: MIT
 *
 * Softmax rows, columns of pixels; see vec.h.
 */
#include "base/fmath.h"
#include "kernels/simd/math.h"

enum { LANES = 16 };

/* ---- rows in 16 lanes, whatever the vector width --------------------------------------------------- */

/* Sum of the lanes of LANES / VL vectors. */
ALWAYS_INLINE float lanes_total(const vf *sum) {
    float lane[LANES];
    for (int k = 0; k < LANES / VL; k++) vstore(lane + k * VL, sum[k]);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) lane[j] += lane[j + half];
    return lane[0];
}

/* Sum of a[i] (times b[i]). */
ALWAYS_INLINE float lane_sum(const float *a, const float *b, ptrdiff_t n) {
    vf sum[LANES / VL] = {0};
    ptrdiff_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES / VL; k++) {
            vf v = vload(a + i + k * VL);
            sum[k] += b ? v * vload(b + i + k * VL) : v;
        }
    for (int k = 0; i < n; i += VL, k++) {
        vf v = vload_n(a + i, n - i);
        sum[k] += b ? v * vload_n(b + i, n - i) : v;
    }
    return lanes_total(sum);
}

/* The largest of n >= 1 values; of a NaN nothing is promised, whose exponential makes the sum one anyway. */
ALWAYS_INLINE float row_max(const float *x, ptrdiff_t n) {
    vf most[LANES / VL];
    float lane[LANES], result = x[0];
    ptrdiff_t i = LANES;
    if (n < LANES) {
        for (i = 1; i < n; i++) result = x[i] > result ? x[i] : result;
        return result;
    }
    for (int k = 0; k < LANES / VL; k++) most[k] = vload(x + k * VL);
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES / VL; k++) most[k] = vgreater(vload(x + i + k * VL), most[k]);
    for (int k = 0; k < LANES / VL; k++) vstore(lane + k * VL, most[k]);
    for (int j = 0; i < n; i++, j++) lane[j] = x[i] > lane[j] ? x[i] : lane[j];
    for (int j = 0; j < LANES; j++) result = lane[j] > result ? lane[j] : result;
    return result;
}

/* y = exp(x - top), if it is wanted; y may be x. Returns the sum. */
ALWAYS_INLINE float row_exp(const float *x, float *y, ptrdiff_t n, float top) {
    vf sum[LANES / VL] = {0};
    ptrdiff_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES / VL; k++) {
            vf e = vexp(vload(x + i + k * VL) - top);
            sum[k] += e;
            if (y) vstore(y + i + k * VL, e);
        }
    for (int k = 0; i < n; i += VL, k++) {
        ptrdiff_t rest = n - i < VL ? n - i : VL;
        vf e = vfirst(vexp(vload_n(x + i, rest) - top), rest);
        sum[k] += e;
        if (y) vstore_n(y + i, e, rest);
    }
    return lanes_total(sum);
}

/* The same of a long row, whose sum is that of stretches'. */
ALWAYS_INLINE float row_exps_by(ptrdiff_t stretch, const float *x, float *y, ptrdiff_t n,
                                float top) {
    float sum = 0.0f;
    for (ptrdiff_t i = 0; i < n; i += stretch)
        sum += row_exp(x + i, y ? y + i : NULL, n - i < stretch ? n - i : stretch, top);
    return sum;
}

/* ---- exponentials of rows, and the logarithm of their sum --------------------------------------- */

enum { SOME = 64, FEW = 32 }; /* rows at a time; columns up to which they are taken together */
enum { LOG_STRETCH = 2048, SOFTMAX_STRETCH = 256 };

/* e = exp(x) of n values; e may be x. */
ALWAYS_INLINE void exps(const float *x, float *e, ptrdiff_t n) {
    ptrdiff_t i = 0;
    for (; i + VL <= n; i += VL) vstore(e + i, vexp(vload(x + i)));
    if (i < n) vstore_n(e + i, vexp(vload_n(x + i, n - i)), n - i);
}

ALWAYS_INLINE float top_of(const float *x, ptrdiff_t width) {
    float top = x[0];
    for (ptrdiff_t c = 1; c < width; c++) top = x[c] > top ? x[c] : top;
    return top;
}

/* e = exp(x - less) of at most SOME rows of FEW columns, so that vectors run across rows. */
ALWAYS_INLINE void some_exps(const float *x, ptrdiff_t rows, ptrdiff_t width,
                             const spur__log_sum *less, float *e) {
    float left[SOME * FEW];
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t c = 0; c < width; c++)
            left[r * width + c] = x[r * width + c] - less[r].top - less[r].log;
    exps(left, e, rows * width);
}

/* Likewise. */
ALWAYS_INLINE void some_log_sums(const float *x, ptrdiff_t rows, ptrdiff_t width,
                                 spur__log_sum *y) {
    float sum[SOME], e[SOME * FEW];
    for (ptrdiff_t r = 0; r < rows; r++) y[r] = (spur__log_sum){top_of(x + r * width, width), 0};
    some_exps(x, rows, width, y, e);
    for (ptrdiff_t r = 0; r < rows; r++) {
        sum[r] = e[r * width];
        for (ptrdiff_t c = 1; c < width; c++) sum[r] += e[r * width + c];
    }
    for (ptrdiff_t r = 0; r < rows; r++) sum[r] = spur__logf(sum[r]);
    for (ptrdiff_t r = 0; r < rows; r++) y[r].log = sum[r];
}

ALWAYS_INLINE void wide_exps(const float *x, ptrdiff_t width, spur__log_sum less, float *e) {
    for (ptrdiff_t c = 0; c < width; c += VL) {
        ptrdiff_t n = width - c < VL ? width - c : VL;
        vstore_n(e + c, vexp(vload_n(x + c, n) - less.top - less.log), n);
    }
}

static spur__log_sum wide_log_sum(const float *x, ptrdiff_t width) {
    float top = row_max(x, width);
    return (spur__log_sum){top, spur__logf(row_exps_by(LOG_STRETCH, x, NULL, width, top))};
}

/* width is a constant where there are few. */
ALWAYS_INLINE void exps_of(const float *x, ptrdiff_t rows, ptrdiff_t width,
                           const spur__log_sum *less, float *e) {
    for (ptrdiff_t r = 0; r < rows; r += SOME)
        some_exps(x + r * width, rows - r < SOME ? rows - r : SOME, width, less + r, e + r * width);
}

ALWAYS_INLINE void log_sums_of(const float *x, ptrdiff_t rows, ptrdiff_t width, spur__log_sum *y) {
    for (ptrdiff_t r = 0; r < rows; r += SOME)
        some_log_sums(x + r * width, rows - r < SOME ? rows - r : SOME, width, y + r);
}

void SPUR__SIMD(row_exps)(const float *x, ptrdiff_t rows, ptrdiff_t width,
                          const spur__log_sum *less, float *e) {
    if (width == 2)
        exps_of(x, rows, 2, less, e);
    else if (width == 3)
        exps_of(x, rows, 3, less, e);
    else if (width <= FEW)
        exps_of(x, rows, width, less, e);
    else
        for (ptrdiff_t r = 0; r < rows; r++)
            wide_exps(x + r * width, width, less[r], e + r * width);
}

void SPUR__SIMD(row_log_sums)(const float *x, ptrdiff_t rows, ptrdiff_t width, spur__log_sum *y) {
    if (width == 2)
        log_sums_of(x, rows, 2, y);
    else if (width == 3)
        log_sums_of(x, rows, 3, y);
    else if (width <= FEW)
        log_sums_of(x, rows, width, y);
    else
        for (ptrdiff_t r = 0; r < rows; r++) y[r] = wide_log_sum(x + r * width, width);
}

/* ---- softmax --------------------------------------------------------------------------------------- */

void SPUR__SIMD(softmax)(const spur__rows_job *q, ptrdiff_t begin, ptrdiff_t end) {
    for (ptrdiff_t r = begin; r < end; r++) {
        const float *x = q->x + r * q->cols;
        float *y = q->y + r * q->cols, shift = row_max(x, q->cols);
        if (q->log) {
            float total = spur__logf(row_exps_by(SOFTMAX_STRETCH, x, NULL, q->cols, shift));
            for (ptrdiff_t i = 0; i < q->cols; i++) y[i] = (x[i] - shift) - total;
        } else {
            float factor = 1.0f / row_exps_by(SOFTMAX_STRETCH, x, y, q->cols, shift);
            for (ptrdiff_t i = 0; i < q->cols; i++) y[i] *= factor;
        }
    }
}

void SPUR__SIMD(softmax_backward)(const spur__rows_job *q, ptrdiff_t begin, ptrdiff_t end) {
    for (ptrdiff_t r = begin; r < end; r++) {
        const float *y = q->x + r * q->cols, *dy = q->dy + r * q->cols;
        float *dx = q->y + r * q->cols;
        float sum = lane_sum(dy, q->log ? NULL : y, q->cols);
        for (ptrdiff_t i = 0; i < q->cols; i += VL) {
            ptrdiff_t n = q->cols - i < VL ? q->cols - i : VL;
            vf at = vload_n(y + i, n), d = vload_n(dy + i, n);
            d = q->log ? d - vexp(at) * sum : at * (d - sum);
            vstore_n(dx + i, q->accumulate ? vload_n(dx + i, n) + d : d, n);
        }
    }
}

/* Channels [c, c + n * VL), or [c, c + lanes); n is a constant. */
ALWAYS_INLINE void sum_vectors(const spur__pixels *p, ptrdiff_t c, ptrdiff_t lanes, int n,
                               float *sums) {
    vf sum[4] = {{0}};
    for (ptrdiff_t i = 0; i < p->count; i++) {
        ptrdiff_t at = i * p->pitch + c;
#pragma GCC unroll 4
        for (int v = 0; v < n; v++, at += VL) {
            vf x = vload_n(p->x + at, lanes);
            sum[v] += p->mask ? vmask_positive(x, vload_n(p->mask + at, lanes)) : x;
        }
    }
    for (int v = 0; v < n; v++) vstore_n(sums + c + v * VL, sum[v], lanes);
}

void SPUR__SIMD(column_sums)(const spur__pixels *p, float *sums) {
    ptrdiff_t c = 0;
    for (; c + 4 * VL <= p->channels; c += 4 * VL) sum_vectors(p, c, VL, 4, sums);
    for (; c + VL <= p->channels; c += VL) sum_vectors(p, c, VL, 1, sums);
    if (c < p->channels) sum_vectors(p, c, p->channels - c, 1, sums);
}

ALWAYS_INLINE void scale_vector(const float *x, const float *s, float *to, bool accumulate,
                                ptrdiff_t n) {
    vf v = vload_n(x, n) * vload_n(s, n);
    vstore_n(to, accumulate ? vload_n(to, n) + v : v, n);
}

void SPUR__SIMD(scale_pixels)(const spur__pixels *p, const float *s, float *y, bool accumulate) {
    for (ptrdiff_t i = 0; i < p->count; i++) {
        const float *x = p->x + i * p->channels;
        float *to = y + i * p->channels;
        ptrdiff_t c = 0;
        for (; c + VL <= p->channels; c += VL) scale_vector(x + c, s + c, to + c, accumulate, VL);
        if (c < p->channels) scale_vector(x + c, s + c, to + c, accumulate, p->channels - c);
    }
}

ALWAYS_INLINE void dot_vector(const spur__pixels *p, const float *dy, ptrdiff_t c, ptrdiff_t n,
                              float *sums) {
    vf sum = {0};
    for (ptrdiff_t i = 0; i < p->count; i++) {
        ptrdiff_t at = i * p->pitch + c;
        sum = vfma(vload_n(p->x + at, n), vload_n(dy + at, n), sum);
    }
    vstore_n(sums + c, sum, n);
}

void SPUR__SIMD(dot_pixels)(const spur__pixels *p, const float *dy, float *sums) {
    ptrdiff_t c = 0;
    for (; c + VL <= p->channels; c += VL) dot_vector(p, dy, c, VL, sums);
    if (c < p->channels) dot_vector(p, dy, c, p->channels - c, sums);
}
