/* SPDX-License-Identifier: MIT
 *
 * data: samplers, class weights, mixup and cutmix, and what random transforms promise.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/loader.h"
#include "data/transforms/mix.h"
#include "data/pipeline.h"
#include "data/sampler.h"

#include "files.h"

static spur_data *imbalanced(void) {
    return open_data("shapes", OPTIONS("samples", "1000", "val_samples", "0", "test_samples", "0",
                                       "classes", "4", "size", "8", "imbalance", "exp:0.04"));
}

static spur__sampler *make(const char *name, const spur_data *data, size_t limit, uint64_t seed) {
    spur__sampler *sampler;
    assert_int_equal(
        spur__sampler_create(&sampler, name, data, SPUR_SPLIT_TRAIN, limit, seed, NULL), SPUR_OK);
    return sampler;
}

static void test_shuffle(void **state) {
    (void)state;
    spur_data *data = imbalanced();
    size_t n = data->info.samples[SPUR_SPLIT_TRAIN];
    uint32_t a[1000], b[1000];
    char *seen = calloc(n, 1);
    spur__sampler *sampler = make("shuffle", data, 0, 1);
    spur__sampler_order(sampler, 0, a);
    for (size_t i = 0; i < n; i++) assert_int_equal(seen[a[i]]++, 0);
    spur__sampler_order(sampler, 1, b);
    assert_memory_not_equal(a, b, n * sizeof *a);
    spur__sampler_order(sampler, 0, b);
    assert_memory_equal(a, b, n * sizeof *a);
    spur__sampler_destroy(sampler);
    sampler = make("shuffle", data, 0, 2);
    spur__sampler_order(sampler, 0, b);
    assert_memory_not_equal(a, b, n * sizeof *a);
    spur__sampler_destroy(sampler);
    free(seen);
    spur_data_close(data);
}

/* Each class is drawn as often as any other: within five standard deviations over 40 epochs. */
static void test_weighted(void **state) {
    (void)state;
    spur_data *data = imbalanced();
    size_t n = data->info.samples[SPUR_SPLIT_TRAIN];
    uint32_t order[1000];
    double counts[4] = {0};
    spur__sampler *sampler = make("weighted", data, 0, 1);
    assert_int_equal(data->info.class_counts[3], 10);
    for (uint32_t epoch = 0; epoch < 40; epoch++) {
        spur__sampler_order(sampler, epoch, order);
        for (size_t i = 0; i < n; i++)
            counts[data->items[spur__data_item(data, SPUR_SPLIT_TRAIN, order[i])].label]++;
    }
    double draws = 40 * (double)n, bound = 5 * sqrt(draws * 0.25 * 0.75);
    for (int k = 0; k < 4; k++) assert_true(fabs(counts[k] - draws / 4) < bound);
    spur__sampler_destroy(sampler);
    spur_data_close(data);
}

/* A limit spreads over the classes instead of taking the first files. */
static void test_limit(void **state) {
    (void)state;
    spur_data *data = imbalanced();
    uint32_t order[40];
    int counts[4] = {0};
    spur__sampler *sampler = make("sequential", data, 40, 1);
    spur__sampler_order(sampler, 0, order);
    for (int i = 0; i < 40; i++) {
        assert_true(i == 0 || order[i] > order[i - 1]);
        counts[data->items[spur__data_item(data, SPUR_SPLIT_TRAIN, order[i])].label]++;
    }
    for (int k = 0; k < 3; k++) assert_true(counts[k] > 0);
    spur__sampler_destroy(sampler);
    spur_data_close(data);
}

static void test_sampler_refused(void **state) {
    (void)state;
    spur__sampler *sampler;
    spur_error err = {0};
    spur_data *data = imbalanced();
    assert_int_equal(spur__sampler_create(&sampler, "shufle", data, SPUR_SPLIT_TRAIN, 0, 1, &err),
                     SPUR_E_NOTFOUND);
    assert_non_null(strstr(err.message, "did you mean 'shuffle'?"));
    spur_data_close(data);
    write_text("t.csv", "1,2\n3,4\n5,6\n");
    data = open_data("csv", OPTIONS("path", in_root("t.csv")));
    assert_int_equal(spur__sampler_create(&sampler, "weighted", data, SPUR_SPLIT_TRAIN, 0, 1, &err),
                     SPUR_E_UNSUPPORTED);
    spur_data_close(data);
}

