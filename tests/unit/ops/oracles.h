/* SPDX-License-Identifier: MIT
 *
 * What every operation means, written down naively in double precision: no blocking, no layouts
 * but NHWC, parameters in PyTorch's order. One oracle serves all options of its operation.
 */
#ifndef TESTS_OPS_ORACLES_H
#define TESTS_OPS_ORACLES_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <spur/nn.h>

enum { MOST_INPUTS = 3, MOST_PARAMS = 4 };

typedef struct tensor {
    int rank;
    int64_t shape[SPUR_MAX_RANK];
    size_t count;
    double *v; /* integers too */
} tensor;

typedef struct oracle_args {
    tensor in[MOST_INPUTS];
    tensor param[MOST_PARAMS];
    tensor out; /* v to be filled */
    const void *options;
} oracle_args;

static inline double *at4(const tensor *t, int64_t n, int64_t h, int64_t w, int64_t c) {
    return &t->v[((n * t->shape[1] + h) * t->shape[2] + w) * t->shape[3] + c];
}

/* One pixel of an image that is zero (or `outside`) around its border. */
static inline double pixel(const tensor *t, int64_t n, int64_t h, int64_t w, int64_t c,
                           double outside) {
    if (h < 0 || w < 0 || h >= t->shape[1] || w >= t->shape[2]) return outside;
    return *at4(t, n, h, w, c);
}

static inline int pick(const int *pair, int d, int standard) {
    int first = pair[0] ? pair[0] : standard;
    return d == 0 || !pair[1] ? first : pair[1];
}

#define FOR_PIXELS(t)                                                                              \
    for (int64_t n = 0; n < (t).shape[0]; n++)                                                     \
        for (int64_t i = 0; i < (t).shape[1]; i++)                                                 \
            for (int64_t j = 0; j < (t).shape[2]; j++)                                             \
                for (int64_t c = 0; c < (t).shape[3]; c++)

/* ---- convolutions --------------------------------------------------------------------------- */

typedef struct conv_case {
    int filters;
    spur_conv2d_options o;
} conv_case;

static inline void same_pad(const conv_case *k, const tensor *x, int pad[2]) {
    for (int d = 0; d < 2; d++) {
        pad[d] = k->o.padding[d];
        if (!k->o.same_padding) continue;
        int64_t s = pick(k->o.stride, d, 1), out = (x->shape[1 + d] + s - 1) / s;
        int64_t span = (int64_t)pick(k->o.dilation, d, 1) * (pick(k->o.kernel, d, 3) - 1) + 1;
        int64_t total = (out - 1) * s + span - x->shape[1 + d];
        pad[d] = total > 0 ? (int)(total / 2) : 0;
    }
}

static inline void oracle_conv2d(const oracle_args *a) {
    const conv_case *k = a->options;
    const tensor *x = &a->in[0], *weight = &a->param[0];
    int64_t kh = weight->shape[2], kw = weight->shape[3], cg = weight->shape[1];
    int64_t per_group = k->filters / (x->shape[3] / cg);
    int pad[2];
    same_pad(k, x, pad);
    FOR_PIXELS(a->out) {
        double sum = k->o.no_bias ? 0 : a->param[1].v[c];
        int64_t g = c / per_group;
        for (int64_t q = 0; q < cg; q++)
            for (int64_t r = 0; r < kh; r++)
                for (int64_t s = 0; s < kw; s++)
                    sum +=
                        weight->v[((c * cg + q) * kh + r) * kw + s] *
                        pixel(x, n,
                              i * pick(k->o.stride, 0, 1) - pad[0] + r * pick(k->o.dilation, 0, 1),
                              j * pick(k->o.stride, 1, 1) - pad[1] + s * pick(k->o.dilation, 1, 1),
                              g * cg + q, 0);
        *at4(&a->out, n, i, j, c) = sum;
    }
}

