/* SPDX-License-Identifier: MIT
 *
 * Option tables: parsing, checking and printing the members of a struct by its rows.
 */
#include "base/options.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"

/* One parsed value of any type. */
typedef union value {
    bool flag;
    int64_t integer;
    double number;
    char *text;
    spur__ints ints;
    spur__floats floats;
    spur__size size;
} value;

static bool equals_choice(const char *text, const char *choice, size_t n) {
    return strlen(text) == n && strncmp(text, choice, n) == 0;
}

/* Index of `text` in "a|b|c", or -1. */
static int64_t find_choice(const char *choices, const char *text) {
    int64_t index = 0;
    for (const char *p = choices; p; index++) {
        const char *bar = strchr(p, '|');
        size_t n = bar ? (size_t)(bar - p) : strlen(p);
        if (equals_choice(text, p, n)) return index;
        p = bar ? bar + 1 : NULL;
    }
    return -1;
}

/* Appends choice i of "a|b|c"; false when there are not so many. */
static bool append_choice(const char *choices, size_t i, spur__str *out) {
    const char *p = choices;
    for (; p && i > 0; i--) {
        p = strchr(p, '|');
        if (p) p++;
    }
    if (!p) return false;
    spur__str_append(out, p, strcspn(p, "|"));
    return true;
}

static bool has_range(const spur__option *row) {
    return row->min != 0 || row->max != 0 || row->min_open || row->max_open;
}

static bool in_range(const spur__option *row, double x) {
    if (!has_range(row)) return true;
    if (row->min_open ? !(x > row->min) : !(x >= row->min)) return false;
    return row->max_open ? x < row->max : x <= row->max;
}

/* The same for whole numbers, exactly: beyond 2^53 the next one would round to the maximum. */
static bool int_in_range(const spur__option *row, int64_t x) {
    return in_range(row, (double)x) &&
           (!has_range(row) || (double)x < row->max || x <= (int64_t)row->max);
}

static void append_choices(const char *choices, spur__str *out) {
    for (const char *p = choices; *p; p++) {
        if (*p == '|')
            spur__str_puts(out, ", ");
        else
            spur__str_putc(out, *p);
    }
}

static void append_range(const spur__option *row, spur__str *out) {
    if (!has_range(row)) return;
    bool endless = row->max > 1e300;
    spur__str_puts(out, row->min_open ? " in (" : " in [");
    spur__str_double(out, row->min);
    spur__str_puts(out, ", ");
    spur__str_double(out, endless ? (double)INFINITY : row->max);
    spur__str_putc(out, endless || row->max_open ? ')' : ']');
}

void spur__option_domain(const spur__option *row, spur__str *out) {
    static const char *const names[] = {
        [SPUR__OPT_BOOL] = "true or false",
        [SPUR__OPT_INT] = "whole number",
        [SPUR__OPT_FLOAT] = "number",
        [SPUR__OPT_CHOICE] = "one of: ",
        [SPUR__OPT_TEXT] = "text",
        [SPUR__OPT_INTS] = "whole numbers separated by commas",
        [SPUR__OPT_FLOATS] = "numbers separated by commas",
        [SPUR__OPT_SIZE] = "HEIGHTxWIDTH, or one number for both",
    };
    spur__str_puts(out, names[row->type]);
    if (row->type == SPUR__OPT_CHOICE) {
        append_choices(row->choices, out);
        return;
    }
    append_range(row, out);
    if (row->choices) {
        spur__str_puts(out, ", or ");
        append_choices(row->choices, out);
    }
}

/* The error of a value that does not fit its row. */
static spur_status misfit(const spur__option *row, spur_status status, const char *text,
                          spur_error *err) {
    spur__str domain;
    spur__str_init(&domain, 512);
    spur__option_domain(row, &domain);
    spur__fail(err, status, "%s: found '%s', expected %s", row->name, text,
               spur__str_text(&domain));
    spur__str_free(&domain);
    return status;
}

bool spur__parse_bool(const char *text, bool *out) {
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < 4; i++) {
        if (strcasecmp(text, yes[i]) == 0) return *out = true, true;
        if (strcasecmp(text, no[i]) == 0) return *out = false, true;
    }
    return false;
}

static spur_status parse_int_value(const spur__option *row, const char *text, int64_t *out,
                                   spur_error *err) {
    long long number;
    int64_t choice = row->choices ? find_choice(row->choices, text) : -1;
    if (choice >= 0) {
        *out = -(choice + 1);
        return SPUR_OK;
    }
    if (!spur__parse_int(text, &number)) return misfit(row, SPUR_E_TYPE, text, err);
    if (!int_in_range(row, number)) return misfit(row, SPUR_E_RANGE, text, err);
    *out = number;
    return SPUR_OK;
}

static spur_status parse_float_value(const spur__option *row, const char *text, double *out,
                                     spur_error *err) {
    double number;
    int64_t choice = row->choices ? find_choice(row->choices, text) : -1;
    if (choice >= 0) {
        *out = -(double)(choice + 1);
        return SPUR_OK;
    }
    if (!spur__parse_double(text, &number)) return misfit(row, SPUR_E_TYPE, text, err);
    if (!in_range(row, number) || !isfinite(number)) return misfit(row, SPUR_E_RANGE, text, err);
    *out = number;
    return SPUR_OK;
}

