/* SPDX-License-Identifier: MIT
 *
 * resnet18 and resnet34 (He, Zhang, Ren, Sun 2016), with torchvision's names: conv1, bn1,
 * layer1.0.conv1, ..., layer2.0.downsample.0, ..., fc.
 */
#include <stddef.h>

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

const spur__model_kind spur__model_resnet18 = {
    .kind = {"resnet18", "residual net of 18 layers", &table},
    .head = "fc",
    .input_rank = 4,
};
const spur__model_kind spur__model_resnet34 = {
    .kind = {"resnet34", "residual net of 34 layers", &table},
    .head = "fc",
    .input_rank = 4,
};
