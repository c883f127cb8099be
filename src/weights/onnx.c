/* SPDX-License-Identifier: MIT
 *
 * A net as an ONNX model in a file. Operations say what they do (graph/onnx.h); here is what they do
 * not know: which of them are needed, the model around them, and the file.
 */
#include <spur/weights.h>

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "graph/onnx_model.h"

enum {
    IR_VERSION = 8, /* the first one with this operator set */
    OPERATOR_SET = 18,
    LARGEST = INT32_MAX, /* bytes of a protobuf message */
    BUFFER_BYTES = 1 << 16
};

/* ---- checks -------------------------------------------------------------------------------------- */

static spur_status check_output(const spur_net *net, const spur_node *node, const char *path,
                                spur_error *err) {
    if (!node || node->net != net)
        return spur__fail(err, SPUR_E_ARGUMENT, "%s: expected an output of this net, found %s",
                          path, node ? node->name : "NULL");
    if (node->op->input)
        return spur__fail(err, SPUR_E_ARGUMENT, "%s: '%s' is an input, not an output", path,
                          node->name);
    return SPUR_OK;
}

/* Strings of protobuf are UTF-8: no reader would take the file otherwise. */
static spur_status check_text(const char *text, const char *path, spur_error *err) {
    if (!text || spur__utf8_valid(text, strlen(text))) return SPUR_OK;
    return spur__fail(err, SPUR_E_UTF8, "%s: a text for the model is not valid UTF-8", path);
}

static spur_status check_texts(const spur_onnx_options *o, const char *path, spur_error *err) {
    SPUR__TRY(check_text(o->name, path, err));
    SPUR__TRY(check_text(o->description, path, err));
    for (const char *const *text = o->metadata; text && *text; text++)
        SPUR__TRY(check_text(*text, path, err));
    return SPUR_OK;
}

static spur_status check_all(spur_net *net, spur_node *const *outputs, int count, const char *path,
                             spur_error *err) {
    if (!path) return spur__fail(err, SPUR_E_ARGUMENT, "spur_onnx_save: the path is NULL");
    if (!net || (spur_net_param_count(net) > 0 && !spur_net_param(net, 0)->value))
        return spur__fail(err, SPUR_E_STATE, "%s: the net is not built", path);
    if (count < 1 || !outputs)
        return spur__fail(err, SPUR_E_ARGUMENT, "%s: expected at least one output, found none",
                          path);
    for (int i = 0; i < count; i++) SPUR__TRY(check_output(net, outputs[i], path, err));
    return SPUR_OK;
}

/* ---- the graph ----------------------------------------------------------------------------------- */

/* Marks what the outputs need; nodes stand behind what they read. */
static void mark_needed(const spur_net *net, spur_node *const *outputs, int count, bool *needed) {
    for (int i = 0; i < count; i++) needed[outputs[i]->index] = true;
    for (int i = spur_net_node_count(net) - 1; i >= 0; i--) {
        const spur_node *node = spur_net_node(net, i);
        for (int k = 0; needed[i] && k < node->input_count; k++)
            needed[node->inputs[k]->index] = true;
    }
}

/* Axis i of a value in ONNX's layout. */
static int64_t axis_of(const spur_node *node, int i) {
    static const int of_images[] = {0, 3, 1, 2};
    return node->shape[node->rank == 4 ? of_images[i] : i];
}

static Spur__Onnx__TensorShapeProto *shape_of(spur__onnx *to, const spur_node *node) {
    Spur__Onnx__TensorShapeProto *shape = spur__onnx_take(to, 1, sizeof *shape);
    Spur__Onnx__Dimension *dims = spur__onnx_take(to, (size_t)node->rank, sizeof *dims);
    Spur__Onnx__Dimension **list =
        spur__onnx_take(to, (size_t)node->rank, sizeof(Spur__Onnx__Dimension *));
    if (!list) return NULL;
    spur__onnx__tensor_shape_proto__init(shape);
    for (int i = 0; i < node->rank; i++) {
        spur__onnx__dimension__init(&dims[i]);
        if (i == 0) {
            dims[i].dim_param = spur__onnx_copy(to, "batch");
        } else {
            dims[i].has_dim_value = 1;
            dims[i].dim_value = axis_of(node, i);
        }
        list[i] = &dims[i];
    }
    shape->n_dim = (size_t)node->rank;
    shape->dim = list;
    return shape;
}

