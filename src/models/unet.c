/* SPDX-License-Identifier: MIT
 *
 * unet: Ronneberger, Fischer, Brox 2015, with padded convolutions: `depth` levels down, each two
 * 3x3 convolutions and a 2x2 max pooling, the bottom, and as many levels up.
 */
#include <stddef.h>

#include "models/model.h"

typedef struct options {
    int64_t depth, base_filters, norm, up, activation;
    double dropout;
} options;

static const spur__option rows[] = {
    {.name = "depth",
     .type = SPUR__OPT_INT,
     .initial = "4",
     .min = 1,
     .max = 6,
     .help = "poolings on the way down",
     .offset = offsetof(options, depth)},
    {.name = "base_filters",
     .type = SPUR__OPT_INT,
     .initial = "16",
     .min = 1,
     .max = 1024,
     .help = "channels of the first level; they double at each level down",
     .offset = offsetof(options, base_filters)},
    {.name = "norm",
     .type = SPUR__OPT_CHOICE,
     .initial = "batch",
     .choices = SPUR__NORMS,
     .help = "after each convolution",
     .offset = offsetof(options, norm)},
    {.name = "up",
     .type = SPUR__OPT_CHOICE,
     .initial = "transposed",
     .choices = "transposed|bilinear",
     .help = "how pictures are doubled on the way up",
     .offset = offsetof(options, up)},
    {.name = "activation",
     .type = SPUR__OPT_CHOICE,
     .initial = "relu",
     .choices = SPUR__ACTIVATIONS,
     .help = "after each norm",
     .offset = offsetof(options, activation)},
    {.name = "dropout",
     .type = SPUR__OPT_FLOAT,
     .initial = "0",
     .max = 0.999,
     .help = "share of channels left out at the bottom",
     .offset = offsetof(options, dropout)},
};
static const spur__options table = SPUR__OPTIONS(rows, options);

const spur__model_kind spur__model_unet = {
    .kind = {"unet", "encoder and decoder with skips, logits for every pixel", &table},
    .head = "head",
    .per_pixel = true,
    .input_rank = 4,
};
