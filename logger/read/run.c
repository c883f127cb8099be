/* SPDX-License-Identifier: MIT
 *
 * One run: its event files in the order of their names, each read on from where it ended. Only the
 * file that is being read is open, so that a directory with thousands of files needs one
 * descriptor and one buffer.
 *
 * A round goes through all files once and then says END; the next call begins a new round by
 * looking for new files.
 */
#include "read/internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "framing.h"

enum { DAMAGE_KEPT = 100 };

struct spur_run {
    char *path;
    bool is_directory;
    spur_run_file *files; /* sorted by name */
    size_t file_count, file_capacity;
    bool in_round;
    size_t current; /* file of this round */
    spur_records *records; /* of the current file, when open */
    tag_table tags;
    tag_entry *last; /* tag of the last value */
    bool clean; /* the last event was without fault */
    spur_run_info info;
    spur_damage *damage;
    size_t damage_count, damage_capacity;
    bool memory_failed; /* in spur_run_value(), which cannot say so itself */
};

bool spur__is_event_file_name(const char *name) {
    return strstr(name, "tfevents") != NULL;
}

/* ---- files ---------------------------------------------------------------------------------- */

/* Position of a name in the sorted list, or where it would stand. */
static size_t position_of(const spur_run *run, const char *name, bool *found) {
    size_t low = 0, high = run->file_count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(run->files[middle].name, name);
        if (order == 0) *found = true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool add_file(spur_run *run, const char *name) {
    bool known;
    size_t at = position_of(run, name, &known);
    if (known) return true;
    char *copy = spur__strdup(name);
    void *files = run->files;
    bool fits =
        copy && spur__grow(&files, run->file_count, &run->file_capacity, sizeof *run->files);
    run->files = files;
    if (!fits) {
        spur__free(copy);
        return false;
    }
    memmove(run->files + at + 1, run->files + at, (run->file_count - at) * sizeof *run->files);
    run->files[at] = (spur_run_file){.name = copy};
    run->file_count++;
    for (size_t i = 0; i < run->damage_count; i++)
        if (run->damage[i].file >= at) run->damage[i].file++;
    return true;
}

static spur_status file_path(const spur_run *run, const char *name, char **out, spur_error *err) {
    *out = run->is_directory ? spur__path_join(run->path, name) : spur__strdup(run->path);
    return *out ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", run->path);
}

/* Adds an entry of the directory if it is an event file. */
static spur_status consider(spur_run *run, const char *name, spur_error *err) {
    struct stat info;
    char *path;
    if (!spur__is_event_file_name(name)) return SPUR_OK;
    SPUR__TRY(file_path(run, name, &path, err));
    bool regular = stat(path, &info) == 0 && S_ISREG(info.st_mode);
    spur__free(path);
    if (!regular || add_file(run, name)) return SPUR_OK;
    return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", run->path);
}

static spur_status find_files(spur_run *run, spur_error *err) {
    if (!run->is_directory) return SPUR_OK;
    DIR *directory = opendir(run->path);
    if (!directory)
        return errno == ENOENT && run->file_count > 0 /* was deleted meanwhile */
                   ? SPUR_OK
                   : spur__fail_errno(err, errno, "%s: cannot read directory", run->path);
    spur_status status = SPUR_OK;
    for (struct dirent *entry; status == SPUR_OK && (entry = readdir(directory));)
        status = consider(run, entry->d_name, err);
    closedir(directory);
    return status;
}

static spur_status look_at(spur_run *run, spur_error *err) {
    struct stat info;
    if (stat(run->path, &info) != 0)
        return spur__fail_errno(err, errno, "%s: cannot open", run->path);
    run->is_directory = S_ISDIR(info.st_mode);
    if (run->is_directory) return find_files(run, err);
    if (!S_ISREG(info.st_mode))
        return spur__fail(err, SPUR_E_TYPE, "%s: neither a directory nor a regular file",
                          run->path);
    if (add_file(run, spur__path_name(run->path))) return SPUR_OK;
    return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", run->path);
}

spur_status spur_run_open(spur_run **out, const char *path, spur_error *err) {
    if (out) *out = NULL;
    SPUR__TRY(spur__check_open(path, out, err));
    spur_run *run = spur__calloc(1, sizeof *run);
    if (run) run->path = spur__strdup(path);
    if (!run || !run->path) {
        spur__free(run);
        return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    }
    spur_status status = look_at(run, err);
    if (status != SPUR_OK) {
        spur_run_close(run);
        return status;
    }
    run->in_round = true;
    *out = run;
    return SPUR_OK;
}

void spur_run_close(spur_run *run) {
    if (!run) return;
    spur_records_close(run->records);
    for (size_t i = 0; i < run->file_count; i++) spur__free((void *)(uintptr_t)run->files[i].name);
    for (size_t i = 0; i < run->damage_count; i++)
        spur__free((void *)(uintptr_t)run->damage[i].message);
    spur__tag_table_free(&run->tags);
    spur__free(run->damage);
    spur__free(run->files);
    spur__free(run->path);
    spur__free(run);
}

/* ---- events --------------------------------------------------------------------------------- */

/* Notes damage of the current file; without memory it is only counted. */
static void note_damage(spur_run *run, spur_status status, uint64_t offset, const char *message) {
    run->info.damage++;
    run->files[run->current].damaged++;
    if (run->damage_count == DAMAGE_KEPT) return;
    void *damage = run->damage;
    char *copy = spur__strdup(message);
    bool fits =
        copy && spur__grow(&damage, run->damage_count, &run->damage_capacity, sizeof *run->damage);
    run->damage = damage;
    if (!fits) {
        spur__free(copy);
        return;
    }
    run->damage[run->damage_count++] = (spur_damage){status, offset, run->current, copy};
}

/* Ends with the current file for this round. */
static void leave_file(spur_run *run, bool truncated) {
    spur_run_file *file = &run->files[run->current];
    if (run->records) {
        file->size = spur__records_size(run->records);
        file->stuck = spur_records_stuck(run->records);
        file->truncated = truncated;
    }
    spur_records_close(run->records);
    run->records = NULL;
    run->current++;
}

/* Opens the current file where it was left. Files that are gone or unreadable are left out. */
static spur_status enter_file(spur_run *run, spur_error *err) {
    spur_run_file *file = &run->files[run->current];
    spur_error local;
    char *path;
    if (file->stuck) {
        run->current++;
        return SPUR_OK;
    }
    SPUR__TRY(file_path(run, file->name, &path, err));
    spur_status status = spur_records_open(&run->records, path, &local);
    spur__free(path);
    if (status == SPUR_E_MEMORY) {
        if (err) *err = local;
        return status;
    }
    if (status == SPUR_OK) {
        spur__records_seek(run->records, file->read);
        return SPUR_OK;
    }
    bool gone = status == SPUR_E_NOTFOUND && file->size > 0;
    if (!gone && file->damaged == 0) note_damage(run, SPUR_E_IO, file->read, local.message);
    run->current++;
    return SPUR_OK;
}

static void note_event(spur_run *run, const spur_event *event) {
    spur_run_info *info = &run->info;
    double wall = event->wall_time;
    if (info->events == 0) info->first_wall_time = info->last_wall_time = wall;
    if (wall < info->first_wall_time) info->first_wall_time = wall;
    if (wall > info->last_wall_time) info->last_wall_time = wall;
    info->events++;
    run->files[run->current].events++;
    if (event->what == SPUR_EVENT_SESSION_LOG && event->code == SPUR_SESSION_START) info->starts++;
    if (event->what == SPUR_EVENT_FILE_VERSION) info->has_version = true;
}

/* Decodes a payload; false when it is damaged beyond use (and noted). */
static bool take_payload(spur_run *run, spur_slice payload, spur_event *event) {
    spur_error local;
    const tag_entry *guess = run->last ? run->tags.tags[run->last->next] : NULL;
    spur_status status =
        spur__event_decode(payload, guess ? &guess->template : NULL, event, &local);
    run->clean = status == SPUR_OK;
    uint64_t offset = spur_records_offset(run->records);
    if (status != SPUR_OK) {
        spur__error_prefix(&local, "%s: record at byte %llu", spur_records_path(run->records),
                           (unsigned long long)offset);
        note_damage(run, status, offset, local.message);
    }
    if (status == SPUR_E_FORMAT) return false;
    note_event(run, event);
    return true;
}

/* The next event of the current file. SPUR_E_END: none, the file was left. SPUR_E_AGAIN: damage
 * was noted, go on. */
static spur_status next_of_file(spur_run *run, spur_event *event, spur_error *err) {
    spur_slice payload;
    spur_error local;
    spur_status status = spur_records_next(run->records, &payload, &local);
    spur_run_file *file = &run->files[run->current];
    uint64_t begin = spur_records_offset(run->records);
    switch (status) {
    case SPUR_OK:
        file->read = begin + payload.size + SPUR__RECORD_FRAME;
        return take_payload(run, payload, event) ? SPUR_OK : SPUR_E_AGAIN;
    case SPUR_E_END:
    case SPUR_E_AGAIN:
        file->read = begin;
        leave_file(run, status == SPUR_E_AGAIN);
        return SPUR_E_END;
    case SPUR_E_DAMAGED:
    case SPUR_E_RANGE:
        note_damage(run, status, begin, local.message);
        if (!spur_records_stuck(run->records)) return SPUR_E_AGAIN;
        leave_file(run, false);
        return SPUR_E_END;
    default:
        if (err) *err = local;
        return status;
    }
}

spur_status spur_run_next(spur_run *run, spur_event *event, spur_error *err) {
    if (run->memory_failed) {
        run->memory_failed = false;
        return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", run->path);
    }
    if (!run->in_round) {
        SPUR__TRY(find_files(run, err));
        run->in_round = true;
        run->current = 0;
    }
    while (run->current < run->file_count) {
        if (!run->records) {
            SPUR__TRY(enter_file(run, err));
            continue;
        }
        spur_status status = next_of_file(run, event, err);
        if (status != SPUR_E_END && status != SPUR_E_AGAIN) return status;
    }
    run->in_round = false;
    return SPUR_E_END;
}

/* ---- values --------------------------------------------------------------------------------- */

/* A graph or tagged run metadata as a value of one tag. */
static bool event_as_value(const spur_event *event, spur_value *value) {
    static const char run_graph[] = "__run_graph__", nothing[] = "";
    const spur_slice empty = {nothing, 0};
    bool graph = event->what == SPUR_EVENT_GRAPH;
    if ((!graph && event->what != SPUR_EVENT_RUN_METADATA) || value->position > 0) return false;
    *value = (spur_value){
        .tag = graph ? (spur_slice){run_graph, sizeof run_graph - 1} : event->name,
        .kind = graph ? SPUR_KIND_GRAPH : SPUR_KIND_PROFILE,
        .plugin = empty,
        .plugin_content = empty,
        .display_name = empty,
        .description = empty,
        .body = event->data,
        .position = 1,
    };
    return true;
}

static void count_value(spur_tag *tag, const spur_event *event, const spur_value *value) {
    int64_t step = event->step;
    if (tag->count == 0) {
        tag->first_step = tag->min_step = tag->max_step = step;
        tag->first_wall_time = event->wall_time;
    } else {
        tag->falling += step < tag->last_step;
        tag->repeated += step == tag->last_step;
    }
    if (step < tag->min_step) tag->min_step = step;
    if (step > tag->max_step) tag->max_step = step;
    tag->last_step = step;
    tag->last_wall_time = event->wall_time;
    tag->foreign += value->kind != tag->kind;
    tag->bytes += value->body.size;
    tag->count++;
}

/* Makes a value that had to be decoded the template of its tag; less often for a tag whose values
 * keep changing. */
static void keep_template(const spur_run *run, tag_entry *entry, const spur_value *value) {
    if (!run->clean || entry->templates > 16 + entry->tag.count / 8) return;
    entry->templates++;
    spur__value_template_make(&entry->template, value);
    entry->template.value.info = &entry->tag; /* tells that the tag is known */
}

bool spur_run_value(spur_run *run, const spur_event *event, spur_value *value) {
    if (!spur_event_value(event, value) && !event_as_value(event, value)) return false;
    tag_entry *entry =
        value->info ? run->tags.tags[value->info->index] : spur__tag_table_get(&run->tags, value);
    if (!entry) {
        run->memory_failed = true;
        return false;
    }
    if (!value->info) keep_template(run, entry, value);
    if (run->last) run->last->next = entry->tag.index;
    run->last = entry;
    bool silent = !value->has_metadata && value->form == SPUR_FORM_TENSOR;
    if (silent) value->kind = entry->tag.kind;
    count_value(&entry->tag, event, value);
    value->info = &entry->tag;
    return true;
}

/* ---- what is known -------------------------------------------------------------------------- */

size_t spur_run_tag_count(const spur_run *run) {
    return run->tags.count;
}

const spur_tag *spur_run_tag(const spur_run *run, size_t index) {
    return index < run->tags.count ? &run->tags.tags[index]->tag : NULL;
}

const spur_tag *spur_run_find_tag(const spur_run *run, const char *name) {
    if (!run || !name) return NULL;
    return spur__tag_table_find(&run->tags, (spur_slice){name, strlen(name)});
}

size_t spur_run_file_count(const spur_run *run) {
    return run->file_count;
}

const spur_run_file *spur_run_file_at(const spur_run *run, size_t index) {
    return index < run->file_count ? &run->files[index] : NULL;
}

spur_run_info spur_run_get_info(const spur_run *run) {
    return run->info;
}

size_t spur_run_damage_count(const spur_run *run) {
    return run->damage_count;
}

const spur_damage *spur_run_damage(const spur_run *run, size_t index) {
    return index < run->damage_count ? &run->damage[index] : NULL;
}
