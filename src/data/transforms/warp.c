/* SPDX-License-Identifier: MIT
 *
 * rotation, affine and perspective: random matrices, and one resampler for all three. The matrices
 * are those of torchvision 0.14 (transforms/functional.py), the sampling is grid_sample's with
 * align_corners = False and what lies outside replaced by the fill value.
 */
#include "data/transforms/transforms.h"

#include <math.h>

#include "base/error.h"
#include "base/fmath.h"

/* sin and cos of an angle in degrees, with the same bits on every machine. */
static void sincos_degrees(double degrees, double *sine, double *cosine) {
    double turns = degrees / 360.0;
    float s, c;
    turns -= floor(turns);
    spur__sincos2pif((float)turns, &s, &c);
    *sine = s;
    *cosine = c;
}

/* One channel at (x, y) of a picture that continues with `fill` on all sides. */
static float tap(const spur__pixels *from, int x, int y, int c, float fill) {
    if (x < 0 || y < 0 || x >= from->width || y >= from->height) return fill;
    return from
        ->data[((size_t)y * (size_t)from->width + (size_t)x) * (size_t)from->channels + (size_t)c];
}

static void sample_edge(const spur__pixels *from, float x, float y, float fill, float *out) {
    float fx = floorf(x), fy = floorf(y), ax = x - fx, ay = y - fy;
    int x0 = (int)fx, y0 = (int)fy;
    for (int c = 0; c < from->channels; c++) {
        float top = tap(from, x0, y0, c, fill) * (1 - ax) + tap(from, x0 + 1, y0, c, fill) * ax;
        float low =
            tap(from, x0, y0 + 1, c, fill) * (1 - ax) + tap(from, x0 + 1, y0 + 1, c, fill) * ax;
        out[c] = top * (1 - ay) + low * ay;
    }
}

/* Bilinear at (x, y); all four neighbours inside is the common case. */
static void sample(const spur__pixels *from, float x, float y, float fill, float *out) {
    if (!(x > -1 && y > -1 && x < (float)from->width && y < (float)from->height)) {
        for (int c = 0; c < from->channels; c++) out[c] = fill;
        return;
    }
    if (!(x >= 0 && y >= 0 && x < (float)(from->width - 1) && y < (float)(from->height - 1))) {
        sample_edge(from, x, y, fill, out);
        return;
    }
    int x0 = (int)x, y0 = (int)y;
    float ax = x - (float)x0, ay = y - (float)y0;
    size_t channels = (size_t)from->channels, row = (size_t)from->width * channels;
    const float *p = from->data + (size_t)y0 * row + (size_t)x0 * channels;
    for (size_t c = 0; c < channels; c++) {
        float top = p[c] * (1 - ax) + p[c + channels] * ax;
        float low = p[c + row] * (1 - ax) + p[c + row + channels] * ax;
        out[c] = top * (1 - ay) + low * ay;
    }
}

static uint8_t sample_nearest(const spur__image *from, float x, float y, uint8_t fill) {
    float rx = rintf(x), ry = rintf(y);
    if (!(rx >= 0 && ry >= 0 && rx < (float)from->width && ry < (float)from->height)) return fill;
    return from->data[(size_t)ry * (size_t)from->width + (size_t)rx];
}

spur_status spur__warp(spur__canvas *canvas, const double m[8], spur_error *err) {
    const spur__pixels *from = canvas->pixels;
    int height = from->height, width = from->width;
    size_t channels = (size_t)from->channels;
    SPUR__TRY(spur__pixels_shape(canvas->spare, height, width, from->channels, err));
    if (canvas->mask) SPUR__TRY(spur__image_shape(canvas->spare_mask, height, width, 1, err));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double d = m[6] * x + m[7] * y + 1;
            float sx = (float)((m[0] * x + m[1] * y + m[2]) / d);
            float sy = (float)((m[3] * x + m[4] * y + m[5]) / d);
            size_t at = (size_t)y * (size_t)width + (size_t)x;
            sample(from, sx, sy, canvas->fill, canvas->spare->data + at * channels);
            if (canvas->mask)
                canvas->spare_mask->data[at] =
                    sample_nearest(canvas->mask, sx, sy, canvas->mask_fill);
        }
    spur__canvas_swap(canvas);
    if (canvas->mask) spur__canvas_swap_mask(canvas);
    return SPUR_OK;
}

