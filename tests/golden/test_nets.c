/* SPDX-License-Identifier: MIT
 *
 * Whole nets against PyTorch in float64, with conv = direct and without dropout: forward, losses and
 * running statistics to 1e-5, or where PyTorch's own float32 is more than half of that off, at most twice
 * as far; gradients and ten steps of Adam at most twice as far. The distance of a set of tensors is the root mean square of their relative distances,
 * that of PyTorch is stored in the golden file for each tensor. On every instruction set.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <spur/loss.h>
#include <spur/models.h>
#include <spur/optim.h>
#include "golden.h"
#include "golden_nets.h"

enum { MOST_TENSORS = 256, FEW_VALUES = 64 };

/* Distances of a set of tensors, ours and PyTorch's. */
typedef struct set_distance {
    bool touchy; /* rounding decides which tensors are far off: see make_golden.py */
    double ours, torch; /* sums of squares */
    double most; /* of PyTorch's distances */
    struct {
        char key[160];
        double ours, torch;
        size_t values;
    } tensors[MOST_TENSORS];
    int count;
} set_distance;

static void add_tensor(set_distance *d, const golden *file, const char *kind, const char *name,
                       const float *values, size_t count) {
    char key[160], distance_key[192];
    snprintf(key, sizeof key, "%s/%s", kind, name);
    snprintf(distance_key, sizeof distance_key, "%s/%s", d->touchy ? "distance_nhwc" : "distance",
             key);
    double ours = golden_distance(file, key, values, count);
    double torch = golden_number(file, distance_key, 0);
    if (getenv("GOLDEN_VERBOSE")) print_message("  %s: %.2g, PyTorch %.2g\n", key, ours, torch);
    if (torch > 1) { /* a gradient of zero: rounding is all that either has */
        if (!(ours <= 4 * torch)) fail_msg("%s: off by %g, PyTorch %g", key, ours, torch);
        return;
    }
    assert_true(d->count < MOST_TENSORS);
    memcpy(d->tensors[d->count].key, key, sizeof key);
    d->tensors[d->count].ours = ours;
    d->tensors[d->count].values = count;
    d->tensors[d->count++].torch = torch;
    d->ours += ours * ours;
    d->torch += torch * torch;
    d->most = fmax(d->most, torch);
}

/* The set as a whole, and every tensor: at most twice as far as PyTorch's; a tensor, as its own
 * distance or the set's, or where it is chance as the farthest. In a tensor of few values (three times)
 * rounding does not average out. */
static void check_set(const char *net, const char *what, const set_distance *d) {
    double ours = sqrt(d->ours / d->count), torch = sqrt(d->torch / d->count);
    print_message("%s %s: %.2g, PyTorch %.2g\n", net, what, ours, torch);
    if (!(ours <= 2 * torch)) fail_msg("%s, %s: off by %g, PyTorch %g", net, what, ours, torch);
    if (d->touchy) torch = d->most;
    for (int i = 0; i < d->count; i++) {
        double factor = d->tensors[i].values < FEW_VALUES ? 3 : 2;
        if (!(d->tensors[i].ours <= factor * fmax(torch, d->tensors[i].torch)))
            fail_msg("%s, %s: off by %g, PyTorch %g", net, d->tensors[i].key, d->tensors[i].ours,
                     d->tensors[i].torch);
    }
}

/* What is allowed to values that are well-conditioned in most nets. */
static double most(const golden *file, const char *key) {
    char distance_key[192];
    snprintf(distance_key, sizeof distance_key, "distance/%s", key);
    return fmax(1e-5, 2 * golden_number(file, distance_key, 0));
}

/* One kind of values of all parameters: weights, or gradients (buffers left out). */
static void check_params(const golden *file, const char *net_name, spur_net *net, const char *kind,
                         bool gradients) {
    static const char *const touchy[] = {"net_resnet18", "net_unet_resnet", "net_deeplabv3",
                                         "net_efficientnet"};
    set_distance d = {.touchy = false};
    for (size_t i = 0; !gradients && i < sizeof touchy / sizeof touchy[0]; i++)
        d.touchy = d.touchy || strcmp(net_name, touchy[i]) == 0;
    for (int i = 0; i < spur_net_param_count(net); i++) {
        spur_param view = *spur_net_param(net, i);
        if (!view.gradient) continue;
        float *values = malloc(view.count * sizeof(float));
        if (gradients) view.value = view.gradient;
        spur_param_export(&view, values);
        add_tensor(&d, file, kind, view.name, values, view.count);
        free(values);
    }
    check_set(net_name, kind, &d);
}

