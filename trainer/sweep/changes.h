/* SPDX-License-Identifier: MIT
 *
 * What has changed between two fingerprints of a sweep, when it goes on all the same.
 */
#ifndef SPUR_TRAINER_SWEEP_CHANGES_H
#define SPUR_TRAINER_SWEEP_CHANGES_H

#include <spur/status.h>

#include "base/str.h"

/* Appends a fingerprint without the options of methods and pruners that its sweep does not use: earlier
 * versions wrote those, too, each the ones that it had. */
void sweep_used_options(const char *print, spur__str *out);

/* Appends "train.epochs = 2 -> 3" lines to *changed: options that are not varied, so that trials
 * before and after are not of one experiment. Other values and seeds are no such change. E_STATE
 * when one varies an option that the other does not: its value in the trials of the other would be
 * unknown. `path` is the sweep's, for the message. */
spur_status sweep_changes(const char *before, const char *now, const char *path, spur__str *changed,
                          spur_error *err);

#endif
