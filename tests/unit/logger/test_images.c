/* SPDX-License-Identifier: MIT
 *
 * Images: what is encoded decodes to the same pixels, with libpng; boxes drawn on them; sizes, limits,
 * other formats; the structure of an animation.
 */
#include "written.h"

#include <math.h>
#include <png.h>

#include "kinds/image_size.h"

enum { FIRST = 2 };

static spur_writer *begin(void **state) {
    spur_writer *w;
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    return w;
}

static written *finish(spur_writer *w) {
    char path[4096];
    snprintf(path, sizeof path, "%s", spur_writer_path(w));
    spur_writer_close(w, NULL);
    return read_written(path);
}

/* The file decodes to these pixels. */
static void assert_png(ProtobufCBinaryData file, int height, int width, int channels,
                       const uint8_t *pixels) {
    static const png_uint_32 formats[] = {0, PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB,
                                          PNG_FORMAT_RGBA};
    size_t size = (size_t)height * (size_t)width * (size_t)channels;
    uint8_t *decoded = malloc(size);
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&image, file.data, file.len));
    assert_int_equal(image.width, width);
    assert_int_equal(image.height, height);
    assert_int_equal(image.format, formats[channels]);
    assert_true(png_image_finish_read(&image, NULL, decoded, 0, NULL));
    assert_memory_equal(decoded, pixels, size);
    free(decoded);
}

static void assert_text(ProtobufCBinaryData s, const char *text) {
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.data, text, s.len);
}

static void test_bytes_of_each_channel_count(void **state) {
    enum { H = 5, W = 7 };
    uint8_t pixels[3 * H * W * 4];
    spur_writer *w = begin(state);
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37 + 11);
    for (int c = 1; c <= 4; c++) {
        spur_log_images images = {
            .pixels = pixels, .count = 3, .height = H, .width = W, .channels = c};
        assert_int_equal(spur_log_image(w, "i", c, &images, NULL), SPUR_OK);
    }
    written *got = finish(w);
    for (int c = 1; c <= 4; c++) {
        const Spur__Tb__TensorProto *t = value_at(got, FIRST + (size_t)c - 1, "images")->tensor;
        assert_int_equal(t->dtype, SPUR__TB__DATA_TYPE__DT_STRING);
        assert_shape(t, 1, 5, 0, 0);
        assert_text(t->string_val[0], "7");
        assert_text(t->string_val[1], "5");
        for (int i = 0; i < 3; i++)
            assert_png(t->string_val[2 + i], H, W, c, pixels + i * H * W * c);
    }
    forget(got);
}

static void test_compression(void **state) {
    enum { EDGE = 64 };
    uint8_t pixels[EDGE * EDGE];
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i % 61 * (i % 7));
    const spur_log_images image = {.pixels = pixels, .height = EDGE, .width = EDGE, .channels = 1};
    spur_writer *w = begin(state);
    for (int level = 1; level <= 9; level += 8)
        assert_int_equal(
            spur_log_image(w, "i", level, &image, &(spur_log_image_options){.compression = level}),
            SPUR_OK);
    written *got = finish(w);
    ProtobufCBinaryData fast = value_at(got, FIRST, "images")->tensor->string_val[2],
                        small = value_at(got, FIRST + 1, "images")->tensor->string_val[2];
    assert_true(small.len < fast.len);
    assert_png(small, EDGE, EDGE, 1, pixels);
    forget(got);
}

static void test_floats(void **state) {
    const float f[6] = {0.0f, 1.0f, 0.5f, 0.7835f, 7.0f, NAN}; /* 0.7835 * 255 is 199.8 */
    const double d[6] = {0.0, 1.0, 1.0 / 255, 254.0 / 255, INFINITY, -INFINITY};
    const uint8_t f_bytes[6] = {0, 255, 127, 200, 255, 0}, d_bytes[6] = {0, 255, 1, 254, 255, 0};
    spur_log_images images = {
        .pixels = f, .type = SPUR_LOG_F32, .count = 1, .height = 2, .width = 3, .channels = 1};
    spur_writer *w = begin(state);
    assert_int_equal(spur_log_image(w, "f", 0, &images, NULL), SPUR_OK);
    images.pixels = d;
    images.type = SPUR_LOG_F64;
    assert_int_equal(spur_log_image(w, "d", 0, &images, NULL), SPUR_OK);
    written *got = finish(w);
    assert_png(value_at(got, FIRST, "images")->tensor->string_val[2], 2, 3, 1, f_bytes);
    assert_png(value_at(got, FIRST + 1, "images")->tensor->string_val[2], 2, 3, 1, d_bytes);
    forget(got);
}

