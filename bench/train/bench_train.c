/* SPDX-License-Identifier: MIT
 *
 * Steps of one net, on request, so that a driver can take turns with a peer:
 *
 *     bench_train NET THREADS [train|infer|single [conv=auto|direct|winograd2|winograd4]]
 *
 * prints "ready SECONDS" (time since it began), then answers each line "train N" (or what it was
 * started for) by N times in milliseconds, and "memory" by its peak resident set in MiB. NET is one of
 * `recipes`. Training: Adam, cross-entropy; infer: a net planned for inference; single: the same for
 * one image.
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
    const char *name, *model, *options;
    int64_t shape[4];
    int classes;
    int per_pixel;
} recipes[] = {
    {"my_net", "my_net", NULL, {64, 48, 48, 3}, 10, 0},
    {"unet", "unet", "base_filters=32", {4, 128, 128, 3}, 2, 1},
    {"resnet18", "resnet18", NULL, {16, 224, 224, 3}, 1000, 0},
    {"vgg16", "vgg16", NULL, {16, 224, 224, 3}, 1000, 0},
    {"mobilenet", "mobilenet_v3_large", NULL, {16, 224, 224, 3}, 1000, 0},
    {"efficientnet", "efficientnet_b0", NULL, {16, 224, 224, 3}, 1000, 0},
    {"resnet50", "resnet50", NULL, {16, 224, 224, 3}, 1000, 0},
    {"unet_resnet34", "unet_resnet34", NULL, {4, 256, 256, 3}, 2, 1},
    {"deeplabv3", "deeplabv3_resnet50", NULL, {4, 128, 128, 3}, 2, 1},
};

typedef enum kind { TRAIN, INFER, SINGLE } kind;

typedef struct bench {
    kind kind;
    spur_net *net;
    spur_optimizer *adam;
    uint64_t step;
} bench;

static int fail(const spur_error *err) {
    fprintf(stderr, "bench_train: %s\n", err->message);
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

static int parse_kind(const char *text, kind *found) {
    static const char *const names[] = {"train", "infer", "single"};
    for (int i = 0; i < 3; i++)
        if (!text || strcmp(text, names[i]) == 0) {
            *found = (kind)i;
            return 1;
        }
    return 0;
}

static void fill(spur_node *x, spur_node *y, const struct recipe *r) {
    spur__rng rng;
    size_t samples = (size_t)spur_node_shape(x)[0];
    size_t pixels = samples * (size_t)(r->shape[1] * r->shape[2]);
    size_t labels = r->per_pixel ? pixels : samples;
    spur__rng_init(&rng, 1, SPUR__STREAM_TEST, 0, 0);
    for (size_t i = 0; i < pixels * 3; i++) spur_node_data(x)[i] = spur__rng_normal(&rng);
    for (size_t i = 0; y && i < labels; i++)
        spur_node_data_int(y)[i] = (int32_t)spur__rng_below(&rng, (uint32_t)r->classes);
}

static int set_up(bench *b, const struct recipe *r, int threads, spur_conv_algorithm conv) {
    spur_error err = {0};
    int64_t shape[4];
    memcpy(shape, r->shape, sizeof shape);
    if (b->kind == SINGLE) shape[0] = 1;
    b->net = spur_net_create(&(spur_net_options){
        .seed = 1, .threads = threads, .conv = conv, .inference = b->kind != TRAIN});
    spur_node *x = spur_input(b->net, "x", SPUR_FLOAT32, 4, shape), *y = NULL, *loss = NULL;
    spur_node *logits = spur_model(b->net, r->model, x, r->classes, r->options, &err);
    if (!logits) return fail(&err);
    if (b->kind == TRAIN) {
        y = spur_input(b->net, "y", SPUR_INT32, r->per_pixel ? 3 : 1, shape);
        loss = spur_cross_entropy(b->net, logits, y, NULL);
    }
    if (spur_net_build(b->net, loss, &err) != SPUR_OK) return fail(&err);
    if (b->kind == TRAIN) {
        b->adam = spur_optimizer_create(b->net, "adam", "lr=1e-4", &err);
        if (!b->adam) return fail(&err);
    }
    fill(x, y, r);
    return 0;
}

static int run(bench *b) {
    spur_error err = {0};
    if (b->kind != TRAIN)
        return spur_net_forward(b->net, SPUR_EVAL, &err) == SPUR_OK ? 0 : fail(&err);
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
    const char *number = strchr(line, ' ');
    if (strncmp(line, "memory", 6) == 0) {
        print_memory();
        return 0;
    }
    for (long n = number ? strtol(number, NULL, 10) : 0; n > 0; n--) {
        uint64_t start = spur__monotonic_ns();
        if (run(b)) return 1;
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
    if (!r || !parse_kind(argc > 3 ? argv[3] : NULL, &b.kind)) {
        fprintf(stderr, "usage: bench_train NET THREADS [train|infer|single [conv=...]]\nNET:");
        for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++)
            fprintf(stderr, " %s", recipes[i].name);
        fprintf(stderr, "\n");
        return 2;
    }
    int failed =
        set_up(&b, r, (int)strtol(argv[2], NULL, 10), parse_conv(argc > 4 ? argv[4] : NULL));
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
