/* SPDX-License-Identifier: MIT
 *
 * Models by name: mlp, my_net, cnn, vgg16, resnet18 to resnet152, mobilenet_v3_small and _large,
 * efficientnet_b0 to efficientnet_b7; for each pixel unet, unet_resnet18 to unet_resnet50,
 * deeplabv3_resnet50 and deeplabv3_resnet101.
 *
 *     spur_node *logits = spur_model(net, "unet", x, 11, "base_filters=16 depth=4", &err);
 *
 * Parameters have PyTorch's state-dict names (torchvision's for resnet, vgg, mobilenet, efficientnet and
 * deeplabv3); docs/models.md lists every model's layers, names and options.
 */
#ifndef SPUR_MODELS_H
#define SPUR_MODELS_H

#include <spur/nn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Adds the model to the net: images [n][h][w][c] (mlp: any shape) to logits [n][classes], of those
 * for each pixel [n][h][w][classes]. NULL options for the defaults. NULL with *err filled for an unknown name, bad
 * options, or an input that the model cannot take; spur_net_build() reports that, too. */
SPUR_API spur_node *spur_model(spur_net *net, const char *name, spur_node *input, int classes,
                               const char *options, spur_error *err);

/* The prefix of the layer whose size depends on the classes ("fc"), or NULL for an unknown name. */
SPUR_API const char *spur_model_head(const char *name);

#ifdef __cplusplus
}
#endif

#endif
