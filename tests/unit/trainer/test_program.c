/* SPDX-License-Identifier: MIT
 *
 * What the command of a sweep's own program becomes: values for placeholders, braces of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "sweep/launch.h"

/* The command of the first trial, seed 3, in /r; or the message why there is none. */
static void check_command(const char *command, spur_status expected, const char *text) {
    char ini[512];
    document doc;
    config cfg;
    sweep_plan plan;
    assignment none;
    spur_error err;
    spur__str out;
    document_init(&doc);
    snprintf(ini, sizeof ini,
             "[program]\ncommand = %s\n[param]\nlr = 0.1\n[sweep]\nseeds = 3\nparam.lr = 1, 2\n",
             command);
    assert_int_equal(document_parse(&doc, "t.ini", ini, strlen(ini), &err), SPUR_OK);
    assert_int_equal(config_resolve(&cfg, &doc, &err), SPUR_OK);
    assert_int_equal(sweep_plan_make(&plan, &cfg, &err), SPUR_OK);
    assert_int_equal(assignment_init(&plan.space, &none), SPUR_OK);
    assert_true(assignment_set(&none, 0, "1"));
    spur__str_init(&out, 1 << 16);
    assert_int_equal(program_command(&plan, &none, 3, "/r", &out, &err), expected);
    assert_string_equal(expected == SPUR_OK ? spur__str_text(&out) : err.message, text);
    spur__str_free(&out);
    assignment_free(&plan.space, &none);
    sweep_plan_free(&plan);
    config_free(&cfg);
}

static void test_placeholders(void **state) {
    (void)state;
    check_command("p {lr} {seed} {run_dir}", SPUR_OK, "p '1' '3' '/r'");
    check_command("p {sed}", SPUR_E_NOTFOUND,
                  "t.ini:2:11: {sed} is neither in [param] nor varied; for braces of the command's "
                  "own write {{ and }}");
}

static void test_doubled_braces(void **state) {
    (void)state;
    check_command("awk '{{print $1}}' {lr}", SPUR_OK, "awk '{print $1}' '1'");
    check_command("p ${{X}} {{{lr}}} {{{{", SPUR_OK, "p ${X} {'1'} {{");
    check_command("p {{\"a\": {{\"lr\": {lr}}}}}", SPUR_OK, "p {\"a\": {\"lr\": '1'}}");
}

/* What cannot begin a placeholder needs no doubling. */
static void test_single_braces(void **state) {
    (void)state;
    check_command("p } {lr}}} }} {", SPUR_OK, "p } '1'}} }} {");
    check_command("p {{ } {", SPUR_OK, "p { } {");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_placeholders),
        cmocka_unit_test(test_doubled_braces),
        cmocka_unit_test(test_single_braces),
    };
    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
