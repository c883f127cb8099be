/* SPDX-License-Identifier: MIT
 *
 * Weights of another net: what is missing, what is left over, whose name only begins alike, and what
 * is for a part of the net; and checkpoints whose optimizer kept more or less than the one that reads them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <spur/loss.h>
#include <spur/weights.h>
#include "base/crc32c.h"
#include "base/file.h"
#include "base/memory.h"
#include "unit/weights/folder.h"

/* Layers "fc", of which "fc2" may be missing, and "out" behind them. */
static spur_net *make_net(uint64_t seed, bool second, int classes) {
    spur_error err = {0};
    spur_net *net = spur_net_create(&(spur_net_options){.seed = seed, .threads = 1});
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){2, 4});
    spur_node *y = spur_input(net, "y", SPUR_INT32, 1, (int64_t[]){2});
    spur_node *h = spur_linear(net, x, "fc", 4, NULL);
    if (second) h = spur_linear(net, h, "fc2", 4, NULL);
    h = spur_linear(net, h, "out", classes, NULL);
    if (spur_net_build(net, spur_cross_entropy(net, h, y, NULL), &err) != SPUR_OK)
        fail_msg("%s", err.message);
    return net;
}

static float first_of(spur_net *net, const char *name) {
    return spur_net_find_param(net, name)->value[0];
}

static void test_missing(void **state) {
    spur_error err = {0};
    spur_weights_load_report report;
    spur_net *from = make_net(1, false, 3), *to = make_net(2, true, 3);
    const float kept = first_of(to, "fc2.weight");
    const char *path = in_folder("short.safetensors");
    (void)state;
    assert_int_equal(spur_weights_save(from, path, &err), SPUR_OK);
    assert_int_equal(spur_weights_load(to, path, NULL, NULL, &err), SPUR_E_NOTFOUND);
    assert_non_null(strstr(err.message, "no tensor 'fc2.weight', expected one of [4][4]"));
    assert_int_equal(
        spur_weights_load(to, path, &(spur_weights_load_options){.partial = true}, &report, &err),
        SPUR_OK);
    assert_int_equal(report.loaded, 4);
    assert_int_equal(report.kept, 2);
    assert_int_equal(report.unused, 0);
    assert_non_null(strstr(report.text, "fc2.weight starts anew (missing in the file, [4][4]"));
    assert_true(first_of(to, "fc2.weight") == kept);
    assert_true(first_of(to, "out.weight") == first_of(from, "out.weight"));
    spur_net_destroy(from);
    spur_net_destroy(to);
}

static void test_left_over(void **state) {
    spur_error err = {0};
    spur_weights_load_report report;
    spur_net *from = make_net(1, true, 3), *to = make_net(2, false, 3);
    const char *path = in_folder("long.safetensors");
    const spur_weights_load_options partial = {.partial = true}, unused = {.allow_unused = true};
    (void)state;
    assert_int_equal(spur_weights_save(from, path, &err), SPUR_OK);
    assert_int_equal(spur_weights_load(to, path, &partial, NULL, &err), SPUR_E_NOTFOUND);
    assert_non_null(strstr(err.message, "tensor 'fc2.bias' has no counterpart in the net"));
    assert_int_equal(spur_weights_load(to, path, &unused, &report, &err), SPUR_OK);
    assert_int_equal(report.loaded, 4);
    assert_int_equal(report.unused, 2);
    assert_string_equal(report.text, "4 of 4 parameters loaded, 2 tensors not used");
    assert_true(first_of(to, "fc.weight") == first_of(from, "fc.weight"));
    /* A head of the file that this net does not have. */
    assert_int_equal(
        spur_weights_load(to, path, &(spur_weights_load_options){.head = "fc2"}, &report, &err),
        SPUR_OK);
    assert_int_equal(report.unused, 2);
    /* A part of the file that nets of this kind never have. */
    const spur_weights_load_options ignored = {.ignored = "fc2"}, other = {.ignored = "fc"};
    assert_int_equal(spur_weights_load(to, path, &other, &report, &err), SPUR_E_NOTFOUND);
    assert_int_equal(spur_weights_load(to, path, &ignored, &report, &err), SPUR_OK);
    assert_int_equal(report.unused, 2);
    spur_net_destroy(from);
    spur_net_destroy(to);
}

