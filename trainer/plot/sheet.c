/* SPDX-License-Identifier: MIT
 *
 * Contact sheets: pictures in a grid with captions; and masks as colours.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "plot/charts.h"

typedef struct layout {
    size_t columns, rows;
    double cell, row_height, caption, left, top;
} layout;

static layout arrange(const contact_sheet *sheet) {
    layout at = {.columns = sheet->columns, .left = 16, .top = CANVAS_TITLE_HEIGHT + 4};
    double aspect = 0;
    if (at.columns == 0) at.columns = (size_t)ceil(sqrt((double)sheet->count * 1.4));
    if (at.columns > sheet->count) at.columns = sheet->count;
    at.rows = (sheet->count + at.columns - 1) / at.columns;
    at.cell = sheet->cell > 0 ? sheet->cell : fmax(64, fmin(140, 1100.0 / (double)at.columns));
    for (size_t i = 0; i < sheet->count; i++) {
        const sheet_picture *one = &sheet->pictures[i];
        aspect = fmax(aspect, (double)one->height / (double)one->width);
        if (one->caption) at.caption = 18;
    }
    at.row_height = at.cell * aspect + at.caption + 8;
    if (sheet->column_titles) at.top += 18;
    return at;
}

/* One row of pixels as cairo's 32-bit RGB. */
static void convert_row(const sheet_picture *one, size_t row, uint32_t *out) {
    const uint8_t *p = one->pixels + row * one->width * one->channels;
    for (size_t i = 0; i < one->width; i++, p += one->channels) {
        uint32_t r = p[0], g = one->channels >= 3 ? p[1] : r, b = one->channels >= 3 ? p[2] : r;
        out[i] = r << 16 | g << 8 | b;
    }
}

static cairo_surface_t *to_surface(const sheet_picture *one) {
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)one->width, (int)one->height);
    unsigned char *data = cairo_image_surface_get_data(surface);
    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS || !data) return surface;
    cairo_surface_flush(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (size_t row = 0; row < one->height; row++)
        convert_row(one, row, (uint32_t *)(void *)(data + row * stride));
    cairo_surface_mark_dirty(surface);
    return surface;
}

/* Enlarged pixels stay squares, so that what the network sees can be seen. */
static void draw_picture(canvas *c, const layout *at, const sheet_picture *one, size_t i) {
    double step = at->cell + 8;
    double x = at->left + step * (double)(i % at->columns);
    double y = at->top + at->row_height * (double)(i / at->columns);
    double zoom = at->cell / (double)one->width;
    cairo_surface_t *surface = to_surface(one);
    cairo_save(c->cr);
    cairo_translate(c->cr, x, y);
    cairo_scale(c->cr, zoom, zoom);
    cairo_set_source_surface(c->cr, surface, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(c->cr),
                             zoom * CANVAS_SCALE >= 1 ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD);
    cairo_paint(c->cr);
    cairo_restore(c->cr);
    cairo_surface_destroy(surface);
    if (!one->caption) return;
    static const colour good = {0.05, 0.50, 0.25}, bad = {0.78, 0.16, 0.13};
    text_style style = {.size = 10,
                        .align = TEXT_CENTRE,
                        .most = at->cell,
                        .paint = one->mood > 0   ? good
                                 : one->mood < 0 ? bad
                                                 : muted};
    canvas_text(c, &style, x + at->cell / 2, y + zoom * (double)one->height + 10, one->caption);
}

spur_status plot_sheet(const contact_sheet *sheet, spur__str *png, spur_error *err) {
    canvas c;
    if (sheet->count == 0) return spur__fail(err, SPUR_E_ARGUMENT, "a contact sheet of nothing");
    layout at = arrange(sheet);
    double width = at.left * 2 + (at.cell + 8) * (double)at.columns - 8;
    double shift = width < 320 ? (320 - width) / 2 : 0;
    at.left += shift;
    spur_status status =
        canvas_init(&c, fmax(width, 320), at.top + at.row_height * (double)at.rows + 8, err);
    if (status != SPUR_OK) return status;
    canvas_title(&c, sheet->title, sheet->subtitle);
    for (size_t k = 0; sheet->column_titles && k < at.columns; k++)
        canvas_text(&c,
                    &(text_style){.size = 11, .align = TEXT_CENTRE, .paint = ink, .most = at.cell},
                    at.left + (at.cell + 8) * (double)k + at.cell / 2, at.top - 10,
                    sheet->column_titles[k]);
    for (size_t i = 0; i < sheet->count; i++) draw_picture(&c, &at, &sheet->pictures[i], i);
    return canvas_finish(&c, png, err);
}

void plot_overlay(const uint8_t *picture, const int32_t *mask, size_t pixels, double opacity,
                  int32_t ignore, bool skip_background, uint8_t *out) {
    for (size_t i = 0; i < pixels; i++) {
        uint8_t paint[3];
        bool plain = mask[i] == ignore || mask[i] < 0 || (skip_background && mask[i] == 0);
        class_colour(mask[i] < 0 ? 0 : (size_t)mask[i], paint);
        for (size_t k = 0; k < 3; k++) {
            double mixed = picture[i * 3 + k] * (1 - opacity) + paint[k] * opacity;
            out[i * 3 + k] = plain ? picture[i * 3 + k] : (uint8_t)lround(mixed);
        }
    }
}

void plot_mask(const int32_t *mask, size_t pixels, int32_t ignore, uint8_t *out) {
    for (size_t i = 0; i < pixels; i++) {
        if (mask[i] == ignore || mask[i] < 0)
            memset(out + i * 3, 255, 3);
        else
            class_colour((size_t)mask[i], out + i * 3);
    }
}
