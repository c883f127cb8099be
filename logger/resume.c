/* SPDX-License-Identifier: MIT
 *
 * Continuing an event file from a checkpoint, without a trace of what came after it.
 *
 * A new file with a later name takes over the records up to the checkpoint; then the old one is cut
 * down to its beginning. The new file begins with a version record and a SessionLog START at step 0:
 * a slow loader that has read the old file forgets all of it then; a fast one forgets each tag's
 * points as it meets their steps again. The old file is not removed at once: a slow loader that
 * cannot open the file which it follows stays there for ever instead of going on to the next.
 *
 * Files of one chain know each other by SessionLog.msg, the name of the chain's first file, and
 * all have a beginning of the same size: so (first name, length) means the same in each of them, and a
 * run may be continued from one checkpoint more than once, also after a kill in the middle of this.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "rundir.h"
#include "writer.h"

enum { COPY_BLOCK = 1 << 20 };
static const double retired_seconds = 600;
static const uint64_t record_limit = (uint64_t)2 << 30;

/* A file of the chain. */
typedef struct old_file {
    char *path;
    int fd;
    uint64_t size, beginning; /* beginning: bytes of the records that every file starts with */
    double wall_time; /* of its first record */
    char *stream;
    char *record; /* the record read last */
    size_t capacity;
} old_file;

static const old_file no_file = {.fd = -1};

static void free_old(old_file *old) {
    if (old->fd >= 0) close(old->fd);
    spur__free(old->path);
    spur__free(old->stream);
    spur__free(old->record);
    *old = no_file;
}

static uint64_t get_le(const char *p, int bytes) {
    uint64_t x = 0;
    for (int i = 0; i < bytes; i++) x |= (uint64_t)(unsigned char)p[i] << (8 * i);
    return x;
}

