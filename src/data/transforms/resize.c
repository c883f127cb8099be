/* SPDX-License-Identifier: MIT
 *
 * Separable resizing: every row of the box is filtered along x into `between`, which is then
 * filtered along y. Sums run in a fixed order, so that results do not depend on anything else.
 */
#include "data/transforms/resize.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static void filter_free(spur__filter *filter) {
    spur__free(filter->start);
    spur__free(filter->count);
    spur__free(filter->weights);
    *filter = (spur__filter){0};
}

void spur__resizer_free(spur__resizer *resizer) {
    filter_free(&resizer->rows);
    filter_free(&resizer->columns);
    spur__pixels_free(&resizer->between);
}

static spur_status filter_reserve(spur__filter *f, int out, int taps, spur_error *err) {
    size_t n = (size_t)out, weights = n * (size_t)taps;
    f->in = f->out = 0; /* nothing is valid meanwhile */
    if (n > f->capacity_out) {
        spur__free(f->start);
        spur__free(f->count);
        f->start = spur__malloc_array(n, sizeof *f->start);
        f->count = spur__malloc_array(n, sizeof *f->count);
        f->capacity_out = f->start && f->count ? n : 0;
    }
    if (weights > f->capacity_weights) {
        spur__free(f->weights);
        f->weights = spur__malloc_array(weights, sizeof *f->weights);
        f->capacity_weights = f->weights ? weights : 0;
    }
    if (n <= f->capacity_out && weights <= f->capacity_weights) return SPUR_OK;
    return spur__fail(err, SPUR_E_MEMORY, "out of memory");
}

/* Weights of output i: a triangle around its centre, cut at the edges, with sum 1. */
static void filter_row(spur__filter *f, int i, double scale, double support) {
    double centre = scale * (i + 0.5), total = 0;
    int first = (int)(centre - support + 0.5), last = (int)(centre + support + 0.5);
    float *weights = f->weights + (size_t)i * (size_t)f->taps;
    double spread = scale > 1 ? 1 / scale : 1;
    first = first < 0 ? 0 : first;
    last = last > f->in ? f->in : last;
    for (int j = first; j < last; j++) {
        double x = fabs((j - centre + 0.5) * spread);
        total += x < 1 ? 1 - x : 0;
    }
    for (int j = first; j < last; j++) {
        double x = fabs((j - centre + 0.5) * spread);
        weights[j - first] = (float)((x < 1 ? 1 - x : 0) / total);
    }
    f->start[i] = first;
    f->count[i] = last - first;
}

static spur_status filter_make(spur__filter *f, int in, int out, spur_error *err) {
    if (f->in == in && f->out == out) return SPUR_OK;
    double scale = (double)in / out, support = scale > 1 ? scale : 1;
    int taps = (int)ceil(support) * 2 + 1;
    SPUR__TRY(filter_reserve(f, out, taps, err));
    f->taps = taps;
    f->in = in;
    for (int i = 0; i < out; i++) filter_row(f, i, scale, support);
    f->out = out;
    return SPUR_OK;
}

/* to[i][c] = sum over taps of weight * from[start + tap][c], for one row of bytes. The channel count
 * is a constant in each caller, so that the inner loops unroll. */
static inline void row_of_bytes(const spur__filter *f, const uint8_t *from, float *to, int c) {
    for (int i = 0; i < f->out; i++) {
        const float *w = f->weights + (size_t)i * (size_t)f->taps;
        const uint8_t *p = from + (size_t)f->start[i] * (size_t)c;
        float sum[4] = {0};
        for (int t = 0; t < f->count[i]; t++)
            for (int k = 0; k < c; k++) sum[k] += w[t] * (float)p[t * c + k];
        for (int k = 0; k < c; k++) *to++ = sum[k] * (1.0f / 255.0f);
    }
}

static void bytes_along_x(const spur__filter *f, const uint8_t *from, float *to, int c) {
    if (c == 1)
        row_of_bytes(f, from, to, 1);
    else if (c == 3)
        row_of_bytes(f, from, to, 3);
    else
        row_of_bytes(f, from, to, c);
}

static void floats_along_x(const spur__filter *f, const float *from, float *to, int c) {
    for (int i = 0; i < f->out; i++) {
        const float *w = f->weights + (size_t)i * (size_t)f->taps;
        const float *p = from + (size_t)f->start[i] * (size_t)c;
        for (int k = 0; k < c; k++) {
            float sum = 0;
            for (int t = 0; t < f->count[i]; t++) sum += w[t] * p[t * c + k];
            *to++ = sum;
        }
    }
}

