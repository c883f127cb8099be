/* SPDX-License-Identifier: MIT
 *
 * Run directories and names of event files; see rundir.h. Readers take the files of a directory in
 * the order of their names, so a new file's seconds field is above all others even if some host's
 * clock runs ahead, and pid and counter are padded.
 */
#include "write/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"

enum { PATH_LIMIT = 4096, TRIES = 10000 };

spur_status spur__check_directory_name(const char *path, bool all, spur_error *err) {
    if (!spur__utf8_valid(path, strlen(path)))
        return spur__fail(err, SPUR_E_UTF8, "a directory name that is not UTF-8 stops TensorBoard");
    size_t end = strlen(path);
    while (end > 0 && path[end - 1] == '/') end--;
    const char *start = path;
    if (!all)
        for (size_t i = 0; i < end; i++)
            if (path[i] == '/') start = path + i + 1;
    if (strstr(start, "tfevents"))
        return spur__fail(err, SPUR_E_ARGUMENT,
                          "%s: TensorBoard takes a directory with \"tfevents\" in its name for an "
                          "event file",
                          path);
    return SPUR_OK;
}

/* ---- directories --------------------------------------------------------------------------- */

static spur_status make_directory(const char *path, bool synced, spur_error *err) {
    return synced ? spur__mkdirs_synced(path, err) : spur__mkdirs(path, err);
}

/* Appends "run_2026_11_22-09_31_07[_name]". */
static spur_status put_run_name(spur__str *path, const char *name, double now, spur_error *err) {
    char stamp[64];
    time_t seconds = (time_t)now;
    struct tm parts;
    if (!localtime_r(&seconds, &parts))
        return spur__fail(err, SPUR_E_RANGE, "the time %.17g has no date", now);
    strftime(stamp, sizeof stamp, "run_%Y_%m_%d-%H_%M_%S", &parts);
    spur__str_puts(path, stamp);
    if (name && *name) spur__str_printf(path, "_%s", name);
    return SPUR_OK;
}

/* mkdir(path), then path_1, path_2, ...: the first that is new. */
static spur_status make_exclusive(spur__str *path, bool synced, spur_error *err) {
    size_t length = path->length;
    for (int i = 0; i < TRIES; i++) {
        path->length = length;
        if (i > 0) spur__str_printf(path, "_%d", i);
        if (spur__str_status(path) == SPUR_E_RANGE)
            return spur__fail(err, SPUR_E_RANGE, "%.200s...: a path of more than %d bytes",
                              spur__str_text(path), PATH_LIMIT);
        if (spur__str_status(path) != SPUR_OK)
            return spur__fail(err, SPUR_E_MEMORY, "a run directory: out of memory");
        if (mkdir(spur__str_text(path), 0777) == 0)
            return synced ? spur__sync_name(spur__str_text(path), err) : SPUR_OK;
        if (errno != EEXIST)
            return spur__fail_errno(err, errno, "%s: cannot create directory", path->data);
    }
    return spur__fail(err, SPUR_E_EXISTS, "%s: %d such directories exist", path->data, TRIES);
}

static spur_status new_run(const spur_writer_options *options, const char *logdir, double now,
                           char **out, spur_error *err) {
    spur_status status;
    spur__str path;
    if (options->name && strchr(options->name, '/'))
        return spur__fail(err, SPUR_E_ARGUMENT, "%s: a run's name has no '/'", options->name);
    if (options->name) SPUR__TRY(spur__check_directory_name(options->name, true, err));
    SPUR__TRY(spur__check_directory_name(logdir, false, err));
    SPUR__TRY(make_directory(logdir, options->sync, err));
    spur__str_init(&path, PATH_LIMIT);
    spur__str_puts(&path, logdir);
    if (path.length && path.data[path.length - 1] != '/') spur__str_putc(&path, '/');
    status = put_run_name(&path, options->name, now, err);
    if (status == SPUR_OK) status = make_exclusive(&path, options->sync, err);
    *out = status == SPUR_OK ? spur__str_take(&path) : NULL;
    spur__str_free(&path);
    if (status != SPUR_OK || *out) return status;
    return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", logdir);
}

/* An exact directory, made if it is missing. */
static spur_status exact_directory(const char *directory, bool synced, char **out,
                                   spur_error *err) {
    SPUR__TRY(spur__check_directory_name(directory, false, err));
    SPUR__TRY(make_directory(directory, synced, err));
    *out = spur__strdup(directory);
    return *out ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", directory);
}

spur_status spur__absolute_path(const char *path, char **out, spur_error *err) {
    char here[PATH_LIMIT];
    if (path[0] != '/' && !getcwd(here, sizeof here))
        return spur__fail_errno(err, errno, "%s: cannot tell the current directory", path);
    *out = path[0] == '/' ? spur__strdup(path) : spur__path_join(here, path);
    return *out ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
}

