/* SPDX-License-Identifier: MIT
 *
 * Runs: order of files, growth, damage in the middle, oddities of the format (table 5.2 of its
 * documentation), failing allocations.
 */
#include "read_helpers.h"

#include <math.h>

#include "event.pb-c.h"

typedef struct fixture {
    char *directory;
    char path[400];
} fixture;

static int setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->directory = make_directory();
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    remove_directory(f->directory);
    free(f);
    return 0;
}

static const char *path_of(fixture *f, const char *name) {
    snprintf(f->path, sizeof f->path, "%s/%s", f->directory, name);
    return f->path;
}

static void append_event(const char *path, const Spur__Tb__Event *event) {
    uint8_t packed[1024];
    size_t size = spur__tb__event__get_packed_size(event);
    assert_true(size <= sizeof packed);
    spur__tb__event__pack(event, packed);
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    append_record(file, packed, size);
    fclose(file);
}

static void append_scalar(const char *path, const char *tag, int64_t step, float number) {
    Spur__Tb__Event event = SPUR__TB__EVENT__INIT;
    Spur__Tb__Summary summary = SPUR__TB__SUMMARY__INIT;
    Spur__Tb__Summary__Value value = SPUR__TB__SUMMARY__VALUE__INIT, *values[] = {&value};
    char copy[64];
    snprintf(copy, sizeof copy, "%s", tag);
    value.tag = copy;
    value.value_case = SPUR__TB__SUMMARY__VALUE__VALUE_SIMPLE_VALUE;
    value.simple_value = number;
    summary.n_value = 1;
    summary.value = values;
    event.wall_time = 1000 + (double)step;
    event.step = step;
    event.what_case = SPUR__TB__EVENT__WHAT_SUMMARY;
    event.summary = &summary;
    append_event(path, &event);
}

/* Reads what there is; the steps of all scalars as digits in *steps. */
static void read_round(spur_run *run, char *steps) {
    spur_event event;
    spur_status status;
    *steps = '\0';
    while ((status = spur_run_next(run, &event, NULL)) == SPUR_OK)
        for (spur_value value = {0}; spur_run_value(run, &event, &value);)
            snprintf(steps + strlen(steps), 8, "%d", (int)event.step);
    assert_int_equal(status, SPUR_E_END);
}

static spur_run *open_run(const char *path) {
    spur_run *run;
    assert_int_equal(spur_run_open(&run, path, NULL), SPUR_OK);
    return run;
}

static void test_files_by_name(void **state) {
    fixture *f = *state;
    char steps[64];
    append_scalar(path_of(f, "b.tfevents"), "t", 2, 0);
    append_scalar(path_of(f, "a.tfevents"), "t", 1, 0);
    append_scalar(path_of(f, "tfevents.10"), "t", 3, 0);
    append_scalar(path_of(f, "tfevents.2"), "t", 4, 0);
    append_scalar(path_of(f, "events.out.1"), "t", 9, 0); /* not an event file */
    spur_run *run = open_run(f->directory);
    read_round(run, steps);
    assert_string_equal(steps, "1234");
    assert_int_equal(spur_run_file_count(run), 4);
    assert_string_equal(spur_run_file_at(run, 2)->name, "tfevents.10");
    assert_null(spur_run_file_at(run, 4));
    spur_run_close(run);
    run = open_run(path_of(f, "events.out.1")); /* but readable when named */
    read_round(run, steps);
    assert_string_equal(steps, "9");
    spur_run_close(run);
}

static void test_following(void **state) {
    fixture *f = *state;
    char steps[64];
    spur_run *run = open_run(f->directory); /* nothing there yet */
    read_round(run, steps);
    assert_string_equal(steps, "");
    append_scalar(path_of(f, "b.tfevents"), "t", 1, 0);
    append_scalar(path_of(f, "b.tfevents"), "t", 2, 0);
    read_round(run, steps);
    assert_string_equal(steps, "12");
    read_round(run, steps);
    assert_string_equal(steps, "");
    append_scalar(path_of(f, "b.tfevents"), "t", 3, 0);
    append_scalar(path_of(f, "a.tfevents"), "t", 4, 0); /* sorts before */
    append_scalar(path_of(f, "c.tfevents"), "t", 5, 0);
    read_round(run, steps);
    assert_string_equal(steps, "435");
    /* the first half of a record, then the rest */
    append_scalar(path_of(f, "whole"), "t", 6, 0);
    char bytes[256];
    FILE *file = fopen(path_of(f, "whole"), "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t n = 1; n < size; n++) {
        file = fopen(path_of(f, "c.tfevents"), "ab");
        fwrite(bytes + n - 1, 1, 1, file);
        fclose(file);
        read_round(run, steps);
        assert_string_equal(steps, "");
        assert_true(spur_run_file_at(run, 2)->truncated);
    }
    file = fopen(path_of(f, "c.tfevents"), "ab");
    fwrite(bytes + size - 1, 1, 1, file);
    fclose(file);
    read_round(run, steps);
    assert_string_equal(steps, "6");
    assert_false(spur_run_file_at(run, 2)->truncated);
    /* a deleted file leaves what was read and disturbs nobody */
    assert_int_equal(unlink(path_of(f, "a.tfevents")), 0);
    append_scalar(path_of(f, "b.tfevents"), "t", 7, 0);
    read_round(run, steps);
    assert_string_equal(steps, "7");
    assert_int_equal(spur_run_find_tag(run, "t")->count, 7);
    assert_int_equal(spur_run_get_info(run).damage, 0);
    spur_run_close(run);
}

