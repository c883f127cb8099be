/* SPDX-License-Identifier: MIT
 *
 * A small painter for the generated pictures: a canvas of floats, tileable noise, and random colours.
 */
#ifndef SPUR_DATA_GENERATED_RASTER_H
#define SPUR_DATA_GENERATED_RASTER_H

#include "base/random.h"
#include "data/codecs/image.h"

typedef struct spur__rgb {
    float r, g, b;
} spur__rgb;

/* Smooth noise that repeats every SPUR__NOISE_SIDE units; values around 0, mostly within [-1, 1]. */
enum { SPUR__NOISE_SIDE = 256 };
typedef struct spur__noise {
    float values[SPUR__NOISE_SIDE][SPUR__NOISE_SIDE];
} spur__noise;

/* Five octaves of value noise, each finer one with `gain` times the strength. */
void spur__noise_fill(spur__noise *noise, uint64_t seed, float gain);

/* Largest whole number not above x; unlike floorf never a call. */
static inline int spur__floor(float x) {
    int i = (int)x;
    return i - (x < (float)i);
}

/* Bilinear look-up at any place. */
static inline float spur__noise_at(const spur__noise *noise, float x, float y) {
    int fx = spur__floor(x), fy = spur__floor(y);
    float ax = x - (float)fx, ay = y - (float)fy;
    int x0 = fx & (SPUR__NOISE_SIDE - 1), y0 = fy & (SPUR__NOISE_SIDE - 1);
    int x1 = (x0 + 1) & (SPUR__NOISE_SIDE - 1), y1 = (y0 + 1) & (SPUR__NOISE_SIDE - 1);
    float top = noise->values[y0][x0] + (noise->values[y0][x1] - noise->values[y0][x0]) * ax;
    float low = noise->values[y1][x0] + (noise->values[y1][x1] - noise->values[y1][x0]) * ax;
    return top + (low - top) * ay;
}

/* Nearly normal noise for pixels, one random word each: the sum of its four bytes, mean 0 and
 * standard deviation 1, never beyond 3.5. */
static inline float spur__grain(spur__rng *rng) {
    uint32_t bits = spur__rng_u32(rng);
    uint32_t sum = (bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24);
    return ((float)sum - 510.0f) * (1.0f / 147.8016f);
}

static inline float spur__lower(float a, float b) {
    return a < b ? a : b;
}

static inline float spur__higher(float a, float b) {
    return a > b ? a : b;
}

static inline spur__rgb spur__rgb_mix(spur__rgb a, spur__rgb b, float t) {
    return (spur__rgb){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

static inline spur__rgb spur__rgb_scale(spur__rgb a, float f) {
    return (spur__rgb){a.r * f, a.g * f, a.b * f};
}

/* 0 below `low`, 1 above `high`, smooth between. */
static inline float spur__smoothstep(float low, float high, float x) {
    float t = (x - low) / (high - low);
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return t * t * (3 - 2 * t);
}

static inline uint8_t spur__byte(float x) {
    return (uint8_t)(x <= 0 ? 0 : x >= 1 ? 255 : x * 255.0f + 0.5f);
}

#endif
