/* SPDX-License-Identifier: MIT
 *
 * What a comparison says of groups of runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/str.h"
#include "sweep/report.h"

enum { RUNS = 3 };

/* `count` groups of three runs around means[i], the first one's runs close together. */
static report make_report(const double *means, double spread, size_t count) {
    report r = {.metric = spur__strdup("accuracy"), .maximize = true};
    r.groups = calloc(count, sizeof *r.groups);
    assert_non_null(r.groups);
    r.group_count = count;
    for (size_t i = 0; i < count; i++) {
        char label[32];
        snprintf(label, sizeof label, "lr=%zu", i);
        assert_true(report_group_init(&r.groups[i], spur__strdup(label), RUNS, 0));
        for (int k = 0; k < RUNS; k++) {
            double value = means[i] + spread * (k - 1);
            report_group_add(&r.groups[i], &value, 0, k + 1);
        }
    }
    return r;
}

/* The number of seeds that the statements ask for in the line of `label`; 0: they do not. */
static size_t seeds_asked_for(const report *r, const char *label) {
    spur__str text;
    size_t seeds = 0;
    spur__str_init(&text, 1 << 16);
    report_statements(r, &text);
    const char *line = strstr(text.data, "No evidence");
    line = line ? strstr(line, label) : NULL;
    const char *about = line ? strstr(line, "would need about ") : NULL;
    if (about && about < strchr(line, '\n')) seeds = strtoul(about + 17, NULL, 10);
    spur__str_free(&text);
    return seeds;
}

/* Seeds must suffice for all comparisons together: more of these, more seeds. */
static void test_seeds_hold_for_all_comparisons(void **state) {
    double means[12] = {0.5, 0.46};
    (void)state;
    report two = make_report(means, 0.02, 2);
    size_t alone = seeds_asked_for(&two, "lr=1");
    report_free(&two);
    for (size_t i = 2; i < 12; i++) means[i] = 0.3;
    report many = make_report(means, 0.02, 12);
    size_t among = seeds_asked_for(&many, "lr=1");
    report_free(&many);
    assert_in_range(alone, RUNS + 1, 9);
    assert_in_range(among, alone + 1, 3 * alone);
}

/* What did not suffice is not asked for. */
static void test_more_seeds_than_there_are(void **state) {
    double means[12] = {0.5};
    (void)state;
    for (size_t i = 1; i < 12; i++) means[i] = 0.45;
    report r = make_report(means, 0.011, 12);
    assert_in_range(seeds_asked_for(&r, "lr=1:"), RUNS + 1, 8);
    report_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeds_hold_for_all_comparisons),
        cmocka_unit_test(test_more_seeds_than_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
