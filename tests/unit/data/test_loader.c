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
        cmocka_unit_test(test_end_at_any_moment),
        cmocka_unit_test(test_empty_split),
        cmocka_unit_test(test_what_is_no_split),
        cmocka_unit_test(test_steady_state_allocates_nothing),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