/* "fc" is a layer, not the beginning of a name. */
static void test_head_is_a_whole_name(void **state) {
    spur_error err = {0};
    spur_weights_load_report report;
    spur_net *from = make_net(1, false, 3), *to = make_net(2, true, 3);
    const char *path = in_folder("head.safetensors");
    (void)state;
    assert_int_equal(spur_weights_save(from, path, &err), SPUR_OK);
    assert_int_equal(
        spur_weights_load(to, path, &(spur_weights_load_options){.head = "fc"}, &report, &err),
        SPUR_E_NOTFOUND);
    assert_int_equal(
        spur_weights_load(to, path, &(spur_weights_load_options){.head = "fc2"}, &report, &err),
        SPUR_OK);
    assert_int_equal(report.kept, 2);
    spur_net_destroy(from);
    spur_net_destroy(to);
}

/* A classifier of "fc", "fc2" and "out", and a net that has the first two as its encoder. */
static spur_net *make_composed(uint64_t seed, bool second) {
    spur_error err = {0};
    spur_net *net = spur_net_create(&(spur_net_options){.seed = seed, .threads = 1});
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){2, 4});
    spur_push_scope(net, "encoder");
    spur_node *h = spur_linear(net, x, "fc", 4, NULL);
    if (second) h = spur_linear(net, h, "fc2", 4, NULL);
    spur_pop_scope(net);
    h = spur_linear(net, h, "out", 7, NULL);
    spur_keep(net, h);
    if (spur_net_build(net, NULL, &err) != SPUR_OK) fail_msg("%s", err.message);
    return net;
}

/* The head of the file's net is passed over, though a parameter outside of the part is called alike. */
static void test_a_part(void **state) {
    spur_error err = {0};
    spur_weights_load_report report;
    spur_net *from = make_net(1, true, 3), *to = make_composed(2, true);
    const float kept = first_of(to, "out.weight");
    const char *path = in_folder("part.safetensors");
    (void)state;
    assert_int_equal(spur_weights_save(from, path, &err), SPUR_OK);
    const spur_weights_load_options part = {.below = "encoder", .head = "out"};
    assert_int_equal(spur_weights_load(to, path, &part, &report, &err), SPUR_OK);
    assert_int_equal(report.loaded, 4);
    assert_int_equal(report.kept, 2);
    assert_int_equal(report.unused, 2);
    assert_string_equal(report.text, "4 of 6 parameters loaded, 2 tensors not used");
    assert_true(first_of(to, "encoder.fc.weight") == first_of(from, "fc.weight"));
    assert_true(first_of(to, "encoder.fc2.weight") == first_of(from, "fc2.weight"));
    assert_true(first_of(to, "out.weight") == kept);
    spur_net_destroy(from);
    spur_net_destroy(to);
}

/* What the file has too much of or lacks is as wrong as in a whole net. */
static void test_another_part(void **state) {
    spur_error err = {0};
    spur_net *shorter = make_net(1, false, 3), *longer = make_net(1, true, 3);
    spur_net *small = make_composed(2, false), *large = make_composed(2, true);
    const float before = first_of(small, "encoder.fc.weight");
    const spur_weights_load_options part = {.below = "encoder", .head = "out"};
    const spur_weights_load_options headless = {.below = "encoder"};
    const char *path = in_folder("other.safetensors");
    (void)state;
    assert_int_equal(spur_weights_save(longer, path, &err), SPUR_OK);
    assert_int_equal(spur_weights_load(small, path, &part, NULL, &err), SPUR_E_NOTFOUND);
    assert_non_null(strstr(err.message, "tensor 'fc2.bias' has no counterpart in the net"));
    assert_true(first_of(small, "encoder.fc.weight") == before);
    assert_int_equal(spur_weights_load(large, path, &headless, NULL, &err), SPUR_E_NOTFOUND);
    assert_non_null(strstr(err.message, "tensor 'out."));
    assert_int_equal(spur_weights_save(shorter, path, &err), SPUR_OK);
    assert_int_equal(spur_weights_load(large, path, &part, NULL, &err), SPUR_E_NOTFOUND);
    assert_non_null(strstr(err.message, "no tensor 'fc2.weight', expected one of [4][4]"));
    spur_net_destroy(shorter);
    spur_net_destroy(longer);
    spur_net_destroy(small);
    spur_net_destroy(large);
}