static Spur__Onnx__ValueInfoProto *value_of(spur__onnx *to, const spur_node *node) {
    Spur__Onnx__ValueInfoProto *value = spur__onnx_take(to, 1, sizeof *value);
    Spur__Onnx__TypeProto *type = spur__onnx_take(to, 1, sizeof *type);
    Spur__Onnx__TensorTypeProto *tensor = spur__onnx_take(to, 1, sizeof *tensor);
    if (!tensor) return NULL;
    spur__onnx__value_info_proto__init(value);
    spur__onnx__type_proto__init(type);
    spur__onnx__tensor_type_proto__init(tensor);
    value->name = spur__onnx_copy(to, node->name);
    value->type = type;
    type->tensor_type = tensor;
    tensor->has_elem_type = 1;
    tensor->elem_type = node->dtype == SPUR_INT32 ? SPUR__ONNX__TENSOR_PROTO__DATA_TYPE__INT32
                                                  : SPUR__ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor->shape = shape_of(to, node);
    return value;
}

static void add_input(spur__onnx *to, const spur_node *node, const spur_onnx_options *o,
                      Spur__Onnx__GraphProto *graph) {
    graph->input[graph->n_input++] = value_of(to, node);
    if (!o->scale || !o->shift) return;
    if (graph->n_input > 1 || node->dtype != SPUR_FLOAT32)
        spur__fail(&to->error, SPUR_E_ARGUMENT,
                   "a scale is for nets of one input, of float32, found '%s' as well", node->name);
    spur__onnx_scale(to, node, o->scale, o->shift);
}

static void add_node(spur__onnx *to, const spur_node *node, const spur_onnx_options *o,
                     Spur__Onnx__GraphProto *graph) {
    if (node->op->input)
        add_input(to, node, o, graph);
    else if (node->op->onnx)
        spur__onnx_add(to, node);
    else
        spur__fail(&to->error, SPUR_E_ARGUMENT, "layer '%s' (%s) cannot be said in ONNX",
                   node->name, node->op->kind);
}

static void fill_graph(spur__onnx *to, spur_net *net, spur_node *const *outputs, int count,
                       const spur_onnx_options *o, Spur__Onnx__GraphProto *graph) {
    int nodes = spur_net_node_count(net);
    bool *needed = spur__onnx_take(to, (size_t)nodes, sizeof *needed);
    graph->input = spur__onnx_take(to, (size_t)nodes, sizeof *graph->input);
    graph->output = spur__onnx_take(to, (size_t)count, sizeof *graph->output);
    if (!graph->output) return;
    mark_needed(net, outputs, count, needed);
    for (int i = 0; i < nodes && to->error.status == SPUR_OK; i++)
        if (needed[i]) add_node(to, spur_net_node(net, i), o, graph);
    for (int i = 0; i < count; i++) graph->output[graph->n_output++] = value_of(to, outputs[i]);
    graph->node = (Spur__Onnx__NodeProto **)to->nodes.items;
    graph->n_node = to->nodes.count;
    graph->initializer = (Spur__Onnx__TensorProto **)to->constants.items;
    graph->n_initializer = to->constants.count;
}

/* ---- the model ----------------------------------------------------------------------------------- */

static void fill_metadata(spur__onnx *to, const char *const *pairs, Spur__Onnx__ModelProto *model) {
    size_t count = 0;
    while (pairs[2 * count] && pairs[2 * count + 1]) count++;
    Spur__Onnx__StringStringEntryProto *entries = spur__onnx_take(to, count, sizeof *entries);
    model->metadata_props =
        spur__onnx_take(to, count, sizeof(Spur__Onnx__StringStringEntryProto *));
    if (!model->metadata_props) return;
    for (size_t i = 0; i < count; i++) {
        spur__onnx__string_string_entry_proto__init(&entries[i]);
        entries[i].key = spur__onnx_copy(to, pairs[2 * i]);
        entries[i].value = spur__onnx_copy(to, pairs[2 * i + 1]);
        model->metadata_props[i] = &entries[i];
    }
    model->n_metadata_props = count;
}

