/* SPDX-License-Identifier: MIT
 *
 * Schedules that multiply: constant, step, multistep, exponential, polynomial
 * (torch.optim.lr_scheduler's StepLR, MultiStepLR, ExponentialLR, PolynomialLR).
 */
#include "base/error.h"
#include "nn/scheduler.h"

typedef struct constant_options {
    spur__scheduler_common common;
} constant_options;

static const spur__option constant_rows[] = {SPUR__SCHEDULER_ROWS(constant_options, "epoch")};
static const spur__options constant_table = SPUR__OPTIONS(constant_rows, constant_options);

static double constant_lr(const spur__schedule *s, double base, double t) {
    (void)s;
    (void)t;
    return base;
}

const spur__scheduler_kind spur__schedule_constant = {
    .kind = {"constant", "the optimizer's rate throughout", &constant_table},
    .lr = constant_lr,
};

typedef struct step_options {
    spur__scheduler_common common;
    int64_t step_size;
    double gamma;
} step_options;

static const spur__option step_rows[] = {
    SPUR__ROW(INT, step_options, step_size, "30", .min = 1, .max = 1e9, .unit = "intervals",
              .help = "time between two reductions"),
    SPUR__ROW(FLOAT, step_options, gamma, "0.1", .max = INFINITY, .min_open = true,
              .help = "factor of each reduction"),
    SPUR__SCHEDULER_ROWS(step_options, "epoch"),
};
static const spur__options step_table = SPUR__OPTIONS(step_rows, step_options);

static double step_lr(const spur__schedule *s, double base, double t) {
    const step_options *o = s->options;
    return base * pow(o->gamma, floor(t / (double)o->step_size));
}

const spur__scheduler_kind spur__schedule_step = {
    .kind = {"step", "times gamma every step_size intervals", &step_table},
    .lr = step_lr,
};

typedef struct multistep_options {
    spur__scheduler_common common;
    spur__ints milestones;
    double gamma;
} multistep_options;

static const spur__option multistep_rows[] = {
    SPUR__ROW(INTS, multistep_options, milestones, "30, 60, 90", .min = 1, .max = 1e9,
              .unit = "intervals", .help = "times at which the rate is reduced"),
    SPUR__ROW(FLOAT, multistep_options, gamma, "0.1", .max = INFINITY, .min_open = true,
              .help = "factor of each reduction"),
    SPUR__SCHEDULER_ROWS(multistep_options, "epoch"),
};
static const spur__options multistep_table = SPUR__OPTIONS(multistep_rows, multistep_options);

static double multistep_lr(const spur__schedule *s, double base, double t) {
    const multistep_options *o = s->options;
    int passed = 0;
    for (size_t i = 0; i < o->milestones.count; i++) passed += t >= (double)o->milestones.values[i];
    return base * pow(o->gamma, passed);
}

const spur__scheduler_kind spur__schedule_multistep = {
    .kind = {"multistep", "times gamma at each milestone", &multistep_table},
    .lr = multistep_lr,
};

typedef struct exponential_options {
    spur__scheduler_common common;
    double gamma;
} exponential_options;

static const spur__option exponential_rows[] = {
    SPUR__ROW(FLOAT, exponential_options, gamma, "0.95", .max = INFINITY, .min_open = true,
              .help = "factor per interval"),
    SPUR__SCHEDULER_ROWS(exponential_options, "epoch"),
};
static const spur__options exponential_table = SPUR__OPTIONS(exponential_rows, exponential_options);

static double exponential_lr(const spur__schedule *s, double base, double t) {
    return base * pow(((const exponential_options *)s->options)->gamma, t);
}

const spur__scheduler_kind spur__schedule_exponential = {
    .kind = {"exponential", "times gamma every interval", &exponential_table},
    .lr = exponential_lr,
};

typedef struct polynomial_options {
    spur__scheduler_common common;
    int64_t total_iters;
    double power;
} polynomial_options;

static const spur__option polynomial_rows[] = {
    SPUR__ROW(INT, polynomial_options, total_iters, "auto", .max = 1e9, .choices = "auto",
              .unit = "intervals", .help = "time until the rate is zero; auto: the whole training"),
    SPUR__ROW(FLOAT, polynomial_options, power, "1", .max = INFINITY,
              .help = "exponent; 1 is a straight line"),
    SPUR__SCHEDULER_ROWS(polynomial_options, "epoch"),
};
static const spur__options polynomial_table = SPUR__OPTIONS(polynomial_rows, polynomial_options);

static spur_status polynomial_check(const void *o, spur_error *err) {
    if (((const polynomial_options *)o)->total_iters != 0) return SPUR_OK;
    return spur__fail(err, SPUR_E_RANGE, "total_iters: found 0, expected 1 or more, or auto");
}

static double polynomial_lr(const spur__schedule *s, double base, double t) {
    const polynomial_options *o = s->options;
    double total = o->total_iters == SPUR__AUTO ? s->length : (double)o->total_iters;
    return base * pow(1 - fmin(t, total) / total, o->power);
}

const spur__scheduler_kind spur__schedule_polynomial = {
    .kind = {"polynomial", "down to zero by a power of the time left", &polynomial_table},
    .check = polynomial_check,
    .lr = polynomial_lr,
};
