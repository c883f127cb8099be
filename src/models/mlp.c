/* SPDX-License-Identifier: MIT
 *
 * mlp: fully connected layers fc1 .. fcN of one width, then `head`. The input is flattened.
 */
#include <stddef.h>
#include <stdio.h>

#include "models/model.h"

typedef struct options {
    int64_t layers, width, activation;
    double dropout;
} options;

static const spur__option rows[] = {
    SPUR__ROW(INT, options, layers, "2", .max = 100, .help = "hidden layers"),
    SPUR__ROW(INT, options, width, "128", .min = 1, .max = 1e6, .unit = "units",
              .help = "units of each hidden layer"),
    SPUR__ROW(CHOICE, options, activation, "relu", .choices = SPUR__ACTIVATIONS,
              .help = "after each hidden layer"),
    SPUR__ROW(FLOAT, options, dropout, "0", .max = 0.999,
              .help = "share of units left out after each hidden layer"),
};
static const spur__options table = SPUR__OPTIONS(rows, options);

static spur_node *build(spur_net *net, spur_node *x, int classes, const void *given) {
    const options *o = given;
    char name[32];
    if (spur_node_rank(x) > 2) x = spur_flatten(net, x);
    for (int64_t i = 1; i <= o->layers; i++) {
        snprintf(name, sizeof name, "fc%lld", (long long)i);
        x = spur_linear(net, x, name, (int)o->width, NULL);
        x = spur__model_activation(net, x, o->activation);
        if (o->dropout > 0) x = spur_dropout(net, x, o->dropout);
    }
    return spur_linear(net, x, "head", classes, NULL);
}

const spur__model_kind spur__model_mlp = {
    .kind = {"mlp", "fully connected layers", &table},
    .head = "head",
    .build = build,
};
