/* SPDX-License-Identifier: MIT
 *
 * Stochastic gradient descent with momentum, as torch.optim.SGD:
 *     g += weight_decay * w;  b = momentum * b + (1 - dampening) * g  (b = g at the first step)
 *     w -= lr * (nesterov ? g + momentum * b : b)
 * While the momentum in force is 0, b is left as it is.
 */
#include <math.h>
#include <stddef.h>

#include "kernels/optim.h"
#include "nn/optimizer.h"

typedef struct options {
    spur__optimizer_common common;
    double momentum, dampening;
    bool nesterov;
} options;

static const spur__option rows[] = {
    SPUR__OPTIMIZER_ROWS(options, "0.01", "0"),
    SPUR__ROW(FLOAT, options, momentum, "0", .max = 1,
              .help = "share of the last step's direction that is kept"),
    SPUR__ROW(FLOAT, options, dampening, "0", .max = 1,
              .help = "the gradient enters the momentum times 1 - dampening"),
    SPUR__ROW(BOOL, options, nesterov, "false", .help = "look ahead along the momentum (Nesterov)"),
};
static const spur__options table = SPUR__OPTIONS(rows, options);

static spur_status check(const void *given, spur_error *err) {
    const options *o = given;
    if (!o->nesterov || (o->momentum > 0 && o->dampening == 0)) return SPUR_OK;
    return spur__fail(err, SPUR_E_RANGE,
                      "nesterov needs momentum above 0 and no dampening, found %g and %g",
                      o->momentum, o->dampening);
}

static unsigned slots(const void *o) {
    return ((const options *)o)->momentum != 0 ? 1u : 0u;
}

static double momentum(const void *o) {
    return ((const options *)o)->momentum;
}

static void update(const spur__update *u) {
    const options *o = u->options;
    spur__optim_sgd(&(spur__sgd_step){.lr = (float)u->lr,
                                      .weight_decay = (float)u->weight_decay,
                                      .momentum = (float)u->momentum,
                                      .dampening = (float)o->dampening,
                                      .nesterov = o->nesterov,
                                      .first = u->step == 1},
                    u->count, u->value, u->gradient, u->momentum != 0 ? u->slot[0] : NULL);
}

const spur__optimizer_kind spur__sgd = {
    .kind = {"sgd", "stochastic gradient descent, with momentum and Nesterov's form", &table},
    .slot_names = {"momentum_buffer"},
    .check = check,
    .slots = slots,
    .momentum = momentum,
    .momentum_slot = 0,
    .update = update,
};
