/* SPDX-License-Identifier: MIT
 *
 * Operators of an ONNX graph: see onnx.h. Values have the names of their nodes, those between the
 * operators of a node its name and a number; constants have their parameters' names.
 */
#include "graph/onnx_model.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { BLOCK_BYTES = 1 << 16, MOST_INPUTS = SPUR__MAX_INPUTS, MOST_ATTRIBUTES = 8 };

/* ---- memory -------------------------------------------------------------------------------------- */

struct spur__onnx_block {
    spur__onnx_block *next;
    size_t used, size; /* of the bytes behind this */
    _Alignas(16) char bytes[];
};

void spur__onnx_free(spur__onnx *to) {
    while (to->blocks) {
        spur__onnx_block *next = to->blocks->next;
        spur__free(to->blocks);
        to->blocks = next;
    }
}

static spur__onnx_block *new_block(spur__onnx *to, size_t bytes) {
    size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES, all;
    spur__onnx_block *block = spur__add(size, sizeof *block, &all) ? spur__calloc(1, all) : NULL;
    if (!block) return NULL;
    *block = (spur__onnx_block){.next = to->blocks, .size = size};
    to->blocks = block;
    return block;
}

void *spur__onnx_take(spur__onnx *to, size_t count, size_t size) {
    size_t bytes;
    if (to->error.status != SPUR_OK) return NULL;
    if (spur__mul(count, size, &bytes) && spur__add(bytes, 15, &bytes)) {
        spur__onnx_block *block = to->blocks;
        bytes = bytes / 16 * 16;
        if (!block || block->size - block->used < bytes) block = new_block(to, bytes);
        if (block) {
            void *p = block->bytes + block->used;
            block->used += bytes;
            return p;
        }
    }
    spur__fail(&to->error, SPUR_E_MEMORY, "out of memory");
    return NULL;
}

char *spur__onnx_copy(spur__onnx *to, const char *text) {
    size_t n = strlen(text) + 1;
    char *copy = spur__onnx_take(to, n, 1);
    if (copy) memcpy(copy, text, n);
    return copy;
}

/* Old arrays stay where they are until the end: they are small. */
static void append(spur__onnx *to, spur__onnx_list *list, void *item) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        void **items = spur__onnx_take(to, capacity, sizeof *items);
        if (!items) return;
        if (list->count) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
}

/* ---- operators ----------------------------------------------------------------------------------- */

/* The operator that was begun last; NULL after an error. */
static Spur__Onnx__NodeProto *current(spur__onnx *to) {
    if (to->error.status != SPUR_OK || to->nodes.count == 0) return NULL;
    return to->nodes.items[to->nodes.count - 1];
}

const char *spur__onnx_op(spur__onnx *to, const char *type) {
    Spur__Onnx__NodeProto *op = spur__onnx_take(to, 1, sizeof *op);
    size_t room = strlen(to->node->name) + 24;
    char *name = spur__onnx_take(to, room, 1);
    if (!name) return "";
    snprintf(name, room, "%s/%d", to->node->name, ++to->made);
    spur__onnx__node_proto__init(op);
    op->op_type = spur__onnx_copy(to, type);
    op->name = name;
    op->n_output = 1;
    op->output = spur__onnx_take(to, 1, sizeof *op->output);
    op->input = spur__onnx_take(to, MOST_INPUTS, sizeof *op->input);
    op->attribute = spur__onnx_take(to, MOST_ATTRIBUTES, sizeof(Spur__Onnx__AttributeProto *));
    if (op->attribute) op->output[0] = name;
    append(to, &to->nodes, op);
    return name;
}

void spur__onnx_use(spur__onnx *to, const char *value) {
    Spur__Onnx__NodeProto *op = current(to);
    char *name = op ? spur__onnx_copy(to, value) : NULL;
    if (name) op->input[op->n_input++] = name;
}

const char *spur__onnx_unordered(const spur__onnx *to, int i) {
    const spur_node *x = to->node->inputs[i];
    return x == to->scaled ? to->scaled_value : x->name;
}

