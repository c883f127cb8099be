/* SPDX-License-Identifier: MIT
 *
 * Blocks of inverted residuals; see blocks.h.
 */
#include "models/blocks.h"

#include <stdio.h>

void spur__push_number(spur_net *net, int number) {
    char name[16];
    snprintf(name, sizeof name, "%d", number);
    spur_push_scope(net, name);
}

int spur__channels_or_one(const spur_node *x) {
    return x ? (int)spur_node_shape(x)[3] : 1;
}

int spur__multiple_of_8(double channels) {
    int near = (int)(channels + 4) / 8 * 8;
    if (near < 8) near = 8;
    return near < 0.9 * channels ? near + 8 : near;
}

spur_node *spur__conv_norm(spur_net *net, spur_node *x, int number, int filters,
                           const spur_conv2d_options *how, const spur_norm_options *norm) {
    spur_conv2d_options o = *how;
    int pad = o.kernel[0] / 2;
    for (int i = 0; i < 4; i++) o.padding[i] = pad;
    o.no_bias = true;
    o.init = SPUR_INIT_HE_NORMAL;
    spur__push_number(net, number);
    x = spur_batch_norm(net, spur_conv2d(net, x, "0", filters, &o), "1", norm);
    spur_pop_scope(net);
    return x;
}

spur_node *spur__excite(spur_net *net, spur_node *x, int number, const spur__excitation *how) {
    const spur_conv2d_options one = {.kernel = {1}, .init = SPUR_INIT_HE_NORMAL};
    spur__push_number(net, number);
    spur_node *y = spur_adaptive_avg_pool2d(net, x, 1, 1);
    y = spur_activation(net, spur_conv2d(net, y, "fc1", how->squeezed, &one), how->activation, 0);
    y = spur_conv2d(net, y, "fc2", spur__channels_or_one(x), &one);
    y = spur_activation(net, y, how->gate, 0);
    spur_pop_scope(net);
    return spur_multiply(net, x, y);
}
