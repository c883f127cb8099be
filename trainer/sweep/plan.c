/* SPDX-License-Identifier: MIT
 *
 * From a configuration to a plan; see plan.h.
 */
#include "sweep/plan.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "config/settings.h"
#include "sweep/string_list.h"

/* Splits "section.key"; the section's id, SECTION_COUNT if there is none of that name. */
static section_id split_name(const char *name, const char **key) {
    char section[64];
    const char *dot = strchr(name, '.');
    size_t n = dot ? (size_t)(dot - name) : 0;
    if (!dot || n >= sizeof section) return SECTION_COUNT;
    memcpy(section, name, n);
    section[n] = '\0';
    *key = dot + 1;
    return section_find(section);
}

const char *sweep_plan_option(const void *context, const char *name) {
    static _Thread_local char text[1024];
    const sweep_plan *plan = context;
    const char *key = NULL;
    section_id id = split_name(name, &key);
    char *found = id < SECTION_COUNT ? config_option(plan->cfg, section_specs[id].name, key) : NULL;
    if (!found) return NULL;
    snprintf(text, sizeof text, "%s", found);
    spur__free(found);
    return text;
}

/* The entry's error, with what the inner one says. */
static spur_status fail_at(const document_entry *entry, spur_status status, const spur_error *why,
                           spur_error *err) {
    return document_fail(entry, true, status, err, "%s", why->message);
}

/* The section of an option that is called without it, "lr"; SECTION_COUNT when none has it. */
static section_id find_home(const sweep_plan *plan, const char *key) {
    if (plan->is_program)
        return document_find(&plan->cfg->doc, "param", key) ? SECTION_PARAM : SECTION_COUNT;
    for (section_id i = 0; i < SECTION_TYPED; i++)
        if (i != SECTION_RUN && config_find_row(i, key, NULL)) return i;
    return SECTION_COUNT;
}

/* An option of [sweep] or [program] itself. */
static spur_status set_own(const spur__options *table, void *target, const document_entry *entry,
                           spur_error *err) {
    spur_error why = {0};
    spur_status status = spur__options_set(table, target, entry->key, entry->value, &why);
    return status == SPUR_OK ? SPUR_OK : fail_at(entry, status, &why, err);
}

/* Texts of one value, such as 0.01 and 1e-2, would be two configurations that compute the same. */
static spur_status check_distinct(const parameter *p, const spur__option *row,
                                  const document_entry *entry, spur_error *err) {
    spur__str text;
    string_list values = {.list = NULL};
    spur_status status = SPUR_OK;
    spur__str_init(&text, 4096);
    for (size_t i = 0; status == SPUR_OK && i < p->choice_count; i++) {
        spur__str_clear(&text);
        status = spur__option_canonical(row, p->choices[i], &text, err);
        for (size_t j = 0; status == SPUR_OK && j < i; j++)
            if (strcmp(values.list[j], spur__str_text(&text)) == 0)
                status = document_fail(entry, true, SPUR_E_EXISTS, err,
                                       "%s: the values '%s' and '%s' are the same", p->name,
                                       p->choices[j], p->choices[i]);
        string_list_add(&values, spur__str_text(&text));
        if (status == SPUR_OK && values.failed)
            status = spur__fail(err, SPUR_E_MEMORY, "sweep: out of memory");
    }
    string_list_free(&values);
    spur__str_free(&text);
    return status;
}

/* Every text that the parameter may become must be a value of its option, and another one. */
static spur_status check_values(const parameter *p, const spur__option *row,
                                const document_entry *entry, spur_error *err) {
    spur_error why = {0};
    char ends[2][40];
    if (p->kind != DOMAIN_CHOICE && row->type != SPUR__OPT_FLOAT)
        return document_fail(entry, true, SPUR_E_TYPE, err,
                             "%s: uniform() and log() are for options that are numbers; name the "
                             "values or use range()",
                             p->name);
    snprintf(ends[0], sizeof ends[0], "%.6g", p->low);
    snprintf(ends[1], sizeof ends[1], "%.6g", p->high);
    size_t n = p->kind == DOMAIN_CHOICE ? p->choice_count : 2;
    for (size_t i = 0; i < n; i++) {
        const char *value = p->kind == DOMAIN_CHOICE ? p->choices[i] : ends[i];
        spur_status status = spur__option_check(row, value, &why);
        if (status != SPUR_OK && strchr(value, '('))
            return document_fail(entry, true, status, err,
                                 "%s: found '%.*s(', expected values, or one of choice(), range(), "
                                 "uniform() and log()",
                                 p->name, (int)strcspn(value, "("), value);
        if (status != SPUR_OK) return fail_at(entry, status, &why, err);
    }
    return row->type == SPUR__OPT_TEXT ? SPUR_OK : check_distinct(p, row, entry, err);
}

