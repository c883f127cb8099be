/* SPDX-License-Identifier: MIT
 *
 * Columns of text on a terminal, and lines cut to them; texts and numbers of tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "output/table.h"
#include "output/terminal.h"
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

/* Control characters of both kinds, and bytes that are no text, never reach a terminal. */
static void test_line(void **state) {
    (void)state;
    spur__str s;
    spur__str_init(&s, 1000);
    text_line(&s, "a\x1b[1m\n" UMLAUT "\xc2\x9b\xff", 11);
    check_text(&s, "a\\x1b[1m\\n" UMLAUT "\xef\xbf\xbd\xef\xbf\xbd");
    spur__str_free(&s);
}

static void test_csv(void **state) {
    (void)state;
    spur__str s;
    spur__str_init(&s, 1000);
    text_csv(&s, "plain text", 10);
    check_text(&s, "plain text");
    text_csv(&s, " blank", 6);
    check_text(&s, "\" blank\"");
    text_csv(&s, "blank ", 6);
    check_text(&s, "\"blank \"");
    text_csv(&s, "a,\"b\"", 5);
    check_text(&s, "\"a,\"\"b\"\"\"");
    spur__str_free(&s);
}

static void test_numbers(void **state) {
    (void)state;
    static const uint64_t bytes[] = {999, 1000, 9949, 9950, 999499, 999500, 12345678901234567u};
    static const char *const texts[] = {"999 bytes", "1.0 kB", "9.9 kB",  "10 kB",
                                        "999 kB",    "1.0 MB", "12346 TB"};
    static const uint64_t counts[] = {0, 999, 1000, 1234567};
    static const char *const commas[] = {"0", "999", "1,000", "1,234,567"};
    spur__str s;
    spur__str_init(&s, 1000);
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        text_bytes(&s, bytes[i]);
        check_text(&s, texts[i]);
    }
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        text_count(&s, counts[i]);
        check_text(&s, commas[i]);
    }
    spur__str_free(&s);
}

static void test_durations(void **state) {
    (void)state;
    static const double seconds[] = {0, 42.4, 59.6, 727, 11527, -1, NAN};
    static const char *const texts[] = {"0:00", "0:42", "1:00", "12:07", "3:12:07", "-", "-"};
    char text[32];
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        format_duration(seconds[i], text, sizeof text);
        assert_string_equal(text, texts[i]);
    }
}

/* A time that is none leaves a file of JSON one that can be read. */
static void test_times_in_tables(void **state) {
    (void)state;
    static const column columns[] = {{"time", true}};
    static const char expected[] =
        "[\n{\"time\": 0.500000},\n{\"time\": \"NaN\"},\n{\"time\": \"Infinity\"}\n]\n";
    char *text = NULL;
    size_t size;
    table t;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    table_begin(&t, file, TABLE_JSON, columns, 1);
    table_row(&t, &(cell){.type = CELL_SECONDS, .number = 0.5});
    table_row(&t, &(cell){.type = CELL_SECONDS, .number = NAN});
    table_row(&t, &(cell){.type = CELL_SECONDS, .number = INFINITY});
    assert_int_equal(table_end(&t), SPUR_OK);
    fclose(file);
    assert_string_equal(text, expected);
    free(text);
}

/* A whole table as LaTeX takes it, whatever the texts hold; and one without rows. */
static void test_latex(void **state) {
    static const column columns[] = {{"a_b", false}, {"x", true}};
    static const char odd[] = "50% of {#1}\n$5 & ~^\\ 1 \xc2\xb1 2";
    static const char *const rows =
        "50\\% of \\{\\#1\\} \\$5 \\& \\textasciitilde{}\\textasciicircum{}\\textbackslash{} "
        "1 $\\pm$ 2 & $\\infty$ \\\\\n & $-\\infty$ \\\\\nplain & 0.5 \\\\\n";
    char *text = NULL, expected[512];
    size_t size;
    table t;
    (void)state;
    for (int filled = 1; filled >= 0; filled--) {
        FILE *file = open_memstream(&text, &size);
        assert_non_null(file);
        table_begin(&t, file, TABLE_LATEX, columns, 2);
        table_head(&t);
        if (filled) {
            table_row(&t, (cell[]){cell_text(odd, sizeof odd - 1), cell_number(INFINITY)});
            table_row(&t, (cell[]){{.type = CELL_NONE}, cell_number(-INFINITY)});
            table_row(&t, (cell[]){cell_text("plain", 5), cell_number(0.5)});
        }
        assert_int_equal(table_end(&t), SPUR_OK);
        fclose(file);
        snprintf(
            expected, sizeof expected,
            "\\begin{tabular}{lr}\n\\hline\na\\_b & x \\\\\n\\hline\n%s\\hline\n\\end{tabular}\n",
            filled ? rows : "");
        assert_string_equal(text, expected);
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),   cmocka_unit_test(test_columns_of_broken_text),
        cmocka_unit_test(test_cut),       cmocka_unit_test(test_right),
        cmocka_unit_test(test_markdown),  cmocka_unit_test(test_line),
        cmocka_unit_test(test_csv),       cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_durations), cmocka_unit_test(test_times_in_tables),
        cmocka_unit_test(test_latex),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
