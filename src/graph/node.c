/* SPDX-License-Identifier: MIT
 *
 * Nodes: making them (names, shape inference, errors that name the layer) and reading them.
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "graph/internal.h"

void spur__node_destroy(spur_node *node) {
    if (!node) return;
    if (node->state) {
        if (node->op->release)
            node->op->release(node);
        else
            spur__free(node->state);
    }
    spur__free(node->options);
    spur__free(node->name);
    spur__free(node);
}

/* Appends to net->nodes; false when out of memory. */
static bool append(spur_net *net, spur_node *node) {
    if (net->node_count == net->node_capacity) {
        int capacity = net->node_capacity ? net->node_capacity * 2 : 64;
        spur_node **nodes = spur__realloc_array(net->nodes, (size_t)capacity, sizeof *nodes);
        if (!nodes) return false;
        net->nodes = nodes;
        net->node_capacity = capacity;
    }
    node->index = net->node_count;
    net->nodes[net->node_count++] = node;
    return true;
}

static const spur_node *find_name(const spur_net *net, const char *name) {
    for (int i = 0; i < net->node_count; i++)
        if (strcmp(net->nodes[i]->name, name) == 0) return net->nodes[i];
    return NULL;
}

/* "conv2d_3": one more than the nodes of that kind so far, and further on if that is taken. */
static spur_status auto_name(const spur_net *net, const char *kind, spur__str *out) {
    int number = 1;
    for (int i = 0; i < net->node_count; i++)
        if (strcmp(net->nodes[i]->op->kind, kind) == 0) number++;
    do {
        spur__str_clear(out);
        spur__str_printf(out, "%s%s_%d", spur__str_text(&net->scope), kind, number++);
    } while (spur__str_status(out) == SPUR_OK && find_name(net, spur__str_text(out)));
    return spur__str_status(out);
}

static spur_status make_name(spur_node *node, const char *name, spur_error *err) {
    spur_net *net = node->net;
    spur__str full;
    spur__str_init(&full, 4096);
    spur_status status = spur__str_status(&net->scope);
    if (status == SPUR_OK) {
        if (name) {
            spur__str_printf(&full, "%s%s", spur__str_text(&net->scope), name);
            status = spur__str_status(&full);
        } else {
            status = auto_name(net, node->op->kind, &full);
        }
    }
    if (status == SPUR_OK) {
        node->name = spur__str_take(&full);
        if (!node->name) status = SPUR_E_MEMORY;
    }
    spur__str_free(&full);
    if (status != SPUR_OK)
        return spur__fail(err, status, "layer '%s': no name could be made: %s", name ? name : "",
                          spur_strstatus(status));
    if (!spur__utf8_valid(node->name, strlen(node->name)))
        return spur__fail(err, SPUR_E_UTF8,
                          "the name is not valid UTF-8"); /* no file could hold it */
    const spur_node *other = find_name(net, node->name);
    if (other)
        return spur__fail(err, SPUR_E_EXISTS,
                          "layer '%s' (%s): the name is taken by a %s; to share weights use "
                          "spur_reuse()",
                          node->name, node->op->kind, other->op->kind);
    if (name && !*name)
        return spur__fail(err, SPUR_E_ARGUMENT, "layer '' (%s): empty name", node->op->kind);
    return SPUR_OK;
}

/* Inputs must belong to this net and agree on the batch. */
static spur_status check_inputs(const spur_node *node, spur_error *err) {
    const spur_node *first = NULL;
    char a[128], b[128];
    for (int i = 0; i < node->input_count; i++) {
        const spur_node *x = node->inputs[i];
        if (x->net != node->net)
            return spur__fail(err, SPUR_E_ARGUMENT, "input '%s' belongs to another net", x->name);
        if (x->rank == 0) continue;
        if (first && x->shape[0] != first->shape[0])
            return spur__fail(err, SPUR_E_SHAPE,
                              "expected one batch size in all inputs, found '%s' %s and '%s' %s",
                              first->name, spur__shape_text(first, a, sizeof a), x->name,
                              spur__shape_text(x, b, sizeof b));
        if (!first) first = x;
    }
    return SPUR_OK;
}

