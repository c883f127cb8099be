/* SPDX-License-Identifier: MIT
 *
 * What a comparison says of groups of runs.
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

#include "base/memory.h"
#include "base/str.h"
#include "sweep/evidence.h"

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

/* The statements, at most so many of each kind, one a line however long it is. */
static char *statements_of(const report *r, size_t most) {
    static const char broken[] = "\n      ";
    spur__str text;
    spur__str_init(&text, 1 << 16);
    report_statements(r, most, &text);
    char *all = spur__str_take(&text), *to = all;
    for (const char *from = all; *from; to++) {
        bool joined = strncmp(from, broken, sizeof broken - 1) == 0;
        *to = joined ? ' ' : *from;
        from += joined ? sizeof broken - 1 : 1;
    }
    *to = '\0';
    return all;
}

/* The number of seeds that the statements ask for in the line of `label`; 0: they do not. */
static size_t seeds_asked_for(const report *r, const char *label) {
    size_t seeds = 0;
    char *text = statements_of(r, 0);
    const char *line = strstr(text, "No evidence");
    line = line ? strstr(line, label) : NULL;
    const char *about = line ? strstr(line, "would need about ") : NULL;
    if (about && about < strchr(line, '\n')) seeds = strtoul(about + 17, NULL, 10);
    spur__free(text);
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

/* Appends an empty group of the label to a report that has room for it. */
static report_group *add_group(report *r, const char *label, const double *values, size_t n) {
    report_group *g = &r->groups[r->group_count++];
    assert_true(report_group_init(g, spur__strdup(label), n, 0));
    for (size_t i = 0; i < n; i++) report_group_add(g, &values[i], 0, (long long)i + 1);
    return g;
}

static report empty_report(size_t room) {
    report r = {.metric = spur__strdup("accuracy"), .maximize = true};
    r.groups = calloc(room, sizeof *r.groups);
    assert_non_null(r.groups);
    return r;
}

/* What did not suffice is not asked for. */
static void test_more_seeds_than_there_are(void **state) {
    (void)state;
    const double best[] = {0.489, 0.5, 0.511}, others[] = {0.313, 0.3131};
    report r = empty_report(12);
    add_group(&r, "best", best, RUNS);
    for (int i = 1; i < 12; i++) add_group(&r, "other", others, 2);
    assert_in_range(seeds_asked_for(&r, "other:"), RUNS + 1, 8);
    report_free(&r);
}

static void says(const report *r, const char *part, bool wanted) {
    char *text = statements_of(r, 0);
    if ((strstr(text, part) != NULL) != wanted)
        fail_msg("%s '%s' in:\n%s", wanted ? "no" : "there is", part, text);
    spur__free(text);
}

/* A configuration that failed on two of three seeds is not the best for the third. */
static void test_failed_seeds_rank_behind(void **state) {
    (void)state;
    const double lucky[] = {0.99}, sound[] = {0.7, 0.71, 0.69}, other[] = {0.2, 0.21, 0.19};
    report r = empty_report(3);
    add_group(&r, "lucky", lucky, 1)->failed = 2;
    add_group(&r, "other", other, 3);
    add_group(&r, "sound", sound, 3);
    report_sort(&r);
    assert_string_equal(r.groups[0].label, "sound");
    assert_string_equal(r.groups[2].label, "lucky");
    says(&r, "Best accuracy: sound: 0.7 ± 0.01 (n = 3)\n", true);
    says(&r, "  lucky: 2 of 3 seeds failed\n", true);
    says(&r, "Really worse", true);
    says(&r, "seeds = 1..5", false); /* it is not for want of seeds */
    report_free(&r);
}

/* It may be better by the test in the seeds that were left, which is then no "worse". */
static void test_failed_seeds_are_no_reference(void **state) {
    (void)state;
    const double high[] = {0.99, 0.98}, sound[] = {0.7, 0.71, 0.69};
    report r = empty_report(2);
    add_group(&r, "high", high, 2)->failed = 1;
    add_group(&r, "sound", sound, 3);
    report_sort(&r);
    assert_int_equal(report_reference(&r), 0);
    assert_string_equal(r.groups[0].label, "sound");
    says(&r, "Really worse", false);
    says(&r, "Better by the same test in the seeds that have a value:\n  high: ", true);
    says(&r, "1 of 3 seeds failed", true);
    report_free(&r);
}

/* One run proves nothing: the others are compared with the best of those that have several. */
static void test_reference_has_several_runs(void **state) {
    (void)state;
    const double once[] = {0.99}, good[] = {0.7, 0.71, 0.69}, bad[] = {0.2, 0.21, 0.19};
    double p[3];
    report r = empty_report(3);
    add_group(&r, "once", once, 1);
    add_group(&r, "bad", bad, 3);
    add_group(&r, "good", good, 3);
    report_sort(&r);
    assert_int_equal(report_reference(&r), 1);
    assert_true(report_p_values(&r, p));
    assert_true(isnan(p[0]) && isnan(p[1]) && p[2] < 0.05);
    says(&r, "which the others are compared with: good: 0.7 ", true);
    report_free(&r);
}

static void test_no_test_where_nothing_varies(void **state) {
    (void)state;
    const double high[] = {0.9, 0.9, 0.9}, low[] = {0.8, 0.8, 0.8};
    report r = empty_report(2);
    add_group(&r, "high", high, 3);
    add_group(&r, "low", low, 3);
    report_sort(&r);
    says(&r, "Really worse", false);
    says(&r, "Nothing can be tested where no seed changes the value:\n  low: difference 0.1\n",
         true);
    report_free(&r);
}

/* Wilcoxon's test stands by every comparison of the same seeds, with what it can come to. */
static void test_paired_test_is_always_told(void **state) {
    (void)state;
    const double a[] = {0.7, 0.75, 0.65}, b[] = {0.69, 0.74, 0.64}, c[] = {0.2, 0.21, 0.19};
    report r = empty_report(3);
    add_group(&r, "a", a, 3);
    add_group(&r, "b", b, 3);
    add_group(&r, "c", c, 3);
    report_sort(&r);
    char *text = statements_of(&r, 0), *worse = strstr(text, "Really worse"),
         *none = strstr(text, "No evidence");
    assert_true(worse && none && worse < none);
    const char *bound = "Wilcoxon p = 0.25 (3 pairs cannot come below 0.25)";
    assert_true(strstr(worse, bound) && strstr(worse, bound) < none);
    assert_non_null(strstr(none, bound));
    spur__free(text);
    report_free(&r);
}

/* Seeds that have not come to their end are no reason to lead, as little as failed ones. */
static void test_unfinished_seeds_rank_behind(void **state) {
    (void)state;
    const double high[] = {0.99, 0.98}, sound[] = {0.7, 0.71, 0.69}, infinite[] = {INFINITY, 0.5};
    report r = empty_report(3);
    add_group(&r, "high", high, 2)->unfinished = 1;
    add_group(&r, "infinite", infinite, 2)->failed = 1;
    add_group(&r, "sound", sound, 3);
    assert_int_equal(r.groups[1].count, 1); /* no number to compute with */
    report_sort(&r);
    assert_string_equal(r.groups[0].label, "sound");
    assert_string_equal(r.groups[2].label, "infinite");
    says(&r, "; 1 of 3 seeds unfinished\n", true);
    report_free(&r);
}

/* However many there are: no line is longer than a terminal, and the rest is counted. */
static void test_many_statements(void **state) {
    (void)state;
    double means[14] = {0.5};
    for (size_t i = 1; i < 14; i++) means[i] = 0.49 - 0.001 * (double)i;
    report r = make_report(means, 0.02, 14);
    spur__str text;
    spur__str_init(&text, 1 << 16);
    report_statements(&r, 10, &text);
    for (const char *line = text.data; *line; line += strcspn(line, "\n") + 1)
        assert_in_range(strcspn(line, "\n"), 1, 79);
    spur__str_free(&text);
    char *few = statements_of(&r, 10), *all = statements_of(&r, 0);
    assert_non_null(strstr(few, "  lr=10: "));
    assert_null(strstr(few, "  lr=11: "));
    assert_non_null(strstr(few, "  ... and 3 more, which `spur compare` tells\n"));
    assert_non_null(strstr(all, "  lr=13: "));
    assert_null(strstr(all, " more"));
    spur__free(few);
    spur__free(all);
    report_free(&r);
}

/* A fixed stream of normal numbers (splitmix64, Box and Muller). */
static double normal(uint64_t *stream) {
    double u[2];
    for (int i = 0; i < 2; i++) {
        uint64_t z = *stream += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        u[i] = (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
    }
    return sqrt(-2 * log(1 - u[0])) * cos(6.283185307179586 * u[1]);
}

/* How much the g-th configuration of a kind of sweep varies between seeds. */
static double spread_of(int kind, size_t g) {
    static const double steps[] = {1, 4, 16};
    return kind == 0 ? 1 : kind == 1 ? steps[g % 3] : g == 0 ? 20 : 1;
}

/* Numbers that all configurations share, seed by seed. */
static void draw_shared(double *shared, size_t seeds, double spread, uint64_t *stream) {
    for (size_t i = 0; i < seeds; i++) shared[i] = spread == 0 ? 0 : spread * normal(stream);
}

/* Whether some of `count` configurations that are equal is told to be worse than the best. */
static bool false_alarm(size_t count, size_t seeds, int kind, double common, uint64_t *stream) {
    double values[16], shared[16], p[32];
    bool alarm = false;
    report r = empty_report(count);
    draw_shared(shared, seeds, common, stream);
    for (size_t g = 0; g < count; g++) {
        for (size_t i = 0; i < seeds; i++)
            values[i] = shared[i] + spread_of(kind, g) * normal(stream);
        add_group(&r, "equal", values, seeds);
    }
    report_sort(&r);
    assert_true(report_p_values(&r, p));
    for (size_t g = 0; g < count; g++) alarm = alarm || p[g] < 0.05;
    report_free(&r);
    return alarm;
}

/* The best of many is chosen by its luck, and some vary more than others: the level must hold all the
 * same. */
static void test_level_holds_for_the_choice_of_the_best(void **state) {
    (void)state;
    static const size_t cases[][2] = {{2, 3}, {3, 3}, {5, 3}, {6, 3}, {10, 3}, {20, 5}};
    static const double commons[] = {0, 2, 5};
    uint64_t stream = 1;
    for (size_t k = 0; k < 54; k++) {
        const size_t *c = cases[k / 9];
        int alarms = 0, kind = (int)(k % 3);
        double common = commons[k / 3 % 3];
        for (int i = 0; i < 800; i++) alarms += false_alarm(c[0], c[1], kind, common, &stream);
        if (alarms > 56)
            fail_msg("%zu x %zu, kind %d, common %g: %d of 800", c[0], c[1], kind, common, alarms);
    }
}

/* The share of the differences from the best, ten deviations away from the others, that is seen. The
 * last configuration is far behind, and varies by `wild`. */
static double power_among(size_t count, double wild, uint64_t stream) {
    enum { SEEDS = 3, SWEEPS = 50 };
    size_t found = 0;
    for (int k = 0; k < SWEEPS; k++) {
        double values[SEEDS], p[32];
        report r = empty_report(count);
        for (size_t g = 0; g < count; g++) {
            bool last = g + 1 == count;
            for (size_t i = 0; i < SEEDS; i++)
                values[i] = (last ? wild : 1) * normal(&stream) + (g == 0 ? 10
                                                                   : last ? -6 * wild
                                                                          : 0);
            add_group(&r, "one", values, SEEDS);
        }
        report_sort(&r);
        assert_true(report_p_values(&r, p));
        for (size_t g = 1; g < count - 1; g++) found += p[g] < 0.05;
        report_free(&r);
    }
    return (double)found / (double)(SWEEPS * (count - 2));
}

/* Three seeds, ten standard deviations: nobody would doubt it, also where one of many is unstable. */
static void test_power_among_many(void **state) {
    (void)state;
    double alike = power_among(20, 1, 2), wild = power_among(20, 20, 3),
           few = power_among(8, 20, 4), six = power_among(6, 20, 5);
    if (alike < 0.9 || wild < 0.9 || few < 0.9 || six < 0.9)
        fail_msg("%g, %g, %g, %g", alike, wild, few, six);
}

/* A report on `count` configurations of which the first is better by `lead`, all with the same ups and
 * downs of five times what they differ in by chance. */
static report shared_report(size_t count, size_t seeds, double lead, uint64_t *stream) {
    double values[16], shared[16];
    report r = empty_report(count);
    draw_shared(shared, seeds, 5, stream);
    for (size_t g = 0; g < count; g++) {
        for (size_t i = 0; i < seeds; i++)
            values[i] = shared[i] + normal(stream) + (g == 0 ? lead : 0);
        add_group(&r, g == 0 ? "first" : "other", values, seeds);
    }
    report_sort(&r);
    return r;
}

/* A difference within seeds is seen through what differs between them. */
static void test_power_of_shared_seeds(void **state) {
    static const size_t cases[][2] = {{2, 6}, {3, 4}, {4, 3}, {8, 4}};
    uint64_t stream = 7;
    (void)state;
    for (size_t k = 0; k < 4; k++) {
        int found = 0, tests = 0;
        for (int i = 0; i < 100; i++) {
            double p[8];
            report r = shared_report(cases[k][0], cases[k][1], 6, &stream);
            assert_true(report_p_values(&r, p));
            for (size_t g = 1; g < r.group_count; g++) found += p[g] < 0.05;
            tests += (int)r.group_count - 1;
            report_free(&r);
        }
        if (found * 10 < tests * 8)
            fail_msg("%zu x %zu: %d of %d", cases[k][0], cases[k][1], found, tests);
    }
}

/* Only those with the seeds of the best are compared one by one, and it is told. */
static void test_seeds_one_by_one(void **state) {
    (void)state;
    const double best[] = {0.71, 0.81, 0.61, 0.92}, good[] = {0.69, 0.78, 0.59, 0.9};
    const double fewer[] = {0.69, 0.78, 0.59}, chance[] = {0.6, 0.62, 0.61, 0.63};
    report r = empty_report(3);
    add_group(&r, "best", best, 4);
    add_group(&r, "good", good, 4);
    add_group(&r, "fewer", fewer, 3)->failed = 1;
    report_sort(&r);
    evidence e = evidence_of(&r);
    assert_true(e.blocks && e.prior_df == 0); /* one pair: nothing beside it */
    assert_true(evidence_is_paired(&e, &r.groups[1]));
    assert_false(evidence_is_paired(&e, &r.groups[2]));
    t_result own = stats_paired(best, good, 4, 0, 0), other = stats_welch(best, 4, fewer, 3);
    assert_true(evidence_test(&e, &r.groups[1]).p == own.p);
    assert_true(evidence_test(&e, &r.groups[2]).p == other.p);
    says(&r, "Seeds go together in all configurations (F test, p = ", true);
    report_free(&r);
    r = empty_report(2);
    add_group(&r, "best", best, 4);
    add_group(&r, "chance", chance, 4);
    report_sort(&r);
    e = evidence_of(&r);
    assert_false(e.blocks);
    assert_false(evidence_is_paired(&e, &r.groups[1]));
    says(&r, "Seeds go together", false);
    report_free(&r);
}

/* The mean variance of the differences of all pairs of rows. */
static double mean_difference(const double (*rows)[4], size_t count) {
    double sum = 0;
    for (size_t a = 0; a < count; a++) {
        for (size_t b = a + 1; b < count; b++) {
            double d[4];
            for (int i = 0; i < 4; i++) d[i] = rows[a][i] - rows[b][i];
            double std = stats_summarize(d, 4).std;
            sum += std * std / ((double)(count * (count - 1)) / 2);
        }
    }
    return sum;
}

static evidence evidence_of_rows(const double (*rows)[4], size_t count, size_t seeds, report *r) {
    *r = empty_report(count);
    for (size_t g = 0; g < count; g++) add_group(r, "row", rows[g], seeds);
    report_sort(r);
    return evidence_of(r);
}

/* What is known of all differences: their mean; the wildest row of several counts as the next one. */
static void test_common_difference(void **state) {
    static const double rows[6][4] = {{0.9, 0.7, 0.82, 0.6},  {0.7, 0.58, 0.64, 0.43},
                                      {0.6, 0.43, 0.5, 0.3},  {0.5, 0.3, 0.44, 0.22},
                                      {0.41, 0.2, 0.35, 0.1}, {-9, 5, 9, -5}};
    const double *kept[5];
    double left[5], all = 0, most = 0;
    report r;
    (void)state;
    evidence e = evidence_of_rows(rows, 3, 4, &r);
    assert_true(e.blocks && e.prior_df == 1.5);
    assert_true(fabs(e.common_difference - mean_difference(rows, 3)) < 1e-12);
    report_free(&r);
    e = evidence_of_rows(rows, 6, 4, &r);
    for (size_t g = 0; g < 5; g++) kept[g] = rows[g];
    stats_blocks(kept, 5, 4, left);
    for (size_t g = 0; g < 5; g++) {
        all += left[g];
        most = fmax(most, left[g]);
    }
    assert_true(fabs(e.common_difference - 2 * (all + most) / 15) < 1e-12);
    report_free(&r);
    e = evidence_of_rows(rows, 3, 2, &r);
    assert_false(e.blocks); /* two seeds are too few to tell */
    report_free(&r);
}

/* From 16 configurations on an eighth is wild, before that one: here rows 3 and 7 are. */
static void test_the_wild_eighth(void **state) {
    static const double shared[] = {0.3, 0.1, 0.22, 0}, wild[] = {-9, 5, 9, -5};
    double rows[16][4], left[14], all = 0, most = 0, variances = 0, largest = 0;
    const double *kept[14];
    report r;
    (void)state;
    for (int g = 0, k = 0; g < 16; g++) {
        for (int i = 0; i < 4; i++)
            rows[g][i] = 0.05 * (16 - g) + shared[i] + 0.004 * ((g * 7 + i * 5) % 11) +
                         (g % 4 == 3 && g < 8 ? wild[i] * (g - 2) : 0);
        if (g != 3 && g != 7) kept[k++] = rows[g];
    }
    stats_blocks(kept, 14, 4, left);
    for (size_t k = 0; k < 14; k++) {
        double variance = pow(stats_summarize(kept[k], 4).std, 2);
        all += left[k];
        most = fmax(most, left[k]);
        variances += variance;
        largest = fmax(largest, variance);
    }
    evidence e = evidence_of_rows((const double(*)[4])rows, 16, 4, &r);
    assert_int_equal(e.pairs, 16 * 15 / 2);
    assert_true(fabs(e.common_difference - 2 * (all + 2 * most) / 45) < 1e-12);
    assert_true(fabs(e.common - (variances + 2 * largest) / 16) < 1e-12);
    report_free(&r);
    variances -= pow(stats_summarize(rows[15], 4).std, 2);
    e = evidence_of_rows((const double(*)[4])rows, 15, 4, &r);
    double next = pow(stats_summarize(rows[3], 4).std, 2);
    assert_true(fabs(e.common / ((variances + 2 * next) / 15) - 1) < 1e-12);
    report_free(&r);
}

/* One run alone is compared with nothing, and is no part of what is corrected for. The common variance is of
 * configurations with three runs, and of five with ten degrees of freedom (less those of one) nobody is wild. */
static void test_few_runs(void **state) {
    static const double rows[6][3] = {{0.4, 0.5, 0.6}, {0.41, 0.51, 0.61}, {0.1, 0.5, 0.9},
                                      {0.3, 0.4, 0.5}, {0.2, 0.3, 0.4},    {0.31, 0.41, 0.51}};
    (void)state;
    for (size_t rows_in = 5; rows_in <= 6; rows_in++) {
        report r = empty_report(8);
        for (size_t g = 0; g < rows_in; g++) add_group(&r, "row", rows[g], 3);
        add_group(&r, "two", (const double[]){0, 1}, 2);
        add_group(&r, "one", rows[2], 1);
        report_sort(&r);
        evidence e = evidence_of(&r);
        assert_int_equal(e.pairs, rows_in == 5 ? 15 : 21);
        assert_true(fabs(e.common - (rows_in == 5 ? (4 * 0.01 + 0.16) / 5 : 0.01)) < 1e-12);
        report_free(&r);
    }
}

/* Two runs say too little of their variance to be averaged with the others', on either side. */
static void test_two_runs_beside_many(void **state) {
    static const double rows[5][3] = {
        {0.4, 0.5, 0.6}, {0.41, 0.51, 0.61}, {0.1, 0.5, 0.9}, {0.3, 0.4, 0.5}, {0.2, 0.3, 0.4}};
    static const double twos[2][2] = {{0.1, 0.12}, {0.9, 0.94}};
    (void)state;
    for (int best = 0; best < 2; best++) {
        report r = empty_report(6);
        for (size_t g = 0; g < 5; g++) add_group(&r, "three", rows[g], 3);
        add_group(&r, "two", twos[best], 2);
        report_sort(&r);
        evidence e = evidence_of(&r);
        assert_true(isfinite(e.common));
        assert_int_equal(e.best->count, best ? 2 : 3);
        for (size_t i = 0; i < r.group_count; i++) {
            const report_group *g = &r.groups[i];
            if (g == e.best) continue;
            bool few = best || g->count == 2;
            t_result found = evidence_test(&e, g);
            t_result welch = stats_welch(e.best->values, e.best->count, g->values, g->count);
            assert_true((found.p == welch.p) == few);
        }
        report_free(&r);
    }
}

/* Some agreement comes by chance. */
static void test_chance_makes_no_blocks(void **state) {
    static const double rows[3][4] = {
        {0.7, 0.72, 0.73, 0.71}, {0.6, 0.63, 0.62, 0.64}, {0.5, 0.5, 0.53, 0.49}};
    report r;
    (void)state;
    evidence e = evidence_of_rows(rows, 3, 4, &r);
    assert_true(e.blocks_p > 0.06 && e.blocks_p < 0.5 && !e.blocks);
    report_free(&r);
}

static void test_equal_means(void **state) {
    static const double rows[2][4] = {{0.7, 0.72, 0.71, 0.73}, {0.7, 0.73, 0.72, 0.71}};
    report r;
    (void)state;
    evidence e = evidence_of_rows(rows, 2, 4, &r);
    assert_int_equal(evidence_seeds_needed(&e, &r.groups[1]), 0);
    says(&r, "; the means are practically equal", true);
    report_free(&r);
}

/* 0.05 is neither above the level nor below it. */
static void test_digits_tell_the_side(void **state) {
    (void)state;
    for (double p = 0.049; p < 0.051; p += 0.00001) {
        char text[16];
        snprintf(text, sizeof text, "%.*g", evidence_digits(p), p);
        double shown = strtod(text, NULL);
        bool same_side = p < 0.05 ? shown < 0.05 : shown > 0.05;
        if (fabs(p - 0.05) > 0.00006 && !same_side) fail_msg("%g: %s", p, text);
    }
}

/* What seeds share is no noise to be averaged out by more of them. */
static void test_seeds_needed_one_by_one(void **state) {
    (void)state;
    const double best[] = {0.5, 0.6, 0.7}, near[] = {0.497, 0.594, 0.699};
    report r = empty_report(2);
    add_group(&r, "best", best, 3);
    add_group(&r, "near", near, 3);
    report_sort(&r);
    assert_in_range(seeds_asked_for(&r, "near:"), 5, 8);
    report_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failed_seeds_rank_behind),
        cmocka_unit_test(test_failed_seeds_are_no_reference),
        cmocka_unit_test(test_unfinished_seeds_rank_behind),
        cmocka_unit_test(test_many_statements),
        cmocka_unit_test(test_reference_has_several_runs),
        cmocka_unit_test(test_no_test_where_nothing_varies),
        cmocka_unit_test(test_paired_test_is_always_told),
        cmocka_unit_test(test_level_holds_for_the_choice_of_the_best),
        cmocka_unit_test(test_power_among_many),
        cmocka_unit_test(test_power_of_shared_seeds),
        cmocka_unit_test(test_seeds_one_by_one),
        cmocka_unit_test(test_the_wild_eighth),
        cmocka_unit_test(test_few_runs),
        cmocka_unit_test(test_two_runs_beside_many),
        cmocka_unit_test(test_common_difference),
        cmocka_unit_test(test_chance_makes_no_blocks),
        cmocka_unit_test(test_equal_means),
        cmocka_unit_test(test_digits_tell_the_side),
        cmocka_unit_test(test_seeds_needed_one_by_one),
        cmocka_unit_test(test_seeds_hold_for_all_comparisons),
        cmocka_unit_test(test_more_seeds_than_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
