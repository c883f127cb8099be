/* SPDX-License-Identifier: MIT
 *
 * data: every format on tiny files made here - what is found, how it is split and normalised - and
 * what is refused, with which message.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>

#include "data/dataset.h"

#include "files.h"

/* Classes a and b with n pictures each below `folder`. */
static void make_classes(const char *folder, int n) {
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < n; i++) {
            char name[128];
            snprintf(name, sizeof name, "%s/%c/%02d.png", folder, "ab"[k], i);
            write_png(name, 6, 8, 3, 10 * k + i);
        }
}

static void test_image_folder(void **state) {
    (void)state;
    make_classes("x", 10);
    write_text("x/a/._0.png", "what macOS leaves beside a picture");
    spur_data *data = open_data("image_folder", OPTIONS("path", in_root("x")));
    const spur_data_info *info = spur_data_describe(data);
    assert_int_equal(info->task, SPUR_CLASSIFICATION);
    assert_int_equal(info->height, 6);
    assert_int_equal(info->width, 8);
    assert_int_equal(info->channels, 3);
    assert_int_equal(info->classes, 2);
    assert_string_equal(info->class_names[1], "b");
    assert_int_equal(info->samples[SPUR_SPLIT_TRAIN], 16);
    assert_int_equal(info->samples[SPUR_SPLIT_VALIDATION], 4);
    assert_int_equal(info->class_counts[0], 8); /* stratified */
    spur_data_close(data);
}

/* train, val and test folders; sizes and channels mixed; other files are left out with a note. */
static void test_image_folder_splits(void **state) {
    (void)state;
    make_classes("x/train", 3);
    make_classes("x/validation", 2);
    make_classes("x/test", 1);
    write_jpeg("x/train/a/z.JPG", 20, 10, 1, 99);
    write_text("x/train/a/notes.txt", "none");
    spur_data *data = open_data("image_folder", OPTIONS("path", in_root("x"), "size", "5x4"));
    const spur_data_info *info = spur_data_describe(data);
    assert_int_equal(info->samples[SPUR_SPLIT_TRAIN], 7);
    assert_int_equal(info->samples[SPUR_SPLIT_VALIDATION], 4);
    assert_int_equal(info->samples[SPUR_SPLIT_TEST], 2);
    assert_int_equal(info->height, 5);
    assert_int_equal(info->width, 4);
    assert_non_null(strstr(data->notes, "x: left out 1 file with other endings\n"));
    spur_data_close(data);
}

/* "val" and "test" may be classes, below train/. */
static void test_classes_called_like_splits(void **state) {
    (void)state;
    make_classes("x/train", 2);
    write_png("x/train/test/1.png", 3, 3, 1, 0);
    write_png("x/train/val/1.png", 3, 3, 1, 0);
    spur_data *data = open_data("image_folder", OPTIONS("path", in_root("x")));
    assert_int_equal(data->info.classes, 4);
    assert_string_equal(data->info.class_names[2], "test");
    spur_data_close(data);
}

static void test_image_folder_refused(void **state) {
    (void)state;
    static const char *const odd[2][2] = {{"m", "m/new\nline/1.png"}, {"n", "n/caf\xe9/1.png"}};
    for (int i = 0; i < 2; i++) {
        make_classes(odd[i][0], 1);
        write_png(odd[i][1], 3, 3, 1, 0);
        refuse_data("image_folder", OPTIONS("path", in_root(odd[i][0])), SPUR_E_FORMAT,
                    "a name with a control character such as a line break, or not in UTF-8");
    }
    make_classes("p", 1);
    assert_int_equal(mkfifo(in_root("p/a/pipe.png"), 0600), 0);
    refuse_data("image_folder", OPTIONS("path", in_root("p")), SPUR_E_TYPE,
                "p/a/pipe.png: not a regular file");
    refuse_data("image_folder", OPTIONS("path", ""), SPUR_E_ARGUMENT, "data.path: empty");
    refuse_data("image_folder", OPTIONS("path", in_root("none")), SPUR_E_NOTFOUND,
                "no such folder");
    in_root("empty/x");
    refuse_data("image_folder", OPTIONS("path", in_root("empty")), SPUR_E_NOTFOUND,
                "0 sub-folders");
    make_classes("x", 2);
    write_text("x/c/1.tif", "II*");
    refuse_data("image_folder", OPTIONS("path", in_root("x")), SPUR_E_NOTFOUND,
                "x/c: no JPEG or PNG files in it, but 1 with other endings");
    make_classes("y/train", 2);
    write_png("y/val/bb/1.png", 3, 3, 1, 0);
    refuse_data("image_folder", OPTIONS("path", in_root("y")), SPUR_E_NOTFOUND,
                "val/bb: no class of that name in training; did you mean 'b'?");
    refuse_data("image_folder", OPTIONS("path", in_root("x"), "chanels", "1"), SPUR_E_NOTFOUND,
                "did you mean 'channels'?");
    refuse_data("imagefolder", OPTIONS("path", in_root("x")), SPUR_E_NOTFOUND,
                "did you mean 'image_folder'?");
    refuse_data("image_folder", OPTIONS("path", in_root("x"), "val_split", "1.5"), SPUR_E_RANGE,
                "val_split");
}

