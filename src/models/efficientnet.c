/* SPDX-License-Identifier: MIT
 *
 * efficientnet_b0 to efficientnet_b7 (Tan and Le, "EfficientNet: Rethinking Model Scaling for
 * Convolutional Neural Networks", ICML 2019, table 1 and the compound scaling of section 3), with
 * torchvision's names: features.0.0, features.0.1, features.1.0.block.0.0, .., classifier.1.
 */
#include <math.h>
#include <stddef.h>

#include "models/blocks.h"
#include "models/model.h"

typedef struct options {
    int64_t stem;
    double dropout, stochastic_depth;
} options;

#define ROWS(its_dropout)                                                                          \
    {                                                                                              \
        SPUR__ROW(                                                                                 \
            CHOICE, options, stem, "imagenet", .choices = "imagenet|small",                        \
            .help =                                                                                \
                "imagenet: the first convolution halves the picture, as torchvision's; small: "    \
                "it does not, for pictures of 32 pixels or so"),                                   \
            SPUR__ROW(FLOAT, options, dropout, its_dropout, .max = 0.999,                          \
                      .help = "share of units left out before the last layer"),                    \
            SPUR__ROW(                                                                             \
                FLOAT, options, stochastic_depth, "0.2", .max = 0.999,                             \
                .help = "share of samples that skip a residual block: grows from 0 at the first "  \
                        "block towards this at the last"),                                         \
    }

static const spur__option rows_02[] = ROWS("0.2"), rows_03[] = ROWS("0.3"), rows_04[] = ROWS("0.4"),
                          rows_05[] = ROWS("0.5");
static const spur__options table_02 = SPUR__OPTIONS(rows_02, options),
                           table_03 = SPUR__OPTIONS(rows_03, options),
                           table_04 = SPUR__OPTIONS(rows_04, options),
                           table_05 = SPUR__OPTIONS(rows_05, options);

/* A row of the paper's table 1: the net b0. */
typedef struct stage {
    int expansion, kernel, stride, out, blocks;
} stage;

enum { STAGES = 7 };
static const stage stages[STAGES] = {
    {1, 3, 1, 16, 1},  {6, 3, 2, 24, 2},  {6, 5, 2, 40, 2},  {6, 3, 2, 80, 3},
    {6, 5, 1, 112, 3}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1},
};

/* How b0 is widened and deepened. */
typedef struct scaling {
    double width, depth;
    const spur_norm_options *norm; /* or NULL: the defaults */
} scaling;

static int width_of(const scaling *s, int channels) {
    return spur__multiple_of_8(channels * s->width);
}

static int depth_of(const scaling *s, int blocks) {
    return (int)ceil(blocks * s->depth);
}

static int all_blocks(const scaling *s) {
    int count = 0;
    for (int i = 0; i < STAGES; i++) count += depth_of(s, stages[i].blocks);
    return count;
}

/* An inverted residual with squeeze and excitation; `skipped`: share of samples that leave it out. */
static spur_node *block(spur_net *net, spur_node *x, const stage *b, const scaling *s,
                        double skipped) {
    int number = 0, in = spur__channels_or_one(x), expanded = in * b->expansion;
    int squeezed = in / 4 > 0 ? in / 4 : 1;
    spur_node *y = x;
    spur_push_scope(net, "block");
    if (b->expansion != 1) {
        y = spur__conv_norm(net, y, number++, expanded, &(spur_conv2d_options){.kernel = {1}},
                            s->norm);
        y = spur_activation(net, y, SPUR_SILU, 0);
    }
    y = spur__conv_norm(
        net, y, number++, expanded,
        &(spur_conv2d_options){.kernel = {b->kernel}, .stride = {b->stride}, .groups = expanded},
        s->norm);
    y = spur_activation(net, y, SPUR_SILU, 0);
    y = spur__excite(net, y, number++, &(spur__excitation){squeezed, SPUR_SILU, SPUR_SIGMOID});
    y = spur__conv_norm(net, y, number, b->out, &(spur_conv2d_options){.kernel = {1}}, s->norm);
    spur_pop_scope(net);
    if (b->stride != 1 || b->out != in) return y;
    if (skipped > 0) y = spur_stochastic_depth(net, y, skipped);
    return spur_add(net, x, y);
}

static spur_node *build(spur_net *net, spur_node *x, int classes, const options *o,
                        const scaling *s) {
    int stride = o->stem == 0 ? 2 : 1, at = 0, all = all_blocks(s);
    spur_push_scope(net, "features");
    x = spur__conv_norm(net, x, 0, width_of(s, 32),
                        &(spur_conv2d_options){.kernel = {3}, .stride = {stride}}, s->norm);
    x = spur_activation(net, x, SPUR_SILU, 0);
    for (int i = 0; i < STAGES; i++) {
        stage b = stages[i];
        int count = depth_of(s, b.blocks);
        b.out = width_of(s, b.out);
        spur__push_number(net, i + 1);
        for (int k = 0; k < count && x; k++, at++) {
            spur__push_number(net, k);
            x = block(net, x, &b, s, o->stochastic_depth * at / all);
            spur_pop_scope(net);
            b.stride = 1;
        }
        spur_pop_scope(net);
    }
    x = spur__conv_norm(net, x, STAGES + 1, 4 * spur__channels_or_one(x),
                        &(spur_conv2d_options){.kernel = {1}}, s->norm);
    spur_pop_scope(net);
    x = spur_global_avg_pool2d(net, spur_activation(net, x, SPUR_SILU, 0));
    if (o->dropout > 0) x = spur_dropout(net, x, o->dropout);
    return spur_linear(net, x, "classifier.1", classes, NULL);
}

/* From b5 on, as in torchvision. */
static const spur_norm_options like_tensorflow = {.eps = 0.001, .momentum = 0.01};

#define VARIANT(b, what, options_table, ...)                                                       \
    static spur_node *build_##b(spur_net *net, spur_node *x, int classes, const void *o) {         \
        return build(net, x, classes, o, &(scaling){__VA_ARGS__});                                 \
    }                                                                                              \
    const spur__model_kind spur__model_efficientnet_##b = {                                        \
        .kind = {"efficientnet_" #b, what, &options_table},                                        \
        .head = "classifier.1",                                                                    \
        .input_rank = 4,                                                                           \
        .build = build_##b,                                                                        \
    };

VARIANT(b0, "inverted residuals with attention to channels, 5.3 million weights", table_02, 1, 1,
        NULL)
VARIANT(b1, "a deeper efficientnet_b0: 7.8 million weights", table_02, 1, 1.1, NULL)
VARIANT(b2, "a larger efficientnet_b0: 9.1 million weights", table_03, 1.1, 1.2, NULL)
VARIANT(b3, "a larger efficientnet_b0: 12 million weights", table_03, 1.2, 1.4, NULL)
VARIANT(b4, "a larger efficientnet_b0: 19 million weights", table_04, 1.4, 1.8, NULL)
VARIANT(b5, "a larger efficientnet_b0: 30 million weights", table_04, 1.6, 2.2, &like_tensorflow)
VARIANT(b6, "a larger efficientnet_b0: 43 million weights", table_05, 1.8, 2.6, &like_tensorflow)
VARIANT(b7, "a larger efficientnet_b0: 66 million weights", table_05, 2.0, 3.1, &like_tensorflow)