/* [c][h][w] gives the same file as [h][w][c], for bytes and floats. */
static void test_channels_first(void **state) {
    enum { H = 3, W = 5, C = 3 };
    uint8_t pixels[H * W * C], planes[2 * C * H * W];
    float numbers[2 * C * H * W];
    for (int i = 0; i < H * W * C; i++) {
        pixels[i] = (uint8_t)(i * 29 + 3);
        planes[C * H * W + i % C * H * W + i / C] = pixels[i]; /* the second image of two */
    }
    memset(planes, 0, sizeof planes / 2);
    for (int i = 0; i < 2 * C * H * W; i++) numbers[i] = (float)planes[i] / 255.0f;
    spur_log_images images = {.pixels = planes,
                              .count = 2,
                              .height = H,
                              .width = W,
                              .channels = C,
                              .channels_first = true};
    spur_writer *w = begin(state);
    assert_int_equal(spur_log_image(w, "u8", 0, &images, NULL), SPUR_OK);
    images.pixels = numbers;
    images.type = SPUR_LOG_F32;
    assert_int_equal(spur_log_image(w, "f32", 0, &images, NULL), SPUR_OK);
    written *got = finish(w);
    for (size_t i = 0; i < 2; i++)
        assert_png(value_at(got, FIRST + i, "images")->tensor->string_val[3], H, W, C, pixels);
    forget(got);
}

/* ---- boxes --------------------------------------------------------------------------------- */

/* Draws boxes on images of SIDE x SIDE gray pixels of value 10, with SPUR_OK, and decodes the file of
 * image `which`. */
enum { SIDE = 40 };

static void draw(void **state, const spur_log_box *boxes, size_t count, int which,
                 uint8_t out[SIDE][SIDE][3]) {
    uint8_t pixels[2 * SIDE * SIDE];
    memset(pixels, 10, sizeof pixels);
    spur_log_images images = {
        .pixels = pixels, .count = 2, .height = SIDE, .width = SIDE, .channels = 1};
    spur_writer *w = begin(state);
    assert_int_equal(spur_log_image(w, "i", 0, &images,
                                    &(spur_log_image_options){.boxes = boxes, .box_count = count}),
                     SPUR_OK);
    written *got = finish(w);
    ProtobufCBinaryData file =
        value_at(got, got->count - 1, "images")->tensor->string_val[2 + which];
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&image, file.data, file.len));
    assert_int_equal(image.format, PNG_FORMAT_RGB);
    assert_true(png_image_finish_read(&image, NULL, out, 0, NULL));
    forget(got);
}

static void assert_pixel(const uint8_t pixel[3], int r, int g, int b) {
    assert_int_equal(pixel[0], r);
    assert_int_equal(pixel[1], g);
    assert_int_equal(pixel[2], b);
}

/* The outline is the outermost pixels of the box, one wide, on its own image only. */
static void test_box(void **state) {
    uint8_t out[SIDE][SIDE][3];
    const spur_log_box boxes[] = {
        {.image = 1, .left = 4, .top = 6, .right = 12, .bottom = 9},
        {.image = 1, .left = 20, .top = 20, .right = 30, .bottom = 30, .color = {0, 200, 7}}};
    draw(state, boxes, 2, 0, out);
    for (int i = 0; i < SIDE * SIDE; i++) assert_pixel(out[i / SIDE][i % SIDE], 10, 10, 10);
    draw(state, boxes, 2, 1, out);
    for (int y = 0; y < SIDE / 2; y++)
        for (int x = 0; x < SIDE / 2; x++) {
            bool inside = x >= 4 && x < 12 && y >= 6 && y < 9;
            bool on = inside && (x == 4 || x == 11 || y == 6 || y == 8);
            assert_pixel(out[y][x], on ? 255 : 10, on ? 0 : 10, on ? 0 : 10);
        }
    assert_pixel(out[20][25], 0, 200, 7);
    assert_pixel(out[29][29], 0, 200, 7);
}

