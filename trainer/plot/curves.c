/* SPDX-License-Identifier: MIT
 *
 * Line charts with axes: learning curves, the learning-rate finder, PR curves.
 */
#include <math.h>

#include "plot/axes.h"
#include "plot/charts.h"

enum { WIDTH = 720, HEIGHT = 420, LEFT = 74, RIGHT = 24, BOTTOM = 52 };

static bool visible(double value, bool logarithmic) {
    return isfinite(value) && (!logarithmic || value > 0);
}

static void ranges(const curve_chart *chart, axis *x, axis *y) {
    double low_x = INFINITY, high_x = -INFINITY, low_y = INFINITY, high_y = -INFINITY;
    for (size_t k = 0; k < chart->count; k++) {
        const curve *one = &chart->curves[k];
        for (size_t i = 0; i < one->count; i++) {
            if (!visible(one->x[i], chart->log_x) || !visible(one->y[i], chart->log_y)) continue;
            low_x = fmin(low_x, one->x[i]);
            high_x = fmax(high_x, one->x[i]);
            low_y = fmin(low_y, one->y[i]);
            high_y = fmax(high_y, one->y[i]);
        }
    }
    if (chart->y_low != 0 || chart->y_high != 0) {
        low_y = chart->y_low;
        high_y = chart->y_high;
    }
    axis_init(x, low_x, high_x, chart->log_x, 8);
    axis_init(y, low_y, high_y, chart->log_y, 6);
}

static void draw_curve(canvas *c, const curve_chart *chart, const axis *x, const axis *y,
                       size_t k) {
    const curve *one = &chart->curves[k];
    colour paint = series_colour(k);
    bool drawing = false;
    cairo_set_line_width(c->cr, one->thin ? 0.8 : 2);
    cairo_set_source_rgba(c->cr, paint.r, paint.g, paint.b, one->thin ? 0.45 : 1);
    cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
    for (size_t i = 0; i < one->count; i++) {
        if (!visible(one->x[i], chart->log_x) || !visible(one->y[i], chart->log_y)) {
            drawing = false;
            continue;
        }
        double px = axis_at(x, one->x[i]), py = axis_at(y, one->y[i]);
        if (drawing)
            cairo_line_to(c->cr, px, py);
        else
            cairo_move_to(c->cr, px, py);
        drawing = true;
    }
    cairo_stroke(c->cr);
    for (size_t i = 0; !one->thin && one->count <= 40 && i < one->count; i++) {
        if (!visible(one->x[i], chart->log_x) || !visible(one->y[i], chart->log_y)) continue;
        cairo_arc(c->cr, axis_at(x, one->x[i]), axis_at(y, one->y[i]), 2.6, 0, 4 * QUARTER_TURN);
        cairo_fill(c->cr);
    }
}

static void draw_legend(canvas *c, const curve_chart *chart, double right, double y) {
    text_style style = {.size = 11, .align = TEXT_RIGHT, .paint = ink};
    for (size_t k = chart->count; k-- > 0;) {
        if (!chart->curves[k].name) continue;
        double width = canvas_text_width(c, &style, chart->curves[k].name);
        canvas_text(c, &style, right, y, chart->curves[k].name);
        canvas_line(c, series_colour(k), chart->curves[k].thin ? 1 : 2.5, right - width - 24, y,
                    right - width - 6, y);
        right -= width + 40;
    }
}

static void draw_mark(canvas *c, const curve_chart *chart, const axis *x, const axis *y) {
    if (!isfinite(chart->mark) || chart->mark < x->low || chart->mark > x->high) return;
    double at = axis_at(x, chart->mark);
    const double dashes[] = {4, 3};
    cairo_set_dash(c->cr, dashes, 2, 0);
    canvas_line(c, series_colour(1), 1.5, at, y->to, at, y->from);
    cairo_set_dash(c->cr, NULL, 0, 0);
    bool left_side = at > (x->from + x->to) / 2;
    if (chart->mark_label)
        canvas_text(c,
                    &(text_style){.size = 11,
                                  .bold = true,
                                  .paint = series_colour(1),
                                  .align = left_side ? TEXT_RIGHT : TEXT_LEFT},
                    at + (left_side ? -6 : 6), y->to + 10, chart->mark_label);
}

spur_status plot_curves(const curve_chart *chart, spur__str *png, spur_error *err) {
    canvas c;
    axis x, y;
    spur_status status = canvas_init(&c, WIDTH, HEIGHT, err);
    if (status != SPUR_OK) return status;
    ranges(chart, &x, &y);
    x.from = LEFT;
    x.to = WIDTH - RIGHT;
    y.from = HEIGHT - BOTTOM;
    y.to = CANVAS_TITLE_HEIGHT + 12;
    canvas_title(&c, chart->title, chart->subtitle);
    axes_draw(&c, &x, &y, chart->x_title, chart->y_title);
    cairo_save(c.cr);
    cairo_rectangle(c.cr, x.from - 2, y.to - 2, x.to - x.from + 4, y.from - y.to + 4);
    cairo_clip(c.cr);
    for (size_t k = 0; k < chart->count; k++) draw_curve(&c, chart, &x, &y, k);
    cairo_restore(c.cr);
    draw_mark(&c, chart, &x, &y);
    draw_legend(&c, chart, x.to, CANVAS_TITLE_HEIGHT - 6);
    return canvas_finish(&c, png, err);
}
