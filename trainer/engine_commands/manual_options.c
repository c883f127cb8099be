/* SPDX-License-Identifier: MIT
 *
 * spur.ini(5): every option of every section, as a manual page.
 */
#include "commands/manual.h"
#include "config/config.h"
#include "nn/metric.h"

static void put_line(const char *text, spur__str *out) {
    manual_text(text, out);
    spur__str_putc(out, '\n');
}

/* "key = default", its help, and what it may be. An indentation that is narrower than any key keeps
 * the help out of the first line, where it would be read as the value. */
static void put_row(const spur__option *row, spur__str *out) {
    spur__str domain;
    spur__str_init(&domain, 1 << 16);
    spur__option_domain(row, &domain);
    spur__str_printf(out, ".TP 4\n.BR %s \" = ", row->name);
    manual_text(row->initial, out);
    spur__str_puts(out, "\"\n");
    if (row->help) put_line(row->help, out);
    if (row->unit) spur__str_printf(out, "(%s)\n", row->unit);
    spur__str_puts(out, ".br\n");
    put_line(spur__str_text(&domain), out);
    spur__str_free(&domain);
}

static void put_table(const spur__options *table, spur__str *out) {
    for (size_t i = 0; table && i < table->count; i++) put_row(&table->rows[i], out);
}

/* What [train] metrics may name, with the options' defaults. */
static void put_metrics(spur__str *out) {
    spur__str_puts(out, ".SS metrics\nThe options in brackets may be left out.\n");
    for (size_t i = 0; i < spur__metric_family.count; i++) {
        const spur__kind *kind = spur__metric_family.kinds[i];
        const spur__options *table = kind->options;
        spur__str_printf(out, ".TP\n.B %s", kind->name);
        for (size_t k = 0; table && k < table->count; k++)
            spur__str_printf(out, "%s%s=%s", k ? ", " : "(", table->rows[k].name,
                             table->rows[k].initial);
        spur__str_puts(out, table ? ")\n" : "\n");
        put_line(kind->help, out);
    }
}

static void put_section(const section_spec *spec, spur__str *out) {
    spur__str_printf(out, ".SH [%s]\n", spec->name);
    put_line(spec->help, out);
    if (spec->family) spur__str_printf(out, ".br\n.B %s\nchooses one of:\n", spec->selector);
    for (size_t i = 0; spec->family && i < spec->family->count; i++)
        spur__str_printf(out, "%s%s\n", spec->family->kinds[i]->name,
                         i + 1 < spec->family->count ? "," : ".");
    put_table(spec->common, out);
    if (spec == &section_specs[SECTION_TRAIN]) put_metrics(out);
    for (size_t i = 0; spec->family && i < spec->family->count; i++) {
        const spur__kind *kind = spec->family->kinds[i];
        spur__str_printf(out, ".SS %s = %s\n", spec->selector, kind->name);
        if (kind->help) put_line(kind->help, out);
        put_table(kind->options, out);
    }
}

void manual_options(spur__str *out) {
    manual_title("SPUR.INI", "5", out);
    spur__str_puts(
        out,
        ".SH NAME\nspur.ini \\- the description of a training or a sweep\n"
        ".SH DESCRIPTION\nSections in brackets, keys with values, comments behind # or ;, in lines "
        "of their own or after a value and a blank. A file may begin with\n"
        ".B include = OTHER.ini\nand override what that one says; words of the command line like\n"
        ".B optimizer.lr=0.01\noverride both. An unknown section or key, a value out of range and a "
        "key that stands twice are errors with their place in the file. All keys have defaults, "
        "given below behind the equals sign.\n");
    for (section_id i = 0; i < SECTION_COUNT; i++) put_section(&section_specs[i], out);
    spur__str_puts(out, ".SH SEE ALSO\n.BR spur (1)\n");
}
