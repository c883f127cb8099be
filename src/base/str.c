/* SPDX-License-Identifier: MIT
 *
 * The growable string and the text helpers of str.h.
 */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void spur__str_init(spur__str *s, size_t limit) {
    *s = (spur__str){.limit = limit, .status = SPUR_OK};
}

void spur__str_free(spur__str *s) {
    if (!s) return;
    spur__free(s->data);
    s->data = NULL;
    s->length = s->capacity = 0;
}

void spur__str_clear(spur__str *s) {
    s->length = 0;
    s->status = SPUR_OK;
    if (s->data) s->data[0] = '\0';
}

/* Makes room for n more bytes and the NUL; false, with the error stuck, if that fails. */
static bool reserve(spur__str *s, size_t n) {
    if (s->status != SPUR_OK) return false;
    if (n > s->limit - s->length || s->limit == SIZE_MAX) {
        s->status = SPUR_E_RANGE;
        return false;
    }
    size_t need = s->length + n + 1;
    if (need <= s->capacity) return true;
    size_t capacity = s->capacity ? s->capacity : 64;
    while (capacity < need) capacity = capacity > SIZE_MAX / 2 ? need : capacity * 2;
    char *data = spur__realloc(s->data, capacity);
    if (!data) {
        s->status = SPUR_E_MEMORY;
        return false;
    }
    s->data = data;
    s->capacity = capacity;
    return true;
}

void spur__str_append(spur__str *s, const void *bytes, size_t n) {
    if (!reserve(s, n)) return;
    if (n) memcpy(s->data + s->length, bytes, n);
    s->length += n;
    s->data[s->length] = '\0';
}

void spur__str_puts(spur__str *s, const char *text) {
    spur__str_append(s, text, strlen(text));
}

void spur__str_putc(spur__str *s, char c) {
    spur__str_append(s, &c, 1);
}

void spur__str_printf(spur__str *s, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0) {
        if (s->status == SPUR_OK) s->status = SPUR_E_ARGUMENT;
        return;
    }
    if (!reserve(s, (size_t)n)) return;
    va_start(args, fmt);
    vsnprintf(s->data + s->length, (size_t)n + 1, fmt, args);
    va_end(args);
    s->length += (size_t)n;
}

spur_status spur__str_status(const spur__str *s) {
    return s->status;
}

const char *spur__str_text(const spur__str *s) {
    return s->data ? s->data : "";
}

char *spur__str_take(spur__str *s) {
    if (s->status != SPUR_OK) return NULL;
    if (!s->data && !reserve(s, 0)) return NULL;
    char *data = s->data;
    data[s->length] = '\0';
    s->data = NULL;
    s->length = s->capacity = 0;
    return data;
}

/* printf and strtod follow the program's locale, our texts never do: a decimal point, and no other. */
static pthread_once_t plain_once = PTHREAD_ONCE_INIT;
static locale_t plain;

