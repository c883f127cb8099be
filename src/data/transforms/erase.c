/* SPDX-License-Identifier: MIT
 *
 * erasing (Zhong et al. 2017, as torchvision's RandomErasing) and cutout (DeVries & Taylor 2017): a
 * rectangle, or squares that may stand over the edge, set to 0 after the normalization, which is
 * the mean colour. Masks stay as they are.
 */
#include "data/transforms/transforms.h"

#include <math.h>

#include "base/fmath.h"

static void erase(spur__canvas *canvas, spur__box box, bool noise) {
    size_t channels = (size_t)canvas->pixels->channels, width = (size_t)canvas->pixels->width;
    for (int y = box.top; y < box.top + box.height; y++) {
        float *p = canvas->pixels->data + ((size_t)y * width + (size_t)box.left) * channels;
        for (size_t i = 0; i < (size_t)box.width * channels; i++)
            p[i] = noise ? spur__rng_normal(canvas->rng) : 0;
    }
}

bool spur__erasing_enabled(const spur__augment *augment) {
    return augment->erasing > 0;
}

spur_status spur__erasing_apply(const spur__augment *augment, spur__canvas *canvas,
                                spur_error *err) {
    const double *scale = augment->erasing_scale.values, *ratio = augment->erasing_ratio.values;
    int height = canvas->pixels->height, width = canvas->pixels->width;
    spur__rng *rng = canvas->rng;
    (void)err;
    if (!(spur__rng_double(rng) < augment->erasing)) return SPUR_OK;
    for (int attempt = 0; attempt < 10; attempt++) {
        double area = (double)height * width * spur__rng_uniform(rng, scale[0], scale[1]);
        double low = spur__logf((float)ratio[0]), high = spur__logf((float)ratio[1]);
        double shape = spur__expf((float)spur__rng_uniform(rng, low, high));
        int h = (int)rint(sqrt(area * shape)), w = (int)rint(sqrt(area / shape));
        if (h >= height || w >= width || h < 1 || w < 1) continue;
        int top = (int)spur__rng_below(rng, (uint32_t)(height - h) + 1);
        int left = (int)spur__rng_below(rng, (uint32_t)(width - w) + 1);
        erase(canvas, (spur__box){top, left, h, w}, augment->erasing_fill == 1);
        break;
    }
    return SPUR_OK;
}

bool spur__cutout_enabled(const spur__augment *augment) {
    return augment->cutout > 0;
}

static int clip(int x, int high) {
    return x < 0 ? 0 : x > high ? high : x;
}

spur_status spur__cutout_apply(const spur__augment *augment, spur__canvas *canvas,
                               spur_error *err) {
    int height = canvas->pixels->height, width = canvas->pixels->width;
    int length = (int)augment->cutout;
    (void)err;
    for (int64_t i = 0; i < augment->cutout_holes; i++) {
        int y = (int)spur__rng_below(canvas->rng, (uint32_t)height) - length / 2;
        int x = (int)spur__rng_below(canvas->rng, (uint32_t)width) - length / 2;
        int top = clip(y, height), bottom = clip(y + length, height);
        int left = clip(x, width), right = clip(x + length, width);
        erase(canvas, (spur__box){top, left, bottom - top, right - left}, false);
    }
    return SPUR_OK;
}