/* Parses one element of a list into position i. */
static spur_status parse_element(const spur__option *row, const char *text, size_t i, value *out,
                                 spur_error *err) {
    if (i >= SPUR__LIST_MAX)
        return spur__fail(err, SPUR_E_RANGE, "%s: more than %d values", row->name, SPUR__LIST_MAX);
    if (row->type == SPUR__OPT_INTS) {
        out->ints.count = i + 1;
        return parse_int_value(row, text, &out->ints.values[i], err);
    }
    out->floats.count = i + 1;
    return parse_float_value(row, text, &out->floats.values[i], err);
}

static spur_status parse_list(const spur__option *row, const char *text, value *out,
                              spur_error *err) {
    char element[64];
    memset(out, 0, sizeof *out);
    if (text[strspn(text, " \t")] == '\0') return SPUR_OK;
    for (size_t i = 0; text; i++) {
        size_t n = strcspn(text, ",");
        if (n >= sizeof element) return misfit(row, SPUR_E_TYPE, text, err);
        memcpy(element, text, n);
        element[n] = '\0';
        SPUR__TRY(parse_element(row, spur__trim(element), i, out, err));
        text = text[n] == ',' ? text + n + 1 : NULL;
    }
    return SPUR_OK;
}

static spur_status parse_size(const spur__option *row, const char *text, spur__size *out,
                              spur_error *err) {
    char first[32];
    long long height, width;
    size_t n = strcspn(text, "x");
    if (n >= sizeof first) return misfit(row, SPUR_E_TYPE, text, err);
    memcpy(first, text, n);
    first[n] = '\0';
    const char *second = text[n] == 'x' ? text + n + 1 : first;
    if (!spur__parse_int(first, &height) || !spur__parse_int(second, &width))
        return misfit(row, SPUR_E_TYPE, text, err);
    if (!int_in_range(row, height) || !int_in_range(row, width))
        return misfit(row, SPUR_E_RANGE, text, err);
    *out = (spur__size){height, width};
    return SPUR_OK;
}

static spur_status parse_text(const spur__option *row, const char *text, char **out,
                              spur_error *err) {
    if (row->check) {
        spur_status status = row->check(text, err);
        if (status != SPUR_OK) {
            spur__error_prefix(err, "%s", row->name);
            return status;
        }
    }
    *out = spur__strdup(text);
    return *out ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", row->name);
}

/* Parses `text` by `row`. A text value is a new allocation. */
static spur_status parse(const spur__option *row, const char *text, value *out, spur_error *err) {
    switch (row->type) {
    case SPUR__OPT_BOOL:
        return spur__parse_bool(text, &out->flag) ? SPUR_OK : misfit(row, SPUR_E_TYPE, text, err);
    case SPUR__OPT_INT:
        return parse_int_value(row, text, &out->integer, err);
    case SPUR__OPT_FLOAT:
        return parse_float_value(row, text, &out->number, err);
    case SPUR__OPT_CHOICE:
        out->integer = find_choice(row->choices, text);
        return out->integer >= 0 ? SPUR_OK : misfit(row, SPUR_E_RANGE, text, err);
    case SPUR__OPT_TEXT:
        return parse_text(row, text, &out->text, err);
    case SPUR__OPT_INTS:
    case SPUR__OPT_FLOATS:
        return parse_list(row, text, out, err);
    case SPUR__OPT_SIZE:
        return parse_size(row, text, &out->size, err);
    }
    return spur__fail(err, SPUR_E_ARGUMENT, "%s: unknown option type", row->name);
}

static size_t member_size(spur__option_type type) {
    static const size_t sizes[] = {
        [SPUR__OPT_BOOL] = sizeof(bool),           [SPUR__OPT_INT] = sizeof(int64_t),
        [SPUR__OPT_FLOAT] = sizeof(double),        [SPUR__OPT_CHOICE] = sizeof(int64_t),
        [SPUR__OPT_TEXT] = sizeof(char *),         [SPUR__OPT_INTS] = sizeof(spur__ints),
        [SPUR__OPT_FLOATS] = sizeof(spur__floats), [SPUR__OPT_SIZE] = sizeof(spur__size),
    };
    return sizes[type];
}

/* Stores a parsed value in its member, freeing a text that stood there. */
static void store(const spur__option *row, void *target, const value *parsed) {
    char *member = (char *)target + row->offset;
    if (row->type == SPUR__OPT_TEXT) {
        char *old;
        memcpy(&old, member, sizeof old);
        spur__free(old);
    }
    memcpy(member, parsed, member_size(row->type));
}

spur_status spur__options_init(const spur__options *table, void *target, spur_error *err) {
    memset(target, 0, table->size);
    for (size_t i = 0; i < table->count; i++) {
        value parsed;
        spur_status status = parse(&table->rows[i], table->rows[i].initial, &parsed, err);
        if (status != SPUR_OK) {
            spur__options_free(table, target);
            return status;
        }
        store(&table->rows[i], target, &parsed);
    }
    return SPUR_OK;
}