/* Lines grow with the image: two pixels wide from 256 on. */
static void test_box_on_a_large_image(void **state) {
    enum { LARGE = 256 };
    static uint8_t pixels[LARGE * LARGE], expected[LARGE * LARGE][3];
    for (int i = 0; i < LARGE * LARGE; i++) {
        int x = i % LARGE, y = i / LARGE;
        expected[i][0] = x < 2 || y < 2 || x >= LARGE - 2 || y >= LARGE - 2 ? 255 : 0;
    }
    const spur_log_images images = {
        .pixels = pixels, .height = LARGE, .width = LARGE, .channels = 1};
    const spur_log_box box = {.right = LARGE, .bottom = LARGE};
    spur_writer *w = begin(state);
    assert_int_equal(spur_log_image(w, "i", 0, &images,
                                    &(spur_log_image_options){.boxes = &box, .box_count = 1}),
                     SPUR_OK);
    written *got = finish(w);
    assert_png(value_at(got, FIRST, "images")->tensor->string_val[2], LARGE, LARGE, 3, *expected);
    forget(got);
}

/* What is drawn is seen where the image is transparent. */
static void test_box_on_glass(void **state) {
    uint8_t pixels[6 * 2], expected[6 * 4];
    for (int i = 0; i < 6; i++) {
        const bool on = i % 3 < 2;
        pixels[2 * i] = 10;
        pixels[2 * i + 1] = 100;
        memcpy(expected + 4 * i, on ? (uint8_t[]){255, 0, 0, 255} : (uint8_t[]){10, 10, 10, 100},
               4);
    }
    const spur_log_images images = {.pixels = pixels, .height = 2, .width = 3, .channels = 2};
    const spur_log_box box = {.right = 2, .bottom = 2};
    spur_writer *w = begin(state);
    assert_int_equal(spur_log_image(w, "i", 0, &images,
                                    &(spur_log_image_options){.boxes = &box, .box_count = 1}),
                     SPUR_OK);
    written *got = finish(w);
    assert_png(value_at(got, FIRST, "images")->tensor->string_val[2], 2, 3, 4, expected);
    forget(got);
}

/* Nothing is written beside the image, however far the box reaches, and what is inside is drawn. */
static void test_box_beyond_the_image(void **state) {
    uint8_t out[SIDE][SIDE][3];
    const spur_log_box boxes[] = {
        {.left = -1e300, .top = 5, .right = 1e300, .bottom = 1e9},
        {.left = 0, .top = 0, .right = SIDE, .bottom = SIDE},
        {.left = 90, .top = 90, .right = 91, .bottom = 99, .label = "far"}};
    draw(state, boxes, 1, 0, out);
    assert_pixel(out[5][0], 255, 0, 0);
    assert_pixel(out[5][SIDE - 1], 255, 0, 0);
    assert_pixel(out[6][0], 10, 10, 10);
    draw(state, boxes, 3, 0, out);
    assert_pixel(out[0][0], 255, 0, 0);
    assert_pixel(out[SIDE - 1][SIDE - 1], 255, 0, 0);
}

/* A label stands above its box, or inside when there is no room, and moves left at the right edge. Letters
 * are black or white, whichever is seen; characters that the font does not have take one place. */
static void test_labels(void **state) {
    uint8_t out[SIDE][SIDE][3];
    spur_log_box box = {.left = 2, .top = 20, .right = 30, .bottom = 35, .label = "I"};
    draw(state, &box, 1, 0, out);
    assert_pixel(out[11][2], 255, 0, 0);
    assert_pixel(out[10][2], 10, 10, 10); /* nine rows high */
    assert_pixel(out[11][8], 10, 10, 10); /* six columns wide */
    assert_pixel(out[15][5], 255, 255, 255); /* the letter's stroke */
    box.top = 9; /* just room enough */
    draw(state, &box, 1, 0, out);
    assert_pixel(out[0][2], 255, 0, 0);
    assert_pixel(out[10][4], 10, 10, 10);
    box = (spur_log_box){.right = 30, .bottom = 30, .label = "I", .color = {255, 255, 0}};
    draw(state, &box, 1, 0, out);
    assert_pixel(out[4][3], 0, 0, 0); /* inside, and black on yellow */
    box = (spur_log_box){.left = 38, .top = 20, .right = 40, .bottom = 30, .label = "\u00e9I"};
    draw(state, &box, 1, 0, out);
    assert_pixel(out[11][SIDE - 11], 255, 0, 0);
    assert_pixel(out[11][SIDE - 12], 10, 10, 10);
    assert_pixel(out[15][SIDE - 3], 255, 255, 255); /* the stroke of the second letter */
}

