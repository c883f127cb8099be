/* SPDX-License-Identifier: MIT
 *
 * The Graphs tab: a GraphDef, built as protobuf-c messages node by node and packed into
 * Event.graph_def. All messages and texts of a graph are owned by it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "graph.pb-c.h"
#include "write/tags.h"
#include "write/writer.h"

enum { PRODUCER = 22, TEXT_LIMIT = 1 << 20 };

/* Memory that lives as long as the graph. */
typedef struct piece {
    struct piece *next;
    max_align_t data[];
} piece;

struct spur_log_graph_builder {
    piece *pieces;
    Spur__Tb__NodeDef **nodes;
    size_t count, capacity;
    spur__tags names; /* of the nodes */
};

static void *piece_of(spur_log_graph_builder *g, size_t count, size_t size) {
    size_t bytes;
    if (!spur__mul(count ? count : 1, size, &bytes) || bytes > SIZE_MAX / 2) return NULL;
    piece *p = spur__calloc(1, sizeof *p + bytes);
    if (!p) return NULL;
    p->next = g->pieces;
    g->pieces = p;
    return p->data;
}

static char *text_of(spur_log_graph_builder *g, const char *text) {
    size_t n = strlen(text) + 1;
    char *copy = piece_of(g, n, 1);
    if (copy) memcpy(copy, text, n);
    return copy;
}

spur_status spur_log_graph_create(spur_log_graph_builder **out) {
    if (!out) return SPUR_E_ARGUMENT;
    *out = spur__calloc(1, sizeof **out);
    if (!*out) return SPUR_E_MEMORY;
    spur__tags_init(&(*out)->names, SIZE_MAX);
    return SPUR_OK;
}

void spur_log_graph_destroy(spur_log_graph_builder *g) {
    if (!g) return;
    for (piece *p = g->pieces, *next; p; p = next) {
        next = p->next;
        spur__free(p);
    }
    spur__tags_free(&g->names);
    spur__free(g->nodes);
    spur__free(g);
}

/* ---- attributes ---------------------------------------------------------------------------- */

static spur_status make_shape(spur_log_graph_builder *g, const spur_log_shape *in,
                              Spur__Tb__TensorShapeProto **out) {
    Spur__Tb__TensorShapeProto *shape = piece_of(g, 1, sizeof *shape);
    Spur__Tb__TensorShapeProto__Dim *dims = piece_of(g, in->rank, sizeof *dims);
    Spur__Tb__TensorShapeProto__Dim **list = piece_of(g, in->rank, sizeof *list);
    if (!shape || !dims || !list) return SPUR_E_MEMORY;
    if (in->rank && !in->dims) return SPUR_E_ARGUMENT;
    spur__tb__tensor_shape_proto__init(shape);
    for (size_t i = 0; i < in->rank; i++) {
        spur__tb__tensor_shape_proto__dim__init(&dims[i]);
        dims[i].size = in->dims[i];
        list[i] = &dims[i];
    }
    shape->n_dim = in->rank;
    shape->dim = list;
    *out = shape;
    return SPUR_OK;
}

static spur_status set_text(spur_log_graph_builder *g, const char *text, Spur__Tb__AttrValue *out) {
    if (!text) return SPUR_E_ARGUMENT;
    char *copy = text_of(g, text);
    if (!copy) return SPUR_E_MEMORY;
    out->value_case = SPUR__TB__ATTR_VALUE__VALUE_S;
    out->s.data = (uint8_t *)copy;
    out->s.len = strlen(copy);
    return SPUR_OK;
}

static spur_status set_ints(spur_log_graph_builder *g, const spur_log_shape *in,
                            Spur__Tb__AttrValue *out) {
    Spur__Tb__AttrValue__ListValue *list = piece_of(g, 1, sizeof *list);
    int64_t *values = piece_of(g, in->rank, sizeof *values);
    if (!list || !values) return SPUR_E_MEMORY;
    if (in->rank && !in->dims) return SPUR_E_ARGUMENT;
    spur__tb__attr_value__list_value__init(list);
    if (in->rank) memcpy(values, in->dims, in->rank * sizeof *values);
    list->n_i = in->rank;
    list->i = values;
    out->value_case = SPUR__TB__ATTR_VALUE__VALUE_LIST;
    out->list = list;
    return SPUR_OK;
}

