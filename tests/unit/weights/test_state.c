/* SPDX-License-Identifier: MIT
 *
 * The state of a checkpoint: numbers as texts, and files that are whole but say what cannot be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "weights/state.h"

static void test_state_numbers(void **state) {
    static const char *const bad[] = {"", "-1", "+1", " 1", "1x", "18446744073709551616"};
    spur_state *s = spur_state_create();
    spur_error err = {0};
    uint64_t n = 0;
    double x = 0;
    (void)state;
    assert_int_equal(spur_state_set_uint(s, "most", UINT64_MAX, &err), SPUR_OK);
    assert_int_equal(spur_state_get_uint(s, "most", &n, &err), SPUR_OK);
    assert_true(n == UINT64_MAX);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(spur_state_set(s, "bad", bad[i], &err), SPUR_OK);
        assert_int_equal(spur_state_get_uint(s, "bad", &n, &err), SPUR_E_FORMAT);
    }
    assert_int_equal(spur_state_get_double(s, "bad", &x, &err), SPUR_OK);
    assert_true(x == 18446744073709551616.0);
    assert_int_equal(spur_state_set_double(s, "x", 0.1, &err), SPUR_OK);
    assert_int_equal(spur_state_get_double(s, "x", &x, &err), SPUR_OK);
    assert_true(x == 0.1);
    assert_int_equal(spur_state_get_double(s, "none", &x, &err), SPUR_E_NOTFOUND);
    assert_int_equal(spur_state_set(s, "a key", "1", &err), SPUR_E_ARGUMENT);
    char key[257] = "";
    memset(key, 'k', 256); /* one more than a reader has room for */
    assert_int_equal(spur_state_set(s, key, "1", &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_state_set(s, key + 1, "1", &err), SPUR_OK);
    spur_state_destroy(s);
}

#define A_FILE "file w.safetensors 12 0123abcd\n"

/* Lines between the first and the last one, both right. */
static spur_status parse(const char *lines, spur__manifest *m, spur_state *s, spur_error *err) {
    char text[400];
    int n = snprintf(text, sizeof text, "spur checkpoint 1\n%s", lines);
    uint32_t crc = spur__crc32c(0, text, (size_t)n);
    n += snprintf(text + n, sizeof text - (size_t)n, "end %08x\n", (unsigned)crc);
    return spur__state_parse("here", text, (size_t)n, m, s, err);
}

static void test_lines(void **state) {
    static const struct {
        const char *lines, *says;
    } cases[] = {
        {"", "here:2:1: expected the step"},
        {"step 99999999999999999999\n", "here:2:1: expected the step"},
        {"step x\n", "here:2:1: expected the step"},
        {"step 1\n" A_FILE "file a/w 12 0123abcd\n", "here:4:1: expected: file NAME SIZE CRC"},
        {"step 1\nfile .w 12 0123abcd\n", "expected: file NAME SIZE CRC"},
        {"step 1\nfile w 12 10123abcd\n", "expected: file NAME SIZE CRC"},
        {"step 1\nfile w 12\n", "expected: file NAME SIZE CRC"},
        {"step 1\nvalue a 1\nvalue b 2\nvalue a 3\n", "here:5:1: a key that is there twice"},
        {"step 1\nvalue a\n", "expected: value KEY TEXT"},
        {"step 1\nvalue a \\t\n", "a backslash that begins no escape"},
        {"step 1\nvalue a \\\n", "a backslash that begins no escape"},
        {"step 1\nvalues a 1\n", "expected a line of file, value or end"},
    };
    spur__manifest m;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spur_error err = {0};
        spur_state *s = spur_state_create();
        spur_status found = parse(cases[i].lines, &m, s, &err);
        if (found != SPUR_E_FORMAT || !strstr(err.message, cases[i].says))
            fail_msg("case %zu: '%s' does not say '%s'", i, err.message, cases[i].says);
        spur_state_destroy(s);
    }
    spur_state *s = spur_state_create();
    assert_int_equal(parse("step 7\n" A_FILE "value a x \\\\n\\n\nvalue b \n", &m, s, NULL),
                     SPUR_OK);
    assert_true(m.step == 7 && m.file_count == 1 && m.files[0].size == 12);
    assert_true(m.files[0].crc == 0x0123abcd && strcmp(m.files[0].name, "w.safetensors") == 0);
    assert_string_equal(spur_state_get(s, "a"), "x \\n\n");
    assert_string_equal(spur_state_get(s, "b"), "");
    spur_state_destroy(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_state_numbers),
        cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
