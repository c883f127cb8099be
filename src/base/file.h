/* SPDX-License-Identifier: MIT
 *
 * Files: read whole, write atomically (temporary name, fsync, rename), make directories; and
 * switches with which tests make writes fail or fall short.
 */
#ifndef SPUR_BASE_FILE_H
#define SPUR_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <spur/status.h>

/* Reads a whole file of at most `limit` bytes. *data (spur__free) has a NUL behind its end. */
spur_status spur__file_read(const char *path, size_t limit, char **data, size_t *size,
                            spur_error *err);

/* Replaces `path` by the given bytes such that a crash leaves either the old or the new file. Where the path
 * is a symbolic link it stays one: what it leads to is replaced, or made. */
spur_status spur__file_write(const char *path, const void *data, size_t size, spur_error *err);

/* The same, piece by piece, for files too large to hold twice: open, put ..., then commit, or
 * abandon. After a failure every further put and commit reports it; one of commit and abandon must
 * follow a successful open. `temporary` and the rest are the writer's own. */
typedef struct spur__file_writer {
    char *path; /* as given, for messages */
    char *target, *temporary; /* the file that is replaced, and what takes its place */
    int fd;
    int failed; /* errno of the first failure, or 0 */
    uint64_t size; /* bytes put */
    uint32_t crc; /* their CRC-32C */
    bool sync_later; /* may be set once it is open: the caller syncs file and directory */
} spur__file_writer;

spur_status spur__file_writer_open(spur__file_writer *writer, const char *path, spur_error *err);
void spur__file_writer_put(spur__file_writer *writer, const void *data, size_t size);
spur_status spur__file_writer_commit(spur__file_writer *writer, spur_error *err);
void spur__file_writer_abandon(spur__file_writer *writer);

/* Makes a directory and its parents; an existing one is fine. */
spur_status spur__mkdirs(const char *path, spur_error *err);

/* The same, and the names of those that it made survive a power cut. */
spur_status spur__mkdirs_synced(const char *path, spur_error *err);

/* fsync of a directory, so that a name created or renamed in it survives a power cut. One that may
 * be written but not read cannot be synced, and is left as it is. */
spur_status spur__sync_directory(const char *path, spur_error *err);

/* fsync of the directory that has `path` in it. */
spur_status spur__sync_name(const char *path, spur_error *err);

/* E_TYPE when something is there that a rename must not replace: a folder, a pipe, a device, without
 * which root would leave the whole system (/dev/null). */
spur_status spur__file_replaceable(const char *path, spur_error *err);

/* What a path leads to where its last part is a symbolic link, else a copy of it; there may be nothing yet.
 * Free with spur__free. */
spur_status spur__follow_links(const char *path, char **target, spur_error *err);

/* Creates a file that nobody else has, "<path>.<pid>.<number>.tmp", and opens it for writing; -1 with errno
 * set. Free the name with spur__free. */
int spur__temporary_open(const char *path, char **name);

/* Removes what killed processes have left of such files in a directory, where they were not changed for so
 * many seconds (0: all). Other files called .tmp stay: a user may have put them there. */
void spur__remove_leftovers(const char *directory, double seconds);

/* True when something exists there. */
bool spur__exists(const char *path);

/* Joins with exactly one '/' between; NULL when out of memory. Free with spur__free. */
char *spur__path_join(const char *a, const char *b);

/* A copy without slashes at its end, those of the root apart; NULL when out of memory. Free with
 * spur__free. */
char *spur__path_plain(const char *path);

/* The directory that holds `path`, as dirname(1) has it: "." for a bare name, "/" at the root; slashes at
 * the end of the path do not count. NULL when out of memory. Free with spur__free. */
char *spur__path_directory(const char *path);

/* What stands behind the last '/' of a path, or all of it; points into the path. */
const char *spur__path_name(const char *path);

/* Reads `size` bytes, or fewer where the file ends before; -1 with errno set. */
ssize_t spur__read_all(int fd, void *data, size_t size);

/* write(2) that tests can make fail; all files of the project are written through it. Returns
 * bytes written, or -1 with errno set. EINTR is not retried. */
ssize_t spur__write(int fd, const void *data, size_t size);

/* Writes everything, retrying on EINTR and short counts. 0, or an errno. */
int spur__write_all(int fd, const void *data, size_t size);

/* link(2) that tests can make fail: not every file system has hard links. */
int spur__link(const char *from, const char *to);

/* Tests only: every spur__link fails with `errnum`, until called again with 0. */
void spur__fault_link(int errnum);

/* Tests only: after `bytes` more bytes every write fails with `errnum` (the one that crosses the
 * limit is short), until called again with errnum = 0. */
void spur__fault_write(uint64_t bytes, int errnum);

#endif
