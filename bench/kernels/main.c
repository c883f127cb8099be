/* SPDX-License-Identifier: MIT
 *
 * Convolution layers by pass and algorithm: effective GF/s (operations of the direct method over
 * time), as a table or JSON.
 *
 *     bench_kernels [--threads N] [--json] [--only TEXT] [--repetitions N]
 *     bench_kernels --products | --linear | --accuracy
 *     bench_kernels --machine    what the machine can do at most, as JSON
 *     bench_kernels --serve      times what compare.py asks for, one line each
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "bench.h"

typedef struct row {
    int n, c, h, w, k, kernel, stride, groups, dilation;
} row;

static const row rows[] = {
    {64, 3, 48, 48, 32, 3, 1, 1, 1},
    {64, 32, 48, 48, 64, 3, 1, 1, 1},
    {64, 64, 24, 24, 128, 3, 1, 1, 1},
    {4, 32, 128, 128, 32, 3, 1, 1, 1},
    {4, 64, 64, 64, 64, 3, 1, 1, 1},
    {4, 128, 32, 32, 128, 3, 1, 1, 1},
    {4, 256, 16, 16, 256, 3, 1, 1, 1},
    {4, 512, 8, 8, 512, 3, 1, 1, 1},
    {16, 64, 56, 56, 64, 3, 1, 1, 1},
    {16, 128, 28, 28, 128, 3, 1, 1, 1},
    {16, 256, 14, 14, 256, 3, 1, 1, 1},
    {16, 512, 7, 7, 512, 3, 1, 1, 1},
    {4, 64, 224, 224, 64, 3, 1, 1, 1},
    {4, 256, 56, 56, 256, 3, 1, 1, 1},
    {4, 512, 28, 28, 512, 3, 1, 1, 1},
    {16, 3, 224, 224, 64, 7, 2, 1, 1},
    {16, 64, 56, 56, 128, 3, 2, 1, 1},
    {16, 128, 28, 28, 256, 3, 2, 1, 1},
    {16, 64, 56, 56, 128, 1, 2, 1, 1},
    {16, 256, 28, 28, 64, 1, 1, 1, 1},
    {16, 256, 14, 14, 512, 1, 2, 1, 1},
    /* transposed 2x2: their forward is `data`, their data gradient `forward` */
    {4, 32, 128, 128, 64, 2, 2, 1, 1},
    {4, 64, 64, 64, 128, 2, 2, 1, 1},
    {4, 128, 32, 32, 256, 2, 2, 1, 1},
    {4, 256, 16, 16, 512, 2, 2, 1, 1},
    {4, 32, 128, 128, 2, 1, 1, 1, 1},
    /* depthwise, as in MobileNet and EfficientNet; in groups, as in ResNeXt and ShuffleNet */
    {16, 32, 112, 112, 32, 3, 1, 32, 1},
    {16, 96, 112, 112, 96, 3, 2, 96, 1},
    {16, 144, 56, 56, 144, 3, 1, 144, 1},
    {16, 192, 28, 28, 192, 3, 1, 192, 1},
    {16, 384, 14, 14, 384, 3, 1, 384, 1},
    {16, 960, 7, 7, 960, 3, 1, 960, 1},
    {16, 72, 56, 56, 72, 5, 2, 72, 1},
    {16, 120, 28, 28, 120, 5, 1, 120, 1},
    {16, 672, 14, 14, 672, 5, 2, 672, 1},
    {16, 128, 56, 56, 128, 3, 1, 32, 1},
    {16, 256, 28, 28, 256, 3, 1, 32, 1},
    {16, 512, 14, 14, 512, 3, 1, 32, 1},
    {16, 240, 28, 28, 240, 1, 1, 3, 1},
    /* dilated, as in DeepLab: a block of its ResNet, a branch of its pyramid */
    {8, 64, 56, 56, 64, 3, 1, 1, 2},
    {4, 512, 33, 33, 256, 3, 1, 1, 12},
};

static const char *const passes[] = {"forward", "data", "weights"};

static spur__conv_shape shape_of(const row *r) {
    int pad = (r->kernel - 1) / 2 * r->dilation;
    return (spur__conv_shape){.n = r->n,
                              .c = r->c,
                              .h = r->h,
                              .w = r->w,
                              .k = r->k,
                              .kh = r->kernel,
                              .kw = r->kernel,
                              .stride_h = r->stride,
                              .stride_w = r->stride,
                              .pad_top = pad,
                              .pad_left = pad,
                              .pad_bottom = pad,
                              .pad_right = pad,
                              .dilation_h = r->dilation,
                              .dilation_w = r->dilation,
                              .groups = r->groups};
}

typedef struct settings {
    int threads, repetitions;
    bool json;
    const char *only;
} settings;

