/* SPDX-License-Identifier: MIT
 *
 * Measuring whole pictures of data that are cut into tiles for training.
 */
#ifndef SPUR_TRAINER_TRAIN_WHOLE_PICTURES_H
#define SPUR_TRAINER_TRAIN_WHOLE_PICTURES_H

#include "train/session.h"

/* True when the samples of the data are parts of pictures. */
bool session_has_tiles(const session *s);

/* Runs the session's weights over every picture of its validation split, tile by tile and blended,
 * and counts in s->val_pass: loss and metrics of whole pictures in their own size. */
spur_status session_measure_whole(session *s, pass_result *result, spur_error *err);

#endif
