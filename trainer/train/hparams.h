/* SPDX-License-Identifier: MIT
 *
 * The HParams record of a run. A run of its own records the names chosen and whatever differs from
 * the defaults. A sweep says in the environment what it varies: SPUR_HPARAMS is a list of
 * `section.key` separated by blanks, SPUR_HPARAMS_GROUP the name that the seeds of one
 * configuration share. Names in the record are short (config_short_name).
 */
#ifndef SPUR_TRAINER_TRAIN_HPARAMS_H
#define SPUR_TRAINER_TRAIN_HPARAMS_H

#include "train/session.h"

spur_status hparams_log(session *s, spur_error *err);

#endif
