/* SPDX-License-Identifier: MIT
 *
 * resnet18 to resnet152 (He, Zhang, Ren, Sun 2016), with torchvision's names: those of resnet.h, and
 * fc. Convolutions start from He's normal distribution over their inputs; torchvision takes that over
 * the outputs.
 */
#include "models/resnet.h"

#include <stddef.h>
#include <stdio.h>

#include "models/blocks.h"
#include "models/model.h"

const spur__resnet spur__resnet_18 = {.blocks = {2, 2, 2, 2}};
const spur__resnet spur__resnet_34 = {.blocks = {3, 4, 6, 3}};
const spur__resnet spur__resnet_50 = {.blocks = {3, 4, 6, 3}, .bottleneck = true};
const spur__resnet spur__resnet_101 = {.blocks = {3, 4, 23, 3}, .bottleneck = true};
const spur__resnet spur__resnet_152 = {.blocks = {3, 8, 36, 3}, .bottleneck = true};

/* How a block's 3x3 convolution (basic blocks: the first) looks at its input. */
typedef struct step {
    int stride, dilation;
} step;

static spur_node *conv(spur_net *net, spur_node *x, const char *name, int filters, int kernel,
                       step s) {
    int pad = s.dilation * (kernel / 2);
    return spur_conv2d(net, x, name, filters,
                       &(spur_conv2d_options){.kernel = {kernel},
                                              .stride = {s.stride},
                                              .dilation = {s.dilation},
                                              .padding = {pad, pad, pad, pad},
                                              .no_bias = true,
                                              .init = SPUR_INIT_HE_NORMAL});
}

/* torchvision's BasicBlock, before the addition. */
static spur_node *basic(spur_net *net, spur_node *x, int filters, step s) {
    const step unit = {1, 1};
    x = conv(net, x, "conv1", filters, 3, s);
    x = spur_relu(net, spur_batch_norm(net, x, "bn1", NULL));
    return spur_batch_norm(net, conv(net, x, "conv2", filters, 3, unit), "bn2", NULL);
}

/* torchvision's Bottleneck, before the addition: the 3x3 convolution strides, not the first one. */
static spur_node *bottleneck(spur_net *net, spur_node *x, int filters, step s) {
    const step unit = {1, 1};
    x = conv(net, x, "conv1", filters, 1, unit);
    x = spur_relu(net, spur_batch_norm(net, x, "bn1", NULL));
    x = spur_relu(net, spur_batch_norm(net, conv(net, x, "conv2", filters, 3, s), "bn2", NULL));
    return spur_batch_norm(net, conv(net, x, "conv3", 4 * filters, 1, unit), "bn3", NULL);
}

static spur_node *block(spur_net *net, spur_node *x, const spur__resnet *r, int filters, step s) {
    const int outputs = r->bottleneck ? 4 * filters : filters;
    spur_node *way = x;
    spur_node *y = r->bottleneck ? bottleneck(net, x, filters, s) : basic(net, x, filters, s);
    if (s.stride != 1 || spur__channels_or_one(x) != outputs) {
        const step to = {s.stride, 1};
        spur_push_scope(net, "downsample");
        way = spur_batch_norm(net, conv(net, x, "0", outputs, 1, to), "1", NULL);
        spur_pop_scope(net);
    }
    return spur_relu(net, spur_add(net, y, way));
}

/* layer<number>. Where it dilates in place of striding, its first block still sees the dilation of
 * the layer before (Chen et al., "Rethinking Atrous Convolution", 2017, as torchvision has it). */
static spur_node *layer(spur_net *net, spur_node *x, const spur__resnet *r, int number,
                        int *dilation) {
    step s = {number > 1 ? 2 : 1, *dilation};
    char name[16];
    if (r->output_stride && r->output_stride < 2 << number) {
        *dilation *= s.stride;
        s.stride = 1;
    }
    snprintf(name, sizeof name, "layer%d", number);
    spur_push_scope(net, name);
    for (int i = 0; i < r->blocks[number - 1]; i++) {
        spur__push_number(net, i);
        x = block(net, x, r, 32 << number, s);
        spur_pop_scope(net);
        s = (step){1, *dilation};
    }
    spur_pop_scope(net);
    return x;
}

void spur__resnet_levels(spur_net *net, spur_node *x, const spur__resnet *r,
                         spur_node *levels[SPUR__RESNET_LEVELS]) {
    const step stem = {r->small_stem ? 1 : 2, 1};
    int dilation = 1;
    x = conv(net, x, "conv1", 64, r->small_stem ? 3 : 7, stem);
    levels[0] = x = spur_relu(net, spur_batch_norm(net, x, "bn1", NULL));
    if (!r->small_stem)
        x = spur_max_pool2d(
            net, x, &(spur_pool2d_options){.kernel = {3}, .stride = {2}, .padding = {1, 1, 1, 1}});
    for (int i = 1; i < SPUR__RESNET_LEVELS; i++) levels[i] = x = layer(net, x, r, i, &dilation);
}

/* ---- the classifiers ----------------------------------------------------------------------------- */

typedef struct options {
    int64_t stem;
} options;

static const spur__option rows[] = {
    SPUR__ROW(
        CHOICE, options, stem, "imagenet", .choices = "imagenet|small",
        .help =
            "imagenet: 7x7 stride 2 and pooling, as torchvision; small: 3x3, for pictures of 32 "
            "pixels or so"),
};
static const spur__options table = SPUR__OPTIONS(rows, options);

static spur_node *build(spur_net *net, spur_node *x, int classes, const options *o,
                        const spur__resnet *kind) {
    spur_node *levels[SPUR__RESNET_LEVELS];
    spur__resnet r = *kind;
    r.small_stem = o->stem != 0;
    spur__resnet_levels(net, x, &r, levels);
    x = spur_global_avg_pool2d(net, levels[SPUR__RESNET_LEVELS - 1]);
    return spur_linear(net, x, "fc", classes, NULL);
}

#define CLASSIFIER(layers_)                                                                        \
    static spur_node *build##layers_(spur_net *net, spur_node *x, int classes, const void *o) {    \
        return build(net, x, classes, o, &spur__resnet_##layers_);                                 \
    }                                                                                              \
    const spur__model_kind spur__model_resnet##layers_ = {                                         \
        .kind = {"resnet" #layers_, "residual net of " #layers_ " layers", &table},                \
        .head = "fc",                                                                              \
        .input_rank = 4,                                                                           \
        .build = build##layers_,                                                                   \
    }

CLASSIFIER(18);
CLASSIFIER(34);
CLASSIFIER(50);
CLASSIFIER(101);
CLASSIFIER(152);
