/* SPDX-License-Identifier: MIT
 *
 * The plotting room: every picture is a PNG of a sensible size that is not empty; ticks are round.
 * With SPUR_TEST_PICTURES=DIR the pictures are left there to be looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "plot/axes.h"
#include "plot/charts.h"

static uint32_t big_endian(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void expect_picture(spur__str *png, const char *name, unsigned width, unsigned height) {
    const unsigned char *bytes = (const unsigned char *)spur__str_text(png);
    assert_true(png->length > 1000);
    assert_memory_equal(bytes, "\x89PNG\r\n\x1a\n", 8);
    assert_int_equal(big_endian(bytes + 16), width);
    if (height) assert_int_equal(big_endian(bytes + 20), height);
    const char *directory = getenv("SPUR_TEST_PICTURES");
    if (directory) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s.png", directory, name);
        assert_int_equal(spur__file_write(path, bytes, png->length, NULL), SPUR_OK);
    }
    spur__str_free(png);
}

static const char *const names[] = {"sky",
                                    "building",
                                    "pole",
                                    "road",
                                    "pavement",
                                    "tree",
                                    "sign",
                                    "fence",
                                    "car",
                                    "pedestrian",
                                    "a very long class name indeed, cut"};

static void test_bars(void **state) {
    (void)state;
    double counts[11], weights[11];
    for (int i = 0; i < 11; i++) {
        counts[i] = 52000 * pow(0.6, i);
        weights[i] = 1 / (0.2 + counts[i] / 52000);
    }
    spur__str png;
    spur__str_init(&png, 1 << 24);
    bar_series one = {.values = counts};
    bar_chart chart = {.title = "Training samples per class",
                       .subtitle = "buildings, 11 classes",
                       .labels = names,
                       .count = 11,
                       .series = &one,
                       .series_count = 1};
    assert_int_equal(plot_bars(&chart, &png, NULL), SPUR_OK);
    expect_picture(&png, "bars", 960, 0);
    bar_series two[] = {{"in the data", weights}, {"first batches", weights}};
    chart.series = two;
    chart.series_count = 2;
    chart.format = "%.3f";
    spur__str_init(&png, 1 << 24);
    assert_int_equal(plot_bars(&chart, &png, NULL), SPUR_OK);
    expect_picture(&png, "bars2", 960, 0);
}

/* One value that is endless takes nothing of the others' length. */
static void test_endless_bar(void **state) {
    (void)state;
    spur__str pngs[2];
    for (int i = 0; i < 2; i++) {
        double values[] = {i ? 4 : 0, INFINITY};
        bar_series one = {.values = values};
        bar_chart chart = {.title = "Endless",
                           .labels = names,
                           .count = 2,
                           .series = &one,
                           .series_count = 1,
                           .format = ""};
        spur__str_init(&pngs[i], 1 << 24);
        assert_int_equal(plot_bars(&chart, &pngs[i], NULL), SPUR_OK);
    }
    bool same =
        pngs[0].length == pngs[1].length && memcmp(pngs[0].data, pngs[1].data, pngs[0].length) == 0;
    assert_false(same);
    for (int i = 0; i < 2; i++) spur__str_free(&pngs[i]);
}

/* Whatever a label is, and wherever the longest that is drawn ends, the chart is drawn. */
static void test_odd_labels(void **state) {
    (void)state;
    enum { SHIFTS = 4, LETTERS = 100 };
    char labels[SHIFTS][SHIFTS + 4 * LETTERS + 1];
    const char *list[SHIFTS + 1] = {"broken \xc3"};
    double values[SHIFTS + 1] = {1, 2, 3, 4, 5};
    for (int i = 0; i < SHIFTS; i++) {
        memset(labels[i], 'x', (size_t)i);
        for (int k = 0; k < LETTERS; k++) memcpy(labels[i] + i + 4 * k, "\xf0\xa0\x80\x80", 5);
        list[i + 1] = labels[i];
    }
    spur__str png;
    spur__str_init(&png, 1 << 24);
    bar_series one = {.values = values};
    bar_chart chart = {
        .title = labels[1], .labels = list, .count = SHIFTS + 1, .series = &one, .series_count = 1};
    assert_int_equal(plot_bars(&chart, &png, NULL), SPUR_OK);
    expect_picture(&png, "odd_labels", 960, 0);
}

static void confusion_of(size_t n, const char *name) {
    uint64_t *counts = calloc(n * n, sizeof *counts);
    const char **labels = malloc(n * sizeof *labels);
    for (size_t i = 0; i < n; i++) {
        labels[i] = names[i % 11];
        for (size_t j = 0; j < n; j++)
            counts[i * n + j] = i == j ? 180 * (i * i * i + 1) : (i * 7 + j * 13) % 23 * (i + 1);
    }
    spur__str png;
    spur__str_init(&png, 1 << 24);
    assert_int_equal(plot_confusion("Confusion matrix, validation", counts, n, labels, &png, NULL),
                     SPUR_OK);
    assert_true(png.length > 1000);
    const unsigned char *bytes = (const unsigned char *)spur__str_text(&png);
    expect_picture(&png, name, big_endian(bytes + 16), 0);
    free(counts);
    free(labels);
}

