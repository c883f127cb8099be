/* SPDX-License-Identifier: MIT
 *
 * The table of a report: for people, and by output/table.h for programs and papers.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "output/text.h"
#include "sweep/evidence.h"
#include "sweep/report.h"

static void put_p(spur__str *out, double p) {
    if (isnan(p))
        spur__str_puts(out, "      -");
    else
        spur__str_printf(out, "%7.*g", evidence_digits(p), p);
}

static summary_stats other_stats(const report_group *g, size_t k) {
    return stats_summarize(g->others[k], g->other_counts[k]);
}

/* "0.4321 ± 0.012", "-" for nothing. */
static void format_mean(const summary_stats *s, char *out, size_t size) {
    if (s->n == 0)
        snprintf(out, size, "-");
    else if (s->n == 1)
        snprintf(out, size, "%.4g", s->mean);
    else
        snprintf(out, size, "%.4g \xc2\xb1 %.2g", s->mean, s->std);
}

enum { MEAN_TEXT = 48, OTHER_WIDTH = 16, PAPER_FIXED = 4 };

static size_t other_width(const report *r, size_t k) {
    size_t n = text_columns(r->others[k]);
    return n > OTHER_WIDTH ? n : OTHER_WIDTH;
}

/* "lr=0.1 (2 failed)" */
static void put_label(const report_group *g, spur__str *out) {
    spur__str_puts(out, g->label);
    if (g->failed) spur__str_printf(out, " (%zu failed)", g->failed);
    if (g->unfinished) spur__str_printf(out, " (%zu unfinished)", g->unfinished);
    if (g->pruned) spur__str_printf(out, " (%zu pruned)", g->pruned);
}

/* Numbers first: a label may be longer than the line of a terminal, columns stay in place. */
static void text_row(const report *r, const report_group *g, double p, spur__str *out) {
    summary_stats s = stats_summarize(g->values, g->count);
    if (s.n == 0)
        spur__str_puts(out, "       -         -");
    else
        spur__str_printf(out, "%8.4g  ", s.mean);
    if (s.n > 1)
        spur__str_printf(out, "%8.2g", s.std);
    else if (s.n == 1)
        spur__str_puts(out, "       -");
    spur__str_printf(out, "  %3zu  ", s.n);
    put_p(out, p);
    for (size_t k = 0; k < r->other_count; k++) {
        char mean[MEAN_TEXT];
        summary_stats other = other_stats(g, k);
        format_mean(&other, mean, sizeof mean);
        text_right(out, mean, other_width(r, k) + 2);
    }
    spur__str_puts(out, "  ");
    put_label(g, out);
    spur__str_putc(out, '\n');
}

static void text_table(const report *r, const double *p, size_t rows, spur__str *out) {
    spur__str_printf(out, "%8s  %8s  %3s  %7s", "mean", "std", "n", "p");
    for (size_t k = 0; k < r->other_count; k++)
        text_right(out, r->others[k], other_width(r, k) + 2);
    spur__str_puts(out, "  configuration\n");
    for (size_t i = 0; i < rows; i++) text_row(r, &r->groups[i], p[i], out);
    if (rows < r->group_count) spur__str_printf(out, "... and %zu more\n", r->group_count - rows);
}

/* ---- for programs and papers -------------------------------------------------------------- */

static cell text_cell(const char *text) {
    return cell_text(text, strlen(text));
}

static cell number_cell(double x) {
    return isnan(x) ? (cell){.type = CELL_NONE} : cell_number(x);
}

/* Full numbers: what a program wants. */
static spur_status csv_table(const report *r, const double *p, FILE *file) {
    enum { FIXED = 11 };
    static const char *const names[FIXED] = {"configuration", "metric", "mean", "std",    "n",
                                             "min",           "max",    "p",    "failed", "pruned",
                                             "unfinished"};
    column columns[FIXED + 2 * REPORT_OTHERS];
    char extra[2 * REPORT_OTHERS][96];
    table t;
    for (size_t i = 0; i < FIXED; i++) columns[i] = (column){names[i], true};
    for (size_t k = 0; k < 2 * r->other_count; k++) {
        snprintf(extra[k], sizeof extra[k], "%s_%s", r->others[k / 2], k % 2 ? "std" : "mean");
        columns[FIXED + k] = (column){extra[k], true};
    }
    table_begin(&t, file, TABLE_CSV, columns, FIXED + 2 * r->other_count);
    table_head(&t);
    for (size_t i = 0; i < r->group_count; i++) {
        const report_group *g = &r->groups[i];
        summary_stats s = stats_summarize(g->values, g->count);
        cell cells[FIXED + 2 * REPORT_OTHERS] = {
            text_cell(g->label),
            text_cell(r->metric),
            number_cell(s.mean),
            number_cell(s.std),
            cell_int((int64_t)s.n),
            number_cell(s.min),
            number_cell(s.max),
            number_cell(p[i]),
            cell_int((int64_t)g->failed),
            cell_int((int64_t)g->pruned),
            cell_int((int64_t)g->unfinished),
        };
        for (size_t k = 0; k < r->other_count; k++) {
            summary_stats other = other_stats(g, k);
            cells[FIXED + 2 * k] = number_cell(other.mean);
            cells[FIXED + 2 * k + 1] = number_cell(other.std);
        }
        table_row(&t, cells);
    }
    return table_end(&t);
}

