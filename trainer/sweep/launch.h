/* SPDX-License-Identifier: MIT
 *
 * Starting one trial as a process of its own, by exec (a bare fork does not survive OpenMP).
 *
 * A trial runs in a process group of its own, with the run directory in SPUR_RUN_DIR, standard
 * input from /dev/null and its output in <run>/output.log. Its lock (trial.lock) is taken before anything is
 * looked at or made in the directory, and inherited by the process: so there is no moment at which a second
 * worker could start the trial, too, and one that outlives its worker can be adopted. The shell that runs
 * any other program than the trainer leaves its exit status in <run>/exit.
 */
#ifndef SPUR_TRAINER_SWEEP_LAUNCH_H
#define SPUR_TRAINER_SWEEP_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "sweep/layout.h"

typedef struct launch {
    const sweep_plan *plan;
    const sweep_dir *dir;
    const char *name; /* of the trial */
    size_t configuration; /* from 1, as in names */
    const assignment *assigned;
    int64_t seed;
    int threads; /* this trial's share */
    bool resume; /* continue what is in the directory */
    int lock; /* of launch_hold */
} launch;

/* Makes the directory of a trial and takes its lock, E_STATE when somebody is at work in it. Close *lock to
 * let go. */
spur_status launch_hold(const char *run, int *lock, spur_error *err);

/* Writes trial.ini if need be, and starts the process, which has the lock then, too. */
spur_status launch_trial(const launch *l, pid_t *pid, spur_error *err);

/* The exit status that <run>/exit holds; -1 when there is none (the program was killed). */
int program_exit_status(const char *run);

/* Whether a trial's HParams record has the seed. Not where several seeds are the sessions of one
 * group: TensorBoard shows the seed of any of them beside the mean of all. */
bool sweep_records_seed(const sweep_plan *plan);

/* The command with {name}, {seed} and {run_dir} replaced by quoted values, and {{ and }} by { and }; but
 * where there is no {{, }} stays as it is. E_NOTFOUND names an unknown placeholder. */
spur_status program_command(const sweep_plan *plan, const assignment *a, int64_t seed,
                            const char *run, spur__str *out, spur_error *err);

#endif
