/* SPDX-License-Identifier: MIT
 *
 * data: less common kinds of PNG and JPEG - transparent colours, interlacing, 16 bits, masks with alpha,
 * CMYK - and files that are cut short, claim too much, or are no files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files.h"

static spur__bytes bytes;
static spur__image image;

static int teardown(void **state) {
    spur__bytes_free(&bytes);
    spur__image_free(&image);
    return remove_root(state);
}

/* Decodes a picture, whose header must say the same. */
static void good(const char *name, int h, int w, int c) {
    spur__image shape = {0};
    spur_error err = {0};
    if (spur__image_read(in_root(name), SPUR__DECODE_PICTURE, &bytes, &image, &err) != SPUR_OK)
        fail_msg("%s", err.message);
    assert_int_equal(image.height, h);
    assert_int_equal(image.width, w);
    assert_int_equal(image.channels, c);
    assert_int_equal(spur__image_read_header(in_root(name), &bytes, &shape, NULL), SPUR_OK);
    assert_int_equal(shape.height, h);
    assert_int_equal(shape.width, w);
    assert_int_equal(shape.channels, c);
}

static void labels(const char *name, int c) {
    spur_error err = {0};
    if (spur__image_read(in_root(name), SPUR__DECODE_LABELS, &bytes, &image, &err) != SPUR_OK)
        fail_msg("%s", err.message);
    assert_int_equal(image.channels, c);
}

static void bad(const char *name, spur__decode how, spur_status status, const char *text) {
    spur_error err = {0};
    assert_int_equal(spur__image_read(in_root(name), how, &bytes, &image, &err), status);
    if (!strstr(err.message, text)) fail_msg("found '%s', expected '%s'", err.message, text);
    assert_non_null(strstr(err.message, name));
}

