/* SPDX-License-Identifier: MIT
 *
 * Horizontal bar charts: one group of bars per label, the number at the end of each bar.
 */
#include <math.h>
#include <stdio.h>

#include "plot/axes.h"
#include "plot/charts.h"

enum { MOST_LABELS = 40, WIDTH = 480 };

typedef struct layout {
    double top, left, right, group, bar;
    double largest;
    size_t shown;
} layout;

static double widest_label(canvas *c, const bar_chart *chart, size_t shown) {
    text_style style = {.size = 12};
    double widest = 24;
    for (size_t i = 0; i < shown; i++)
        widest = fmax(widest, canvas_text_width(c, &style, chart->labels[i]));
    return fmin(widest, 170);
}

static double largest_value(const bar_chart *chart, size_t shown) {
    double largest = 0;
    for (size_t s = 0; s < chart->series_count; s++)
        for (size_t i = 0; i < shown; i++)
            if (isfinite(chart->series[s].values[i]))
                largest = fmax(largest, chart->series[s].values[i]);
    return largest > 0 ? largest : 1;
}

static void draw_legend(canvas *c, const bar_chart *chart, double y) {
    double x = 16;
    text_style style = {.size = 12, .paint = ink};
    for (size_t s = 0; s < chart->series_count; s++) {
        const char *name = chart->series[s].name ? chart->series[s].name : "";
        canvas_fill(c, series_colour(s), x, y - 5, 10, 10);
        canvas_text(c, &style, x + 15, y, name);
        x += 32 + canvas_text_width(c, &style, name);
    }
}

static void draw_bar(canvas *c, const bar_chart *chart, const layout *at, size_t s, size_t i) {
    char number[48];
    double value = chart->series[s].values[i];
    double y = at->top + at->group * (double)i + at->bar * (double)s + 3;
    double length = isfinite(value) ? fmax(0, value) / at->largest * (at->right - at->left) : 0;
    canvas_fill(c, series_colour(s), at->left, y, fmax(length, 1), at->bar - 2);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(number, sizeof number, chart->format ? chart->format : "%.0f", value);
#pragma GCC diagnostic pop
    canvas_text(c, &(text_style){.size = 11, .paint = muted}, at->left + length + 6,
                y + at->bar / 2 - 1, number);
}

static void draw_group(canvas *c, const bar_chart *chart, const layout *at, size_t i) {
    text_style style = {.size = 12, .align = TEXT_RIGHT, .paint = ink, .most = at->left - 22};
    canvas_text(c, &style, at->left - 8, at->top + at->group * ((double)i + 0.5), chart->labels[i]);
    for (size_t s = 0; s < chart->series_count; s++) draw_bar(c, chart, at, s, i);
}

spur_status plot_bars(const bar_chart *chart, spur__str *png, spur_error *err) {
    canvas c;
    bool legend = chart->series_count > 1;
    layout at = {.top = CANVAS_TITLE_HEIGHT + (legend ? 24 : 4), .right = WIDTH - 68};
    at.shown = chart->count < MOST_LABELS ? chart->count : MOST_LABELS;
    at.bar = chart->series_count > 1 ? 14 : 19;
    at.group = at.bar * (double)chart->series_count + 6;
    double bottom = at.top + at.group * (double)at.shown;
    spur_status status = canvas_init(&c, WIDTH, bottom + 30, err);
    if (status != SPUR_OK) return status;
    canvas_title(&c, chart->title, chart->subtitle);
    if (legend) draw_legend(&c, chart, CANVAS_TITLE_HEIGHT + 8);
    at.left = widest_label(&c, chart, at.shown) + 28;
    at.largest = largest_value(chart, at.shown);
    for (size_t i = 0; i < at.shown; i++) draw_group(&c, chart, &at, i);
    canvas_line(&c, muted, 1, at.left, at.top, at.left, bottom);
    if (at.shown < chart->count) {
        char note[64];
        snprintf(note, sizeof note, "and %zu more", chart->count - at.shown);
        canvas_text(&c, &(text_style){.size = 12, .paint = muted}, at.left, bottom + 14, note);
    }
    return canvas_finish(&c, png, err);
}
