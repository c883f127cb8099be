/* SPDX-License-Identifier: MIT
 *
 * What a training writes while it runs: three event files (the run's own, train/, validation/) and
 * metrics.csv. Each can be continued from a checkpoint as if nothing had come after it.
 *
 * Tags are Keras's. The step of epoch_* values is the number of the epoch, from 1; that of batch_*
 * values the number of optimizer steps made.
 */
#ifndef SPUR_TRAINER_TRAIN_JOURNAL_H
#define SPUR_TRAINER_TRAIN_JOURNAL_H

#include <spur/log.h>

#include "base/str.h"
#include "run/rundir.h"
#include "train/measures.h"

typedef enum journal_file {
    JOURNAL_RUN,
    JOURNAL_TRAIN,
    JOURNAL_VALIDATION,
    JOURNAL_FILES
} journal_file;

/* Where the files stood at a checkpoint. */
typedef struct journal_position {
    spur_writer_position events[JOURNAL_FILES]; /* file "" when there was none */
    uint64_t csv;
} journal_position;

typedef struct journal {
    spur_writer *writers[JOURNAL_FILES];
    int csv; /* descriptor */
    char *csv_path;
    uint64_t csv_length;
    const measures *measures;
    bool has_validation;
} journal;

/* Starts the files of a run, or continues them from `from` (not NULL). */
spur_status journal_open(journal *j, const run_dir *run, double flush_seconds, bool has_validation,
                         const measures *m, const journal_position *from, spur_error *err);

/* Removes what an earlier process wrote before its first checkpoint. */
spur_status journal_discard(const run_dir *run, spur_error *err);

/* Writes everything out and closes; the first error of the journal's life. */
spur_status journal_close(journal *j, spur_error *err);

/* The first error that a writer met, with its place. */
spur_status journal_check(journal *j, spur_error *err);

/* Flushes and tells the position. */
spur_status journal_tell(journal *j, journal_position *position, spur_error *err);

typedef struct epoch_record {
    int64_t epoch, step;
    double learning_rate;
    pass_result train, validation; /* validation.loss is NaN in epochs without one */
    bool validated;
} epoch_record;

/* The epoch_* scalars and one row of metrics.csv. */
spur_status journal_epoch(journal *j, const epoch_record *record, spur_error *err);

#endif
