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
 * Parameter gradients are added to, unless the op honours spur__param_beta, and are NULL for frozen
 * parameters.
 *
 * Scalars (losses) have rank 0. Every other node has the batch in shape[0].
 */
#ifndef SPUR_GRAPH_GRAPH_H
#define SPUR_GRAPH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spur/nn.h>
#include "base/error.h"
#include "kernels/parallel.h"
#include "kernels/matrix/sink.h"
#include "kernels/swish.h"

enum { SPUR__MAX_INPUTS = 32, SPUR__MAX_PARAMS = 6 };

typedef struct spur__op spur__op;
struct spur__onnx;

struct spur_node {
    const spur__op *op;
    spur_net *net;
    char *name; /* unique in the net */
    int index; /* position in the order of execution */
    spur_dtype dtype;
    int rank;
    int64_t shape[SPUR_MAX_RANK]; /* shape[0] = batch of the current run (planned: the largest) */
    int input_count;
    spur_node *inputs[SPUR__MAX_INPUTS]; /* one more is read if `adds` */
    int param_count;
    spur_param *params[SPUR__MAX_PARAMS]; /* in the order in which they were declared */
    void *options; /* the op's own, owned by the node */
    size_t options_size;
    void *state; /* what plan() prepared (kernel plans), freed by op->release */
    const spur_node *shares; /* the layer whose parameters this one uses (spur_reuse), or NULL */
    int64_t flattened[3]; /* h, w, c when the last axis is a flattened image; else zeros */

    /* Decided by the planner before plan() is called. */
    bool fused_relu; /* forward ends in a ReLU, backward masks by output > 0 */
    spur__swish fused_swish; /* forward ends in it, backward makes its argument again */
    spur_node *pool; /* the max pool that this layer (or the fused ReLU behind it) ends in: data and
                        gradient are the pool's; or NULL */
    bool adds; /* the layer ends in an addition (before the ReLU, if that is fused, too); the other
                  operand is inputs[input_count]: dense, as the layer itself is */
    const spur_node *folded; /* inference: the norm behind this layer, to go into its weights */
    bool needs_gradient; /* backward() will be called, node->gradient is set */

    /* Placed by the planner. */
    float *data; /* int32_t for SPUR_INT32 */
    float *gradient; /* NULL when nothing upstream needs it */
    int64_t pitch; /* floats from one row of the last axis to the next; the row's length unless
                      the node lies inside a concatenation (only for ops that are `pitched`) */
    void *prepared; /* plan's prepared_bytes; NULL unless the net is for inference */
    void *saved; /* plan's saved_bytes, kept from forward to backward; NULL without backward */
    bool keep;
    bool passive; /* a view, or done by a fused neighbour: neither forward nor backward is called */
    signed char via; /* then: the input whose memory it shares */
    signed char beta[SPUR__MAX_INPUTS]; /* see spur__gradient_beta */
};

/* What an op asks of the planner; filled by op->plan, zeroed before. */
typedef struct spur__demand {
    size_t prepared_bytes; /* filled by op->prepare, kept over all runs; nets for inference only */
    size_t saved_bytes; /* lives from forward to backward (argmax, masks, statistics) */
    size_t forward_workspace; /* for the team during the call, 64-byte aligned */
    size_t backward_workspace;
    size_t scratch; /* of each thread's own, in both: exec.scratch_bytes will be at least that */
    bool backward_needs_input[SPUR__MAX_INPUTS]; /* input values must survive until backward */
    bool backward_needs_output; /* own output values must survive until backward */
    int in_place; /* input whose memory the output may take over, plus 1; 0: none */
    int gradient_in_place; /* input whose gradient may overwrite node->gradient, plus 1; 0: none */
} spur__demand;

/* Somebody (an optimizer) who may take parameters' gradients during a backward run. */
typedef struct spur__taker {
    /* True: the sink, filled in here, gets all blocks of this parameter's gradient, `block` values
     * each (the last one may be shorter). False: it must be stored. */
    bool (*offer)(void *context, const spur_param *param, size_t block, spur__sink *sink);
    void *context;
} spur__taker;

