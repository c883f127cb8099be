/* SPDX-License-Identifier: MIT
 *
 * vgg16 (Simonyan & Zisserman 2015), without or with batch norm, with torchvision's names:
 * features.0 .. features.28 (40 with norm), classifier.0, .3, .6.
 */
#include <stddef.h>

#include "models/model.h"

typedef struct options {
    int64_t norm;
    double dropout;
} options;

static const spur__option rows[] = {
    {.name = "norm",
     .type = SPUR__OPT_CHOICE,
     .initial = "none",
     .choices = "none|batch",
     .help = "batch: torchvision's vgg16_bn",
     .offset = offsetof(options, norm)},
    {.name = "dropout",
     .type = SPUR__OPT_FLOAT,
     .initial = "0.5",
     .max = 0.999,
     .help = "share of units left out after the two hidden layers",
     .offset = offsetof(options, dropout)},
};
static const spur__options table = SPUR__OPTIONS(rows, options);

const spur__model_kind spur__model_vgg16 = {
    .kind = {"vgg16", "thirteen convolutions and three fully connected layers", &table},
    .head = "classifier.6",
    .input_rank = 4,
};