static void check_statistics(const golden *file, const char *net_name, spur_net *net) {
    char key[160];
    for (int i = 0; i < spur_net_param_count(net); i++) {
        const spur_param *p = spur_net_param(net, i);
        if (p->gradient) continue;
        snprintf(key, sizeof key, "statistic/%s", p->name);
        double d = golden_distance(file, key, p->value, p->count);
        if (!(d <= most(file, key))) fail_msg("%s: %s is off by %g", net_name, key, d);
    }
}

static void check_forward(const golden *file, const golden_net *n, const char *key) {
    size_t count = (size_t)n->rows * (size_t)n->classes;
    float *values = malloc(count * sizeof(float));
    golden_net_logits(n, values);
    double d = golden_distance(file, key, values, count);
    if (!(d <= most(file, key))) fail_msg("%s: %s is off by %g", n->name, key, d);
    free(values);
}

static void run_net(const char *name) {
    spur_error err = {0};
    golden *file = golden_open(name);
    golden_net n = golden_net_make(name + 4, SPUR_CONV_DIRECT, 2);
    float losses[10];
    if (spur_net_forward(n.net, SPUR_EVAL, &err) != SPUR_OK) fail_msg("%s", err.message);
    check_forward(file, &n, "eval");
    spur_optimizer *adam = spur_optimizer_create(n.net, "adam", "lr=1e-4 weight_decay=1e-4", &err);
    for (int step = 0; step < 10; step++) {
        spur_net_zero_gradients(n.net);
        if (spur_net_forward(n.net, SPUR_TRAIN, &err) != SPUR_OK ||
            spur_net_backward(n.net, 1, &err) != SPUR_OK)
            fail_msg("%s: %s", name, err.message);
        losses[step] = spur_net_loss(n.net);
        if (step == 0) {
            check_forward(file, &n, "logits");
            check_params(file, name, n.net, "gradient", true);
            check_statistics(file, name, n.net);
        }
        if (spur_optimizer_step(adam, &err) != SPUR_OK) fail_msg("%s", err.message);
    }
    double d = golden_distance(file, "losses", losses, 10);
    print_message("%s losses: %.2g, PyTorch %.2g\n", name, d,
                  golden_number(file, "distance/losses", 0));
    if (!(golden_distance(file, "loss", losses, 1) <= 1e-5) || !(d <= most(file, "losses")))
        fail_msg("%s: the losses are off by %g", name, d);
    check_params(file, name, n.net, "final", false);
    spur_optimizer_destroy(adam);
    golden_net_free(&n);
    golden_close(file);
}

static void test_mlp(void **state) {
    (void)state;
    run_net("net_mlp");
}

static void test_my_net(void **state) {
    (void)state;
    run_net("net_my_net");
}

static void test_unet(void **state) {
    (void)state;
    run_net("net_unet");
}

static void test_unet_bilinear(void **state) {
    (void)state;
    run_net("net_unet_bilinear");
}

static void test_unet_plain(void **state) {
    (void)state;
    run_net("net_unet_plain");
}

static void test_cnn(void **state) {
    (void)state;
    run_net("net_cnn");
}

static void test_cnn_plain(void **state) {
    (void)state;
    run_net("net_cnn_plain");
}

static void test_residual(void **state) {
    (void)state;
    run_net("net_residual");
}

static void test_resnet18(void **state) {
    (void)state;
    run_net("net_resnet18");
}

static void test_unet_resnet(void **state) {
    (void)state;
    run_net("net_unet_resnet");
}

static void test_deeplabv3_resnet50(void **state) {
    (void)state;
    run_net("net_deeplabv3");
}

static void test_mobilenet(void **state) {
    (void)state;
    run_net("net_mobilenet");
}

static void test_efficientnet(void **state) {
    (void)state;
    run_net("net_efficientnet");
}

/* usage: golden_nets [TESTS_TO_SKIP] */
int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mlp),
                                       cmocka_unit_test(test_my_net),
                                       cmocka_unit_test(test_unet),
                                       cmocka_unit_test(test_unet_bilinear),
                                       cmocka_unit_test(test_unet_plain),
                                       cmocka_unit_test(test_cnn),
                                       cmocka_unit_test(test_cnn_plain),
                                       cmocka_unit_test(test_residual),
                                       cmocka_unit_test(test_resnet18),
                                       cmocka_unit_test(test_unet_resnet),
                                       cmocka_unit_test(test_deeplabv3_resnet50),
                                       cmocka_unit_test(test_mobilenet),
                                       cmocka_unit_test(test_efficientnet)};
    if (argc > 1) cmocka_set_skip_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
