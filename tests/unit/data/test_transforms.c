/* SPDX-License-Identifier: MIT
 *
 * data: what the options of transforms come to - the ranges that factors, kernels and places are drawn
 * from, by the formulas of torchvision's ColorJitter, RandomResizedCrop, RandomCrop and RandomErasing.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/transforms/mix.h"
#include "data/transforms/transforms.h"

#include "files.h"

enum { DRAWS = 600 };

/* A canvas, whose uncovered places become 0.5, and a generator. */
typedef struct fixture {
    spur__pixels pixels, spare;
    spur__canvas canvas;
    spur__rng rng;
} fixture;

static void setup(fixture *f, int height, int width, int channels, const float *values) {
    *f = (fixture){.canvas = {.fill = 0.5f}};
    f->canvas.pixels = &f->pixels;
    f->canvas.spare = &f->spare;
    f->canvas.rng = &f->rng;
    assert_int_equal(spur__pixels_shape(&f->pixels, height, width, channels, NULL), SPUR_OK);
    for (int i = 0; i < height * width * channels; i++) f->pixels.data[i] = values ? values[i] : 1;
}

static void seed(fixture *f, int draw) {
    spur__rng_init(&f->rng, 7, SPUR__STREAM_TEST, 0, (uint64_t)draw);
}

static void teardown(fixture *f) {
    spur__pixels_free(&f->pixels);
    spur__pixels_free(&f->spare);
}

/* Options from pairs of names and values. */
static spur__augment options(const char *const *pairs) {
    spur__augment augment;
    assert_int_equal(spur__options_init(&spur__augment_options, &augment, NULL), SPUR_OK);
    for (; pairs[0]; pairs += 2)
        assert_int_equal(
            spur__options_set(&spur__augment_options, &augment, pairs[0], pairs[1], NULL), SPUR_OK);
    return augment;
}

/* Runs color_jitter on one pixel of three channels; the colour that it has then. */
static void jitter(const char *how, int draw, const float from[3], float to[3]) {
    const spur__augment augment = options(OPTIONS("color_jitter", how));
    fixture f;
    setup(&f, 1, 1, 3, from);
    seed(&f, draw);
    assert_true(spur__color_jitter_enabled(&augment));
    assert_int_equal(spur__color_jitter_apply(&augment, &f.canvas, NULL), SPUR_OK);
    memcpy(to, f.pixels.data, 3 * sizeof *to);
    teardown(&f);
}

static void expect_range(double low, double high, double least, double most) {
    if (!(low >= least - 1e-5 && low < least + 0.05 * (most - least)))
        fail_msg("smallest %g, expected %g", low, least);
    if (!(high <= most + 1e-5 && high > most - 0.05 * (most - least)))
        fail_msg("largest %g, expected %g", high, most);
}

/* Factors from [1 - x, 1 + x], the hue from [-x, x] of a turn. */
static void test_ranges_of_jitter(void **state) {
    static const float grey[3] = {0.4f, 0.4f, 0.4f}, brown[3] = {0.5f, 0.3f, 0.3f},
                       red[3] = {1, 0, 0};
    double low[3] = {9, 9, 9}, high[3] = {-9, -9, -9};
    (void)state;
    for (int draw = 0; draw < DRAWS; draw++) {
        float a[3], b[3], c[3];
        jitter("0.5", draw, grey, a);
        jitter("0, 0, 0.5", draw, brown, b);
        jitter("0, 0, 0, 0.1", draw, red, c);
        assert_true(c[0] == 1 && (c[1] == 0 || c[2] == 0));
        /* a sixth of a turn from red is yellow on one side, magenta on the other */
        const double found[3] = {(double)a[0] / 0.4, (double)(b[0] - b[1]) / 0.2,
                                 (double)(c[1] - c[2]) / 6};
        for (int k = 0; k < 3; k++) {
            low[k] = fmin(low[k], found[k]);
            high[k] = fmax(high[k], found[k]);
        }
    }
    expect_range(low[0], high[0], 0.5, 1.5);
    expect_range(low[1], high[1], 0.5, 1.5);
    expect_range(low[2], high[2], -0.1, 0.1);
}

/* Brightness and contrast change places: of a bright and a dark pixel that both were brightened and are
 * not cut at 1, the contrast came first. */
