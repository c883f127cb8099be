/* SPDX-License-Identifier: MIT
 *
 * The network of a run with its weights, for inference, and its answers for pictures of any size, sounds and rows of
 * tables: what `spur predict` and `spur onnx` begin with.
 */
#ifndef SPUR_TRAINER_ENGINE_COMMANDS_PREDICTOR_H
#define SPUR_TRAINER_ENGINE_COMMANDS_PREDICTOR_H

#include "config/config.h"
#include "engine_commands/setup.h"
#include "train/card.h"
#include "train/sliding_window.h"

typedef struct predictor {
    config cfg;
    card card;
    network net;
    bool slide; /* masks: over the whole picture, tile by tile */
    bool tiles; /* trained on tiles: pictures smaller than one are filled up, not enlarged */
    sliding_window window;
    spur__workspace space;
} predictor;

/* Opens <run>: configuration (with overrides), data.ini, and
 * checkpoints/<which>/weights.safetensors. */
spur_status predictor_open(predictor *p, const char *run, const char *which, const overrides *given,
                           spur_error *err);
void predictor_close(predictor *p);

/* How many numbers an answer has: those of a regression, or the probabilities of the classes. */
size_t predictor_outputs(const predictor *p);

/* The answer for one picture, which is converted to the network's channels. out: [outputs]. */
spur_status predict_classes(predictor *p, spur__image *image, float *out, spur_error *err);

/* The answer for an item of a file of sounds or rows (spur__data_open_file). out: [outputs]. */
spur_status predict_item(predictor *p, const spur_data *data, uint32_t item, float *out,
                         spur_error *err);

/* The mask of a picture, in the picture's own size: out [h][w][1]. */
spur_status predict_mask(predictor *p, spur__image *image, spur__image *out, spur_error *err);

#endif
