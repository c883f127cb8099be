/* SPDX-License-Identifier: MIT
 *
 * The search space: conditions, assignments and texts. Parsing is in space_parse.c.
 */
#include "sweep/space.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"
#include "config/config.h"
#include "sweep/space_parse.h"

void space_init(space *s) {
    *s = (space){0};
}

void parameter_free(parameter *p) {
    spur__free(p->name);
    spur__free(p->selector);
    for (size_t i = 0; i < p->choice_count; i++) spur__free(p->choices[i]);
    spur__free(p->choices);
    for (size_t i = 0; i < p->condition_count; i++) {
        spur__free(p->conditions[i].name);
        spur__free(p->conditions[i].value);
    }
    *p = (parameter){0};
}

void space_free(space *s) {
    for (size_t i = 0; i < s->count; i++) parameter_free(&s->parameters[i]);
    spur__free(s->parameters);
    *s = (space){0};
}

long space_find(const space *s, const char *name) {
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->parameters[i].name, name) == 0) return (long)i;
    return -1;
}

spur_status space_add(space *s, const char *name, const char *text, bool is_list, spur_error *err) {
    parameter p = {0};
    if (space_find(s, name) >= 0) return spur__fail(err, SPUR_E_EXISTS, "%s: swept twice", name);
    SPUR__TRY(parameter_parse(&p, name, text, is_list, err));
    parameter *grown = spur__realloc_array(s->parameters, s->count + 1, sizeof *grown);
    if (!grown) {
        parameter_free(&p);
        return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", name);
    }
    s->parameters = grown;
    s->parameters[s->count++] = p;
    return SPUR_OK;
}

/* Follows the conditions from parameter i; true when they lead back to `start`. */
static bool leads_to(const space *s, size_t i, size_t start, size_t depth) {
    const parameter *p = &s->parameters[i];
    for (size_t c = 0; c < p->condition_count; c++) {
        long next = space_find(s, p->conditions[c].name);
        if (next < 0) continue;
        if ((size_t)next == start) return true;
        if (depth < s->count && leads_to(s, (size_t)next, start, depth + 1)) return true;
    }
    return false;
}

/* The same text, number or truth value: 1e-2 and 0.01 are one, and so are yes and true. */
static bool same_value(const char *a, const char *b) {
    double x, y;
    bool v, w;
    if (strcmp(a, b) == 0) return true;
    if (spur__parse_double(a, &x) && spur__parse_double(b, &y)) return x == y;
    return spur__parse_bool(a, &v) && spur__parse_bool(b, &w) && v == w;
}

static bool has_choice(const parameter *p, const char *value) {
    for (size_t i = 0; i < p->choice_count; i++)
        if (same_value(p->choices[i], value)) return true;
    return p->kind != DOMAIN_CHOICE;
}

spur_status space_check(const space *s, space_lookup lookup, const void *context, size_t *wrong,
                        spur_error *err) {
    for (size_t i = 0; i < s->count; i++) {
        *wrong = i;
        const parameter *p = &s->parameters[i];
        for (size_t c = 0; c < p->condition_count; c++) {
            const condition *on = &p->conditions[c];
            long other = space_find(s, on->name);
            if (other < 0 && (!lookup || !lookup(context, on->name)))
                return spur__fail(err, SPUR_E_NOTFOUND,
                                  "%s: its condition names '%s', which is no option", p->name,
                                  on->name);
            if (other >= 0 && !has_choice(&s->parameters[other], on->value))
                return spur__fail(err, SPUR_E_RANGE,
                                  "%s: its condition '%s == %s' can never hold, the sweep does "
                                  "not give it that value",
                                  p->name, on->name, on->value);
        }
        if (leads_to(s, i, i, 0))
            return spur__fail(err, SPUR_E_ARGUMENT, "%s: its conditions lead back to itself",
                              p->name);
    }
    return SPUR_OK;
}

