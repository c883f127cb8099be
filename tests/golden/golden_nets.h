/* SPDX-License-Identifier: MIT
 *
 * The nets of make_golden.py, built here, with the same weights, inputs and labels.
 */
#ifndef GOLDEN_NETS_H
#define GOLDEN_NETS_H

#include <spur/nn.h>

typedef struct golden_net {
    const char *name;
    spur_net *net;
    spur_node *x, *y, *logits;
    int classes;
    int64_t n, rows; /* samples; samples or pixels */
    int64_t h, w; /* of the logits; 1 where there are no pixels */
} golden_net;

/* "mlp", "my_net", "unet", "unet_bilinear", "residual", "resnet18"; fails the test when it cannot. */
golden_net golden_net_make(const char *name, spur_conv_algorithm conv, int threads);
void golden_net_free(golden_net *n);

/* The logits in PyTorch's layout, NCHW. */
void golden_net_logits(const golden_net *n, float *out);

#endif
