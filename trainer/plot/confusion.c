/* SPDX-License-Identifier: MIT
 *
 * The confusion matrix: rows are true classes, columns predictions, colours the share of the row.
 */
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "plot/axes.h"
#include "plot/charts.h"

enum { NUMBERS_UP_TO = 24, NAMES_UP_TO = 60 };

typedef struct grid {
    const uint64_t *counts;
    const char *const *names;
    size_t classes;
    double left, top, cell;
} grid;

static double share(const grid *g, size_t row, size_t column) {
    uint64_t total = 0;
    for (size_t j = 0; j < g->classes; j++) total += g->counts[row * g->classes + j];
    return total ? (double)g->counts[row * g->classes + column] / (double)total : 0;
}

/* "1234", "12.3k", "4.5M": at most five characters. */
static void short_count(uint64_t n, char *out, size_t size) {
    if (n < 10000)
        snprintf(out, size, "%llu", (unsigned long long)n);
    else if (n < 1000000)
        snprintf(out, size, n < 100000 ? "%.1fk" : "%.0fk", (double)n / 1e3);
    else
        snprintf(out, size, n < 100000000 ? "%.1fM" : "%.0fM", (double)n / 1e6);
}

static void draw_cell(canvas *c, const grid *g, size_t row, size_t column) {
    double x = g->left + g->cell * (double)column, y = g->top + g->cell * (double)row;
    double t = share(g, row, column);
    double gap = g->cell > 8 ? 1 : 0;
    canvas_fill(c, heat_colour(t), x, y, g->cell - gap, g->cell - gap);
    if (g->classes > NUMBERS_UP_TO) return;
    char text[32];
    colour paint = t > 0.45 ? paper : ink;
    double middle = x + (g->cell - gap) / 2, centre = y + (g->cell - gap) / 2;
    bool both = g->cell >= 40;
    short_count(g->counts[row * g->classes + column], text, sizeof text);
    canvas_text(
        c,
        &(text_style){
            .size = both ? 13 : 9, .align = TEXT_CENTRE, .paint = paint, .bold = row == column},
        middle, centre - (both ? 7 : 0), text);
    if (!both) return;
    snprintf(text, sizeof text, "%.1f%%", 100 * t);
    canvas_text(c, &(text_style){.size = 10, .align = TEXT_CENTRE, .paint = paint}, middle,
                centre + 9, text);
}

static void draw_names(canvas *c, const grid *g, double most) {
    if (g->classes > NAMES_UP_TO) return;
    text_style row = {.size = 11, .align = TEXT_RIGHT, .paint = ink, .most = most};
    text_style column = {
        .size = 11, .align = TEXT_RIGHT, .paint = ink, .most = most, .angle = -QUARTER_TURN / 2};
    if (g->cell < 12) row.size = column.size = g->cell * 0.8;
    double bottom = g->top + g->cell * (double)g->classes;
    for (size_t i = 0; i < g->classes; i++) {
        double middle = g->cell * ((double)i + 0.5);
        canvas_text(c, &row, g->left - 8, g->top + middle, g->names[i]);
        canvas_text(c, &column, g->left + middle + 3, bottom + 9, g->names[i]);
    }
}

/* Room for the names that are drawn, measured by a canvas of their own: the picture's size follows. */
static spur_status measure_names(const grid *g, double *room, spur_error *err) {
    canvas ruler;
    SPUR__TRY(canvas_init(&ruler, 8, 8, err));
    *room = 20;
    for (size_t i = 0; i < g->classes && g->classes <= NAMES_UP_TO; i++)
        *room = fmax(*room, canvas_text_width(&ruler, &(text_style){.size = 11}, g->names[i]));
    *room = fmin(*room, 120);
    canvas_free(&ruler);
    return SPUR_OK;
}

static double correct_share(const grid *g) {
    double right = 0, all = 0;
    for (size_t i = 0; i < g->classes * g->classes; i++) {
        all += (double)g->counts[i];
        if (i / g->classes == i % g->classes) right += (double)g->counts[i];
    }
    return all > 0 ? right / all : 0;
}

spur_status plot_confusion(const char *title, const uint64_t *counts, size_t classes,
                           const char *const *names, spur__str *png, spur_error *err) {
    canvas c;
    grid g = {.counts = counts, .names = names, .classes = classes};
    g.cell = fmax(classes > 200 ? 2 : 4, fmin(56, 520.0 / (double)classes));
    double side = g.cell * (double)classes, room;
    SPUR__TRY(measure_names(&g, &room, err));
    SPUR__TRY(canvas_init(&c, fmax(side + room + 66, 400),
                          side + CANVAS_TITLE_HEIGHT + 48 + 0.75 * room, err));
    char subtitle[96];
    snprintf(subtitle, sizeof subtitle, "%.2f %% on the diagonal; colour is the share of the row",
             100 * correct_share(&g));
    canvas_title(&c, title, subtitle);
    g.left = room + 46;
    g.top = CANVAS_TITLE_HEIGHT + 8;
    for (size_t i = 0; i < classes; i++)
        for (size_t j = 0; j < classes; j++) draw_cell(&c, &g, i, j);
    draw_names(&c, &g, room + 4);
    text_style side_text = {.size = 12, .align = TEXT_CENTRE, .paint = muted};
    canvas_text(&c, &side_text, g.left + side / 2, c.height - 14, "predicted");
    side_text.angle = -QUARTER_TURN;
    canvas_text(&c, &side_text, 16, g.top + side / 2, "true");
    return canvas_finish(&c, png, err);
}
