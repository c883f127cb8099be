/* SPDX-License-Identifier: MIT
 *
 * Pools: max and average, with windows that slide, that divide the image evenly (adaptive), or that
 * are the whole image (global: [n][h][w][c] -> [n][c]).
 */
#include "base/memory.h"
#include "graph/onnx.h"
#include "kernels/pool.h"
#include "ops/window.h"

typedef struct pool_options {
    spur_pool2d_options user;
    int height, width; /* of an adaptive pool's output */
    bool max, adaptive, global;
} pool_options;

static spur_status sliding(const spur_node *node, spur__slide *w, spur_error *err) {
    const pool_options *o = node->options;
    *w = (spur__slide){.dilation = {1, 1},
                       .in = {node->inputs[0]->shape[1], node->inputs[0]->shape[2]}};
    spur__pair(w->kernel, o->user.kernel, 2);
    for (int d = 0; d < 2; d++) w->stride[d] = w->kernel[d];
    if (o->user.stride[0]) spur__pair(w->stride, o->user.stride, 1);
    for (int i = 0; i < 4; i++) {
        w->padding[i] = o->user.padding[i];
        if (w->padding[i] > w->kernel[i % 2] / 2)
            return spur__fail(err, SPUR_E_RANGE,
                              "expected padding of at most half the kernel of %d, found %d",
                              w->kernel[i % 2], w->padding[i]);
    }
    return spur__window_fit(w, o->user.ceil_mode, err);
}

static spur_status pool_shape(spur_node *node, spur_error *err) {
    const pool_options *o = node->options;
    SPUR__TRY(spur__expect_rank(node, 0, 4, "an image [n][h][w][c]", err));
    spur__shape_like(node, node->inputs[0]);
    if (o->global) {
        node->rank = 2;
        node->shape[1] = node->inputs[0]->shape[3];
        return SPUR_OK;
    }
    if (o->adaptive) {
        if (o->height < 1 || o->width < 1)
            return spur__fail(err, SPUR_E_RANGE, "expected a size from 1x1, found %dx%d", o->height,
                              o->width);
        node->shape[1] = o->height;
        node->shape[2] = o->width;
        return SPUR_OK;
    }
    spur__slide w;
    SPUR__TRY(sliding(node, &w, err));
    node->shape[1] = w.out[0];
    node->shape[2] = w.out[1];
    return SPUR_OK;
}

spur_status spur__pool_shape_of(const spur_node *node, spur__pool_shape *s, spur_error *err) {
    const pool_options *o = node->options;
    const spur_node *x = node->inputs[0];
    *s = (spur__pool_shape){.n = (ptrdiff_t)x->shape[0],
                            .h = (ptrdiff_t)x->shape[1],
                            .w = (ptrdiff_t)x->shape[2],
                            .c = (ptrdiff_t)x->shape[3],
                            .oh = o->global ? 1 : (ptrdiff_t)node->shape[1],
                            .ow = o->global ? 1 : (ptrdiff_t)node->shape[2],
                            .x_pitch = (ptrdiff_t)x->pitch,
                            .y_pitch = (ptrdiff_t)node->pitch,
                            .adaptive = o->adaptive || o->global,
                            .exclude_padding = o->user.exclude_padding};
    if (s->adaptive) return SPUR_OK;
    spur__slide w;
    SPUR__TRY(sliding(node, &w, err));
    s->kh = w.kernel[0];
    s->kw = w.kernel[1];
    s->stride_h = w.stride[0];
    s->stride_w = w.stride[1];
    s->pad_top = w.padding[0];
    s->pad_left = w.padding[1];
    s->pad_bottom = w.padding[2];
    s->pad_right = w.padding[3];
    return SPUR_OK;
}

static spur_status pool_plan(spur_node *node, spur__demand *demand, spur_error *err) {
    const pool_options *o = node->options;
    spur__pool_shape *s = spur__calloc(1, sizeof *s);
    if (!s) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    node->state = s;
    SPUR__TRY(spur__pool_shape_of(node, s, err));
    if (o->max) demand->saved_bytes = spur__pool_argmax_bytes(s);
    return SPUR_OK;
}

