/* SPDX-License-Identifier: MIT
 *
 * Event files and metrics.csv of a run; see run_log.h.
 */
#include "train/run_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

static const char *const folders[RUN_LOG_FILES] = {"", "train", "validation"};

static spur_status open_writer(run_log *l, int i, const run_dir *run, double flush_seconds,
                               const run_log_position *from, spur_error *err) {
    bool resumed = from && from->events[i].file[0];
    char *directory = *folders[i] ? run_path(run, folders[i]) : spur__strdup(run->path);
    if (!directory) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    /* 0 is the writer's default; here nothing is to wait */
    spur_writer_options options = {.directory = directory,
                                   .flush_seconds = flush_seconds > 0 ? flush_seconds : 1e-9};
    if (resumed) {
        options.continue_file = from->events[i].file;
        options.continue_length = from->events[i].length;
    }
    spur_status status = spur_writer_open(&l->writers[i], &options, err);
    spur__free(directory);
    return status;
}

static spur_status put_csv(run_log *l, const spur__str *line, spur_error *err) {
    spur_status status = spur__str_status(line);
    if (status != SPUR_OK) return spur__fail(err, status, "%s: out of memory", l->csv_path);
    int failed = spur__write_all(l->csv, line->data, line->length);
    if (failed) return spur__fail_errno(err, failed, "%s: cannot write", l->csv_path);
    l->csv_length += line->length;
    return SPUR_OK;
}

static spur_status put_header(run_log *l, spur_error *err) {
    spur__str line;
    spur__str_init(&line, 1 << 16);
    spur__str_puts(&line, "epoch,step,loss");
    for (size_t i = 0; i < l->measures->count; i++)
        spur__str_printf(&line, ",%s", l->measures->items[i].name);
    if (l->has_validation) {
        spur__str_puts(&line, ",val_loss");
        for (size_t i = 0; i < l->measures->count; i++)
            spur__str_printf(&line, ",val_%s", l->measures->items[i].name);
    }
    spur__str_puts(&line, ",learning_rate\n");
    spur_status status = put_csv(l, &line, err);
    spur__str_free(&line);
    return status;
}

/* Cuts metrics.csv to the length that it had at the checkpoint. */
static spur_status cut_csv(const char *path, uint64_t length, spur_error *err) {
    char *text = NULL;
    size_t size;
    SPUR__TRY(spur__file_read(path, (size_t)1 << 30, &text, &size, err));
    spur_status status =
        size < length ? spur__fail(err, SPUR_E_DAMAGED,
                                   "%s: %zu bytes, expected at least %llu (the last checkpoint's)",
                                   path, size, (unsigned long long)length)
                      : spur__file_write(path, text, (size_t)length, err);
    spur__free(text);
    return status;
}

static spur_status open_csv(run_log *l, const run_dir *run, const run_log_position *from,
                            spur_error *err) {
    l->csv_path = run_path(run, "metrics.csv");
    if (!l->csv_path) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    if (from) SPUR__TRY(cut_csv(l->csv_path, from->csv, err));
    l->csv = open(l->csv_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (l->csv < 0) return spur__fail_errno(err, errno, "%s: cannot create", l->csv_path);
    if (from) l->csv_length = from->csv;
    return from ? SPUR_OK : put_header(l, err);
}

spur_status run_log_open(run_log *l, const run_dir *run, double flush_seconds, bool has_validation,
                         const measures *m, const run_log_position *from, spur_error *err) {
    *l = (run_log){.csv = -1, .measures = m, .has_validation = has_validation};
    spur_status status = open_csv(l, run, from, err);
    for (int i = 0; status == SPUR_OK && i < RUN_LOG_FILES; i++)
        if (i != RUN_LOG_VALIDATION || has_validation)
            status = open_writer(l, i, run, flush_seconds, from, err);
    if (status != SPUR_OK) run_log_close(l, NULL);
    return status;
}

static spur_status discard_events(const char *directory, spur_error *err) {
    DIR *dir = opendir(directory);
    spur_status status = SPUR_OK;
    if (!dir) return errno == ENOENT ? SPUR_OK : spur__fail_errno(err, errno, "%s", directory);
    for (struct dirent *entry; status == SPUR_OK && (entry = readdir(dir));) {
        if (!strstr(entry->d_name, "tfevents")) continue;
        char *path = spur__path_join(directory, entry->d_name);
        if (!path || unlink(path) != 0)
            status = spur__fail_errno(err, errno, "%s/%s: cannot remove", directory, entry->d_name);
        spur__free(path);
    }
    closedir(dir);
    return status;
}

spur_status run_log_discard(const run_dir *run, spur_error *err) {
    spur_status status = SPUR_OK;
    for (int i = 0; status == SPUR_OK && i < RUN_LOG_FILES; i++) {
        char *directory = *folders[i] ? run_path(run, folders[i]) : spur__strdup(run->path);
        status = directory ? discard_events(directory, err)
                           : spur__fail(err, SPUR_E_MEMORY, "out of memory");
        spur__free(directory);
    }
    char *csv = run_path(run, "metrics.csv");
    if (csv) unlink(csv);
    spur__free(csv);
    return status;
}

spur_status run_log_close(run_log *l, spur_error *err) {
    spur_status first = SPUR_OK;
    for (int i = 0; i < RUN_LOG_FILES; i++) {
        spur_status status = spur_writer_close(l->writers[i], first == SPUR_OK ? err : NULL);
        if (first == SPUR_OK) first = status;
        l->writers[i] = NULL;
    }
    if (l->csv >= 0 && close(l->csv) != 0 && first == SPUR_OK)
        first = spur__fail_errno(err, errno, "%s: cannot write", l->csv_path);
    l->csv = -1;
    spur__free(l->csv_path);
    l->csv_path = NULL;
    return first;
}

spur_status run_log_check(run_log *l, spur_error *err) {
    for (int i = 0; i < RUN_LOG_FILES; i++) {
        spur_status status = spur_writer_error(l->writers[i], err);
        if (status != SPUR_OK) return status;
    }
    return SPUR_OK;
}

/* What a checkpoint counts on must be there after a power cut, too: the files, and, once, their names
 * and those of train/ and validation/ in the run. */
static spur_status sync_file(int fd, const char *path, spur_error *err) {
    bool synced = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL || errno == EROFS);
    return synced ? SPUR_OK : spur__fail_errno(err, errno, "%s: cannot sync", path);
}

