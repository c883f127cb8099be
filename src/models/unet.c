/* SPDX-License-Identifier: MIT
 *
 * unet: Ronneberger, Fischer, Brox 2015, with padded convolutions: `depth` levels down, each two
 * 3x3 convolutions and a 2x2 max pooling, the bottom, and as many levels up.
 */
#include <stddef.h>
#include <stdio.h>

#include "models/model.h"

typedef struct options {
    int64_t depth, base_filters, norm, up, activation;
    double dropout;
} options;

static const spur__option rows[] = {
    SPUR__ROW(INT, options, depth, "4", .min = 1, .max = 6, .help = "poolings on the way down"),
    SPUR__ROW(INT, options, base_filters, "16", .min = 1, .max = 1024,
              .help = "channels of the first level; they double at each level down"),
    SPUR__ROW(CHOICE, options, norm, "batch", .choices = SPUR__NORMS,
              .help = "after each convolution"),
    SPUR__ROW(CHOICE, options, up, "transposed", .choices = "transposed|bilinear",
              .help = "how pictures are doubled on the way up"),
    SPUR__ROW(CHOICE, options, activation, "relu", .choices = SPUR__ACTIVATIONS,
              .help = "after each norm"),
    SPUR__ROW(FLOAT, options, dropout, "0", .max = 0.999,
              .help = "share of channels left out at the bottom"),
};
static const spur__options table = SPUR__OPTIONS(rows, options);

enum { UP_TRANSPOSED };
enum { MAX_DEPTH = 6 };

/* Two convolutions with norm and activation, under the scope "<name><level>". */
static spur_node *block(spur_net *net, spur_node *x, const char *name, int filters,
                        const options *o) {
    const spur_conv2d_options same = {.padding = {1, 1, 1, 1},
                                      .no_bias = o->norm != SPUR__NORM_NONE};
    spur_push_scope(net, name);
    x = spur_conv2d(net, x, "conv1", filters, &same);
    x = spur__model_activation(net, spur__model_norm(net, x, "norm1", o->norm), o->activation);
    x = spur_conv2d(net, x, "conv2", filters, &same);
    x = spur__model_activation(net, spur__model_norm(net, x, "norm2", o->norm), o->activation);
    spur_pop_scope(net);
    return x;
}

/* One level up: doubled, joined with the skip, two convolutions. */
static spur_node *climb(spur_net *net, spur_node *x, spur_node *skip, int level, int filters,
                        const options *o) {
    char name[32];
    if (!x || !skip) return NULL;
    if (o->up == UP_TRANSPOSED) {
        snprintf(name, sizeof name, "up%d", level);
        x = spur_conv_transpose2d(net, x, name, filters,
                                  &(spur_conv2d_options){.kernel = {2}, .stride = {2}});
    } else {
        const int64_t *shape = spur_node_shape(skip);
        x = spur_upsample2d(net, x, (int)shape[1], (int)shape[2], SPUR_BILINEAR);
    }
    spur_node *both[] = {skip, x};
    snprintf(name, sizeof name, "merge%d", level);
    return block(net, spur_concat(net, both, 2, -1), name, filters, o);
}

/* What is missing to a multiple of `step`. */
static int missing(int64_t size, int64_t step) {
    return (int)((step - size % step) % step);
}

static spur_node *build(spur_net *net, spur_node *x, int classes, const void *given) {
    const options *o = given;
    const int depth = (int)o->depth;
    const int64_t *shape = spur_node_shape(x);
    const int64_t step = (int64_t)1 << depth;
    const int extra[4] = {0, 0, missing(shape[1], step), missing(shape[2], step)};
    const bool padded = extra[2] > 0 || extra[3] > 0;
    spur_node *skips[MAX_DEPTH];
    char name[32];
    if (padded) x = spur_pad2d(net, x, extra, 0);
    for (int level = 1; level <= depth; level++) {
        snprintf(name, sizeof name, "down%d", level);
        skips[level - 1] = block(net, x, name, (int)o->base_filters << (level - 1), o);
        x = spur_max_pool2d(net, skips[level - 1], NULL);
    }
    x = block(net, x, "bottom", (int)o->base_filters << depth, o);
    if (o->dropout > 0) x = spur_dropout2d(net, x, o->dropout);
    for (int level = depth; level >= 1; level--)
        x = climb(net, x, skips[level - 1], level, (int)o->base_filters << (level - 1), o);
    x = spur_conv2d(net, x, "head", classes, &(spur_conv2d_options){.kernel = {1}});
    return padded ? spur_crop2d(net, x, extra) : x;
}

const spur__model_kind spur__model_unet = {
    .kind = {"unet", "encoder and decoder with skips, logits for every pixel", &table},
    .head = "head",
    .per_pixel = true,
    .input_rank = 4,
    .build = build,
};