static bool pool_halves(const spur_node *node) {
    const pool_options *o = node->options;
    const int64_t *in = node->inputs[0]->shape;
    spur__slide w;
    if (!o->max || sliding(node, &w, NULL) != SPUR_OK) return false;
    for (int d = 0; d < 2; d++)
        if (w.kernel[d] != 2 || w.stride[d] != 2 || w.padding[d] || w.padding[d + 2] ||
            w.out[d] != in[d + 1] / 2)
            return false;
    return true;
}

static spur__pool_shape shape_of_run(const spur_node *node, const spur__run *run) {
    spur__pool_shape s = *(const spur__pool_shape *)node->state;
    s.n = run->batch;
    return s;
}

static void pool_forward(spur_node *node, const spur__run *run) {
    const pool_options *o = node->options;
    spur__pool_shape s = shape_of_run(node, run);
    if (o->max)
        spur__max_pool(&run->exec, &s, node->inputs[0]->data, node->data, node->saved);
    else
        spur__avg_pool(&run->exec, &s, node->inputs[0]->data, node->data);
}

static void pool_backward(spur_node *node, const spur__run *run) {
    const pool_options *o = node->options;
    int beta = spur__gradient_beta(node, 0);
    float *dx = node->inputs[0]->gradient;
    if (beta < 0) return;
    spur__pool_shape s = shape_of_run(node, run);
    if (o->max)
        spur__max_pool_backward(&run->exec, &s, node->gradient, node->saved, dx, beta == 1);
    else
        spur__avg_pool_backward(&run->exec, &s, node->gradient, dx, beta == 1);
}

/* Windows that slide. Those that only ceil_mode has end behind the padding, in pixels that count for
 * nothing; the padding itself may count in means. */
static void sliding_onnx(const spur_node *node, spur__onnx *to) {
    const pool_options *o = node->options;
    spur__slide w;
    if (sliding(node, &w, NULL) != SPUR_OK) return; /* its shape was inferred from it */
    int pads[4], *p = w.padding;
    bool counted = !o->max && !o->user.exclude_padding && (p[0] || p[1] || p[2] || p[3]);
    for (int d = 0; d < 2; d++) {
        int64_t end = (w.out[d] - 1) * w.stride[d] + w.kernel[d] - p[d];
        int64_t more = end - w.in[d] - p[d + 2];
        pads[d] = counted ? 0 : p[d];
        pads[d + 2] = (counted ? 0 : p[d + 2]) + (more > 0 ? (int)more : 0);
    }
    const char *x = NULL;
    if (counted) {
        x = spur__onnx_op(to, "Pad");
        spur__onnx_use_input(to, 0);
        spur__onnx_use_sizes(to, 8, (const int64_t[]){0, 0, p[0], p[1], 0, 0, p[2], p[3]});
        spur__onnx_use_scalar(to, 0.0f);
    }
    spur__onnx_op(to, o->max ? "MaxPool" : "AveragePool");
    if (x)
        spur__onnx_use(to, x);
    else
        spur__onnx_use_input(to, 0);
    spur__onnx_ints(to, "kernel_shape", 2, w.kernel);
    spur__onnx_ints(to, "strides", 2, w.stride);
    spur__onnx_ints(to, "pads", 4, pads);
}

/* One axis of an adaptive pool: of every window a slice, reduced; one joined to the other. */
static const char *adaptive_axis(spur__onnx *to, const char *x, int axis, int64_t in, int64_t out,
                                 bool max) {
    const char *y = NULL;
    for (int64_t i = 0; i < out; i++) {
        const char *slice = spur__onnx_op(to, "Slice"), *before = y;
        spur__onnx_use(to, x);
        spur__onnx_use_sizes(to, 1, (const int64_t[]){i * in / out});
        spur__onnx_use_sizes(to, 1, (const int64_t[]){((i + 1) * in + out - 1) / out});
        spur__onnx_use_sizes(to, 1, (const int64_t[]){axis});
        const char *part = y = spur__onnx_op(to, max ? "ReduceMax" : "ReduceMean");
        spur__onnx_use(to, slice);
        spur__onnx_use_sizes(to, 1, (const int64_t[]){axis});
        if (!before) continue;
        y = spur__onnx_op(to, "Concat");
        spur__onnx_use(to, before);
        spur__onnx_use(to, part);
        spur__onnx_int(to, "axis", axis);
    }
    return y;
}

