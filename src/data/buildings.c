/* SPDX-License-Identifier: MIT
 *
 * buildings: generated aerial scenes and the masks of their roofs. Scenes are drawn when they are
 * first wanted and kept, as long as all fit into 1 GiB; larger sets are drawn anew every time.
 */
#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "data/scene.h"

typedef struct buildings_options {
    spur__data_common common;
    int64_t samples, val_samples, test_samples;
} buildings_options;

#define COUNT(name_, initial_, help_)                                                              \
    {                                                                                              \
        .name = #name_, .type = SPUR__OPT_INT, .initial = initial_, .min = 0, .max = 10000000,     \
        .help = help_, .offset = offsetof(buildings_options, name_)                                \
    }

static const spur__option rows[] = {
    SPUR__DATA_ROW_SIZE("128x128", "height and width of the scenes"),
    COUNT(samples, "400", "training scenes"),
    COUNT(val_samples, "80", "validation scenes"),
    COUNT(test_samples, "80", "test scenes"),
    SPUR__DATA_ROWS_LOADER,
};

static const spur__options table = SPUR__OPTIONS(rows, buildings_options);

typedef struct buildings_state {
    spur__noise noise;
    uint8_t *kept; /* [items][height][width][4]: picture and mask; NULL when they do not fit */
    bool *drawn; /* [items] */
    pthread_mutex_t lock;
    bool has_lock;
} buildings_state;

static spur_status add_split(spur_data *data, spur_split split, int64_t count, spur_error *err) {
    for (int64_t i = 0; i < count; i++)
        SPUR__TRY(spur__data_add(data, split, 0, (uint32_t)data->item_count, err));
    return SPUR_OK;
}

static size_t scene_bytes(const spur_data *data) {
    return (size_t)data->info.height * (size_t)data->info.width * 4;
}

static spur_status buildings_open(spur_data *data, spur_error *err) {
    static const char *const names[] = {"other", "building"};
    const buildings_options *o = data->options;
    size_t bytes;
    data->info.task = SPUR_SEGMENTATION;
    data->info.height = o->common.size.height ? (int)o->common.size.height : 128;
    data->info.width = o->common.size.width ? (int)o->common.size.width : 128;
    data->info.channels = 3;
    SPUR__TRY(spur__data_set_classes(data, 2, names, err));
    SPUR__TRY(add_split(data, SPUR_SPLIT_TRAIN, o->samples, err));
    SPUR__TRY(add_split(data, SPUR_SPLIT_VALIDATION, o->val_samples, err));
    SPUR__TRY(add_split(data, SPUR_SPLIT_TEST, o->test_samples, err));
    buildings_state *state = data->state = spur__calloc(1, sizeof *state);
    if (!state) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur__noise_fill(&state->noise, (uint64_t)o->common.seed, 0.62f);
    pthread_mutex_init(&state->lock, NULL);
    state->has_lock = true;
    if (spur__mul(data->item_count, scene_bytes(data), &bytes) && bytes <= (size_t)1 << 30) {
        state->kept = spur__malloc(bytes);
        state->drawn = spur__calloc(data->item_count, sizeof *state->drawn);
        if (!state->kept || !state->drawn) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    }
    return SPUR_OK;
}

static void buildings_close(spur_data *data) {
    buildings_state *state = data->state;
    if (!state) return;
    if (state->has_lock) pthread_mutex_destroy(&state->lock);
    spur__free(state->kept);
    spur__free(state->drawn);
    spur__free(state);
}

/* Copies a scene that was drawn before; false when there is none. */
static bool recall(buildings_state *state, uint32_t item, size_t pixels, spur__sample *out) {
    if (!state->kept) return false;
    pthread_mutex_lock(&state->lock);
    bool drawn = state->drawn[item];
    pthread_mutex_unlock(&state->lock);
    if (!drawn) return false;
    const uint8_t *kept = state->kept + (size_t)item * pixels * 4;
    memcpy(out->image.data, kept, pixels * 3);
    memcpy(out->mask.data, kept + pixels * 3, pixels);
    return true;
}

/* Two threads may draw the same scene at once; the first one's copy is kept (they are equal). */
static void keep(buildings_state *state, uint32_t item, size_t pixels, const spur__sample *from) {
    if (!state->kept) return;
    pthread_mutex_lock(&state->lock);
    if (!state->drawn[item]) {
        uint8_t *kept = state->kept + (size_t)item * pixels * 4;
        memcpy(kept, from->image.data, pixels * 3);
        memcpy(kept + pixels * 3, from->mask.data, pixels);
        state->drawn[item] = true;
    }
    pthread_mutex_unlock(&state->lock);
}

static spur_status buildings_read(const spur_data *data, uint32_t item, spur__sample *out,
                                  spur_error *err) {
    buildings_state *state = data->state;
    int height = data->info.height, width = data->info.width;
    size_t pixels = (size_t)height * (size_t)width, memory = spur__scene_memory(height, width);
    SPUR__TRY(spur__image_shape(&out->image, height, width, 3, err));
    SPUR__TRY(spur__image_shape(&out->mask, height, width, 1, err));
    if (recall(state, item, pixels, out)) return SPUR_OK;
    if (out->scratch_size < memory) {
        spur__free(out->scratch);
        out->scratch = spur__malloc(memory);
        out->scratch_size = out->scratch ? memory : 0;
        if (!out->scratch) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    }
    spur__scene_render(out->scratch, &state->noise, (uint64_t)data->common->seed, item, height,
                       width, out->image.data, out->mask.data);
    keep(state, item, pixels, out);
    return SPUR_OK;
}

extern const spur__dataset_kind spur__data_buildings;
const spur__dataset_kind spur__data_buildings = {
    .kind = {"buildings", "generated: aerial scenes and the masks of their roofs", &table},
    .open = buildings_open,
    .read = buildings_read,
    .close = buildings_close,
};