static void test_damage_is_passed(void **state) {
    fixture *f = *state;
    char steps[64];
    for (int i = 1; i < 4; i++) append_scalar(path_of(f, "a.tfevents"), "t", i, 0);
    append_scalar(path_of(f, "b.tfevents"), "t", 4, 0);
    append_scalar(path_of(f, "c.tfevents"), "t", 5, 0);
    size_t size = 0;
    FILE *file = fopen(path_of(f, "a.tfevents"), "r+b");
    fseek(file, 0, SEEK_END);
    size = (size_t)ftell(file) / 3;
    fseek(file, (long)size + 20, SEEK_SET); /* payload of the second record */
    fputc(0x77, file);
    fclose(file);
    file = fopen(path_of(f, "b.tfevents"), "r+b");
    fputc(0x77, file); /* framing of the first record */
    fclose(file);
    spur_run *run = open_run(f->directory);
    read_round(run, steps);
    assert_string_equal(steps, "135");
    assert_int_equal(spur_run_damage_count(run), 2);
    const spur_damage *damage = spur_run_damage(run, 0);
    assert_int_equal(damage->status, SPUR_E_DAMAGED);
    assert_int_equal(damage->offset, size);
    assert_int_equal(damage->file, 0);
    assert_non_null(strstr(damage->message, "a.tfevents: damaged record"));
    assert_int_equal(spur_run_damage(run, 1)->file, 1);
    assert_true(spur_run_file_at(run, 1)->stuck);
    assert_false(spur_run_file_at(run, 0)->stuck);
    append_scalar(path_of(f, "b.tfevents"), "t", 6, 0); /* out of reach */
    append_scalar(path_of(f, "a.tfevents"), "t", 7, 0);
    read_round(run, steps);
    assert_string_equal(steps, "7");
    assert_int_equal(spur_run_damage_count(run), 2); /* told once */
    spur_run_close(run);
}

static void append_payload(const char *path, const char *hex) {
    size_t size;
    unsigned char *bytes = bytes_of_hex(hex, &size);
    FILE *file = fopen(path, "ab");
    append_record(file, bytes, size);
    fclose(file);
    free(bytes);
}

static void test_payloads_that_are_no_events(void **state) {
    fixture *f = *state;
    char steps[64];
    const char *path = path_of(f, "a.tfevents");
    append_payload(path, "0f00"); /* not a message: skipped */
    append_payload(path, "10052a060a040a02c328"); /* a tag that is not UTF-8: told, and there */
    append_payload(path, ""); /* an empty Event */
    append_scalar(path, "t", 7, 0);
    spur_run *run = open_run(f->directory);
    read_round(run, steps);
    assert_string_equal(steps, "57");
    assert_int_equal(spur_run_get_info(run).events, 3);
    assert_int_equal(spur_run_damage_count(run), 2);
    assert_int_equal(spur_run_damage(run, 0)->status, SPUR_E_FORMAT);
    assert_non_null(strstr(spur_run_damage(run, 0)->message,
                           "a.tfevents: record at byte 0: payload of 2 bytes is not an Event"));
    assert_int_equal(spur_run_damage(run, 1)->status, SPUR_E_UTF8);
    assert_int_equal(spur_run_damage(run, 1)->offset, 18);
    assert_true(spur_run_get_info(run).first_wall_time == 0); /* of the empty one */
    spur_run_close(run);
}

