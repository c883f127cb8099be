/* SPDX-License-Identifier: MIT
 *
 * Names and numbers for people and scripts; see text.h.
 */
#include "output/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/file.h"

/* Bytes of the well-formed UTF-8 sequence at p, 0 if there is none. */
static size_t sequence(const char *p, size_t n) {
    for (size_t length = 1; length <= 4 && length <= n; length++)
        if (spur__utf8_valid(p, length)) return length;
    return 0;
}

static const char replacement[] = "\xef\xbf\xbd";

void text_line(spur__str *out, const char *bytes, size_t n) {
    for (size_t i = 0; i < n;) {
        size_t length = sequence(bytes + i, n - i);
        unsigned char c = (unsigned char)bytes[i];
        bool c1 = length == 2 && c == 0xc2 && (unsigned char)bytes[i + 1] < 0xa0;
        if (c == '\n')
            spur__str_puts(out, "\\n");
        else if (c < 0x20 || c == 0x7f)
            spur__str_printf(out, "\\x%02x", c);
        else if (length == 0 || c1)
            spur__str_puts(out, replacement);
        else
            spur__str_append(out, bytes + i, length);
        i += length ? length : 1;
    }
}

void text_complain(const char *fmt, ...) {
    char message[4096];
    spur__str line;
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    spur__str_init(&line, 8 * sizeof message);
    text_line(&line, message, strlen(message));
    fprintf(stderr, "spur %s\n", spur__str_text(&line));
    spur__str_free(&line);
}

size_t text_columns_n(const char *line, size_t n) {
    return spur__utf8_columns(line, n);
}

size_t text_columns(const char *line) {
    return spur__utf8_columns(line, strlen(line));
}

void text_fit(spur__str *out, const char *line, size_t columns) {
    size_t n = text_columns(line), begin = out->length;
    if (columns > 0 && n > columns) {
        size_t dots = columns < 3 ? columns : 3, tail = (columns - dots) / 2;
        size_t skip = spur__utf8_fitting(line, n - tail);
        while (line[skip] && text_columns(line + skip) > tail)
            skip += spur__utf8_length(line + skip);
        spur__str_append(out, line, spur__utf8_fitting(line, columns - dots - tail));
        spur__str_append(out, "...", dots);
        spur__str_puts(out, line + skip);
    } else {
        spur__str_puts(out, line);
    }
    if (spur__str_status(out) != SPUR_OK) return;
    for (n = text_columns_n(out->data + begin, out->length - begin); n < columns; n++)
        spur__str_putc(out, ' ');
}

void text_cut(spur__str *out, const char *line, size_t columns) {
    size_t n = strlen(line), dots = 0;
    if (text_columns_n(line, n) > columns) {
        dots = columns < 3 ? columns : 3;
        n = spur__utf8_fitting(line, columns - dots);
    }
    spur__str_append(out, line, n);
    spur__str_append(out, "...", dots);
}

void text_right(spur__str *out, const char *line, size_t columns) {
    for (size_t n = text_columns(line); n < columns; n++) spur__str_putc(out, ' ');
    spur__str_puts(out, line);
}

void text_wrap(spur__str *out, const char *words, size_t indent, size_t used, size_t columns) {
    for (bool first = true; *words; first = false) {
        size_t length = strcspn(words, " "), width = text_columns_n(words, length);
        size_t gap = first ? 0 : 1;
        if (used == 0 || used + gap + width > columns) {
            if (used > 0) spur__str_putc(out, '\n');
            spur__str_printf(out, "%*s", (int)indent, "");
            used = indent;
        } else if (gap) {
            spur__str_putc(out, ' ');
            used++;
        }
        spur__str_append(out, words, length);
        used += width;
        words += length;
        words += strspn(words, " ");
    }
    spur__str_putc(out, '\n');
}

