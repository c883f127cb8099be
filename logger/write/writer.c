/* SPDX-License-Identifier: MIT
 *
 * Opening, flushing and closing writers.
 */
#include "write/writer.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "write/guard.h"
#include "write/rundir.h"

enum { QUEUE_DEFAULT = 8 << 20, QUEUE_MIN = 64 << 10, TAGS_DEFAULT = 100000 };
static const double flush_default = 2.0, flush_min = 0.001;
static const char source_name[] = "spur.log " SPUR_VERSION_STRING;

/* ---- opening ------------------------------------------------------------------------------- */

/* Checks the options and fills in the defaults of those that are numbers. */
static spur_status complete_options(spur_writer_options *o, spur_error *err) {
    double now;
    if (o->queue_bytes == 0) o->queue_bytes = QUEUE_DEFAULT;
    if (o->queue_bytes < QUEUE_MIN)
        return spur__fail(err, SPUR_E_RANGE, "queue_bytes = %zu: at least %d", o->queue_bytes,
                          QUEUE_MIN);
    if (o->when_full != SPUR_LOG_BLOCK && o->when_full != SPUR_LOG_DROP)
        return spur__fail(err, SPUR_E_ARGUMENT, "when_full = %d is no policy", (int)o->when_full);
    if (isnan(o->flush_seconds))
        return spur__fail(err, SPUR_E_NUMERIC, "flush_seconds is not a number");
    if (o->flush_seconds == 0.0) o->flush_seconds = flush_default;
    if (o->flush_seconds > 0.0 && o->flush_seconds < flush_min) o->flush_seconds = flush_min;
    if (o->flush_seconds > 1e9) o->flush_seconds = -1.0;
    if (o->max_tags == 0) o->max_tags = TAGS_DEFAULT;
    SPUR__TRY(spur__wall_time_of(&(spur_log_options){.wall_time = o->wall_time}, &now, err));
    if (o->continue_file && !*o->continue_file) o->continue_file = NULL;
    if (o->continue_file && (!o->directory || !*o->directory))
        return spur__fail(err, SPUR_E_ARGUMENT, "continue_file needs the exact directory");
    if (o->continue_file && o->purge)
        return spur__fail(err, SPUR_E_ARGUMENT, "continue_file and purge exclude each other");
    if (o->continue_file && strchr(o->continue_file, '/'))
        return spur__fail(err, SPUR_E_ARGUMENT, "continue_file = %s: a name without directory",
                          o->continue_file);
    o->wall_time = now;
    return SPUR_OK;
}

/* Keeps what outlives the open: no pointer of the caller's but the callback's. */
static spur_status adopt_options(spur_writer *w, const spur_writer_options *o) {
    w->options = *o;
    w->options.directory = w->options.logdir = w->options.name = NULL;
    w->options.continue_file = NULL;
    if (!o->filename_suffix) return SPUR_OK;
    w->options.filename_suffix = spur__strdup(o->filename_suffix);
    return w->options.filename_suffix ? SPUR_OK : SPUR_E_MEMORY;
}

static spur_status queue_record(spur_writer *w, spur_status made, unsigned char *record,
                                size_t size) {
    return made == SPUR_OK ? spur__push_record(w, record, size) : made;
}

/* Version record and, so that a later restart can purge, the start of a session. In a directory
 * with older files a start would make the slow loader forget their points, so there it is written
 * only when a purge is wanted. */
static spur_status write_beginning(spur_writer *w, const spur__event_files *found, double now,
                                   spur_error *err) {
    unsigned char *record = NULL;
    size_t size = 0;
    int64_t step = w->options.purge ? w->options.purge_step : 0;
    spur_status made = spur__pack_version(now, source_name, &record, &size, err);
    SPUR__TRY(queue_record(w, made, record, size));
    if (found->count > 0 && !w->options.purge) return SPUR_OK;
    made = spur__pack_start(now, step, w->stream, &record, &size, err);
    return queue_record(w, made, record, size);
}

static spur_status start_queue(spur_writer *w, int fd, uint64_t written, spur_error *err) {
    const spur_writer_options *o = &w->options;
    spur__queue_options q = {.bytes = o->queue_bytes,
                             .drop = o->when_full == SPUR_LOG_DROP,
                             .sync = o->sync,
                             .interval = o->flush_seconds};
    return spur__queue_open(&w->queue, fd, written, &q, err);
}

