/* SPDX-License-Identifier: MIT
 *
 * none, median, asha and hyperband.
 *
 * median: a trial whose best value so far is worse than the median, over the finished trials, of
 * their values at the same epoch (Golovin et al., "Google Vizier", KDD 2017, section 3.2.2).
 * asha: asynchronous successive halving (Li et al., "A system for massively parallel
 * hyperparameter tuning", MLSys 2020). hyperband: several such brackets (Li et al., JMLR 18, 2018).
 */
#include "sweep/pruner.h"

#include <float.h>
#include <math.h>

#include "base/random.h"

static bool never(const void *options, const learning_curve *curves, size_t count, size_t self,
                  bool maximize) {
    (void)options, (void)curves, (void)count, (void)self, (void)maximize;
    return false;
}

/* Smaller is better from here on. */
static double loss_of(double value, bool maximize) {
    return maximize ? -value : value;
}

/* ---- median -------------------------------------------------------------------------------- */

/* The k-th smallest (from 0) of the finished curves' losses at `epoch`; NaN when there are fewer.
 * Without sorting: the value that has at most k below it and more than k not above it. */
static double kth_loss(const learning_curve *curves, size_t count, size_t epoch, size_t k,
                       bool maximize) {
    for (size_t i = 0; i < count; i++) {
        if (!curves[i].finished || curves[i].count < epoch) continue;
        double x = loss_of(curves[i].values[epoch - 1], maximize);
        size_t below = 0, equal = 0;
        for (size_t j = 0; j < count; j++) {
            if (!curves[j].finished || curves[j].count < epoch) continue;
            double y = loss_of(curves[j].values[epoch - 1], maximize);
            below += y < x;
            equal += y == x;
        }
        if (below <= k && k < below + equal) return x;
    }
    return NAN;
}

static bool prune_median(const void *options, const learning_curve *curves, size_t count,
                         size_t self, bool maximize) {
    const median_options *o = options;
    const learning_curve *c = &curves[self];
    size_t finished = 0, reached = 0, epoch = c->count;
    for (size_t i = 0; i < count; i++) {
        finished += i != self && curves[i].finished;
        reached +=
            curves[i].finished && curves[i].count >= epoch && !isnan(curves[i].values[epoch - 1]);
    }
    if (finished < (size_t)o->startup_trials || epoch <= (size_t)o->warmup_epochs) return false;
    if (reached == 0) return false;
    double best = INFINITY;
    for (size_t i = 0; i < epoch; i++) best = fmin(best, loss_of(c->values[i], maximize));
    if (best == INFINITY) return true; /* nothing but NaN */
    double middle = kth_loss(curves, count, epoch, reached / 2, maximize);
    if (reached % 2 == 0)
        middle = (middle + kth_loss(curves, count, epoch, reached / 2 - 1, maximize)) / 2;
    return best > middle;
}

/* ---- asha ---------------------------------------------------------------------------------- */

/* The epochs min_resource * factor^(rate + i), i = 0, 1, ..., at which a trial must be among the best
 * 1 / factor of its rivals: of all trials, or of those in its own bracket of hyperband. */
typedef struct rungs {
    int64_t min_resource, factor, rate;
    const hyperband_options *brackets; /* NULL: there is one */
} rungs;

static bool are_rivals(const rungs *r, const learning_curve *a, const learning_curve *b) {
    return !r->brackets ||
           hyperband_bracket(r->brackets, a->trial) == hyperband_bracket(r->brackets, b->trial);
}

/* Whether the last value of curve `self` keeps it from going on. */
static bool asha_stops(const rungs *r, const learning_curve *curves, size_t count, size_t self,
                       bool maximize) {
    const learning_curve *c = &curves[self];
    double factor = (double)r->factor;
    double rung = (double)r->min_resource * pow(factor, (double)r->rate);
    while (rung < (double)c->count) rung *= factor;
    if (c->count == 0 || (double)c->count != rung) return false; /* not at a rung */
    size_t epoch = c->count, rivals = 0, ahead = 0;
    double mine = loss_of(c->values[epoch - 1], maximize);
    if (mine != mine) return true;
    for (size_t i = 0; i < count; i++) {
        if ((i != self && !are_rivals(r, c, &curves[i])) || curves[i].count < epoch) continue;
        double other = loss_of(curves[i].values[epoch - 1], maximize);
        if (other != other) continue;
        rivals++;
        ahead += other < mine;
    }
    size_t promoted = rivals / (size_t)r->factor;
    return ahead >= (promoted ? promoted : 1);
}

static bool prune_asha(const void *options, const learning_curve *curves, size_t count, size_t self,
                       bool maximize) {
    const asha_options *o = options;
    const rungs r = {o->min_resource, o->reduction_factor, o->min_early_stopping_rate, NULL};
    return asha_stops(&r, curves, count, self, maximize);
}

/* ---- hyperband ----------------------------------------------------------------------------- */

static size_t bracket_count(const hyperband_options *o) {
    size_t brackets = 1;
    double resource = (double)o->min_resource;
    while ((resource *= (double)o->reduction_factor) <= (double)o->max_resource) brackets++;
    return brackets;
}

/* Brackets are filled in proportion to their budgets ceil(B f^s / (s + 1)), s = B - 1 - rate. */
static uint32_t bracket_budget(const hyperband_options *o, size_t brackets, size_t rate) {
    size_t s = brackets - 1 - rate;
    return (uint32_t)ceil((double)brackets * pow((double)o->reduction_factor, (double)s) /
                          ((double)s + 1));
}

size_t hyperband_bracket(const hyperband_options *o, size_t trial) {
    size_t brackets = bracket_count(o);
    uint32_t total = 0;
    spur__rng rng;
    for (size_t b = 0; b < brackets; b++) total += bracket_budget(o, brackets, b);
    spur__rng_init(&rng, 0, SPUR__STREAM_SEARCH, 0x20000u, trial);
    uint32_t at = spur__rng_below(&rng, total);
    for (size_t b = 0; b + 1 < brackets; b++) {
        uint32_t budget = bracket_budget(o, brackets, b);
        if (at < budget) return b;
        at -= budget;
    }
    return brackets - 1;
}

static bool prune_hyperband(const void *options, const learning_curve *curves, size_t count,
                            size_t self, bool maximize) {
    const hyperband_options *o = options;
    const rungs r = {o->min_resource, o->reduction_factor,
                     (int64_t)hyperband_bracket(o, curves[self].trial), o};
    return asha_stops(&r, curves, count, self, maximize);
}

/* ---- the table ----------------------------------------------------------------------------- */

static const pruner none = {.kind = {"none", "every trial runs to its end", NULL}, .prune = never};
static const pruner median = {
    .kind = {"median", "stop what is worse than the median of finished trials", NULL},
    .prune = prune_median,
};
static const pruner asha = {
    .kind = {"asha", "asynchronous successive halving", NULL},
    .prune = prune_asha,
};
static const pruner hyperband = {
    .kind = {"hyperband", "successive halving in several brackets", NULL},
    .prune = prune_hyperband,
};

static const spur__kind *const kinds[] = {&none.kind, &median.kind, &asha.kind, &hyperband.kind};

const spur__family pruner_family = {
    .name = "pruner",
    .title = "Pruners",
    .kinds = kinds,
    .count = sizeof kinds / sizeof kinds[0],
};
