/* SPDX-License-Identifier: MIT
 *
 * Reduces the rate when the monitored value has stopped improving, as ReduceLROnPlateau.
 */
#include "base/error.h"
#include "nn/scheduler.h"

typedef struct options {
    spur__scheduler_common common;
    int64_t mode, patience, threshold_mode, cooldown;
    double factor, threshold, min_lr, eps;
} options;

enum { MODE_AUTO, MODE_MIN, MODE_MAX };
enum { THRESHOLD_REL, THRESHOLD_ABS };

static const spur__option rows[] = {
    SPUR__ROW(CHOICE, options, mode, "auto", .choices = "auto|min|max",
              .help = "whether smaller or larger is better; auto: as the monitored metric says"),
    SPUR__ROW(FLOAT, options, factor, "0.1", .max = 1, .min_open = true,
              .help = "factor of each reduction"),
    SPUR__ROW(INT, options, patience, "10", .max = 1e9, .unit = "epochs",
              .help = "epochs without improvement that are let pass"),
    SPUR__ROW(FLOAT, options, threshold, "0.0001", .max = INFINITY,
              .help = "least change that counts as an improvement"),
    SPUR__ROW(CHOICE, options, threshold_mode, "rel", .choices = "rel|abs",
              .help = "threshold as a share of the best value, or as a difference"),
    SPUR__ROW(INT, options, cooldown, "0", .max = 1e9, .unit = "epochs",
              .help = "epochs after a reduction that do not count"),
    SPUR__ROW(FLOAT, options, min_lr, "0", .max = INFINITY, .help = "lowest rate"),
    SPUR__ROW(FLOAT, options, eps, "1e-08", .max = INFINITY,
              .help = "smaller reductions are not made"),
    SPUR__SCHEDULER_ROWS(options, "epoch"),
};
static const spur__options table = SPUR__OPTIONS(rows, options);

static spur_status check(const void *given, spur_error *err) {
    const options *o = given;
    if (o->factor >= 1)
        return spur__fail(err, SPUR_E_RANGE, "factor: found %g, expected a number in (0, 1)",
                          o->factor);
    return SPUR_OK;
}

static bool is_better(const options *o, const spur__scheduler_state *state, double value,
                      bool maximize) {
    if (o->mode != MODE_AUTO) maximize = o->mode == MODE_MAX;
    if (state->seen == 0) return maximize ? value > -INFINITY : value < INFINITY;
    double sign = maximize ? 1 : -1;
    double bound = o->threshold_mode == THRESHOLD_REL ? state->best * (1 + sign * o->threshold)
                                                      : state->best + sign * o->threshold;
    return maximize ? value > bound : value < bound;
}

static void observe(const void *given, spur__scheduler_state *state, double value, bool maximize) {
    const options *o = given;
    if (is_better(o, state, value, maximize)) {
        state->best = value;
        state->bad = 0;
        state->seen++;
    } else {
        state->bad++;
    }
    if (state->cooldown > 0) {
        state->cooldown--;
        state->bad = 0;
    }
    if (state->bad <= (uint64_t)o->patience) return;
    state->reductions++;
    state->cooldown = (uint64_t)o->cooldown;
    state->bad = 0;
}

static double lr(const spur__schedule *s, double base, double t) {
    const options *o = s->options;
    (void)t;
    for (uint64_t i = 0; i < s->state->reductions; i++) {
        double next = fmax(base * o->factor, o->min_lr);
        if (!(base - next > o->eps)) break;
        base = next;
    }
    return base;
}

const spur__scheduler_kind spur__schedule_plateau = {
    .kind = {"plateau", "times factor when the monitored value has stopped improving", &table},
    .check = check,
    .lr = lr,
    .observe = observe,
};
