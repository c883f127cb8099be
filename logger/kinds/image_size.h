/* SPDX-License-Identifier: MIT
 *
 * The sizes of encoded images.
 */
#ifndef SPUR_LOGGER_KINDS_IMAGE_SIZE_H
#define SPUR_LOGGER_KINDS_IMAGE_SIZE_H

#include <spur/status.h>

/* Width and height of a PNG, JPEG or GIF file; E_FORMAT for anything else. */
spur_status spur__image_size(const void *data, size_t size, int *width, int *height,
                             spur_error *err);

#endif
