/* SPDX-License-Identifier: MIT
 *
 * The plotting room: what stands where. Pictures are decoded, and the places of colours compared with
 * the values that were drawn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/codecs/image.h"
#include "plot/axes.h"
#include "plot/charts.h"

enum { TITLE = CANVAS_SCALE * CANVAS_TITLE_HEIGHT };

/* Decodes a picture, [height][width][3], and frees the PNG. */
static spur__image decode(spur__str *png) {
    spur__image image = {0};
    spur_error err = {0};
    if (spur__png_decode((const uint8_t *)png->data, png->length, SPUR__DECODE_PICTURE, false,
                         "png", &image, &err) != SPUR_OK)
        fail_msg("%s", err.message);
    assert_int_equal(image.channels, 3);
    spur__str_free(png);
    return image;
}

static const uint8_t *pixel(const spur__image *image, int x, int y) {
    return image->data + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
}

/* The smallest rectangle with all pixels of a colour; right and bottom are inside it. */
typedef struct area {
    int left, top, right, bottom, count;
} area;

/* A colour from row `from` to row `to`, drawn with some opacity over paper. */
static area find(const spur__image *image, colour c, double opacity, int from, int to) {
    const double rgb[3] = {c.r, c.g, c.b};
    area a = {image->width, image->height, -1, -1, 0};
    for (int y = from; y < to; y++)
        for (int x = 0; x < image->width; x++) {
            const uint8_t *p = pixel(image, x, y);
            bool same = true;
            for (int k = 0; k < 3; k++)
                same = same && fabs(p[k] - 255 * (opacity * rgb[k] + 1 - opacity)) < 1.6;
            if (!same) continue;
            a.left = x < a.left ? x : a.left;
            a.right = x > a.right ? x : a.right;
            a.top = y < a.top ? y : a.top;
            a.bottom = y > a.bottom ? y : a.bottom;
            a.count++;
        }
    return a;
}

/* Text and lines: pixels of a rectangle that are far from paper. */
static int count_dark(const spur__image *image, int left, int top, int right, int bottom) {
    int count = 0;
    for (int y = top; y < bottom && y < image->height; y++)
        for (int x = left < 0 ? 0 : left; x < right && x < image->width; x++)
            count += pixel(image, x, y)[0] < 180;
    return count;
}

/* How far what differs from a colour reaches within a rectangle: along x, or along y. */
static int extent(const spur__image *image, colour c, int left, int top, int right, int bottom,
                  bool vertical) {
    const double rgb[3] = {c.r, c.g, c.b};
    int first = image->width + image->height, last = -1;
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++) {
            const uint8_t *p = pixel(image, x, y);
            int at = vertical ? y : x;
            bool other = false;
            for (int k = 0; k < 3; k++) other = other || fabs(p[k] - 255 * rgb[k]) > 60;
            if (!other) continue;
            first = at < first ? at : first;
            last = at > last ? at : last;
        }
    return last - first + 1;
}

static spur__image confusion(const uint64_t *counts, size_t classes, const char *const *names) {
    spur__str png;
    spur__str_init(&png, 1 << 24);
    assert_int_equal(plot_confusion("Confusion", counts, classes, names, &png, NULL), SPUR_OK);
    return decode(&png);
}

