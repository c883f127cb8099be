/* SPDX-License-Identifier: MIT
 *
 * data: what is drawn at random stays within what the options say, and where nothing is left to
 * chance the outcome is known: places of holes and boxes, angles, shifts, shares of splits.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/pipeline.h"
#include "data/sampler.h"
#include "data/transforms/mix.h"
#include "data/transforms/transforms.h"

#include "files.h"

/* A black canvas, whose uncovered places become 1, and a generator. */
typedef struct fixture {
    spur__pixels pixels, spare;
    spur__canvas canvas;
    spur__rng rng;
} fixture;

static void setup(fixture *f, int height, int width, int draw) {
    *f = (fixture){.canvas = {.fill = 1}};
    f->canvas.pixels = &f->pixels;
    f->canvas.spare = &f->spare;
    f->canvas.rng = &f->rng;
    assert_int_equal(spur__pixels_shape(&f->pixels, height, width, 1, NULL), SPUR_OK);
    memset(f->pixels.data, 0, (size_t)(height * width) * sizeof(float));
    spur__rng_init(&f->rng, 11, SPUR__STREAM_TEST, 0, (uint64_t)draw);
}

static void teardown(fixture *f) {
    spur__pixels_free(&f->pixels);
    spur__pixels_free(&f->spare);
}

static spur__augment options(const char *name, const char *value) {
    spur__augment augment;
    assert_int_equal(spur__options_init(&spur__augment_options, &augment, NULL), SPUR_OK);
    assert_int_equal(spur__options_set(&spur__augment_options, &augment, name, value, NULL),
                     SPUR_OK);
    return augment;
}

/* Squares stand around their centres, which may be anywhere: what is cut out has its own in the middle. */
static void test_cutout_is_centred(void **state) {
    enum { S = 32, DRAWS = 400 };
    const spur__augment augment = options("cutout", "8");
    double y = 0, x = 0, erased = 0;
    (void)state;
    for (int draw = 0; draw < DRAWS; draw++) {
        fixture f;
        setup(&f, S, S, draw);
        for (int i = 0; i < S * S; i++) f.pixels.data[i] = 1;
        assert_int_equal(spur__cutout_apply(&augment, &f.canvas, NULL), SPUR_OK);
        for (int i = 0; i < S * S; i++) {
            if (f.pixels.data[i] > 0) continue;
            y += i / S;
            x += i % S;
            erased++;
        }
        teardown(&f);
    }
    assert_true(erased / DRAWS > 40 && erased / DRAWS <= 64); /* some hang over the edge */
    assert_true(fabs(y / erased - 15.5) < 1.5 && fabs(x / erased - 15.5) < 1.5);
}

/* Height over width, a share of the area, anywhere up to the edges. */
static void test_erasing(void **state) {
    enum { S = 50, DRAWS = 800 };
    spur__augment augment = options("erasing", "1");
    bool edge[4] = {false};
    (void)state;
    assert_int_equal(
        spur__options_set(&spur__augment_options, &augment, "erasing_scale", "0.04, 0.04", NULL),
        SPUR_OK);
    assert_int_equal(
        spur__options_set(&spur__augment_options, &augment, "erasing_ratio", "4, 4", NULL),
        SPUR_OK);
    for (int draw = 0; draw < DRAWS; draw++) {
        fixture f;
        int top = S, bottom = 0, left = S, right = 0, count = 0;
        setup(&f, S, S, draw);
        for (int i = 0; i < S * S; i++) f.pixels.data[i] = 1;
        assert_int_equal(spur__erasing_apply(&augment, &f.canvas, NULL), SPUR_OK);
        for (int i = 0; i < S * S; i++) {
            if (f.pixels.data[i] > 0) continue;
            top = i / S < top ? i / S : top;
            bottom = i / S >= bottom ? i / S + 1 : bottom;
            left = i % S < left ? i % S : left;
            right = i % S >= right ? i % S + 1 : right;
            count++;
        }
        assert_int_equal(bottom - top, 20); /* of 100 pixels */
        assert_int_equal(right - left, 5);
        assert_int_equal(count, 100);
        edge[0] |= top == 0, edge[1] |= bottom == S, edge[2] |= left == 0, edge[3] |= right == S;
        teardown(&f);
    }
    for (int side = 0; side < 4; side++) assert_true(edge[side]);
}

