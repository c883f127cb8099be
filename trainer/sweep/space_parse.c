/* SPDX-License-Identifier: MIT
 *
 * Parsing one line of a [sweep] section: domain, then conditions.
 */
#include "sweep/space_parse.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { MAX_CHOICES = 10000 };

static spur_status out_of_memory(const char *name, spur_error *err) {
    return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", name);
}

/* Appends a copy of a choice; a repeated one is an error of the user. */
static spur_status add_choice(parameter *p, const char *text, spur_error *err) {
    if (text[0] == '\0')
        return spur__fail(err, SPUR_E_FORMAT, "%s: an empty value between separators", p->name);
    if (p->choice_count >= MAX_CHOICES)
        return spur__fail(err, SPUR_E_RANGE, "%s: more than %d values", p->name, MAX_CHOICES);
    for (size_t i = 0; i < p->choice_count; i++)
        if (strcmp(p->choices[i], text) == 0)
            return spur__fail(err, SPUR_E_EXISTS, "%s: the value '%s' stands there twice", p->name,
                              text);
    char **grown = spur__realloc_array(p->choices, p->choice_count + 1, sizeof *grown);
    if (!grown) return out_of_memory(p->name, err);
    p->choices = grown;
    p->choices[p->choice_count] = spur__strdup(text);
    if (!p->choices[p->choice_count]) return out_of_memory(p->name, err);
    p->choice_count++;
    return SPUR_OK;
}

/* Whether each '(' of a text has its ')'. */
static bool is_balanced(const char *text) {
    long open = 0;
    for (; *text && open >= 0; text++) open += (*text == '(') - (*text == ')');
    return open == 0;
}

/* Splits `text` in place at `separator` into choices. A comma between parentheses cuts what belongs
 * together, as in "uniform(0, 1" and in "f1(average=macro, class=1)": nobody wants such values. */
static spur_status parse_choices(parameter *p, char *text, char separator, spur_error *err) {
    p->kind = DOMAIN_CHOICE;
    for (char *next; text; text = next) {
        next = strchr(text, separator);
        if (next) *next++ = '\0';
        const char *choice = spur__trim(text);
        if (separator == ',' && !is_balanced(choice))
            return spur__fail(
                err, SPUR_E_FORMAT,
                "%s: found '%.*s', expected values, or one of choice(), range(), uniform() and log() "
                "with its ')'; values that hold commas are separated by '|'",
                p->name, (int)strcspn(choice, "(") + 1, choice);
        SPUR__TRY(add_choice(p, choice, err));
    }
    return SPUR_OK;
}

/* Parses 2 or 3 numbers separated by commas; returns how many, 0 on error. */
static size_t parse_numbers(char *text, double out[3]) {
    size_t n = 0;
    for (char *next; text; text = next) {
        next = strchr(text, ',');
        if (next) *next++ = '\0';
        if (n == 3 || !spur__parse_double(spur__trim(text), &out[n++])) return 0;
    }
    return n;
}

static spur_status add_number(parameter *p, double x, spur_error *err) {
    spur__str text;
    spur__str_init(&text, 64);
    spur__str_double(&text, x);
    spur_status status = add_choice(p, spur__str_text(&text), err);
    spur__str_free(&text);
    return status;
}

/* x as it is meant: whole, or with twelve digits at most, none of them far below the step. */
static double without_rounding(double x, double step) {
    char text[40];
    double meant;
    if (x == floor(x)) return x;
    snprintf(text, sizeof text, "%.12g", fabs(x) < 1e-9 * step ? 0.0 : x);
    return spur__parse_double(text, &meant) ? meant : x;
}

/* range(a, b[, step]): both ends included; values are a + i * step, so errors do not add up. */
static spur_status parse_range(parameter *p, char *arguments, spur_error *err) {
    double v[3] = {0, 0, 1};
    size_t n = parse_numbers(arguments, v);
    if (n < 2)
        return spur__fail(err, SPUR_E_FORMAT, "%s: expected range(first, last[, step])", p->name);
    if (!(v[2] > 0) || v[1] < v[0])
        return spur__fail(
            err, SPUR_E_RANGE,
            "%s: range(): found %g to %g in steps of %g, expected first <= last and a step above 0",
            p->name, v[0], v[1], v[2]);
    double count = floor((v[1] - v[0]) / v[2] * (1 + 1e-12) + 1e-9) + 1;
    if (!(count <= MAX_CHOICES))
        return spur__fail(err, SPUR_E_RANGE, "%s: found %.0f values, expected at most %d", p->name,
                          count, MAX_CHOICES);
    p->kind = DOMAIN_CHOICE;
    for (size_t i = 0; i < (size_t)count; i++) {
        SPUR__TRY(add_number(p, without_rounding(v[0] + (double)i * v[2], v[2]), err));
    }
    return SPUR_OK;
}

