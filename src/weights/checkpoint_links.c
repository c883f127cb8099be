/* SPDX-License-Identifier: MIT
 *
 * The links `last` and `best` of a folder of checkpoints, and the removal of those that nobody needs
 * any more.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <spur/weights.h>
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "weights/checkpoint.h"

enum { NAME_MAX_LENGTH = 255, MOST_TRIES = 1000 };

/* Makes the link under the name `fresh` and renames it; an errno on failure. A killed process leaves `fresh`
 * behind, and another thread that links at the same time takes it away: then once more. */
static int put_link(const char *target, const char *fresh, const char *path) {
    int failed = EEXIST;
    for (int i = 0; i < MOST_TRIES && (failed == EEXIST || failed == ENOENT); i++) {
        failed = unlink(fresh) != 0 && errno != ENOENT ? errno : 0;
        if (!failed && symlink(target, fresh) != 0) failed = errno;
        if (!failed && rename(fresh, path) != 0) failed = errno;
    }
    return failed;
}

spur_status spur_checkpoint_link(const char *directory, const char *name, uint64_t step,
                                 spur_error *err) {
    char target[32], fresh_name[NAME_MAX_LENGTH];
    spur_status status = SPUR_OK;
    if (!directory || !name)
        return spur__fail(err, SPUR_E_ARGUMENT, "spur_checkpoint_link: the %s is NULL",
                          directory ? "name" : "directory");
    snprintf(target, sizeof target, "step_%" PRIu64, step);
    snprintf(fresh_name, sizeof fresh_name, ".%s.tmp", name);
    char *path = spur__path_join(directory, name), *fresh = spur__path_join(directory, fresh_name);
    char *folder = spur__path_join(directory, target);
    if (!path || !fresh || !folder) {
        status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", directory);
    } else if (!spur__exists(folder)) {
        status =
            spur__fail(err, SPUR_E_NOTFOUND, "%s: cannot link to %s: there is none", path, target);
    } else if ((errno = put_link(target, fresh, path)) != 0) {
        status = spur__fail_errno(err, errno, "%s: cannot link to %s", path, target);
        unlink(fresh);
    } else {
        status = spur__sync_directory(directory, err);
    }
    spur__free(path);
    spur__free(fresh);
    spur__free(folder);
    return status;
}

/* ---- pruning ------------------------------------------------------------------------------------------ */

typedef struct entry {
    uint64_t step;
    bool linked;
} entry;

typedef struct listing {
    entry *entries;
    size_t count, capacity;
} listing;

/* "step_120" to 120. */
static bool parse_step(const char *name, uint64_t *step) {
    char *end;
    if (strncmp(name, "step_", 5) != 0 || name[5] < '0' || name[5] > '9') return false;
    errno = 0;
    *step = strtoull(name + 5, &end, 10);
    return *end == '\0' && errno != ERANGE;
}

static entry *find(listing *l, uint64_t step) {
    for (size_t i = 0; i < l->count; i++)
        if (l->entries[i].step == step) return &l->entries[i];
    return NULL;
}

static bool note(listing *l, uint64_t step, bool linked) {
    entry *old = find(l, step);
    if (old) {
        old->linked |= linked;
        return true;
    }
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : 16;
        entry *entries = spur__realloc_array(l->entries, capacity, sizeof *entries);
        if (!entries) return false;
        l->entries = entries;
        l->capacity = capacity;
    }
    l->entries[l->count++] = (entry){step, linked};
    return true;
}

/* Notes a folder step_N, or what a link points to. */
static bool note_name(listing *l, int directory, const char *name) {
    char target[64];
    struct stat info;
    uint64_t step;
    if (fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return true;
    if (S_ISDIR(info.st_mode) && parse_step(name, &step)) return note(l, step, false);
    if (!S_ISLNK(info.st_mode)) return true;
    ssize_t n = readlinkat(directory, name, target, sizeof target - 1);
    if (n <= 0) return true;
    target[n] = '\0';
    return parse_step(target, &step) ? note(l, step, true) : true;
}

static int newest_first(const void *a, const void *b) {
    uint64_t x = ((const entry *)a)->step, y = ((const entry *)b)->step;
    return x > y ? -1 : x < y;
}

spur_status spur__checkpoint_remove(const char *directory, uint64_t step, spur_error *err) {
    char name[32];
    snprintf(name, sizeof name, "step_%" PRIu64, step);
    char *path = spur__path_join(directory, name);
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", directory);
    spur_status status = SPUR_OK;
    DIR *folder = opendir(path);
    if (folder) {
        unlinkat(dirfd(folder), SPUR__STATE_FILE, 0);
        for (struct dirent *e = readdir(folder); e; e = readdir(folder))
            if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                unlinkat(dirfd(folder), e->d_name, 0);
        closedir(folder);
    }
    if (rmdir(path) != 0 && errno != ENOENT)
        status = spur__fail_errno(err, errno, "%s: cannot remove", path);
    spur__free(path);
    return status;
}

spur_status spur_checkpoint_prune(const char *directory, int keep, spur_error *err) {
    listing l = {0};
    spur_status status = SPUR_OK;
    if (!directory || keep < 0)
        return spur__fail(err, directory ? SPUR_E_RANGE : SPUR_E_ARGUMENT,
                          "%s: cannot keep %d checkpoints", directory ? directory : "NULL", keep);
    DIR *folder = opendir(directory);
    bool fine = true;
    if (!folder) return spur__fail_errno(err, errno, "%s: cannot open directory", directory);
    for (struct dirent *e = readdir(folder); e && fine; e = readdir(folder))
        fine = note_name(&l, dirfd(folder), e->d_name);
    closedir(folder);
    if (!fine) {
        spur__free(l.entries);
        return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", directory);
    }
    if (l.count) qsort(l.entries, l.count, sizeof *l.entries, newest_first);
    for (size_t i = 0; i < l.count && status == SPUR_OK; i++)
        if (!l.entries[i].linked && keep-- <= 0)
            status = spur__checkpoint_remove(directory, l.entries[i].step, err);
    spur__free(l.entries);
    return status;
}