static void test_boxes_refused(void **state) {
    const uint8_t pixels[4] = {0};
    const spur_log_images images = {.pixels = pixels, .height = 2, .width = 2, .channels = 1};
    const spur_log_box bad[] = {{.right = NAN, .bottom = 1},
                                {.left = 1, .right = 1, .bottom = 1},
                                {.right = 1},
                                {.image = 1, .right = 1, .bottom = 1},
                                {.right = 1, .bottom = 1, .label = "\xff"}};
    const spur_status expected[] = {SPUR_E_NUMERIC, SPUR_E_RANGE, SPUR_E_RANGE, SPUR_E_RANGE,
                                    SPUR_E_UTF8};
    const spur_log_bytes gif = {"GIF89a\x03\x00\x02\x00...", 13};
    spur_log_image_options options = {.box_count = 1};
    spur_writer *w = begin(state);
    assert_int_equal(spur_log_image(w, "i", 0, &images, &options), SPUR_E_ARGUMENT);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.boxes = &bad[i];
        assert_int_equal(spur_log_image(w, "i", 0, &images, &options), expected[i]);
    }
    assert_int_equal(spur_log_image_encoded(w, "i", 0, &gif, 1, &options), SPUR_E_ARGUMENT);
    written *got = finish(w);
    assert_int_equal(got->count, FIRST);
    forget(got);
}

/* ---- numbers of images --------------------------------------------------------------------- */

static void test_counts(void **state) {
    const uint8_t pixels[5] = {1, 2, 3, 4, 5};
    const int counts[] = {0, 1, 5, 5, 5, 0}, limits[] = {0, 0, 0, 4, 9, 0},
              expected[] = {1, 1, 3, 4, 5, 0};
    spur_writer *w = begin(state);
    for (int i = 0; i < 6; i++) {
        spur_log_images images = {.pixels = i < 5 ? pixels : NULL,
                                  .count = counts[i],
                                  .height = 1,
                                  .width = 1,
                                  .channels = 1};
        spur_log_image_options options = {.max_outputs = limits[i]};
        assert_int_equal(spur_log_image(w, "i", i, &images, &options), SPUR_OK);
    }
    written *got = finish(w);
    for (int i = 0; i < 6; i++)
        assert_shape(value_at(got, FIRST + (size_t)i, "images")->tensor, 1, 2 + expected[i], 0, 0);
    forget(got);
}

static void test_refused(void **state) {
    const uint8_t pixels[16] = {0};
    const spur_log_images good = {
        .pixels = pixels, .count = 1, .height = 2, .width = 2, .channels = 1};
    spur_log_images bad = good;
    spur_writer *w = begin(state);
    bad.height = bad.count = 0;
    assert_int_equal(spur_log_image(w, "i", 0, &bad, NULL), SPUR_E_SHAPE);
    spur_error err;
    spur_writer_error(w, &err);
    assert_string_equal(err.message,
                        "tag \"i\", step 0: images of height 0 and width 2, expected 1 to 65535");
    bad = good;
    bad.channels = 5;
    assert_int_equal(spur_log_image(w, "i", 0, &bad, NULL), SPUR_E_SHAPE);
    bad = good;
    bad.width = 65536;
    assert_int_equal(spur_log_image(w, "i", 0, &bad, NULL), SPUR_E_SHAPE);
    bad = good;
    bad.count = -1;
    assert_int_equal(spur_log_image(w, "i", 0, &bad, NULL), SPUR_E_SHAPE);
    bad = good;
    bad.type = SPUR_LOG_I32;
    assert_int_equal(spur_log_image(w, "i", 0, &bad, NULL), SPUR_E_TYPE);
    bad = good;
    bad.pixels = NULL;
    assert_int_equal(spur_log_image(w, "i", 0, &bad, NULL), SPUR_E_ARGUMENT);
    assert_int_equal(spur_log_image(w, "i", 0, &good, &(spur_log_image_options){.compression = 10}),
                     SPUR_E_RANGE);
    assert_int_equal(spur_log_image(w, "i", 0, &good, &(spur_log_image_options){.compression = -1}),
                     SPUR_E_RANGE);
    assert_int_equal(spur_log_image(w, "i", 0, &good, &(spur_log_image_options){.max_outputs = -1}),
                     SPUR_E_RANGE);
    written *got = finish(w);
    assert_int_equal(got->count, FIRST);
    forget(got);
}

