/* SPDX-License-Identifier: MIT
 *
 * Search methods: which configuration is tried next.
 *
 * grid and random are lists known from the start (same space, seed and number of trials: same
 * list, whatever has run), best is one of another sweep. tpe looks at what has finished. A configuration that equals an earlier
 * one, after its conditions are settled, is never suggested again.
 */
#ifndef SPUR_TRAINER_SWEEP_SEARCH_H
#define SPUR_TRAINER_SWEEP_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spur/status.h>

#include "base/options.h"
#include "sweep/space.h"

typedef enum outcome_state {
    OUTCOME_RUNNING, /* suggested, nothing known yet */
    OUTCOME_FINISHED, /* `value` is the objective (mean over seeds) */
    OUTCOME_PRUNED, /* `value` is the last one reported, after `steps` epochs */
    OUTCOME_FAILED
} outcome_state;

/* What is known of one configuration. */
typedef struct search_outcome {
    assignment assigned;
    outcome_state state;
    double value;
    size_t steps;
} search_outcome;

typedef struct search_state {
    const space *space;
    space_lookup lookup; /* for conditions on options that are not swept; may be NULL */
    const void *context;
    uint64_t seed;
    bool maximize;
    size_t trials; /* how many configurations are wanted; grid ignores it (0: all) */
    search_outcome *known; /* configurations suggested so far, in order; owned */
    size_t count;
    size_t cursor; /* grid: the next point of the product to look at */
} search_state;

typedef struct search_method {
    spur__kind kind;
    bool needs_discrete; /* refuses uniform() and log() */
    bool adaptive; /* looks at outcomes: trials are suggested one after the other */
    /* The next configuration, into *out (freshly initialised). E_END when there is no further one.
     * `options` is the method's own struct. */
    spur_status (*suggest)(search_state *s, const void *options, assignment *out, spur_error *err);
} search_method;

extern const spur__family search_family;
extern const search_method search_best, search_tpe;

/* Where `best` takes configurations from, and the seeds that it will run them with. */
typedef struct best_options {
    const char *of; /* the directory of a sweep */
    const int64_t *seeds;
    size_t seed_count;
} best_options;

/* Values that tpe is configured with (Bergstra et al., NIPS 2011; defaults as in Optuna). */
typedef struct tpe_options {
    int64_t startup_trials;
    int64_t candidates;
} tpe_options;

void search_init(search_state *s, const space *sp, uint64_t seed, bool maximize);
void search_free(search_state *s);

/* Remembers a configuration that is known from an earlier process. Takes over `a`. */
spur_status search_add(search_state *s, assignment *a, spur_error *err);

/* Takes the last suggestion back: it was never started. */
void search_forget_last(search_state *s);

/* Asks the method and remembers the answer as OUTCOME_RUNNING. E_END: nothing is left to try. */
spur_status search_next(search_state *s, const search_method *method, const void *options,
                        const assignment **out, spur_error *err);

/* True when an equal configuration was suggested before. */
bool search_known(const search_state *s, const assignment *a);

/* How many configurations a space of choices has, before conditions; SIZE_MAX on overflow or for
 * a space with intervals. */
size_t search_grid_size(const space *s);

/* A random configuration that is not known yet; E_END when many attempts found none. */
spur_status search_draw_new(const search_state *s, assignment *out);

#endif
