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

/* As spur_checkpoint_save. `sync_later`: nothing is synced, which takes longer than all the rest; a power cut may
 * damage step_N until spur__checkpoint_sync has been called, and no link is to lead to it before. */
spur_status spur__checkpoint_write(const spur_checkpoint_parts *parts, const char *directory,
                                   uint64_t step, bool sync_later, spur_error *err);
spur_status spur__checkpoint_sync(const char *directory, uint64_t step, spur_error *err);

/* Removes the files of step_N, `state` first, and the folder; fine when it is not there. */
spur_status spur__checkpoint_remove(const char *directory, uint64_t step, spur_error *err);

/* Removes, as far as that is possible, each step_N to which no link in the directory leads and which is unwanted;
 * `folder` is its path. */
typedef bool spur__unwanted(const void *user, const char *folder, uint64_t step);
void spur__checkpoint_sweep(const char *directory, spur__unwanted *is_unwanted, const void *user);

/* DIRECTORY/step_N, newly allocated; NULL when out of memory. */
char *spur__checkpoint_folder(const char *directory, uint64_t step);

#endif
