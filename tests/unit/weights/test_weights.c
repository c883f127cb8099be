/* SPDX-License-Identifier: MIT
 *
 * Weights in files: what is written reads back, what does not fit is refused with a name, cut files are
 * errors, failed writes leave the old file.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <spur/weights.h>
#include "base/file.h"
#include "base/memory.h"
#include "unit/weights/folder.h"
#include "unit/weights/small_net.h"

static void test_round_trip(void **state) {
    spur_error err = {0};
    spur_weights_load_report report;
    spur_net *a = make_net(1, 5), *b = make_net(2, 5);
    (void)state;
    assert_int_equal(spur_weights_save(a, in_folder("w.safetensors"), &err), SPUR_OK);
    assert_int_equal(spur_weights_load(b, in_folder("w.safetensors"), NULL, &report, &err),
                     SPUR_OK);
    assert_int_equal(report.loaded, 4);
    assert_string_equal(report.text, "");
    assert_same(a, b);
    spur_net_destroy(a);
    spur_net_destroy(b);
}

static void test_another_head(void **state) {
    spur_error err = {0};
    spur_weights_load_report report;
    const char *path = in_folder("head.safetensors");
    spur_net *a = make_net(1, 5), *b = make_net(2, 3);
    float before = spur_net_find_param(b, "fc.weight")->value[0];
    (void)state;
    assert_int_equal(spur_weights_save(a, path, &err), SPUR_OK);
    float kernel = spur_net_find_param(b, "conv.weight")->value[0];
    assert_int_equal(spur_weights_load(b, path, NULL, NULL, &err), SPUR_E_SHAPE);
    assert_non_null(strstr(err.message, "head.safetensors: tensor 'fc.weight': found [5][36], "
                                        "expected [3][36]"));
    assert_true(spur_net_find_param(b, "conv.weight")->value[0] == kernel); /* nothing changed */
    assert_int_equal(
        spur_weights_load(b, path, &(spur_weights_load_options){.head = "fc"}, &report, &err),
        SPUR_OK);
    assert_int_equal(report.loaded, 2);
    assert_int_equal(report.kept, 2);
    assert_non_null(
        strstr(report.text, "fc.weight starts anew ([5][36] in the file, [3][36] here)"));
    assert_true(spur_net_find_param(b, "fc.weight")->value[0] == before);
    assert_true(spur_net_find_param(b, "conv.weight")->value[0] ==
                spur_net_find_param(a, "conv.weight")->value[0]);
    assert_int_equal(spur_weights_save(b, path, &err), SPUR_OK); /* nor does a smaller one fit */
    assert_int_equal(spur_weights_load(a, path, NULL, NULL, &err), SPUR_E_SHAPE);
    assert_non_null(strstr(err.message, "found [3][36], expected [5][36]"));
    spur_net_destroy(a);
    spur_net_destroy(b);
}

static void test_cut_files(void **state) {
    spur_error err = {0};
    char *bytes;
    size_t size;
    spur_net *net = make_net(1, 5);
    (void)state;
    assert_int_equal(spur_weights_save(net, in_folder("w"), &err), SPUR_OK);
    assert_int_equal(spur__file_read(in_folder("w"), 1 << 20, &bytes, &size, &err), SPUR_OK);
    for (size_t n = 0; n < size; n += n < 700 ? 1 : 97) {
        assert_int_equal(spur__file_write(in_folder("cut"), bytes, n, &err), SPUR_OK);
        assert_int_equal(spur_weights_load(net, in_folder("cut"), NULL, NULL, &err), SPUR_E_FORMAT);
    }
    spur__free(bytes);
    spur_net_destroy(net);
}

static void test_failing_writes(void **state) {
    spur_error err = {0};
    spur_net *a = make_net(1, 5), *b = make_net(2, 5);
    (void)state;
    assert_int_equal(spur_weights_save(a, in_folder("kept"), &err), SPUR_OK);
    for (uint64_t n = 0; n < 1600; n += 200) {
        spur__fault_write(n, ENOSPC);
        assert_int_equal(spur_weights_save(b, in_folder("kept"), &err), SPUR_E_IO);
        assert_non_null(strstr(err.message, "No space left"));
    }
    spur__fault_write(0, 0);
    assert_int_equal(spur_weights_load(b, in_folder("kept"), NULL, NULL, &err), SPUR_OK);
    assert_same(a, b);
    spur_net_destroy(a);
    spur_net_destroy(b);
}

/* Every allocation of saving and loading fails once; nothing leaks, every time it is said. */
static void test_failing_allocations(void **state) {
    spur_error err = {0};
    spur_net *a = make_net(1, 5), *b = make_net(2, 5);
    (void)state;
    assert_int_equal(spur_weights_save(a, in_folder("m"), &err), SPUR_OK);
    for (uint64_t n = 1;; n++) {
        spur__fault_malloc(n);
        spur_status saved = spur_weights_save(a, in_folder("m"), &err);
        if (saved == SPUR_OK) break;
        assert_int_equal(saved, SPUR_E_MEMORY);
    }
    for (uint64_t n = 1;; n++) {
        spur__fault_malloc(n);
        spur_status loaded = spur_weights_load(b, in_folder("m"), NULL, NULL, &err);
        if (loaded == SPUR_OK) break;
        assert_int_equal(loaded, SPUR_E_MEMORY);
    }
    spur__fault_malloc(0);
    assert_same(a, b);
    spur_net_destroy(a);
    spur_net_destroy(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),          cmocka_unit_test(test_another_head),
        cmocka_unit_test(test_cut_files),           cmocka_unit_test(test_failing_writes),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
