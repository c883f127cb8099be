/* SPDX-License-Identifier: MIT
 *
 * RMSprop (Tieleman & Hinton 2012; centered: Graves 2013), as torch.optim.RMSprop:
 *     g += weight_decay * w;  s = alpha s + (1 - alpha) g^2;  d = sqrt(s [- mean^2]) + eps
 *     b = momentum * b + g / d;  w -= lr * b
 */
#include <math.h>
#include <stddef.h>

#include "kernels/optim.h"
#include "nn/optimizer.h"

typedef struct options {
    spur__optimizer_common common;
    double alpha, eps, momentum;
    bool centered;
} options;

static const spur__option rows[] = {
    SPUR__OPTIMIZER_ROWS(options, "0.01", "0"),
    SPUR__ROW(FLOAT, options, alpha, "0.99", .max = 1,
              .help = "decay of the mean of squared gradients"),
    SPUR__ROW(FLOAT, options, eps, "1e-08", .max = INFINITY, .help = "added to the divisor"),
    SPUR__ROW(FLOAT, options, momentum, "0", .max = 1,
              .help = "share of the last step's direction that is kept"),
    SPUR__ROW(BOOL, options, centered, "false",
              .help = "divide by the estimated deviation instead of the root mean square"),
};
static const spur__options table = SPUR__OPTIONS(rows, options);

static unsigned slots(const void *given) {
    const options *o = given;
    return 1u | (o->momentum != 0 ? 2u : 0u) | (o->centered ? 4u : 0u);
}

static double momentum(const void *o) {
    return ((const options *)o)->momentum;
}

static void update(const spur__update *u) {
    const options *o = u->options;
    spur__optim_rmsprop(&(spur__rmsprop_step){.lr = (float)u->lr,
                                              .weight_decay = (float)u->weight_decay,
                                              .alpha = (float)o->alpha,
                                              .one_minus_alpha = (float)(1 - o->alpha),
                                              .eps = (float)o->eps,
                                              .momentum = (float)u->momentum},
                        u->count, u->value, u->gradient, u->slot[0],
                        u->momentum != 0 ? u->slot[1] : NULL, u->slot[2]);
}

const spur__optimizer_kind spur__rmsprop = {
    .kind = {"rmsprop", "rates per value by the root mean square of recent gradients", &table},
    .slot_names = {"square_avg", "momentum_buffer", "grad_avg"},
    .slots = slots,
    .momentum = momentum,
    .momentum_slot = 1,
    .update = update,
};
