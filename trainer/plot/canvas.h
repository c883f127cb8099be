/* SPDX-License-Identifier: MIT
 *
 * The plotting room: pictures with text, drawn with cairo, as PNG bytes for the event file or a
 * file. All pictures share the colours, fonts and measures of this page.
 *
 * A canvas is measured in points of a nominal size; it is drawn at twice as many pixels, so that
 * it stays sharp where TensorBoard enlarges it. Errors stick to the canvas: canvas_finish reports.
 */
#ifndef SPUR_TRAINER_PLOT_CANVAS_H
#define SPUR_TRAINER_PLOT_CANVAS_H

#include <cairo.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define QUARTER_TURN 1.57079632679489662

enum { CANVAS_SCALE = 2 };

typedef struct colour {
    double r, g, b;
} colour;

/* Ink, muted text, grid lines, paper. */
extern const colour ink, muted, faint, paper;

/* Colours of lines and bars, distinguishable with the common colour blindnesses (Okabe & Ito
 * 2008). Repeats after its length. */
colour series_colour(size_t i);

/* White to deep blue, for heat maps; t in 0..1. */
colour heat_colour(double t);

/* The colour of class `index` in mask pictures, as 8-bit RGB; 0 is a dark grey. */
void class_colour(size_t index, uint8_t rgb[3]);

typedef struct canvas {
    cairo_surface_t *surface;
    cairo_t *cr;
    double width, height;
} canvas;

spur_status canvas_init(canvas *c, double width, double height, spur_error *err);
void canvas_free(canvas *c);

/* Appends the picture as PNG; the canvas is freed in any case. */
spur_status canvas_finish(canvas *c, spur__str *png, spur_error *err);

void canvas_fill(canvas *c, colour paint, double x, double y, double width, double height);
void canvas_line(canvas *c, colour paint, double thickness, double x0, double y0, double x1,
                 double y1);

typedef enum text_align { TEXT_LEFT, TEXT_CENTRE, TEXT_RIGHT } text_align;

typedef struct text_style {
    double size;
    bool bold;
    text_align align;
    colour paint;
    double angle; /* radians, counter-clockwise is negative */
    double most; /* widest allowed; longer text is cut with an ellipsis; 0: no limit */
} text_style;

/* Text whose middle line is at y. */
void canvas_text(canvas *c, const text_style *style, double x, double y, const char *text);
double canvas_text_width(canvas *c, const text_style *style, const char *text);

/* Title at the top left, and a smaller line below it (may be NULL). */
void canvas_title(canvas *c, const char *title, const char *subtitle);
enum { CANVAS_TITLE_HEIGHT = 56 };

#endif