static void test_order_of_jitter(void **state) {
    static const float pair[2] = {0.9f, 0.1f};
    const spur__augment augment = options(OPTIONS("color_jitter", "0.9, 0.9"));
    int first = 0;
    (void)state;
    for (int draw = 0; draw < 2 * DRAWS; draw++) {
        fixture f;
        setup(&f, 1, 2, 1, pair);
        seed(&f, draw);
        assert_int_equal(spur__color_jitter_apply(&augment, &f.canvas, NULL), SPUR_OK);
        float bright = fmaxf(f.pixels.data[0], f.pixels.data[1]);
        first += bright < 1 && f.pixels.data[0] + f.pixels.data[1] > 1.25f;
        teardown(&f);
    }
    assert_in_range(first, 15, 75);
}

/* Grey of colours with alpha, of black, and of what is grey. */
static void test_odd_colours(void **state) {
    static const float colour[4] = {1, 0.5f, 0, 0.25f}, black[3] = {0, 0, 0},
                       tones[2] = {0.5f, 0.25f};
    const spur__augment grey = options(OPTIONS("grayscale", "1"));
    const float luma = 0.2989f + 0.587f * 0.5f;
    fixture f;
    (void)state;
    for (int i = 0; i < 2; i++) {
        setup(&f, 1, 1, 4, colour);
        seed(&f, 0);
        if (i == 0)
            assert_int_equal(spur__grayscale_apply(&grey, &f.canvas, NULL), SPUR_OK);
        else
            spur__adjust_contrast(&f.pixels, 0);
        for (int c = 0; c < 3; c++) assert_true(fabsf(f.pixels.data[c] - luma) < 1e-6f);
        assert_true(f.pixels.data[3] == 0.25f);
        teardown(&f);
    }
    setup(&f, 1, 1, 3, black);
    spur__adjust_hue(&f.pixels, 0.3f);
    for (int c = 0; c < 3; c++) assert_true(f.pixels.data[c] == 0);
    teardown(&f);
    setup(&f, 1, 2, 1, tones);
    spur__adjust_saturation(&f.pixels, 0.5f);
    spur__adjust_hue(&f.pixels, 0.5f);
    assert_memory_equal(f.pixels.data, tones, sizeof tones);
    teardown(&f);
}

/* The kernel's neighbours have exp(-1 / (2 sigma^2)) of its middle. */
static void test_range_of_sigma(void **state) {
    const spur__augment augment =
        options(OPTIONS("gaussian_blur", "5", "gaussian_blur_sigma", "0.5, 1.5"));
    double low = 9, high = 0;
    (void)state;
    for (int draw = 0; draw < DRAWS; draw++) {
        float point[81] = {[40] = 1};
        fixture f;
        setup(&f, 9, 9, 1, point);
        seed(&f, draw);
        assert_int_equal(spur__gaussian_blur_apply(&augment, &f.canvas, NULL), SPUR_OK);
        double sigma = sqrt(-0.5 / log((double)(f.pixels.data[41] / f.pixels.data[40])));
        assert_true(fabsf(f.pixels.data[41] - f.pixels.data[49]) < 1e-6f);
        low = fmin(low, sigma);
        high = fmax(high, sigma);
        teardown(&f);
    }
    expect_range(low, high, 0.5, 1.5);
}

/* What is one pixel high is its own mirror image: nothing beside it comes in. */
static void test_blur_of_a_line(void **state) {
    fixture f;
    (void)state;
    setup(&f, 2, 6, 1, NULL);
    for (int i = 6; i < 12; i++) f.pixels.data[i] = 99; /* memory behind the line */
    assert_int_equal(spur__pixels_shape(&f.pixels, 1, 6, 1, NULL), SPUR_OK);
    assert_int_equal(spur__gaussian_blur(&f.canvas, 3, 1, NULL), SPUR_OK);
    for (int i = 0; i < 6; i++) assert_true(fabsf(f.pixels.data[i] - 1) < 1e-6f);
    teardown(&f);
}

