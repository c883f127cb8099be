/* SPDX-License-Identifier: MIT
 *
 * Tileable value noise; see raster.h.
 */
#include "data/raster.h"

#include <math.h>
#include <string.h>

/* Adds one octave: random values on a lattice `step` apart, smooth between. */
static void add_octave(spur__noise *noise, spur__rng *rng, int step, float strength) {
    enum { SIDE = SPUR__NOISE_SIDE };
    float lattice[SIDE / 4][SIDE / 4];
    int n = SIDE / step;
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++) lattice[y][x] = spur__rng_float(rng) * 2 - 1;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int x0 = x / step, y0 = y / step, x1 = (x0 + 1) % n, y1 = (y0 + 1) % n;
            float ax = spur__smoothstep(0, 1, (float)(x % step) / (float)step);
            float ay = spur__smoothstep(0, 1, (float)(y % step) / (float)step);
            float top = lattice[y0][x0] + (lattice[y0][x1] - lattice[y0][x0]) * ax;
            float low = lattice[y1][x0] + (lattice[y1][x1] - lattice[y1][x0]) * ax;
            noise->values[y][x] += strength * (top + (low - top) * ay);
        }
}

void spur__noise_fill(spur__noise *noise, uint64_t seed, float gain) {
    spur__rng rng;
    float strength = 1;
    memset(noise, 0, sizeof *noise);
    spur__rng_init(&rng, seed, SPUR__STREAM_GENERATE, UINT32_MAX, 0);
    for (int step = 64; step >= 4; step /= 2, strength *= gain)
        add_octave(noise, &rng, step, strength);
}

float spur__noise_at(const spur__noise *noise, float x, float y) {
    float fx = floorf(x), fy = floorf(y), ax = x - fx, ay = y - fy;
    int x0 = (int)fx & (SPUR__NOISE_SIDE - 1), y0 = (int)fy & (SPUR__NOISE_SIDE - 1);
    int x1 = (x0 + 1) & (SPUR__NOISE_SIDE - 1), y1 = (y0 + 1) & (SPUR__NOISE_SIDE - 1);
    float top = noise->values[y0][x0] + (noise->values[y0][x1] - noise->values[y0][x0]) * ax;
    float low = noise->values[y1][x0] + (noise->values[y1][x1] - noise->values[y1][x0]) * ax;
    return top + (low - top) * ay;
}
