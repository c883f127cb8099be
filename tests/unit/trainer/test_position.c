/* SPDX-License-Identifier: MIT
 *
 * What is saved of a training beside its weights: where it is, the sums of an epoch under way, and how
 * long its files were.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "run/remove.h"
#include "train/checkpoint_state.h"
#include "train/resume_file.h"
#include "unit/synced.h"

/* Every number is another one. */
static const train_position place = {.epoch = 3,
                                     .batch = 4,
                                     .step = 17,
                                     .has_best = true,
                                     .best = 0.1,
                                     .best_epoch = 2,
                                     .best_step = 11,
                                     .bad_epochs = 1,
                                     .stopped_early = true};

/* A session of 5 batches an epoch; classes 0: a regression. */
static session begin(const train_settings *settings, size_t classes) {
    const spur_data_info info = {.classes = classes, .ignore_index = -1};
    session s = {.train = settings, .batches = 5};
    assert_int_equal(pass_init(&s.train_pass, &info, NULL), SPUR_OK);
    return s;
}

static spur_state *saved(const session *s) {
    spur_state *state = spur_state_create();
    assert_int_equal(state_of_session(s, state, NULL), SPUR_OK);
    return state;
}

static void same_place(const train_position *a, const train_position *b) {
    assert_int_equal(a->epoch, b->epoch);
    assert_int_equal(a->batch, b->batch);
    assert_int_equal(a->step, b->step);
    assert_true(a->has_best == b->has_best && a->best == b->best);
    assert_int_equal(a->best_epoch, b->best_epoch);
    assert_int_equal(a->best_step, b->best_step);
    assert_int_equal(a->bad_epochs, b->bad_epochs);
    assert_true(a->stopped_early == b->stopped_early);
}

/* Place and sums of classes; at an epoch's start there are no sums, and those of before are gone. */
static void test_classes(void **state) {
    static const float logits[] = {3, 2, 1, 1, 2, 3, 1, 3, 2, 3, 1, 2};
    static const int32_t labels[] = {0, 1, 2, 2};
    const train_settings settings = {.early_stopping = 1};
    session a = begin(&settings, 3), b = begin(&settings, 3);
    (void)state;
    a.at = place;
    a.train_pass.loss_sum = 0.3;
    a.train_pass.samples = 4;
    assert_int_equal(spur_tally_add(a.train_pass.tally, logits, 4, 3, labels, NULL), SPUR_OK);
    spur_state *text = saved(&a);
    assert_string_equal(spur_state_get(text, "best_step"), "11");
    assert_string_equal(spur_state_get(text, "train.confusion"), "1 0 0 0 0 1 1 1 0");
    assert_string_equal(spur_state_get(text, "train.ranks"), "1 3 0");
    assert_int_equal(session_of_state(&b, text, NULL), SPUR_OK);
    same_place(&b.at, &place);
    assert_true(b.train_pass.loss_sum == 0.3 && b.train_pass.samples == 4);
    assert_int_equal(spur_tally_count(b.train_pass.tally), 4);
    assert_memory_equal(a.train_pass.tally->confusion, b.train_pass.tally->confusion, 9 * 8);
    assert_memory_equal(a.train_pass.tally->ranks, b.train_pass.tally->ranks, 3 * 8);
    spur_state_destroy(text);
    a.at.batch = 5; /* its validation is still to come */
    text = saved(&a);
    assert_int_equal(session_of_state(&b, text, NULL), SPUR_OK);
    assert_true(b.at.batch == 5 && b.train_pass.samples == 4);
    spur_state_destroy(text);
    a.at.batch = 0;
    text = saved(&a);
    assert_null(spur_state_get(text, "train.count"));
    assert_int_equal(session_of_state(&b, text, NULL), SPUR_OK);
    assert_true(b.train_pass.loss_sum == 0 && spur_tally_count(b.train_pass.tally) == 0);
    spur_state_destroy(text);
    pass_free(&a.train_pass);
    pass_free(&b.train_pass);
}

static void test_numbers(void **state) {
    const train_settings settings = {.early_stopping = 1};
    session a = begin(&settings, 0), b = begin(&settings, 0);
    (void)state;
    a.at = place;
    spur_tally_add_values(a.train_pass.tally, (const float[]){1, 2}, 2, (const float[]){1.5f, 4});
    spur_state *text = saved(&a);
    assert_int_equal(session_of_state(&b, text, NULL), SPUR_OK);
    assert_true(b.train_pass.tally->absolute == 2.5 && b.train_pass.tally->squared == 4.25);
    assert_int_equal(spur_tally_count(b.train_pass.tally), 2);
    spur_state_destroy(text);
    pass_free(&a.train_pass);
    pass_free(&b.train_pass);
}