/* The file of a new run or of a restart, with its first records written. */
static spur_status open_fresh(spur_writer *w, const spur__event_files *found, double now,
                              spur_error *err) {
    int fd = -1;
    SPUR__TRY(spur__event_file_create(w->directory, found, w->options.filename_suffix, now, &fd,
                                      &w->path, err));
    w->stream = spur__strdup(spur__path_name(w->path));
    spur_status status =
        w->stream ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", w->path);
    if (status == SPUR_OK && w->options.sync) status = spur__sync_directory(w->directory, err);
    if (status == SPUR_OK) status = start_queue(w, fd, 0, err);
    if (status != SPUR_OK) {
        close(fd);
        unlink(w->path);
        return status;
    }
    status = write_beginning(w, found, floor(now), err);
    if (status == SPUR_OK) status = spur_writer_flush(w);
    if (status == SPUR_OK) return SPUR_OK;
    if (status == SPUR_E_IO) spur__fail_errno(err, w->queue.error, "%s: cannot write", w->path);
    spur__queue_stop(&w->queue);
    spur__queue_free(&w->queue, false);
    unlink(w->path);
    return status;
}

static spur_status open_continued(spur_writer *w, const spur_writer_options *o, double now,
                                  spur_error *err) {
    int fd = -1;
    uint64_t written = 0;
    SPUR__TRY(
        spur__continue_file(w, o->continue_file, o->continue_length, now, &fd, &written, err));
    spur_status status = start_queue(w, fd, written, err);
    if (status != SPUR_OK) close(fd);
    return status;
}

static void warn_about_neighbours(spur_writer *w, const spur__event_files *found) {
    if (found->busy)
        spur__writer_warn(w,
                          "%s: another program is writing an event file here; two in one "
                          "directory hide each other's data",
                          w->directory);
    else if (found->count > 0 && !w->options.purge)
        spur__writer_warn(w,
                          "%s: there are event files already; TensorBoard shows them and this one "
                          "as one run (purge_step or continue_file tell how they belong together)",
                          w->directory);
}

static void free_writer(spur_writer *w) {
    spur__tags_free(&w->tags);
    spur__free((char *)(uintptr_t)w->options.filename_suffix);
    spur__free(w->directory);
    spur__free(w->place);
    spur__free(w->path);
    spur__free(w->stream);
    spur__free(w);
}

/* Everything after the directory's name is known; w is in no list yet. */
static spur_status open_in_directory(spur_writer *w, const spur_writer_options *o,
                                     spur__event_files *found, spur_error *err) {
    struct stat info;
    if (stat(w->directory, &info) != 0)
        return spur__fail_errno(err, errno, "%s: cannot stat", w->directory);
    w->device = info.st_dev;
    w->inode = info.st_ino;
    SPUR__TRY(spur__registry_add(w, err));
    spur_status status = spur__event_files_scan(w->directory, found, err);
    w->restarted = found->count > 0 && !o->continue_file;
    if (status == SPUR_OK)
        status = o->continue_file ? open_continued(w, o, o->wall_time, err)
                                  : open_fresh(w, found, o->wall_time, err);
    if (status == SPUR_OK)
        spur__registry_ready(w);
    else
        spur__registry_remove(w);
    return status;
}

/* All of the work on files. */
static spur_status open_files(spur_writer *w, const spur_writer_options *o,
                              spur__event_files *found, spur_error *err) {
    spur__guard guard;
    spur__guard_enter(&guard);
    spur_status status = spur__run_directory(o, o->wall_time, &w->directory, err);
    if (status == SPUR_OK) status = spur__absolute_path(w->directory, &w->place, err);
    if (status == SPUR_OK) status = open_in_directory(w, o, found, err);
    spur__guard_leave(&guard);
    return status;
}

static spur_status clear_writer(spur_writer **out, spur_error *err) {
    if (!out) return spur__fail(err, SPUR_E_ARGUMENT, "the place for the writer is NULL");
    *out = NULL;
    return SPUR_OK;
}

spur_status spur_writer_open(spur_writer **out, const spur_writer_options *options,
                             spur_error *err) {
    spur_writer_options o = {0};
    spur__event_files found = {0};
    if (options) o = *options;
    spur__error_clear(err);
    SPUR__TRY(clear_writer(out, err));
    SPUR__TRY(complete_options(&o, err));
    spur_writer *w = spur__calloc(1, sizeof *w);
    if (!w) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    w->generation = atomic_load(&spur__generation);
    w->queue.fd = -1;
    pthread_mutex_init(&w->files, NULL);
    w->fixed_time = options && options->wall_time != 0.0;
    spur__tags_init(&w->tags, o.max_tags);
    spur_status status = adopt_options(w, &o);
    if (status != SPUR_OK) spur__fail(err, status, "out of memory");
    if (status == SPUR_OK) status = open_files(w, &o, &found, err);
    if (status != SPUR_OK) {
        pthread_mutex_destroy(&w->files);
        free_writer(w);
        return status;
    }
    if (!o.continue_file) warn_about_neighbours(w, &found);
    *out = w;
    return SPUR_OK;
}

/* Lets a sub-writer show paths below its parent's, as they were given; its own are absolute. */
static spur_status show_below(spur_writer *w, const spur_writer *parent, const char *name,
                              spur_error *err) {
    char *directory = spur__path_join(parent->directory, name);
    char *path = directory ? spur__path_join(directory, spur__path_name(w->path)) : NULL;
    if (!path) {
        spur__free(directory);
        return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", name);
    }
    spur__free(w->directory);
    spur__free(w->path);
    w->directory = directory;
    w->path = path;
    return SPUR_OK;
}

