/* SPDX-License-Identifier: MIT
 *
 * Removing a directory with everything in it.
 */
#define _XOPEN_SOURCE 700 /* nftw */
#include "run/remove.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>

#include "base/error.h"

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at) {
    (void)info, (void)type, (void)at;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

spur_status remove_tree(const char *path, spur_error *err) {
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT) return SPUR_OK;
    return spur__fail_errno(err, errno, "%s: cannot remove", path);
}