/* Exactly `size` bytes at an offset. */
static bool read_at(int fd, char *data, size_t size, uint64_t offset) {
    while (size > 0) {
        ssize_t n = pread(fd, data, size, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        data += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

/* Reads the record at `at`, which must end at or before `end`. Its size with the frame, 0 if it is
 * damaged, not all there, or too large for memory. */
static size_t read_record(old_file *old, uint64_t at, uint64_t end) {
    char head[SPUR__RECORD_HEAD];
    if (at + SPUR__RECORD_FRAME > end || !read_at(old->fd, head, sizeof head, at)) return 0;
    uint64_t payload = get_le(head, 8);
    if (get_le(head + 8, 4) != spur__crc32c_mask(spur__crc32c(0, head, 8))) return 0;
    if (payload > record_limit || payload > end - at - SPUR__RECORD_FRAME) return 0;
    size_t size = (size_t)payload + SPUR__RECORD_TAIL;
    if (size > old->capacity) {
        char *larger = spur__realloc(old->record, size);
        if (!larger) return 0;
        old->record = larger;
        old->capacity = size;
    }
    if (!read_at(old->fd, old->record, size, at + SPUR__RECORD_HEAD)) return 0;
    uint32_t crc = spur__crc32c_mask(spur__crc32c(0, old->record, (size_t)payload));
    return get_le(old->record + payload, 4) == crc ? (size_t)payload + SPUR__RECORD_FRAME : 0;
}

/* The event of the record read last. */
static Spur__Tb__Event *unpack(const old_file *old, size_t size) {
    return spur__tb__event__unpack(NULL, size - SPUR__RECORD_FRAME, (const uint8_t *)old->record);
}

/* ---- what the continued run has already ---------------------------------------------------- */

static const char *plugin_of(const Spur__Tb__Summary__Value *value) {
    bool named = value->metadata && value->metadata->plugin_data;
    return named ? value->metadata->plugin_data->plugin_name : "";
}

static spur_status adopt_value(spur_writer *w, const Spur__Tb__Summary__Value *value, int64_t step,
                               spur_error *err) {
    spur__tag *tag;
    size_t length = strlen(value->tag);
    const char *plugin = plugin_of(value);
    for (int kind = 0; kind < SPUR__TAG_KINDS; kind++) {
        if (strcmp(plugin, spur__kind_plugin((spur__kind_of_tag)kind)) != 0) continue;
        SPUR__TRY(spur__tag_entry(w, value->tag, length, spur__tag_hash(value->tag, length),
                                  (spur__kind_of_tag)kind, &tag, err));
        tag->has_step = true;
        tag->last_step = step;
        bool clips = kind == SPUR__TAG_AUDIO && value->tensor && value->tensor->tensor_shape &&
                     value->tensor->tensor_shape->n_dim > 0;
        if (clips) tag->parts = (size_t)value->tensor->tensor_shape->dim[0]->size;
    }
    return SPUR_OK;
}

/* Steps and kinds of tags go on where they were. */
static spur_status adopt_event(spur_writer *w, const Spur__Tb__Event *event, spur_error *err) {
    if (event->what_case == SPUR__TB__EVENT__WHAT_GRAPH_DEF) w->has_graph = true;
    if (event->what_case != SPUR__TB__EVENT__WHAT_SUMMARY) return SPUR_OK;
    for (size_t i = 0; i < event->summary->n_value; i++)
        SPUR__TRY(adopt_value(w, event->summary->value[i], event->step, err));
    return SPUR_OK;
}

static spur_status adopt_records(spur_writer *w, old_file *old, uint64_t length, spur_error *err) {
    for (uint64_t at = old->beginning; at < length;) {
        size_t size = read_record(old, at, length);
        if (size == 0)
            return spur__fail(err, SPUR_E_DAMAGED,
                              "%s: no whole record at offset %llu, expected records up to %llu",
                              old->path, (unsigned long long)at, (unsigned long long)length);
        Spur__Tb__Event *event = unpack(old, size);
        if (!event)
            return spur__fail(err, SPUR_E_DAMAGED, "%s: the record at offset %llu is no event",
                              old->path, (unsigned long long)at);
        spur_status status = adopt_event(w, event, err);
        spur__tb__event__free_unpacked(event, NULL);
        SPUR__TRY(status);
        at += size;
    }
    return SPUR_OK;
}

/* ---- finding the old file ------------------------------------------------------------------ */

/* Reads a file's beginning; false if it is not one of ours. */
static bool read_beginning(old_file *old) {
    uint64_t at = 0;
    for (int i = 0; i < 2; i++) {
        size_t size = read_record(old, at, old->size);
        Spur__Tb__Event *event = size ? unpack(old, size) : NULL;
        if (!event) return false;
        if (i == 0) old->wall_time = event->wall_time;
        if (i == 1 && event->what_case == SPUR__TB__EVENT__WHAT_SESSION_LOG)
            old->stream = spur__strdup(event->session_log->msg);
        spur__tb__event__free_unpacked(event, NULL);
        at += size;
    }
    old->beginning = at;
    if (old->stream)
        for (size_t n = strlen(old->stream); n > 0 && old->stream[n - 1] == ' ';)
            old->stream[--n] = '\0';
    return old->stream != NULL;
}

/* Opens a file if it is one of the chain. */
static bool open_old(const char *directory, const char *name, const char *stream, old_file *old) {
    struct stat info;
    *old = no_file;
    if (!strstr(name, "tfevents")) return false;
    old->path = spur__path_join(directory, name);
    if (old->path) old->fd = open(old->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool ours = old->fd >= 0 && fstat(old->fd, &info) == 0 && S_ISREG(info.st_mode);
    if (ours) {
        old->size = (uint64_t)info.st_size;
        ours = read_beginning(old) && strcmp(old->stream, stream) == 0;
    }
    if (!ours) free_old(old);
    return ours;
}

/* The file of the chain `stream` with the last name among those with enough bytes. */
static spur_status find_old(const char *directory, const char *stream, uint64_t length,
                            old_file *best, spur_error *err) {
    *best = no_file;
    DIR *dir = opendir(directory);
    if (!dir) return spur__fail_errno(err, errno, "%s: cannot read directory", directory);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        old_file old;
        if (!open_old(directory, entry->d_name, stream, &old)) continue;
        if (old.size >= length && (!best->path || strcmp(old.path, best->path) > 0)) {
            free_old(best);
            *best = old;
        } else {
            free_old(&old);
        }
    }
    closedir(dir);
    if (best->path) return SPUR_OK;
    return spur__fail(err, SPUR_E_NOTFOUND, "%s: no event file here continues %s with %llu bytes",
                      directory, stream, (unsigned long long)length);
}

/* Leaves the file's beginning, or nothing when a running TensorBoard must have gone on long since. */
static void retire(const old_file *old) {
    struct stat st;
    if (old->size > old->beginning)
        (void)!truncate(old->path, (off_t)old->beginning);
    else if (stat(old->path, &st) == 0 && difftime(time(NULL), st.st_mtime) > retired_seconds)
        unlink(old->path);
}

/* Retires all other files of the chain. */
static void retire_chain(const char *directory, const char *stream, const char *keep) {
    DIR *dir = opendir(directory);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        old_file old;
        if (!open_old(directory, entry->d_name, stream, &old)) continue;
        if (strcmp(old.path, keep) != 0) retire(&old);
        free_old(&old);
    }
    closedir(dir);
}

/* ---- the new file -------------------------------------------------------------------------- */

/* Version and START records of the old ones' size: the message is padded with spaces. */
static spur_status make_beginning(const old_file *old, unsigned char **out, spur_error *err) {
    char message[512];
    unsigned char *version = NULL, *start = NULL;
    size_t version_size = 0, start_size = 0, size = (size_t)old->beginning;
    spur_status status;
    *out = NULL;
    SPUR__TRY_GOTO(spur__pack_version(old->wall_time, "spur.log " SPUR_VERSION_STRING, &version,
                                      &version_size, err),
                   done);
    int width = (int)strlen(old->stream);
    for (; width < (int)sizeof message; width++) {
        snprintf(message, sizeof message, "%-*s", width, old->stream);
        spur__free(start);
        start = NULL;
        SPUR__TRY_GOTO(spur__pack_start(old->wall_time, 0, message, &start, &start_size, err),
                       done);
        if (version_size + start_size >= size) break;
    }
    if (version_size + start_size != size) {
        status = spur__fail(err, SPUR_E_UNSUPPORTED,
                            "%s: its first records are %zu bytes, this version of the library "
                            "makes %zu",
                            old->path, size, version_size + start_size);
        goto done;
    }
    *out = spur__malloc(size);
    if (!*out) {
        status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", old->path);
        goto done;
    }
    memcpy(*out, version, version_size);
    memcpy(*out + version_size, start, start_size);
    spur__seal(*out, size, size);
done:
    spur__free(version);
    spur__free(start);
    return status;
}

/* Appends the old file's records up to `length`. Returns an errno. */
static int copy_records(int fd, const old_file *old, uint64_t length) {
    char *block = spur__malloc(COPY_BLOCK);
    int error = block ? 0 : ENOMEM;
    for (uint64_t at = old->beginning; at < length && !error;) {
        size_t size = length - at < COPY_BLOCK ? (size_t)(length - at) : COPY_BLOCK;
        error = read_at(old->fd, block, size, at) ? spur__write_all(fd, block, size) : EIO;
        at += size;
    }
    spur__free(block);
    return error;
}

/* Writes everything under a name that no reader takes, then gives it its real one. */
static spur_status write_new(const char *directory, const char *path,
                             const unsigned char *beginning, const old_file *old, uint64_t length,
                             int *fd, spur_error *err) {
    spur_status status = SPUR_OK;
    char *temporary = spur__path_join(directory, ".spur-continue.tmp");
    if (!temporary) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    unlink(temporary);
    *fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (*fd < 0) {
        status = spur__fail_errno(err, errno, "%s: cannot create", temporary);
        goto done;
    }
    spur__event_file_lock(*fd);
    int error = spur__write_all(*fd, beginning, (size_t)old->beginning);
    if (!error) error = copy_records(*fd, old, length);
    if (!error && fsync(*fd) != 0) error = errno;
    if (!error && rename(temporary, path) != 0) error = errno;
    if (error) {
        status = spur__fail_errno(err, error, "%s: cannot write", path);
        close(*fd);
        *fd = -1;
        unlink(temporary);
    }
done:
    spur__free(temporary);
    return status;
}

static spur_status check_free(const old_file *old, spur_error *err) {
    int fd = open(old->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return spur__fail_errno(err, errno, "%s: cannot open", old->path);
    bool free_now = spur__event_file_lock(fd);
    close(fd);
    return free_now ? SPUR_OK
                    : spur__fail(err, SPUR_E_STATE, "%s: another program is still writing it",
                                 old->path);
}

spur_status spur__continue_file(spur_writer *w, const char *name, uint64_t length, double now,
                                int *fd, uint64_t *written, spur_error *err) {
    old_file old;
    char *new_name = NULL;
    unsigned char *beginning = NULL;
    spur__event_files found;
    spur_status status = find_old(w->directory, name, length, &old, err);
    if (status != SPUR_OK) return status;
    SPUR__TRY_GOTO(check_free(&old, err), done);
    if (length < old.beginning) {
        status =
            spur__fail(err, SPUR_E_RANGE, "%s: continue_length %llu is inside its first records",
                       old.path, (unsigned long long)length);
        goto done;
    }
    SPUR__TRY_GOTO(adopt_records(w, &old, length, err), done);
    SPUR__TRY_GOTO(make_beginning(&old, &beginning, err), done);
    SPUR__TRY_GOTO(spur__event_files_scan(w->directory, &found, err), done);
    SPUR__TRY_GOTO(spur__event_file_name(&found, w->options.filename_suffix, now, &new_name, err),
                   done);
    w->path = spur__path_join(w->directory, new_name);
    w->stream = spur__strdup(old.stream);
    if (!w->path || !w->stream) {
        status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", new_name);
        goto done;
    }
    SPUR__TRY_GOTO(write_new(w->directory, w->path, beginning, &old, length, fd, err), done);
    retire_chain(w->directory, w->stream, w->path);
    *written = length;
done:
    spur__free(beginning);
    spur__free(new_name);
    free_old(&old);
    return status;
}
