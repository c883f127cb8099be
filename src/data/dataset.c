/* SPDX-License-Identifier: MIT
 *
 * The table of data formats, and opening and closing what any of them gives; see dataset.h.
 */
#include "data/dataset.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/cache.h"

extern const spur__dataset_kind spur__data_audio_folder;
extern const spur__dataset_kind spur__data_buildings;
extern const spur__dataset_kind spur__data_cifar10;
extern const spur__dataset_kind spur__data_csv;
extern const spur__dataset_kind spur__data_image_folder;
extern const spur__dataset_kind spur__data_mnist;
extern const spur__dataset_kind spur__data_segmentation;
extern const spur__dataset_kind spur__data_shapes;
extern const spur__dataset_kind spur__data_tones;

static const spur__kind *const kinds[] = {
    &spur__data_audio_folder.kind, &spur__data_buildings.kind,    &spur__data_cifar10.kind,
    &spur__data_csv.kind,          &spur__data_image_folder.kind, &spur__data_mnist.kind,
    &spur__data_segmentation.kind, &spur__data_shapes.kind,       &spur__data_tones.kind,
};

const spur__family spur__dataset_family = {
    .name = "data",
    .title = "Data formats",
    .kinds = kinds,
    .count = sizeof kinds / sizeof kinds[0],
};

void spur__sample_free(spur__sample *sample) {
    spur__image_free(&sample->image);
    spur__pixels_free(&sample->values);
    spur__image_free(&sample->mask);
    spur__bytes_free(&sample->file);
    spur__pixels_free(&sample->audio);
    spur__free(sample->scratch);
    sample->scratch = NULL;
}

/* Copies an options struct, texts included, by way of its rows. */
static spur_status copy_options(const spur__options *table, const void *from, void *to,
                                spur_error *err) {
    spur__str text;
    SPUR__TRY(spur__options_init(table, to, err));
    spur__str_init(&text, 1 << 20);
    spur_status status = SPUR_OK;
    for (size_t i = 0; i < table->count && status == SPUR_OK; i++) {
        spur__str_clear(&text);
        spur__option_format(&table->rows[i], from, &text);
        status = spur__str_status(&text);
        if (status != SPUR_OK)
            spur__fail(err, status, "%s: cannot copy", table->rows[i].name);
        else
            status = spur__options_set(table, to, table->rows[i].name, spur__str_text(&text), err);
    }
    spur__str_free(&text);
    if (status != SPUR_OK) spur__options_free(table, to);
    return status;
}

/* The data with its options and nothing else. */
static spur_status create(spur_data **out, const spur__dataset_kind *kind, const void *options,
                          spur_error *err) {
    spur_data *data = spur__calloc(1, sizeof *data);
    void *copy = spur__malloc(kind->kind.options->size);
    if (!data || !copy) {
        spur__free(data);
        spur__free(copy);
        return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    }
    spur_status status = copy_options(kind->kind.options, options, copy, err);
    if (status != SPUR_OK) {
        spur__free(data);
        spur__free(copy);
        return status;
    }
    data->kind = kind;
    data->options = copy;
    data->common = copy;
    data->info.ignore_index = -1;
    *out = data;
    return SPUR_OK;
}

static void publish(spur_data *data) {
    data->info.class_names = (const char *const *)data->class_names;
    data->info.class_counts = data->statistics.class_counts;
    data->info.mean = data->mean;
    data->info.std = data->std;
    for (int i = 0; i < SPUR_SPLIT_COUNT; i++) data->info.samples[i] = data->splits[i].count;
}

/* What the rows of the options cannot say. */
static spur_status check_common(const spur__data_common *o, spur_error *err) {
    if (o->channels == 2)
        return spur__fail(err, SPUR_E_RANGE, "data.channels: found 2, expected 1, 3 or 4");
    if ((o->size.height == 0) != (o->size.width == 0))
        return spur__fail(err, SPUR_E_RANGE,
                          "data.size: found %dx%d, expected both or none to be 0",
                          (int)o->size.height, (int)o->size.width);
    return SPUR_OK;
}

spur_status spur__data_open(spur_data **out, const spur__dataset_kind *kind, const void *options,
                            spur_error *err) {
    spur_data *data = NULL;
    spur_status status;
    *out = NULL;
    SPUR__TRY(create(&data, kind, options, err));
    SPUR__TRY_GOTO(check_common(data->common, err), failed);
    SPUR__TRY_GOTO(kind->open(data, err), failed);
    SPUR__TRY_GOTO(spur__data_split(data, err), failed);
    if (data->common->cache > 0 && !data->keeps_itself)
        SPUR__TRY_GOTO(
            spur__cache_create(&data->cache, data->item_count, (size_t)data->common->cache, err),
            failed);
    SPUR__TRY_GOTO(spur__data_prepare(data, err), failed);
    publish(data);
    *out = data;
    return SPUR_OK;
failed:
    spur_data_close(data);
    return status;
}

spur_status spur__data_open_file(spur_data **out, const spur__dataset_kind *kind,
                                 const void *options, const spur_data_info *info, const char *path,
                                 spur_error *err) {
    spur_data *data = NULL;
    *out = NULL;
    SPUR__TRY(create(&data, kind, options, err));
    data->info = *info;
    spur_status status = kind->open_file(data, path, err);
    const spur_data_info *now = &data->info;
    if (status == SPUR_OK && (now->height != info->height || now->width != info->width ||
                              now->channels != info->channels))
        status = spur__fail(
            err, SPUR_E_STATE,
            "%s: these options of [data] make inputs of %dx%dx%d, expected %dx%dx%d as in "
            "the training",
            path, now->height, now->width, now->channels, info->height, info->width,
            info->channels);
    if (status != SPUR_OK) {
        spur_data_close(data);
        return status;
    }
    *out = data;
    return SPUR_OK;
}

