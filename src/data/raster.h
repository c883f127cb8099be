/* SPDX-License-Identifier: MIT
 *
 * A small painter for the generated pictures: a canvas of floats, tileable noise, and random colours.
 */
#ifndef SPUR_DATA_RASTER_H
#define SPUR_DATA_RASTER_H

#include "base/random.h"
#include "data/image.h"

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

/* Bilinear look-up at any place. */
float spur__noise_at(const spur__noise *noise, float x, float y);

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
