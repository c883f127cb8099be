/* SPDX-License-Identifier: MIT
 *
 * Writers: directories, file names, first records, scalars, flush, errors that stick.
 */
#include "written.h"

#include <spur/log.h>

#include "base/clock.h"
#include "kinds/scalar.h"
#include "unit/synced.h"
#include "write/writer.h"

/* The vectors of the format's description. */
static void test_record_vectors(void **state) {
    (void)state;
    unsigned char *record;
    size_t size;
    assert_int_equal(spur__pack_version(1700000000.0, "tensorflow.core.util.events_writer", &record,
                                        &size, NULL),
                     SPUR_OK);
    spur__seal(record, size, size);
    assert_hex(record, size,
               "3e00000000000000d9d240e70900000040fc54d9411a0d627261696e2e4576656e743a3252240a2274"
               "656e736f72666c6f772e636f72652e7574696c2e6576656e74735f777269746572248c2258");
    spur__free(record);
}

static void test_scalar_vector(void **state) {
    (void)state;
    spur__template t = {0};
    unsigned char record[256];
    assert_int_equal(spur__template_make(&t, "loss", NULL, NULL), SPUR_OK);
    size_t size = spur__template_fill(&t, 1700000000.5, 7, 0.25f, record);
    spur__seal(record, size, size);
    assert_hex(
        record, size,
        "2e00000000000000c5cb57fa0900002040fc54d94110072a210a1f0a046c6f7373420a08011200220400"
        "00803e4a0b0a090a077363616c61727338b6cc09");
    spur__free(t.tail);
}

static void test_run_directory(void **state) {
    spur_writer *a, *b, *c;
    char logs[4096];
    snprintf(logs, sizeof logs, "%s/logs", (char *)*state);
    spur_writer_options options = {.logdir = logs, .name = "first", .wall_time = 1700000000.25};
    unsetenv("SPUR_RUN_DIR");
    setenv("TZ", "UTC", 1);
    tzset();
    assert_int_equal(spur_writer_open(&a, &options, NULL), SPUR_OK);
    assert_int_equal(spur_writer_open(&b, &options, NULL), SPUR_OK);
    assert_int_equal(spur_writer_open(&c, &options, NULL), SPUR_OK);
    assert_suffix(spur_writer_directory(a), "/logs/run_2023_11_14-22_13_20_first");
    assert_suffix(spur_writer_directory(b), "/logs/run_2023_11_14-22_13_20_first_1");
    assert_suffix(spur_writer_directory(c), "/logs/run_2023_11_14-22_13_20_first_2");
    assert_non_null(strstr(spur_writer_path(a), "/events.out.tfevents.1700000000."));
    assert_suffix(spur_writer_path(a), ".v2");
    spur_writer_close(a, NULL);
    spur_writer_close(b, NULL);
    spur_writer_close(c, NULL);
}

static void test_environment_names_the_directory(void **state) {
    spur_writer *w, *second;
    char directory[4096];
    snprintf(directory, sizeof directory, "%s/trial 7", (char *)*state);
    setenv("SPUR_RUN_DIR", directory, 1);
    assert_int_equal(spur_writer_open(&w, &(spur_writer_options){.name = "a", .logdir = "b"}, NULL),
                     SPUR_OK);
    assert_int_equal(spur_writer_open(&second, NULL, NULL), SPUR_OK);
    unsetenv("SPUR_RUN_DIR");
    assert_string_equal(spur_writer_directory(w), directory);
    snprintf(directory + strlen(directory), 8, "/run_");
    assert_memory_equal(spur_writer_directory(second), directory, strlen(directory));
    spur_writer_close(w, NULL);
    spur_writer_close(second, NULL);
}

/* With `sync` no power cut loses the directories or the file; else opening waits for no disk. */
static void test_names_are_synced_at_the_open(void **state) {
    const char *place = *state;
    spur_writer *w, *sub;
    char logs[4096];
    snprintf(logs, sizeof logs, "%s/logs", place);
    spur_writer_options options = {.logdir = logs, .name = "first", .sync = true};
    synced[0] = '\0';
    assert_int_equal(spur_writer_open(&w, &options, NULL), SPUR_OK);
    const char *run = spur_writer_directory(w);
    expect_synced("%s\n%s\n%s\n", place, logs, run);
    assert_int_equal(spur_writer_open_sub(&sub, w, "fold/train", NULL), SPUR_OK);
    expect_synced("%s\n%s/fold\n%s/fold/train\n", run, run, run);
    spur_writer_close(sub, NULL);
    spur_writer_close(w, NULL);
    setenv("SPUR_RUN_DIR", logs, 1); /* handed out before: a run of that name in it */
    assert_int_equal(spur_writer_open(&w, &options, NULL), SPUR_OK);
    unsetenv("SPUR_RUN_DIR");
    expect_synced("%s\n%s\n", logs, spur_writer_directory(w));
    spur_writer_close(w, NULL);
    options.sync = false;
    assert_int_equal(spur_writer_open(&w, &options, NULL), SPUR_OK);
    assert_int_equal(spur_writer_open_sub(&sub, w, "fold/train", NULL), SPUR_OK);
    expect_synced("%s", "");
    spur_writer_close(sub, NULL);
    spur_writer_close(w, NULL);
}

