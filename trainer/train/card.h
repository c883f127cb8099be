/* SPDX-License-Identifier: MIT
 *
 * <run>/data.ini: what the data of a run turned out to be - task, size, classes, normalization,
 * numbers of samples - so that its weights can be used where the data are not, and that a run does
 * not go on with other data.
 */
#ifndef SPUR_TRAINER_TRAIN_CARD_H
#define SPUR_TRAINER_TRAIN_CARD_H

#include <spur/data.h>

#include "run/rundir.h"

spur_status card_write(const run_dir *run, const spur_data_info *info, spur_error *err);

typedef struct card {
    spur_data_info info; /* its pointers belong to the card */
    char **names, **features; /* of classes, and of a table's columns (NULL: they have none) */
    float *mean, *std;
    bool counted; /* info.samples is known */
} card;

/* E_STATE, with what was and what is, when the data are not those that the run in `run` began
 * with. */
spur_status card_check(const char *run, const spur_data_info *now, spur_error *err);

/* For data that a run's weights are measured on: they may be others, but of the same classes (or
 * targets) and channels, E_STATE otherwise. Where the run was normalised by its training data
 * (data.normalization = dataset), so are these. */
spur_status card_fit(const char *run, spur_data *data, spur_error *err);

spur_status card_read(card *c, const char *run, spur_error *err);
void card_free(card *c);

#endif
