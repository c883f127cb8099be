/* SPDX-License-Identifier: MIT
 *
 * Schedules along a cosine: cosine, cosine_restarts (Loshchilov & Hutter 2017) and one_cycle
 * (Smith & Topin 2018), as CosineAnnealingLR, CosineAnnealingWarmRestarts and OneCycleLR.
 */
#include "base/error.h"
#include "nn/scheduler.h"

#define PI 3.14159265358979323846

/* From `from` to `to` as share goes from 0 to 1. */
static double cosine_between(double from, double to, double share) {
    return to + (from - to) * 0.5 * (1 + cos(PI * share));
}

typedef struct cosine_options {
    spur__scheduler_common common;
    int64_t T_max;
    double eta_min;
} cosine_options;

static const spur__option cosine_rows[] = {
    SPUR__ROW(INT, cosine_options, T_max, "auto", .max = 1e9, .choices = "auto",
              .unit = "intervals",
              .help = "time until the rate is eta_min; auto: the whole training"),
    SPUR__ROW(FLOAT, cosine_options, eta_min, "0", .max = INFINITY, .help = "lowest rate"),
    SPUR__SCHEDULER_ROWS(cosine_options, "epoch"),
};
static const spur__options cosine_table = SPUR__OPTIONS(cosine_rows, cosine_options);

static spur_status cosine_check(const void *o, spur_error *err) {
    if (((const cosine_options *)o)->T_max != 0) return SPUR_OK;
    return spur__fail(err, SPUR_E_RANGE, "T_max: found 0, expected 1 or more, or auto");
}

static double cosine_lr(const spur__schedule *s, double base, double t) {
    const cosine_options *o = s->options;
    double length = o->T_max == SPUR__AUTO ? s->length : (double)o->T_max;
    return cosine_between(base, o->eta_min, t / length);
}

const spur__scheduler_kind spur__schedule_cosine = {
    .kind = {"cosine", "down to eta_min along half a cosine", &cosine_table},
    .check = cosine_check,
    .lr = cosine_lr,
};

typedef struct restarts_options {
    spur__scheduler_common common;
    int64_t T_0, T_mult;
    double eta_min;
} restarts_options;

static const spur__option restarts_rows[] = {
    SPUR__ROW(INT, restarts_options, T_0, "10", .min = 1, .max = 1e9, .unit = "intervals",
              .help = "time until the first restart"),
    SPUR__ROW(INT, restarts_options, T_mult, "1", .min = 1, .max = 1000,
              .help = "each period is longer than the one before by this factor"),
    SPUR__ROW(FLOAT, restarts_options, eta_min, "0", .max = INFINITY, .help = "lowest rate"),
    SPUR__SCHEDULER_ROWS(restarts_options, "epoch"),
};
static const spur__options restarts_table = SPUR__OPTIONS(restarts_rows, restarts_options);

static double restarts_lr(const spur__schedule *s, double base, double t) {
    const restarts_options *o = s->options;
    double period = (double)o->T_0;
    if (o->T_mult == 1)
        t = fmod(t, period);
    else
        for (; t >= period; period *= (double)o->T_mult) t -= period;
    return cosine_between(base, o->eta_min, t / period);
}

const spur__scheduler_kind spur__schedule_cosine_restarts = {
    .kind = {"cosine_restarts", "cosine that starts again after each period", &restarts_table},
    .lr = restarts_lr,
};

typedef struct cycle_options {
    spur__scheduler_common common;
    double max_lr, pct_start, div_factor, final_div_factor, base_momentum, max_momentum;
    int64_t anneal_strategy;
    bool three_phase, cycle_momentum;
} cycle_options;

static const spur__option cycle_rows[] = {
    SPUR__ROW(FLOAT, cycle_options, max_lr, "auto", .max = INFINITY, .choices = "auto",
              .help = "highest rate; auto: the optimizer's lr"),
    SPUR__ROW(FLOAT, cycle_options, pct_start, "0.3", .max = 1, .min_open = true,
              .help = "share of the cycle in which the rate rises"),
    SPUR__ROW(CHOICE, cycle_options, anneal_strategy, "cos", .choices = "cos|linear",
              .help = "shape of rise and fall"),
    SPUR__ROW(FLOAT, cycle_options, div_factor, "25", .max = INFINITY, .min_open = true,
              .help = "the first rate is max_lr / div_factor"),
    SPUR__ROW(FLOAT, cycle_options, final_div_factor, "10000", .max = INFINITY, .min_open = true,
              .help = "the last rate is the first one / final_div_factor"),
    SPUR__ROW(BOOL, cycle_options, three_phase, "false",
              .help = "fall to the first rate as fast as it rose, then to the last one"),
    SPUR__ROW(BOOL, cycle_options, cycle_momentum, "true",
              .help = "move momentum (or the first beta) the other way, whatever the optimizer "
                      "sets it to"),
    SPUR__ROW(FLOAT, cycle_options, base_momentum, "0.85", .max = 1, .max_open = true,
              .help = "momentum at the highest rate"),
    SPUR__ROW(FLOAT, cycle_options, max_momentum, "0.95", .max = 1, .max_open = true,
              .help = "momentum at the lowest rate"),
    SPUR__SCHEDULER_ROWS(cycle_options, "step"),
};
static const spur__options cycle_table = SPUR__OPTIONS(cycle_rows, cycle_options);

/* Values at the ends of the phases, and the one in force at time t: rise from values[0] to
 * values[1], then to values[2], in the three-phase form back to values[0] in between. */
static double cycle_value(const spur__schedule *s, double t, const double values[3]) {
    const cycle_options *o = s->options;
    double peak = o->pct_start * s->length - 1, last = s->length - 1;
    double ends[3] = {peak, o->three_phase ? 2 * peak : last, last};
    double marks[4] = {values[0], values[1], o->three_phase ? values[0] : values[2], values[2]};
    double start = 0;
    t = fmin(t, last);
    int phase = 0;
    while (phase < 2 && t > ends[phase]) start = ends[phase++];
    double width = ends[phase] - start;
    double share = width > 0 ? (t - start) / width : 1;
    if (o->anneal_strategy == 1) return marks[phase] + (marks[phase + 1] - marks[phase]) * share;
    return cosine_between(marks[phase], marks[phase + 1], share);
}

static double cycle_lr(const spur__schedule *s, double base, double t) {
    const cycle_options *o = s->options;
    double top = o->max_lr < 0 ? base : o->max_lr, first = top / o->div_factor;
    return cycle_value(s, t, (double[3]){first, top, first / o->final_div_factor});
}

static double cycle_momentum(const spur__schedule *s, double t) {
    const cycle_options *o = s->options;
    if (!o->cycle_momentum) return -1;
    return cycle_value(s, t, (double[3]){o->max_momentum, o->base_momentum, o->max_momentum});
}

const spur__scheduler_kind spur__schedule_one_cycle = {
    .kind = {"one_cycle", "up to max_lr, then down far below the start; momentum the other way",
             &cycle_table},
    .lr = cycle_lr,
    .momentum = cycle_momentum,
};
