/* SPDX-License-Identifier: MIT
 *
 * What the numbers say, and what they do not; see report.h. Tables are in report_table.c.
 */
#include "sweep/report.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "output/text.h"
#include "sweep/evidence.h"

void report_free(report *r) {
    for (size_t i = 0; i < r->group_count; i++) {
        spur__free(r->groups[i].label);
        spur__free(r->groups[i].values);
        spur__free(r->groups[i].seeds);
        for (size_t k = 0; k < REPORT_OTHERS; k++) spur__free(r->groups[i].others[k]);
    }
    for (size_t k = 0; k < REPORT_OTHERS; k++) spur__free(r->others[k]);
    for (size_t f = 0; f < r->factor_count; f++) {
        for (size_t v = 0; v < r->factors[f].value_count; v++) spur__free(r->factors[f].values[v]);
        spur__free(r->factors[f].values);
        spur__free(r->factors[f].of_group);
        spur__free(r->factors[f].name);
    }
    spur__free(r->groups);
    spur__free(r->factors);
    spur__free(r->metric);
    *r = (report){0};
}

bool report_group_init(report_group *g, char *label, size_t runs, size_t others) {
    *g = (report_group){.label = label};
    g->values = spur__malloc_array(runs + 1, sizeof *g->values);
    g->seeds = spur__malloc_array(runs + 1, sizeof *g->seeds);
    bool complete = label && g->values && g->seeds;
    for (size_t k = 0; k < others; k++) {
        g->others[k] = spur__malloc_array(runs + 1, sizeof *g->others[k]);
        complete = complete && g->others[k];
    }
    return complete;
}

void report_group_add(report_group *g, const double *numbers, size_t others, long long seed) {
    if (isfinite(numbers[0])) {
        g->values[g->count] = numbers[0];
        g->seeds[g->count++] = seed;
    }
    for (size_t k = 0; k < others; k++)
        if (isfinite(numbers[k + 1])) g->others[k][g->other_counts[k]++] = numbers[k + 1];
}

static bool is_complete(const report_group *g) {
    return g->failed == 0 && g->unfinished == 0;
}

/* Complete configurations come first: a mean over the seeds that are there flatters. */
static int rank_class(const report_group *g) {
    return g->count == 0 ? 2 : !is_complete(g);
}

static double mean_of(const report_group *g) {
    return stats_summarize(g->values, g->count).mean;
}

static bool is_better(const report *r, const report_group *a, const report_group *b) {
    return r->maximize ? mean_of(a) > mean_of(b) : mean_of(a) < mean_of(b);
}

static bool goes_before(const report *r, const report_group *a, const report_group *b) {
    int left = rank_class(a), right = rank_class(b);
    return left != right ? left < right : is_better(r, a, b);
}

void report_sort(report *r) {
    for (size_t i = 1; i < r->group_count; i++) {
        for (size_t j = i; j > 0 && goes_before(r, &r->groups[j], &r->groups[j - 1]); j--) {
            report_group swap = r->groups[j];
            r->groups[j] = r->groups[j - 1];
            r->groups[j - 1] = swap;
            for (size_t f = 0; f < r->factor_count; f++) {
                size_t *of = r->factors[f].of_group, index = of[j];
                of[j] = of[j - 1];
                of[j - 1] = index;
            }
        }
    }
}

size_t report_reference(const report *r) {
    for (size_t i = 0; i < r->group_count; i++) {
        if (rank_class(&r->groups[i]) != rank_class(&r->groups[0])) break;
        if (r->groups[i].count >= 2) return i;
    }
    return 0;
}

void report_put_missing(const report_group *g, spur__str *out) {
    size_t runs = g->count + g->failed + g->unfinished;
    spur__str_printf(out, "%zu of %zu seed%s %s", g->failed ? g->failed : g->unfinished, runs,
                     runs == 1 ? "" : "s", g->failed ? "failed" : "unfinished");
    if (g->failed && g->unfinished) spur__str_printf(out, ", %zu unfinished", g->unfinished);
}

/* "0.91 ± 0.02 (n = 3)", and how many seeds are missing. */
static void put_mean(const report_group *g, spur__str *out) {
    summary_stats s = stats_summarize(g->values, g->count);
    spur__str_printf(out, "%.4g", s.mean);
    if (s.n > 1) spur__str_printf(out, " \xc2\xb1 %.2g", s.std);
    spur__str_printf(out, " (n = %zu)", s.n);
    if (is_complete(g)) return;
    spur__str_puts(out, ", ");
    report_put_missing(g, out);
}

