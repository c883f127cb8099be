/* SPDX-License-Identifier: MIT
 *
 * Tileable value noise; see raster.h.
 */
#include "data/generated/raster.h"

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
