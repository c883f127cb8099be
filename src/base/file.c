/* SPDX-License-Identifier: MIT
 *
 * Whole-file reading, atomic writing and directories; see file.h.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

static _Atomic int fault_errno;
static _Atomic uint64_t fault_left;

void spur__fault_write(uint64_t bytes, int errnum) {
    atomic_store(&fault_left, bytes);
    atomic_store(&fault_errno, errnum);
}

ssize_t spur__write(int fd, const void *data, size_t size) {
    int errnum = atomic_load_explicit(&fault_errno, memory_order_relaxed);
    if (errnum == 0) return write(fd, data, size);
    uint64_t left = atomic_load(&fault_left);
    if (left == 0) {
        errno = errnum;
        return -1;
    }
    ssize_t n = write(fd, data, size < left ? size : (size_t)left);
    if (n > 0) atomic_fetch_sub(&fault_left, (uint64_t)n);
    return n;
}

int spur__write_all(int fd, const void *data, size_t size) {
    const char *p = data;
    while (size > 0) {
        ssize_t n = spur__write(fd, p, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? errno : EIO;
        p += n;
        size -= (size_t)n;
    }
    return 0;
}

bool spur__exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

char *spur__path_join(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    char *joined = spur__malloc(n + m + 2);
    if (!joined) return NULL;
    memcpy(joined, a, n);
    if (n > 0 && a[n - 1] != '/') joined[n++] = '/';
    memcpy(joined + n, b, m + 1);
    return joined;
}

/* Reads `size` bytes, or fewer if the file has shrunk meanwhile; -1 on error. */
static ssize_t read_all(int fd, char *data, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t n = read(fd, data + done, size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        if (n == 0) break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

spur_status spur__file_read(const char *path, size_t limit, char **data, size_t *size,
                            spur_error *err) {
    struct stat info;
    spur_status status = SPUR_OK;
    char *bytes = NULL;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return spur__fail_errno(err, errno, "%s: cannot open", path);
    if (fstat(fd, &info) != 0) {
        status = spur__fail_errno(err, errno, "%s: cannot stat", path);
        goto done;
    }
    if (!S_ISREG(info.st_mode)) {
        status = spur__fail(err, SPUR_E_TYPE, "%s: not a regular file", path);
        goto done;
    }
    if ((uint64_t)info.st_size > limit) {
        status = spur__fail(err, SPUR_E_RANGE, "%s: %lld bytes, expected at most %zu", path,
                            (long long)info.st_size, limit);
        goto done;
    }
    bytes = spur__malloc((size_t)info.st_size + 1);
    if (!bytes) {
        status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
        goto done;
    }
    n = read_all(fd, bytes, (size_t)info.st_size);
    if (n < 0) {
        status = spur__fail_errno(err, errno, "%s: cannot read", path);
        goto done;
    }
    bytes[n] = '\0';
    *data = bytes;
    *size = (size_t)n;
    bytes = NULL;
done:
    spur__free(bytes);
    close(fd);
    return status;
}

/* The directory part of a path, "." if it has none. */
static char *parent_of(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) return spur__strdup(".");
    return spur__strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

spur_status spur__sync_directory(const char *path, spur_error *err) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return spur__fail_errno(err, errno, "%s: cannot open directory", path);
    int failed = fsync(fd) != 0 && errno != EINVAL && errno != EROFS ? errno : 0;
    close(fd);
    return failed ? spur__fail_errno(err, failed, "%s: cannot sync", path) : SPUR_OK;
}

/* Writes and syncs the temporary file; on failure it is gone again. */
static spur_status write_temporary(const char *temporary, const char *path, const void *data,
                                   size_t size, spur_error *err) {
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return spur__fail_errno(err, errno, "%s: cannot create", path);
    int failed = spur__write_all(fd, data, size);
    if (!failed && fsync(fd) != 0) failed = errno;
    if (close(fd) != 0 && !failed) failed = errno;
    if (!failed) return SPUR_OK;
    unlink(temporary);
    return spur__fail_errno(err, failed, "%s: cannot write", path);
}

spur_status spur__file_write(const char *path, const void *data, size_t size, spur_error *err) {
    spur_status status;
    size_t length = strlen(path) + 32;
    char *temporary = spur__malloc(length), *directory = parent_of(path);
    if (!temporary || !directory) {
        status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
        goto done;
    }
    snprintf(temporary, length, "%s.%ld.tmp", path, (long)getpid());
    SPUR__TRY_GOTO(write_temporary(temporary, path, data, size, err), done);
    if (rename(temporary, path) != 0) {
        status = spur__fail_errno(err, errno, "%s: cannot rename into place", path);
        unlink(temporary);
        goto done;
    }
    status = spur__sync_directory(directory, err);
done:
    spur__free(directory);
    spur__free(temporary);
    return status;
}

spur_status spur__mkdirs(const char *path, spur_error *err) {
    struct stat info;
    if (path[0] == '\0') return spur__fail(err, SPUR_E_ARGUMENT, "empty directory name");
    char *copy = spur__strdup(path);
    if (!copy) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    for (char *p = copy + 1;; p++) {
        if (*p != '/' && *p != '\0') continue;
        char end = *p;
        *p = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST) {
            spur_status status = spur__fail_errno(err, errno, "%s: cannot create directory", copy);
            spur__free(copy);
            return status;
        }
        *p = end;
        if (end == '\0') break;
    }
    spur__free(copy);
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return spur__fail(err, SPUR_E_EXISTS, "%s: exists and is not a directory", path);
    return SPUR_OK;
}