/* Every size positive, and all of them together a size that memory can have. */
static spur_status check_shape(const spur_node *node, spur_error *err) {
    size_t total = sizeof(float);
    char text[128];
    for (int i = 0; i < node->rank; i++)
        if (node->shape[i] < 1 || !spur__mul(total, (size_t)node->shape[i], &total) ||
            total > SIZE_MAX / 8)
            return spur__fail(err, SPUR_E_SHAPE, "the output would be %s",
                              spur__shape_text(node, text, sizeof text));
    return SPUR_OK;
}

static spur_status infer(spur_node *node, const void *options, size_t options_size,
                         spur_error *err) {
    if (options_size) {
        node->options = spur__malloc(options_size);
        if (!node->options) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
        memcpy(node->options, options, options_size);
        node->options_size = options_size;
    }
    SPUR__TRY(check_inputs(node, err));
    SPUR__TRY(node->op->shape(node, err));
    SPUR__TRY(check_shape(node, err));
    if (node->op->elementwise && node->input_count)
        memcpy(node->flattened, node->inputs[0]->flattened, sizeof node->flattened);
    node->pitch = spur__channels(node);
    return SPUR_OK;
}

static spur_node *create(spur_net *net, const spur__op *op, const char *name,
                         const spur_node *shares, spur_node *const *inputs, int input_count,
                         const void *options, size_t options_size) {
    spur_error err = {0};
    spur_node *node = spur__calloc(1, sizeof *node);
    if (!node) {
        spur__fail(&err, SPUR_E_MEMORY, "layer '%s' (%s): out of memory", name ? name : "",
                   op->kind);
        return spur__net_fail(net, &err);
    }
    node->op = op;
    node->net = net;
    node->shares = shares;
    node->input_count = input_count;
    for (int i = 0; i < input_count; i++) node->inputs[i] = inputs[i];
    if (make_name(node, name, &err) == SPUR_OK) {
        if (infer(node, options, options_size, &err) == SPUR_OK) {
            if (append(net, node)) return node;
            spur__fail(&err, SPUR_E_MEMORY, "out of memory");
        }
        spur__error_prefix(&err, "layer '%s' (%s)", node->name, op->kind);
    }
    spur__node_destroy(node);
    return spur__net_fail(net, &err);
}

/* Refuses what can be said before there is a node. */
static spur_status check_call(const spur_net *net, const spur__op *op, const char *name,
                              spur_node *const *inputs, int input_count, spur_error *err) {
    const char *shown = name ? name : "";
    if (net->built)
        return spur__fail(err, SPUR_E_STATE, "layer '%s' (%s): the net is built already", shown,
                          op->kind);
    if (input_count < 0 || input_count > SPUR__MAX_INPUTS)
        return spur__fail(err, SPUR_E_RANGE,
                          "layer '%s' (%s): expected at most %d inputs, found %d", shown, op->kind,
                          SPUR__MAX_INPUTS, input_count);
    for (int i = 0; i < input_count; i++)
        if (!inputs[i])
            return spur__fail(err, SPUR_E_ARGUMENT, "layer '%s' (%s): input %d is NULL", shown,
                              op->kind, i + 1);
    return SPUR_OK;
}

spur_node *spur__node_create(spur_net *net, const spur__op *op, const char *name,
                             spur_node *const *inputs, int input_count, const void *options,
                             size_t options_size) {
    if (!net || net->error.status != SPUR_OK) return NULL;
    spur_error err = {0};
    if (check_call(net, op, name, inputs, input_count, &err) != SPUR_OK)
        return spur__net_fail(net, &err);
    return create(net, op, name, NULL, inputs, input_count, options, options_size);
}

