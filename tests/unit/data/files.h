/* SPDX-License-Identifier: MIT
 *
 * Files for the tests of data: a temporary folder that also holds the cache, and writers of small
 * pictures, tables and sounds. Include after cmocka.h.
 */
#ifndef SPUR_TESTS_DATA_FILES_H
#define SPUR_TESTS_DATA_FILES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jpeglib.h>
#include <png.h>

#include <spur/data.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/dataset.h"

static char root[256]; /* of the test that runs */

static inline int make_root(void **state) {
    (void)state;
    snprintf(root, sizeof root, "/tmp/spur_data_XXXXXX");
    if (!mkdtemp(root)) return -1;
    setenv("XDG_CACHE_HOME", root, 1);
    return 0;
}

static inline int remove_root(void **state) {
    char command[300];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

/* root/name; valid until the 16th call after this one. Folders above it are made. */
static inline const char *in_root(const char *name) {
    static char paths[16][512];
    static int turn;
    char *path = paths[turn++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(spur__mkdirs(path, NULL), SPUR_OK);
    *slash = '/';
    return path;
}

static inline void write_bytes(const char *name, const void *data, size_t size) {
    assert_int_equal(spur__file_write(in_root(name), data, size, NULL), SPUR_OK);
}

static inline void write_text(const char *name, const char *text) {
    write_bytes(name, text, strlen(text));
}

/* Cuts a file to a share of its length. */
static inline void cut_file(const char *name, double share) {
    struct stat info;
    const char *path = in_root(name);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(truncate(path, (off_t)((double)info.st_size * share)), 0);
}

/* A PNG whose pixel (y, x, c) is value + 3 y + 5 x + 7 c. */
static inline void write_png(const char *name, int h, int w, int c, int value) {
    spur__image image = {0};
    assert_int_equal(spur__image_shape(&image, h, w, c, NULL), SPUR_OK);
    for (int i = 0; i < h * w * c; i++)
        image.data[i] = (uint8_t)(value + 3 * (i / c / w) + 5 * (i / c % w) + 7 * (i % c));
    assert_int_equal(spur__image_write_png(in_root(name), &image, NULL), SPUR_OK);
    spur__image_free(&image);
}

/* A grey PNG with the given bytes. */
static inline void write_mask(const char *name, int h, int w, const uint8_t *values) {
    spur__image image = {0};
    assert_int_equal(spur__image_shape(&image, h, w, 1, NULL), SPUR_OK);
    memcpy(image.data, values, (size_t)(h * w));
    assert_int_equal(spur__image_write_png(in_root(name), &image, NULL), SPUR_OK);
    spur__image_free(&image);
}

/* A PNG of any type and depth from packed rows. */
static inline void write_raw_png(const char *name, int h, int w, int type, int depth,
                                 const uint8_t *rows, size_t stride) {
    static const png_color palette[4] = {{10, 20, 30}, {200, 0, 0}, {0, 200, 0}, {0, 0, 200}};
    FILE *file = fopen(in_root(name), "wb");
    assert_non_null(file);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_IHDR(png, info, (png_uint_32)w, (png_uint_32)h, depth, type, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette, 4);
    png_write_info(png, info);
    for (int y = 0; y < h; y++) png_write_row(png, rows + (size_t)y * stride);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    fclose(file);
}

/* A JPEG of one colour, quality 95: grey, RGB or CMYK by the number of its values. */
static inline void write_jpeg_colour(const char *name, int h, int w, int c, const uint8_t *colour) {
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr manager;
    uint8_t row[4 * 256];
    JSAMPROW rows[1] = {row};
    FILE *file = fopen(in_root(name), "wb");
    assert_non_null(file);
    info.err = jpeg_std_error(&manager);
    jpeg_create_compress(&info);
    jpeg_stdio_dest(&info, file);
    info.image_width = (JDIMENSION)w;
    info.image_height = (JDIMENSION)h;
    info.input_components = c;
    info.in_color_space = c == 1 ? JCS_GRAYSCALE : c == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, 95, TRUE);
    jpeg_start_compress(&info, TRUE);
    for (int i = 0; i < w * c; i++) row[i] = colour[i % c];
    while (info.next_scanline < info.image_height) jpeg_write_scanlines(&info, rows, 1);
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    fclose(file);
}

/* A JPEG all of whose values are `value`. */
static inline void write_jpeg(const char *name, int h, int w, int c, int value) {
    uint8_t colour[3];
    memset(colour, value, sizeof colour);
    write_jpeg_colour(name, h, w, c, colour);
}

/* Opens data; fails the test when that fails. Options: "name", "value", ..., NULL. */
static inline spur_data *open_data(const char *format, const char *const *options) {
    spur_data *data = NULL;
    spur_error err = {0};
    if (spur_data_open(&data, format, options, &err) != SPUR_OK) fail_msg("%s", err.message);
    return data;
}

/* Opening must fail with this status and a message that holds `text`. */
static inline void refuse_data(const char *format, const char *const *options, spur_status status,
                               const char *text) {
    spur_data *data = NULL;
    spur_error err = {0};
    assert_int_not_equal(spur_data_open(&data, format, options, &err), SPUR_OK);
    assert_null(data);
    if (!strstr(err.message, text)) fail_msg("found '%s', expected '%s'", err.message, text);
    assert_int_equal(err.status, status);
}

#define OPTIONS(...)                                                                               \
    (const char *const[]) {                                                                        \
        __VA_ARGS__, NULL                                                                          \
    }

#endif
