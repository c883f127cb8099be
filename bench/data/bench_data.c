/* SPDX-License-Identifier: MIT
 *
 * Images per second of the loader: bench_data DIR [WORKERS]
 *                                  bench_data FORMAT DIR SIZE [WORKERS]
 *
 * The first form makes a folder of 400 JPEG pictures of 375 x 500 in DIR, once, and measures what a
 * training sees: decode, crop and resize to 224 x 224, flip, normalise (`peer.py DIR` does the same
 * with torchvision); then the parts of it, and the small formats. The second form measures data that
 * are there, flipped, as in bench_data image_folder photos 32x32. Each figure is the median of five
 * epochs; the first epoch, which fills caches, is not counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <spur/data.h>

#include "base/clock.h"
#include "base/file.h"
#include "data/dataset.h"

enum { FILES = 400, HEIGHT = 375, WIDTH = 500, EPOCHS = 5 };

static void die(const spur_error *err) {
    fprintf(stderr, "bench_data: %s\n", err->message);
    exit(1);
}

static void write_jpeg(const char *path, const spur__image *image) {
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr manager;
    FILE *file = fopen(path, "wb");
    if (!file) {
        perror(path);
        exit(1);
    }
    info.err = jpeg_std_error(&manager);
    jpeg_create_compress(&info);
    jpeg_stdio_dest(&info, file);
    info.image_width = WIDTH;
    info.image_height = HEIGHT;
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, 90, TRUE);
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < HEIGHT) {
        JSAMPROW row = image->data + (size_t)info.next_scanline * WIDTH * 3;
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    fclose(file);
}

/* Aerial scenes as JPEG files in DIR/train/{a,b}. */
static void make_files(const char *folder) {
    const char *const plain[] = {
        "size", "375x500",       "samples", "400",   "val_samples", "0", "test_samples",
        "0",    "normalization", "none",    "cache", "0",           NULL};
    spur_error err = {0};
    spur__sample sample = {0};
    spur_data *data;
    char path[1200];
    snprintf(path, sizeof path, "%s/train/b/0399.jpg", folder);
    if (spur__exists(path)) return;
    if (spur_data_open(&data, "buildings", plain, &err) != SPUR_OK) die(&err);
    for (uint32_t i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "%s/train/%s", folder, i % 2 ? "b" : "a");
        if (spur__mkdirs(path, &err) != SPUR_OK) die(&err);
        if (spur__data_read(data, i, &sample, &err) != SPUR_OK) die(&err);
        snprintf(path, sizeof path, "%s/train/%s/%04u.jpg", folder, i % 2 ? "b" : "a", i);
        write_jpeg(path, &sample.image);
    }
    spur__sample_free(&sample);
    spur_data_close(data);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median images per second over EPOCHS epochs. */
static void measure(const char *what, const char *format, const char *const *options,
                    const char *const *augment, int workers) {
    spur_error err = {0};
    spur_data *data;
    spur_loader *loader;
    spur_batch batch;
    double rates[EPOCHS];
    spur_loader_options o = {.batch_size = 32, .workers = workers, .augment = augment};
    if (spur_data_open(&data, format, options, &err) != SPUR_OK) die(&err);
    if (spur_loader_create(&loader, data, SPUR_SPLIT_TRAIN, &o, &err) != SPUR_OK) die(&err);
    for (int epoch = -1; epoch < EPOCHS; epoch++) {
        size_t images = 0;
        uint64_t start = spur__monotonic_ns();
        while (spur_loader_next(loader, &batch, &err) == SPUR_OK) images += batch.count;
        double seconds = (double)(spur__monotonic_ns() - start) * 1e-9;
        if (epoch >= 0) rates[epoch] = (double)images / seconds;
    }
    qsort(rates, EPOCHS, sizeof *rates, by_value);
    printf("%-44s %9.0f images/s\n", what, rates[EPOCHS / 2]);
    spur_loader_destroy(loader);
    spur_data_close(data);
}

static int measure_given(int argc, char **argv) {
    const char *const flip[] = {"horizontal_flip", "0.5", NULL};
    const char *const given[] = {"path", argv[2], "size", argv[3], "verify", "off", NULL};
    measure(argv[2], argv[1], given, flip, argc > 4 ? (int)strtol(argv[4], NULL, 10) : 2);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 4 || argc == 5) return measure_given(argc, argv);
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: bench_data DIR [WORKERS] | FORMAT DIR SIZE [WORKERS]\n");
        return 2;
    }
    int workers = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 2;
    if (workers < 1) workers = -1;
    make_files(argv[1]);
    const char *const crop[] = {"resized_crop", "0.08, 1", "horizontal_flip", "0.5", NULL};
    const char *const turn[] = {"rotation", "10", "color_jitter", "0.2", NULL};
    const char *const flip[] = {"horizontal_flip", "0.5", NULL};
    const char *const files[] = {"path",     argv[1],     "size", "224",    "normalization",
                                 "imagenet", "val_split", "0",    "verify", "off",
                                 "cache",    "0",         NULL};
    const char *const whole[] = {"path",     argv[1],     "size", "375x500", "normalization",
                                 "imagenet", "val_split", "0",    "verify",  "off",
                                 "cache",    "0",         NULL};
    const char *const kept[] = {"path",          argv[1],    "size",      "224",
                                "normalization", "imagenet", "val_split", "0",
                                "verify",        "off",      NULL};
    const char *const shapes[] = {"size", "48", NULL};
    const char *const scenes[] = {"samples", "200", "val_samples", "0", NULL};
    printf("%d worker(s)\n", workers > 0 ? workers : 0);
    measure("JPEG 375x500, crop to 224, flip", "image_folder", files, crop, workers);
    measure("JPEG 375x500, resize to 224", "image_folder", files, NULL, workers);
    measure("JPEG 375x500, decode and normalise", "image_folder", whole, NULL, workers);
    measure("kept in memory, crop to 224, flip", "image_folder", kept, crop, workers);
    measure("shapes 48x48, rotation and brightness", "shapes", shapes, turn, workers);
    measure("buildings 128x128 and masks, flip", "buildings", scenes, flip, workers);
    return 0;
}
