/* SPDX-License-Identifier: MIT
 *
 * base: strings, checksums, random numbers, files.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/crc32c.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/str.h"

static void test_crc_vectors(void **state) {
    (void)state;
    unsigned char zeros[32] = {0};
    assert_int_equal(spur__crc32c(0, "123456789", 9), 0xe3069283u);
    assert_int_equal(spur__crc32c_mask(0xe3069283u), 0xc78ab0e5u);
    assert_int_equal(spur__crc32c(0, zeros, 32), 0x8a9136aau);
    assert_int_equal(spur__crc32c_mask(spur__crc32c(0, "", 0)), 0xa282ead8u);
    assert_int_equal(spur__crc32c_mask(spur__crc32c(0, zeros, 8)), 0x07980329u);
    assert_int_equal(spur__crc32c_unmask(0xc78ab0e5u), 0xe3069283u);
}

static void test_crc_instruction_equals_table(void **state) {
    (void)state;
    unsigned char bytes[10000];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * 131 + (i >> 7));
    for (size_t n = 0; n < sizeof bytes; n = n * 3 / 2 + 1)
        for (size_t start = 0; start < 9 && start + n < sizeof bytes; start++)
            assert_int_equal(spur__crc32c(7, bytes + start, n),
                             spur__crc32c_portable(7, bytes + start, n));
}

/* Known answers of the Random123 distribution (kat_vectors, philox4x32 with 10 rounds). */
static void test_philox_known_answers(void **state) {
    (void)state;
    const uint32_t zero_key[2] = {0, 0}, zero[4] = {0, 0, 0, 0};
    const uint32_t ones_key[2] = {~0u, ~0u}, ones[4] = {~0u, ~0u, ~0u, ~0u};
    uint32_t out[4];
    spur__philox(zero_key, zero, out);
    assert_int_equal(out[0], 0x6627e8d5u);
    assert_int_equal(out[3], 0x9b00dbd8u);
    spur__philox(ones_key, ones, out);
    assert_int_equal(out[0], 0x408f276du);
    assert_int_equal(out[3], 0x6d5451fdu);
}

/* Any place of a sequence can be gone to, in any order. */
static void test_random_seek(void **state) {
    spur__rng rng;
    uint32_t numbers[23];
    (void)state;
    spur__rng_init(&rng, 7, SPUR__STREAM_TEST, 1, 2);
    for (int i = 0; i < 23; i++) numbers[i] = spur__rng_u32(&rng);
    for (int i = 22; i >= 0; i--) {
        spur__rng_seek(&rng, (uint64_t)i);
        assert_int_equal(spur__rng_u32(&rng), numbers[i]);
        if (i < 22) assert_int_equal(spur__rng_u32(&rng), numbers[i + 1]);
    }
}

/* Zeroed, aligned, and usable to the last byte. */
static void test_arena(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 100, 3 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        spur__arena arena;
        assert_true(spur__arena_create(&arena, sizes[i]));
        assert_true(arena.size >= sizes[i] && (uintptr_t)arena.base % 64 == 0);
        for (size_t k = 0; k < arena.size; k += 4095) assert_int_equal(arena.base[k], 0);
        if (arena.size) arena.base[arena.size - 1] = 1;
        spur__arena_destroy(&arena);
        assert_null(arena.base);
        spur__fault_malloc(1);
        assert_false(spur__arena_create(&arena, sizes[i]));
        spur__fault_malloc(0);
    }
}

