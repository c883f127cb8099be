/* SPDX-License-Identifier: MIT
 *
 * The inside of a net: nodes, the interface of an operation, and what it may ask of the planner.
 *
 * An operation is one row: a struct of functions. Building creates nodes and calls `shape`; the
 * planner calls `plan` once all shapes are known and places everything in the arena; a run calls
 * `forward` in order, `backward` in reverse order. Nothing is allocated after planning.
 *
 * Gradients: backward() of a node reads node->gradient and ADDS to (or, for the first consumer,
 * writes) its inputs' gradients: spur__gradient_beta(node, i) tells which, 0 = write, 1 = add.
 * Parameter gradients are always added to.
 */
#ifndef SPUR_GRAPH_GRAPH_H
#define SPUR_GRAPH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spur/nn.h>
#include "base/error.h"
#include "kernels/parallel.h"

enum { SPUR__MAX_INPUTS = 8, SPUR__MAX_PARAMS = 6 };

typedef struct spur__op spur__op;

struct spur_node {
    const spur__op *op;
    spur_net *net;
    char *name; /* unique in the net */
    int index; /* position in the order of execution */
    spur_dtype dtype;
    int rank;
    int64_t shape[SPUR_MAX_RANK]; /* shape[0] = batch of the current run (planned: batch) */
    int input_count;
    spur_node *inputs[SPUR__MAX_INPUTS];
    int param_count;
    spur_param *params[SPUR__MAX_PARAMS];
    void *options; /* the op's own, owned by the node */
    void *state; /* what plan() prepared (kernel plans), freed by op->release */

    /* Placed by the planner. */
    float *data; /* int32_t for SPUR_INT32 */
    float *gradient; /* NULL when nothing upstream needs it */
    void *saved; /* op->plan's saved_bytes, kept from forward to backward */
    bool keep;
    bool needs_gradient; /* a trainable parameter or a kept-gradient input is above */
};

/* What an op asks of the planner; filled by op->plan, zeroed before. */
typedef struct spur__demand {
    size_t saved_bytes; /* lives from forward to backward (argmax, masks, statistics) */
    size_t forward_workspace; /* shared scratch during the call */
    size_t backward_workspace;
    bool backward_needs_input[SPUR__MAX_INPUTS]; /* input values must survive until backward */
    bool backward_needs_output; /* own output values must survive until backward */
    int in_place; /* input whose memory the output may take over, plus 1; 0: none */
} spur__demand;

/* What is handed to forward and backward. */
typedef struct spur__run {
    spur__exec exec; /* threads */
    spur_mode mode;
    uint64_t seed, step; /* for dropout */
    int batch; /* samples in this run */
    void *workspace;
} spur__run;

struct spur__op {
    const char *kind; /* "conv2d", for names, summary and the Graphs tab */
    /* Checks inputs and sets rank, shape and dtype of the node; adds parameters. */
    spur_status (*shape)(spur_node *node, spur_error *err);
    /* Prepares kernel plans in node->state and states demands. NULL: no demands. */
    spur_status (*plan)(spur_node *node, spur__demand *demand, spur_error *err);
    void (*forward)(spur_node *node, const spur__run *run);
    void (*backward)(spur_node *node, const spur__run *run); /* NULL: no gradient flows */
    void (*release)(spur_node *node); /* frees node->state; NULL: spur__free */
    /* Multiply-adds of one forward run for one sample; NULL: zero. */
    double (*cost)(const spur_node *node);
};

/* Makes a node, copies `options` (options_size bytes, may be 0), infers its shape. NULL, with the
 * error stuck to the net, when an input is NULL or the shape is refused. */
spur_node *spur__node_create(spur_net *net, const spur__op *op, const char *name,
                             spur_node *const *inputs, int input_count, const void *options,
                             size_t options_size);

/* Declares a parameter "<node>.<suffix>" in PyTorch's shape; values are made at build time by
 * `init` (fan_in as given) with the stream of the parameter's index. NULL with *err set when out
 * of memory or the name is taken. A parameter declared by a node that shares weights is found. */
typedef struct spur__param_spec {
    const char *suffix;
    int rank;
    int64_t shape[SPUR_MAX_RANK];
    spur_layout layout;
    spur_init init;
    int64_t fan_in, fan_out;
    float constant; /* value for ZEROS/ONES-like constants when init is CONSTANT */
    bool buffer; /* running statistics: no gradient, saved with the weights */
    bool decay;
} spur__param_spec;
spur_param *spur__param_declare(spur_node *node, const spur__param_spec *spec, spur_error *err);

/* Sticks an error to the net (the first one stays) and returns NULL. */
spur_node *spur__net_fail(spur_net *net, const spur_error *err);

/* Number of values of a node for the current batch; of one sample. */
size_t spur__node_count(const spur_node *node);
size_t spur__sample_count(const spur_node *node);

/* 0: input i's gradient must be overwritten, 1: added to. -1: it is not wanted. */
int spur__gradient_beta(const spur_node *node, int i);

/* Appends "[64][48][48][3]" to a message buffer of n bytes; returns it. */
char *spur__shape_text(const spur_node *node, char *buffer, size_t n);

/* The options of the net. */
const spur_net_options *spur__net_options(const spur_net *net);

#endif
