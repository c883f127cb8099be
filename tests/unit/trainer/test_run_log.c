/* SPDX-License-Identifier: MIT
 *
 * What an epoch leaves in the event files and in metrics.csv, and how both are continued, discarded, and fail; the
 * numbers under perf/.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <spur/events.h>

#include "base/file.h"
#include "base/memory.h"
#include "run/remove.h"
#include "train/perf.h"
#include "train/session.h"

static const measures two = {.count = 2, .items = {{.name = "accuracy"}, {.name = "f1"}}};

static const epoch_record first = {.epoch = 1,
                                   .step = 10,
                                   .learning_rate = 0.5,
                                   .train = {1, {2, 3}},
                                   .validation = {4, {5, 6}},
                                   .validated = true},
                          second = {.epoch = 2,
                                    .step = 20,
                                    .learning_rate = 0.25,
                                    .train = {7, {8, 9}},
                                    .validation = {NAN, {NAN, NAN}}},
                          other = {.epoch = 2,
                                   .step = 20,
                                   .learning_rate = 0.125,
                                   .train = {10, {11, 12}},
                                   .validation = {13, {14, 15}},
                                   .validated = true};

typedef struct place {
    char folder[32];
    run_dir run;
    run_log log;
} place;

static void begin(place *p) {
    *p = (place){.folder = "/tmp/spur_run_log_XXXXXX"};
    assert_non_null(mkdtemp(p->folder));
    p->run = (run_dir){.path = p->folder, .lock = -1};
}

static void open_log(place *p, bool has_validation, const run_log_position *from) {
    spur_error err = {0};
    if (run_log_open(&p->log, &p->run, 60, has_validation, &two, from, &err) != SPUR_OK)
        fail_msg("%s", err.message);
}

/* Another epoch, in files that are opened and closed for it. `at` (or NULL): where they stand then. */
static void log_epoch(place *p, bool has_validation, const run_log_position *from,
                      const epoch_record *record, run_log_position *at) {
    open_log(p, has_validation, from);
    assert_int_equal(run_log_epoch(&p->log, record, NULL), SPUR_OK);
    if (at) assert_int_equal(run_log_tell(&p->log, at, NULL), SPUR_OK);
    assert_int_equal(run_log_close(&p->log, NULL), SPUR_OK);
}

static void put(place *p, const char *name, const char *text) {
    char *path = run_path(&p->run, name);
    assert_int_equal(spur__file_write(path, text, strlen(text), NULL), SPUR_OK);
    spur__free(path);
}

static bool there(const place *p, const char *name) {
    char *path = run_path(&p->run, name);
    bool found = spur__exists(path);
    spur__free(path);
    return found;
}

static void expect_csv(place *p, const char *expected) {
    char *path = run_path(&p->run, "metrics.csv"), *text;
    size_t size;
    assert_int_equal(spur__file_read(path, 1 << 16, &text, &size, NULL), SPUR_OK);
    assert_string_equal(text, expected);
    spur__free(text);
    spur__free(path);
}

/* The scalars of a folder's event files: "tag@step=value", each in a line, in the order of writing. */
static void expect_points(place *p, const char *name, const char *expected) {
    char *path = run_path(&p->run, name), text[1024] = "";
    spur_run *run;
    spur_event event;
    assert_int_equal(spur_run_open(&run, path, NULL), SPUR_OK);
    while (spur_run_next(run, &event, NULL) == SPUR_OK)
        for (spur_value value = {0}; spur_run_value(run, &event, &value);) {
            double number;
            size_t n = strlen(text);
            assert_int_equal(spur_value_scalar(&value, &number, NULL), SPUR_OK);
            snprintf(text + n, sizeof text - n, "%.*s@%lld=%g\n", (int)value.tag.size,
                     (const char *)value.tag.data, (long long)event.step, number);
        }
    assert_string_equal(text, expected);
    spur_run_close(run);
    spur__free(path);
}

