/* SPDX-License-Identifier: MIT
 *
 * The entries of a document: adding, finding, duplicates, overrides from the command line.
 */
#include "config/document.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/str.h"
#include "config/document_lines.h"

enum { MOST_ENTRIES = 1 << 17 }; /* data.ini has one for each class: card.c */

void document_init(document *doc) {
    *doc = (document){.entries = NULL};
}

void document_free(document *doc) {
    for (size_t i = 0; i < doc->count; i++) {
        spur__free(doc->entries[i].section);
        spur__free(doc->entries[i].key);
        spur__free(doc->entries[i].value);
    }
    for (size_t i = 0; i < doc->file_count; i++) spur__free(doc->files[i]);
    spur__free(doc->entries);
    spur__free(doc->latest);
    spur__free(doc->files);
    document_init(doc);
}

const char *document_add_file(document *doc, const char *name) {
    char **files = spur__realloc_array(doc->files, doc->file_count + 1, sizeof *files);
    if (!files) return NULL;
    doc->files = files;
    char *copy = spur__strdup(name);
    if (copy) doc->files[doc->file_count++] = copy;
    return copy;
}

/* FNV-1a of "section\0key". */
static size_t hash(const char *section, const char *key) {
    uint64_t h = 14695981039346656037u;
    for (const char *p = section; *p; p++) h = (h ^ (unsigned char)*p) * 1099511628211u;
    h *= 1099511628211u;
    for (const char *p = key; *p; p++) h = (h ^ (unsigned char)*p) * 1099511628211u;
    return (size_t)(h ^ h >> 32);
}

/* Where the table has, or would have, the entry that decides section and key. It is never full. */
static size_t *slot_of(const document *doc, const char *section, const char *key) {
    size_t mask = doc->capacity * 2 - 1, i = hash(section, key) & mask;
    for (; doc->latest[i]; i = (i + 1) & mask) {
        const document_entry *entry = &doc->entries[doc->latest[i] - 1];
        if (strcmp(entry->key, key) == 0 && strcmp(entry->section, section) == 0) break;
    }
    return &doc->latest[i];
}

/* Makes entry i the one that decides its key. */
static void enter(document *doc, size_t i) {
    document_entry *entry = &doc->entries[i];
    if (!entry->key) return;
    size_t *slot = slot_of(doc, entry->section, entry->key);
    entry->older = *slot;
    *slot = i + 1;
}

const document_entry *document_find(const document *doc, const char *section, const char *key) {
    size_t number = doc->count ? *slot_of(doc, section, key) : 0;
    return number ? &doc->entries[number - 1] : NULL;
}

/* The entry of the same source with the same section and key, or NULL. */
static const document_entry *find_duplicate(const document *doc, const document_entry *entry) {
    const document_entry *old = document_find(doc, entry->section, entry->key);
    while (old && old->source != entry->source)
        old = old->older ? &doc->entries[old->older - 1] : NULL;
    return old;
}

/* Makes room for one more entry. */
static spur_status reserve(document *doc, const document_entry *entry, spur_error *err) {
    if (doc->count < doc->capacity) return SPUR_OK;
    size_t capacity = doc->capacity ? doc->capacity * 2 : 64;
    if (capacity > MOST_ENTRIES)
        return document_fail(entry, false, SPUR_E_RANGE, err, "more than %d lines", MOST_ENTRIES);
    size_t *latest = spur__calloc(capacity * 2, sizeof *latest);
    document_entry *entries =
        latest ? spur__realloc_array(doc->entries, capacity, sizeof *entries) : NULL;
    if (!entries) {
        spur__free(latest);
        return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", entry->file);
    }
    spur__free(doc->latest);
    doc->latest = latest;
    doc->entries = entries;
    doc->capacity = capacity;
    for (size_t i = 0; i < doc->count; i++) enter(doc, i);
    return SPUR_OK;
}

