/* SPDX-License-Identifier: MIT
 *
 * Folders of files: sorted listings, and the layout "one sub-folder per class" that pictures and
 * sounds share, with or without train/, val/ and test/ above the classes.
 */
#ifndef SPUR_DATA_FORMATS_FOLDER_H
#define SPUR_DATA_FORMATS_FOLDER_H

#include "data/dataset.h"

/* Growing list of strings, each one owned. */
typedef struct spur__names {
    char **names;
    size_t count, capacity;
} spur__names;

void spur__names_free(spur__names *list);
/* Takes `name` over (also on failure); NULL counts as out of memory. */
spur_status spur__names_take(spur__names *list, char *name, spur_error *err);

/* Endings that count, NULL-terminated, lower case with the dot. */
extern const char *const spur__picture_endings[];

bool spur__has_ending(const char *name, const char *const *endings);

/* True when `path` is a folder. */
bool spur__is_folder(const char *path);

/* Names (not paths) of the files with one of the endings, in byte order; hidden ones are left out.
 * Files with other endings are counted in *others (may be NULL). */
spur_status spur__list_files(const char *path, const char *const *endings, spur__names *out,
                             size_t *others, spur_error *err);

/* Names of the sub-folders, in byte order; hidden ones are left out. */
spur_status spur__list_folders(const char *path, spur__names *out, spur_error *err);

/* "photos: no JPEG or PNG files in it, but 3 with other endings", as an error. */
spur_status spur__no_files(const char *folder, const char *what, size_t others, spur_error *err);

/* A remark on files that were left out for their endings, if there are any. */
void spur__note_others(spur_data *data, const char *folder, size_t others);

/* The folder of a split ("val" is also found as "valid" or "validation"), new memory; *out is NULL
 * when there is none. For training the path itself when it has no "train". */
spur_status spur__split_folder(const char *path, spur_split split, char **out, spur_error *err);

/* The error of a missing or wrong data.path. */
spur_status spur__check_path(const char *path, spur_error *err);

/* Adds an item for every file below a sub-folder per class, and its path to `files`; sets the
 * classes from the training part. */
spur_status spur__scan_classes(spur_data *data, const char *const *endings, const char *what,
                               spur__names *files, spur_error *err);

#endif