/* Rows are true classes, and a cell has the colour of its share of the row. */
static void test_cells(void **state) {
    static const uint64_t counts[4] = {3, 1, 0, 9};
    static const char *const names[2] = {"cat", "dog"};
    (void)state;
    spur__image image = confusion(counts, 2, names);
    area cells[4];
    const double shares[4] = {0.75, 0.25, 0, 1};
    for (int i = 0; i < 4; i++) {
        cells[i] = find(&image, heat_colour(shares[i]), 1, TITLE, image.height);
        assert_true(cells[i].count > 5000);
        assert_int_equal(cells[i].right - cells[i].left, cells[i].bottom - cells[i].top);
        assert_int_equal(cells[i].left, cells[i % 2].left);
        assert_int_equal(cells[i].top, cells[i - i % 2].top);
        /* the count and the share of the cell in it */
        assert_true(cells[i].count <
                    (cells[i].right - cells[i].left) * (cells[i].bottom - cells[i].top));
    }
    assert_true(cells[1].left > cells[0].right && cells[2].top > cells[0].bottom);
    int left = cells[0].left, bottom = cells[3].bottom;
    for (int i = 0; i < 2; i++) { /* names beside the rows and below the columns */
        const area *row = &cells[2 * i], *column = &cells[i];
        assert_true(count_dark(&image, left - 40, row->top + 30, left, row->bottom - 30) > 20);
        assert_true(count_dark(&image, column->left, bottom + 8, column->right, bottom + 60) > 20);
    }
    /* "predicted" below is longer than "true" beside it, and "100.0%" than "0.0%" */
    int below = extent(&image, paper, left, image.height - 40, cells[3].right, image.height, false);
    int beside = extent(&image, paper, 0, cells[0].top, 50, bottom, true);
    assert_true(beside > 20 && below > beside * 3 / 2);
    int widths[2];
    for (int i = 0; i < 2; i++) {
        const area *a = &cells[2 + i];
        widths[i] = extent(&image, heat_colour(i), a->left + 4, (a->top + a->bottom) / 2 + 4,
                           a->right - 4, a->bottom - 4, false);
    }
    assert_true(widths[0] > 20 && widths[1] > widths[0] * 5 / 4);
    spur__image_free(&image);
}

/* The share of the diagonal stands below the title. */
static void test_share_of_diagonal(void **state) {
    static const uint64_t counts[2][4] = {{5, 0, 0, 5}, {0, 5, 5, 0}};
    static const char *const names[2] = {"cat", "dog"};
    spur__image images[2];
    (void)state;
    for (int i = 0; i < 2; i++) images[i] = confusion(counts[i], 2, names);
    int widths[2]; /* of "100.00 %" and "0.00 %" and the rest of the line */
    for (int i = 0; i < 2; i++)
        widths[i] = extent(&images[i], paper, 0, 66, images[i].width, TITLE - 14, false);
    assert_true(widths[0] > widths[1] + 8);
    for (int i = 0; i < 2; i++) spur__image_free(&images[i]);
}

/* The whole matrix is in the picture, whatever the names; around it there is paper. */
static void test_matrix_is_whole(void **state) {
    static const size_t sizes[] = {2, 11, 30, 60, 61, 100, 210};
    (void)state;
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        size_t n = sizes[k];
        uint64_t *counts = calloc(n * n, sizeof *counts);
        const char **names = malloc(n * sizeof *names);
        for (size_t i = 0; i < n; i++) {
            counts[i * n + i] = 1;
            names[i] = i % 2 ? "WWWWWWWWWW" : "a very long class name indeed, cut";
        }
        spur__image image = confusion(counts, n, names);
        area diagonal = find(&image, heat_colour(1), 1, TITLE, image.height);
        assert_int_equal(diagonal.right - diagonal.left, diagonal.bottom - diagonal.top);
        assert_true(diagonal.right < image.width - 20);
        area paper_found = find(&image, paper, 1, image.height - 1, image.height);
        assert_int_equal(paper_found.count, image.width);
        spur__image_free(&image);
        free(counts);
        free(names);
    }
}

static spur__image curves(const curve_chart *chart) {
    spur__str png;
    spur__str_init(&png, 1 << 24);
    assert_int_equal(plot_curves(chart, &png, NULL), SPUR_OK);
    return decode(&png);
}