/* Every place of the padded picture is taken, the outermost ones, too. */
static void test_places_of_crops(void **state) {
    enum { S = 5, PAD = 2, PLACES = 2 * PAD + 1 };
    static const char *const modes[] = {"constant", "edge"};
    (void)state;
    for (int mode = 0; mode < 2; mode++) {
        const spur__augment augment =
            options(OPTIONS("random_crop", "2", "random_crop_mode", modes[mode]));
        bool seen[PLACES][PLACES] = {{false}};
        int count = 0, filled = 0;
        for (int draw = 0; draw < DRAWS; draw++) {
            float values[S * S];
            fixture f;
            for (int i = 0; i < S * S; i++) values[i] = (float)(10 + i);
            setup(&f, S, S, 1, values);
            seed(&f, draw);
            assert_int_equal(spur__random_crop_apply(&augment, &f.canvas, NULL), SPUR_OK);
            const float *found = f.canvas.pixels->data;
            int middle = (int)found[S / 2 * S + S / 2] - 10; /* always a pixel of the picture */
            bool *place = &seen[middle / S][middle % S];
            count += !*place;
            *place = true;
            for (int i = 0; i < S * S; i++) filled += found[i] == 0.5f;
            teardown(&f);
        }
        assert_int_equal(count, PLACES * PLACES);
        assert_int_equal(filled > 0, mode == 0);
    }
}

/* Width over height, areas between the bounds, places up to all edges, also as high as the picture. */
static void test_parts_of_pictures(void **state) {
    enum { H = 40, W = 100 };
    const spur__augment wide =
        options(OPTIONS("resized_crop", "0.08, 0.5", "resized_crop_ratio", "2, 2"));
    const spur__augment high =
        options(OPTIONS("resized_crop", "0.4, 0.4", "resized_crop_ratio", "1, 1"));
    double least = 1, most = 0;
    int top = H, left = W, bottom = 0, right = 0, leftmost = W, rightmost = 0;
    (void)state;
    for (int draw = 0; draw < 4 * DRAWS; draw++) {
        spur__rng rng;
        spur__rng_init(&rng, 7, SPUR__STREAM_TEST, 0, (uint64_t)draw);
        spur__box box = spur__augment_box(&wide, H, W, &rng);
        assert_true(abs(box.width - 2 * box.height) <= 2);
        double share = (double)box.height * box.width / (H * W);
        least = fmin(least, share);
        most = fmax(most, share);
        top = box.top < top ? box.top : top;
        left = box.left < left ? box.left : left;
        bottom = box.top + box.height > bottom ? box.top + box.height : bottom;
        right = box.left + box.width > right ? box.left + box.width : right;
        box = spur__augment_box(&high, H, W, &rng);
        assert_true(box.height == H && box.width == H && box.top == 0);
        leftmost = box.left < leftmost ? box.left : leftmost;
        rightmost = box.left > rightmost ? box.left : rightmost;
    }
    expect_range(least, most, 0.075, 0.51); /* sides are whole pixels */
    assert_true(top == 0 && left == 0 && bottom == H && right == W);
    assert_true(leftmost == 0 && rightmost == W - H);
}

/* The logarithm of the shape is uniform: as many narrow as wide parts between a quarter and four. */
static void test_shapes_of_parts(void **state) {
    const spur__augment augment =
        options(OPTIONS("resized_crop", "0.05, 0.05", "resized_crop_ratio", "0.25, 4"));
    int wide = 0;
    (void)state;
    for (int draw = 0; draw < DRAWS; draw++) {
        spur__rng rng;
        spur__rng_init(&rng, 7, SPUR__STREAM_TEST, 0, (uint64_t)draw);
        spur__box box = spur__augment_box(&augment, 500, 500, &rng);
        wide += box.width > box.height;
    }
    assert_in_range(wide, DRAWS / 2 - 60, DRAWS / 2 + 60);
}

static int count_erased(const fixture *f) {
    int count = 0;
    for (int i = 0; i < f->pixels.height * f->pixels.width; i++) count += f->pixels.data[i] == 0;
    return count;
}

/* A rectangle as large as the picture is not erased; torchvision gives up, too. */
static void test_erasing_never_takes_all(void **state) {
    const spur__augment augment =
        options(OPTIONS("erasing", "1", "erasing_scale", "1, 1", "erasing_ratio", "1, 1"));
    fixture f;
    (void)state;
    for (int draw = 0; draw < 10; draw++) {
        setup(&f, 8, 8, 1, NULL);
        seed(&f, draw);
        assert_int_equal(spur__erasing_apply(&augment, &f.canvas, NULL), SPUR_OK);
        assert_int_equal(count_erased(&f), 0);
        teardown(&f);
    }
}