static void test_class_weights(void **state) {
    (void)state;
    const uint64_t counts[4] = {100, 10, 0, 90};
    float w[4];
    spur__class_weights(counts, 4, SPUR__WEIGHT_INVERSE_FREQUENCY, 0, w);
    assert_true(w[0] == 0.5f && w[1] == 5.0f && w[2] == 0 && w[3] == (float)(200.0 / 360));
    spur__class_weights(counts, 4, SPUR__WEIGHT_EFFECTIVE_NUMBER, 0, w);
    assert_true(w[0] == 1 && w[1] == 1 && w[2] == 0);
    spur__class_weights(counts, 4, SPUR__WEIGHT_EFFECTIVE_NUMBER, 0.99, w);
    double e[3] = {(1 - pow(0.99, 100)) / 0.01, (1 - pow(0.99, 10)) / 0.01,
                   (1 - pow(0.99, 90)) / 0.01};
    assert_true(fabs((double)w[1] / (double)w[0] - e[0] / e[1]) < 1e-4);
    assert_true(fabs((double)(w[0] + w[1] + w[3]) - 3) < 1e-5);
}

/* Two samples of 2 x 2 x 1, by hand. */
static void test_mixup(void **state) {
    (void)state;
    float input[8] = {0, 1, 2, 3, 10, 20, 30, 40}, targets[6], last[4];
    const int32_t labels[2] = {2, 0};
    spur__mix mix = {input, targets, labels, last, 2, 3, 2, 2, 1};
    spur__mixup(&mix, 0.75f);
    const float expected[8] = {2.5f, 5.75f, 9, 12.25f, 7.5f, 15.25f, 23, 30.75f};
    assert_memory_equal(input, expected, sizeof expected);
    const float soft[6] = {0.25f, 0, 0.75f, 0.75f, 0, 0.25f};
    assert_memory_equal(targets, soft, sizeof soft);
}

static void test_cutmix(void **state) {
    (void)state;
    float input[8] = {0, 1, 2, 3, 10, 20, 30, 40}, targets[4], last[4];
    const int32_t labels[2] = {1, 0};
    spur__mix mix = {input, targets, labels, last, 2, 2, 2, 2, 1};
    spur__cutmix(&mix, (spur__box){1, 0, 1, 1});
    const float expected[8] = {0, 1, 30, 3, 10, 20, 2, 40};
    assert_memory_equal(input, expected, sizeof expected);
    const float soft[4] = {0.25f, 0.75f, 0.75f, 0.25f};
    assert_memory_equal(targets, soft, sizeof soft);
}

/* Mean 1/2 and variance 1 / (4 (2 a + 1)) of Beta(a, a). */
static void test_beta(void **state) {
    static const double alphas[] = {0.2, 1, 4};
    (void)state;
    for (size_t k = 0; k < 3; k++) {
        enum { N = 20000 };
        double sum = 0, squares = 0, variance = 1 / (4 * (2 * alphas[k] + 1));
        for (int i = 0; i < N; i++) {
            spur__rng rng;
            spur__rng_init(&rng, 5, SPUR__STREAM_TEST, 0, (uint64_t)i);
            double x = spur__rng_beta(&rng, alphas[k]);
            assert_true(x >= 0 && x <= 1);
            sum += x;
            squares += (x - 0.5) * (x - 0.5);
        }
        assert_true(fabs(sum / N - 0.5) < 5 * sqrt(variance / N));
        assert_true(fabs(squares / N - variance) < 0.05 * variance);
    }
}

/* Under mixup and cutmix a batch has soft targets that sum to 1, and they are sometimes mixed. */
static void test_soft_targets(void **state) {
    (void)state;
    spur_loader *loader;
    spur_batch batch;
    spur_data *data = imbalanced();
    int mixed = 0;
    spur_loader_options options = {
        .batch_size = 16, .workers = 2, .augment = OPTIONS("mixup", "0.4", "cutmix", "1")};
    assert_int_equal(spur_loader_create(&loader, data, SPUR_SPLIT_TRAIN, &options, NULL), SPUR_OK);
    while (spur_loader_next(loader, &batch, NULL) == SPUR_OK)
        for (size_t i = 0; i < batch.count; i++) {
            float sum = 0;
            for (int k = 0; k < 4; k++) sum += batch.targets[4 * i + (size_t)k];
            assert_true(fabsf(sum - 1) < 1e-5f);
            mixed += batch.targets[4 * i + (size_t)batch.labels[i]] < 0.9f;
        }
    assert_true(mixed > 20);
    spur_loader_destroy(loader);
    spur_data_close(data);
}

