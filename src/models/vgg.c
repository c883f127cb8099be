/* SPDX-License-Identifier: MIT
 *
 * vgg16 (Simonyan & Zisserman 2015), without or with batch norm, with torchvision's names:
 * features.0 .. features.28 (40 with norm), classifier.0, .3, .6. Convolutions start from He's normal
 * distribution over their inputs; torchvision takes that over the outputs.
 */
#include <stddef.h>
#include <stdio.h>

#include "models/model.h"

typedef struct options {
    int64_t norm;
    double dropout;
} options;

static const spur__option rows[] = {
    SPUR__ROW(CHOICE, options, norm, "none", .choices = "none|batch",
              .help = "batch: torchvision's vgg16_bn"),
    SPUR__ROW(FLOAT, options, dropout, "0.5", .max = 0.999,
              .help = "share of units left out after the two hidden layers"),
};
static const spur__options table = SPUR__OPTIONS(rows, options);

enum { NORM_NONE };

/* The convolutions; layers are numbered as in torchvision's nn.Sequential, where activations, norms
 * and poolings count too. */
static spur_node *features(spur_net *net, spur_node *x, bool norm) {
    static const int filters[] = {64, 64,  0,   128, 128, 0,   256, 256, 256,
                                  0,  512, 512, 512, 0,   512, 512, 512, 0};
    char name[16];
    int number = 0;
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        if (filters[i] == 0) {
            x = spur_max_pool2d(net, x, NULL);
            number++;
            continue;
        }
        snprintf(name, sizeof name, "%d", number++);
        x = spur_conv2d(
            net, x, name, filters[i],
            &(spur_conv2d_options){.padding = {1, 1, 1, 1}, .init = SPUR_INIT_HE_NORMAL});
        snprintf(name, sizeof name, "%d", number);
        if (norm) x = spur_batch_norm(net, x, name, NULL), number++;
        x = spur_relu(net, x);
        number++;
    }
    return x;
}

static spur_node *hidden(spur_net *net, spur_node *x, const char *name, double dropout) {
    x = spur_relu(net, spur_linear(net, x, name, 4096, NULL));
    return dropout > 0 ? spur_dropout(net, x, dropout) : x;
}

static spur_node *build(spur_net *net, spur_node *x, int classes, const void *given) {
    const options *o = given;
    spur_push_scope(net, "features");
    x = features(net, x, o->norm != NORM_NONE);
    spur_pop_scope(net);
    if (!x) return NULL;
    const int64_t *shape = spur_node_shape(x);
    if (shape[1] != 7 || shape[2] != 7) x = spur_adaptive_avg_pool2d(net, x, 7, 7);
    spur_push_scope(net, "classifier");
    x = hidden(net, spur_flatten(net, x), "0", o->dropout);
    x = hidden(net, x, "3", o->dropout);
    x = spur_linear(net, x, "6", classes, NULL);
    spur_pop_scope(net);
    return x;
}

const spur__model_kind spur__model_vgg16 = {
    .kind = {"vgg16", "thirteen convolutions and three fully connected layers", &table},
    .head = "classifier.6",
    .input_rank = 4,
    .build = build,
};
