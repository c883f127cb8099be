/* SPDX-License-Identifier: MIT
 *
 * The planner: fusing, slices of concatenations and in-place work change no value; any number of
 * threads gives the same bits; a step allocates nothing; every failing allocation of a build is
 * reported.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "graph/internal.h"
#include "unit/ops/harness.h"

/* ---- all allocations of the process --------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(SANITIZED) || !defined(__GLIBC__)
enum { COUNTS_ALLOCATIONS = 0 };
static uint64_t allocations;
#else
enum { COUNTS_ALLOCATIONS = 1 };
static uint64_t allocations;
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t n);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

void *malloc(size_t n) {
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_malloc(n);
}

void *calloc(size_t count, size_t n) {
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_calloc(count, n);
}

void *realloc(void *p, size_t n) {
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_realloc(p, n);
}

void *aligned_alloc(size_t alignment, size_t n) {
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_memalign(alignment, n);
}
#endif

/* ---- a small net with everything ------------------------------------------------------------ */

typedef struct small {
    spur_net *net;
    spur_node *x, *skip, *up, *joined, *pooled, *conv, *logits, *loss;
} small;

enum { BATCH = 4, SIDE = 32 };

/* Down, up, a skip connection, dropout, a residual sum, a linear head. */
static small make_small(const spur_net_options *options, bool keep_all) {
    small s = {.net = spur_net_create(options)};
    spur_net *net = s.net;
    if (!net) return s;
    const spur_conv2d_options same = {.same_padding = true};
    s.x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){BATCH, SIDE, SIDE, 3});
    s.conv = spur_conv2d(net, s.x, "c1", 16, &same);
    spur_node *h = spur_batch_norm(net, s.conv, "n1", NULL);
    s.skip = spur_relu(net, h);
    spur_node *down = spur_max_pool2d(net, s.skip, NULL);
    spur_node *raw = spur_conv2d(net, down, "c2", 24, &same);
    spur_node *deep = spur_relu(net, raw);
    spur_node *more = spur_relu(net, spur_add(net, deep, spur_conv2d(net, deep, "c3", 24, &same)));
    more = spur_dropout(net, more, 0.25);
    s.up = spur_conv_transpose2d(net, more, "up", 8,
                                 &(spur_conv2d_options){.kernel = {2}, .stride = {2}});
    s.joined = spur_concat(net, (spur_node *[]){s.skip, s.up}, 2, -1);
    h = spur_batch_norm(net, spur_conv2d(net, s.joined, "c4", 8, &same), "n2", NULL);
    s.pooled = spur_relu(net, h);
    h = spur_max_pool2d(
        net, s.pooled,
        &(spur_pool2d_options){.kernel = {3}, .stride = {2}, .padding = {1, 1, 1, 1}});
    h = spur_avg_pool2d(net, h, NULL);
    s.logits = spur_linear(net, spur_dropout(net, spur_flatten(net, h), 0.5), "fc", 5, NULL);
    spur_keep(net, s.logits);
    if (keep_all)
        for (int i = 0; i < net->node_count; i++) spur_keep(net, net->nodes[i]);
    s.loss = test_dot(net, &s.logits, 1);
    return s;
}

static void fill(spur_node *x, uint64_t seed) {
    spur__rng rng;
    spur__rng_init(&rng, seed, SPUR__STREAM_TEST, 0, 0);
    for (size_t i = 0; i < spur__node_count(x); i++)
        spur_node_data(x)[i] = (float)spur__rng_uniform(&rng, -1, 1);
}

/* Some steps of gradient descent, so that all gradients and running statistics matter. */
static void train(small *s, int steps, uint64_t first) {
    spur_error err = {0};
    for (int step = 0; step < steps; step++) {
        fill(s->x, first + (uint64_t)step);
        spur_net_set_step(s->net, first + (uint64_t)step);
        spur_net_zero_gradients(s->net);
        if (spur_net_forward(s->net, SPUR_TRAIN, &err) != SPUR_OK ||
            spur_net_backward(s->net, 0.01f, &err) != SPUR_OK)
            fail_msg("%s", err.message);
        for (int i = 0; i < spur_net_param_count(s->net); i++) {
            spur_param *p = spur_net_param(s->net, i);
            for (size_t k = 0; p->gradient && k < p->count; k++)
                p->value[k] -= 0.05f * p->gradient[k];
        }
    }
}

static void expect_same_weights(const small *a, const small *b) {
    for (int i = 0; i < spur_net_param_count(a->net); i++) {
        const spur_param *p = spur_net_param(a->net, i), *q = spur_net_param(b->net, i);
        if (memcmp(p->value, q->value, p->count * sizeof(float)) != 0)
            fail_msg("other bits in %s", p->name);
    }
}

