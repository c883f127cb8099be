/* SPDX-License-Identifier: MIT
 *
 * data: the formats on real sets of pictures. They are looked for in SPUR_TEST_DATA, or in
 * ../shared/data beside the project, and unpacked into data_real/ of the build folder; without them
 * the program reports itself as skipped.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files.h"

static char source[512];

/* Unpacks an archive once; the path of what came out of it. */
static const char *unpacked(const char *name) {
    static char path[64], command[1400];
    snprintf(path, sizeof path, "data_real/%s", name);
    if (spur__exists(path)) return path;
    snprintf(command, sizeof command,
             "mkdir -p data_real/part && tar -xf '%s/%s.tar' -C data_real/part && "
             "mv data_real/part/%s data_real/",
             source, name, name);
    assert_int_equal(system(command), 0);
    return path;
}

/* Sums over one epoch that must come out the same for any number of workers. */
static double total(const spur_data *data, spur_split split, int workers) {
    spur_loader *loader;
    spur_batch batch;
    spur_error err = {0};
    double sum = 0;
    spur_loader_options options = {.batch_size = 16, .workers = workers};
    assert_int_equal(spur_loader_create(&loader, data, split, &options, &err), SPUR_OK);
    while (spur_loader_next(loader, &batch, &err) == SPUR_OK) {
        size_t n = batch.count * (size_t)batch.height * (size_t)batch.width;
        for (size_t i = 0; i < n * (size_t)batch.channels; i++) sum += (double)batch.input[i];
    }
    spur_loader_destroy(loader);
    return sum;
}

static void test_mnist(void **state) {
    (void)state;
    char path[600];
    snprintf(path, sizeof path, "%s/mnist-10k", source);
    spur_data *data = open_data("mnist", OPTIONS("path", path, "val_split", "0"));
    const spur_data_info *info = spur_data_describe(data);
    assert_int_equal(info->samples[SPUR_SPLIT_TRAIN], 8000);
    assert_int_equal(info->samples[SPUR_SPLIT_TEST], 2000);
    assert_int_equal(info->classes, 10);
    /* numpy's mean and deviation of the 8000 pictures */
    assert_true(fabsf(info->mean[0] - 0.1324457f) < 1e-6f);
    assert_true(fabsf(info->std[0] - 0.3104600f) < 1e-6f);
    /* Normalised by their own mean the values sum to nearly nothing. */
    assert_true(fabs(total(data, SPUR_SPLIT_TRAIN, 2)) < 8000 * 28 * 28 * 1e-4);
    spur_data_close(data);
}

static void test_cifar(void **state) {
    (void)state;
    spur_data *data = open_data("image_folder", OPTIONS("path", unpacked("cifar10-small")));
    const spur_data_info *info = spur_data_describe(data);
    assert_int_equal(info->samples[SPUR_SPLIT_TRAIN], 8000);
    assert_int_equal(info->samples[SPUR_SPLIT_VALIDATION], 2000);
    assert_int_equal(info->samples[SPUR_SPLIT_TEST], 2000);
    assert_int_equal(info->height, 32);
    for (int k = 0; k < 10; k++) assert_int_equal(info->class_counts[k], 800);
    double one = total(data, SPUR_SPLIT_VALIDATION, -1);
    assert_true(one == total(data, SPUR_SPLIT_VALIDATION, 3)); /* file order, the same bits */
    spur_data_close(data);
}

static void test_camvid(void **state) {
    (void)state;
    const char *path = unpacked("camvid-half");
    spur_data *data = open_data("segmentation", OPTIONS("path", path, "ignore_index", "11"));
    const spur_data_info *info = spur_data_describe(data);
    assert_int_equal(info->samples[SPUR_SPLIT_TRAIN], 367);
    assert_int_equal(info->samples[SPUR_SPLIT_VALIDATION], 101);
    assert_int_equal(info->classes, 11);
    assert_int_equal(info->height, 180);
    assert_int_equal(info->width, 240);
    spur_data_close(data);
    refuse_data("segmentation", OPTIONS("path", path, "classes", "11"), SPUR_E_RANGE,
                "mask value 11");
}

static void test_isbi(void **state) {
    (void)state;
    const char *path = unpacked("isbi-membrane");
    refuse_data("segmentation", OPTIONS("path", path), SPUR_E_RANGE, "set masks = binary");
    spur_data *data = open_data("segmentation", OPTIONS("path", path, "masks", "binary"));
    assert_int_equal(data->info.channels, 1);
    assert_int_equal(data->info.samples[SPUR_SPLIT_TRAIN], 24);
    double bright = (double)data->info.class_counts[1];
    assert_true(bright / (24.0 * 512 * 512) > 0.7 && bright / (24.0 * 512 * 512) < 0.85);
    spur_data_close(data);
}

int main(void) {
    const char *given = getenv("SPUR_TEST_DATA");
    snprintf(source, sizeof source, "%s",
             given ? given : SPUR_TEST_SOURCE_DIR "/../../shared/data");
    if (!spur__exists(source)) {
        printf("skipped: no real data in %s (SPUR_TEST_DATA names another place)\n", source);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mnist, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_cifar, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_camvid, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_isbi, make_root, remove_root),
    };
    return cmocka_run_group_tests_name("real", tests, NULL, NULL);
}
