/* SPDX-License-Identifier: MIT
 *
 * Boxes; see boxes.h. The outline lies inside the box, so that one around the whole image is seen.
 * Lines and letters grow with the image: TensorBoard shows all images at about the same size.
 */
#include "kinds/boxes.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/str.h"
#include "kinds/font.h"

enum { SIDE_PER_SCALE = 256 }; /* pixels of the shorter side for each pixel of a line's width */

typedef struct rect {
    int left, top, right, bottom; /* right and bottom are outside */
} rect;

spur_status spur__boxes_check(const spur_log_box *boxes, size_t count, size_t images,
                              spur_error *err) {
    if (count && !boxes) return spur__fail(err, SPUR_E_ARGUMENT, "the boxes are NULL");
    for (size_t i = 0; i < count; i++) {
        const spur_log_box *b = &boxes[i];
        if (!isfinite(b->left) || !isfinite(b->top) || !isfinite(b->right) || !isfinite(b->bottom))
            return spur__fail(err, SPUR_E_NUMERIC, "box %zu: a side is not a finite number", i);
        if (b->right <= b->left || b->bottom <= b->top)
            return spur__fail(err, SPUR_E_RANGE,
                              "box %zu: from (%g, %g) to (%g, %g), expected left < right and top < "
                              "bottom",
                              i, b->left, b->top, b->right, b->bottom);
        if (b->image >= images)
            return spur__fail(err, SPUR_E_RANGE, "box %zu: on image %zu of %zu", i, b->image,
                              images);
        if (b->label && !spur__utf8_valid(b->label, strlen(b->label)))
            return spur__fail(err, SPUR_E_UTF8, "box %zu: its label is not UTF-8", i);
    }
    return SPUR_OK;
}

/* ---- drawing ------------------------------------------------------------------------------- */

static int clamp(int x, int limit) {
    return x < 0 ? 0 : x > limit ? limit : x;
}

static void fill(const spur__bitmap *canvas, rect r, const uint8_t color[3]) {
    int left = clamp(r.left, canvas->width), right = clamp(r.right, canvas->width);
    int top = clamp(r.top, canvas->height), bottom = clamp(r.bottom, canvas->height);
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++) {
            uint8_t *pixel = canvas->pixels + ((size_t)y * (size_t)canvas->width + (size_t)x) *
                                                  (size_t)canvas->channels;
            memcpy(pixel, color, 3);
            if (canvas->channels == 4) pixel[3] = 255;
        }
}

static void outline(const spur__bitmap *canvas, rect r, int thickness, const uint8_t color[3]) {
    fill(canvas, (rect){r.left, r.top, r.right, r.top + thickness}, color);
    fill(canvas, (rect){r.left, r.bottom - thickness, r.right, r.bottom}, color);
    fill(canvas, (rect){r.left, r.top, r.left + thickness, r.bottom}, color);
    fill(canvas, (rect){r.right - thickness, r.top, r.right, r.bottom}, color);
}

static void draw_glyph(const spur__bitmap *canvas, int x, int y, int scale, unsigned char c,
                       const uint8_t color[3]) {
    const unsigned char *rows = spur__font_glyph(c);
    for (int row = 0; row < SPUR__FONT_HEIGHT; row++)
        for (int column = 0; column < SPUR__FONT_WIDTH; column++) {
            if (!(rows[row] >> (SPUR__FONT_WIDTH - 1 - column) & 1)) continue;
            int left = x + column * scale, top = y + row * scale;
            fill(canvas, (rect){left, top, left + scale, top + scale}, color);
        }
}

static bool continues_character(char c) {
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* A strip in the box's colour above the box, or inside if there is no room, with the text. */
static void draw_label(const spur__bitmap *canvas, rect r, int scale, const char *text,
                       const uint8_t color[3]) {
    static const uint8_t black[3] = {0, 0, 0}, white[3] = {255, 255, 255};
    int most = canvas->width / (SPUR__FONT_WIDTH * scale) + 1, count = 0;
    for (const char *p = text; *p && count < most; p++) count += !continues_character(*p);
    if (count == 0) return;
    int width = (count * SPUR__FONT_WIDTH + 1) * scale, height = (SPUR__FONT_HEIGHT + 2) * scale;
    int top = r.top >= height ? r.top - height : r.top;
    int left = clamp(r.left, canvas->width > width ? canvas->width - width : 0);
    fill(canvas, (rect){left, top, left + width, top + height}, color);
    bool bright = 299 * color[0] + 587 * color[1] + 114 * color[2] > 127500; /* BT.601 luma */
    for (const char *p = text; *p && count > 0; p++) {
        if (continues_character(*p)) continue;
        draw_glyph(canvas, left + scale, top + scale, scale, (unsigned char)*p,
                   bright ? black : white);
        left += SPUR__FONT_WIDTH * scale;
        count--;
    }
}

/* To whole pixels; far outside is outside enough. */
static int pixel_at(double x) {
    return (int)lround(fmax(-65536.0, fmin(131072.0, x)));
}

void spur__boxes_draw(const spur__bitmap *canvas, const spur_log_box *boxes, size_t count,
                      size_t image) {
    static const uint8_t red[3] = {255, 0, 0};
    int side = canvas->width < canvas->height ? canvas->width : canvas->height;
    int scale = 1 + side / SIDE_PER_SCALE;
    for (size_t i = 0; i < count; i++) {
        const spur_log_box *b = &boxes[i];
        if (b->image != image) continue;
        const uint8_t *color = b->color[0] || b->color[1] || b->color[2] ? b->color : red;
        rect r = {pixel_at(b->left), pixel_at(b->top), pixel_at(b->right), pixel_at(b->bottom)};
        outline(canvas, r, scale, color);
        if (b->label) draw_label(canvas, r, scale, b->label, color);
    }
}
