/* SPDX-License-Identifier: MIT
 *
 * Runs made from runs: the mean over a configuration's seeds, epoch by epoch, with mean - std and
 * mean + std beside it, so that TensorBoard's custom-scalars tab draws the band.
 */
#ifndef SPUR_TRAINER_SWEEP_AGGREGATE_H
#define SPUR_TRAINER_SWEEP_AGGREGATE_H

#include "sweep/collect.h"

/* Writes <sweep>/groups/config_NNNN anew for every configuration of which two or more runs are done.
 * Nothing is written for a sweep without repetitions. `claim` gives the right to it, and is kept alive. */
spur_status sweep_aggregate(const sweep_view *v, const char *claim, spur_error *err);

#endif
