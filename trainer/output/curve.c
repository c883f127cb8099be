/* SPDX-License-Identifier: MIT
 *
 * Line charts in text; see curve.h.
 */
#include "output/curve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_COLUMNS = 200, MOST_ROWS = 60 };

typedef struct raster {
    unsigned char dots[MOST_ROWS * 4][MOST_COLUMNS * 2];
    int width, height; /* in dots */
    double low_x, high_x, low_y, high_y;
    double span_x, span_y; /* never 0, so that a single point and a level line have a place */
} raster;

static double x_of(const text_curve *c, size_t i) {
    return c->log_x ? log(c->x[i]) : c->x[i];
}

static bool is_visible(const text_curve *c, size_t i) {
    return isfinite(c->y[i]) && isfinite(x_of(c, i));
}

static bool find_range(const text_curve *c, raster *r) {
    r->low_x = r->low_y = INFINITY;
    r->high_x = r->high_y = -INFINITY;
    for (size_t i = 0; i < c->count; i++) {
        if (!is_visible(c, i)) continue;
        r->low_x = fmin(r->low_x, x_of(c, i));
        r->high_x = fmax(r->high_x, x_of(c, i));
        r->low_y = fmin(r->low_y, c->y[i]);
        r->high_y = fmax(r->high_y, c->y[i]);
    }
    if (!(r->low_x <= r->high_x)) return false;
    r->span_x = r->high_x > r->low_x ? r->high_x - r->low_x : 1;
    r->span_y = r->high_y > r->low_y ? r->high_y - r->low_y : 1;
    return true;
}

static void place(const text_curve *c, const raster *r, size_t i, double *px, double *py) {
    *px = (x_of(c, i) - r->low_x) / r->span_x * (r->width - 1);
    *py = (1 - (c->y[i] - r->low_y) / r->span_y) * (r->height - 1);
}

static void draw_line(raster *r, double x0, double y0, double x1, double y1) {
    int steps = (int)ceil(fmax(fabs(x1 - x0), fabs(y1 - y0)));
    for (int k = 0; k <= steps; k++) {
        double t = steps ? (double)k / steps : 0;
        r->dots[lround(y0 + t * (y1 - y0))][lround(x0 + t * (x1 - x0))] = 1;
    }
}

static void draw_all(const text_curve *c, raster *r) {
    bool have = false;
    double last_x = 0, last_y = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (!is_visible(c, i)) {
            have = false;
            continue;
        }
        double px, py;
        place(c, r, i, &px, &py);
        draw_line(r, have ? last_x : px, have ? last_y : py, px, py);
        last_x = px;
        last_y = py;
        have = true;
    }
}

/* The eight dots of a cell as a Braille character (U+2800 + bits), or a star. */
static void put_cell(const raster *r, int row, int column, bool unicode, spur__str *out) {
    static const int bits[4][2] = {{0, 3}, {1, 4}, {2, 5}, {6, 7}};
    unsigned code = 0;
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 2; x++)
            if (r->dots[row * 4 + y][column * 2 + x]) code |= 1u << bits[y][x];
    if (!unicode) {
        spur__str_putc(out, code ? '*' : ' ');
        return;
    }
    code += 0x2800;
    char utf8[3] = {(char)(0xe0 | code >> 12), (char)(0x80 | (code >> 6 & 0x3f)),
                    (char)(0x80 | (code & 0x3f))};
    spur__str_append(out, utf8, 3);
}

/* "     ^ 0.0054" below the axis, to the left of the arrow where it would leave the drawing. */
static void put_mark(const text_curve *c, const raster *r, int columns, spur__str *out) {
    char value[32];
    double x = c->log_x ? log(c->mark) : c->mark;
    if (!(x >= r->low_x && x <= r->high_x)) return;
    int at = (int)lround((x - r->low_x) / r->span_x * (columns - 1));
    snprintf(value, sizeof value, "%.2g", c->mark);
    int length = (int)strlen(value);
    if (at + 2 + length <= columns)
        spur__str_printf(out, "           %*s^ %s\n", at, "", value);
    else
        spur__str_printf(out, "           %*s%s ^\n", at - length - 1, "", value);
}

void draw_text_curve(const text_curve *c, spur__str *out) {
    static raster r; /* too large for a stack; commands draw from one thread */
    memset(&r, 0, sizeof r);
    int columns = c->columns < MOST_COLUMNS ? c->columns : MOST_COLUMNS;
    int rows = c->rows < MOST_ROWS ? c->rows : MOST_ROWS;
    r.width = columns * 2;
    r.height = rows * 4;
    if (columns < 1 || rows < 1 || !find_range(c, &r)) return;
    draw_all(c, &r);
    for (int row = 0; row < rows; row++) {
        if (row == 0 && r.high_y > r.low_y)
            spur__str_printf(out, "%9.4g ", r.high_y);
        else if (row == rows - 1)
            spur__str_printf(out, "%9.4g ", r.low_y);
        else
            spur__str_puts(out, "          ");
        spur__str_puts(out, c->unicode ? "\xe2\x94\x82" : "|");
        for (int column = 0; column < columns; column++) put_cell(&r, row, column, c->unicode, out);
        spur__str_putc(out, '\n');
    }
    double low = c->log_x ? exp(r.low_x) : r.low_x, high = c->log_x ? exp(r.high_x) : r.high_x;
    if (r.high_x > r.low_x)
        spur__str_printf(out, "           %-10.4g%*.4g\n", low, columns - 10, high);
    else
        spur__str_printf(out, "           %.4g\n", low);
    put_mark(c, &r, columns, out);
}
