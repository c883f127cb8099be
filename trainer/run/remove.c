/* SPDX-License-Identifier: MIT
 *
 * Removing a directory with everything in it.
 */
#define _XOPEN_SOURCE 700 /* nftw */
#include "run/remove.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at) {
    (void)info, (void)type, (void)at;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

spur_status remove_tree(const char *path, spur_error *err) {
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT) return SPUR_OK;
    return spur__fail_errno(err, errno, "%s: cannot remove", path);
}

spur_status remove_content(const char *path, const char *but, spur_error *err) {
    spur_status status = SPUR_OK;
    DIR *folder = opendir(path);
    if (!folder) return spur__fail_errno(err, errno, "%s: cannot read", path);
    for (struct dirent *e; status == SPUR_OK && (e = readdir(folder));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (strcmp(e->d_name, but) == 0) continue;
        char *inside = spur__path_join(path, e->d_name);
        status = inside ? remove_tree(inside, err)
                        : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
        spur__free(inside);
    }
    closedir(folder);
    return status;
}
