/* SPDX-License-Identifier: MIT
 *
 * resized_crop (which part of a picture is resized) and random_crop (padding, then the old size at
 * a random place).
 */
#include "data/transforms/transforms.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/fmath.h"

/* Where index i of a padded axis comes from: -1 for the fill value. */
static int source_index(int i, int n, spur__pad_mode mode) {
    if (i >= 0 && i < n) return i;
    if (mode == SPUR__PAD_CONSTANT) return -1;
    if (mode == SPUR__PAD_EDGE || n == 1) return i < 0 ? 0 : n - 1;
    int period = 2 * (n - 1);
    i = ((i % period) + period) % period;
    return i < n ? i : period - i;
}

static void crop_row(const spur__canvas *canvas, int y, int sy, int shift, spur__pad_mode mode) {
    const spur__pixels *from = canvas->pixels;
    size_t channels = (size_t)from->channels, width = (size_t)from->width;
    float *to = canvas->spare->data + (size_t)y * width * channels;
    uint8_t *mask = canvas->mask ? canvas->spare_mask->data + (size_t)y * width : NULL;
    for (int x = 0; x < from->width; x++, to += channels) {
        int sx = source_index(x + shift, from->width, mode);
        bool outside = sx < 0 || sy < 0;
        size_t at = outside ? 0 : (size_t)sy * width + (size_t)sx;
        for (size_t c = 0; c < channels; c++)
            to[c] = outside ? canvas->fill : from->data[at * channels + c];
        if (mask) mask[x] = outside ? canvas->mask_fill : canvas->mask->data[at];
    }
}

spur_status spur__shifted_crop(spur__canvas *canvas, int padding, spur__pad_mode mode, int top,
                               int left, spur_error *err) {
    const spur__pixels *from = canvas->pixels;
    SPUR__TRY(spur__pixels_shape(canvas->spare, from->height, from->width, from->channels, err));
    if (canvas->mask)
        SPUR__TRY(spur__image_shape(canvas->spare_mask, from->height, from->width, 1, err));
    for (int y = 0; y < from->height; y++)
        crop_row(canvas, y, source_index(y + top - padding, from->height, mode), left - padding,
                 mode);
    spur__canvas_swap(canvas);
    if (canvas->mask) spur__canvas_swap_mask(canvas);
    return SPUR_OK;
}

bool spur__random_crop_enabled(const spur__augment *augment) {
    return augment->random_crop > 0;
}

spur_status spur__random_crop_apply(const spur__augment *augment, spur__canvas *canvas,
                                    spur_error *err) {
    uint32_t places = 2 * (uint32_t)augment->random_crop + 1;
    int top = (int)spur__rng_below(canvas->rng, places);
    int left = (int)spur__rng_below(canvas->rng, places);
    return spur__shifted_crop(canvas, (int)augment->random_crop,
                              (spur__pad_mode)augment->random_crop_mode, top, left, err);
}

/* The largest centred part whose shape is allowed. */
static spur__box central_box(int height, int width, double narrow, double wide) {
    spur__box box = {0, 0, height, width};
    double ratio = (double)width / height;
    if (ratio < narrow)
        box.height = (int)rint(width / narrow);
    else if (ratio > wide)
        box.width = (int)rint(height * wide);
    box.height = box.height < 1 ? 1 : box.height > height ? height : box.height;
    box.width = box.width < 1 ? 1 : box.width > width ? width : box.width;
    box.top = (height - box.height) / 2;
    box.left = (width - box.width) / 2;
    return box;
}

/* As RandomResizedCrop.get_params: ten attempts at an area and a logarithmic shape. */
spur__box spur__augment_box(const spur__augment *augment, int height, int width, spur__rng *rng) {
    spur__box box = {0, 0, height, width};
    if (!augment || !rng || augment->resized_crop.count == 0) return box;
    const double *scale = augment->resized_crop.values;
    const double *ratio = augment->resized_crop_ratio.values;
    float low = spur__logf((float)ratio[0]), high = spur__logf((float)ratio[1]);
    for (int attempt = 0; attempt < 10; attempt++) {
        double area = (double)height * width * spur__rng_uniform(rng, scale[0], scale[1]);
        double shape = spur__expf((float)spur__rng_uniform(rng, low, high));
        int w = (int)rint(sqrt(area * shape)), h = (int)rint(sqrt(area / shape));
        if (w < 1 || h < 1 || w > width || h > height) continue;
        box.top = (int)spur__rng_below(rng, (uint32_t)(height - h) + 1);
        box.left = (int)spur__rng_below(rng, (uint32_t)(width - w) + 1);
        box.height = h;
        box.width = w;
        return box;
    }
    return central_box(height, width, ratio[0], ratio[1]);
}
