/* SPDX-License-Identifier: MIT
 *
 * The list of cases for operations: shapes, how the node is built, and the oracle. Used three
 * times: values (tests/unit/ops), gradients (tests/gradient), throughput (bench).
 */
#ifndef TESTS_OPS_CASES_H
#define TESTS_OPS_CASES_H

#include "unit/ops/harness.h"

/* ---- builders ------------------------------------------------------------------------------- */

static spur_node *build_conv(spur_net *net, spur_node **x, const void *options) {
    const conv_case *k = options;
    return spur_conv2d(net, x[0], "op", k->filters, &k->o);
}

static spur_node *build_conv_transpose(spur_net *net, spur_node **x, const void *options) {
    const conv_case *k = options;
    return spur_conv_transpose2d(net, x[0], "op", k->filters, &k->o);
}

static spur_node *build_conv_relu(spur_net *net, spur_node **x, const void *options) {
    return spur_relu(net, build_conv(net, x, options));
}

static void oracle_conv_relu(const oracle_args *a) {
    oracle_conv2d(a);
    for (size_t i = 0; i < a->out.count; i++) a->out.v[i] = a->out.v[i] > 0 ? a->out.v[i] : 0;
}

typedef struct linear_case {
    int units;
    spur_linear_options o;
} linear_case;

static spur_node *build_linear(spur_net *net, spur_node **x, const void *options) {
    const linear_case *k = options;
    return spur_linear(net, x[0], "op", k->units, &k->o);
}

static spur_node *build_linear_relu(spur_net *net, spur_node **x, const void *options) {
    return spur_relu(net, build_linear(net, x, options));
}

static void oracle_linear_relu(const oracle_args *a) {
    oracle_linear(a);
    for (size_t i = 0; i < a->out.count; i++) a->out.v[i] = a->out.v[i] > 0 ? a->out.v[i] : 0;
}

static spur_node *build_norm(spur_net *net, spur_node **x, const void *options) {
    const norm_case *k = options;
    if (k->kind == 0) return spur_batch_norm(net, x[0], "op", &k->o);
    if (k->kind == 1) return spur_group_norm(net, x[0], "op", &k->o);
    return spur_layer_norm(net, x[0], "op", &k->o);
}

static spur_node *build_norm_relu(spur_net *net, spur_node **x, const void *options) {
    return spur_relu(net, build_norm(net, x, options));
}

static void oracle_norm_relu(const oracle_args *a) {
    oracle_norm(a);
    for (size_t i = 0; i < a->out.count; i++) a->out.v[i] = a->out.v[i] > 0 ? a->out.v[i] : 0;
}

static spur_node *build_pool(spur_net *net, spur_node **x, const void *options) {
    const pool_case *k = options;
    return k->max ? spur_max_pool2d(net, x[0], &k->o) : spur_avg_pool2d(net, x[0], &k->o);
}

static spur_node *build_adaptive(spur_net *net, spur_node **x, const void *options) {
    return *(const bool *)options ? spur_adaptive_max_pool2d(net, x[0], 3, 4)
                                  : spur_adaptive_avg_pool2d(net, x[0], 3, 4);
}

static spur_node *build_global(spur_net *net, spur_node **x, const void *options) {
    return *(const bool *)options ? spur_global_max_pool2d(net, x[0])
                                  : spur_global_avg_pool2d(net, x[0]);
}

static spur_node *build_upsample(spur_net *net, spur_node **x, const void *options) {
    const upsample_case *k = options;
    return spur_upsample2d(net, x[0], k->height, k->width, k->mode);
}

static spur_node *build_concat(spur_net *net, spur_node **x, const void *options) {
    int count = x[2] ? 3 : x[1] ? 2 : 1;
    return spur_concat(net, x, count, *(const int *)options);
}

/* The same by a negative axis. */
static spur_node *build_concat_last(spur_net *net, spur_node **x, const void *options) {
    (void)options;
    return spur_concat(net, x, x[2] ? 3 : 2, -1);
}

static spur_node *build_arithmetic(spur_net *net, spur_node **x, const void *options) {
    spur_node *second = x[1] ? x[1] : x[0];
    return *(const bool *)options ? spur_multiply(net, x[0], second) : spur_add(net, x[0], second);
}

static spur_node *build_add_relu(spur_net *net, spur_node **x, const void *options) {
    return spur_relu(net, build_arithmetic(net, x, options));
}

static void oracle_add_relu(const oracle_args *a) {
    oracle_arithmetic(a);
    for (size_t i = 0; i < a->out.count; i++) a->out.v[i] = a->out.v[i] > 0 ? a->out.v[i] : 0;
}

static spur_node *build_scale(spur_net *net, spur_node **x, const void *options) {
    return spur_scale(net, x[0], *(const double *)options);
}

