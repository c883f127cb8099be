/* SPDX-License-Identifier: MIT
 *
 * What became of a run, read from its own files: status.ini and metrics.csv.
 */
#ifndef SPUR_TRAINER_RUN_OUTCOME_H
#define SPUR_TRAINER_RUN_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <spur/status.h>

typedef enum run_verdict {
    VERDICT_NONE, /* never started: no status.ini */
    VERDICT_RUNNING, /* status says running, and a process holds the run's lock */
    VERDICT_STALE, /* status says running, but nobody holds the lock: it was killed */
    VERDICT_INTERRUPTED, /* stopped by a signal, its state saved */
    VERDICT_DONE,
    VERDICT_PRUNED,
    VERDICT_FAILED,
    VERDICT_DAMAGED, /* status.ini cannot be read, or has a state that we do not know, of a later version
                      * perhaps; and no process is at work that would write it anew */
    VERDICT_COUNT
} run_verdict;

extern const char *const run_verdict_names[VERDICT_COUNT];

typedef struct run_outcome {
    run_verdict verdict;
    int exit_code;
    char monitor[256]; /* "" when the run did not come so far */
    bool maximize;
    double best; /* NaN: none */
    double last; /* NaN: none, or status.ini does not say: see run_metric_last */
    long long best_epoch, epochs, steps;
    char started[32]; /* when its last process began, sortable; "" when status.ini does not say */
    char message[512]; /* why it failed; of a damaged one where and why it cannot be read */
} run_outcome;

/* Whether a run has ended without a value: it failed, or its monitor was never a number. */
bool run_outcome_failed(const run_outcome *o);

/* Reads <run>/status.ini. A missing file is VERDICT_NONE, one that cannot be read VERDICT_DAMAGED: what only
 * looks on shows the rest. The one error is E_MEMORY. */
spur_status run_outcome_read(const char *run, run_outcome *out, spur_error *err);

/* The same for one who holds a lock of the run: nobody else is at work in it. */
spur_status run_outcome_left(const char *run, run_outcome *out, spur_error *err);

/* True when a living process holds the lock of the run (lock.h). */
bool run_is_locked(const char *run);

/* The process that leads the group of a run at work on this machine, by trial.lock or status.ini; 0 when
 * neither names a living one. */
pid_t run_owner(const char *run);

/* The last line of <run>/output.log that has anything in it, "" when there is none: why a trial
 * failed that could not say it itself. */
void run_last_output(const char *run, char *out, size_t n);

/* A column of <run>/metrics.csv. *values is newly allocated (spur__free), rows without a number are
 * NaN. E_NOTFOUND when there is no file or no such column, E_DAMAGED when a row has more or fewer
 * fields than the header. */
spur_status run_metric_column(const char *run, const char *column, double **values, size_t *count,
                              spur_error *err);

/* The last number in that column; NaN when there is none. */
spur_status run_metric_last(const char *run, const char *column, double *value, spur_error *err);

#endif
