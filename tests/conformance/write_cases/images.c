/* SPDX-License-Identifier: MIT
 *
 * Images: every number of channels, bytes and floats, both layouts, boxes, batches that change in size,
 * files that are encoded already, and an animation.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cases.h"

enum { HEIGHT = 5, WIDTH = 7, MOST = 5 * HEIGHT * WIDTH * 4, FRAMES = 4 };

/* Pixel [k][y][x][c] of a step. */
static uint8_t pixel(int k, int y, int x, int c, int step) {
    return (uint8_t)((37 * k + 11 * y + 5 * x + 71 * c + 13 * step) % 256);
}

static spur_log_images fill(uint8_t *to, int count, int channels, int step) {
    size_t i = 0;
    for (int k = 0; k < count; k++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                for (int c = 0; c < channels; c++) to[i++] = pixel(k, y, x, c, step);
    return (spur_log_images){.pixels = count ? to : NULL,
                             .count = count,
                             .height = HEIGHT,
                             .width = WIDTH,
                             .channels = channels};
}

static void put(spur_writer *writer, const char *tag, int step, int count, int channels, int most) {
    uint8_t bytes[MOST];
    spur_log_images images = fill(bytes, count, channels, step);
    OK(spur_log_image(writer, tag, step, &images,
                      &(spur_log_image_options){
                          .max_outputs = most,
                          .log = {.wall_time = CASE_TIME(step), .description = "*pixels*"}}));
}

/* j / 255 as float and as double, and what lies outside of [0, 1]. */
static void floats(spur_writer *writer) {
    float f[256 + 4];
    double d[256 + 4];
    for (int j = 0; j < 256; j++) {
        f[j] = (float)j / 255.0f;
        d[j] = j / 255.0;
    }
    const double outside[] = {-0.25, 1.25, NAN, INFINITY};
    for (int j = 0; j < 4; j++) {
        f[256 + j] = (float)outside[j];
        d[256 + j] = outside[j];
    }
    const spur_log_image_options options = {.log = {.wall_time = CASE_TIME(0)}};
    spur_log_images images = {
        .pixels = f, .type = SPUR_LOG_F32, .count = 1, .height = 10, .width = 26, .channels = 1};
    OK(spur_log_image(writer, "float32", 0, &images, &options));
    images.pixels = d;
    images.type = SPUR_LOG_F64;
    OK(spur_log_image(writer, "float64", 0, &images, &options));
}

/* The same pixels plane by plane, and two boxes on the second of two gray images. */
static void planes_and_boxes(spur_writer *writer) {
    uint8_t bytes[MOST], planes[HEIGHT * WIDTH * 3];
    spur_log_image_options options = {.log = {.wall_time = CASE_TIME(0)}};
    spur_log_images images = fill(bytes, 1, 3, 0);
    for (int i = 0; i < HEIGHT * WIDTH * 3; i++) planes[i % 3 * HEIGHT * WIDTH + i / 3] = bytes[i];
    images.pixels = planes;
    images.channels_first = true;
    OK(spur_log_image(writer, "channels_first", 0, &images, &options));
    const spur_log_box boxes[] = {
        {.image = 1, .left = 1, .top = 0, .right = 4, .bottom = 4},
        {.image = 1, .left = 3, .top = 2, .right = 99, .bottom = 99, .color = {0, 255, 9}}};
    images = fill(bytes, 2, 1, 0);
    options.boxes = boxes;
    options.box_count = 2;
    OK(spur_log_image(writer, "boxes", 0, &images, &options));
}

static void encoded(spur_writer *writer, const char *samples, const char *type) {
    static uint8_t bytes[65536];
    char path[1024], tag[64];
    snprintf(path, sizeof path, "%s/sample.%s", samples, type);
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    spur_log_bytes image = {bytes, fread(bytes, 1, sizeof bytes, file)};
    fclose(file);
    snprintf(tag, sizeof tag, "encoded/%s", type);
    OK(spur_log_image_encoded(writer, tag, 2, &image, 1,
                              &(spur_log_image_options){.log = {.wall_time = CASE_TIME(2)}}));
}

void case_images(const char *root, const char *samples) {
    spur_writer *writer = case_open(root, "images");
    const char *by_channels[] = {"gray", "gray_alpha", "rgb", "rgba"};
    for (int c = 1; c <= 4; c++)
        for (int step = 0; step < 3; step++) put(writer, by_channels[c - 1], step, 1, c, 0);
    const int counts[] = {1, 3, 2, 0};
    for (int step = 0; step < 4; step++) put(writer, "batch", step, counts[step], 3, 0);
    put(writer, "five", 0, 5, 3, 0);
    put(writer, "all_five", 0, 5, 3, 8);
    for (int step = 0; step < 12; step++) put(writer, "twelve_steps", step, 1, 1, 0);
    floats(writer);
    planes_and_boxes(writer);
    encoded(writer, samples, "png");
    encoded(writer, samples, "jpg");
    encoded(writer, samples, "gif");
    uint8_t bytes[MOST];
    spur_log_images frames = fill(bytes, FRAMES, 3, 0);
    OK(spur_log_animation(
        writer, "animation", 1, &frames,
        &(spur_log_animation_options){.frames_per_second = 8, .log = {.wall_time = CASE_TIME(1)}}));
    case_close(writer);
}
