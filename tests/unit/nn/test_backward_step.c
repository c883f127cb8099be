/* SPDX-License-Identifier: MIT
 *
 * spur_optimizer_backward_step against the three calls that it stands for: the same bits in weights,
 * moments, norm and stored gradients, for every optimizer, and what it must not fuse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <spur/loss.h>
#include <spur/optim.h>
#include "base/memory.h"
#include "nn/optimizer.h"

typedef struct trained {
    spur_net *net;
    spur_optimizer *optimizer;
    spur_node *x, *y;
    double norm;
} trained;

enum { BATCH = 6, SIDE = 5, CLASSES = 5, STEPS = 4 };

/* A convolution, a linear layer used twice, a large one, one of few units, and one whose weights
 * are frozen. */
static trained make(const char *name, const char *options, int threads) {
    spur_error err = {0};
    trained t = {.net = spur_net_create(&(spur_net_options){.seed = 5, .threads = threads})};
    t.x = spur_input(t.net, "x", SPUR_FLOAT32, 4, (int64_t[]){BATCH, SIDE, SIDE, 2});
    t.y = spur_input(t.net, "y", SPUR_INT32, 1, (int64_t[]){BATCH});
    spur_node *h = spur_relu(t.net, spur_conv2d(t.net, t.x, "conv", 8, NULL));
    h = spur_relu(t.net, spur_linear(t.net, spur_flatten(t.net, h), "large", 1100, NULL));
    h = spur_linear(t.net, h, "narrow", 24, NULL);
    spur_node *layer = spur_linear(t.net, h, "twice", 24, NULL);
    h = spur_relu(t.net, spur_reuse(t.net, layer, spur_relu(t.net, layer)));
    h = spur_linear(t.net, h, "frozen", CLASSES, NULL);
    spur_net_find_param(t.net, "frozen.weight")->trainable = false;
    if (spur_net_build(t.net, spur_cross_entropy(t.net, h, t.y, NULL), &err) != SPUR_OK)
        fail_msg("%s", err.message);
    t.optimizer = spur_optimizer_create(t.net, name, options, &err);
    if (!t.optimizer) fail_msg("%s", err.message);
    for (int i = 0; i < BATCH * SIDE * SIDE * 2; i++)
        spur_node_data(t.x)[i] = (float)(i * 37 % 101) / 50 - 1;
    for (int i = 0; i < BATCH; i++) spur_node_data_int(t.y)[i] = i % CLASSES;
    return t;
}

static void destroy(trained *t) {
    spur_optimizer_destroy(t->optimizer);
    spur_net_destroy(t->net);
}

static void forward(trained *t, int step) {
    spur_error err = {0};
    spur_net_set_step(t->net, (uint64_t)step);
    assert_int_equal(spur_net_set_batch(t->net, step == 2 ? BATCH - 1 : BATCH), SPUR_OK);
    if (spur_net_forward(t->net, SPUR_TRAIN, &err) != SPUR_OK) fail_msg("%s", err.message);
}

static void step_apart(trained *t, int step) {
    spur_error err = {0};
    forward(t, step);
    spur_net_zero_gradients(t->net);
    assert_int_equal(spur_net_backward(t->net, 0.5f, &err), SPUR_OK);
    t->norm = spur_gradient_norm(t->net);
    assert_int_equal(spur_optimizer_step(t->optimizer, &err), SPUR_OK);
}

static void step_at_once(trained *t, int step, bool norm) {
    spur_error err = {0};
    forward(t, step);
    assert_int_equal(spur_optimizer_backward_step(t->optimizer, 0.5f, norm ? &t->norm : NULL, &err),
                     SPUR_OK);
}

static void assert_same(const char *what, const float *a, const float *b, size_t n) {
    if (memcmp(a, b, n * sizeof *a) != 0) fail_msg("%s differs", what);
}

static void assert_same_state(const trained *a, const trained *b) {
    for (int i = 0; i < spur_net_param_count(a->net); i++) {
        const spur_param *p = spur_net_param(a->net, i), *q = spur_net_param(b->net, i);
        assert_same(p->name, p->value, q->value, p->count);
    }
    for (int i = 0; i < spur__optimizer_param_count(a->optimizer); i++)
        for (int s = 0; s < SPUR__MAX_SLOTS; s++) {
            const float *slot = spur__optimizer_slot(a->optimizer, i, s);
            const spur_param *p = spur__optimizer_param(a->optimizer, i);
            if (slot)
                assert_same(p->name, slot, spur__optimizer_slot(b->optimizer, i, s), p->count);
        }
    assert_int_equal(spur_optimizer_steps(a->optimizer), spur_optimizer_steps(b->optimizer));
}

