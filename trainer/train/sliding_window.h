/* SPDX-License-Identifier: MIT
 *
 * Whole pictures for a network that sees a part of one at a time: the parts are run one after the
 * other, and what the network says about them is blended (data/tiles.h). `spur predict` and
 * `spur eval` both go this way.
 */
#ifndef SPUR_TRAINER_TRAIN_SLIDING_WINDOW_H
#define SPUR_TRAINER_TRAIN_SLIDING_WINDOW_H

#include "data/pipeline.h"
#include "data/tiles.h"
#include "train/network.h"

typedef struct sliding_window {
    network *net; /* run with one sample at a time */
    const spur_data_info *info;
    int tile_height, tile_width; /* pixels of a picture that are one input of the network */
    int overlap; /* of neighbouring tiles, pixels */
    spur__workspace space;
    spur__image part;
    spur__pixels shares, enlarged;
    spur__blend blend;
} sliding_window;

void sliding_window_free(sliding_window *s);

/* Runs the network over a picture of the network's channels; what a tile has beyond a small picture
 * is black, as in training. Then s->blend.sums holds the probabilities [height][width][classes]. */
spur_status sliding_window_run(sliding_window *s, const spur__image *image, spur_error *err);

#endif