static spur_status set_shape(spur_log_graph_builder *g, const spur_log_shape *in,
                             Spur__Tb__AttrValue *out) {
    out->value_case = SPUR__TB__ATTR_VALUE__VALUE_SHAPE;
    return make_shape(g, in, &out->shape);
}

/* The list of shapes that TensorBoard prints on the edges. */
static spur_status set_shapes(spur_log_graph_builder *g, const spur_log_shape *in, size_t count,
                              Spur__Tb__AttrValue *out) {
    Spur__Tb__AttrValue__ListValue *list = piece_of(g, 1, sizeof *list);
    Spur__Tb__TensorShapeProto **shapes = piece_of(g, count, sizeof *shapes);
    if (!list || !shapes) return SPUR_E_MEMORY;
    spur__tb__attr_value__list_value__init(list);
    for (size_t i = 0; i < count; i++) SPUR__TRY(make_shape(g, &in[i], &shapes[i]));
    list->n_shape = count;
    list->shape = shapes;
    out->value_case = SPUR__TB__ATTR_VALUE__VALUE_LIST;
    out->list = list;
    return SPUR_OK;
}

static Spur__Tb__DataType type_of(spur_log_type type) {
    switch (type) {
    case SPUR_LOG_U8:
        return SPUR__TB__DATA_TYPE__DT_UINT8;
    case SPUR_LOG_I16:
        return SPUR__TB__DATA_TYPE__DT_INT16;
    case SPUR_LOG_I32:
        return SPUR__TB__DATA_TYPE__DT_INT32;
    case SPUR_LOG_I64:
        return SPUR__TB__DATA_TYPE__DT_INT64;
    case SPUR_LOG_F32:
        return SPUR__TB__DATA_TYPE__DT_FLOAT;
    case SPUR_LOG_F64:
        return SPUR__TB__DATA_TYPE__DT_DOUBLE;
    }
    return SPUR__TB__DATA_TYPE__DT_INVALID;
}

static spur_status set_value(spur_log_graph_builder *g, const spur_log_attr *in,
                             Spur__Tb__AttrValue *out) {
    switch (in->kind) {
    case SPUR_LOG_ATTR_TEXT:
        return set_text(g, in->text, out);
    case SPUR_LOG_ATTR_INT:
        out->value_case = SPUR__TB__ATTR_VALUE__VALUE_I;
        out->i = in->integer;
        return SPUR_OK;
    case SPUR_LOG_ATTR_FLOAT:
        out->value_case = SPUR__TB__ATTR_VALUE__VALUE_F;
        out->f = (float)in->real;
        return SPUR_OK;
    case SPUR_LOG_ATTR_BOOL:
        out->value_case = SPUR__TB__ATTR_VALUE__VALUE_B;
        out->b = in->integer != 0;
        return SPUR_OK;
    case SPUR_LOG_ATTR_INTS:
        return set_ints(g, &in->list, out);
    case SPUR_LOG_ATTR_SHAPE:
        return set_shape(g, &in->list, out);
    case SPUR_LOG_ATTR_TYPE:
        out->value_case = SPUR__TB__ATTR_VALUE__VALUE_TYPE;
        out->type = type_of(in->type);
        return out->type == SPUR__TB__DATA_TYPE__DT_INVALID ? SPUR_E_TYPE : SPUR_OK;
    }
    return SPUR_E_ARGUMENT;
}

static spur_status new_attr(spur_log_graph_builder *g, const char *name,
                            Spur__Tb__NodeDef__AttrEntry **out, Spur__Tb__AttrValue **value) {
    *out = piece_of(g, 1, sizeof **out);
    *value = piece_of(g, 1, sizeof **value);
    if (!*out || !*value) return SPUR_E_MEMORY;
    spur__tb__node_def__attr_entry__init(*out);
    spur__tb__attr_value__init(*value);
    (*out)->key = text_of(g, name);
    (*out)->value = *value;
    return (*out)->key ? SPUR_OK : SPUR_E_MEMORY;
}

