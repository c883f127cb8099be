/* SPDX-License-Identifier: MIT
 *
 * Tables in four formats; see table.h.
 */
#include "output/table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "output/text.h"

enum { LINE_MAX_BYTES = 1 << 30 };

static void flush_line(table *t) {
    fwrite(spur__str_text(&t->line), 1, t->line.length, t->file);
    if (spur__str_status(&t->line) == SPUR_OK) spur__str_clear(&t->line);
}

/* ---- one cell ------------------------------------------------------------------------------- */

static void latex_char(spur__str *out, char c) {
    switch (c) {
    case '\\':
        spur__str_puts(out, "\\textbackslash{}");
        break;
    case '~':
        spur__str_puts(out, "\\textasciitilde{}");
        break;
    case '^':
        spur__str_puts(out, "\\textasciicircum{}");
        break;
    default:
        if (strchr("&%$#_{}", c)) spur__str_putc(out, '\\');
        spur__str_putc(out, c);
        break;
    }
}

/* Line breaks are blanks. */
static void latex_text(spur__str *out, spur_slice text) {
    spur__str line;
    spur__str_init(&line, LINE_MAX_BYTES); /* control characters and broken UTF-8 made harmless */
    for (size_t i = 0, n; i < text.size; i += n + 1) {
        const char *end = memchr(text.data + i, '\n', text.size - i);
        n = end ? (size_t)(end - text.data) - i : text.size - i;
        text_line(&line, text.data + i, n);
        if (end) spur__str_putc(&line, ' ');
    }
    for (const char *p = spur__str_text(&line); *p; p++) {
        bool plus_minus = strncmp(p, "\xc2\xb1", 2) == 0;
        if (plus_minus)
            spur__str_puts(out, "$\\pm$"); /* no document has to know UTF-8 for this one */
        else
            latex_char(out, *p);
        p += plus_minus;
    }
    spur__str_free(&line);
}

static void put_text(spur__str *out, table_format format, spur_slice text) {
    switch (format) {
    case TABLE_CSV:
        text_csv(out, text.data, text.size);
        break;
    case TABLE_JSON:
        text_json(out, text.data, text.size);
        break;
    case TABLE_MARKDOWN:
        text_markdown(out, text.data, text.size);
        break;
    case TABLE_LATEX:
        latex_text(out, text);
        break;
    }
}

static void put_number(spur__str *out, table_format format, double x) {
    if (format == TABLE_JSON)
        text_json_number(out, x);
    else if (format == TABLE_CSV)
        spur__str_double(out, x);
    else if (format == TABLE_LATEX && isinf(x))
        spur__str_puts(out, x > 0 ? "$\\infty$" : "$-\\infty$");
    else
        spur__str_printf(out, "%.6g", x);
}

static void put_seconds(spur__str *out, table_format format, double x) {
    if (x - x != 0)
        put_number(out, format, x);
    else if (format == TABLE_CSV || format == TABLE_JSON)
        text_seconds(out, x);
    else
        text_date(out, x);
}

static void put_cell(spur__str *out, table_format format, const cell *c) {
    switch (c->type) {
    case CELL_NONE:
        if (format == TABLE_JSON) spur__str_puts(out, "null");
        break;
    case CELL_TEXT:
        put_text(out, format, c->text);
        break;
    case CELL_INT:
        spur__str_printf(out, "%" PRId64, c->integer);
        break;
    case CELL_BOOL:
        spur__str_puts(out, c->integer ? "true" : "false");
        break;
    case CELL_NUMBER:
        put_number(out, format, c->number);
        break;
    case CELL_SECONDS:
        put_seconds(out, format, c->number);
        break;
    }
}

/* ---- rows ----------------------------------------------------------------------------------- */

static const struct {
    const char *open, *between, *close;
} rows[] = {
    [TABLE_CSV] = {"", ",", "\n"},
    [TABLE_JSON] = {"", "", ""},
    [TABLE_MARKDOWN] = {"| ", " | ", " |\n"},
    [TABLE_LATEX] = {"", " & ", " \\\\\n"},
};

static void put_plain_row(table *t, const cell *cells) {
    spur__str_puts(&t->line, rows[t->format].open);
    for (size_t i = 0; i < t->count; i++) {
        if (i > 0) spur__str_puts(&t->line, rows[t->format].between);
        put_cell(&t->line, t->format, &cells[i]);
    }
    spur__str_puts(&t->line, rows[t->format].close);
}

static void put_object(table *t, const cell *cells) {
    spur__str_puts(&t->line, t->rows > 0 ? ",\n{" : "\n{");
    for (size_t i = 0; i < t->count; i++) {
        if (i > 0) spur__str_puts(&t->line, ", ");
        text_json(&t->line, t->columns[i].name, strlen(t->columns[i].name));
        spur__str_puts(&t->line, ": ");
        put_cell(&t->line, TABLE_JSON, &cells[i]);
    }
    spur__str_putc(&t->line, '}');
}

static void put_names(table *t) {
    spur__str_puts(&t->line, rows[t->format].open);
    for (size_t i = 0; i < t->count; i++) {
        const char *name = t->columns[i].name;
        if (i > 0) spur__str_puts(&t->line, rows[t->format].between);
        put_text(&t->line, t->format, (spur_slice){name, strlen(name)});
    }
    spur__str_puts(&t->line, rows[t->format].close);
}

/* What stands in front of the first row. */
static void put_head(table *t) {
    const column *columns = t->columns;
    size_t count = t->count;
    table_format format = t->format;
    if (format == TABLE_JSON) spur__str_putc(&t->line, '[');
    if (format == TABLE_LATEX) {
        spur__str_puts(&t->line, "\\begin{tabular}{");
        for (size_t i = 0; i < count; i++) spur__str_putc(&t->line, columns[i].numeric ? 'r' : 'l');
        spur__str_puts(&t->line, "}\n\\hline\n");
    }
    if (format != TABLE_JSON) put_names(t);
    if (format == TABLE_LATEX) spur__str_puts(&t->line, "\\hline\n");
    if (format == TABLE_MARKDOWN) {
        spur__str_putc(&t->line, '|');
        for (size_t i = 0; i < count; i++)
            spur__str_puts(&t->line, columns[i].numeric ? " ---: |" : " --- |");
        spur__str_putc(&t->line, '\n');
    }
}

void table_begin(table *t, FILE *file, table_format format, const column *columns, size_t count) {
    *t = (table){.file = file, .format = format, .columns = columns, .count = count};
    spur__str_init(&t->line, LINE_MAX_BYTES);
}

void table_head(table *t) {
    if (!t->headed) put_head(t);
    t->headed = true;
}

void table_row(table *t, const cell *cells) {
    table_head(t);
    if (t->format == TABLE_JSON)
        put_object(t, cells);
    else
        put_plain_row(t, cells);
    t->rows++;
    flush_line(t);
}

spur_status table_end(table *t) {
    if (t->format == TABLE_JSON && t->headed) spur__str_puts(&t->line, t->rows ? "\n]\n" : "]\n");
    if (t->format == TABLE_LATEX && t->headed)
        spur__str_puts(&t->line, "\\hline\n\\end{tabular}\n");
    flush_line(t);
    spur_status status = spur__str_status(&t->line);
    spur__str_free(&t->line);
    if (status != SPUR_OK) return status;
    return fflush(t->file) == 0 && !ferror(t->file) ? SPUR_OK : SPUR_E_IO;
}
