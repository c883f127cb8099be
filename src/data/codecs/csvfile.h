/* SPDX-License-Identifier: MIT
 *
 * CSV text as a table of cells: fields may be quoted ("" within quotes is one quote), lines end in LF
 * or CRLF, a byte-order mark, blanks around cells and blank lines are skipped. Every row must have as
 * many cells.
 */
#ifndef SPUR_DATA_CODECS_CSVFILE_H
#define SPUR_DATA_CODECS_CSVFILE_H

#include <stddef.h>
#include <stdint.h>

#include <spur/status.h>

typedef struct spur__csv {
    size_t rows, columns;
    char **cells; /* [rows][columns], into the text that was parsed */
    uint32_t *lines; /* [rows] line of the file on which a row begins, from 1 */
    size_t capacity; /* of cells */
    size_t row_capacity;
} spur__csv;

/* Parses text in place (text[size] must be writable and is set to NUL). separator 0: the one of
 * comma, semicolon and tab that is most frequent in the first line, outside quotes. */
spur_status spur__csv_parse(char *text, size_t size, char separator, const char *name,
                            spur__csv *out, spur_error *err);
void spur__csv_free(spur__csv *csv);

#endif
