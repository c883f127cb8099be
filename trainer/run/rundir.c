/* SPDX-License-Identifier: MIT
 *
 * Making, locking and leaving run directories; status.ini.
 */
#include "run/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "output/text.h"
#include "run/lock.h"
#include "run/process.h"

enum { MOST_CLASHES = 10000, LEFT_OVER_SECONDS = 3600 };

static const char *const state_names[RUN_STATE_COUNT] = {"running", "done", "failed", "interrupted",
                                                         "pruned"};

char *run_path(const run_dir *run, const char *name) {
    return spur__path_join(run->path, name);
}

/* Tries the name with "", "_1", "_2", ... until the directory could be made. */
static spur_status make_exclusive(const char *base, char **out, spur_error *err) {
    size_t size = strlen(base) + 16;
    char *path = spur__malloc(size);
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", base);
    for (int i = 0; i < MOST_CLASHES; i++) {
        snprintf(path, size, i ? "%s_%d" : "%s", base, i);
        if (mkdir(path, 0777) == 0) {
            *out = path;
            return spur__sync_name(path, err);
        }
        if (errno != EEXIST) break;
    }
    spur_status status = spur__fail_errno(err, errno, "%s: cannot create the run directory", path);
    spur__free(path);
    return status;
}

static spur_status make_dated(run_dir *run, const char *logdir, const char *name, spur_error *err) {
    char date[64];
    time_t now = (time_t)run->started;
    struct tm local;
    localtime_r(&now, &local);
    strftime(date, sizeof date, "run_%Y_%m_%d-%H_%M_%S", &local);
    spur__str base;
    spur__str_init(&base, 8192);
    spur__str_printf(&base, "%s%s%s%s%s", logdir, logdir[strlen(logdir) - 1] == '/' ? "" : "/",
                     date, *name ? "_" : "", name);
    spur_status status = spur__str_status(&base);
    if (status != SPUR_OK)
        spur__fail(err, status, "%s: path too long", logdir);
    else
        status = spur__mkdirs_synced(logdir, err);
    if (status == SPUR_OK) status = make_exclusive(spur__str_text(&base), &run->path, err);
    spur__str_free(&base);
    return status;
}

/* The place that a sweep chose, which may exist. */
static spur_status take_given(run_dir *run, const char *path, spur_error *err) {
    SPUR__TRY(spur__mkdirs_synced(path, err));
    run->path = spur__path_plain(path);
    return run->path ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
}

/* Looked at once the lock is ours: until then another process may make one. */
static spur_status check_empty(const run_dir *run, spur_error *err) {
    char *status_file = run_path(run, "status.ini");
    if (!status_file) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", run->path);
    bool taken = spur__exists(status_file);
    spur__free(status_file);
    return taken ? spur__fail(err, SPUR_E_EXISTS, "%s: holds a run already (see `spur resume`)",
                              run->path)
                 : SPUR_OK;
}

spur_status run_create(run_dir *run, const char *logdir, const char *name, spur_error *err) {
    *run = (run_dir){.lock = -1, .started = spur__wall_time()};
    const char *given = getenv("SPUR_RUN_DIR");
    spur_status status =
        given && *given ? take_given(run, given, err) : make_dated(run, logdir, name, err);
    if (status == SPUR_OK) status = lock_take(run->path, RUN_LOCK, &run->lock, err);
    if (status == SPUR_OK) status = check_empty(run, err);
    if (status != SPUR_OK) run_close(run);
    return status;
}

/* What the run's processes left that were killed; a file of `spur tag` may be of one that lives. */
static void remove_leftovers(const run_dir *run) {
    char *resume = run_path(run, "resume");
    spur__remove_leftovers(run->path, LEFT_OVER_SECONDS);
    if (resume) spur__remove_leftovers(resume, 0);
    spur__free(resume);
}

spur_status run_open(run_dir *run, const char *path, spur_error *err) {
    *run = (run_dir){.lock = -1, .started = spur__wall_time()};
    run->path = spur__path_plain(path);
    if (!run->path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    char *config_file = run_path(run, "config.ini");
    bool there = config_file && spur__exists(config_file);
    spur__free(config_file);
    spur_status status = there ? lock_take(run->path, RUN_LOCK, &run->lock, err)
                               : spur__fail(err, SPUR_E_NOTFOUND,
                                            "%s: not a run directory (no config.ini in it)", path);
    if (status == SPUR_OK) remove_leftovers(run);
    if (status != SPUR_OK) run_close(run);
    return status;
}

void run_close(run_dir *run) {
    if (run->lock >= 0) close(run->lock);
    spur__free(run->path);
    *run = (run_dir){.lock = -1};
}

spur_status run_write(const run_dir *run, const char *name, const spur__str *text,
                      spur_error *err) {
    char *path = run_path(run, name);
    spur_status status = text_write(path, text, err);
    spur__free(path);
    return status;
}

void run_format_time(double seconds, char *out, size_t size) {
    time_t whole = (time_t)seconds;
    struct tm utc;
    gmtime_r(&whole, &utc);
    strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

void run_put_message(spur__str *out, const char *message) {
    for (; *message; message++) {
        char c = (unsigned char)*message < ' ' ? ' ' : *message;
        if ((c == ';' || c == '#') && out->length && out->data[out->length - 1] == ' ') c = ',';
        spur__str_putc(out, c);
    }
}

/* The last word of a run on a full disk: the file that is there has a block already, which a new one
 * would not get. False when that fails, too. */
static bool overwrite_status(const run_dir *run, const spur__str *text) {
    char *path = run_path(run, "status.ini");
    int file = path && spur__str_status(text) == SPUR_OK ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    bool written = file >= 0 && spur__write_all(file, text->data, text->length) == 0 &&
                   ftruncate(file, (off_t)text->length) == 0 && fsync(file) == 0;
    if (file >= 0) close(file);
    spur__free(path);
    return written;
}

spur_status run_write_status(const run_dir *run, const run_status *s, spur_error *err) {
    char started[32], updated[32], boot[64];
    spur__str text;
    spur__str_init(&text, 1 << 16);
    run_format_time(run->started, started, sizeof started);
    run_format_time(spur__wall_time(), updated, sizeof updated);
    process_boot_id(boot, sizeof boot);
    spur__str_printf(&text, "[status]\nstate = %s\npid = %ld\nprocess_start = %llu\nboot = %s\n",
                     state_names[s->state], (long)getpid(), process_start_ticks(getpid()), boot);
    spur__str_printf(&text, "started = %s\nupdated = %s\nepoch = %lld\nstep = %lld\n", started,
                     updated, (long long)s->epoch, (long long)s->step);
    if (s->state != RUN_RUNNING) spur__str_printf(&text, "exit = %d\n", s->exit_code);
    if (s->monitor) {
        spur__str_printf(&text, "monitor = %s\ndirection = %s\nbest = ", s->monitor,
                         s->maximize ? "max" : "min");
        spur__str_double(&text, s->best);
        spur__str_printf(&text, "\nbest_epoch = %lld\n", (long long)s->best_epoch);
    }
    if (s->message) {
        spur__str_puts(&text, "message = ");
        run_put_message(&text, s->message);
        spur__str_putc(&text, '\n');
    }
    spur_status status = run_write(run, "status.ini", &text, err);
    if (status != SPUR_OK && s->state != RUN_RUNNING && overwrite_status(run, &text))
        status = SPUR_OK;
    spur__str_free(&text);
    return status;
}
