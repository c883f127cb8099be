/* SPDX-License-Identifier: MIT
 *
 * Listings of folders and the layout of a folder per class; see folder.h.
 */
#include "data/formats/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

const char *const spur__picture_endings[] = {".jpg", ".jpeg", ".png", NULL};

void spur__names_free(spur__names *list) {
    for (size_t i = 0; i < list->count; i++) spur__free(list->names[i]);
    spur__free(list->names);
    *list = (spur__names){0};
}

spur_status spur__names_take(spur__names *list, char *name, spur_error *err) {
    if (name && list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        char **names = spur__realloc_array(list->names, capacity, sizeof *names);
        if (!names) {
            spur__free(name);
            name = NULL;
        } else {
            list->names = names;
            list->capacity = capacity;
        }
    }
    if (!name) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    list->names[list->count++] = name;
    return SPUR_OK;
}

bool spur__has_ending(const char *name, const char *const *endings) {
    size_t length = strlen(name);
    for (; *endings; endings++) {
        size_t n = strlen(*endings);
        if (length > n && strcasecmp(name + length - n, *endings) == 0) return true;
    }
    return false;
}

bool spur__is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* True when entry `name` of a folder is (when `folders`) or is not a folder itself. */
static bool wanted(const char *path, const char *name, bool folders, spur_status *status) {
    char *joined = spur__path_join(path, name);
    if (!joined) *status = SPUR_E_MEMORY;
    bool fits = joined && spur__is_folder(joined) == folders;
    spur__free(joined);
    return fits;
}

static spur_status take_entry(const char *path, const char *name, const char *const *endings,
                              spur__names *out, size_t *others, spur_error *err) {
    spur_status status = SPUR_OK;
    if (name[0] == '.') return SPUR_OK;
    bool fits = wanted(path, name, endings == NULL, &status);
    if (status != SPUR_OK) return spur__fail(err, status, "%s: out of memory", path);
    if (!fits) return SPUR_OK;
    if (endings && !spur__has_ending(name, endings)) {
        if (others) ++*others;
        return SPUR_OK;
    }
    return spur__names_take(out, spur__strdup(name), err);
}

static spur_status list(const char *path, const char *const *endings, spur__names *out,
                        size_t *others, spur_error *err) {
    DIR *folder = opendir(path);
    spur_status status = SPUR_OK;
    struct dirent *entry = NULL;
    if (!folder) return spur__fail_errno(err, errno, "%s: cannot list", path);
    while (status == SPUR_OK && (errno = 0, entry = readdir(folder)) != NULL)
        status = take_entry(path, entry->d_name, endings, out, others, err);
    if (status == SPUR_OK && errno != 0)
        status = spur__fail_errno(err, errno, "%s: cannot list", path);
    closedir(folder);
    if (status != SPUR_OK)
        spur__names_free(out);
    else if (out->count > 1)
        qsort(out->names, out->count, sizeof *out->names, compare);
    return status;
}

spur_status spur__list_folders(const char *path, spur__names *out, spur_error *err) {
    return list(path, NULL, out, NULL, err);
}

spur_status spur__list_files(const char *path, const char *const *endings, spur__names *out,
                             size_t *others, spur_error *err) {
    return list(path, endings, out, others, err);
}

spur_status spur__no_files(const char *folder, const char *what, size_t others, spur_error *err) {
    char but[48] = "";
    if (others > 0) snprintf(but, sizeof but, ", but %zu with other endings", others);
    return spur__fail(err, SPUR_E_NOTFOUND, "%s: no %s in it%s", folder, what, but);
}

void spur__note_others(spur_data *data, const char *folder, size_t others) {
    if (others > 0)
        spur__data_note(data, "%s: left out %zu file%s with other endings", folder, others,
                        others == 1 ? "" : "s");
}

spur_status spur__check_path(const char *path, spur_error *err) {
    if (!path || path[0] == '\0')
        return spur__fail(err, SPUR_E_ARGUMENT, "data.path: empty, expected a folder");
    if (!spur__exists(path))
        return spur__fail(err, SPUR_E_NOTFOUND, "data.path: %s: no such folder", path);
    if (!spur__is_folder(path))
        return spur__fail(err, SPUR_E_TYPE, "data.path: %s: not a folder", path);
    return SPUR_OK;
}

