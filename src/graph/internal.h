/* SPDX-License-Identifier: MIT
 *
 * What only src/graph knows: the net itself, its parameters' recipes and the plan.
 */
#ifndef SPUR_GRAPH_INTERNAL_H
#define SPUR_GRAPH_INTERNAL_H

#include "base/arena.h"
#include "base/str.h"
#include "graph/graph.h"

typedef struct spur__param_entry {
    spur_param param; /* first: a spur_param * is its entry */
    spur__param_spec spec;
    int users; /* nodes that use it */
    bool stale; /* during a fresh backward run: the gradient was not written yet */
} spur__param_entry;

struct spur_net {
    spur_net_options options;
    spur__exec exec;
    spur_error error; /* the first one made while building */
    spur__str scope; /* "encoder.block1." */

    spur_node **nodes; /* in the order of execution, which is that of creation */
    int node_count, node_capacity;
    spur__param_entry **params;
    int param_count, param_capacity;

    bool built;
    bool backward; /* planned for training */
    bool prepared; /* the nodes' prepared forms of the parameters are up to date */
    spur_node *loss;
    int max_batch, batch;
    uint64_t step;
    bool forward_done; /* in training mode, so that backward may follow */
    float last_loss;

    size_t planned; /* bytes of it that are used */
    spur__arena arena; /* activations, gradients, saved values, workspace, scratch */
    spur__arena param_arena; /* values, then gradients */
    float *gradients; /* all parameters' gradients lie together */
    size_t gradient_count;
    void *workspace; /* for every call, one after the other */
};

/* One stretch of memory that is needed from one moment to another (ends included). Moments are
 * 0 .. F-1 for the nodes' forward calls, F .. 2F-1 for their backward calls in reverse order. */
typedef struct spur__buffer {
    size_t bytes;
    int begin, end;
    size_t offset; /* the result */
} spur__buffer;

/* Gives every buffer an offset such that no two that live at the same time overlap. *total is the
 * size needed. */
spur_status spur__place(spur__buffer *buffers, int count, size_t *total, spur_error *err);

/* Marks nodes whose gradients are wanted, fuses neighbours, asks every op for its demands, places
 * everything. */
spur_status spur__plan_net(spur_net *net, spur_error *err);

/* Merges ReLUs into the layers before them. Before the ops' plan(). */
void spur__fuse(spur_net *net);

/* Allocates and initialises all parameters. */
spur_status spur__params_build(spur_net *net, spur_error *err);

/* Fills `out` (PyTorch's order) with the initial values of a parameter. */
spur_status spur__initialise(const spur__param_entry *entry, int index, float *out,
                             spur_error *err);

/* Frees a node and what it owns. */
void spur__node_destroy(spur_node *node);

/* How many nodes read this one. */
int spur__consumer_count(const spur_node *node);

#endif
