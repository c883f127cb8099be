/* SPDX-License-Identifier: MIT
 *
 * Trials that are programs of the user's own: the objective comes from the events that the program
 * wrote, and the worker writes what the trainer writes by itself: status.ini and the HParams record.
 */
#ifndef SPUR_TRAINER_SWEEP_PROGRAM_H
#define SPUR_TRAINER_SWEEP_PROGRAM_H

#include <spur/events.h>

#include "sweep/layout.h"
#include "run/outcome.h"

/* The objective's values of one trial so far, in order. Begins as zeros; program_curve_free ends it. */
typedef struct program_curve {
    spur_run *run; /* how far it was read; NULL: not begun */
    int64_t *steps;
    double *values;
    size_t count, capacity;
} program_curve;

/* Takes in what the trial in directory `run` has written since the last call. */
spur_status program_curve_read(program_curve *curve, const sweep_plan *plan, const char *run,
                               spur_error *err);
void program_curve_free(program_curve *curve);

/* A trial that has ended. */
typedef struct ended_program {
    const char *run, *group; /* its directory; the name that its configuration has in HParams */
    const assignment *assigned;
    int64_t seed;
    int status; /* exit status, -1 when it was killed */
    size_t pruned_at; /* epochs after which the pruner stopped it, 0 when it did not */
} ended_program;

/* Decides what came of it, and writes status.ini and the HParams record. */
spur_status program_finish(const sweep_plan *plan, const ended_program *ended, spur_error *err);

#endif