spur_status spur__split_folder(const char *path, spur_split split, char **out, spur_error *err) {
    static const char *const names[SPUR_SPLIT_COUNT][3] = {
        {"train", NULL, NULL}, {"val", "valid", "validation"}, {"test", NULL, NULL}};
    *out = NULL;
    for (int i = 0; i < 3 && names[split][i]; i++) {
        char *joined = spur__path_join(path, names[split][i]);
        if (!joined) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
        if (spur__is_folder(joined)) {
            *out = joined;
            return SPUR_OK;
        }
        spur__free(joined);
    }
    if (split != SPUR_SPLIT_TRAIN) return SPUR_OK;
    *out = spur__strdup(path);
    return *out ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "out of memory");
}

/* ---- a folder per class ---------------------------------------------------------------------- */

typedef struct scan {
    spur_data *data;
    const char *const *endings;
    const char *what; /* "JPEG or PNG files" */
    spur__names *files;
    size_t others;
} scan;

static spur_status add_files(scan *s, const char *folder, spur_split split, int32_t label,
                             spur_error *err) {
    spur__names names = {0};
    size_t others = 0;
    spur_status status = spur__list_files(folder, s->endings, &names, &others, err);
    s->others += others;
    if (status == SPUR_OK && names.count == 0)
        status = spur__no_files(folder, s->what, others, err);
    for (size_t i = 0; i < names.count && status == SPUR_OK; i++) {
        status = spur__names_take(s->files, spur__path_join(folder, names.names[i]), err);
        if (status == SPUR_OK)
            status = spur__data_add(s->data, split, label, (uint32_t)s->data->item_count, err);
    }
    spur__names_free(&names);
    return status;
}

static const char *name_at(const void *names, size_t i) {
    return ((char *const *)names)[i];
}

/* The class called `name`, or -1. */
static int32_t find_class(const spur_data *data, const char *name) {
    for (size_t i = 0; i < data->info.classes; i++)
        if (strcmp(data->class_names[i], name) == 0) return (int32_t)i;
    return -1;
}

static spur_status unknown_class(const spur_data *data, const char *folder, const char *name,
                                 spur_error *err) {
    const char *near = spur__nearest(name, data->info.classes, name_at, data->class_names);
    return spur__fail(err, SPUR_E_NOTFOUND, "%s/%s: no class of that name in training%s%s%s",
                      folder, name, near ? "; did you mean '" : "", near ? near : "",
                      near ? "'?" : "");
}

/* Without a train folder those of the other splits stand beside the classes. */
static void drop_splits(spur__names *classes) {
    static const char *const splits[] = {"val", "valid", "validation", "test"};
    size_t kept = 0;
    for (size_t i = 0; i < classes->count; i++) {
        bool drop = false;
        for (size_t k = 0; k < 4; k++) drop = drop || strcmp(classes->names[i], splits[k]) == 0;
        if (drop)
            spur__free(classes->names[i]);
        else
            classes->names[kept++] = classes->names[i];
    }
    classes->count = kept;
}

static spur_status scan_split(scan *s, spur_split split, spur_error *err) {
    char *folder = NULL;
    spur__names classes = {0};
    spur_status status = spur__split_folder(s->data->common->path, split, &folder, err);
    if (status != SPUR_OK || !folder) return status;
    SPUR__TRY_GOTO(spur__list_folders(folder, &classes, err), done);
    if (split == SPUR_SPLIT_TRAIN) {
        if (strcmp(folder, s->data->common->path) == 0) drop_splits(&classes);
        if (classes.count < 2) {
            status = spur__fail(err, SPUR_E_NOTFOUND,
                                "%s: %zu sub-folder%s, expected at least two, one for each class",
                                folder, classes.count, classes.count == 1 ? "" : "s");
            goto done;
        }
        SPUR__TRY_GOTO(
            spur__data_set_classes(s->data, classes.count, (const char *const *)classes.names, err),
            done);
    }
    for (size_t i = 0; i < classes.count; i++) {
        int32_t label = find_class(s->data, classes.names[i]);
        if (label < 0) {
            status = unknown_class(s->data, folder, classes.names[i], err);
            goto done;
        }
        char *path = spur__path_join(folder, classes.names[i]);
        status = path ? add_files(s, path, split, label, err)
                      : spur__fail(err, SPUR_E_MEMORY, "out of memory");
        spur__free(path);
        if (status != SPUR_OK) goto done;
    }
done:
    spur__names_free(&classes);
    spur__free(folder);
    return status;
}

spur_status spur__scan_classes(spur_data *data, const char *const *endings, const char *what,
                               spur__names *files, spur_error *err) {
    scan s = {data, endings, what, files, 0};
    SPUR__TRY(spur__check_path(data->common->path, err));
    for (int split = 0; split < SPUR_SPLIT_COUNT; split++)
        SPUR__TRY(scan_split(&s, (spur_split)split, err));
    spur__note_others(data, data->common->path, s.others);
    return SPUR_OK;
}
