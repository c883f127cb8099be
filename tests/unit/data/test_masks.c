/* SPDX-License-Identifier: MIT
 *
 * data: segmentation - pairs, every form of masks, the traps that the audit finds, tiles.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/dataset.h"
#include "data/tiles.h"

#include "files.h"

enum { H = 4, W = 6 };

/* A picture and a mask; the mask repeats `values` (n of them). */
static void make_pair(const char *stem, const uint8_t *values, int n) {
    uint8_t mask[H * W];
    char name[64];
    for (int i = 0; i < H * W; i++) mask[i] = values[i % n];
    snprintf(name, sizeof name, "s/images/%s.jpg", stem);
    write_jpeg(name, H, W, 3, 100);
    snprintf(name, sizeof name, "s/masks/%s.png", stem);
    write_mask(name, H, W, mask);
}

#define PAIR(stem, ...)                                                                            \
    make_pair(stem, (const uint8_t[]){__VA_ARGS__}, (int)sizeof((const uint8_t[]){__VA_ARGS__}))

/* Data of root/s with further options. */
#define SEGMENTATION(...) OPTIONS("path", in_root("s"), "val_split", "0", __VA_ARGS__)

static void test_index(void **state) {
    (void)state;
    spur__sample sample = {0};
    PAIR("a", 0, 1, 2, 3);
    PAIR("b", 0, 0, 0, 2);
    spur_data *data =
        open_data("segmentation", SEGMENTATION("class_names", "sky, road, car, tree"));
    const spur_data_info *info = spur_data_describe(data);
    assert_int_equal(info->task, SPUR_SEGMENTATION);
    assert_int_equal(info->classes, 4);
    assert_string_equal(info->class_names[3], "tree");
    assert_int_equal(info->class_counts[0], 6 + 18);
    assert_int_equal(info->class_counts[2], 6 + 6);
    assert_int_equal(info->ignore_index, -1);
    assert_int_equal(spur__data_read(data, 0, &sample, NULL), SPUR_OK);
    for (int i = 0; i < H * W; i++) assert_int_equal(sample.mask.data[i], i % 4);
    /* Weight of a picture: mean over its classes of 1 / share (of 48 pixels). */
    double a = (48.0 / 24 + 48.0 / 6 + 48.0 / 12 + 48.0 / 6) / 4, b = (48.0 / 24 + 48.0 / 12) / 2;
    assert_true(fabs(data->statistics.item_weights[0] - a) < 1e-12);
    assert_true(fabs(data->statistics.item_weights[1] - b) < 1e-12);
    spur__sample_free(&sample);
    spur_data_close(data);
    refuse_data("segmentation", SEGMENTATION("class_names", "sky, road"), SPUR_E_RANGE,
                "2 names, expected 4, one for each class (data.classes)");
}

/* Cuts off the end of the only file with remembered statistics. */
static void cut_remembered(void) {
    char command[400];
    snprintf(command, sizeof command, "truncate -s -100 '%s'/spur/data-*.txt", root);
    assert_int_equal(system(command), 0);
}

/* A damaged file of remembered statistics is no help, and no harm. */
static void test_damaged_memory(void **state) {
    (void)state;
    for (int i = 0; i < 40; i++) {
        char stem[8];
        snprintf(stem, sizeof stem, "p%d", i);
        PAIR(stem, 0, 1, 1);
    }
    for (int turn = 0; turn < 3; turn++) {
        spur_data *data = open_data("segmentation", SEGMENTATION("masks", "index"));
        assert_int_equal(data->info.class_counts[0], 40 * 8);
        assert_int_equal(data->info.class_counts[1], 40 * 16);
        spur_data_close(data);
        if (turn == 0) cut_remembered();
    }
}