/* Values that choose a kind ("optimizer.name = sgd, adam") must be kinds of the family. */
static spur_status check_kinds(const parameter *p, const spur__family *family,
                               const document_entry *entry, spur_error *err) {
    spur_error why = {0};
    for (size_t i = 0; i < p->choice_count; i++)
        if (!spur__family_find(family, p->choices[i], &why))
            return fail_at(entry, SPUR_E_NOTFOUND, &why, err);
    return SPUR_OK;
}

static bool is_list(const spur__option *row) {
    return row && (row->type == SPUR__OPT_INTS || row->type == SPUR__OPT_FLOATS);
}

/* A varied option: `section.key = domain`. */
static spur_status add_parameter(sweep_plan *plan, const document_entry *entry, spur_error *err) {
    const char *key = NULL;
    section_id id = split_name(entry->key, &key);
    const section_spec *spec = id < SECTION_COUNT ? &section_specs[id] : NULL;
    bool selects = spec && spec->selector && strcmp(spec->selector, key) == 0;
    const spur__option *row =
        id < SECTION_TYPED && !selects ? config_find_row(id, key, NULL) : NULL;
    bool param = id == SECTION_PARAM;
    if (!spec || (!row && !selects && !param))
        return document_fail(entry, false, SPUR_E_NOTFOUND, err, "no option '%s' to vary",
                             entry->key);
    if (plan->is_program && !param)
        return document_fail(entry, false, SPUR_E_ARGUMENT, err,
                             "a [program] has no '%s': what is varied are its [param]s",
                             entry->key);
    if (id == SECTION_RUN)
        return document_fail(entry, false, SPUR_E_ARGUMENT, err,
                             "[run] cannot be varied; for repetitions use `seeds = 1..5`");
    spur_error why = {0};
    spur_status status = space_add(&plan->space, entry->key, entry->value, is_list(row), &why);
    if (status != SPUR_OK) return fail_at(entry, status, &why, err);
    const parameter *p = &plan->space.parameters[plan->space.count - 1];
    if (selects) return check_kinds(p, spec->family, entry, err);
    return row ? check_values(p, row, entry, err) : SPUR_OK;
}

/* Whether a kind ("sgd") has this option ("optimizer.momentum"). */
static bool kind_has(const char *name, const char *kind) {
    const char *key = NULL;
    spur_error why;
    const section_spec *spec = &section_specs[split_name(name, &key)];
    const spur__kind *one = spur__family_find(spec->family, kind, &why);
    return one && one->options && spur__options_find(one->options, key);
}

/* True when one of the kinds that the sweep tries has the option; of a kind that is not swept, when
 * that one has. *kind is for the message. */
static bool some_kind_has(const sweep_plan *plan, const parameter *p, const char **kind) {
    long chooser = space_find(&plan->space, p->selector);
    if (chooser < 0) {
        *kind = sweep_plan_option(plan, p->selector);
        return *kind && kind_has(p->name, *kind);
    }
    const parameter *by = &plan->space.parameters[chooser];
    *kind = by->choice_count ? by->choices[0] : "";
    for (size_t i = 0; i < by->choice_count; i++)
        if (kind_has(p->name, by->choices[i])) return true;
    return false;
}

/* Options that only some kinds have exist where they fit, and have to fit somewhere. */
static spur_status tie_to_kinds(sweep_plan *plan, spur_error *err) {
    for (size_t i = 0; i < plan->space.count; i++) {
        parameter *p = &plan->space.parameters[i];
        const char *key = NULL, *kind = NULL;
        section_id id = split_name(p->name, &key);
        const section_spec *spec = &section_specs[id];
        bool common = id >= SECTION_TYPED || !spec->selector || !spec->family ||
                      strcmp(spec->selector, key) == 0 ||
                      (spec->common && spur__options_find(spec->common, key));
        if (common) continue;
        spur__str name;
        spur__str_init(&name, 256);
        spur__str_printf(&name, "%s.%s", spec->name, spec->selector);
        p->selector = spur__str_take(&name);
        p->fits = kind_has;
        if (!p->selector) return spur__fail(err, SPUR_E_MEMORY, "sweep: out of memory");
        if (some_kind_has(plan, p, &kind)) continue;
        const document_entry *entry = document_find(&plan->cfg->doc, "sweep", p->name);
        return document_fail(entry, false, SPUR_E_ARGUMENT, err, "%s = %s has no option '%s'",
                             p->selector, kind ? kind : "", key);
    }
    return SPUR_OK;
}