void spur__options_free(const spur__options *table, void *target) {
    value empty = {.text = NULL};
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].type == SPUR__OPT_TEXT) store(&table->rows[i], target, &empty);
}

const spur__option *spur__options_find(const spur__options *table, const char *name) {
    for (size_t i = 0; table && i < table->count; i++)
        if (strcmp(table->rows[i].name, name) == 0) return &table->rows[i];
    return NULL;
}

static const char *row_name(const void *rows, size_t i) {
    return ((const spur__option *)rows)[i].name;
}

/* The row's name most like `name`, or NULL when none is near. */
static const char *nearest_row(const spur__options *table, const char *name) {
    return table ? spur__nearest(name, table->count, row_name, table->rows) : NULL;
}

spur_status spur__options_set(const spur__options *table, void *target, const char *name,
                              const char *text, spur_error *err) {
    const spur__option *row = spur__options_find(table, name);
    value parsed;
    if (!row) {
        const char *near = nearest_row(table, name);
        return spur__fail(err, SPUR_E_NOTFOUND, "unknown option '%s'%s%s%s", name,
                          near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    SPUR__TRY(parse(row, text, &parsed, err));
    store(row, target, &parsed);
    return SPUR_OK;
}

spur_status spur__option_check(const spur__option *row, const char *text, spur_error *err) {
    value parsed;
    SPUR__TRY(parse(row, text, &parsed, err));
    if (row->type == SPUR__OPT_TEXT) spur__free(parsed.text);
    return SPUR_OK;
}

static void format_number(const spur__option *row, double x, spur__str *out) {
    bool word = row->choices && x < 0;
    if (word)
        append_choice(row->choices, (size_t)(-x) - 1, out);
    else
        spur__str_double(out, x);
}

static void format_int(const spur__option *row, int64_t x, spur__str *out) {
    if (row->choices && x < 0)
        append_choice(row->choices, (size_t)(-x) - 1, out);
    else
        spur__str_printf(out, "%" PRId64, x);
}

static void format_list(const spur__option *row, const value *v, spur__str *out) {
    size_t count = row->type == SPUR__OPT_INTS ? v->ints.count : v->floats.count;
    for (size_t i = 0; i < count; i++) {
        if (i) spur__str_puts(out, ", ");
        if (row->type == SPUR__OPT_INTS)
            format_int(row, v->ints.values[i], out);
        else
            format_number(row, v->floats.values[i], out);
    }
}

static void format_value(const spur__option *row, const value *v, spur__str *out) {
    switch (row->type) {
    case SPUR__OPT_BOOL:
        spur__str_puts(out, v->flag ? "true" : "false");
        break;
    case SPUR__OPT_INT:
        format_int(row, v->integer, out);
        break;
    case SPUR__OPT_FLOAT:
        format_number(row, v->number, out);
        break;
    case SPUR__OPT_CHOICE:
        append_choice(row->choices, (size_t)v->integer, out);
        break;
    case SPUR__OPT_TEXT:
        spur__str_puts(out, v->text ? v->text : "");
        break;
    case SPUR__OPT_INTS:
    case SPUR__OPT_FLOATS:
        format_list(row, v, out);
        break;
    case SPUR__OPT_SIZE:
        spur__str_printf(out, "%" PRId64 "x%" PRId64, v->size.height, v->size.width);
        break;
    }
}

void spur__option_format(const spur__option *row, const void *target, spur__str *out) {
    value v;
    memcpy(&v, (const char *)target + row->offset, member_size(row->type));
    format_value(row, &v, out);
}

spur_status spur__option_canonical(const spur__option *row, const char *text, spur__str *out,
                                   spur_error *err) {
    value parsed;
    SPUR__TRY(parse(row, text, &parsed, err));
    format_value(row, &parsed, out);
    if (row->type == SPUR__OPT_TEXT) spur__free(parsed.text);
    return SPUR_OK;
}

static const char *kind_name(const void *kinds, size_t i) {
    return ((const spur__kind *const *)kinds)[i]->name;
}

const spur__kind *spur__family_find(const spur__family *family, const char *name, spur_error *err) {
    if (!name) {
        spur__fail(err, SPUR_E_ARGUMENT, "expected the name of one %s, found NULL", family->name);
        return NULL;
    }
    for (size_t i = 0; i < family->count; i++)
        if (strcmp(family->kinds[i]->name, name) == 0) return family->kinds[i];
    const char *near = spur__nearest(name, family->count, kind_name, family->kinds);
    spur__str list;
    spur__str_init(&list, 700);
    for (size_t i = 0; i < family->count; i++)
        spur__str_printf(&list, "%s%s", i ? ", " : "", family->kinds[i]->name);
    spur__fail(err, SPUR_E_NOTFOUND, "unknown %s '%s'%s%s%s there are: %s", family->name, name,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : ";",
               spur__str_text(&list));
    spur__str_free(&list);
    return NULL;
}
