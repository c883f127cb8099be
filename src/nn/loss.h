/* SPDX-License-Identifier: MIT
 *
 * What a loss is: a row with its options and a function that adds it to a net.
 */
#ifndef SPUR_NN_LOSS_H
#define SPUR_NN_LOSS_H

#include <spur/loss.h>
#include "base/options.h"

/* What a loss compares. */
typedef enum spur__loss_task {
    SPUR__LOSS_CLASSES, /* one of several classes: as many outputs */
    SPUR__LOSS_BINARY, /* yes or no: one output for two classes */
    SPUR__LOSS_VALUES /* numbers */
} spur__loss_task;

/* What the data say, and the rows do not hold. */
typedef struct spur__loss_context {
    const float *class_weights; /* [classes] from balancing, or NULL */
    int classes;
    bool ignore;
    int ignore_index;
} spur__loss_context;

typedef struct spur__loss_kind {
    spur__kind kind;
    spur__loss_task task;
    /* What the ranges cannot say; NULL: nothing. `classes`: of the data, 0 for values. */
    spur_status (*check)(const void *options, int classes, spur_error *err);
    spur_node *(*build)(spur_net *net, spur_node *output, spur_node *target, const void *options,
                        const spur__loss_context *context);
} spur__loss_kind;

/* Outputs that the model needs for the loss: 1 for binary losses over two classes. */
int spur__loss_outputs(const spur__loss_kind *kind, int classes);

extern const spur__loss_kind spur__loss_cross_entropy, spur__loss_bce, spur__loss_mse,
    spur__loss_mae, spur__loss_huber, spur__loss_dice, spur__loss_focal, spur__loss_bce_dice,
    spur__loss_ce_dice;
extern const spur__family spur__loss_family;

#endif