/* Lines go from point to point, the larger value higher and further to the right. */
static void test_curve_points(void **state) {
    static const double x[] = {0, 5, 10}, up[] = {0, NAN, 1}, low[] = {0.5, 0.5, 0.25};
    curve both[] = {{"up", x, up, 3, false}, {NULL, x, low, 3, false}};
    curve_chart chart = {.title = "T", .curves = both, .count = 2, .mark = NAN};
    (void)state;
    spur__image image = curves(&chart);
    area first = find(&image, series_colour(0), 1, TITLE, image.height);
    area second = find(&image, series_colour(1), 1, TITLE, image.height);
    assert_int_equal(first.left, second.left);
    assert_int_equal(first.right, second.right);
    int radius = 5, bottom = first.bottom - radius, top = first.top + radius;
    int middle = (first.left + first.right) / 2;
    assert_true(count_dark(&image, first.left, bottom - 2, first.left + 4, bottom + 2) > 0);
    assert_true(count_dark(&image, first.right - 4, top - 2, first.right, top + 2) > 0);
    assert_true(first.count < 200); /* two dots: the point that is no number has broken the line */
    assert_true(abs(second.top + radius - (top + bottom) / 2) <= 2);
    assert_true(abs(second.bottom - radius - (top + 3 * bottom) / 4) <= 2);
    assert_true(memcmp(pixel(&image, middle, (top + bottom) / 2),
                       pixel(&image, middle + 100, (3 * top + 4 * bottom) / 7), 3) != 0);
    /* a legend for what has a name */
    assert_true(find(&image, series_colour(0), 1, 0, TITLE).count > 20);
    assert_int_equal(find(&image, series_colour(1), 1, 0, TITLE).count, 0);
    for (int i = 0; i <= 5; i++) { /* a number below each tick, and no title */
        int at = first.left + radius + i * (first.right - first.left - 2 * radius) / 5;
        assert_true(count_dark(&image, at - 14, bottom + 12, at + 14, bottom + 36) > 8);
    }
    assert_true(count_dark(&image, 60, bottom - 10, first.left, bottom + 10) > 8);
    assert_true(count_dark(&image, 60, top - 10, first.left, top + 10) > 8);
    assert_int_equal(count_dark(&image, 0, bottom + 46, image.width, image.height), 0);
    assert_int_equal(count_dark(&image, 0, top, 50, bottom), 0);
    spur__image_free(&image);
    chart.x_title = "x";
    chart.y_title = "y";
    both[1].name = "low";
    image = curves(&chart);
    assert_true(find(&image, series_colour(1), 1, 0, TITLE).count > 20);
    assert_true(count_dark(&image, middle - 20, bottom + 46, middle + 20, image.height) > 8);
    assert_true(count_dark(&image, 0, (top + bottom) / 2 - 20, 120, (top + bottom) / 2 + 20) > 8);
    spur__image_free(&image);
}

/* What is shown of y may be chosen: a line to 1 of 2 ends half-way up. */
static void test_chosen_range(void **state) {
    static const double x[] = {0, 1}, y[] = {0, 1};
    curve one = {"y", x, y, 2, false};
    curve_chart chart = {
        .title = "T", .curves = &one, .count = 1, .mark = NAN, .y_low = 0, .y_high = 2};
    (void)state;
    spur__image image = curves(&chart);
    area half = find(&image, series_colour(0), 1, TITLE, image.height);
    spur__image_free(&image);
    chart.y_high = 1;
    image = curves(&chart);
    area whole = find(&image, series_colour(0), 1, TITLE, image.height);
    spur__image_free(&image);
    assert_int_equal(half.bottom, whole.bottom);
    int radius = 5;
    assert_true(abs(2 * (half.bottom - half.top - 2 * radius) -
                    (whole.bottom - whole.top - 2 * radius)) <= 4);
}

