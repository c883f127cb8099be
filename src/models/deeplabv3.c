/* SPDX-License-Identifier: MIT
 *
 * deeplabv3_resnet50, deeplabv3_resnet101 (Chen, Papandreou, Schroff, Adam, "Rethinking Atrous
 * Convolution for Semantic Image Segmentation", 2017): a residual net that dilates where it would
 * stride, a pyramid of dilated convolutions, and bilinear upsampling to the input's size. Names are
 * torchvision's: backbone.conv1, .., classifier.0.convs.0.0, .., classifier.4, without its auxiliary
 * classifier.
 */
#include <stddef.h>

#include "models/blocks.h"
#include "models/model.h"
#include "models/resnet.h"

typedef struct options {
    int64_t output_stride;
    double dropout;
} options;

static const spur__option rows[] = {
    SPUR__ROW(
        CHOICE, options, output_stride, "8", .choices = "8|16",
        .help =
            "how much smaller than the picture the features are: 8, with dilations of 12, 24 and 36 "
            "in the pyramid, as torchvision, or 16, with half of these, more than twice as fast"),
    SPUR__ROW(FLOAT, options, dropout, "0.5", .max = 0.999,
              .help = "share of values left out behind the pyramid"),
};
static const spur__options table = SPUR__OPTIONS(rows, options);

enum { FILTERS = 256, BRANCHES = 5 };

/* "<number>", "<number + 1>" and a ReLU, under the open scope. */
static spur_node *conv(spur_net *net, spur_node *x, int number, int kernel, int dilation) {
    const int pad = dilation * (kernel / 2);
    const spur_conv2d_options o = {.kernel = {kernel},
                                   .dilation = {dilation},
                                   .padding = {pad, pad, pad, pad},
                                   .no_bias = true};
    char name[2] = {(char)('0' + number)}, norm[2] = {(char)('1' + number)};
    return spur_relu(net, spur_batch_norm(net, spur_conv2d(net, x, name, FILTERS, &o), norm, NULL));
}

/* The branch that sees the mean over the picture. */
static spur_node *mean(spur_net *net, spur_node *x) {
    const int64_t *shape = spur_node_shape(x);
    spur_node *y = conv(net, spur_adaptive_avg_pool2d(net, x, 1, 1), 1, 1, 1);
    return spur_upsample2d(net, y, (int)shape[1], (int)shape[2], SPUR_BILINEAR);
}

/* Atrous spatial pyramid pooling: `unit` dilations of 1, 2 and 3 times, a 1x1 convolution, the mean. */
static spur_node *pyramid(spur_net *net, spur_node *x, int unit, double dropout) {
    spur_node *branches[BRANCHES];
    spur_push_scope(net, "convs");
    for (int i = 0; i < BRANCHES; i++) {
        spur__push_number(net, i);
        if (i == BRANCHES - 1)
            branches[i] = mean(net, x);
        else
            branches[i] = conv(net, x, 0, i ? 3 : 1, i ? i * unit : 1);
        spur_pop_scope(net);
    }
    spur_pop_scope(net);
    spur_push_scope(net, "project");
    x = conv(net, spur_concat(net, branches, BRANCHES, -1), 0, 1, 1);
    spur_pop_scope(net);
    return dropout > 0 ? spur_dropout(net, x, dropout) : x;
}

static spur_node *build(spur_net *net, spur_node *x, int classes, const options *o,
                        const spur__resnet *kind) {
    const int64_t *shape = spur_node_shape(x);
    const int stride = o->output_stride ? 16 : 8;
    spur_node *levels[SPUR__RESNET_LEVELS];
    spur__resnet r = *kind;
    r.output_stride = stride;
    spur_push_scope(net, "backbone");
    spur__resnet_levels(net, x, &r, levels);
    spur_pop_scope(net);
    if (!levels[SPUR__RESNET_LEVELS - 1]) return NULL;
    spur_push_scope(net, "classifier");
    spur_push_scope(net, "0");
    x = pyramid(net, levels[SPUR__RESNET_LEVELS - 1], 96 / stride, o->dropout);
    spur_pop_scope(net);
    x = conv(net, x, 1, 3, 1);
    x = spur_conv2d(net, x, "4", classes, &(spur_conv2d_options){.kernel = {1}});
    spur_pop_scope(net);
    return spur_upsample2d(net, x, (int)shape[1], (int)shape[2], SPUR_BILINEAR);
}

#define DEEPLAB(layers_)                                                                           \
    static spur_node *build##layers_(spur_net *net, spur_node *x, int classes, const void *o) {    \
        return build(net, x, classes, o, &spur__resnet_##layers_);                                 \
    }                                                                                              \
    const spur__model_kind spur__model_deeplabv3_resnet##layers_ = {                               \
        .kind = {"deeplabv3_resnet" #layers_,                                                      \
                 "pyramid of dilated convolutions on resnet" #layers_, &table},                    \
        .head = "classifier.4",                                                                    \
        .encoder = "backbone",                                                                     \
        .encoder_head = "fc",                                                                      \
        .ignored = "aux_classifier",                                                               \
        .per_pixel = true,                                                                         \
        .input_rank = 4,                                                                           \
        .build = build##layers_,                                                                   \
    }

DEEPLAB(50);
DEEPLAB(101);
