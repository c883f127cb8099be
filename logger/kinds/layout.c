/* SPDX-License-Identifier: MIT
 *
 * The layout of the Custom Scalars tab: a serialized Layout message as a string of rank 0.
 */
#include <string.h>

#include "kinds/array.h"
#include "base/memory.h"
#include "plugin.pb-c.h"
#include "kinds/tensor.h"
#include "write/writer.h"

/* The message with all its parts in flat arrays: cut off one after the other while it is built. */
typedef struct builder {
    Spur__Tb__Category *categories, **category_list;
    Spur__Tb__Chart *charts, **chart_list;
    Spur__Tb__MultilineChartContent *lines;
    Spur__Tb__MarginChartContent *margins;
    Spur__Tb__MarginChartContent__Series *series, **series_list;
    size_t chart, at_series; /* used so far */
} builder;

static void free_builder(builder *b) {
    spur__free(b->categories);
    spur__free(b->category_list);
    spur__free(b->charts);
    spur__free(b->chart_list);
    spur__free(b->lines);
    spur__free(b->margins);
    spur__free(b->series);
    spur__free(b->series_list);
}

static spur_status make_builder(builder *b, const spur_log_category *categories, size_t count) {
    size_t charts = 0, series = 0;
    for (size_t i = 0; i < count; i++) {
        charts += categories[i].chart_count;
        for (size_t k = 0; k < categories[i].chart_count; k++)
            series += categories[i].charts[k].margin_count;
    }
    *b = (builder){0};
    b->categories = spur__calloc(count, sizeof *b->categories);
    b->category_list = spur__calloc(count, sizeof *b->category_list);
    b->charts = spur__calloc(charts, sizeof *b->charts);
    b->chart_list = spur__calloc(charts, sizeof *b->chart_list);
    b->lines = spur__calloc(charts, sizeof *b->lines);
    b->margins = spur__calloc(charts, sizeof *b->margins);
    b->series = spur__calloc(series, sizeof *b->series);
    b->series_list = spur__calloc(series, sizeof *b->series_list);
    bool fine = b->categories && b->category_list && b->charts && b->chart_list && b->lines &&
                b->margins && b->series && b->series_list;
    if (!fine) free_builder(b);
    return fine ? SPUR_OK : SPUR_E_MEMORY;
}

static void add_margins(builder *b, const spur_log_chart *chart, Spur__Tb__Chart *out) {
    Spur__Tb__MarginChartContent *margin = &b->margins[b->chart];
    spur__tb__margin_chart_content__init(margin);
    margin->series = &b->series_list[b->at_series];
    margin->n_series = chart->margin_count;
    for (size_t i = 0; i < chart->margin_count; i++) {
        Spur__Tb__MarginChartContent__Series *series = &b->series[b->at_series];
        spur__tb__margin_chart_content__series__init(series);
        series->value = (char *)(uintptr_t)chart->margins[i].value;
        series->lower = (char *)(uintptr_t)chart->margins[i].lower;
        series->upper = (char *)(uintptr_t)chart->margins[i].upper;
        b->series_list[b->at_series++] = series;
    }
    out->content_case = SPUR__TB__CHART__CONTENT_MARGIN;
    out->margin = margin;
}

static void add_chart(builder *b, const spur_log_chart *chart) {
    Spur__Tb__Chart *out = &b->charts[b->chart];
    spur__tb__chart__init(out);
    out->title = (char *)(uintptr_t)chart->title;
    if (chart->margin_count) {
        add_margins(b, chart, out);
    } else {
        Spur__Tb__MultilineChartContent *lines = &b->lines[b->chart];
        spur__tb__multiline_chart_content__init(lines);
        lines->tag = (char **)(uintptr_t)chart->tags;
        lines->n_tag = chart->tag_count;
        out->content_case = SPUR__TB__CHART__CONTENT_MULTILINE;
        out->multiline = lines;
    }
    b->chart_list[b->chart++] = out;
}

