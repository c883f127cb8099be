/* SPDX-License-Identifier: MIT
 *
 * What is a JSON object and what is not.
 */
#include "logger_test.h"

#include "kinds/json.h"

static void test_objects(void **state) {
    static const char *const good[] = {
        "{}",
        " {\n} ",
        "{\"a\":1}",
        "{ \"a\" : [ ] , \"b\" : [1, -0.5e+10, 2E3, {\"c\": null}], \"\": {} }",
        "{\"camera\": {\"cls\": \"PerspectiveCamera\", \"fov\": 75}, \"x\": [true, false]}",
        "{\"a\": \"\\\" \\\\ \\/ \\u00e9 \\n \xc3\xa9 }\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        size_t at;
        if (!spur__json_is_object(good[i], &at)) fail_msg("%s: refused at %zu", good[i], at);
        assert_int_equal(at, strlen(good[i]));
    }
}

static void test_others(void **state) {
    static const struct {
        const char *text;
        size_t at;
    } bad[] = {{"", 0},
               {"[]", 0},
               {"1", 0},
               {"{", 1},
               {"{}}", 2},
               {"{} x", 3},
               {"{a:1}", 1},
               {"{'a':1}", 1},
               {"{\"a\"}", 4},
               {"{\"a\":}", 5},
               {"{\"a\":1,}", 7},
               {"{\"a\":01}", 6},
               {"{\"a\":.5}", 5},
               {"{\"a\":1.}", 7},
               {"{\"a\":+1}", 5},
               {"{\"a\":1e}", 7},
               {"{\"a\":NaN}", 5},
               {"{\"a\":True}", 5},
               {"{\"a\":[1 2]}", 8},
               {"{\"a\":[1,]}", 8},
               {"{\"a\":\"\n\"}", 6},
               {"{\"a\":\"\\x\"}", 7},
               {"{\"a\":\"\\u12g4\"}", 8},
               {"{\"a\":\"", 6}};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t at;
        if (spur__json_is_object(bad[i].text, &at)) fail_msg("%s: accepted", bad[i].text);
        if (at != bad[i].at) fail_msg("%s: stopped at %zu", bad[i].text, at);
    }
}

/* Deep nesting is refused before it can cost much stack. */
static void test_depth(void **state) {
    enum { DEEP = 100000 };
    char *text = malloc(DEEP * 2 + 16);
    size_t at;
    (void)state;
    for (int depth = 60; depth <= DEEP; depth *= DEEP / 60) {
        int n = snprintf(text, 16, "{\"a\":");
        memset(text + n, '[', (size_t)depth);
        memset(text + n + depth, ']', (size_t)depth);
        snprintf(text + n + 2 * depth, 2, "}");
        assert_true(spur__json_is_object(text, &at) == (depth == 60));
    }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
