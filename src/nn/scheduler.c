/* SPDX-License-Identifier: MIT
 *
 * Schedulers: creation, and the linear warm-up in front of each.
 */
#include "nn/scheduler.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/kind.h"

struct spur_scheduler {
    const spur__scheduler_kind *kind;
    void *options;
    spur_schedule_span span;
    spur__scheduler_state state;
};

static const spur__scheduler_common *common_of(const spur_scheduler *scheduler) {
    return scheduler->options;
}

/* Takes over `options`, also when it fails. */
static spur_scheduler *create(const spur__scheduler_kind *kind, void *options,
                              const spur_schedule_span *span, spur_error *err) {
    spur_scheduler *scheduler = NULL;
    if (!span || span->steps_per_epoch == 0 || span->epochs == 0) {
        spur__fail(err, SPUR_E_ARGUMENT,
                   "scheduler %s: a span of at least one epoch of one step is needed",
                   kind->kind.name);
        goto failed;
    }
    if (kind->check && kind->check(options, err) != SPUR_OK) {
        spur__error_prefix(err, "scheduler %s", kind->kind.name);
        goto failed;
    }
    scheduler = spur__calloc(1, sizeof *scheduler);
    if (!scheduler) {
        spur__fail(err, SPUR_E_MEMORY, "scheduler %s: out of memory", kind->kind.name);
        goto failed;
    }
    *scheduler = (spur_scheduler){.kind = kind, .options = options, .span = *span};
    return scheduler;
failed:
    spur__kind_options_free(&kind->kind, options);
    return NULL;
}

spur_scheduler *spur__scheduler_create(const spur__scheduler_kind *kind, const void *options,
                                       const spur_schedule_span *span, spur_error *err) {
    void *copy;
    if (spur__kind_options_copy(&kind->kind, options, &copy, err) != SPUR_OK) return NULL;
    return create(kind, copy, span, err);
}

spur_scheduler *spur_scheduler_create(const char *name, const char *options,
                                      const spur_schedule_span *span, spur_error *err) {
    const spur__kind *kind = spur__family_find(&spur__scheduler_family, name, err);
    void *parsed;
    if (!kind) return NULL;
    if (spur__kind_options_create(kind, "scheduler", options, &parsed, err) != SPUR_OK) return NULL;
    return create((const spur__scheduler_kind *)(const void *)kind, parsed, span, err);
}

void spur_scheduler_destroy(spur_scheduler *scheduler) {
    if (!scheduler) return;
    spur__kind_options_free(&scheduler->kind->kind, scheduler->options);
    spur__free(scheduler);
}

const spur__scheduler_kind *spur__scheduler_kind_of(const spur_scheduler *scheduler) {
    return scheduler->kind;
}

/* Length of the schedule proper in its unit. */
static double length_of(const spur_scheduler *s) {
    const spur__scheduler_common *common = common_of(s);
    double steps = (double)s->span.steps_per_epoch * (double)s->span.epochs;
    double left = steps - (double)common->warmup_steps;
    if (common->interval == SPUR__INTERVAL_EPOCH) left /= (double)s->span.steps_per_epoch;
    return fmax(1, left);
}

/* Time since the end of the warm-up at an optimizer step. */
static double time_at(const spur_scheduler *s, uint64_t step) {
    const spur__scheduler_common *common = common_of(s);
    uint64_t since = step - (uint64_t)common->warmup_steps;
    if (common->interval == SPUR__INTERVAL_STEP) return (double)since;
    return (double)(since / s->span.steps_per_epoch);
}

static bool in_warmup(const spur_scheduler *s, uint64_t step) {
    return step < (uint64_t)common_of(s)->warmup_steps;
}

double spur_scheduler_lr(const spur_scheduler *s, double base, uint64_t step) {
    const spur__scheduler_common *common = common_of(s);
    const spur__schedule schedule = {s->options, length_of(s), &s->state};
    if (!in_warmup(s, step)) return s->kind->lr(&schedule, base, time_at(s, step));
    double start = common->warmup_start_factor;
    double share = (double)step / (double)common->warmup_steps;
    return s->kind->lr(&schedule, base, 0) * (start + (1 - start) * share);
}

double spur_scheduler_momentum(const spur_scheduler *s, uint64_t step) {
    const spur__schedule schedule = {s->options, length_of(s), &s->state};
    if (!s->kind->momentum) return -1;
    return s->kind->momentum(&schedule, in_warmup(s, step) ? 0 : time_at(s, step));
}

spur_status spur_scheduler_apply(const spur_scheduler *scheduler, spur_optimizer *optimizer,
                                 uint64_t step, spur_error *err) {
    if (!scheduler || !optimizer)
        return spur__fail(err, SPUR_E_ARGUMENT, "spur_scheduler_apply: the %s is NULL",
                          scheduler ? "optimizer" : "scheduler");
    double momentum = spur_scheduler_momentum(scheduler, step);
    for (int g = 0; g < spur_optimizer_group_count(optimizer); g++) {
        double base = spur_optimizer_base_lr(optimizer, g);
        spur_optimizer_set_lr(optimizer, g, spur_scheduler_lr(scheduler, base, step));
        if (momentum < 0) continue;
        spur_status status = spur_optimizer_set_momentum(optimizer, g, momentum, err);
        if (status != SPUR_OK) {
            spur__error_prefix(err, "scheduler %s", scheduler->kind->kind.name);
            return status;
        }
    }
    return SPUR_OK;
}

void spur_scheduler_observe(spur_scheduler *scheduler, double value, bool maximize) {
    if (scheduler->kind->observe)
        scheduler->kind->observe(scheduler->options, &scheduler->state, value, maximize);
}

spur__scheduler_state spur__scheduler_get_state(const spur_scheduler *scheduler) {
    return scheduler->state;
}

void spur__scheduler_set_state(spur_scheduler *scheduler, const spur__scheduler_state *state) {
    scheduler->state = *state;
}