/* A PNG with a transparent colour (`clear`, or the palette's second one), interlaced if wanted. */
static void write_clear(const char *name, int h, int w, int type, const uint8_t *rows,
                        const png_color_16 *clear, int interlace) {
    static const png_color palette[4] = {{10, 20, 30}, {200, 0, 0}, {0, 200, 0}, {0, 0, 200}};
    static const png_byte opacity[2] = {255, 7};
    int channels = type == PNG_COLOR_TYPE_RGB ? 3 : 1;
    png_bytep lines[64];
    FILE *file = fopen(in_root(name), "wb");
    assert_non_null(file);
    assert_in_range(h, 1, 64);
    for (int y = 0; y < h; y++) lines[y] = (png_bytep)rows + y * w * channels;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_IHDR(png, info, (png_uint_32)w, (png_uint_32)h, 8, type, interlace,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (type == PNG_COLOR_TYPE_PALETTE) {
        png_set_PLTE(png, info, palette, 4);
        png_set_tRNS(png, info, opacity, 2, NULL);
    } else if (clear) {
        png_set_tRNS(png, info, NULL, 0, clear);
    }
    png_write_info(png, info);
    png_write_image(png, lines);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    fclose(file);
}

/* One colour stands for no colour: such pictures have alpha. */
static void test_transparent_colours(void **state) {
    static const uint8_t grey[3] = {5, 9, 5}, rgb[6] = {1, 2, 3, 4, 5, 6}, index[3] = {0, 1, 3};
    (void)state;
    write_clear("grey.png", 1, 3, PNG_COLOR_TYPE_GRAY, grey, &(png_color_16){.gray = 9}, 0);
    good("grey.png", 1, 3, 4);
    assert_memory_equal(image.data, ((uint8_t[]){5, 5, 5, 255, 9, 9, 9, 0, 5, 5, 5, 255}), 12);
    labels("grey.png", 1);
    assert_memory_equal(image.data, grey, 3);
    write_clear("rgb.png", 1, 2, PNG_COLOR_TYPE_RGB, rgb,
                &(png_color_16){.red = 4, .green = 5, .blue = 6}, 0);
    good("rgb.png", 1, 2, 4);
    assert_memory_equal(image.data, ((uint8_t[]){1, 2, 3, 255, 4, 5, 6, 0}), 8);
    write_clear("index.png", 1, 3, PNG_COLOR_TYPE_PALETTE, index, NULL, 0);
    good("index.png", 1, 3, 4);
    assert_memory_equal(image.data, ((uint8_t[]){10, 20, 30, 255, 200, 0, 0, 7, 0, 0, 200, 255}),
                        12);
    labels("index.png", 1);
    assert_memory_equal(image.data, index, 3);
}

static void test_interlaced(void **state) {
    enum { S = 19 };
    uint8_t rows[S * S * 3];
    (void)state;
    for (int i = 0; i < S * S * 3; i++) rows[i] = (uint8_t)(i * i * 13 + i);
    write_clear("i.png", S, S, PNG_COLOR_TYPE_RGB, rows, NULL, PNG_INTERLACE_ADAM7);
    good("i.png", S, S, 3);
    assert_memory_equal(image.data, rows, sizeof rows);
}

/* v * 255 / 65535, rounded. */
static void test_sixteen_bits(void **state) {
    static const uint8_t wide[] = {0, 0x7f, 0, 0x81, 0, 0xff, 0xfe, 0xfe, 0x12, 0xf0, 0xff, 0xff};
    static const uint8_t masks[] = {0, 1, 0, 1, 0, 1, 0, 2, 0, 2, 0, 2,
                                    0, 3, 0, 3, 0, 3, 9, 9, 9, 9, 9, 9};
    (void)state;
    write_raw_png("w.png", 1, 6, PNG_COLOR_TYPE_GRAY, 16, wide, 12);
    good("w.png", 1, 6, 1);
    assert_memory_equal(image.data, ((uint8_t[]){0, 1, 1, 254, 19, 255}), 6);
    write_raw_png("w.png", 1, 3, PNG_COLOR_TYPE_RGB, 16, masks, 18);
    labels("w.png", 3);
    assert_memory_equal(image.data, ((uint8_t[]){1, 1, 1, 2, 2, 2, 3, 3, 3}), 9);
    write_raw_png("w.png", 2, 2, PNG_COLOR_TYPE_RGB, 16, masks, 12);
    bad("w.png", SPUR__DECODE_LABELS, SPUR_E_RANGE, "mask value 2313 at row 1,");
}

/* Alpha is no label. */
static void test_masks_with_alpha(void **state) {
    static const uint8_t rgba[] = {1, 1, 1, 255, 2, 2, 2, 0}, grey[] = {3, 255, 4, 0};
    (void)state;
    write_raw_png("m.png", 1, 2, PNG_COLOR_TYPE_RGB_ALPHA, 8, rgba, 8);
    labels("m.png", 3);
    assert_memory_equal(image.data, ((uint8_t[]){1, 1, 1, 2, 2, 2}), 6);
    write_raw_png("m.png", 1, 2, PNG_COLOR_TYPE_GRAY_ALPHA, 8, grey, 4);
    labels("m.png", 1);
    assert_memory_equal(image.data, ((uint8_t[]){3, 4}), 2);
}

/* All pixels are there, but not the end of the file: it may be any other part of a larger one. */
static void test_png_without_its_end(void **state) {
    struct stat info;
    (void)state;
    write_png("end.png", 6, 6, 3, 1);
    assert_int_equal(stat(in_root("end.png"), &info), 0);
    assert_int_equal(truncate(in_root("end.png"), info.st_size - 12), 0);
    bad("end.png", SPUR__DECODE_PICTURE, SPUR_E_FORMAT, "damaged PNG: the file ends too early");
}

static void test_jpeg_colours(void **state) {
    static const uint8_t colour[4] = {210, 90, 30, 0}, grey = 77;
    (void)state;
    write_jpeg_colour("c.jpg", 16, 16, 3, colour);
    good("c.jpg", 16, 16, 3);
    for (int i = 0; i < 16 * 16 * 3; i++)
        assert_in_range(image.data[i], colour[i % 3] - 3, colour[i % 3] + 3);
    write_jpeg_colour("g.jpg", 16, 16, 1, &grey);
    good("g.jpg", 16, 16, 1);
    write_jpeg_colour("k.jpg", 16, 16, 4, colour);
    bad("k.jpg", SPUR__DECODE_PICTURE, SPUR_E_UNSUPPORTED, "four colour components (CMYK)");
}

/* The bytes of a file, and where `what` first stands in it. */
static size_t find(const char *name, const char *what, size_t n) {
    assert_int_equal(spur__bytes_read(&bytes, in_root(name), NULL), SPUR_OK);
    for (size_t i = 0; i + n <= bytes.size; i++)
        if (memcmp(bytes.data + i, what, n) == 0) return i;
    fail_msg("%s: not found", name);
    return 0;
}

/* Cameras leave bytes between the markers; a header may claim any size. */
static void test_jpeg_markers(void **state) {
    uint8_t file[4096];
    (void)state;
    write_jpeg("a.jpg", 9, 11, 3, 200);
    size_t at = find("a.jpg", "\xff\xda", 2);
    memcpy(file, bytes.data, at);
    memset(file + at, 0x11, 3);
    memcpy(file + at + 3, bytes.data + at, bytes.size - at);
    write_bytes("loose.jpg", file, bytes.size + 3);
    good("loose.jpg", 9, 11, 3);
    at = find("a.jpg", "\xff\xc0", 2);
    memcpy(file, bytes.data, bytes.size);
    memcpy(file + at + 5, "\xff\xdc\xff\xdc", 4);
    write_bytes("huge.jpg", file, bytes.size);
    bad("huge.jpg", SPUR__DECODE_PICTURE, SPUR_E_RANGE, "65500 x 65500");
}

static void test_limits_of_sizes(void **state) {
    static const struct {
        uint64_t height, width;
        bool fits;
    } cases[] = {
        {1, 1, true},
        {0, 5, false},
        {5, 0, false},
        {1, SPUR__IMAGE_MAX_SIDE, true},
        {SPUR__IMAGE_MAX_SIDE, 1, true},
        {1, SPUR__IMAGE_MAX_SIDE + 1, false},
        {SPUR__IMAGE_MAX_SIDE + 1, 1, false},
        {SPUR__IMAGE_MAX_PIXELS / 16384, 16384, true},
        {SPUR__IMAGE_MAX_PIXELS / 16384 + 1, 16384, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spur_status status = spur__image_check_size("x.png", cases[i].height, cases[i].width, NULL);
        assert_int_equal(status, cases[i].fits ? SPUR_OK : SPUR_E_RANGE);
    }
}

/* A pipe is not waited for. */
static void test_what_is_no_file(void **state) {
    (void)state;
    assert_int_equal(mkfifo(in_root("pipe.png"), 0600), 0);
    bad("pipe.png", SPUR__DECODE_PICTURE, SPUR_E_TYPE, "not a regular file");
    assert_int_equal(mkdir(in_root("folder.png"), 0700), 0);
    bad("folder.png", SPUR__DECODE_PICTURE, SPUR_E_TYPE, "not a regular file");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_transparent_colours, make_root, teardown),
        cmocka_unit_test_setup_teardown(test_interlaced, make_root, teardown),
        cmocka_unit_test_setup_teardown(test_sixteen_bits, make_root, teardown),
        cmocka_unit_test_setup_teardown(test_masks_with_alpha, make_root, teardown),
        cmocka_unit_test_setup_teardown(test_png_without_its_end, make_root, teardown),
        cmocka_unit_test_setup_teardown(test_jpeg_colours, make_root, teardown),
        cmocka_unit_test_setup_teardown(test_jpeg_markers, make_root, teardown),
        cmocka_unit_test(test_limits_of_sizes),
        cmocka_unit_test_setup_teardown(test_what_is_no_file, make_root, teardown),
    };
    return cmocka_run_group_tests_name("pictures", tests, NULL, NULL);
}