static void test_confusion(void **state) {
    (void)state;
    confusion_of(2, "confusion2");
    confusion_of(11, "confusion11");
    confusion_of(30, "confusion30");
    confusion_of(100, "confusion100");
}

static void test_curves(void **state) {
    (void)state;
    double x[200], raw[200], smooth[200];
    for (int i = 0; i < 200; i++) {
        x[i] = 1e-5 * pow(1e6, i / 199.0);
        smooth[i] = 2.3 - 1.8 / (1 + exp(-(i - 90) / 12.0)) + 6 * exp((i - 199) / 9.0);
        raw[i] = i == 50 ? NAN : smooth[i] + 0.2 * sin(i * 12.9898) * cos(i * 78.233);
    }
    curve both[] = {{"loss", x, raw, 200, true}, {"smoothed", x, smooth, 200, false}};
    curve_chart chart = {.title = "Learning-rate finder",
                         .subtitle = "200 steps, exponential",
                         .x_title = "learning rate",
                         .y_title = "loss",
                         .curves = both,
                         .count = 2,
                         .log_x = true,
                         .mark = 3e-3,
                         .mark_label = "suggestion 3e-03"};
    spur__str png;
    spur__str_init(&png, 1 << 24);
    assert_int_equal(plot_curves(&chart, &png, NULL), SPUR_OK);
    expect_picture(&png, "curves", 1440, 840);
}

static void scatter_of(size_t count, float worst, const char *name) {
    float *truth = malloc(2 * count * sizeof *truth), *answer = malloc(2 * count * sizeof *answer);
    for (size_t i = 0; i < count; i++) {
        float t = 10 + 30 * (float)((i * 7919) % count) / (float)count;
        truth[2 * i] = t;
        answer[2 * i] = 20 + 0.6f * (t - 10) + 3 * sinf((float)i * 12.9898f);
        truth[2 * i + 1] = answer[2 * i + 1] = NAN; /* the other value is left alone */
    }
    answer[2 * (count / 2)] = worst;
    scatter_chart chart = {.title = "Predicted against true, epoch 3",
                           .subtitle = "R\xc2\xb2 0.931, mean absolute error 1.9, 80 samples",
                           .truth = truth,
                           .predicted = answer,
                           .count = count,
                           .stride = 2};
    spur__str png;
    spur__str_init(&png, 1 << 24);
    assert_int_equal(plot_scatter(&chart, &png, NULL), SPUR_OK);
    expect_picture(&png, name, 996, 1056);
    free(truth);
    free(answer);
}

static void test_scatter(void **state) {
    (void)state;
    scatter_of(80, 1e9f, "scatter80");
    scatter_of(2000, 25, "scatter2000");
    scatter_of(1, 10, "scatter1");
    scatter_of(1, INFINITY, "scatter1_endless");
}

static void test_sheets(void **state) {
    (void)state;
    static uint8_t pictures[6][32 * 32 * 3];
    static int32_t mask[32 * 32];
    static char captions[6][32];
    sheet_picture all[6];
    for (int i = 0; i < 32 * 32; i++)
        mask[i] = (i / 32 / 8 + i % 32 / 8) % 5 == 4 ? 255 : (i / 32 / 8 + i % 32 / 8) % 5;
    for (int k = 0; k < 6; k++) {
        for (int i = 0; i < 32 * 32 * 3; i++) pictures[k][i] = (uint8_t)(i * (k + 1) * 7 / 13);
        if (k == 1) plot_mask(mask, 32 * 32, 255, pictures[k]);
        if (k == 2) plot_overlay(pictures[0], mask, 32 * 32, 0.5, 255, true, pictures[k]);
        snprintf(captions[k], sizeof captions[k], "sample %d: cat", k);
        const char *answer = k % 2 ? captions[k] : NULL;
        all[k] = (sheet_picture){pictures[k], 32, 32, 3, captions[k], answer, k % 3 - 1};
    }
    const char *const columns[] = {"input", "mask", "prediction"};
    contact_sheet sheet = {.title = "Augmented samples",
                           .subtitle = "epoch 1",
                           .pictures = all,
                           .count = 6,
                           .columns = 3,
                           .column_titles = columns};
    spur__str png;
    spur__str_init(&png, 1 << 24);
    assert_int_equal(plot_sheet(&sheet, &png, NULL), SPUR_OK);
    const unsigned char *bytes = (const unsigned char *)spur__str_text(&png);
    unsigned width = big_endian(bytes + 16), height = big_endian(bytes + 20);
    expect_picture(&png, "sheet", width, 0);
    /* a legend that does not fit into one row takes more */
    sheet.classes = names;
    sheet.class_count = 11;
    spur__str_init(&png, 1 << 24);
    assert_int_equal(plot_sheet(&sheet, &png, NULL), SPUR_OK);
    bytes = (const unsigned char *)spur__str_text(&png);
    assert_true(big_endian(bytes + 20) > height + 60);
    expect_picture(&png, "sheet_legend", width, 0);
    assert_memory_equal(pictures[2], pictures[0], 3); /* background stays */
}

