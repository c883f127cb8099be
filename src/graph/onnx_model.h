/* SPDX-License-Identifier: MIT
 *
 * An ONNX graph as it grows out of a net. Everything in it lies in blocks that are freed together.
 */
#ifndef SPUR_GRAPH_ONNX_MODEL_H
#define SPUR_GRAPH_ONNX_MODEL_H

#include "graph/onnx.h"
#include "onnx.pb-c.h"

typedef struct spur__onnx_block spur__onnx_block;

/* A growing array of pointers. */
typedef struct spur__onnx_list {
    void **items;
    size_t count, capacity;
} spur__onnx_list;

struct spur__onnx {
    spur_error error; /* the first one */
    spur__onnx_block *blocks;
    spur__onnx_list nodes, constants; /* NodeProto, TensorProto */
    const spur_node *node; /* at work */
    int made; /* operators of it so far */
    const spur_node *scaled; /* an input that operators change first, or NULL */
    const char *scaled_value;
};

void spur__onnx_free(spur__onnx *to);

/* Zeroed memory of the model's; NULL, with an error that sticks, when there is none. */
void *spur__onnx_take(spur__onnx *to, size_t count, size_t size);

/* A copy of a text. */
char *spur__onnx_copy(spur__onnx *to, const char *text);

/* Input x of the net is to be taken times scale plus shift, channel by channel. */
void spur__onnx_scale(spur__onnx *to, const spur_node *x, const float *scale, const float *shift);

/* Adds the operators of a node, all of whose inputs are there or are inputs of the net. */
void spur__onnx_add(spur__onnx *to, const spur_node *node);

#endif
