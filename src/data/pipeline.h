/* SPDX-License-Identifier: MIT
 *
 * From an item to the floats of a network: read, resize (or crop and resize), transforms,
 * normalization. One workspace per thread; it keeps its memory, so that nothing is allocated once
 * all sizes were seen.
 */
#ifndef SPUR_DATA_PIPELINE_H
#define SPUR_DATA_PIPELINE_H

#include "data/transforms/augment.h"
#include "data/dataset.h"

typedef struct spur__workspace {
    spur__sample sample;
    spur__resizer resizer;
    spur__pixels pixels, spare;
    spur__image mask, spare_mask;
} spur__workspace;

void spur__workspace_free(spur__workspace *workspace);

/* Reads an item and brings it to the network's size: workspace->pixels holds values before the
 * normalization, workspace->mask the classes. `augment` and `rng` may be NULL. */
spur_status spur__sample_load(const spur_data *data, uint32_t item, const spur__augment *augment,
                              spur__rng *rng, spur__workspace *workspace, spur_error *err);

/* The same, then normalised: input [height][width][channels]; mask [height][width] or NULL. */
spur_status spur__sample_prepare(const spur_data *data, uint32_t item, const spur__augment *augment,
                                 spur__rng *rng, spur__workspace *workspace, float *input,
                                 int32_t *mask, spur_error *err);

/* A part of a picture as a network's input, without augmentation, for predictions. The picture has
 * the network's channels. */
spur_status spur__image_prepare(const spur_data_info *info, const spur__image *image, spur__box box,
                                spur__workspace *workspace, float *input, spur_error *err);

#endif