/* As many squares as asked for, anywhere in a picture that is no square. */
static void test_squares_of_cutout(void **state) {
    enum { H = 12, W = 48 };
    const spur__augment augment = options(OPTIONS("cutout", "2", "cutout_holes", "3"));
    int most = 0;
    bool right = false;
    (void)state;
    for (int draw = 0; draw < 100; draw++) {
        fixture f;
        setup(&f, H, W, 1, NULL);
        seed(&f, draw);
        assert_int_equal(spur__cutout_apply(&augment, &f.canvas, NULL), SPUR_OK);
        int count = count_erased(&f);
        most = count > most ? count : most;
        for (int i = 0; i < H * W; i++) right = right || (f.pixels.data[i] == 0 && i % W > 40);
        teardown(&f);
    }
    assert_int_equal(most, 3 * 2 * 2);
    assert_true(right);
}

/* Rows and columns of even and odd numbers, longer than what is swapped at once. */
static void test_flips_of_any_size(void **state) {
    static const int sizes[][2] = {{1, 1}, {2, 2}, {3, 4}, {4, 101}, {2, 200}};
    (void)state;
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++)
        for (int vertical = 0; vertical < 2; vertical++) {
            int h = sizes[k][0], w = sizes[k][1];
            spur__image mask = {0};
            fixture f;
            setup(&f, h, w, 3, NULL);
            f.canvas.mask = &mask;
            assert_int_equal(spur__image_shape(&mask, h, w, 1, NULL), SPUR_OK);
            for (int i = 0; i < h * w; i++) {
                mask.data[i] = (uint8_t)i;
                for (int c = 0; c < 3; c++) f.pixels.data[3 * i + c] = (float)(3 * i + c);
            }
            (vertical ? spur__flip_vertical : spur__flip_horizontal)(&f.canvas);
            for (int i = 0; i < h * w; i++) {
                int y = i / w, x = i % w;
                int from = vertical ? (h - 1 - y) * w + x : y * w + w - 1 - x;
                assert_int_equal(mask.data[i], (uint8_t)from);
                for (int c = 0; c < 3; c++)
                    assert_true(f.pixels.data[3 * i + c] == (float)(3 * from + c));
            }
            spur__image_free(&mask);
            teardown(&f);
        }
}

/* The weight of pixel j for output i: a triangle around the output's centre, PyTorch's antialias. */
static double weight(int i, int j, int in, int out) {
    double scale = (double)in / out, wide = scale > 1 ? scale : 1, sum = 0, own = 0;
    for (int k = 0; k < in; k++) {
        double w = fmax(0, 1 - fabs(k + 0.5 - (i + 0.5) * scale) / wide);
        sum += w;
        if (k == j) own = w;
    }
    return own / sum;
}

/* Output (y, x) of channel c by the formula. */
static double resized(const spur__image *from, spur__box box, int height, int width,
                      const int at[3]) {
    double sum = 0;
    for (int y = 0; y < box.height; y++)
        for (int x = 0; x < box.width; x++) {
            int i = ((box.top + y) * from->width + box.left + x) * from->channels + at[2];
            sum += weight(at[0], y, box.height, height) * weight(at[1], x, box.width, width) *
                   from->data[i] / 255;
        }
    return sum;
}

/* One resizer after the other picture: sizes that are the same in part, boxes, channels. */
static void test_resizing_again(void **state) {
    static const struct {
        int height, width, channels;
        spur__box box;
    } cases[] = {
        {10, 13, 3, {0, 0, 10, 13}}, {9, 13, 3, {0, 0, 9, 13}}, {10, 11, 1, {0, 0, 10, 11}},
        {12, 7, 3, {0, 0, 12, 7}},   {6, 9, 4, {0, 0, 6, 9}},   {10, 13, 4, {3, 4, 6, 7}},
        {10, 13, 1, {4, 6, 6, 7}},   {3, 4, 3, {1, 1, 2, 3}},   {1, 1, 1, {0, 0, 1, 1}},
    };
    enum { H = 6, W = 7 };
    spur__resizer resizer = {0};
    spur__image from = {0};
    spur__pixels floats = {0}, out = {0};
    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        int n = cases[k].height * cases[k].width * cases[k].channels, channels = cases[k].channels;
        assert_int_equal(spur__image_shape(&from, cases[k].height, cases[k].width, channels, NULL),
                         SPUR_OK);
        assert_int_equal(
            spur__pixels_shape(&floats, cases[k].height, cases[k].width, channels, NULL), SPUR_OK);
        for (int i = 0; i < n; i++) {
            from.data[i] = (uint8_t)(i * i * 7 + 31 * i);
            floats.data[i] = (float)from.data[i] / 255;
        }
        for (int bytes = 0; bytes < 2; bytes++) {
            spur_status status =
                bytes ? spur__resize_image(&resizer, &from, cases[k].box, H, W, &out, NULL)
                      : spur__resize_pixels(&resizer, &floats, cases[k].box, H, W, &out, NULL);
            assert_int_equal(status, SPUR_OK);
            for (int i = 0; i < H * W * channels; i++) {
                const int at[3] = {i / channels / W, i / channels % W, i % channels};
                double expected = resized(&from, cases[k].box, H, W, at);
                if (fabs((double)out.data[i] - expected) > 2e-6)
                    fail_msg("case %zu, value %d: %g, expected %g", k, i, (double)out.data[i],
                             expected);
            }
        }
    }
    spur__resizer_free(&resizer);
    spur__image_free(&from);
    spur__pixels_free(&floats);
    spur__pixels_free(&out);
}

