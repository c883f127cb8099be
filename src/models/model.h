/* SPDX-License-Identifier: MIT
 *
 * What a model is: a row with its options and a function that adds it to a net.
 */
#ifndef SPUR_MODELS_MODEL_H
#define SPUR_MODELS_MODEL_H

#include <spur/models.h>
#include "base/options.h"

typedef struct spur__model_kind {
    spur__kind kind;
    const char *head; /* prefix of the last layer's parameters */
    const char
        *encoder; /* prefix of a part that is a classifier's without its last layer, or NULL */
    const char *encoder_head; /* that classifier's last layer */
    const char *ignored; /* prefix of what its files may hold besides, or NULL */
    bool per_pixel; /* logits for every pixel */
    int input_rank; /* 4: images; 0: anything */
    /* Logits, or NULL (then the net holds the error). */
    spur_node *(*build)(spur_net *net, spur_node *input, int classes, const void *options);
} spur__model_kind;

extern const spur__model_kind spur__model_mlp, spur__model_my_net, spur__model_cnn,
    spur__model_unet, spur__model_unet_resnet18, spur__model_unet_resnet34,
    spur__model_unet_resnet50, spur__model_deeplabv3_resnet50, spur__model_deeplabv3_resnet101,
    spur__model_resnet18, spur__model_resnet34, spur__model_resnet50, spur__model_resnet101,
    spur__model_resnet152, spur__model_vgg16, spur__model_mobilenet_v3_small,
    spur__model_mobilenet_v3_large, spur__model_efficientnet_b0, spur__model_efficientnet_b1,
    spur__model_efficientnet_b2, spur__model_efficientnet_b3, spur__model_efficientnet_b4,
    spur__model_efficientnet_b5, spur__model_efficientnet_b6, spur__model_efficientnet_b7;
extern const spur__family spur__model_family;

/* Checks the input's rank and builds; NULL with *err filled. */
spur_node *spur__model_build(const spur__model_kind *kind, spur_net *net, spur_node *input,
                             int classes, const void *options, spur_error *err);

/* Activations and norms that models offer by name: shared choices of option rows. */
#define SPUR__ACTIVATIONS "relu|leaky_relu|elu|silu|gelu|tanh"
#define SPUR__NORMS "batch|group|none"
enum { SPUR__NORM_BATCH, SPUR__NORM_GROUP, SPUR__NORM_NONE };

spur_node *spur__model_activation(spur_net *net, spur_node *x, int64_t choice);
/* Group norm takes the largest number of groups up to 8 that divides the channels. */
spur_node *spur__model_norm(spur_net *net, spur_node *x, const char *name, int64_t choice);

#endif
