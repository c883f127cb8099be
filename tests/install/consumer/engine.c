/* SPDX-License-Identifier: MIT
 * An outside program that trains: a few steps make the loss of a small net fall. */
#include <stdio.h>

#include <spur/loss.h>
#include <spur/nn.h>
#include <spur/optim.h>

int main(void) {
    spur_error err = {SPUR_OK, 0, 0, ""};
    spur_net *net = spur_net_create(&(spur_net_options){.seed = 1, .threads = 1});
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){2, 4, 4, 1});
    spur_node *y = spur_input(net, "y", SPUR_INT32, 1, (int64_t[]){2});
    spur_node *h = spur_relu(net, spur_conv2d(net, x, "conv", 4, NULL));
    spur_node *logits = spur_linear(net, spur_flatten(net, h), "fc", 2, NULL);
    spur_optimizer *adam = NULL;
    float first = 0, last = 0;
    if (spur_net_build(net, spur_cross_entropy(net, logits, y, NULL), &err) != SPUR_OK) goto failed;
    adam = spur_optimizer_create(net, "adam", "lr=1e-2", &err);
    if (!adam) goto failed;
    for (int i = 0; i < 32; i++) spur_node_data(x)[i] = (float)(i % 7) - 3 * (float)(i / 16);
    spur_node_data_int(y)[0] = 0;
    spur_node_data_int(y)[1] = 1;
    for (int step = 0; step < 10; step++) {
        if (spur_net_forward(net, SPUR_TRAIN, &err) != SPUR_OK) goto failed;
        last = spur_net_loss(net);
        if (step == 0) first = last;
        if (spur_optimizer_backward_step(adam, 1, NULL, &err) != SPUR_OK) goto failed;
    }
    printf("loss %s\n", last < first ? "falls" : "does not fall");
    spur_optimizer_destroy(adam);
    spur_net_destroy(net);
    return 0;
failed:
    fprintf(stderr, "%s\n", err.message);
    return 1;
}
