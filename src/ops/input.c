/* SPDX-License-Identifier: MIT
 *
 * input: a placeholder that the caller fills before each run.
 */
#include <string.h>

#include "graph/graph.h"

typedef struct input_options {
    spur_dtype dtype;
    int rank;
    int64_t shape[SPUR_MAX_RANK];
} input_options;

static spur_status input_shape(spur_node *node, spur_error *err) {
    const input_options *o = node->options;
    if (o->rank < 1 || o->rank > SPUR_MAX_RANK)
        return spur__fail(err, SPUR_E_SHAPE, "expected a rank from 1 to %d, found %d",
                          SPUR_MAX_RANK, o->rank);
    if (o->dtype != SPUR_FLOAT32 && o->dtype != SPUR_INT32)
        return spur__fail(err, SPUR_E_TYPE, "expected SPUR_FLOAT32 or SPUR_INT32, found %d",
                          (int)o->dtype);
    if (o->shape[0] > INT32_MAX)
        return spur__fail(err, SPUR_E_SHAPE, "expected a batch below 2^31, found %lld",
                          (long long)o->shape[0]);
    node->rank = o->rank;
    node->dtype = o->dtype;
    memcpy(node->shape, o->shape, sizeof node->shape);
    return SPUR_OK;
}

static const spur__op input_op = {.kind = "input", .shape = input_shape, .input = true};

spur_node *spur_input(spur_net *net, const char *name, spur_dtype dtype, int rank,
                      const int64_t *shape) {
    input_options o = {.dtype = dtype, .rank = rank};
    for (int i = 0; shape && i < rank && i < SPUR_MAX_RANK; i++) o.shape[i] = shape[i];
    return spur__node_create(net, &input_op, name, NULL, 0, &o, sizeof o);
}