/* True when this entry is the one that counts for its key. */
static bool decides(const sweep_plan *plan, const document_entry *entry) {
    return document_find(&plan->cfg->doc, entry->section, entry->key) == entry;
}

/* A value given for a swept option on the command line replaces what the file would vary. */
static bool overridden(const sweep_plan *plan, const char *name) {
    const char *key, *dot = strchr(name, '.');
    section_id id = split_name(name, &key);
    if (!dot || id >= SECTION_COUNT) return false;
    const document_entry *own = document_find(&plan->cfg->doc, section_specs[id].name, key);
    return own && own->line == 0;
}

bool sweep_plan_replaced(const sweep_plan *plan, const document_entry *entry) {
    return entry->key && strcmp(entry->section, "sweep") == 0 && strchr(entry->key, '.') &&
           overridden(plan, entry->key);
}

static spur_status read_entry(sweep_plan *plan, const document_entry *entry, spur_error *err) {
    if (!entry->key || !decides(plan, entry)) return SPUR_OK;
    if (strcmp(entry->section, "program") == 0)
        return set_own(&program_table, &plan->program, entry, err);
    if (strcmp(entry->section, "sweep") != 0) return SPUR_OK;
    if (strchr(entry->key, '.'))
        return sweep_plan_replaced(plan, entry) ? SPUR_OK : add_parameter(plan, entry, err);
    section_id home = find_home(plan, entry->key);
    if (home < SECTION_COUNT && !spur__options_find(&sweep_table, entry->key))
        return document_fail(entry, false, SPUR_E_NOTFOUND, err,
                             "unknown option '%s'; to vary it, write %s.%s", entry->key,
                             section_specs[home].name, entry->key);
    return set_own(&sweep_table, &plan->settings, entry, err);
}

static spur_status make_seeds(sweep_plan *plan, spur_error *err) {
    int64_t parsed[SWEEP_MAX_SEEDS];
    size_t n = sweep_parse_seeds(plan->settings.seeds, parsed);
    plan->seeds_given = n > 0;
    if (n == 0) parsed[n++] = config_common(plan->cfg, SECTION_RUN, run_settings)->seed;
    plan->seeds = spur__malloc_array(n, sizeof *plan->seeds);
    if (!plan->seeds) return spur__fail(err, SPUR_E_MEMORY, "sweep: out of memory");
    memcpy(plan->seeds, parsed, n * sizeof *parsed);
    plan->seed_count = n;
    plan->best = (best_options){plan->settings.best_of, plan->seeds, n};
    return SPUR_OK;
}

/* The entry of an option, else what first stands in its section: the place of an error about it. */
static const document_entry *place_of(const sweep_plan *plan, const char *section,
                                      const char *key) {
    const document *doc = &plan->cfg->doc;
    const document_entry *found = document_find(doc, section, key);
    for (size_t i = 0; !found && i < doc->count; i++)
        if (strcmp(doc->entries[i].section, section) == 0) found = &doc->entries[i];
    return found;
}

static spur_status check_method(sweep_plan *plan, spur_error *err) {
    const sweep_settings *s = &plan->settings;
    plan->method = (const void *)spur__family_find(&search_family, s->method, err);
    plan->pruner = (const void *)spur__family_find(&pruner_family, s->pruner, err);
    if (!plan->method || !plan->pruner) return SPUR_E_NOTFOUND;
    for (size_t i = 0; plan->method->needs_discrete && i < plan->space.count; i++) {
        const parameter *p = &plan->space.parameters[i];
        if (p->kind != DOMAIN_CHOICE)
            return document_fail(place_of(plan, "sweep", p->name), true, SPUR_E_ARGUMENT, err,
                                 "%s: method = grid needs values; uniform() and log() go with "
                                 "method = random or tpe",
                                 p->name);
    }
    if (!plan->method->needs_discrete && s->trials == 0)
        return document_fail(place_of(plan, "sweep", "method"), true, SPUR_E_ARGUMENT, err,
                             "method = %s needs `trials = N`", s->method);
    if (plan->method == &search_best && s->best_of[0] == '\0')
        return document_fail(place_of(plan, "sweep", "method"), true, SPUR_E_ARGUMENT, err,
                             "method = best needs `best_of = SWEEP`, the directory of a sweep");
    if (plan->is_program && plan->program.command[0] == '\0')
        return document_fail(place_of(plan, "program", "command"), false, SPUR_E_ARGUMENT, err,
                             "[program] has no `command`");
    return SPUR_OK;
}

