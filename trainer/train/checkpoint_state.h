/* SPDX-License-Identifier: MIT
 *
 * A session's own part of a checkpoint: its position and the sums of the epoch under way.
 */
#ifndef SPUR_TRAINER_TRAIN_CHECKPOINT_STATE_H
#define SPUR_TRAINER_TRAIN_CHECKPOINT_STATE_H

#include <spur/weights.h>

#include "train/session.h"

spur_status state_of_session(const session *s, spur_state *state, spur_error *err);
spur_status session_of_state(session *s, const spur_state *state, spur_error *err);

#endif
