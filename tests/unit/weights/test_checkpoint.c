/* SPDX-License-Identifier: MIT
 *
 * Checkpoints: a training goes on from one as if nothing had been, what does not fit or is damaged is refused before
 * anything has changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <spur/weights.h>
#include "base/file.h"
#include "base/memory.h"
#include "unit/synced.h"
#include "unit/weights/folder.h"
#include "unit/weights/small_net.h"
#include "weights/checkpoint.h"

static void fill_inputs(spur_net *net) {
    for (int i = 0; i < spur_net_node_count(net); i++) {
        spur_node *node = (spur_node *)(uintptr_t)spur_net_node(net, i);
        if (strcmp(spur_node_name(node), "x") == 0)
            for (int k = 0; k < 2 * 4 * 5 * 3; k++)
                spur_node_data(node)[k] = (float)(k % 7) * 0.3f - 1;
        if (strcmp(spur_node_name(node), "y") == 0) spur_node_data_int(node)[0] = 1;
    }
}

static void train(spur_net *net, spur_optimizer *optimizer, int steps) {
    spur_error err = {0};
    fill_inputs(net);
    for (int i = 0; i < steps; i++) {
        spur_net_zero_gradients(net);
        if (spur_net_forward(net, SPUR_TRAIN, &err) != SPUR_OK ||
            spur_net_backward(net, 1, &err) != SPUR_OK ||
            spur_optimizer_step(optimizer, &err) != SPUR_OK)
            fail_msg("%s", err.message);
    }
}

typedef struct training {
    spur_net *net;
    spur_optimizer *optimizer;
    spur_scheduler *scheduler;
    spur_ema *ema;
    spur_state *state;
    spur_checkpoint_parts parts;
} training;

static training start(uint64_t seed) {
    spur_error err = {0};
    training t = {.net = make_net(seed, 5), .state = spur_state_create()};
    t.optimizer = spur_optimizer_create(t.net, "adam", "lr=0.05", &err);
    t.scheduler = spur_scheduler_create("plateau", "patience=0", &(spur_schedule_span){5, 5}, &err);
    t.ema = spur_ema_create(t.net, 0.9, &err);
    assert_non_null(t.optimizer);
    assert_non_null(t.scheduler);
    assert_non_null(t.ema);
    t.parts = (spur_checkpoint_parts){t.net, t.optimizer, t.scheduler, t.ema, t.state};
    return t;
}

static void stop(training *t) {
    spur_ema_destroy(t->ema);
    spur_scheduler_destroy(t->scheduler);
    spur_optimizer_destroy(t->optimizer);
    spur_state_destroy(t->state);
    spur_net_destroy(t->net);
}

static void advance(training *t, int steps) {
    for (int i = 0; i < steps; i++) {
        train(t->net, t->optimizer, 1);
        spur_ema_update(t->ema);
        spur_scheduler_observe(t->scheduler, 1.0, false);
        assert_int_equal(spur_scheduler_apply(t->scheduler, t->optimizer, 0, NULL), SPUR_OK);
    }
}

static void test_resume_is_the_same(void **state) {
    spur_error err = {0};
    uint64_t step = 0;
    training a = start(1), b = start(2);
    (void)state;
    /* In force, like the rate. */
    assert_int_equal(spur_optimizer_set_momentum(a.optimizer, 0, 0.7, &err), SPUR_OK);
    advance(&a, 3);
    assert_int_equal(spur_state_set(a.state, "loader.position", "17\nback\\slash", &err), SPUR_OK);
    synced[0] = '\0';
    assert_int_equal(spur_checkpoint_save(&a.parts, in_folder("cp"), 3, &err), SPUR_OK);
    const char *in = in_folder("cp/step_3"); /* into which go four files */
    expect_synced("%s\n%s\n%s\n%s\n%s\n%s/cp\n", folder, in, in, in, in, folder);
    assert_int_equal(spur_checkpoint_link(in_folder("cp"), "last", 3, &err), SPUR_OK);
    if (spur_checkpoint_load(&b.parts, in_folder("cp/last"), &step, &err) != SPUR_OK)
        fail_msg("%s", err.message);
    assert_int_equal(step, 3);
    assert_string_equal(spur_state_get(b.state, "loader.position"), "17\nback\\slash");
    assert_null(spur_state_get(b.state, "optimizer.steps"));
    assert_int_equal(spur_optimizer_steps(b.optimizer), 3);
    assert_true(spur_optimizer_lr(b.optimizer, 0) == spur_optimizer_lr(a.optimizer, 0));
    assert_same(a.net, b.net);
    advance(&a, 4);
    advance(&b, 4);
    assert_same(a.net, b.net);
    spur_ema_swap(a.ema);
    spur_ema_swap(b.ema);
    assert_same(a.net, b.net);
    stop(&a);
    stop(&b);
}

