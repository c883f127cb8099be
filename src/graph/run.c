/* SPDX-License-Identifier: MIT
 *
 * Building and running: forward in order, backward in reverse order, and the search for the first
 * layer that is not finite.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "graph/internal.h"

static spur_status check_loss(const spur_net *net, const spur_node *loss, spur_error *err) {
    char text[128];
    if (!loss) return SPUR_OK;
    if (loss->net != net)
        return spur__fail(err, SPUR_E_ARGUMENT, "the loss '%s' belongs to another net", loss->name);
    if (loss->rank != 0 || loss->dtype != SPUR_FLOAT32)
        return spur__fail(err, SPUR_E_SHAPE, "the loss must be a scalar, found '%s' (%s) %s",
                          loss->name, loss->op->kind, spur__shape_text(loss, text, sizeof text));
    return SPUR_OK;
}

/* The batch, which is one for the whole net, also where its parts never meet: runs count samples once. */
static spur_status find_batch(spur_net *net, spur_error *err) {
    const spur_node *first = NULL;
    char a[128], b[128];
    for (int i = 0; i < net->node_count; i++) {
        const spur_node *node = net->nodes[i];
        if (node->rank == 0) continue;
        if (!first) first = node;
        if (node->shape[0] != first->shape[0])
            return spur__fail(err, SPUR_E_SHAPE,
                              "expected one batch size in the whole net, found '%s' %s and '%s' %s",
                              first->name, spur__shape_text(first, a, sizeof a), node->name,
                              spur__shape_text(node, b, sizeof b));
    }
    net->max_batch = net->batch = first ? (int)first->shape[0] : 1;
    return SPUR_OK;
}

/* A failed build leaves the net as one that can only be destroyed. */
spur_status spur_net_build(spur_net *net, spur_node *loss, spur_error *err) {
    if (!net) return spur__fail(err, SPUR_E_ARGUMENT, "spur_net_build: the net is NULL");
    if (net->error.status != SPUR_OK) {
        if (err) *err = net->error;
        return net->error.status;
    }
    if (net->built) return spur__fail(err, SPUR_E_STATE, "the net is built already");
    if (net->node_count == 0) return spur__fail(err, SPUR_E_STATE, "the net has no layers");
    SPUR__TRY(check_loss(net, loss, err));
    net->loss = loss;
    net->backward = loss && !net->options.inference;
    spur_error failure = {0};
    spur_status status = find_batch(net, &failure);
    if (status == SPUR_OK) status = spur__params_build(net, &failure);
    if (status == SPUR_OK) status = spur__plan_net(net, &failure);
    if (status != SPUR_OK) {
        spur__net_fail(net, &failure);
        if (err) *err = failure;
        return status;
    }
    net->built = true;
    return SPUR_OK;
}

static spur__run run_of(const spur_net *net, spur_mode mode) {
    return (spur__run){.exec = net->exec,
                       .mode = mode,
                       .seed = net->options.seed,
                       .step = net->step,
                       .batch = net->batch,
                       .workspace = net->workspace};
}

/* ---- not a number --------------------------------------------------------------------------- */

/* The first value that is not finite in n rows of `length` floats; -1 if all are. */
static ptrdiff_t first_bad(const float *data, size_t rows, size_t length, size_t pitch) {
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < length; i++)
            if (!isfinite(data[r * pitch + i])) return (ptrdiff_t)(r * length + i);
    return -1;
}

/* Of a layer that ends in a pool only the pool's values exist. */
static const spur_node *stored(const spur_node *node) {
    return node->pool ? node->pool : node;
}

static ptrdiff_t bad_value(const spur_node *layer) {
    const spur_node *node = stored(layer);
    size_t length = (size_t)spur__channels(node), count = spur__node_count(node);
    if (node->dtype != SPUR_FLOAT32) return -1;
    return first_bad(node->data, count / length, length, (size_t)node->pitch);
}

static spur_status describe(const spur_node *node, ptrdiff_t place, const char *loss,
                            spur_error *err) {
    const char *what =
        isnan(node->data[(size_t)place / (size_t)spur__channels(node) * (size_t)node->pitch +
                         (size_t)place % (size_t)spur__channels(node)])
            ? "NaN"
            : "infinite";
    int64_t sample = node->rank ? place / (int64_t)spur__sample_count(stored(node)) : 0;
    spur_status said = node->op->explain ? node->op->explain(node, err) : SPUR_OK;
    if (said != SPUR_OK) return said;
    for (int i = 0; i < node->param_count; i++)
        if (first_bad(node->params[i]->value, 1, node->params[i]->count, 0) >= 0)
            return spur__fail(
                err, SPUR_E_NUMERIC,
                "the loss is not finite (%s): parameter '%s' of layer '%s' (%s) holds "
                "a value that is not finite",
                loss, node->params[i]->name, node->name, node->op->kind);
    return spur__fail(
        err, SPUR_E_NUMERIC,
        "the loss is not finite (%s): the first layer with such a value is '%s' (%s), "
        "sample %lld is %s",
        loss, node->name, node->op->kind, (long long)sample, what);
}

