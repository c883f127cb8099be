/* SPDX-License-Identifier: MIT
 *
 * Locks of run directories: each on an empty file of its own, which stays when nobody holds it.
 *
 * A lock belongs to the open file, not to the process: it is handed on with the descriptor to a program that is
 * started, and ends when the last holder closes it or dies. Whoever looks at one takes nothing, so that
 * looking never keeps anybody from taking it.
 */
#ifndef SPUR_TRAINER_RUN_LOCK_H
#define SPUR_TRAINER_RUN_LOCK_H

#include <stdbool.h>

#include <spur/status.h>

#define RUN_LOCK "run.lock" /* of the trainer that works in a run */
#define TRIAL_LOCK "trial.lock" /* of a sweep's trial, held from before it is started */

/* Takes <folder>/<name>, making the file. *fd holds it until it is closed; exec closes it, too. E_STATE:
 * somebody else has it. */
spur_status lock_take(const char *folder, const char *name, int *fd, spur_error *err);

/* Whether somebody holds <folder>/<name>, we ourselves included. */
bool lock_is_held(const char *folder, const char *name);

#endif
