/* SPDX-License-Identifier: MIT
 *
 * Cuts of images into tiles; see winograd_tiles.h.
 */
#include "kernels/conv/winograd_tiles.h"

#include "kernels/parallel.h"

/* Even sides keep tiles of m at their even places, so that the layer can end in a pool. */
static spur__phase_cut cut_phase(int m, ptrdiff_t size, bool pools) {
    ptrdiff_t tiles = spur__ceil_div(size, m);
    return (spur__phase_cut){tiles, pools && size % 2 == 0 ? size / m
                                                           : spur__max(0, size - (m - 1) * tiles)};
}

static spur__cut cut_side(int m, ptrdiff_t size, ptrdiff_t dilation, bool pools) {
    spur__cut c = {.dilation = dilation,
                   .longer = size % dilation,
                   .longer_phase = cut_phase(m, size / dilation + 1, pools),
                   .phase = cut_phase(m, size / dilation, pools)};
    c.tiles = c.longer * c.longer_phase.tiles + (dilation - c.longer) * c.phase.tiles;
    return c;
}

void spur__cut_images(const spur__conv_shape *s, int m, bool backward, spur__tiling *in,
                      spur__tiling *out) {
    spur__tiling x = {.h = s->h, .w = s->w, .channels = s->c, .pitch = s->x_pitch};
    spur__tiling y = {.h = s->oh, .w = s->ow, .channels = s->k, .pitch = s->y_pitch};
    ptrdiff_t pad_y = s->pad_top / s->dilation_h, pad_x = s->pad_left / s->dilation_w;
    bool pools = s->dilation_h == 1 && s->dilation_w == 1;
    *in = backward ? y : x;
    *out = backward ? x : y;
    in->pad_y = backward ? 2 - pad_y : pad_y;
    in->pad_x = backward ? 2 - pad_x : pad_x;
    in->rows = out->rows = cut_side(m, out->h, s->dilation_h, pools);
    in->columns = out->columns = cut_side(m, out->w, s->dilation_w, pools);
    in->row_step = in->w * in->pitch * s->dilation_h;
    out->row_step = out->w * out->pitch * s->dilation_h;
    in->column_step = in->pitch * s->dilation_w;
    out->column_step = out->pitch * s->dilation_w;
}

ptrdiff_t spur__cut_products(const spur__cut *c, int m) {
    ptrdiff_t full = c->longer * c->longer_phase.full + (c->dilation - c->longer) * c->phase.full;
    return (m + 1) * c->tiles + full;
}

static bool all_full(const spur__cut *c) {
    return c->phase.full == c->phase.tiles &&
           (c->longer == 0 || c->longer_phase.full == c->longer_phase.tiles);
}

bool spur__tiles_full(const spur__tiling *t) {
    return all_full(&t->rows) && all_full(&t->columns);
}

static bool even(const spur__cut *c) {
    return c->dilation == 1 && c->phase.tiles - c->phase.full <= 1;
}

bool spur__tiles_even(const spur__tiling *t) {
    return even(&t->rows) && even(&t->columns);
}

enum { TALL, TALL_WIDE, WIDE, SHORT, CLASSES };

static bool is_full(const spur__cut *c, ptrdiff_t i) {
    spur__cut_place at = spur__cut_place_of(c, i);
    return at.tile < at.cut.full;
}

static int class_of(const spur__tiling *t, ptrdiff_t tile) {
    static const int classes[2][2] = {{SHORT, WIDE}, {TALL, TALL_WIDE}};
    ptrdiff_t row = tile / t->columns.tiles % t->rows.tiles, column = tile % t->columns.tiles;
    return classes[is_full(&t->rows, row)][is_full(&t->columns, column)];
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