static void test_much_damage_is_counted(void **state) {
    fixture *f = *state;
    char steps[64];
    for (int i = 0; i < 150; i++) append_payload(path_of(f, "a.tfevents"), "0f00");
    spur_run *run = open_run(f->directory);
    read_round(run, steps);
    assert_int_equal(spur_run_damage_count(run), 100);
    assert_int_equal(spur_run_get_info(run).damage, 150);
    assert_int_equal(spur_run_file_at(run, 0)->damaged, 150);
    spur_run_close(run);
}

static void test_wall_times_and_restarts(void **state) {
    fixture *f = *state;
    char steps[64];
    const double times[] = {(double)NAN, (double)INFINITY, 0, -5, 1e300};
    Spur__Tb__SessionLog start = SPUR__TB__SESSION_LOG__INIT;
    start.status = SPUR__TB__SESSION_LOG__SESSION_STATUS__START;
    for (int i = 0; i < 5; i++) {
        Spur__Tb__Event event = SPUR__TB__EVENT__INIT;
        event.wall_time = times[i];
        event.what_case = SPUR__TB__EVENT__WHAT_SESSION_LOG;
        event.session_log = &start;
        append_event(path_of(f, "a.tfevents"), &event);
    }
    spur_run *run = open_run(f->directory);
    read_round(run, steps);
    spur_run_info info = spur_run_get_info(run);
    assert_int_equal(info.events, 5);
    assert_int_equal(info.starts, 5);
    assert_int_equal(info.damage, 0);
    assert_false(info.has_version);
    spur_run_close(run);
}

static void test_same_tag_in_two_files(void **state) {
    fixture *f = *state;
    char steps[64];
    append_scalar(path_of(f, "a.tfevents"), "t", 0, 1);
    append_scalar(path_of(f, "a.tfevents"), "t", 5, 2);
    append_scalar(path_of(f, "b.tfevents"), "t", 3, 3);
    append_scalar(path_of(f, "b.tfevents"), "t", 3, 4);
    spur_run *run = open_run(f->directory);
    read_round(run, steps);
    const spur_tag *tag = spur_run_find_tag(run, "t");
    assert_int_equal(tag->falling, 1);
    assert_int_equal(tag->repeated, 1);
    assert_true(tag->first_step == 0 && tag->last_step == 3 && tag->max_step == 5);
    spur_run_close(run);
    spur_scalars *scalars;
    const spur_scalars_options options = {.supersede = true};
    assert_int_equal(spur_scalars_load(&scalars, f->directory, &options, NULL), SPUR_OK);
    const spur_series *series = spur_scalars_find(scalars, ".", "t");
    assert_int_equal(series->count, 2);
    assert_true(series->values[1] == 4);
    spur_scalars_destroy(scalars);
}

static void test_logdir(void **state) {
    fixture *f = *state;
    spur_logdir *logdir;
    spur_error err;
    const char *const directories[] = {"b", "a", "a/train", "none"};
    for (size_t i = 0; i < 4; i++) assert_int_equal(mkdir(path_of(f, directories[i]), 0700), 0);
    append_scalar(path_of(f, "a/train/x.tfevents.1"), "t", 0, 0);
    append_scalar(path_of(f, "b/x.tfevents.1"), "t", 0, 0);
    append_scalar(path_of(f, "x.tfevents.1"), "t", 0, 0);
    assert_int_equal(mkdir(path_of(f, "none/dir.tfevents"), 0700), 0);
    assert_int_equal(symlink("nowhere", path_of(f, "none/y.tfevents")), 0);
    assert_int_equal(symlink("a", path_of(f, "z")), 0);
    assert_int_equal(symlink("..", path_of(f, "a/train/loop")), 0);
    assert_int_equal(spur_logdir_open(&logdir, f->directory, &err), SPUR_OK);
    const char *const expected[] = {".", "a/train", "b", "z/train"};
    assert_int_equal(spur_logdir_count(logdir), 4);
    for (size_t i = 0; i < 4; i++) {
        spur_run *run = open_run(spur_logdir_path(logdir, i));
        assert_string_equal(spur_logdir_name(logdir, i), expected[i]);
        assert_int_equal(spur_run_file_count(run), 1);
        spur_run_close(run);
    }
    assert_null(spur_logdir_name(logdir, 4));
    assert_int_equal(spur_logdir_problem_count(logdir), 2); /* the loop, seen by two names */
    assert_non_null(strstr(spur_logdir_problem(logdir, 0), "circle"));
    spur_logdir_close(logdir);
    assert_int_equal(spur_logdir_open(&logdir, path_of(f, "missing"), &err), SPUR_E_NOTFOUND);
    assert_non_null(strstr(err.message, "missing"));
    spur_run *run;
    assert_int_equal(spur_run_open(&run, path_of(f, "missing"), &err), SPUR_E_NOTFOUND);
    assert_null(run);
}