static spur_status parse_interval(parameter *p, char *arguments, domain_kind kind,
                                  spur_error *err) {
    double v[3];
    const char *word = kind == DOMAIN_LOG ? "log" : "uniform";
    if (parse_numbers(arguments, v) != 2)
        return spur__fail(err, SPUR_E_FORMAT, "%s: expected %s(low, high)", p->name, word);
    if (!(v[0] < v[1]) || !isfinite(v[0]) || !isfinite(v[1]))
        return spur__fail(err, SPUR_E_RANGE, "%s: %s(): found %g and %g, expected low < high",
                          p->name, word, v[0], v[1]);
    if (kind == DOMAIN_LOG && v[0] <= 0)
        return spur__fail(err, SPUR_E_RANGE, "%s: log(): found %g, expected numbers above 0",
                          p->name, v[0]);
    p->kind = kind;
    p->low = v[0];
    p->high = v[1];
    return SPUR_OK;
}

/* The argument text of "word(...)", cut out in place; NULL when `text` is not of that form. */
static char *call_of(char *text, const char *word) {
    size_t n = strlen(word), length = strlen(text);
    if (strncmp(text, word, n) != 0) return NULL;
    char *open = text + n;
    open += strspn(open, " \t");
    if (*open != '(' || length == 0 || text[length - 1] != ')') return NULL;
    text[length - 1] = '\0';
    return open + 1;
}

static spur_status parse_domain(parameter *p, char *text, bool is_list, spur_error *err) {
    char *arguments;
    char separator = is_list ? '|' : ',';
    if (text[0] == '\0') return spur__fail(err, SPUR_E_FORMAT, "%s: no values", p->name);
    if ((arguments = call_of(text, "range"))) return parse_range(p, arguments, err);
    if ((arguments = call_of(text, "uniform")))
        return parse_interval(p, arguments, DOMAIN_UNIFORM, err);
    if ((arguments = call_of(text, "log"))) return parse_interval(p, arguments, DOMAIN_LOG, err);
    if ((arguments = call_of(text, "choice"))) text = arguments;
    if (strchr(text, '|')) separator = '|';
    return parse_choices(p, text, separator, err);
}

/* Parses "section.key == value". */
static spur_status parse_condition(parameter *p, char *text, spur_error *err) {
    char *equals = strstr(text, "==");
    if (!equals)
        return spur__fail(err, SPUR_E_FORMAT, "%s: expected 'if section.key == value', found '%s'",
                          p->name, text);
    *equals = '\0';
    char *name = spur__trim(text), *value = spur__trim(equals + 2);
    if (!strchr(name, '.') || value[0] == '\0')
        return spur__fail(err, SPUR_E_FORMAT, "%s: expected 'if section.key == value'", p->name);
    if (p->condition_count == SPACE_MAX_CONDITIONS)
        return spur__fail(err, SPUR_E_RANGE, "%s: more than %d conditions", p->name,
                          SPACE_MAX_CONDITIONS);
    condition *c = &p->conditions[p->condition_count];
    c->name = spur__strdup(name);
    c->value = spur__strdup(value);
    p->condition_count++; /* also when one copy failed: parameter_free frees both */
    return c->name && c->value ? SPUR_OK : out_of_memory(p->name, err);
}

/* Parses everything behind " if ": conditions joined by " and ". */
static spur_status parse_conditions(parameter *p, char *text, spur_error *err) {
    for (char *next; text; text = next) {
        next = strstr(text, " and ");
        if (next) {
            *next = '\0';
            next += strlen(" and ");
        }
        SPUR__TRY(parse_condition(p, text, err));
    }
    return SPUR_OK;
}

spur_status parameter_parse(parameter *p, const char *name, const char *text, bool is_list,
                            spur_error *err) {
    spur_status status = SPUR_OK;
    char *copy = spur__strdup(text);
    *p = (parameter){.name = spur__strdup(name)};
    if (!copy || !p->name) {
        status = out_of_memory(name, err);
        goto done;
    }
    char *conditions = strstr(copy, " if ");
    if (conditions) {
        *conditions = '\0';
        conditions += strlen(" if ");
    }
    SPUR__TRY_GOTO(parse_domain(p, spur__trim(copy), is_list, err), done);
    if (conditions) status = parse_conditions(p, conditions, err);
done:
    spur__free(copy);
    if (status != SPUR_OK) parameter_free(p);
    return status;
}