/* Of both every batch takes one, as often the one as the other. */
static void test_mixup_or_cutmix(void **state) {
    enum { S = 16 };
    const spur__augment augment = options(OPTIONS("mixup", "50", "cutmix", "50"));
    int blended = 0, pasted = 0;
    (void)state;
    for (int draw = 0; draw < DRAWS; draw++) {
        float input[2 * S * S], last[S * S], targets[4];
        const int32_t labels[2] = {0, 1};
        const spur__mix mix = {input, targets, labels, last, 2, 2, S, S, 1};
        spur__rng rng;
        for (int i = 0; i < 2 * S * S; i++) input[i] = (float)(i / (S * S));
        spur__rng_init(&rng, 7, SPUR__STREAM_TEST, 0, (uint64_t)draw);
        spur__mix_apply(&augment, &mix, &rng);
        bool mixed = input[0] > 0 && input[0] < 1;
        blended += mixed;
        pasted += !mixed;
    }
    assert_in_range(blended, DRAWS / 2 - 60, DRAWS / 2 + 60);
    assert_in_range(pasted, DRAWS / 2 - 60, DRAWS / 2 + 60);
}

/* Moves are whole pixels: nothing is blurred by them. */
static void test_moves_are_whole(void **state) {
    enum { S = 20 };
    const spur__augment augment = options(OPTIONS("affine_translate", "0.3, 0.3"));
    (void)state;
    for (int draw = 0; draw < 50; draw++) {
        float values[S * S];
        fixture f;
        for (int i = 0; i < S * S; i++) values[i] = (float)(i % S % 2);
        setup(&f, S, S, 1, values);
        seed(&f, draw);
        f.canvas.fill = 0;
        assert_int_equal(spur__affine_apply(&augment, &f.canvas, NULL), SPUR_OK);
        for (int i = 0; i < S * S; i++) {
            float x = f.canvas.pixels->data[i];
            assert_true(fabsf(x) < 1e-4f || fabsf(x - 1) < 1e-4f);
        }
        teardown(&f);
    }
}

/* Runs a transform on a picture of one channel, where what is uncovered becomes 0; f has the result. */
static void move(fixture *f, const char *name, const char *value, int draw) {
    const spur__augment augment = options(OPTIONS(name, value));
    bool perspective = strcmp(name, "perspective") == 0;
    seed(f, draw);
    f->canvas.fill = 0;
    assert_true((perspective ? spur__perspective_enabled : spur__affine_enabled)(&augment));
    assert_int_equal(
        (perspective ? spur__perspective_apply : spur__affine_apply)(&augment, &f->canvas, NULL),
        SPUR_OK);
}

/* Degrees clockwise about the centre: by 90 the left column becomes the upper row. */
static void test_affine_turns_clockwise(void **state) {
    static const struct {
        const char *angle;
        int height, width;
    } cases[] = {{"90, 90", 7, 7}, {"180, 180", 5, 8}};
    (void)state;
    for (int k = 0; k < 2; k++) {
        int h = cases[k].height, w = cases[k].width;
        float values[49];
        fixture f;
        for (int i = 0; i < h * w; i++) values[i] = (float)i / 49;
        setup(&f, h, w, 1, values);
        move(&f, "affine", cases[k].angle, 0);
        for (int i = 0; i < h * w; i++) {
            int from = k ? h * w - 1 - i : (h - 1 - i % w) * w + i / w;
            assert_true(fabsf(f.canvas.pixels->data[i] - values[from]) < 1e-4f);
        }
        teardown(&f);
    }
}

