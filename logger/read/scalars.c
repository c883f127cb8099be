/* SPDX-License-Identifier: MIT
 *
 * Loads all scalar series below a directory: one pass over each run, one array per column and
 * series. A series is found by its tag's index, so a point costs no search.
 */
#include "read/internal.h"

#include <fnmatch.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"

enum { PROBLEMS_MAX = 100 }; /* of each run */

typedef struct series {
    spur_series public; /* must be first; its arrays are the ones below */
    int64_t *steps;
    double *wall_times, *values;
    size_t capacity;
} series;

struct spur_scalars {
    series **series;
    size_t count, capacity;
    text_list names; /* of runs and tags */
    text_list problems;
};

/* Loading of one run. */
typedef struct loading {
    spur_scalars *scalars;
    const spur_scalars_options *options;
    const char *run_name; /* owned by scalars->names */
    spur_run *run;
    series **by_tag; /* by the tag's index; NULL: not wanted, or not a scalar */
    size_t by_tag_count, by_tag_capacity;
    size_t problems;
    spur_error *err;
} loading;

static spur_status out_of_memory(loading *l) {
    return spur__fail(l->err, SPUR_E_MEMORY, "run %s: out of memory", l->run_name);
}

static bool wanted(const char *pattern, const char *text) {
    return !pattern || fnmatch(pattern, text, 0) == 0;
}

static void free_series(series *s) {
    if (!s) return;
    spur__free(s->steps);
    spur__free(s->wall_times);
    spur__free(s->values);
    spur__free(s);
}

/* A copy of a name that lives as long as the result. */
static const char *keep_name(spur_scalars *scalars, const char *name, size_t size) {
    char *copy = spur__malloc(size + 1);
    if (copy) {
        memcpy(copy, name, size);
        copy[size] = '\0';
    }
    return spur__text_list_add(&scalars->names, copy) ? copy : NULL;
}

static spur_status add_series(loading *l, const spur_tag *tag, series **out) {
    spur_scalars *scalars = l->scalars;
    void *list = scalars->series;
    bool fits = spur__grow(&list, scalars->count, &scalars->capacity, sizeof *scalars->series);
    scalars->series = list;
    if (!fits) return out_of_memory(l);
    const char *name = keep_name(scalars, tag->name, tag->name_size);
    series *made = name ? spur__calloc(1, sizeof *made) : NULL;
    if (!made) return out_of_memory(l);
    made->public = (spur_series){.run = l->run_name, .tag = name, .tag_size = tag->name_size};
    scalars->series[scalars->count++] = made;
    *out = made;
    return SPUR_OK;
}

/* The series of a tag; NULL when it is not wanted. */
static spur_status series_of(loading *l, const spur_tag *tag, series **out) {
    *out = NULL;
    while (l->by_tag_count <= tag->index) {
        void *list = l->by_tag;
        bool fits = spur__grow(&list, l->by_tag_count, &l->by_tag_capacity, sizeof *l->by_tag);
        l->by_tag = list;
        if (!fits) return out_of_memory(l);
        const spur_tag *next = spur_run_tag(l->run, l->by_tag_count);
        series *made = NULL;
        if (next->kind == SPUR_KIND_SCALAR && wanted(l->options->tag, next->name))
            SPUR__TRY(add_series(l, next, &made));
        l->by_tag[l->by_tag_count++] = made;
    }
    *out = l->by_tag[tag->index];
    return SPUR_OK;
}

static bool grow_series(series *s) {
    size_t n = s->capacity ? 2 * s->capacity : 16;
    int64_t *steps = spur__realloc_array(s->steps, n, sizeof *steps);
    if (steps) s->steps = steps;
    double *times = spur__realloc_array(s->wall_times, n, sizeof *times);
    if (times) s->wall_times = times;
    double *values = spur__realloc_array(s->values, n, sizeof *values);
    if (values) s->values = values;
    if (!steps || !times || !values) return false;
    s->capacity = n;
    return true;
}

static spur_status add_problem(loading *l, const char *message) {
    if (l->problems++ >= PROBLEMS_MAX) return SPUR_OK;
    return spur__text_list_add(&l->scalars->problems, spur__strdup(message)) ? SPUR_OK
                                                                             : out_of_memory(l);
}

static spur_status add_point(loading *l, series *s, const spur_event *event, double value) {
    size_t *count = &s->public.count;
    if (l->options->supersede)
        while (*count > 0 && s->steps[*count - 1] >= event->step) --*count;
    if (*count == s->capacity && !grow_series(s)) return out_of_memory(l);
    s->steps[*count] = event->step;
    s->wall_times[*count] = event->wall_time;
    s->values[*count] = value;
    ++*count;
    return SPUR_OK;
}