/* A broken file is found before training by verify = full, at its batch with verify = off. */
static void test_verify(void **state) {
    (void)state;
    spur_batch batch;
    spur_loader *loader;
    spur_error err = {0};
    make_classes("x", 6);
    write_text("x/b/03.png", "this is text");
    refuse_data("image_folder", OPTIONS("path", in_root("x")), SPUR_E_FORMAT,
                "x/b/03.png: neither JPEG nor PNG");
    refuse_data("image_folder", OPTIONS("path", in_root("x"), "verify", "header"), SPUR_E_FORMAT,
                "x/b/03.png");
    for (int workers = -1; workers < 4; workers += 2) {
        spur_data *data =
            open_data("image_folder", OPTIONS("path", in_root("x"), "verify", "off",
                                              "normalization", "none", "val_split", "0"));
        spur_loader_options options = {
            .batch_size = 2, .workers = workers, .sampler = "sequential"};
        assert_int_equal(spur_loader_create(&loader, data, SPUR_SPLIT_TRAIN, &options, &err),
                         SPUR_OK);
        for (int i = 0; i < 4; i++)
            assert_int_equal(spur_loader_next(loader, &batch, &err), SPUR_OK);
        assert_int_equal(spur_loader_next(loader, &batch, &err), SPUR_E_FORMAT);
        assert_non_null(strstr(err.message, "x/b/03.png"));
        assert_int_equal(spur_loader_next(loader, &batch, &err), SPUR_OK);
        spur_loader_destroy(loader);
        spur_data_close(data);
    }
}

static int count_cache_files(void) {
    int count = 0;
    DIR *folder = opendir(in_root("spur"));
    for (struct dirent *e; folder && (e = readdir(folder));) count += e->d_name[0] == 'd';
    if (folder) closedir(folder);
    return count;
}

/* The pass over the files is remembered; a changed file, another size or seed is another key. */
static void test_remembered(void **state) {
    (void)state;
    make_classes("x", 6);
    const char *const options[] = {"path", in_root("x"), NULL};
    spur_data *first = open_data("image_folder", options);
    assert_int_equal(count_cache_files(), 1);
    spur_data *again = open_data("image_folder", options);
    assert_int_equal(count_cache_files(), 1);
    for (int c = 0; c < 3; c++) {
        assert_true(first->info.mean[c] == again->info.mean[c]);
        assert_true(first->info.std[c] == again->info.std[c]);
    }
    spur_data_close(first);
    spur_data_close(again);
    spur_data_close(open_data("image_folder", OPTIONS("path", in_root("x"), "size", "4x4")));
    assert_int_equal(count_cache_files(), 2);
    write_text("x/a/00.png", "broken now");
    refuse_data("image_folder", options, SPUR_E_FORMAT, "x/a/00.png");
}

