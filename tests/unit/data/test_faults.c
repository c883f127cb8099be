/* SPDX-License-Identifier: MIT
 *
 * data: every single allocation of opening a format and reading its first batch fails once; each
 * time there is an error (or nobody minds), and nothing is leaked or half-made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files.h"

/* Opens, reads one batch without threads, closes; with the n-th allocation failing (0: none). */
static spur_status once(const char *format, const char *const *options, uint64_t n,
                        spur_error *err) {
    spur_data *data = NULL;
    spur_loader *loader = NULL;
    spur_batch batch;
    const char *const augment[] = {"rotation", "5", "gaussian_blur", "3", NULL};
    spur_loader_options o = {.batch_size = 2, .workers = -1};
    if (strcmp(format, "csv") != 0) o.augment = augment;
    spur__fault_malloc(n);
    spur_status status = spur_data_open(&data, format, options, err);
    if (status == SPUR_OK) status = spur_loader_create(&loader, data, SPUR_SPLIT_TRAIN, &o, err);
    if (status == SPUR_OK) status = spur_loader_next(loader, &batch, err);
    spur__fault_malloc(0);
    spur_loader_destroy(loader);
    spur_data_close(data);
    return status;
}

static void check(const char *format, const char *const *options) {
    spur_error err = {0};
    if (once(format, options, 0, &err) != SPUR_OK) fail_msg("%s: %s", format, err.message);
    uint64_t before = spur__malloc_count();
    assert_int_equal(once(format, options, 0, &err), SPUR_OK);
    uint64_t count = spur__malloc_count() - before;
    int failures = 0;
    for (uint64_t n = 1; n <= count; n++) {
        spur_status status = once(format, options, n, &err);
        if (status != SPUR_OK && status != SPUR_E_MEMORY)
            fail_msg("%s, allocation %d: %s", format, (int)n, err.message);
        failures += status != SPUR_OK;
    }
    assert_true(failures > 5); /* the injection works */
}

/* Two classes of tiny pictures, pairs, a table and sounds. Nothing is remembered between opens: the
 * folder of the cache cannot be made. */
static void make_files(void) {
    const uint8_t mask[16] = {0, 1, 0, 1};
    const uint8_t sound[48] = {'R', 'I', 'F', 'F', 40,  0,    0, 0, 'W', 'A', 'V', 'E',
                               'f', 'm', 't', ' ', 16,  0,    0, 0, 1,   0,   1,   0,
                               64,  31,  0,   0,   128, 0x3e, 0, 0, 2,   0,   16,  0,
                               'd', 'a', 't', 'a', 4,   0,    0, 0, 9,   1,   200, 0};
    setenv("XDG_CACHE_HOME", "/dev/null", 1);
    write_jpeg("p/a/1.jpg", 4, 4, 3, 10);
    write_png("p/b/1.png", 5, 4, 3, 10);
    for (int i = 0; i < 2; i++) {
        write_png(i ? "s/images/1.png" : "s/images/2.png", 4, 4, 3, 10);
        write_mask(i ? "s/masks/1.png" : "s/masks/2.png", 4, 4, mask);
    }
    write_text("t.csv", "x,y\n1,a\n2,b\n\"3\",a\n4,b\n");
    write_bytes("w/a/1.wav", sound, sizeof sound);
    write_bytes("w/b/1.wav", sound, sizeof sound);
}

static void test_every_allocation(void **state) {
    (void)state;
    make_files();
    check("image_folder", OPTIONS("path", in_root("p"), "size", "4x6"));
    check("segmentation", OPTIONS("path", in_root("s"), "class_names", "x, y"));
    check("segmentation", OPTIONS("path", in_root("s"), "tile", "2"));
    check("csv", OPTIONS("path", in_root("t.csv")));
    check("audio_folder", OPTIONS("path", in_root("w"), "seconds", "0.02", "bands", "4"));
    check("buildings",
          OPTIONS("samples", "2", "val_samples", "0", "test_samples", "0", "size", "16"));
    check("tones", OPTIONS("samples", "2", "val_samples", "0", "test_samples", "0", "seconds",
                           "0.05", "bands", "4"));
}

/* Opens a file for predictions as if for the training that `data` are of, and reads its first item. */
static spur_status once_file(const spur_data *data, const char *path, uint64_t n, spur_error *err) {
    spur_data *file = NULL;
    spur__sample sample = {.file = {0}};
    spur__fault_malloc(n);
    spur_status status =
        spur__data_open_file(&file, data->kind, data->options, &data->info, path, err);
    if (status == SPUR_OK) status = file->kind->read(file, 0, &sample, err);
    spur__fault_malloc(0);
    spur__sample_free(&sample);
    spur_data_close(file);
    return status;
}

static void check_file(const char *format, const char *const *options, const char *name) {
    spur_error err = {0};
    spur_data *data;
    char path[512];
    int failures = 0;
    snprintf(path, sizeof path, "%s", in_root(name));
    if (spur_data_open(&data, format, options, &err) != SPUR_OK) fail_msg("%s", err.message);
    uint64_t before = spur__malloc_count();
    if (once_file(data, path, 0, &err) != SPUR_OK) fail_msg("%s", err.message);
    uint64_t count = spur__malloc_count() - before;
    for (uint64_t n = 1; n <= count; n++) {
        spur_status status = once_file(data, path, n, &err);
        if (status != SPUR_OK && status != SPUR_E_MEMORY)
            fail_msg("%s, allocation %d: %s", path, (int)n, err.message);
        failures += status != SPUR_OK;
    }
    assert_true(failures > 5);
    spur_data_close(data);
}

static void test_every_allocation_for_predictions(void **state) {
    (void)state;
    make_files();
    write_text("named.csv", "z,x\n5,6\n7,8\n");
    write_text("plain.csv", "6\n8\n");
    write_text("whole.csv", "6,a\n8,\n");
    check_file("csv", OPTIONS("path", in_root("t.csv")), "named.csv");
    check_file("csv", OPTIONS("path", in_root("t.csv")), "plain.csv");
    check_file("csv", OPTIONS("path", in_root("t.csv")), "whole.csv");
    check_file("audio_folder", OPTIONS("path", in_root("w"), "seconds", "0.02", "bands", "4"),
               "w/b/1.wav");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_allocation, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_every_allocation_for_predictions, make_root,
                                        remove_root),
    };
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