static void test_ignored(void **state) {
    (void)state;
    PAIR("a", 0, 1, 2, 11);
    spur_data *data = open_data("segmentation", SEGMENTATION("ignore_index", "11"));
    assert_int_equal(data->info.classes, 3);
    assert_int_equal(data->info.ignore_index, 11);
    assert_int_equal(data->info.class_counts[2], 6);
    spur_data_close(data);
    /* In the weights of pictures they are neither a class nor in the sum of pixels. */
    PAIR("b", 0, 11, 11, 11);
    data = open_data("segmentation", SEGMENTATION("ignore_index", "11"));
    assert_true(fabs(data->statistics.item_weights[0] - (24.0 / 12 + 2 * 24.0 / 6) / 3) < 1e-12);
    assert_true(fabs(data->statistics.item_weights[1] - 24.0 / 12) < 1e-12);
    spur_data_close(data);
    assert_int_equal(unlink(in_root("s/images/b.jpg")), 0);
    /* The same with another class as the one of interest: ignored pixels get a label of their own. */
    data = open_data("segmentation", SEGMENTATION("ignore_index", "11", "positive", "1"));
    assert_int_equal(data->info.classes, 2);
    assert_int_equal(data->info.ignore_index, 255);
    assert_int_equal(data->info.class_counts[0], 12);
    assert_int_equal(data->info.class_counts[1], 6);
    spur_data_close(data);
}

static void test_binary(void **state) {
    (void)state;
    PAIR("a", 0, 255, 255);
    spur_data *data = open_data("segmentation", SEGMENTATION("masks", "binary"));
    assert_int_equal(data->info.classes, 2);
    assert_int_equal(data->info.class_counts[1], 16);
    spur_data_close(data);
    PAIR("a", 127, 128, 0);
    data = open_data("segmentation", SEGMENTATION("masks", "binary"));
    assert_int_equal(data->info.class_counts[1], 8);
    spur_data_close(data);
    /* A tinge is what JPEG leaves; a colour is none, in whichever channel. */
    for (int c = 0; c < 3; c++) {
        uint8_t rgb[H * W * 3] = {0};
        for (int i = 0; i < H * W * 3; i++) rgb[i] = i % 3 == c ? 60 : 0;
        for (int i = 0; i < 3; i++) rgb[i] = 255;
        write_raw_png("s/masks/a.png", H, W, PNG_COLOR_TYPE_RGB, 8, rgb, W * 3);
        data = open_data("segmentation", SEGMENTATION("masks", "binary"));
        assert_int_equal(data->info.class_counts[1], 1);
        spur_data_close(data);
        rgb[3 * W + c] = 100;
        write_raw_png("s/masks/a.png", H, W, PNG_COLOR_TYPE_RGB, 8, rgb, W * 3);
        refuse_data("segmentation", SEGMENTATION("masks", "binary"), SPUR_E_FORMAT,
                    "a coloured mask");
    }
    PAIR("a", 0, 1);
    refuse_data("segmentation", SEGMENTATION("masks", "binary"), SPUR_E_RANGE,
                "want masks = index");
    PAIR("a", 0, 127, 255);
    data = open_data("segmentation", SEGMENTATION("masks", "binary", "ignore_index", "127"));
    assert_int_equal(data->info.ignore_index, 255);
    assert_int_equal(data->info.class_counts[0], 8);
    assert_int_equal(data->info.class_counts[1], 8);
    spur_data_close(data);
}

static void test_colours(void **state) {
    (void)state;
    uint8_t rgb[H * W * 3];
    spur__sample sample = {0};
    static const uint8_t colours[3][3] = {{0, 0, 0}, {128, 0, 0}, {0, 64, 255}};
    PAIR("a", 0);
    for (int i = 0; i < H * W; i++) memcpy(rgb + 3 * i, colours[i % 3], 3);
    write_raw_png("s/masks/a.png", H, W, PNG_COLOR_TYPE_RGB, 8, rgb, W * 3);
    const char *const all = "000000, 800000, 0040FF";
    spur_data *data = open_data("segmentation", SEGMENTATION("masks", "color", "colors", all));
    assert_int_equal(data->info.classes, 3);
    assert_int_equal(spur__data_read(data, 0, &sample, NULL), SPUR_OK);
    for (int i = 0; i < H * W; i++) assert_int_equal(sample.mask.data[i], i % 3);
    spur__sample_free(&sample);
    spur_data_close(data);
    data = open_data("segmentation",
                     SEGMENTATION("masks", "color", "colors", all, "ignore_index", "2"));
    assert_int_equal(data->info.classes, 2);
    assert_int_equal(data->info.ignore_index, 2);
    spur_data_close(data);
    refuse_data("segmentation", SEGMENTATION("masks", "color", "colors", "000000, 800000"),
                SPUR_E_RANGE, "s/masks/a.png: colour 0040ff at row 0, column 2");
    refuse_data("segmentation", SEGMENTATION("masks", "index"), SPUR_E_FORMAT,
                "a coloured mask (800000 at row 0, column 1); set masks = color");
    refuse_data("segmentation", SEGMENTATION("masks", "color"), SPUR_E_ARGUMENT, "data.colors");
    refuse_data("segmentation", SEGMENTATION("masks", "color", "colors", "00FF00, blue, red"),
                SPUR_E_FORMAT, "found 'blue' for class 1, expected colours as RRGGBB");
    refuse_data("segmentation",
                SEGMENTATION("masks", "color", "colors", all, "ignore_index", "255"), SPUR_E_RANGE,
                "data.ignore_index: found 255, expected the number of a colour, 0 to 2");
    refuse_data("segmentation", SEGMENTATION("masks", "color", "colors", "000000, 800000, 000000"),
                SPUR_E_EXISTS, "data.colors: 000000 stands twice");
}

