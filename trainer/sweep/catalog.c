/* SPDX-License-Identifier: MIT
 *
 * Reading a log directory; see catalog.h.
 */
#include "sweep/catalog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "output/text.h"
#include "sweep/collect.h"

enum { TAGS_LIMIT = 1 << 16, NOTES_LIMIT = 1 << 24 };

static bool has_file(const char *directory, const char *name, struct stat *info) {
    char *path = spur__path_join(directory, name);
    bool there = path && stat(path, info) == 0;
    spur__free(path);
    return there;
}

spur_status tags_read(const char *run, char **out, spur_error *err) {
    char *path = spur__path_join(run, "tags.txt"), *text = NULL;
    size_t size;
    *out = NULL;
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", run);
    spur_status status = SPUR_OK;
    if (spur__exists(path)) status = spur__file_read(path, TAGS_LIMIT, &text, &size, err);
    for (char *p = text; p && *p; p++)
        if (*p == '\n') *p = ' ';
    if (status == SPUR_OK) {
        *out = spur__strdup(text ? spur__trim(text) : "");
        if (!*out) status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", run);
    }
    spur__free(text);
    spur__free(path);
    return status;
}

bool tags_have(const char *tags, const char *tag, size_t n) {
    for (const char *p = tags; *p;) {
        size_t length = strcspn(p, " ");
        if (length == n && strncmp(p, tag, n) == 0) return true;
        p += length;
        p += strspn(p, " ");
    }
    return false;
}

spur_status run_require(const char *path, const char *file, spur_error *err) {
    struct stat info;
    if (has_file(path, file, &info)) return SPUR_OK;
    if (stat(path, &info) != 0)
        return spur__fail(err, SPUR_E_NOTFOUND,
                          "%s: no run there: found nothing (%s), expected a run's directory", path,
                          strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return spur__fail(err, SPUR_E_NOTFOUND,
                          "%s: no run there: found a file, expected a run's directory", path);
    if (is_sweep(path))
        return spur__fail(err, SPUR_E_NOTFOUND,
                          "%s: no run there: found a sweep, expected one run, such as one of its "
                          "trials (`spur list` names them)",
                          path);
    return spur__fail(err, SPUR_E_NOTFOUND,
                      "%s: no run there: found a directory without %s, expected that of a run "
                      "(`spur list` finds those below a directory)",
                      path, file);
}

/* Counts a sweep's trials by looking at their status files. */
static void count_trials(catalog_entry *e) {
    DIR *d = opendir(e->path);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        run_outcome o;
        if (strncmp(entry->d_name, "trial_", 6) != 0) continue;
        char *run = spur__path_join(e->path, entry->d_name);
        if (run && run_outcome_read(run, &o, NULL) == SPUR_OK) {
            e->trials[1]++;
            e->trials[0] += o.verdict == VERDICT_DONE || o.verdict == VERDICT_PRUNED;
        }
        spur__free(run);
    }
    if (d) closedir(d);
}

/* A trial that is a program has its status at its end only. */
static bool find_run(const char *path, struct stat *info) {
    return has_file(path, "status.ini", info) || has_file(path, "trial.ini", info);
}

bool is_run(const char *path) {
    struct stat info;
    return find_run(path, &info);
}

/* Fills an entry if there is a run or a sweep at its path; without tags when out of memory. */
static bool look_at(catalog_entry *e) {
    struct stat info;
    if (find_run(e->path, &info)) {
        if (run_outcome_read(e->path, &e->outcome, NULL) != SPUR_OK) return true;
    } else if (has_file(e->path, "fingerprint.txt", &info)) {
        e->is_sweep = true;
        count_trials(e);
    } else {
        return false;
    }
    e->changed = (double)info.st_mtime;
    if (tags_read(e->path, &e->tags, NULL) != SPUR_OK) e->tags = spur__strdup("");
    return true;
}

/* Adds what is at `path` if it is something. */
static spur_status add(catalog *c, const char *path, const char *name, spur_error *err) {
    catalog_entry e = {.name = spur__strdup(name), .path = spur__strdup(path)};
    bool wanted = e.name && e.path && look_at(&e);
    catalog_entry *grown =
        wanted && e.tags ? spur__realloc_array(c->entries, c->count + 1, sizeof *grown) : NULL;
    if (grown) {
        c->entries = grown;
        c->entries[c->count++] = e;
        return SPUR_OK;
    }
    bool short_of_memory = wanted || !e.name || !e.path;
    spur__free(e.name);
    spur__free(e.path);
    spur__free(e.tags);
    return short_of_memory ? spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path) : SPUR_OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const catalog_entry *)a)->name, ((const catalog_entry *)b)->name);
}

