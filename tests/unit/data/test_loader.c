/* SPDX-License-Identifier: MIT
 *
 * data: the loader's promises - the same batches for any number of workers, exact seeking, clean
 * ends at any moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <spur/data.h>

#include "base/crc32c.h"
#include "base/memory.h"
#include "data/loader.h"

static const char *const augment[] = {
    "horizontal_flip",     "0.5",         "rotation", "10", "color_jitter",
    "0.2, 0.2, 0.2, 0.05", "random_crop", "2",        NULL};

static spur_data *open_shapes(const char *samples) {
    spur_data *data;
    spur_error err = {0};
    const char *const options[] = {"samples", samples, "val_samples", "7", "test_samples",
                                   "0",       "size",  "16x20",       NULL};
    if (spur_data_open(&data, "shapes", options, &err) != SPUR_OK) fail_msg("%s", err.message);
    return data;
}

static spur_loader *make(const spur_data *data, const spur_loader_options *options) {
    spur_loader *loader;
    spur_error err = {0};
    if (spur_loader_create(&loader, data, SPUR_SPLIT_TRAIN, options, &err) != SPUR_OK)
        fail_msg("%s", err.message);
    return loader;
}

static uint32_t digest(const spur_batch *b) {
    size_t floats = b->count * (size_t)b->height * (size_t)b->width * (size_t)b->channels;
    uint32_t crc = spur__crc32c(0, b->input, floats * sizeof(float));
    crc = spur__crc32c(crc, b->labels, b->count * sizeof(int32_t));
    return spur__crc32c(crc, b->samples, b->count * sizeof(uint32_t));
}

/* Digests of the next n calls; 0 stands for the end of an epoch. */
static void collect(spur_loader *loader, uint32_t *out, size_t n) {
    spur_batch batch;
    for (size_t i = 0; i < n; i++) {
        spur_status status = spur_loader_next(loader, &batch, NULL);
        assert_true(status == SPUR_OK || status == SPUR_E_END);
        out[i] = status == SPUR_OK ? digest(&batch) : 0;
    }
}

static void test_any_number_of_workers(void **state) {
    (void)state;
    enum { CALLS = 17 };
    uint32_t expected[CALLS], found[CALLS];
    spur_data *data = open_shapes("50");
    for (int workers = -1; workers <= 5; workers++) {
        if (workers == 0) continue;
        spur_loader *loader =
            make(data, &(spur_loader_options){
                           .batch_size = 8, .workers = workers, .seed = 3, .augment = augment});
        assert_int_equal(spur_loader_batches(loader), 7);
        collect(loader, workers < 0 ? expected : found, CALLS);
        if (workers > 0) assert_memory_equal(expected, found, sizeof found);
        spur_loader_destroy(loader);
    }
    assert_int_equal(expected[7], 0);
    assert_int_equal(expected[15], 0);
    assert_int_not_equal(expected[0], expected[8]); /* another epoch, another order */
    spur_data_close(data);
}

static void test_seek_continues_exactly(void **state) {
    (void)state;
    uint32_t all[24], part[24];
    spur_data *data = open_shapes("50");
    spur_loader_options options = {.batch_size = 8, .workers = 2, .seed = 9, .augment = augment};
    spur_loader *loader = make(data, &options), *other = make(data, &options);
    collect(loader, all, 24);
    for (size_t start = 0; start < 24; start += 5) {
        uint32_t epoch;
        size_t batch;
        assert_int_equal(spur_loader_seek(loader, 0, 0, NULL), SPUR_OK);
        collect(loader, part, start);
        spur_loader_tell(loader, &epoch, &batch);
        assert_int_equal(spur_loader_seek(other, epoch, batch, NULL), SPUR_OK);
        collect(other, part, 24 - start);
        assert_memory_equal(all + start, part, (24 - start) * sizeof *part);
    }
    assert_int_equal(spur_loader_seek(loader, 0, 8, NULL), SPUR_E_RANGE);
    spur_loader_destroy(loader);
    spur_loader_destroy(other);
    spur_data_close(data);
}

static void test_every_sample_once(void **state) {
    (void)state;
    int seen[50] = {0};
    spur_batch batch;
    spur_data *data = open_shapes("50");
    spur_loader *loader = make(data, &(spur_loader_options){.batch_size = 8, .workers = 3});
    while (spur_loader_next(loader, &batch, NULL) == SPUR_OK)
        for (size_t i = 0; i < batch.count; i++) {
            seen[batch.samples[i]]++;
            assert_int_equal(batch.labels[i], batch.samples[i] % 8);
        }
    for (int i = 0; i < 50; i++) assert_int_equal(seen[i], 1);
    spur_loader_destroy(loader);
    spur_data_close(data);
}