/* Windows that divide the image evenly slide; others are taken row by row, then column by column. */
static void adaptive_onnx(const spur_node *node, spur__onnx *to) {
    const pool_options *o = node->options;
    const int64_t *in = node->inputs[0]->shape + 1, *out = node->shape + 1;
    if (in[0] % out[0] == 0 && in[1] % out[1] == 0) {
        int window[2] = {(int)(in[0] / out[0]), (int)(in[1] / out[1])};
        spur__onnx_op(to, o->max ? "MaxPool" : "AveragePool");
        spur__onnx_use_input(to, 0);
        spur__onnx_ints(to, "kernel_shape", 2, window);
        spur__onnx_ints(to, "strides", 2, window);
        return;
    }
    const char *rows = adaptive_axis(to, spur__onnx_unordered(to, 0), 2, in[0], out[0], o->max);
    adaptive_axis(to, rows, 3, in[1], out[1], o->max);
}

static void pool_onnx(const spur_node *node, spur__onnx *to) {
    const pool_options *o = node->options;
    if (o->adaptive) {
        adaptive_onnx(node, to);
    } else if (o->global) {
        const char *y = spur__onnx_op(to, o->max ? "GlobalMaxPool" : "GlobalAveragePool");
        spur__onnx_use_input(to, 0);
        spur__onnx_op(to, "Flatten");
        spur__onnx_use(to, y);
    } else {
        sliding_onnx(node, to);
    }
}

#define OP(name)                                                                                   \
    {                                                                                              \
        .kind = name, .shape = pool_shape, .plan = pool_plan, .forward = pool_forward,             \
        .backward = pool_backward, .onnx = pool_onnx, .pitched = true                              \
    }
static const spur__op max_op = {.kind = "max_pool2d",
                                .shape = pool_shape,
                                .plan = pool_plan,
                                .forward = pool_forward,
                                .backward = pool_backward,
                                .onnx = pool_onnx,
                                .halves = pool_halves,
                                .pitched = true};
static const spur__op avg_op = OP("avg_pool2d");
static const spur__op adaptive_max_op = OP("adaptive_max_pool2d");
static const spur__op adaptive_avg_op = OP("adaptive_avg_pool2d");
static const spur__op global_max_op = OP("global_max_pool2d");
static const spur__op global_avg_op = OP("global_avg_pool2d");

static spur_node *create(spur_net *net, spur_node *x, const spur__op *op, const pool_options *o) {
    return spur__node_create(net, op, NULL, &x, 1, o, sizeof *o);
}

spur_node *spur_max_pool2d(spur_net *net, spur_node *x, const spur_pool2d_options *options) {
    pool_options o = {.max = true};
    if (options) o.user = *options;
    return create(net, x, &max_op, &o);
}

spur_node *spur_avg_pool2d(spur_net *net, spur_node *x, const spur_pool2d_options *options) {
    pool_options o = {.max = false};
    if (options) o.user = *options;
    return create(net, x, &avg_op, &o);
}

spur_node *spur_adaptive_avg_pool2d(spur_net *net, spur_node *x, int height, int width) {
    pool_options o = {.adaptive = true, .height = height, .width = width};
    return create(net, x, &adaptive_avg_op, &o);
}

spur_node *spur_adaptive_max_pool2d(spur_net *net, spur_node *x, int height, int width) {
    pool_options o = {.max = true, .adaptive = true, .height = height, .width = width};
    return create(net, x, &adaptive_max_op, &o);
}

spur_node *spur_global_avg_pool2d(spur_net *net, spur_node *x) {
    pool_options o = {.global = true};
    return create(net, x, &global_avg_op, &o);
}

spur_node *spur_global_max_pool2d(spur_net *net, spur_node *x) {
    pool_options o = {.max = true, .global = true};
    return create(net, x, &global_max_op, &o);
}