static spur_node *build_border(spur_net *net, spur_node **x, const void *options) {
    const border_case *k = options;
    return k->crop ? spur_crop2d(net, x[0], k->amount) : spur_pad2d(net, x[0], k->amount, k->value);
}

static spur_node *build_reshape(spur_net *net, spur_node **x, const void *options) {
    (void)options;
    return spur_reshape(net, x[0], 3, (int64_t[]){x[0]->shape[0], -1, 2});
}

static spur_node *build_flatten(spur_net *net, spur_node **x, const void *options) {
    (void)options;
    return spur_flatten(net, x[0]);
}

static spur_node *build_embedding(spur_net *net, spur_node **x, const void *options) {
    (void)options;
    return spur_embedding(net, x[0], "op", 11, 5);
}

static spur_node *build_activation(spur_net *net, spur_node **x, const void *options) {
    const activation_case *k = options;
    return spur_activation(net, x[0], k->kind, k->alpha);
}

static spur_node *build_softmax(spur_net *net, spur_node **x, const void *options) {
    return *(const bool *)options ? spur_log_softmax(net, x[0]) : spur_softmax(net, x[0]);
}

/* ---- the list ------------------------------------------------------------------------------- */

#define CONV(...) build_conv, oracle_conv2d, &(conv_case){__VA_ARGS__}, 0
#define CONV_RELU(...) build_conv_relu, oracle_conv_relu, &(conv_case){__VA_ARGS__}, 0
#define TRANSPOSE(...) build_conv_transpose, oracle_conv_transpose2d, &(conv_case){__VA_ARGS__}, 0
#define LINEAR(...) build_linear, oracle_linear, &(linear_case){__VA_ARGS__}, 0
#define NORM(...) build_norm, oracle_norm, &(norm_case){__VA_ARGS__}, 0
#define POOL(...) build_pool, oracle_pool2d, &(pool_case){__VA_ARGS__}, 0
#define ADAPTIVE(max) build_adaptive, oracle_adaptive, &(bool){max}, 0
#define GLOBAL(max) build_global, oracle_adaptive, &(bool){max}, 0
#define UPSAMPLE(...) build_upsample, oracle_upsample, &(upsample_case){__VA_ARGS__}, 0
#define CONCAT(axis) build_concat, oracle_concat, &(int){axis}, 0
#define ARITHMETIC(product) build_arithmetic, oracle_arithmetic, &(bool){product}, 0
#define BORDER(...) build_border, oracle_border, &(border_case){__VA_ARGS__}, 0
#define ACTIVATION(...) build_activation, oracle_activation, &(activation_case){__VA_ARGS__}, 0
#define SOFTMAX(log) build_softmax, oracle_softmax, &(bool){log}, 0