/* A run that has stopped early goes on when it has got more patience, or all of it. */
static void test_more_patience(void **state) {
    (void)state;
    for (int64_t patience = 0; patience <= 2; patience++) {
        const train_settings settings = {.early_stopping = patience};
        session s = begin(&settings, 3);
        s.at = place;
        s.at.batch = 0;
        spur_state *text = saved(&s);
        assert_int_equal(session_of_state(&s, text, NULL), SPUR_OK);
        assert_true(s.at.stopped_early == (patience == 1));
        spur_state_destroy(text);
        pass_free(&s.train_pass);
    }
}

static void test_damaged_places(void **state) {
    static const char *const cases[][2] = {
        {"batch", "6"},
        {"epoch", "9223372036854775808"},
        {"train.confusion", "1 0 0 0 0 1 1 1"},
        {"train.confusion", "1 0 0 0 0 1 1 1 0 0"},
        {"train.ranks", "1 x 0"},
    };
    const train_settings settings = {.early_stopping = 1};
    session s = begin(&settings, 3);
    (void)state;
    s.at = place;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spur_error err = {0};
        spur_state *text = saved(&s);
        session other = begin(&settings, 3);
        assert_int_equal(spur_state_set(text, cases[i][0], cases[i][1], NULL), SPUR_OK);
        assert_int_equal(session_of_state(&other, text, &err), SPUR_E_DAMAGED);
        assert_non_null(strstr(err.message, cases[i][0]));
        spur_state_destroy(text);
        pass_free(&other.train_pass);
    }
    pass_free(&s.train_pass);
}

/* ---- lengths of files ---------------------------------------------------------------------------- */

static void put(const run_dir *run, const char *name, const char *text) {
    char *path = run_path(run, name);
    assert_int_equal(spur__file_write(path, text, strlen(text), NULL), SPUR_OK);
    spur__free(path);
}

static bool there(const run_dir *run, const char *name) {
    char *path = run_path(run, name);
    bool found = spur__exists(path);
    spur__free(path);
    return found;
}

static void test_lengths(void **state) {
    static const char *const bad[] = {"[csv]\nlength = -1\n", "[run]\nfile = a\nlength = 1\n",
                                      "[csv]\nlength = 1\n[run]\nfile = a\n",
                                      "[csv]\nlength = 1\n[run]\nfile = ../a\nlength = 1\n"};
    char folder[] = "/tmp/spur_position_XXXXXX";
    run_dir run = {.path = folder, .lock = -1};
    run_log_position at = {.events = {{"one", 5}, {"", 0}, {"three", 7}}, .csv = 123}, found;
    (void)state;
    assert_non_null(mkdtemp(folder));
    synced[0] = '\0';
    assert_int_equal(resume_file_write(&run, &place, &at, NULL), SPUR_OK);
    expect_synced("%s\n%s/resume\n", folder, folder);
    memset(&found, 1, sizeof found);
    assert_int_equal(resume_file_read(&run, &place, &found, NULL), SPUR_OK);
    assert_int_equal(found.csv, 123);
    for (int i = 0; i < RUN_LOG_FILES; i++) {
        assert_string_equal(found.events[i].file, at.events[i].file);
        assert_int_equal(found.events[i].length, at.events[i].length);
    }
    /* one step, before and after the validation: two files, of which one stays */
    const train_position later = {.epoch = 4, .step = 17};
    assert_int_equal(resume_file_write(&run, &later, &at, NULL), SPUR_OK);
    put(&run, "resume/notes", "mine");
    resume_file_sweep(&run, &later);
    assert_true(there(&run, "resume/step_17_epoch_4.ini") && there(&run, "resume/notes"));
    assert_false(there(&run, "resume/step_17_epoch_3.ini"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        spur_error err = {0};
        put(&run, "resume/step_17_epoch_4.ini", bad[i]);
        assert_int_equal(resume_file_read(&run, &later, &found, &err), SPUR_E_DAMAGED);
        assert_non_null(strstr(err.message, "step_17_epoch_4.ini: not a whole record"));
    }
    assert_int_equal(remove_tree(folder, NULL), SPUR_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),       cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_more_patience), cmocka_unit_test(test_damaged_places),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests_name("position", tests, NULL, NULL);
}
