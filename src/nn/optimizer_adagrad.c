/* SPDX-License-Identifier: MIT
 *
 * Adagrad (Duchi, Hazan, Singer 2011), as torch.optim.Adagrad:
 *     g += weight_decay * w;  s += g^2;  w -= lr / (1 + (t - 1) lr_decay) * g / (sqrt(s) + eps)
 */
#include <math.h>
#include <stddef.h>

#include "kernels/optim.h"
#include "nn/optimizer.h"

typedef struct options {
    spur__optimizer_common common;
    double lr_decay, eps, initial_accumulator_value;
} options;

static const spur__option rows[] = {
    SPUR__OPTIMIZER_ROWS(options, "0.01", "0"),
    SPUR__ROW(FLOAT, options, lr_decay, "0", .max = INFINITY,
              .help = "the rate is divided by 1 + steps * lr_decay"),
    SPUR__ROW(FLOAT, options, initial_accumulator_value, "0", .max = INFINITY,
              .help = "what the sums of squares start from"),
    SPUR__ROW(FLOAT, options, eps, "1e-10", .max = INFINITY, .help = "added to the divisor"),
};
static const spur__options table = SPUR__OPTIONS(rows, options);

static unsigned slots(const void *o) {
    (void)o;
    return 1u;
}

static float slot_start(const void *o, int slot) {
    (void)slot;
    return (float)((const options *)o)->initial_accumulator_value;
}

static void update(const spur__update *u) {
    const options *o = u->options;
    double lr = u->lr / (1 + (double)(u->step - 1) * o->lr_decay);
    spur__optim_adagrad(&(spur__adagrad_step){.lr = (float)lr,
                                              .weight_decay = (float)u->weight_decay,
                                              .eps = (float)o->eps},
                        u->count, u->value, u->gradient, u->slot[0]);
}

const spur__optimizer_kind spur__adagrad = {
    .kind = {"adagrad", "rates per value that fall with the sum of squared gradients", &table},
    .slot_names = {"sum"},
    .slots = slots,
    .slot_start = slot_start,
    .update = update,
};
