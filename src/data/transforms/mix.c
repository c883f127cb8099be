/* SPDX-License-Identifier: MIT
 *
 * mixup and cutmix; see mix.h. Gamma numbers: Marsaglia & Tsang, "A simple method for generating
 * gamma variables" (2000).
 */
#include "data/transforms/mix.h"

#include <math.h>
#include <string.h>

#include "base/fmath.h"

/* Logarithm of a gamma(shape) number: for small shapes the number itself may be below any float. */
static double log_gamma_draw(spur__rng *rng, double shape) {
    double boost = 0;
    if (shape < 1) {
        double u = (double)(spur__rng_u32(rng) >> 8) * 0x1p-24 + 0x1p-25;
        boost = spur__logf((float)u) / shape;
        shape += 1;
    }
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = spur__rng_normal(rng), v = 1 + c * x;
        double u = (double)(spur__rng_u32(rng) >> 8) * 0x1p-24 + 0x1p-25;
        if (v <= 0) continue;
        v = v * v * v;
        double log_v = spur__logf((float)v);
        if (spur__logf((float)u) < 0.5 * x * x + d - d * v + d * log_v)
            return (double)spur__logf((float)d) + log_v + boost;
    }
}

double spur__rng_beta(spur__rng *rng, double alpha) {
    double a = log_gamma_draw(rng, alpha), b = log_gamma_draw(rng, alpha);
    return 1.0 / (1.0 + (double)spur__expf((float)(b - a)));
}

static size_t sample_size(const spur__mix *mix) {
    return (size_t)mix->height * (size_t)mix->width * (size_t)mix->channels;
}

/* Targets: `lambda` for the sample's own class, the rest for its predecessor's. */
static void mix_targets(const spur__mix *mix, float lambda) {
    memset(mix->targets, 0, mix->count * mix->classes * sizeof *mix->targets);
    for (size_t i = 0; i < mix->count; i++) {
        float *row = mix->targets + i * mix->classes;
        row[mix->labels[i]] += lambda;
        row[mix->labels[i ? i - 1 : mix->count - 1]] += 1 - lambda;
    }
}

void spur__mixup(const spur__mix *mix, float lambda) {
    size_t n = sample_size(mix);
    memcpy(mix->last, mix->input + (mix->count - 1) * n, n * sizeof(float));
    for (size_t i = mix->count; i-- > 0;) {
        float *own = mix->input + i * n;
        const float *other = i ? own - n : mix->last;
        for (size_t k = 0; k < n; k++) own[k] = own[k] * lambda + other[k] * (1 - lambda);
    }
    mix_targets(mix, lambda);
}

void spur__cutmix(const spur__mix *mix, spur__box box) {
    size_t n = sample_size(mix), channels = (size_t)mix->channels;
    memcpy(mix->last, mix->input + (mix->count - 1) * n, n * sizeof(float));
    for (size_t i = mix->count; i-- > 0;) {
        float *own = mix->input + i * n;
        const float *other = i ? own - n : mix->last;
        for (int y = box.top; y < box.top + box.height; y++) {
            size_t at = ((size_t)y * (size_t)mix->width + (size_t)box.left) * channels;
            memcpy(own + at, other + at, (size_t)box.width * channels * sizeof(float));
        }
    }
    float area = (float)box.height * (float)box.width;
    mix_targets(mix, 1 - area / ((float)mix->height * (float)mix->width));
}

static int clip(double x, int high) {
    return x < 0 ? 0 : x > high ? high : (int)x;
}

static spur__box cutmix_box(const spur__mix *mix, double lambda, spur__rng *rng) {
    int cx = (int)spur__rng_below(rng, (uint32_t)mix->width);
    int cy = (int)spur__rng_below(rng, (uint32_t)mix->height);
    double r = 0.5 * sqrt(1 - lambda);
    int half_w = (int)(r * mix->width), half_h = (int)(r * mix->height);
    int top = clip(cy - half_h, mix->height), bottom = clip(cy + half_h, mix->height);
    int left = clip(cx - half_w, mix->width), right = clip(cx + half_w, mix->width);
    return (spur__box){top, left, bottom - top, right - left};
}

void spur__mix_apply(const spur__augment *augment, const spur__mix *mix, spur__rng *rng) {
    bool cut = augment->cutmix > 0;
    if (mix->count == 0) return;
    if (cut && augment->mixup > 0) cut = spur__rng_below(rng, 2) == 1;
    double lambda = spur__rng_beta(rng, cut ? augment->cutmix : augment->mixup);
    if (cut)
        spur__cutmix(mix, cutmix_box(mix, lambda, rng));
    else
        spur__mixup(mix, (float)lambda);
}
