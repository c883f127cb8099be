/* SPDX-License-Identifier: MIT
 *
 * Round ticks after Heckbert, "Nice numbers for graph labels" (Graphics Gems, 1990).
 */
#include "plot/axes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The round number (1, 2 or 5 times a power of ten) nearest to x. */
static double round_step(double x) {
    double power = pow(10, floor(log10(x))), f = x / power;
    return (f < 1.5 ? 1 : f < 3.5 ? 2 : f < 7.5 ? 5 : 10) * power;
}

static void linear_ticks(axis *a, int wanted) {
    if (!(a->high > a->low)) {
        double around = fabs(a->low) > 0 ? fabs(a->low) * 0.1 : 0.5;
        a->low -= around;
        a->high += around;
    }
    double step = round_step((a->high - a->low) / wanted);
    a->low = floor(a->low / step + 1e-9) * step;
    a->high = ceil(a->high / step - 1e-9) * step;
    int count = (int)lround((a->high - a->low) / step) + 1;
    for (int i = 0; i < count && i < AXIS_MOST_TICKS; i++) {
        double value = a->low + step * i;
        a->ticks[a->tick_count++] = fabs(value) < step * 1e-6 ? 0 : value;
    }
}

static void add_tick(axis *a, double value) {
    bool inside = value >= a->low * (1 - 1e-9) && value <= a->high * (1 + 1e-9);
    if (inside && a->tick_count < AXIS_MOST_TICKS) a->ticks[a->tick_count++] = value;
}

/* Powers of ten; where there are few, twice and five times them too, and within a part of that round
 * numbers, as on a linear axis. */
static void log_ticks(axis *a, int wanted) {
    if (!(a->high > a->low)) a->high = a->low * 10;
    int first = (int)floor(log10(a->low)), last = (int)floor(log10(a->high) + 1e-9);
    int stride = (last - first) / AXIS_MOST_TICKS + 1;
    for (int p = first; p <= last; p += stride) add_tick(a, pow(10, p));
    if (a->tick_count > 2) return;
    a->tick_count = 0;
    for (int p = first; p <= last; p++)
        for (int k = 0; k < 3; k++) add_tick(a, (const int[]){1, 2, 5}[k] * pow(10, p));
    if (a->tick_count > 2) return;
    a->tick_count = 0;
    double step = round_step((a->high - a->low) / wanted), begin = ceil(a->low / step - 1e-9);
    for (int i = 0; i < AXIS_MOST_TICKS; i++) add_tick(a, (begin + i) * step);
}

void axis_init(axis *a, double low, double high, bool logarithmic, int wanted) {
    if (!isfinite(low) || !isfinite(high) || high < low || (logarithmic && low <= 0)) {
        low = logarithmic ? 1 : 0;
        high = logarithmic ? 10 : 1;
    }
    *a = (axis){.low = low, .high = high, .logarithmic = logarithmic};
    if (logarithmic)
        log_ticks(a, wanted);
    else
        linear_ticks(a, wanted);
}

double axis_at(const axis *a, double value) {
    double t = a->logarithmic ? log(value / a->low) / log(a->high / a->low)
                              : (value - a->low) / (a->high - a->low);
    return a->from + t * (a->to - a->from);
}

void axis_label(double value, char *out, size_t size) {
    double size_of = fabs(value);
    if (size_of >= 1e6 && size_of < 1e9)
        snprintf(out, size, "%gM", value / 1e6);
    else if (size_of >= 1e4 && size_of < 1e6)
        snprintf(out, size, "%gk", value / 1e3);
    else
        snprintf(out, size, "%.6g", value);
    char *exponent = strchr(out, 'e');
    if (exponent && exponent[2] == '0') memmove(exponent + 2, exponent + 3, strlen(exponent + 2));
}

static void draw_x(canvas *c, const axis *x, double top, double bottom, const char *title) {
    char label[32];
    for (int i = 0; i < x->tick_count; i++) {
        double at = axis_at(x, x->ticks[i]);
        canvas_line(c, faint, 1, at, top, at, bottom);
        axis_label(x->ticks[i], label, sizeof label);
        canvas_text(c, &(text_style){.size = 10, .align = TEXT_CENTRE, .paint = muted}, at,
                    bottom + 12, label);
    }
    if (title)
        canvas_text(c, &(text_style){.size = 11, .align = TEXT_CENTRE, .paint = ink},
                    (x->from + x->to) / 2, bottom + 30, title);
}

static void draw_y(canvas *c, const axis *y, double left, double right, const char *title) {
    char label[32];
    double widest = 0;
    text_style style = {.size = 10, .align = TEXT_RIGHT, .paint = muted};
    for (int i = 0; i < y->tick_count; i++) {
        double at = axis_at(y, y->ticks[i]);
        canvas_line(c, faint, 1, left, at, right, at);
        axis_label(y->ticks[i], label, sizeof label);
        double width = canvas_text_width(c, &style, label);
        if (width > widest) widest = width;
        canvas_text(c, &style, left - 7, at, label);
    }
    if (title)
        canvas_text(
            c,
            &(text_style){.size = 11, .align = TEXT_CENTRE, .paint = ink, .angle = -QUARTER_TURN},
            left - widest - 22, (y->from + y->to) / 2, title);
}

void axes_draw(canvas *c, const axis *x, const axis *y, const char *x_title, const char *y_title) {
    draw_x(c, x, y->to, y->from, x_title);
    draw_y(c, y, x->from, x->to, y_title);
    canvas_line(c, muted, 1, x->from, y->from, x->to, y->from);
}
