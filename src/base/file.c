/* SPDX-License-Identifier: MIT
 *
 * Whole-file reading, atomic writing and directories; see file.h.
 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "base/memory.h"

enum { MOST_LINKS = 40 }; /* as Linux has it */

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

static _Atomic int fault_link_errno;

void spur__fault_link(int errnum) {
    atomic_store(&fault_link_errno, errnum);
}

int spur__link(const char *from, const char *to) {
    int errnum = atomic_load(&fault_link_errno);
    if (errnum == 0) return link(from, to);
    errno = errnum;
    return -1;
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

/* The first n bytes of a path without the slashes at their end; those of the root stay one. */
static size_t without_slashes(const char *path, size_t n) {
    while (n > 1 && path[n - 1] == '/') n--;
    return n;
}

char *spur__path_plain(const char *path) {
    return spur__strndup(path, without_slashes(path, strlen(path)));
}

char *spur__path_directory(const char *path) {
    size_t n = without_slashes(path, strlen(path));
    while (n > 0 && path[n - 1] != '/') n--;
    return n > 0 ? spur__strndup(path, without_slashes(path, n)) : spur__strdup(".");
}

const char *spur__path_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

ssize_t spur__read_all(int fd, void *data, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t n = read(fd, (char *)data + done, size - done);
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
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not make us wait */
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
    n = spur__read_all(fd, bytes, (size_t)info.st_size);
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

spur_status spur__sync_directory(const char *path, spur_error *err) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == EACCES) return SPUR_OK;
    if (fd < 0) return spur__fail_errno(err, errno, "%s: cannot open directory", path);
    int failed = fsync(fd) != 0 && errno != EINVAL && errno != EROFS ? errno : 0;
    close(fd);
    return failed ? spur__fail_errno(err, failed, "%s: cannot sync", path) : SPUR_OK;
}

spur_status spur__sync_name(const char *path, spur_error *err) {
    char *directory = spur__path_directory(path);
    if (!directory) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    spur_status status = spur__sync_directory(directory, err);
    spur__free(directory);
    return status;
}

/* Frees what the writer holds; the file descriptor is closed before. */
static void writer_free(spur__file_writer *writer) {
    spur__free(writer->path);
    spur__free(writer->target);
    spur__free(writer->temporary);
    *writer = (spur__file_writer){.fd = -1};
}

spur_status spur__file_replaceable(const char *path, spur_error *err) {
    struct stat info;
    if (stat(path, &info) != 0 || S_ISREG(info.st_mode)) return SPUR_OK;
    return spur__fail(err, SPUR_E_TYPE, "%s: cannot write: not a regular file", path);
}

spur_status spur__follow_links(const char *path, char **target, spur_error *err) {
    char link[PATH_MAX];
    char *at = spur__strdup(path);
    for (int links = 0; at && links < MOST_LINKS; links++) {
        ssize_t n = readlink(at, link, sizeof link - 1);
        if (n < 0) { /* no link, or nothing */
            *target = at;
            return SPUR_OK;
        }
        link[n] = '\0';
        char *directory = link[0] == '/' ? NULL : spur__path_directory(at);
        spur__free(at);
        at = link[0] == '/' ? spur__strdup(link)
             : directory    ? spur__path_join(directory, link)
                            : NULL;
        spur__free(directory);
    }
    bool endless = at != NULL;
    spur__free(at);
    return endless ? spur__fail_errno(err, ELOOP, "%s: cannot follow", path)
                   : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
}