/* Colours 000000, 000001, ... 0000ff. */
static void make_blues(void) {
    uint8_t rgb[16 * 16 * 3] = {0};
    for (int i = 0; i < 256; i++) rgb[3 * i + 2] = (uint8_t)i;
    PAIR("a", 0);
    write_jpeg("s/images/a.jpg", 16, 16, 3, 100);
    write_raw_png("s/masks/a.png", 16, 16, PNG_COLOR_TYPE_RGB, 8, rgb, 16 * 3);
}

/* As many classes as a byte holds, one of which is ignored: the last one is a class as the others are. */
static void test_256_classes(void **state) {
    (void)state;
    char all[257 * 7 + 1] = "";
    for (int i = 0; i < 257; i++) snprintf(all + i * 7, 8, "%06x%s", i, i < 256 ? "," : "");
    refuse_data("segmentation", SEGMENTATION("masks", "color", "colors", all), SPUR_E_FORMAT,
                "more than 256 colours");
    all[256 * 7 - 1] = '\0';
    make_blues();
    for (int ignored = 0; ignored < 256; ignored += 85) {
        char text[16];
        snprintf(text, sizeof text, "%d", ignored);
        spur_data *data = open_data(
            "segmentation", SEGMENTATION("masks", "color", "colors", all, "ignore_index", text));
        const spur_data_info *info = spur_data_describe(data);
        assert_int_equal(info->classes, ignored == 255 ? 255 : 256);
        assert_int_equal(info->ignore_index, ignored);
        for (int k = 0; k < (int)info->classes; k++)
            assert_int_equal(info->class_counts[k], k != ignored);
        spur_data_close(data);
    }
}

static void test_256_values(void **state) {
    (void)state;
    uint8_t values[256];
    for (int i = 0; i < 256; i++) values[i] = (uint8_t)i;
    PAIR("a", 0);
    write_jpeg("s/images/a.jpg", 16, 16, 3, 100);
    write_mask("s/masks/a.png", 16, 16, values);
    spur_data *data = open_data("segmentation", SEGMENTATION("classes", "256"));
    assert_int_equal(data->info.classes, 256);
    assert_int_equal(data->info.class_counts[255], 1);
    spur_data_close(data);
    data = open_data("segmentation", SEGMENTATION("classes", "256", "ignore_index", "7"));
    assert_int_equal(data->info.class_counts[255], 1);
    assert_int_equal(data->info.class_counts[7], 0);
    spur_data_close(data);
}

static void test_first_class(void **state) {
    (void)state;
    PAIR("a", 1, 2, 3);
    spur_data *data = open_data("segmentation", SEGMENTATION("first_class", "1"));
    assert_int_equal(data->info.classes, 3);
    spur_data_close(data);
    PAIR("b", 0, 1, 2, 3);
    refuse_data("segmentation", SEGMENTATION("first_class", "1"), SPUR_E_RANGE,
                "s/masks/b.png: mask value 0 at row 0, column 0, expected a class from 1 to 255");
    data = open_data("segmentation", SEGMENTATION("first_class", "1", "ignore_index", "0"));
    assert_int_equal(data->info.classes, 3);
    assert_int_equal(data->info.ignore_index, 255);
    spur_data_close(data);
    refuse_data("segmentation", SEGMENTATION("first_class", "1", "masks", "binary"),
                SPUR_E_ARGUMENT, "data.first_class: found 1, expected 0 unless masks = index");
}