/* Moments that the other optimizer does not keep, and those that it lacks. */
static void test_other_moments(void **state) {
    spur_error err = {0};
    spur_net *net = make_net(1, true, 3);
    spur_optimizer *with = spur_optimizer_create(net, "adam", "amsgrad=true", &err);
    spur_optimizer *without = spur_optimizer_create(net, "adam", NULL, &err);
    const spur_checkpoint_parts more = {.net = net, .optimizer = with};
    const spur_checkpoint_parts fewer = {.net = net, .optimizer = without};
    (void)state;
    assert_non_null(with);
    assert_non_null(without);
    assert_int_equal(spur_checkpoint_save(&more, in_folder("cp"), 1, &err), SPUR_OK);
    assert_int_equal(spur_checkpoint_save(&fewer, in_folder("cp"), 2, &err), SPUR_OK);
    assert_int_equal(spur_checkpoint_load(&fewer, in_folder("cp/step_1"), NULL, &err),
                     SPUR_E_NOTFOUND);
    if (!strstr(err.message, "18 tensors, expected 12: it belongs to another configuration"))
        fail_msg("%s", err.message);
    assert_int_equal(spur_checkpoint_load(&more, in_folder("cp/step_2"), NULL, &err),
                     SPUR_E_NOTFOUND);
    assert_non_null(strstr(err.message, "no tensor '"));
    spur_optimizer_destroy(with);
    spur_optimizer_destroy(without);
    spur_net_destroy(net);
}

/* Puts `now` for `was` in the state file, whose last line is its checksum; as long as each other. */
static void change_state(const char *path, const char *was, const char *now) {
    char *text, *end;
    size_t n;
    assert_int_equal(spur__file_read(path, 1 << 20, &text, &n, NULL), SPUR_OK);
    char *at = strstr(text, was);
    assert_non_null(at);
    memcpy(at, now, strlen(now));
    end = strstr(text, "\nend ") + 1;
    snprintf(end, 14, "end %08x\n", (unsigned)spur__crc32c(0, text, (size_t)(end - text)));
    assert_int_equal(spur__file_write(path, text, n, NULL), SPUR_OK);
    spur__free(text);
}

/* A momentum in force that this optimizer cannot have: nothing is loaded. */
static void test_another_momentum(void **state) {
    spur_error err = {0};
    spur_net *net = make_net(1, true, 3);
    spur_optimizer *sgd = spur_optimizer_create(net, "sgd", "lr=0.5", &err);
    const spur_checkpoint_parts parts = {.net = net, .optimizer = sgd};
    (void)state;
    assert_non_null(sgd);
    assert_int_equal(spur_checkpoint_save(&parts, in_folder("cp"), 1, &err), SPUR_OK);
    change_state(in_folder("cp/step_1/state"), "optimizer.momentum.0 0\n",
                 "optimizer.momentum.0 1\n");
    spur_optimizer_set_lr(sgd, 0, 0.25);
    assert_int_equal(spur_checkpoint_load(&parts, in_folder("cp/step_1"), NULL, &err),
                     SPUR_E_STATE);
    if (!strstr(err.message, "cp/step_1: optimizer sgd: there is no momentum to set to 1"))
        fail_msg("%s", err.message);
    assert_true(spur_optimizer_lr(sgd, 0) == 0.25);
    spur_optimizer_destroy(sgd);
    spur_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_missing, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_left_over, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_head_is_a_whole_name, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_a_part, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_another_part, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_other_moments, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_another_momentum, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