/* Every input pixel adds its weights to the output around it. */
static inline void oracle_conv_transpose2d(const oracle_args *a) {
    const conv_case *k = a->options;
    const tensor *x = &a->in[0], *weight = &a->param[0];
    int64_t kh = weight->shape[2], kw = weight->shape[3], fg = weight->shape[1];
    int64_t groups = k->filters / fg, cg = x->shape[3] / groups;
    FOR_PIXELS(a->out) * at4(&a->out, n, i, j, c) = k->o.no_bias ? 0 : a->param[1].v[c];
    FOR_PIXELS(*x) {
        for (int64_t f = 0; f < fg; f++)
            for (int64_t r = 0; r < kh; r++)
                for (int64_t s = 0; s < kw; s++) {
                    int64_t y = i * pick(k->o.stride, 0, 1) - k->o.padding[0] +
                                r * pick(k->o.dilation, 0, 1);
                    int64_t z = j * pick(k->o.stride, 1, 1) - k->o.padding[1] +
                                s * pick(k->o.dilation, 1, 1);
                    if (y < 0 || z < 0 || y >= a->out.shape[1] || z >= a->out.shape[2]) continue;
                    *at4(&a->out, n, y, z, c / cg * fg + f) +=
                        *at4(x, n, i, j, c) * weight->v[((c * fg + f) * kh + r) * kw + s];
                }
    }
}

static inline void oracle_linear(const oracle_args *a) {
    const tensor *x = &a->in[0], *weight = &a->param[0];
    int64_t in = weight->shape[1], units = weight->shape[0];
    for (size_t r = 0; r < x->count / (size_t)in; r++)
        for (int64_t u = 0; u < units; u++) {
            double sum = a->param[1].v ? a->param[1].v[u] : 0;
            for (int64_t i = 0; i < in; i++)
                sum += x->v[r * (size_t)in + (size_t)i] * weight->v[u * in + i];
            a->out.v[r * (size_t)units + (size_t)u] = sum;
        }
}

/* ---- norms ---------------------------------------------------------------------------------- */

/* Normalises the values for which same(i) is one key: the mean and variance of every key. */
static inline void normalise(const oracle_args *a, size_t groups, const size_t *key, double eps) {
    const tensor *x = &a->in[0];
    int64_t c = x->shape[x->rank - 1];
    for (size_t g = 0; g < groups; g++) {
        double sum = 0, squares = 0, n = 0;
        for (size_t i = 0; i < x->count; i++)
            if (key[i] == g) sum += x->v[i], n++;
        for (size_t i = 0; i < x->count; i++)
            if (key[i] == g) squares += (x->v[i] - sum / n) * (x->v[i] - sum / n);
        double scale = 1 / sqrt(squares / n + eps);
        for (size_t i = 0; i < x->count; i++) {
            if (key[i] != g) continue;
            double z = (x->v[i] - sum / n) * scale;
            size_t channel = i % (size_t)c;
            a->out.v[i] = a->param[0].v ? z * a->param[0].v[channel] + a->param[1].v[channel] : z;
        }
    }
}

typedef struct norm_case {
    spur_norm_options o;
    int kind; /* 0 batch, 1 group, 2 layer */
} norm_case;

static inline void oracle_norm(const oracle_args *a) {
    const norm_case *k = a->options;
    const tensor *x = &a->in[0];
    size_t c = (size_t)x->shape[x->rank - 1], sample = x->count / (size_t)x->shape[0];
    size_t groups = (size_t)(k->o.groups ? k->o.groups : 32);
    size_t *key = malloc(x->count * sizeof *key);
    for (size_t i = 0; i < x->count; i++)
        key[i] = k->kind == 0   ? i % c
                 : k->kind == 1 ? i / sample * groups + i % c / (c / groups)
                                : i / c;
    oracle_args b = *a;
    if (k->o.no_affine) b.param[0].v = NULL;
    normalise(&b,
              k->kind == 0   ? c
              : k->kind == 1 ? (size_t)x->shape[0] * groups
                             : x->count / c,
              key, k->o.eps > 0 ? k->o.eps : 1e-5);
    free(key);
}

/* ---- pools ---------------------------------------------------------------------------------- */

typedef struct pool_case {
    spur_pool2d_options o;
    bool max;
} pool_case;