spur_status catalog_read(catalog *c, const char *path, spur_error *err) {
    *c = (catalog){.count = 0};
    if (is_run(path)) return add(c, path, path, err);
    DIR *d = opendir(path);
    if (!d) return spur__fail_errno(err, errno, "%s: cannot read", path);
    spur_status status = SPUR_OK;
    for (struct dirent *entry; status == SPUR_OK && (entry = readdir(d));) {
        if (entry->d_name[0] == '.') continue;
        char *child = spur__path_join(path, entry->d_name);
        status = child ? add(c, child, entry->d_name, err) : SPUR_E_MEMORY;
        spur__free(child);
    }
    closedir(d);
    if (status != SPUR_OK) catalog_free(c);
    if (c->count) qsort(c->entries, c->count, sizeof *c->entries, by_name);
    return status;
}

void catalog_free(catalog *c) {
    for (size_t i = 0; i < c->count; i++) {
        spur__free(c->entries[i].name);
        spur__free(c->entries[i].path);
        spur__free(c->entries[i].tags);
    }
    spur__free(c->entries);
    *c = (catalog){.count = 0};
}

/* Whether a word of its own line is in the text. */
static bool has_line(const char *text, const char *word) {
    size_t n = strlen(word);
    for (; *text; text += strcspn(text, "\n") + 1)
        if (strncmp(text, word, n) == 0 && text[n] == '\n') return true;
    return false;
}

static bool is_changed(const char *tag, size_t n, char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *word = words[i] + (words[i][0] == '-' || words[i][0] == '+');
        if (strlen(word) == n && strncmp(word, tag, n) == 0) return true;
    }
    return false;
}

/* The tags after a change; what is added must be one word. */
static spur_status put_changed(const char *old, char *const *words, size_t count, spur__str *text,
                               spur_error *err) {
    for (const char *p = old; *p;) {
        size_t n = strcspn(p, " ");
        if (!is_changed(p, n, words, count)) spur__str_printf(text, "%.*s\n", (int)n, p);
        p += n;
        p += strspn(p, " ");
    }
    size_t kept = text->length;
    for (size_t i = 0; i < count; i++) {
        const char *word = words[i] + (words[i][0] == '+');
        if (words[i][0] == '-') continue;
        if (*word == '\0' || strpbrk(word, " \t\n"))
            return spur__fail(err, SPUR_E_ARGUMENT, "'%s': a tag is one word", words[i]);
        if (!has_line(spur__str_text(text) + kept, word)) spur__str_printf(text, "%s\n", word);
    }
    return SPUR_OK;
}

/* Holds the run's directory, so that of two changes at once the second sees the first. A file system
 * without such locks is left alone. -1: nothing to let go of. */
static int hold(const char *run) {
    int fd = open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd >= 0 && flock(fd, LOCK_EX) != 0 && errno == EINTR) {
    }
    return fd;
}

static void let_go(int fd) {
    if (fd >= 0) close(fd);
}

static spur_status write_small(const char *run, const char *name, const spur__str *text,
                               spur_error *err) {
    char *path = spur__path_join(run, name);
    spur_status status = text_write(path, text, err);
    spur__free(path);
    return status;
}

spur_status tags_change(const char *run, char *const *words, size_t count, spur_error *err) {
    char *old = NULL;
    spur__str text;
    int held = hold(run);
    spur__str_init(&text, TAGS_LIMIT);
    spur_status status = tags_read(run, &old, err);
    if (status == SPUR_OK) status = put_changed(old, words, count, &text, err);
    if (status == SPUR_OK) status = write_small(run, "tags.txt", &text, err);
    spur__str_free(&text);
    spur__free(old);
    let_go(held);
    return status;
}

spur_status notes_add(const char *run, const char *line, spur_error *err) {
    char *path = spur__path_join(run, "notes.md"), *old = NULL;
    size_t size = 0;
    spur__str text;
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", run);
    int held = hold(run);
    spur_status status =
        spur__exists(path) ? spur__file_read(path, NOTES_LIMIT, &old, &size, err) : SPUR_OK;
    spur__str_init(&text, 2 * NOTES_LIMIT);
    if (old) spur__str_append(&text, old, size);
    spur__str_printf(&text, "%s\n", line);
    if (status == SPUR_OK) status = write_small(run, "notes.md", &text, err);
    spur__str_free(&text);
    spur__free(old);
    spur__free(path);
    let_go(held);
    return status;
}
