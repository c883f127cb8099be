/* SPDX-License-Identifier: MIT
 *
 * data: what samples are made of on their way - the limit of the cache, the middle of a long sound,
 * nearest neighbours of masks, draws of their own, and generated samples that never change.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "data/cache.h"
#include "data/pipeline.h"
#include "data/transforms/resize.h"

#include "files.h"

/* Of pictures of 300 KiB three go into one MiB, whichever come first. */
static void test_limit_of_the_cache(void **state) {
    spur__sample picture = {0}, found = {0};
    spur__cache *cache;
    (void)state;
    assert_int_equal(spur__cache_create(&cache, 6, 1, NULL), SPUR_OK);
    assert_int_equal(spur__image_shape(&picture.image, 300, 1024, 1, NULL), SPUR_OK);
    for (int i = 0; i < 6; i++) {
        memset(picture.image.data, i, 300 * 1024);
        spur__cache_store(cache, (uint32_t)i, &picture);
    }
    for (int i = 0; i < 6; i++) {
        spur_status expected = i < 3 ? SPUR_OK : SPUR_E_NOTFOUND;
        assert_int_equal(spur__cache_recall(cache, (uint32_t)i, &found, NULL), expected);
        if (i < 3) assert_int_equal(found.image.data[300 * 1024 - 1], i);
    }
    spur__sample_free(&picture);
    spur__sample_free(&found);
    spur__cache_destroy(cache);
}

/* What did not fit takes no room; what did comes back whole: pictures with masks, or values. */
static void test_what_the_cache_keeps(void **state) {
    spur__sample large = {0}, pair = {0}, values = {0}, found = {0};
    spur__cache *cache;
    (void)state;
    assert_int_equal(spur__cache_create(&cache, 4, 1, NULL), SPUR_OK);
    assert_int_equal(spur__image_shape(&large.image, 1025, 1024, 1, NULL), SPUR_OK);
    assert_int_equal(spur__image_shape(&pair.image, 3, 5, 3, NULL), SPUR_OK);
    assert_int_equal(spur__image_shape(&pair.mask, 3, 5, 1, NULL), SPUR_OK);
    assert_int_equal(spur__pixels_shape(&values.values, 2, 3, 2, NULL), SPUR_OK);
    memset(large.image.data, 1, 1025 * 1024);
    for (int i = 0; i < 45; i++) pair.image.data[i] = (uint8_t)(i * 5);
    for (int i = 0; i < 15; i++) pair.mask.data[i] = (uint8_t)(i + 100);
    for (int i = 0; i < 12; i++) values.values.data[i] = 0.5f - (float)i;
    spur__cache_store(cache, 0, &large);
    assert_int_equal(spur__cache_recall(cache, 0, &found, NULL), SPUR_E_NOTFOUND);
    spur__cache_store(cache, 1, &pair);
    spur__cache_store(cache, 2, &values);
    assert_int_equal(spur__cache_recall(cache, 1, &found, NULL), SPUR_OK);
    assert_int_equal(found.image.height * 100 + found.image.width * 10 + found.image.channels, 353);
    assert_memory_equal(found.image.data, pair.image.data, 45);
    assert_memory_equal(found.mask.data, pair.mask.data, 15);
    assert_int_equal(spur__cache_recall(cache, 2, &found, NULL), SPUR_OK);
    assert_int_equal(found.image.height, 0);
    assert_int_equal(found.values.height * 100 + found.values.width * 10 + found.values.channels,
                     232);
    assert_memory_equal(found.values.data, values.values.data, 12 * sizeof(float));
    spur__sample_free(&large);
    spur__sample_free(&pair);
    spur__sample_free(&values);
    spur__sample_free(&found);
    spur__cache_destroy(cache);
}