static void settle_resource(sweep_plan *plan) {
    const train_settings *train = config_common(plan->cfg, SECTION_TRAIN, train_settings);
    long varied = space_find(&plan->space, "train.epochs");
    sweep_settle_resource(&plan->settings, plan->is_program ? 0 : train->epochs,
                          varied < 0 ? NULL : &plan->space.parameters[varied]);
}

static spur_status check_conditions(const sweep_plan *plan, spur_error *err) {
    size_t wrong = 0;
    spur_error why = {0};
    spur_status status = space_check(&plan->space, sweep_plan_option, plan, &wrong, &why);
    if (status == SPUR_OK) return SPUR_OK;
    return fail_at(place_of(plan, "sweep", plan->space.parameters[wrong].name), status, &why, err);
}

spur_status sweep_plan_make(sweep_plan *plan, const config *cfg, spur_error *err) {
    *plan = (sweep_plan){.cfg = cfg, .is_program = cfg->program};
    space_init(&plan->space);
    spur_status status = spur__options_init(&sweep_table, &plan->settings, err);
    if (status == SPUR_OK) status = spur__options_init(&program_table, &plan->program, err);
    if (status == SPUR_OK && !cfg->sweeps)
        status = spur__fail(err, SPUR_E_ARGUMENT, "%s: there is no [sweep] section",
                            cfg->doc.file_count ? cfg->doc.files[0] : "command line");
    for (size_t i = 0; status == SPUR_OK && i < cfg->doc.count; i++)
        status = read_entry(plan, &cfg->doc.entries[i], err);
    if (status == SPUR_OK) status = make_seeds(plan, err);
    if (status == SPUR_OK) settle_resource(plan);
    if (status == SPUR_OK) status = check_method(plan, err);
    if (status == SPUR_OK) status = check_conditions(plan, err);
    if (status == SPUR_OK) status = tie_to_kinds(plan, err);
    if (status != SPUR_OK) sweep_plan_free(plan);
    return status;
}

void sweep_plan_free(sweep_plan *plan) {
    spur__options_free(&sweep_table, &plan->settings);
    spur__options_free(&program_table, &plan->program);
    space_free(&plan->space);
    spur__free(plan->seeds);
    plan->seeds = NULL;
}

const void *sweep_plan_method_options(const sweep_plan *plan) {
    if (plan->method == &search_tpe) return &plan->settings.tpe;
    return plan->method == &search_best ? &plan->best : NULL;
}

/* Options that do not change what a trial computes. */
static bool is_incidental(const char *section, const char *key) {
    if (strcmp(section, "log") == 0) return true;
    if (strcmp(section, "run") != 0) return false;
    return strcmp(key, "logdir") == 0 || strcmp(key, "threads") == 0 || strcmp(key, "name") == 0 ||
           strcmp(key, "seed") == 0;
}

static void put_option(void *user, const char *section, const char *key, const char *value,
                       const char *initial) {
    (void)initial;
    if (!is_incidental(section, key)) spur__str_printf(user, "%s.%s = %s\n", section, key, value);
}

static void put_settings(const sweep_plan *plan, spur__str *out) {
    const sweep_settings *s = &plan->settings;
    for (size_t i = 0; i < sweep_table.count; i++) {
        const spur__option *row = &sweep_table.rows[i];
        if (!sweep_option_decides(row->name, s->method, s->pruner)) continue;
        spur__str_printf(out, "sweep.%s = ", row->name);
        spur__option_format(row, &plan->settings, out);
        spur__str_putc(out, '\n');
    }
}

void sweep_plan_fingerprint(const sweep_plan *plan, spur__str *out) {
    put_settings(plan, out);
    space_describe(&plan->space, out);
    spur__str_printf(out, "seeds =");
    for (size_t i = 0; i < plan->seed_count; i++)
        spur__str_printf(out, " %lld", (long long)plan->seeds[i]);
    spur__str_putc(out, '\n');
    if (plan->is_program) {
        for (size_t i = 0; i < program_table.count; i++) {
            spur__str_printf(out, "program.%s = ", program_table.rows[i].name);
            spur__option_format(&program_table.rows[i], &plan->program, out);
            spur__str_putc(out, '\n');
        }
        return;
    }
    config_each(plan->cfg, put_option, out);
}
