/* SPDX-License-Identifier: MIT
 *
 * Blocks that models made of inverted residuals share, numbered as torchvision's modules are.
 * Convolutions start from He's normal distribution over their inputs; torchvision takes that over the
 * outputs.
 */
#ifndef SPUR_MODELS_BLOCKS_H
#define SPUR_MODELS_BLOCKS_H

#include <spur/nn.h>

/* Opens the scope "<number>". */
void spur__push_number(spur_net *net, int number);

/* Channels of an image; 1 for NULL, so that models can be written down without checks. */
int spur__channels_or_one(const spur_node *x);

/* The multiple of 8 nearest to `channels`, or the next one where that is more than a tenth less. */
int spur__multiple_of_8(double channels);

/* "<number>.0", a convolution without bias that pads by half its kernel, and "<number>.1", its batch
 * norm. */
spur_node *spur__conv_norm(spur_net *net, spur_node *x, int number, int filters,
                           const spur_conv2d_options *how, const spur_norm_options *norm);

typedef struct spur__excitation {
    int squeezed; /* channels between "<number>.fc1" and "<number>.fc2" */
    spur_activation_kind activation, gate; /* behind fc1; behind fc2 */
} spur__excitation;

/* Squeeze and excitation (Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018): channels weighted
 * by what their means say. */
spur_node *spur__excite(spur_net *net, spur_node *x, int number, const spur__excitation *how);

#endif
