/* SPDX-License-Identifier: MIT
 *
 * What the command of a sweep's own program becomes: values for placeholders, braces of its own; its start;
 * and what is read of what it writes.
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

#include <spur/log.h>
#include "base/file.h"
#include "config/config.h"
#include "run/lock.h"
#include "run/remove.h"
#include "sweep/launch.h"
#include "sweep/program.h"

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

/* ---- the objective, from the events that the program writes ------------------------------------------- */

static spur_writer *open_events(const char *directory) {
    spur_writer *w;
    const spur_writer_options o = {.directory = directory, .flush_seconds = -1};
    assert_int_equal(spur_writer_open(&w, &o, NULL), SPUR_OK);
    return w;
}

static void log_points(spur_writer *w, int64_t first, int64_t last) {
    for (int64_t step = first; step <= last; step++) {
        spur_log_scalar(w, "val_loss", step, (double)step / 2);
        spur_log_scalar(w, "loss", step, -1);
    }
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
}

/* The objective after a further look, point by point: half the step. */
static void check_curve(program_curve *c, const fixture *f, const char *run, size_t count) {
    spur_error err;
    if (program_curve_read(c, &f->plan, run, &err) != SPUR_OK) fail_msg("%s", err.message);
    assert_int_equal(c->count, count);
    for (size_t i = 0; i < count; i++) assert_true(c->values[i] == (double)(i + 1) / 2);
}

static void zero_first_bytes(const char *path) {
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    for (int i = 0; i < 100; i++) fputc(0, file);
    assert_int_equal(fclose(file), 0);
}

/* A look reads what is new and nothing else, in the run that [program] names; it forgets what the program
 * takes back, and all of it when the next attempt has an empty directory. */
static void test_curve_is_followed(void **state) {
    static const char *const runs[] = {"", "run = .", "run = validation"};
    (void)state;
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        char command[64], run[] = "/tmp/spur_program_XXXXXX", below[64], path[4096];
        fixture f;
        program_curve c = {.run = NULL};
        assert_non_null(mkdtemp(run));
        snprintf(command, sizeof command, "p\nobjective = val_loss\n%s", runs[i]);
        snprintf(below, sizeof below, i == 2 ? "%s/validation" : "%s", run);
        open_fixture(&f, command);
        check_curve(&c, &f, run, 0);
        spur_writer *w = open_events(below);
        snprintf(path, sizeof path, "%s", spur_writer_path(w));
        check_curve(&c, &f, run, 0);
        log_points(w, 1, 100);
        check_curve(&c, &f, run, 100);
        zero_first_bytes(path);
        check_curve(&c, &f, run, 100);
        log_points(w, 101, 103);
        check_curve(&c, &f, run, 103);
        log_points(w, 51, 60);
        check_curve(&c, &f, run, 60);
        spur_writer_close(w, NULL);
        assert_int_equal(remove_content(run, TRIAL_LOCK, NULL), SPUR_OK);
        check_curve(&c, &f, run, 0);
        w = open_events(below);
        log_points(w, 1, 2);
        check_curve(&c, &f, run, 2);
        spur_writer_close(w, NULL);
        program_curve_free(&c);
        close_fixture(&f);
        assert_int_equal(remove_tree(run, NULL), SPUR_OK);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_placeholders),      cmocka_unit_test(test_doubled_braces),
        cmocka_unit_test(test_single_braces),     cmocka_unit_test(test_start),
        cmocka_unit_test(test_curve_is_followed),
    };
    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