/* A file that is replaced by a longer copy of itself (rsync) is read on; one that shrinks is not. */
static void test_replaced_and_shrunk(void **state) {
    fixture *f = *state;
    char steps[64], old[400];
    append_scalar(path_of(f, "a.tfevents"), "t", 1, 0);
    append_scalar(path_of(f, "a.tfevents"), "t", 2, 0);
    spur_run *run = open_run(f->directory);
    read_round(run, steps);
    assert_string_equal(steps, "12");
    for (int i = 1; i <= 3; i++) append_scalar(path_of(f, "copy"), "t", i, 0);
    snprintf(old, sizeof old, "%s/copy", f->directory);
    assert_int_equal(rename(old, path_of(f, "a.tfevents")), 0);
    read_round(run, steps);
    assert_string_equal(steps, "3");
    assert_int_equal(spur_run_get_info(run).damage, 0);
    assert_int_equal(truncate(path_of(f, "a.tfevents"), 50), 0);
    read_round(run, steps);
    assert_string_equal(steps, "");
    assert_int_equal(spur_run_damage_count(run), 1);
    assert_non_null(strstr(spur_run_damage(run, 0)->message, "has shrunk to 50 bytes"));
    assert_true(spur_run_file_at(run, 0)->stuck);
    spur_run_close(run);
}

/* A tensor without metadata is what the first value of its tag was, also one file later. */
static void test_metadata_once_in_a_run(void **state) {
    fixture *f = *state;
    spur_scalars *scalars;
    append_payload(path_of(f, "a.tfevents"), /* tag t, metadata scalars, float 0.25 */
                   "10012a1e0a1c0a0174420a0801120022040000803e4a0b0a090a077363616c617273");
    append_payload(path_of(f, "b.tfevents"), "10022a110a0f0a0174420a0801120022040000003f");
    assert_int_equal(spur_scalars_load(&scalars, f->directory, NULL, NULL), SPUR_OK);
    const spur_series *series = spur_scalars_find(scalars, ".", "t");
    assert_int_equal(series->count, 2);
    assert_true(series->values[0] == 0.25 && series->values[1] == 0.5);
    spur_scalars_destroy(scalars);
}

static void test_long_tag(void **state) {
    fixture *f = *state;
    enum { LENGTH = 100000 };
    unsigned char *payload = calloc(1, LENGTH + 32), *p = payload;
    const size_t inner = LENGTH + 4 + 5, sizes[] = {inner + 4, inner};
    for (size_t i = 0; i < 2; i++) {
        *p++ = i == 0 ? 0x2a : 0x0a;
        for (size_t n = sizes[i], k = 0; k < 3; k++, n >>= 7)
            *p++ = (unsigned char)((n & 127) | (k < 2 ? 128 : 0));
    }
    memcpy(p, "\x0a\xa0\x8d\x06", 4);
    memset(p + 4, 'x', LENGTH);
    memcpy(p + 4 + LENGTH, "\x15\0\0\x80\x3f", 5);
    FILE *file = fopen(path_of(f, "a.tfevents"), "wb");
    append_record(file, payload, (size_t)(p - payload) + inner);
    fclose(file);
    free(payload);
    char steps[16];
    spur_run *run = open_run(f->directory);
    read_round(run, steps);
    assert_int_equal(spur_run_tag_count(run), 1);
    assert_int_equal(spur_run_tag(run, 0)->name_size, LENGTH);
    assert_int_equal(strlen(spur_run_tag(run, 0)->name), LENGTH);
    spur_run_close(run);
}