int spur__temporary_open(const char *path, char **name) {
    static _Atomic unsigned counter; /* threads may write to one path */
    size_t room = strlen(path) + 48;
    char *temporary = spur__malloc(room);
    int fd = -1;
    errno = ENOMEM;
    for (bool taken = temporary != NULL; taken; taken = fd < 0 && errno == EEXIST) {
        snprintf(temporary, room, "%s.%ld.%u.tmp", path, (long)getpid(),
                 atomic_fetch_add(&counter, 1u));
        fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    if (fd >= 0) {
        *name = temporary;
    } else {
        int failed = errno;
        spur__free(temporary);
        errno = failed;
    }
    return fd;
}

/* "name.<pid>.<number>.tmp", as spur__temporary_open calls them. */
static bool is_temporary(const char *name) {
    size_t n = strlen(name);
    if (n < 4 || strcmp(name + n - 4, ".tmp") != 0) return false;
    n -= 4;
    for (int i = 0; i < 2; i++) {
        size_t end = n;
        while (n > 0 && name[n - 1] >= '0' && name[n - 1] <= '9') n--;
        if (n == end || n == 0 || name[--n] != '.') return false;
    }
    return n > 0;
}

void spur__remove_leftovers(const char *directory, double seconds) {
    struct stat info;
    DIR *dir = opendir(directory);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (!is_temporary(e->d_name)) continue;
        if (fstatat(dirfd(dir), e->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (seconds > 0 && difftime(time(NULL), info.st_mtime) < seconds) continue;
        unlinkat(dirfd(dir), e->d_name, 0);
    }
    if (dir) closedir(dir);
}

spur_status spur__file_writer_open(spur__file_writer *writer, const char *path, spur_error *err) {
    *writer = (spur__file_writer){.fd = -1};
    SPUR__TRY(spur__file_replaceable(path, err));
    SPUR__TRY(spur__follow_links(path, &writer->target, err));
    writer->path = spur__strdup(path);
    if (writer->path) writer->fd = spur__temporary_open(writer->target, &writer->temporary);
    if (writer->fd >= 0) return SPUR_OK;
    spur_status status = writer->path && errno != ENOMEM
                             ? spur__fail_errno(err, errno, "%s: cannot create", path)
                             : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    writer_free(writer);
    return status;
}

void spur__file_writer_put(spur__file_writer *writer, const void *data, size_t size) {
    if (writer->failed) return;
    writer->failed = spur__write_all(writer->fd, data, size);
    writer->size += size;
    writer->crc = spur__crc32c(writer->crc, data, size);
}

void spur__file_writer_abandon(spur__file_writer *writer) {
    if (writer->fd < 0) return;
    close(writer->fd);
    unlink(writer->temporary);
    writer_free(writer);
}

/* Syncs (unless that comes later), closes and renames; an errno on failure. */
static int writer_finish(spur__file_writer *writer) {
    int failed = writer->failed;
    if (!failed && !writer->sync_later && fsync(writer->fd) != 0) failed = errno;
    if (close(writer->fd) != 0 && !failed) failed = errno;
    if (!failed && rename(writer->temporary, writer->target) != 0) failed = errno;
    if (failed) unlink(writer->temporary);
    return failed;
}

spur_status spur__file_writer_commit(spur__file_writer *writer, spur_error *err) {
    int failed = writer_finish(writer);
    spur_status status = failed ? spur__fail_errno(err, failed, "%s: cannot write", writer->path)
                         : writer->sync_later ? SPUR_OK
                                              : spur__sync_name(writer->target, err);
    writer_free(writer);
    return status;
}

spur_status spur__file_write(const char *path, const void *data, size_t size, spur_error *err) {
    spur__file_writer writer;
    SPUR__TRY(spur__file_writer_open(&writer, path, err));
    spur__file_writer_put(&writer, data, size);
    return spur__file_writer_commit(&writer, err);
}

/* One directory, of which the parent is there. */
static spur_status make_directory(const char *path, bool synced, spur_error *err) {
    if (mkdir(path, 0777) == 0) return synced ? spur__sync_name(path, err) : SPUR_OK;
    return errno == EEXIST ? SPUR_OK
                           : spur__fail_errno(err, errno, "%s: cannot create directory", path);
}

static spur_status make_directories(const char *path, bool synced, spur_error *err) {
    struct stat info;
    spur_status status = SPUR_OK;
    if (path[0] == '\0') return spur__fail(err, SPUR_E_ARGUMENT, "empty directory name");
    char *copy = spur__strdup(path);
    if (!copy) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    for (char *p = copy + 1;; p++) {
        if (*p != '/' && *p != '\0') continue;
        char end = *p;
        *p = '\0';
        status = make_directory(copy, synced, err);
        *p = end;
        if (end == '\0' || status != SPUR_OK) break;
    }
    spur__free(copy);
    if (status == SPUR_OK && (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)))
        status = spur__fail(err, SPUR_E_EXISTS, "%s: exists and is not a directory", path);
    return status;
}

spur_status spur__mkdirs(const char *path, spur_error *err) {
    return make_directories(path, false, err);
}

spur_status spur__mkdirs_synced(const char *path, spur_error *err) {
    return make_directories(path, true, err);
}