/* One row of a paper's table. */
static void paper_row(const report *r, const report_group *g, double p, table *t) {
    summary_stats s = stats_summarize(g->values, g->count);
    char mean[1 + REPORT_OTHERS][MEAN_TEXT], chance[32] = "-";
    spur__str label;
    spur__str_init(&label, 1 << 14);
    put_label(g, &label);
    if (!isnan(p)) snprintf(chance, sizeof chance, "%.*g", evidence_digits(p), p);
    format_mean(&s, mean[0], sizeof mean[0]);
    cell cells[PAPER_FIXED + REPORT_OTHERS] = {text_cell(spur__str_text(&label)),
                                               text_cell(mean[0]), cell_int((int64_t)s.n),
                                               text_cell(chance)};
    for (size_t k = 0; k < r->other_count; k++) {
        summary_stats other = other_stats(g, k);
        format_mean(&other, mean[k + 1], sizeof mean[k + 1]);
        cells[PAPER_FIXED + k] = text_cell(mean[k + 1]);
    }
    table_row(t, cells);
    spur__str_free(&label);
}

/* Means with their deviation, as they stand in a paper. */
static spur_status paper_table(const report *r, const double *p, table_format format, FILE *file) {
    column columns[PAPER_FIXED + REPORT_OTHERS] = {
        {"configuration", false}, {r->metric, true}, {"n", true}, {"p", true}};
    table t;
    for (size_t k = 0; k < r->other_count; k++)
        columns[PAPER_FIXED + k] = (column){r->others[k], true};
    table_begin(&t, file, format, columns, PAPER_FIXED + r->other_count);
    table_head(&t);
    for (size_t i = 0; i < r->group_count; i++) paper_row(r, &r->groups[i], p[i], &t);
    return table_end(&t);
}

static void json_number(spur__str *out, const char *name, double x) {
    spur__str_printf(out, "\"%s\": ", name);
    if (isfinite(x))
        spur__str_double(out, x);
    else
        spur__str_puts(out, "null");
}

static void json_summary(spur__str *out, const double *values, size_t count) {
    summary_stats s = stats_summarize(values, count);
    json_number(out, "mean", s.mean);
    spur__str_puts(out, ", ");
    json_number(out, "std", s.std);
}

static void json_values(spur__str *out, const double *values, size_t count) {
    spur__str_puts(out, "\"values\": [");
    for (size_t i = 0; i < count; i++) {
        if (i) spur__str_puts(out, ", ");
        text_json_number(out, values[i]);
    }
    spur__str_putc(out, ']');
}

static void json_group(const report *r, size_t i, double p, spur__str *out) {
    const report_group *g = &r->groups[i];
    spur__str_printf(out, "%s\n  {\"label\": ", i ? "," : "");
    text_json(out, g->label, strlen(g->label));
    spur__str_puts(out, ", ");
    json_summary(out, g->values, g->count);
    spur__str_puts(out, ", ");
    json_number(out, "p", p);
    spur__str_printf(out, ", \"n\": %zu, \"failed\": %zu, \"pruned\": %zu, \"unfinished\": %zu, ",
                     g->count, g->failed, g->pruned, g->unfinished);
    json_values(out, g->values, g->count);
    spur__str_puts(out, ", \"others\": {");
    for (size_t k = 0; k < r->other_count; k++) {
        if (k) spur__str_puts(out, ", ");
        text_json(out, r->others[k], strlen(r->others[k]));
        spur__str_puts(out, ": {");
        json_summary(out, g->others[k], g->other_counts[k]);
        spur__str_puts(out, ", ");
        json_values(out, g->others[k], g->other_counts[k]);
        spur__str_putc(out, '}');
    }
    spur__str_puts(out, "}}");
}

static spur_status json_report(const report *r, const double *p, FILE *file) {
    spur__str out;
    spur__str_init(&out, 1u << 30);
    spur__str_puts(&out, "{\"metric\": ");
    text_json(&out, r->metric, strlen(r->metric));
    spur__str_printf(&out, ", \"direction\": \"%s\", \"reference\": ", r->maximize ? "max" : "min");
    const char *reference = r->group_count ? r->groups[report_reference(r)].label : "";
    text_json(&out, reference, strlen(reference));
    evidence e = evidence_of(r);
    spur__str_printf(&out, ", \"repeated\": %zu, \"seed_by_seed\": %s, \"configurations\": [",
                     r->repeated, e.blocks ? "true" : "false");
    for (size_t i = 0; i < r->group_count; i++) json_group(r, i, p[i], &out);
    spur__str_puts(&out, "\n]}\n");
    spur_status status = spur__str_status(&out);
    if (status == SPUR_OK && fputs(spur__str_text(&out), file) < 0) status = SPUR_E_IO;
    spur__str_free(&out);
    return status;
}

void report_text(const report *r, size_t most, spur__str *out) {
    double *p = spur__malloc_array(r->group_count + 1, sizeof *p);
    if (p && report_p_values(r, p))
        text_table(r, p, most && most < r->group_count ? most : r->group_count, out);
    spur__free(p);
}

spur_status report_write(const report *r, table_format format, FILE *file) {
    double *p = spur__malloc_array(r->group_count + 1, sizeof *p);
    spur_status status = SPUR_E_MEMORY;
    if (p && report_p_values(r, p))
        status = format == TABLE_JSON  ? json_report(r, p, file)
                 : format == TABLE_CSV ? csv_table(r, p, file)
                                       : paper_table(r, p, format, file);
    spur__free(p);
    return status;
}
