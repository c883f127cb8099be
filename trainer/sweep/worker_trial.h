/* SPDX-License-Identifier: MIT
 *
 * What a worker does with one trial: look, claim, start, adopt, end.
 */
#ifndef SPUR_TRAINER_SWEEP_WORKER_TRIAL_H
#define SPUR_TRAINER_SWEEP_WORKER_TRIAL_H

#include "sweep/worker.h"

/* Reads the trial's files and sets the slot's state (final, open or foreign). */
spur_status worker_look(sweep_worker *w, trial_slot *slot, spur_error *err);

/* Claims an open trial and starts, continues or adopts it; the slot becomes foreign when another
 * worker has it, final when it has been finished meanwhile. */
spur_status worker_start(sweep_worker *w, trial_slot *slot, spur_error *err);

/* A process of ours has ended with this wait status. */
spur_status worker_ended(sweep_worker *w, trial_slot *slot, int wait_status, spur_error *err);

/* Heartbeat; for programs also: prunes. */
spur_status worker_watch_ours(sweep_worker *w, trial_slot *slot, spur_error *err);

/* Asks an adopted trial to save its state and leave, where it can be found. */
void worker_stop_adopted(const sweep_worker *w, const trial_slot *slot);

/* Whether an adopted trial has ended. */
spur_status worker_watch_adopted(sweep_worker *w, trial_slot *slot, spur_error *err);

/* When all seeds of a configuration are final, tells the search what came of it. */
void worker_settle_configuration(sweep_worker *w, size_t configuration);

#endif