/* Inverse of translate * rotate * scale * shear about the centre, so output to source. */
void spur__affine_matrix(double angle, const double translate[2], double scale,
                         const double shear[2], int height, int width, double m[8]) {
    double sr, cr, sx, cx, sy, cy, sd, cd, cxp = (width - 1) * 0.5, cyp = (height - 1) * 0.5;
    sincos_degrees(angle, &sr, &cr);
    sincos_degrees(shear[0], &sx, &cx);
    sincos_degrees(shear[1], &sy, &cy);
    sincos_degrees(angle - shear[1], &sd, &cd);
    double a = cd / cy, b = -cd * (sx / cx) / cy - sr, c = sd / cy, d = -sd * (sx / cx) / cy + cr;
    double i0 = d / scale, i1 = -b / scale, i3 = -c / scale, i4 = a / scale;
    double tx = cxp + translate[0], ty = cyp + translate[1];
    m[0] = i0, m[1] = i1, m[2] = cxp - i0 * tx - i1 * ty;
    m[3] = i3, m[4] = i4, m[5] = cyp - i3 * tx - i4 * ty;
    m[6] = m[7] = 0;
}

/* Gauss elimination with pivoting on 8 equations [a | b]; false when singular. */
static bool solve8(double a[8][9]) {
    for (int k = 0; k < 8; k++) {
        int pivot = k;
        for (int i = k + 1; i < 8; i++)
            if (fabs(a[i][k]) > fabs(a[pivot][k])) pivot = i;
        if (fabs(a[pivot][k]) < 1e-12) return false;
        for (int j = 0; j < 9; j++) {
            double swap = a[k][j];
            a[k][j] = a[pivot][j];
            a[pivot][j] = swap;
        }
        for (int i = 0; i < 8; i++) {
            double factor = i == k ? 0 : a[i][k] / a[k][k];
            for (int j = k; j < 9; j++) a[i][j] -= factor * a[k][j];
        }
    }
    return true;
}

/* torchvision maps (x + 0.5, y + 0.5) and takes half a pixel off again; the same in our form. */
static void shift_half_pixel(double m[8]) {
    double d = m[6] * 0.5 + m[7] * 0.5 + 1; /* new constant of the denominator */
    double n[8] = {m[0], m[1], m[0] * 0.5 + m[1] * 0.5 + m[2],
                   m[3], m[4], m[3] * 0.5 + m[4] * 0.5 + m[5],
                   m[6], m[7]};
    for (int i = 0; i < 3; i++) {
        double g = i == 2 ? d : n[6 + i];
        m[i] = (n[i] - 0.5 * g) / d;
        m[3 + i] = (n[3 + i] - 0.5 * g) / d;
    }
    m[6] = n[6] / d;
    m[7] = n[7] / d;
}

bool spur__perspective_matrix(double from[4][2], double to[4][2], double m[8]) {
    double a[8][9];
    for (int i = 0; i < 4; i++) {
        double x = to[i][0], y = to[i][1], u = from[i][0], v = from[i][1];
        const double first[9] = {x, y, 1, 0, 0, 0, -u * x, -u * y, u};
        const double second[9] = {0, 0, 0, x, y, 1, -v * x, -v * y, v};
        for (int j = 0; j < 9; j++) {
            a[2 * i][j] = first[j];
            a[2 * i + 1][j] = second[j];
        }
    }
    if (!solve8(a)) return false;
    for (int i = 0; i < 8; i++) m[i] = a[i][8] / a[i][i];
    shift_half_pixel(m);
    return true;
}

