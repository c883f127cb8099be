/* SPDX-License-Identifier: MIT
 *
 * Lines, JSON and the progress bar; see terminal.h.
 */
#include "output/terminal.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "output/text.h"

enum { MOST_CELLS = 40, FEWEST_CELLS = 6, REDRAW_MS = 100 };

/* The locale variables name UTF-8, as setlocale() would find them. */
static bool locale_is_utf8(void) {
    const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "UTF8");
    }
    return false;
}

void terminal_init(terminal *t, bool quiet, bool json) {
    const char *kind = getenv("TERM"), *plain = getenv("NO_COLOR");
    *t = (terminal){.quiet = quiet, .json = json, .unicode = locale_is_utf8()};
    t->color = !plain || !*plain;
    t->bars = !quiet && !json && isatty(STDOUT_FILENO) && kind && strcmp(kind, "dumb") != 0;
}

spur_status terminal_copy_to(terminal *t, const char *path, spur_error *err) {
    t->log = fopen(path, "a");
    return t->log ? SPUR_OK : spur__fail_errno(err, errno, "%s: cannot open", path);
}

void terminal_close(terminal *t) {
    terminal_clear(t);
    if (t->log) fclose(t->log);
    t->log = NULL;
}

void terminal_clear(terminal *t) {
    if (!t->bar_shown) return;
    fputs("\r\033[K", stdout);
    fflush(stdout);
    t->bar_shown = false;
}

static void copy_line(terminal *t, const char *line) {
    if (!t->log) return;
    fprintf(t->log, "%s\n", line);
    fflush(t->log);
}

void terminal_say(terminal *t, const char *fmt, ...) {
    char line[4096];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    terminal_clear(t);
    if (!t->quiet && !t->json) {
        printf("%s\n", line);
        fflush(stdout);
    }
    copy_line(t, line);
}

void terminal_warn(terminal *t, const char *fmt, ...) {
    char message[4096];
    spur__str line;
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    terminal_clear(t);
    text_complain("%s", message);
    spur__str_init(&line, 8 * sizeof message);
    text_line(&line, message, strlen(message));
    copy_line(t, spur__str_text(&line));
    spur__str_free(&line);
}

void terminal_json(terminal *t, const char *object) {
    if (!t->json) return;
    printf("%s\n", object);
    fflush(stdout);
}

int terminal_width(void) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}

void format_value(double value, char *out, size_t size) {
    snprintf(out, size, fabs(value) < 1e6 ? "%.4f" : "%.4g", value);
}

void format_duration(double seconds, char *out, size_t size) {
    if (!(seconds >= 0) || seconds > 1e8) {
        snprintf(out, size, "-");
        return;
    }
    long s = lround(seconds);
    if (s >= 3600)
        snprintf(out, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, size, "%ld:%02ld", s / 60, s % 60);
}

/* The bar itself: thick cells, thin ones behind. */
static void put_bar(const terminal *t, spur__str *line, double share, int cells) {
    int full = (int)(share * cells + 0.5);
    spur__str_puts(line, t->color ? "\033[36m" : "");
    for (int i = 0; i < cells; i++) {
        if (i == full) spur__str_puts(line, t->color ? "\033[90m" : "");
        if (i < full)
            spur__str_puts(line, t->unicode ? "\xe2\x94\x81" : "=");
        else
            spur__str_puts(line, t->unicode ? "\xe2\x94\x80" : "-");
    }
    spur__str_puts(line, t->color ? "\033[0m" : "");
}

/* As much of the text as fits into so many columns; what is left of them for the next one. */
static size_t put_cut(spur__str *line, const char *text, size_t room) {
    size_t n = spur__utf8_fitting(text, room);
    spur__str_append(line, text, n);
    return text[n] ? 0 : room - text_columns_n(text, n);
}

static void put_tail(spur__str *line, const progress *p) {
    char left[32];
    spur__str_printf(line, " %3.0f%%  %s", 100.0 * (double)p->done / (double)p->total, p->values);
    if (p->rate > 0) spur__str_printf(line, "  %.*f %s/s", p->rate < 10, p->rate, p->unit);
    format_duration(p->left, left, sizeof left);
    if (p->left >= 0) spur__str_printf(line, "  %s left", left);
}

void terminal_progress(terminal *t, const progress *p) {
    uint64_t now = spur__monotonic_ns();
    bool due = now - t->last_drawn >= REDRAW_MS * 1000000u || p->done >= p->total;
    if (!t->bars || p->total <= 0 || !due) return;
    t->last_drawn = now;
    spur__str line, tail;
    spur__str_init(&line, 4096);
    spur__str_init(&tail, 4096);
    put_tail(&tail, p);
    spur__str_putc(&line, '\r');
    size_t room = put_cut(&line, p->label, (size_t)terminal_width() - 1);
    room = put_cut(&line, " ", room);
    int cells = (int)room - (int)text_columns(spur__str_text(&tail));
    if (cells > MOST_CELLS) cells = MOST_CELLS;
    if (cells >= FEWEST_CELLS) put_bar(t, &line, (double)p->done / (double)p->total, cells);
    put_cut(&line, spur__str_text(&tail), room);
    spur__str_puts(&line, "\033[K");
    fputs(spur__str_text(&line), stdout);
    fflush(stdout);
    t->bar_shown = true;
    spur__str_free(&line);
    spur__str_free(&tail);
}
