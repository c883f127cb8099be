/* SPDX-License-Identifier: MIT
 *
 * A configuration as text: the full config.ini, and a walk over all options.
 */
#include <string.h>

#include "base/memory.h"
#include "config/config.h"

typedef struct walk {
    config_visit *visit;
    void *user;
    spur__str value;
} walk;

static void visit_table(walk *w, const char *section, const spur__options *table,
                        const void *target) {
    for (size_t i = 0; table && i < table->count; i++) {
        spur__str_clear(&w->value);
        spur__option_format(&table->rows[i], target, &w->value);
        w->visit(w->user, section, table->rows[i].name, spur__str_text(&w->value),
                 table->rows[i].initial);
    }
}

void config_each(const config *cfg, config_visit *visit, void *user) {
    walk w = {.visit = visit, .user = user};
    spur__str_init(&w.value, 1 << 20);
    for (section_id i = 0; i < SECTION_TYPED; i++) {
        const section_spec *spec = &section_specs[i];
        const config_part *part = &cfg->parts[i];
        if (part->kind) visit(user, spec->name, spec->selector, part->kind->name, spec->initial);
        visit_table(&w, spec->name, spec->common, part->common);
        if (part->kind) visit_table(&w, spec->name, part->kind->options, part->options);
    }
    spur__str_free(&w.value);
}

/* Looks for one option while config_each goes over all. */
typedef struct search_for {
    const char *section, *key;
    char *found;
} search_for;

static void match_option(void *user, const char *section, const char *key, const char *value,
                         const char *initial) {
    search_for *want = user;
    (void)initial;
    if (!want->found && strcmp(section, want->section) == 0 && strcmp(key, want->key) == 0)
        want->found = spur__strdup(value);
}

char *config_option(const config *cfg, const char *section, const char *key) {
    search_for want = {section, key, NULL};
    config_each(cfg, match_option, &want);
    return want.found;
}

typedef struct printing {
    spur__str *out;
    const char *section;
} printing;

static void print_option(void *user, const char *section, const char *key, const char *value,
                         const char *initial) {
    printing *p = user;
    (void)initial;
    if (!p->section || strcmp(p->section, section) != 0)
        spur__str_printf(p->out, "%s[%s]\n", p->section ? "\n" : "", section);
    p->section = section;
    spur__str_printf(p->out, "%s =%s%s\n", key, *value ? " " : "", value);
}

void config_format(const config *cfg, spur__str *out) {
    printing p = {.out = out};
    config_each(cfg, print_option, &p);
}
