/* SPDX-License-Identifier: MIT
 *
 * Tiling and blending; see tiles.h.
 */
#include "data/tiles.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* How many tiles of `tile` pixels, `step` apart, cover n pixels. */
static int count_tiles(int n, int tile, int step) {
    return n <= tile ? 1 : 1 + (n - tile + step - 1) / step;
}

spur__tiling spur__tiling_make(int height, int width, int tile_height, int tile_width,
                               int overlap) {
    spur__tiling t = {height, width, tile_height, tile_width, overlap, 0, 0};
    t.rows = count_tiles(height, tile_height, tile_height - overlap);
    t.columns = count_tiles(width, tile_width, tile_width - overlap);
    return t;
}

static int start_of(int i, int n, int tile, int step) {
    int start = i * step, last = n > tile ? n - tile : 0;
    return start < last ? start : last;
}

spur__box spur__tiling_box(const spur__tiling *t, int index) {
    int row = index / t->columns, column = index % t->columns;
    return (spur__box){start_of(row, t->height, t->tile_height, t->tile_height - t->overlap),
                       start_of(column, t->width, t->tile_width, t->tile_width - t->overlap),
                       t->tile_height, t->tile_width};
}

spur_status spur__image_cut(const spur__image *from, spur__box box, uint8_t fill, spur__image *to,
                            spur_error *err) {
    size_t c = (size_t)from->channels, row = (size_t)box.width * c;
    int inside = from->width - box.left < box.width ? from->width - box.left : box.width;
    SPUR__TRY(spur__image_shape(to, box.height, box.width, from->channels, err));
    for (int y = 0; y < box.height; y++) {
        uint8_t *q = to->data + (size_t)y * row;
        memset(q, fill, row);
        if (box.top + y >= from->height || inside <= 0) continue;
        memcpy(q, from->data + ((size_t)(box.top + y) * (size_t)from->width + (size_t)box.left) * c,
               (size_t)inside * c);
    }
    return SPUR_OK;
}

/* Makes *data hold `count` zeros. */
static bool clear(float **data, size_t *capacity, size_t count) {
    if (count > *capacity) {
        float *more = spur__realloc_array(*data, count, sizeof **data);
        if (!more) return false;
        *data = more;
        *capacity = count;
    }
    memset(*data, 0, count * sizeof **data);
    return true;
}

spur_status spur__blend_begin(spur__blend *blend, const spur__tiling *tiling, int channels,
                              spur_error *err) {
    size_t pixels = (size_t)tiling->height * (size_t)tiling->width, values;
    blend->tiling = *tiling;
    blend->channels = channels;
    if (spur__mul(pixels, (size_t)channels, &values) &&
        clear(&blend->sums, &blend->capacity_sums, values) &&
        clear(&blend->weights, &blend->capacity_weights, pixels))
        return SPUR_OK;
    return spur__fail(err, SPUR_E_MEMORY, "out of memory for a picture of %d x %d", tiling->height,
                      tiling->width);
}

void spur__blend_free(spur__blend *blend) {
    spur__free(blend->sums);
    spur__free(blend->weights);
    *blend = (spur__blend){0};
}

/* Rises over the overlap from the tile's edge inwards; never 0, so that borders get a result. */
static float ramp(int i, int n, int overlap) {
    int edge = i < n - 1 - i ? i : n - 1 - i;
    return edge >= overlap ? 1.0f : (float)(edge + 1) / (float)(overlap + 1);
}

void spur__blend_add(spur__blend *blend, int index, const float *tile) {
    const spur__tiling *t = &blend->tiling;
    spur__box box = spur__tiling_box(t, index);
    for (int y = 0; y < box.height && box.top + y < t->height; y++)
        for (int x = 0; x < box.width && box.left + x < t->width; x++) {
            float w = ramp(y, box.height, t->overlap) * ramp(x, box.width, t->overlap);
            size_t at = (size_t)(box.top + y) * (size_t)t->width + (size_t)(box.left + x);
            size_t channels = (size_t)blend->channels;
            const float *p = tile + ((size_t)y * (size_t)box.width + (size_t)x) * channels;
            for (size_t c = 0; c < channels; c++) blend->sums[at * channels + c] += w * p[c];
            blend->weights[at] += w;
        }
}

void spur__blend_finish(spur__blend *blend) {
    size_t pixels = (size_t)blend->tiling.height * (size_t)blend->tiling.width;
    size_t channels = (size_t)blend->channels;
    for (size_t i = 0; i < pixels * channels; i++) blend->sums[i] /= blend->weights[i / channels];
}
