/* SPDX-License-Identifier: MIT
 *
 * The table of models. A new one is one file and one line here.
 */
#include "models/model.h"

static const spur__kind *const kinds[] = {
    &spur__model_mlp.kind,
    &spur__model_my_net.kind,
    &spur__model_cnn.kind,
    &spur__model_unet.kind,
    &spur__model_unet_resnet18.kind,
    &spur__model_unet_resnet34.kind,
    &spur__model_unet_resnet50.kind,
    &spur__model_deeplabv3_resnet50.kind,
    &spur__model_deeplabv3_resnet101.kind,
    &spur__model_resnet18.kind,
    &spur__model_resnet34.kind,
    &spur__model_resnet50.kind,
    &spur__model_resnet101.kind,
    &spur__model_resnet152.kind,
    &spur__model_vgg16.kind,
    &spur__model_mobilenet_v3_small.kind,
    &spur__model_mobilenet_v3_large.kind,
    &spur__model_efficientnet_b0.kind,
    &spur__model_efficientnet_b1.kind,
    &spur__model_efficientnet_b2.kind,
    &spur__model_efficientnet_b3.kind,
    &spur__model_efficientnet_b4.kind,
    &spur__model_efficientnet_b5.kind,
    &spur__model_efficientnet_b6.kind,
    &spur__model_efficientnet_b7.kind,
};
const spur__family spur__model_family = {"model", "Models", kinds, sizeof kinds / sizeof kinds[0]};
