/* SPDX-License-Identifier: MIT
 *
 * Option tables: defaults, every type's parsing and printing, errors, and lookup of kinds.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"

typedef struct sample {
    bool flag;
    int64_t threads, mode, seed;
    double lr, decay, clip;
    char *path;
    spur__ints milestones;
    spur__floats betas;
    spur__size size;
} sample;

static spur_status no_spaces(const char *value, spur_error *err) {
    return strchr(value, ' ') ? spur__fail(err, SPUR_E_FORMAT, "no blanks, please") : SPUR_OK;
}

#define AT(member) .offset = offsetof(sample, member)
static const spur__option rows[] = {
    {.name = "flag", .type = SPUR__OPT_BOOL, .initial = "yes", AT(flag)},
    {.name = "threads",
     .type = SPUR__OPT_INT,
     .initial = "auto",
     .max = 64,
     .choices = "auto|all",
     AT(threads)},
    {.name = "mode", .type = SPUR__OPT_CHOICE, .initial = "b", .choices = "a|b|c", AT(mode)},
    {.name = "seed", .type = SPUR__OPT_INT, .initial = "1", .max = 9007199254740992.0, AT(seed)},
    {.name = "lr", .type = SPUR__OPT_FLOAT, .initial = "1e-3", .max = 1, .min_open = true, AT(lr)},
    {.name = "decay", .type = SPUR__OPT_FLOAT, .initial = "0", .max = INFINITY, AT(decay)},
    {.name = "clip",
     .type = SPUR__OPT_FLOAT,
     .initial = "off",
     .max = 9,
     .choices = "off|auto",
     AT(clip)},
    {.name = "path", .type = SPUR__OPT_TEXT, .initial = "x", .check = no_spaces, AT(path)},
    {.name = "milestones", .type = SPUR__OPT_INTS, .initial = "", AT(milestones)},
    {.name = "betas",
     .type = SPUR__OPT_FLOATS,
     .initial = "0.9, 0.999",
     .max = 1,
     .max_open = true,
     AT(betas)},
    {.name = "size", .type = SPUR__OPT_SIZE, .initial = "180x240", .min = 1, .max = 1e6, AT(size)},
};
static const spur__options table = SPUR__OPTIONS(rows, sample);

/* Sets a value and returns the canonical text of the member. */
static const char *canonical(sample *s, const char *name, const char *value) {
    static char text[256];
    spur__str out;
    spur_error err = {0};
    if (value && spur__options_set(&table, s, name, value, &err) != SPUR_OK) return "refused";
    spur__str_init(&out, 255);
    spur__option_format(spur__options_find(&table, name), s, &out);
    strncpy(text, spur__str_text(&out), sizeof text - 1);
    spur__str_free(&out);
    return text;
}

static void test_values(void **state) {
    (void)state;
    sample s;
    assert_int_equal(spur__options_init(&table, &s, NULL), SPUR_OK);
    assert_true(s.flag && s.threads == -1 && s.mode == 1 && s.lr == 1e-3);
    assert_string_equal(s.path, "x");
    assert_true(s.milestones.count == 0 && s.betas.count == 2 && s.size.width == 240);
    assert_string_equal(canonical(&s, "flag", "OFF"), "false");
    assert_string_equal(canonical(&s, "threads", NULL), "auto");
    assert_string_equal(canonical(&s, "threads", "all"), "all");
    assert_string_equal(canonical(&s, "threads", "8"), "8");
    assert_string_equal(canonical(&s, "mode", "c"), "c");
    assert_string_equal(canonical(&s, "lr", "1E-2"), "0.01");
    assert_string_equal(canonical(&s, "milestones", " 3,5 , 8"), "3, 5, 8");
    assert_string_equal(canonical(&s, "betas", "0.5,0.25"), "0.5, 0.25");
    assert_string_equal(canonical(&s, "size", "64"), "64x64");
    assert_string_equal(canonical(&s, "path", "a/b"), "a/b");
    assert_string_equal(canonical(&s, "clip", NULL), "off");
    assert_string_equal(canonical(&s, "clip", "auto"), "auto");
    assert_string_equal(canonical(&s, "clip", "0"), "0");
    assert_string_equal(canonical(&s, "seed", "9007199254740992"), "9007199254740992");
    spur__options_free(&table, &s);
}

/* In any case, and all of the words. */
static void test_truth(void **state) {
    static const char *const words[][2] = {
        {"true", "FALSE"}, {"Yes", "No"}, {"ON", "off"}, {"1", "0"}};
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        bool value = i % 2;
        assert_true(spur__parse_bool(words[i / 2][i % 2], &value));
        assert_true(value == (i % 2 == 0));
    }
}

