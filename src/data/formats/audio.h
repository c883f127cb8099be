/* SPDX-License-Identifier: MIT
 *
 * What the two formats of sounds share: their options, and the way from a sound of any length and
 * rate to a log-mel picture of one size.
 */
#ifndef SPUR_DATA_FORMATS_AUDIO_H
#define SPUR_DATA_FORMATS_AUDIO_H

#include "data/dataset.h"
#include "data/formats/melspec.h"

typedef struct spur__audio_options {
    spur__data_common common;
    int64_t sample_rate, bands;
    double seconds, window, hop, low, high, floor_db;
    int64_t classes, samples, val_samples, test_samples; /* tones only */
} spur__audio_options;

/* Checks the options, makes the transform and sets info's height, width and channels. */
spur_status spur__audio_setup(spur_data *data, spur__melspec **out, spur_error *err);

/* From out->audio at out->audio_rate: brings it to the data's rate and length (silence at the end,
 * or the middle part), and the picture to out->values. out->audio is then what was used. */
spur_status spur__audio_picture(const spur_data *data, const spur__melspec *mel, spur__sample *out,
                                spur_error *err);

#define SPUR__AUDIO_NUMBER(name_, type_, initial_, min_, max_, unit_, help_)                       \
    SPUR__ROW(type_, spur__audio_options, name_, initial_, .min = min_, .max = max_,               \
              .unit = unit_, .help = help_)

#define SPUR__AUDIO_ROWS                                                                           \
    SPUR__AUDIO_NUMBER(sample_rate, INT, "16000", 1000, 192000, "Hz",                              \
                       "sounds of another rate are resampled to this one"),                        \
        SPUR__AUDIO_NUMBER(seconds, FLOAT, "1", 0.01, 600, "seconds",                              \
                           "length: longer sounds give their middle, shorter ones get silence"),   \
        SPUR__AUDIO_NUMBER(bands, INT, "64", 4, 512, NULL,                                         \
                           "mel bands: the height of the picture"),                                \
        SPUR__AUDIO_NUMBER(window, FLOAT, "0.032", 0.001, 1, "seconds", "length of one frame"),    \
        SPUR__AUDIO_NUMBER(hop, FLOAT, "0.016", 0.0005, 1, "seconds",                              \
                           "from one frame to the next: the width of the picture is 1 + seconds "  \
                           "/ hop"),                                                               \
        SPUR__AUDIO_NUMBER(low, FLOAT, "20", 0, 96000, "Hz", "lowest frequency"),                  \
        SPUR__AUDIO_NUMBER(high, FLOAT, "0", 0, 96000, "Hz",                                       \
                           "highest frequency; 0: half the rate"),                                 \
        SPUR__AUDIO_NUMBER(floor_db, FLOAT, "-80", -200, -1, "dB", "level that is shown as black")

#endif