static void test_drop_last(void **state) {
    (void)state;
    spur_batch batch;
    size_t batches = 0;
    spur_data *data = open_shapes("50");
    spur_loader *loader =
        make(data, &(spur_loader_options){.batch_size = 8, .workers = 2, .drop_last = true});
    for (; spur_loader_next(loader, &batch, NULL) == SPUR_OK; batches++)
        assert_int_equal(batch.count, 8);
    assert_int_equal(batches, 6);
    spur_loader_destroy(loader);
    spur_data_close(data);
}

/* A rest of one sample is a batch, too; a limit beyond the data is none. */
static void test_rest_of_one(void **state) {
    (void)state;
    spur_batch batch;
    spur_data *data = open_shapes("50");
    spur_loader *loader = make(data, &(spur_loader_options){.batch_size = 7, .workers = 1});
    assert_int_equal(spur_loader_batches(loader), 8);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(spur_loader_next(loader, &batch, NULL), SPUR_OK);
        assert_int_equal(batch.count, i < 7 ? 7 : 1);
    }
    spur_loader_destroy(loader);
    const spur__loader_config config = {.batch_size = 20, .limit = 1000, .workers = -1};
    assert_int_equal(spur__loader_create(&loader, data, &config, NULL), SPUR_OK);
    size_t samples = 0;
    while (spur_loader_next(loader, &batch, NULL) == SPUR_OK) samples += batch.count;
    assert_int_equal(samples, 50);
    spur_loader_destroy(loader);
    spur_data_close(data);
}

enum { SAMPLES = 50, FLOATS = 16 * 20 * 3 };

/* What one epoch has of each sample: a digest of its picture, and when it came. */
typedef struct seen {
    uint32_t pictures[SAMPLES], turns[SAMPLES];
} seen;

static seen look(const spur_data *data, size_t batch_size, uint64_t seed, int epochs) {
    seen out = {{0}, {0}};
    spur_batch batch;
    spur_loader *loader =
        make(data, &(spur_loader_options){
                       .batch_size = batch_size, .workers = 2, .seed = seed, .augment = augment});
    for (int epoch = 0; epoch < epochs; epoch++)
        for (uint32_t turn = 0; spur_loader_next(loader, &batch, NULL) == SPUR_OK;)
            for (size_t i = 0; i < batch.count; i++) {
                uint32_t sample = batch.samples[i];
                out.pictures[sample] =
                    spur__crc32c(0, batch.input + i * FLOATS, FLOATS * sizeof(float));
                out.turns[sample] = turn++;
            }
    spur_loader_destroy(loader);
    return out;
}

static int count_same(const uint32_t a[SAMPLES], const uint32_t b[SAMPLES]) {
    int same = 0;
    for (int i = 0; i < SAMPLES; i++) same += a[i] == b[i];
    return same;
}

/* How a sample is changed depends on seed, epoch and sample; not on the batch that it is in. The order
 * is another one in every epoch. */
static void test_keys_of_randomness(void **state) {
    (void)state;
    spur_data *data = open_shapes("50");
    const seen first = look(data, 8, 3, 1), other = look(data, 5, 3, 1), seed = look(data, 8, 4, 1),
               second = look(data, 8, 3, 2), third = look(data, 8, 3, 3);
    assert_int_equal(count_same(first.pictures, other.pictures), SAMPLES);
    assert_int_equal(count_same(first.turns, other.turns), SAMPLES);
    assert_in_range(count_same(first.pictures, seed.pictures), 0, 3);
    assert_in_range(count_same(first.turns, seed.turns), 0, 8);
    assert_in_range(count_same(first.pictures, second.pictures), 0, 3);
    assert_in_range(count_same(first.turns, second.turns), 0, 8);
    assert_in_range(count_same(second.turns, third.turns), 0, 8);
    spur_data_close(data);
}

/* Every batch of every epoch is mixed by a share of its own. */
static void test_shares_of_mixup(void **state) {
    (void)state;
    enum { BATCHES = 4, EPOCHS = 2, N = BATCHES * EPOCHS };
    float shares[N];
    spur_batch batch;
    spur_data *data = open_shapes("32");
    static const char *const mixup[] = {"mixup", "1", NULL};
    spur_loader *loader = make(data, &(spur_loader_options){.batch_size = 8, .augment = mixup});
    for (int n = 0; n < N;) {
        if (spur_loader_next(loader, &batch, NULL) != SPUR_OK) continue;
        shares[n] =
            1; /* the share of a sample's own class, where its neighbour is of another one */
        for (size_t i = 0; i < batch.count; i++) {
            float own = batch.targets[i * 8 + (size_t)batch.labels[i]];
            if (own < shares[n]) shares[n] = own;
        }
        n++;
    }
    for (int n = 0; n < N; n++)
        for (int k = 0; k < n; k++) assert_true(shares[n] != shares[k]);
    spur_loader_destroy(loader);
    spur_data_close(data);
}

