/* SPDX-License-Identifier: MIT
 *
 * Writing and reading data.ini; see card.h.
 */
#include "train/card.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/dataset.h"

static const char *const tasks[] = {"classification", "segmentation", "regression"};

enum { MOST_CLASSES = 100000, MOST_CHANNELS = 65536, SPLITS = 3 };

static const char *const splits[SPLITS] = {[SPUR_SPLIT_TRAIN] = "training",
                                           [SPUR_SPLIT_VALIDATION] = "validation",
                                           [SPUR_SPLIT_TEST] = "test"};

static void put_floats(spur__str *out, const char *key, const float *values, int n) {
    spur__str_printf(out, "%s =", key);
    for (int i = 0; values && i < n; i++) {
        spur__str_puts(out, i ? ", " : " ");
        spur__str_double(out, (double)values[i]);
    }
    spur__str_putc(out, '\n');
}

static void put_names(spur__str *out, const char *section, const char *const *names, size_t n) {
    spur__str_printf(out, "\n[%s]\n", section);
    for (size_t i = 0; i < n; i++) {
        spur__str_printf(out, "%zu = ", i);
        document_put_text(out, names[i]);
        spur__str_putc(out, '\n');
    }
}

spur_status card_write(const run_dir *run, const spur_data_info *info, spur_error *err) {
    spur__str text;
    spur__str_init(&text, 1 << 24);
    spur__str_printf(&text,
                     "[data]\ntask = %s\nheight = %d\nwidth = %d\nchannels = %d\nclasses = %zu\n"
                     "targets = %zu\nignore_index = %d\n",
                     tasks[info->task], info->height, info->width, info->channels, info->classes,
                     info->targets, info->ignore_index);
    put_floats(&text, "mean", info->mean, info->channels);
    put_floats(&text, "std", info->std, info->channels);
    spur__str_puts(&text, "\n[samples]\n");
    for (int i = 0; i < SPLITS; i++)
        spur__str_printf(&text, "%s = %zu\n", splits[i], info->samples[i]);
    put_names(&text, "classes", info->class_names, info->classes);
    if (info->feature_names)
        put_names(&text, "features", info->feature_names, (size_t)info->channels);
    spur_status status = run_write(run, "data.ini", &text, err);
    spur__str_free(&text);
    return status;
}

static spur_status get_number(const document *doc, const char *key, long long low, long long high,
                              long long *out, spur_error *err) {
    const document_entry *entry = document_find(doc, "data", key);
    if (!entry)
        return spur__fail(err, SPUR_E_FORMAT, "%s: no '%s' in [data]",
                          doc->file_count ? doc->files[0] : "data.ini", key);
    if (spur__parse_int(entry->value, out) && *out >= low && *out <= high) return SPUR_OK;
    return document_fail(entry, true, SPUR_E_RANGE, err,
                         "found '%s', expected a whole number in [%lld, %lld]", entry->value, low,
                         high);
}

/* As many numbers as channels; an absent or empty list leaves *out NULL. */
static spur_status get_floats(const document *doc, const char *key, int n, float **out,
                              spur_error *err) {
    const document_entry *entry = document_find(doc, "data", key);
    if (!entry || !*entry->value) return SPUR_OK;
    float *values = spur__malloc_array((size_t)n, sizeof *values);
    if (!values) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    *out = values;
    const char *p = entry->value;
    for (int i = 0; i < n; i++) {
        char *end;
        values[i] = strtof(p, &end);
        bool last = i + 1 == n;
        end += strspn(end, " ");
        if (end == p || (last ? *end != '\0' : *end != ','))
            return document_fail(entry, true, SPUR_E_FORMAT, err, "expected %d numbers", n);
        p = end + 1;
    }
    return SPUR_OK;
}

/* A missing one is called by its number. */
static spur_status get_names(const document *doc, const char *section, size_t n, char ***out,
                             spur_error *err) {
    char key[32];
    char **names = *out = spur__calloc(n ? n : 1, sizeof *names);
    if (!names) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        snprintf(key, sizeof key, "%zu", i);
        const document_entry *entry = document_find(doc, section, key);
        names[i] = spur__strdup(entry ? entry->value : key);
        if (!names[i]) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
        document_decode_text(names[i]);
    }
    return SPUR_OK;
}

/* Runs of earlier versions do not have them. */
static void get_samples(const document *doc, card *c) {
    c->counted = true;
    for (int i = 0; i < SPLITS; i++) {
        long long n = 0;
        const document_entry *entry = document_find(doc, "samples", splits[i]);
        c->counted = c->counted && entry && spur__parse_int(entry->value, &n) && n >= 0;
        c->info.samples[i] = (size_t)n;
    }
}

static spur_status get_task(const document *doc, spur_task *out, spur_error *err) {
    const document_entry *entry = document_find(doc, "data", "task");
    for (size_t i = 0; entry && i < 3; i++) {
        if (strcmp(entry->value, tasks[i]) != 0) continue;
        *out = (spur_task)i;
        return SPUR_OK;
    }
    return spur__fail(err, SPUR_E_FORMAT, "data.ini: no known 'task' in [data]");
}