static spur_status sync_events(const spur_writer *log, bool named, spur_error *err) {
    int fd = open(spur_writer_path(log), O_RDONLY | O_CLOEXEC);
    spur_status status = sync_file(fd, spur_writer_path(log), err);
    if (fd >= 0) close(fd);
    if (status != SPUR_OK || named) return status;
    return spur__sync_directory(spur_writer_directory(log), err);
}

spur_status run_log_tell(run_log *l, run_log_position *position, spur_error *err) {
    memset(position, 0, sizeof *position);
    position->csv = l->csv_length;
    SPUR__TRY(sync_file(l->csv, l->csv_path, err));
    for (int i = 0; i < RUN_LOG_FILES; i++) {
        if (!l->writers[i]) continue;
        spur_status status = spur_writer_checkpoint(l->writers[i], &position->events[i]);
        if (status != SPUR_OK) {
            spur_status known = spur_writer_error(l->writers[i], err);
            return known != SPUR_OK
                       ? known
                       : spur__fail(err, status, "%s: %s", spur_writer_path(l->writers[i]),
                                    spur_strstatus(status));
        }
        SPUR__TRY(sync_events(l->writers[i], l->named, err));
    }
    l->named = true;
    return SPUR_OK;
}

static void log_result(run_log *l, run_log_file file, const epoch_record *r,
                       const pass_result *result) {
    char tag[METRIC_NAME + 48];
    spur_writer *log = l->writers[file];
    bool validation = file == RUN_LOG_VALIDATION;
    spur_log_scalar(log, "epoch_loss", r->epoch, result->loss);
    if (validation) spur_log_scalar(log, "evaluation_loss_vs_iterations", r->step, result->loss);
    for (size_t i = 0; i < l->measures->count; i++) {
        const char *name = l->measures->items[i].name;
        snprintf(tag, sizeof tag, "epoch_%s", name);
        spur_log_scalar(log, tag, r->epoch, result->values[i]);
        if (!validation) continue;
        snprintf(tag, sizeof tag, "evaluation_%s_vs_iterations", name);
        spur_log_scalar(log, tag, r->step, result->values[i]);
    }
}

/* ",value"; nothing where there is no value. */
static void put_value(spur__str *line, double value, bool there) {
    spur__str_putc(line, ',');
    if (there) spur__str_double(line, value);
}

static void put_columns(spur__str *line, const run_log *l, const pass_result *result, bool there) {
    put_value(line, result->loss, there);
    for (size_t i = 0; i < l->measures->count; i++) put_value(line, result->values[i], there);
}

spur_status run_log_epoch(run_log *l, const epoch_record *r, spur_error *err) {
    log_result(l, RUN_LOG_TRAIN, r, &r->train);
    spur_log_scalar(l->writers[RUN_LOG_TRAIN], "epoch_learning_rate", r->epoch, r->learning_rate);
    if (r->validated) log_result(l, RUN_LOG_VALIDATION, r, &r->validation);
    spur__str line;
    spur__str_init(&line, 1 << 16);
    spur__str_printf(&line, "%lld,%lld", (long long)r->epoch, (long long)r->step);
    put_columns(&line, l, &r->train, true);
    if (l->has_validation) put_columns(&line, l, &r->validation, r->validated);
    put_value(&line, r->learning_rate, true);
    spur__str_putc(&line, '\n');
    spur_status status = put_csv(l, &line, err);
    spur__str_free(&line);
    return status == SPUR_OK ? run_log_check(l, err) : status;
}