/* The mark stands at its value; beyond the axis, or without a value, there is none. */
static void test_mark(void **state) {
    static const double x[] = {1, 1000}, y[] = {1, 2};
    curve one = {"y", x, y, 2, false};
    static const double marks[] = {10, 1100, NAN};
    (void)state;
    for (int i = 0; i < 3; i++) {
        curve_chart chart = {
            .title = "T", .curves = &one, .count = 1, .log_x = true, .mark = marks[i]};
        spur__image image = curves(&chart);
        area line = find(&image, series_colour(0), 1, TITLE, image.height);
        area mark = find(&image, series_colour(1), 1, TITLE, image.height);
        assert_int_equal(mark.count > 0, i == 0);
        int left = line.left + 5, right = line.right - 5; /* the centres of the dots */
        if (i == 0) assert_true(abs((mark.left + mark.right) / 2 - (2 * left + right) / 3) <= 2);
        spur__image_free(&image);
    }
}

/* Of numbers of one range true ones go to the right, predicted ones up; too large ones to the edge. */
static void test_scatter_points(void **state) {
    static const float answers[] = {8, 100, -100};
    (void)state;
    for (int i = 0; i < 3; i++) {
        /* two values a sample, of which the first is drawn */
        const float truth[] = {0, 90, 3, 91, 10, 92, NAN, 93};
        const float predicted[] = {0, 70, answers[i], 71, 10, 72, 3, 73};
        scatter_chart chart = {
            .title = "T", .truth = truth, .predicted = predicted, .count = 4, .stride = 2};
        spur__str png;
        spur__str_init(&png, 1 << 24);
        assert_int_equal(plot_scatter(&chart, &png, NULL), SPUR_OK);
        spur__image image = decode(&png);
        int top = TITLE + 40, side = 800, left = 148; /* of the frame */
        area odd = find(&image, series_colour(1), 0.6, top - 6, image.height);
        area good = find(&image, series_colour(0), 0.6, top - 6, image.height);
        assert_true(good.count > 40);
        assert_int_equal(odd.count > 10, i > 0);
        area note = find(&image, series_colour(1), 1, TITLE, top - 6);
        assert_int_equal(note.count > 20, i > 0);
        int x = left + 3 * side / 10, y = top + (i == 0 ? side / 5 : i == 1 ? 0 : side);
        const uint8_t *p = pixel(&image, x + 2, y);
        assert_true(i == 0 ? p[2] > p[0] + 40 : p[0] > p[2] + 40); /* blue; orange */
        assert_true(count_dark(&image, left + side / 2 - 60, image.height - 60,
                               left + side / 2 + 60, image.height) > 20); /* "true" */
        assert_true(count_dark(&image, 0, top + side / 2 - 60, 100, top + side / 2 + 60) > 20);
        spur__image_free(&image);
    }
}

/* The largest value of any series gives the scale, and every group has its own label. */
static void test_scale_of_bars(void **state) {
    static const double small[] = {1, 2}, large[] = {10, 20};
    static const char *const names[] = {"i", "a longer name"};
    const bar_series series[] = {{"one", small}, {"two", large}};
    char title[400];
    const bar_chart chart = {
        .title = title, .labels = names, .count = 2, .series = series, .series_count = 2};
    spur__str png;
    memset(title, 'w', sizeof title - 1);
    title[sizeof title - 1] = '\0';
    (void)state;
    spur__str_init(&png, 1 << 24);
    assert_int_equal(plot_bars(&chart, &png, NULL), SPUR_OK);
    spur__image image = decode(&png);
    assert_true(count_dark(&image, 0, 0, image.width - 24, TITLE) > 1000); /* the title is cut */
    assert_int_equal(count_dark(&image, image.width - 24, 0, image.width, TITLE), 0);
    area one = find(&image, series_colour(0), 1, TITLE + 44, image.height);
    area two = find(&image, series_colour(1), 1, TITLE + 44, image.height);
    assert_int_equal(one.left, two.left);
    assert_true(abs(10 * (one.right - one.left + 1) - (two.right - two.left + 1)) <= 12);
    assert_true(two.right < image.width - 100); /* there is room for its number */
    int middle = (one.top + two.bottom) / 2;
    int first = extent(&image, paper, 0, one.top, one.left - 8, middle - 8, false);
    int second = extent(&image, paper, 0, middle + 8, one.left - 8, two.bottom, false);
    assert_true(first > 0 && second > 5 * first);
    spur__image_free(&image);
}

