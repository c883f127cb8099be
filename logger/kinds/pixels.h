/* SPDX-License-Identifier: MIT
 *
 * The pixels of the caller's images, of any type and layout, as the bytes that a PNG file holds.
 */
#ifndef SPUR_LOGGER_KINDS_PIXELS_H
#define SPUR_LOGGER_KINDS_PIXELS_H

#include <spur/log.h>

/* One image as bytes, [height][width][channels]. */
typedef struct spur__bitmap {
    uint8_t *pixels;
    int height, width, channels;
} spur__bitmap;

/* Type, sizes and channels as spur/log.h says, and pixels if there are images. */
spur_status spur__pixels_check(const spur_log_images *images, spur_error *err);

/* How many there are: of a batch without a count, one if there are pixels. */
size_t spur__pixels_images(const spur_log_images *images);

/* Image i as bytes, [height][width][channels]. Channels are those of the images, or two more: gray
 * is repeated as red, green and blue then. */
void spur__pixels_bytes(const spur_log_images *images, size_t i, int channels, uint8_t *out);

#endif
