/* SPDX-License-Identifier: MIT
 *
 * my_net: three 3x3 convolutions with two poolings and two fully connected layers, as in PyTorch:
 * conv1 3-32, conv2 32-64, pool, conv3 64-128, pool, fc1 512, dropout, fc2 classes; ReLU after each.
 */
#include <stddef.h>

#include "models/model.h"

typedef struct options {
    double dropout;
} options;

static const spur__option rows[] = {
    SPUR__ROW(FLOAT, options, dropout, "0.5", .max = 0.999,
              .help = "share of fc1's units left out"),
};
static const spur__options table = SPUR__OPTIONS(rows, options);

static spur_node *conv(spur_net *net, spur_node *x, const char *name, int filters) {
    const spur_conv2d_options same = {.padding = {1, 1, 1, 1}};
    return spur_relu(net, spur_conv2d(net, x, name, filters, &same));
}

static spur_node *build(spur_net *net, spur_node *x, int classes, const void *given) {
    const options *o = given;
    x = conv(net, x, "conv1", 32);
    x = conv(net, x, "conv2", 64);
    x = spur_max_pool2d(net, x, NULL);
    x = conv(net, x, "conv3", 128);
    x = spur_max_pool2d(net, x, NULL);
    x = spur_relu(net, spur_linear(net, spur_flatten(net, x), "fc1", 512, NULL));
    if (o->dropout > 0) x = spur_dropout(net, x, o->dropout);
    return spur_linear(net, x, "fc2", classes, NULL);
}

const spur__model_kind spur__model_my_net = {
    .kind = {"my_net", "three convolutions, two poolings, two fully connected layers", &table},
    .head = "fc2",
    .input_rank = 4,
    .build = build,
};
