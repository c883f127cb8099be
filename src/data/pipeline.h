/* SPDX-License-Identifier: MIT
 *
 * From an item to the floats of a network: read, resize (or crop and resize), transforms,
 * normalization. One workspace per thread; it keeps its memory, so that nothing is allocated once
 * all sizes were seen.
 */
#ifndef SPUR_DATA_PIPELINE_H
#define SPUR_DATA_PIPELINE_H

#include "data/augment.h"
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

/* A picture of any size as a network's input, without augmentation, for predictions. The picture is
 * converted to the data's channels in place. */
spur_status spur__image_prepare(const spur_data *data, spur__image *image,
                                spur__workspace *workspace, float *input, spur_error *err);

/* (x - mean) / std, channel by channel, over n pixels. */
void spur__normalize(const spur_data *data, const float *from, float *to, size_t pixels);

/* Back from a network's input to a picture of bytes (clipped), for logging. `image` is shaped. */
spur_status spur__denormalize(const spur_data *data, const float *from, int height, int width,
                              spur__image *image, spur_error *err);

#endif
