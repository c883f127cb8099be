/* SPDX-License-Identifier: MIT
 *
 * buildings: generated aerial scenes and the masks of their roofs.
 */
#include "base/error.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "data/generated/scene.h"

typedef struct buildings_options {
    spur__data_common common;
    int64_t samples, val_samples, test_samples;
} buildings_options;

#define COUNT(name_, initial_, help_)                                                              \
    SPUR__ROW(INT, buildings_options, name_, initial_, .min = 0, .max = 10000000, .help = help_)

static const spur__option rows[] = {
    SPUR__DATA_ROW_SIZE("128x128", "height and width of the scenes"),
    COUNT(samples, "400", "training scenes"),
    COUNT(val_samples, "80", "validation scenes"),
    COUNT(test_samples, "80", "test scenes"),
    SPUR__DATA_ROW_CACHE,
    SPUR__DATA_ROWS_LOADER,
};

static const spur__options table = SPUR__OPTIONS(rows, buildings_options);

static spur_status add_split(spur_data *data, spur_split split, int64_t count, spur_error *err) {
    for (int64_t i = 0; i < count; i++)
        SPUR__TRY(spur__data_add(data, split, 0, (uint32_t)data->item_count, err));
    return SPUR_OK;
}

static spur_status buildings_open(spur_data *data, spur_error *err) {
    static const char *const names[] = {"other", "building"};
    const buildings_options *o = data->options;
    data->info.task = SPUR_SEGMENTATION;
    data->info.height = o->common.size.height ? (int)o->common.size.height : 128;
    data->info.width = o->common.size.width ? (int)o->common.size.width : 128;
    data->info.channels = 3;
    SPUR__TRY(spur__data_set_classes(data, 2, names, err));
    SPUR__TRY(add_split(data, SPUR_SPLIT_TRAIN, o->samples, err));
    SPUR__TRY(add_split(data, SPUR_SPLIT_VALIDATION, o->val_samples, err));
    SPUR__TRY(add_split(data, SPUR_SPLIT_TEST, o->test_samples, err));
    data->state = spur__malloc(sizeof(spur__noise));
    if (!data->state) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur__noise_fill(data->state, (uint64_t)o->common.seed, 0.62f);
    return SPUR_OK;
}

static void buildings_close(spur_data *data) {
    spur__free(data->state);
}

static spur_status buildings_read(const spur_data *data, uint32_t item, spur__sample *out,
                                  spur_error *err) {
    int height = data->info.height, width = data->info.width;
    size_t memory = spur__scene_memory(height, width);
    SPUR__TRY(spur__image_shape(&out->image, height, width, 3, err));
    SPUR__TRY(spur__image_shape(&out->mask, height, width, 1, err));
    if (out->scratch_size < memory) {
        spur__free(out->scratch);
        out->scratch = spur__malloc(memory);
        out->scratch_size = out->scratch ? memory : 0;
        if (!out->scratch) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    }
    spur__scene_render(out->scratch, data->state, (uint64_t)data->common->seed, item, &out->image,
                       &out->mask);
    return SPUR_OK;
}

extern const spur__dataset_kind spur__data_buildings;
const spur__dataset_kind spur__data_buildings = {
    .kind = {"buildings", "generated: aerial scenes and the masks of their roofs", &table},
    .open = buildings_open,
    .read = buildings_read,
    .close = buildings_close,
};