static const op_case op_cases[] = {
    {"conv2d 3x3", {{4, {2, 6, 7, 3}, 0}}, CONV(5, {.padding = {1, 1, 1, 1}})},
    {"conv2d 3x3, 16 to 16", {{4, {2, 8, 8, 16}, 0}}, CONV(16, {.padding = {1, 1, 1, 1}})},
    {"conv2d 1x1, no bias", {{4, {3, 4, 5, 9}, 0}}, CONV(6, {.kernel = {1}, .no_bias = true})},
    {"conv2d stride 2", {{4, {2, 9, 8, 4}, 0}}, CONV(7, {.stride = {2}, .padding = {1, 1, 1, 1}})},
    {"conv2d 5x2, stride 1x3, asymmetric padding",
     {{4, {2, 7, 8, 2}, 0}},
     CONV(3, {.kernel = {5, 2}, .stride = {1, 3}, .padding = {0, 2, 3, 1}})},
    {"conv2d dilation 2x3",
     {{4, {2, 9, 10, 3}, 0}},
     CONV(4, {.dilation = {2, 3}, .padding = {2, 3, 2, 3}})},
    {"conv2d same, stride 2",
     {{4, {2, 7, 6, 3}, 0}},
     CONV(4, {.stride = {2}, .same_padding = true})},
    {"conv2d groups", {{4, {2, 5, 6, 6}, 0}}, CONV(9, {.groups = 3, .padding = {1, 1, 1, 1}})},
    {"conv2d depthwise",
     {{4, {2, 6, 5, 10}, 0}},
     CONV(10, {.groups = 10, .padding = {1, 1, 1, 1}, .stride = {2, 1}})},
    {"conv2d depthwise, two filters each",
     {{4, {2, 5, 5, 4}, 0}},
     CONV(8, {.groups = 4, .padding = {1, 1, 1, 1}})},
    {"conv2d and relu", {{4, {2, 6, 5, 4}, 0}}, CONV_RELU(6, {.padding = {1, 1, 1, 1}})},
    {"conv2d and relu, depthwise",
     {{4, {2, 6, 5, 6}, 0}},
     CONV_RELU(6, {.padding = {1, 1, 1, 1}, .groups = 6})},
    {"conv_transpose2d 2x2 stride 2",
     {{4, {2, 4, 5, 6}, 0}},
     TRANSPOSE(3, {.kernel = {2}, .stride = {2}})},
    {"conv_transpose2d 3x3 stride 2, output padding",
     {{4, {2, 4, 3, 4}, 0}},
     TRANSPOSE(5, {.stride = {2}, .padding = {1, 1, 1, 1}, .output_padding = {1, 1}})},
    {"conv_transpose2d groups, asymmetric, dilated",
     {{4, {2, 3, 4, 4}, 0}},
     TRANSPOSE(6, {.kernel = {3, 2},
                   .stride = {1, 2},
                   .padding = {1, 0, 0, 1},
                   .groups = 2,
                   .dilation = {2, 1},
                   .no_bias = true})},
    {"linear", {{2, {5, 13}, 0}}, LINEAR(7, {0})},
    {"linear, no bias", {{2, {4, 8}, 0}}, LINEAR(16, {.no_bias = true})},
    {"linear over the last of four axes", {{4, {2, 3, 2, 6}, 0}}, LINEAR(5, {0})},
    {"linear and relu",
     {{2, {6, 9}, 0}},
     build_linear_relu,
     oracle_linear_relu,
     &(linear_case){8, {0}},
     0},
    {"batch_norm image", {{4, {3, 4, 5, 7}, 0}}, NORM({0}, 0)},
    {"batch_norm features, eps", {{2, {9, 6}, 0}}, NORM({.eps = 0.1}, 0)},
    {"batch_norm, no affine", {{4, {3, 2, 4, 8}, 0}}, NORM({.no_affine = true}, 0)},
    {"batch_norm and relu",
     {{4, {3, 4, 5, 6}, 0}},
     build_norm_relu,
     oracle_norm_relu,
     &(norm_case){{0}, 0},
     0},
    {"group_norm", {{4, {2, 3, 4, 12}, 0}}, NORM({.groups = 3}, 1)},
    {"group_norm, no affine", {{4, {2, 5, 3, 6}, 0}}, NORM({.groups = 6, .no_affine = true}, 1)},
    {"group_norm and relu",
     {{4, {2, 3, 4, 8}, 0}},
     build_norm_relu,
     oracle_norm_relu,
     &(norm_case){{.groups = 2}, 1},
     0},
    {"layer_norm", {{3, {2, 5, 11}, 0}}, NORM({0}, 2)},
    {"layer_norm, no affine", {{2, {3, 10}, 0}}, NORM({.no_affine = true}, 2)},
    {"max_pool2d", {{4, {2, 6, 8, 5}, 0}}, POOL({.kernel = {0}}, true)},
    {"max_pool2d 3x2 stride 2, padded",
     {{4, {2, 7, 6, 9}, 0}},
     POOL({.kernel = {3, 2}, .stride = {2}, .padding = {1, 1, 1, 0}}, true)},
    {"max_pool2d, ceil mode",
     {{4, {2, 6, 7, 3}, 0}},
     POOL({.kernel = {3}, .stride = {2}, .ceil_mode = true}, true)},
    {"avg_pool2d", {{4, {2, 5, 6, 4}, 0}}, POOL({.kernel = {0}}, false)},
    {"avg_pool2d, padded",
     {{4, {2, 6, 6, 3}, 0}},
     POOL({.kernel = {3}, .stride = {2, 1}, .padding = {1, 0, 1, 1}}, false)},
    {"avg_pool2d, padding excluded, ceil mode",
     {{4, {2, 6, 5, 8}, 0}},
     POOL({.kernel = {3},
           .stride = {2},
           .padding = {1, 1, 1, 1},
           .ceil_mode = true,
           .exclude_padding = true},
          false)},
    {"adaptive_avg_pool2d", {{4, {2, 7, 6, 5}, 0}}, ADAPTIVE(false)},
    {"adaptive_max_pool2d", {{4, {2, 7, 5, 4}, 0}}, ADAPTIVE(true)},
    {"global_avg_pool2d", {{4, {2, 4, 5, 6}, 0}}, GLOBAL(false)},
    {"global_max_pool2d", {{4, {2, 5, 4, 3}, 0}}, GLOBAL(true)},
    {"upsample2d nearest x2", {{4, {2, 4, 3, 5}, 0}}, UPSAMPLE(8, 6, SPUR_NEAREST)},
    {"upsample2d nearest, odd", {{4, {2, 4, 5, 3}, 0}}, UPSAMPLE(7, 3, SPUR_NEAREST)},
    {"upsample2d bilinear x2", {{4, {2, 3, 4, 6}, 0}}, UPSAMPLE(6, 8, SPUR_BILINEAR)},
    {"upsample2d bilinear, odd", {{4, {2, 5, 4, 3}, 0}}, UPSAMPLE(7, 3, SPUR_BILINEAR)},
    {"concat channels",
     {{4, {2, 3, 4, 5}, 0}, {4, {2, 3, 4, 3}, 0}, {4, {2, 3, 4, 8}, 0}},
     build_concat_last,
     oracle_concat,
     &(int){3},
     0},
    {"concat rows", {{4, {2, 3, 4, 5}, 0}, {4, {2, 1, 4, 5}, 0}}, CONCAT(1)},
    {"concat features", {{2, {3, 4}, 0}, {2, {3, 1}, 0}}, CONCAT(1)},
    {"add", {{4, {2, 3, 4, 5}, 0}, {4, {2, 3, 4, 5}, 0}}, ARITHMETIC(false)},
    {"add and relu",
     {{4, {2, 3, 4, 5}, 0}, {4, {2, 3, 4, 5}, 0}},
     build_add_relu,
     oracle_add_relu,
     &(bool){false},
     0},
    {"add and relu, broadcast",
     {{3, {2, 3, 5}, 0}, {3, {2, 1, 5}, 0}},
     build_add_relu,
     oracle_add_relu,
     &(bool){false},
     0},
    {"add to itself", {{2, {3, 7}, 0}}, ARITHMETIC(false)},
    {"add, both broadcast", {{4, {2, 1, 4, 5}, 0}, {4, {2, 3, 1, 5}, 0}}, ARITHMETIC(false)},
    {"multiply", {{3, {2, 5, 3}, 0}, {3, {2, 5, 3}, 0}}, ARITHMETIC(true)},
    {"multiply by itself", {{2, {4, 6}, 0}}, ARITHMETIC(true)},
    {"multiply by channels", {{4, {2, 3, 4, 6}, 0}, {4, {2, 1, 1, 6}, 0}}, ARITHMETIC(true)},
    {"multiply by pixels", {{4, {2, 3, 4, 1}, 0}, {4, {2, 3, 4, 7}, 0}}, ARITHMETIC(true)},
    {"scale", {{3, {2, 3, 9}, 0}}, build_scale, oracle_scale, &(double){-0.75}, 0},
    {"crop2d", {{4, {2, 6, 7, 3}, 0}}, BORDER({1, 0, 2, 3}, 0, true)},
    {"pad2d", {{4, {2, 3, 4, 5}, 0}}, BORDER({2, 1, 0, 3}, -1.5, false)},
    {"reshape", {{4, {2, 3, 4, 2}, 0}}, build_reshape, oracle_copy, NULL, 0},
    {"flatten", {{4, {3, 2, 3, 4}, 0}}, build_flatten, oracle_copy, NULL, 0},
    {"embedding", {{2, {3, 4}, 11}}, build_embedding, oracle_embedding, NULL, 0},
    {"relu", {{3, {2, 9, 5}, 0}}, ACTIVATION(SPUR_RELU, 0)},
    {"leaky_relu", {{2, {4, 19}, 0}}, ACTIVATION(SPUR_LEAKY_RELU, 0)},
    {"leaky_relu 0.2", {{2, {4, 19}, 0}}, ACTIVATION(SPUR_LEAKY_RELU, 0.2)},
    {"elu", {{2, {4, 19}, 0}}, ACTIVATION(SPUR_ELU, 0)},
    {"elu 0.5", {{2, {4, 19}, 0}}, ACTIVATION(SPUR_ELU, 0.5)},
    {"silu", {{2, {4, 19}, 0}}, ACTIVATION(SPUR_SILU, 0)},
    {"hard_swish", {{2, {8, 19}, 0}}, ACTIVATION(SPUR_HARD_SWISH, 0)},
    {"hard_sigmoid", {{2, {8, 19}, 0}}, ACTIVATION(SPUR_HARD_SIGMOID, 0)},
    {"gelu", {{2, {4, 19}, 0}}, ACTIVATION(SPUR_GELU, 0)},
    {"sigmoid", {{2, {4, 19}, 0}}, ACTIVATION(SPUR_SIGMOID, 0)},
    {"tanh", {{2, {4, 19}, 0}}, ACTIVATION(SPUR_TANH, 0)},
    {"softmax", {{3, {2, 4, 9}, 0}}, SOFTMAX(false)},
    {"log_softmax", {{2, {5, 10}, 0}}, SOFTMAX(true)},
};

enum { OP_CASES = sizeof op_cases / sizeof *op_cases };

#endif