/* A plateau goes on as if nothing had been, wherever in waiting, reducing and cooling down it was saved. */
static void test_plateau_goes_on(void **state) {
    static const char options[] = "factor=0.5 patience=1 cooldown=2";
    static const double seen[] = {1, 0.5, 0.6, 0.7, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4};
    const spur_schedule_span span = {1, 20};
    spur_net *net = make_net(1, 5);
    (void)state;
    for (int n = 0; n < 12; n++) {
        spur_scheduler *both[2];
        for (int i = 0; i < 2; i++)
            both[i] = spur_scheduler_create("plateau", options, &span, NULL);
        for (int i = 0; i < n; i++) spur_scheduler_observe(both[0], seen[i], false);
        const spur_checkpoint_parts from = {.net = net, .scheduler = both[0]};
        const spur_checkpoint_parts to = {.net = net, .scheduler = both[1]};
        assert_int_equal(spur_checkpoint_save(&from, in_folder("plateau"), 1, NULL), SPUR_OK);
        assert_int_equal(spur_checkpoint_load(&to, in_folder("plateau/step_1"), NULL, NULL),
                         SPUR_OK);
        for (int i = n; i < 13; i++) {
            for (int k = 0; k < 2; k++) spur_scheduler_observe(both[k], seen[i], false);
            double own = spur_scheduler_lr(both[0], 1, 0),
                   loaded = spur_scheduler_lr(both[1], 1, 0);
            if (own != loaded) fail_msg("saved after %d, at %d: %g, not %g", n, i, loaded, own);
        }
        assert_true(spur_scheduler_lr(both[0], 1, 0) == 0.125);
        for (int k = 0; k < 2; k++) spur_scheduler_destroy(both[k]);
    }
    spur_net_destroy(net);
}

/* Steps of any size. */
static void test_largest_step(void **state) {
    training a = start(1), b = start(2);
    spur_error err = {0};
    uint64_t step = 0;
    (void)state;
    assert_int_equal(spur_checkpoint_save(&a.parts, in_folder("far"), UINT64_MAX, &err), SPUR_OK);
    assert_int_equal(spur_checkpoint_link(in_folder("far"), "last", UINT64_MAX, &err), SPUR_OK);
    if (spur_checkpoint_load(&b.parts, in_folder("far/last"), &step, &err) != SPUR_OK)
        fail_msg("%s", err.message);
    assert_true(step == UINT64_MAX);
    assert_int_equal(spur_checkpoint_prune(in_folder("far"), 0, &err), SPUR_OK);
    assert_int_equal(spur_checkpoint_peek(in_folder("far/last"), NULL, &step, &err), SPUR_OK);
    stop(&a);
    stop(&b);
}

/* Saving the same training twice gives the same bytes. */
static void test_same_bytes(void **state) {
    static const char *const names[] = {"state", "weights.safetensors", "optimizer.safetensors",
                                        "ema.safetensors"};
    spur_error err = {0};
    (void)state;
    for (int i = 0; i < 2; i++) {
        training t = start(4);
        advance(&t, 2);
        assert_int_equal(spur_checkpoint_save(&t.parts, in_folder(i ? "cp_b" : "cp_a"), 2, &err),
                         SPUR_OK);
        stop(&t);
    }
    for (int i = 0; i < 4; i++) {
        char a[128], b[128], *x, *y;
        size_t n, m;
        snprintf(a, sizeof a, "%s/cp_a/step_2/%s", folder, names[i]);
        snprintf(b, sizeof b, "%s/cp_b/step_2/%s", folder, names[i]);
        assert_int_equal(spur__file_read(a, 1 << 20, &x, &n, &err), SPUR_OK);
        assert_int_equal(spur__file_read(b, 1 << 20, &y, &m, &err), SPUR_OK);
        assert_int_equal(n, m);
        assert_memory_equal(x, y, n);
        spur__free(x);
        spur__free(y);
    }
}

