/* SPDX-License-Identifier: MIT
 *
 * The run directory: made exclusively, described by plain files, locked while a process works in
 * it. docs/run-directory.md says what each file holds.
 */
#ifndef SPUR_TRAINER_RUN_RUNDIR_H
#define SPUR_TRAINER_RUN_RUNDIR_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

typedef enum run_state {
    RUN_RUNNING,
    RUN_DONE,
    RUN_FAILED,
    RUN_INTERRUPTED,
    RUN_PRUNED,
    RUN_STATE_COUNT
} run_state;

typedef struct run_dir {
    char *path;
    int lock; /* descriptor of the lock file; -1: not held */
    double started; /* wall time of this process's start of the run */
} run_dir;

/* Makes `<logdir>/run_%Y_%m_%d-%H_%M_%S[_name]` (a clash gets _1, _2, ...), or takes the directory
 * named by the environment variable SPUR_RUN_DIR (as a sweep does), and locks it. */
spur_status run_create(run_dir *run, const char *logdir, const char *name, spur_error *err);

/* Locks an existing run to continue it. E_STATE when a living process holds it. */
spur_status run_open(run_dir *run, const char *path, spur_error *err);

/* Releases the lock. The directory stays. */
void run_close(run_dir *run);

/* <run>/<name>; free with spur__free. */
char *run_path(const run_dir *run, const char *name);

/* Writes a file into the run, atomically (text_write). */
spur_status run_write(const run_dir *run, const char *name, const spur__str *text, spur_error *err);

/* Writes config.ini, overrides.ini, env.ini and git.diff. argc, argv: the command line. */
spur_status run_describe(const run_dir *run, const config *cfg, int argc, char **argv, int threads,
                         spur_error *err);

/* Writes config.ini anew, and adds the overrides of a run that goes on to overrides.ini. */
spur_status run_describe_change(const run_dir *run, const config *cfg, int argc, char **argv,
                                spur_error *err);

/* What stands in status.ini. */
typedef struct run_status {
    run_state state;
    int exit_code; /* valid unless running */
    int64_t epoch, step;
    const char *message; /* why it failed or stopped; may be NULL */
    const char *monitor; /* NULL: no epoch has been judged yet; then the rest means nothing */
    bool maximize;
    double best;
    int64_t best_epoch;
} run_status;

/* A wall time as it stands in the files of a run, "2026-11-22T09:31:07Z". */
void run_format_time(double seconds, char *out, size_t size);

/* A message as a value of an INI file: in one line, without what would begin a comment. */
void run_put_message(spur__str *out, const char *message);

/* Replaces status.ini. The end of a run is written over the old file where there is no room for a
 * new one. */
spur_status run_write_status(const run_dir *run, const run_status *status, spur_error *err);

#endif