static void test_scalars_are_in_the_file(void **state) {
    spur_writer *w, *sub;
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    assert_int_equal(spur_writer_open_sub(&sub, w, "validation", NULL), SPUR_OK);
    for (int step = 0; step < 1000; step++)
        assert_int_equal(spur_log_scalar(w, "loss", step, 1.0 / (step + 1)), SPUR_OK);
    assert_int_equal(spur_log_scalar(sub, "loss", 1, 2.0), SPUR_OK);
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
    assert_int_equal(count_records(spur_writer_path(w)), 1002);
    char path[4096];
    snprintf(path, sizeof path, "%s", spur_writer_path(sub));
    assert_non_null(strstr(path, "/validation/events.out.tfevents."));
    assert_int_equal(spur_writer_close(sub, NULL), SPUR_OK);
    assert_int_equal(count_records(path), 3);
    assert_int_equal(spur_writer_close(w, NULL), SPUR_OK);
}

static double time_of_first(const spur_writer *w) {
    written *got = read_written(spur_writer_path(w));
    double seconds = got->events[0]->wall_time;
    forget(got);
    return seconds;
}

/* A sub-writer that comes later begins later, unless the caller has given the time. */
static void test_time_of_a_late_sub_writer(void **state) {
    const double given = 1e9;
    for (int fixed = 0; fixed < 2; fixed++) {
        const spur_writer_options options = {.wall_time = fixed ? given : 0};
        spur_writer *w, *sub, *deeper;
        assert_int_equal(open_exact(&w, *state, &options), SPUR_OK);
        double first = time_of_first(w),
               later = first + 1; /* the first records have whole seconds */
        while (spur__wall_time() < later) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        assert_int_equal(spur_writer_open_sub(&sub, w, fixed ? "b" : "a", NULL), SPUR_OK);
        assert_int_equal(spur_writer_open_sub(&deeper, sub, "c", NULL), SPUR_OK);
        assert_true(!fixed || first == given);
        assert_true(fixed ? time_of_first(sub) == given : time_of_first(sub) >= later);
        assert_true(fixed ? time_of_first(deeper) == given : time_of_first(deeper) >= later);
        spur_writer_close(deeper, NULL);
        spur_writer_close(sub, NULL);
        spur_writer_close(w, NULL);
    }
}

static void test_null_is_a_writer(void **state) {
    (void)state;
    spur_writer_stats stats;
    assert_int_equal(spur_log_scalar(NULL, NULL, 0, 0), SPUR_OK);
    assert_int_equal(spur_writer_flush(NULL), SPUR_OK);
    assert_string_equal(spur_writer_path(NULL), "");
    assert_true(spur_writer_is_noop(NULL));
    spur_writer_get_stats(NULL, &stats);
    assert_int_equal(stats.records, 0);
    assert_int_equal(spur_writer_close(NULL, NULL), SPUR_OK);
}

static void test_first_error_sticks(void **state) {
    spur_writer *w;
    spur_error err;
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    assert_int_equal(spur_log_scalar(w, "caf\xe9", 1, 1), SPUR_E_UTF8);
    assert_int_equal(spur_log_scalar(w, "", 1, 1), SPUR_E_ARGUMENT);
    assert_int_equal(spur_log_scalar(w, "fine", 1, 1), SPUR_OK);
    assert_int_equal(spur_log_text(w, "fine", 2, "text", NULL), SPUR_E_TYPE);
    assert_int_equal(spur_writer_error(w, &err), SPUR_E_UTF8);
    assert_non_null(strstr(err.message, "UTF-8"));
    assert_int_equal(spur_writer_close(w, &err), SPUR_E_UTF8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_vectors),
        cmocka_unit_test(test_scalar_vector),
        cmocka_unit_test_setup_teardown(test_run_directory, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_environment_names_the_directory, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(test_names_are_synced_at_the_open, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(test_scalars_are_in_the_file, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_time_of_a_late_sub_writer, make_place, remove_place),
        cmocka_unit_test(test_null_is_a_writer),
        cmocka_unit_test_setup_teardown(test_first_error_sticks, make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
