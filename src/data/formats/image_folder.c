/* SPDX-License-Identifier: MIT
 *
 * image_folder: pictures in one sub-folder per class, below train/, val/ and test/ or at once.
 */
#include "base/error.h"
#include "base/memory.h"
#include "data/formats/folder.h"

static const spur__option rows[] = {
    SPUR__DATA_ROW_PATH(
        "folder with a sub-folder per class, or with train, val and test above them"),
    SPUR__DATA_ROW_SIZE("0",
                        "pictures are resized to HEIGHTxWIDTH; 0: to the size of the first one"),
    SPUR__DATA_ROW_CHANNELS("0"),
    SPUR__DATA_ROW_VAL_SPLIT,
    SPUR__DATA_ROW_IMBALANCE,
    SPUR__DATA_ROW_VERIFY,
    SPUR__DATA_ROW_CACHE,
    SPUR__DATA_ROWS_LOADER,
};

static const spur__options table = {rows, sizeof rows / sizeof rows[0], sizeof(spur__data_common)};

static spur_status folder_open(spur_data *data, spur_error *err) {
    spur__names *files = data->state = spur__calloc(1, sizeof *files);
    if (!files) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    data->info.task = SPUR_CLASSIFICATION;
    SPUR__TRY(spur__scan_classes(data, spur__picture_endings, "JPEG or PNG files", files, err));
    return spur__data_set_shape(data, files->names[0], err);
}

static spur_status folder_read(const spur_data *data, uint32_t item, spur__sample *out,
                               spur_error *err) {
    const spur__names *files = data->state;
    SPUR__TRY(
        spur__image_read(files->names[item], SPUR__DECODE_PICTURE, &out->file, &out->image, err));
    return spur__image_convert(&out->image, data->info.channels, err);
}

static spur_status folder_check(const spur_data *data, uint32_t item, spur__bytes *bytes,
                                spur_error *err) {
    spur__image shape = {0};
    return spur__image_read_header(((const spur__names *)data->state)->names[item], bytes, &shape,
                                   err);
}

static const char *folder_file(const spur_data *data, uint32_t item) {
    return ((const spur__names *)data->state)->names[item];
}

static void folder_close(spur_data *data) {
    if (data->state) spur__names_free(data->state);
    spur__free(data->state);
}

extern const spur__dataset_kind spur__data_image_folder;
const spur__dataset_kind spur__data_image_folder = {
    .kind = {"image_folder", "pictures in one folder per class", &table},
    .open = folder_open,
    .read = folder_read,
    .close = folder_close,
    .file = folder_file,
    .check = folder_check,
};
