/* SPDX-License-Identifier: MIT
 *
 * Trials that are programs of the user's own: the objective comes from the events that the program
 * wrote, and the worker writes what the trainer writes by itself: status.ini and the HParams record.
 */
#ifndef SPUR_TRAINER_SWEEP_PROGRAM_H
#define SPUR_TRAINER_SWEEP_PROGRAM_H

#include "sweep/layout.h"
#include "run/outcome.h"

/* The objective's values so far, in order (spur__free); none written yet: *count = 0. */
spur_status program_curve(const sweep_plan *plan, const char *run, double **values, size_t *count,
                          spur_error *err);

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
