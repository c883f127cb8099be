/* SPDX-License-Identifier: MIT
 *
 * Finds the runs below a directory: every directory that holds an event file, links followed. A
 * directory that is its own ancestor (by device and inode) is not entered again; links that fan
 * out without a circle are bounded by the number of directories looked at.
 */
#include "read/internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"

enum { DIRECTORIES_MAX = 1000000, DEPTH_MAX = 256 };

typedef struct found_run {
    char *name, *path;
} found_run;

struct spur_logdir {
    found_run *runs;
    size_t count, capacity;
    text_list problems;
};

typedef struct identity {
    dev_t device;
    ino_t inode;
} identity;

typedef struct walk {
    spur_logdir *logdir;
    const char *root;
    identity ancestors[DEPTH_MAX];
    size_t depth, visited;
    spur_error *err;
} walk;

static spur_status out_of_memory(walk *w) {
    return spur__fail(w->err, SPUR_E_MEMORY, "%s: out of memory", w->root);
}

/* "path: why" for the list of problems. */
static spur_status note_problem(walk *w, const char *path, const char *why) {
    size_t size = strlen(path) + strlen(why) + 3;
    char *text = spur__malloc(size);
    if (text) {
        size_t n = strlen(path);
        memcpy(text, path, n);
        memcpy(text + n, ": ", 2);
        memcpy(text + n + 2, why, strlen(why) + 1);
    }
    return spur__text_list_add(&w->logdir->problems, text) ? SPUR_OK : out_of_memory(w);
}

static spur_status add_run(walk *w, const char *path, const char *name) {
    spur_logdir *logdir = w->logdir;
    void *runs = logdir->runs;
    bool fits = spur__grow(&runs, logdir->count, &logdir->capacity, sizeof *logdir->runs);
    logdir->runs = runs;
    if (!fits) return out_of_memory(w);
    found_run run = {spur__strdup(name), spur__strdup(path)};
    if (!run.name || !run.path) {
        spur__free(run.name);
        spur__free(run.path);
        return out_of_memory(w);
    }
    logdir->runs[logdir->count++] = run;
    return SPUR_OK;
}

static bool is_ancestor(const walk *w, const struct stat *info) {
    for (size_t i = 0; i < w->depth; i++)
        if (w->ancestors[i].device == info->st_dev && w->ancestors[i].inode == info->st_ino)
            return true;
    return false;
}

/* Everything below `path`; `name` is the run's name there. */
static spur_status walk_directory(walk *w, const char *path, const char *name,
                                  const struct stat *info);

static spur_status enter(walk *w, const char *path, const char *parent, const char *entry,
                         const struct stat *info) {
    char *name = strcmp(parent, ".") == 0 ? spur__strdup(entry) : spur__path_join(parent, entry);
    if (!name) return out_of_memory(w);
    spur_status status = walk_directory(w, path, name, info);
    spur__free(name);
    return status;
}

/* One entry of a directory: descends, or notes that there is an event file. */
static spur_status look_at(walk *w, const char *directory, const char *run, const char *entry,
                           bool *has_events) {
    struct stat info;
    if (strcmp(entry, ".") == 0 || strcmp(entry, "..") == 0) return SPUR_OK;
    char *path = spur__path_join(directory, entry);
    if (!path) return out_of_memory(w);
    spur_status status = SPUR_OK;
    if (stat(path, &info) == 0) { /* else a link to nowhere, or just deleted */
        if (S_ISDIR(info.st_mode)) status = enter(w, path, run, entry, &info);
        if (S_ISREG(info.st_mode) && spur__is_event_file_name(entry)) *has_events = true;
    }
    spur__free(path);
    return status;
}

static spur_status walk_directory(walk *w, const char *path, const char *name,
                                  const struct stat *info) {
    bool has_events = false;
    if (is_ancestor(w, info)) return note_problem(w, path, "links in a circle, not followed");
    if (w->depth == DEPTH_MAX) return note_problem(w, path, "nested too deep, not looked into");
    if (w->visited++ == DIRECTORIES_MAX)
        return spur__fail(w->err, SPUR_E_RANGE, "%s: more than %d directories", w->root,
                          DIRECTORIES_MAX);
    DIR *directory = opendir(path);
    if (!directory)
        return w->depth == 0 ? spur__fail_errno(w->err, errno, "%s: cannot read directory", path)
                             : note_problem(w, path, strerror(errno));
    w->ancestors[w->depth++] = (identity){info->st_dev, info->st_ino};
    spur_status status = SPUR_OK;
    for (struct dirent *entry; status == SPUR_OK && (entry = readdir(directory));)
        status = look_at(w, path, name, entry->d_name, &has_events);
    closedir(directory);
    w->depth--;
    if (status == SPUR_OK && has_events) status = add_run(w, path, name);
    return status;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const found_run *)a)->name, ((const found_run *)b)->name);
}

static spur_status start_walk(spur_logdir *logdir, const char *path, spur_error *err) {
    struct stat info;
    walk w = {.logdir = logdir, .root = path, .err = err};
    if (stat(path, &info) != 0) return spur__fail_errno(err, errno, "%s: cannot open", path);
    return S_ISDIR(info.st_mode) ? walk_directory(&w, path, ".", &info) : add_run(&w, path, ".");
}

spur_status spur_logdir_open(spur_logdir **out, const char *path, spur_error *err) {
    if (out) *out = NULL;
    SPUR__TRY(spur__check_open(path, out, err));
    spur_logdir *logdir = spur__calloc(1, sizeof *logdir);
    if (!logdir) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    spur_status status = start_walk(logdir, path, err);
    if (status != SPUR_OK) {
        spur_logdir_close(logdir);
        return status;
    }
    if (logdir->count > 1) qsort(logdir->runs, logdir->count, sizeof *logdir->runs, by_name);
    *out = logdir;
    return SPUR_OK;
}

void spur_logdir_close(spur_logdir *logdir) {
    if (!logdir) return;
    for (size_t i = 0; i < logdir->count; i++) {
        spur__free(logdir->runs[i].name);
        spur__free(logdir->runs[i].path);
    }
    spur__text_list_free(&logdir->problems);
    spur__free(logdir->runs);
    spur__free(logdir);
}

size_t spur_logdir_count(const spur_logdir *logdir) {
    return logdir->count;
}

const char *spur_logdir_name(const spur_logdir *logdir, size_t index) {
    return index < logdir->count ? logdir->runs[index].name : NULL;
}

const char *spur_logdir_path(const spur_logdir *logdir, size_t index) {
    return index < logdir->count ? logdir->runs[index].path : NULL;
}

size_t spur_logdir_problem_count(const spur_logdir *logdir) {
    return logdir->problems.count;
}

const char *spur_logdir_problem(const spur_logdir *logdir, size_t index) {
    return index < logdir->problems.count ? logdir->problems.texts[index] : NULL;
}