/* Mean and deviation against sums over the same pixels. */
static void test_normalization(void **state) {
    (void)state;
    double sum[3] = {0}, squares[3] = {0};
    make_classes("x", 4);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 4; i++)
            for (int p = 0; p < 6 * 8 * 3; p++) {
                double v =
                    (uint8_t)(10 * k + i + 3 * (p / 3 / 8) + 5 * (p / 3 % 8) + 7 * (p % 3)) / 255.0;
                sum[p % 3] += v;
                squares[p % 3] += v * v;
            }
    spur_data *data = open_data("image_folder", OPTIONS("path", in_root("x"), "val_split", "0"));
    for (int c = 0; c < 3; c++) {
        double mean = sum[c] / (8 * 48), deviation = sqrt(squares[c] / (8 * 48) - mean * mean);
        assert_true(fabs((double)data->info.mean[c] - mean) < 1e-6);
        assert_true(fabs((double)data->info.std[c] - deviation) < 1e-6);
    }
    spur_data_close(data);
    data = open_data("image_folder", OPTIONS("path", in_root("x"), "normalization", "imagenet"));
    assert_true(data->info.mean[2] == 0.406f && data->info.std[0] == 0.229f);
    spur_data_close(data);
    data = open_data("image_folder", OPTIONS("path", in_root("x"), "normalization", "0.1, 0.5"));
    assert_true(data->info.mean[2] == 0.1f && data->info.std[1] == 0.5f);
    spur_data_close(data);
    data = open_data("image_folder",
                     OPTIONS("path", in_root("x"), "normalization", "0.1, 0.2, 0.3, 1, 2, 4"));
    assert_true(data->info.mean[0] == 0.1f && data->info.mean[2] == 0.3f);
    assert_true(data->info.std[0] == 1 && data->info.std[2] == 4);
    spur_data_close(data);
    refuse_data("image_folder", OPTIONS("path", in_root("x"), "normalization", "1, 2, 3, 4"),
                SPUR_E_RANGE, "4 numbers, expected 6");
    refuse_data("image_folder", OPTIONS("path", in_root("x"), "normalization", "0.5, 0"),
                SPUR_E_RANGE, "standard deviation 0, expected more than 0");
    refuse_data("image_folder", OPTIONS("path", in_root("x"), "normalization", "zero"),
                SPUR_E_RANGE, "expected none, imagenet, dataset");
    refuse_data("image_folder",
                OPTIONS("path", in_root("x"), "channels", "1", "normalization", "imagenet"),
                SPUR_E_RANGE, "expected 3");
}

static void test_imbalance(void **state) {
    (void)state;
    spur_data *data = open_data("shapes", OPTIONS("samples", "800", "classes", "5", "size", "8",
                                                  "imbalance", "exp:0.0625"));
    const uint64_t *counts = spur_data_describe(data)->class_counts;
    assert_int_equal(counts[0], 160);
    assert_int_equal(counts[1], 80);
    assert_int_equal(counts[2], 40);
    assert_int_equal(counts[4], 10);
    assert_int_equal(data->info.samples[SPUR_SPLIT_TRAIN], 310);
    assert_int_equal(data->info.samples[SPUR_SPLIT_VALIDATION], 400);
    spur_data_close(data);
    refuse_data("shapes", OPTIONS("imbalance", "exp:2"), SPUR_E_RANGE, "exp:F");
}

/* ---- mnist and cifar10 ----------------------------------------------------------------------- */

static void put32(uint8_t *p, unsigned v) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* n pictures of 4 x 5 and labels i % 3. */
static void make_idx(const char *prefix, unsigned n, unsigned labels) {
    uint8_t pictures[16 + 20 * 64] = {0, 0, 8, 3}, classes[8 + 64] = {0, 0, 8, 1};
    char name[64];
    put32(pictures + 4, n);
    put32(pictures + 8, 4);
    put32(pictures + 12, 5);
    put32(classes + 4, labels);
    for (unsigned i = 0; i < n * 20; i++) pictures[16 + i] = (uint8_t)(i * 7);
    for (unsigned i = 0; i < labels; i++) classes[8 + i] = (uint8_t)(i % 3);
    snprintf(name, sizeof name, "m/%s-images-idx3-ubyte", prefix);
    write_bytes(name, pictures, 16 + 20 * n);
    snprintf(name, sizeof name, "m/%s-labels-idx1-ubyte", prefix);
    write_bytes(name, classes, 8 + labels);
}

