/* SPDX-License-Identifier: MIT
 *
 * Fine-tuning: `[model] weights = FILE` sets what fits; a last layer of another size stays new.
 */
#ifndef SPUR_TRAINER_TRAIN_WEIGHTS_IN_H
#define SPUR_TRAINER_TRAIN_WEIGHTS_IN_H

#include "terminal/terminal.h"
#include "train/network.h"

spur_status weights_load(network *n, const config *cfg, terminal *term, spur_error *err);

#endif
