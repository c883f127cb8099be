/* SPDX-License-Identifier: MIT
 *
 * From a document to structs: choosing kinds, setting options, refusing what does not exist.
 */
#include "config/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static spur_status make_struct(const spur__options *table, void **out, spur_error *err) {
    *out = NULL;
    if (!table) return SPUR_OK;
    void *target = spur__calloc(1, table->size);
    if (!target) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = spur__options_init(table, target, err);
    if (status != SPUR_OK)
        spur__free(target);
    else
        *out = target;
    return status;
}

static void free_struct(const spur__options *table, void *target) {
    if (target) spur__options_free(table, target);
    spur__free(target);
}

void config_free(config *cfg) {
    for (section_id i = 0; i < SECTION_TYPED; i++) {
        config_part *part = &cfg->parts[i];
        free_struct(section_specs[i].common, part->common);
        if (part->kind) free_struct(part->kind->options, part->options);
        *part = (config_part){.common = NULL};
    }
    document_free(&cfg->doc);
}

/* Every section named in the file must be one. */
static spur_status check_sections(const document *doc, spur_error *err) {
    for (size_t i = 0; i < doc->count; i++) {
        const document_entry *entry = &doc->entries[i];
        if (section_find(entry->section) != SECTION_COUNT) continue;
        const char *near = section_nearest(entry->section);
        return document_fail(entry, false, SPUR_E_NOTFOUND, err, "unknown section [%s]%s%s%s",
                             entry->section, near ? "; did you mean [" : "", near ? near : "",
                             near ? "]?" : "");
    }
    return SPUR_OK;
}

/* Makes the structs of one section, with the kind that its selector chooses. */
static spur_status open_section(config *cfg, section_id id, spur_error *err) {
    const section_spec *spec = &section_specs[id];
    config_part *part = &cfg->parts[id];
    SPUR__TRY(make_struct(spec->common, &part->common, err));
    if (!spec->family) return SPUR_OK;
    const document_entry *entry = document_find(&cfg->doc, spec->name, spec->selector);
    spur_error detail = {.status = SPUR_OK};
    const spur__kind *kind =
        spur__family_find(spec->family, entry ? entry->value : spec->initial, &detail);
    if (!kind)
        return entry ? document_fail(entry, true, detail.status, err, "%s", detail.message)
                     : spur__fail(err, detail.status, "[%s]: %s", spec->name, detail.message);
    SPUR__TRY(make_struct(kind->options, &part->options, err));
    part->kind = kind;
    return SPUR_OK;
}

/* True when [sweep] varies the kind of a section: options of all kinds are then welcome. */
static bool kind_is_swept(const config *cfg, const section_spec *spec) {
    char key[64];
    if (!spec->selector) return false;
    snprintf(key, sizeof key, "%s.%s", spec->name, spec->selector);
    return document_find(&cfg->doc, "sweep", key) != NULL;
}

/* All keys that would have been right in a section, for the nearest name. */
typedef struct key_list {
    const section_spec *spec;
    const spur__kind *kind;
} key_list;

static size_t rows_of(const spur__options *table) {
    return table ? table->count : 0;
}

static const char *key_at(const void *list, size_t i) {
    const key_list *keys = list;
    size_t common = rows_of(keys->spec->common);
    if (i < common) return keys->spec->common->rows[i].name;
    i -= common;
    size_t own = keys->kind ? rows_of(keys->kind->options) : 0;
    return i < own ? keys->kind->options->rows[i].name : keys->spec->selector;
}

static spur_status unknown_key(const config *cfg, section_id id, const document_entry *entry,
                               spur_error *err) {
    const section_spec *spec = &section_specs[id];
    key_list keys = {spec, cfg->parts[id].kind};
    size_t count = rows_of(spec->common) + (keys.kind ? rows_of(keys.kind->options) : 0) +
                   (spec->selector != NULL);
    const char *near = spur__nearest(entry->key, count, key_at, &keys);
    if (near)
        return document_fail(entry, false, SPUR_E_NOTFOUND, err,
                             "unknown key '%s' in [%s]; did you mean '%s'?", entry->key, spec->name,
                             near);
    for (section_id other = 0; other < SECTION_TYPED; other++)
        if (config_find_row(other, entry->key, NULL))
            return document_fail(entry, false, SPUR_E_NOTFOUND, err,
                                 "unknown key '%s' in [%s]; it belongs into [%s]", entry->key,
                                 spec->name, section_specs[other].name);
    return document_fail(entry, false, SPUR_E_NOTFOUND, err,
                         "unknown key '%s' in [%s]; `spur help %s` lists them", entry->key,
                         spec->name, spec->name);
}

/* Names of the kinds that have this key: "adam, adamw". */
static void owners(const section_spec *spec, const char *key, spur__str *out) {
    for (size_t i = 0; i < spec->family->count; i++) {
        const spur__kind *kind = spec->family->kinds[i];
        if (!kind->options || !spur__options_find(kind->options, key)) continue;
        spur__str_printf(out, "%s%s", out->length ? ", " : "", kind->name);
    }
}

