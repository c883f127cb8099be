/* SPDX-License-Identifier: MIT
 *
 * Pruners: median and asha stop what Optuna's stop on recorded curves (tests/golden/pruners.txt),
 * hyperband is asha inside brackets filled in proportion, made for the longest trial.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "run/remove.h"
#include "sweep/pruner.h"
#include "sweep/trial.h"

enum { EPOCHS = 20, TRIALS = 40 };

typedef struct recording {
    char name[32], direction[16];
    size_t stopped; /* epoch, 0: never */
    double values[EPOCHS];
} recording;

static const pruner *find(const char *name) {
    return (const pruner *)(const void *)spur__family_find(&pruner_family, name, NULL);
}

static bool read_recording(FILE *f, recording *r) {
    if (fscanf(f, "%31s %15s %zu", r->name, r->direction, &r->stopped) != 3) return false;
    for (size_t i = 0; i < EPOCHS; i++) assert_int_equal(fscanf(f, "%lf", &r->values[i]), 1);
    return true;
}

/* Epoch at which the pruner stops curve `self`, whose values grow one at a time. */
static size_t replay(const pruner *p, const void *options, learning_curve *curves, size_t self,
                     bool max) {
    for (size_t epoch = 1; epoch <= EPOCHS; epoch++) {
        curves[self].count = epoch;
        if (p->prune(options, curves, self + 1, self, max)) return epoch;
    }
    curves[self].finished = true;
    return 0;
}

static void check_study(const recording *r, const pruner *p, const void *options) {
    learning_curve curves[TRIALS] = {0};
    for (size_t i = 0; i < TRIALS; i++) {
        curves[i] = (learning_curve){.trial = i, .values = r[i].values};
        size_t stopped = replay(p, options, curves, i, strcmp(r[i].direction, "maximize") == 0);
        if (stopped != r[i].stopped)
            fail_msg("%s %s, trial %zu: stopped at %zu, expected %zu", r[i].name, r[i].direction, i,
                     stopped, r[i].stopped);
    }
}

static void test_optuna(void **state) {
    (void)state;
    const median_options median = {.startup_trials = 5};
    const median_options warm = {.startup_trials = 3, .warmup_epochs = 4};
    const asha_options asha = {.min_resource = 1, .reduction_factor = 4};
    const asha_options late = {2, 3, 1};
    static recording r[TRIALS];
    size_t studies = 0;
    FILE *f = fopen(SPUR_TEST_SOURCE_DIR "/golden/pruners.txt", "r");
    assert_non_null(f);
    for (; read_recording(f, &r[0]); studies++) {
        for (size_t i = 1; i < TRIALS; i++) assert_true(read_recording(f, &r[i]));
        if (strcmp(r[0].name, "median") == 0)
            check_study(r, find("median"), &median);
        else if (strcmp(r[0].name, "median_warm") == 0)
            check_study(r, find("median"), &warm);
        else if (strcmp(r[0].name, "asha") == 0)
            check_study(r, find("asha"), &asha);
        else
            check_study(r, find("asha"), &late);
    }
    fclose(f);
    assert_int_equal(studies, 8);
}

static void test_nan_is_stopped(void **state) {
    (void)state;
    const double nan_value = strtod("nan", NULL), good[] = {1, 2};
    const learning_curve curves[] = {{0, good, 2, true}, {1, &nan_value, 1, false}};
    const asha_options asha = {.min_resource = 1, .reduction_factor = 2};
    assert_true(find("asha")->prune(&asha, curves, 2, 1, false));
    assert_false(find("none")->prune(NULL, curves, 2, 1, false));
}

