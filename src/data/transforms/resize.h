/* SPDX-License-Identifier: MIT
 *
 * Resizing. Pictures: triangle filter, widened when shrinking, pixel centres at half-integers - what
 * PyTorch calls bilinear with antialias = true and Pillow BILINEAR - without rounding in between.
 * Masks: nearest neighbour.
 */
#ifndef SPUR_DATA_TRANSFORMS_RESIZE_H
#define SPUR_DATA_TRANSFORMS_RESIZE_H

#include "data/codecs/image.h"

/* A part of a picture. */
typedef struct spur__box {
    int top, left, height, width;
} spur__box;

/* The filter of one axis: output i is the sum of count[i] inputs from start[i] on. */
typedef struct spur__filter {
    int in, out, taps; /* for which sizes it was made; taps: the most inputs of one output */
    int *start, *count;
    float *weights; /* [out][taps] */
    size_t capacity_out, capacity_weights;
} spur__filter;

/* Filters and rows in between, kept from one call to the next. */
typedef struct spur__resizer {
    spur__filter rows, columns;
    spur__pixels between;
} spur__resizer;

void spur__resizer_free(spur__resizer *resizer);

/* Resizes a part of a picture of bytes to height x width; 0..255 becomes 0..1. */
spur_status spur__resize_image(spur__resizer *resizer, const spur__image *from, spur__box box,
                               int height, int width, spur__pixels *to, spur_error *err);

/* The same from floats, which keep their range. */
spur_status spur__resize_pixels(spur__resizer *resizer, const spur__pixels *from, spur__box box,
                                int height, int width, spur__pixels *to, spur_error *err);

/* Nearest neighbour of a part, for masks and label pictures. */
spur_status spur__resize_nearest(const spur__image *from, spur__box box, int height, int width,
                                 spur__image *to, spur_error *err);

#endif
