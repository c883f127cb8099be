/* SPDX-License-Identifier: MIT
 *
 * Batch norm's memory: running statistics as PyTorch moves them, evaluation by them, and that a
 * search for a NaN does not move them a second time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/memory.h"
#include "unit/ops/harness.h"

enum { N = 6, C = 5 };

typedef struct norm_net {
    spur_net *net;
    spur_node *x, *y;
} norm_net;

static norm_net make(const spur_norm_options *options) {
    norm_net t = {.net = spur_net_create(NULL)};
    t.x = spur_input(t.net, "x", SPUR_FLOAT32, 2, (int64_t[]){N, C});
    t.y = spur_batch_norm(t.net, t.x, "bn", options);
    spur_keep(t.net, t.x);
    spur_keep(t.net, t.y);
    assert_int_equal(spur_net_build(t.net, test_dot(t.net, &t.y, 1), NULL), SPUR_OK);
    for (int i = 0; i < N * C; i++) spur_node_data(t.x)[i] = (float)((i * 7) % 11) - 3.0f;
    return t;
}

/* Mean and unbiased variance of a channel over the first n rows. */
static void moments(const float *x, int n, int c, double *mean, double *variance) {
    *mean = *variance = 0;
    for (int i = 0; i < n; i++) *mean += (double)x[i * C + c] / n;
    for (int i = 0; i < n; i++)
        *variance += ((double)x[i * C + c] - *mean) * ((double)x[i * C + c] - *mean) / (n - 1);
}

static void test_running_statistics(void **state) {
    (void)state;
    norm_net t = make(&(spur_norm_options){.momentum = 0.3});
    const spur_param *mean = spur_net_find_param(t.net, "bn.running_mean");
    const spur_param *var = spur_net_find_param(t.net, "bn.running_var");
    double want_mean[C] = {0}, want_var[C] = {1, 1, 1, 1, 1};
    assert_null(mean->gradient);
    assert_false(mean->trainable);
    for (int n = N; n >= N - 2; n--) {
        assert_int_equal(spur_net_set_batch(t.net, n), SPUR_OK);
        assert_int_equal(spur_net_forward(t.net, SPUR_TRAIN, NULL), SPUR_OK);
        for (int c = 0; c < C; c++) {
            double m, v;
            moments(spur_node_data(t.x), n, c, &m, &v);
            want_mean[c] = 0.7 * want_mean[c] + 0.3 * m;
            want_var[c] = 0.7 * want_var[c] + 0.3 * v;
            assert_true(fabs((double)mean->value[c] - want_mean[c]) < 1e-5);
            assert_true(fabs((double)var->value[c] - want_var[c]) < 1e-4);
        }
    }
    assert_int_equal(spur_net_forward(t.net, SPUR_EVAL, NULL), SPUR_OK);
    for (int i = 0; i < (N - 2) * C; i++) {
        double want =
            ((double)spur_node_data(t.x)[i] - want_mean[i % C]) / sqrt(want_var[i % C] + 1e-5);
        assert_true(fabs((double)spur_node_data(t.y)[i] - want) < 1e-4);
    }
    assert_true(fabs((double)mean->value[0] - want_mean[0]) < 1e-5);
    spur_net_destroy(t.net);
}

static void test_a_search_for_nan_moves_nothing(void **state) {
    (void)state;
    norm_net t = make(NULL);
    const spur_param *mean = spur_net_find_param(t.net, "bn.running_mean");
    spur_net_find_param(t.net, "bn.weight")->value[0] = INFINITY;
    double m, v;
    moments(spur_node_data(t.x), N, 1, &m, &v);
    assert_int_equal(spur_net_forward(t.net, SPUR_TRAIN, NULL), SPUR_E_NUMERIC);
    assert_true(fabs((double)mean->value[1] - 0.1 * m) < 1e-6);
    spur_net_destroy(t.net);
}

/* One sample of one pixel: no variance; PyTorch refuses this, here it is zero. */
static void test_one_value_per_channel(void **state) {
    (void)state;
    norm_net t = make(NULL);
    const spur_param *bias = spur_net_find_param(t.net, "bn.bias");
    for (int c = 0; c < C; c++) bias->value[c] = (float)c - 2;
    assert_int_equal(spur_net_set_batch(t.net, 1), SPUR_OK);
    assert_int_equal(spur_net_forward(t.net, SPUR_TRAIN, NULL), SPUR_OK);
    assert_int_equal(spur_net_backward(t.net, 1, NULL), SPUR_OK);
    for (int c = 0; c < C; c++) {
        float found = spur_node_data(t.y)[c]; /* x * s - mean * s + bias */
        assert_true(fabsf(found - bias->value[c]) < 1e-3f);
        assert_true(fabsf(spur_node_gradient(t.x)[c]) < 1e-3f);
        assert_true(fabsf(spur_net_find_param(t.net, "bn.running_var")->value[c] - 0.9f) < 1e-6f);
    }
    spur_net_destroy(t.net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_running_statistics),
        cmocka_unit_test(test_a_search_for_nan_moves_nothing),
        cmocka_unit_test(test_one_value_per_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