/* Kept nodes can be neither fused, nor sliced, nor overwritten: the plain way of computing. */
static void test_planning_changes_no_bit(void **state) {
    (void)state;
    const spur_net_options options = {.threads = 2, .seed = 3, .gemm = SPUR_GEMM_SPUR};
    small plain = make_small(&options, true), planned = make_small(&options, false);
    assert_int_equal(spur_net_build(plain.net, plain.loss, NULL), SPUR_OK);
    assert_int_equal(spur_net_build(planned.net, planned.loss, NULL), SPUR_OK);
    assert_true(planned.skip->passive && !plain.skip->passive);
    assert_non_null(planned.pooled->pool);
    assert_ptr_equal(planned.skip->data, planned.joined->data);
    assert_ptr_equal(planned.up->data, planned.joined->data + 16);
    assert_ptr_equal(planned.up->gradient, planned.joined->gradient + 16);
    assert_int_equal(planned.skip->pitch, 24);
    assert_true(spur_net_planned_bytes(planned.net) < spur_net_planned_bytes(plain.net) * 2 / 3);
    train(&plain, 4, 1);
    train(&planned, 4, 1);
    expect_same_weights(&plain, &planned);
    spur_net_destroy(plain.net);
    spur_net_destroy(planned.net);
}

static void test_same_bits_for_any_threads(void **state) {
    (void)state;
    small one = make_small(&(spur_net_options){.threads = 1, .seed = 4}, false);
    assert_int_equal(spur_net_build(one.net, one.loss, NULL), SPUR_OK);
    train(&one, 5, 1);
    for (int threads = 2; threads <= 4; threads++) {
        small more = make_small(&(spur_net_options){.threads = threads, .seed = 4}, false);
        assert_int_equal(spur_net_build(more.net, more.loss, NULL), SPUR_OK);
        train(&more, 5, 1);
        expect_same_weights(&one, &more);
        assert_memory_equal(spur_node_data(one.logits), spur_node_data(more.logits),
                            BATCH * 5 * sizeof(float));
        spur_net_destroy(more.net);
    }
    spur_net_destroy(one.net);
}

static void test_a_step_allocates_nothing(void **state) {
    (void)state;
    small s = make_small(&(spur_net_options){.threads = 2}, false);
    assert_int_equal(spur_net_build(s.net, s.loss, NULL), SPUR_OK);
    train(&s, 1, 1); /* the thread team and OpenBLAS's buffers are made here, once */
    uint64_t before = allocations, ours = spur__malloc_count();
    train(&s, 3, 2);
    assert_int_equal(spur_net_set_batch(s.net, 2), SPUR_OK);
    train(&s, 1, 5);
    assert_int_equal(spur_net_forward(s.net, SPUR_EVAL, NULL), SPUR_OK);
    assert_true(spur__malloc_count() == ours);
    assert_true(allocations == before);
    void *volatile counted = malloc(1); /* volatile: compilers leave out what is freed unused */
    free(counted);
    assert_true(!COUNTS_ALLOCATIONS || allocations == before + 1);
    spur_net_destroy(s.net);
}

/* Evaluation of a training net and an inference net agree, and the latter needs far less. */
static void test_inference_net(void **state) {
    (void)state;
    small trained = make_small(&(spur_net_options){.threads = 2}, false);
    assert_int_equal(spur_net_build(trained.net, trained.loss, NULL), SPUR_OK);
    train(&trained, 2, 1);
    small s = make_small(&(spur_net_options){.threads = 2, .inference = true}, false);
    assert_int_equal(spur_net_build(s.net, NULL, NULL), SPUR_OK);
    assert_int_equal(spur_net_forward(s.net, SPUR_EVAL, NULL), SPUR_OK); /* with other weights */
    for (int i = 0; i < spur_net_param_count(s.net); i++) {
        spur_param *to = spur_net_param(s.net, i);
        memcpy(to->value, spur_net_param(trained.net, i)->value, to->count * sizeof(float));
        assert_null(to->gradient);
    }
    spur_net_params_changed(s.net);
    assert_ptr_equal(s.conv->folded, s.skip->inputs[0]); /* and the ReLU behind the norm too */
    assert_true(s.conv->fused_relu && s.skip->passive && s.skip->inputs[0]->passive);
    fill(s.x, 9);
    fill(trained.x, 9);
    assert_int_equal(spur_net_forward(s.net, SPUR_EVAL, NULL), SPUR_OK);
    assert_int_equal(spur_net_forward(s.net, SPUR_EVAL, NULL), SPUR_OK);
    assert_int_equal(spur_net_forward(trained.net, SPUR_EVAL, NULL), SPUR_OK);
    for (int i = 0; i < BATCH * 5; i++)
        assert_true(fabsf(spur_node_data(s.logits)[i] - spur_node_data(trained.logits)[i]) < 1e-4f);
    assert_true(spur_net_planned_bytes(s.net) < spur_net_planned_bytes(trained.net) * 2 / 3);
    assert_int_equal(spur_net_forward(s.net, SPUR_TRAIN, NULL), SPUR_E_STATE);
    spur_net_destroy(s.net);
    spur_net_destroy(trained.net);
}

