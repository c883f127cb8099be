/* SPDX-License-Identifier: MIT
 *
 * A rename, or a copy and a removal; see move.h.
 */
#include "run/move.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/remove.h"

enum { BLOCK = 1 << 20 };

static spur_status copy_tree(const char *from, const char *to, spur_error *err);

/* The bytes of one open file into another; an errno on failure. */
static int copy_bytes(int from, int to) {
    char *block = spur__malloc(BLOCK);
    ssize_t n = 0;
    int failed = block ? 0 : ENOMEM;
    while (!failed && (n = spur__read_all(from, block, BLOCK)) > 0)
        failed = spur__write_all(to, block, (size_t)n);
    if (n < 0) failed = errno;
    if (!failed && fsync(to) != 0) failed = errno;
    spur__free(block);
    return failed;
}

static int copy_file(const char *from, const char *to, mode_t mode) {
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0) return errno;
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    int failed = out < 0 ? errno : copy_bytes(in, out);
    if (out >= 0 && close(out) != 0 && !failed) failed = errno;
    close(in);
    return failed;
}

static int copy_link(const char *from, const char *to) {
    char target[PATH_MAX];
    ssize_t n = readlink(from, target, sizeof target - 1);
    if (n < 0) return errno;
    target[n] = '\0';
    return symlink(target, to) == 0 ? 0 : errno;
}

static spur_status copy_folder(const char *from, const char *to, spur_error *err) {
    spur_status status = SPUR_OK;
    DIR *folder = opendir(from);
    if (!folder) return spur__fail_errno(err, errno, "%s: cannot read", from);
    if (mkdir(to, 0700) != 0) status = spur__fail_errno(err, errno, "%s: cannot make", to);
    for (struct dirent *e; status == SPUR_OK && (e = readdir(folder));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        char *inside = spur__path_join(from, e->d_name), *there = spur__path_join(to, e->d_name);
        status = inside && there ? copy_tree(inside, there, err)
                                 : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", from);
        spur__free(there);
        spur__free(inside);
    }
    closedir(folder);
    return status == SPUR_OK ? spur__sync_directory(to, err) : status;
}

static spur_status copy_tree(const char *from, const char *to, spur_error *err) {
    struct stat info;
    int failed = 0;
    if (lstat(from, &info) != 0) return spur__fail_errno(err, errno, "%s: cannot read", from);
    if (S_ISDIR(info.st_mode))
        SPUR__TRY(copy_folder(from, to, err));
    else if (S_ISREG(info.st_mode))
        failed = copy_file(from, to, info.st_mode & 0777);
    else if (S_ISLNK(info.st_mode))
        failed = copy_link(from, to);
    else
        return spur__fail(err, SPUR_E_TYPE, "%s: cannot copy: neither file, folder nor link", from);
    const struct timespec times[2] = {info.st_atim, info.st_mtim};
    if (!failed && !S_ISLNK(info.st_mode) && chmod(to, info.st_mode & 07777) != 0) failed = errno;
    if (!failed && utimensat(AT_FDCWD, to, times, AT_SYMLINK_NOFOLLOW) != 0) failed = errno;
    return failed ? spur__fail_errno(err, failed, "%s: cannot copy to %s", from, to) : SPUR_OK;
}

spur_status move_tree(const char *from, const char *to, spur_error *err) {
    if (rename(from, to) == 0) return SPUR_OK;
    if (errno != EXDEV) return spur__fail_errno(err, errno, "%s: cannot move to %s", from, to);
    size_t n = strlen(to) + sizeof ".tmp";
    char *partial = spur__malloc(n);
    if (!partial) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", to);
    snprintf(partial, n, "%s.tmp", to);
    spur_status status = remove_tree(partial, err); /* of one that was killed in here */
    if (status == SPUR_OK) status = copy_tree(from, partial, err);
    if (status == SPUR_OK && rename(partial, to) != 0)
        status = spur__fail_errno(err, errno, "%s: cannot move to %s", from, to);
    if (status == SPUR_OK) status = spur__sync_name(to, err);
    if (status == SPUR_OK)
        status = remove_tree(from, err);
    else
        remove_tree(partial, NULL);
    spur__free(partial);
    return status;
}