/* (x - mean) / std of its channel, up to the last pixel; what a crop uncovers has the value of fill. */
static void test_normalized_to_the_end(void **state) {
    static const double mean[3] = {0.1, 0.2, 0.3}, std[3] = {0.5, 0.6, 0.7};
    float input[7 * 5 * 3];
    spur__workspace w = {0};
    spur__augment augment;
    spur__rng rng;
    int filled = 0;
    (void)state;
    write_png("p/a/1.png", 7, 5, 3, 40);
    write_png("p/b/1.png", 7, 5, 3, 60);
    spur_data *data =
        open_data("image_folder", OPTIONS("path", in_root("p"), "val_split", "0", "normalization",
                                          "0.1, 0.2, 0.3, 0.5, 0.6, 0.7"));
    assert_int_equal(spur__sample_prepare(data, 0, NULL, NULL, &w, input, NULL, NULL), SPUR_OK);
    for (int i = 0; i < 7 * 5 * 3; i++) {
        int c = i % 3, byte = 40 + 3 * (i / 15) + 5 * (i / 3 % 5) + 7 * c;
        assert_true(fabs((double)input[i] - (byte / 255.0 - mean[c]) / std[c]) < 1e-6);
    }
    assert_int_equal(spur__options_init(&spur__augment_options, &augment, NULL), SPUR_OK);
    augment.random_crop = 5;
    augment.fill = 0.75;
    spur__rng_init(&rng, 2, SPUR__STREAM_TEST, 0, 0);
    assert_int_equal(spur__sample_prepare(data, 0, &augment, &rng, &w, input, NULL, NULL), SPUR_OK);
    for (int i = 0; i < 7 * 5 * 3; i++)
        filled += fabs((double)input[i] - (0.75 - mean[i % 3]) / std[i % 3]) < 1e-6;
    assert_in_range(filled, 3, 7 * 5 * 3 - 3);
    spur__workspace_free(&w);
    spur_data_close(data);
}

/* Centres of the new pixels in the old ones: between two of them the later one counts. */
static void test_nearest(void **state) {
    static const uint8_t odd[] = {1, 3}, twice[] = {0, 0, 1, 1}, inner[] = {1, 2, 2, 3};
    static const uint8_t row[] = {0, 1, 2, 3};
    spur__image from = {0}, to = {0};
    (void)state;
    assert_int_equal(spur__image_shape(&from, 1, 4, 1, NULL), SPUR_OK);
    memcpy(from.data, row, sizeof row);
    assert_int_equal(spur__resize_nearest(&from, (spur__box){0, 0, 1, 4}, 1, 2, &to, NULL),
                     SPUR_OK);
    assert_memory_equal(to.data, odd, sizeof odd);
    assert_int_equal(spur__resize_nearest(&from, (spur__box){0, 0, 1, 2}, 1, 4, &to, NULL),
                     SPUR_OK);
    assert_memory_equal(to.data, twice, sizeof twice);
    assert_int_equal(spur__resize_nearest(&from, (spur__box){0, 1, 1, 3}, 1, 4, &to, NULL),
                     SPUR_OK);
    assert_memory_equal(to.data, inner, sizeof inner);
    /* The same along a column. */
    assert_int_equal(spur__image_shape(&from, 4, 1, 1, NULL), SPUR_OK);
    memcpy(from.data, row, sizeof row);
    assert_int_equal(spur__resize_nearest(&from, (spur__box){1, 0, 3, 1}, 4, 1, &to, NULL),
                     SPUR_OK);
    assert_memory_equal(to.data, inner, sizeof inner);
    spur__image_free(&from);
    spur__image_free(&to);
}

/* Sample i has the value i: 100 a second, of which one second is asked for. */
static void write_ramp(const char *name, int count) {
    uint8_t file[44 + 2 * 1000] = {0};
    const uint32_t rate = 1000, bytes = 2 * (uint32_t)count;
    assert_in_range(count, 0, 1000);
    memcpy(file, "RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0", 24);
    memcpy(file + 24, &rate, 4);
    file[28] = (uint8_t)(2 * rate), file[29] = (uint8_t)(2 * rate >> 8);
    file[32] = 2;
    file[34] = 16;
    memcpy(file + 36, "data", 4);
    memcpy(file + 40, &bytes, 4);
    for (int i = 0; i < count; i++) {
        int16_t value = (int16_t)i;
        memcpy(file + 44 + 2 * i, &value, 2);
    }
    write_bytes(name, file, 44 + bytes);
}

/* Of a long sound the middle is taken; behind a short one there is silence. */
static void test_middle_of_a_sound(void **state) {
    spur__sample sample = {0};
    (void)state;
    write_ramp("s/a/long.wav", 801);
    write_ramp("s/b/short.wav", 300);
    spur_data *data =
        open_data("audio_folder", OPTIONS("path", in_root("s"), "sample_rate", "1000", "seconds",
                                          "0.5", "bands", "8", "val_split", "0", "low", "0", "high",
                                          "500", "normalization", "none"));
    assert_int_equal(data->kind->read(data, 0, &sample, NULL), SPUR_OK);
    assert_int_equal(sample.audio.width, 500);
    for (int i = 0; i < 500; i++) /* (801 - 500) / 2 are left out before it */
        assert_true(sample.audio.data[i] == (float)(150 + i) / 32768);
    assert_int_equal(data->kind->read(data, 1, &sample, NULL), SPUR_OK);
    assert_int_equal(sample.audio.width, 500);
    for (int i = 0; i < 500; i++)
        assert_true(sample.audio.data[i] == (i < 300 ? (float)i / 32768 : 0));
    spur_data_close(data);
    /* At twice the rate there are values half-way between. */
    data = open_data("audio_folder", OPTIONS("path", in_root("s"), "sample_rate", "2000", "seconds",
                                             "0.5", "bands", "8", "val_split", "0", "low", "0",
                                             "high", "500", "normalization", "none"));
    assert_int_equal(data->kind->read(data, 1, &sample, NULL), SPUR_OK);
    assert_int_equal(sample.audio.width, 1000);
    for (int i = 40; i < 520; i++)
        assert_true(fabsf(sample.audio.data[i] - (float)i / 2 / 32768) < 3e-5f);
    spur__sample_free(&sample);
    spur_data_close(data);
}