/* Runs `pairs` over sample 0 for many epochs; counts how often the result differs from the plain. */
static int count_changes(const char *const *pairs, int epochs) {
    spur__augment augment;
    spur__workspace plain = {0}, w = {0};
    spur_data *data =
        open_data("shapes", OPTIONS("samples", "8", "val_samples", "0", "test_samples", "0", "size",
                                    "12x16", "normalization", "none"));
    float a[12 * 16 * 3], b[12 * 16 * 3];
    int changed = 0;
    assert_int_equal(spur__options_init(&spur__augment_options, &augment, NULL), SPUR_OK);
    for (; pairs[0]; pairs += 2)
        assert_int_equal(
            spur__options_set(&spur__augment_options, &augment, pairs[0], pairs[1], NULL), SPUR_OK);
    assert_int_equal(spur__augment_check(&augment, &data->info, NULL), SPUR_OK);
    assert_int_equal(spur__sample_prepare(data, 0, NULL, NULL, &plain, a, NULL, NULL), SPUR_OK);
    for (int epoch = 0; epoch < epochs; epoch++) {
        spur__rng rng;
        spur__rng_init(&rng, 1, SPUR__STREAM_AUGMENT, (uint32_t)epoch, 0);
        assert_int_equal(spur__sample_prepare(data, 0, &augment, &rng, &w, b, NULL, NULL), SPUR_OK);
        for (int i = 0; i < 12 * 16 * 3; i++) assert_true(b[i] > -6 && b[i] < 6);
        changed += memcmp(a, b, sizeof a) != 0;
    }
    spur__workspace_free(&plain);
    spur__workspace_free(&w);
    spur_data_close(data);
    return changed;
}

static void test_probabilities(void **state) {
    (void)state;
    static const char *const names[] = {"horizontal_flip", "vertical_flip", "grayscale", "erasing"};
    for (size_t k = 0; k < 4; k++) {
        assert_int_equal(count_changes(OPTIONS(names[k], "1"), 10), 10);
        assert_int_equal(count_changes(OPTIONS(names[k], "0"), 10), 0);
        assert_in_range(count_changes(OPTIONS(names[k], "0.3"), 400), 120 - 46, 120 + 46);
    }
    assert_in_range(count_changes(OPTIONS("perspective", "0.5, 0.3"), 400), 120 - 46, 120 + 46);
    assert_in_range(count_changes(OPTIONS("gaussian_blur", "5", "gaussian_blur_p", "0.3"), 400),
                    120 - 46, 120 + 46);
}

static void test_every_transform_does_something(void **state) {
    (void)state;
    assert_true(count_changes(OPTIONS("resized_crop", "0.3, 1"), 20) >= 19);
    assert_true(count_changes(OPTIONS("random_crop", "3"), 20) >= 15);
    assert_true(count_changes(OPTIONS("random_crop", "30", "random_crop_mode", "reflect"), 20) >=
                15);
    assert_int_equal(count_changes(OPTIONS("rotation", "20"), 20), 20);
    assert_int_equal(count_changes(OPTIONS("affine", "20", "affine_translate", "0.1, 0.1",
                                           "affine_scale", "0.8, 1.2", "affine_shear", "5"),
                                   20),
                     20);
    assert_int_equal(count_changes(OPTIONS("color_jitter", "0.2, 0.2, 0.2, 0.1"), 20), 20);
    assert_true(count_changes(OPTIONS("cutout", "4", "cutout_holes", "2"), 20) >= 19);
    assert_int_equal(count_changes(OPTIONS("erasing", "1", "erasing_fill", "noise"), 20), 20);
}