static void test_mnist(void **state) {
    (void)state;
    spur_batch batch;
    spur_loader *loader;
    make_idx("train", 30, 30);
    make_idx("t10k", 6, 6);
    spur_data *data = open_data("mnist", OPTIONS("path", in_root("m"), "normalization", "none"));
    assert_int_equal(data->info.classes, 3);
    assert_int_equal(data->info.samples[SPUR_SPLIT_TRAIN], 24);
    assert_int_equal(data->info.samples[SPUR_SPLIT_TEST], 6);
    assert_int_equal(spur_loader_create(&loader, data, SPUR_SPLIT_TEST, NULL, NULL), SPUR_OK);
    assert_int_equal(spur_loader_next(loader, &batch, NULL), SPUR_OK);
    for (int i = 0; i < 6 * 20; i++)
        assert_true(batch.input[i] == (float)(uint8_t)(i * 7) * (1.0f / 255));
    for (int i = 0; i < 6; i++) assert_int_equal(batch.labels[i], i % 3);
    spur_loader_destroy(loader);
    spur_data_close(data);
    /* What is remembered is forgotten with the labels: they decide which samples are for training. */
    assert_int_equal(count_cache_files(), 1);
    write_bytes("m/train-labels-idx1-ubyte",
                "\0\0\x08\x01\0\0\0\x1e\2\1\0\2\1\0\2\1\0\2\1\0\2\1\0\2"
                "\1\0\2\1\0\2\1\0\2\1\0\2\1\0",
                38);
    spur_data_close(open_data("mnist", OPTIONS("path", in_root("m"), "normalization", "none")));
    assert_int_equal(count_cache_files(), 2);
    make_idx("train", 30, 29);
    refuse_data("mnist", OPTIONS("path", in_root("m")), SPUR_E_SHAPE, "29 labels, expected 30");
    cut_file("m/train-images-idx3-ubyte", 0.5);
    refuse_data("mnist", OPTIONS("path", in_root("m")), SPUR_E_FORMAT, "train-images-idx3-ubyte");
    assert_int_equal(unlink(in_root("m/train-images-idx3-ubyte")), 0);
    refuse_data("mnist", OPTIONS("path", in_root("m")), SPUR_E_NOTFOUND,
                "neither train-images-idx3-ubyte nor");
}

static void test_cifar10(void **state) {
    (void)state;
    static uint8_t records[4 * 3073];
    spur_batch batch;
    spur_loader *loader;
    for (int i = 0; i < 4; i++) {
        records[i * 3073] = (uint8_t)(i * 3);
        for (int k = 0; k < 3072; k++) records[i * 3073 + 1 + k] = (uint8_t)(k / 1024 * 80 + i);
    }
    write_bytes("c/cifar-10-batches-bin/data_batch_1.bin", records, sizeof records);
    write_bytes("c/cifar-10-batches-bin/test_batch.bin", records, 3073);
    spur_data *data = open_data(
        "cifar10", OPTIONS("path", in_root("c"), "normalization", "none", "val_split", "0"));
    assert_int_equal(data->info.samples[SPUR_SPLIT_TRAIN], 4);
    assert_int_equal(data->info.samples[SPUR_SPLIT_TEST], 1);
    assert_string_equal(data->info.class_names[9], "truck");
    spur_loader_options options = {.sampler = "sequential"};
    assert_int_equal(spur_loader_create(&loader, data, SPUR_SPLIT_TRAIN, &options, NULL), SPUR_OK);
    assert_int_equal(spur_loader_next(loader, &batch, NULL), SPUR_OK);
    assert_int_equal(batch.labels[3], 9);
    for (int c = 0; c < 3; c++)
        assert_true(batch.input[3 * 3072 + 300 + c] == (float)(c * 80 + 3) * (1.0f / 255));
    spur_loader_destroy(loader);
    spur_data_close(data);
    records[3073] = 10;
    write_bytes("c/cifar-10-batches-bin/data_batch_1.bin", records, sizeof records);
    refuse_data("cifar10", OPTIONS("path", in_root("c")), SPUR_E_RANGE, "label 10 in record 1");
    cut_file("c/cifar-10-batches-bin/data_batch_1.bin", 0.9);
    refuse_data("cifar10", OPTIONS("path", in_root("c")), SPUR_E_FORMAT, "a multiple of 3073");
}

/* ---- csv ------------------------------------------------------------------------------------- */

static void test_csv_regression(void **state) {
    (void)state;
    spur_batch batch;
    spur_loader *loader;
    write_text("t.csv", "id,x,y,z,w\n1,1,10,2,-1\n2,3,30,4,-2\n3,5,50,6,-3\n");
    spur_data *data = open_data("csv", OPTIONS("path", in_root("t.csv"), "target", "z, w",
                                               "leave_out", "id", "val_split", "0"));
    assert_int_equal(data->info.task, SPUR_REGRESSION);
    assert_int_equal(data->info.targets, 2);
    assert_int_equal(data->info.channels, 2);
    assert_true(data->info.mean[1] == 30);
    spur_loader_options options = {.sampler = "sequential"};
    assert_int_equal(spur_loader_create(&loader, data, SPUR_SPLIT_TRAIN, &options, NULL), SPUR_OK);
    assert_int_equal(spur_loader_next(loader, &batch, NULL), SPUR_OK);
    assert_null(batch.labels);
    const float expected[6] = {2, -1, 4, -2, 6, -3};
    assert_memory_equal(batch.targets, expected, sizeof expected);
    assert_true(fabs((double)batch.input[4] - sqrt(1.5)) < 1e-5);
    spur_loader_destroy(loader);
    spur_data_close(data);
}