/* ---- files --------------------------------------------------------------------------------- */

static void test_encoded(void **state) {
    const unsigned char gif[] = "GIF89a\x03\x00\x02\x00...";
    /* tables of Huffman's code may stand in front of the frame, whose marker is much like theirs */
    const unsigned char jpeg[] = {0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc4, 0,
                                  9,    0,    1,    2,    3, 4, 5, 6, 0xff, 0xc0, 0,
                                  11,   8,    0,    2,    0, 3, 1, 1, 0x11};
    const unsigned char webp[] = "RIFF....WEBPVP8 ................";
    const spur_log_bytes files[] = {{gif, sizeof gif - 1}, {jpeg, sizeof jpeg}};
    const spur_log_bytes other = {webp, sizeof webp}, cut = {gif, 7}, none = {NULL, 0};
    const unsigned char wide[] = "GIF87a\x04\x00\x02\x00...";
    const unsigned char high[] = "GIF87a\x03\x00\x04\x00...";
    const spur_log_bytes mixed[] = {{gif, sizeof gif - 1}, {wide, sizeof wide - 1}};
    const spur_log_bytes taller[] = {{gif, sizeof gif - 1}, {high, sizeof high - 1}};
    spur_writer *w = begin(state);
    assert_int_equal(spur_log_image_encoded(w, "i", 0, files, 2, NULL), SPUR_OK);
    assert_int_equal(spur_log_image_encoded(w, "i", 1, &other, 1, NULL), SPUR_E_FORMAT);
    assert_int_equal(spur_log_image_encoded(w, "i", 1, &cut, 1, NULL), SPUR_E_FORMAT);
    assert_int_equal(spur_log_image_encoded(w, "i", 1, &none, 1, NULL), SPUR_E_ARGUMENT);
    assert_int_equal(spur_log_image_encoded(w, "i", 1, mixed, 2, NULL), SPUR_E_SHAPE);
    assert_int_equal(spur_log_image_encoded(w, "i", 1, taller, 2, NULL), SPUR_E_SHAPE);
    assert_int_equal(spur_log_image_encoded(w, "i", 1, NULL, 1, NULL), SPUR_E_ARGUMENT);
    written *got = finish(w);
    const Spur__Tb__TensorProto *t = value_at(got, FIRST, "images")->tensor;
    assert_text(t->string_val[0], "3");
    assert_text(t->string_val[1], "2");
    assert_int_equal(t->string_val[3].len, sizeof jpeg);
    assert_int_equal(got->count, FIRST + 1);
    forget(got);
}

/* Any prefix of a file is refused or measured, never read beyond its end (for the sanitizers). */
static void test_prefixes(void **state) {
    (void)state;
    const unsigned char jpeg[] = {0xff, 0xd8, 0xff, 0xff, 0xe0, 0, 4, 1, 2,
                                  0xff, 0xc2, 0,    11,   8,    0, 2, 0, 3};
    const char *const others[] = {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\2",
                                  "GIF87a\1\0\2\0"};
    const size_t sizes[] = {24, 10};
    int width, height;
    for (size_t n = 0; n <= sizeof jpeg; n++) {
        unsigned char *copy = malloc(n + 1);
        memcpy(copy, jpeg, n);
        spur_status expected = n == sizeof jpeg ? SPUR_OK : SPUR_E_FORMAT;
        assert_int_equal(spur__image_size(copy, n, &width, &height, NULL), expected);
        free(copy);
    }
    for (int k = 0; k < 2; k++)
        for (size_t n = 0; n <= sizes[k]; n++) {
            spur_status expected = n == sizes[k] ? SPUR_OK : SPUR_E_FORMAT;
            assert_int_equal(spur__image_size(others[k], n, &width, &height, NULL), expected);
        }
    assert_int_equal(width, 1);
    assert_int_equal(height, 2);
}

