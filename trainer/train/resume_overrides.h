/* SPDX-License-Identifier: MIT
 *
 * Overrides of a run that goes on (`spur resume RUN section.key=value`). What is accepted becomes
 * part of the run: its config.ini and overrides.ini say so before the training goes on, and every
 * later resume knows it. What cannot take effect, or contradicts what the run has already written,
 * is refused.
 */
#ifndef SPUR_TRAINER_TRAIN_RESUME_OVERRIDES_H
#define SPUR_TRAINER_TRAIN_RESUME_OVERRIDES_H

#include "config/config.h"

/* The options that a resume changes: those of the command line whose text is another than before. */
typedef struct resume_overrides {
    const config *was, *now;
    size_t count; /* of changed options */
    bool run_is_done;
    bool is_trial; /* of a sweep: nothing can be changed */
    int argc; /* the command line, for the record */
    char **argv;
} resume_overrides;

/* Refuses, as resume_check_overrides does, a word of the command line ("optimizer.name=sgd") that would change a
 * kind: the options of the old one would not even be read. */
spur_status resume_check_kind(const config *was, const char *word, spur_error *err);

/* Compares the configuration of the run in `path` with the one wanted now. E_ARGUMENT with key, old
 * and new value and the reason for what is refused. */
spur_status resume_check_overrides(resume_overrides *a, const char *path, spur_error *err);

#endif
