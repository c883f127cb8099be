/* SPDX-License-Identifier: MIT
 *
 * cnn: a stack of blocks (convolution, norm, activation, pooling), then the mean over the picture or
 * a flattening, an optional hidden layer, and the head.
 */
#include <stddef.h>
#include <stdio.h>

#include "models/model.h"

typedef struct options {
    spur__ints filters;
    int64_t kernel, convs, norm, activation, pool, join, hidden;
    double dropout;
} options;

static const spur__option rows[] = {
    SPUR__ROW(INTS, options, filters, "32, 64, 128", .min = 1, .max = 65536,
              .help = "output channels of each block"),
    SPUR__ROW(INT, options, kernel, "3", .min = 1, .max = 31, .unit = "pixels",
              .help = "side of the kernels; the padding keeps the size"),
    SPUR__ROW(INT, options, convs, "1", .min = 1, .max = 8, .help = "convolutions per block"),
    SPUR__ROW(CHOICE, options, norm, "batch", .choices = SPUR__NORMS,
              .help = "after each convolution"),
    SPUR__ROW(CHOICE, options, activation, "relu", .choices = SPUR__ACTIVATIONS,
              .help = "after each norm"),
    SPUR__ROW(CHOICE, options, pool, "max", .choices = "max|avg|none",
              .help = "2x2 pooling at the end of each block"),
    SPUR__ROW(CHOICE, options, join, "mean", .choices = "mean|flatten",
              .help = "how the last picture becomes a row of numbers"),
    SPUR__ROW(INT, options, hidden, "0", .max = 1e6, .unit = "units",
              .help = "units of a hidden layer before the head; 0: none"),
    SPUR__ROW(FLOAT, options, dropout, "0", .max = 0.999,
              .help = "share of units left out before the head"),
};
static const spur__options table = SPUR__OPTIONS(rows, options);

enum { POOL_MAX, POOL_AVG };
enum { JOIN_MEAN };

static spur_node *block(spur_net *net, spur_node *x, int filters, const options *o) {
    const spur_conv2d_options same = {
        .kernel = {(int)o->kernel}, .same_padding = true, .no_bias = o->norm != SPUR__NORM_NONE};
    char name[32];
    for (int64_t i = 1; i <= o->convs; i++) {
        snprintf(name, sizeof name, "conv%lld", (long long)i);
        x = spur_conv2d(net, x, name, filters, &same);
        snprintf(name, sizeof name, "norm%lld", (long long)i);
        x = spur__model_norm(net, x, name, o->norm);
        x = spur__model_activation(net, x, o->activation);
    }
    if (o->pool == POOL_MAX) return spur_max_pool2d(net, x, NULL);
    return o->pool == POOL_AVG ? spur_avg_pool2d(net, x, NULL) : x;
}

static spur_node *build(spur_net *net, spur_node *x, int classes, const void *given) {
    const options *o = given;
    char name[32];
    for (size_t i = 0; i < o->filters.count; i++) {
        snprintf(name, sizeof name, "block%zu", i + 1);
        spur_push_scope(net, name);
        x = block(net, x, (int)o->filters.values[i], o);
        spur_pop_scope(net);
    }
    x = o->join == JOIN_MEAN ? spur_global_avg_pool2d(net, x) : spur_flatten(net, x);
    if (o->hidden > 0) {
        x = spur_linear(net, x, "hidden", (int)o->hidden, NULL);
        x = spur__model_activation(net, x, o->activation);
    }
    if (o->dropout > 0) x = spur_dropout(net, x, o->dropout);
    return spur_linear(net, x, "head", classes, NULL);
}

const spur__model_kind spur__model_cnn = {
    .kind = {"cnn", "a configurable stack of convolutions", &table},
    .head = "head",
    .input_rank = 4,
    .build = build,
};
