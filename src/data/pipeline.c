/* SPDX-License-Identifier: MIT
 *
 * The way of one sample; see pipeline.h.
 */
#include "data/pipeline.h"

#include <string.h>

#include "base/error.h"

void spur__workspace_free(spur__workspace *workspace) {
    spur__sample_free(&workspace->sample);
    spur__resizer_free(&workspace->resizer);
    spur__pixels_free(&workspace->pixels);
    spur__pixels_free(&workspace->spare);
    spur__image_free(&workspace->mask);
    spur__image_free(&workspace->spare_mask);
}

static spur__canvas canvas_of(const spur_data *data, const spur__augment *augment,
                              spur__workspace *w, spur__rng *rng) {
    bool mask = data->info.task == SPUR_SEGMENTATION;
    int ignore = data->info.ignore_index;
    return (spur__canvas){
        .pixels = &w->pixels,
        .spare = &w->spare,
        .mask = mask ? &w->mask : NULL,
        .spare_mask = mask ? &w->spare_mask : NULL,
        .fill = augment ? (float)augment->fill : 0,
        .mask_fill = (uint8_t)(ignore >= 0 ? ignore : 0),
        .rng = rng,
    };
}

/* After a transform wrote to the spare picture, the result is brought back to the first place. */
static void settle(spur__workspace *w, const spur__canvas *canvas) {
    if (canvas->pixels != &w->pixels) {
        spur__pixels swap = w->pixels;
        w->pixels = w->spare;
        w->spare = swap;
    }
    if (canvas->mask && canvas->mask != &w->mask) {
        spur__image swap = w->mask;
        w->mask = w->spare_mask;
        w->spare_mask = swap;
    }
}

static spur_status resize(const spur_data *data, const spur__augment *augment, spur__rng *rng,
                          spur__workspace *w, spur_error *err) {
    const spur__sample *sample = &w->sample;
    bool bytes = sample->image.height > 0;
    int height = bytes ? sample->image.height : sample->values.height;
    int width = bytes ? sample->image.width : sample->values.width;
    const spur_data_info *info = &data->info;
    spur__box box = spur__augment_box(augment, height, width, rng);
    if (bytes)
        SPUR__TRY(spur__resize_image(&w->resizer, &sample->image, box, info->height, info->width,
                                     &w->pixels, err));
    else
        SPUR__TRY(spur__resize_pixels(&w->resizer, &sample->values, box, info->height, info->width,
                                      &w->pixels, err));
    if (info->task != SPUR_SEGMENTATION) return SPUR_OK;
    return spur__resize_nearest(&sample->mask, box, info->height, info->width, &w->mask, err);
}

spur_status spur__sample_load(const spur_data *data, uint32_t item, const spur__augment *augment,
                              spur__rng *rng, spur__workspace *w, spur_error *err) {
    SPUR__TRY(spur__data_read(data, item, &w->sample, err));
    SPUR__TRY(resize(data, augment, rng, w, err));
    if (!augment || !rng) return SPUR_OK;
    spur__canvas canvas = canvas_of(data, augment, w, rng);
    spur_status status = spur__augment_apply(augment, SPUR__PHASE_PIXELS, &canvas, err);
    settle(w, &canvas);
    return status;
}

/* (x - mean) / std, channel by channel. */
static void normalize(const spur_data_info *info, const float *from, float *to, size_t pixels) {
    enum { PERIOD = 12 }; /* of 1, 3 and 4 channels: whole vectors then see one pattern */
    size_t channels = (size_t)info->channels, n = pixels * channels, i = 0;
    float mean[PERIOD], scale[PERIOD];
    for (size_t c = 0; c < PERIOD; c++) {
        mean[c] = info->mean[c % channels];
        scale[c] = 1.0f / info->std[c % channels];
    }
    if (PERIOD % channels == 0)
        for (; i + PERIOD <= n; i += PERIOD)
            for (size_t c = 0; c < PERIOD; c++) to[i + c] = (from[i + c] - mean[c]) * scale[c];
    for (; i < n; i++)
        to[i] = (from[i] - info->mean[i % channels]) * (1.0f / info->std[i % channels]);
}

spur_status spur__sample_prepare(const spur_data *data, uint32_t item, const spur__augment *augment,
                                 spur__rng *rng, spur__workspace *w, float *input, int32_t *mask,
                                 spur_error *err) {
    SPUR__TRY(spur__sample_load(data, item, augment, rng, w, err));
    const spur_data_info *info = &data->info;
    size_t pixels = (size_t)info->height * (size_t)info->width;
    normalize(info, w->pixels.data, input, pixels);
    for (size_t i = 0; mask && i < pixels; i++) mask[i] = w->mask.data[i];
    if (!augment || !rng) return SPUR_OK;
    /* These work in place, on the batch itself. */
    spur__pixels view = {info->height, info->width, info->channels, input, 0};
    spur__canvas canvas = {.pixels = &view, .rng = rng};
    return spur__augment_apply(augment, SPUR__PHASE_NORMALIZED, &canvas, err);
}

spur_status spur__image_prepare(const spur_data_info *info, const spur__image *image, spur__box box,
                                spur__workspace *w, float *input, spur_error *err) {
    SPUR__TRY(
        spur__resize_image(&w->resizer, image, box, info->height, info->width, &w->pixels, err));
    normalize(info, w->pixels.data, input, (size_t)info->height * (size_t)info->width);
    return SPUR_OK;
}