#define HEADER "epoch,step,loss,accuracy,f1,val_loss,val_accuracy,val_f1,learning_rate\n"
#define TRAIN_FIRST "epoch_loss@1=1\nepoch_accuracy@1=2\nepoch_f1@1=3\nepoch_learning_rate@1=0.5\n"
#define VALIDATION_FIRST                                                                           \
    "epoch_loss@1=4\nevaluation_loss_vs_iterations@10=4\n"                                         \
    "epoch_accuracy@1=5\nevaluation_accuracy_vs_iterations@10=5\n"                                 \
    "epoch_f1@1=6\nevaluation_f1_vs_iterations@10=6\n"

/* Two epochs, the second one without a validation; then from behind the first one another second one. */
static void test_epochs(void **state) {
    run_log_position at;
    place p;
    (void)state;
    begin(&p);
    open_log(&p, true, NULL);
    assert_int_equal(run_log_epoch(&p.log, &first, NULL), SPUR_OK);
    assert_int_equal(run_log_tell(&p.log, &at, NULL), SPUR_OK);
    assert_int_equal(at.csv, strlen(HEADER "1,10,1,2,3,4,5,6,0.5\n"));
    expect_points(&p, "train", TRAIN_FIRST); /* telling flushes */
    expect_points(&p, "validation", VALIDATION_FIRST);
    assert_int_equal(run_log_epoch(&p.log, &second, NULL), SPUR_OK);
    assert_int_equal(run_log_close(&p.log, NULL), SPUR_OK);
    expect_csv(&p, HEADER "1,10,1,2,3,4,5,6,0.5\n2,20,7,8,9,,,,0.25\n");
    expect_points(&p, "train",
                  TRAIN_FIRST
                  "epoch_loss@2=7\nepoch_accuracy@2=8\nepoch_f1@2=9\nepoch_learning_rate@2=0.25\n");
    expect_points(&p, "validation", VALIDATION_FIRST);
    log_epoch(&p, true, &at, &other, &at);
    assert_int_equal(at.csv, strlen(HEADER "1,10,1,2,3,4,5,6,0.5\n2,20,10,11,12,13,14,15,0.125\n"));
    expect_csv(&p, HEADER "1,10,1,2,3,4,5,6,0.5\n2,20,10,11,12,13,14,15,0.125\n");
    expect_points(
        &p, "train",
        TRAIN_FIRST
        "epoch_loss@2=10\nepoch_accuracy@2=11\nepoch_f1@2=12\nepoch_learning_rate@2=0.125\n");
    expect_points(&p, "validation",
                  VALIDATION_FIRST "epoch_loss@2=13\nevaluation_loss_vs_iterations@20=13\n"
                                   "epoch_accuracy@2=14\nevaluation_accuracy_vs_iterations@20=14\n"
                                   "epoch_f1@2=15\nevaluation_f1_vs_iterations@20=15\n");
    assert_int_equal(remove_tree(p.folder, NULL), SPUR_OK);
}

/* A position is that of the file: what stands there must be at least as long. */
static void test_a_csv_that_was_cut(void **state) {
    run_log_position at;
    spur_error err = {0};
    place p;
    (void)state;
    begin(&p);
    log_epoch(&p, true, NULL, &first, &at);
    open_log(&p, true, &at); /* nothing came after it */
    assert_int_equal(run_log_close(&p.log, NULL), SPUR_OK);
    expect_csv(&p, HEADER "1,10,1,2,3,4,5,6,0.5\n");
    put(&p, "metrics.csv", HEADER "1,10,1,2,3,4,5,6,0.5");
    assert_int_equal(run_log_open(&p.log, &p.run, 60, true, &two, &at, &err), SPUR_E_DAMAGED);
    assert_non_null(strstr(err.message, "/metrics.csv: 91 bytes, expected at least 92"));
    assert_true(p.log.csv == -1 && !p.log.csv_path);
    assert_int_equal(remove_tree(p.folder, NULL), SPUR_OK);
}

static void test_without_validation(void **state) {
    run_log_position at;
    place p;
    (void)state;
    begin(&p);
    log_epoch(&p, false, NULL, &second, &at);
    assert_true(at.events[RUN_LOG_TRAIN].file[0] && !at.events[RUN_LOG_VALIDATION].file[0]);
    expect_csv(&p, "epoch,step,loss,accuracy,f1,learning_rate\n2,20,7,8,9,0.25\n");
    assert_false(there(&p, "validation"));
    assert_int_equal(remove_tree(p.folder, NULL), SPUR_OK);
}

