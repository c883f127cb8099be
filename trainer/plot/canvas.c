/* SPDX-License-Identifier: MIT
 *
 * Canvases, colours and text; see canvas.h.
 */
#include "plot/canvas.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

const colour ink = {0.13, 0.15, 0.18}, muted = {0.42, 0.45, 0.50}, faint = {0.90, 0.91, 0.93},
             paper = {1, 1, 1};

colour series_colour(size_t i) {
    static const colour table[] = {
        {0.00, 0.45, 0.70}, {0.90, 0.45, 0.00}, {0.00, 0.62, 0.45}, {0.80, 0.40, 0.60},
        {0.34, 0.71, 0.91}, {0.60, 0.55, 0.10}, {0.45, 0.35, 0.75}, {0.35, 0.35, 0.35},
    };
    return table[i % (sizeof table / sizeof table[0])];
}

colour heat_colour(double t) {
    static const colour stops[] = {
        {0.97, 0.98, 1.00}, {0.78, 0.86, 0.94}, {0.42, 0.68, 0.84},
        {0.13, 0.44, 0.71}, {0.03, 0.19, 0.42},
    };
    enum { LAST = sizeof stops / sizeof stops[0] - 1 };
    if (!(t > 0)) return stops[0];
    if (t >= 1) return stops[LAST];
    double at = t * LAST;
    size_t i = (size_t)at;
    double f = at - (double)i;
    return (colour){stops[i].r + f * (stops[i + 1].r - stops[i].r),
                    stops[i].g + f * (stops[i + 1].g - stops[i].g),
                    stops[i].b + f * (stops[i + 1].b - stops[i].b)};
}

void class_colour(size_t index, uint8_t rgb[3]) {
    static const uint8_t table[][3] = {
        {58, 62, 70},   {66, 133, 244}, {232, 96, 60},  {52, 168, 83},
        {251, 188, 5},  {171, 71, 188}, {0, 172, 193},  {255, 138, 101},
        {158, 157, 36}, {240, 98, 146}, {121, 85, 72},  {144, 164, 174},
        {124, 179, 66}, {92, 107, 192}, {255, 213, 79}, {0, 121, 107},
    };
    memcpy(rgb, table[index % (sizeof table / sizeof table[0])], 3);
}

static void set_colour(canvas *c, colour paint) {
    cairo_set_source_rgb(c->cr, paint.r, paint.g, paint.b);
}

spur_status canvas_init(canvas *c, double width, double height, spur_error *err) {
    *c = (canvas){.width = width, .height = height};
    c->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)ceil(width * CANVAS_SCALE),
                                            (int)ceil(height * CANVAS_SCALE));
    c->cr = cairo_create(c->surface);
    if (cairo_status(c->cr) != CAIRO_STATUS_SUCCESS) {
        spur__fail(err, SPUR_E_MEMORY, "cannot make a picture of %g x %g points: %s", width, height,
                   cairo_status_to_string(cairo_status(c->cr)));
        canvas_free(c);
        return SPUR_E_MEMORY;
    }
    cairo_scale(c->cr, CANVAS_SCALE, CANVAS_SCALE);
    set_colour(c, paper);
    cairo_paint(c->cr); /* also what of the last pixels lies beyond the size */
    return SPUR_OK;
}

void canvas_free(canvas *c) {
    if (c->cr) cairo_destroy(c->cr);
    if (c->surface) cairo_surface_destroy(c->surface);
    c->cr = NULL;
    c->surface = NULL;
}

static cairo_status_t append_png(void *out, const unsigned char *bytes, unsigned n) {
    spur__str_append(out, bytes, n);
    return spur__str_status(out) == SPUR_OK ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_NO_MEMORY;
}

spur_status canvas_finish(canvas *c, spur__str *png, spur_error *err) {
    cairo_status_t drawn = cairo_status(c->cr);
    cairo_surface_flush(c->surface);
    if (drawn == CAIRO_STATUS_SUCCESS)
        drawn = cairo_surface_write_to_png_stream(c->surface, append_png, png);
    canvas_free(c);
    if (drawn == CAIRO_STATUS_SUCCESS) return SPUR_OK;
    return spur__fail(err, drawn == CAIRO_STATUS_NO_MEMORY ? SPUR_E_MEMORY : SPUR_E_IO,
                      "cannot draw: %s", cairo_status_to_string(drawn));
}

void canvas_fill(canvas *c, colour paint, double x, double y, double width, double height) {
    set_colour(c, paint);
    cairo_rectangle(c->cr, x, y, width, height);
    cairo_fill(c->cr);
}

void canvas_line(canvas *c, colour paint, double thickness, double x0, double y0, double x1,
                 double y1) {
    set_colour(c, paint);
    cairo_set_line_width(c->cr, thickness);
    cairo_move_to(c->cr, x0, y0);
    cairo_line_to(c->cr, x1, y1);
    cairo_stroke(c->cr);
}

static void use_font(canvas *c, const text_style *style) {
    cairo_select_font_face(c->cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           style->bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(c->cr, style->size);
}

/* What is drawn for a text: cairo refuses the whole picture for one that is not UTF-8. */
static const char *drawable(const char *text) {
    return spur__utf8_valid(text, strlen(text)) ? text : "?";
}

double canvas_text_width(canvas *c, const text_style *style, const char *text) {
    cairo_text_extents_t extents;
    use_font(c, style);
    cairo_text_extents(c->cr, drawable(text), &extents);
    return extents.x_advance;
}

/* Cuts the text, at whole characters, so that it fits with an ellipsis. */
static void shorten(canvas *c, const text_style *style, char *text) {
    static const char dots[] = "\xe2\x80\xa6";
    size_t n = strlen(text);
    while (n > 0 && canvas_text_width(c, style, text) > style->most) {
        do n--;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80);
        memcpy(text + n, dots, sizeof dots);
    }
}

void canvas_text(canvas *c, const text_style *style, double x, double y, const char *text) {
    char copy[256 + 4];
    text = drawable(text);
    size_t n = strlen(text) < 256 ? strlen(text) : 256;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) n--;
    memcpy(copy, text, n);
    copy[n] = '\0';
    if (style->most > 0) shorten(c, style, copy);
    double width = canvas_text_width(c, style, copy);
    double shift = style->align == TEXT_LEFT ? 0 : style->align == TEXT_CENTRE ? width / 2 : width;
    cairo_save(c->cr);
    cairo_translate(c->cr, x, y);
    cairo_rotate(c->cr, style->angle);
    cairo_move_to(c->cr, -shift, style->size * 0.35);
    set_colour(c, style->paint);
    cairo_show_text(c->cr, copy);
    cairo_restore(c->cr);
}

void canvas_title(canvas *c, const char *title, const char *subtitle) {
    canvas_text(c, &(text_style){.size = 17, .bold = true, .paint = ink, .most = c->width - 32}, 16,
                20, title);
    if (subtitle)
        canvas_text(c, &(text_style){.size = 12, .paint = muted, .most = c->width - 32}, 16, 41,
                    subtitle);
}
