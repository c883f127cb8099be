/* SPDX-License-Identifier: MIT
 *
 * Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011).
 *
 * A generator is a pure function of (seed, stream, epoch, sample): any thread can make the numbers
 * of any sample in any order and always gets the same ones. There is no hidden state; saving one
 * means saving those four numbers and the position.
 */
#ifndef SPUR_BASE_RANDOM_H
#define SPUR_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* What the numbers are for; two streams never share a number. Values are part of the format of
 * checkpoints: append only. */
typedef enum spur__stream {
    SPUR__STREAM_INIT = 1, /* initial weights (sample = index of the parameter) */
    SPUR__STREAM_SHUFFLE = 2, /* order of an epoch */
    SPUR__STREAM_AUGMENT = 3, /* transforms of one sample */
    SPUR__STREAM_DROPOUT = 4, /* epoch = step, sample = node */
    SPUR__STREAM_SPLIT = 5, /* train/validation split */
    SPUR__STREAM_GENERATE = 6, /* procedural data sets */
    SPUR__STREAM_MIX = 7, /* mixup and cutmix of a batch */
    SPUR__STREAM_SEARCH = 8, /* random search, TPE */
    SPUR__STREAM_TEST = 9 /* tests and examples */
} spur__stream;

typedef struct spur__rng {
    uint32_t key[2];
    uint32_t counter[4]; /* position, epoch, sample low, sample high */
    uint32_t block[4]; /* the numbers made last */
    uint32_t used; /* how many of them are spent, 0..4 */
} spur__rng;

/* The raw function: 128 random bits of (key, counter). */
void spur__philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]);

void spur__rng_init(spur__rng *rng, uint64_t seed, spur__stream stream, uint32_t epoch,
                    uint64_t sample);

/* Goes to the `position`-th number (of 32 bits) of the sequence. */
void spur__rng_seek(spur__rng *rng, uint64_t position);

uint32_t spur__rng_u32(spur__rng *rng);

/* Uniform in [0, 1): 24 bits. */
float spur__rng_float(spur__rng *rng);

/* Uniform in [0, 1): 53 bits. */
double spur__rng_double(spur__rng *rng);

/* Uniform in [low, high). */
double spur__rng_uniform(spur__rng *rng, double low, double high);

/* Uniform whole number in [0, n), unbiased; n = 0 gives 0. */
uint32_t spur__rng_below(spur__rng *rng, uint32_t n);

/* Standard normal (Box-Muller, on our own log and sine: the same bits everywhere). */
float spur__rng_normal(spur__rng *rng);

/* Fisher-Yates over n indices. */
void spur__rng_shuffle(spur__rng *rng, uint32_t *indices, size_t n);

#endif
