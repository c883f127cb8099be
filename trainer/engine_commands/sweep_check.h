/* SPDX-License-Identifier: MIT
 *
 * What the trials of a sweep would refuse, found out before there is one: each configuration is read
 * as its trial reads it, its data are opened (once for every [data] section) and its network is
 * built, as `spur train --dry-run` does. Nothing is created.
 */
#ifndef SPUR_TRAINER_ENGINE_COMMANDS_SWEEP_CHECK_H
#define SPUR_TRAINER_ENGINE_COMMANDS_SWEEP_CHECK_H

#include "engine_commands/setup.h"
#include "sweep/plan.h"

typedef struct sweep_check {
    const sweep_plan *plan;
    search_state search; /* the configurations, in their order */
    char **faults; /* [search.count]: what is wrong with each; NULL: nothing */
    size_t failed;
} sweep_check;

/* Lists the configurations, `most` at most; of an adaptive search those that it begins with. */
spur_status sweep_check_open(sweep_check *c, const sweep_plan *plan, size_t most, spur_error *err);
void sweep_check_close(sweep_check *c);

/* Checks every configuration; `file` and `given` are the sweep's own file and overrides. */
spur_status sweep_check_run(sweep_check *c, const char *file, const overrides *given,
                            spur_error *err);

/* True when some value, or the whole sweep, has no configuration that could be trained. */
bool sweep_check_is_hopeless(const sweep_check *c);

/* Prints those that failed, with the reasons, to stderr. */
void sweep_check_print(const sweep_check *c);

#endif