/* A sampler that repeats samples changes each of them in another way, also in different batches. */
static void test_draws_of_their_own(void **state) {
    static const char *const augment[] = {"random_crop", "12", NULL};
    spur_loader *loader;
    spur_batch batch;
    (void)state;
    write_png("p/a/1.png", 24, 24, 1, 1);
    write_png("p/b/1.png", 24, 24, 1, 2);
    write_png("p/b/2.png", 24, 24, 1, 3);
    spur_data *data = open_data(
        "image_folder", OPTIONS("path", in_root("p"), "val_split", "0", "normalization", "none"));
    size_t floats = (size_t)(data->info.height * data->info.width * data->info.channels);
    float *inputs = spur__malloc_array(3 * floats, sizeof *inputs);
    assert_non_null(inputs);
    for (int apart = 0; apart < 2; apart++) {
        const spur_loader_options options = {.batch_size = apart ? 1 : 3,
                                             .workers = 1,
                                             .seed = 5,
                                             .sampler = "weighted",
                                             .augment = augment};
        assert_int_equal(spur_loader_create(&loader, data, SPUR_SPLIT_TRAIN, &options, NULL),
                         SPUR_OK);
        int pairs = 0;
        for (int epoch = 0; epoch < 20; epoch++) {
            uint32_t samples[3];
            size_t n = 0;
            while (spur_loader_next(loader, &batch, NULL) == SPUR_OK) {
                memcpy(samples + n, batch.samples, batch.count * sizeof *samples);
                memcpy(inputs + n * floats, batch.input, batch.count * floats * sizeof *inputs);
                n += batch.count;
            }
            assert_int_equal(n, 3);
            for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < i; k++) {
                    if (samples[i] != samples[k]) continue;
                    assert_memory_not_equal(inputs + i * floats, inputs + k * floats,
                                            floats * sizeof *inputs);
                    pairs++;
                }
        }
        assert_true(pairs > 5);
        spur_loader_destroy(loader);
    }
    spur__free(inputs);
    spur_data_close(data);
}

/* The seed means the same samples on every machine and in every version. */
static void test_generated_never_change(void **state) {
    static const struct {
        const char *format;
        uint32_t crc;
    } cases[] = {{"shapes", 0x8e3c34a5}, {"buildings", 0xd6cdd3dd}, {"tones", 0xc1983993}};
    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        spur__sample sample = {0};
        uint32_t crc = 0;
        spur_data *data = open_data(cases[k].format, OPTIONS("samples", "8", "val_samples", "0",
                                                             "test_samples", "0", "seed", "7"));
        for (uint32_t i = 0; i < 8; i++) {
            assert_int_equal(data->kind->read(data, i, &sample, NULL), SPUR_OK);
            const spur__image *image = &sample.image, *mask = &sample.mask;
            crc = spur__crc32c(crc, image->data,
                               (size_t)(image->height * image->width * image->channels));
            crc = spur__crc32c(crc, mask->data, (size_t)(mask->height * mask->width));
            crc = spur__crc32c(crc, sample.audio.data, (size_t)sample.audio.width * sizeof(float));
        }
        if (crc != cases[k].crc) fail_msg("%s: found 0x%08x", cases[k].format, crc);
        spur__sample_free(&sample);
        spur_data_close(data);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit_of_the_cache),
        cmocka_unit_test(test_what_the_cache_keeps),
        cmocka_unit_test_setup_teardown(test_normalized_to_the_end, make_root, remove_root),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test_setup_teardown(test_middle_of_a_sound, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_draws_of_their_own, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_generated_never_change, make_root, remove_root),
    };
    return cmocka_run_group_tests_name("samples", tests, NULL, NULL);
}
