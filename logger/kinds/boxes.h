/* SPDX-License-Identifier: MIT
 *
 * Rectangles with labels, drawn on images before they are encoded.
 */
#ifndef SPUR_LOGGER_KINDS_BOXES_H
#define SPUR_LOGGER_KINDS_BOXES_H

#include <spur/log.h>

#include "kinds/pixels.h"

/* Finite sides in order, an image below `images`, a label in UTF-8. */
spur_status spur__boxes_check(const spur_log_box *boxes, size_t count, size_t images,
                              spur_error *err);

/* Draws those boxes that are on image `image`, in their order, on a bitmap of 3 or 4 channels. What lies
 * outside is cut off. */
void spur__boxes_draw(const spur__bitmap *canvas, const spur_log_box *boxes, size_t count,
                      size_t image);

#endif
