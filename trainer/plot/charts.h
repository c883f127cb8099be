/* SPDX-License-Identifier: MIT
 *
 * The pictures: bar charts, confusion matrices, curves, scatter charts, contact sheets. Each appends a PNG.
 */
#ifndef SPUR_TRAINER_PLOT_CHARTS_H
#define SPUR_TRAINER_PLOT_CHARTS_H

#include "plot/canvas.h"

typedef struct bar_series {
    const char *name; /* for the legend; may be NULL with one series */
    const double *values; /* [labels] */
} bar_series;

typedef struct bar_chart {
    const char *title, *subtitle;
    const char *const *labels; /* [count] */
    size_t count;
    const bar_series *series;
    size_t series_count;
    const char *format; /* of the number at a bar, with one double: "%.0f" (the default) */
} bar_chart;

/* Horizontal bars, one group per label; more than 40 labels are cut, and said so. */
spur_status plot_bars(const bar_chart *chart, spur__str *png, spur_error *err);

/* counts: [classes][classes], row = true class. Cells show counts and are coloured by their share
 * of the row; more than 40 classes are drawn without numbers. */
spur_status plot_confusion(const char *title, const uint64_t *counts, size_t classes,
                           const char *const *names, spur__str *png, spur_error *err);

typedef struct curve {
    const char *name;
    const double *x, *y; /* [count]; points that are not finite break the line */
    size_t count;
    bool thin; /* in the background: raw values behind a smoothed line */
} curve;

typedef struct curve_chart {
    const char *title, *subtitle;
    const char *x_title, *y_title;
    const curve *curves;
    size_t count;
    bool log_x, log_y;
    double mark; /* a vertical line with a label; NaN: none */
    const char *mark_label;
    double y_low, y_high; /* what is shown of y; both 0: everything */
} curve_chart;

spur_status plot_curves(const curve_chart *chart, spur__str *png, spur_error *err);

/* Sample i's values stand at [i * stride]. */
typedef struct scatter_chart {
    const char *title, *subtitle;
    const float *truth, *predicted;
    size_t count, stride;
} scatter_chart;

/* Predicted against true values, with the line on which they agree. */
spur_status plot_scatter(const scatter_chart *chart, spur__str *png, spur_error *err);

typedef struct sheet_picture {
    const uint8_t *pixels; /* [height][width][channels] */
    size_t height, width, channels; /* 1, 3 or 4 */
    const char *caption, *answer; /* lines below it; may be NULL */
    int mood; /* colour of the answer: 1 good, -1 bad, 0 neither */
} sheet_picture;

typedef struct contact_sheet {
    const char *title, *subtitle;
    const sheet_picture *pictures;
    size_t count;
    size_t columns; /* 0: about square */
    double cell; /* width of a picture in points; 0: 128 or less */
    const char *const *column_titles; /* [columns], or NULL */
    const char *const *classes; /* names of the colours of masks, for a legend; NULL: none */
    size_t class_count;
} contact_sheet;

spur_status plot_sheet(const contact_sheet *sheet, spur__str *png, spur_error *err);

/* Mixes the colours of classes over a picture: out and picture are [pixels][3], mask [pixels];
 * classes of `ignore` and class 0 (when `skip_background`) leave the picture as it is. */
void plot_overlay(const uint8_t *picture, const int32_t *mask, size_t pixels, double opacity,
                  int32_t ignore, bool skip_background, uint8_t *out);

/* The mask alone in its colours; ignored pixels are white. out: [pixels][3]. */
void plot_mask(const int32_t *mask, size_t pixels, int32_t ignore, uint8_t *out);

#endif