/* Pairs with the same seed: Wilcoxon's p, and the least that so few pairs (which differ) come to. */
static void put_paired(const report_group *a, const report_group *b, spur__str *out) {
    if (a->count != b->count || a->count < 2) return;
    for (size_t i = 0; i < a->count; i++)
        if (a->seeds[i] != b->seeds[i]) return;
    wilcoxon_result w = stats_wilcoxon(a->values, b->values, a->count);
    if (!isfinite(w.p)) return;
    double least = ldexp(1, 1 - (int)w.pairs);
    spur__str_printf(out, ", Wilcoxon p = %.2g", w.p);
    if (least > EVIDENCE_LEVEL)
        spur__str_printf(out, " (%zu pair%s cannot come below %.2g)", w.pairs,
                         w.pairs == 1 ? "" : "s", least);
}

/* What a test found of a configuration beside the reference. */
typedef enum finding { NOT_TESTED, CONSTANT, UNPROVED, WORSE, BETTER, FINDINGS } finding;

static const char *const headings[FINDINGS] = {
    [NOT_TESTED] = "Behind the others, since seeds failed:\n",
    [CONSTANT] = "Nothing can be tested where no seed changes the value:\n",
    [UNPROVED] = "No evidence of a difference from the best:\n",
    [WORSE] = "Really worse (t test, Holm-corrected for all pairs, 5 %; intervals are not):\n",
    [BETTER] = "Better by the same test in the seeds that have a value:\n",
};

/* Everything that a statement is about. */
typedef struct comparison {
    const report *r;
    const report_group *best;
    evidence evidence;
    const double *p; /* [group_count] */
    size_t most; /* lines under a heading; 0: all */
} comparison;

static finding finding_of(const comparison *c, size_t i) {
    const report_group *g = &c->r->groups[i];
    if (g == c->best || g->count < 2 || c->best->count < 2) return NOT_TESTED;
    if (isnan(c->p[i])) return CONSTANT;
    if (c->p[i] >= EVIDENCE_LEVEL) return UNPROVED;
    return is_better(c->r, g, c->best) ? BETTER : WORSE;
}

static void put_real(const comparison *c, const report_group *g, double p, spur__str *out) {
    const report_group *best = c->best;
    t_result w = evidence_test(&c->evidence, g);
    double size = stats_hedges_g(best->values, best->count, g->values, g->count);
    spur__str_printf(out, "difference %.3g, 95 %% interval [%.3g, %.3g], p = %.*g", w.difference,
                     w.low, w.high, evidence_digits(p), p);
    if (isfinite(size)) spur__str_printf(out, ", effect g = %.1f", fabs(size));
    put_paired(best, g, out);
}

/* The number of seeds holds for all comparisons together, as the p-value does. Where seeds failed, more
 * of them are no advice. */
static void put_unproved(const comparison *c, const report_group *g, double p, spur__str *out) {
    spur__str_printf(out, "p = %.*g", evidence_digits(p), p);
    put_paired(c->best, g, out);
    size_t needed = evidence_seeds_needed(&c->evidence, g);
    if (needed == 0)
        spur__str_puts(out, "; the means are practically equal");
    else if (is_complete(g) && is_complete(c->best))
        spur__str_printf(out, "; a difference of this size would need about %zu seeds each",
                         needed);
}

/* Bytes up to the next place where a line may be broken: behind ", ", "; " and ": ", not in brackets. */
static size_t next_part(const char *text) {
    size_t n = 0;
    bool inside = false;
    while (text[n]) {
        char c = text[n++];
        inside = c == '[' || (inside && c != ']');
        if (!inside && text[n] == ' ' && (c == ',' || c == ';' || c == ':')) break;
    }
    return n;
}

/* Appends a line broken so that it fits a terminal of 80 columns; the rest is indented. */
static void put_wrapped(const char *line, spur__str *out) {
    enum { WIDTH = 79, INDENT = 6 };
    size_t at = 0;
    for (const char *p = line; *p;) {
        size_t bytes = next_part(p), columns = text_columns_n(p, bytes);
        if (at + columns > WIDTH && at > INDENT) {
            spur__str_printf(out, "\n%*s", INDENT, "");
            at = INDENT;
            p++; /* the blank */
            bytes--;
            columns--;
        }
        spur__str_append(out, p, bytes);
        at += columns;
        p += bytes;
    }
    spur__str_putc(out, '\n');
}

