/* SPDX-License-Identifier: MIT
 *
 * The CSV parser; see csvfile.h. Cells are unquoted in place: what is written never overtakes what
 * is read.
 */
#include "data/codecs/csvfile.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

typedef struct parser {
    char *at, *end;
    char separator;
    uint32_t line;
    const char *name;
    spur__csv *out;
    size_t count; /* cells so far */
    spur_error *err;
} parser;

void spur__csv_free(spur__csv *csv) {
    spur__free(csv->cells);
    spur__free(csv->lines);
    *csv = (spur__csv){0};
}

static char guess_separator(const char *text, size_t size) {
    static const char candidates[] = {',', ';', '\t'};
    size_t counts[3] = {0}, best = 0;
    bool inside = false; /* quotes */
    for (size_t i = 0; i < size && (inside || text[i] != '\n'); i++) {
        if (text[i] == '"') inside = !inside;
        for (size_t k = 0; k < 3; k++) counts[k] += !inside && text[i] == candidates[k];
    }
    for (size_t k = 1; k < 3; k++)
        if (counts[k] > counts[best]) best = k;
    return candidates[best];
}

static spur_status push_cell(parser *p, char *cell) {
    spur__csv *out = p->out;
    if (p->count == out->capacity) {
        size_t capacity = out->capacity ? 2 * out->capacity : 1024;
        char **cells = spur__realloc_array(out->cells, capacity, sizeof *cells);
        if (!cells) return spur__fail(p->err, SPUR_E_MEMORY, "%s: out of memory", p->name);
        out->cells = cells;
        out->capacity = capacity;
    }
    out->cells[p->count++] = cell;
    return SPUR_OK;
}

static spur_status push_row(parser *p, uint32_t line, size_t cells) {
    spur__csv *out = p->out;
    if (out->rows == 0) out->columns = cells;
    if (cells != out->columns)
        return spur__fail_at(p->err, SPUR_E_FORMAT, p->name, (int)line, 1,
                             "%zu cells, expected %zu as in the first line", cells, out->columns);
    if (out->rows == out->row_capacity) {
        size_t capacity = out->row_capacity ? 2 * out->row_capacity : 256;
        uint32_t *lines = spur__realloc_array(out->lines, capacity, sizeof *lines);
        if (!lines) return spur__fail(p->err, SPUR_E_MEMORY, "%s: out of memory", p->name);
        out->lines = lines;
        out->row_capacity = capacity;
    }
    out->lines[out->rows++] = line;
    return SPUR_OK;
}

static bool is_blank(const parser *p, char c) {
    return c == ' ' || (c == '\t' && p->separator != '\t');
}

static void skip_blanks(parser *p) {
    while (p->at < p->end && is_blank(p, *p->at)) p->at++;
}

/* True when the cell that ended at `at` is the last one of its line; steps over the end of line. */
static bool end_of_line(parser *p) {
    if (p->at < p->end && *p->at == p->separator) {
        p->at++;
        return false;
    }
    if (p->at < p->end && *p->at == '\r') p->at++;
    if (p->at < p->end && *p->at == '\n') p->at++;
    p->line++;
    return true;
}

/* A cell in quotes, from behind the opening one; *stop is where its NUL goes. */
static spur_status quoted(parser *p, char **cell, char **stop) {
    uint32_t line = p->line;
    char *to = *cell = p->at;
    for (;; p->at++) {
        if (p->at == p->end)
            return spur__fail_at(p->err, SPUR_E_FORMAT, p->name, (int)line, 1,
                                 "a quoted cell without its closing quote");
        if (*p->at == '"') {
            p->at++;
            if (p->at == p->end || *p->at != '"') break;
        }
        if (*p->at == '\n') p->line++;
        *to++ = *p->at;
    }
    *stop = to;
    skip_blanks(p);
    if (p->at == p->end || *p->at == p->separator || *p->at == '\n' || *p->at == '\r')
        return SPUR_OK;
    return spur__fail_at(p->err, SPUR_E_FORMAT, p->name, (int)p->line, 1,
                         "text behind a closing quote");
}

static spur_status plain(parser *p, char **cell, char **stop) {
    *cell = p->at;
    while (p->at < p->end && *p->at != p->separator && *p->at != '\n' && *p->at != '\r') {
        if (*p->at == '\0')
            return spur__fail_at(p->err, SPUR_E_FORMAT, p->name, (int)p->line, 1,
                                 "a NUL byte: not a text file");
        p->at++;
    }
    *stop = p->at;
    while (*stop > *cell && is_blank(p, (*stop)[-1])) --*stop;
    return SPUR_OK;
}

/* One line. The NUL of each cell is set after the character there was looked at. */
static spur_status parse_row(parser *p) {
    uint32_t line = p->line;
    size_t first = p->count;
    bool last = false;
    while (!last) {
        skip_blanks(p);
        char *cell = p->at, *stop = p->at;
        if (p->at < p->end && *p->at == '"') {
            p->at++;
            SPUR__TRY(quoted(p, &cell, &stop));
        } else {
            SPUR__TRY(plain(p, &cell, &stop));
        }
        last = end_of_line(p);
        *stop = '\0';
        SPUR__TRY(push_cell(p, cell));
    }
    return push_row(p, line, p->count - first);
}

/* Steps over a line that holds nothing but blanks. */
static bool skip_blank_line(parser *p) {
    char *start = p->at;
    skip_blanks(p);
    if (p->at < p->end && *p->at != '\r' && *p->at != '\n') {
        p->at = start;
        return false;
    }
    return end_of_line(p);
}

spur_status spur__csv_parse(char *text, size_t size, char separator, const char *name,
                            spur__csv *out, spur_error *err) {
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) text += 3, size -= 3;
    parser p = {text, text + size, separator, 1, name, out, 0, err};
    if (!separator) p.separator = guess_separator(text, size);
    *out = (spur__csv){0};
    text[size] = '\0';
    spur_status status = SPUR_OK;
    while (p.at < p.end && status == SPUR_OK)
        if (!skip_blank_line(&p)) status = parse_row(&p);
    if (status == SPUR_OK && out->rows == 0)
        status = spur__fail(err, SPUR_E_FORMAT, "%s: empty", name);
    if (status != SPUR_OK) spur__csv_free(out);
    return status;
}
