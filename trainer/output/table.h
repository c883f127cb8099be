/* SPDX-License-Identifier: MIT
 *
 * Tables as CSV (RFC 4180), JSON (an array of objects), Markdown and LaTeX, written row by row.
 * CSV and JSON numbers read back as exactly the same value; in Markdown and LaTeX, which are for
 * reading, they have six digits.
 */
#ifndef SPUR_TRAINER_OUTPUT_TABLE_H
#define SPUR_TRAINER_OUTPUT_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include <spur/events.h>

#include "base/str.h"

typedef enum table_format { TABLE_CSV, TABLE_JSON, TABLE_MARKDOWN, TABLE_LATEX } table_format;

typedef enum cell_type {
    CELL_NONE,
    CELL_TEXT,
    CELL_INT,
    CELL_BOOL,
    CELL_NUMBER,
    CELL_SECONDS
} cell_type;

typedef struct cell {
    cell_type type;
    spur_slice text; /* of CELL_TEXT */
    int64_t integer; /* of CELL_INT and CELL_BOOL */
    double number; /* of CELL_NUMBER and CELL_SECONDS */
} cell;

typedef struct column {
    const char *name;
    bool numeric; /* set to the right */
} column;

typedef struct table {
    FILE *file;
    table_format format;
    const column *columns;
    size_t count;
    uint64_t rows;
    bool headed;
    spur__str line;
} table;

static inline cell cell_text(const char *text, size_t size) {
    return (cell){.type = CELL_TEXT, .text = {text, size}};
}

static inline cell cell_int(int64_t n) {
    return (cell){.type = CELL_INT, .integer = n};
}

static inline cell cell_bool(bool b) {
    return (cell){.type = CELL_BOOL, .integer = b};
}

static inline cell cell_number(double x) {
    return (cell){.type = CELL_NUMBER, .number = x};
}

static inline cell cell_seconds(double x) {
    return (cell){.type = CELL_SECONDS, .number = x};
}

/* Begins a table on a file that stays open; the columns must live as long. Nothing is written before
 * the first row: a table without rows leaves nothing, not even a head. */
void table_begin(table *t, FILE *file, table_format format, const column *columns, size_t count);

/* Writes the head now, so that a table without rows has one: an empty array in JSON. */
void table_head(table *t);

/* Writes one row of `count` cells. */
void table_row(table *t, const cell *cells);

/* Ends it. E_MEMORY, or E_IO when the file took an error. */
spur_status table_end(table *t);

#endif