/* A key that another kind of the family knows. Its value must be right there. */
static spur_status foreign_key(const config *cfg, section_id id, const document_entry *entry,
                               const spur__option *row, spur_error *err) {
    const section_spec *spec = &section_specs[id];
    if (kind_is_swept(cfg, spec)) {
        spur_error detail;
        spur_status status = spur__option_check(row, entry->value, &detail);
        return status == SPUR_OK ? SPUR_OK
                                 : document_fail(entry, true, status, err, "%s", detail.message);
    }
    spur__str names;
    spur__str_init(&names, 500);
    owners(spec, entry->key, &names);
    spur_status status = document_fail(entry, false, SPUR_E_NOTFOUND, err,
                                       "'%s' is an option of %s, not of '%s' (%s = %s)", entry->key,
                                       spur__str_text(&names), cfg->parts[id].kind->name,
                                       spec->selector, cfg->parts[id].kind->name);
    spur__str_free(&names);
    return status;
}

static spur_status set_option(config *cfg, section_id id, const document_entry *entry,
                              spur_error *err) {
    const section_spec *spec = &section_specs[id];
    config_part *part = &cfg->parts[id];
    if (spec->selector && strcmp(entry->key, spec->selector) == 0) return SPUR_OK;
    const spur__options *table = spec->common;
    void *target = part->common;
    if (!spur__options_find(table, entry->key) && part->kind) {
        table = part->kind->options;
        target = part->options;
    }
    if (!spur__options_find(table, entry->key)) {
        const spur__option *row = config_find_row(id, entry->key, NULL);
        return row ? foreign_key(cfg, id, entry, row, err) : unknown_key(cfg, id, entry, err);
    }
    spur_error detail = {.status = SPUR_OK};
    spur_status status = spur__options_set(table, target, entry->key, entry->value, &detail);
    return status == SPUR_OK ? SPUR_OK
                             : document_fail(entry, true, status, err, "%s", detail.message);
}

/* `section.key` in [sweep] must exist, in some kind at least. */
static spur_status check_swept(const document_entry *entry, spur_error *err) {
    const char *dot = strchr(entry->key, '.');
    if (!dot) return SPUR_OK;
    char section[64];
    size_t n = (size_t)(dot - entry->key);
    snprintf(section, sizeof section, "%.*s", (int)n, entry->key);
    section_id id = section_find(section);
    if (id == SECTION_PARAM) return SPUR_OK;
    if (id == SECTION_SWEEP || id == SECTION_PROGRAM)
        return document_fail(entry, false, SPUR_E_ARGUMENT, err, "[%s] cannot be varied", section);
    if (id >= SECTION_TYPED) {
        const char *near = section_nearest(section);
        return document_fail(entry, false, SPUR_E_NOTFOUND, err, "no section [%s] to vary%s%s%s",
                             section, near ? "; did you mean [" : "", near ? near : "",
                             near ? "]?" : "");
    }
    const section_spec *spec = &section_specs[id];
    if (spec->selector && strcmp(dot + 1, spec->selector) == 0) return SPUR_OK;
    if (config_find_row(id, dot + 1, NULL)) return SPUR_OK;
    return document_fail(entry, false, SPUR_E_NOTFOUND, err,
                         "no option '%s' in [%s] to vary; `spur help %s` lists them", dot + 1,
                         spec->name, spec->name);
}

static spur_status apply(config *cfg, const document_entry *entry, spur_error *err) {
    section_id id = section_find(entry->section);
    if (id == SECTION_SWEEP) cfg->sweeps = true;
    if (id == SECTION_PROGRAM) cfg->program = true;
    if (!entry->key) return SPUR_OK;
    if (entry->line && id != SECTION_PARAM && strcmp(entry->key, "include") == 0)
        return document_fail(entry, false, SPUR_E_FORMAT, err,
                             "found 'include' in [%s], expected it before the first [section]",
                             entry->section);
    if (id == SECTION_SWEEP) return check_swept(entry, err);
    return id < SECTION_TYPED ? set_option(cfg, id, entry, err) : SPUR_OK;
}

spur_status config_resolve(config *cfg, document *doc, spur_error *err) {
    *cfg = (config){.doc = *doc};
    document_init(doc);
    spur_status status = check_sections(&cfg->doc, err);
    for (section_id i = 0; status == SPUR_OK && i < SECTION_TYPED; i++)
        status = open_section(cfg, i, err);
    for (size_t i = 0; status == SPUR_OK && i < cfg->doc.count; i++)
        status = apply(cfg, &cfg->doc.entries[i], err);
    if (status != SPUR_OK) config_free(cfg);
    return status;
}

spur_status config_load(config *cfg, const char *path, char *const *overrides, size_t count,
                        spur_error *err) {
    document doc;
    document_init(&doc);
    *cfg = (config){.sweeps = false};
    spur_status status = path ? document_read(&doc, path, err) : SPUR_OK;
    if (status == SPUR_OK && path && doc.count == 0)
        status = spur__fail(err, SPUR_E_FORMAT, "%s: there is no [section] in it", path);
    for (size_t i = 0; status == SPUR_OK && i < count; i++)
        status = document_override(&doc, overrides[i], err);
    if (status != SPUR_OK) {
        document_free(&doc);
        return status;
    }
    return config_resolve(cfg, &doc, err);
}

spur_status config_fail(const config *cfg, section_id section, const char *key, spur_status status,
                        spur_error *err, const char *fmt, ...) {
    char text[900];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const char *name = section_specs[section].name;
    const document_entry *entry = document_find(&cfg->doc, name, key);
    if (entry) return document_fail(entry, true, status, err, "%s", text);
    return spur__fail(err, status, "%s.%s: %s", name, key, text);
}