static Spur__Onnx__TensorProto *constant(spur__onnx *to, const char *name, int rank,
                                         const int64_t *shape, int32_t type) {
    Spur__Onnx__TensorProto *t = spur__onnx_take(to, 1, sizeof *t);
    int64_t *dims = spur__onnx_take(to, (size_t)rank + 1, sizeof *dims);
    if (!dims) return NULL;
    spur__onnx__tensor_proto__init(t);
    t->n_dims = (size_t)rank;
    t->dims = dims;
    t->has_data_type = t->has_raw_data = 1;
    t->data_type = type;
    t->name = spur__onnx_copy(to, name);
    t->raw_data.len = type == SPUR__ONNX__TENSOR_PROTO__DATA_TYPE__INT64 ? 8 : 4;
    for (int d = 0; d < rank; d++) {
        dims[d] = shape[d];
        t->raw_data.len *= (size_t)shape[d];
    }
    t->raw_data.data = spur__onnx_take(to, t->raw_data.len, 1);
    append(to, &to->constants, t);
    return to->error.status == SPUR_OK ? t : NULL;
}

static bool has_constant(const spur__onnx *to, const char *name) {
    for (size_t i = 0; i < to->constants.count; i++)
        if (strcmp(((const Spur__Onnx__TensorProto *)to->constants.items[i])->name, name) == 0)
            return true;
    return false;
}

