/* SPDX-License-Identifier: MIT
 *
 * Philox4x32-10 and the distributions made from it; see random.h.
 */
#include "base/random.h"

#include <math.h>

#include "base/fmath.h"

/* One round; the constants are those of the paper. */
static void philox_round(const uint32_t key[2], uint32_t x[4]) {
    uint64_t a = (uint64_t)0xD2511F53u * x[0];
    uint64_t b = (uint64_t)0xCD9E8D57u * x[2];
    uint32_t x1 = x[1], x3 = x[3];
    x[0] = (uint32_t)(b >> 32) ^ x1 ^ key[0];
    x[1] = (uint32_t)b;
    x[2] = (uint32_t)(a >> 32) ^ x3 ^ key[1];
    x[3] = (uint32_t)a;
}

void spur__philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]) {
    uint32_t k[2] = {key[0], key[1]};
    for (int i = 0; i < 4; i++) out[i] = counter[i];
    for (int round = 0; round < 10; round++) {
        philox_round(k, out);
        k[0] += 0x9E3779B9u;
        k[1] += 0xBB67AE85u;
    }
}

/* A 64-bit finaliser (splitmix64, Steele et al. 2014): spreads seed and stream over the key. */
static uint64_t mix(uint64_t z) {
    z += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void spur__rng_init(spur__rng *rng, uint64_t seed, spur__stream stream, uint32_t epoch,
                    uint64_t sample) {
    uint64_t key = mix(mix(seed) + (uint64_t)stream);
    *rng = (spur__rng){
        .key = {(uint32_t)key, (uint32_t)(key >> 32)},
        .counter = {0, epoch, (uint32_t)sample, (uint32_t)(sample >> 32)},
        .used = 4,
    };
}

void spur__rng_seek(spur__rng *rng, uint64_t position) {
    rng->counter[0] = (uint32_t)(position / 4);
    rng->used = 4;
    for (uint64_t i = position % 4; i > 0; i--) (void)spur__rng_u32(rng);
}

uint32_t spur__rng_u32(spur__rng *rng) {
    if (rng->used == 4) {
        spur__philox(rng->key, rng->counter, rng->block);
        rng->counter[0]++;
        rng->used = 0;
    }
    return rng->block[rng->used++];
}

float spur__rng_float(spur__rng *rng) {
    return (float)(spur__rng_u32(rng) >> 8) * 0x1p-24f;
}

double spur__rng_double(spur__rng *rng) {
    uint64_t high = spur__rng_u32(rng) >> 5, low = spur__rng_u32(rng) >> 6;
    return (double)(high << 26 | low) * 0x1p-53;
}

double spur__rng_uniform(spur__rng *rng, double low, double high) {
    return low + (high - low) * spur__rng_double(rng);
}

uint32_t spur__rng_below(spur__rng *rng, uint32_t n) {
    if (n == 0) return 0;
    uint32_t reject = (0u - n) % n; /* 2^32 mod n: the biased low part */
    for (;;) {
        uint64_t product = (uint64_t)spur__rng_u32(rng) * n;
        if ((uint32_t)product >= reject) return (uint32_t)(product >> 32);
    }
}

float spur__rng_normal(spur__rng *rng) {
    float sine, cosine;
    float u = ((float)(spur__rng_u32(rng) >> 8) + 1.0f) * 0x1p-24f; /* (0, 1] */
    spur__sincos2pif(spur__rng_float(rng), &sine, &cosine);
    return sqrtf(-2.0f * spur__logf(u)) * cosine;
}

void spur__rng_shuffle(spur__rng *rng, uint32_t *indices, size_t n) {
    for (size_t i = n; i > 1; i--) {
        size_t j = spur__rng_below(rng, (uint32_t)i);
        uint32_t swap = indices[i - 1];
        indices[i - 1] = indices[j];
        indices[j] = swap;
    }
}