static spur_status set_pairs(const spur__options *table, void *target, const char *const *pairs,
                             spur_error *err) {
    for (; pairs && pairs[0]; pairs += 2) {
        if (!pairs[1]) return spur__fail(err, SPUR_E_ARGUMENT, "%s: no value", pairs[0]);
        SPUR__TRY(spur__options_set(table, target, pairs[0], pairs[1], err));
    }
    return SPUR_OK;
}

spur_status spur_data_open(spur_data **out, const char *format, const char *const *options,
                           spur_error *err) {
    *out = NULL;
    const spur__kind *kind = spur__family_find(&spur__dataset_family, format, err);
    if (!kind) return SPUR_E_NOTFOUND;
    void *values = spur__malloc(kind->options->size);
    if (!values) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = spur__options_init(kind->options, values, err);
    if (status == SPUR_OK) {
        status = set_pairs(kind->options, values, options, err);
        if (status == SPUR_OK)
            status = spur__data_open(out, (const spur__dataset_kind *)kind, values, err);
        spur__options_free(kind->options, values);
    }
    spur__free(values);
    return status;
}

static void free_names(spur_data *data) {
    for (size_t i = 0; data->class_names && i < data->info.classes; i++)
        spur__free(data->class_names[i]);
    spur__free(data->class_names);
    data->class_names = NULL;
}

void spur_data_close(spur_data *data) {
    if (!data) return;
    if (data->kind->close) data->kind->close(data);
    spur__cache_destroy(data->cache);
    for (int i = 0; i < SPUR_SPLIT_COUNT; i++) spur__free(data->splits[i].items);
    spur__statistics_free(&data->statistics);
    free_names(data);
    spur__free(data->items);
    spur__free(data->mean);
    spur__free(data->std);
    spur__free(data->notes);
    spur__options_free(data->kind->kind.options, data->options);
    spur__free(data->options);
    spur__free(data);
}

const spur_data_info *spur_data_describe(const spur_data *data) {
    return data ? &data->info : NULL;
}

spur_status spur__data_read(const spur_data *data, uint32_t item, spur__sample *out,
                            spur_error *err) {
    if (!data->cache) return data->kind->read(data, item, out, err);
    spur_status status = spur__cache_recall(data->cache, item, out, err);
    if (status != SPUR_E_NOTFOUND) return status;
    SPUR__TRY(data->kind->read(data, item, out, err));
    spur__cache_store(data->cache, item, out);
    return SPUR_OK;
}

int spur__data_workers(const spur_data *data) {
    if (data->common->workers >= 0) return (int)data->common->workers;
    int processors = spur__cpu_count();
    return processors < 4 ? processors : 4;
}

spur_status spur__data_add(spur_data *data, spur_split split, int32_t label, uint32_t group,
                           spur_error *err) {
    if (data->item_count == data->item_capacity) {
        size_t capacity = data->item_capacity ? 2 * data->item_capacity : 256;
        spur__item *items = capacity <= UINT32_MAX
                                ? spur__realloc_array(data->items, capacity, sizeof *items)
                                : NULL;
        if (!items)
            return spur__fail(err, SPUR_E_MEMORY, "out of memory for %zu samples", capacity);
        data->items = items;
        data->item_capacity = capacity;
    }
    data->items[data->item_count++] =
        (spur__item){.label = label, .group = group, .split = (uint8_t)split};
    return SPUR_OK;
}

/* Names of classes stand in pictures, tables and files of lines. */
static spur_status check_name(const spur_data *data, const char *name, spur_error *err) {
    bool fine = spur__utf8_valid(name, strlen(name));
    for (const char *p = name; *p; p++)
        fine = fine && (unsigned char)*p >= 32 && (unsigned char)*p != 127;
    if (fine) return SPUR_OK;
    return spur__fail(err, SPUR_E_FORMAT,
                      "%s: class '%s': a name with a control character such as a line break, or "
                      "not in UTF-8",
                      data->common->path ? data->common->path : "data", name);
}

spur_status spur__data_set_classes(spur_data *data, size_t count, const char *const *names,
                                   spur_error *err) {
    for (size_t i = 0; names && i < count; i++)
        if (names[i]) SPUR__TRY(check_name(data, names[i], err));
    free_names(data);
    data->info.classes = count;
    data->class_names = spur__calloc(count, sizeof *data->class_names);
    if (!data->class_names) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        data->class_names[i] = spur__strdup(names && names[i] ? names[i] : number);
        if (!data->class_names[i]) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    }
    return SPUR_OK;
}

spur_status spur__data_set_shape(spur_data *data, const char *first, spur_error *err) {
    const spur__data_common *o = data->common;
    spur__bytes bytes = {0};
    spur__image shape = {0};
    spur_status status = spur__image_read_header(first, &bytes, &shape, err);
    spur__bytes_free(&bytes);
    if (status != SPUR_OK) return status;
    data->info.height = o->size.height ? (int)o->size.height : shape.height;
    data->info.width = o->size.width ? (int)o->size.width : shape.width;
    data->info.channels = o->channels ? (int)o->channels : shape.channels == 1 ? 1 : 3;
    return SPUR_OK;
}

void spur__data_note(spur_data *data, const char *fmt, ...) {
    char line[1024];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (n < 0) return;
    size_t length = strlen(line), old = data->notes ? strlen(data->notes) : 0;
    char *notes = spur__realloc(data->notes, old + length + 2);
    if (!notes) return; /* a remark is not worth failing for */
    memcpy(notes + old, line, length);
    memcpy(notes + old + length, "\n", 2);
    data->notes = notes;
}
