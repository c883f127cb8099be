/* SPDX-License-Identifier: MIT
 *
 * Cuts of images into tiles; see winograd_tiles.h.
 */
#include "kernels/conv/winograd_tiles.h"

#include "kernels/parallel.h"

/* Even sides keep tiles of m at their even places, so that the layer can end in a pool. */
static ptrdiff_t full_tiles(ptrdiff_t size, ptrdiff_t tiles, ptrdiff_t m) {
    return size % 2 == 0 ? size / m : spur__max(0, size - (m - 1) * tiles);
}

void spur__cut_tiles(spur__tiling *t, int m, ptrdiff_t h, ptrdiff_t w) {
    t->tiles_y = spur__ceil_div(h, m);
    t->tiles_x = spur__ceil_div(w, m);
    t->full_y = full_tiles(h, t->tiles_y, m);
    t->full_x = full_tiles(w, t->tiles_x, m);
}

bool spur__tiles_full(const spur__tiling *t) {
    return t->full_y == t->tiles_y && t->full_x == t->tiles_x;
}

bool spur__tiles_even(const spur__tiling *t) {
    return t->tiles_y - t->full_y <= 1 && t->tiles_x - t->full_x <= 1;
}

enum { TALL, TALL_WIDE, WIDE, SHORT, CLASSES };

static int class_of(const spur__tiling *t, ptrdiff_t tile) {
    static const int classes[2][2] = {{SHORT, WIDE}, {TALL, TALL_WIDE}};
    bool tall = tile / t->tiles_x % t->tiles_y < t->full_y, wide = tile % t->tiles_x < t->full_x;
    return classes[tall][wide];
}

spur__ranks spur__order_tiles(const spur__tiling *t, ptrdiff_t first, ptrdiff_t count,
                              int32_t *order) {
    int32_t begin[CLASSES + 1] = {0};
    for (ptrdiff_t i = 0; i < count; i++) begin[class_of(t, first + i) + 1]++;
    for (int c = 0; c < CLASSES; c++) begin[c + 1] += begin[c];
    spur__ranks ranks = {begin[TALL_WIDE], begin[WIDE], begin[SHORT]};
    for (ptrdiff_t i = 0; i < count; i++)
        order[first + begin[class_of(t, first + i)]++] = (int32_t)(first + i);
    return ranks;
}

void spur__ranks_at(const spur__ranks *r, int m, ptrdiff_t xi, ptrdiff_t *begin, ptrdiff_t *end) {
    bool last_row = xi / (m + 2) == m + 1, last_column = xi % (m + 2) == m + 1;
    if (last_column) *begin = r->wide_begin;
    if (last_column) *end = r->wide_end;
    if (last_row) *end = r->tall_end;
}