/* Scales come from all of the range: a smaller picture covers the square of its scale. */
static void test_range_of_scales(void **state) {
    enum { S = 40 };
    double low = 9, high = 0;
    (void)state;
    for (int draw = 0; draw < DRAWS; draw++) {
        double sum = 0;
        fixture f;
        setup(&f, S, S, 1, NULL);
        move(&f, "affine_scale", "0.4, 0.8", draw);
        for (int i = 0; i < S * S; i++) sum += (double)f.canvas.pixels->data[i];
        low = fmin(low, sqrt(sum) / S);
        high = fmax(high, sqrt(sum) / S);
        teardown(&f);
    }
    expect_range(low, high, 0.4, 0.8);
}

/* A shear along x moves rows as they are, by the tangent of its angle: clockwise, so what is above the
 * middle to the right. */
static void test_shear_moves_rows(void **state) {
    enum { S = 21, MIDDLE = S / 2 };
    float values[S * S];
    fixture f;
    (void)state;
    for (int i = 0; i < S * S; i++) values[i] = i % S == MIDDLE ? (float)(1 + i / S) : 0;
    setup(&f, S, S, 1, values);
    move(&f, "affine_shear", "45, 45", 0);
    for (int y = 1; y < S - 1; y++)
        for (int x = 0; x < S; x++) {
            float expected = x == MIDDLE - (y - MIDDLE) ? (float)(1 + y) : 0;
            assert_true(fabsf(f.canvas.pixels->data[y * S + x] - expected) < 1e-2f);
        }
    teardown(&f);
}

/* Each corner moves inwards by at most distortion times half a side, half of the time. */
static void test_corners_of_perspective(void **state) {
    enum { H = 24, W = 40 };
    int changed = 0, uncovered[4] = {0};
    (void)state;
    for (int draw = 0; draw < DRAWS; draw++) {
        fixture f;
        setup(&f, H, W, 1, NULL);
        move(&f, "perspective", "0.5", draw);
        const float *found = f.canvas.pixels->data;
        changed += f.canvas.pixels == &f.spare;
        for (int y = H / 4 + 2; y < H - H / 4 - 2; y++)
            for (int x = W / 4 + 2; x < W - W / 4 - 2; x++) assert_true(found[y * W + x] > 0.999f);
        const int corners[4] = {0, W - 1, H * W - 1, (H - 1) * W};
        for (int k = 0; k < 4; k++) uncovered[k] += found[corners[k]] < 0.5f;
        teardown(&f);
    }
    assert_in_range(changed, DRAWS / 2 - 60, DRAWS / 2 + 60);
    for (int k = 0; k < 4; k++) assert_true(uncovered[k] > changed / 2);
}

/* The order is part of what is documented. */
static void test_order_of_transforms(void **state) {
    static const char *const order[] = {
        "resized_crop", "random_crop", "horizontal_flip", "vertical_flip", "affine",
        "rotation",     "perspective", "color_jitter",    "grayscale",     "gaussian_blur",
        "erasing",      "cutout",      "mixup",           "cutmix"};
    (void)state;
    assert_int_equal(spur__transform_family.count, sizeof order / sizeof order[0]);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        assert_string_equal(spur__transform_family.kinds[i]->name, order[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges_of_jitter),
        cmocka_unit_test(test_order_of_jitter),
        cmocka_unit_test(test_odd_colours),
        cmocka_unit_test(test_range_of_sigma),
        cmocka_unit_test(test_blur_of_a_line),
        cmocka_unit_test(test_places_of_crops),
        cmocka_unit_test(test_parts_of_pictures),
        cmocka_unit_test(test_shapes_of_parts),
        cmocka_unit_test(test_erasing_never_takes_all),
        cmocka_unit_test(test_squares_of_cutout),
        cmocka_unit_test(test_flips_of_any_size),
        cmocka_unit_test(test_resizing_again),
        cmocka_unit_test(test_mixup_or_cutmix),
        cmocka_unit_test(test_moves_are_whole),
        cmocka_unit_test(test_affine_turns_clockwise),
        cmocka_unit_test(test_range_of_scales),
        cmocka_unit_test(test_shear_moves_rows),
        cmocka_unit_test(test_corners_of_perspective),
        cmocka_unit_test(test_order_of_transforms),
    };
    return cmocka_run_group_tests_name("transforms", tests, NULL, NULL);
}