spur_status document_add(document *doc, const document_entry *place, const char *section,
                         const char *key, const char *value, spur_error *err) {
    document_entry entry = *place;
    entry.section = spur__strdup(section);
    entry.key = key ? spur__strdup(key) : NULL;
    entry.value = value ? spur__strdup(value) : NULL;
    spur_status status = SPUR_OK;
    bool complete = entry.section && (!key || entry.key) && (!value || entry.value);
    const document_entry *old = complete && key && place->line ? find_duplicate(doc, &entry) : NULL;
    if (!complete) {
        status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", place->file);
    } else if (old) {
        status = document_fail(&entry, false, SPUR_E_EXISTS, err,
                               "duplicate key '%s' in [%s]; it stands in line %d already", key,
                               section, old->line);
    } else {
        status = reserve(doc, &entry, err);
    }
    if (status == SPUR_OK) {
        doc->entries[doc->count] = entry;
        enter(doc, doc->count++);
        return SPUR_OK;
    }
    spur__free(entry.section);
    spur__free(entry.key);
    spur__free(entry.value);
    return status;
}

bool document_can_hold(const char *value) {
    for (const char *p = value; *p; p++) {
        if (*p == '\n' || *p == '\r') return false;
        if ((*p == ' ' || *p == '\t') && (p[1] == ';' || p[1] == '#')) return false;
    }
    return value[0] != ';' && value[0] != '#' && spur__utf8_valid(value, strlen(value));
}

void document_put_text(spur__str *out, const char *text) {
    bool valid = spur__utf8_valid(text, strlen(text));
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        bool lost = c == ' ' ? p == text || p[1] == '\0' : c < ' ' || c == 0x7f;
        if (lost || strchr("\\#;", *p) || (c >= 0x80 && !valid))
            spur__str_printf(out, "\\x%02x", c);
        else
            spur__str_putc(out, *p);
    }
}

char *document_decode_text(char *text) {
    char *to = text;
    for (const char *p = text; *p; p++) {
        unsigned code;
        bool coded = p[0] == '\\' && p[1] == 'x' && isxdigit((unsigned char)p[2]) &&
                     isxdigit((unsigned char)p[3]);
        if (coded && sscanf(p + 2, "%2x", &code) == 1 && code != 0) {
            *to++ = (char)code;
            p += 3;
        } else {
            *to++ = *p;
        }
    }
    *to = '\0';
    return text;
}

spur_status document_override(document *doc, const char *assignment, spur_error *err) {
    document_entry place = {.file = "command line", .source = 1u << 30};
    const char *equals = strchr(assignment, '='), *dot = strchr(assignment, '.');
    if (!equals || !dot || dot > equals || dot == assignment || dot + 1 == equals)
        return spur__fail(err, SPUR_E_FORMAT, "command line: '%s': expected section.key=value",
                          assignment);
    char *section = spur__strndup(assignment, (size_t)(dot - assignment));
    char *key = spur__strndup(dot + 1, (size_t)(equals - dot - 1));
    char *value = spur__strdup(equals + 1);
    spur_status status;
    if (!section || !key || !value) {
        status = spur__fail(err, SPUR_E_MEMORY, "command line: out of memory");
        goto done;
    }
    const char *trimmed = spur__trim(value);
    if (!document_can_hold(trimmed)) {
        status =
            spur__fail(err, SPUR_E_FORMAT,
                       "command line: %s.%s: the value could not stand in an INI file (it holds "
                       "a line break, a comment sign after a blank, or is not UTF-8)",
                       section, key);
        goto done;
    }
    status = document_add(doc, &place, spur__trim(section), spur__trim(key), trimmed, err);
done:
    spur__free(section);
    spur__free(key);
    spur__free(value);
    return status;
}

spur_status document_fail(const document_entry *entry, bool at_value, spur_status status,
                          spur_error *err, const char *fmt, ...) {
    char text[900];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (entry->line == 0) {
        if (!entry->key) return spur__fail(err, status, "%s: %s", entry->file, text);
        return spur__fail(err, status, "%s: %s.%s=%s: %s", entry->file, entry->section, entry->key,
                          entry->value, text);
    }
    return spur__fail_at(err, status, entry->file, entry->line,
                         at_value ? entry->value_column : entry->column, "%s", text);
}
