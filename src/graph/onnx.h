/* SPDX-License-Identifier: MIT
 *
 * How an operation says in ONNX (operator set 18) what it does in evaluation. Its onnx() makes one
 * operator after the other, each with what it reads, then its attributes; the last one's output is
 * the node's value:
 *
 *     spur__onnx_op(to, "Softmax");
 *     spur__onnx_use_input(to, 0);
 *     spur__onnx_int(to, "axis", -1);
 *
 * Layouts. ONNX's values are PyTorch's: every node of rank 4 is [n][c][h][w], and a flattened image
 * lies in the order c, h, w. All others are as in the net. `plain` below means the net's own order.
 *
 * Errors (out of memory) stick to the model; every call after one does nothing.
 */
#ifndef SPUR_GRAPH_ONNX_H
#define SPUR_GRAPH_ONNX_H

#include "graph/graph.h"

typedef struct spur__onnx spur__onnx;

/* Begins an operator. Its output's name, for those that read it; valid as long as the model. */
const char *spur__onnx_op(spur__onnx *to, const char *type);

/* ---- what it reads, in order ----------------------------------------------------------------- */

/* The output of an operator of this node, or "": nothing. */
void spur__onnx_use(spur__onnx *to, const char *value);
/* Input i of the node; of a flattened image, in the order that the node itself has. */
void spur__onnx_use_input(spur__onnx *to, int i);
/* Parameter i of the node, in PyTorch's layout. */
void spur__onnx_use_param(spur__onnx *to, int i);
/* Constants: a vector of equal values, one of any, a scalar, whole numbers. */
void spur__onnx_use_filled(spur__onnx *to, int64_t count, float value);
void spur__onnx_use_floats(spur__onnx *to, int count, const float *values);
void spur__onnx_use_scalar(spur__onnx *to, float value);
void spur__onnx_use_sizes(spur__onnx *to, int count, const int64_t *values);
/* Whole numbers that the caller fills in; NULL after an error. */
int64_t *spur__onnx_use_room(spur__onnx *to, int count);

/* ---- attributes ------------------------------------------------------------------------------ */

void spur__onnx_int(spur__onnx *to, const char *name, int64_t value);
void spur__onnx_ints(spur__onnx *to, const char *name, int count, const int *values);
void spur__onnx_float(spur__onnx *to, const char *name, float value);
void spur__onnx_text(spur__onnx *to, const char *name, const char *value);

/* ---- orders ---------------------------------------------------------------------------------- */

/* Input i as it lies, for those whose parameters follow its order. */
const char *spur__onnx_unordered(const spur__onnx *to, int i);
/* Input i in plain order, by operators of its own where that differs. */
const char *spur__onnx_plain(spur__onnx *to, int i);
/* Ends a node whose value so far is in plain order. */
void spur__onnx_from_plain(spur__onnx *to, const char *value);

#endif
