/* SPDX-License-Identifier: MIT
 *
 * mnist: the four IDX files of MNIST and its relatives, plain or gzip, held in memory.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/formats/folder.h"
#include "data/codecs/idx.h"

static const spur__option rows[] = {
    SPUR__DATA_ROW_PATH("folder with train-images-idx3-ubyte, train-labels-idx1-ubyte and the same "
                        "of t10k, plain or with .gz"),
    SPUR__DATA_ROW_SIZE("0", "pictures are resized to HEIGHTxWIDTH; 0: not"),
    SPUR__DATA_ROW_CHANNELS("0"),
    SPUR__DATA_ROW_VAL_SPLIT,
    SPUR__DATA_ROW_IMBALANCE,
    SPUR__DATA_ROWS_LOADER,
};

static const spur__options table = {rows, sizeof rows / sizeof rows[0], sizeof(spur__data_common)};

/* Pictures and labels of the training (0) and the test part (1). */
typedef struct mnist_state {
    spur__bytes files[2][2]; /* [part][pictures, labels] */
    spur__idx pictures[2], labels[2];
    char *paths[2][2]; /* [part][pictures, labels] */
    size_t train_count;
} mnist_state;

/* The path of a file with or without .gz, new memory; NULL when there is neither. */
static spur_status find_file(const char *folder, const char *name, char **out, spur_error *err) {
    static const char *const endings[] = {"", ".gz"};
    *out = NULL;
    for (int i = 0; i < 2 && !*out; i++) {
        char file[64];
        snprintf(file, sizeof file, "%s%s", name, endings[i]);
        char *path = spur__path_join(folder, file);
        if (!path) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
        if (spur__exists(path))
            *out = path;
        else
            spur__free(path);
    }
    return SPUR_OK;
}

/* Reads one file into memory; *path is new memory. */
static spur_status load(const char *folder, const char *prefix, bool labels, spur__bytes *bytes,
                        spur__idx *idx, char **path, spur_error *err) {
    char name[40];
    snprintf(name, sizeof name, "%s-%s", prefix,
             labels ? "labels-idx1-ubyte" : "images-idx3-ubyte");
    SPUR__TRY(find_file(folder, name, path, err));
    if (!*path)
        return spur__fail(err, SPUR_E_NOTFOUND, "%s: neither %s nor %s.gz in it", folder, name,
                          name);
    SPUR__TRY(spur__gz_read(*path, (size_t)2 << 30, bytes, err));
    return spur__idx_parse(bytes->data, bytes->size, labels ? 1 : 3, *path, idx, err);
}

static spur_status load_part(spur_data *data, int part, spur_error *err) {
    static const char *const prefixes[] = {"train", "t10k"};
    mnist_state *s = data->state;
    const spur__idx *p = &s->pictures[part];
    char **paths = s->paths[part];
    SPUR__TRY(load(data->common->path, prefixes[part], false, &s->files[part][0],
                   &s->pictures[part], &paths[0], err));
    SPUR__TRY(load(data->common->path, prefixes[part], true, &s->files[part][1], &s->labels[part],
                   &paths[1], err));
    SPUR__TRY(spur__image_check_size(paths[0], p->sizes[1], p->sizes[2], err));
    if (p->sizes[0] == s->labels[part].sizes[0]) return SPUR_OK;
    return spur__fail(err, SPUR_E_SHAPE, "%s: %zu labels, expected %zu as in %s", paths[1],
                      s->labels[part].sizes[0], p->sizes[0], paths[0]);
}

static spur_status add_part(spur_data *data, int part, size_t *classes, spur_error *err) {
    const spur__idx *labels = &((const mnist_state *)data->state)->labels[part];
    for (size_t i = 0; i < labels->sizes[0]; i++) {
        uint8_t label = labels->values[i];
        if ((size_t)label + 1 > *classes) *classes = (size_t)label + 1;
        SPUR__TRY(spur__data_add(data, part ? SPUR_SPLIT_TEST : SPUR_SPLIT_TRAIN, label,
                                 (uint32_t)data->item_count, err));
    }
    return SPUR_OK;
}

static spur_status mnist_open(spur_data *data, spur_error *err) {
    const spur__data_common *o = data->common;
    size_t classes = 2;
    char *test = NULL;
    mnist_state *s = data->state = spur__calloc(1, sizeof *s);
    if (!s) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    data->info.task = SPUR_CLASSIFICATION;
    SPUR__TRY(spur__check_path(o->path, err));
    SPUR__TRY(load_part(data, 0, err));
    SPUR__TRY(add_part(data, 0, &classes, err));
    s->train_count = data->item_count;
    SPUR__TRY(find_file(o->path, "t10k-images-idx3-ubyte", &test, err));
    if (test) {
        spur__free(test);
        SPUR__TRY(load_part(data, 1, err));
        SPUR__TRY(add_part(data, 1, &classes, err));
    }
    data->info.height = (int)(o->size.height ? o->size.height : (int64_t)s->pictures[0].sizes[1]);
    data->info.width = (int)(o->size.width ? o->size.width : (int64_t)s->pictures[0].sizes[2]);
    data->info.channels = o->channels ? (int)o->channels : 1;
    return spur__data_set_classes(data, classes, NULL, err);
}

static spur_status mnist_read(const spur_data *data, uint32_t item, spur__sample *out,
                              spur_error *err) {
    const mnist_state *s = data->state;
    int part = item >= s->train_count;
    const spur__idx *p = &s->pictures[part];
    size_t index = item - (part ? s->train_count : 0), pixels = p->sizes[1] * p->sizes[2];
    SPUR__TRY(spur__image_shape(&out->image, (int)p->sizes[1], (int)p->sizes[2], 1, err));
    memcpy(out->image.data, p->values + index * pixels, pixels);
    return spur__image_convert(&out->image, data->info.channels, err);
}

static const char *mnist_file(const spur_data *data, uint32_t item) {
    const mnist_state *s = data->state;
    return s->paths[item >= s->train_count][0];
}

static const char *mnist_label_file(const spur_data *data, uint32_t item) {
    const mnist_state *s = data->state;
    return s->paths[item >= s->train_count][1];
}

static void mnist_close(spur_data *data) {
    mnist_state *s = data->state;
    for (int part = 0; s && part < 2; part++) {
        for (int i = 0; i < 2; i++) {
            spur__bytes_free(&s->files[part][i]);
            spur__free(s->paths[part][i]);
        }
    }
    spur__free(s);
}

extern const spur__dataset_kind spur__data_mnist;
const spur__dataset_kind spur__data_mnist = {
    .kind = {"mnist", "IDX files, as of MNIST and Fashion-MNIST", &table},
    .open = mnist_open,
    .read = mnist_read,
    .close = mnist_close,
    .file = mnist_file,
    .label_file = mnist_label_file,
};
