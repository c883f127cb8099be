/* SPDX-License-Identifier: MIT
 *
 * The search space of a sweep: what each varied option may be.
 *
 * Grammar of one line `section.key = DOMAIN [if section.key == VALUE [and ...]]`:
 *     a, b, c              each of them (values of an option that is itself a list: a, b | c, d)
 *     choice(a, b, c)      the same, in words
 *     range(2, 6[, step])  whole or decimal numbers, both ends included
 *     uniform(0, 0.5)      any number between (random, tpe)
 *     log(1e-4, 1e-1)      any number between, uniform in its logarithm (random, tpe)
 * A conditional parameter is absent where its condition does not hold.
 */
#ifndef SPUR_TRAINER_SWEEP_SPACE_H
#define SPUR_TRAINER_SWEEP_SPACE_H

#include <stdbool.h>
#include <stddef.h>

#include <spur/status.h>

#include "base/str.h"

typedef enum domain_kind { DOMAIN_CHOICE, DOMAIN_UNIFORM, DOMAIN_LOG } domain_kind;

enum { SPACE_MAX_CONDITIONS = 4 };

typedef struct condition {
    char *name; /* another parameter of the space, or any option of the configuration */
    char *value; /* must be this text */
} condition;

typedef struct parameter {
    char *name; /* "optimizer.lr" */
    domain_kind kind;
    double low, high; /* UNIFORM, LOG */
    char **choices; /* CHOICE: texts as the user wrote them */
    size_t choice_count;
    condition conditions[SPACE_MAX_CONDITIONS]; /* all must hold */
    size_t condition_count;
    /* An option that only some kinds have ("optimizer.momentum") exists where the swept option that
     * chooses the kind ("optimizer.name") has a value that fits; NULL: where its conditions hold. */
    char *selector;
    bool (*fits)(const char *name, const char *kind);
} parameter;

typedef struct space {
    parameter *parameters;
    size_t count;
} space;

/* One configuration: the text of each parameter's value, NULL where it is absent. */
typedef struct assignment {
    char **values; /* space.count of them */
} assignment;

/* What a condition on an option that is not swept is compared with: its text in the base
 * configuration, or NULL when there is no such option. */
typedef const char *(*space_lookup)(const void *context, const char *name);

void space_init(space *s);
void space_free(space *s);

/* Adds `name = text`. `is_list`: the option's own values contain commas, so that `|` separates.
 * Errors say what is wrong with the text; the space is then unchanged. */
spur_status space_add(space *s, const char *name, const char *text, bool is_list, spur_error *err);

/* Index of a parameter, or -1. */
long space_find(const space *s, const char *name);

/* Every condition must name a parameter or an option that `lookup` knows, and no parameter may
 * depend on itself, directly or through others. On error *wrong is the parameter's index. */
spur_status space_check(const space *s, space_lookup lookup, const void *context, size_t *wrong,
                        spur_error *err);

/* Whether parameter i exists given the values of the others. */
bool space_active(const space *s, size_t i, const assignment *a, space_lookup lookup,
                  const void *context);

/* Clears the values of parameters whose conditions do not hold. Order of the file, repeated until
 * nothing changes, so that chains of conditions settle. */
void space_settle(const space *s, assignment *a, space_lookup lookup, const void *context);

/* The place of a choice among all when they are sorted as numbers, from 0; -1 when they are not all
 * numbers. */
long space_rank(const parameter *p, const char *value);

/* The number a text value stands for: its own number, or the index of the choice. */
double space_number(const parameter *p, const char *value);

spur_status assignment_init(const space *s, assignment *a);
void assignment_free(const space *s, assignment *a);
bool assignment_equal(const space *s, const assignment *a, const assignment *b);
/* Replaces value i by a copy of `text` (NULL: absent); false when out of memory. */
bool assignment_set(assignment *a, size_t i, const char *text);

/* Appends "lr=0.01 balance=none": short names (config_short_name), absent ones left out. */
void assignment_label(const space *s, const assignment *a, spur__str *out);

/* Canonical text of the whole space, one parameter a line: what a sweep's fingerprint is made of. */
void space_describe(const space *s, spur__str *out);

#endif