/* Bars are as long as their values; what is not shown is said. */
static void test_lengths_of_bars(void **state) {
    static double values[50] = {40, 10, -3};
    static const char *names[50];
    (void)state;
    for (int i = 0; i < 50; i++) names[i] = "name";
    bar_series series[] = {{"one", values}, {"two", values + 1}};
    for (int i = 1; i <= 2; i++) {
        bar_chart chart = {.title = "T",
                           .labels = names,
                           .count = i == 1 ? 3 : 50,
                           .series = series,
                           .series_count = (size_t)i};
        spur__str png;
        spur__str_init(&png, 1 << 24);
        assert_int_equal(plot_bars(&chart, &png, NULL), SPUR_OK);
        spur__image image = decode(&png);
        int top = TITLE + (i == 1 ? 0 : 44);
        area longest = find(&image, series_colour(0), 1, top, image.height);
        int middle = longest.top + (i == 1 ? 17 : 12), group = i == 1 ? 50 : 68;
        area first = find(&image, series_colour(0), 1, middle, middle + 1);
        area second = find(&image, series_colour(0), 1, middle + group, middle + group + 1);
        area third = find(&image, series_colour(0), 1, middle + 2 * group, middle + 2 * group + 1);
        assert_true(abs(first.count - 4 * second.count) <= 6);
        assert_in_range(third.count, 1, 4);
        assert_int_equal(first.left, second.left);
        assert_true(count_dark(&image, first.right + 8, middle - 12, first.right + 60,
                               middle + 12) > 8); /* the number */
        assert_true(count_dark(&image, 0, middle, first.left - 10, middle + group) > 8);
        area legend = find(&image, series_colour(1), 1, TITLE, top);
        assert_int_equal(legend.count > 200, i == 2);
        bool note =
            count_dark(&image, first.left, image.height - 44, image.width, image.height) > 40;
        assert_int_equal(note, i == 2);
        spur__image_free(&image);
    }
}

/* Pixels whose strongest value is red (0) or green (1) by far. */
static int count_tint(const spur__image *image, int k, int left, int top, int right, int bottom) {
    int count = 0;
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++) {
            const uint8_t *p = pixel(image, x, y);
            count += p[k] > p[1 - k] + 40 && p[k] > p[2] + 10;
        }
    return count;
}

