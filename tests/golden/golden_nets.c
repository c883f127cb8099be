/* SPDX-License-Identifier: MIT
 *
 * The nets of make_golden.py; see golden_nets.h.
 */
#include "golden_nets.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <spur/loss.h>
#include <spur/models.h>
#include "golden.h"

static const struct recipe {
    const char *name, *model, *options;
    int rank;
    int64_t shape[4]; /* NHWC, or [n][features] */
    int classes;
    bool per_pixel;
} recipes[] = {
    {"mlp", "mlp", "layers=2 width=32 activation=tanh", 2, {16, 20}, 5, false},
    {"my_net", "my_net", "dropout=0", 4, {4, 24, 24, 3}, 10, false},
    {"unet", "unet", "depth=2 base_filters=4", 4, {2, 22, 30, 3}, 4, true},
    {"unet_bilinear",
     "unet",
     "depth=2 base_filters=8 norm=group up=bilinear",
     4,
     {2, 20, 24, 1},
     3,
     true},
    {"unet_plain",
     "unet",
     "depth=1 base_filters=4 norm=none activation=elu",
     4,
     {2, 9, 14, 3},
     2,
     true},
    {"cnn", "cnn", "filters=6,8 convs=2 activation=silu", 4, {4, 14, 12, 3}, 5, false},
    {"cnn_plain",
     "cnn",
     "filters=6,8 kernel=5 norm=none activation=gelu pool=avg join=flatten hidden=10",
     4,
     {4, 12, 12, 3},
     4,
     false},
    {"residual", NULL, NULL, 4, {4, 16, 16, 3}, 6, false},
    {"resnet18", "resnet18", "stem=small", 4, {2, 32, 32, 3}, 6, false},
    {"unet_resnet", "unet_resnet18", "decoder_filters=64", 4, {4, 40, 33, 3}, 3, true},
    {"deeplabv3", "deeplabv3_resnet50", "output_stride=16 dropout=0", 4, {4, 33, 50, 3}, 3, true},
    {"mobilenet", "mobilenet_v3_small", "stem=small dropout=0", 4, {4, 40, 48, 3}, 6, false},
    {"efficientnet",
     "efficientnet_b0",
     "stem=small dropout=0 stochastic_depth=0",
     4,
     {4, 40, 48, 3},
     6,
     false},
};

/* ---- the small residual net ------------------------------------------------------------------------- */

static spur_node *conv(spur_net *net, spur_node *x, const char *name, int filters, int kernel,
                       int stride) {
    int pad = kernel / 2;
    return spur_conv2d(net, x, name, filters,
                       &(spur_conv2d_options){.kernel = {kernel},
                                              .stride = {stride},
                                              .padding = {pad, pad, pad, pad},
                                              .no_bias = true});
}

/* BasicBlock of make_golden.py, under "<scope>.0". */
static spur_node *block(spur_net *net, spur_node *x, const char *scope, int filters, int stride) {
    spur_node *way = x;
    spur_push_scope(net, scope);
    spur_push_scope(net, "0");
    spur_node *y = spur_batch_norm(net, conv(net, x, "conv1", filters, 3, stride), "bn1", NULL);
    y = spur_batch_norm(net, conv(net, spur_relu(net, y), "conv2", filters, 3, 1), "bn2", NULL);
    if (stride != 1) {
        spur_push_scope(net, "downsample");
        way = spur_batch_norm(net, conv(net, x, "0", filters, 1, stride), "1", NULL);
        spur_pop_scope(net);
    }
    spur_pop_scope(net);
    spur_pop_scope(net);
    return spur_relu(net, spur_add(net, y, way));
}

static spur_node *residual(spur_net *net, spur_node *x, int classes) {
    x = spur_relu(net, spur_batch_norm(net, conv(net, x, "conv1", 16, 3, 1), "bn1", NULL));
    x = block(net, block(net, x, "layer1", 16, 1), "layer2", 32, 2);
    return spur_linear(net, spur_global_avg_pool2d(net, x), "fc", classes, NULL);
}

