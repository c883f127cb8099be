/* SPDX-License-Identifier: MIT
 *
 * Throughput of the operations: forward and backward by the clock, multiply-adds and bytes (inputs +
 * output, twice that backward) a second. First at real sizes, with the builders of
 * tests/unit/ops/cases.h, and losses; then that list itself, the third thing done with it, each case with
 * a batch so large that its inputs have a quarter of a million values. compare.py runs those of real
 * sizes beside PyTorch's.
 *
 * usage: bench_ops [NAME]   only cases whose name holds NAME; SPUR_THREADS sets the threads
 */
#include <spur/loss.h>
#include "base/clock.h"
#include "graph/internal.h"
#include "unit/ops/cases.h"

enum { ROUNDS = 7, VALUES = 1 << 18 };

static spur_node *build_dropout(spur_net *net, spur_node **x, const void *options) {
    (void)options;
    return spur_dropout(net, x[0], 0.5);
}

static const op_case benchmarks[] = {
    {"conv2d 3x3 32-64 at 48", {{4, {64, 48, 48, 32}, 0}}, CONV(64, {.same_padding = true})},
    {"conv2d 3x3 and relu 64-128 at 24",
     {{4, {64, 24, 24, 64}, 0}},
     CONV_RELU(128, {.same_padding = true})},
    {"conv2d 3x3 3-32 at 48", {{4, {64, 48, 48, 3}, 0}}, CONV(32, {.same_padding = true})},
    {"conv2d 7x7 stride 2 3-64 at 224",
     {{4, {8, 224, 224, 3}, 0}},
     CONV(64, {.kernel = {7}, .stride = {2}, .padding = {3, 3, 3, 3}})},
    {"conv2d 1x1 256-64 at 56", {{4, {8, 56, 56, 256}, 0}}, CONV(64, {.kernel = {1}})},
    {"conv2d depthwise 3x3 96 at 56",
     {{4, {8, 56, 56, 96}, 0}},
     CONV(96, {.same_padding = true, .groups = 96})},
    {"conv2d dilated 64-64 at 56",
     {{4, {8, 56, 56, 64}, 0}},
     CONV(64, {.dilation = {2}, .padding = {2, 2, 2, 2}})},
    {"conv_transpose2d 2x2 128-64 at 32",
     {{4, {4, 32, 32, 128}, 0}},
     TRANSPOSE(64, {.kernel = {2}, .stride = {2}})},
    {"linear 18432-512", {{2, {64, 18432}, 0}}, LINEAR(512, {0})},
    {"linear and relu 512-512",
     {{2, {256, 512}, 0}},
     build_linear_relu,
     oracle_linear_relu,
     &(linear_case){512, {0}},
     0},
    {"batch_norm 64 at 56", {{4, {8, 56, 56, 64}, 0}}, NORM({0}, 0)},
    {"group_norm 64 at 56", {{4, {8, 56, 56, 64}, 0}}, NORM({.groups = 8}, 1)},
    {"layer_norm 512", {{3, {8, 256, 512}, 0}}, NORM({0}, 2)},
    {"max_pool2d 64 at 48", {{4, {32, 48, 48, 64}, 0}}, POOL({.kernel = {2}}, true)},
    {"avg_pool2d 64 at 48", {{4, {32, 48, 48, 64}, 0}}, POOL({.kernel = {2}}, false)},
    {"global_avg_pool2d 512 at 14", {{4, {64, 14, 14, 512}, 0}}, GLOBAL(false)},
    {"upsample2d bilinear 64 at 32", {{4, {8, 32, 32, 64}, 0}}, UPSAMPLE(64, 64, SPUR_BILINEAR)},
    {"upsample2d nearest 64 at 32", {{4, {8, 32, 32, 64}, 0}}, UPSAMPLE(64, 64, SPUR_NEAREST)},
    {"add 64 at 56", {{4, {8, 56, 56, 64}, 0}, {4, {8, 56, 56, 64}, 0}}, ARITHMETIC(false)},
    {"multiply by channels 96 at 56",
     {{4, {8, 56, 56, 96}, 0}, {4, {8, 1, 1, 96}, 0}},
     ARITHMETIC(true)},
    {"concat 64 + 64 at 56",
     {{4, {8, 56, 56, 64}, 0}, {4, {8, 56, 56, 64}, 0}},
     build_concat_last,
     oracle_concat,
     &(int){3},
     0},
    {"relu", {{2, {64, 65536}, 0}}, ACTIVATION(SPUR_RELU, 0)},
    {"silu", {{2, {64, 65536}, 0}}, ACTIVATION(SPUR_SILU, 0)},
    {"gelu", {{2, {64, 65536}, 0}}, ACTIVATION(SPUR_GELU, 0)},
    {"tanh", {{2, {64, 65536}, 0}}, ACTIVATION(SPUR_TANH, 0)},
    {"dropout", {{2, {64, 65536}, 0}}, build_dropout, NULL, NULL, 0},
    {"sigmoid", {{2, {64, 65536}, 0}}, ACTIVATION(SPUR_SIGMOID, 0)},
    {"elu", {{2, {64, 65536}, 0}}, ACTIVATION(SPUR_ELU, 1)},
    {"hard_swish", {{2, {64, 65536}, 0}}, ACTIVATION(SPUR_HARD_SWISH, 0)},
    {"leaky_relu", {{2, {64, 65536}, 0}}, ACTIVATION(SPUR_LEAKY_RELU, 0.01)},
    {"max_pool2d 3x3 stride 2 64 at 112",
     {{4, {8, 112, 112, 64}, 0}},
     POOL({.kernel = {3}, .stride = {2}, .padding = {1, 1, 1, 1}}, true)},
    {"adaptive_avg_pool2d 3x4 256 at 14", {{4, {32, 14, 14, 256}, 0}}, ADAPTIVE(false)},
    {"multiply by pixels 96 at 56",
     {{4, {8, 56, 56, 96}, 0}, {4, {8, 56, 56, 1}, 0}},
     ARITHMETIC(true)},
    {"pad2d 64 at 56", {{4, {8, 56, 56, 64}, 0}}, BORDER({1, 1, 1, 1}, 0, false)},
    {"log_softmax 1000", {{2, {4096, 1000}, 0}}, SOFTMAX(true)},
    {"softmax 10", {{2, {65536, 10}, 0}}, SOFTMAX(false)},
    {"softmax 1000", {{2, {4096, 1000}, 0}}, SOFTMAX(false)},
};

