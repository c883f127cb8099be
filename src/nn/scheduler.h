/* SPDX-License-Identifier: MIT
 *
 * What a scheduler is: a row with its options and a function of time.
 *
 * Time t counts epochs or optimizer steps (`interval`) from the end of the warm-up. Every options
 * struct begins with spur__scheduler_common. The formulas are the closed forms of those in
 * torch.optim.lr_scheduler, computed in double.
 */
#ifndef SPUR_NN_SCHEDULER_H
#define SPUR_NN_SCHEDULER_H

#include <math.h>
#include <stddef.h>

#include <spur/optim.h>
#include "base/options.h"

enum { SPUR__INTERVAL_EPOCH = 0, SPUR__INTERVAL_STEP = 1 };

/* The word `auto` of a whole number with choices = "auto", and of a number. */
enum { SPUR__AUTO = -1 };

typedef struct spur__scheduler_common {
    int64_t interval;
    int64_t warmup_steps;
    double warmup_start_factor;
} spur__scheduler_common;

/* What plateau has seen. */
typedef struct spur__scheduler_state {
    double best;
    uint64_t seen; /* improvements; 0: `best` holds nothing yet */
    uint64_t bad; /* epochs without improvement */
    uint64_t cooldown; /* epochs left in which bad ones do not count */
    uint64_t reductions; /* times the rate was reduced */
} spur__scheduler_state;

typedef struct spur__schedule {
    const void *options;
    double length; /* of the whole schedule in the interval's unit, warm-up taken off; >= 1 */
    const spur__scheduler_state *state;
} spur__schedule;

typedef struct spur__scheduler_kind {
    spur__kind kind;
    spur_status (*check)(const void *options, spur_error *err); /* NULL: nothing to check */
    double (*lr)(const spur__schedule *schedule, double base, double t);
    double (*momentum)(const spur__schedule *schedule, double t); /* NULL: not cycled */
    /* Told the monitored value after each epoch; NULL: not interested. */
    void (*observe)(const void *options, spur__scheduler_state *state, double value, bool maximize);
} spur__scheduler_kind;

extern const spur__scheduler_kind spur__schedule_constant, spur__schedule_step,
    spur__schedule_multistep, spur__schedule_exponential, spur__schedule_polynomial,
    spur__schedule_cosine, spur__schedule_cosine_restarts, spur__schedule_one_cycle,
    spur__schedule_plateau;
extern const spur__family spur__scheduler_family;

/* By a kind of the family and a struct of its options (copied), as the trainer has them. */
spur_scheduler *spur__scheduler_create(const spur__scheduler_kind *kind, const void *options,
                                       const spur_schedule_span *span, spur_error *err);

const spur__scheduler_kind *spur__scheduler_kind_of(const spur_scheduler *scheduler);

/* For checkpoints. */
spur__scheduler_state spur__scheduler_get_state(const spur_scheduler *scheduler);
void spur__scheduler_set_state(spur_scheduler *scheduler, const spur__scheduler_state *state);

/* The rows every scheduler has. */
#define SPUR__SCHEDULER_ROWS(struct_, interval_)                                                   \
    SPUR__ROW_AS(CHOICE, struct_, "interval", common.interval, interval_, .choices = "epoch|step", \
                 .help = "what the lengths of this schedule count"),                               \
        SPUR__ROW_AS(INT, struct_, "warmup_steps", common.warmup_steps, "0", .max = 1e9,           \
                     .unit = "steps", .help = "linear warm-up in front of the schedule"),          \
        SPUR__ROW_AS(FLOAT, struct_, "warmup_start_factor", common.warmup_start_factor,            \
                     "0.3333333333333333", .max = 1, .min_open = true,                             \
                     .help = "share of the rate that the warm-up starts with")

#endif
