/* SPDX-License-Identifier: MIT
 *
 * What a sweep will do, read from a configuration: its options, its search space and its seeds.
 *
 * Everything is checked before anything is created: every value that a parameter may take is
 * parsed by the row of its option, conditions must be able to hold, a grid must be discrete.
 */
#ifndef SPUR_TRAINER_SWEEP_PLAN_H
#define SPUR_TRAINER_SWEEP_PLAN_H

#include "config/config.h"
#include "sweep/search.h"
#include "sweep/settings.h"

typedef struct sweep_plan {
    const config *cfg; /* borrowed */
    sweep_settings settings;
    program_settings program;
    bool is_program;
    space space;
    int64_t *seeds;
    size_t seed_count; /* at least 1 */
    bool seeds_given; /* [sweep] names seeds: trials are named by them */
    const search_method *method;
    best_options best; /* if that is `best` */
    const pruner *pruner;
} sweep_plan;

/* Fills *plan from the configuration, which must stay alive as long. Frees itself on error. */
spur_status sweep_plan_make(sweep_plan *plan, const config *cfg, spur_error *err);
void sweep_plan_free(sweep_plan *plan);

/* The text of an option of the configuration ("optimizer.name" -> "adam"), NULL when there is no
 * such option. Fits space_lookup; the context is the plan. The text lives until the next call. */
const char *sweep_plan_option(const void *plan, const char *name);

/* The options of the search method. */
const void *sweep_plan_method_options(const sweep_plan *plan);

/* True for an entry of [sweep] that a value on the command line replaces: it is varied no more. */
bool sweep_plan_replaced(const sweep_plan *plan, const document_entry *entry);

/* Appends everything that decides which trials there are and what they compute, one fact a line;
 * logdir, threads, jobs and the like are left out, and options of methods and pruners that are not used. A continued sweep must have the same text. */
void sweep_plan_fingerprint(const sweep_plan *plan, spur__str *out);

#endif
