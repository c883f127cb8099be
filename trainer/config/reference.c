/* SPDX-License-Identifier: MIT
 *
 * Option tables printed as text and as Markdown; see reference.h.
 */
#include "config/reference.h"

#include <stdio.h>
#include <string.h>

#include "nn/metric.h"
#include "output/text.h"

enum { WIDTH = 80 };

void reference_row(const char *title, const spur__option *row, spur__str *out) {
    spur__str help, domain;
    spur__str_init(&help, 1 << 16);
    spur__str_init(&domain, 1 << 16);
    spur__str_puts(&help, row->help ? row->help : "");
    if (row->unit) spur__str_printf(&help, " (%s)", row->unit);
    spur__option_domain(row, &domain);
    spur__str_printf(out, "%s =%s%s\n", title, *row->initial ? " " : "", row->initial);
    text_wrap(out, spur__str_text(&help), 6, 0, WIDTH);
    text_wrap(out, spur__str_text(&domain), 6, 0, WIDTH);
    spur__str_free(&help);
    spur__str_free(&domain);
}

static void print_table(const spur__options *table, spur__str *out) {
    for (size_t i = 0; table && i < table->count; i++) {
        char title[64];
        snprintf(title, sizeof title, "  %s", table->rows[i].name);
        reference_row(title, &table->rows[i], out);
    }
}

static void print_kinds(const spur__family *family, spur__str *out) {
    for (size_t i = 0; i < family->count; i++) {
        const spur__kind *kind = family->kinds[i];
        spur__str_printf(out, "        %-20s ", kind->name);
        text_wrap(out, kind->help ? kind->help : "", 29, 29, WIDTH);
    }
}

void reference_section(section_id section, spur__str *out) {
    const section_spec *spec = &section_specs[section];
    spur__str_printf(out, "[%s]  %s\n\n", spec->name, spec->help);
    if (spec->family) {
        spur__str_printf(out, "  %s = %s\n      one of:\n", spec->selector, spec->initial);
        print_kinds(spec->family, out);
    }
    print_table(spec->common, out);
    if (spec->family)
        spur__str_printf(out, "\n`spur help %s %s` shows the options of one of them.\n", spec->name,
                         spec->initial);
}

void reference_kind(section_id section, const spur__kind *kind, spur__str *out) {
    const section_spec *spec = &section_specs[section];
    spur__str_printf(out, "[%s]  %s = %s\n%s\n\n", spec->name, spec->selector, kind->name,
                     kind->help ? kind->help : "");
    print_table(kind->options, out);
    if (!kind->options || kind->options->count == 0) spur__str_puts(out, "  (no options)\n");
    if (spec->common)
        spur__str_printf(out, "\n`spur help %s` shows the options that all of them share.\n",
                         spec->name);
}

void reference_metrics(const spur__kind *kind, spur__str *out) {
    spur__str_printf(out, "[train]  metrics = %s\n", kind ? kind->name : "auto");
    if (kind) {
        spur__str_printf(out, "%s\n\n", kind->help);
        print_table(kind->options, out);
        if (!kind->options) spur__str_puts(out, "  (no options)\n");
        return;
    }
    spur__str_puts(out, "      some of these, separated by commas, with options in brackets as in\n"
                        "      iou(class=1):\n");
    print_kinds(&spur__metric_family, out);
    spur__str_puts(out, "\n`spur help metrics iou` shows the options of one of them.\n");
}

/* Text for a table's cell: '|' would end it. */
static void cell(const char *text, spur__str *out) {
    for (; *text; text++) {
        if (*text == '|') spur__str_putc(out, '\\');
        spur__str_putc(out, *text);
    }
}

static void markdown_table(const spur__options *table, spur__str *out) {
    if (!table || table->count == 0) return;
    spur__str_puts(out, "\n| key | default | value | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < table->count; i++) {
        const spur__option *row = &table->rows[i];
        spur__str domain;
        spur__str_init(&domain, 4096);
        spur__option_domain(row, &domain);
        spur__str_printf(out, "| `%s` | %s%s%s | ", row->name, *row->initial ? "`" : "",
                         row->initial, *row->initial ? "`" : "");
        cell(spur__str_text(&domain), out);
        spur__str_puts(out, " | ");
        cell(row->help ? row->help : "", out);
        if (row->unit) spur__str_printf(out, " (%s)", row->unit);
        spur__str_puts(out, " |\n");
        spur__str_free(&domain);
    }
}

/* "`iou(average=macro, class=all)`", with the defaults. */
static void markdown_metrics(spur__str *out) {
    spur__str_puts(out, "\n`metrics` names some of these; the options in brackets may be left "
                        "out.\n\n");
    for (size_t i = 0; i < spur__metric_family.count; i++) {
        const spur__kind *kind = spur__metric_family.kinds[i];
        const spur__options *table = kind->options;
        spur__str_printf(out, "- `%s", kind->name);
        for (size_t k = 0; table && k < table->count; k++)
            spur__str_printf(out, "%s%s=%s", k ? ", " : "(", table->rows[k].name,
                             table->rows[k].initial);
        spur__str_printf(out, "%s`: %s\n", table ? ")" : "", kind->help);
    }
}

static void markdown_section(const section_spec *spec, spur__str *out) {
    spur__str_printf(out, "\n## [%s]\n\n%s.\n", spec->name, spec->help);
    if (spec->family) {
        spur__str_printf(out, "`%s` chooses one of: ", spec->selector);
        for (size_t i = 0; i < spec->family->count; i++)
            spur__str_printf(out, "%s`%s`", i ? ", " : "", spec->family->kinds[i]->name);
        spur__str_printf(out, " (default `%s`).\n", spec->initial);
    }
    if (spec->common) markdown_table(spec->common, out);
    if (spec == &section_specs[SECTION_TRAIN]) markdown_metrics(out);
    for (size_t i = 0; spec->family && i < spec->family->count; i++) {
        const spur__kind *kind = spec->family->kinds[i];
        spur__str_printf(out, "\n### %s = %s\n\n%s.\n", spec->selector, kind->name,
                         kind->help ? kind->help : kind->name);
        markdown_table(kind->options, out);
    }
}

void reference_markdown(spur__str *out) {
    spur__str_puts(out, "# Options\n\nEvery section and key of an INI file. This page is made by "
                        "`spur help --markdown`; a test fails when it is stale.\n");
    for (section_id i = 0; i < SECTION_COUNT; i++) markdown_section(&section_specs[i], out);
}