/* ---- losses ---------------------------------------------------------------------------------- */

typedef struct loss_case {
    const char *name;
    int rank;
    int64_t shape[4]; /* of the logits */
    spur_node *(*build)(spur_net *net, spur_node *logits, spur_node *target);
    bool classes; /* the targets are indices, one for each row of logits */
} loss_case;

static spur_node *cross_entropy(spur_net *net, spur_node *logits, spur_node *target) {
    return spur_cross_entropy(net, logits, target, NULL);
}

static spur_node *bce(spur_net *net, spur_node *logits, spur_node *target) {
    return spur_bce(net, logits, target, NULL);
}

static spur_node *dice(spur_net *net, spur_node *logits, spur_node *target) {
    return spur_dice(net, logits, target, NULL);
}

static spur_node *focal(spur_net *net, spur_node *logits, spur_node *target) {
    return spur_focal(net, logits, target, NULL);
}

static spur_node *mse(spur_net *net, spur_node *output, spur_node *target) {
    return spur_mse(net, output, target, SPUR_MEAN);
}

static const loss_case losses[] = {
    {"cross_entropy 64 x 1000", 2, {64, 1000}, cross_entropy, true},
    {"cross_entropy 2 at 128", 4, {16, 128, 128, 2}, cross_entropy, true},
    {"cross_entropy 21 at 128", 4, {16, 128, 128, 21}, cross_entropy, true},
    {"bce 1 at 256", 4, {16, 256, 256, 1}, bce, false},
    {"dice 1 at 256", 4, {16, 256, 256, 1}, dice, false},
    {"dice 21 at 128", 4, {16, 128, 128, 21}, dice, true},
    {"focal 21 at 128", 4, {16, 128, 128, 21}, focal, true},
    {"mse 64 x 16384", 2, {64, 16384}, mse, false},
};

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median milliseconds of one call. */
static double clock_call(spur_node *node, void (*call)(spur_node *, const spur__run *)) {
    spur__run run = {.exec = node->net->exec,
                     .mode = SPUR_TRAIN,
                     .batch = node->net->batch,
                     .workspace = node->net->workspace};
    double ms[ROUNDS];
    for (int i = -1; i < ROUNDS; i++) { /* the first one warms up */
        uint64_t start = spur__monotonic_ns();
        call(node, &run);
        if (i >= 0) ms[i] = (double)(spur__monotonic_ns() - start) * 1e-6;
    }
    qsort(ms, ROUNDS, sizeof *ms, ascending);
    return ms[ROUNDS / 2];
}

/* The node that does the work: what a fused ReLU stands behind. */
static spur_node *worker(spur_node *y) {
    while (y->passive) y = y->inputs[0];
    return y;
}

