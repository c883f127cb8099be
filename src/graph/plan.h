/* SPDX-License-Identifier: MIT
 *
 * The planner's working memory, shared by plan.c and slice.c.
 */
#ifndef SPUR_GRAPH_PLAN_H
#define SPUR_GRAPH_PLAN_H

#include "graph/internal.h"

typedef struct spur__plan {
    spur_net *net;
    int nodes;
    spur__demand *demands;
    int *data_root, *gradient_root; /* parents of nodes in their groups; roots are their own */
    int64_t *slice; /* floats from the parent's memory to the node's */
    int *data_begin, *data_end; /* of the group, at its root */
    int *gradient_begin, *gradient_end;
    int *memory; /* block behind the int arrays */
    spur__buffer *buffers; /* see the kinds in plan.c */
} spur__plan;

int spur__root_of(const int *root, int i);

/* True when the node's backward call writes the gradient of its input k. */
bool spur__gives_gradient(const spur_node *node, int k);

/* True when the caller may look at the node's values after a run. */
bool spur__read_by_caller(const spur_node *node);

/* Lets layers write straight into the concatenations that they are inputs of. Needs the roots of
 * views; before the ops' plan(), which read the pitch. */
void spur__slice(spur__plan *p);

#endif
