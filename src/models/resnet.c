/* SPDX-License-Identifier: MIT
 *
 * resnet18 and resnet34 (He, Zhang, Ren, Sun 2016), with torchvision's names: conv1, bn1,
 * layer1.0.conv1, ..., layer2.0.downsample.0, ..., fc. Convolutions start from He's normal
 * distribution over their inputs; torchvision takes that over the outputs.
 */
#include <stddef.h>
#include <stdio.h>

#include "models/model.h"

typedef struct options {
    int64_t stem;
} options;

static const spur__option rows[] = {
    {.name = "stem",
     .type = SPUR__OPT_CHOICE,
     .initial = "imagenet",
     .choices = "imagenet|small",
     .help = "imagenet: 7x7 stride 2 and pooling, as torchvision; small: 3x3, for pictures of 32 "
             "pixels or so",
     .offset = offsetof(options, stem)},
};
static const spur__options table = SPUR__OPTIONS(rows, options);

static spur_node *conv(spur_net *net, spur_node *x, const char *name, int filters, int kernel,
                       int stride) {
    int pad = kernel / 2;
    return spur_conv2d(net, x, name, filters,
                       &(spur_conv2d_options){.kernel = {kernel},
                                              .stride = {stride},
                                              .padding = {pad, pad, pad, pad},
                                              .no_bias = true,
                                              .init = SPUR_INIT_HE_NORMAL});
}

/* torchvision's BasicBlock. */
static spur_node *block(spur_net *net, spur_node *x, int filters, int stride) {
    spur_node *way = x;
    if (!x) return NULL;
    spur_node *y = conv(net, x, "conv1", filters, 3, stride);
    y = spur_relu(net, spur_batch_norm(net, y, "bn1", NULL));
    y = spur_batch_norm(net, conv(net, y, "conv2", filters, 3, 1), "bn2", NULL);
    if (stride != 1 || spur_node_shape(x)[3] != filters) {
        spur_push_scope(net, "downsample");
        way = spur_batch_norm(net, conv(net, x, "0", filters, 1, stride), "1", NULL);
        spur_pop_scope(net);
    }
    return spur_relu(net, spur_add(net, y, way));
}

static spur_node *layer(spur_net *net, spur_node *x, int number, int blocks) {
    char name[16];
    snprintf(name, sizeof name, "layer%d", number);
    spur_push_scope(net, name);
    for (int i = 0; i < blocks; i++) {
        snprintf(name, sizeof name, "%d", i);
        spur_push_scope(net, name);
        x = block(net, x, 32 << number, i == 0 && number > 1 ? 2 : 1);
        spur_pop_scope(net);
    }
    spur_pop_scope(net);
    return x;
}

static spur_node *build(spur_net *net, spur_node *x, int classes, const options *o,
                        const int blocks[4]) {
    bool small = o->stem != 0;
    x = conv(net, x, "conv1", 64, small ? 3 : 7, small ? 1 : 2);
    x = spur_relu(net, spur_batch_norm(net, x, "bn1", NULL));
    if (!small)
        x = spur_max_pool2d(
            net, x, &(spur_pool2d_options){.kernel = {3}, .stride = {2}, .padding = {1, 1, 1, 1}});
    for (int i = 0; i < 4; i++) x = layer(net, x, i + 1, blocks[i]);
    return spur_linear(net, spur_global_avg_pool2d(net, x), "fc", classes, NULL);
}

static spur_node *build18(spur_net *net, spur_node *x, int classes, const void *o) {
    return build(net, x, classes, o, (const int[]){2, 2, 2, 2});
}

static spur_node *build34(spur_net *net, spur_node *x, int classes, const void *o) {
    return build(net, x, classes, o, (const int[]){3, 4, 6, 3});
}

const spur__model_kind spur__model_resnet18 = {
    .kind = {"resnet18", "residual net of 18 layers", &table},
    .head = "fc",
    .input_rank = 4,
    .build = build18,
};
const spur__model_kind spur__model_resnet34 = {
    .kind = {"resnet34", "residual net of 34 layers", &table},
    .head = "fc",
    .input_rank = 4,
    .build = build34,
};
