/* SPDX-License-Identifier: MIT
 *
 * Pieces of output that several commands share: names and numbers for people, JSON, CSV, Markdown
 * and LaTeX. Names come from files, so they may hold anything: control characters, NUL, broken
 * UTF-8; none of it reaches the terminal.
 */
#ifndef SPUR_TRAINER_OUTPUT_TEXT_H
#define SPUR_TRAINER_OUTPUT_TEXT_H

#include <stdint.h>

#include <spur/events.h>

#include "base/str.h"

/* One line for people: control characters as \n or \x1b, broken UTF-8 as U+FFFD. */
void text_line(spur__str *out, const char *bytes, size_t n);

/* Says "spur " and the message on stderr, as one line of text_line. */
void text_complain(const char *fmt, ...) SPUR_PRINTF(1, 2);

/* Columns that a line takes on a terminal, and the first n bytes of one; see base/str.h. */
size_t text_columns(const char *line);
size_t text_columns_n(const char *line, size_t n);

/* Appends `line`, or of one that is longer than `columns` its beginning and "...". */
void text_cut(spur__str *out, const char *line, size_t columns);

/* Appends blanks and `line` behind them, at least `columns` in all. */
void text_right(spur__str *out, const char *line, size_t columns);

/* Appends `line` in exactly `columns` columns: filled up, or with "..." in its middle. 0: as is. */
void text_fit(spur__str *out, const char *line, size_t columns);

/* Appends words broken into lines of at most `columns`, each behind `indent` spaces. The first one may
 * have `used` columns already; 0: it begins with the spaces, too. */
void text_wrap(spur__str *out, const char *words, size_t indent, size_t used, size_t columns);

/* A field of a CSV file (RFC 4180), quoted where it must be or where blanks would be lost. */
void text_csv(spur__str *out, const char *bytes, size_t n);

/* A cell of a Markdown table: what would be markup, or end the cell, escaped; line breaks as <br>. Both
 * as TensorBoard's Text tab reads it and as GitHub does. */
void text_markdown(spur__str *out, const char *bytes, size_t n);

/* A JSON string of any bytes. */
void text_json(spur__str *out, const char *bytes, size_t n);

/* A JSON number; NaN and infinities as the strings "NaN", "Infinity", "-Infinity". */
void text_json_number(spur__str *out, double value);

/* Seconds since the epoch as a plain decimal that reads back as the same double. */
void text_seconds(spur__str *out, double seconds);

/* "2026-11-22 09:31:07" in local time; "-" for what is no time. */
void text_date(spur__str *out, double seconds);

/* "1.2 MB"; 1 kB = 1000 bytes. */
void text_bytes(spur__str *out, uint64_t bytes);

/* "1,234,567". */
void text_count(spur__str *out, uint64_t n);

/* Writes a file, atomically. A text that is not whole (out of memory, too long) is an error, and so is a
 * path of NULL, which could not be put together. */
spur_status text_write(const char *path, const spur__str *text, spur_error *err);

#endif
