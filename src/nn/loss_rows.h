/* SPDX-License-Identifier: MIT
 *
 * What the losses over rows share. A row is one sample or pixel: `width` logits and one target. The
 * rows are cut into blocks by shape alone; each block yields a partial sum in double, and the
 * partial sums are added in the order of the blocks: the same bits for any number of threads.
 */
#ifndef SPUR_NN_LOSS_ROWS_H
#define SPUR_NN_LOSS_ROWS_H

#include "graph/graph.h"
#include "kernels/vec.h"

enum { SPUR__TORCH_IGNORE = -100 };

/* Loss and weight of some rows; the mean divides one sum by the other. */
typedef struct spur__partial {
    double loss, weight;
} spur__partial;

/* What node->saved begins with; `row` has one member per row where the loss asked for it. */
typedef struct spur__loss_saved {
    double weight;
    double spare;
    spur__log_sum row[];
} spur__loss_saved;

typedef spur__partial (*spur__rows_forward)(const spur_node *node, size_t begin, size_t end);
/* scale: d result / d (sum of losses). */
typedef void (*spur__rows_backward)(const spur_node *node, size_t begin, size_t end, float scale);

size_t spur__loss_rows(const spur_node *node);
static inline size_t spur__loss_width(const spur_node *node) {
    return (size_t)spur__channels(node->inputs[0]);
}
size_t spur__loss_block(const spur_node *node);
size_t spur__loss_blocks(const spur_node *node);

/* Demands of a loss whose backward pass needs logits and targets, and a log sum per row if
 * `per_row`. */
void spur__loss_demand(const spur_node *node, spur__demand *demand, bool per_row);

/* The `plan` of an operation that demands no more than that, and nothing per row. */
spur_status spur__loss_plan(spur_node *node, spur__demand *demand, spur_error *err);

void spur__loss_forward(spur_node *node, const spur__run *run, spur__rows_forward forward,
                        bool sum);
void spur__loss_backward(spur_node *node, const spur__run *run, spur__rows_backward backward,
                         bool sum);

/* The log sums saved, or NULL where nothing is kept for a backward pass. */
static inline spur__log_sum *spur__loss_saved_rows(const spur_node *node) {
    return node->saved ? ((spur__loss_saved *)node->saved)->row : NULL;
}

/* Where the gradient of input 0 goes: *y = value + *y, or *y = value. */
static inline void spur__put(float *y, float value, bool add) {
    *y = add ? *y + value : value;
}

/* Sticks E_MEMORY to the net and returns NULL. */
static inline spur_node *spur__net_no_memory(spur_net *net, const char *what) {
    spur_error err = {0};
    spur__fail(&err, SPUR_E_MEMORY, "%s: out of memory", what);
    return spur__net_fail(net, &err);
}

/* A node of the loss for inputs {logits, target}. `options` are `size` bytes, behind which the node keeps a
 * copy of `weights`, one for each output of the logits (NULL: none). NULL when out of memory. */
spur_node *spur__loss_create(spur_net *net, const spur__op *op, spur_node *const *inputs,
                             const void *options, size_t size, const float *weights);

/* ---- checks and messages ---------------------------------------------------------------------- */

/* Sets the node to a scalar; E_SHAPE unless labels or (if `soft`) targets fit the logits. */
spur_status spur__loss_shape(spur_node *node, bool labels, bool soft, spur_error *err);

/* E_RANGE unless from <= value <= to (NaN never is). */
spur_status spur__loss_check(const char *option, double value, double from, double to,
                             spur_error *err);
/* E_RANGE unless all weights are finite and none is negative; NULL passes. */
spur_status spur__loss_check_weights(const char *option, const float *weights, size_t count,
                                     spur_error *err);

/* E_RANGE for the first label that is neither ignored nor in [0, classes), with its place. */
spur_status spur__explain_labels(const spur_node *node, int ignore_index, int classes,
                                 spur_error *err);

#endif