static void put_line(const comparison *c, size_t i, finding found, spur__str *out) {
    const report_group *g = &c->r->groups[i];
    spur__str line;
    spur__str_init(&line, 1 << 16);
    spur__str_printf(&line, "  %s: ", g->label);
    if (found == CONSTANT)
        spur__str_printf(&line, "difference %.3g", mean_of(c->best) - mean_of(g));
    else if (found == UNPROVED)
        put_unproved(c, g, c->p[i], &line);
    else if (found != NOT_TESTED)
        put_real(c, g, c->p[i], &line);
    if (!is_complete(g)) {
        if (found != NOT_TESTED) spur__str_puts(&line, "; ");
        report_put_missing(g, &line);
    }
    put_wrapped(spur__str_text(&line), out);
    spur__str_free(&line);
}

/* Whether a group's line stands under this heading; under that of NOT_TESTED those that no test
 * speaks of, but whose failures must be told. */
static bool belongs(const comparison *c, size_t i, finding wanted) {
    const report_group *g = &c->r->groups[i];
    if (finding_of(c, i) != wanted) return false;
    return wanted != NOT_TESTED || (g->failed > 0 && g != c->best);
}

static void put_findings(const comparison *c, finding wanted, spur__str *out) {
    size_t all = 0;
    for (size_t i = 0; i < c->r->group_count; i++) {
        if (!belongs(c, i, wanted)) continue;
        if (all++ == 0) spur__str_puts(out, headings[wanted]);
        if (c->most == 0 || all <= c->most) put_line(c, i, wanted, out);
    }
    if (c->most && all > c->most)
        spur__str_printf(out, "  ... and %zu more, which `spur compare` tells\n", all - c->most);
}

/* True when some comparison cannot be made because a side was run once only. */
static bool has_single_run(const report *r) {
    for (size_t i = 0; i < r->group_count && r->group_count > 1; i++)
        if (r->groups[i].count == 1 && is_complete(&r->groups[i])) return true;
    return false;
}

static bool has_pruned_run(const report *r) {
    for (size_t i = 0; i < r->group_count; i++)
        if (r->groups[i].pruned > 0) return true;
    return false;
}

static void put_best(const comparison *c, spur__str *out) {
    const report_group *first = &c->r->groups[0];
    spur__str_printf(out, "Best %s: %s: ", c->r->metric, first->label);
    put_mean(first, out);
    spur__str_putc(out, '\n');
    if (c->best != first) {
        spur__str_printf(
            out, "Best of those with several seeds, which the others are compared with: %s: ",
            c->best->label);
        put_mean(c->best, out);
        spur__str_putc(out, '\n');
    }
    if (c->evidence.blocks)
        spur__str_printf(out,
                         "Seeds go together in all configurations (F test, p = %.2g): the t test "
                         "compares\nthem one by one.\n",
                         c->evidence.blocks_p);
}

static void put_notes(const report *r, spur__str *out) {
    if (has_pruned_run(r))
        spur__str_puts(out, "A run that was pruned counts with its best value until then: where it "
                            "stands lower,\nit may be for that.\n");
    if (r->mixed)
        spur__str_puts(
            out, "Options that are not varied changed while the sweep went on (changes.txt):\n"
                 "runs from before and from after are not of one experiment.\n");
    if (r->repeated > 0)
        spur__str_printf(out,
                         "Left out: %zu run%s with the seed and the configuration of another. Each "
                         "seed counts once,\nwith its newest run.\n",
                         r->repeated, r->repeated == 1 ? "" : "s");
    if (has_single_run(r))
        spur__str_puts(
            out, "With a single run of a configuration nothing can be said about chance: repeat\n"
                 "with `seeds = 1..5` before believing a difference, of many those that came best\n"
                 "(`method = best`).\n");
}

void report_statements(const report *r, size_t most, spur__str *out) {
    if (r->group_count == 0 || r->groups[0].count == 0) {
        spur__str_puts(out, "No run has finished with a value: there is nothing to compare.\n");
        return;
    }
    double *p = spur__malloc_array(r->group_count, sizeof *p);
    if (p && report_p_values(r, p)) {
        comparison c = {.r = r, .evidence = evidence_of(r), .p = p, .most = most};
        c.best = c.evidence.best;
        put_best(&c, out);
        put_findings(&c, WORSE, out);
        put_findings(&c, BETTER, out);
        put_findings(&c, UNPROVED, out);
        put_findings(&c, CONSTANT, out);
        put_findings(&c, NOT_TESTED, out);
        put_notes(r, out);
    }
    spur__free(p);
}
