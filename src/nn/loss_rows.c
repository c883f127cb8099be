/* SPDX-License-Identifier: MIT
 *
 * Blocks, partial sums and checks of the losses over rows; see loss_rows.h.
 */
#include "nn/loss_rows.h"

#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { BLOCK_VALUES = 8192 };

size_t spur__loss_rows(const spur_node *node) {
    return spur__node_count(node->inputs[0]) / spur__loss_width(node);
}

size_t spur__loss_block(const spur_node *node) {
    size_t rows = BLOCK_VALUES / spur__loss_width(node);
    return rows ? rows : 1;
}

size_t spur__loss_blocks(const spur_node *node) {
    size_t block = spur__loss_block(node);
    return (spur__loss_rows(node) + block - 1) / block;
}

void spur__loss_demand(const spur_node *node, spur__demand *demand, bool per_row) {
    demand->saved_bytes =
        sizeof(spur__loss_saved) + (per_row ? spur__loss_rows(node) * sizeof(spur__log_sum) : 0);
    demand->forward_workspace = spur__loss_blocks(node) * sizeof(spur__partial);
    demand->backward_needs_input[0] = demand->backward_needs_input[1] = true;
}

spur_status spur__loss_plan(spur_node *node, spur__demand *demand, spur_error *err) {
    (void)err;
    spur__loss_demand(node, demand, false);
    return SPUR_OK;
}

typedef struct job {
    spur_node *node;
    spur__rows_forward forward;
    spur__rows_backward backward;
    spur__partial *partials;
    size_t rows, block;
    float scale;
} job;

static size_t end_of(const job *j, size_t begin) {
    return begin + j->block < j->rows ? begin + j->block : j->rows;
}

static void forward_block(void *given, ptrdiff_t index, int thread) {
    const job *j = given;
    size_t begin = (size_t)index * j->block;
    (void)thread;
    j->partials[index] = j->forward(j->node, begin, end_of(j, begin));
}

static void backward_block(void *given, ptrdiff_t index, int thread) {
    const job *j = given;
    size_t begin = (size_t)index * j->block;
    (void)thread;
    j->backward(j->node, begin, end_of(j, begin), j->scale);
}

static job job_of(spur_node *node) {
    return (job){
        .node = node, .rows = spur__loss_rows(node), .block = spur__loss_block(node), .scale = 1};
}

void spur__loss_forward(spur_node *node, const spur__run *run, spur__rows_forward forward,
                        bool sum) {
    job j = job_of(node);
    size_t blocks = spur__loss_blocks(node);
    spur__partial total = {0};
    j.forward = forward;
    j.partials = run->workspace;
    spur__parallel(&run->exec, (ptrdiff_t)blocks, forward_block, &j);
    for (size_t i = 0; i < blocks; i++) {
        total.loss += j.partials[i].loss;
        total.weight += j.partials[i].weight;
    }
    if (node->saved) ((spur__loss_saved *)node->saved)->weight = total.weight;
    bool empty = total.weight == 0 && total.loss == 0; /* every row ignored */
    node->data[0] = (float)(sum || empty ? total.loss : total.loss / total.weight);
}

void spur__loss_backward(spur_node *node, const spur__run *run, spur__rows_backward backward,
                         bool sum) {
    job j = job_of(node);
    double weight = ((const spur__loss_saved *)node->saved)->weight;
    if (spur__gradient_beta(node, 0) < 0) return;
    j.backward = backward;
    j.scale =
        sum ? node->gradient[0] : (float)(weight != 0 ? (double)node->gradient[0] / weight : 0);
    spur__parallel(&run->exec, (ptrdiff_t)spur__loss_blocks(node), backward_block, &j);
}

spur_node *spur__loss_create(spur_net *net, const spur__op *op, spur_node *const *inputs,
                             const void *options, size_t size, const float *weights) {
    size_t outputs = inputs[0] ? (size_t)spur__channels(inputs[0]) : 0;
    size_t behind = weights ? outputs * sizeof(float) : 0;
    unsigned char *all = spur__malloc(size + behind);
    if (!all) return spur__net_no_memory(net, op->kind);
    memcpy(all, options, size);
    if (behind) memcpy(all + size, weights, behind);
    spur_node *node = spur__node_create(net, op, NULL, inputs, 2, all, size + behind);
    spur__free(all);
    return node;
}