static void test_utf8(void **state) {
    (void)state;
    assert_true(spur__utf8_valid("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10));
    assert_false(spur__utf8_valid("\xc0\x80", 2));
    assert_false(spur__utf8_valid("\xed\xa0\x80", 3));
    assert_false(spur__utf8_valid("\xe2\x82", 2));
    assert_false(spur__utf8_valid("\xf4\x90\x80\x80", 4));
    assert_false(spur__utf8_valid("\x80", 1));
}

/* JSON is UTF-8, whatever the name of a file is. */
static void test_json(void **state) {
    spur__str s;
    (void)state;
    spur__str_init(&s, 1024);
    spur__str_json(&s, "a\"\\\n\t\x01\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_string_equal(spur__str_text(&s), "\"a\\\"\\\\\\n\\t\\u0001\\u007f\xc3\xa9\xe2\x82\xac"
                                            "\xf0\x9f\x98\x80\"");
    spur__str_clear(&s);
    spur__str_json(&s, "\xff"
                       "b\xe9\xc3\xa9\xe2\x82");
    assert_string_equal(spur__str_text(&s), "\"\\ufffdb\\ufffd\xc3\xa9\\ufffd\\ufffd\"");
    spur__str_free(&s);
}

static void test_str_limit_sticks(void **state) {
    (void)state;
    spur__str s;
    spur__str_init(&s, 5);
    spur__str_puts(&s, "abc");
    spur__str_puts(&s, "def");
    spur__str_puts(&s, "g");
    assert_int_equal(spur__str_status(&s), SPUR_E_RANGE);
    assert_string_equal(spur__str_text(&s), "abc");
    spur__str_free(&s);
}

static void test_shortest_double(void **state) {
    (void)state;
    spur__str s;
    spur__str_init(&s, 100);
    spur__str_double(&s, 0.001);
    spur__str_putc(&s, ' ');
    spur__str_double(&s, 1.0 / 3);
    assert_string_equal(spur__str_text(&s), "0.001 0.3333333333333333");
    spur__str_free(&s);
}

static const char *name_at(const void *names, size_t i) {
    return ((const char *const *)names)[i];
}

static const char *nearest(const char *text) {
    static const char *const names[] = {"lr", "momentum", "weight_decay", "eps"};
    const char *near = spur__nearest(text, sizeof names / sizeof names[0], name_at, names);
    return near ? near : "none";
}

/* One slip in a short name, a third of a long one and a little more; two letters changed about are one
 * slip. */
static void test_nearest(void **state) {
    (void)state;
    assert_string_equal(nearest("rl"), "lr");
    assert_string_equal(nearest("l"), "lr");
    assert_string_equal(nearest("xy"), "none");
    assert_string_equal(nearest("esp"), "eps");
    assert_string_equal(nearest("moment"), "momentum");
    assert_string_equal(nearest("mo_tum"), "momentum");
    assert_string_equal(nearest("mo"), "none");
    assert_string_equal(nearest("weight"), "none");
    assert_string_equal(nearest("wieghtdecay"), "weight_decay");
    assert_string_equal(nearest("a very long text that is nearer to no name than to any other one"),
                        "none");
    assert_int_equal(spur__edit_distance("", "abc"), 3);
    assert_int_equal(spur__edit_distance("ab", "ba"), 1);
    assert_int_equal(spur__edit_distance("abcd", "acbe"), 2);
    assert_int_equal(spur__edit_distance("kitten", "sitting"), 3);
}

static void check_plain_numbers(void) {
    double x = 0;
    spur__str s;
    spur__str_init(&s, 100);
    spur__str_double(&s, 0.25);
    spur__str_putc(&s, ' ');
    spur__str_float(&s, -1.5f);
    assert_string_equal(spur__str_text(&s), "0.25 -1.5");
    spur__str_free(&s);
    assert_true(spur__parse_double("-0.75e1", &x));
    assert_true(x == -7.5);
    assert_false(spur__parse_double("1,5", &x));
    assert_false(spur__parse_double("1.5 ", &x));
    assert_false(spur__parse_double(" 1.5", &x));
    assert_false(spur__parse_double("", &x));
    assert_false(spur__parse_double("0x10", &x));
    assert_false(spur__parse_double("1e999", &x));
    assert_true(spur__parse_double("1e-999", &x) && x == 0);
}

/* The same in the locale of a program that calls us; many systems have none but C. */
static void test_numbers_in_any_locale(void **state) {
    static const char *const locales[] = {"C", "de_DE.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8"};
    (void)state;
    for (size_t i = 0; i < sizeof locales / sizeof locales[0]; i++)
        if (setlocale(LC_ALL, locales[i])) check_plain_numbers();
    setlocale(LC_ALL, "C");
}

static void test_parse_int(void **state) {
    static const char *const bad[] = {"",
                                      " 1",
                                      "1 ",
                                      "+",
                                      "-",
                                      "--1",
                                      "1.0",
                                      "0x1",
                                      "1e3",
                                      "9223372036854775808",
                                      "-9223372036854775809"};
    long long n = 7;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(spur__parse_int(bad[i], &n));
    assert_int_equal(n, 7);
    assert_true(spur__parse_int("+12", &n) && n == 12);
    assert_true(spur__parse_int("-9223372036854775808", &n) && n == INT64_MIN);
    assert_true(spur__parse_int("9223372036854775807", &n) && n == INT64_MAX);
}

static void test_injected_failure(void **state) {
    (void)state;
    spur__fault_malloc(2);
    void *first = spur__malloc(1);
    assert_non_null(first);
    assert_null(spur__malloc(1));
    spur__free(first);
    assert_null(spur__malloc_array(SIZE_MAX / 2, 3));
    spur__fault_malloc(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc_vectors),
        cmocka_unit_test(test_crc_instruction_equals_table),
        cmocka_unit_test(test_philox_known_answers),
        cmocka_unit_test(test_random_seek),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_str_limit_sticks),
        cmocka_unit_test(test_shortest_double),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_numbers_in_any_locale),
        cmocka_unit_test(test_parse_int),
        cmocka_unit_test(test_injected_failure),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