static spur_status fill(card *c, const document *doc, spur_error *err) {
    long long height, width, channels, classes, targets, ignore;
    SPUR__TRY(get_task(doc, &c->info.task, err));
    SPUR__TRY(get_number(doc, "height", 1, 65536, &height, err));
    SPUR__TRY(get_number(doc, "width", 1, 65536, &width, err));
    SPUR__TRY(get_number(doc, "channels", 1, MOST_CHANNELS, &channels, err));
    SPUR__TRY(get_number(doc, "classes", 0, MOST_CLASSES, &classes, err));
    SPUR__TRY(get_number(doc, "targets", 0, MOST_CLASSES, &targets, err));
    SPUR__TRY(get_number(doc, "ignore_index", -1, 65535, &ignore, err));
    c->info.height = (int)height;
    c->info.width = (int)width;
    c->info.channels = (int)channels;
    c->info.classes = (size_t)classes;
    c->info.targets = (size_t)targets;
    c->info.ignore_index = (int)ignore;
    SPUR__TRY(get_floats(doc, "mean", (int)channels, &c->mean, err));
    SPUR__TRY(get_floats(doc, "std", (int)channels, &c->std, err));
    c->info.mean = c->mean;
    c->info.std = c->std;
    get_samples(doc, c);
    SPUR__TRY(get_names(doc, "classes", c->info.classes, &c->names, err));
    c->info.class_names = (const char *const *)c->names;
    if (!document_find(doc, "features", "0")) return SPUR_OK;
    SPUR__TRY(get_names(doc, "features", (size_t)channels, &c->features, err));
    c->info.feature_names = (const char *const *)c->features;
    return SPUR_OK;
}

spur_status card_read(card *c, const char *run, spur_error *err) {
    document doc;
    *c = (card){.names = NULL};
    document_init(&doc);
    char *path = spur__path_join(run, "data.ini");
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = document_read(&doc, path, err);
    if (status == SPUR_OK) status = fill(c, &doc, err);
    if (status != SPUR_OK) card_free(c);
    document_free(&doc);
    spur__free(path);
    return status;
}

/* One fact of the data; the first that differs becomes the error. */
static spur_status same_number(const char *run, const char *what, long long was, long long is,
                               spur_error *err) {
    if (was == is) return SPUR_OK;
    return spur__fail(err, SPUR_E_STATE,
                      "%s: the data are not those that the run began with: %s: %lld then, %lld now",
                      run, what, was, is);
}

/* The classes, by name: which one is gone says more than how many there are. */
static spur_status same_classes(const char *run, const spur_data_info *was,
                                const spur_data_info *now, spur_error *err) {
    size_t i = 0;
    while (i < was->classes && i < now->classes &&
           strcmp(was->class_names[i], now->class_names[i]) == 0)
        i++;
    if (i == was->classes && i == now->classes) return SPUR_OK;
    return spur__fail(
        err, SPUR_E_STATE,
        "%s: the data are not those that the run began with: %zu classes then, %zu now; "
        "class %zu: %s%s%s then, %s%s%s now",
        run, was->classes, now->classes, i, i < was->classes ? "'" : "",
        i < was->classes ? was->class_names[i] : "none", i < was->classes ? "'" : "",
        i < now->classes ? "'" : "", i < now->classes ? now->class_names[i] : "none",
        i < now->classes ? "'" : "");
}

static spur_status same_floats(const char *run, const char *what, const float *was,
                               const float *now, int n, spur_error *err) {
    for (int i = 0; was && now && i < n; i++)
        if (fabsf(was[i] - now[i]) > 1e-5f * fabsf(was[i]))
            return spur__fail(
                err, SPUR_E_STATE,
                "%s: the data are not those that the run began with: %s of channel %d: "
                "%g then, %g now",
                run, what, i, (double)was[i], (double)now[i]);
    return SPUR_OK;
}

static spur_status compare(const card *c, const char *run, const spur_data_info *now,
                           spur_error *err) {
    const spur_data_info *was = &c->info;
    char what[48];
    SPUR__TRY(same_classes(run, was, now, err));
    SPUR__TRY(same_number(run, "height", was->height, now->height, err));
    SPUR__TRY(same_number(run, "width", was->width, now->width, err));
    SPUR__TRY(same_number(run, "channels", was->channels, now->channels, err));
    SPUR__TRY(same_number(run, "targets", (long long)was->targets, (long long)now->targets, err));
    for (int i = 0; c->counted && i < SPLITS; i++) {
        snprintf(what, sizeof what, "%s samples", splits[i]);
        SPUR__TRY(
            same_number(run, what, (long long)was->samples[i], (long long)now->samples[i], err));
    }
    SPUR__TRY(same_floats(run, "mean", was->mean, now->mean, now->channels, err));
    return same_floats(run, "std", was->std, now->std, now->channels, err);
}

spur_status card_check(const char *run, const spur_data_info *now, spur_error *err) {
    card c;
    SPUR__TRY(card_read(&c, run, err));
    spur_status status = compare(&c, run, now, err);
    card_free(&c);
    return status;
}

spur_status card_fit(const char *run, spur_data *data, spur_error *err) {
    card c;
    const spur_data_info *now = &data->info;
    SPUR__TRY(card_read(&c, run, err));
    spur_status status = same_classes(run, &c.info, now, err);
    if (status == SPUR_OK)
        status = same_number(run, "channels", c.info.channels, now->channels, err);
    if (status == SPUR_OK)
        status =
            same_number(run, "targets", (long long)c.info.targets, (long long)now->targets, err);
    bool known = c.mean && c.std;
    if (status == SPUR_OK && known && strcmp(data->common->normalization, "dataset") == 0) {
        memcpy(data->mean, c.mean, (size_t)now->channels * sizeof *data->mean);
        memcpy(data->std, c.std, (size_t)now->channels * sizeof *data->std);
    }
    card_free(&c);
    return status;
}

static void free_names(char **names, size_t n) {
    for (size_t i = 0; names && i < n; i++) spur__free(names[i]);
    spur__free(names);
}

void card_free(card *c) {
    free_names(c->names, c->info.classes);
    free_names(c->features, (size_t)c->info.channels);
    spur__free(c->mean);
    spur__free(c->std);
    *c = (card){.names = NULL};
}