static void test_hyperband_brackets(void **state) {
    (void)state;
    const hyperband_options o = {.min_resource = 1, .max_resource = 27, .reduction_factor = 3};
    size_t filled[4] = {0};
    for (size_t number = 0; number < 4000; number++) {
        size_t b = hyperband_bracket(&o, number);
        assert_true(b < 4);
        filled[b]++;
    }
    /* budgets ceil(4 * 3^s / (s + 1)), s = 3..0: 27, 12, 6, 4 of 49 */
    assert_in_range(filled[0], 4000 * 25 / 49, 4000 * 29 / 49);
    assert_in_range(filled[3], 4000 * 3 / 49, 4000 * 5 / 49);
}

/* A trial competes inside its own bracket only. */
static void test_hyperband_competes_in_bracket(void **state) {
    (void)state;
    const hyperband_options o = {.min_resource = 1, .max_resource = 27, .reduction_factor = 3};
    size_t same[2], count = 0, other = 0;
    for (size_t number = 0; count < 2; number++)
        if (hyperband_bracket(&o, number) == 0) same[count++] = number;
    while (hyperband_bracket(&o, other) == 0) other++;
    const double low = 0.1, high = 0.9;
    const learning_curve rivals[] = {{same[0], &low, 1, false}, {same[1], &high, 1, false}};
    const learning_curve strangers[] = {{other, &low, 1, false}, {same[1], &high, 1, false}};
    assert_true(find("hyperband")->prune(&o, rivals, 2, 1, false));
    assert_false(find("hyperband")->prune(&o, strangers, 2, 1, false));
}

static void write_text(const char *directory, const char *name, const char *text) {
    spur_error err;
    char *path = spur__path_join(directory, name);
    if (spur__file_write(path, text, strlen(text), &err) != SPUR_OK) fail_msg("%s", err.message);
    spur__free(path);
}

/* The longest trial of hyperband as a trial reads it from its sweep's sweep.ini. */
static int64_t longest(const char *sweep_ini) {
    char sweep[] = "/tmp/spur_pruner_XXXXXX", run[64];
    spur_error err;
    trial t;
    assert_non_null(mkdtemp(sweep));
    snprintf(run, sizeof run, "%s/trial_0001", sweep);
    if (spur__mkdirs(run, &err) != SPUR_OK) fail_msg("%s", err.message);
    write_text(sweep, "sweep.ini", sweep_ini);
    write_text(run, "trial.ini", "[trial]\nconfiguration = 1\nseed = 1\n");
    if (trial_open(&t, run, &err) != SPUR_OK) fail_msg("%s", err.message);
    int64_t found = t.settings.hyperband.max_resource;
    trial_close(&t);
    if (remove_tree(sweep, &err) != SPUR_OK) fail_msg("%s", err.message);
    return found;
}

static void test_hyperband_longest_trial(void **state) {
    (void)state;
    assert_int_equal(longest("[train]\nepochs = 12\n[sweep]\npruner = hyperband\n"), 12);
    assert_int_equal(longest("[train]\nepochs = 12\n[sweep]\nhyperband_max_resource = 5\n"
                             "train.epochs = 3, 9\n"),
                     5);
    assert_int_equal(longest("[train]\nepochs = 12\n[sweep]\ntrain.epochs = 3, 9, 27, 8\n"), 27);
    assert_int_equal(longest("[train]\nepochs = 12\n[sweep]\ntrain.epochs = range(3, 5)\n"), 5);
    /* where the condition does not hold, [train] does */
    assert_int_equal(longest("[train]\nepochs = 12\n[sweep]\noptimizer.name = sgd, adam\n"
                             "train.epochs = 3, 9 if optimizer.name == sgd\n"),
                     12);
    sweep_settings program = {.method = NULL};
    sweep_settle_resource(&program, 0, NULL);
    assert_int_equal(program.hyperband.max_resource, 27);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_optuna),
        cmocka_unit_test(test_nan_is_stopped),
        cmocka_unit_test(test_hyperband_brackets),
        cmocka_unit_test(test_hyperband_competes_in_bracket),
        cmocka_unit_test(test_hyperband_longest_trial),
    };
    return cmocka_run_group_tests_name("pruner", tests, NULL, NULL);
}
