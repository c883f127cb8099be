/* SPDX-License-Identifier: MIT
 *
 * data: resizing, transforms and the log-mel picture against torchvision and PyTorch
 * (tests/golden/make_transforms.py wrote the expected values).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/formats/melspec.h"
#include "data/transforms/transforms.h"

enum { H = 10, W = 13 };

/* The formulas of make_transforms.py. */
static void make_bytes(spur__image *image) {
    assert_int_equal(spur__image_shape(image, H, W, 3, NULL), SPUR_OK);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++)
                image->data[(y * W + x) * 3 + c] =
                    (uint8_t)((y * 37 + x * 11 + c * 59 + (x * y) % 17 * 13) % 256);
}

/* A canvas with the picture (and mask), and memory for the results. */
typedef struct fixture {
    spur__image bytes, mask, spare_mask;
    spur__pixels pixels, spare;
    spur__resizer resizer;
    spur__canvas canvas;
} fixture;

static void setup(fixture *f) {
    memset(f, 0, sizeof *f);
    make_bytes(&f->bytes);
    spur__box all = {0, 0, H, W};
    assert_int_equal(spur__resize_image(&f->resizer, &f->bytes, all, H, W, &f->pixels, NULL),
                     SPUR_OK);
    assert_int_equal(spur__image_shape(&f->mask, H, W, 1, NULL), SPUR_OK);
    for (int i = 0; i < H * W; i++) f->mask.data[i] = (uint8_t)((i / W / 3 + i % W / 4) % 5);
    f->canvas = (spur__canvas){.pixels = &f->pixels,
                               .spare = &f->spare,
                               .mask = &f->mask,
                               .spare_mask = &f->spare_mask,
                               .mask_fill = 9};
}

static void teardown(fixture *f) {
    spur__image_free(&f->bytes);
    spur__image_free(&f->mask);
    spur__image_free(&f->spare_mask);
    spur__pixels_free(&f->pixels);
    spur__pixels_free(&f->spare);
    spur__resizer_free(&f->resizer);
}

/* The block called `name`; values are new memory. */
static float *expected(const char *name, int *h, int *w, int *c) {
    char word[64];
    FILE *file = fopen(SPUR_TEST_SOURCE_DIR "/golden/transforms.txt", "r");
    assert_non_null(file);
    while (fscanf(file, "%63s %d %d %d", word, h, w, c) == 4) {
        size_t n = (size_t)*h * (size_t)*w * (size_t)*c;
        float *values = malloc(n * sizeof *values);
        assert_non_null(values);
        for (size_t i = 0; i < n; i++) assert_int_equal(fscanf(file, "%f", &values[i]), 1);
        if (strcmp(word, name) == 0) {
            fclose(file);
            return values;
        }
        free(values);
    }
    fail_msg("no block %s", name);
    return NULL;
}

static void compare(const char *name, const spur__pixels *found, double bound) {
    int h, w, c;
    float *values = expected(name, &h, &w, &c);
    double worst = 0;
    assert_int_equal(found->height, h);
    assert_int_equal(found->width, w);
    assert_int_equal(found->channels, c);
    for (int i = 0; i < h * w * c; i++)
        worst = fmax(worst, fabs((double)found->data[i] - (double)values[i]));
    free(values);
    if (!(worst <= bound)) fail_msg("%s: off by %g, at most %g", name, worst, bound);
}

static void test_resize(void **state) {
    static const struct {
        const char *name;
        int height, width;
        spur__box box;
    } cases[] = {
        {"picture", H, W, {0, 0, H, W}},     {"resize_down", 6, 7, {0, 0, H, W}},
        {"resize_up", 17, 20, {0, 0, H, W}}, {"resize_mixed", 4, 20, {0, 0, H, W}},
        {"resize_box", 8, 8, {2, 3, 7, 5}},
    };
    (void)state;
    fixture f;
    setup(&f);
    spur__pixels out = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(spur__resize_image(&f.resizer, &f.bytes, cases[i].box, cases[i].height,
                                            cases[i].width, &out, NULL),
                         SPUR_OK);
        compare(cases[i].name, &out, 2e-6);
        assert_int_equal(spur__resize_pixels(&f.resizer, &f.pixels, cases[i].box, cases[i].height,
                                             cases[i].width, &out, NULL),
                         SPUR_OK);
        compare(cases[i].name, &out, 2e-6);
    }
    spur__pixels_free(&out);
    teardown(&f);
}

static void test_flips(void **state) {
    (void)state;
    fixture f;
    setup(&f);
    spur__flip_horizontal(&f.canvas);
    compare("hflip", f.canvas.pixels, 1e-6);
    assert_int_equal(f.mask.data[0], (0 / 3 + 12 / 4) % 5);
    spur__flip_horizontal(&f.canvas);
    spur__flip_vertical(&f.canvas);
    compare("vflip", f.canvas.pixels, 1e-6);
    assert_int_equal(f.mask.data[0], (9 / 3 + 0 / 4) % 5);
    teardown(&f);
}

