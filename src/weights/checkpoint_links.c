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

/* ---- removing ----------------------------------------------------------------------------------------- */

typedef struct entry {
    uint64_t step;
    dev_t device;
    ino_t inode;
    bool linked;
} entry;

typedef struct listing {
    entry *entries;
    size_t count, capacity;
} listing;

/* "step_120" to 120; "step_0120" is somebody else's. */
static bool parse_step(const char *name, uint64_t *step) {
    char *end, again[32];
    if (strncmp(name, "step_", 5) != 0 || name[5] < '0' || name[5] > '9') return false;
    errno = 0;
    *step = strtoull(name + 5, &end, 10);
    snprintf(again, sizeof again, "step_%" PRIu64, *step);
    return errno != ERANGE && strcmp(name, again) == 0;
}

/* Adds a folder step_N; false when out of memory. */
static bool note_step(listing *l, int directory, const char *name) {
    struct stat info;
    entry e = {.step = 0};
    if (!parse_step(name, &e.step) || fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISDIR(info.st_mode))
        return true;
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : 16;
        entry *entries = spur__realloc_array(l->entries, capacity, sizeof *entries);
        if (!entries) return false;
        l->entries = entries;
        l->capacity = capacity;
    }
    e.device = info.st_dev;
    e.inode = info.st_ino;
    l->entries[l->count++] = e;
    return true;
}

/* Marks the folder that a link leads to, however that is written; our own of a killed process count as none. */
static void note_link(listing *l, int directory, const char *name) {
    struct stat info;
    if (name[0] == '.' || fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISLNK(info.st_mode) || fstatat(directory, name, &info, 0) != 0)
        return;
    for (size_t i = 0; i < l->count; i++)
        if (l->entries[i].inode == info.st_ino && l->entries[i].device == info.st_dev)
            l->entries[i].linked = true;
}

static int newest_first(const void *a, const void *b) {
    uint64_t x = ((const entry *)a)->step, y = ((const entry *)b)->step;
    return x > y ? -1 : x < y;
}

/* The checkpoints in a directory, the newest first. */
static spur_status list(const char *directory, listing *l, spur_error *err) {
    DIR *folder = opendir(directory);
    bool fine = true;
    *l = (listing){.count = 0};
    if (!folder) return spur__fail_errno(err, errno, "%s: cannot open directory", directory);
    for (struct dirent *e; fine && (e = readdir(folder));)
        fine = note_step(l, dirfd(folder), e->d_name);
    rewinddir(folder);
    for (struct dirent *e; fine && (e = readdir(folder));) note_link(l, dirfd(folder), e->d_name);
    closedir(folder);
    if (l->count) qsort(l->entries, l->count, sizeof *l->entries, newest_first);
    if (fine) return SPUR_OK;
    spur__free(l->entries);
    return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", directory);
}

spur_status spur__checkpoint_remove(const char *directory, uint64_t step, spur_error *err) {
    char *path = spur__checkpoint_folder(directory, step);
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

void spur__checkpoint_sweep(const char *directory, spur__unwanted *is_unwanted, const void *user) {
    listing l;
    if (list(directory, &l, NULL) != SPUR_OK) return;
    for (size_t i = 0; i < l.count; i++) {
        uint64_t step = l.entries[i].step;
        char *folder = l.entries[i].linked ? NULL : spur__checkpoint_folder(directory, step);
        if (folder && is_unwanted(user, folder, step))
            (void)spur__checkpoint_remove(directory, step, NULL);
        spur__free(folder);
    }
    spur__free(l.entries);
}

spur_status spur_checkpoint_prune(const char *directory, int keep, spur_error *err) {
    listing l;
    spur_status status = SPUR_OK;
    if (!directory || keep < 0)
        return spur__fail(err, directory ? SPUR_E_RANGE : SPUR_E_ARGUMENT,
                          "%s: cannot keep %d checkpoints", directory ? directory : "NULL", keep);
    SPUR__TRY(list(directory, &l, err));
    for (size_t i = 0; i < l.count && status == SPUR_OK; i++)
        if (!l.entries[i].linked && keep-- <= 0)
            status = spur__checkpoint_remove(directory, l.entries[i].step, err);
    spur__free(l.entries);
    return status;
}
