/* SPDX-License-Identifier: MIT
 *
 * Checkpoints of a session: <run>/checkpoints/step_N with the links `last` and `best`, and
 * <run>/resume/step_N_epoch_M.ini, where the run's own files stood then.
 *
 * A checkpoint's bytes depend on the training alone; what differs from one machine to the next (the
 * names of event files) is in resume/. A checkpoint made by a signal is removed by the next regular
 * one, so that an interrupted run ends with the files that an undisturbed one has.
 */
#ifndef SPUR_TRAINER_TRAIN_CHECKPOINT_H
#define SPUR_TRAINER_TRAIN_CHECKPOINT_H

#include "train/session.h"

/* Saves the position, writes the links, removes what is no longer wanted. */
spur_status checkpoint_save(session *s, bool interrupted, spur_error *err);

/* Whether a run has one to go on from. */
bool checkpoint_exists(const char *run);

/* Loads <run>/checkpoints/last; *found is false when there is none (yet). */
spur_status checkpoint_load_last(session *s, run_log_position *from, bool *found, spur_error *err);

/* Puts the best weights into the network; moving averages end here. */
spur_status checkpoint_load_best(session *s, spur_error *err);

#endif
