/* SPDX-License-Identifier: MIT
 *
 * Slices of concatenations beside readers who know nothing of them: concatenations along other axes, and
 * gradients that the caller reads; and resizing from and into them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/internal.h"
#include "unit/ops/harness.h"

enum { SIDE = 3 };

/* Values that the caller reads after a run, with `keep_all` from the plain way of computing. */
typedef struct case_net {
    spur_net *net;
    spur_node *x, *read[2], *loss;
} case_net;

typedef void (*build)(case_net *c);

static spur_node *conv(spur_net *net, spur_node *x, const char *name, int filters) {
    return spur_conv2d(net, x, name, filters, &(spur_conv2d_options){.kernel = {1}});
}

/* A slice of channels, which a concatenation of rows reads as well. */
static void rows_of_a_slice(case_net *c) {
    spur_node *a = conv(c->net, c->x, "a", 2), *b = conv(c->net, c->x, "b", 3);
    c->read[0] = spur_concat(c->net, (spur_node *[]){a, a}, 2, 1);
    c->read[1] = spur_concat(c->net, (spur_node *[]){a, b}, 2, -1);
}

/* Rows, and columns, joined as a slice of channels. */
static void a_slice_of_rows(case_net *c) {
    spur_node *a = conv(c->net, c->x, "a", 2), *b = conv(c->net, c->x, "b", 2);
    for (int axis = 1; axis < 3; axis++) {
        spur_node *joined = spur_concat(c->net, (spur_node *[]){a, b}, 2, axis);
        spur_node *other = spur_concat(c->net, (spur_node *[]){b, b}, 2, axis);
        c->read[axis - 1] = spur_concat(c->net, (spur_node *[]){joined, other}, 2, -1);
    }
}

/* Slices that resizes read and write, by factors that make sums exact in any order. */
static void resized_slices(case_net *c) {
    spur_node *a = conv(c->net, c->x, "a", 2), *b = conv(c->net, c->x, "b", 3);
    c->read[0] = spur_concat(c->net, (spur_node *[]){a, b}, 2, -1);
    spur_node *near = spur_upsample2d(c->net, a, 2 * SIDE, 2 * SIDE, SPUR_NEAREST);
    spur_node *smooth = spur_upsample2d(c->net, b, 2 * SIDE, 2 * SIDE, SPUR_BILINEAR);
    c->read[1] = spur_concat(c->net, (spur_node *[]){near, smooth}, 2, -1);
}

static case_net make(build layers, bool keep_all) {
    case_net c = {.net = spur_net_create(&(spur_net_options){.threads = 2, .seed = 1})};
    c.x = spur_input(c.net, "x", SPUR_FLOAT32, 4, (int64_t[]){2, SIDE, SIDE, 2});
    layers(&c);
    if (keep_all)
        for (int i = 0; i < c.net->node_count; i++) spur_keep(c.net, c.net->nodes[i]);
    c.loss = test_dot(c.net, c.read, 2);
    return c;
}

static void run(case_net *c) {
    spur_error err = {0};
    if (spur_net_build(c->net, c->loss, &err) != SPUR_OK) fail_msg("%s", err.message);
    for (size_t i = 0; i < spur__node_count(c->x); i++) spur_node_data(c->x)[i] = (float)i / 8;
    assert_int_equal(spur_net_forward(c->net, SPUR_TRAIN, &err), SPUR_OK);
    assert_int_equal(spur_net_backward(c->net, 1, &err), SPUR_OK);
}

static void test_other_axes(void **state) {
    static const build builds[] = {rows_of_a_slice, a_slice_of_rows, resized_slices};
    (void)state;
    for (size_t i = 0; i < sizeof builds / sizeof builds[0]; i++) {
        case_net plain = make(builds[i], true), planned = make(builds[i], false);
        run(&plain);
        run(&planned);
        assert_true(spur_net_loss(planned.net) == spur_net_loss(plain.net));
        for (int k = 0; k < spur_net_param_count(plain.net); k++) {
            const spur_param *p = spur_net_param(plain.net, k), *q = spur_net_param(planned.net, k);
            assert_memory_equal(q->gradient, p->gradient, p->count * sizeof(float));
        }
        spur_net_destroy(plain.net);
        spur_net_destroy(planned.net);
    }
}

/* The other reader of `a` adds to the gradient of a, not to what the caller sees of the concatenation's. */
static void test_a_kept_gradient(void **state) {
    case_net c = {.net = spur_net_create(&(spur_net_options){.threads = 1, .seed = 1})};
    (void)state;
    c.x = spur_input(c.net, "x", SPUR_FLOAT32, 4, (int64_t[]){2, SIDE, SIDE, 2});
    spur_node *a = conv(c.net, c.x, "a", 2), *b = conv(c.net, c.x, "b", 3);
    c.read[0] = conv(c.net, a, "side", 4);
    c.read[1] = spur_concat(c.net, (spur_node *[]){a, b}, 2, -1);
    spur_keep(c.net, c.read[1]);
    c.loss = test_dot(c.net, c.read, 2);
    run(&c);
    const float *gradient = spur_node_gradient(c.read[1]);
    assert_non_null(gradient);
    for (size_t i = 0; i < spur__node_count(c.read[1]); i++)
        assert_true(gradient[i] == (float)coefficient(i));
    spur_net_destroy(c.net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_axes),
        cmocka_unit_test(test_a_kept_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
