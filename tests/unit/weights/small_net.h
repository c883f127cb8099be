/* SPDX-License-Identifier: MIT
 *
 * A small net to train, whose weights and checkpoints the tests write and read.
 */
#ifndef TESTS_WEIGHTS_SMALL_NET_H
#define TESTS_WEIGHTS_SMALL_NET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <spur/loss.h>
#include <spur/weights.h>

/* A small net with kernels, matrices behind a flatten, and biases; `classes` in its head, which may be frozen. */
static spur_net *make_net_with_head(uint64_t seed, int classes, bool frozen) {
    spur_error err = {0};
    spur_net *net = spur_net_create(&(spur_net_options){.seed = seed, .threads = 2});
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){2, 4, 5, 3});
    spur_node *y = spur_input(net, "y", SPUR_INT32, 1, (int64_t[]){2});
    spur_node *h = spur_conv2d(net, x, "conv", 6, NULL);
    h = spur_linear(net, spur_flatten(net, h), "fc", classes, NULL);
    spur_net_find_param(net, "fc.weight")->trainable = !frozen;
    spur_net_find_param(net, "fc.bias")->trainable = !frozen;
    if (spur_net_build(net, spur_cross_entropy(net, h, y, NULL), &err) != SPUR_OK)
        fail_msg("%s", err.message);
    return net;
}

static spur_net *make_net(uint64_t seed, int classes) {
    return make_net_with_head(seed, classes, false);
}

static void assert_same(spur_net *a, spur_net *b) {
    for (int i = 0; i < spur_net_param_count(a); i++)
        assert_memory_equal(spur_net_param(a, i)->value, spur_net_param(b, i)->value,
                            spur_net_param(a, i)->count * sizeof(float));
}

#endif
