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

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "read/internal.h"
#include "write/rundir.h"
#include "write/writer.h"

enum { COPY_BLOCK = 1 << 20 };
static const double retired_seconds = 600;

/* A file of the chain. */
typedef struct old_file {
    char *path;
    spur_records *records;
    uint64_t size, beginning; /* beginning: bytes of the records that every file starts with */
    double wall_time; /* of its first record */
    char *stream;
} old_file;

static void free_old(old_file *old) {
    spur_records_close(old->records);
    spur__free(old->path);
    spur__free(old->stream);
    *old = (old_file){0};
}

/* The next record of the file as an event, valid until the next call, and where the record ends;
 * false when there is none that is whole. */
static bool next_event(old_file *old, spur_event *event, uint64_t *end) {
    spur_slice payload;
    if (spur_records_next(old->records, &payload, NULL) != SPUR_OK) return false;
    *end = spur_records_offset(old->records) + payload.size + SPUR__RECORD_FRAME;
    return spur_event_decode(payload, event, NULL) == SPUR_OK;
}

/* ---- what the continued run has already ---------------------------------------------------- */

static spur_status adopt_value(spur_writer *w, const spur_value *value, int64_t step,
                               spur_error *err) {
    spur__tag *tag;
    spur_status status = SPUR_OK;
    char *name = spur__strndup(value->tag.data, value->tag.size);
    if (!name) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", w->directory);
    size_t length = strlen(name);
    for (int kind = 0; kind < SPUR__TAG_KINDS; kind++) {
        if (!spur_slice_is(value->plugin, spur__kind_plugin((spur__kind_of_tag)kind))) continue;
        SPUR__TRY_GOTO(spur__tag_entry(w, name, length, spur__tag_hash(name, length),
                                       (spur__kind_of_tag)kind, &tag, err),
                       done);
        if (!tag->has_step)
            tag->metadata = spur__metadata_hash(value->description.data, value->description.size,
                                                value->display_name.data, value->display_name.size);
        tag->has_step = true;
        tag->last_step = step;
        if (kind == SPUR__TAG_AUDIO && value->tensor.rank > 0)
            tag->parts = (size_t)value->tensor.shape[0];
    }
done:
    if (status != SPUR_OK) spur__error_prefix(err, "%s: tag \"%.200s\"", w->directory, name);
    spur__free(name);
    return status;
}

/* Steps and kinds of tags go on where they were. */
static spur_status adopt_event(spur_writer *w, const spur_event *event, spur_error *err) {
    if (event->what == SPUR_EVENT_GRAPH) w->has_graph = true;
    for (spur_value value = {0}; spur_event_value(event, &value);)
        SPUR__TRY(adopt_value(w, &value, event->step, err));
    return SPUR_OK;
}

static spur_status adopt_records(spur_writer *w, old_file *old, uint64_t length, spur_error *err) {
    for (uint64_t at = old->beginning, end = 0; at < length; at = end) {
        spur_event event;
        if (!next_event(old, &event, &end) || end > length)
            return spur__fail(err, SPUR_E_DAMAGED,
                              "%s: no whole record at offset %llu, expected records up to %llu",
                              old->path, (unsigned long long)at, (unsigned long long)length);
        SPUR__TRY(adopt_event(w, &event, err));
    }
    return SPUR_OK;
}

/* ---- finding the old file ------------------------------------------------------------------ */

/* Reads a file's beginning; false if it is not one of ours. */
static bool read_beginning(old_file *old) {
    for (int i = 0; i < 2; i++) {
        spur_event event;
        if (!next_event(old, &event, &old->beginning)) return false;
        if (i == 0) old->wall_time = event.wall_time;
        if (i == 1 && event.what == SPUR_EVENT_SESSION_LOG)
            old->stream = spur__strndup(event.data.data, event.data.size);
    }
    if (old->stream)
        for (size_t n = strlen(old->stream); n > 0 && old->stream[n - 1] == ' ';)
            old->stream[--n] = '\0';
    return old->stream != NULL;
}