static spur_status take_value(loading *l, const spur_event *event, const spur_value *value) {
    series *s;
    double number;
    spur_error local;
    SPUR__TRY(series_of(l, value->info, &s));
    if (!s || value->kind != SPUR_KIND_SCALAR) return SPUR_OK;
    if (spur_value_scalar(value, &number, &local) == SPUR_OK) return add_point(l, s, event, number);
    spur__error_prefix(&local, "run %s", l->run_name);
    return add_problem(l, local.message);
}

static spur_status read_events(loading *l) {
    spur_event event;
    spur_status status;
    while ((status = spur_run_next(l->run, &event, l->err)) == SPUR_OK)
        for (spur_value value = {0}; spur_run_value(l->run, &event, &value);)
            SPUR__TRY(take_value(l, &event, &value));
    if (status != SPUR_E_END) return status;
    for (size_t i = 0; i < spur_run_damage_count(l->run); i++)
        SPUR__TRY(add_problem(l, spur_run_damage(l->run, i)->message));
    return SPUR_OK;
}

static spur_status load_run(spur_scalars *scalars, const spur_scalars_options *options,
                            const char *name, const char *path, spur_error *err) {
    loading l = {.scalars = scalars, .options = options, .run_name = name, .err = err};
    l.run_name = keep_name(scalars, name, strlen(name));
    if (!l.run_name) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    spur_status status = spur_run_open(&l.run, path, err);
    if (status == SPUR_OK) status = read_events(&l);
    spur__free(l.by_tag);
    spur_run_close(l.run);
    return status;
}

spur_status spur_scalars_load(spur_scalars **out, const char *path,
                              const spur_scalars_options *options, spur_error *err) {
    static const spur_scalars_options defaults = {0};
    const spur_scalars_options *chosen = options ? options : &defaults;
    spur_logdir *logdir = NULL;
    if (out) *out = NULL;
    SPUR__TRY(spur__check_open(path, out, err));
    spur_scalars *scalars = spur__calloc(1, sizeof *scalars);
    if (!scalars) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    spur_status status = spur_logdir_open(&logdir, path, err);
    for (size_t i = 0; status == SPUR_OK && i < spur_logdir_count(logdir); i++)
        if (wanted(chosen->run, spur_logdir_name(logdir, i)))
            status = load_run(scalars, chosen, spur_logdir_name(logdir, i),
                              spur_logdir_path(logdir, i), err);
    for (size_t i = 0; status == SPUR_OK && i < spur_logdir_problem_count(logdir); i++)
        if (!spur__text_list_add(&scalars->problems, spur__strdup(spur_logdir_problem(logdir, i))))
            status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    spur_logdir_close(logdir);
    if (status != SPUR_OK) {
        spur_scalars_destroy(scalars);
        return status;
    }
    for (size_t i = 0; i < scalars->count; i++) {
        series *s = scalars->series[i];
        s->public.steps = s->steps;
        s->public.wall_times = s->wall_times;
        s->public.values = s->values;
    }
    *out = scalars;
    return SPUR_OK;
}

void spur_scalars_destroy(spur_scalars *scalars) {
    if (!scalars) return;
    for (size_t i = 0; i < scalars->count; i++) free_series(scalars->series[i]);
    spur__text_list_free(&scalars->names);
    spur__text_list_free(&scalars->problems);
    spur__free(scalars->series);
    spur__free(scalars);
}

size_t spur_scalars_count(const spur_scalars *scalars) {
    return scalars ? scalars->count : 0;
}

const spur_series *spur_scalars_series(const spur_scalars *scalars, size_t index) {
    return index < spur_scalars_count(scalars) ? &scalars->series[index]->public : NULL;
}

const spur_series *spur_scalars_find(const spur_scalars *scalars, const char *run,
                                     const char *tag) {
    for (size_t i = 0; run && tag && i < spur_scalars_count(scalars); i++) {
        const spur_series *s = &scalars->series[i]->public;
        if (strcmp(s->run, run) == 0 && strcmp(s->tag, tag) == 0) return s;
    }
    return NULL;
}

size_t spur_scalars_problem_count(const spur_scalars *scalars) {
    return scalars ? scalars->problems.count : 0;
}

const char *spur_scalars_problem(const spur_scalars *scalars, size_t index) {
    return index < spur_scalars_problem_count(scalars) ? scalars->problems.texts[index] : NULL;
}