static void print_row(const row *r, const settings *o, bool *first) {
    spur__conv_shape shape = shape_of(r);
    char dilation[16] = "";
    if (r->dilation > 1) snprintf(dilation, sizeof dilation, o->json ? ", %d" : ",%d", r->dilation);
    for (int a = SPUR__CONV_DIRECT; a <= SPUR__CONV_DEPTHWISE; a++) {
        layer l;
        /* depthwise is what plans choose by themselves, where it can be: it must not be asked for */
        int wish = a == SPUR__CONV_DEPTHWISE ? SPUR__CONV_AUTO : a;
        layer_create(&l, &shape, (spur__conv_algo)wish, o->threads);
        if (l.plan.algo[0] == (spur__conv_algo)a) {
            double gf[3];
            for (int p = 0; p < 3; p++)
                gf[p] = layer_flops(&l) * 1e-9 / layer_time(&l, (spur__conv_pass)p, o->repetitions);
            if (o->json)
                printf(
                    "%s\n  {\"layer\": [%d, %d, %d, %d, %d, %d, %d, %d%s], \"algorithm\": \"%s\", "
                    "\"forward\": %.1f, \"data\": %.1f, \"weights\": %.1f}",
                    *first ? "" : ",", r->n, r->c, r->h, r->w, r->k, r->kernel, r->stride,
                    r->groups, dilation, spur__conv_algo_name((spur__conv_algo)a), gf[0], gf[1],
                    gf[2]);
            else
                printf("%3d,%3d,%3d,%3d,%3d %dx%d/%d %3d%-4s %-10s %7.1f %7.1f %7.1f\n", r->n, r->c,
                       r->h, r->w, r->k, r->kernel, r->kernel, r->stride, r->groups, dilation,
                       spur__conv_algo_name((spur__conv_algo)a), gf[0], gf[1], gf[2]);
            fflush(stdout);
            *first = false;
        }
        layer_destroy(&l);
    }
}

static void print_table(const settings *o) {
    bool first = true;
    if (o->json)
        printf("{\"cpu\": \"%s\", \"isa\": \"%s\", \"threads\": %d, \"unit\": \"GF/s\", "
               "\"layers\": [",
               spur__cpu_name(), spur__isa_name(spur__cpu_isa()), o->threads);
    else
        printf("%s, %s, %d threads; GF/s: forward, data gradient, weight gradient\n",
               spur__cpu_name(), spur__isa_name(spur__cpu_isa()), o->threads);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "%d,%d,%d,%d,%d", rows[i].n, rows[i].c, rows[i].h, rows[i].w,
                 rows[i].k);
        if (!o->only || strstr(name, o->only)) print_row(&rows[i], o, &first);
    }
    if (o->json) printf("\n]}\n");
}

/* Each line "n c h w k kernel stride groups dilation repetitions": answers with the algorithm of each pass and
 * its median seconds. */
static void serve(int threads) {
    row r;
    int repetitions;
    char line[256];
    while (fgets(line, sizeof line, stdin) &&
           sscanf(line, "%d %d %d %d %d %d %d %d %d %d", &r.n, &r.c, &r.h, &r.w, &r.k, &r.kernel,
                  &r.stride, &r.groups, &r.dilation, &repetitions) == 10) {
        spur__conv_shape shape = shape_of(&r);
        layer l;
        layer_create(&l, &shape, SPUR__CONV_AUTO, threads);
        for (int p = 0; p < 3; p++)
            printf("%s %s %.9f ", passes[p], spur__conv_algo_name(l.plan.algo[p]),
                   layer_time(&l, (spur__conv_pass)p, repetitions));
        printf("\n");
        fflush(stdout);
        layer_destroy(&l);
    }
}

static const struct {
    const char *option;
    char action;
} actions[] = {{"--products", 'p'},
               {"--linear", 'l'},
               {"--accuracy", 'a'},
               {"--serve", 's'},
               {"--machine", 'm'}};

static char action_of(const char *option) {
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(option, actions[i].option) == 0) return actions[i].action;
    return 0;
}

static int act(char action, const settings *o) {
    switch (action) {
    case 'p':
        print_products(o->threads);
        return 0;
    case 'l':
        print_linear(o->threads);
        return 0;
    case 'a':
        print_accuracy(o->threads);
        return 0;
    case 's':
        serve(o->threads);
        return 0;
    case 'm':
        return print_machine(o->threads, 1024);
    default:
        print_table(o);
        return 0;
    }
}

int main(int argc, char **argv) {
    settings o = {.threads = spur__cpu_count(), .repetitions = 9};
    spur_error err;
    char action = 0;
    if (spur__cpu_check(&err) != SPUR_OK) {
        fprintf(stderr, "bench_kernels: %s\n", err.message);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        bool value = i + 1 < argc;
        if (strcmp(argv[i], "--threads") == 0 && value)
            o.threads = (int)strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--repetitions") == 0 && value)
            o.repetitions = (int)strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--only") == 0 && value)
            o.only = argv[++i];
        else if (strcmp(argv[i], "--json") == 0)
            o.json = true;
        else if (action_of(argv[i]))
            action = action_of(argv[i]);
        else {
            fprintf(stderr, "bench_kernels: unknown option %s; see bench/kernels/main.c\n",
                    argv[i]);
            return 2;
        }
    }
    if (o.threads < 1) o.threads = 1;
    if (o.repetitions < 1) o.repetitions = 1;
    return act(action, &o);
}