static spur_status set_attrs(spur_log_graph_builder *g, const spur_log_node *in,
                             Spur__Tb__NodeDef *out) {
    Spur__Tb__AttrValue *value;
    out->attr = piece_of(g, in->attr_count + 1, sizeof *out->attr);
    if (!out->attr) return SPUR_E_MEMORY;
    for (size_t i = 0; i < in->attr_count; i++) {
        SPUR__TRY(new_attr(g, in->attrs[i].name, &out->attr[i], &value));
        SPUR__TRY(set_value(g, &in->attrs[i], value));
    }
    out->n_attr = in->attr_count;
    if (in->output_count == 0) return SPUR_OK;
    SPUR__TRY(new_attr(g, "_output_shapes", &out->attr[out->n_attr++], &value));
    return set_shapes(g, in->outputs, in->output_count, value);
}

/* ---- nodes --------------------------------------------------------------------------------- */

/* A name like "a/b/c": no empty part, nothing that means something else in an input. */
static bool good_name(const char *name) {
    size_t n = strlen(name);
    if (n == 0 || name[0] == '/' || name[0] == '^' || name[n - 1] == '/') return false;
    return !strstr(name, "//") && !strchr(name, ':');
}

static spur_status check_node(const spur_log_node *in) {
    if (!in || !in->name || !in->op || (in->input_count && !in->inputs) ||
        (in->attr_count && !in->attrs) || (in->output_count && !in->outputs))
        return SPUR_E_ARGUMENT;
    if (!good_name(in->name) || strlen(in->name) > TEXT_LIMIT) return SPUR_E_ARGUMENT;
    SPUR__TRY(spur__check_text(in->name, "a node's name", NULL));
    SPUR__TRY(spur__check_text(in->op, "a node's op", NULL));
    if (in->device) SPUR__TRY(spur__check_text(in->device, "a node's device", NULL));
    for (size_t i = 0; i < in->input_count; i++)
        SPUR__TRY(spur__check_text(in->inputs[i], "a node's input", NULL));
    for (size_t i = 0; i < in->attr_count; i++)
        SPUR__TRY(spur__check_text(in->attrs[i].name, "an attribute's name", NULL));
    for (size_t i = 0; i < in->attr_count; i++)
        if (in->attrs[i].kind == SPUR_LOG_ATTR_TEXT && in->attrs[i].text)
            SPUR__TRY(spur__check_text(in->attrs[i].text, "an attribute's text", NULL));
    return SPUR_OK;
}

static spur_status make_node(spur_log_graph_builder *g, const spur_log_node *in,
                             Spur__Tb__NodeDef **out) {
    Spur__Tb__NodeDef *node = piece_of(g, 1, sizeof *node);
    char **inputs = piece_of(g, in->input_count, sizeof *inputs);
    if (!node || !inputs) return SPUR_E_MEMORY;
    spur__tb__node_def__init(node);
    node->name = text_of(g, in->name);
    node->op = text_of(g, in->op);
    if (in->device) node->device = text_of(g, in->device);
    if (!node->name || !node->op || !node->device) return SPUR_E_MEMORY;
    for (size_t i = 0; i < in->input_count; i++)
        if ((inputs[i] = text_of(g, in->inputs[i])) == NULL) return SPUR_E_MEMORY;
    node->n_input = in->input_count;
    node->input = inputs;
    *out = node;
    return set_attrs(g, in, node);
}

static bool has_node(const spur_log_graph_builder *g, const char *name, size_t length) {
    return spur__tags_find(&g->names, spur__tag_hash(name, length), name, length) != NULL;
}