/* A list of one number r means (-r, r), two numbers a range. */
static double draw_symmetric(const spur__floats *list, spur__rng *rng) {
    double low = list->count == 1 ? -list->values[0] : list->values[0];
    double high = list->count == 1 ? list->values[0] : list->values[1];
    return spur__rng_uniform(rng, low, high);
}

bool spur__rotation_enabled(const spur__augment *augment) {
    return augment->rotation.count > 0;
}

/* As RandomRotation: degrees counter-clockwise. */
spur_status spur__rotation_apply(const spur__augment *augment, spur__canvas *canvas,
                                 spur_error *err) {
    static const double zero[2] = {0, 0};
    double m[8], angle = draw_symmetric(&augment->rotation, canvas->rng);
    spur__affine_matrix(-angle, zero, 1, zero, canvas->pixels->height, canvas->pixels->width, m);
    return spur__warp(canvas, m, err);
}

bool spur__affine_enabled(const spur__augment *augment) {
    return augment->affine.count > 0 || augment->affine_translate.count > 0 ||
           augment->affine_scale.count > 0 || augment->affine_shear.count > 0;
}

/* As RandomAffine; the translation is a share of the size, rounded to pixels. */
spur_status spur__affine_apply(const spur__augment *augment, spur__canvas *canvas,
                               spur_error *err) {
    double m[8], translate[2] = {0, 0}, shear[2] = {0, 0}, angle = 0, scale = 1;
    int height = canvas->pixels->height, width = canvas->pixels->width;
    spur__rng *rng = canvas->rng;
    if (augment->affine.count) angle = draw_symmetric(&augment->affine, rng);
    if (augment->affine_translate.count) {
        double dx = augment->affine_translate.values[0] * width;
        double dy = augment->affine_translate.values[1] * height;
        translate[0] = rint(spur__rng_uniform(rng, -dx, dx));
        translate[1] = rint(spur__rng_uniform(rng, -dy, dy));
    }
    if (augment->affine_scale.count)
        scale = spur__rng_uniform(rng, augment->affine_scale.values[0],
                                  augment->affine_scale.values[1]);
    if (augment->affine_shear.count) shear[0] = draw_symmetric(&augment->affine_shear, rng);
    spur__affine_matrix(angle, translate, scale, shear, height, width, m);
    return spur__warp(canvas, m, err);
}

bool spur__perspective_enabled(const spur__augment *augment) {
    return augment->perspective.count > 0;
}

/* As RandomPerspective(distortion_scale, p): every corner moves inwards by at most distortion times
 * half the size. */
spur_status spur__perspective_apply(const spur__augment *augment, spur__canvas *canvas,
                                    spur_error *err) {
    double distortion = augment->perspective.values[0], m[8];
    double p = augment->perspective.count > 1 ? augment->perspective.values[1] : 0.5;
    int height = canvas->pixels->height, width = canvas->pixels->width;
    uint32_t dx = (uint32_t)(distortion * (width / 2)) + 1;
    uint32_t dy = (uint32_t)(distortion * (height / 2)) + 1;
    if (!(spur__rng_double(canvas->rng) < p)) return SPUR_OK;
    double right = width - 1, bottom = height - 1, to[4][2];
    double from[4][2] = {{0, 0}, {right, 0}, {right, bottom}, {0, bottom}};
    for (int i = 0; i < 4; i++) {
        double x = spur__rng_below(canvas->rng, dx), y = spur__rng_below(canvas->rng, dy);
        to[i][0] = from[i][0] > 0 ? right - x : x;
        to[i][1] = from[i][1] > 0 ? bottom - y : y;
    }
    if (!spur__perspective_matrix(from, to, m)) return SPUR_OK;
    return spur__warp(canvas, m, err);
}