/* Pictures stand row by row in their colours, with what is written below, and the classes above. */
static void test_places_of_pictures(void **state) {
    enum { COLUMNS = 2, COUNT = 5, CELL = 200 };
    static const uint8_t pixels[COUNT][4] = {{200, 20, 90, 255},
                                             {20, 90, 200, 255},
                                             {77, 77, 77, 255},
                                             {90, 200, 20, 255},
                                             {1, 2, 3, 255}};
    static const size_t channels[COUNT] = {3, 4, 1, 3, 3};
    static const char *const titles[] = {"first", "second"}, *const classes[] = {"sky", "road"};
    sheet_picture all[COUNT];
    spur__str png;
    area found[COUNT];
    (void)state;
    for (int i = 0; i < COUNT; i++)
        all[i] = (sheet_picture){
            pixels[i], 1, 1, channels[i], "caption", "answer", i == 0 ? 1 : i == 1 ? -1 : 0};
    all[4].answer = all[4].caption = NULL;
    const contact_sheet sheet = {.title = "T",
                                 .pictures = all,
                                 .count = COUNT,
                                 .columns = COLUMNS,
                                 .cell = CELL / CANVAS_SCALE,
                                 .column_titles = titles,
                                 .classes = classes,
                                 .class_count = 2};
    spur__str_init(&png, 1 << 24);
    assert_int_equal(plot_sheet(&sheet, &png, NULL), SPUR_OK);
    spur__image image = decode(&png);
    for (int i = 0; i < COUNT; i++) {
        const uint8_t *p = pixels[i];
        bool grey = channels[i] == 1;
        colour c = {p[0] / 255.0, (grey ? p[0] : p[1]) / 255.0, (grey ? p[0] : p[2]) / 255.0};
        found[i] = find(&image, c, 1, TITLE, image.height);
        assert_true(abs(found[i].right - found[i].left + 1 - CELL) <= 2);
        assert_true(abs(found[i].bottom - found[i].top + 1 - CELL) <= 2);
        assert_int_equal(found[i].left, found[i % COLUMNS].left);
        assert_int_equal(found[i].top, found[i - i % COLUMNS].top);
        const area *a = &found[i];
        int below = a->bottom + 4,
            written = count_dark(&image, a->left, below, a->right, below + 36);
        assert_int_equal(written > 40, i < 4);
        int good = count_tint(&image, 1, a->left, below, a->right,
                              below + 70 < image.height ? below + 70 : image.height);
        int wrong = count_tint(&image, 0, a->left, below, a->right,
                               below + 70 < image.height ? below + 70 : image.height);
        assert_int_equal(good > 20, i == 0);
        assert_int_equal(wrong > 20, i == 1);
    }
    assert_true(found[1].left > found[0].right && found[2].top > found[0].bottom);
    for (int i = 0; i < COLUMNS; i++) {
        uint8_t rgb[3];
        class_colour((size_t)i, rgb);
        colour c = {rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0};
        area square = find(&image, c, 1, TITLE, found[0].top);
        assert_true(square.count > 300);
        assert_true(count_dark(&image, square.left + 30, square.top, square.left + 90,
                               square.bottom) > 20); /* its name */
        assert_true(count_dark(&image, found[i].left, found[i].top - 36, found[i].right,
                               found[i].top - 4) > 20);
    }
    spur__image_free(&image);
}

/* Numbers of neighbouring ticks differ, also far from 0, and 0 is 0. */
static void test_labels_differ(void **state) {
    static const double ranges[][2] = {{0, 1},          {1990, 2020},   {1234.5, 1235.2},
                                       {99.98, 100.05}, {20000, 20010}, {-0.0003, 0.0003},
                                       {-0.3, 0.31},    {2.5e6, 2.51e6}};
    (void)state;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        axis a;
        char last[32] = "", label[32];
        axis_init(&a, ranges[i][0], ranges[i][1], false, 6);
        assert_in_range(a.tick_count, 4, 11);
        bool zero = false;
        for (int k = 0; k < a.tick_count; k++) {
            axis_label(a.ticks[k], label, sizeof label);
            assert_string_not_equal(label, last);
            zero = zero || strcmp(label, "0") == 0;
            memcpy(last, label, sizeof last);
        }
        assert_int_equal(zero, ranges[i][0] <= 0);
    }
    axis a;
    axis_init(&a, 0, 10, true, 6); /* 0 has no logarithm */
    assert_true(a.low > 0 && a.tick_count > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),          cmocka_unit_test(test_share_of_diagonal),
        cmocka_unit_test(test_scale_of_bars),  cmocka_unit_test(test_places_of_pictures),
        cmocka_unit_test(test_chosen_range),   cmocka_unit_test(test_matrix_is_whole),
        cmocka_unit_test(test_curve_points),   cmocka_unit_test(test_mark),
        cmocka_unit_test(test_scatter_points), cmocka_unit_test(test_lengths_of_bars),
        cmocka_unit_test(test_labels_differ),
    };
    return cmocka_run_group_tests_name("plot_marks", tests, NULL, NULL);
}
