/* SPDX-License-Identifier: MIT
 *
 * Option tables: every option of the project is declared once, as a row, and everything else
 * (INI parsing, overrides, help, the config written into a run, HParams, sweeps, documentation)
 * is made from the rows.
 *
 * A table describes the members of one struct. Defaults are texts, parsed like a user's value, so
 * that there is one path only. Rows live in static tables and are never freed.
 */
#ifndef SPUR_BASE_OPTIONS_H
#define SPUR_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spur/status.h>
#include "base/str.h"

typedef enum spur__option_type {
    SPUR__OPT_BOOL, /* bool:         true/false, yes/no, on/off, 1/0 */
    SPUR__OPT_INT, /* int64_t:      a whole number, or one of `choices` (see below) */
    SPUR__OPT_FLOAT, /* double:       a number, or one of `choices` */
    SPUR__OPT_CHOICE, /* int64_t:      index into `choices` */
    SPUR__OPT_TEXT, /* char *:       owned by the struct, "" when empty */
    SPUR__OPT_INTS, /* spur__ints:   comma-separated whole numbers */
    SPUR__OPT_FLOATS, /* spur__floats: comma-separated numbers */
    SPUR__OPT_SIZE /* spur__size:   HEIGHTxWIDTH, or one number for both */
} spur__option_type;

enum { SPUR__LIST_MAX = 64 };

typedef struct spur__ints {
    size_t count;
    int64_t values[SPUR__LIST_MAX];
} spur__ints;

typedef struct spur__floats {
    size_t count;
    double values[SPUR__LIST_MAX];
} spur__floats;

typedef struct spur__size {
    int64_t height, width;
} spur__size;

typedef struct spur__option {
    const char *name;
    spur__option_type type;
    const char *initial; /* the default, as a user would write it */
    double min, max; /* inclusive range of numbers (each one of a list); both 0: unlimited */
    bool min_open, max_open; /* the end itself is not allowed: (min, max], [min, max) */
    const char *choices; /* "a|b|c"; for INT and FLOAT: words allowed instead of a number, the
                            i-th is stored as -(i + 1); then `min` must be >= 0 */
    const char *unit; /* "pixels", "epochs", ...; NULL: none */
    const char *help; /* one line, no full stop */
    size_t offset; /* offsetof(struct, member) */
    /* Further check of a text (SPUR__OPT_TEXT only), or NULL. Fills err with what was expected. */
    spur_status (*check)(const char *value, spur_error *err);
} spur__option;

/* A row for a member of a struct, by the member's name and the rest of its type:
 *     SPUR__ROW(FLOAT, options, momentum, "0", .max = 1, .help = "share of the last step that is kept")
 * SPUR__ROW_AS: under another name than the member's. */
#define SPUR__ROW(type_, struct_, member_, initial_, ...)                                          \
    SPUR__ROW_AS(type_, struct_, #member_, member_, initial_, __VA_ARGS__)
#define SPUR__ROW_AS(type_, struct_, name_, member_, initial_, ...)                                \
    {                                                                                              \
        .name = (name_), .type = SPUR__OPT_##type_, .initial = (initial_),                         \
        .offset = offsetof(struct_, member_), __VA_ARGS__                                          \
    }

typedef struct spur__options {
    const spur__option *rows;
    size_t count;
    size_t size; /* sizeof the struct described */
} spur__options;

/* Fills a table from an array of rows. */
#define SPUR__OPTIONS(rows_, type_)                                                                \
    { .rows = (rows_), .count = sizeof(rows_) / sizeof((rows_)[0]), .size = sizeof(type_) }

/* Zeroes the struct and sets every default. On error nothing needs to be freed. */
spur_status spur__options_init(const spur__options *table, void *target, spur_error *err);

/* Frees what the struct owns; the struct may be set up again afterwards. */
void spur__options_free(const spur__options *table, void *target);

/* Parses `value` into the member `name`. E_NOTFOUND for an unknown name (with the nearest one in
 * the message), E_TYPE / E_RANGE for a bad value; the member is then unchanged. */
spur_status spur__options_set(const spur__options *table, void *target, const char *name,
                              const char *value, spur_error *err);

/* The row called `name`, or NULL. */
const spur__option *spur__options_find(const spur__options *table, const char *name);

/* Checks a value against a row without storing it. */
spur_status spur__option_check(const spur__option *row, const char *value, spur_error *err);

/* Appends the member's value in canonical form; parsing it gives the same value again. */
void spur__option_format(const spur__option *row, const void *target, spur__str *out);

/* Appends what spur__option_format would once `text` was stored: two texts of one value give the same.
 * Fails as spur__option_check does. */
spur_status spur__option_canonical(const spur__option *row, const char *text, spur__str *out,
                                   spur_error *err);

/* Appends what the row allows, for people: "number in (0, 1]", "one of: a, b, c". */
void spur__option_domain(const spur__option *row, spur__str *out);

/* The words of a truth value, in any case; false when the text is none. */
bool spur__parse_bool(const char *text, bool *out);

/* ---- kinds: things users choose by name -------------------------------------------------- */

/* First member of every row of a table of things with a name (an optimizer, a loss, a model...).
 * `options` describes the struct that the thing is configured with; NULL when it has none. */
typedef struct spur__kind {
    const char *name;
    const char *help;
    const spur__options *options;
} spur__kind;

/* All kinds of one family, for lookup and for `spur help`. */
typedef struct spur__family {
    const char *name; /* "optimizer", as the section of an INI file */
    const char *title; /* "Optimizers" */
    const spur__kind *const *kinds;
    size_t count;
} spur__family;

/* The kind called `name`; NULL with E_NOTFOUND in *err, the nearest name and the list otherwise. */
const spur__kind *spur__family_find(const spur__family *family, const char *name, spur_error *err);

#endif