/* Any changed byte of any file is found. */
static void test_damage(void **state) {
    static const char *const names[] = {"state", "weights.safetensors", "optimizer.safetensors"};
    spur_error err = {0};
    training t = start(1), u = start(2);
    (void)state;
    advance(&t, 1);
    assert_int_equal(spur_checkpoint_save(&t.parts, in_folder("cp"), 9, &err), SPUR_OK);
    for (int i = 0; i < 3; i++) {
        char path[128], *bytes;
        size_t n;
        snprintf(path, sizeof path, "%s/cp/step_9/%s", folder, names[i]);
        assert_int_equal(spur__file_read(path, 1 << 20, &bytes, &n, &err), SPUR_OK);
        for (size_t at = 0; at < n; at += n / 23) {
            bytes[at] ^= 4;
            assert_int_equal(spur__file_write(path, bytes, n, &err), SPUR_OK);
            uint64_t step = 77;
            spur_status found = spur_checkpoint_load(&u.parts, in_folder("cp/step_9"), &step, &err);
            assert_true(found == SPUR_E_DAMAGED || found == SPUR_E_FORMAT);
            found = spur_checkpoint_peek(in_folder("cp/step_9"), NULL, &step, &err);
            assert_true(found == SPUR_E_DAMAGED || found == SPUR_E_FORMAT);
            assert_int_equal(step, 77);
            bytes[at] ^= 4;
        }
        assert_int_equal(spur__file_write(path, bytes, n - 1, &err), SPUR_OK);
        assert_int_equal(spur_checkpoint_load(&u.parts, in_folder("cp/step_9"), NULL, &err),
                         SPUR_E_DAMAGED);
        assert_int_equal(spur__file_write(path, bytes, n, &err), SPUR_OK);
        spur__free(bytes);
    }
    assert_int_equal(spur_checkpoint_peek(in_folder("cp/step_9"), NULL, NULL, &err), SPUR_OK);
    stop(&t);
    stop(&u);
}

/* Nobody writes to these pipes. */
static void test_pipes(void **state) {
    spur_error err = {0};
    training t = start(1);
    (void)state;
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    assert_int_equal(spur_weights_load(t.net, in_folder("pipe"), NULL, NULL, &err), SPUR_E_TYPE);
    assert_int_equal(spur_checkpoint_save(&t.parts, in_folder("cp"), 4, &err), SPUR_OK);
    assert_int_equal(unlink(in_folder("cp/step_4/weights.safetensors")), 0);
    assert_int_equal(mkfifo(in_folder("cp/step_4/weights.safetensors"), 0600), 0);
    assert_int_equal(spur_checkpoint_load(&t.parts, in_folder("cp/step_4"), NULL, &err),
                     SPUR_E_TYPE);
    assert_non_null(strstr(err.message, "step_4/weights.safetensors: not a regular file"));
    stop(&t);
}

static void test_another_optimizer(void **state) {
    spur_error err = {0};
    training t = start(1);
    spur_optimizer *sgd = spur_optimizer_create(t.net, "sgd", "momentum=0.9", &err);
    spur_checkpoint_parts parts = t.parts;
    (void)state;
    assert_int_equal(spur_checkpoint_save(&t.parts, in_folder("cp"), 5, &err), SPUR_OK);
    parts.optimizer = sgd;
    assert_int_equal(spur_checkpoint_load(&parts, in_folder("cp/step_5"), NULL, &err),
                     SPUR_E_STATE);
    assert_non_null(strstr(err.message, "optimizer.name: found 'adam', expected 'sgd'"));
    spur_optimizer_destroy(sgd);
    stop(&t);
}

/* A process that was killed while it saved leaves nothing in the checkpoint that its successor makes. */
static void test_leftovers(void **state) {
    spur_error err = {0};
    training t = start(1);
    const char *left = in_folder("cp/step_8/ema.safetensors.123.0.tmp");
    (void)state;
    assert_int_equal(spur_checkpoint_save(&t.parts, in_folder("cp"), 8, &err), SPUR_OK);
    assert_int_equal(spur__file_write(left, "half", 4, &err), SPUR_OK);
    assert_int_equal(spur_checkpoint_save(&t.parts, in_folder("cp"), 8, &err), SPUR_OK);
    assert_false(spur__exists(left));
    assert_int_equal(spur_checkpoint_peek(in_folder("cp/step_8"), NULL, NULL, &err), SPUR_OK);
    stop(&t);
}

