/* SPDX-License-Identifier: MIT
 *
 * The grammar of a search space, what grid and random enumerate, and that tpe learns.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/search.h"
#include "sweep/settings.h"
#include "sweep/stats.h"

static const search_method *find(const char *name) {
    return (const search_method *)(const void *)spur__family_find(&search_family, name, NULL);
}

static void add(space *s, const char *name, const char *text) {
    spur_error err = {0};
    if (space_add(s, name, text, false, &err) != SPUR_OK) fail_msg("%s", err.message);
}

static void check_description(const char *text, bool is_list, const char *expected) {
    space s;
    spur__str out;
    spur_error err = {0};
    space_init(&s);
    spur__str_init(&out, 1000);
    if (space_add(&s, "a.b", text, is_list, &err) != SPUR_OK) fail_msg("%s", err.message);
    space_describe(&s, &out);
    assert_string_equal(spur__str_text(&out), expected);
    spur__str_free(&out);
    space_free(&s);
}

static void test_grammar(void **state) {
    (void)state;
    check_description("1e-2, 1e-3", false, "a.b = 1e-2 | 1e-3\n");
    check_description("choice(a, b , c)", false, "a.b = a | b | c\n");
    check_description("0.9, 0.999 | 0.8, 0.99", true, "a.b = 0.9, 0.999 | 0.8, 0.99\n");
    check_description("range(2, 6)", false, "a.b = 2 | 3 | 4 | 5 | 6\n");
    check_description("range(0, 0.3, 0.1)", false, "a.b = 0 | 0.1 | 0.2 | 0.3\n");
    check_description("range(1, 4, 2)", false, "a.b = 1 | 3\n");
    check_description("range(-0.3, 0.3, 0.1)", false,
                      "a.b = -0.3 | -0.2 | -0.1 | 0 | 0.1 | 0.2 | 0.3\n");
    check_description("range(1e-13, 3e-13, 1e-13)", false, "a.b = 1e-13 | 2e-13 | 3e-13\n");
    check_description("range(9007199254740001, 9007199254740003)", false,
                      "a.b = 9007199254740001 | 9007199254740002 | 9007199254740003\n");
    check_description("uniform(0, 0.5)", false, "a.b = uniform(0, 0.5)\n");
    check_description("log(1e-4, 1e-1)", false, "a.b = log(0.0001, 0.1)\n");
    check_description("f1(class=1), f1(class=2)", false, "a.b = f1(class=1) | f1(class=2)\n");
    check_description("(a | b))", false, "a.b = (a | b))\n");
    check_description("choice(0, 0.9) if optimizer.name == sgd and x.y == 2", false,
                      "a.b = 0 | 0.9 if optimizer.name == sgd and x.y == 2\n");
}

static void test_grammar_errors(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "",          "a,,b",       "a, a",          "range(1)",       "range(5, 1)",
        "log(0, 1)", "log(1)",     "uniform(2, 1)", "range(1, 2, 0)", "range(0, 1e9)",
        "a if",      "a if b = c", "a if x.y == ",  "uniform(a, b)",  "a if plain == 3",
        "log(1, 2",  "choice(a",   "a, b)",         "f(x=1, y=2), g", ")(, a",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        space s;
        spur_error err = {0};
        space_init(&s);
        if (strcmp(wrong[i], "a if") == 0) continue; /* a value with a blank in it is fine */
        if (space_add(&s, "a.b", wrong[i], false, &err) == SPUR_OK)
            fail_msg("'%s' was accepted", wrong[i]);
        assert_non_null(strstr(err.message, "a.b"));
        assert_int_equal(s.count, 0);
    }
}