static void check_refused(sample *s, const char *name, const char *value, const char *says) {
    spur_error err = {0};
    assert_true(spur__options_set(&table, s, name, value, &err) != SPUR_OK);
    if (!strstr(err.message, says)) fail_msg("'%s' does not say '%s'", err.message, says);
}

static void test_errors(void **state) {
    (void)state;
    sample s;
    assert_int_equal(spur__options_init(&table, &s, NULL), SPUR_OK);
    check_refused(&s, "lr", "0", "lr: found '0', expected number in (0, 1]");
    check_refused(&s, "lr", "2", "expected number in (0, 1]");
    check_refused(&s, "betas", "0.5, 1", "in [0, 1)");
    check_refused(&s, "betas", "-1", "in [0, 1)");
    check_refused(&s, "lr", "nan", "expected number");
    check_refused(&s, "decay", "inf", "expected number");
    check_refused(&s, "decay", "-0.5", "number in [0, inf)");
    check_refused(&s, "betas", "0.9, nan", "numbers");
    check_refused(&s, "lr", "0.1x", "expected number");
    check_refused(&s, "lr", "0x10", "expected number");
    check_refused(&s, "threads", "many", "whole number in [0, 64], or auto, all");
    check_refused(&s, "threads", "-3", "whole number");
    check_refused(&s, "threads", "99999999999999999999", "whole number");
    check_refused(&s, "threads", "autos", "whole number");
    check_refused(&s, "seed", "9007199254740993", "in [0, 9007199254740992]"); /* no double */
    check_refused(&s, "mode", "d", "one of: a, b, c");
    check_refused(&s, "mode", "", "one of: a, b, c");
    check_refused(&s, "flag", "maybe", "true or false");
    check_refused(&s, "size", "10x", "HEIGHTxWIDTH");
    check_refused(&s, "size", "0x5", "HEIGHTxWIDTH");
    check_refused(&s, "size", "5x0", "HEIGHTxWIDTH");
    check_refused(&s, "size", "5x1000001", "HEIGHTxWIDTH");
    check_refused(&s, "size", "00000000000000000000000000000005x5", "HEIGHTxWIDTH");
    check_refused(&s, "milestones", "1,,2", "whole numbers");
    check_refused(&s, "milestones", "1,2,", "whole numbers");
    check_refused(&s, "path", "a b", "path: no blanks");
    check_refused(&s, "betsa", "1", "did you mean 'betas'?");
    assert_true(s.lr == 1e-3 && strcmp(s.path, "x") == 0);
    spur__options_free(&table, &s);
}

/* A list has room for so many and no more. */
static void test_long_lists(void **state) {
    char text[2 * SPUR__LIST_MAX + 2];
    sample s;
    (void)state;
    assert_int_equal(spur__options_init(&table, &s, NULL), SPUR_OK);
    for (size_t i = 0; i <= SPUR__LIST_MAX; i++) memcpy(text + 2 * i, "7,", 2);
    text[2 * SPUR__LIST_MAX - 1] = '\0';
    assert_int_equal(spur__options_set(&table, &s, "milestones", text, NULL), SPUR_OK);
    assert_true(s.milestones.count == SPUR__LIST_MAX && s.milestones.values[63] == 7);
    text[2 * SPUR__LIST_MAX - 1] = ',';
    text[2 * SPUR__LIST_MAX + 1] = '\0';
    check_refused(&s, "milestones", text, "milestones: more than 64 values");
    spur__options_free(&table, &s);
}

static void test_out_of_memory(void **state) {
    (void)state;
    sample s;
    spur__fault_malloc(1);
    assert_int_equal(spur__options_init(&table, &s, NULL), SPUR_E_MEMORY);
    spur__fault_malloc(0);
}

static void test_families(void **state) {
    (void)state;
    static const spur__kind adam = {"adam", "", NULL}, sgd = {"sgd", "", NULL};
    static const spur__kind *const kinds[] = {&adam, &sgd};
    const spur__family family = {"optimizer", "Optimizers", kinds, 2};
    spur_error err = {0};
    assert_ptr_equal(spur__family_find(&family, "sgd", &err), &sgd);
    assert_null(spur__family_find(&family, "adma", &err));
    assert_string_equal(err.message, "unknown optimizer 'adma'; did you mean 'adam'? there are: "
                                     "adam, sgd");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),        cmocka_unit_test(test_truth),
        cmocka_unit_test(test_errors),        cmocka_unit_test(test_long_lists),
        cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_families),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