static const struct recipe *find(const char *name) {
    for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++)
        if (strcmp(recipes[i].name, name) == 0) return &recipes[i];
    fail_msg("no net '%s'", name);
    return NULL;
}

static bool ends_in(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* fill() of make_golden.py. */
static void fill_param(spur_param *p) {
    float *values = malloc(p->count * sizeof(float));
    int64_t fan_in = p->rank > 1 ? p->shape[1] : 1;
    for (int i = 2; i < p->rank; i++) fan_in *= p->shape[i];
    if (p->rank > 1)
        golden_numbers(p->name, p->count, 2 * sqrt(6.0 / (double)fan_in), 0, values);
    else if (ends_in(p->name, "bn3.weight"))
        golden_numbers(p->name, p->count, 0.1, 0.2, values);
    else if (ends_in(p->name, "weight"))
        golden_numbers(p->name, p->count, 0.5, 1, values);
    else
        golden_numbers(p->name, p->count, 0.2, 0, values);
    spur_param_import(p, values);
    free(values);
}

/* The input of make_golden.py, which is NCHW, as NHWC. */
static void fill_input(const struct recipe *r, float *out) {
    size_t count = 1;
    for (int i = 0; i < r->rank; i++) count *= (size_t)r->shape[i];
    float *values = malloc(count * sizeof(float));
    golden_numbers("input", count, 2, 0, values);
    if (r->rank == 2) {
        memcpy(out, values, count * sizeof(float));
    } else {
        size_t pixels = (size_t)(r->shape[1] * r->shape[2]), c = (size_t)r->shape[3];
        for (size_t n = 0; n < (size_t)r->shape[0]; n++)
            for (size_t k = 0; k < c; k++)
                for (size_t i = 0; i < pixels; i++)
                    out[(n * pixels + i) * c + k] = values[(n * c + k) * pixels + i];
    }
    free(values);
}

golden_net golden_net_make(const char *name, spur_conv_algorithm conv, int threads) {
    const struct recipe *r = find(name);
    spur_error err = {0};
    golden_net n = {.name = name, .classes = r->classes, .n = r->shape[0], .h = 1, .w = 1};
    n.net = spur_net_create(&(spur_net_options){.threads = threads, .conv = conv});
    n.x = spur_input(n.net, "x", SPUR_FLOAT32, r->rank, r->shape);
    n.y = spur_input(n.net, "y", SPUR_INT32, r->per_pixel ? 3 : 1, r->shape);
    n.logits = r->model ? spur_model(n.net, r->model, n.x, r->classes, r->options, &err)
                        : residual(n.net, n.x, r->classes);
    if (!n.logits) fail_msg("%s", err.message);
    spur_keep(n.net, n.logits);
    if (spur_net_build(n.net, spur_cross_entropy(n.net, n.logits, n.y, NULL), &err) != SPUR_OK)
        fail_msg("%s", err.message);
    if (r->per_pixel) {
        n.h = r->shape[1];
        n.w = r->shape[2];
    }
    n.rows = n.n * n.h * n.w;
    for (int i = 0; i < spur_net_param_count(n.net); i++)
        if (spur_net_param(n.net, i)->gradient) fill_param(spur_net_param(n.net, i));
    fill_input(r, spur_node_data(n.x));
    golden_labels("labels", (size_t)n.rows, r->classes, spur_node_data_int(n.y));
    return n;
}

void golden_net_free(golden_net *n) {
    spur_net_destroy(n->net);
}

void golden_net_logits(const golden_net *n, float *out) {
    const float *values = spur_node_data(n->logits);
    size_t pixels = (size_t)(n->h * n->w), c = (size_t)n->classes;
    for (size_t i = 0; i < (size_t)n->n; i++)
        for (size_t p = 0; p < pixels; p++)
            for (size_t k = 0; k < c; k++)
                out[(i * c + k) * pixels + p] = values[(i * pixels + p) * c + k];
}