/* The traps of the audit, each with the way out in its message. */
static void test_audit(void **state) {
    (void)state;
    PAIR("a", 0, 255);
    refuse_data("segmentation", SEGMENTATION("masks", "index"), SPUR_E_RANGE,
                "the masks hold only the values 0, 255, which as classes would be 256 of them: set "
                "masks = binary");
    refuse_data("segmentation", SEGMENTATION("classes", "2"), SPUR_E_RANGE,
                "s/masks/a.png: mask value 255 at row 0, column 1, expected a class from 0 to 1; "
                "masks of 0 and 255 want masks = binary");
    PAIR("a", 0, 1, 2, 255);
    refuse_data("segmentation", SEGMENTATION("masks", "index"), SPUR_E_RANGE,
                "set ignore_index = 255");
    PAIR("a", 1, 2, 3);
    refuse_data("segmentation", SEGMENTATION("masks", "index"), SPUR_E_RANGE,
                "1, 2, 3 and never 0, but classes count from 0: set first_class = 1");
    refuse_data("segmentation", SEGMENTATION("classes", "3"), SPUR_E_RANGE,
                "mask value 3 at row 0, column 2, expected a class from 0 to 2; if the classes of "
                "the files count from 1, set first_class = 1");
    refuse_data("segmentation", SEGMENTATION("classes", "4"), SPUR_E_RANGE, "never 0");
    PAIR("a", 0, 76, 149);
    refuse_data("segmentation", SEGMENTATION("masks", "index"), SPUR_E_RANGE,
                "0, 76, 149, which do not look like classes");
    PAIR("a", 0);
    refuse_data("segmentation", SEGMENTATION("masks", "index"), SPUR_E_RANGE,
                "there is nothing to learn");
}

/* Where only training masks are looked at, one of validation with more classes is refused when it
 * is read. */
static void test_unknown_class_later(void **state) {
    (void)state;
    static const uint8_t train[4] = {0, 1, 0, 1}, validation[4] = {0, 1, 2, 0};
    spur__sample sample = {0};
    spur_error err = {0};
    write_png("t/train/images/a.png", 2, 2, 1, 0);
    write_mask("t/train/masks/a.png", 2, 2, train);
    write_png("t/val/images/b.png", 2, 2, 1, 0);
    write_mask("t/val/masks/b.png", 2, 2, validation);
    spur_data *data = open_data("segmentation", OPTIONS("path", in_root("t"), "verify", "off"));
    assert_int_equal(data->info.classes, 2);
    assert_int_equal(spur__data_read(data, 0, &sample, &err), SPUR_OK);
    assert_int_equal(spur__data_read(data, 1, &sample, &err), SPUR_E_RANGE);
    assert_non_null(strstr(err.message, "val/masks/b.png: mask value 2 at row 1, column 0, "
                                        "expected a class from 0 to 1"));
    spur__sample_free(&sample);
    spur_data_close(data);
    /* Where all masks are looked at, those of the validation count for the classes. */
    static const uint8_t third[4] = {0, 1, 2, 2};
    write_mask("t/val/masks/b.png", 2, 2, third);
    data = open_data("segmentation", OPTIONS("path", in_root("t")));
    assert_int_equal(data->info.classes, 3);
    assert_int_equal(data->info.class_counts[2], 0); /* of the training */
    spur_data_close(data);
    write_png("t/val/images/b.png", 2, 3, 1, 0); /* sizes are in the headers */
    refuse_data("segmentation", OPTIONS("path", in_root("t"), "verify", "header"), SPUR_E_SHAPE,
                "val/masks/b.png: a mask of 2 x 2 pixels, but");
}

/* Stems that are the beginnings of others, in the order of the whole names. */
static void test_stems(void **state) {
    (void)state;
    static const char *const stems[] = {"a", "a.b", "a-b", "a.jpg", "ab", "b"};
    for (size_t i = 0; i < 6; i++) PAIR(stems[i], 0, 1);
    spur_data *data = open_data("segmentation", SEGMENTATION("masks", "index"));
    assert_int_equal(data->item_count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        const char *image = strrchr(data->kind->file(data, i), '/');
        const char *mask = strrchr(data->kind->label_file(data, i), '/');
        assert_int_equal(strlen(image), strlen(mask));
        assert_memory_equal(image, mask, strlen(mask) - 4);
    }
    spur_data_close(data);
    write_png("s/images/a.png", H, W, 1, 0);
    refuse_data("segmentation", SEGMENTATION("masks", "index"), SPUR_E_EXISTS,
                "s/images: a.jpg and a.png have the same stem");
}

