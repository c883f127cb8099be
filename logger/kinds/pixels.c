/* SPDX-License-Identifier: MIT
 *
 * Checking and converting pixels; see pixels.h.
 */
#include "kinds/pixels.h"

#include "kinds/array.h"

enum { SIDE_MAX = 65535 };

spur_status spur__pixels_check(const spur_log_images *images, spur_error *err) {
    if (!images) return spur__fail(err, SPUR_E_ARGUMENT, "the images are NULL");
    if (images->type != SPUR_LOG_U8 && images->type != SPUR_LOG_F32 && images->type != SPUR_LOG_F64)
        return spur__fail(err, SPUR_E_TYPE, "images are U8, F32 or F64, not %s",
                          spur__type_name(images->type));
    if (images->count < 0) return spur__fail(err, SPUR_E_SHAPE, "%d images", images->count);
    if (images->height < 1 || images->width < 1 || images->height > SIDE_MAX ||
        images->width > SIDE_MAX)
        return spur__fail(err, SPUR_E_SHAPE, "images of height %d and width %d, expected 1 to %d",
                          images->height, images->width, SIDE_MAX);
    if (images->channels < 1 || images->channels > 4)
        return spur__fail(err, SPUR_E_SHAPE, "images of %d channels, expected 1 to 4",
                          images->channels);
    if (images->count > 0 && !images->pixels)
        return spur__fail(err, SPUR_E_ARGUMENT, "the pixels are NULL");
    return SPUR_OK;
}

size_t spur__pixels_images(const spur_log_images *images) {
    return images->count == 0 && images->pixels ? 1 : (size_t)images->count;
}

/* 0..1 to 0..255 as tf.image.convert_image_dtype(saturate=True) does: times 255.5 and
 * cut off. NaN becomes 0. */
static uint8_t byte_of(double x) {
    if (!(x > 0.0)) return 0;
    if (x >= 1.0) return 255;
    return (uint8_t)(x * 255.5);
}

void spur__pixels_bytes(const spur_log_images *images, size_t i, int channels, uint8_t *out) {
    size_t pixels = (size_t)images->height * (size_t)images->width;
    size_t given = (size_t)images->channels, start = i * pixels * given;
    size_t pixel_step = images->channels_first ? 1 : given;
    size_t channel_step = images->channels_first ? pixels : 1;
    size_t source[4]; /* the channel that becomes each one of the result */
    for (int c = 0; c < 4; c++)
        source[c] = channels == images->channels ? (size_t)c * channel_step
                    : c < 3                      ? 0
                                                 : channel_step;
    for (size_t p = 0; p < pixels; p++)
        for (int c = 0; c < channels; c++) {
            size_t k = start + p * pixel_step + source[c];
            *out++ = images->type == SPUR_LOG_U8
                         ? ((const uint8_t *)images->pixels)[k]
                         : byte_of(spur__element(images->pixels, images->type, k));
        }
}