/* Event files and metrics.csv go, what else there is stays. */
static void test_discarding(void **state) {
    place p;
    (void)state;
    begin(&p);
    log_epoch(&p, true, NULL, &first, NULL);
    put(&p, "config.ini", "[run]\n");
    put(&p, "train/notes", "mine");
    assert_int_equal(run_log_discard(&p.run, NULL), SPUR_OK);
    assert_true(there(&p, "config.ini") && there(&p, "train/notes"));
    assert_false(there(&p, "metrics.csv"));
    expect_points(&p, "train", "");
    expect_points(&p, "validation", "");
    assert_int_equal(run_log_discard(&p.run, NULL), SPUR_OK); /* there is nothing */
    log_epoch(&p, true, NULL, &other, NULL);
    expect_csv(&p, HEADER "2,20,10,11,12,13,14,15,0.125\n");
    assert_int_equal(remove_tree(p.folder, NULL), SPUR_OK);
}

/* The disk is full: it is said, with the place; half a row does not count. */
static void test_a_full_disk(void **state) {
    run_log_position at;
    spur_error err = {0};
    place p;
    (void)state;
    begin(&p);
    open_log(&p, true, NULL);
    spur__fault_write(7, ENOSPC);
    assert_int_equal(run_log_epoch(&p.log, &first, &err), SPUR_E_IO);
    assert_non_null(strstr(err.message, "/metrics.csv: cannot write"));
    spur__fault_write(0, 0);
    assert_int_equal(run_log_tell(&p.log, &at, NULL), SPUR_OK);
    assert_int_equal(at.csv, strlen(HEADER));
    spur__fault_write(0, ENOSPC);
    assert_int_equal(run_log_tell(&p.log, &at, &err), SPUR_OK); /* there is nothing to write */
    spur_log_scalar(p.log.writers[RUN_LOG_VALIDATION], "x", 1, 1);
    assert_int_equal(run_log_tell(&p.log, &at, &err), SPUR_E_IO);
    assert_non_null(strstr(err.message, "/validation/events.out"));
    spur__fault_write(0, 0);
    /* A row can be written again; that an event could not be is not forgotten. */
    memset(&err, 0, sizeof err);
    assert_int_equal(run_log_check(&p.log, &err), SPUR_E_IO);
    assert_non_null(strstr(err.message, "/validation/events.out"));
    assert_int_equal(run_log_epoch(&p.log, &first, NULL), SPUR_E_IO);
    assert_int_equal(run_log_close(&p.log, &err), SPUR_E_IO);
    assert_int_equal(remove_tree(p.folder, NULL), SPUR_OK);
}

/* Of the first file that fails, though the others are closed without an error. */
static void test_the_first_error_at_the_end(void **state) {
    spur_error err = {0};
    place p;
    (void)state;
    begin(&p);
    open_log(&p, true, NULL);
    spur_log_scalar(p.log.writers[RUN_LOG_RUN], "x", 1, 1);
    spur__fault_write(0, ENOSPC);
    assert_int_equal(spur_writer_flush(p.log.writers[RUN_LOG_RUN]), SPUR_E_IO);
    spur__fault_write(0, 0);
    assert_int_equal(run_log_close(&p.log, &err), SPUR_E_IO);
    assert_non_null(strstr(err.message, "/events.out"));
    assert_int_equal(remove_tree(p.folder, NULL), SPUR_OK);
}

/* How many scalars are in the event file of the training. */
static int count_points(place *p) {
    char *path = run_path(&p->run, "train");
    spur_run *run;
    spur_event event;
    int found = 0;
    assert_int_equal(spur_run_open(&run, path, NULL), SPUR_OK);
    while (spur_run_next(run, &event, NULL) == SPUR_OK)
        for (spur_value value = {0}; spur_run_value(run, &event, &value);) found++;
    spur_run_close(run);
    spur__free(path);
    return found;
}