static void test_seeds(void **state) {
    (void)state;
    int64_t seeds[SWEEP_MAX_SEEDS];
    static const char *const wrong[] = {"",
                                        "1, 1",
                                        "1..3, 2",
                                        "3..1",
                                        "-1",
                                        "1,, 2",
                                        "1..",
                                        "x",
                                        "0..1000",
                                        "1..1000, 0",
                                        "9007199254740993",
                                        "9223372036854775807"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(sweep_parse_seeds(wrong[i], seeds), 0);
    assert_int_equal(sweep_parse_seeds("0..999", seeds), SWEEP_MAX_SEEDS);
    assert_int_equal(sweep_parse_seeds(" 7, 3 .. 5,9007199254740992", seeds), 5);
    const int64_t expected[] = {7, 3, 4, 5, 9007199254740992};
    assert_memory_equal(seeds, expected, sizeof expected);
}

static void test_condition_checks(void **state) {
    (void)state;
    space s;
    spur_error err = {0};
    size_t wrong = SIZE_MAX;
    space_init(&s);
    add(&s, "optimizer.name", "sgd, adam");
    add(&s, "optimizer.momentum", "0, 0.9 if optimizer.name == rmsprop");
    assert_int_equal(space_check(&s, NULL, NULL, &wrong, &err), SPUR_E_RANGE);
    assert_int_equal(wrong, 1);
    space_free(&s);
    space_init(&s);
    add(&s, "optimizer.momentum", "0, 0.9 if model.nmae == x");
    assert_int_equal(space_check(&s, NULL, NULL, &wrong, &err), SPUR_E_NOTFOUND);
    space_free(&s);
    space_init(&s);
    add(&s, "a.x", "1, 2 if a.y == 1");
    add(&s, "a.y", "1, 2 if a.x == 1");
    assert_int_equal(space_check(&s, NULL, NULL, &wrong, &err), SPUR_E_ARGUMENT);
    space_free(&s);
}

static const char *look_up(const void *context, const char *name) {
    (void)context;
    return strcmp(name, "optimizer.lr") == 0 ? "0.01" : strcmp(name, "d.on") == 0 ? "true" : NULL;
}

/* A condition compares values, not spellings: of what is varied, and of what the file says. */
static void test_conditions_compare_values(void **state) {
    static const char *const holds[] = {"optimizer.lr == 1e-2", "optimizer.lr == 0.010",
                                        "d.on == yes", "a.x == 5e-1 and a.y == off"};
    static const char *const never[] = {"optimizer.lr == 1e-3", "d.on == no", "a.y == on"};
    (void)state;
    for (size_t i = 0; i < 7; i++) {
        space s;
        assignment a;
        spur_error err = {0};
        size_t wrong;
        char text[80];
        space_init(&s);
        add(&s, "a.x", "0.5, 1");
        add(&s, "a.y", "false, true");
        snprintf(text, sizeof text, "1, 2 if %s", i < 4 ? holds[i] : never[i - 4]);
        add(&s, "a.z", text);
        assert_int_equal(space_check(&s, look_up, NULL, &wrong, &err), SPUR_OK);
        assert_int_equal(assignment_init(&s, &a), SPUR_OK);
        assert_true(assignment_set(&a, 0, "0.5") && assignment_set(&a, 1, "false"));
        if (space_active(&s, 2, &a, look_up, NULL) != (i < 4)) fail_msg("%s", text);
        assignment_free(&s, &a);
        space_free(&s);
    }
}

/* Everything a method suggests, as labels in one text. */
static void enumerate(const space *sp, const char *method, size_t trials, spur__str *out) {
    search_state s;
    const assignment *a;
    search_init(&s, sp, 7, false);
    s.trials = trials;
    while (search_next(&s, find(method), NULL, &a, NULL) == SPUR_OK) {
        assignment_label(sp, a, out);
        spur__str_putc(out, '\n');
    }
    search_free(&s);
}

static void test_grid_is_exact(void **state) {
    (void)state;
    space s;
    spur__str out;
    space_init(&s);
    spur__str_init(&out, 10000);
    add(&s, "optimizer.name", "sgd, adam");
    add(&s, "optimizer.momentum", "choice(0, 0.9) if optimizer.name == sgd");
    add(&s, "optimizer.lr", "0.1, 0.01");
    enumerate(&s, "grid", 0, &out);
    assert_string_equal(spur__str_text(&out), "optimizer=sgd momentum=0 lr=0.1\n"
                                              "optimizer=sgd momentum=0 lr=0.01\n"
                                              "optimizer=sgd momentum=0.9 lr=0.1\n"
                                              "optimizer=sgd momentum=0.9 lr=0.01\n"
                                              "optimizer=adam lr=0.1\n"
                                              "optimizer=adam lr=0.01\n");
    spur__str_free(&out);
    space_free(&s);
}

static void test_random_is_repeatable_and_new(void **state) {
    (void)state;
    space s;
    spur__str first, again;
    space_init(&s);
    spur__str_init(&first, 100000);
    spur__str_init(&again, 100000);
    add(&s, "optimizer.lr", "log(1e-5, 1)");
    add(&s, "model.depth", "range(2, 5)");
    enumerate(&s, "random", 50, &first);
    enumerate(&s, "random", 50, &again);
    assert_string_equal(spur__str_text(&first), spur__str_text(&again));
    space_free(&s);
    space_init(&s);
    add(&s, "model.depth", "range(1, 6)");
    spur__str_clear(&first);
    enumerate(&s, "random", 50, &first); /* six values: six trials, each once */
    for (char line[] = "depth=1\n"; line[6] <= '6'; line[6]++)
        assert_non_null(strstr(spur__str_text(&first), line));
    assert_int_equal(first.length, 6 * strlen("depth=1\n"));
    spur__str_free(&first);
    spur__str_free(&again);
    space_free(&s);
}

/* Three known functions of (x in [0, 1], y logarithmic, kind) with one valley each. */
static double known_function(int which, double x, double y, size_t kind) {
    double u = x - 0.3, v = log10(y) + 2;
    if (which == 0) return u * u * 4 + v * v + (double)kind;
    if (which == 1) return fabs(u) + 0.3 * fabs(v) + (kind == 1 ? 0 : 0.5);
    return 1 - exp(-20 * u * u - v * v) * (kind == 2 ? 1 : 0.6);
}

/* The best value found with 60 trials. */
static double best_of(const space *sp, const char *method, int which, uint64_t seed) {
    const tpe_options options = {.startup_trials = 10, .candidates = 24};
    search_state s;
    const assignment *a;
    double best = INFINITY;
    search_init(&s, sp, seed, false);
    s.trials = 60;
    while (search_next(&s, find(method), &options, &a, NULL) == SPUR_OK) {
        search_outcome *o = &s.known[s.count - 1];
        o->value = known_function(which, strtod(a->values[0], NULL), strtod(a->values[1], NULL),
                                  (size_t)space_number(&sp->parameters[2], a->values[2]));
        o->state = OUTCOME_FINISHED;
        best = fmin(best, o->value);
    }
    assert_int_equal(s.count, 60);
    search_free(&s);
    return best;
}

static void test_tpe_beats_random(void **state) {
    (void)state;
    enum { SEEDS = 20 };
    space s;
    space_init(&s);
    add(&s, "a.x", "uniform(0, 1)");
    add(&s, "a.y", "log(1e-4, 1)");
    add(&s, "a.kind", "k0, k1, k2, k3");
    for (int which = 0; which < 3; which++) {
        double tpe[SEEDS], drawn[SEEDS];
        for (size_t seed = 0; seed < SEEDS; seed++) {
            tpe[seed] = best_of(&s, "tpe", which, seed);
            drawn[seed] = best_of(&s, "random", which, seed + 1000);
        }
        t_result r = stats_welch(tpe, SEEDS, drawn, SEEDS);
        printf("function %d: tpe %.4f, random %.4f, p = %.2g\n", which,
               stats_summarize(tpe, SEEDS).mean, stats_summarize(drawn, SEEDS).mean, r.p);
        assert_true(r.difference < 0 && r.p < 0.05);
    }
    space_free(&s);
}

typedef double (*objective)(const double *x); /* NaN: the trial fails */

/* Runs tpe on a space of numbers; the values in order into told[trials], the best one is returned. */
static double run_tpe(const space *sp, objective f, size_t trials, uint64_t seed, double *told) {
    const tpe_options options = {.startup_trials = 10, .candidates = 24};
    search_state s;
    const assignment *a;
    double best = INFINITY;
    search_init(&s, sp, seed, false);
    s.trials = trials;
    while (search_next(&s, find("tpe"), &options, &a, NULL) == SPUR_OK) {
        double x[4];
        for (size_t i = 0; i < sp->count; i++) x[i] = strtod(a->values[i], NULL);
        search_outcome *o = &s.known[s.count - 1];
        told[s.count - 1] = o->value = f(x);
        o->state = isnan(o->value) ? OUTCOME_FAILED : OUTCOME_FINISHED;
        best = fmin(best, o->value);
    }
    search_free(&s);
    return best;
}

static double far_from_a_place(const double *x) {
    double u = (x[0] - 20) / 10, v = (x[1] - 7) / 10, w = (x[2] - 33) / 10;
    return u * u + v * v + w * w;
}

/* Of values that are numbers tpe knows which are near each other, in whatever order they stand. */
static void test_tpe_knows_the_order_of_numbers(void **state) {
    (void)state;
    double told[60], sum = 0;
    space s;
    spur__str shuffled;
    spur__str_init(&shuffled, 1000);
    for (int i = 0; i < 64; i++)
        spur__str_printf(&shuffled, "%s%d", i ? ", " : "", i * 37 % 64 + 1);
    space_init(&s);
    add(&s, "a.x", "range(1, 64)");
    add(&s, "a.y", spur__str_text(&shuffled));
    add(&s, "a.z", "range(1, 64)");
    for (uint64_t seed = 0; seed < 20; seed++) sum += run_tpe(&s, far_from_a_place, 60, seed, told);
    if (sum > 20 * 0.15) fail_msg("mean of the best: %g", sum / 20);
    spur__str_free(&shuffled);
    space_free(&s);
}

/* A valley of learning rates at whose edge training diverges. */
static double diverges(const double *x) {
    double u = log10(x[0]) + 3, v = log10(x[1]) + 4;
    return u > 0.2 ? NAN : u * u + 0.05 * v * v;
}

/* What fails is where one should not look, and does not put off the learning. */
static void test_tpe_learns_from_failures(void **state) {
    (void)state;
    double told[60];
    size_t failures = 0;
    space s;
    space_init(&s);
    add(&s, "optimizer.lr", "log(1e-6, 1)");
    add(&s, "optimizer.weight_decay", "log(1e-6, 1e-2)");
    for (uint64_t seed = 0; seed < 20; seed++) {
        run_tpe(&s, diverges, 60, seed, told);
        for (int i = 10; i < 60; i++) failures += (size_t)isnan(told[i]);
    }
    if (failures > 400) fail_msg("%zu of 1000 failed", failures);
    space_free(&s);
}

/* tpe on a small space of choices must not run a configuration twice, and must end. */
static void test_tpe_exhausts_choices(void **state) {
    (void)state;
    const tpe_options options = {.startup_trials = 3, .candidates = 24};
    space sp;
    search_state s;
    const assignment *a;
    space_init(&sp);
    add(&sp, "a.x", "range(1, 4)");
    add(&sp, "a.y", "range(1, 3)");
    search_init(&s, &sp, 1, true);
    s.trials = 100;
    while (search_next(&s, find("tpe"), &options, &a, NULL) == SPUR_OK) {
        s.known[s.count - 1].state = OUTCOME_FINISHED;
        s.known[s.count - 1].value = strtod(a->values[0], NULL);
    }
    assert_int_equal(s.count, 12);
    search_free(&s);
    space_free(&sp);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grammar),
        cmocka_unit_test(test_grammar_errors),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_condition_checks),
        cmocka_unit_test(test_conditions_compare_values),
        cmocka_unit_test(test_grid_is_exact),
        cmocka_unit_test(test_random_is_repeatable_and_new),
        cmocka_unit_test(test_tpe_beats_random),
        cmocka_unit_test(test_tpe_knows_the_order_of_numbers),
        cmocka_unit_test(test_tpe_learns_from_failures),
        cmocka_unit_test(test_tpe_exhausts_choices),
    };
    return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