void text_csv(spur__str *out, const char *bytes, size_t n) {
    bool quoted = n > 0 && (bytes[0] == ' ' || bytes[n - 1] == ' ');
    for (size_t i = 0; i < n && !quoted; i++)
        quoted = strchr(",\"\n\r", bytes[i]) != NULL && bytes[i] != '\0';
    if (!quoted) {
        spur__str_append(out, bytes, n);
        return;
    }
    spur__str_putc(out, '"');
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '"') spur__str_putc(out, '"');
        spur__str_putc(out, bytes[i]);
    }
    spur__str_putc(out, '"');
}

/* One line of a cell. TensorBoard's Markdown has no backslash before < and &, every one has entities. */
static void put_markdown(spur__str *out, const char *line) {
    for (const char *p = line; *p; p++) {
        if (*p == '<')
            spur__str_puts(out, "&lt;");
        else if (*p == '&' && (p[1] == '#' || isalpha((unsigned char)p[1])))
            spur__str_puts(out, "&amp;");
        else if (strchr("|\\`*_[", *p))
            spur__str_printf(out, "\\%c", *p);
        else
            spur__str_putc(out, *p);
    }
}

void text_markdown(spur__str *out, const char *bytes, size_t n) {
    spur__str line;
    spur__str_init(&line, 4 * n + 4);
    for (const char *end = bytes + n;; bytes++) {
        const char *stop = n ? memchr(bytes, '\n', (size_t)(end - bytes)) : NULL;
        text_line(&line, bytes, (size_t)((stop ? stop : end) - bytes));
        put_markdown(out, spur__str_text(&line));
        if (!stop) break;
        spur__str_puts(out, "<br>");
        spur__str_clear(&line);
        bytes = stop;
    }
    if (spur__str_status(&line) != SPUR_OK && spur__str_status(out) == SPUR_OK)
        out->status = spur__str_status(&line);
    spur__str_free(&line);
}

void text_json(spur__str *out, const char *bytes, size_t n) {
    spur__str_putc(out, '"');
    for (size_t i = 0; i < n;) {
        size_t length = sequence(bytes + i, n - i);
        unsigned char c = (unsigned char)bytes[i];
        if (c == '"' || c == '\\')
            spur__str_printf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            spur__str_printf(out, c == '\n' ? "\\n" : "\\u%04x", c);
        else if (length == 0)
            spur__str_puts(out, replacement);
        else
            spur__str_append(out, bytes + i, length);
        i += length ? length : 1;
    }
    spur__str_putc(out, '"');
}

void text_json_number(spur__str *out, double value) {
    if (isnan(value))
        spur__str_puts(out, "\"NaN\"");
    else if (isinf(value))
        spur__str_puts(out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    else
        spur__str_double(out, value);
}

void text_seconds(spur__str *out, double seconds) {
    char text[64];
    if (fabs(seconds) < 1e12)
        for (int digits = 6; digits <= 9; digits++) {
            snprintf(text, sizeof text, "%.*f", digits, seconds);
            if (strtod(text, NULL) != seconds) continue;
            spur__str_puts(out, text);
            return;
        }
    spur__str_double(out, seconds);
}

void text_date(spur__str *out, double seconds) {
    char text[64];
    struct tm parts;
    if (!(fabs(seconds) < 1e11)) {
        spur__str_putc(out, '-');
        return;
    }
    time_t whole = (time_t)floor(seconds);
    if (localtime_r(&whole, &parts) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts))
        spur__str_puts(out, text);
    else
        spur__str_putc(out, '-');
}

void text_bytes(spur__str *out, uint64_t bytes) {
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 999.5 && unit < 4) {
        value /= 1000;
        unit++;
    }
    spur__str_printf(out, unit && value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void text_count(spur__str *out, uint64_t n) {
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, n);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) spur__str_putc(out, ',');
        spur__str_putc(out, digits[i]);
    }
}

spur_status text_write(const char *path, const spur__str *text, spur_error *err) {
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = spur__str_status(text);
    if (status != SPUR_OK) return spur__fail(err, status, "%s: %s", path, spur_strstatus(status));
    return spur__file_write(path, spur__str_text(text), text->length, err);
}
