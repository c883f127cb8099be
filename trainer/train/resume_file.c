/* SPDX-License-Identifier: MIT
 *
 * Writing and reading positions of files; see resume_file.h.
 */
#include "train/resume_file.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

static const char *const names[RUN_LOG_FILES] = {"run", "train", "validation"};

/* Before and after the validation of an epoch a run stands at the same step. */
static void file_name(const train_position *at, char *out, size_t size) {
    snprintf(out, size, "resume/step_%" PRId64 "_epoch_%" PRId64 ".ini", at->step, at->epoch);
}

spur_status resume_file_write(const run_dir *run, const train_position *at,
                              const run_log_position *position, spur_error *err) {
    char name[96];
    spur__str text;
    char *directory = run_path(run, "resume");
    if (!directory) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = spur__mkdirs_synced(directory, err);
    spur__free(directory);
    SPUR__TRY(status);
    spur__str_init(&text, 1 << 16);
    spur__str_printf(&text, "[csv]\nlength = %" PRIu64 "\n", position->csv);
    for (int i = 0; i < RUN_LOG_FILES; i++) {
        if (!position->events[i].file[0]) continue;
        spur__str_printf(&text, "\n[%s]\nfile = %s\nlength = %" PRIu64 "\n", names[i],
                         position->events[i].file, position->events[i].length);
    }
    file_name(at, name, sizeof name);
    status = run_write(run, name, &text, err);
    spur__str_free(&text);
    return status;
}

static bool get_length(const document *doc, const char *section, uint64_t *out) {
    const document_entry *entry = document_find(doc, section, "length");
    long long value;
    if (!entry || !spur__parse_int(entry->value, &value) || value < 0) return false;
    *out = (uint64_t)value;
    return true;
}

static bool get_file(const document *doc, const char *section, spur_writer_position *out) {
    const document_entry *entry = document_find(doc, section, "file");
    if (!entry) return true;
    if (strlen(entry->value) >= sizeof out->file || strchr(entry->value, '/')) return false;
    memcpy(out->file, entry->value, strlen(entry->value) + 1);
    return get_length(doc, section, &out->length);
}

spur_status resume_file_read(const run_dir *run, const train_position *at,
                             run_log_position *position, spur_error *err) {
    char name[96];
    document doc;
    memset(position, 0, sizeof *position);
    file_name(at, name, sizeof name);
    char *path = run_path(run, name);
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    document_init(&doc);
    spur_status status = document_read(&doc, path, err);
    bool whole = status == SPUR_OK && get_length(&doc, "csv", &position->csv);
    for (int i = 0; whole && i < RUN_LOG_FILES; i++)
        whole = get_file(&doc, names[i], &position->events[i]);
    if (status == SPUR_OK && !whole)
        status = spur__fail(err, SPUR_E_DAMAGED, "%s: not a whole record of positions", path);
    document_free(&doc);
    spur__free(path);
    return status;
}

void resume_file_sweep(const run_dir *run, const train_position *at) {
    char keep[96];
    char *directory = run_path(run, "resume");
    DIR *dir = directory ? opendir(directory) : NULL;
    file_name(at, keep, sizeof keep);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (strncmp(entry->d_name, "step_", 5) != 0 || strcmp(entry->d_name, keep + 7) == 0)
            continue;
        char *whole = spur__path_join(directory, entry->d_name);
        if (whole) unlink(whole);
        spur__free(whole);
    }
    if (dir) closedir(dir);
    spur__free(directory);
}
