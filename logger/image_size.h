/* SPDX-License-Identifier: MIT
 *
 * What the image code shares: encoded files, and their sizes.
 */
#ifndef SPUR_LOGGER_IMAGE_SIZE_H
#define SPUR_LOGGER_IMAGE_SIZE_H

#include <spur/log.h>

#include "png_write.h"

typedef struct spur__image_files {
    const spur_log_bytes *bytes;
    size_t count;
    int width, height;
} spur__image_files;

/* Width and height of a PNG, JPEG or GIF file; E_FORMAT for anything else. */
spur_status spur__image_size(const void *data, size_t size, int *width, int *height,
                             spur_error *err);

/* The first of these images as a PNG file. */
spur_status spur__sprite_encode(const spur_log_images *images, spur__blob *out, spur_error *err);

#endif
