/* SPDX-License-Identifier: MIT
 *
 * What writing and reading of checkpoints share: file names, and the float arrays next to the
 * weights (moments of the optimizer, averages), each of a parameter's size and layout.
 */
#ifndef SPUR_WEIGHTS_CHECKPOINT_H
#define SPUR_WEIGHTS_CHECKPOINT_H

#include <spur/weights.h>
#include "weights/state.h"

#define SPUR__WEIGHTS_FILE "weights.safetensors"
#define SPUR__OPTIMIZER_FILE "optimizer.safetensors"
#define SPUR__EMA_FILE "ema.safetensors"
#define SPUR__STATE_FILE "state"

typedef struct spur__arrays {
    char **names; /* owned; the rest belongs to others */
    spur_param **params;
    float **values;
    size_t count;
} spur__arrays;

/* "exp_avg.conv1.weight", ... and "conv1.weight", ...; free with spur__arrays_free. */
spur_status spur__arrays_of_optimizer(const spur_optimizer *optimizer, spur__arrays *arrays,
                                      spur_error *err);
spur_status spur__arrays_of_ema(const spur_ema *ema, spur__arrays *arrays, spur_error *err);
void spur__arrays_free(spur__arrays *arrays);

/* Removes the files of step_N, `state` first, and the folder; fine when it is not there. */
spur_status spur__checkpoint_remove(const char *directory, uint64_t step, spur_error *err);

#endif
