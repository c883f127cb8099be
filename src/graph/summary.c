/* SPDX-License-Identifier: MIT
 *
 * The table of layers. 80 columns; long names lose their beginning.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "graph/internal.h"

enum { NAME_WIDTH = 33, SHAPE_WIDTH = 18 };

/* 1234567 as "1,234,567". */
static void grouped(int64_t value, char *out, size_t n) {
    char digits[32];
    (void)snprintf(digits, sizeof digits, "%" PRId64, value);
    size_t length = strlen(digits), used = 0;
    for (size_t i = 0; i < length && used + 2 < n; i++) {
        if (i && (length - i) % 3 == 0) out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = 0;
}

/* 1234567 as "1.23 M" (steps of `base`). */
static void scaled(double value, double base, char *out, size_t n) {
    static const char *const units[] = {"", "K", "M", "G", "T", "P"};
    int u = 0;
    while (value >= base && u < 5) {
        value /= base;
        u++;
    }
    if (u == 0)
        (void)snprintf(out, n, "%.0f", value);
    else
        (void)snprintf(out, n, "%.*f %s", value < 10 ? 2 : value < 100 ? 1 : 0, value, units[u]);
}

/* Parameters that this node declared itself. */
static int64_t own_parameters(const spur_node *node) {
    int64_t count = 0;
    for (int i = 0; i < node->param_count && !node->shares; i++)
        if (!((const spur__param_entry *)(const void *)node->params[i])->spec.buffer)
            count += (int64_t)node->params[i]->count;
    return count;
}

/* "48x48x32": the shape without the batch. */
static void sample_shape(const spur_node *node, char *out, size_t n) {
    size_t used = 0;
    out[0] = 0;
    if (node->rank <= 1) (void)snprintf(out, n, node->rank ? "1" : "scalar");
    for (int i = 1; i < node->rank && used < n; i++) {
        int w = snprintf(out + used, n - used, "%s%" PRId64, i > 1 ? "x" : "", node->shape[i]);
        if (w < 0) return;
        used += (size_t)w;
    }
}

static double cost_of(const spur_node *node) {
    return node->op->cost && !node->passive ? node->op->cost(node) : 0;
}

static void row(const spur_node *node, FILE *out) {
    char label[512], shape[64], params[32] = "", cost[32] = "";
    (void)snprintf(label, sizeof label, "%s (%s)", node->name, node->op->kind);
    size_t length = strlen(label);
    const char *shown = length > NAME_WIDTH ? label + length - NAME_WIDTH : label;
    sample_shape(node, shape, sizeof shape);
    if (own_parameters(node)) grouped(own_parameters(node), params, sizeof params);
    if (node->shares) (void)snprintf(params, sizeof params, "shared");
    if (cost_of(node) > 0) scaled(cost_of(node), 1000, cost, sizeof cost);
    (void)fprintf(out, "%-*s  %-*s %13s %10s\n", NAME_WIDTH, shown, SHAPE_WIDTH, shape, params,
                  cost);
}

static void rule(FILE *out) {
    for (int i = 0; i < 79; i++) (void)fputc('-', out);
    (void)fputc('\n', out);
}

static void totals(const spur_net *net, FILE *out) {
    int64_t all = 0, trainable = spur_net_trainable_count(net);
    double cost = 0;
    for (int i = 0; i < net->node_count; i++) {
        all += own_parameters(net->nodes[i]);
        cost += cost_of(net->nodes[i]);
    }
    char a[32], b[32], c[32], d[32];
    grouped(all, a, sizeof a);
    grouped(trainable, b, sizeof b);
    scaled(cost, 1000, c, sizeof c);
    (void)fprintf(out, "Parameters: %s (%s trainable)\nMultiply-adds per sample: %s\n", a, b, c);
    if (!net->built) return;
    scaled((double)net->planned, 1024, c, sizeof c);
    scaled((double)net->param_arena.size, 1024, d, sizeof d);
    (void)fprintf(out, "Memory at batch %d: %siB for parameters%s,\n    %siB for activations%s\n",
                  net->max_batch, d, net->backward ? " and their gradients" : "", c,
                  net->backward ? ", gradients and workspaces" : " and workspaces");
}

spur_status spur_net_summary(const spur_net *net, FILE *out) {
    if (!net || !out) return SPUR_E_ARGUMENT;
    if (net->error.status != SPUR_OK) return net->error.status;
    (void)fprintf(out, "%-*s  %-*s %13s %10s\n", NAME_WIDTH, "Layer (kind)", SHAPE_WIDTH,
                  "Output per sample", "Parameters", "Mult-adds");
    rule(out);
    for (int i = 0; i < net->node_count; i++) row(net->nodes[i], out);
    rule(out);
    totals(net, out);
    return ferror(out) ? SPUR_E_IO : SPUR_OK;
}