/* With no seconds to wait a point is in the file by itself, soon; with a day it is not, until it is flushed. */
static void test_how_long_points_wait(void **state) {
    place soon, late;
    int tries = 0;
    (void)state;
    begin(&soon);
    begin(&late);
    assert_int_equal(run_log_open(&soon.log, &soon.run, 0, false, &two, NULL, NULL), SPUR_OK);
    assert_int_equal(run_log_open(&late.log, &late.run, 86400, false, &two, NULL, NULL), SPUR_OK);
    spur_log_scalar(late.log.writers[RUN_LOG_TRAIN], "x", 1, 1);
    spur_log_scalar(soon.log.writers[RUN_LOG_TRAIN], "x", 1, 1);
    while (count_points(&soon) == 0 && tries++ < 6000)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_int_equal(count_points(&soon), 1);
    assert_int_equal(count_points(&late), 0);
    assert_int_equal(run_log_close(&soon.log, NULL), SPUR_OK);
    assert_int_equal(run_log_close(&late.log, NULL), SPUR_OK);
    assert_int_equal(count_points(&late), 1);
    assert_int_equal(remove_tree(soon.folder, NULL), SPUR_OK);
    assert_int_equal(remove_tree(late.folder, NULL), SPUR_OK);
}

/* ---- perf/ --------------------------------------------------------------------------------------- */

static double point(place *p, const char *tag, int64_t step) {
    double found = NAN;
    spur_run *run;
    spur_event event;
    assert_int_equal(spur_run_open(&run, p->folder, NULL), SPUR_OK);
    while (spur_run_next(run, &event, NULL) == SPUR_OK)
        for (spur_value value = {0}; spur_run_value(run, &event, &value);)
            if (event.step == step && value.tag.size == strlen(tag) &&
                memcmp(value.tag.data, tag, value.tag.size) == 0)
                assert_int_equal(spur_value_scalar(&value, &found, NULL), SPUR_OK);
    spur_run_close(run);
    return found;
}

/* Some milliseconds. */
static void be_busy(void) {
    volatile double sum = 0;
    for (int i = 0; i < 5000000; i++) sum = sum + sqrt(i);
}

/* What was trained counts, as long as the training took; what a run that went on has not trained is no number. */
static void test_perf(void **state) {
    const log_settings silent = {.perf = false}, all = {.perf = true};
    session s = {.log = &all};
    place p;
    (void)state;
    begin(&p);
    open_log(&p, false, NULL);
    s.run_log = p.log;
    perf_reset();
    for (int i = 0; i < 2; i++) perf_batch(0.25, 3 + (size_t)i);
    be_busy();
    perf_epoch_trained();
    be_busy();
    double seconds = perf_log(&s, 1);
    perf_epoch_trained();
    assert_true(perf_log(&s, 2) >= 0);
    s.log = &silent;
    perf_batch(1, 1);
    perf_epoch_trained();
    assert_true(perf_log(&s, 3) >= 0);
    assert_int_equal(run_log_close(&p.log, NULL), SPUR_OK);
    double rate = point(&p, "perf/samples_per_second", 1);
    double trained = 7 / rate;
    assert_true(fabs(point(&p, "perf/waited_for_data", 1) * trained - 0.5) < 1e-5);
    assert_true(trained > 0 && trained < seconds);
    assert_true(fabs(point(&p, "perf/epoch_seconds", 1) - seconds) < 1e-5 * (1 + seconds));
    assert_true(isnan(point(&p, "perf/samples_per_second", 2)));
    assert_true(isnan(point(&p, "perf/waited_for_data", 2)));
    for (int epoch = 1; epoch <= 2; epoch++) {
        double memory = point(&p, "perf/memory_mb", epoch);
        double peak = point(&p, "perf/peak_memory_mb", epoch);
        assert_true(memory >= 1 && memory <= peak && peak < 1e6);
    }
    assert_true(isnan(point(&p, "perf/epoch_seconds", 3)));
    assert_int_equal(remove_tree(p.folder, NULL), SPUR_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_a_csv_that_was_cut),
        cmocka_unit_test(test_without_validation),
        cmocka_unit_test(test_discarding),
        cmocka_unit_test(test_a_full_disk),
        cmocka_unit_test(test_the_first_error_at_the_end),
        cmocka_unit_test(test_how_long_points_wait),
        cmocka_unit_test(test_perf),
    };
    return cmocka_run_group_tests_name("run_log", tests, NULL, NULL);
}