/* Opens a file if it is one of the chain. */
static bool open_old(const char *directory, const char *name, const char *stream, old_file *old) {
    *old = (old_file){0};
    if (!spur__is_event_file_name(name)) return false;
    old->path = spur__path_join(directory, name);
    bool ours = old->path && spur_records_open(&old->records, old->path, NULL) == SPUR_OK;
    if (ours) {
        old->size = spur__records_size(old->records);
        ours = read_beginning(old) && strcmp(old->stream, stream) == 0;
    }
    if (!ours) free_old(old);
    return ours;
}

/* The file of the chain `stream` with the last name among those with enough bytes. */
static spur_status find_old(const char *directory, const char *stream, uint64_t length,
                            old_file *best, spur_error *err) {
    *best = (old_file){0};
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

/* Version and START records of the old ones' size: the message is padded with spaces. `source` names the
 * writer. */
static spur_status try_beginning(const old_file *old, const char *source, unsigned char **out,
                                 spur_error *err) {
    char message[512];
    unsigned char *version = NULL, *start = NULL;
    size_t version_size = 0, start_size = 0, size = (size_t)old->beginning;
    spur_status status;
    *out = NULL;
    SPUR__TRY_GOTO(spur__pack_version(old->wall_time, source, &version, &version_size, err), done);
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

/* A version of the library with a longer number than the one that began the file leaves it out. */
static spur_status make_beginning(const old_file *old, unsigned char **out, spur_error *err) {
    spur_status status = try_beginning(old, "spur.log " SPUR_VERSION_STRING, out, err);
    if (status != SPUR_E_UNSUPPORTED) return status;
    spur__error_clear(err);
    return try_beginning(old, "spur.log", out, err);
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

/* Appends the old file's records up to `length`. Returns an errno. */
static int copy_records(int fd, const old_file *old, uint64_t length) {
    char *block = spur__malloc(COPY_BLOCK);
    int from = open(old->path, O_RDONLY | O_CLOEXEC);
    int error = !block ? ENOMEM : from < 0 ? errno : 0;
    for (uint64_t at = old->beginning; at < length && !error;) {
        size_t size = length - at < COPY_BLOCK ? (size_t)(length - at) : COPY_BLOCK;
        error = read_at(from, block, size, at) ? spur__write_all(fd, block, size) : EIO;
        at += size;
    }
    if (from >= 0) close(from);
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
    *fd = spur__event_file_open(temporary);
    if (*fd < 0) {
        status = spur__fail_errno(err, errno, "%s: cannot create", temporary);
        goto done;
    }
    spur__event_file_lock(*fd);
    int error = spur__write_all(*fd, beginning, (size_t)old->beginning);
    if (!error) error = copy_records(*fd, old, length);
    if (!error && fsync(*fd) != 0) error = errno;
    if (!error && rename(temporary, path) != 0) error = errno;
    if (error)
        status = spur__fail_errno(err, error, "%s: cannot write", path);
    else
        status = spur__sync_directory(directory, err); /* before the old one is cut down */
    if (status != SPUR_OK) {
        close(*fd);
        *fd = -1;
        unlink(temporary);
    }
done:
    spur__free(temporary);
    return status;
}

/* Locks the old file until *fd is closed, so that two cannot continue it at once. */
static spur_status hold(const old_file *old, int *fd, spur_error *err) {
    *fd = open(old->path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) return spur__fail_errno(err, errno, "%s: cannot open", old->path);
    return spur__event_file_lock(*fd)
               ? SPUR_OK
               : spur__fail(err, SPUR_E_STATE, "%s: another program is still writing it",
                            old->path);
}

spur_status spur__continue_file(spur_writer *w, const char *name, uint64_t length, double now,
                                int *fd, uint64_t *written, spur_error *err) {
    old_file old;
    int held = -1;
    char *new_name = NULL;
    unsigned char *beginning = NULL;
    spur__event_files found;
    spur_status status = find_old(w->directory, name, length, &old, err);
    if (status != SPUR_OK) return status;
    SPUR__TRY_GOTO(hold(&old, &held, err), done);
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
    if (held >= 0) close(held);
    spur__free(beginning);
    spur__free(new_name);
    free_old(&old);
    return status;
}
