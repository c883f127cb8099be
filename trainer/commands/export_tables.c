/* SPDX-License-Identifier: MIT
 *
 * Kinds whose points are rows of a table: scalars, histograms, texts, PR curves.
 */
#include "commands/export.h"

#include <string.h>

#include "base/error.h"

static const column scalar_columns[] = {
    {"run", false}, {"tag", false}, {"step", true}, {"wall_time", true}, {"value", true}};
static const column histogram_columns[] = {{"run", false},      {"tag", false}, {"step", true},
                                           {"wall_time", true}, {"left", true}, {"right", true},
                                           {"count", true}};
static const column text_columns_[] = {{"run", false},      {"tag", false}, {"step", true},
                                       {"wall_time", true}, {"row", true},  {"column", true},
                                       {"text", false}};
static const column curve_columns[] = {{"run", false},
                                       {"tag", false},
                                       {"step", true},
                                       {"wall_time", true},
                                       {"threshold", true},
                                       {"true_positives", true},
                                       {"false_positives", true},
                                       {"true_negatives", true},
                                       {"false_negatives", true},
                                       {"precision", true},
                                       {"recall", true}};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static cell cell_string(const char *text) {
    return cell_text(text, strlen(text));
}

/* The first four cells of a row. */
static void put_place(cell *cells, const char *run, const spur_event *event,
                      const spur_value *value) {
    cells[0] = cell_string(run);
    cells[1] = cell_text(value->tag.data, value->tag.size);
    cells[2] = cell_int(event->step);
    cells[3] = cell_seconds(event->wall_time);
}

/* Ends a table; the status of writing goes behind that of reading. */
static spur_status end_table(exporting *ex, table *t, spur_status status) {
    spur_status ended = table_end(t);
    if (status != SPUR_OK) return status;
    if (ended == SPUR_OK) return SPUR_OK;
    return spur__fail(ex->err, ended, "cannot write the table: %s", spur_strstatus(ended));
}

/* ---- scalars: grouped by run and tag -------------------------------------------------------- */

static void put_series(exporting *ex, table *t, const spur_series *series) {
    for (size_t i = 0; i < series->count; i++) {
        const cell cells[] = {cell_string(series->run), cell_text(series->tag, series->tag_size),
                              cell_int(series->steps[i]), cell_seconds(series->wall_times[i]),
                              cell_number(series->values[i])};
        table_row(t, cells);
        ex->values++;
    }
}

spur_status export_scalars(exporting *ex) {
    spur_scalars *scalars;
    table t;
    const spur_scalars_options options = {ex->run, ex->tag, ex->supersede};
    SPUR__TRY(spur_scalars_load(&scalars, ex->path, &options, ex->err));
    for (size_t i = 0; i < spur_scalars_problem_count(scalars); i++)
        export_problem(ex, spur_scalars_problem(scalars, i));
    spur_status status = SPUR_OK;
    if (spur_scalars_count(scalars) > 0) {
        table_begin(&t, ex->file, ex->format, scalar_columns, COUNT(scalar_columns));
        for (size_t i = 0; i < spur_scalars_count(scalars); i++)
            put_series(ex, &t, spur_scalars_series(scalars, i));
        status = end_table(ex, &t, SPUR_OK);
    }
    spur_scalars_destroy(scalars);
    return status;
}

/* ---- the others: in file order -------------------------------------------------------------- */

static spur_status visit_histogram(exporting *ex, void *user, const char *run,
                                   const spur_event *event, const spur_value *value) {
    spur_histogram h;
    spur_error local;
    cell cells[COUNT(histogram_columns)];
    spur_status status = spur_value_histogram(value, &h, &local);
    if (status != SPUR_OK) return export_skip(ex, status, run, &local);
    put_place(cells, run, event, value);
    for (size_t i = 0; i < h.count; i++) {
        cells[4] = cell_number(h.buckets[i].left);
        cells[5] = cell_number(h.buckets[i].right);
        cells[6] = cell_number(h.buckets[i].count);
        table_row(user, cells);
    }
    ex->values++;
    spur_histogram_free(&h);
    return SPUR_OK;
}

static spur_status visit_text(exporting *ex, void *user, const char *run, const spur_event *event,
                              const spur_value *value) {
    spur_texts texts;
    spur_error local;
    cell cells[COUNT(text_columns_)];
    spur_status status = spur_value_texts(value, &texts, &local);
    if (status != SPUR_OK) return export_skip(ex, status, run, &local);
    put_place(cells, run, event, value);
    for (size_t i = 0; i < texts.rows * texts.columns; i++) {
        cells[4] = cell_int((int64_t)(i / texts.columns));
        cells[5] = cell_int((int64_t)(i % texts.columns));
        cells[6] = cell_text(texts.cells[i].data, texts.cells[i].size);
        table_row(user, cells);
    }
    ex->values++;
    spur_texts_free(&texts);
    return SPUR_OK;
}

static spur_status visit_curve(exporting *ex, void *user, const char *run, const spur_event *event,
                               const spur_value *value) {
    spur_pr_curve curve;
    spur_error local;
    cell cells[COUNT(curve_columns)];
    spur_status status = spur_value_pr_curve(value, &curve, &local);
    if (status != SPUR_OK) return export_skip(ex, status, run, &local);
    put_place(cells, run, event, value);
    const double *const rows[] = {curve.true_positives, curve.false_positives,
                                  curve.true_negatives, curve.false_negatives,
                                  curve.precision,      curve.recall};
    for (size_t i = 0; i < curve.thresholds; i++) {
        double last = curve.thresholds > 1 ? (double)(curve.thresholds - 1) : 1;
        cells[4] = cell_number((double)i / last);
        for (size_t k = 0; k < 6; k++) cells[5 + k] = cell_number(rows[k][i]);
        table_row(user, cells);
    }
    ex->values++;
    spur_pr_curve_free(&curve);
    return SPUR_OK;
}

static spur_status walk_table(exporting *ex, const column *columns, size_t count,
                              export_visit visit) {
    table t;
    table_begin(&t, ex->file, ex->format, columns, count);
    return end_table(ex, &t, export_walk(ex, visit, &t));
}

spur_status export_histograms(exporting *ex) {
    return walk_table(ex, histogram_columns, COUNT(histogram_columns), visit_histogram);
}

spur_status export_texts(exporting *ex) {
    return walk_table(ex, text_columns_, COUNT(text_columns_), visit_text);
}

spur_status export_pr_curves(exporting *ex) {
    return walk_table(ex, curve_columns, COUNT(curve_columns), visit_curve);
}