spur_status spur_log_graph_add(spur_log_graph_builder *g, const spur_log_node *node) {
    if (!g) return SPUR_E_ARGUMENT;
    SPUR__TRY(check_node(node));
    size_t length = strlen(node->name);
    if (has_node(g, node->name, length)) return SPUR_E_EXISTS;
    if (g->count == g->capacity) {
        size_t capacity = g->capacity ? g->capacity * 2 : 64;
        Spur__Tb__NodeDef **nodes = spur__realloc_array(g->nodes, capacity, sizeof *nodes);
        if (!nodes) return SPUR_E_MEMORY;
        g->nodes = nodes;
        g->capacity = capacity;
    }
    spur__tag *entry;
    SPUR__TRY(make_node(g, node, &g->nodes[g->count]));
    SPUR__TRY(spur__tags_add(&g->names, spur__tag_hash(node->name, length), node->name, length,
                             SPUR__TAG_SCALAR, &entry));
    g->count++;
    return SPUR_OK;
}

/* ---- writing ------------------------------------------------------------------------------- */

/* "^a/b" and "a/b:1" both name a/b. */
static bool names_node(const spur_log_graph_builder *g, const char *input) {
    if (*input == '^') input++;
    const char *colon = strrchr(input, ':');
    return has_node(g, input, colon ? (size_t)(colon - input) : strlen(input));
}

static spur_status check_inputs(const spur_log_graph_builder *g, spur_error *err) {
    for (size_t i = 0; i < g->count; i++)
        for (size_t k = 0; k < g->nodes[i]->n_input; k++)
            if (!names_node(g, g->nodes[i]->input[k]))
                return spur__fail(
                    err, SPUR_E_NOTFOUND,
                    "graph: node \"%.200s\" has the input \"%.200s\", which is no node",
                    g->nodes[i]->name, g->nodes[i]->input[k]);
    return SPUR_OK;
}

static spur_status pack_graph(const spur_log_graph_builder *g, double wall_time,
                              unsigned char **record, size_t *size, spur_error *err) {
    Spur__Tb__VersionDef versions = SPUR__TB__VERSION_DEF__INIT;
    Spur__Tb__GraphDef graph = SPUR__TB__GRAPH_DEF__INIT;
    Spur__Tb__Event event = SPUR__TB__EVENT__INIT;
    versions.producer = PRODUCER;
    graph.versions = &versions;
    graph.n_node = g->count;
    graph.node = g->nodes;
    size_t bytes = spur__tb__graph_def__get_packed_size(&graph);
    event.graph_def.data = spur__malloc(bytes);
    if (!event.graph_def.data) return spur__fail(err, SPUR_E_MEMORY, "a graph: out of memory");
    event.graph_def.len = spur__tb__graph_def__pack(&graph, event.graph_def.data);
    event.wall_time = wall_time;
    event.what_case = SPUR__TB__EVENT__WHAT_GRAPH_DEF;
    spur_status status = spur__event_pack(&event, record, size, err);
    spur__free(event.graph_def.data);
    return status;
}

/* The first graph of a run is its graph. Takes the record over. */
static spur_status push_first(spur_writer *w, unsigned char *record, size_t size) {
    pthread_mutex_lock(&w->queue.mutex);
    bool first = !w->has_graph;
    spur_status status = SPUR_OK;
    if (first) {
        w->has_graph = true; /* the push may wait, and another thread come with a graph */
        status = spur__queue_push(&w->queue, record, size);
        w->has_graph = status == SPUR_OK;
    }
    pthread_mutex_unlock(&w->queue.mutex);
    if (first) return spur__queue_result(w, status);
    spur__free(record);
    return spur__writer_failf(w, SPUR_E_STATE, "this run has a graph already; it can have one");
}

spur_status spur_log_graph(spur_writer *w, const spur_log_graph_builder *graph,
                           const spur_log_options *options) {
    spur_error err;
    double wall_time = 0.0;
    unsigned char *record = NULL;
    size_t size = 0;
    if (!spur__alive(w)) return SPUR_OK;
    if (!graph || graph->count == 0)
        return spur__writer_failf(w, SPUR_E_ARGUMENT, "the graph has no nodes");
    spur_status status = spur__wall_time_of(options, &wall_time, &err);
    if (status == SPUR_OK) status = check_inputs(graph, &err);
    if (status == SPUR_OK) status = pack_graph(graph, wall_time, &record, &size, &err);
    if (status != SPUR_OK) return spur__writer_fail(w, &err);
    return push_first(w, record, size);
}