static void test_csv_classes(void **state) {
    (void)state;
    write_text("d/train.csv", "1;2;red\n3;4;blue\n5;6;red\n7;8;green\n");
    write_text("d/val.csv", "1;2;blue\n");
    spur_data *data = open_data("csv", OPTIONS("path", in_root("d")));
    assert_int_equal(data->info.task, SPUR_CLASSIFICATION);
    assert_int_equal(data->info.classes, 3);
    assert_string_equal(data->info.class_names[0], "blue");
    assert_int_equal(data->info.class_counts[2], 2);
    assert_int_equal(data->items[4].label, 0);
    spur_data_close(data);
    write_text("d/val.csv", "1;2;pink\n");
    refuse_data("csv", OPTIONS("path", in_root("d")), SPUR_E_NOTFOUND,
                "val.csv:1:3: class 'pink' does not occur in training");
    write_text("n.csv", "10,0\n9,0\n2,1\n1,10\n1,2\n");
    data = open_data("csv", OPTIONS("path", in_root("n.csv"), "task", "classification"));
    assert_int_equal(data->info.classes, 4);
    assert_string_equal(data->info.class_names[3], "10");
    spur_data_close(data);
}

/* Labels of numbers and words: no order by value holds among all of them. */
static void test_csv_mixed_classes(void **state) {
    (void)state;
    static const char *const labels[] = {"10", "9", "1a", "nan", "0x1", "", NULL};
    spur__str text;
    spur__str_init(&text, 4096);
    spur__str_puts(&text, "x,label\n");
    for (int i = 0; i < 40; i++) spur__str_printf(&text, "%d,%s\n", i, labels[(7 * i + i / 5) % 5]);
    write_text("m.csv", spur__str_text(&text));
    spur__str_free(&text);
    spur_data *data = open_data(
        "csv", OPTIONS("path", in_root("m.csv"), "val_split", "0", "task", "classification"));
    static const char *const sorted[] = {"9", "10", "0x1", "1a", "nan"};
    assert_int_equal(data->info.classes, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(data->info.class_names[i], sorted[i]);
        assert_int_equal(data->info.class_counts[i], 8);
    }
    spur_data_close(data);
}

/* Features far from 0 beside their deviation, and very small ones, are normalised all the same. */
static void test_csv_scales(void **state) {
    (void)state;
    spur__str text;
    spur__str_init(&text, 8192);
    spur__str_puts(&text, "small,far,constant,y\n");
    for (int i = 0; i < 64; i++)
        spur__str_printf(&text, "%de-12,%d,1234.567,%d\n", i, 16000000 + i % 2, i);
    write_text("t.csv", spur__str_text(&text));
    spur__str_free(&text);
    spur_data *data = open_data("csv", OPTIONS("path", in_root("t.csv"), "val_split", "0"));
    assert_true(fabs((double)data->info.std[0] / 1e-12 - sqrt((64 * 64 - 1) / 12.0)) < 1e-4);
    assert_true(fabs((double)data->info.std[1] - 0.5) < 1e-6);
    assert_true(data->info.std[2] == 1);
    spur_data_close(data);
}

/* Columns of one name are chosen by their numbers; who names neither of them does not mind. */
static void test_csv_columns_of_one_name(void **state) {
    (void)state;
    write_text("two.csv", "a,b,a,c\n1,10,2,0\n3,30,5,1\n4,70,8,5\n");
    refuse_data("csv", OPTIONS("path", in_root("two.csv"), "target", "c, a"), SPUR_E_EXISTS,
                "data.target: columns 1 and 3 of ");
    refuse_data(
        "csv", OPTIONS("path", in_root("two.csv"), "leave_out", "a"), SPUR_E_EXISTS,
        "two.csv are both called 'a', expected a name of one column; its number chooses one");
    spur_data *data = open_data("csv", OPTIONS("path", in_root("two.csv"), "target", "3",
                                               "leave_out", "1", "val_split", "0"));
    assert_float_equal(data->kind->targets(data, 1)[0], 5.0f, 0.0f);
    assert_int_equal(data->info.channels, 2);
    spur_data_close(data);
    data = open_data("csv", OPTIONS("path", in_root("two.csv"), "target", "b", "val_split", "0"));
    assert_int_equal(data->info.channels, 3);
    spur_data_close(data);
}

