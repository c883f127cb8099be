/* SPDX-License-Identifier: MIT
 *
 * Where the time of a training step goes: every layer's forward and backward call by the clock.
 *
 * usage: bench_profile [--inference] MODEL [OPTIONS [BATCH HEIGHT WIDTH [CHANNELS CLASSES]]]
 *        bench_profile unet "base_filters=32" 4 128 128
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spur/loss.h>
#include <spur/models.h>

#include "base/clock.h"
#include "base/random.h"
#include "graph/internal.h"

enum { ROUNDS = 9, MOST_NODES = 4096 };

typedef struct timing {
    double forward[ROUNDS], backward[ROUNDS];
} timing;

static timing timings[MOST_NODES];

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values) {
    qsort(values, ROUNDS, sizeof *values, ascending);
    return values[ROUNDS / 2];
}

static double milliseconds(uint64_t since) {
    return (double)(spur__monotonic_ns() - since) * 1e-6;
}

static void one_round(spur_net *net, int round) {
    spur__run run = {.exec = net->exec,
                     .mode = net->backward ? SPUR_TRAIN : SPUR_EVAL,
                     .batch = net->batch,
                     .workspace = net->workspace};
    for (int i = 0; i < net->node_count; i++) {
        spur_node *node = net->nodes[i];
        uint64_t start = spur__monotonic_ns();
        if (!node->passive && node->op->forward) node->op->forward(node, &run);
        timings[i].forward[round] = milliseconds(start);
    }
    if (!net->backward) return;
    net->loss->gradient[0] = 1;
    for (int i = net->node_count - 1; i >= 0; i--) {
        spur_node *node = net->nodes[i];
        uint64_t start = spur__monotonic_ns();
        if (!node->passive && node->needs_gradient && node->op->backward)
            node->op->backward(node, &run);
        timings[i].backward[round] = milliseconds(start);
    }
}

static void print(const spur_net *net) {
    double forward = 0, backward = 0;
    printf("%-32s %-18s %9s %9s %8s %8s\n", "layer", "kind", "fwd ms", "bwd ms", "GF/s fwd", "bwd");
    for (int i = 0; i < net->node_count; i++) {
        const spur_node *node = net->nodes[i];
        if (node->passive) continue;
        double f = median(timings[i].forward), b = median(timings[i].backward);
        double work = node->op->cost ? 2e-6 * node->op->cost(node) * net->batch : 0;
        forward += f;
        backward += b;
        printf("%-32s %-18s %9.3f %9.3f %8.1f %8.1f\n", node->name, node->op->kind, f, b, work / f,
               b > 0.001 ? (node->beta[0] >= 0 ? 2 : 1) * work / b : 0);
    }
    printf("%-32s %-18s %9.3f %9.3f\n", "sum of medians", "", forward, backward);
}

static void fill(spur_net *net, int classes) {
    spur__rng rng;
    spur__rng_init(&rng, 1, SPUR__STREAM_TEST, 0, 0);
    for (int i = 0; i < net->node_count; i++) {
        spur_node *node = net->nodes[i];
        if (!node->op->input) continue;
        for (size_t k = 0; k < spur__node_count(node); k++)
            if (node->dtype == SPUR_INT32)
                spur_node_data_int(node)[k] = (int)spur__rng_below(&rng, (uint32_t)classes);
            else
                node->data[k] = spur__rng_normal(&rng);
    }
}

/* Plans the net: for training, or, without labels, for inference. */
static spur_status build(spur_net *net, spur_node *logits, const int64_t *image, spur_error *err) {
    if (spur__net_options(net)->inference) return spur_net_build(net, NULL, err);
    int rank = logits ? spur_node_rank(logits) - 1 : 1;
    spur_node *y = spur_input(net, "y", SPUR_INT32, rank, logits ? spur_node_shape(logits) : image);
    return spur_net_build(net, spur_cross_entropy(net, logits, y, NULL), err);
}

static int argument(int argc, char **argv, int i, int standard) {
    return i < argc ? (int)strtol(argv[i], NULL, 10) : standard;
}

int main(int argc, char **argv) {
    bool inference = argc > 1 && strcmp(argv[1], "--inference") == 0;
    argc -= inference;
    argv += inference;
    if (argc < 2) {
        fprintf(
            stderr,
            "usage: bench_profile [--inference] MODEL [OPTIONS [BATCH HEIGHT WIDTH [CHANNELS CLASSES]]]\n");
        return 2;
    }
    spur_error err = {0};
    int classes = argument(argc, argv, 7, 10);
    int64_t shape[4] = {argument(argc, argv, 3, 64), argument(argc, argv, 4, 48),
                        argument(argc, argv, 5, 48), argument(argc, argv, 6, 3)};
    const char *threads = getenv("SPUR_THREADS");
    spur_net *net = spur_net_create(&(spur_net_options){
        .threads = threads ? (int)strtol(threads, NULL, 10) : 0, .inference = inference});
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, shape);
    spur_node *logits = spur_model(net, argv[1], x, classes, argc > 2 ? argv[2] : NULL, &err);
    if (!logits && err.status != SPUR_OK) {
        fprintf(stderr, "bench_profile: %s\n", err.message);
        spur_net_destroy(net);
        return 2;
    }
    if (build(net, logits, shape, &err) != SPUR_OK) {
        fprintf(stderr, "bench_profile: %s\n", err.message);
        return 1;
    }
    fill(net, classes);
    if (spur_net_node_count(net) > MOST_NODES) return 1;
    if (inference && spur_net_forward(net, SPUR_EVAL, &err) != SPUR_OK) return 1; /* prepares */
    for (int round = 0; round < ROUNDS; round++) one_round(net, round);
    print(net);
    spur_net_destroy(net);
    return 0;
}