/* What is handed to forward and backward. */
typedef struct spur__run {
    spur__exec exec; /* threads and their scratch */
    spur_mode mode;
    uint64_t seed, step; /* for dropout */
    int batch; /* samples in this run */
    bool repeat; /* the same run once more, to find a NaN: leave running statistics alone */
    const spur__taker *taker; /* backward: see spur__run_takes; or NULL */
    void *workspace;
} spur__run;

struct spur__op {
    const char *kind; /* "conv2d", for names, summary and the Graphs tab */
    /* Checks inputs and sets rank, shape and dtype of the node; adds parameters. Messages say what
     * was expected and found; the name of the layer is put in front by the caller. */
    spur_status (*shape)(spur_node *node, spur_error *err);
    /* Prepares kernel plans in node->state and states demands. NULL: no demands. */
    spur_status (*plan)(spur_node *node, spur__demand *demand, spur_error *err);
    void (*forward)(spur_node *node, const spur__run *run);
    void (*backward)(spur_node *node, const spur__run *run); /* NULL: no gradient flows */
    /* Nets for inference: puts the parameters into node->prepared in the form that the kernels read
     * fastest, before the first run and after every change of them. The workspace is that of forward. */
    void (*prepare)(spur_node *node, const spur__run *run);
    void (*release)(spur_node *node); /* frees node->state; NULL: spur__free */
    /* Asked when the output is not finite: says why, if it can (a label out of range); else OK. */
    spur_status (*explain)(const spur_node *node, spur_error *err);
    /* Multiply-adds of one forward run for one sample; NULL: zero. */
    double (*cost)(const spur_node *node);
    /* What it does in evaluation, in ONNX: graph/onnx.h. NULL: it cannot be said (losses). */
    void (*onnx)(const spur_node *node, struct spur__onnx *to);
    int (*concat_axis)(const spur_node *node); /* concatenations: along which axis */
    /* Norms, evaluation only: weights and bias (or NULL) of the layer before, [rows][channels], with
     * the norm worked in. */
    void (*fold)(const spur_node *norm, ptrdiff_t rows, const float *weight, const float *bias,
                 float *new_weight, float *new_bias, void *scratch);
    size_t (*fold_scratch)(const spur_node *norm); /* bytes that it needs for the call */
    /* Sliding max pools: whether windows are 2x2, 2 apart, without padding, odd edges left out.
     * Layers: whether they can end in this pool (honour node->pool). */
    bool (*halves)(const spur_node *pool);
    bool (*takes_pool)(const spur_node *node, const spur_node *pool);
    bool (*takes_add)(const spur_node *node); /* layers: whether they can add (honour node->adds) */
    /* Whether they can end in a swish (honour node->fused_swish), without addition, ReLU or pool. */
    bool (*takes_swish)(const spur_node *node);
    bool folds_norm; /* honours node->folded */
    bool input; /* filled by the caller before each run */
    /* Output and gradient are input 0's memory; forward and backward are called only where the
     * gradient has to be kept by itself. */
    bool view;
    bool idle_in_inference; /* evaluation hands input 0 on */
    bool sum; /* the sum of two inputs of its shape, which may be merged into one of their layers */
    bool relu; /* a plain ReLU, which may be merged into the layer before it */
    bool fuses_relu; /* honours node->fused_relu */
    spur__swish swish; /* the op is that, and may be merged into the layer before it */
    bool pitched; /* honours pitch of inputs and output */
    bool compares; /* input 0 with the others, which are constants: no gradient flows into them */
    bool elementwise; /* output has input 0's shape and its axes keep their meaning */
    bool overwrites_gradients; /* honours spur__param_beta */
};

/* Makes a node, copies `options` (options_size bytes, may be 0), infers its shape. NULL, with the
 * error stuck to the net, when an input is NULL or the shape is refused. */
