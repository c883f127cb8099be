/* SPDX-License-Identifier: MIT
 *
 * From sounds to pictures; see audio.h.
 */
#include "data/formats/audio.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/codecs/wav.h"

static size_t length_of(const spur__audio_options *o) {
    return (size_t)(o->seconds * (double)o->sample_rate + 0.5);
}

spur_status spur__audio_setup(spur_data *data, spur__melspec **out, spur_error *err) {
    const spur__audio_options *o = data->options;
    spur__melspec_config config = {
        .rate = (int)o->sample_rate,
        .window = (int)(o->window * (double)o->sample_rate + 0.5),
        .hop = (int)(o->hop * (double)o->sample_rate + 0.5),
        .bands = (int)o->bands,
        .low = o->low,
        .high = o->high,
        .floor_db = o->floor_db,
    };
    if (config.window < 4 || config.hop < 1)
        return spur__fail(err, SPUR_E_RANGE,
                          "data.window, data.hop: %d and %d samples, expected at least 4 and 1",
                          config.window, config.hop);
    SPUR__TRY(spur__melspec_create(out, &config, err));
    int empty = spur__melspec_empty(*out);
    if (empty > 0)
        spur__data_note(
            data,
            "data.bands: %d of %d bands lie between two frequencies of the spectrum and "
            "stay black; fewer bands or a longer window have none of these",
            empty, config.bands);
    data->info.height = config.bands;
    data->info.width = spur__melspec_frames(*out, length_of(o));
    data->info.channels = 1;
    return SPUR_OK;
}

/* Makes the sound in *sound exactly n samples long, in place (its memory holds at least n). */
static void fit(spur__pixels *sound, size_t n) {
    size_t have = (size_t)sound->width;
    if (have > n)
        memmove(sound->data, sound->data + (have - n) / 2, n * sizeof(float));
    else
        memset(sound->data + have, 0, (n - have) * sizeof(float));
    sound->width = (int)n;
}

/* Grows the memory of a sound without losing it. */
static spur_status widen(spur__pixels *sound, size_t n, spur_error *err) {
    if (n <= sound->capacity) return SPUR_OK;
    float *data = spur__realloc_array(sound->data, n, sizeof *data);
    if (!data) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    sound->data = data;
    sound->capacity = n;
    return SPUR_OK;
}

spur_status spur__audio_picture(const spur_data *data, const spur__melspec *mel, spur__sample *out,
                                spur_error *err) {
    const spur__audio_options *o = data->options;
    size_t n = length_of(o), scratch = spur__melspec_scratch(mel) * sizeof(float);
    if (out->audio_rate != (int)o->sample_rate) {
        SPUR__TRY(spur__wav_resample(&out->audio, out->audio_rate, (int)o->sample_rate, n,
                                     &out->values, err));
        spur__pixels swap = out->audio;
        out->audio = out->values;
        out->values = swap;
        out->audio_rate = (int)o->sample_rate;
    }
    SPUR__TRY(widen(&out->audio, n, err));
    fit(&out->audio, n);
    if (out->scratch_size < scratch) {
        spur__free(out->scratch);
        out->scratch = spur__malloc(scratch);
        out->scratch_size = out->scratch ? scratch : 0;
        if (!out->scratch) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    }
    return spur__melspec_run(mel, out->audio.data, n, out->scratch, &out->values, err);
}
