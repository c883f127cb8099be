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
    {.name = "dropout",
     .type = SPUR__OPT_FLOAT,
     .initial = "0.5",
     .max = 0.999,
     .help = "share of fc1's units left out",
     .offset = offsetof(options, dropout)},
};
static const spur__options table = SPUR__OPTIONS(rows, options);

const spur__model_kind spur__model_my_net = {
    .kind = {"my_net", "three convolutions, two poolings, two fully connected layers", &table},
    .head = "fc2",
    .input_rank = 4,
};