void spur__onnx_use_param(spur__onnx *to, int i) {
    const spur_param *p = to->node->params[i];
    spur__onnx_use(to, p->name);
    if (!current(to) || has_constant(to, p->name)) return;
    Spur__Onnx__TensorProto *t =
        constant(to, p->name, p->rank, p->shape, SPUR__ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    if (t) spur_param_export(p, (float *)(void *)t->raw_data.data);
}

/* A constant of the operator's own, as its next input. */
static void *use_constant(spur__onnx *to, int rank, const int64_t *shape, int32_t type) {
    char name[4096 + 64];
    Spur__Onnx__NodeProto *op = current(to);
    if (!op) return NULL;
    snprintf(name, sizeof name, "%s/%zu", op->name, op->n_input + 1);
    spur__onnx_use(to, name);
    Spur__Onnx__TensorProto *t = constant(to, name, rank, shape, type);
    return t ? t->raw_data.data : NULL;
}

void spur__onnx_use_filled(spur__onnx *to, int64_t count, float value) {
    float *out = use_constant(to, 1, &count, SPUR__ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    for (int64_t i = 0; out && i < count; i++) out[i] = value;
}

void spur__onnx_use_floats(spur__onnx *to, int count, const float *values) {
    const int64_t shape = count;
    float *out = use_constant(to, 1, &shape, SPUR__ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    if (out) memcpy(out, values, (size_t)count * sizeof *out);
}

void spur__onnx_use_scalar(spur__onnx *to, float value) {
    float *out = use_constant(to, 0, NULL, SPUR__ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    if (out) *out = value;
}

int64_t *spur__onnx_use_room(spur__onnx *to, int count) {
    const int64_t shape = count;
    return use_constant(to, 1, &shape, SPUR__ONNX__TENSOR_PROTO__DATA_TYPE__INT64);
}

void spur__onnx_use_sizes(spur__onnx *to, int count, const int64_t *values) {
    int64_t *out = spur__onnx_use_room(to, count);
    if (out) memcpy(out, values, (size_t)count * sizeof *out);
}

/* ---- attributes ---------------------------------------------------------------------------------- */

static Spur__Onnx__AttributeProto *attribute(spur__onnx *to, const char *name,
                                             Spur__Onnx__AttributeProto__AttributeType type) {
    Spur__Onnx__NodeProto *op = current(to);
    Spur__Onnx__AttributeProto *a = op ? spur__onnx_take(to, 1, sizeof *a) : NULL;
    if (!a) return NULL;
    spur__onnx__attribute_proto__init(a);
    a->name = spur__onnx_copy(to, name);
    a->has_type = 1;
    a->type = type;
    op->attribute[op->n_attribute++] = a;
    return to->error.status == SPUR_OK ? a : NULL;
}

void spur__onnx_int(spur__onnx *to, const char *name, int64_t value) {
    Spur__Onnx__AttributeProto *a =
        attribute(to, name, SPUR__ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    if (!a) return;
    a->has_i = 1;
    a->i = value;
}

void spur__onnx_ints(spur__onnx *to, const char *name, int count, const int *values) {
    Spur__Onnx__AttributeProto *a =
        attribute(to, name, SPUR__ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    int64_t *ints = a ? spur__onnx_take(to, (size_t)count, sizeof *ints) : NULL;
    if (!ints) return;
    for (int i = 0; i < count; i++) ints[i] = values[i];
    a->n_ints = (size_t)count;
    a->ints = ints;
}

void spur__onnx_float(spur__onnx *to, const char *name, float value) {
    Spur__Onnx__AttributeProto *a =
        attribute(to, name, SPUR__ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    if (!a) return;
    a->has_f = 1;
    a->f = value;
}

void spur__onnx_text(spur__onnx *to, const char *name, const char *value) {
    Spur__Onnx__AttributeProto *a =
        attribute(to, name, SPUR__ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    char *copy = a ? spur__onnx_copy(to, value) : NULL;
    if (!copy) return;
    a->has_s = 1;
    a->s = (ProtobufCBinaryData){.len = strlen(value), .data = (uint8_t *)copy};
}

/* ---- orders -------------------------------------------------------------------------------------- */

static const char *transposed(spur__onnx *to, const char *value, const int order[4]) {
    const char *out = spur__onnx_op(to, "Transpose");
    spur__onnx_use(to, value);
    spur__onnx_ints(to, "perm", 4, order);
    return out;
}

static const char *channels_last(spur__onnx *to, const char *value) {
    return transposed(to, value, (const int[]){0, 2, 3, 1});
}

static const char *channels_first(spur__onnx *to, const char *value) {
    return transposed(to, value, (const int[]){0, 3, 1, 2});
}

/* The batch and n sizes. */
static const char *reshaped(spur__onnx *to, const char *value, int n, const int64_t *sizes) {
    int64_t shape[SPUR_MAX_RANK] = {0}; /* 0: as it is */
    const char *out = spur__onnx_op(to, "Reshape");
    for (int i = 0; i < n; i++) shape[i + 1] = sizes[i];
    spur__onnx_use(to, value);
    spur__onnx_use_sizes(to, n + 1, shape);
    return out;
}

/* A flattened image, given its h, w, c, from the order c, h, w to h, w, c; and back. */
static const char *flat_plain(spur__onnx *to, const char *value, const int64_t hwc[3]) {
    value = reshaped(to, value, 3, (const int64_t[]){hwc[2], hwc[0], hwc[1]});
    return reshaped(to, channels_last(to, value), 1, (const int64_t[]){-1});
}

static const char *flat_ordered(spur__onnx *to, const char *value, const int64_t hwc[3]) {
    value = channels_first(to, reshaped(to, value, 3, hwc));
    return reshaped(to, value, 1, (const int64_t[]){-1});
}

static bool is_flat(const spur_node *node) {
    return node->flattened[0] > 0;
}

const char *spur__onnx_plain(spur__onnx *to, int i) {
    const spur_node *x = to->node->inputs[i];
    const char *value = spur__onnx_unordered(to, i);
    if (x->rank == 4) return channels_last(to, value);
    return is_flat(x) ? flat_plain(to, value, x->flattened) : value;
}

void spur__onnx_from_plain(spur__onnx *to, const char *value) {
    if (to->node->rank == 4)
        channels_first(to, value);
    else if (is_flat(to->node))
        flat_ordered(to, value, to->node->flattened);
}

/* Only values of rank 2 can differ; operators in between come before the one at work. */
void spur__onnx_use_input(spur__onnx *to, int i) {
    const spur_node *x = to->node->inputs[i];
    bool same = memcmp(x->flattened, to->node->flattened, sizeof x->flattened) == 0;
    if (same || x->rank != 2) {
        spur__onnx_use(to, spur__onnx_unordered(to, i));
        return;
    }
    if (!current(to)) return;
    Spur__Onnx__NodeProto *op = to->nodes.items[--to->nodes.count];
    const char *value = spur__onnx_plain(to, i);
    if (is_flat(to->node)) value = flat_ordered(to, value, to->node->flattened);
    append(to, &to->nodes, op);
    spur__onnx_use(to, value);
}

/* [channels], or of an image [channels][1][1]. */
static void use_channels(spur__onnx *to, const spur_node *x, const float *values) {
    int64_t channels = spur__channels(x), shape[] = {channels, 1, 1};
    float *out =
        use_constant(to, x->rank == 4 ? 3 : 1, shape, SPUR__ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    if (out) memcpy(out, values, (size_t)channels * sizeof *out);
}

void spur__onnx_scale(spur__onnx *to, const spur_node *x, const float *scale, const float *shift) {
    to->node = x;
    const char *scaled = spur__onnx_op(to, "Mul");
    spur__onnx_use(to, x->name);
    use_channels(to, x, scale);
    to->scaled_value = spur__onnx_op(to, "Add");
    spur__onnx_use(to, scaled);
    use_channels(to, x, shift);
    to->scaled = x;
}

void spur__onnx_add(spur__onnx *to, const spur_node *node) {
    to->node = node;
    to->made = 0;
    node->op->onnx(node, to);
    Spur__Onnx__NodeProto *last = current(to);
    if (last) last->output[0] = spur__onnx_copy(to, node->name);
}