/* More groups or fewer than it was saved with: refused before anything has changed. */
static void test_other_groups(void **state) {
    spur_error err = {0};
    training one = start(1), two = start(2), untouched = start(2);
    (void)state;
    assert_int_equal(spur_optimizer_add_group(two.optimizer, "fc", "lr=0.5", &err), SPUR_OK);
    assert_int_equal(spur_checkpoint_save(&one.parts, in_folder("cp"), 6, &err), SPUR_OK);
    assert_int_equal(spur_checkpoint_load(&two.parts, in_folder("cp/step_6"), NULL, &err),
                     SPUR_E_STATE);
    assert_non_null(strstr(err.message, "optimizer.lr.1: found nothing, expected 2"));
    assert_same(two.net, untouched.net);
    assert_true(spur_optimizer_lr(two.optimizer, 0) == 0.05);
    assert_int_equal(spur_checkpoint_save(&two.parts, in_folder("cp"), 7, &err), SPUR_OK);
    assert_int_equal(spur_checkpoint_load(&one.parts, in_folder("cp/step_7"), NULL, &err),
                     SPUR_E_STATE);
    assert_non_null(strstr(err.message, "optimizer.lr.1: found one group more, expected 1"));
    stop(&one);
    stop(&two);
    stop(&untouched);
}

/* Each group has a rate and a momentum of its own. */
static void test_groups_come_back(void **state) {
    spur_error err = {0};
    training a = start(1), b = start(2);
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            spur_optimizer_add_group(i ? b.optimizer : a.optimizer, "fc", "lr=0.5", &err), SPUR_OK);
    a.parts.scheduler = b.parts.scheduler = NULL;
    spur_optimizer_set_lr(a.optimizer, 0, 0.01);
    spur_optimizer_set_lr(a.optimizer, 1, 0.03);
    assert_int_equal(spur_optimizer_set_momentum(a.optimizer, 1, 0.5, &err), SPUR_OK);
    train(a.net, a.optimizer, 2);
    assert_int_equal(spur_checkpoint_save(&a.parts, in_folder("groups"), 2, &err), SPUR_OK);
    assert_int_equal(spur_checkpoint_load(&b.parts, in_folder("groups/step_2"), NULL, &err),
                     SPUR_OK);
    assert_true(spur_optimizer_lr(b.optimizer, 0) == 0.01);
    assert_true(spur_optimizer_lr(b.optimizer, 1) == 0.03);
    train(a.net, a.optimizer, 2);
    train(b.net, b.optimizer, 2);
    assert_same(a.net, b.net);
    stop(&a);
    stop(&b);
}

/* Loads what does not fit; nothing may have changed. */
static void expect_refused(const spur_checkpoint_parts *parts, const char *path, spur_status status,
                           const char *message) {
    spur_error err = {0};
    uint64_t step = 77;
    float weight = parts->net ? spur_net_param(parts->net, 0)->value[0] : 0;
    assert_int_equal(spur_checkpoint_load(parts, path, &step, &err), status);
    if (!strstr(err.message, message)) fail_msg("'%s', expected '%s'", err.message, message);
    assert_int_equal(step, 77);
    if (parts->net) assert_true(spur_net_param(parts->net, 0)->value[0] == weight);
    if (!parts->optimizer) return;
    assert_int_equal(spur_optimizer_steps(parts->optimizer), 0);
    assert_true(spur_optimizer_lr(parts->optimizer, 0) == 0.25);
}