spur_status spur__run_directory(const spur_writer_options *options, double now, char **out,
                                spur_error *err) {
    static _Atomic bool handed_out;
    const char *given = getenv("SPUR_RUN_DIR"), *logdir = options->logdir;
    if (options->directory && *options->directory)
        return exact_directory(options->directory, options->sync, out, err);
    if (!logdir || !*logdir) logdir = "./my_logs";
    if (!given || !*given) return new_run(options, logdir, now, out, err);
    if (atomic_exchange(&handed_out, true)) return new_run(options, given, now, out, err);
    return exact_directory(given, options->sync, out, err);
}

/* ---- event files --------------------------------------------------------------------------- */

bool spur__event_file_lock(int fd) {
    return flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

/* True when some writer holds the file's lock. */
static bool in_use(int directory, const char *name) {
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    bool busy = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return busy;
}

static void scan_entry(int directory, const char *name, spur__event_files *found) {
    const char *at = strstr(name, "tfevents");
    if (!at) return;
    found->count++;
    found->busy = found->busy || in_use(directory, name);
    long long seconds = at[8] == '.' ? strtoll(at + 9, NULL, 10) : 0;
    if (seconds > found->newest && seconds < 100000000000LL) found->newest = seconds;
}

spur_status spur__event_files_scan(const char *directory, spur__event_files *found,
                                   spur_error *err) {
    *found = (spur__event_files){0};
    DIR *stream = opendir(directory);
    if (!stream) return spur__fail_errno(err, errno, "%s: cannot read directory", directory);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
        scan_entry(dirfd(stream), entry->d_name, found);
    closedir(stream);
    return SPUR_OK;
}

/* The host's name with everything unusual replaced. */
static void host_name(char *out, size_t size) {
    if (gethostname(out, size) != 0) snprintf(out, size, "localhost");
    out[size - 1] = '\0';
    for (char *p = out; *p; p++) {
        bool usual = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || *p == '-' || *p == '.';
        if (!usual) *p = '_';
    }
    if (!*out) snprintf(out, size, "localhost");
}

static spur_status check_suffix(const char *suffix, spur_error *err) {
    size_t n = strlen(suffix);
    if (strchr(suffix, '/') || n > 100)
        return spur__fail(err, SPUR_E_ARGUMENT,
                          "file name suffix \"%.100s\": at most 100 bytes, no '/'", suffix);
    if (!spur__utf8_valid(suffix, n))
        return spur__fail(err, SPUR_E_UTF8, "the file name suffix is not UTF-8");
    if (n >= 14 && strcmp(suffix + n - 14, ".profile-empty") == 0)
        return spur__fail(err, SPUR_E_ARGUMENT,
                          "file name suffix \"%s\": TensorBoard skips such files", suffix);
    return SPUR_OK;
}

spur_status spur__event_file_name(const spur__event_files *found, const char *suffix, double now,
                                  char **out, spur_error *err) {
    static _Atomic unsigned counter;
    char host[64];
    spur__str name;
    if (!suffix) suffix = ".v2";
    SPUR__TRY(check_suffix(suffix, err));
    host_name(host, sizeof host);
    long long seconds = (long long)now;
    if (seconds <= found->newest) seconds = found->newest + 1;
    spur__str_init(&name, 255);
    spur__str_printf(&name, "events.out.tfevents.%010lld.%s.%07ld.%04u%s%s", seconds, host,
                     (long)getpid(), atomic_fetch_add(&counter, 1),
                     *suffix && *suffix != '.' ? "." : "", suffix);
    *out = spur__str_take(&name);
    spur__str_free(&name);
    return *out ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "out of memory");
}

int spur__event_file_open(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0 || fd > 2) return fd;
    int higher = fcntl(fd, F_DUPFD_CLOEXEC, 3), error = errno;
    if (higher < 0) unlink(path);
    close(fd);
    errno = error;
    return higher;
}

spur_status spur__event_file_create(const char *directory, const spur__event_files *found,
                                    const char *suffix, double now, int *fd, char **path,
                                    spur_error *err) {
    for (int i = 0; i < TRIES; i++) {
        char *name;
        SPUR__TRY(spur__event_file_name(found, suffix, now, &name, err));
        *path = spur__path_join(directory, name);
        spur__free(name);
        if (!*path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", directory);
        *fd = spur__event_file_open(*path);
        if (*fd >= 0) {
            spur__event_file_lock(*fd);
            return SPUR_OK;
        }
        int error = errno;
        spur_status status =
            error == EEXIST ? SPUR_OK : spur__fail_errno(err, error, "%s: cannot create", *path);
        spur__free(*path);
        *path = NULL;
        SPUR__TRY(status);
    }
    return spur__fail(err, SPUR_E_EXISTS, "%s: no free event file name", directory);
}