/* Runs the net once more, looking at every output before its memory is used again. */
static spur_status find_bad_layer(spur_net *net, spur__run run, spur_error *err) {
    const char *loss = isnan(net->last_loss) ? "NaN" : net->last_loss > 0 ? "inf" : "-inf";
    run.repeat = true;
    for (int i = 0; i < net->node_count; i++) {
        spur_node *node = net->nodes[i];
        if (!node->passive && node->op->forward) node->op->forward(node, &run);
        ptrdiff_t place = bad_value(node);
        if (place >= 0) return describe(node, place, loss, err);
    }
    return spur__fail(err, SPUR_E_NUMERIC, "the loss is not finite (%s)", loss);
}

/* ---- runs ----------------------------------------------------------------------------------- */

static void prepare(spur_net *net, spur__run run) {
    for (int i = 0; i < net->node_count; i++) {
        spur_node *node = net->nodes[i];
        if (node->prepared && !node->passive) node->op->prepare(node, &run);
    }
    net->prepared = true;
}

spur_status spur_net_forward(spur_net *net, spur_mode mode, spur_error *err) {
    if (!net || !net->built)
        return spur__fail(err, SPUR_E_STATE, "spur_net_forward: the net is not built");
    if (mode == SPUR_TRAIN && !net->backward)
        return spur__fail(err, SPUR_E_STATE,
                          "spur_net_forward: this net was planned for evaluation only");
    spur__run run = run_of(net, mode);
    if (!net->prepared) prepare(net, run);
    for (int i = 0; i < net->node_count; i++) {
        spur_node *node = net->nodes[i];
        if (node->passive || !node->op->forward) continue;
        node->op->forward(node, &run);
    }
    net->forward_done = mode == SPUR_TRAIN;
    if (!net->loss) return SPUR_OK;
    net->last_loss = net->loss->data[0];
    if (isfinite(net->last_loss)) return SPUR_OK;
    net->forward_done = false;
    return find_bad_layer(net, run, err);
}

/* ---- backward ------------------------------------------------------------------------------- */

static spur__param_entry *entry_of(spur_param *param) {
    return (spur__param_entry *)(void *)param;
}

int spur__param_beta(const spur_node *node, int i) {
    return i < node->param_count && entry_of(node->params[i])->stale ? 0 : 1;
}

bool spur__run_takes(const spur__run *run, const spur_node *node, int i, size_t block,
                     spur__sink *sink) {
    spur_param *param = node->params[i];
    if (!run->taker || entry_of(param)->users != 1) return false;
    return run->taker->offer(run->taker->context, param, block, sink);
}

static void clear_stale(spur__param_entry *entry) {
    if (entry->stale) memset(entry->param.gradient, 0, entry->param.count * sizeof(float));
    entry->stale = false;
}

/* One node's backward call; the first one to reach a parameter overwrites its gradient. */
static void node_backward(spur_node *node, const spur__run *run) {
    for (int i = 0; i < node->param_count && !node->op->overwrites_gradients; i++)
        clear_stale(entry_of(node->params[i]));
    node->op->backward(node, run);
    for (int i = 0; i < node->param_count; i++) entry_of(node->params[i])->stale = false;
}

static void nodes_backward(spur_net *net, float scale, const spur__taker *taker) {
    spur__run run = run_of(net, SPUR_TRAIN);
    run.taker = taker;
    net->loss->gradient[0] = scale;
    for (int i = net->node_count - 1; i >= 0; i--) {
        spur_node *node = net->nodes[i];
        if (node->passive || !node->needs_gradient || !node->op->backward) continue;
        node_backward(node, &run);
    }
}

/* Whether a backward run may begin; uses up what the forward run saved. */
static spur_status begin_backward(spur_net *net, spur_error *err) {
    if (!net || !net->built || !net->backward)
        return spur__fail(err, SPUR_E_STATE,
                          "spur_net_backward: the net is not built for training");
    if (!net->forward_done)
        return spur__fail(err, SPUR_E_STATE,
                          "spur_net_backward: expected a forward run in training mode before it");
    net->forward_done = false; /* saved values are used up: memory is shared */
    return SPUR_OK;
}

spur_status spur_net_backward(spur_net *net, float scale, spur_error *err) {
    SPUR__TRY(begin_backward(net, err));
    if (net->loss->needs_gradient) nodes_backward(net, scale, NULL);
    return SPUR_OK;
}

spur_status spur__net_backward_fresh(spur_net *net, float scale, const spur__taker *taker,
                                     spur_error *err) {
    SPUR__TRY(begin_backward(net, err));
    for (int i = 0; i < net->param_count; i++)
        net->params[i]->stale = net->params[i]->param.gradient != NULL;
    if (net->loss->needs_gradient) nodes_backward(net, scale, taker);
    for (int i = 0; i < net->param_count; i++) clear_stale(net->params[i]);
    return SPUR_OK;
}