static spur_status check_chart(const spur_log_chart *chart, spur_error *err) {
    SPUR__TRY(spur__check_text(chart->title, "a chart's title", err));
    bool given = (chart->tags || !chart->tag_count) && (chart->margins || !chart->margin_count);
    if (!given || !chart->tag_count == !chart->margin_count)
        return spur__fail(err, SPUR_E_ARGUMENT, "chart \"%.200s\" needs either tags or margins",
                          chart->title);
    for (size_t i = 0; i < chart->tag_count; i++)
        SPUR__TRY(spur__check_text(chart->tags[i], "a chart's tag", err));
    for (size_t i = 0; i < chart->margin_count; i++) {
        SPUR__TRY(spur__check_text(chart->margins[i].value, "a margin's value tag", err));
        SPUR__TRY(spur__check_text(chart->margins[i].lower, "a margin's lower tag", err));
        SPUR__TRY(spur__check_text(chart->margins[i].upper, "a margin's upper tag", err));
    }
    return SPUR_OK;
}

static spur_status check_layout(const spur_log_category *categories, size_t count,
                                spur_error *err) {
    if (!categories || count == 0)
        return spur__fail(err, SPUR_E_ARGUMENT, "a layout needs a category");
    for (size_t i = 0; i < count; i++) {
        SPUR__TRY(spur__check_text(categories[i].title, "a category's title", err));
        if (!categories[i].charts || categories[i].chart_count == 0)
            return spur__fail(err, SPUR_E_ARGUMENT, "category \"%.200s\" has no charts",
                              categories[i].title);
        for (size_t k = 0; k < categories[i].chart_count; k++)
            SPUR__TRY(check_chart(&categories[i].charts[k], err));
    }
    return SPUR_OK;
}

static void build(builder *b, const spur_log_category *categories, size_t count,
                  Spur__Tb__Layout *layout) {
    for (size_t i = 0; i < count; i++) {
        Spur__Tb__Category *out = &b->categories[i];
        spur__tb__category__init(out);
        out->title = (char *)(uintptr_t)categories[i].title;
        out->closed = categories[i].closed;
        out->chart = &b->chart_list[b->chart];
        out->n_chart = categories[i].chart_count;
        for (size_t k = 0; k < categories[i].chart_count; k++)
            add_chart(b, &categories[i].charts[k]);
        b->category_list[i] = out;
    }
    layout->n_category = count;
    layout->category = b->category_list;
}

static spur_status write_layout(spur_writer *w, const Spur__Tb__Layout *layout,
                                const spur_log_options *options) {
    spur__tensor tensor;
    spur_error err;
    size_t size = spur__tb__layout__get_packed_size(layout);
    uint8_t *bytes = spur__malloc(size);
    if (!bytes || spur__tensor_strings(&tensor, 1, NULL, 0, &err) != SPUR_OK) {
        spur__free(bytes);
        return spur__writer_failf(w, SPUR_E_MEMORY, "a layout: out of memory");
    }
    spur__tb__layout__pack(layout, bytes);
    spur__tensor_string(&tensor, 0, bytes, size);
    spur__entry entry = {.kind = SPUR__TAG_LAYOUT,
                         .tag = "custom_scalars__config__",
                         .tensor = &tensor.proto,
                         .options = options,
                         .once = true};
    spur_status status = spur__log_entry(w, &entry);
    spur__tensor_free(&tensor);
    spur__free(bytes);
    return status;
}

spur_status spur_log_layout(spur_writer *w, const spur_log_category *categories, size_t count,
                            const spur_log_options *options) {
    spur_error err;
    builder b;
    Spur__Tb__Layout layout = SPUR__TB__LAYOUT__INIT;
    if (!spur__alive(w)) return SPUR_OK;
    if (check_layout(categories, count, &err) != SPUR_OK) return spur__writer_fail(w, &err);
    if (make_builder(&b, categories, count) != SPUR_OK)
        return spur__writer_failf(w, SPUR_E_MEMORY, "a layout: out of memory");
    build(&b, categories, count, &layout);
    spur_status status = write_layout(w, &layout, options);
    free_builder(&b);
    return status;
}
