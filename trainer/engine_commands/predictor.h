/* SPDX-License-Identifier: MIT
 *
 * The network of a run with its weights, for inference, and its answers for pictures of any size: what
 * `spur predict` and `spur onnx` begin with.
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

/* Probabilities of one picture's classes (or the numbers of a regression). `image` is converted to
 * the network's channels. out: [classes]. */
spur_status predict_classes(predictor *p, spur__image *image, float *out, spur_error *err);

/* The mask of a picture, in the picture's own size: out [h][w][1]. */
spur_status predict_mask(predictor *p, spur__image *image, spur__image *out, spur_error *err);

#endif
