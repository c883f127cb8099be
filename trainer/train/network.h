/* SPDX-License-Identifier: MIT
 *
 * The configured network: model, loss and their inputs, built for data of a certain kind.
 */
#ifndef SPUR_TRAINER_TRAIN_NETWORK_H
#define SPUR_TRAINER_TRAIN_NETWORK_H

#include <spur/data.h>
#include <spur/nn.h>

#include "config/config.h"
#include "models/model.h"
#include "nn/loss.h"
#include "output/terminal.h"

/* What the network must be able to read and answer. */
typedef struct network_shape {
    spur_task task;
    int height, width, channels;
    int classes; /* 0: numbers */
    int targets; /* numbers per sample of a regression */
    int batch; /* most samples of a run */
    int ignore_index; /* -1: none */
    bool soft; /* targets are shares of classes (mixup) */
    bool inference; /* no loss, no gradients */
    const float *class_weights; /* [classes], or NULL */
} network_shape;

typedef struct network {
    spur_net *net;
    spur_node *input, *target, *output, *loss;
    spur_node *features; /* what the last layer reads; NULL when it is not known */
    const spur__model_kind *model;
    const spur__loss_kind *loss_kind;
    network_shape shape;
    int outputs; /* logits per decision: 1 for a binary loss */
} network;

/* The shape that data ask for; batch and the flags are left for the caller. */
network_shape network_shape_of(const spur_data_info *info);

/* Builds by [model], [loss] and [run]; errors name the option that does not fit the data. */
spur_status network_build(network *n, const config *cfg, const network_shape *shape,
                          spur_error *err);
void network_free(network *n);

/* Fine-tuning: sets what fits of `[model] weights`, if it is given; a last layer of another size stays
 * new, and the terminal says so. */
spur_status network_load_weights(network *n, const config *cfg, terminal *term, spur_error *err);

/* Puts a batch into the inputs. Without a loss the targets are left out. */
spur_status network_feed(network *n, const spur_batch *batch, spur_error *err);

/* Decisions per sample: pixels of a picture, or 1; outputs of a regression. */
size_t network_rows(const network *n);

/* The logits of the last run: [samples][network_rows][outputs]. */
const float *network_output(const network *n);

/* Logits of one decision as probabilities of all classes, out: [classes]. One output is the logit of
 * class 1. */
void class_probabilities(const float *logits, int outputs, size_t classes, float *out);

/* Threads that [run] asks for. */
int network_threads(const config *cfg);

#endif