/* The case with the batch that makes its largest input have VALUES values. */
static op_case enlarged(const op_case *c) {
    op_case big = *c;
    int64_t largest = 1;
    for (int k = 0; k < MOST_INPUTS; k++) {
        int64_t count = 1;
        for (int i = 0; i < c->x[k].rank; i++) count *= c->x[k].shape[i];
        largest = count > largest ? count : largest;
    }
    for (int k = 0; k < MOST_INPUTS; k++) big.x[k].shape[0] *= (VALUES + largest - 1) / largest;
    return big;
}

static bool measure(const op_case *c, const spur_net_options *options) {
    case_run r;
    spur_error err = {0};
    bool ok = case_open(&r, c, options, PLAIN, 0, &err) == SPUR_OK &&
              spur_net_forward(r.net, SPUR_TRAIN, &err) == SPUR_OK &&
              spur_net_backward(r.net, 1, &err) == SPUR_OK;
    if (ok) {
        spur_node *node = worker(r.y);
        if (!node->op->forward || !node->op->backward) { /* a view: nothing to do */
            case_close(&r);
            return true;
        }
        double forward = clock_call(node, node->op->forward);
        double backward = clock_call(node, node->op->backward);
        double cost = node->op->cost ? 2e-6 * node->op->cost(node) * r.net->batch : 0;
        double bytes = 4e-6 * (double)r.want.out.count;
        for (int k = 0; k < r.inputs; k++) bytes += 4e-6 * (double)r.want.in[k].count;
        double passes = node->param_count && node->op->fuses_relu ? 2 : 1;
        printf("%-46s %9.3f %9.3f %9.1f %9.1f %8.1f %8.1f\n", c->name, forward, backward,
               cost / forward, passes * cost / backward, bytes / forward, 2 * bytes / backward);
    } else {
        fprintf(stderr, "bench_ops: %s: %s\n", c->name, err.message);
    }
    case_close(&r);
    return ok;
}

static spur_node *loss_target(spur_net *net, const loss_case *c) {
    int rank = c->classes ? c->rank - 1 : c->rank;
    return spur_input(net, "target", c->classes ? SPUR_INT32 : SPUR_FLOAT32, rank, c->shape);
}

static bool measure_loss(const loss_case *c, const spur_net_options *options) {
    spur_error err = {0};
    spur_net *net = spur_net_create(options);
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, c->rank, c->shape);
    spur_keep(net, x);
    spur_node *loss = c->build(net, x, loss_target(net, c));
    bool ok = spur_net_build(net, loss, &err) == SPUR_OK;
    for (size_t i = 0; ok && i < spur__node_count(x); i++) x->data[i] = (float)(i % 13) - 6;
    ok = ok && spur_net_forward(net, SPUR_TRAIN, &err) == SPUR_OK &&
         spur_net_backward(net, 1, &err) == SPUR_OK;
    if (ok) {
        double forward = clock_call(loss, loss->op->forward);
        double backward = clock_call(loss, loss->op->backward);
        double bytes = 4e-6 * (double)spur__node_count(x);
        printf("%-46s %9.3f %9.3f %9.1f %9.1f %8.1f %8.1f\n", c->name, forward, backward, 0.0, 0.0,
               bytes / forward, 2 * bytes / backward);
    } else {
        fprintf(stderr, "bench_ops: %s: %s\n", c->name, err.message);
    }
    spur_net_destroy(net);
    return ok;
}

static void nothing(void *job, ptrdiff_t index, int thread) {
    (void)job;
    (void)index;
    (void)thread;
}

/* A process's threads may begin on one core: half a second, until the system has noticed. */
static void wait_for_cores(const spur_net_options *options) {
    spur_net *net = spur_net_create(options);
    uint64_t start = spur__monotonic_ns();
    while (spur__monotonic_ns() - start < 500000000) spur__parallel(&net->exec, 64, nothing, NULL);
    spur_net_destroy(net);
}

int main(int argc, char **argv) {
    const char *threads = getenv("SPUR_THREADS");
    spur_net_options options = {.threads = threads ? (int)strtol(threads, NULL, 10) : 0};
    wait_for_cores(&options);
    printf("%-46s %9s %9s %9s %9s %8s %8s\n", "operation", "fwd ms", "bwd ms", "GF/s fwd", "bwd",
           "GB/s fwd", "bwd");
    bool ok = true;
    for (size_t i = 0; i < sizeof benchmarks / sizeof *benchmarks; i++)
        if (argc < 2 || strstr(benchmarks[i].name, argv[1]))
            ok = measure(&benchmarks[i], &options) && ok;
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        if (argc < 2 || strstr(losses[i].name, argv[1]))
            ok = measure_loss(&losses[i], &options) && ok;
    for (int i = 0; i < OP_CASES; i++) {
        op_case big = enlarged(&op_cases[i]);
        if (argc < 2 || strstr(big.name, argv[1])) ok = measure(&big, &options) && ok;
    }
    return ok ? 0 : 1;
}
