/* SPDX-License-Identifier: MIT
 *
 * upsample2d: nearest and bilinear (align_corners = False) resizing of images to given sizes.
 */
#include <math.h>

#include "graph/graph.h"
#include "graph/onnx.h"
#include "kernels/resample.h"

typedef struct upsample_options {
    int height, width;
    spur_resample mode;
} upsample_options;

static spur_status upsample_shape(spur_node *node, spur_error *err) {
    const upsample_options *o = node->options;
    SPUR__TRY(spur__expect_rank(node, 0, 4, "an image [n][h][w][c]", err));
    if (o->height < 1 || o->width < 1)
        return spur__fail(err, SPUR_E_RANGE, "expected a size from 1x1, found %dx%d", o->height,
                          o->width);
    if (o->mode != SPUR_NEAREST && o->mode != SPUR_BILINEAR)
        return spur__fail(err, SPUR_E_ARGUMENT, "unknown mode %d", (int)o->mode);
    spur__shape_like(node, node->inputs[0]);
    node->shape[1] = o->height;
    node->shape[2] = o->width;
    return SPUR_OK;
}

static spur__resample_shape kernel_shape(const spur_node *node, const spur__run *run) {
    const upsample_options *o = node->options;
    const spur_node *x = node->inputs[0];
    return (spur__resample_shape){.n = run->batch,
                                  .h = (ptrdiff_t)x->shape[1],
                                  .w = (ptrdiff_t)x->shape[2],
                                  .c = (ptrdiff_t)x->shape[3],
                                  .oh = o->height,
                                  .ow = o->width,
                                  .x_pitch = (ptrdiff_t)x->pitch,
                                  .y_pitch = (ptrdiff_t)node->pitch,
                                  .bilinear = o->mode == SPUR_BILINEAR};
}

static void upsample_forward(spur_node *node, const spur__run *run) {
    spur__resample_shape s = kernel_shape(node, run);
    spur__resample(&run->exec, &s, node->inputs[0]->data, node->data);
}

static void upsample_backward(spur_node *node, const spur__run *run) {
    int beta = spur__gradient_beta(node, 0);
    if (beta < 0) return;
    spur__resample_shape s = kernel_shape(node, run);
    spur__resample_backward(&run->exec, &s, node->gradient, node->inputs[0]->gradient, beta == 1);
}

/* Bilinear values are sums of four. */
static double upsample_cost(const spur_node *node) {
    const upsample_options *o = node->options;
    return o->mode == SPUR_BILINEAR ? 4.0 * (double)spur__sample_count(node) : 0;
}

/* Of ONNX: out is the whole part of size times the factor, in float and in double. */
static float factor_of(ptrdiff_t size, ptrdiff_t out) {
    float factor = (float)out / (float)size;
    while ((double)size * (double)factor < (double)out) factor = nextafterf(factor, INFINITY);
    return factor;
}

/* ONNX divides by out / size, as a float, where we multiply by size / out: pixel 4 of 8 out of 14 is
 * not its 7th but its 6th. */
static bool same_nearest(ptrdiff_t size, ptrdiff_t out) {
    float factor = factor_of(size, out);
    for (ptrdiff_t i = 0; i < out; i++) {
        ptrdiff_t theirs = (ptrdiff_t)floorf((float)i / factor);
        if (spur__min(theirs, size - 1) != spur__resample_nearest(i, size, out)) return false;
    }
    return true;
}

/* One axis of the image's, pixel by pixel. */
static const char *nearest_axis(spur__onnx *to, const char *x, int axis, ptrdiff_t size, int out) {
    const char *y = spur__onnx_op(to, "Gather");
    spur__onnx_use(to, x);
    int64_t *pixels = spur__onnx_use_room(to, out);
    for (int i = 0; pixels && i < out; i++) pixels[i] = spur__resample_nearest(i, size, out);
    spur__onnx_int(to, "axis", axis);
    return y;
}

/* By factors, not sizes: sizes of two axes alone are what ONNX Runtime (1.32) loses where it moves a
 * transposition through. */
static void upsample_onnx(const spur_node *node, spur__onnx *to) {
    const upsample_options *o = node->options;
    ptrdiff_t h = (ptrdiff_t)node->inputs[0]->shape[1], w = (ptrdiff_t)node->inputs[0]->shape[2];
    bool linear = o->mode == SPUR_BILINEAR;
    if (!linear && !(same_nearest(h, o->height) && same_nearest(w, o->width))) {
        const char *rows = nearest_axis(to, spur__onnx_unordered(to, 0), 2, h, o->height);
        nearest_axis(to, rows, 3, w, o->width);
        return;
    }
    spur__onnx_op(to, "Resize");
    spur__onnx_use_input(to, 0);
    spur__onnx_use(to, ""); /* region of interest */
    spur__onnx_use_floats(to, 4,
                          (const float[]){1, 1, factor_of(h, o->height), factor_of(w, o->width)});
    spur__onnx_text(to, "mode", linear ? "linear" : "nearest");
    spur__onnx_text(to, "coordinate_transformation_mode", linear ? "half_pixel" : "asymmetric");
    if (!linear) spur__onnx_text(to, "nearest_mode", "floor");
}

static const spur__op upsample_op = {.kind = "upsample2d",
                                     .shape = upsample_shape,
                                     .forward = upsample_forward,
                                     .backward = upsample_backward,
                                     .onnx = upsample_onnx,
                                     .cost = upsample_cost,
                                     .pitched = true};

spur_node *spur_upsample2d(spur_net *net, spur_node *x, int height, int width, spur_resample mode) {
    upsample_options o = {height, width, mode};
    return spur__node_create(net, &upsample_op, NULL, &x, 1, &o, sizeof o);
}
