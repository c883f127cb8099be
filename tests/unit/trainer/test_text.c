/* SPDX-License-Identifier: MIT
 *
 * Columns of text on a terminal, and lines cut to them; cells of Markdown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "output/text.h"

#define KANJI "\xe5\xad\xa6" /* two columns */
#define UMLAUT "\xc3\xa4"
#define ACUTE "\xcc\x81" /* sits on the letter before */

static void check_text(spur__str *s, const char *expected) {
    assert_string_equal(spur__str_text(s), expected);
    spur__str_clear(s);
}

static void test_columns(void **state) {
    (void)state;
    assert_int_equal(text_columns(""), 0);
    assert_int_equal(text_columns("a" UMLAUT "b"), 3);
    assert_int_equal(text_columns(KANJI KANJI), 4);
    assert_int_equal(text_columns("e" ACUTE), 1);
    assert_int_equal(text_columns_n("a" KANJI "b, c", 5), 4);
    assert_int_equal(text_columns_n("abc", 0), 0);
    assert_int_equal(spur__utf8_fitting(KANJI KANJI, 3), 3);
    assert_int_equal(spur__utf8_fitting("e" ACUTE "e", 1), 3);
}

/* A sequence that the end of the text cuts off ends there, whatever lies behind. */
static void test_columns_of_broken_text(void **state) {
    (void)state;
    static const char *const texts[] = {"\xf0", "a\xf0\x9f\x98", "\xe5\xad", "\xc3", "\x80\xff"};
    static const size_t columns[] = {1, 2, 1, 1, 2};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *text = spur__malloc(strlen(texts[i]) + 8);
        memset(text, 0x80, strlen(texts[i]) + 8);
        memcpy(text, texts[i], strlen(texts[i]) + 1);
        assert_int_equal(text_columns(text), columns[i]);
        spur__free(text);
    }
}

static void test_cut(void **state) {
    (void)state;
    spur__str s;
    spur__str_init(&s, 1000);
    text_cut(&s, "lr=0.1", 6);
    check_text(&s, "lr=0.1");
    text_cut(&s, "lr=0.1", 5);
    check_text(&s, "lr...");
    text_cut(&s, KANJI KANJI KANJI, 6);
    check_text(&s, KANJI KANJI KANJI);
    text_cut(&s, KANJI KANJI KANJI, 5); /* the dots and one that fits before them */
    check_text(&s, KANJI "...");
    text_cut(&s, "abcd", 2);
    check_text(&s, "..");
    text_cut(&s, "abcd", 0);
    check_text(&s, "");
    spur__str_free(&s);
}

static void test_right(void **state) {
    (void)state;
    spur__str s;
    spur__str_init(&s, 1000);
    text_right(&s, "a" UMLAUT, 4);
    check_text(&s, "  a" UMLAUT);
    text_right(&s, KANJI, 3);
    check_text(&s, " " KANJI);
    text_right(&s, "too long", 3);
    check_text(&s, "too long");
    spur__str_free(&s);
}

/* Nothing in a cell ends it or is markup, and every line break is one. */
static void test_markdown(void **state) {
    (void)state;
    spur__str s;
    spur__str_init(&s, 1000);
    text_markdown(&s, "", 0);
    check_text(&s, "");
    text_markdown(&s, "a|b\\ `c` *d* _e_ [f](g) h", 25);
    check_text(&s, "a\\|b\\\\ \\`c\\` \\*d\\* \\_e\\_ \\[f](g) h");
    text_markdown(&s, "<b> & &lt; &#124;", 17);
    check_text(&s, "&lt;b> & &amp;lt; &amp;#124;");
    text_markdown(&s, "a\n|\n\nb\x1b" UMLAUT "\n", 10);
    check_text(&s, "a<br>\\|<br><br>b\\\\x1b" UMLAUT "<br>");
    text_markdown(&s, "cut off", 3);
    check_text(&s, "cut");
    spur__str_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),  cmocka_unit_test(test_columns_of_broken_text),
        cmocka_unit_test(test_cut),      cmocka_unit_test(test_right),
        cmocka_unit_test(test_markdown),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
