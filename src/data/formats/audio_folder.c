/* SPDX-License-Identifier: MIT
 *
 * audio_folder: WAV files in one sub-folder per class, as log-mel pictures.
 */
#include "base/error.h"
#include "base/memory.h"
#include "data/formats/audio.h"
#include "data/formats/folder.h"
#include "data/codecs/wav.h"

static const spur__option rows[] = {
    SPUR__DATA_ROW_PATH(
        "folder with a sub-folder per class, or with train, val and test above them"),
    SPUR__AUDIO_ROWS,
    SPUR__DATA_ROW_VAL_SPLIT,
    SPUR__DATA_ROW_IMBALANCE,
    SPUR__DATA_ROW_VERIFY,
    SPUR__DATA_ROW_CACHE,
    SPUR__DATA_ROWS_LOADER,
};

static const spur__options table = SPUR__OPTIONS(rows, spur__audio_options);

typedef struct audio_state {
    spur__names files;
    spur__melspec *mel;
} audio_state;

static const char *const endings[] = {".wav", NULL};

static spur_status audio_open(spur_data *data, spur_error *err) {
    audio_state *s = data->state = spur__calloc(1, sizeof *s);
    if (!s) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    data->info.task = SPUR_CLASSIFICATION;
    SPUR__TRY(spur__audio_setup(data, &s->mel, err));
    return spur__scan_classes(data, endings, "WAV files", &s->files, err);
}

static spur_status audio_open_file(spur_data *data, const char *path, spur_error *err) {
    audio_state *s = data->state = spur__calloc(1, sizeof *s);
    if (!s) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    SPUR__TRY(spur__audio_setup(data, &s->mel, err));
    SPUR__TRY(spur__names_take(&s->files, spur__strdup(path), err));
    return spur__data_add(data, SPUR_SPLIT_TRAIN, 0, 0, err);
}

static spur_status audio_read(const spur_data *data, uint32_t item, spur__sample *out,
                              spur_error *err) {
    const audio_state *s = data->state;
    const char *name = s->files.names[item];
    SPUR__TRY(spur__bytes_read(&out->file, name, err));
    SPUR__TRY(
        spur__wav_decode(out->file.data, out->file.size, name, &out->audio, &out->audio_rate, err));
    spur_status status = spur__audio_picture(data, s->mel, out, err);
    if (status != SPUR_OK) spur__error_prefix(err, "%s", name);
    return status;
}

static spur_status audio_check(const spur_data *data, uint32_t item, spur__bytes *bytes,
                               spur_error *err) {
    const char *name = ((const audio_state *)data->state)->files.names[item];
    SPUR__TRY(spur__bytes_read(bytes, name, err));
    return spur__wav_check(bytes->data, bytes->size, name, err);
}

static const char *audio_file(const spur_data *data, uint32_t item) {
    return ((const audio_state *)data->state)->files.names[item];
}

static void audio_close(spur_data *data) {
    audio_state *s = data->state;
    if (!s) return;
    spur__names_free(&s->files);
    spur__melspec_destroy(s->mel);
    spur__free(s);
}

extern const spur__dataset_kind spur__data_audio_folder;
const spur__dataset_kind spur__data_audio_folder = {
    .kind = {"audio_folder", "WAV files in one folder per class, as log-mel pictures", &table},
    .inputs = "sounds",
    .open = audio_open,
    .read = audio_read,
    .close = audio_close,
    .file = audio_file,
    .check = audio_check,
    .open_file = audio_open_file,
    .endings = endings,
    .files = "WAV files",
};