bool space_active(const space *s, size_t i, const assignment *a, space_lookup lookup,
                  const void *context) {
    const parameter *p = &s->parameters[i];
    for (size_t c = 0; c < p->condition_count; c++) {
        long other = space_find(s, p->conditions[c].name);
        const char *value = other >= 0 ? a->values[other]
                            : lookup   ? lookup(context, p->conditions[c].name)
                                       : NULL;
        if (!value || !same_value(value, p->conditions[c].value)) return false;
    }
    long chooser = p->selector ? space_find(s, p->selector) : -1;
    const char *kind = chooser >= 0 ? a->values[chooser] : NULL;
    return chooser < 0 || (kind && p->fits(p->name, kind));
}

void space_settle(const space *s, assignment *a, space_lookup lookup, const void *context) {
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < s->count; i++) {
            if (!a->values[i] || space_active(s, i, a, lookup, context)) continue;
            spur__free(a->values[i]);
            a->values[i] = NULL;
            changed = true;
        }
    }
}

double space_number(const parameter *p, const char *value) {
    double number;
    if (spur__parse_double(value, &number)) return number;
    for (size_t i = 0; i < p->choice_count; i++)
        if (strcmp(p->choices[i], value) == 0) return (double)i;
    return 0;
}

long space_rank(const parameter *p, const char *value) {
    double own, other;
    long below = 0;
    if (!spur__parse_double(value, &own)) return -1;
    for (size_t i = 0; i < p->choice_count; i++) {
        if (!spur__parse_double(p->choices[i], &other)) return -1;
        below += other < own;
    }
    return below;
}

spur_status assignment_init(const space *s, assignment *a) {
    a->values = spur__calloc(s->count + 1, sizeof *a->values);
    return a->values ? SPUR_OK : SPUR_E_MEMORY;
}

void assignment_free(const space *s, assignment *a) {
    for (size_t i = 0; a->values && i < s->count; i++) spur__free(a->values[i]);
    spur__free(a->values);
    a->values = NULL;
}

bool assignment_equal(const space *s, const assignment *a, const assignment *b) {
    for (size_t i = 0; i < s->count; i++) {
        const char *x = a->values[i], *y = b->values[i];
        if (!x != !y || (x && strcmp(x, y) != 0)) return false;
    }
    return true;
}

bool assignment_set(assignment *a, size_t i, const char *text) {
    char *copy = text ? spur__strdup(text) : NULL;
    if (text && !copy) return false;
    spur__free(a->values[i]);
    a->values[i] = copy;
    return true;
}

void assignment_label(const space *s, const assignment *a, spur__str *out) {
    bool first = true;
    for (size_t i = 0; i < s->count; i++) {
        if (!a->values[i]) continue;
        if (!first) spur__str_putc(out, ' ');
        config_short_path(s->parameters[i].name, out);
        spur__str_printf(out, "=%s", a->values[i]);
        first = false;
    }
    if (first) spur__str_puts(out, "base");
}

static void describe_domain(const parameter *p, spur__str *out) {
    if (p->kind != DOMAIN_CHOICE) {
        spur__str_puts(out, p->kind == DOMAIN_LOG ? "log(" : "uniform(");
        spur__str_double(out, p->low);
        spur__str_puts(out, ", ");
        spur__str_double(out, p->high);
        spur__str_putc(out, ')');
        return;
    }
    for (size_t i = 0; i < p->choice_count; i++)
        spur__str_printf(out, "%s%s", i ? " | " : "", p->choices[i]);
}

void space_describe(const space *s, spur__str *out) {
    for (size_t i = 0; i < s->count; i++) {
        const parameter *p = &s->parameters[i];
        spur__str_printf(out, "%s = ", p->name);
        describe_domain(p, out);
        for (size_t c = 0; c < p->condition_count; c++)
            spur__str_printf(out, "%s%s == %s", c ? " and " : " if ", p->conditions[c].name,
                             p->conditions[c].value);
        spur__str_putc(out, '\n');
    }
}