static void fill_model(spur__onnx *to, const spur_onnx_options *o, Spur__Onnx__GraphProto *graph,
                       Spur__Onnx__ModelProto *model) {
    Spur__Onnx__OperatorSetIdProto *set = spur__onnx_take(to, 1, sizeof *set);
    model->opset_import = spur__onnx_take(to, 1, sizeof(Spur__Onnx__OperatorSetIdProto *));
    if (!model->opset_import) return;
    spur__onnx__operator_set_id_proto__init(set);
    set->domain = spur__onnx_copy(to, "");
    set->has_version = model->has_ir_version = 1;
    set->version = OPERATOR_SET;
    model->ir_version = IR_VERSION;
    model->opset_import[0] = set;
    model->n_opset_import = 1;
    model->producer_name = spur__onnx_copy(to, "spur");
    model->producer_version = spur__onnx_copy(to, spur_version());
    if (o->description) model->doc_string = spur__onnx_copy(to, o->description);
    if (o->metadata) fill_metadata(to, o->metadata, model);
    graph->name = spur__onnx_copy(to, o->name && *o->name ? o->name : "spur");
    model->graph = graph;
}

/* ---- the file ------------------------------------------------------------------------------------ */

/* Collects protobuf's many small pieces. */
typedef struct buffer {
    ProtobufCBuffer base;
    spur__file_writer *writer;
    uint8_t bytes[BUFFER_BYTES];
    size_t used;
} buffer;

static void buffer_flush(buffer *b) {
    spur__file_writer_put(b->writer, b->bytes, b->used);
    b->used = 0;
}

static void buffer_append(ProtobufCBuffer *base, size_t n, const uint8_t *data) {
    buffer *b = (buffer *)base;
    if (n > BUFFER_BYTES - b->used) buffer_flush(b);
    if (n > BUFFER_BYTES) {
        spur__file_writer_put(b->writer, data, n);
        return;
    }
    memcpy(b->bytes + b->used, data, n);
    b->used += n;
}

static spur_status write_model(const Spur__Onnx__ModelProto *model, const char *path,
                               spur_error *err) {
    spur__file_writer writer;
    size_t size = spur__onnx__model_proto__get_packed_size(model);
    if (size > LARGEST)
        return spur__fail(err, SPUR_E_RANGE,
                          "%s: the model would have %.1f GB, expected at most the 2 GB that ONNX "
                          "holds in one file",
                          path, (double)size / 1e9);
    buffer *b = spur__malloc(sizeof *b);
    if (!b) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    spur_status status = spur__file_writer_open(&writer, path, err);
    if (status == SPUR_OK) {
        b->base.append = buffer_append;
        b->writer = &writer;
        b->used = 0;
        spur__onnx__model_proto__pack_to_buffer(model, &b->base);
        buffer_flush(b);
        status = spur__file_writer_commit(&writer, err);
    }
    spur__free(b);
    return status;
}

spur_status spur_onnx_save(spur_net *net, spur_node *const *outputs, int count,
                           const spur_onnx_options *options, const char *path, spur_error *err) {
    static const spur_onnx_options standard = {0};
    Spur__Onnx__GraphProto graph = SPUR__ONNX__GRAPH_PROTO__INIT;
    Spur__Onnx__ModelProto model = SPUR__ONNX__MODEL_PROTO__INIT;
    spur__onnx to = {.made = 0};
    SPUR__TRY(check_all(net, outputs, count, path, err));
    const spur_onnx_options *o = options ? options : &standard;
    SPUR__TRY(check_texts(o, path, err));
    fill_graph(&to, net, outputs, count, o, &graph);
    fill_model(&to, o, &graph, &model);
    spur_status status = to.error.status;
    if (status == SPUR_OK)
        status = write_model(&model, path, err);
    else
        spur__fail(err, status, "%s: %s", path, to.error.message);
    spur__onnx_free(&to);
    return status;
}
