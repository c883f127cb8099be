/* SPDX-License-Identifier: MIT
 *
 * tones: generated sounds in eight classes, with random pitch, loudness, onset and background noise,
 * as log-mel pictures.
 */
#include <math.h>

#include "base/error.h"
#include "base/fmath.h"
#include "base/memory.h"
#include "base/random.h"
#include "data/formats/audio.h"
#include "data/generated/raster.h"

#define COUNT(name_, initial_, help_)                                                              \
    SPUR__AUDIO_NUMBER(name_, INT, initial_, 0, 10000000, NULL, help_)

static const spur__option rows[] = {
    SPUR__AUDIO_NUMBER(classes, INT, "8", 2, 8, NULL,
                       "how many of sine, square, sawtooth, rising, falling, noise, pluck, "
                       "tremolo"),
    COUNT(samples, "800", "training sounds"),
    COUNT(val_samples, "160", "validation sounds"),
    COUNT(test_samples, "160", "test sounds"),
    SPUR__AUDIO_ROWS,
    SPUR__DATA_ROW_IMBALANCE,
    SPUR__DATA_ROW_CACHE,
    SPUR__DATA_ROWS_LOADER,
};

static const spur__options table = SPUR__OPTIONS(rows, spur__audio_options);

/* One sound while it is made. */
typedef struct voice {
    double phase, pitch; /* turns; Hz */
    float age; /* 0 at the onset, 1 at the end */
    double seconds; /* since the onset */
    spur__rng *rng;
} voice;

static float sine_of(double turns) {
    float sine, cosine;
    spur__sincos2pif((float)(turns - floor(turns)), &sine, &cosine);
    return sine;
}

/* Sum of harmonics, which keeps the wave free of aliases. */
static float harmonics(const voice *v, int step, int most) {
    float sum = 0;
    for (int k = 1; k <= most; k += step) sum += sine_of(v->phase * k) / (float)k;
    return sum * 0.7f;
}

static float sine(const voice *v) {
    return sine_of(v->phase);
}

static float square(const voice *v) {
    return harmonics(v, 2, 7);
}

static float sawtooth(const voice *v) {
    return harmonics(v, 1, 6);
}

static float noise(const voice *v) {
    return 0.5f * spur__grain(v->rng);
}

/* A struck string: harmonics that die the faster the higher they are. */
static float pluck(const voice *v) {
    float sum = 0;
    for (int k = 1; k <= 6; k++)
        sum += sine_of(v->phase * k) / (float)k * spur__expf(-(float)(v->seconds * 3.0 * k));
    return sum;
}

static float tremolo(const voice *v) {
    return sine_of(v->phase) * (0.5f + 0.5f * sine_of(v->seconds * 9.0));
}

/* How the pitch moves: its factor at an age. */
static double steady(float age) {
    (void)age;
    return 1;
}

static double rising(float age) {
    return 0.6 + 2.0 * (double)age;
}

static double falling(float age) {
    return 2.6 - 2.0 * (double)age;
}

static const struct tone {
    const char *name;
    float (*wave)(const voice *v);
    double (*bend)(float age);
} tones[] = {
    {"sine", sine, steady},   {"square", square, steady},   {"sawtooth", sawtooth, steady},
    {"rising", sine, rising}, {"falling", sine, falling},   {"noise", noise, steady},
    {"pluck", pluck, steady}, {"tremolo", tremolo, steady},
};

static spur_status add_split(spur_data *data, spur_split split, int64_t count, spur_error *err) {
    const spur__audio_options *o = data->options;
    for (int64_t i = 0; i < count; i++)
        SPUR__TRY(spur__data_add(data, split, (int32_t)(i % o->classes), (uint32_t)data->item_count,
                                 err));
    return SPUR_OK;
}

static spur_status tones_open(spur_data *data, spur_error *err) {
    const spur__audio_options *o = data->options;
    const char *names[8];
    for (size_t i = 0; i < 8; i++) names[i] = tones[i].name;
    data->info.task = SPUR_CLASSIFICATION;
    spur__melspec *mel = NULL;
    SPUR__TRY(spur__audio_setup(data, &mel, err));
    data->state = mel;
    SPUR__TRY(spur__data_set_classes(data, (size_t)o->classes, names, err));
    SPUR__TRY(add_split(data, SPUR_SPLIT_TRAIN, o->samples, err));
    SPUR__TRY(add_split(data, SPUR_SPLIT_VALIDATION, o->val_samples, err));
    return add_split(data, SPUR_SPLIT_TEST, o->test_samples, err);
}

static void make_sound(const struct tone *kind, spur__rng *rng, int rate, spur__pixels *sound) {
    int n = sound->width;
    voice v = {.pitch = 180 * (double)spur__expf(1.6f * spur__rng_float(rng)), .rng = rng};
    float loud = 0.15f + 0.6f * spur__rng_float(rng), hiss = 0.003f + 0.02f * spur__rng_float(rng);
    int onset = (int)(0.3f * spur__rng_float(rng) * (float)n);
    int length = (int)((0.55f + 0.15f * spur__rng_float(rng)) * (float)n);
    for (int i = 0; i < n; i++) {
        float value = hiss * spur__grain(rng);
        if (i >= onset && i < onset + length) {
            v.age = (float)(i - onset) / (float)length;
            v.seconds = (double)(i - onset) / rate;
            v.phase += v.pitch * kind->bend(v.age) / rate;
            float edge = v.age < 0.5f ? v.age : 1 - v.age;
            float fade = edge * 40 < 1 ? edge * 40 : 1;
            value += loud * fade * kind->wave(&v);
        }
        sound->data[i] = value < -1 ? -1 : value > 1 ? 1 : value;
    }
}

static spur_status tones_read(const spur_data *data, uint32_t item, spur__sample *out,
                              spur_error *err) {
    const spur__audio_options *o = data->options;
    spur__rng rng;
    int n = (int)(o->seconds * (double)o->sample_rate + 0.5);
    spur__rng_init(&rng, (uint64_t)o->common.seed, SPUR__STREAM_GENERATE, 1, item);
    SPUR__TRY(spur__pixels_shape(&out->audio, 1, n, 1, err));
    out->audio_rate = (int)o->sample_rate;
    make_sound(&tones[data->items[item].label], &rng, out->audio_rate, &out->audio);
    return spur__audio_picture(data, data->state, out, err);
}

static void tones_close(spur_data *data) {
    spur__melspec_destroy(data->state);
}

extern const spur__dataset_kind spur__data_tones;
const spur__dataset_kind spur__data_tones = {
    .kind = {"tones", "generated: sounds of eight kinds, as log-mel pictures", &table},
    .inputs = "sounds",
    .open = tones_open,
    .read = tones_read,
    .close = tones_close,
};
