/* SPDX-License-Identifier: MIT
 *
 * Locks of open file descriptions; see lock.h.
 */
#define _GNU_SOURCE /* F_OFD_SETLK */
#include "run/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

enum { MOST_TRIES = 100 };

/* Whether the file that we have opened is still the one of that name: somebody who held it may have
 * moved or removed the directory since. */
static bool is_there(int fd, const char *path) {
    struct stat ours, named;
    return fstat(fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_ino == named.st_ino &&
           ours.st_dev == named.st_dev;
}

/* Opens and locks; -1 and an errno on failure. */
static int open_locked(const char *path) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    for (int i = 0; i < MOST_TRIES; i++) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0) return -1;
        int failed = fcntl(fd, F_OFD_SETLK, &whole) != 0 ? errno : 0;
        if (failed == EACCES) failed = EAGAIN; /* either means that somebody has it */
        if (!failed && is_there(fd, path)) return fd;
        close(fd);
        errno = failed;
        if (failed) return -1;
    }
    errno = EAGAIN;
    return -1;
}

spur_status lock_take(const char *folder, const char *name, int *fd, spur_error *err) {
    char *path = spur__path_join(folder, name);
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", folder);
    spur_status status = SPUR_OK;
    *fd = open_locked(path);
    if (*fd < 0)
        status = errno == EAGAIN ? spur__fail(err, SPUR_E_STATE,
                                              "%s: another process is working in this run", folder)
                                 : spur__fail_errno(err, errno, "%s: cannot lock", path);
    spur__free(path);
    return status;
}

bool lock_is_held(const char *folder, const char *name) {
    struct flock probe = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *path = spur__path_join(folder, name);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    bool held = fd >= 0 && fcntl(fd, F_OFD_GETLK, &probe) == 0 && probe.l_type != F_UNLCK;
    if (fd >= 0) close(fd);
    spur__free(path);
    return held;
}
