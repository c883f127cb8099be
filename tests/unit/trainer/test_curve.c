/* SPDX-License-Identifier: MIT
 *
 * Line charts in text: where the lines are, where there is none, and what does not fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>

#include <cmocka.h>

#include "output/curve.h"

static void check_chart(const text_curve *curve, const char *expected) {
    spur__str out;
    spur__str_init(&out, 1 << 16);
    draw_text_curve(curve, &out);
    assert_string_equal(spur__str_text(&out), expected);
    spur__str_free(&out);
}

/* A value that is no number interrupts the line. */
static void test_line(void **state) {
    (void)state;
    static const double x[] = {0, 1, 2, 3, 4}, y[] = {0, 0, NAN, 4, 4};
    check_chart(&(text_curve){x, y, 5, .mark = NAN, .columns = 12, .rows = 2},
                "        4 |        ****\n"
                "        0 |****        \n"
                "           0          4\n");
}

/* What a mark is worth stands where there is room for it. */
static void test_mark(void **state) {
    (void)state;
    static const double x[] = {1, 10, 100}, y[] = {1, 1, 1};
    text_curve curve = {x, y, 3, .log_x = true, .mark = 10, .columns = 13, .rows = 1};
    check_chart(&curve, "        1 |*************\n"
                        "           1         100\n"
                        "                 ^ 10\n");
    curve.mark = 100;
    check_chart(&curve, "        1 |*************\n"
                        "           1         100\n"
                        "                 1e+02 ^\n");
    curve.mark = 101;
    check_chart(&curve, "        1 |*************\n"
                        "           1         100\n");
}

/* One value has one label; a single point, one so large that 1 more changes nothing, has a place. */
static void test_level(void **state) {
    (void)state;
    static const double x[] = {1, 2, 3}, y[] = {1e-3, 1e-3, 1e-3}, large[] = {1e20};
    check_chart(&(text_curve){x, y, 3, .mark = NAN, .columns = 12, .rows = 2},
                "          |            \n"
                "    0.001 |************\n"
                "           1          3\n");
    check_chart(&(text_curve){large, large, 1, .mark = NAN, .columns = 4, .rows = 2},
                "          |    \n"
                "    1e+20 |*   \n"
                "           1e+20\n");
}

/* A terminal of a few columns has no room for any. */
static void test_no_room(void **state) {
    (void)state;
    static const double x[] = {0, 1}, y[] = {0, 1};
    for (int columns = -5; columns <= 0; columns++)
        check_chart(&(text_curve){x, y, 2, .mark = NAN, .columns = columns, .rows = 9}, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_mark),
        cmocka_unit_test(test_level),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests_name("curve", tests, NULL, NULL);
}
