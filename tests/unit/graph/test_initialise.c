/* SPDX-License-Identifier: MIT
 *
 * Initial weights: distribution, spread and bounds of every initialiser in every kind of layer,
 * against PyTorch's formulas.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <spur/nn.h>

typedef enum layer { CONV, GROUPED, TRANSPOSED, LINEAR } layer;
typedef enum distribution { UNIFORM, NORMAL, CONSTANT, ORTHOGONAL } distribution;

/* A layer of 24 inputs and 32 outputs, 3x3 where it has a kernel. */
static spur_net *make(layer kind, spur_init init) {
    spur_error err = {0};
    spur_net *net = spur_net_create(&(spur_net_options){.seed = 11});
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){1, 4, 4, 24});
    spur_conv2d_options conv = {.init = init, .groups = kind == GROUPED ? 4 : 1};
    if (kind == LINEAR)
        (void)spur_linear(net, x, "l", 32, &(spur_linear_options){.init = init});
    else if (kind == TRANSPOSED)
        (void)spur_conv_transpose2d(net, x, "l", 32, &conv);
    else
        (void)spur_conv2d(net, x, "l", 32, &conv);
    if (spur_net_build(net, NULL, &err) != SPUR_OK) fail_msg("%s", err.message);
    return net;
}

/* Mean, root mean square and largest of what a parameter starts with. */
typedef struct spread {
    double mean, rms, most, count;
} spread;

static spread spread_of(const spur_param *p) {
    spread s = {.count = (double)p->count};
    for (size_t i = 0; i < p->count; i++) {
        double v = (double)p->value[i];
        s.mean += v;
        s.rms += v * v;
        s.most = fmax(s.most, fabs(v));
    }
    s.mean /= s.count;
    s.rms = sqrt(s.rms / s.count);
    return s;
}

/* `size`: the bound, the standard deviation, or the value. Five standard errors of each figure. */
static void check(const spur_param *p, distribution d, double size) {
    spread s = spread_of(p);
    double deviation = d == UNIFORM ? size / sqrt(3) : size;
    if (d == CONSTANT) {
        assert_true(s.mean == size && s.most == fabs(size));
        return;
    }
    if (fabs(s.mean) > 5 * deviation / sqrt(s.count)) fail_msg("%s: mean %g", p->name, s.mean);
    if (fabs(s.rms / deviation - 1) > 5 / sqrt(2 * s.count))
        fail_msg("%s: deviation %g, expected %g", p->name, s.rms, deviation);
    if (d == UNIFORM && !(s.most <= size * (1 + 1e-6) && s.most > size * (1 - 20 / s.count)))
        fail_msg("%s: up to %g, expected %g", p->name, s.most, size);
    if (d == NORMAL && !(s.most > 2.3 * size)) fail_msg("%s: no normal distribution", p->name);
}

/* The shorter side's vectors, of PyTorch's [first][rest] matrix, are orthonormal. */
static void check_orthogonal(const spur_param *p) {
    float *w = malloc(p->count * sizeof *w);
    size_t rows = (size_t)p->shape[0], columns = p->count / rows;
    bool wide = rows <= columns;
    size_t n = wide ? rows : columns, length = wide ? columns : rows;
    size_t step = wide ? 1 : columns, apart = wide ? columns : 1;
    assert_non_null(w);
    spur_param_export(p, w);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double dot = 0;
            for (size_t k = 0; k < length; k++)
                dot += (double)w[i * apart + k * step] * (double)w[j * apart + k * step];
            if (fabs(dot - (i == j)) > 1e-5) fail_msg("%s: %zu and %zu: %g", p->name, i, j, dot);
        }
    free(w);
}

/* fan_in and fan_out as _calculate_fan_in_and_fan_out takes them from the weight's shape. */
static void test_every_initialiser(void **state) {
    static const double fans[][2] = {
        [CONV] = {216, 288}, [GROUPED] = {54, 288}, [TRANSPOSED] = {288, 216}, [LINEAR] = {24, 32}};
    (void)state;
    for (layer kind = CONV; kind <= LINEAR; kind++) {
        double in = fans[kind][0], both = in + fans[kind][1];
        const struct {
            spur_init init;
            distribution d;
            double size;
        } cases[] = {
            {SPUR_INIT_DEFAULT, UNIFORM, 1 / sqrt(in)},
            {SPUR_INIT_HE_NORMAL, NORMAL, sqrt(2 / in)},
            {SPUR_INIT_HE_UNIFORM, UNIFORM, sqrt(6 / in)},
            {SPUR_INIT_XAVIER_NORMAL, NORMAL, sqrt(2 / both)},
            {SPUR_INIT_XAVIER_UNIFORM, UNIFORM, sqrt(6 / both)},
            {SPUR_INIT_ORTHOGONAL, ORTHOGONAL, 0},
            {SPUR_INIT_ZEROS, CONSTANT, 0},
            {SPUR_INIT_ONES, CONSTANT, 1},
            {SPUR_INIT_NORMAL_02, NORMAL, 0.02},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            spur_net *net = make(kind, cases[i].init);
            if (cases[i].d == ORTHOGONAL)
                check_orthogonal(spur_net_find_param(net, "l.weight"));
            else
                check(spur_net_find_param(net, "l.weight"), cases[i].d, cases[i].size);
            spread bias = spread_of(spur_net_find_param(net, "l.bias"));
            if (cases[i].init == SPUR_INIT_DEFAULT)
                assert_true(bias.most <= 1 / sqrt(in) && bias.most > 0.8 / sqrt(in));
            else
                assert_true(bias.most == 0);
            spur_net_destroy(net);
        }
    }
}

/* Norms start as the identity, embeddings from the standard normal distribution, as PyTorch's do. */
static void test_other_layers(void **state) {
    spur_error err = {0};
    spur_net *net = spur_net_create(&(spur_net_options){.seed = 12});
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){4, 24});
    (void)state;
    (void)spur_batch_norm(net, x, "bn", NULL);
    (void)spur_layer_norm(net, x, "ln", NULL);
    (void)spur_embedding(net, spur_input(net, "i", SPUR_INT32, 1, (int64_t[]){4}), "e", 50, 40);
    if (spur_net_build(net, NULL, &err) != SPUR_OK) fail_msg("%s", err.message);
    check(spur_net_find_param(net, "bn.weight"), CONSTANT, 1);
    check(spur_net_find_param(net, "bn.bias"), CONSTANT, 0);
    check(spur_net_find_param(net, "bn.running_mean"), CONSTANT, 0);
    check(spur_net_find_param(net, "bn.running_var"), CONSTANT, 1);
    check(spur_net_find_param(net, "ln.weight"), CONSTANT, 1);
    check(spur_net_find_param(net, "ln.bias"), CONSTANT, 0);
    check(spur_net_find_param(net, "e.weight"), NORMAL, 1);
    spur_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_initialiser),
                                       cmocka_unit_test(test_other_layers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
