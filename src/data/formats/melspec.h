/* SPDX-License-Identifier: MIT
 *
 * Log-mel spectrograms: a sound as a picture, time to the right, frequency upwards.
 *
 * Frames of `window` samples, `hop` apart, under a Hann window, mirrored at both ends (as torch.stft
 * with center = True); power spectrum of an FFT of the next power of two; triangles of height 1 on
 * the HTK mel scale, 2595 log10(1 + f / 700); decibels against full scale, from floor_db (0) to
 * 0 dB (1).
 */
#ifndef SPUR_DATA_FORMATS_MELSPEC_H
#define SPUR_DATA_FORMATS_MELSPEC_H

#include "data/codecs/image.h"

typedef struct spur__melspec spur__melspec;

typedef struct spur__melspec_config {
    int rate; /* samples per second */
    int window, hop; /* samples */
    int bands;
    double low, high; /* Hz; high 0: half the rate */
    double floor_db; /* negative */
} spur__melspec_config;

spur_status spur__melspec_create(spur__melspec **out, const spur__melspec_config *config,
                                 spur_error *err);
void spur__melspec_destroy(spur__melspec *mel);

/* Frames of a sound of n samples: 1 + n / hop. */
int spur__melspec_frames(const spur__melspec *mel, size_t n);

/* Bands so narrow that no frequency of the spectrum lies in them. */
int spur__melspec_empty(const spur__melspec *mel);

/* Floats of scratch memory that spur__melspec_run needs. */
size_t spur__melspec_scratch(const spur__melspec *mel);

/* out [bands][frames][1], the highest band in row 0. */
spur_status spur__melspec_run(const spur__melspec *mel, const float *sound, size_t n,
                              float *scratch, spur__pixels *out, spur_error *err);

/* fft.c: complex FFT in place, n = 2^k, data [n][2]; `roots` [n / 2][2] from spur__fft_roots. */
void spur__fft_roots(float *roots, size_t n);
void spur__fft(float *data, const float *roots, size_t n);

#endif
