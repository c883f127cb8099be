/* SPDX-License-Identifier: MIT
 *
 * Predicted against true values. Both axes show the range of the true values, so that the pictures
 * of one run's epochs can be compared; a prediction beyond it is drawn at the edge.
 */
#include <math.h>
#include <stdio.h>

#include "plot/axes.h"
#include "plot/charts.h"

enum { SIDE = 400, LEFT = 74, RIGHT = 24, BOTTOM = 52, MANY = 400 };

/* The range of the true values; a constant one gets some room. */
static void range_of(const scatter_chart *chart, axis *a) {
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < chart->count; i++) {
        double value = (double)chart->truth[i * chart->stride];
        if (!isfinite(value)) continue;
        low = fmin(low, value);
        high = fmax(high, value);
    }
    axis_init(a, low, high, false, 6);
}

static void dot(canvas *c, colour paint, double opacity, double x, double y, double radius) {
    cairo_set_source_rgba(c->cr, paint.r, paint.g, paint.b, opacity);
    cairo_arc(c->cr, x, y, radius, 0, 4 * QUARTER_TURN);
    cairo_fill(c->cr);
}

/* All points; returns how many predictions are out of range. */
static size_t draw_points(canvas *c, const scatter_chart *chart, const axis *x, const axis *y) {
    size_t outside = 0;
    bool many = chart->count > MANY;
    for (size_t i = 0; i < chart->count; i++) {
        double truth = (double)chart->truth[i * chart->stride];
        double answer = (double)chart->predicted[i * chart->stride];
        if (!isfinite(truth) || isnan(answer)) continue;
        bool inside = answer >= y->low && answer <= y->high;
        double at = axis_at(y, fmin(fmax(answer, y->low), y->high));
        outside += !inside;
        dot(c, series_colour(inside ? 0 : 1), many ? 0.3 : 0.6, axis_at(x, truth), at,
            many ? 2 : 3);
    }
    return outside;
}

static void draw_diagonal(canvas *c, const axis *x, const axis *y) {
    const double dashes[] = {5, 4};
    cairo_set_dash(c->cr, dashes, 2, 0);
    canvas_line(c, muted, 1.2, x->from, y->from, x->to, y->to);
    cairo_set_dash(c->cr, NULL, 0, 0);
}

spur_status plot_scatter(const scatter_chart *chart, spur__str *png, spur_error *err) {
    canvas c;
    axis x;
    spur_status status =
        canvas_init(&c, LEFT + SIDE + RIGHT, CANVAS_TITLE_HEIGHT + 20 + SIDE + BOTTOM, err);
    if (status != SPUR_OK) return status;
    range_of(chart, &x);
    axis y = x;
    x.from = LEFT;
    x.to = LEFT + SIDE;
    y.to = CANVAS_TITLE_HEIGHT + 20;
    y.from = y.to + SIDE;
    canvas_title(&c, chart->title, chart->subtitle);
    axes_draw(&c, &x, &y, "true", "predicted");
    draw_diagonal(&c, &x, &y);
    size_t outside = draw_points(&c, chart, &x, &y);
    if (outside > 0) {
        char note[96];
        snprintf(note, sizeof note, "orange: %zu beyond the range of the true values", outside);
        canvas_text(&c, &(text_style){.size = 11, .align = TEXT_RIGHT, .paint = series_colour(1)},
                    x.to, y.to - 10, note);
    }
    return canvas_finish(&c, png, err);
}
