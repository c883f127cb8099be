/* SPDX-License-Identifier: MIT
 *
 * The table of a report in five formats.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "sweep/report.h"
#include "sweep/stats.h"

/* Columns of UTF-8 text. */
static size_t width_of(const char *text) {
    size_t n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void put_padded(spur__str *out, const char *text, size_t width) {
    spur__str_puts(out, text);
    for (size_t n = width_of(text); n < width; n++) spur__str_putc(out, ' ');
}

static void put_p(spur__str *out, double p) {
    if (isnan(p))
        spur__str_puts(out, "      -");
    else
        spur__str_printf(out, "%7.2g", p);
}

static void text_row(const report_group *g, double p, size_t width, spur__str *out) {
    summary_stats s = stats_summarize(g->values, g->count);
    put_padded(out, g->label, width);
    if (s.n == 0)
        spur__str_puts(out, "         -         -");
    else
        spur__str_printf(out, "  %8.4g  ", s.mean);
    if (s.n > 1)
        spur__str_printf(out, "%8.2g", s.std);
    else if (s.n == 1)
        spur__str_puts(out, "       -");
    spur__str_printf(out, "  %3zu  ", s.n);
    put_p(out, p);
    if (g->failed) spur__str_printf(out, "  %zu failed", g->failed);
    if (g->pruned) spur__str_printf(out, "  %zu pruned", g->pruned);
    spur__str_putc(out, '\n');
}

static void text_table(const report *r, const double *p, size_t rows, spur__str *out) {
    size_t width = strlen("configuration");
    for (size_t i = 0; i < rows; i++)
        if (width_of(r->groups[i].label) > width) width = width_of(r->groups[i].label);
    put_padded(out, "configuration", width);
    spur__str_printf(out, "  %8s  %8s  %3s  %7s\n", "mean", "std", "n", "p");
    for (size_t i = 0; i < rows; i++) text_row(&r->groups[i], p[i], width, out);
    if (rows < r->group_count) spur__str_printf(out, "... and %zu more\n", r->group_count - rows);
}

/* A number for files: shortest form, empty when there is none. */
static void put_number(spur__str *out, double x) {
    if (!isnan(x)) spur__str_double(out, x);
}

/* A cell of CSV, quoted when it has to be. */
static void put_cell(spur__str *out, const char *text) {
    if (!strpbrk(text, ",\"\n")) {
        spur__str_puts(out, text);
        return;
    }
    spur__str_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"') spur__str_putc(out, '"');
        spur__str_putc(out, *text);
    }
    spur__str_putc(out, '"');
}

static void csv_table(const report *r, const double *p, size_t rows, spur__str *out) {
    spur__str_puts(out, "configuration,metric,mean,std,n,min,max,p,failed,pruned\n");
    for (size_t i = 0; i < rows; i++) {
        const report_group *g = &r->groups[i];
        summary_stats s = stats_summarize(g->values, g->count);
        const double numbers[] = {s.mean, s.std, (double)s.n, s.min, s.max, p[i]};
        put_cell(out, g->label);
        spur__str_printf(out, ",%s", r->metric);
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
            spur__str_putc(out, ',');
            put_number(out, numbers[k]);
        }
        spur__str_printf(out, ",%zu,%zu\n", g->failed, g->pruned);
    }
}

static void json_number(spur__str *out, const char *name, double x) {
    spur__str_printf(out, ", \"%s\": ", name);
    if (isfinite(x))
        spur__str_double(out, x);
    else
        spur__str_puts(out, "null");
}

static void json_table(const report *r, const double *p, size_t rows, spur__str *out) {
    spur__str_puts(out, "{\"metric\": ");
    spur__str_json(out, r->metric);
    spur__str_printf(out, ", \"direction\": \"%s\", \"configurations\": [",
                     r->maximize ? "max" : "min");
    for (size_t i = 0; i < rows; i++) {
        const report_group *g = &r->groups[i];
        summary_stats s = stats_summarize(g->values, g->count);
        spur__str_printf(out, "%s\n  {\"label\": ", i ? "," : "");
        spur__str_json(out, g->label);
        json_number(out, "mean", s.mean);
        json_number(out, "std", s.std);
        json_number(out, "p", p[i]);
        spur__str_printf(out, ", \"n\": %zu, \"failed\": %zu, \"pruned\": %zu, \"values\": [",
                         g->count, g->failed, g->pruned);
        for (size_t k = 0; k < g->count; k++) {
            if (k) spur__str_puts(out, ", ");
            spur__str_double(out, g->values[k]);
        }
        spur__str_puts(out, "]}");
    }
    spur__str_puts(out, "\n]}\n");
}

static void put_mean_std(const summary_stats *s, const char *plus_minus, spur__str *out) {
    if (s->n == 0)
        spur__str_puts(out, "-");
    else
        spur__str_printf(out, "%.4g", s->mean);
    if (s->n > 1) spur__str_printf(out, " %s %.2g", plus_minus, s->std);
}

static void markdown_table(const report *r, const double *p, size_t rows, spur__str *out) {
    spur__str_printf(out, "| configuration | %s | n | p |\n| --- | --- | --- | --- |\n", r->metric);
    for (size_t i = 0; i < rows; i++) {
        summary_stats s = stats_summarize(r->groups[i].values, r->groups[i].count);
        spur__str_puts(out, "| ");
        for (const char *c = r->groups[i].label; *c; c++)
            spur__str_printf(out, *c == '|' ? "\\%c" : "%c", *c);
        spur__str_puts(out, " | ");
        put_mean_std(&s, "\xc2\xb1", out);
        if (isnan(p[i]))
            spur__str_printf(out, " | %zu | - |\n", s.n);
        else
            spur__str_printf(out, " | %zu | %.2g |\n", s.n, p[i]);
    }
}

/* Text with LaTeX's special characters escaped. */
static void put_latex(spur__str *out, const char *text) {
    for (; *text; text++) {
        if (*text == '\\') {
            spur__str_puts(out, "\\textbackslash{}");
            continue;
        }
        if (strchr("_%&#${}", *text)) spur__str_putc(out, '\\');
        spur__str_putc(out, *text);
    }
}

static void latex_table(const report *r, const double *p, size_t rows, spur__str *out) {
    spur__str_puts(out, "\\begin{tabular}{lrrr}\nconfiguration & ");
    put_latex(out, r->metric);
    spur__str_puts(out, " & n & p \\\\\n\\hline\n");
    for (size_t i = 0; i < rows; i++) {
        summary_stats s = stats_summarize(r->groups[i].values, r->groups[i].count);
        put_latex(out, r->groups[i].label);
        spur__str_puts(out, " & $");
        put_mean_std(&s, "\\pm", out);
        if (isnan(p[i]))
            spur__str_printf(out, "$ & %zu & -- \\\\\n", s.n);
        else
            spur__str_printf(out, "$ & %zu & %.2g \\\\\n", s.n, p[i]);
    }
    spur__str_puts(out, "\\end{tabular}\n");
}

void report_table(const report *r, report_format format, size_t most, spur__str *out) {
    typedef void put_table(const report *r, const double *p, size_t rows, spur__str *out);
    static put_table *const tables[] = {
        [REPORT_TEXT] = text_table,   [REPORT_CSV] = csv_table,     [REPORT_JSON] = json_table,
        [REPORT_MD] = markdown_table, [REPORT_LATEX] = latex_table,
    };
    double *p = spur__malloc_array(r->group_count + 1, sizeof *p);
    if (p && report_p_values(r, p))
        tables[format](r, p, most && most < r->group_count ? most : r->group_count, out);
    spur__free(p);
}
