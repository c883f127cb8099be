/* SPDX-License-Identifier: MIT
 *
 * Adam and AdamW, as torch.optim.Adam and AdamW (Kingma & Ba 2015; Loshchilov & Hutter 2019):
 *     m = m + (1 - b1) (g - m);  v = b2 v + (1 - b2) g^2
 *     w -= lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps)
 * Adam adds weight_decay * w to g; AdamW multiplies w by 1 - lr * weight_decay first.
 */
#include <math.h>
#include <stddef.h>

#include "kernels/optim.h"
#include "nn/optimizer.h"

typedef struct options {
    spur__optimizer_common common;
    spur__floats betas;
    double eps;
    bool amsgrad;
} options;

#define ADAM_ROWS                                                                                  \
    SPUR__ROW(FLOATS, options, betas, "0.9, 0.999", .max = 1, .max_open = true,                    \
              .help = "decay of the two moments: one for the mean, one for the square"),           \
        SPUR__ROW(FLOAT, options, eps, "1e-08", .max = INFINITY, .help = "added to the divisor"),  \
        SPUR__ROW(BOOL, options, amsgrad, "false",                                                 \
                  .help = "divide by the largest second moment so far")

static const spur__option adam_rows[] = {SPUR__OPTIMIZER_ROWS(options, "0.001", "0"), ADAM_ROWS};
static const spur__option adamw_rows[] = {SPUR__OPTIMIZER_ROWS(options, "0.001", "0.01"),
                                          ADAM_ROWS};
static const spur__options adam_table = SPUR__OPTIONS(adam_rows, options);
static const spur__options adamw_table = SPUR__OPTIONS(adamw_rows, options);

static spur_status check(const void *given, spur_error *err) {
    const options *o = given;
    if (o->betas.count != 2)
        return spur__fail(err, SPUR_E_RANGE, "betas: found %zu values, expected two",
                          o->betas.count);
    return SPUR_OK;
}

static unsigned slots(const void *o) {
    return ((const options *)o)->amsgrad ? 7u : 3u;
}

static double momentum(const void *o) {
    return ((const options *)o)->betas.values[0];
}

static void update_with(const spur__update *u, double coupled, double shrink) {
    const options *o = u->options;
    const double beta1 = u->momentum, beta2 = o->betas.values[1], t = (double)u->step;
    spur__optim_adam(&(spur__adam_step){.beta2 = (float)beta2,
                                        .one_minus_beta1 = (float)(1 - beta1),
                                        .one_minus_beta2 = (float)(1 - beta2),
                                        .step_size = (float)(u->lr / (1 - pow(beta1, t))),
                                        .correction2 = (float)sqrt(1 - pow(beta2, t)),
                                        .eps = (float)o->eps,
                                        .weight_decay = (float)coupled,
                                        .shrink = (float)shrink},
                     u->count, u->value, u->gradient, u->slot[0], u->slot[1], u->slot[2]);
}

static void update_adam(const spur__update *u) {
    update_with(u, u->weight_decay, 1);
}

static void update_adamw(const spur__update *u) {
    update_with(u, 0, 1 - u->lr * u->weight_decay);
}

const spur__optimizer_kind spur__adam = {
    .kind = {"adam", "adaptive moments; weight decay is added to the gradient", &adam_table},
    .slot_names = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"},
    .check = check,
    .slots = slots,
    .momentum = momentum,
    .momentum_slot = 0,
    .momentum_below_1 = true,
    .update = update_adam,
};

const spur__optimizer_kind spur__adamw = {
    .kind = {"adamw", "Adam with decoupled weight decay", &adamw_table},
    .slot_names = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"},
    .check = check,
    .slots = slots,
    .momentum = momentum,
    .momentum_slot = 0,
    .momentum_below_1 = true,
    .update = update_adamw,
};