/* The logarithm of the ratio is uniform: as many high as wide ones. */
static void test_shapes_of_erasing(void **state) {
    enum { S = 64, DRAWS = 400 };
    spur__augment augment = options("erasing", "1");
    int high = 0, wide = 0;
    (void)state;
    for (int draw = 0; draw < DRAWS; draw++) {
        fixture f;
        int rows = 0, columns = 0;
        setup(&f, S, S, draw);
        for (int i = 0; i < S * S; i++) f.pixels.data[i] = 1;
        assert_int_equal(spur__erasing_apply(&augment, &f.canvas, NULL), SPUR_OK);
        for (int k = 0; k < S; k++) {
            bool row = false, column = false;
            for (int i = 0; i < S; i++) {
                row |= f.pixels.data[k * S + i] == 0;
                column |= f.pixels.data[i * S + k] == 0;
            }
            rows += row;
            columns += column;
        }
        high += rows > columns;
        wide += columns > rows;
        teardown(&f);
    }
    assert_in_range(high, 150, 230);
    assert_in_range(wide, 150, 230);
}

/* Factors are never negative: a picture may become dark, but not wholly black. */
static void test_brightness_above_one(void **state) {
    enum { S = 4 };
    const spur__augment augment = options("color_jitter", "3");
    (void)state;
    for (int draw = 0; draw < 100; draw++) {
        fixture f;
        setup(&f, S, S, draw);
        for (int i = 0; i < S * S; i++) f.pixels.data[i] = 0.5f;
        assert_int_equal(spur__color_jitter_apply(&augment, &f.canvas, NULL), SPUR_OK);
        assert_true(f.pixels.data[0] > 0);
        teardown(&f);
    }
}

/* Of grey or colour with alpha behind it. */
static void test_alpha_is_no_colour(void **state) {
    (void)state;
    for (int channels = 2; channels <= 4; channels++) {
        spur__pixels pixels = {0};
        assert_int_equal(spur__pixels_shape(&pixels, 1, 1, channels, NULL), SPUR_OK);
        for (int c = 0; c < channels; c++) pixels.data[c] = 0.5f;
        spur__adjust_brightness(&pixels, 0.5f);
        for (int c = 0; c < channels; c++) {
            bool alpha = channels != 3 && c == channels - 1;
            assert_true(pixels.data[c] == (alpha ? 0.5f : 0.25f));
        }
        spur__adjust_contrast(&pixels, 0);
        assert_true(fabsf(pixels.data[channels - 1] - (channels == 3 ? 0.25f : 0.5f)) < 1e-4f);
        spur__pixels_free(&pixels);
    }
}

static int count_filled(const spur__canvas *canvas) {
    int count = 0;
    for (int i = 0; i < canvas->pixels->height * canvas->pixels->width; i++)
        count += canvas->pixels->data[i] > 0.5f;
    return count;
}

/* Shares of width and height: of a flat picture at most half the rows, or columns, are uncovered. */
static void test_translation_is_a_share(void **state) {
    enum { H = 8, W = 32 };
    int most[2] = {0, 0};
    (void)state;
    for (int draw = 0; draw < 200; draw++)
        for (int k = 0; k < 2; k++) {
            const spur__augment augment = options("affine_translate", k ? "0, 0.5" : "0.5, 0");
            fixture f;
            setup(&f, H, W, draw);
            assert_int_equal(spur__affine_apply(&augment, &f.canvas, NULL), SPUR_OK);
            int filled = count_filled(&f.canvas);
            if (filled > most[k]) most[k] = filled;
            teardown(&f);
        }
    assert_int_equal(most[0], H * W / 2);
    assert_int_equal(most[1], H * W / 2);
}

/* A range of one angle: counter-clockwise, the right column becomes the upper row. */
static void test_rotation_by_a_range(void **state) {
    enum { S = 7 };
    const spur__augment augment = options("rotation", "90, 90");
    (void)state;
    for (int draw = 0; draw < 5; draw++) {
        fixture f;
        setup(&f, S, S, draw);
        for (int i = 0; i < S * S; i++) f.pixels.data[i] = (float)i / (S * S);
        assert_int_equal(spur__rotation_apply(&augment, &f.canvas, NULL), SPUR_OK);
        for (int i = 0; i < S * S; i++) {
            float expected = (float)(i % S * S + S - 1 - i / S) / (S * S);
            assert_true(fabsf(f.canvas.pixels->data[i] - expected) < 1e-4f);
        }
        teardown(&f);
    }
}