static void test_csv_refused(void **state) {
    (void)state;
    write_text("gap.csv", "x,price\n1,10\n2, \n3,30\n");
    refuse_data("csv", OPTIONS("path", in_root("gap.csv")), SPUR_E_TYPE,
                "gap.csv:3:2: target '': expected a number, as 2 of the 3 targets are");
    refuse_data("csv", OPTIONS("path", in_root("gap.csv"), "task", "classification"), SPUR_E_TYPE,
                "gap.csv:3:2: an empty cell, expected a class");
    write_text("e/train.csv", "a,b,y\n1,2,3\n4,5,6\n");
    write_text("e/val.csv", "b,a,y\n2,1,3\n");
    refuse_data("csv", OPTIONS("path", in_root("e")), SPUR_E_SHAPE,
                "val.csv:1:1: column 'b', expected 'a' as in");
    write_text("t.csv", "x,y,price\n1,2,3\n4,five,6\n");
    refuse_data("csv", OPTIONS("path", in_root("t.csv")), SPUR_E_TYPE,
                "t.csv:3:2: cell 'five' of column y: expected a number");
    refuse_data("csv", OPTIONS("path", in_root("t.csv"), "target", "prize"), SPUR_E_NOTFOUND,
                "no column 'prize'; did you mean 'price'?");
    refuse_data("csv", OPTIONS("path", in_root("t.csv"), "target", "1, 1"), SPUR_E_EXISTS,
                "stands twice");
    refuse_data("csv", OPTIONS("path", in_root("none.csv")), SPUR_E_NOTFOUND, "no such file");
    write_text("t.csv", "x,y\n1,2\n3,1e39\n"); /* no float is that large */
    refuse_data("csv", OPTIONS("path", in_root("t.csv")), SPUR_E_TYPE, "t.csv:3:2: cell '1e39'");
    write_text("h.csv", "x,y,price\n");
    refuse_data("csv", OPTIONS("path", in_root("h.csv")), SPUR_E_FORMAT, "no line of data");
}

/* ---- sounds ---------------------------------------------------------------------------------- */

static void write_tone(const char *name, unsigned rate, double hz, int n) {
    static uint8_t file[44 + 2 * 40000];
    const uint8_t head[44] = "RIFF\0\0\0\0WAVEfmt \x10";
    uint32_t size = (uint32_t)(2 * n), whole = size + 36;
    memcpy(file, head, 44);
    memcpy(file + 4, &whole, 4);
    file[20] = file[22] = 1;
    memcpy(file + 24, &rate, 4);
    file[34] = 16;
    memcpy(file + 36, "data", 4);
    memcpy(file + 40, &size, 4);
    for (int i = 0; i < n; i++) {
        int16_t v = (int16_t)(20000 * sin(6.283185307 * hz * i / rate));
        memcpy(file + 44 + 2 * i, &v, 2);
    }
    write_bytes(name, file, 44 + size);
}

/* Of a tone the loudest row is the band of its pitch, whatever the rate of the file. */
static void test_audio_folder(void **state) {
    (void)state;
    spur__sample sample = {0};
    write_tone("s/low/1.wav", 8000, 400, 8000);
    write_tone("s/high/1.wav", 16000, 2000, 30000);
    write_tone("s/high/2.wav", 16000, 2000, 5000);
    spur_data *data =
        open_data("audio_folder", OPTIONS("path", in_root("s"), "sample_rate", "8000", "bands",
                                          "32", "val_split", "0", "normalization", "none"));
    assert_int_equal(data->info.height, 32);
    assert_int_equal(data->info.width, 63);
    int loudest[3];
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(data->kind->read(data, i, &sample, NULL), SPUR_OK);
        assert_int_equal(sample.audio.width, 8000);
        loudest[i] = 0;
        for (int y = 0; y < 32; y++)
            if (sample.values.data[y * 63 + 10] > sample.values.data[loudest[i] * 63 + 10])
                loudest[i] = y;
    }
    assert_int_equal(loudest[0], loudest[1]); /* both are the higher tone */
    assert_true(loudest[2] > loudest[0] + 5); /* lower pitch, lower in the picture */
    spur__sample_free(&sample);
    spur_data_close(data);
    cut_file("s/high/2.wav", 0.5);
    refuse_data("audio_folder", OPTIONS("path", in_root("s")), SPUR_E_FORMAT,
                "s/high/2.wav: cut short");
    refuse_data("audio_folder",
                OPTIONS("path", in_root("s"), "verify", "header", "normalization", "none"),
                SPUR_E_FORMAT, "s/high/2.wav: cut short");
    refuse_data("audio_folder", OPTIONS("path", in_root("s"), "low", "9000"), SPUR_E_RANGE, "Hz");
}

