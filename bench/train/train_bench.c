/* SPDX-License-Identifier: MIT
 *
 * Training steps of one net, on request, so that a driver can take turns with a peer:
 *
 *     train_bench NET THREADS [conv=auto|direct|winograd2|winograd4]
 *
 * prints "ready SECONDS" (time since it began), then answers each line "train N" or "infer N" by N
 * times in milliseconds, and "memory" by its peak resident set in MiB. NET: my_net (64x48x48), unet
 * (base 32, 4x128x128), resnet18, vgg16 (both 16x224x224). Adam, cross-entropy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spur/loss.h>
#include <spur/models.h>
#include <spur/optim.h>
#include "base/clock.h"
#include "base/random.h"

static const struct recipe {
    const char *name, *options;
    int64_t shape[4];
    int classes;
    int per_pixel;
} recipes[] = {
    {"my_net", NULL, {64, 48, 48, 3}, 10, 0},
    {"unet", "base_filters=32", {4, 128, 128, 3}, 2, 1},
    {"resnet18", NULL, {16, 224, 224, 3}, 1000, 0},
    {"vgg16", NULL, {16, 224, 224, 3}, 1000, 0},
};

typedef struct bench {
    spur_net *net;
    spur_optimizer *adam;
    uint64_t step;
} bench;

static int fail(const spur_error *err) {
    fprintf(stderr, "train_bench: %s\n", err->message);
    return 1;
}

static const struct recipe *find(const char *name) {
    for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++)
        if (strcmp(recipes[i].name, name) == 0) return &recipes[i];
    return NULL;
}

static spur_conv_algorithm parse_conv(const char *text) {
    static const char *const names[] = {"conv=auto", "conv=direct", "conv=winograd2",
                                        "conv=winograd4"};
    for (int i = 0; text && i < 4; i++)
        if (strcmp(text, names[i]) == 0) return (spur_conv_algorithm)i;
    return SPUR_CONV_AUTO;
}

static void fill(spur_node *x, spur_node *y, const struct recipe *r) {
    spur__rng rng;
    size_t pixels = (size_t)(r->shape[0] * r->shape[1] * r->shape[2]);
    size_t labels = r->per_pixel ? pixels : (size_t)r->shape[0];
    spur__rng_init(&rng, 1, SPUR__STREAM_TEST, 0, 0);
    for (size_t i = 0; i < pixels * 3; i++) spur_node_data(x)[i] = spur__rng_normal(&rng);
    for (size_t i = 0; i < labels; i++)
        spur_node_data_int(y)[i] = (int32_t)spur__rng_below(&rng, (uint32_t)r->classes);
}

static int set_up(bench *b, const struct recipe *r, int threads, spur_conv_algorithm conv) {
    spur_error err = {0};
    b->net = spur_net_create(&(spur_net_options){.seed = 1, .threads = threads, .conv = conv});
    spur_node *x = spur_input(b->net, "x", SPUR_FLOAT32, 4, r->shape);
    spur_node *y = spur_input(b->net, "y", SPUR_INT32, r->per_pixel ? 3 : 1, r->shape);
    spur_node *logits = spur_model(b->net, r->name, x, r->classes, r->options, &err);
    if (!logits) return fail(&err);
    if (spur_net_build(b->net, spur_cross_entropy(b->net, logits, y, NULL), &err) != SPUR_OK)
        return fail(&err);
    b->adam = spur_optimizer_create(b->net, "adam", "lr=1e-4", &err);
    if (!b->adam) return fail(&err);
    fill(x, y, r);
    return 0;
}

static int run(bench *b, int train) {
    spur_error err = {0};
    if (!train) return spur_net_forward(b->net, SPUR_EVAL, &err) == SPUR_OK ? 0 : fail(&err);
    spur_net_set_step(b->net, b->step++);
    if (spur_net_forward(b->net, SPUR_TRAIN, &err) != SPUR_OK ||
        spur_optimizer_backward_step(b->adam, 1, NULL, &err) != SPUR_OK)
        return fail(&err);
    return 0;
}

static void print_memory(void) {
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    long kib = 0;
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmHWM:", 6) == 0) kib = strtol(line + 6, NULL, 10);
    if (status) fclose(status);
    printf("%.1f\n", (double)kib / 1024);
}

/* One line of the driver's; non-zero ends the program. */
static int answer(bench *b, const char *line) {
    int train = strncmp(line, "train ", 6) == 0;
    if (strncmp(line, "memory", 6) == 0) {
        print_memory();
        return 0;
    }
    for (long n = strtol(line + 6, NULL, 10); n > 0; n--) {
        uint64_t start = spur__monotonic_ns();
        if (run(b, train)) return 1;
        printf("%.3f ", (double)(spur__monotonic_ns() - start) * 1e-6);
    }
    printf("\n");
    return 0;
}

int main(int argc, char **argv) {
    char line[64];
    bench b = {0};
    uint64_t start = spur__monotonic_ns();
    const struct recipe *r = argc > 2 ? find(argv[1]) : NULL;
    if (!r) {
        fprintf(stderr, "usage: train_bench my_net|unet|resnet18|vgg16 THREADS [conv=...]\n");
        return 2;
    }
    int failed =
        set_up(&b, r, (int)strtol(argv[2], NULL, 10), parse_conv(argc > 3 ? argv[3] : NULL));
    if (!failed) printf("ready %.3f\n", (double)(spur__monotonic_ns() - start) * 1e-9);
    fflush(stdout);
    while (!failed && fgets(line, sizeof line, stdin)) {
        failed = answer(&b, line);
        fflush(stdout);
    }
    spur_optimizer_destroy(b.adam);
    spur_net_destroy(b.net);
    return failed;
}
