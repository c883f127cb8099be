/* SPDX-License-Identifier: MIT
 *
 * Checkpoints of a session: <run>/checkpoints/step_N with the links `last` and `best`, and
 * <run>/resume/step_N_epoch_M.ini, where the run's own files stood then.
 *
 * `best` may lead to an epoch after that of `last` where a training has failed or was killed between two saves; a run
 * that goes on puts it back, and removes what is later than `last`.
 *
 * A checkpoint's bytes depend on the training alone; what differs from one machine to the next (the
 * names of event files) is in resume/. A checkpoint made by a signal is removed by the next regular
 * one, so that an interrupted run ends with the files that an undisturbed one has.
 */
#ifndef SPUR_TRAINER_TRAIN_CHECKPOINT_H
#define SPUR_TRAINER_TRAIN_CHECKPOINT_H

#include "train/session.h"

/* Saves the position, writes the links, removes what is no longer wanted. */
spur_status checkpoint_save(session *s, spur_error *err);

/* The same at the end of an epoch, if it is the last one or [train] checkpoint_secs have passed: to sync a
 * checkpoint takes longer than an epoch of a small training. Otherwise the session is behind, and if the epoch is the
 * best one so far, its checkpoint waits without a link. */
spur_status checkpoint_epoch(session *s, spur_error *err);

/* Links the best checkpoint if it waits: for a training that has failed, whose position is not to be saved. */
spur_status checkpoint_link_best(session *s, spur_error *err);

/* Whether a run has one to go on from: *found is false as long as none has been saved. E_NOTFOUND or E_TYPE where one
 * was, and <run>/checkpoints/last is not what it should be; the message says what to do. */
spur_status checkpoint_find(const char *run, bool *found, spur_error *err);

/* Loads <run>/checkpoints/last, if checkpoint_find finds it. Changes nothing in the run. Fails, too, where the weights
 * that train.restore_best wants at the end are not there, or damaged. */
spur_status checkpoint_load_last(session *s, run_log_position *from, bool *found, spur_error *err);

/* After that: completes the save, or takes it back, at which a process was killed. */
spur_status checkpoint_mend(session *s, spur_error *err);

/* Puts the best weights into the network; moving averages end here. */
spur_status checkpoint_load_best(session *s, spur_error *err);

#endif