/* Of the grids that are about square the one without gaps: nine pictures stand in threes. */
static void test_columns(void **state) {
    (void)state;
    enum { SCALE = 2, MARGINS = 32, CELL = 120, STEP = 128 };
    static const size_t counts[] = {3, 8, 9, 12}, columns[] = {3, 4, 3, 4};
    static const uint8_t pixels[3] = {9, 9, 9};
    sheet_picture all[12];
    for (size_t i = 0; i < 12; i++) all[i] = (sheet_picture){pixels, 1, 1, 3, NULL, NULL, 0};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        contact_sheet sheet = {.title = "Sheet", .pictures = all, .count = counts[i]};
        size_t width = MARGINS + (columns[i] - 1) * STEP + CELL;
        spur__str png;
        spur__str_init(&png, 1 << 24);
        assert_int_equal(plot_sheet(&sheet, &png, NULL), SPUR_OK);
        expect_picture(&png, "sheet_columns", (unsigned)(SCALE * width), 0);
    }
}

/* What is ignored, no class, or background where that is skipped, stays as the picture has it. */
static void test_overlay(void **state) {
    (void)state;
    static const int32_t mask[] = {0, 1, 9, -1};
    static const uint8_t picture[4 * 3] = {1, 2, 3, 10, 20, 30, 4, 5, 6, 7, 8, 9};
    uint8_t out[4 * 3], colours[3], mixed[3];
    class_colour(1, colours);
    for (int k = 0; k < 3; k++) mixed[k] = (uint8_t)lround(0.5 * picture[3 + k] + 0.5 * colours[k]);
    plot_overlay(picture, mask, 4, 0.5, 9, true, out);
    assert_memory_equal(out, picture, 3);
    assert_memory_equal(out + 3, mixed, 3);
    assert_memory_equal(out + 6, picture + 6, 6);
    plot_overlay(picture, mask, 4, 1, 9, false, out);
    class_colour(0, colours);
    assert_memory_equal(out, colours, 3);
    plot_mask(mask, 4, 9, out);
    assert_memory_equal(out, colours, 3);
    assert_memory_equal(out + 6, "\xff\xff\xff\xff\xff\xff", 6);
}

static void test_ticks_are_round(void **state) {
    (void)state;
    axis a;
    axis_init(&a, 0.03, 0.97, false, 5);
    assert_int_equal(a.tick_count, 6);
    assert_true(fabs(a.ticks[1] - 0.2) < 1e-12 && a.low == 0 && fabs(a.high - 1) < 1e-12);
    axis_init(&a, 1e-5, 10, true, 5);
    assert_int_equal(a.tick_count, 7);
    assert_true(fabs(a.ticks[0] / 1e-5 - 1) < 1e-9);
    a.from = 0;
    a.to = 60;
    assert_true(fabs(axis_at(&a, 1e-2) - 30) < 1e-9);
    axis_init(&a, 3e-4, 2e-2, true, 8); /* fewer than three powers of ten */
    assert_int_equal(a.tick_count, 6);
    assert_true(fabs(a.ticks[0] / 5e-4 - 1) < 1e-9 && fabs(a.ticks[5] / 2e-2 - 1) < 1e-9);
    axis_init(&a, 0.61, 0.79, true, 6); /* within a part of one */
    assert_int_equal(a.tick_count, 9);
    assert_true(fabs(a.ticks[0] - 0.62) < 1e-9 && fabs(a.ticks[8] - 0.78) < 1e-9);
    assert_true(a.low < 0.611 && a.high > 0.789);
    axis_init(&a, 5, 5, false, 5); /* a constant still has a range */
    assert_true(a.low < 5 && a.high > 5);
    axis_init(&a, INFINITY, -INFINITY, true, 5);
    assert_true(a.low > 0 && a.high > a.low);
    char label[32];
    axis_label(20000, label, sizeof label);
    assert_string_equal(label, "20k");
    axis_label(0.00001, label, sizeof label);
    assert_string_equal(label, "1e-5");
    axis_label(2.5e-12, label, sizeof label);
    assert_string_equal(label, "2.5e-12");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bars),
        cmocka_unit_test(test_endless_bar),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_overlay),
        cmocka_unit_test(test_odd_labels),
        cmocka_unit_test(test_confusion),
        cmocka_unit_test(test_curves),
        cmocka_unit_test(test_sheets),
        cmocka_unit_test(test_ticks_are_round),
        cmocka_unit_test(test_scatter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
