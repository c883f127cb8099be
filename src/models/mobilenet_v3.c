/* SPDX-License-Identifier: MIT
 *
 * mobilenet_v3_small and mobilenet_v3_large (Howard et al., "Searching for MobileNetV3", ICCV 2019,
 * tables 1 and 2), with torchvision's names: features.0.0, features.0.1, features.1.block.0.0, ..,
 * classifier.0, classifier.3.
 */
#include <stddef.h>

#include "models/blocks.h"
#include "models/model.h"

typedef struct options {
    int64_t stem;
    double dropout;
} options;

static const spur__option rows[] = {
    SPUR__ROW(
        CHOICE, options, stem, "imagenet", .choices = "imagenet|small",
        .help =
            "imagenet: the first convolution halves the picture, as torchvision's; small: it does "
            "not, for pictures of 32 pixels or so"),
    SPUR__ROW(FLOAT, options, dropout, "0.2", .max = 0.999,
              .help = "share of units left out before the last layer"),
};
static const spur__options table = SPUR__OPTIONS(rows, options);

/* A row of the paper's tables. */
typedef struct bottleneck {
    int kernel, expanded, out;
    bool squeeze, hard_swish;
    int stride;
} bottleneck;

static const bottleneck large_blocks[] = {
    {3, 16, 16, false, false, 1}, {3, 64, 24, false, false, 2}, {3, 72, 24, false, false, 1},
    {5, 72, 40, true, false, 2},  {5, 120, 40, true, false, 1}, {5, 120, 40, true, false, 1},
    {3, 240, 80, false, true, 2}, {3, 200, 80, false, true, 1}, {3, 184, 80, false, true, 1},
    {3, 184, 80, false, true, 1}, {3, 480, 112, true, true, 1}, {3, 672, 112, true, true, 1},
    {5, 672, 160, true, true, 2}, {5, 960, 160, true, true, 1}, {5, 960, 160, true, true, 1},
};
static const bottleneck small_blocks[] = {
    {3, 16, 16, true, false, 2}, {3, 72, 24, false, false, 2}, {3, 88, 24, false, false, 1},
    {5, 96, 40, true, true, 2},  {5, 240, 40, true, true, 1},  {5, 240, 40, true, true, 1},
    {5, 120, 48, true, true, 1}, {5, 144, 48, true, true, 1},  {5, 288, 96, true, true, 2},
    {5, 576, 96, true, true, 1}, {5, 576, 96, true, true, 1},
};

static const spur_norm_options norm = {.eps = 0.001, .momentum = 0.01};

static spur_node *activate(spur_net *net, spur_node *x, bool hard_swish) {
    return spur_activation(net, x, hard_swish ? SPUR_HARD_SWISH : SPUR_RELU, 0);
}

static spur_node *block(spur_net *net, spur_node *x, const bottleneck *b) {
    spur_node *y = x;
    int number = 0, in = spur__channels_or_one(x);
    spur_push_scope(net, "block");
    if (b->expanded != in) {
        y = spur__conv_norm(net, y, number++, b->expanded, &(spur_conv2d_options){.kernel = {1}},
                            &norm);
        y = activate(net, y, b->hard_swish);
    }
    y = spur__conv_norm(
        net, y, number++, b->expanded,
        &(spur_conv2d_options){.kernel = {b->kernel}, .stride = {b->stride}, .groups = b->expanded},
        &norm);
    y = activate(net, y, b->hard_swish);
    if (b->squeeze)
        y = spur__excite(net, y, number++,
                         &(spur__excitation){spur__multiple_of_8(b->expanded / 4), SPUR_RELU,
                                             SPUR_HARD_SIGMOID});
    y = spur__conv_norm(net, y, number, b->out, &(spur_conv2d_options){.kernel = {1}}, &norm);
    spur_pop_scope(net);
    return b->stride == 1 && b->out == in ? spur_add(net, x, y) : y;
}

static spur_node *build(spur_net *net, spur_node *x, int classes, const options *o,
                        const bottleneck *blocks, int count, int last) {
    int stride = o->stem == 0 ? 2 : 1;
    spur_push_scope(net, "features");
    x = spur__conv_norm(net, x, 0, 16, &(spur_conv2d_options){.kernel = {3}, .stride = {stride}},
                        &norm);
    x = activate(net, x, true);
    for (int i = 0; i < count && x; i++) {
        spur__push_number(net, i + 1);
        x = block(net, x, &blocks[i]);
        spur_pop_scope(net);
    }
    x = spur__conv_norm(net, x, count + 1, 6 * blocks[count - 1].out,
                        &(spur_conv2d_options){.kernel = {1}}, &norm);
    spur_pop_scope(net);
    x = spur_global_avg_pool2d(net, activate(net, x, true));
    spur_push_scope(net, "classifier");
    x = activate(net, spur_linear(net, x, "0", last, NULL), true);
    if (o->dropout > 0) x = spur_dropout(net, x, o->dropout);
    x = spur_linear(net, x, "3", classes, NULL);
    spur_pop_scope(net);
    return x;
}

static spur_node *build_small(spur_net *net, spur_node *x, int classes, const void *o) {
    return build(net, x, classes, o, small_blocks, sizeof small_blocks / sizeof small_blocks[0],
                 1024);
}

static spur_node *build_large(spur_net *net, spur_node *x, int classes, const void *o) {
    return build(net, x, classes, o, large_blocks, sizeof large_blocks / sizeof large_blocks[0],
                 1280);
}

const spur__model_kind spur__model_mobilenet_v3_small = {
    .kind = {"mobilenet_v3_small", "depthwise net for small machines", &table},
    .head = "classifier.3",
    .input_rank = 4,
    .build = build_small,
};
const spur__model_kind spur__model_mobilenet_v3_large = {
    .kind = {"mobilenet_v3_large", "mobilenet_v3_small made wider and deeper", &table},
    .head = "classifier.3",
    .input_rank = 4,
    .build = build_large,
};
