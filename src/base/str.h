/* SPDX-License-Identifier: MIT
 *
 * A growable byte string with a mandatory upper bound, and small helpers for text.
 *
 * Errors stick: after the first failed append every later one is a no-op, so that a chain of
 * appends needs one check at its end (spur__str_status). `data` is always NUL-terminated once
 * something was appended; use spur__str_text for a pointer that is never NULL.
 */
#ifndef SPUR_BASE_STR_H
#define SPUR_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

#include <spur/status.h>

typedef struct spur__str {
    char *data;
    size_t length;
    size_t capacity;
    size_t limit; /* longest allowed length in bytes */
    spur_status status;
} spur__str;

/* Starts empty; nothing is allocated before the first append. */
void spur__str_init(spur__str *s, size_t limit);
void spur__str_free(spur__str *s);

/* Empties the string, keeping its memory; also forgets an error. */
void spur__str_clear(spur__str *s);

void spur__str_append(spur__str *s, const void *bytes, size_t n);
void spur__str_puts(spur__str *s, const char *text);
void spur__str_putc(spur__str *s, char c);
void spur__str_printf(spur__str *s, const char *fmt, ...) SPUR_PRINTF(2, 3);

/* SPUR_OK, E_MEMORY, or E_RANGE when the limit was hit. */
spur_status spur__str_status(const spur__str *s);

/* The text, "" when empty. Valid until the next append. */
const char *spur__str_text(const spur__str *s);

/* Hands the buffer to the caller (free with spur__free) and leaves the string empty. NULL when an
 * error has stuck or memory is short. */
char *spur__str_take(spur__str *s);

/* The shortest decimal text that reads back as exactly `value`: "0.001", "1e-05", "inf", "nan". */
void spur__str_double(spur__str *s, double value);

/* At most nine digits that read back as exactly `value`, quicker to make than the shortest text. */
void spur__str_float(spur__str *s, float value);

/* Appends `text` quoted for JSON, quotes included; control characters as \u00XX. */
void spur__str_json(spur__str *s, const char *text);

/* True when the n bytes are well-formed UTF-8 (no surrogates, no overlong forms). NUL is allowed. */
bool spur__utf8_valid(const char *bytes, size_t n);

/* Bytes of the character at `text`, which is not at its end; of broken UTF-8 those before the next one. */
size_t spur__utf8_length(const char *text);

/* Columns that n bytes take on a terminal: East Asian characters and emoji two, combining marks none. Of
 * broken UTF-8 something that is near; nothing behind the end of the text is read. */
size_t spur__utf8_columns(const char *text, size_t n);

/* Bytes of the longest beginning that fits into so many columns. */
size_t spur__utf8_fitting(const char *text, size_t columns);

/* Levenshtein distance with transpositions, on bytes; strings over 63 bytes count as far apart. */
size_t spur__edit_distance(const char *a, const char *b);

/* Of `count` names (name i is given by at(names, i)) the one nearest to `text`, or NULL when none
 * is near enough to be a likely typing error. */
const char *spur__nearest(const char *text, size_t count,
                          const char *(*at)(const void *names, size_t i), const void *names);

/* Removes white space at both ends, in place; returns the first character that is none. */
char *spur__trim(char *text);

/* Parses a whole text as a number; false if anything is left over or it does not fit. */
bool spur__parse_double(const char *text, double *out);
bool spur__parse_int(const char *text, long long *out);

#endif