/* With one number they go both ways. */
static void test_rotation_by_a_number(void **state) {
    enum { S = 9 };
    const spur__augment augment = options("rotation", "30");
    int left = 0;
    (void)state;
    for (int draw = 0; draw < 200; draw++) {
        fixture f;
        setup(&f, S, S, draw);
        f.pixels.data[S - 1 + S / 2 * S] = 1; /* in the middle of the right edge */
        f.canvas.fill = 0;
        assert_int_equal(spur__rotation_apply(&augment, &f.canvas, NULL), SPUR_OK);
        double above = 0;
        for (int i = 0; i < S * S; i++) above += (double)f.canvas.pixels->data[i] * (S / 2 - i / S);
        left += above > 0;
        teardown(&f);
    }
    assert_in_range(left, 70, 130);
}

/* Where no part of such a shape fits, the largest one in the middle that does is taken. */
static void test_resized_crop_falls_back(void **state) {
    spur__augment augment = options("resized_crop", "1, 1");
    spur__rng rng;
    (void)state;
    spur__rng_init(&rng, 1, SPUR__STREAM_TEST, 0, 0);
    spur__box box = spur__augment_box(&augment, 12, 60, &rng);
    assert_int_equal(box.height, 12);
    assert_int_equal(box.width, 16); /* 12 * 4 / 3 */
    assert_int_equal(box.left, 22);
    box = spur__augment_box(&augment, 60, 12, &rng);
    assert_int_equal(box.width, 12);
    assert_int_equal(box.height, 16); /* 12 / 0.75 */
    assert_int_equal(box.top, 22);
}

/* The share of the pasted box is what lambda leaves: about a half for a large alpha. */
static void test_cutmix_share(void **state) {
    enum { H = 32, W = 128, DRAWS = 200 };
    static float input[2 * H * W], last[H * W];
    spur__augment augment = options("cutmix", "100");
    float targets[4], most = 0;
    const int32_t labels[2] = {0, 1};
    (void)state;
    for (int draw = 0; draw < DRAWS; draw++) {
        spur__mix mix = {input, targets, labels, last, 2, 2, H, W, 1};
        spur__rng rng;
        spur__rng_init(&rng, 3, SPUR__STREAM_TEST, 0, (uint64_t)draw);
        for (int i = 0; i < 2 * H * W; i++) input[i] = (float)(i / (H * W));
        spur__mix_apply(&augment, &mix, &rng);
        float pasted = 0;
        for (int i = 0; i < H * W; i++) pasted += input[i];
        assert_true(fabsf(targets[1] - pasted / (H * W)) < 1e-6f);
        if (targets[1] > most) most = targets[1];
    }
    assert_true(most > 0.47f && most < 0.65f);
}

/* Rows of `count` labels each, one after the other. */
static void write_labels(const char *name, int first, int second, int third) {
    char text[4096] = "";
    const int counts[3] = {first, second, third};
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < counts[k]; i++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%d,%c\n", i, 'a' + k);
    write_text(name, text);
}

static void count_labels(const spur_data *data, spur_split split, int counts[3]) {
    memset(counts, 0, 3 * sizeof *counts);
    for (size_t i = 0; i < data->info.samples[split]; i++)
        counts[data->items[spur__data_item(data, split, i)].label]++;
}

/* A quarter of each class, rounded; at least one of it, and never all. */
static void test_validation_share(void **state) {
    int counts[3];
    (void)state;
    write_labels("t.csv", 10, 7, 2);
    spur_data *data = open_data("csv", OPTIONS("path", in_root("t.csv"), "val_split", "0.25"));
    count_labels(data, SPUR_SPLIT_VALIDATION, counts);
    assert_int_equal(counts[0], 3);
    assert_int_equal(counts[1], 2);
    assert_int_equal(counts[2], 1);
    spur_data_close(data);
    write_labels("t.csv", 10, 2, 1);
    data = open_data("csv", OPTIONS("path", in_root("t.csv"), "val_split", "0.1"));
    count_labels(data, SPUR_SPLIT_VALIDATION, counts);
    assert_int_equal(counts[0], 1);
    assert_int_equal(counts[1], 1);
    assert_int_equal(counts[2], 0);
    spur_data_close(data);
    data = open_data("csv", OPTIONS("path", in_root("t.csv"), "val_split", "0.9"));
    count_labels(data, SPUR_SPLIT_VALIDATION, counts);
    assert_int_equal(counts[0], 9);
    assert_int_equal(counts[1], 1);
    assert_int_equal(counts[2], 0);
    spur_data_close(data);
}