static const char *const optimizers[][2] = {
    {"sgd", "lr=0.1"},
    {"sgd", "lr=0.1 momentum=0.9 nesterov=true weight_decay=0.01"},
    {"adam", "lr=0.01 weight_decay=0.01"},
    {"adam", "lr=0.01 amsgrad=true"},
    {"adamw", "lr=0.01 decay=weights"},
    {"adagrad", "lr=0.01"},
    {"rmsprop", "lr=0.01 momentum=0.5 centered=true"},
};

static void test_same_bits(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof optimizers / sizeof optimizers[0]; i++)
        for (int threads = 1; threads <= 3; threads += 2) {
            trained apart = make(optimizers[i][0], optimizers[i][1], 2);
            trained fused = make(optimizers[i][0], optimizers[i][1], threads);
            spur_error err = {0};
            assert_int_equal(spur_optimizer_add_group(apart.optimizer, "large", "lr=0.02", &err),
                             SPUR_OK);
            assert_int_equal(spur_optimizer_add_group(fused.optimizer, "large", "lr=0.02", &err),
                             SPUR_OK);
            for (int step = 0; step < STEPS; step++) {
                step_apart(&apart, step);
                step_at_once(&fused, step, step != 1);
                if (step != 1) assert_true(fused.norm == apart.norm && fused.norm > 0);
                assert_same_state(&apart, &fused);
            }
            destroy(&apart);
            destroy(&fused);
        }
}

/* Every optimizer of the family stands in the list above. */
static void test_all_optimizers(void **state) {
    (void)state;
    for (size_t i = 0; i < spur__optimizer_family.count; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof optimizers / sizeof optimizers[0]; k++)
            found = found || strcmp(optimizers[k][0], spur__optimizer_family.kinds[i]->name) == 0;
        if (!found) fail_msg("%s is not tested", spur__optimizer_family.kinds[i]->name);
    }
}

/* The large layer's gradient is never stored; that of a shared layer, and all others, are. */
static void test_what_is_fused(void **state) {
    trained apart = make("sgd", "lr=0.1", 2), fused = make("sgd", "lr=0.1", 2);
    (void)state;
    spur_param *large = spur_net_find_param(fused.net, "large.weight");
    for (size_t i = 0; i < large->count; i++) large->gradient[i] = 123;
    step_apart(&apart, 0);
    step_at_once(&fused, 0, true);
    for (size_t i = 0; i < large->count; i++) assert_true(large->gradient[i] == 123.0f);
    static const char *const stored[] = {"twice.weight", "twice.bias", "conv.weight", "large.bias"};
    for (size_t i = 0; i < sizeof stored / sizeof stored[0]; i++) {
        const spur_param *p = spur_net_find_param(apart.net, stored[i]);
        const spur_param *q = spur_net_find_param(fused.net, stored[i]);
        assert_same(stored[i], p->gradient, q->gradient, p->count);
    }
    destroy(&apart);
    destroy(&fused);
}

/* Adding up over two batches goes on to work after a fused step. */
static void test_stored_afterwards(void **state) {
    trained apart = make("adam", NULL, 2), fused = make("adam", NULL, 1);
    spur_error err = {0};
    (void)state;
    step_apart(&apart, 0);
    step_at_once(&fused, 0, false);
    trained *both[] = {&apart, &fused};
    for (int i = 0; i < 2; i++) {
        spur_net_zero_gradients(both[i]->net);
        for (int k = 1; k < 3; k++) {
            forward(both[i], k);
            assert_int_equal(spur_net_backward(both[i]->net, 0.5f, &err), SPUR_OK);
        }
        assert_int_equal(spur_optimizer_step(both[i]->optimizer, &err), SPUR_OK);
    }
    assert_same_state(&apart, &fused);
    destroy(&apart);
    destroy(&fused);
}

static void test_refused_and_allocations(void **state) {
    trained t = make("adam", NULL, 2);
    spur_error err = {0};
    (void)state;
    assert_int_equal(spur_optimizer_backward_step(t.optimizer, 1, NULL, &err), SPUR_E_STATE);
    assert_int_equal(spur_optimizer_steps(t.optimizer), 0);
    step_at_once(&t, 0, true);
    uint64_t before = spur__malloc_count();
    step_at_once(&t, 1, true);
    assert_int_equal(spur__malloc_count(), before);
    destroy(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_all_optimizers),
        cmocka_unit_test(test_what_is_fused),
        cmocka_unit_test(test_stored_afterwards),
        cmocka_unit_test(test_refused_and_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