spur_node *spur__node_create(spur_net *net, const spur__op *op, const char *name,
                             spur_node *const *inputs, int input_count, const void *options,
                             size_t options_size);

/* Declares a parameter "<node>.<suffix>" in PyTorch's shape and appends it to node->params. Values
 * are made at build time, in PyTorch's order, with the stream of the parameter's index. With
 * init = SPUR_INIT_DEFAULT: uniform within 1/sqrt(fan_in) if fan_in > 0, else normal if
 * deviation > 0, else `constant`. NULL with *err set when out of memory or the name is taken. A
 * node that shares weights gets the other's parameter, if shape and layout agree. */
typedef struct spur__param_spec {
    const char *suffix;
    int rank;
    int64_t shape[SPUR_MAX_RANK];
    spur_layout layout;
    int64_t flattened[3];
    spur_init init;
    int64_t fan_in, fan_out;
    float deviation, constant;
    bool buffer; /* running statistics: no gradient, saved with the weights */
    bool decay;
} spur__param_spec;
spur_param *spur__param_declare(spur_node *node, const spur__param_spec *spec, spur_error *err);

/* Sticks an error to the net (the first one stays) and returns NULL. */
spur_node *spur__net_fail(spur_net *net, const spur_error *err);

/* Copies the error that sticks to the net. */
void spur__net_error(const spur_net *net, spur_error *err);

/* How many inputs are read: one more than people see where an addition is merged in. */
static inline int spur__read_count(const spur_node *node) {
    return node->input_count + node->adds;
}

/* Number of values of a node for the current batch; of one sample; of the last axis. */
size_t spur__node_count(const spur_node *node);
size_t spur__sample_count(const spur_node *node);
static inline int64_t spur__channels(const spur_node *node) {
    return node->rank ? node->shape[node->rank - 1] : 1;
}

/* SPUR_E_SHAPE "expected <what>, found 'x' [64][10]" unless input i has this rank (and is float32);
 * what: "an image [n][h][w][c]". */
spur_status spur__expect_rank(const spur_node *node, int i, int rank, const char *what,
                              spur_error *err);

/* SPUR_E_TYPE unless input i is of this type. */
spur_status spur__expect_dtype(const spur_node *node, int i, spur_dtype dtype, spur_error *err);

/* Sets rank, shape and dtype of the node to those of another. */
void spur__shape_like(spur_node *node, const spur_node *other);

/* The weights of a node's first parameter, "weight", and so on; NULL if it has fewer. */
static inline float *spur__param_value(const spur_node *node, int i) {
    return i < node->param_count ? node->params[i]->value : NULL;
}
static inline float *spur__param_gradient(const spur_node *node, int i) {
    return i < node->param_count ? node->params[i]->gradient : NULL;
}

/* 0: input i's gradient must be overwritten, 1: added to. -1: it is not wanted. */
int spur__gradient_beta(const spur_node *node, int i);

/* 0: the gradient of the node's parameter i must be overwritten (only asked by ops that are
 * `overwrites_gradients`), 1: added to. */
int spur__param_beta(const spur_node *node, int i);

/* True when somebody takes the gradient of parameter i in blocks of `block` values, by the sink: it
 * is then not to be stored. Never for a parameter that several nodes use. */
bool spur__run_takes(const spur__run *run, const spur_node *node, int i, size_t block,
                     spur__sink *sink);

/* spur_net_backward with all gradients of parameters overwritten, not added to, and those that the
 * taker wants given to it; its parameters' gradients in memory are left undefined. */
spur_status spur__net_backward_fresh(spur_net *net, float scale, const spur__taker *taker,
                                     spur_error *err);

/* Writes "[64][48][48][3]" ("a scalar" for rank 0) into a buffer of n bytes; returns it. */
char *spur__shape_text(const spur_node *node, char *buffer, size_t n);

/* The options of the net; its threads and choice of matrix products. */
const spur_net_options *spur__net_options(const spur_net *net);
const spur__exec *spur__net_exec(const spur_net *net);

#endif