/* ---- checks and messages ---------------------------------------------------------------------- */

static bool same_sizes(const spur_node *a, const spur_node *b, int rank) {
    for (int i = 0; i < rank; i++)
        if (a->shape[i] != b->shape[i]) return false;
    return true;
}

/* Integer labels [n][..] for logits [n][..][width]. */
static bool is_labels(const spur_node *node) {
    const spur_node *x = node->inputs[0], *t = node->inputs[1];
    return t->dtype == SPUR_INT32 && t->rank == x->rank - 1 && same_sizes(x, t, t->rank);
}

/* Float targets of the logits' shape. */
static bool is_same_shape(const spur_node *node) {
    const spur_node *x = node->inputs[0], *t = node->inputs[1];
    return t->dtype == SPUR_FLOAT32 && t->rank == x->rank && same_sizes(x, t, t->rank);
}

spur_status spur__loss_shape(spur_node *node, bool labels, bool soft, spur_error *err) {
    const spur_node *x = node->inputs[0], *t = node->inputs[1];
    char logits[128], target[128];
    node->rank = 0;
    node->dtype = SPUR_FLOAT32;
    spur__shape_text(x, logits, sizeof logits);
    if (x->dtype != SPUR_FLOAT32 || x->rank < (labels && !soft ? 2 : 1))
        return spur__fail(err, SPUR_E_SHAPE, "expected logits [n][..][classes], found '%s' %s",
                          x->name, logits);
    if ((labels && is_labels(node)) || (soft && is_same_shape(node))) return SPUR_OK;
    return spur__fail(
        err, SPUR_E_SHAPE, "outputs '%s' are %s: expected %s%s%s, found '%s' %s of %s", x->name,
        logits, labels ? "int32 labels of that shape without the last axis" : "",
        labels && soft ? ", or " : "", soft ? "float targets of that very shape" : "", t->name,
        spur__shape_text(t, target, sizeof target), t->dtype == SPUR_INT32 ? "int32" : "float32");
}

spur_status spur__loss_check(const char *option, double value, double from, double to,
                             spur_error *err) {
    if (value >= from && value <= to) return SPUR_OK;
    return spur__fail(err, SPUR_E_RANGE, "%s is %g, expected %g to %g", option, value, from, to);
}

spur_status spur__loss_check_weights(const char *option, const float *weights, size_t count,
                                     spur_error *err) {
    for (size_t i = 0; weights && i < count; i++)
        if (!(weights[i] >= 0 && weights[i] <= FLT_MAX))
            return spur__fail(err, SPUR_E_RANGE, "%s[%zu] is %g, expected a finite number from 0",
                              option, i, (double)weights[i]);
    return SPUR_OK;
}

/* Writes the indices of row `row` as "[3][12][40]". */
static void place_text(const spur_node *labels, size_t row, char *text, size_t size) {
    size_t index[SPUR_MAX_RANK] = {0}, used = 0;
    for (int i = labels->rank; i-- > 0; row /= (size_t)labels->shape[i])
        index[i] = row % (size_t)labels->shape[i];
    text[0] = '\0';
    for (int i = 0; i < labels->rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "[%zu]", index[i]);
}

spur_status spur__explain_labels(const spur_node *node, int ignore_index, int classes,
                                 spur_error *err) {
    const spur_node *labels = node->inputs[1];
    const int32_t *t = (const int32_t *)(const void *)labels->data;
    char place[128];
    if (labels->dtype != SPUR_INT32) return SPUR_OK;
    for (size_t r = 0; r < spur__node_count(labels); r++) {
        if (t[r] == ignore_index || (t[r] >= 0 && t[r] < classes)) continue;
        place_text(labels, r, place, sizeof place);
        return spur__fail(err, SPUR_E_RANGE,
                          "layer '%s' (%s): label %" PRId32 " at %s of '%s', expected 0 to %d "
                          "or %d (ignored)",
                          node->name, node->op->kind, t[r], place, labels->name, classes - 1,
                          ignore_index);
    }
    return SPUR_OK;
}
