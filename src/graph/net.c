/* SPDX-License-Identifier: MIT
 *
 * A net as an object: creating, destroying, scopes, errors made while building, batch and step.
 */
#include <string.h>

#include "base/cpu.h"
#include "base/memory.h"
#include "graph/internal.h"

enum { NAME_LIMIT = 4096 };

static spur__gemm_mode provider(spur_gemm_provider wish) {
    return wish == SPUR_GEMM_OPENBLAS ? SPUR__GEMM_OPENBLAS
           : wish == SPUR_GEMM_SPUR   ? SPUR__GEMM_SPUR
                                      : SPUR__GEMM_AUTO;
}

spur_net *spur_net_create(const spur_net_options *options) {
    spur_net *net = spur__calloc(1, sizeof *net);
    if (!net) return NULL;
    if (options) net->options = *options;
    net->exec.gemm = provider(net->options.gemm);
    net->exec.threads = net->options.threads > 0 ? net->options.threads : spur__cpu_count();
    spur__str_init(&net->scope, NAME_LIMIT);
    (void)spur__cpu_check(&net->error);
    return net;
}

void spur_net_destroy(spur_net *net) {
    if (!net) return;
    for (int i = 0; i < net->node_count; i++) spur__node_destroy(net->nodes[i]);
    for (int i = 0; i < net->param_count; i++) {
        spur__free((char *)net->params[i]->param.name);
        spur__free(net->params[i]);
    }
    spur__free(net->nodes);
    spur__free(net->params);
    spur__arena_destroy(&net->arena);
    spur__arena_destroy(&net->param_arena);
    spur__str_free(&net->scope);
    spur__free(net);
}

spur_node *spur__net_fail(spur_net *net, const spur_error *err) {
    if (net && net->error.status == SPUR_OK) net->error = *err;
    return NULL;
}

void spur__net_error(const spur_net *net, spur_error *err) {
    if (err) *err = net->error;
}

void spur_push_scope(spur_net *net, const char *name) {
    if (!net) return;
    spur__str_puts(&net->scope, name ? name : "");
    spur__str_putc(&net->scope, '.');
    spur_error err = {0};
    if (!name || !*name || strchr(name, '.')) {
        spur__fail(&err, SPUR_E_ARGUMENT, "scope '%s': expected a name without dots",
                   name ? name : "");
        spur__net_fail(net, &err);
    } else if (spur__str_status(&net->scope) != SPUR_OK) {
        spur__fail(&err, spur__str_status(&net->scope), "scope '%s': too long or out of memory",
                   name);
        spur__net_fail(net, &err);
    }
}

void spur_pop_scope(spur_net *net) {
    if (!net || spur__str_status(&net->scope) != SPUR_OK) return;
    if (net->scope.length == 0) {
        spur_error err = {0};
        spur__fail(&err, SPUR_E_STATE, "spur_pop_scope: no scope is open");
        spur__net_fail(net, &err);
        return;
    }
    size_t n = net->scope.length - 1;
    while (n > 0 && net->scope.data[n - 1] != '.') n--;
    net->scope.data[n] = 0;
    net->scope.length = n;
}

void spur_keep(spur_net *net, spur_node *node) {
    if (!net || !node) return;
    spur_error err = {0};
    if (node->net != net) {
        spur__fail(&err, SPUR_E_ARGUMENT, "layer '%s': spur_keep() with another net", node->name);
        spur__net_fail(net, &err);
        return;
    }
    if (net->built) {
        spur__fail(&err, SPUR_E_STATE, "layer '%s': spur_keep() after the net was built",
                   node->name);
        spur__net_fail(net, &err);
        return;
    }
    node->keep = true;
}

spur_status spur_net_set_batch(spur_net *net, int n) {
    if (!net || !net->built) return SPUR_E_STATE;
    if (n < 1 || n > net->max_batch) return SPUR_E_RANGE;
    net->batch = n;
    net->forward_done = false;
    for (int i = 0; i < net->node_count; i++)
        if (net->nodes[i]->rank) net->nodes[i]->shape[0] = n;
    return SPUR_OK;
}

void spur_net_set_step(spur_net *net, uint64_t step) {
    if (net) net->step = step;
}

float spur_net_loss(const spur_net *net) {
    return net ? net->last_loss : 0;
}

const spur_net_options *spur__net_options(const spur_net *net) {
    return &net->options;
}

const spur__exec *spur__net_exec(const spur_net *net) {
    return &net->exec;
}

size_t spur_net_planned_bytes(const spur_net *net) {
    return net ? net->planned : 0;
}

int spur_net_node_count(const spur_net *net) {
    return net ? net->node_count : 0;
}

const spur_node *spur_net_node(const spur_net *net, int index) {
    return net && index >= 0 && index < net->node_count ? net->nodes[index] : NULL;
}
