/* SPDX-License-Identifier: MIT
 *
 * cnn: a stack of blocks (convolution, norm, activation, pooling), then the mean over the picture or
 * a flattening, an optional hidden layer, and the head.
 */
#include <stddef.h>

#include "models/model.h"

typedef struct options {
    spur__ints filters;
    int64_t kernel, convs, norm, activation, pool, join, hidden;
    double dropout;
} options;

static const spur__option rows[] = {
    {.name = "filters",
     .type = SPUR__OPT_INTS,
     .initial = "32, 64, 128",
     .min = 1,
     .max = 65536,
     .help = "output channels of each block",
     .offset = offsetof(options, filters)},
    {.name = "kernel",
     .type = SPUR__OPT_INT,
     .initial = "3",
     .min = 1,
     .max = 31,
     .unit = "pixels",
     .help = "side of the kernels; the padding keeps the size",
     .offset = offsetof(options, kernel)},
    {.name = "convs",
     .type = SPUR__OPT_INT,
     .initial = "1",
     .min = 1,
     .max = 8,
     .help = "convolutions per block",
     .offset = offsetof(options, convs)},
    {.name = "norm",
     .type = SPUR__OPT_CHOICE,
     .initial = "batch",
     .choices = SPUR__NORMS,
     .help = "after each convolution",
     .offset = offsetof(options, norm)},
    {.name = "activation",
     .type = SPUR__OPT_CHOICE,
     .initial = "relu",
     .choices = SPUR__ACTIVATIONS,
     .help = "after each norm",
     .offset = offsetof(options, activation)},
    {.name = "pool",
     .type = SPUR__OPT_CHOICE,
     .initial = "max",
     .choices = "max|avg|none",
     .help = "2x2 pooling at the end of each block",
     .offset = offsetof(options, pool)},
    {.name = "join",
     .type = SPUR__OPT_CHOICE,
     .initial = "mean",
     .choices = "mean|flatten",
     .help = "how the last picture becomes a row of numbers",
     .offset = offsetof(options, join)},
    {.name = "hidden",
     .type = SPUR__OPT_INT,
     .initial = "0",
     .max = 1e6,
     .unit = "units",
     .help = "units of a hidden layer before the head; 0: none",
     .offset = offsetof(options, hidden)},
    {.name = "dropout",
     .type = SPUR__OPT_FLOAT,
     .initial = "0",
     .max = 0.999,
     .help = "share of units left out before the head",
     .offset = offsetof(options, dropout)},
};
static const spur__options table = SPUR__OPTIONS(rows, options);

const spur__model_kind spur__model_cnn = {
    .kind = {"cnn", "a configurable stack of convolutions", &table},
    .head = "head",
    .input_rank = 4,
};