enum { PER_CLASS = 20, ROWS = 3 * PER_CLASS };

/* Where each of the rows of three classes goes: its split, or 9 when it is dropped. */
static void places_of(const char *seed, const char *val_split, const char *imbalance,
                      uint8_t places[ROWS]) {
    spur_data *data = open_data("csv", OPTIONS("path", in_root("t.csv"), "val_split", val_split,
                                               "seed", seed, "imbalance", imbalance));
    assert_int_equal(data->item_count, ROWS);
    for (int i = 0; i < ROWS; i++) places[i] = data->items[i].dropped ? 9 : data->items[i].split;
    spur_data_close(data);
}

/* The seed of the data chooses, in each class by itself; it is not simply the first or last rows. */
static void test_seed_of_splits(void **state) {
    uint8_t first[ROWS], again[ROWS], other[ROWS], thinned[ROWS], alone[ROWS], alone_other[ROWS];
    (void)state;
    write_labels("t.csv", PER_CLASS, PER_CLASS, PER_CLASS);
    places_of("1", "0.25", "none", first);
    places_of("1", "0.25", "none", again);
    places_of("2", "0.25", "none", other);
    places_of("1", "0.25", "step:0.4", thinned);
    places_of("1", "0", "step:0.4", alone);
    places_of("2", "0", "step:0.4", alone_other);
    assert_memory_equal(first, again, ROWS);
    assert_memory_not_equal(first, other, ROWS);
    assert_memory_not_equal(first, first + PER_CLASS, PER_CLASS);
    for (int k = 0; k < 3; k++) {
        int moved = 0, turns = 0;
        for (int i = k * PER_CLASS; i < (k + 1) * PER_CLASS; i++) {
            moved += first[i] == SPUR_SPLIT_VALIDATION;
            turns += i % PER_CLASS > 0 && first[i] != first[i - 1];
        }
        assert_int_equal(moved, PER_CLASS / 4);
        assert_true(turns > 1);
    }
    /* The last class is thinned, out of what is left for training; validation stays what it is. */
    int dropped[2] = {0, 0}, turns = 0;
    for (int i = 0; i < ROWS; i++) {
        assert_int_equal(thinned[i] == SPUR_SPLIT_VALIDATION, first[i] == SPUR_SPLIT_VALIDATION);
        dropped[0] += thinned[i] == 9;
        dropped[1] += alone[i] == 9;
        turns += i > 0 && alone[i] != alone[i - 1];
    }
    assert_int_equal(dropped[0], 9); /* 15 less 0.4 of 15 */
    assert_int_equal(dropped[1], 12);
    assert_true(turns > 2);
    assert_memory_not_equal(alone, alone_other, ROWS);
}

/* Of three classes the first two stay whole. */
static void test_step_of_classes(void **state) {
    int counts[3];
    (void)state;
    write_labels("t.csv", 20, 20, 20);
    spur_data *data = open_data(
        "csv", OPTIONS("path", in_root("t.csv"), "val_split", "0", "imbalance", "step:0.1"));
    count_labels(data, SPUR_SPLIT_TRAIN, counts);
    assert_int_equal(counts[0], 20);
    assert_int_equal(counts[1], 20);
    assert_int_equal(counts[2], 2);
    spur_data_close(data);
    write_labels("t.csv", 10, 40, 30); /* shares are of the largest class */
    data = open_data("csv",
                     OPTIONS("path", in_root("t.csv"), "val_split", "0", "imbalance", "step:0.5"));
    count_labels(data, SPUR_SPLIT_TRAIN, counts);
    assert_int_equal(counts[0], 10);
    assert_int_equal(counts[1], 40);
    assert_int_equal(counts[2], 20);
    spur_data_close(data);
}

/* A limit takes every so manieth sample, to the end of the split. */
static void test_limit_is_spread(void **state) {
    static const uint32_t expected[4] = {0, 5, 10, 15};
    spur__sampler *sampler;
    uint32_t order[4];
    (void)state;
    write_labels("t.csv", 7, 7, 6);
    spur_data *data = open_data("csv", OPTIONS("path", in_root("t.csv"), "val_split", "0"));
    assert_int_equal(
        spur__sampler_create(&sampler, "sequential", data, SPUR_SPLIT_TRAIN, 4, 1, NULL), SPUR_OK);
    spur__sampler_order(sampler, 0, order);
    assert_memory_equal(order, expected, sizeof expected);
    spur__sampler_destroy(sampler);
    spur_data_close(data);
}

