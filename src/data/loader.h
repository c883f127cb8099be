/* SPDX-License-Identifier: MIT
 *
 * The loader as the trainer sees it: like the public one, with parsed options.
 */
#ifndef SPUR_DATA_LOADER_H
#define SPUR_DATA_LOADER_H

#include "data/transforms/augment.h"
#include "data/dataset.h"

typedef struct spur__loader_config {
    spur_split split;
    size_t batch_size; /* 0: the data's */
    int workers; /* 0: the data's, -1: none */
    uint64_t seed;
    const char *sampler; /* NULL: shuffle for training, else sequential */
    const spur__augment *augment; /* copied; NULL: none */
    bool drop_last;
    size_t limit; /* only so many samples, spread evenly over the split; 0: all */
} spur__loader_config;

spur_status spur__loader_create(spur_loader **out, const spur_data *data,
                                const spur__loader_config *config, spur_error *err);

#endif