/* Memory depends on the tags, not on the number of records. */
static void test_null_arguments(void **state) {
    fixture *f = *state;
    spur_records *records;
    spur_run *run;
    spur_logdir *logdir;
    spur_scalars *scalars;
    spur_error err;
    append_scalar(path_of(f, "a.tfevents.1"), "t", 0, 1);
    assert_int_equal(spur_records_open(&records, NULL, &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_run_open(&run, NULL, &err), SPUR_E_ARGUMENT);
    assert_null(run);
    assert_string_equal(err.message, "the path is NULL");
    assert_int_equal(spur_run_open(NULL, f->directory, &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_logdir_open(&logdir, NULL, &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_scalars_load(&scalars, NULL, NULL, &err), SPUR_E_ARGUMENT);
    assert_null(spur_scalars_find(scalars, ".", "t")); /* of a load that failed */
    assert_int_equal(spur_scalars_count(scalars), 0);
    assert_int_equal(spur_scalars_problem_count(scalars), 0);
    assert_int_equal(spur_scalars_load(&scalars, f->directory, NULL, &err), SPUR_OK);
    assert_null(spur_scalars_find(scalars, NULL, "t"));
    assert_null(spur_scalars_find(scalars, ".", NULL));
    spur_scalars_destroy(scalars);
    assert_int_equal(spur_run_open(&run, f->directory, &err), SPUR_OK);
    assert_null(spur_run_find_tag(NULL, "t"));
    assert_null(spur_run_find_tag(run, NULL));
    spur_run_close(run);
}

static void test_constant_memory(void **state) {
    fixture *f = *state;
    uint64_t allocations[2];
    for (int more = 0; more < 2; more++) {
        FILE *file = fopen(path_of(f, "a.tfevents"), "ab");
        for (int i = 0; i < (more ? 20000 : 100); i++)
            append_record(file, "\x2a\x0a\x0a\x08\x0a\x01t\x15\0\0\x80\x3f", 12);
        fclose(file);
        uint64_t before = spur__malloc_count();
        spur_run *run = open_run(f->directory);
        spur_event event;
        while (spur_run_next(run, &event, NULL) == SPUR_OK)
            for (spur_value value = {0}; spur_run_value(run, &event, &value);) {
            }
        assert_int_equal(spur_run_find_tag(run, "t")->count, more ? 20100 : 100);
        spur_run_close(run);
        allocations[more] = spur__malloc_count() - before;
    }
    assert_int_equal(allocations[0], allocations[1]);
}

/* Every allocation of loading a log directory fails once: a clean error, and it works afterwards. */
static void test_failing_allocations(void **state) {
    fixture *f = *state;
    int failures = 0;
    assert_int_equal(mkdir(path_of(f, "r"), 0700), 0);
    assert_int_equal(symlink(".", path_of(f, "r/loop")), 0);
    for (int i = 0; i < 40; i++) {
        char tag[16];
        snprintf(tag, sizeof tag, "tag%d", i);
        append_scalar(path_of(f, "r/a.tfevents"), tag, i, 0);
    }
    append_payload(path_of(f, "r/a.tfevents"), "0f00");
    for (uint64_t n = 1; n < 1000; n++) {
        spur_scalars *scalars;
        spur_error err = {0};
        spur__fault_malloc(n);
        spur_status status = spur_scalars_load(&scalars, f->directory, NULL, &err);
        spur__fault_malloc(0);
        if (status == SPUR_OK) {
            size_t count = spur_scalars_count(scalars);
            size_t problems = spur_scalars_problem_count(scalars);
            spur_scalars_destroy(scalars);
            assert_int_equal(count, 40);
            if (problems == 2) break;
            assert_int_equal(problems, 1); /* damage without memory is counted only */
            continue;
        }
        failures++;
        assert_null(scalars);
        assert_int_equal(status, SPUR_E_MEMORY);
        assert_int_equal(err.status, SPUR_E_MEMORY);
        assert_non_null(strstr(err.message, "out of memory"));
    }
    assert_true(failures > 100 && failures < 900);
}

/* A run that was out of memory goes on where it was. */
static void test_memory_comes_back(void **state) {
    fixture *f = *state;
    for (int i = 0; i < 3; i++) append_scalar(path_of(f, "a.tfevents"), "t", i, 0);
    for (uint64_t n = 1; n < 30; n++) {
        spur_run *run = open_run(f->directory);
        spur_event event;
        spur_status status;
        spur_error err;
        int events = 0, failures = 0;
        spur__fault_malloc(n);
        while ((status = spur_run_next(run, &event, &err)) != SPUR_E_END) {
            if (status == SPUR_E_MEMORY) failures++;
            if (status != SPUR_OK) continue;
            events++;
            for (spur_value value = {0}; spur_run_value(run, &event, &value);) {
            }
        }
        spur__fault_malloc(0);
        assert_int_equal(events, 3);
        assert_true(failures <= 1);
        spur_run_close(run);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_following, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage_is_passed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_payloads_that_are_no_events, setup, teardown),
        cmocka_unit_test_setup_teardown(test_much_damage_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wall_times_and_restarts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_tag_in_two_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_logdir, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replaced_and_shrunk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_metadata_once_in_a_run, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_tag, setup, teardown),
        cmocka_unit_test_setup_teardown(test_null_arguments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_constant_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failing_allocations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory_comes_back, setup, teardown),
    };
    return cmocka_run_group_tests_name("read_run", tests, NULL, NULL);
}