static void test_pairs_refused(void **state) {
    (void)state;
    PAIR("a", 0, 1);
    write_jpeg("s/images/b.jpg", H, W, 3, 9);
    refuse_data("segmentation", SEGMENTATION("masks", "index"), SPUR_E_NOTFOUND,
                "s/images/b.jpg: no mask: expected");
    write_png("s/masks/b.png", H, W + 1, 1, 0);
    refuse_data("segmentation", SEGMENTATION("masks", "index", "classes", "200"), SPUR_E_SHAPE,
                "s/masks/b.png: a mask of 4 x 7 pixels, but");
    PAIR("b", 0, 1);
    write_jpeg("s/masks/b.jpg", H, W, 1, 9);
    refuse_data("segmentation", SEGMENTATION("masks", "index"), SPUR_E_EXISTS, "two masks for");
    assert_int_equal(unlink(in_root("s/masks/b.png")), 0);
    refuse_data("segmentation", SEGMENTATION("masks", "index"), SPUR_E_FORMAT, "a JPEG as mask");
    refuse_data("segmentation", OPTIONS("path", in_root("s/masks")), SPUR_E_NOTFOUND,
                "no folder images in it");
    in_root("e/images/x");
    in_root("e/masks/x");
    refuse_data("segmentation", OPTIONS("path", in_root("e")), SPUR_E_NOTFOUND,
                "no JPEG or PNG files in it");
}

/* Tiles of a picture that is numbered through its columns. */
static void test_tiles(void **state) {
    (void)state;
    spur__sample sample = {0};
    spur__image picture = {0};
    uint8_t mask[10 * 20];
    assert_int_equal(spur__image_shape(&picture, 10, 20, 1, NULL), SPUR_OK);
    for (int i = 0; i < 200; i++) picture.data[i] = (uint8_t)i, mask[i] = i % 20 >= 10;
    assert_int_equal(spur__image_write_png(in_root("s/images/a.png"), &picture, NULL), SPUR_OK);
    write_mask("s/masks/a.png", 10, 20, mask);
    for (int cache = 0; cache < 2; cache++) {
        spur_data *data = open_data(
            "segmentation", SEGMENTATION("tile", "8", "overlap", "2", "cache", cache ? "9" : "0"));
        assert_int_equal(data->info.height, 8);
        assert_int_equal(data->info.samples[SPUR_SPLIT_TRAIN], 2 * 3);
        for (int round = 0; round < 2; round++) {
            assert_int_equal(spur__data_read(data, 5, &sample, NULL), SPUR_OK);
            for (int y = 0; y < 8; y++)
                for (int x = 0; x < 8; x++) {
                    assert_int_equal(sample.image.data[y * 8 + x], (y + 2) * 20 + x + 12);
                    assert_int_equal(sample.mask.data[y * 8 + x], 1);
                }
        }
        assert_int_equal(spur__data_read(data, 1, &sample, NULL), SPUR_OK); /* row by row */
        assert_int_equal(sample.image.data[0], 6);
        spur_data_close(data);
    }
    spur_data *data = open_data("segmentation", SEGMENTATION("tile", "16", "ignore_index", "7"));
    assert_int_equal(spur__data_read(data, 0, &sample, NULL), SPUR_OK);
    assert_int_equal(sample.mask.data[10 * 16], 7); /* below the picture */
    assert_int_equal(sample.image.data[10 * 16], 0);
    spur_data_close(data);
    refuse_data("segmentation", SEGMENTATION("tile", "8", "overlap", "8"), SPUR_E_RANGE,
                "data.overlap: 8");
    spur__sample_free(&sample);
    spur__image_free(&picture);
}

/* All tiles of one picture stay in one split. */
static void test_tiles_stay_together(void **state) {
    (void)state;
    for (int i = 0; i < 10; i++) {
        char stem[8];
        snprintf(stem, sizeof stem, "p%d", i);
        PAIR(stem, 0, 1);
    }
    for (int seed = 1; seed <= 4; seed++) { /* the share is one of pictures, whatever the seed */
        char text[8];
        snprintf(text, sizeof text, "%d", seed);
        spur_data *data = open_data("segmentation", OPTIONS("path", in_root("s"), "tile", "2",
                                                            "val_split", "0.3", "seed", text));
        assert_int_equal(data->info.samples[SPUR_SPLIT_VALIDATION], 3 * 6);
        for (size_t i = 1; i < data->item_count; i++)
            if (data->items[i].group == data->items[i - 1].group)
                assert_int_equal(data->items[i].split, data->items[i - 1].split);
        spur_data_close(data);
    }
}

