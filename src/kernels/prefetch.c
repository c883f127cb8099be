/* SPDX-License-Identifier: MIT
 *
 * The walks of prefetch.h.
 */
#include "kernels/prefetch.h"

#include "kernels/parallel.h"

enum { LINE = 64 };

/* Where tile i begins, one way, of which the first `full` are whole. */
static ptrdiff_t start_of(ptrdiff_t i, ptrdiff_t full, ptrdiff_t edge) {
    return i * edge - spur__max(0, i - full);
}

/* The part of the next tiles of one row of tiles that lies inside the image; false: none is left. */
static bool next_rectangle(spur__prefetch *a) {
    const spur__tiled_images *s = &a->images;
    while (a->tile < a->end) {
        ptrdiff_t tx = a->tile % s->tiles_x, rest = a->tile / s->tiles_x, ty = rest % s->tiles_y;
        ptrdiff_t run = spur__min(s->tiles_x - tx, a->end - a->tile);
        ptrdiff_t y = start_of(ty, s->full_y, s->edge), x = start_of(tx, s->full_x, s->edge);
        a->tile += run;
        a->rows = spur__min(s->h, start_of(ty + 1, s->full_y, s->edge)) - y;
        a->pixels = spur__min(s->w, start_of(tx + run, s->full_x, s->edge)) - x;
        if (a->rows <= 0 || a->pixels <= 0) continue;
        a->at = (const char *)s->pixels + ((rest / s->tiles_y * s->h + y) * s->w + x) * s->pitch;
        a->width = s->width;
        if (s->width == s->pitch) { /* pixels without gaps are one */
            a->width *= a->pixels;
            a->pixels = 1;
        }
        a->pitch = spur__max(a->width, s->pitch);
        a->left = a->pixels;
        a->line = 0;
        return true;
    }
    return false;
}

spur__prefetch spur__prefetch_tiles(spur__tiled_images images, ptrdiff_t tile, ptrdiff_t end,
                                    ptrdiff_t steps) {
    spur__prefetch a = {
        .images = images, .tile = tile, .end = end, .row_step = images.w * images.pitch};
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
