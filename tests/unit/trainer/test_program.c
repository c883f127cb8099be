/* SPDX-License-Identifier: MIT
 *
 * What the command of a sweep's own program becomes: values for placeholders, braces of its own; its start.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "config/config.h"
#include "run/remove.h"
#include "sweep/launch.h"

/* A sweep of a program, and the values of its first trial. */
typedef struct fixture {
    document doc;
    config cfg;
    sweep_plan plan;
    assignment first;
} fixture;

static void open_fixture(fixture *f, const char *command) {
    char ini[512];
    spur_error err;
    document_init(&f->doc);
    snprintf(ini, sizeof ini,
             "[program]\ncommand = %s\n[param]\nlr = 0.1\n[sweep]\nseeds = 3\nparam.lr = 1, 2\n",
             command);
    assert_int_equal(document_parse(&f->doc, "t.ini", ini, strlen(ini), &err), SPUR_OK);
    assert_int_equal(config_resolve(&f->cfg, &f->doc, &err), SPUR_OK);
    assert_int_equal(sweep_plan_make(&f->plan, &f->cfg, &err), SPUR_OK);
    assert_int_equal(assignment_init(&f->plan.space, &f->first), SPUR_OK);
    assert_true(assignment_set(&f->first, 0, "1"));
}

static void close_fixture(fixture *f) {
    assignment_free(&f->plan.space, &f->first);
    sweep_plan_free(&f->plan);
    config_free(&f->cfg);
}

/* The command of the first trial, seed 3, in /r; or the message why there is none. */
static void check_command(const char *command, spur_status expected, const char *text) {
    fixture f;
    spur_error err;
    spur__str out;
    open_fixture(&f, command);
    spur__str_init(&out, 1 << 16);
    assert_int_equal(program_command(&f.plan, &f.first, 3, "/r", &out, &err), expected);
    assert_string_equal(expected == SPUR_OK ? spur__str_text(&out) : err.message, text);
    spur__str_free(&out);
    close_fixture(&f);
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

/* It sees no input, its owner is known, and the lock that was taken for it is its own. */
static void test_start(void **state) {
    (void)state;
    fixture f;
    spur_error err;
    pid_t pid;
    int status, lock, other;
    char folder[] = "/tmp/spur_program_XXXXXX", run[64], path[80];
    assert_non_null(mkdtemp(folder));
    snprintf(run, sizeof run, "%s/trial", folder);
    snprintf(path, sizeof path, "%s/go", run);
    open_fixture(&f, "grep -q \" $$ \" \"$SPUR_RUN_DIR/trial.lock\" && ! read x && "
                     "while [ ! -e \"$SPUR_RUN_DIR/go\" ]; do sleep 0.01; done");
    launch l = {.plan = &f.plan,
                .dir = &(sweep_dir){.path = folder},
                .name = "trial",
                .configuration = 1,
                .assigned = &f.first,
                .seed = 3,
                .threads = 1};
    if (launch_hold(run, &lock, &err) != SPUR_OK) fail_msg("%s", err.message);
    l.lock = lock;
    if (launch_trial(&l, &pid, &err) != SPUR_OK) fail_msg("%s", err.message);
    close(lock);
    assert_int_equal(launch_hold(run, &other, &err), SPUR_E_STATE);
    assert_int_equal(spur__file_write(path, "", 0, NULL), SPUR_OK);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(program_exit_status(run), 0);
    assert_int_equal(launch_hold(run, &lock, &err), SPUR_OK);
    close(lock);
    if (remove_tree(folder, &err) != SPUR_OK) fail_msg("%s", err.message);
    close_fixture(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_placeholders),
        cmocka_unit_test(test_doubled_braces),
        cmocka_unit_test(test_single_braces),
        cmocka_unit_test(test_start),
    };
    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