/* Filters the rows of `between` into the rows of `to`. */
static void along_y(const spur__filter *f, const spur__pixels *between, spur__pixels *to) {
    size_t row = (size_t)to->width * (size_t)to->channels;
    for (int i = 0; i < f->out; i++) {
        const float *w = f->weights + (size_t)i * (size_t)f->taps;
        float *q = to->data + (size_t)i * row;
        const float *p = between->data + (size_t)f->start[i] * row;
        for (size_t x = 0; x < row; x++) q[x] = w[0] * p[x];
        for (int t = 1; t < f->count[i]; t++) {
            p += row;
            for (size_t x = 0; x < row; x++) q[x] += w[t] * p[x];
        }
    }
}

static bool covers(spur__box box, int height, int width) {
    return box.height == height && box.width == width;
}

/* No resizing: only bytes to floats. */
static void copy_bytes(const spur__image *from, spur__box box, spur__pixels *to) {
    size_t c = (size_t)from->channels, row = (size_t)box.width * c;
    for (int y = 0; y < box.height; y++) {
        const uint8_t *p =
            from->data + ((size_t)(box.top + y) * (size_t)from->width + (size_t)box.left) * c;
        float *q = to->data + (size_t)y * row;
        for (size_t x = 0; x < row; x++) q[x] = (float)p[x] * (1.0f / 255.0f);
    }
}

spur_status spur__resize_image(spur__resizer *r, const spur__image *from, spur__box box, int height,
                               int width, spur__pixels *to, spur_error *err) {
    size_t c = (size_t)from->channels;
    SPUR__TRY(spur__pixels_shape(to, height, width, from->channels, err));
    if (covers(box, height, width)) {
        copy_bytes(from, box, to);
        return SPUR_OK;
    }
    SPUR__TRY(filter_make(&r->columns, box.width, width, err));
    SPUR__TRY(filter_make(&r->rows, box.height, height, err));
    SPUR__TRY(spur__pixels_shape(&r->between, box.height, width, from->channels, err));
    for (int y = 0; y < box.height; y++)
        bytes_along_x(&r->columns,
                      from->data +
                          ((size_t)(box.top + y) * (size_t)from->width + (size_t)box.left) * c,
                      r->between.data + (size_t)y * (size_t)width * c, from->channels);
    along_y(&r->rows, &r->between, to);
    return SPUR_OK;
}

spur_status spur__resize_pixels(spur__resizer *r, const spur__pixels *from, spur__box box,
                                int height, int width, spur__pixels *to, spur_error *err) {
    size_t c = (size_t)from->channels;
    SPUR__TRY(spur__pixels_shape(to, height, width, from->channels, err));
    SPUR__TRY(filter_make(&r->columns, box.width, width, err));
    SPUR__TRY(filter_make(&r->rows, box.height, height, err));
    SPUR__TRY(spur__pixels_shape(&r->between, box.height, width, from->channels, err));
    for (int y = 0; y < box.height; y++)
        floats_along_x(&r->columns,
                       from->data +
                           ((size_t)(box.top + y) * (size_t)from->width + (size_t)box.left) * c,
                       r->between.data + (size_t)y * (size_t)width * c, from->channels);
    along_y(&r->rows, &r->between, to);
    return SPUR_OK;
}

spur_status spur__resize_nearest(const spur__image *from, spur__box box, int height, int width,
                                 spur__image *to, spur_error *err) {
    size_t c = (size_t)from->channels;
    SPUR__TRY(spur__image_shape(to, height, width, from->channels, err));
    for (int y = 0; y < height; y++) {
        int sy = box.top + (int)(((int64_t)2 * y + 1) * box.height / (2 * (int64_t)height));
        const uint8_t *p = from->data + (size_t)sy * (size_t)from->width * c;
        uint8_t *q = to->data + (size_t)y * (size_t)width * c;
        for (int x = 0; x < width; x++) {
            int sx = box.left + (int)(((int64_t)2 * x + 1) * box.width / (2 * (int64_t)width));
            memcpy(q + (size_t)x * c, p + (size_t)sx * c, c);
        }
    }
    return SPUR_OK;
}