/* Whether the path leads upwards somewhere. */
static bool leads_up(const char *path) {
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || !part[2])) return true;
    }
    return false;
}

spur_status spur_writer_open_sub(spur_writer **out, spur_writer *parent, const char *name,
                                 spur_error *err) {
    spur__error_clear(err);
    SPUR__TRY(clear_writer(out, err));
    if (!spur__alive(parent)) return SPUR_OK;
    if (!name || !*name || *name == '/' || leads_up(name))
        return spur__fail(err, SPUR_E_ARGUMENT, "a sub-writer's name is a path below its parent");
    SPUR__TRY(spur__check_directory_name(name, true, err));
    spur_writer_options o = parent->options;
    char *directory = spur__path_join(parent->place, name);
    if (!directory) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", name);
    o.directory = directory;
    if (!parent->fixed_time) o.wall_time = 0.0;
    spur_status status = spur_writer_open(out, &o, err);
    spur__free(directory);
    if (status != SPUR_OK) return status;
    status = show_below(*out, parent, name, err);
    if (status == SPUR_OK) return SPUR_OK;
    unlink((*out)->path);
    spur_writer_close(*out, NULL);
    *out = NULL;
    return status;
}

/* ---- flushing and closing ------------------------------------------------------------------ */

/* A file whose directory was removed takes everything that is written, and nobody will see it. */
static void warn_if_removed(spur_writer *w) {
    struct stat info;
    pthread_mutex_lock(&w->queue.mutex);
    bool removed = !w->told_removed && fstat(w->queue.fd, &info) == 0 && info.st_nlink == 0;
    w->told_removed = w->told_removed || removed;
    pthread_mutex_unlock(&w->queue.mutex);
    if (removed)
        spur__writer_warn(w, "%s: the event file was removed; what is logged is lost", w->path);
}

spur_status spur_writer_flush(spur_writer *w) {
    if (!spur__alive(w)) return SPUR_OK;
    pthread_mutex_lock(&w->queue.mutex);
    spur_status status = spur__queue_flush(&w->queue);
    pthread_mutex_unlock(&w->queue.mutex);
    status = spur__queue_result(w, status);
    warn_if_removed(w);
    pthread_testcancel(); /* here nothing is held */
    return status;
}

spur_status spur_writer_close(spur_writer *w, spur_error *err) {
    spur__error_clear(err);
    if (!w) return SPUR_OK;
    bool alive = spur__alive(w);
    spur_status status = SPUR_OK;
    if (alive) {
        spur__registry_remove(w);
        warn_if_removed(w);
        spur__queue_result(w, spur__queue_stop(&w->queue));
        status = spur_writer_error(w, err);
    }
    spur__queue_free(&w->queue, !alive);
    if (alive) pthread_mutex_destroy(&w->files);
    free_writer(w);
    return status;
}

/* ---- questions ----------------------------------------------------------------------------- */

const char *spur_writer_directory(const spur_writer *w) {
    return w ? w->directory : "";
}

const char *spur_writer_path(const spur_writer *w) {
    return w ? w->path : "";
}

bool spur_writer_is_noop(const spur_writer *w) {
    return !spur__alive(w);
}

void spur_writer_get_stats(spur_writer *w, spur_writer_stats *stats) {
    if (!stats) return;
    *stats = (spur_writer_stats){0};
    if (!spur__alive(w)) return;
    pthread_mutex_lock(&w->queue.mutex);
    stats->records = w->queue.records;
    stats->bytes = w->queue.written;
    stats->dropped = w->queue.dropped;
    stats->queue_peak = w->queue.peak;
    stats->write_errors = w->queue.write_errors;
    stats->warnings = w->warnings;
    stats->falling_steps = w->falling;
    stats->repeated_steps = w->repeated;
    stats->nonfinite = w->nonfinite;
    pthread_mutex_unlock(&w->queue.mutex);
}

spur_status spur_writer_checkpoint(spur_writer *w, spur_writer_position *position) {
    if (position) *position = (spur_writer_position){.length = 0};
    if (!spur__alive(w)) return SPUR_OK;
    if (!position) return spur__writer_failf(w, SPUR_E_ARGUMENT, "the position is NULL");
    pthread_mutex_lock(&w->queue.mutex);
    uint64_t length = w->queue.accepted;
    spur_status status = spur__queue_flush(&w->queue);
    pthread_mutex_unlock(&w->queue.mutex);
    if (status != SPUR_OK) return spur__queue_result(w, status);
    size_t n = strnlen(w->stream, sizeof position->file - 1);
    memcpy(position->file, w->stream, n);
    position->length = length;
    return SPUR_OK;
}
