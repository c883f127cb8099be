/* SPDX-License-Identifier: MIT
 *
 * The walks of prefetch.h.
 */
#include "kernels/prefetch.h"

#include "kernels/parallel.h"

enum { LINE = 64 };

/* Up to which pixel of its phase the tile i reaches. */
static ptrdiff_t end_of(const spur__cut *cut, const spur__cut_place *at, ptrdiff_t i,
                        ptrdiff_t size, ptrdiff_t edge) {
    return spur__min(spur__phase_size(size, at->phase, cut->dilation),
                     spur__tile_start(edge, i + 1, at->cut.full));
}

/* The part of the next tiles of one row of tiles that lies inside the image; false: none is left. */
static bool next_rectangle(spur__prefetch *a) {
    const spur__tiled_images *s = &a->images;
    while (a->tile < a->end) {
        ptrdiff_t rest = a->tile / s->columns->tiles, image = rest / s->rows->tiles;
        spur__cut_place row = spur__cut_place_of(s->rows, rest % s->rows->tiles);
        spur__cut_place column = spur__cut_place_of(s->columns, a->tile % s->columns->tiles);
        ptrdiff_t run = spur__min(column.cut.tiles - column.tile, a->end - a->tile);
        ptrdiff_t y = spur__tile_start(s->edge, row.tile, row.cut.full);
        ptrdiff_t x = spur__tile_start(s->edge, column.tile, column.cut.full);
        a->tile += run;
        a->rows = end_of(s->rows, &row, row.tile, s->h, s->edge) - y;
        a->pixels = end_of(s->columns, &column, column.tile + run - 1, s->w, s->edge) - x;
        if (a->rows <= 0 || a->pixels <= 0) continue;
        y = row.phase + y * s->rows->dilation;
        x = column.phase + x * s->columns->dilation;
        a->at = s->pixels + ((image * s->h + y) * s->w + x) * s->pitch;
        a->width = s->width;
        a->pitch = s->pitch * s->columns->dilation;
        if (a->width == a->pitch) { /* pixels without gaps are one */
            a->pitch = a->width *= a->pixels;
            a->pixels = 1;
        }
        a->left = a->pixels;
        a->line = 0;
        return true;
    }
    return false;
}

spur__prefetch spur__prefetch_tiles(spur__tiled_images images, ptrdiff_t tile, ptrdiff_t end,
                                    ptrdiff_t steps) {
    spur__prefetch a = {.images = images,
                        .tile = tile,
                        .end = end,
                        .row_step = images.w * images.pitch * images.rows->dilation};
    ptrdiff_t lines = (end - tile) * images.edge * images.edge * spur__ceil_div(images.width, LINE);
    a.lines = spur__ceil_div(lines, steps);
    if (!next_rectangle(&a)) a.lines = 0;
    return a;
}

spur__prefetch spur__prefetch_block(const void *from, ptrdiff_t rows, ptrdiff_t row_step,
                                    ptrdiff_t pixels, ptrdiff_t pitch, ptrdiff_t width,
                                    ptrdiff_t steps) {
    ptrdiff_t lines = rows * pixels * spur__ceil_div(width, LINE);
    return (spur__prefetch){.rows = rows,
                            .pixels = pixels,
                            .pitch = pitch,
                            .width = width,
                            .row_step = row_step,
                            .at = from,
                            .left = pixels,
                            .lines = spur__ceil_div(lines, steps)};
}

void spur__prefetch_step(spur__prefetch *a) {
    ptrdiff_t more = a->lines, line = a->line, left = a->left;
    const char *at = a->at;
    while (more > 0) {
        for (; more > 0 && line < a->width; line += LINE, more--)
            __builtin_prefetch(at + line, 0, 2);
        if (line < a->width) break;
        line = 0;
        at += a->pitch;
        if (--left > 0) continue;
        at += a->row_step - a->pixels * a->pitch;
        left = a->pixels;
        if (--a->rows > 0) continue;
        if (!next_rectangle(a)) more = a->lines = 0;
        at = a->at;
        left = a->left;
    }
    a->line = line;
    a->left = left;
    a->at = at;
}