/* A gradient that two consumers write in pieces and as a whole, in the order that forbids slices. */
static void test_a_late_reader_of_a_slice(void **state) {
    (void)state;
    float found[2][64];
    for (int keep = 0; keep < 2; keep++) {
        spur_net *net = spur_net_create(NULL);
        const spur_conv2d_options one = {.kernel = {1}};
        spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){2, 4, 4, 3});
        spur_node *a = spur_conv2d(net, x, "a", 8, &one), *b = spur_conv2d(net, x, "b", 8, &one);
        spur_node *both = spur_concat(net, (spur_node *[]){a, b}, 2, 3);
        spur_node *y = spur_conv2d(net, both, "y", 4, &one);
        spur_node *late = spur_conv2d(net, a, "late", 4, &one);
        if (keep) spur_keep(net, a);
        if (keep) spur_keep(net, b);
        spur_node *sum = spur_add(net, y, late);
        assert_int_equal(spur_net_build(net, test_dot(net, &sum, 1), NULL), SPUR_OK);
        assert_true(a->data != both->data);
        assert_true((b->data == both->data + 8) == !keep);
        fill(x, 1);
        assert_int_equal(spur_net_forward(net, SPUR_TRAIN, NULL), SPUR_OK);
        assert_int_equal(spur_net_backward(net, 1, NULL), SPUR_OK);
        memcpy(found[keep], spur_net_find_param(net, "a.weight")->gradient, 24 * sizeof(float));
        memcpy(found[keep] + 24, spur_net_find_param(net, "b.weight")->gradient,
               24 * sizeof(float));
        spur_net_destroy(net);
    }
    assert_memory_equal(found[0], found[1], 48 * sizeof(float));
}

/* The gradient of a kept view is what its own readers give, whoever else reads what it is a view of. */
static void test_a_kept_view_beside_another_reader(void **state) {
    (void)state;
    enum { COUNT = 2 * 4 * 4 * 3 };
    float found[2][COUNT], input[2][COUNT];
    for (int more = 0; more < 2; more++) {
        spur_net *net = spur_net_create(NULL);
        spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){2, 4, 4, 3});
        spur_node *h = spur_activation(net, x, SPUR_TANH, 0);
        spur_node *rows = spur_reshape(net, h, 3, (int64_t[]){2, 16, 3});
        spur_node *view = spur_flatten(net, rows);
        spur_node *read[] = {view, spur_scale(net, more ? h : x, 0.5), spur_scale(net, view, 2)};
        spur_keep(net, view);
        spur_keep(net, x);
        assert_int_equal(spur_net_build(net, test_dot(net, read, 3), NULL), SPUR_OK);
        fill(x, 1);
        assert_int_equal(spur_net_forward(net, SPUR_TRAIN, NULL), SPUR_OK);
        assert_memory_equal(view->data, h->data, more ? sizeof found[0] : 0);
        assert_int_equal(spur_net_backward(net, 1, NULL), SPUR_OK);
        memcpy(found[more], spur_node_gradient(view), sizeof found[0]);
        memcpy(input[more], spur_node_gradient(x), sizeof input[0]);
        spur_net_destroy(net);
    }
    assert_memory_equal(found[0], found[1], sizeof found[0]);
    assert_memory_not_equal(input[0], input[1], sizeof input[0]);
}

static void test_every_failing_allocation(void **state) {
    (void)state;
    int failures = 0;
    for (uint64_t n = 1;; n++) {
        spur_error err = {0};
        spur__fault_malloc(n);
        small s = make_small(&(spur_net_options){.threads = 1}, false);
        spur_status status = s.net ? spur_net_build(s.net, s.loss, &err) : SPUR_E_MEMORY;
        spur__fault_malloc(0);
        if (status != SPUR_OK && s.net && !strstr(err.message, "memory"))
            fail_msg("allocation %d: %s", (int)n, err.message);
        spur_net_destroy(s.net);
        if (status == SPUR_OK) break;
        assert_int_equal(status, SPUR_E_MEMORY);
        failures++;
    }
    assert_true(failures > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planning_changes_no_bit),
        cmocka_unit_test(test_same_bits_for_any_threads),
        cmocka_unit_test(test_a_step_allocates_nothing),
        cmocka_unit_test(test_inference_net),
        cmocka_unit_test(test_a_late_reader_of_a_slice),
        cmocka_unit_test(test_a_kept_view_beside_another_reader),
        cmocka_unit_test(test_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