/* Tiles of the training overlap; those of other pictures stand side by side. */
static void test_overlap_is_for_training(void **state) {
    static const uint8_t mask[8 * 32] = {1};
    static const char *const splits[] = {"train", "val"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        char name[64];
        snprintf(name, sizeof name, "t/%s/images/a.png", splits[i]);
        write_png(name, 8, 32, 1, 3);
        snprintf(name, sizeof name, "t/%s/masks/a.png", splits[i]);
        write_mask(name, 8, 32, mask);
    }
    spur_data *data =
        open_data("segmentation", OPTIONS("path", in_root("t"), "tile", "8", "overlap", "2"));
    assert_int_equal(data->info.samples[SPUR_SPLIT_TRAIN], 5); /* at 0, 6, 12, 18 and 24 */
    assert_int_equal(data->info.samples[SPUR_SPLIT_VALIDATION], 4);
    spur_data_close(data);
}

/* Tiles that tell the truth blend to the truth, and every pixel is covered. */
static void test_blend(void **state) {
    (void)state;
    static const int sizes[][2] = {{10, 20}, {8, 8}, {5, 30}, {33, 17}, {4, 4}};
    spur__blend blend = {.channels = 0}; /* of one picture after the other */
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        int h = sizes[k][0], w = sizes[k][1];
        spur__tiling tiling = spur__tiling_make(h, w, 8, 8, 3);
        assert_int_equal(spur__blend_begin(&blend, &tiling, 2, NULL), SPUR_OK);
        for (int t = 0; t < spur__tiling_count(&tiling); t++) {
            float tile[8 * 8 * 2];
            spur__box box = spur__tiling_box(&tiling, t);
            assert_true(box.top >= 0 && box.left >= 0);
            for (int i = 0; i < 64; i++) {
                tile[2 * i] = (float)((box.top + i / 8) * 100 + box.left + i % 8);
                tile[2 * i + 1] = 1;
            }
            spur__blend_add(&blend, t, tile);
        }
        spur__blend_finish(&blend);
        for (int i = 0; i < h * w; i++) {
            assert_true(fabsf(blend.sums[2 * i] - (float)(i / w * 100 + i % w)) < 1e-2f);
            assert_true(fabsf(blend.sums[2 * i + 1] - 1) < 1e-5f);
        }
    }
    spur__blend_free(&blend);
}

/* From one tile to the next the weights fall and rise evenly, across columns as across rows. */
static void test_blend_weights(void **state) {
    (void)state;
    for (int down = 0; down < 2; down++) {
        spur__blend blend = {.channels = 0};
        spur__tiling tiling = spur__tiling_make(down ? 12 : 8, down ? 8 : 12, 8, 8, 4);
        assert_int_equal(spur__tiling_count(&tiling), 2);
        assert_int_equal(spur__blend_begin(&blend, &tiling, 1, NULL), SPUR_OK);
        for (int t = 0; t < 2; t++) {
            float tile[64];
            for (int i = 0; i < 64; i++) tile[i] = (float)t;
            spur__blend_add(&blend, t, tile);
        }
        spur__blend_finish(&blend);
        for (int i = 0; i < 96; i++) {
            int at = down ? i / 8 : i % 12;
            float expected = at < 4 ? 0 : at > 7 ? 1 : (float)(at - 3) / 5;
            assert_true(fabsf(blend.sums[i] - expected) < 1e-6f);
        }
        spur__blend_free(&blend);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_index, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_damaged_memory, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_ignored, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_binary, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_colours, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_256_classes, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_256_values, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_first_class, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_audit, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_unknown_class_later, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_stems, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_pairs_refused, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_tiles, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_tiles_stay_together, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_overlap_is_for_training, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_blend, make_root, remove_root),
        cmocka_unit_test(test_blend_weights),
    };
    return cmocka_run_group_tests_name("masks", tests, NULL, NULL);
}