/* Largest value or mean of rows [r0, r1) and columns [s0, s1), over `area` values. */
static inline double window_value(const tensor *x, bool max, const int64_t box[4], int64_t n,
                                  int64_t c, double area) {
    double sum = 0, most = -INFINITY;
    for (int64_t r = box[0]; r < box[1]; r++)
        for (int64_t s = box[2]; s < box[3]; s++) {
            double v = *at4(x, n, r, s, c);
            sum += v;
            if (v > most) most = v;
        }
    return max ? most : sum / area;
}

static inline int64_t clip(int64_t v, int64_t low, int64_t high) {
    return v < low ? low : v > high ? high : v;
}

/* PyTorch divides by the part of the window that lies in the image and its padding. */
static inline void oracle_pool2d(const oracle_args *a) {
    const pool_case *k = a->options;
    const tensor *x = &a->in[0];
    FOR_PIXELS(a->out) {
        int64_t box[4], padded = 1, inside = 1, at[2] = {i, j};
        for (int d = 0; d < 2; d++) {
            int size = pick(k->o.kernel, d, 2);
            int64_t start = at[d] * pick(k->o.stride, d, size) - k->o.padding[d];
            int64_t limit = x->shape[1 + d];
            padded *= clip(start + size, 0, limit + k->o.padding[d + 2]) - start;
            box[2 * d] = clip(start, 0, limit);
            box[2 * d + 1] = clip(start + size, 0, limit);
            inside *= box[2 * d + 1] - box[2 * d];
        }
        *at4(&a->out, n, i, j, c) =
            window_value(x, k->max, box, n, c, (double)(k->o.exclude_padding ? inside : padded));
    }
}

/* Also the global pools: their output is one pixel. options: bool, true for max. */
static inline void oracle_adaptive(const oracle_args *a) {
    const bool *max = a->options;
    const tensor *x = &a->in[0];
    tensor out = a->out;
    if (out.rank == 2) {
        out.shape[3] = out.shape[1];
        out.shape[1] = out.shape[2] = 1;
    }
    FOR_PIXELS(out) {
        int64_t box[4], at[2] = {i, j};
        for (int d = 0; d < 2; d++) {
            int64_t in = x->shape[1 + d], o = out.shape[1 + d];
            box[2 * d] = at[d] * in / o;
            box[2 * d + 1] = ((at[d] + 1) * in + o - 1) / o;
        }
        double area = (double)((box[1] - box[0]) * (box[3] - box[2]));
        *at4(&out, n, i, j, c) = window_value(x, *max, box, n, c, area);
    }
}

/* ---- resampling, joining, cutting ----------------------------------------------------------- */

typedef struct upsample_case {
    int height, width;
    spur_resample mode;
} upsample_case;

static inline void source(int64_t i, int64_t in, int64_t out, int64_t *low, double *t) {
    double s = ((double)i + 0.5) * (double)in / (double)out - 0.5;
    if (s < 0) s = 0;
    *low = (int64_t)s;
    *t = s - (double)*low;
}

static inline void oracle_upsample(const oracle_args *a) {
    const upsample_case *k = a->options;
    const tensor *x = &a->in[0];
    FOR_PIXELS(a->out) {
        if (k->mode == SPUR_NEAREST) {
            *at4(&a->out, n, i, j, c) =
                *at4(x, n, i * x->shape[1] / k->height, j * x->shape[2] / k->width, c);
            continue;
        }
        int64_t y, z;
        double t, u;
        source(i, x->shape[1], k->height, &y, &t);
        source(j, x->shape[2], k->width, &z, &u);
        int64_t y1 = clip(y + 1, 0, x->shape[1] - 1), z1 = clip(z + 1, 0, x->shape[2] - 1);
        *at4(&a->out, n, i, j, c) =
            (1 - t) * ((1 - u) * *at4(x, n, y, z, c) + u * *at4(x, n, y, z1, c)) +
            t * ((1 - u) * *at4(x, n, y1, z, c) + u * *at4(x, n, y1, z1, c));
    }
}

/* options: int, the axis (from the front). */
static inline void oracle_concat(const oracle_args *a) {
    int axis = *(const int *)a->options;
    size_t outer = 1, place = 0;
    for (int i = 0; i < axis; i++) outer *= (size_t)a->out.shape[i];
    for (size_t o = 0; o < outer; o++)
        for (int k = 0; k < MOST_INPUTS && a->in[k].v; k++) {
            size_t run = a->in[k].count / outer;
            memcpy(a->out.v + place, a->in[k].v + o * run, run * sizeof(double));
            place += run;
        }
}

