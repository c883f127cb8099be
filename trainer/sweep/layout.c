/* SPDX-License-Identifier: MIT
 *
 * Making, opening and naming what lies in a sweep's directory; see layout.h.
 */
#include "sweep/layout.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "output/text.h"
#include "sweep/changes.h"
#include "sweep/claim.h"

enum { FILE_LIMIT = 1 << 24, LEFT_OVER_SECONDS = 3600 };

char *sweep_path(const sweep_dir *dir, const char *fmt, ...) {
    char name[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(name, sizeof name, fmt, args);
    va_end(args);
    return spur__path_join(dir->path, name);
}

void sweep_trial_name(const sweep_plan *plan, size_t configuration, size_t seed, char *out,
                      size_t n) {
    if (plan->seeds_given)
        snprintf(out, n, "trial_%04zu_seed_%lld", configuration + 1, (long long)plan->seeds[seed]);
    else
        snprintf(out, n, "trial_%04zu", configuration + 1);
}

/* The first line in which two texts differ: pointers to both lines, and their lengths. */
static void first_difference(const char *a, const char *b, const char *out[2], int length[2]) {
    const char *line_a = a, *line_b = b;
    while (*a && *a == *b) {
        if (*a == '\n') {
            line_a = a + 1;
            line_b = b + 1;
        }
        a++;
        b++;
    }
    out[0] = line_a;
    out[1] = line_b;
    length[0] = (int)strcspn(line_a, "\n");
    length[1] = (int)strcspn(line_b, "\n");
}

static spur_status refuse_difference(const sweep_dir *dir, const char *then, const char *now,
                                     spur_error *err) {
    const char *line[2];
    int length[2];
    first_difference(then, now, line, length);
    return spur__fail(err, SPUR_E_STATE,
                      "%s: holds a sweep that differs: it has '%.*s', this one has '%.*s' "
                      "(--accept-changes continues it all the same; another [run] name "
                      "starts a new one)",
                      dir->path, length[0], line[0], length[1], line[1]);
}

/* Appends to changes.txt. */
static spur_status note_changes(const sweep_dir *dir, const spur__str *changed, spur_error *err) {
    spur__str text;
    char *path = sweep_path(dir, "changes.txt"), *old = NULL;
    size_t size = 0;
    spur__str_init(&text, FILE_LIMIT);
    spur_status status =
        path ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", dir->path);
    if (status == SPUR_OK && spur__exists(path))
        status = spur__file_read(path, FILE_LIMIT, &old, &size, err);
    if (old) spur__str_append(&text, old, size);
    spur__str_append(&text, spur__str_text(changed), changed->length);
    if (status == SPUR_OK) status = text_write(path, &text, err);
    spur__str_free(&text);
    spur__free(old);
    spur__free(path);
    return status;
}

/* Compares the fingerprint in the directory with the plan's. */
static spur_status check_fingerprint(sweep_dir *dir, const char *path, const char *now,
                                     bool accept_changes, spur_error *err) {
    char *whole;
    size_t size;
    spur__str used, changed;
    SPUR__TRY(spur__file_read(path, FILE_LIMIT, &whole, &size, err));
    spur__str_init(&used, FILE_LIMIT);
    spur__str_init(&changed, FILE_LIMIT);
    sweep_used_options(whole, &used);
    const char *then = spur__str_text(&used);
    spur_status status = spur__str_status(&used);
    if (status != SPUR_OK)
        spur__fail(err, status, "%s: out of memory", path);
    else if (strcmp(then, now) != 0)
        status = accept_changes ? sweep_changes(then, now, dir->path, &changed, err)
                                : refuse_difference(dir, then, now, err);
    if (status == SPUR_OK && changed.length > 0) {
        status = note_changes(dir, &changed, err);
        dir->changed = spur__str_take(&changed);
    }
    spur__str_free(&changed);
    spur__str_free(&used);
    spur__free(whole);
    return status;
}

/* Appends the entries that decide, grouped by section: an INI file equal to the one that was read,
 * with its includes and overrides. */
static void flatten(const sweep_plan *plan, spur__str *out) {
    const document *doc = &plan->cfg->doc;
    for (size_t s = 0; s < SECTION_COUNT; s++) {
        bool headed = false;
        for (size_t i = 0; i < doc->count; i++) {
            const document_entry *e = &doc->entries[i];
            if (strcmp(e->section, section_specs[s].name) != 0) continue;
            if (sweep_plan_replaced(plan, e)) continue;
            if (!headed) spur__str_printf(out, "%s[%s]\n", s ? "\n" : "", e->section);
            headed = true;
            if (e->key && document_find(doc, e->section, e->key) == e)
                spur__str_printf(out, "%s = %s\n", e->key, e->value);
        }
    }
}

static spur_status write_text(const sweep_dir *dir, const char *name, const spur__str *text,
                              spur_error *err) {
    char *path = sweep_path(dir, "%s", name);
    spur_status status = text_write(path, text, err);
    spur__free(path);
    return status;
}

static spur_status make_folders(const sweep_dir *dir, spur_error *err) {
    static const char *const names[] = {"configurations", "claims", "journal"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = sweep_path(dir, "%s", names[i]);
        spur_status status = path ? spur__mkdirs_synced(path, err) : SPUR_E_MEMORY;
        spur__free(path);
        if (status != SPUR_OK) return status;
    }
    return SPUR_OK;
}

/* Writes what describes the sweep; the fingerprint last, since it marks the directory as one. */
static spur_status describe(const sweep_dir *dir, const sweep_plan *plan, const spur__str *print,
                            spur_error *err) {
    spur__str ini;
    spur__str_init(&ini, FILE_LIMIT);
    flatten(plan, &ini);
    spur_status status = write_text(dir, "sweep.ini", &ini, err);
    if (status == SPUR_OK) status = write_text(dir, "fingerprint.txt", print, err);
    spur__str_free(&ini);
    return status;
}

/* Of workers that were killed. */
static void remove_leftovers(const sweep_dir *dir) {
    static const char *const names[] = {".", "configurations", "claims"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = sweep_path(dir, "%s", names[i]);
        if (path) spur__remove_leftovers(path, LEFT_OVER_SECONDS);
        spur__free(path);
    }
}

/* Compares with what is there, and describes the sweep. */
static spur_status open_claimed(sweep_dir *dir, const sweep_plan *plan, bool accept_changes,
                                bool *continued, spur_error *err) {
    spur__str print;
    spur_status status = SPUR_OK;
    char *marker = sweep_path(dir, "fingerprint.txt");
    spur__str_init(&print, FILE_LIMIT);
    sweep_plan_fingerprint(plan, &print);
    if (!marker || spur__str_status(&print) != SPUR_OK)
        status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", dir->path);
    *continued = marker && spur__exists(marker);
    if (status == SPUR_OK && *continued)
        status = check_fingerprint(dir, marker, spur__str_text(&print), accept_changes, err);
    if (status == SPUR_OK) status = describe(dir, plan, &print, err);
    spur__str_free(&print);
    spur__free(marker);
    return status;
}

spur_status sweep_dir_open(sweep_dir *dir, const sweep_plan *plan, const char *path,
                           bool accept_changes, bool *continued, spur_error *err) {
    process_id self = process_self();
    *dir = (sweep_dir){.path = spur__strdup(path)};
    char *claim = dir->path ? sweep_path(dir, "claims/opening") : NULL;
    spur_status status =
        claim ? make_folders(dir, err) : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    if (status == SPUR_OK) status = claim_wait(claim, &self, err);
    if (status == SPUR_OK) {
        remove_leftovers(dir);
        status = open_claimed(dir, plan, accept_changes, continued, err);
        claim_release(claim, &self);
    }
    spur__free(claim);
    if (status != SPUR_OK) sweep_dir_close(dir);
    return status;
}

void sweep_dir_close(sweep_dir *dir) {
    spur__free(dir->path);
    spur__free(dir->changed);
    *dir = (sweep_dir){.path = NULL};
}

spur_status sweep_write_configuration(const sweep_dir *dir, const space *s, size_t index,
                                      const assignment *a, spur_error *err) {
    spur__str text;
    spur_status status = SPUR_E_MEMORY;
    char *path = sweep_path(dir, "configurations/%04zu.ini", index + 1);
    process_id self = process_self(); /* no other has its name, on no machine */
    char *temporary = sweep_path(dir, "configurations/%04zu.%s.%ld.%llu.tmp", index + 1, self.host,
                                 self.pid, self.start);
    char *folder = sweep_path(dir, "configurations");
    spur__str_init(&text, FILE_LIMIT);
    spur__str_puts(&text, "[values]\n");
    for (size_t i = 0; i < s->count; i++)
        if (a->values[i]) spur__str_printf(&text, "%s = %s\n", s->parameters[i].name, a->values[i]);
    if (!path || !temporary || !folder) {
        spur__fail(err, status, "%s: out of memory", dir->path);
        goto done;
    }
    SPUR__TRY_GOTO(text_write(temporary, &text, err), done);
    status = claim_name(temporary, path, err);
    unlink(temporary);
    if (status == SPUR_OK) status = spur__sync_directory(folder, err);
done:
    spur__str_free(&text);
    spur__free(folder);
    spur__free(temporary);
    spur__free(path);
    return status;
}

/* Copies the values of a read file into the assignment. */
static spur_status take_values(const document *doc, const space *s, assignment *out, bool lenient,
                               spur_error *err) {
    for (size_t i = 0; i < doc->count; i++) {
        const document_entry *e = &doc->entries[i];
        if (!e->key) continue;
        long at = space_find(s, e->key);
        if (at < 0 && lenient) continue;
        if (at < 0)
            return document_fail(e, false, SPUR_E_FORMAT, err, "'%s' is not varied by this sweep",
                                 e->key);
        if (!assignment_set(out, (size_t)at, e->value))
            return spur__fail(err, SPUR_E_MEMORY, "sweep: out of memory");
    }
    return SPUR_OK;
}

spur_status sweep_read_configuration(const sweep_dir *dir, const space *s, size_t index,
                                     assignment *out, bool lenient, spur_error *err) {
    document doc;
    char *path = sweep_path(dir, "configurations/%04zu.ini", index + 1);
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", dir->path);
    if (!spur__exists(path)) {
        spur__free(path);
        return SPUR_E_NOTFOUND;
    }
    document_init(&doc);
    spur_status status = document_read(&doc, path, err);
    if (status == SPUR_OK) status = assignment_init(s, out);
    if (status == SPUR_OK) {
        status = take_values(&doc, s, out, lenient, err);
        if (status != SPUR_OK) assignment_free(s, out);
    }
    document_free(&doc);
    spur__free(path);
    return status;
}