/* The weighted sampler draws from a limit's samples, each with the weight of its own class. */
static void test_weights_of_a_limit(void **state) {
    enum { LIMIT = 6, EPOCHS = 500 };
    spur__sampler *sampler;
    uint32_t order[LIMIT];
    int drawn[3] = {0};
    (void)state;
    write_labels("t.csv", 40, 10, 10);
    spur_data *data = open_data("csv", OPTIONS("path", in_root("t.csv"), "val_split", "0"));
    assert_int_equal(
        spur__sampler_create(&sampler, "weighted", data, SPUR_SPLIT_VALIDATION, 0, 1, NULL),
        SPUR_OK); /* of nothing */
    spur__sampler_destroy(sampler);
    assert_int_equal(
        spur__sampler_create(&sampler, "weighted", data, SPUR_SPLIT_TRAIN, LIMIT, 1, NULL),
        SPUR_OK);
    for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
        spur__sampler_order(sampler, epoch, order);
        for (int i = 0; i < LIMIT; i++) {
            assert_int_equal(order[i] % 10, 0);
            drawn[data->items[spur__data_item(data, SPUR_SPLIT_TRAIN, order[i])].label]++;
        }
    }
    for (int k = 0; k < 3; k++) /* four of the 40, one of each ten: a third each */
        assert_in_range(drawn[k], LIMIT * EPOCHS / 3 - 130, LIMIT * EPOCHS / 3 + 130);
    spur__sampler_destroy(sampler);
    spur_data_close(data);
    spur_error err = {0};
    data = open_data("csv", OPTIONS("path", in_root("t.csv"), "val_split", "0.5"));
    assert_int_equal(
        spur__sampler_create(&sampler, "weighted", data, SPUR_SPLIT_VALIDATION, 0, 1, &err),
        SPUR_E_ARGUMENT);
    assert_non_null(strstr(err.message, "for training only"));
    spur_data_close(data);
}

/* Uncovered places of a mask do not count. */
static void test_uncovered_mask_is_ignored(void **state) {
    enum { S = 16 };
    uint8_t mask[S * S];
    spur__workspace w = {0};
    spur__augment augment = options("random_crop", "6");
    int ignored = 0;
    (void)state;
    for (int i = 0; i < S * S; i++) mask[i] = (uint8_t)(i % 2);
    write_png("s/images/a.png", S, S, 1, 9);
    write_mask("s/masks/a.png", S, S, mask);
    spur_data *data =
        open_data("segmentation", OPTIONS("path", in_root("s"), "val_split", "0", "classes", "2",
                                          "ignore_index", "7", "normalization", "none"));
    for (uint32_t epoch = 0; epoch < 20; epoch++) {
        spur__rng rng;
        spur__rng_init(&rng, 3, SPUR__STREAM_AUGMENT, epoch, 0);
        assert_int_equal(spur__sample_load(data, 0, &augment, &rng, &w, NULL), SPUR_OK);
        for (int i = 0; i < S * S; i++) {
            bool uncovered = w.pixels.data[i] == 0; /* the picture has no black */
            assert_true(uncovered == (w.mask.data[i] == 7));
            ignored += uncovered;
        }
    }
    assert_true(ignored > 100);
    spur__workspace_free(&w);
    spur_data_close(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cutout_is_centred),
        cmocka_unit_test(test_erasing),
        cmocka_unit_test(test_shapes_of_erasing),
        cmocka_unit_test(test_brightness_above_one),
        cmocka_unit_test(test_alpha_is_no_colour),
        cmocka_unit_test(test_translation_is_a_share),
        cmocka_unit_test(test_rotation_by_a_range),
        cmocka_unit_test(test_rotation_by_a_number),
        cmocka_unit_test(test_resized_crop_falls_back),
        cmocka_unit_test(test_cutmix_share),
        cmocka_unit_test_setup_teardown(test_validation_share, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_seed_of_splits, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_step_of_classes, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_limit_is_spread, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_weights_of_a_limit, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_uncovered_mask_is_ignored, make_root, remove_root),
    };
    return cmocka_run_group_tests_name("draws", tests, NULL, NULL);
}