spur_node *spur_reuse(spur_net *net, const spur_node *layer, spur_node *x) {
    if (!net || net->error.status != SPUR_OK || !layer) return NULL;
    spur_error err = {0};
    if (check_call(net, layer->op, layer->name, &x, 1, &err) != SPUR_OK)
        return spur__net_fail(net, &err);
    if (layer->input_count != 1) {
        spur__fail(&err, SPUR_E_ARGUMENT,
                   "layer '%s' (%s): expected a layer with one input to reuse", layer->name,
                   layer->op->kind);
        return spur__net_fail(net, &err);
    }
    const spur_node *owner = layer->shares ? layer->shares : layer;
    return create(net, layer->op, NULL, owner, &x, 1, layer->options, layer->options_size);
}

/* ---- checks for ops ------------------------------------------------------------------------- */

spur_status spur__expect_dtype(const spur_node *node, int i, spur_dtype dtype, spur_error *err) {
    if (node->inputs[i]->dtype == dtype) return SPUR_OK;
    return spur__fail(err, SPUR_E_TYPE, "expected %s values, found '%s' of %s",
                      dtype == SPUR_INT32 ? "int32" : "float32", node->inputs[i]->name,
                      dtype == SPUR_INT32 ? "float32" : "int32");
}

spur_status spur__expect_rank(const spur_node *node, int i, int rank, const char *what,
                              spur_error *err) {
    char text[128];
    SPUR__TRY(spur__expect_dtype(node, i, SPUR_FLOAT32, err));
    if (node->inputs[i]->rank == rank) return SPUR_OK;
    return spur__fail(err, SPUR_E_SHAPE, "expected %s, found '%s' %s", what, node->inputs[i]->name,
                      spur__shape_text(node->inputs[i], text, sizeof text));
}

void spur__shape_like(spur_node *node, const spur_node *other) {
    node->rank = other->rank;
    node->dtype = other->dtype;
    memcpy(node->shape, other->shape, sizeof node->shape);
}

char *spur__shape_text(const spur_node *node, char *buffer, size_t n) {
    size_t used = 0;
    if (n) buffer[0] = 0;
    if (node->rank == 0) (void)snprintf(buffer, n, "a scalar");
    for (int i = 0; i < node->rank && used < n; i++) {
        int written = snprintf(buffer + used, n - used, "[%lld]", (long long)node->shape[i]);
        if (written < 0) break;
        used += (size_t)written;
    }
    return buffer;
}

/* ---- reading -------------------------------------------------------------------------------- */

size_t spur__node_count(const spur_node *node) {
    size_t count = 1;
    for (int i = 0; i < node->rank; i++) count *= (size_t)node->shape[i];
    return count;
}

size_t spur__sample_count(const spur_node *node) {
    size_t count = 1;
    for (int i = 1; i < node->rank; i++) count *= (size_t)node->shape[i];
    return count;
}

int spur__gradient_beta(const spur_node *node, int i) {
    return node->beta[i];
}

int spur__consumer_count(const spur_node *node) {
    int count = 0;
    const spur_net *net = node->net;
    for (int i = node->index + 1; i < net->node_count; i++)
        for (int j = 0; j < net->nodes[i]->input_count; j++)
            count += net->nodes[i]->inputs[j] == node;
    return count;
}

float *spur_node_data(spur_node *node) {
    return node && node->dtype == SPUR_FLOAT32 ? node->data : NULL;
}

int32_t *spur_node_data_int(spur_node *node) {
    return node && node->dtype == SPUR_INT32 ? (int32_t *)(void *)node->data : NULL;
}

const float *spur_node_gradient(const spur_node *node) {
    return node && node->keep ? node->gradient : NULL;
}

int spur_node_rank(const spur_node *node) {
    return node ? node->rank : 0;
}

const int64_t *spur_node_shape(const spur_node *node) {
    return node ? node->shape : NULL;
}

const char *spur_node_name(const spur_node *node) {
    return node ? node->name : NULL;
}

const char *spur_node_kind(const spur_node *node) {
    return node ? node->op->kind : NULL;
}

int spur_node_input_count(const spur_node *node) {
    return node ? node->input_count : 0;
}

const spur_node *spur_node_input(const spur_node *node, int index) {
    return node && index >= 0 && index < node->input_count ? node->inputs[index] : NULL;
}
