/* SPDX-License-Identifier: MIT
 *
 * color_jitter and grayscale: torchvision's blends on floats 0..1 (transforms/functional_tensor.py,
 * 0.14), grey as 0.2989 R + 0.587 G + 0.114 B, hue as a turn of the HSV circle.
 */
#include "data/transforms/transforms.h"

#include <math.h>

static float clamp01(float x) {
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static float grey_of(const float *p) {
    return 0.2989f * p[0] + 0.587f * p[1] + 0.114f * p[2];
}

static size_t count_of(const spur__pixels *pixels) {
    return (size_t)pixels->height * (size_t)pixels->width;
}

/* Channels that are colour: alpha stays as it is. */
static int colours(const spur__pixels *pixels) {
    return pixels->channels >= 3 ? 3 : 1;
}

void spur__adjust_brightness(spur__pixels *pixels, float factor) {
    size_t n = count_of(pixels), channels = (size_t)pixels->channels;
    int k = colours(pixels);
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < k; c++) {
            float *p = pixels->data + i * channels + (size_t)c;
            *p = clamp01(*p * factor);
        }
}

/* Mean of the grey picture; rows first, so that the sum stays exact enough at any size. */
static float mean_grey(const spur__pixels *pixels) {
    double total = 0;
    const float *p = pixels->data;
    for (int y = 0; y < pixels->height; y++) {
        double row = 0;
        for (int x = 0; x < pixels->width; x++, p += pixels->channels)
            row += (double)(pixels->channels >= 3 ? grey_of(p) : p[0]);
        total += row;
    }
    return (float)(total / (double)count_of(pixels));
}

void spur__adjust_contrast(spur__pixels *pixels, float factor) {
    size_t n = count_of(pixels), channels = (size_t)pixels->channels;
    float offset = (1 - factor) * mean_grey(pixels);
    int k = colours(pixels);
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < k; c++) {
            float *p = pixels->data + i * channels + (size_t)c;
            *p = clamp01(*p * factor + offset);
        }
}

void spur__adjust_saturation(spur__pixels *pixels, float factor) {
    if (pixels->channels < 3) return;
    size_t n = count_of(pixels), channels = (size_t)pixels->channels;
    for (size_t i = 0; i < n; i++) {
        float *p = pixels->data + i * channels, offset = (1 - factor) * grey_of(p);
        for (int c = 0; c < 3; c++) p[c] = clamp01(p[c] * factor + offset);
    }
}

/* Hue in [0, 1), saturation, value. */
static void to_hsv(const float *p, float hsv[3]) {
    float high = fmaxf(p[0], fmaxf(p[1], p[2])), low = fminf(p[0], fminf(p[1], p[2]));
    float range = high - low, hue = 0;
    if (range > 0) {
        float r = (high - p[0]) / range, g = (high - p[1]) / range, b = (high - p[2]) / range;
        hue = p[0] == high ? b - g : p[1] == high ? 2 + r - b : 4 + g - r;
        hue = hue / 6 + 1;
        hue -= floorf(hue);
    }
    hsv[0] = hue;
    hsv[1] = high > 0 ? range / high : 0;
    hsv[2] = high;
}

static void from_hsv(const float hsv[3], float *p) {
    float scaled = hsv[0] * 6, sector = floorf(scaled), f = scaled - sector;
    float s = hsv[1], v = hsv[2];
    float low = clamp01(v * (1 - s)), down = clamp01(v * (1 - s * f));
    float up = clamp01(v * (1 - s * (1 - f)));
    const float table[6][3] = {{v, up, low},   {down, v, low}, {low, v, up},
                               {low, down, v}, {up, low, v},   {v, low, down}};
    const float *rgb = table[(int)sector % 6];
    p[0] = rgb[0], p[1] = rgb[1], p[2] = rgb[2];
}

void spur__adjust_hue(spur__pixels *pixels, float shift) {
    if (pixels->channels < 3) return;
    size_t n = count_of(pixels), channels = (size_t)pixels->channels;
    for (size_t i = 0; i < n; i++) {
        float hsv[3], *p = pixels->data + i * channels;
        to_hsv(p, hsv);
        hsv[0] += shift + 1;
        hsv[0] -= floorf(hsv[0]);
        from_hsv(hsv, p);
    }
}

bool spur__color_jitter_enabled(const spur__augment *augment) {
    for (size_t i = 0; i < augment->color_jitter.count; i++)
        if (augment->color_jitter.values[i] > 0) return true;
    return false;
}

/* A factor from [max(0, 1 - x), 1 + x]; a shift from [-x, x] for the hue. */
static float draw(double x, bool hue, spur__rng *rng) {
    double low = hue ? -x : x < 1 ? 1 - x : 0;
    return (float)spur__rng_uniform(rng, low, hue ? x : 1 + x);
}

/* As ColorJitter(brightness, contrast, saturation, hue), in random order. */
spur_status spur__color_jitter_apply(const spur__augment *augment, spur__canvas *canvas,
                                     spur_error *err) {
    static void (*const adjust[4])(spur__pixels *, float) = {
        spur__adjust_brightness, spur__adjust_contrast, spur__adjust_saturation, spur__adjust_hue};
    uint32_t order[4] = {0, 1, 2, 3};
    (void)err;
    spur__rng_shuffle(canvas->rng, order, 4);
    for (int i = 0; i < 4; i++) {
        uint32_t k = order[i];
        if (k >= augment->color_jitter.count || !(augment->color_jitter.values[k] > 0)) continue;
        adjust[k](canvas->pixels, draw(augment->color_jitter.values[k], k == 3, canvas->rng));
    }
    return SPUR_OK;
}

bool spur__grayscale_enabled(const spur__augment *augment) {
    return augment->grayscale > 0;
}

spur_status spur__grayscale_apply(const spur__augment *augment, spur__canvas *canvas,
                                  spur_error *err) {
    (void)err;
    if (spur__rng_double(canvas->rng) < augment->grayscale && canvas->pixels->channels >= 3) {
        size_t n = count_of(canvas->pixels), channels = (size_t)canvas->pixels->channels;
        for (size_t i = 0; i < n; i++) {
            float *p = canvas->pixels->data + i * channels;
            p[0] = p[1] = p[2] = grey_of(p);
        }
    }
    return SPUR_OK;
}