/* Markers without a length, and one that only looks like a frame's; sizes that no image has. */
static void test_odd_headers(void **state) {
    (void)state;
    const unsigned char jpeg[] = {0xff, 0xd8, 0xff, 0x01, 0xff, 0xd0, 0xff, 0xc8, 0, 9, 8, 0, 7,
                                  0,    7,    1,    1,    0xff, 0xc0, 0,    7,    8, 0, 2, 0, 3};
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {{"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x80\0\0\1\0\0\0\2", 24},
               {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\x80\0\0\2", 24},
               {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\0\2", 24},
               {"GIF87a\1\0\0\0", 10}};
    int width, height;
    assert_int_equal(spur__image_size(jpeg, sizeof jpeg, &width, &height, NULL), SPUR_OK);
    assert_true(width == 3 && height == 2);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(spur__image_size(bad[i].bytes, bad[i].size, &width, &height, NULL),
                         SPUR_E_FORMAT);
}

/* ---- animation ----------------------------------------------------------------------------- */

static uint32_t be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The order of chunks that the specification asks for, with rising sequence numbers. The frames are noise,
 * so that each takes two chunks of 8 KiB at most. */
static void test_animation(void **state) {
    enum { FRAMES = 4, EDGE = 64 };
    static uint8_t pixels[FRAMES * EDGE * EDGE * 3];
    uint32_t noise = 1;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)((noise = noise * 1664525 + 1013904223) >> 24);
    spur_log_images images = {
        .pixels = pixels, .count = FRAMES, .height = EDGE, .width = EDGE, .channels = 3};
    spur_writer *w = begin(state);
    assert_int_equal(spur_log_animation(w, "a", 0, &images,
                                        &(spur_log_animation_options){.frames_per_second = 20}),
                     SPUR_OK);
    assert_int_equal(spur_log_animation(w, "slow", 0, &images, NULL), SPUR_OK);
    for (int i = 0; i < 3; i++) {
        const spur_log_animation_options wrong = {.frames_per_second =
                                                      (double[]){1001, 0.01, NAN}[i]};
        assert_int_equal(spur_log_animation(w, "a", 1, &images, &wrong), SPUR_E_RANGE);
    }
    images.count = 0;
    images.pixels = NULL;
    assert_int_equal(spur_log_animation(w, "a", 1, &images, NULL), SPUR_E_SHAPE);
    written *got = finish(w);
    const Spur__Tb__TensorProto *t = value_at(got, FIRST, "images")->tensor;
    assert_shape(t, 1, 3, 0, 0);
    ProtobufCBinaryData file = t->string_val[2];
    assert_png(file, EDGE, EDGE, 3, pixels); /* the first frame, for who knows no animations */
    char order[64] = "";
    uint32_t sequence = 0;
    for (size_t at = 8; at < file.len; at += be32(file.data + at) + 12) {
        const uint8_t *chunk = file.data + at;
        strncat(order, (const char *)chunk + 4, 2);
        bool numbered = memcmp(chunk + 4, "fcTL", 4) == 0 || memcmp(chunk + 4, "fdAT", 4) == 0;
        if (numbered) assert_int_equal(be32(chunk + 8), sequence++);
        if (memcmp(chunk + 4, "acTL", 4) == 0) {
            assert_int_equal(be32(chunk + 8), FRAMES);
            assert_int_equal(be32(chunk + 12), 0);
        }
        if (memcmp(chunk + 4, "fcTL", 4) == 0) assert_memory_equal(chunk + 28, "\0\x32\x03\xe8", 4);
    }
    assert_string_equal(order, "IHacfcIDIDfcfdfdfcfdfdfcfdfdIE");
    file = value_at(got, FIRST + 1, "images")->tensor->string_val[2];
    const uint8_t *control = file.data + 8 + 25 + 20; /* behind IHDR and acTL */
    assert_memory_equal(control + 4, "fcTL", 4);
    assert_memory_equal(control + 28, "\0\xfa\x03\xe8", 4); /* 250 ms */
    forget(got);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_bytes_of_each_channel_count),
        TEST(test_compression),
        TEST(test_floats),
        TEST(test_channels_first),
        TEST(test_box),
        TEST(test_box_on_a_large_image),
        TEST(test_box_on_glass),
        TEST(test_box_beyond_the_image),
        TEST(test_labels),
        TEST(test_boxes_refused),
        TEST(test_counts),
        TEST(test_refused),
        TEST(test_encoded),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_odd_headers),
        TEST(test_animation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
