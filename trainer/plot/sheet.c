/* SPDX-License-Identifier: MIT
 *
 * Contact sheets: pictures in a grid with captions; and masks as colours.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "plot/charts.h"

enum {
    MARGIN = 16,
    GAP = 8,
    CAPTION_HEIGHT = 21,
    ANSWER_HEIGHT = 15,
    LEGEND_HEIGHT = 19,
    LEGEND_MOST = 48
};

typedef struct layout {
    size_t columns, rows, legend_rows;
    double cell, row_height, caption, left, top, width;
} layout;

/* About square, one row for a few; of the neighbouring numbers the one that leaves least empty. */
static size_t choose_columns(size_t count) {
    if (count <= 5) return count;
    size_t first = (size_t)ceil(sqrt((double)count * 1.4)), best = first;
    for (size_t columns = first > 3 ? first - 1 : 2; columns <= first + 1; columns++) {
        size_t empty = (columns - count % columns) % columns;
        if (empty < (best - count % best) % best) best = columns;
    }
    return best;
}

static size_t legend_count(const contact_sheet *sheet) {
    if (!sheet->classes) return 0;
    return sheet->class_count < LEGEND_MOST ? sheet->class_count : LEGEND_MOST;
}

/* Draws the colours and names of the classes in rows within `width`, or (c NULL) only counts the
 * rows. Names are measured by a canvas of their own then. */
static size_t draw_legend(canvas *c, canvas *ruler, const contact_sheet *sheet, double width) {
    size_t row = 0;
    double x = MARGIN;
    text_style style = {.size = 12, .paint = ink, .most = width - 2 * MARGIN - 20};
    for (size_t k = 0; k < legend_count(sheet); k++) {
        uint8_t rgb[3];
        double length = fmin(canvas_text_width(ruler, &style, sheet->classes[k]), style.most);
        if (x > MARGIN && x + 16 + length > width - MARGIN) {
            x = MARGIN;
            row++;
        }
        double y = CANVAS_TITLE_HEIGHT + 8 + LEGEND_HEIGHT * (double)row;
        class_colour(k, rgb);
        if (c) {
            canvas_fill(c, (colour){rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0}, x, y - 6, 12,
                        12);
            canvas_text(c, &style, x + 17, y, sheet->classes[k]);
        }
        x += 34 + length;
    }
    return row + 1;
}

static spur_status count_legend_rows(const contact_sheet *sheet, double width, size_t *rows,
                                     spur_error *err) {
    canvas ruler;
    *rows = 0;
    if (legend_count(sheet) == 0) return SPUR_OK;
    SPUR__TRY(canvas_init(&ruler, 8, 8, err));
    *rows = draw_legend(NULL, &ruler, sheet, width);
    canvas_free(&ruler);
    return SPUR_OK;
}

static spur_status arrange(const contact_sheet *sheet, layout *at, spur_error *err) {
    *at = (layout){.columns = sheet->columns ? sheet->columns : choose_columns(sheet->count),
                   .left = MARGIN,
                   .top = CANVAS_TITLE_HEIGHT + 4};
    double aspect = 0;
    if (at->columns > sheet->count) at->columns = sheet->count;
    at->rows = (sheet->count + at->columns - 1) / at->columns;
    at->cell = sheet->cell > 0 ? sheet->cell : fmax(72, fmin(120, 1000.0 / (double)at->columns));
    for (size_t i = 0; i < sheet->count; i++) {
        const sheet_picture *one = &sheet->pictures[i];
        aspect = fmax(aspect, (double)one->height / (double)one->width);
        at->caption = fmax(at->caption, one->answer    ? CAPTION_HEIGHT + ANSWER_HEIGHT
                                        : one->caption ? CAPTION_HEIGHT
                                                       : 0);
    }
    at->row_height = at->cell * aspect + at->caption + GAP;
    double width = at->left * 2 + (at->cell + GAP) * (double)at->columns - GAP;
    at->width = fmax(width, 340);
    at->left += (at->width - width) / 2;
    SPUR__TRY(count_legend_rows(sheet, at->width, &at->legend_rows, err));
    at->top += LEGEND_HEIGHT * (double)at->legend_rows;
    if (sheet->column_titles) at->top += CAPTION_HEIGHT;
    return SPUR_OK;
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
    double step = at->cell + GAP;
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
    static const colour good = {0.05, 0.50, 0.25}, bad = {0.78, 0.16, 0.13};
    text_style style = {.size = 12, .align = TEXT_CENTRE, .most = at->cell, .paint = muted};
    double below = y + zoom * (double)one->height + 11;
    if (one->caption) canvas_text(c, &style, x + at->cell / 2, below, one->caption);
    style.paint = one->mood > 0 ? good : one->mood < 0 ? bad : muted;
    if (one->answer) canvas_text(c, &style, x + at->cell / 2, below + ANSWER_HEIGHT, one->answer);
}

spur_status plot_sheet(const contact_sheet *sheet, spur__str *png, spur_error *err) {
    canvas c;
    layout at;
    if (sheet->count == 0) return spur__fail(err, SPUR_E_ARGUMENT, "a contact sheet of nothing");
    SPUR__TRY(arrange(sheet, &at, err));
    SPUR__TRY(canvas_init(&c, at.width, at.top + at.row_height * (double)at.rows + GAP, err));
    canvas_title(&c, sheet->title, sheet->subtitle);
    draw_legend(&c, &c, sheet, at.width);
    for (size_t k = 0; sheet->column_titles && k < at.columns; k++)
        canvas_text(&c,
                    &(text_style){.size = 13, .align = TEXT_CENTRE, .paint = ink, .most = at.cell},
                    at.left + (at.cell + GAP) * (double)k + at.cell / 2, at.top - 11,
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