/* A checkpoint of another configuration: told from its arrays and names, before anything has changed. */
static void test_other_configurations(void **state) {
    static const char options[] = "lr=0.25", more[] = "lr=0.25 amsgrad=true";
    spur_error err = {0};
    training t = start(1);
    spur_net *five = make_net(2, 5), *three = make_net(2, 3);
    spur_optimizer *plain = spur_optimizer_create(five, "adam", options, &err);
    spur_optimizer *longer = spur_optimizer_create(five, "adam", more, &err);
    spur_optimizer *smaller = spur_optimizer_create(three, "adam", options, &err);
    spur_scheduler *cosine =
        spur_scheduler_create("cosine", NULL, &(spur_schedule_span){5, 5}, &err);
    (void)state;
    advance(&t, 1);
    const char *saved = in_folder("other/step_1"), *with_more = in_folder("other/step_2");
    assert_int_equal(spur_checkpoint_save(&t.parts, in_folder("other"), 1, &err), SPUR_OK);
    expect_refused(&(spur_checkpoint_parts){.net = five, .optimizer = longer}, saved,
                   SPUR_E_NOTFOUND,
                   "step_1/optimizer.safetensors: no tensor 'max_exp_avg_sq.conv.weight', "
                   "expected one of [6][3][3][3]");
    expect_refused(&(spur_checkpoint_parts){.net = three, .optimizer = smaller}, saved,
                   SPUR_E_SHAPE,
                   "step_1/optimizer.safetensors: tensor 'exp_avg.fc.weight': found F32 [5][36], "
                   "expected F32 [3][36]");
    expect_refused(&(spur_checkpoint_parts){.net = five, .optimizer = plain, .scheduler = cosine},
                   saved, SPUR_E_STATE, "scheduler.name: found 'plateau', expected 'cosine'");
    const spur_checkpoint_parts from = {.net = five, .optimizer = longer};
    assert_int_equal(spur_checkpoint_save(&from, in_folder("other"), 2, &err), SPUR_OK);
    expect_refused(&(spur_checkpoint_parts){.net = five, .optimizer = plain}, with_more,
                   SPUR_E_NOTFOUND,
                   "step_2/optimizer.safetensors: 12 tensors, expected 8: it belongs to another");
    spur_scheduler_destroy(cosine);
    spur_optimizer_destroy(plain);
    spur_optimizer_destroy(longer);
    spur_optimizer_destroy(smaller);
    spur_net_destroy(five);
    spur_net_destroy(three);
    stop(&t);
}

/* The optimizer knows nothing of a frozen head; that it has another shape is found before the optimizer changes. */
static void test_another_frozen_head(void **state) {
    spur_error err = {0};
    spur_net *five = make_net_with_head(1, 5, true), *three = make_net_with_head(2, 3, true);
    spur_optimizer *a = spur_optimizer_create(five, "adam", "lr=0.5", &err);
    spur_optimizer *b = spur_optimizer_create(three, "adam", "lr=0.25", &err);
    const spur_checkpoint_parts from = {.net = five, .optimizer = a};
    (void)state;
    train(five, a, 1);
    assert_int_equal(spur_checkpoint_save(&from, in_folder("frozen"), 1, &err), SPUR_OK);
    expect_refused(&(spur_checkpoint_parts){.net = three, .optimizer = b},
                   in_folder("frozen/step_1"), SPUR_E_SHAPE,
                   "step_1/weights.safetensors: tensor 'fc.weight': found [5][36], expected [3]");
    spur_optimizer_destroy(a);
    spur_optimizer_destroy(b);
    spur_net_destroy(five);
    spur_net_destroy(three);
}

/* A file that the state does not name is no part of the checkpoint, though it lies there. */
static void test_files_that_are_not_named(void **state) {
    static const char *const names[] = {"weights.safetensors", "optimizer.safetensors",
                                        "ema.safetensors"};
    spur_error err = {0};
    training t = start(1);
    spur_optimizer *fresh = spur_optimizer_create(t.net, "adam", "lr=0.25", &err);
    spur_checkpoint_parts parts = {.net = t.net, .optimizer = fresh, .ema = t.ema};
    (void)state;
    assert_int_equal(spur_checkpoint_save(&t.parts, in_folder("named"), 1, &err), SPUR_OK);
    for (int i = 2; i >= 0; i--) { /* the state names one less each time */
        char *text, expected[64];
        size_t n;
        spur__manifest m;
        spur_state *values = spur_state_create();
        const char *path = in_folder("named/step_1/state");
        assert_int_equal(spur__file_read(path, 1 << 20, &text, &n, &err), SPUR_OK);
        assert_int_equal(spur__state_parse(path, text, n, &m, values, &err), SPUR_OK);
        assert_string_equal(m.files[--m.file_count].name, names[i]);
        assert_int_equal(spur__state_write(path, &m, values, false, &err), SPUR_OK);
        snprintf(expected, sizeof expected, "step_1: the checkpoint has no %s", names[i]);
        expect_refused(&parts, in_folder("named/step_1"), SPUR_E_NOTFOUND, expected);
        if (i == 2) parts.ema = NULL;
        if (i == 1) parts.optimizer = NULL;
        spur_state_destroy(values);
        spur__free(text);
    }
    spur_optimizer_destroy(fresh);
    stop(&t);
}

