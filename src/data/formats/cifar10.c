/* SPDX-License-Identifier: MIT
 *
 * cifar10: the binary version of CIFAR-10, records of one label and 3 x 32 x 32 bytes (all red, all
 * green, all blue), held in memory.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/formats/folder.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, RECORD = 1 + 3 * PLANE, FILES = 6 };

static const spur__option rows[] = {
    SPUR__DATA_ROW_PATH("folder with data_batch_1.bin to data_batch_5.bin and test_batch.bin"),
    SPUR__DATA_ROW_SIZE("0", "pictures are resized to HEIGHTxWIDTH; 0: not"),
    SPUR__DATA_ROW_CHANNELS("0"),
    SPUR__DATA_ROW_VAL_SPLIT,
    SPUR__DATA_ROW_IMBALANCE,
    SPUR__DATA_ROWS_LOADER,
};

static const spur__options table = {rows, sizeof rows / sizeof rows[0], sizeof(spur__data_common)};

static const char *const class_names[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                          "dog",      "frog",       "horse", "ship", "truck"};

typedef struct cifar_state {
    spur__bytes files[FILES];
    char *paths[FILES];
    size_t first[FILES + 1]; /* number of the first item of each file */
} cifar_state;

/* The folder itself, or the one that the archive makes, new memory. */
static char *find_folder(const char *path) {
    char *inner = spur__path_join(path, "cifar-10-batches-bin");
    if (!inner || spur__is_folder(inner)) return inner;
    spur__free(inner);
    return spur__strdup(path);
}

static spur_status add_file(spur_data *data, int number, spur_error *err) {
    cifar_state *s = data->state;
    spur__bytes *bytes = &s->files[number];
    spur_split split = number == FILES - 1 ? SPUR_SPLIT_TEST : SPUR_SPLIT_TRAIN;
    SPUR__TRY(spur__bytes_read(bytes, s->paths[number], err));
    if (bytes->size == 0 || bytes->size % RECORD)
        return spur__fail(err, SPUR_E_FORMAT, "%s: %zu bytes, expected a multiple of %d",
                          s->paths[number], bytes->size, RECORD);
    for (size_t i = 0; i < bytes->size / RECORD; i++) {
        uint8_t label = bytes->data[i * RECORD];
        if (label > 9)
            return spur__fail(err, SPUR_E_RANGE, "%s: label %d in record %zu, expected 0 to 9",
                              s->paths[number], label, i);
        SPUR__TRY(spur__data_add(data, split, label, (uint32_t)data->item_count, err));
    }
    return SPUR_OK;
}

static spur_status cifar_open(spur_data *data, spur_error *err) {
    const spur__data_common *o = data->common;
    spur_status status = SPUR_OK;
    cifar_state *s = data->state = spur__calloc(1, sizeof *s);
    if (!s) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    SPUR__TRY(spur__check_path(o->path, err));
    char *folder = find_folder(o->path);
    for (int i = 0; i < FILES && status == SPUR_OK; i++) {
        char name[32];
        if (i == FILES - 1)
            snprintf(name, sizeof name, "test_batch.bin");
        else
            snprintf(name, sizeof name, "data_batch_%d.bin", i + 1);
        s->first[i] = data->item_count;
        s->paths[i] = folder ? spur__path_join(folder, name) : NULL;
        if (!s->paths[i])
            status = spur__fail(err, SPUR_E_MEMORY, "out of memory");
        else if (spur__exists(s->paths[i]))
            status = add_file(data, i, err);
        s->first[i + 1] = data->item_count;
    }
    spur__free(folder);
    if (status != SPUR_OK) return status;
    if (s->first[FILES - 1] == 0)
        return spur__fail(err, SPUR_E_NOTFOUND, "%s: no data_batch_1.bin in it", o->path);
    data->info.task = SPUR_CLASSIFICATION;
    data->info.height = o->size.height ? (int)o->size.height : SIDE;
    data->info.width = o->size.width ? (int)o->size.width : SIDE;
    data->info.channels = o->channels ? (int)o->channels : 3;
    return spur__data_set_classes(data, 10, class_names, err);
}

static int file_of(const cifar_state *s, uint32_t item) {
    int number = 0;
    while (item >= s->first[number + 1]) number++;
    return number;
}

static spur_status cifar_read(const spur_data *data, uint32_t item, spur__sample *out,
                              spur_error *err) {
    const cifar_state *s = data->state;
    int number = file_of(s, item);
    const uint8_t *p = s->files[number].data + (item - s->first[number]) * RECORD + 1;
    SPUR__TRY(spur__image_shape(&out->image, SIDE, SIDE, 3, err));
    uint8_t *q = out->image.data;
    for (int i = 0; i < PLANE; i++, q += 3) {
        q[0] = p[i];
        q[1] = p[i + PLANE];
        q[2] = p[i + 2 * PLANE];
    }
    return spur__image_convert(&out->image, data->info.channels, err);
}

static const char *cifar_file(const spur_data *data, uint32_t item) {
    const cifar_state *s = data->state;
    return s->paths[file_of(s, item)];
}

static void cifar_close(spur_data *data) {
    cifar_state *s = data->state;
    for (int i = 0; s && i < FILES; i++) {
        spur__bytes_free(&s->files[i]);
        spur__free(s->paths[i]);
    }
    spur__free(s);
}

extern const spur__dataset_kind spur__data_cifar10;
const spur__dataset_kind spur__data_cifar10 = {
    .kind = {"cifar10", "the binary batches of CIFAR-10", &table},
    .open = cifar_open,
    .read = cifar_read,
    .close = cifar_close,
    .file = cifar_file,
};