static void test_tones(void **state) {
    (void)state;
    spur_data *narrow = open_data("tones", OPTIONS("samples", "8", "val_samples", "0", "seconds",
                                                   "0.1", "test_samples", "0", "bands", "512"));
    assert_non_null(narrow->notes);
    assert_non_null(strstr(narrow->notes, "data.bands: 148 of 512 bands lie between"));
    spur_data_close(narrow);
    narrow = open_data("tones", OPTIONS("samples", "8", "val_samples", "0", "seconds", "0.1",
                                        "test_samples", "0"));
    assert_null(narrow->notes);
    spur_data_close(narrow);
    spur_data *data = open_data("tones", OPTIONS("samples", "16", "val_samples", "0",
                                                 "test_samples", "0", "sample_rate", "4000"));
    assert_int_equal(data->info.classes, 8);
    assert_int_equal(data->info.class_counts[7], 2);
    spur_data_close(data);
}

/* Scenes depend on seed and number alone, and hold a sensible share of roofs. */
static void test_buildings(void **state) {
    (void)state;
    spur__sample a = {0}, b = {0};
    spur_data *data = open_data("buildings", OPTIONS("samples", "12", "val_samples", "2",
                                                     "test_samples", "0", "size", "64x96"));
    spur_data *other = open_data("buildings", OPTIONS("samples", "1", "val_samples", "0",
                                                      "test_samples", "0", "size", "64x96"));
    assert_int_equal(data->info.classes, 2);
    double share = (double)data->info.class_counts[1] / (12 * 64 * 96);
    assert_true(share > 0.05 && share < 0.5);
    assert_int_equal(spur__data_read(data, 0, &a, NULL), SPUR_OK);
    assert_int_equal(spur__data_read(other, 0, &b, NULL), SPUR_OK);
    assert_memory_equal(a.image.data, b.image.data, 64 * 96 * 3);
    assert_memory_equal(a.mask.data, b.mask.data, 64 * 96);
    assert_int_equal(spur__data_read(data, 1, &b, NULL), SPUR_OK);
    assert_memory_not_equal(a.image.data, b.image.data, 64 * 96 * 3);
    spur__sample_free(&a);
    spur__sample_free(&b);
    spur_data_close(data);
    spur_data_close(other);
}

/* Every format's defaults are valid, and its options read back as they are written. */
static void test_options_of_all_formats(void **state) {
    (void)state;
    for (size_t i = 0; i < spur__dataset_family.count; i++) {
        const spur__options *table = spur__dataset_family.kinds[i]->options;
        spur_error err = {0};
        void *values = malloc(table->size);
        if (spur__options_init(table, values, &err) != SPUR_OK) fail_msg("%s", err.message);
        for (size_t k = 0; k < table->count; k++) {
            spur__str text;
            spur__str_init(&text, 4096);
            assert_non_null(table->rows[k].help);
            spur__option_format(&table->rows[k], values, &text);
            if (spur__options_set(table, values, table->rows[k].name, spur__str_text(&text),
                                  &err) != SPUR_OK)
                fail_msg("%s", err.message);
            spur__str_free(&text);
        }
        spur__options_free(table, values);
        free(values);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_image_folder, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_image_folder_splits, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_classes_called_like_splits, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_image_folder_refused, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_verify, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_remembered, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_normalization, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_imbalance, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_mnist, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_cifar10, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_csv_regression, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_csv_classes, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_csv_mixed_classes, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_csv_scales, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_csv_columns_of_one_name, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_csv_refused, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_audio_folder, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_tones, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_buildings, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_options_of_all_formats, make_root, remove_root),
    };
    return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