static void test_end_at_any_moment(void **state) {
    (void)state;
    spur_batch batch;
    spur_data *data = open_shapes("200");
    for (int taken = 0; taken < 12; taken++) {
        spur_loader *loader =
            make(data, &(spur_loader_options){.batch_size = 4, .workers = 1 + taken % 4});
        for (int i = 0; i < taken; i++)
            assert_int_equal(spur_loader_next(loader, &batch, NULL), SPUR_OK);
        if (taken % 2) assert_int_equal(spur_loader_seek(loader, 5, 3, NULL), SPUR_OK);
        spur_loader_destroy(loader);
    }
    spur_loader_destroy(NULL);
    spur_data_close(data);
}

static void test_what_is_no_split(void **state) {
    (void)state;
    static const int wrong[] = {-1, SPUR_SPLIT_COUNT};
    spur_data *data = open_shapes("20");
    for (int i = 0; i < 2; i++) {
        spur_loader *loader;
        spur_error err = {0};
        assert_int_equal(spur_loader_create(&loader, data, (spur_split)wrong[i], NULL, &err),
                         SPUR_E_ARGUMENT);
        assert_null(loader);
        assert_non_null(strstr(err.message, "is no split"));
    }
    spur_data_close(data);
    assert_null(spur_data_describe(NULL));
}

static void test_empty_split(void **state) {
    (void)state;
    spur_batch batch;
    spur_data *data = open_shapes("20");
    spur_loader *loader;
    assert_int_equal(spur_loader_create(&loader, data, SPUR_SPLIT_TEST, NULL, NULL), SPUR_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(spur_loader_next(loader, &batch, NULL), SPUR_E_END);
    assert_int_equal(spur_loader_seek(loader, 7, 0, NULL), SPUR_OK);
    assert_int_equal(spur_loader_next(loader, &batch, NULL), SPUR_E_END);
    spur_loader_destroy(loader);
    spur_data_close(data);
}

/* After a warm-up no batch allocates. */
static void test_steady_state_allocates_nothing(void **state) {
    (void)state;
    spur_batch batch;
    spur_data *data = open_shapes("64");
    spur_loader *loader =
        make(data, &(spur_loader_options){.batch_size = 8, .workers = -1, .augment = augment});
    while (spur_loader_next(loader, &batch, NULL) == SPUR_OK) {
    }
    uint64_t before = spur__malloc_count();
    while (spur_loader_next(loader, &batch, NULL) == SPUR_OK) {
    }
    assert_int_equal(spur__malloc_count(), before);
    spur_loader_destroy(loader);
    spur_data_close(data);
}

/* Fails every allocation of opening and creating, one after the other. */
static void test_failing_allocations(void **state) {
    (void)state;
    const char *const options[] = {"samples", "20", "size", "8x8", NULL};
    for (uint64_t n = 1;; n++) {
        spur_data *data = NULL;
        spur_loader *loader = NULL;
        spur_error err = {0};
        spur__fault_malloc(n);
        spur_status status = spur_data_open(&data, "shapes", options, &err);
        if (status == SPUR_OK)
            status = spur_loader_create(&loader, data, SPUR_SPLIT_TRAIN, NULL, &err);
        spur__fault_malloc(0);
        spur_loader_destroy(loader);
        spur_data_close(data);
        if (status == SPUR_OK && n > 20) break;
        if (status != SPUR_OK) assert_int_equal(status, SPUR_E_MEMORY);
        assert_true(n < 1000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_number_of_workers),
        cmocka_unit_test(test_seek_continues_exactly),
        cmocka_unit_test(test_every_sample_once),
        cmocka_unit_test(test_drop_last),
        cmocka_unit_test(test_rest_of_one),
        cmocka_unit_test(test_keys_of_randomness),
        cmocka_unit_test(test_shares_of_mixup),
        cmocka_unit_test(test_end_at_any_moment),
        cmocka_unit_test(test_empty_split),
        cmocka_unit_test(test_what_is_no_split),
        cmocka_unit_test(test_steady_state_allocates_nothing),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