static void test_affine(void **state) {
    static const struct {
        const char *name;
        double angle, translate[2], scale, shear[2];
        float fill;
    } cases[] = {
        {"rotate", -10, {0, 0}, 1, {0, 0}, 0.5f},
        {"rotate_back", 33, {0, 0}, 1, {0, 0}, 0},
        {"affine", 15, {2, -1}, 1.2, {8, 0}, 0.25f},
        {"affine_shear", -7, {0, 0}, 0.8, {5, -12}, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture f;
        double m[8];
        setup(&f);
        f.canvas.fill = cases[i].fill;
        spur__affine_matrix(cases[i].angle, cases[i].translate, cases[i].scale, cases[i].shear, H,
                            W, m);
        assert_int_equal(spur__warp(&f.canvas, m, NULL), SPUR_OK);
        compare(cases[i].name, f.canvas.pixels, 2e-5);
        teardown(&f);
    }
}

static void test_perspective(void **state) {
    (void)state;
    fixture f;
    double m[8];
    double from[4][2] = {{0, 0}, {W - 1, 0}, {W - 1, H - 1}, {0, H - 1}};
    double to[4][2] = {{2, 1}, {W - 2, 0}, {W - 3, H - 2}, {1, H - 1}};
    setup(&f);
    assert_true(spur__perspective_matrix(from, to, m));
    assert_int_equal(spur__warp(&f.canvas, m, NULL), SPUR_OK);
    compare("perspective", f.canvas.pixels, 5e-5);
    teardown(&f);
    double flat[4][2] = {{0, 0}, {1, 0}, {2, 0}, {3, 0}};
    assert_false(spur__perspective_matrix(from, flat, m));
}

/* The mask follows the picture: nearest neighbour, 9 where nothing was. */
static void test_mask_rotation(void **state) {
    (void)state;
    static const double zero[2] = {0, 0};
    fixture f;
    double m[8];
    spur__pixels out = {0};
    setup(&f);
    spur__affine_matrix(-30, zero, 1, zero, H, W, m);
    assert_int_equal(spur__warp(&f.canvas, m, NULL), SPUR_OK);
    assert_int_equal(spur__pixels_shape(&out, H, W, 1, NULL), SPUR_OK);
    for (int i = 0; i < H * W; i++) out.data[i] = f.canvas.mask->data[i];
    compare("mask_rotate", &out, 0);
    spur__pixels_free(&out);
    teardown(&f);
}

static void test_colours(void **state) {
    static const struct {
        const char *name;
        void (*adjust)(spur__pixels *, float);
        float by;
    } cases[] = {
        {"brightness", spur__adjust_brightness, 1.3f}, {"contrast", spur__adjust_contrast, 0.6f},
        {"saturation", spur__adjust_saturation, 1.7f}, {"hue", spur__adjust_hue, 0.2f},
        {"hue_back", spur__adjust_hue, -0.35f},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture f;
        setup(&f);
        cases[i].adjust(&f.pixels, cases[i].by);
        compare(cases[i].name, &f.pixels, 5e-6);
        teardown(&f);
    }
}

static void test_blur(void **state) {
    (void)state;
    fixture f;
    setup(&f);
    assert_int_equal(spur__gaussian_blur(&f.canvas, 5, 1.3f, NULL), SPUR_OK);
    compare("blur", f.canvas.pixels, 5e-6);
    assert_int_equal(spur__gaussian_blur(&f.canvas, 4, 1.3f, NULL), SPUR_E_RANGE);
    teardown(&f);
}

static void test_crops(void **state) {
    static const struct {
        const char *name;
        spur__pad_mode mode;
        int top, left;
    } cases[] = {{"crop_constant", SPUR__PAD_CONSTANT, 1, 5},
                 {"crop_reflect", SPUR__PAD_REFLECT, 6, 0},
                 {"crop_edge", SPUR__PAD_EDGE, 0, 6}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        fixture f;
        setup(&f);
        assert_int_equal(
            spur__shifted_crop(&f.canvas, 3, cases[i].mode, cases[i].top, cases[i].left, NULL),
            SPUR_OK);
        compare(cases[i].name, f.canvas.pixels, 1e-6);
        teardown(&f);
    }
}

static void test_melspec(void **state) {
    (void)state;
    enum { N = 1500 };
    const double pi = 3.14159265358979323846;
    float sound[N];
    spur__melspec *mel;
    spur__pixels out = {0};
    spur__melspec_config config = {
        .rate = 8000, .window = 200, .hop = 100, .bands = 16, .low = 20, .floor_db = -80};
    for (int i = 0; i < N; i++) {
        double t = i / 8000.0;
        sound[i] = (float)(0.5 * sin(2 * pi * 440 * t) + 0.2 * sin(2 * pi * (900 + 1200 * t) * t));
    }
    assert_int_equal(spur__melspec_create(&mel, &config, NULL), SPUR_OK);
    float *scratch = malloc(spur__melspec_scratch(mel) * sizeof *scratch);
    assert_int_equal(spur__melspec_run(mel, sound, N, scratch, &out, NULL), SPUR_OK);
    compare("melspec", &out, 1e-3);
    free(scratch);
    spur__pixels_free(&out);
    spur__melspec_destroy(mel);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resize),        cmocka_unit_test(test_flips),
        cmocka_unit_test(test_affine),        cmocka_unit_test(test_perspective),
        cmocka_unit_test(test_mask_rotation), cmocka_unit_test(test_colours),
        cmocka_unit_test(test_blur),          cmocka_unit_test(test_crops),
        cmocka_unit_test(test_melspec),
    };
    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