static void test_what_is_missing(void **state) {
    spur_error err = {0};
    training t = start(1);
    spur_checkpoint_parts parts = t.parts;
    (void)state;
    assert_int_equal(spur_checkpoint_save(&parts, NULL, 1, &err), SPUR_E_ARGUMENT);
    assert_non_null(strstr(err.message, "the directory is NULL"));
    parts.net = NULL;
    assert_int_equal(spur_checkpoint_save(&parts, in_folder("none"), 1, &err), SPUR_E_ARGUMENT);
    assert_non_null(strstr(err.message, "the net is NULL"));
    assert_false(spur__exists(in_folder("none")));
    assert_int_equal(spur_checkpoint_load(&parts, NULL, NULL, &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_checkpoint_link(in_folder("none"), NULL, 1, &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_checkpoint_prune(NULL, 1, &err), SPUR_E_ARGUMENT);
    stop(&t);
}

/* Every allocation of saving and loading fails once. */
static void test_failing_allocations(void **state) {
    spur_error err = {0};
    training a = start(1), b = start(2);
    spur_status status;
    (void)state;
    advance(&a, 2);
    uint64_t n = 0;
    do {
        spur__fault_malloc(++n);
        status = spur_checkpoint_save(&a.parts, in_folder("m"), 2, &err);
        assert_true(status == SPUR_OK || status == SPUR_E_MEMORY);
    } while (status != SPUR_OK);
    assert_true(n > 30);
    n = 0;
    do {
        spur__fault_malloc(++n);
        status = spur_checkpoint_load(&b.parts, in_folder("m/step_2"), NULL, &err);
        assert_true(status == SPUR_OK || status == SPUR_E_MEMORY);
    } while (status != SPUR_OK);
    assert_true(n > 30);
    spur__fault_malloc(0);
    advance(&a, 2);
    advance(&b, 2);
    assert_same(a.net, b.net);
    stop(&a);
    stop(&b);
}

/* The caller's keys must not become the optimizer's. */
static void test_keys_of_the_library(void **state) {
    spur_error err = {0};
    training t = start(1);
    (void)state;
    spur_state *own = t.parts.state;
    t.parts.state = spur_state_create();
    assert_int_equal(spur_state_set(t.parts.state, "optimizer.steps", "7", &err), SPUR_OK);
    assert_int_equal(spur_checkpoint_save(&t.parts, in_folder("keys"), 1, &err), SPUR_E_ARGUMENT);
    assert_non_null(strstr(err.message, "'optimizer.steps'"));
    spur_state_destroy(t.parts.state);
    t.parts.state = own;
    stop(&t);
}

/* Written in two parts, it is the same one. */
static void test_synced_later(void **state) {
    spur_error err = {0};
    training t = start(1);
    char *at_once, *later;
    size_t n, m;
    (void)state;
    assert_int_equal(spur_checkpoint_save(&t.parts, in_folder("at_once"), 1, &err), SPUR_OK);
    synced[0] = '\0';
    assert_int_equal(spur__checkpoint_write(&t.parts, in_folder("later"), 1, true, &err), SPUR_OK);
    expect_synced("%s\n", folder);
    assert_int_equal(spur__checkpoint_sync(in_folder("later"), 1, &err), SPUR_OK);
    expect_synced("%s/later/step_1\n%s/later\n", folder, folder);
    assert_int_equal(
        spur__file_read(in_folder("at_once/step_1/state"), 1 << 20, &at_once, &n, &err), SPUR_OK);
    assert_int_equal(spur__file_read(in_folder("later/step_1/state"), 1 << 20, &later, &m, &err),
                     SPUR_OK);
    assert_string_equal(at_once, later); /* which has the sizes and checksums of the others */
    assert_int_equal(spur_checkpoint_load(&t.parts, in_folder("later/step_1"), NULL, &err),
                     SPUR_OK);
    assert_int_equal(spur__checkpoint_sync(in_folder("later"), 2, &err), SPUR_E_NOTFOUND);
    assert_non_null(strstr(err.message, "later/step_2: cannot open"));
    spur__free(at_once);
    spur__free(later);
    stop(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resume_is_the_same),
        cmocka_unit_test(test_plateau_goes_on),
        cmocka_unit_test(test_largest_step),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_pipes),
        cmocka_unit_test(test_another_optimizer),
        cmocka_unit_test(test_leftovers),
        cmocka_unit_test(test_other_groups),
        cmocka_unit_test(test_groups_come_back),
        cmocka_unit_test(test_other_configurations),
        cmocka_unit_test(test_another_frozen_head),
        cmocka_unit_test(test_files_that_are_not_named),
        cmocka_unit_test(test_what_is_missing),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_keys_of_the_library),
        cmocka_unit_test(test_synced_later),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
