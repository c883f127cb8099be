/* SPDX-License-Identifier: MIT
 *
 * WAV files: RIFF with PCM of 8, 16, 24 or 32 bits or floats of 32 or 64 bits, any number of
 * channels and any rate; and changing the rate.
 */
#ifndef SPUR_DATA_CODECS_WAV_H
#define SPUR_DATA_CODECS_WAV_H

#include "data/codecs/image.h"

/* Decodes to one channel (the mean of all), values -1..1, as pixels [1][samples][1]. */
spur_status spur__wav_decode(const uint8_t *data, size_t size, const char *name, spur__pixels *out,
                             int *rate, spur_error *err);

/* Checks the headers, and that the samples are all there. */
spur_status spur__wav_check(const uint8_t *data, size_t size, const char *name, spur_error *err);

/* Resamples by a windowed sinc (half width 16 zero crossings of the lower rate, Hann window). Of a
 * result that is longer than `most` samples only the middle is made. */
spur_status spur__wav_resample(const spur__pixels *from, int from_rate, int to_rate, size_t most,
                               spur__pixels *to, spur_error *err);

#endif
