/* SPDX-License-Identifier: MIT
 *
 * The journal: what each worker of a sweep did, one JSON object a line, append only, a file per
 * worker, which locks it as long as it lives. It is never read to decide what to do (the runs' own files tell that), only to tell how
 * often a trial was started, and people what happened.
 */
#ifndef SPUR_TRAINER_SWEEP_JOURNAL_H
#define SPUR_TRAINER_SWEEP_JOURNAL_H

#include "sweep/layout.h"
#include "run/outcome.h"

typedef struct sweep_journal {
    int fd;
} sweep_journal;

spur_status sweep_journal_open(sweep_journal *j, const sweep_dir *dir, spur_error *err);
void sweep_journal_close(sweep_journal *j);

/* "start", "resume", "adopt", "takeover"... of a trial. */
spur_status sweep_journal_event(sweep_journal *j, const char *event, const char *trial,
                                spur_error *err);

/* The end of a trial, with its outcome. */
spur_status sweep_journal_end(sweep_journal *j, const char *trial, const run_outcome *o,
                              spur_error *err);

/* How often a trial ended as failed, over all workers' files. */
size_t sweep_journal_failures(const sweep_dir *dir, const char *trial);

/* Whether a worker is in that sweep, also one that runs no trial at the moment. */
bool sweep_journal_has_worker(const char *sweep);

#endif