static void test_augment_refused(void **state) {
    static const char *const cases[][3] = {
        {"rotation", "10, 20, 30", "augment.rotation: 3 numbers"},
        {"rotation", "-5", "expected at least 0"},
        {"resized_crop", "1, 0.5", "augment.resized_crop: expected two numbers"},
        {"resized_crop_ratio", "2, 0.5", "augment.resized_crop_ratio: expected two numbers"},
        {"gaussian_blur_sigma", "2, 1", "augment.gaussian_blur_sigma: expected two numbers"},
        {"erasing_scale", "0.3, 0.2", "augment.erasing_scale: expected two numbers"},
        {"erasing_ratio", "3", "augment.erasing_ratio: expected two numbers"},
        {"affine_shear", "5, -5", "augment.affine_shear: expected two numbers"},
        {"affine_scale", "1.2, 0.8", "the smaller one first"},
        {"affine_scale", "1.2", "augment.affine_scale: expected two numbers"},
        {"affine_translate", "0.1, 0.2, 0.3", "augment.affine_translate: 3 numbers, expected 2"},
        {"perspective", "0.1, 0.2, 0.3", "augment.perspective: 3 numbers, expected 1 to 2"},
        {"color_jitter", "0.1, 0.1, 0.1, 0.7", "hue 0.7, expected at most 0.5"},
        {"gaussian_blur", "4", "4 is even"},
        {"horizontal_flip", "2", "horizontal_flip"},
        {"horizontl_flip", "0.5", "did you mean 'horizontal_flip'?"},
    };
    (void)state;
    spur_data *data = imbalanced();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spur_loader *loader;
        spur_error err = {0};
        spur_loader_options options = {.augment = OPTIONS(cases[i][0], cases[i][1])};
        assert_int_not_equal(spur_loader_create(&loader, data, SPUR_SPLIT_TRAIN, &options, &err),
                             SPUR_OK);
        if (!strstr(err.message, cases[i][2]))
            fail_msg("found '%s', expected '%s'", err.message, cases[i][2]);
    }
    spur_data_close(data);
    data = open_data("buildings", OPTIONS("samples", "2", "val_samples", "0", "test_samples", "0",
                                          "size", "32"));
    spur_loader *loader;
    spur_loader_options options = {.augment = OPTIONS("mixup", "0.2")};
    assert_int_equal(spur_loader_create(&loader, data, SPUR_SPLIT_TRAIN, &options, NULL),
                     SPUR_E_UNSUPPORTED);
    spur_data_close(data);
    write_text("t.csv", "1,2,a\n3,4,b\n");
    data = open_data("csv", OPTIONS("path", in_root("t.csv")));
    spur_error err = {0};
    options.augment = OPTIONS("horizontal_flip", "0.5");
    assert_int_equal(spur_loader_create(&loader, data, SPUR_SPLIT_TRAIN, &options, &err),
                     SPUR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "augment.horizontal_flip: these data are no pictures"));
    spur_data_close(data);
}

/* The mask takes part in every geometric transform: a picture made of its mask stays equal to it. */
static void test_masks_follow(void **state) {
    (void)state;
    enum { S = 24 };
    uint8_t mask[S * S];
    spur__image picture = {0};
    spur__augment augment;
    spur__workspace w = {0};
    assert_int_equal(spur__image_shape(&picture, S, S, 1, NULL), SPUR_OK);
    for (int i = 0; i < S * S; i++) {
        mask[i] = i / S < 11 && i % S > 5;
        picture.data[i] = mask[i] ? 255 : 0;
    }
    assert_int_equal(spur__image_write_png(in_root("s/images/a.png"), &picture, NULL), SPUR_OK);
    write_mask("s/masks/a.png", S, S, mask);
    spur_data *data = open_data(
        "segmentation", OPTIONS("path", in_root("s"), "val_split", "0", "normalization", "none"));
    static const char *const pairs[][2] = {
        {"horizontal_flip", "0.5"}, {"vertical_flip", "0.5"},  {"random_crop", "6"},
        {"resized_crop", "0.5, 1"}, {"rotation", "90"},        {"perspective", "0.4, 1"},
        {"affine", "30"},           {"affine_shear", "-5, 5"},
    };
    assert_int_equal(spur__options_init(&spur__augment_options, &augment, NULL), SPUR_OK);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_int_equal(
            spur__options_set(&spur__augment_options, &augment, pairs[i][0], pairs[i][1], NULL),
            SPUR_OK);
    for (uint32_t epoch = 0; epoch < 50; epoch++) {
        spur__rng rng;
        int differ = 0;
        spur__rng_init(&rng, 3, SPUR__STREAM_AUGMENT, epoch, 0);
        assert_int_equal(spur__sample_load(data, 0, &augment, &rng, &w, NULL), SPUR_OK);
        for (int i = 0; i < S * S; i++) differ += (w.pixels.data[i] > 0.5f) != w.mask.data[i];
        assert_true(differ < S * S / 8); /* edges only: three resamplings against nearest */
    }
    spur__workspace_free(&w);
    spur__image_free(&picture);
    spur_data_close(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shuffle, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_weighted, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_limit, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_sampler_refused, make_root, remove_root),
        cmocka_unit_test(test_class_weights),
        cmocka_unit_test(test_mixup),
        cmocka_unit_test(test_cutmix),
        cmocka_unit_test(test_beta),
        cmocka_unit_test_setup_teardown(test_soft_targets, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_probabilities, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_every_transform_does_something, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(test_augment_refused, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_masks_follow, make_root, remove_root),
    };
    return cmocka_run_group_tests_name("sampling", tests, NULL, NULL);
}
