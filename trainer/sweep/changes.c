/* SPDX-License-Identifier: MIT
 *
 * Comparing fingerprints (plan.h): settings and the space up to the line of the seeds, options after
 * it, each "key = value".
 */
#include "sweep/changes.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "sweep/settings.h"

static const char seeds_line[] = "seeds =";

/* Options begin after the line of the seeds. */
static const char *options_of(const char *print) {
    const char *line = print;
    while (*line && strncmp(line, seeds_line, strlen(seeds_line)) != 0) {
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    line += strcspn(line, "\n");
    return line + (*line == '\n');
}

/* The next line from *at before `end`: its length and that of its key; false at the end. */
static bool next_line(const char **at, const char *end, const char **line, int *length, int *key) {
    if (*at >= end || **at == '\0') return false;
    *line = *at;
    *length = (int)strcspn(*line, "\n");
    const char *equals = strstr(*line, " =");
    *key = equals && equals < *line + *length ? (int)(equals - *line) : *length;
    *at += *length + ((*at)[*length] == '\n');
    return true;
}

/* The line with the same key between `at` and `end`. */
static bool find_key(const char *at, const char *end, const char *wanted, int key,
                     const char **line, int *length) {
    int own;
    while (next_line(&at, end, line, length, &own))
        if (own == key && strncmp(*line, wanted, (size_t)key) == 0) return true;
    return false;
}

/* The value of sweep.<key>, "" if there is none, cut to fit. */
static void setting_of(const char *print, const char *key, char *out, size_t n) {
    const char *at = print, *end = options_of(print), *line = "";
    int length = 0, size = (int)strlen(key);
    bool found = find_key(at, end, key, size, &line, &length) && length >= size + 3;
    snprintf(out, n, "%.*s", found ? length - size - 3 : 0, line + (found ? size + 3 : 0));
}

void sweep_used_options(const char *print, spur__str *out) {
    char method[64], pruned_by[64], name[64];
    const char *at = print, *options = options_of(print), *line;
    int length, key;
    setting_of(print, "sweep.method", method, sizeof method);
    setting_of(print, "sweep.pruner", pruned_by, sizeof pruned_by);
    while (next_line(&at, options, &line, &length, &key)) {
        bool setting = key > 6 && strncmp(line, "sweep.", 6) == 0;
        snprintf(name, sizeof name, "%.*s", setting ? key - 6 : 0, line + (setting ? 6 : 0));
        if (!setting || sweep_option_decides(name, method, pruned_by))
            spur__str_printf(out, "%.*s\n", length, line);
    }
    spur__str_puts(out, options);
}

/* Every option that `from` varies must be varied by `to`. */
static spur_status check_varied(const char *from, const char *to, bool is_new, const char *path,
                                spur_error *err) {
    const char *at = from, *line, *found, *end = options_of(from);
    int length, key, other;
    while (next_line(&at, end, &line, &length, &key)) {
        if (strncmp(line, "sweep.", 6) == 0 || strncmp(line, seeds_line, 7) == 0) continue;
        if (find_key(to, options_of(to), line, key, &found, &other)) continue;
        return spur__fail(err, SPUR_E_STATE,
                          "%s: '%.*s' is %s: --accept-changes takes other values, seeds and "
                          "options, but the same ones must be varied (one value is enough); "
                          "another [run] name starts a new sweep",
                          path, key, line, is_new ? "varied now" : "not varied any more");
    }
    return SPUR_OK;
}

/* "value" of a line "key = value". */
static void put_value(const char *line, int length, int key, spur__str *out) {
    int skip = key + 3 < length ? key + 3 : length;
    spur__str_printf(out, "%.*s", length - skip, line + skip);
}

spur_status sweep_changes(const char *before, const char *now, const char *path, spur__str *changed,
                          spur_error *err) {
    SPUR__TRY(check_varied(now, before, true, path, err));
    SPUR__TRY(check_varied(before, now, false, path, err));
    const char *at = options_of(now), *end = now + strlen(now), *line, *old;
    int length, key, old_length;
    while (next_line(&at, end, &line, &length, &key)) {
        bool known =
            find_key(options_of(before), before + strlen(before), line, key, &old, &old_length);
        if (known && old_length == length && strncmp(old, line, (size_t)length) == 0) continue;
        spur__str_printf(changed, "%.*s = ", key, line);
        if (known) put_value(old, old_length, key, changed);
        spur__str_puts(changed, known ? " -> " : "(none) -> ");
        put_value(line, length, key, changed);
        spur__str_putc(changed, '\n');
    }
    return spur__str_status(changed);
}