static void make_plain(void) {
    plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* Numbers of this thread are plain from now on; uselocale() with the result ends that. */
static locale_t use_plain(void) {
    pthread_once(&plain_once, make_plain);
    return uselocale(plain);
}

void spur__str_double(spur__str *s, double value) {
    char text[40];
    locale_t old = use_plain();
    /* 15 digits give the shortest text wherever one exists, %g drops the zeros; subnormal numbers
     * have fewer digits of their own */
    for (int digits = value > -1e-300 && value < 1e-300 ? 1 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (value != value || strtod(text, NULL) == value) break;
    }
    uselocale(old);
    spur__str_puts(s, value != value ? "nan" : text);
}

void spur__str_float(spur__str *s, float value) {
    char text[40];
    locale_t old = use_plain();
    snprintf(text, sizeof text, "%.9g", (double)value);
    uselocale(old);
    spur__str_puts(s, value != value ? "nan" : text);
}

/* The UTF-8 sequence at *p, or U+FFFD for a byte that begins none; steps over it. */
static void put_sequence(spur__str *s, const char **p) {
    size_t most = strnlen(*p, 4), length = 1;
    while (length <= most && !spur__utf8_valid(*p, length)) length++;
    if (length > most) {
        spur__str_puts(s, "\\ufffd");
        length = 1;
    } else {
        spur__str_append(s, *p, length);
    }
    *p += length;
}

void spur__str_json(spur__str *s, const char *text) {
    spur__str_putc(s, '"');
    while (*text) {
        unsigned char c = (unsigned char)*text;
        if (c >= 0x80) {
            put_sequence(s, &text);
            continue;
        }
        if (c == '"' || c == '\\')
            spur__str_printf(s, "\\%c", c);
        else if (c == '\n')
            spur__str_puts(s, "\\n");
        else if (c == '\t')
            spur__str_puts(s, "\\t");
        else if (c < 0x20 || c == 0x7f)
            spur__str_printf(s, "\\u%04x", c);
        else
            spur__str_putc(s, *text);
        text++;
    }
    spur__str_putc(s, '"');
}

/* Length of the UTF-8 sequence that starts with byte b, 0 if none can; its smallest code point. */
static unsigned sequence_length(unsigned char b, uint32_t *smallest) {
    *smallest = b < 0x80 ? 0 : b < 0xe0 ? 0x80 : b < 0xf0 ? 0x800 : 0x10000;
    return b < 0x80 ? 1 : b < 0xc2 ? 0 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : b < 0xf5 ? 4 : 0;
}

bool spur__utf8_valid(const char *bytes, size_t n) {
    const unsigned char *p = (const unsigned char *)bytes;
    for (size_t i = 0; i < n;) {
        uint64_t eight;
        while (n - i >= 8 && (memcpy(&eight, p + i, 8), (eight & 0x8080808080808080u) == 0)) i += 8;
        while (i < n && p[i] < 0x80) i++;
        if (i == n) break;
        uint32_t smallest;
        unsigned length = sequence_length(p[i], &smallest);
        if (length == 0 || length > n - i) return false;
        uint32_t code = length == 1 ? p[i] : p[i] & (0x7fu >> length);
        for (unsigned k = 1; k < length; k++) {
            if ((p[i + k] & 0xc0) != 0x80) return false;
            code = code << 6 | (p[i + k] & 0x3fu);
        }
        if (code < smallest || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
        i += length;
    }
    return true;
}

/* The code point at *p, which is moved behind it, but not behind a byte that does not belong to it. */
static uint32_t next_code(const char **p) {
    const unsigned char *b = (const unsigned char *)*p;
    unsigned length = b[0] < 0x80 ? 1 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4, i = 1;
    uint32_t code = length == 1 ? b[0] : b[0] & (0x7fu >> length);
    for (; i < length && (b[i] & 0xc0) == 0x80; i++) code = code << 6 | (b[i] & 0x3fu);
    *p += i;
    return code;
}

size_t spur__utf8_length(const char *text) {
    const char *next = text;
    next_code(&next);
    return (size_t)(next - text);
}

/* Columns of a code point on a terminal: East Asian and emoji 2, combining marks 0. */
static size_t width_of(uint32_t code) {
    static const uint32_t wide[][2] = {{0x1100, 0x115f},   {0x2e80, 0x303e},  {0x3041, 0xa4cf},
                                       {0xac00, 0xd7a3},   {0xf900, 0xfaff},  {0xfe30, 0xfe6f},
                                       {0xff00, 0xff60},   {0xffe0, 0xffe6},  {0x1f300, 0x1f64f},
                                       {0x1f680, 0x1faff}, {0x20000, 0x3fffd}};
    bool combining = (code >= 0x300 && code <= 0x36f) || (code >= 0x200b && code <= 0x200f) ||
                     (code >= 0xfe00 && code <= 0xfe0f);
    if (combining) return 0;
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        if (code >= wide[i][0] && code <= wide[i][1]) return 2;
    return 1;
}

size_t spur__utf8_columns(const char *text, size_t n) {
    size_t columns = 0;
    for (const char *p = text; p < text + n;) columns += width_of(next_code(&p));
    return columns;
}

size_t spur__utf8_fitting(const char *text, size_t columns) {
    size_t used = 0;
    const char *p = text, *next = text;
    for (; *p; p = next) {
        used += width_of(next_code(&next));
        if (used > columns) break;
    }
    return (size_t)(p - text);
}

size_t spur__edit_distance(const char *a, const char *b) {
    enum { MOST = 64 };
    size_t n = strlen(a), m = strlen(b);
    size_t rows[3][MOST];
    if (n >= MOST || m >= MOST) return MOST;
    for (size_t j = 0; j <= m; j++) rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best) best = last[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < best) best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[n % 3][m];
}

const char *spur__nearest(const char *text, size_t count,
                          const char *(*at)(const void *names, size_t i), const void *names) {
    const char *best = NULL;
    size_t best_distance = strlen(text) < 4 ? 2 : strlen(text) / 3 + 2;
    for (size_t i = 0; i < count; i++) {
        const char *name = at(names, i);
        size_t distance = spur__edit_distance(text, name);
        if (distance < best_distance) {
            best = name;
            best_distance = distance;
        }
    }
    return best;
}

char *spur__trim(char *text) {
    while (isspace((unsigned char)*text)) text++;
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1])) n--;
    text[n] = '\0';
    return text;
}

bool spur__parse_double(const char *text, double *out) {
    char *end;
    size_t n = strlen(text);
    if (n == 0 || n >= 64 || isspace((unsigned char)text[0]) || strpbrk(text, "xX")) return false;
    locale_t old = use_plain();
    errno = 0;
    double value = strtod(text, &end);
    bool overflow = errno == ERANGE && (value > 1 || value < -1);
    uselocale(old);
    if (*end != '\0' || end == text || overflow) return false;
    *out = value;
    return true;
}

bool spur__parse_int(const char *text, long long *out) {
    char *end;
    if (!isdigit((unsigned char)text[0]) && text[0] != '-' && text[0] != '+') return false;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (*end != '\0' || end == text || errno == ERANGE) return false;
    *out = value;
    return true;
}
