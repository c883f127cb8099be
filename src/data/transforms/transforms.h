/* SPDX-License-Identifier: MIT
 *
 * The transforms as plain functions with their parameters given, as torchvision's functional ones.
 * Drawing the parameters at random is the other half of each file. Pictures are floats 0..1.
 */
#ifndef SPUR_DATA_TRANSFORMS_TRANSFORMS_H
#define SPUR_DATA_TRANSFORMS_TRANSFORMS_H

#include "data/transforms/augment.h"

/* flip.c: in place. */
void spur__flip_horizontal(spur__canvas *canvas);
void spur__flip_vertical(spur__canvas *canvas);

/* warp.c: every output pixel (x, y), counted from the centre of the first pixel, takes
 * ((m0 x + m1 y + m2) / (m6 x + m7 y + 1), (m3 x + m4 y + m5) / (m6 x + m7 y + 1)) of the source,
 * bilinear for pictures, nearest for masks. */
spur_status spur__warp(spur__canvas *canvas, const double matrix[8], spur_error *err);

/* The matrix of torchvision's affine(): degrees clockwise, translation in pixels, shear in degrees,
 * about the centre of a height x width picture. */
void spur__affine_matrix(double angle, const double translate[2], double scale,
                         const double shear[2], int height, int width, double matrix[8]);

/* The matrix that takes the corners `to` back to `from`; corners are (x, y) in pixels, clockwise
 * from the top left. False when they do not span a quadrangle. */
bool spur__perspective_matrix(double from[4][2], double to[4][2], double matrix[8]);

/* color.c: in place, for 1 or 3 channels (saturation and hue leave grey alone). */
void spur__adjust_brightness(spur__pixels *pixels, float factor);
void spur__adjust_contrast(spur__pixels *pixels, float factor);
void spur__adjust_saturation(spur__pixels *pixels, float factor);
void spur__adjust_hue(spur__pixels *pixels, float shift);

/* blur.c: in place, the spare picture holds what lies between; edges mirrored. `size` is odd. */
spur_status spur__gaussian_blur(spur__canvas *canvas, int size, float sigma, spur_error *err);

/* crop.c: pads by `padding` on every side, then takes the old size at (top, left). */
typedef enum spur__pad_mode {
    SPUR__PAD_CONSTANT,
    SPUR__PAD_EDGE,
    SPUR__PAD_REFLECT
} spur__pad_mode;
spur_status spur__shifted_crop(spur__canvas *canvas, int padding, spur__pad_mode mode, int top,
                               int left, spur_error *err);

/* The table's functions, one pair per transform. */
#define SPUR__TRANSFORM(name)                                                                      \
    bool spur__##name##_enabled(const spur__augment *augment);                                     \
    spur_status spur__##name##_apply(const spur__augment *augment, spur__canvas *canvas,           \
                                     spur_error *err);
SPUR__TRANSFORM(random_crop)
SPUR__TRANSFORM(horizontal_flip)
SPUR__TRANSFORM(vertical_flip)
SPUR__TRANSFORM(affine)
SPUR__TRANSFORM(rotation)
SPUR__TRANSFORM(perspective)
SPUR__TRANSFORM(color_jitter)
SPUR__TRANSFORM(grayscale)
SPUR__TRANSFORM(gaussian_blur)
SPUR__TRANSFORM(erasing)
SPUR__TRANSFORM(cutout)
#undef SPUR__TRANSFORM

#endif
