/* SPDX-License-Identifier: MIT
 *
 * What a training writes while it runs: three event files (the run's own, train/, validation/) and
 * metrics.csv. Each can be continued from a checkpoint as if nothing had come after it.
 *
 * Tags are Keras's. The step of epoch_* values is the number of the epoch, from 1; that of batch_*
 * values the number of optimizer steps made.
 */
#ifndef SPUR_TRAINER_TRAIN_RUN_LOG_H
#define SPUR_TRAINER_TRAIN_RUN_LOG_H

#include <spur/log.h>

#include "base/str.h"
#include "run/rundir.h"
#include "train/measures.h"

typedef enum run_log_file {
    RUN_LOG_RUN,
    RUN_LOG_TRAIN,
    RUN_LOG_VALIDATION,
    RUN_LOG_FILES
} run_log_file;

/* Where the files stood at a checkpoint. */
typedef struct run_log_position {
    spur_writer_position events[RUN_LOG_FILES]; /* file "" when there was none */
    uint64_t csv;
} run_log_position;

typedef struct run_log {
    spur_writer *writers[RUN_LOG_FILES];
    int csv; /* descriptor */
    char *csv_path;
    uint64_t csv_length;
    const measures *measures;
    bool has_validation;
    bool named; /* the names of the files are on the disk */
} run_log;

/* Starts the files of a run, or continues them from `from` (not NULL). With 0 flush_seconds nothing waits. */
spur_status run_log_open(run_log *l, const run_dir *run, double flush_seconds, bool has_validation,
                         const measures *m, const run_log_position *from, spur_error *err);

/* Removes what an earlier process wrote before its first checkpoint. */
spur_status run_log_discard(const run_dir *run, spur_error *err);

/* Writes everything out and closes; the first error of its life. */
spur_status run_log_close(run_log *l, spur_error *err);

/* The first error that a writer met, with its place. */
spur_status run_log_check(run_log *l, spur_error *err);

/* Flushes and tells the position. */
spur_status run_log_tell(run_log *l, run_log_position *position, spur_error *err);

typedef struct epoch_record {
    int64_t epoch, step;
    double learning_rate;
    pass_result train, validation; /* of the validation nothing counts where there was none */
    bool validated;
} epoch_record;

/* The epoch_* scalars and one row of metrics.csv. */
spur_status run_log_epoch(run_log *l, const epoch_record *record, spur_error *err);

#endif