/* Index into a broadcast operand for the output's value i. */
static inline size_t broadcast_index(const tensor *out, const tensor *x, size_t i) {
    size_t index = 0, stride = 1;
    for (int d = out->rank - 1; d >= 0 && x->rank; d--) {
        size_t at = i % (size_t)out->shape[d];
        i /= (size_t)out->shape[d];
        if (x->shape[d] > 1) index += at * stride;
        stride *= (size_t)x->shape[d];
    }
    return index;
}

/* options: bool, true for a product. */
static inline void oracle_arithmetic(const oracle_args *a) {
    bool product = *(const bool *)a->options;
    const tensor *second = a->in[1].v ? &a->in[1] : &a->in[0]; /* x + x */
    for (size_t i = 0; i < a->out.count; i++) {
        double l = a->in[0].v[broadcast_index(&a->out, &a->in[0], i)];
        double r = second->v[broadcast_index(&a->out, second, i)];
        a->out.v[i] = product ? l * r : l + r;
    }
}

/* options: double, the factor. */
static inline void oracle_scale(const oracle_args *a) {
    for (size_t i = 0; i < a->out.count; i++)
        a->out.v[i] = *(const double *)a->options * a->in[0].v[i];
}

typedef struct border_case {
    int amount[4];
    double value;
    bool crop;
} border_case;

static inline void oracle_border(const oracle_args *a) {
    const border_case *k = a->options;
    int sign = k->crop ? 1 : -1;
    FOR_PIXELS(a->out)
    *at4(&a->out, n, i, j, c) =
        pixel(&a->in[0], n, i + sign * k->amount[0], j + sign * k->amount[1], c, k->value);
}

static inline void oracle_copy(const oracle_args *a) {
    memcpy(a->out.v, a->in[0].v, a->out.count * sizeof(double));
}

static inline void oracle_embedding(const oracle_args *a) {
    size_t width = (size_t)a->param[0].shape[1];
    for (size_t i = 0; i < a->out.count; i++)
        a->out.v[i] = a->param[0].v[(size_t)a->in[0].v[i / width] * width + i % width];
}

/* ---- activations ---------------------------------------------------------------------------- */

typedef struct activation_case {
    spur_activation_kind kind;
    double alpha;
} activation_case;

static inline double activate(const activation_case *k, double x) {
    double clipped = x < -3 ? 0 : x > 3 ? 6 : x + 3;
    switch (k->kind) {
    case SPUR_RELU:
        return x > 0 ? x : 0;
    case SPUR_LEAKY_RELU:
        return x > 0 ? x : x * (k->alpha > 0 ? k->alpha : 0.01);
    case SPUR_ELU:
        return x > 0 ? x : (k->alpha > 0 ? k->alpha : 1) * expm1(x);
    case SPUR_SILU:
        return x / (1 + exp(-x));
    case SPUR_HARD_SWISH:
        return x * clipped / 6;
    case SPUR_HARD_SIGMOID:
        return clipped / 6;
    case SPUR_GELU:
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    case SPUR_SIGMOID:
        return 1 / (1 + exp(-x));
    case SPUR_TANH:
        return tanh(x);
    }
    return NAN;
}

static inline void oracle_activation(const oracle_args *a) {
    for (size_t i = 0; i < a->out.count; i++) a->out.v[i] = activate(a->options, a->in[0].v[i]);
}

/* options: bool, true for the logarithm. */
static inline void oracle_softmax(const oracle_args *a) {
    size_t c = (size_t)a->out.shape[a->out.rank - 1];
    for (size_t r = 0; r < a->out.count / c; r++) {
        const double *x = a->in[0].v + r * c;
        double most = x[0], sum = 0;
        for (size_t i = 1; i < c; i++) most = x[i] > most ? x[i] : most;
        for (size_t i = 0; i < c; i++) sum += exp(x[i] - most);
        for (size_t i = 0; i < c; i++) {
            double l = x[i] - most - log(sum);
            a->out.v[r * c + i] = *(const bool *)a->options ? l : exp(l);
        }
    }
}

#endif
