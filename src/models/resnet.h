/* SPDX-License-Identifier: MIT
 *
 * The convolutional part of residual nets (He, Zhang, Ren, Sun 2016), for the classifiers and for the
 * models that put something else on top of it. Names are torchvision's: conv1, bn1, layer1.0.conv1,
 * .., layer2.0.downsample.0, ..
 */
#ifndef SPUR_MODELS_RESNET_H
#define SPUR_MODELS_RESNET_H

#include <spur/nn.h>

enum { SPUR__RESNET_LEVELS = 5 };

typedef struct spur__resnet {
    int blocks[4]; /* of layer1 to layer4 */
    bool bottleneck; /* blocks of 1x1, 3x3, 1x1 with four times the channels */
    bool small_stem; /* one 3x3 convolution in place of 7x7 with stride 2 and a pooling */
    int output_stride; /* 8 or 16: later layers dilate in place of striding; 0: 32 */
} spur__resnet;

extern const spur__resnet spur__resnet_18, spur__resnet_34, spur__resnet_50, spur__resnet_101,
    spur__resnet_152;

/* Features of the stem before its pooling and of layer1 to layer4: of the input's height and width
 * 1/2, 1/4, 1/8, 1/16 and 1/32. NULL where the net holds an error. */
void spur__resnet_levels(spur_net *net, spur_node *x, const spur__resnet *r,
                         spur_node *levels[SPUR__RESNET_LEVELS]);

#endif
