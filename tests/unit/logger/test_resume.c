/* SPDX-License-Identifier: MIT
 *
 * Restarting with a purge step, and continuing from a checkpoint.
 */
#include "written.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "write/writer.h"

enum { FIRST = 2 };

static spur_status open_at(spur_writer **w, const char *directory,
                           const spur_writer_position *position) {
    spur_writer_options o = {.directory = directory,
                             .continue_file = position->file,
                             .continue_length = position->length};
    return spur_writer_open(w, &o, NULL);
}

static void log_range(spur_writer *w, int first, int last) {
    for (int i = first; i < last; i++) assert_int_equal(spur_log_scalar(w, "loss", i, i), SPUR_OK);
}

/* The steps of the file's scalars are 0, 1, ... count - 1, behind one beginning. */
static void assert_steps(const char *path, int count) {
    written *got = read_written(path);
    assert_int_equal(got->count, FIRST + count);
    assert_string_equal(got->events[0]->file_version, "brain.Event:2");
    assert_int_equal(got->events[1]->session_log->status,
                     SPUR__TB__SESSION_LOG__SESSION_STATUS__START);
    assert_int_equal(got->events[1]->step, 0);
    for (int i = 0; i < count; i++) assert_int_equal(got->events[FIRST + i]->step, i);
    forget(got);
}

/* Event files in the directory that hold more than a beginning. */
static int files_with_data(const char *directory) {
    int count = 0;
    char path[8192];
    DIR *dir = opendir(directory);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (!strstr(e->d_name, "tfevents")) continue;
        snprintf(path, sizeof path, "%s/%s", directory, e->d_name);
        count += count_records(path) > FIRST;
    }
    closedir(dir);
    return count;
}

/* Event files in the directory. */
static int count_files(const char *directory) {
    int count = 0;
    DIR *dir = opendir(directory);
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        count += strstr(e->d_name, "tfevents") != NULL;
    closedir(dir);
    return count;
}

/* An old file keeps its beginning for the TensorBoard that follows it, and goes ten minutes later. */
static void test_continue_retires(void **state) {
    spur_writer *w;
    spur_writer_position at;
    char old[4096];
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    log_range(w, 0, 10);
    snprintf(old, sizeof old, "%s", spur_writer_path(w));
    assert_int_equal(spur_writer_checkpoint(w, &at), SPUR_OK);
    spur_writer_close(w, NULL);
    for (int files = 2; files <= 3; files++) {
        assert_int_equal(open_at(&w, *state, &at), SPUR_OK);
        spur_writer_close(w, NULL);
        assert_int_equal(count_files(*state), files);
    }
    const time_t then = time(NULL) - 700;
    assert_int_equal(utimensat(AT_FDCWD, old, (struct timespec[]){{then, 0}, {then, 0}}, 0), 0);
    assert_int_equal(open_at(&w, *state, &at), SPUR_OK);
    spur_writer_close(w, NULL);
    assert_int_equal(count_files(*state), 3); /* a new one is there, the first has gone */
    assert_int_not_equal(access(old, F_OK), 0);
}

/* From the same checkpoint again and again, then from a later one. */
static void test_continue(void **state) {
    spur_writer *w;
    spur_writer_position early, late;
    char old[4096], path[4096];
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    log_range(w, 0, 100);
    assert_int_equal(spur_writer_checkpoint(w, &early), SPUR_OK);
    log_range(w, 100, 150);
    snprintf(old, sizeof old, "%s", spur_writer_path(w));
    spur_writer_close(w, NULL);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(open_at(&w, *state, &early), SPUR_OK);
        snprintf(path, sizeof path, "%s", spur_writer_path(w));
        assert_true(strcmp(path, old) > 0);
        snprintf(old, sizeof old, "%s", path);
        assert_steps(path, 100); /* before anything new: no trace of steps 100..149 */
        assert_int_equal(files_with_data(*state), 1);
        log_range(w, 100, 120 + round);
        assert_int_equal(spur_writer_checkpoint(w, &late), SPUR_OK);
        assert_string_equal(late.file, early.file);
        spur_writer_close(w, NULL);
        assert_steps(path, 120 + round);
    }
    assert_int_equal(open_at(&w, *state, &late), SPUR_OK);
    snprintf(path, sizeof path, "%s", spur_writer_path(w));
    log_range(w, 122, 200);
    assert_int_equal(spur_writer_close(w, NULL), SPUR_OK);
    assert_steps(path, 200);
    assert_int_equal(files_with_data(*state), 1);
}

/* What was logged before counts: kinds of tags, last steps, what a run can have only once. */
static void test_continue_remembers(void **state) {
    spur_writer *w;
    spur_writer_position position;
    spur_writer_stats stats;
    spur_log_graph_builder *g;
    const float samples[4] = {0};
    spur_log_clips clips = {
        .samples = samples, .type = SPUR_LOG_F32, .count = 2, .frames = 2, .sample_rate = 8000};
    spur_log_graph_create(&g);
    spur_log_graph_add(g, &(spur_log_node){.name = "a", .op = "b"});
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    spur_log_hparams(w, NULL, 0, NULL);
    spur_log_graph(w, g, NULL);
    spur_log_audio(w, "sound", 0, &clips, NULL);
    spur_log_scalar(w, "a", 10, 0);
    assert_int_equal(spur_writer_checkpoint(w, &position), SPUR_OK);
    spur_log_text(w, "later", 0, "gone", NULL);
    spur_writer_close(w, NULL);
    assert_int_equal(open_at(&w, *state, &position), SPUR_OK);
    assert_int_equal(spur_log_hparams(w, NULL, 0, NULL), SPUR_E_STATE);
    assert_int_equal(spur_log_graph(w, g, NULL), SPUR_E_STATE);
    assert_int_equal(spur_log_text(w, "a", 0, "x", NULL), SPUR_E_TYPE);
    assert_int_equal(spur_log_scalar(w, "later", 0, 0), SPUR_OK);
    clips.count = 1;
    assert_int_equal(spur_log_audio(w, "sound", 1, &clips, NULL), SPUR_E_SHAPE);
    assert_int_equal(spur_log_scalar(w, "a", 9, 0), SPUR_OK);
    spur_writer_get_stats(w, &stats);
    assert_int_equal(stats.falling_steps, 1);
    spur_log_graph_destroy(g);
    spur_writer_close(w, NULL);
}

/* The wall time of the first records stays: runs keep their order and colour. */
static void test_continue_keeps_the_start(void **state) {
    spur_writer *w;
    spur_writer_position position;
    assert_int_equal(open_exact(&w, *state, &(spur_writer_options){.wall_time = 1e9}), SPUR_OK);
    assert_int_equal(spur_writer_checkpoint(w, &position), SPUR_OK);
    spur_writer_close(w, NULL);
    assert_int_equal(open_at(&w, *state, &position), SPUR_OK);
    written *got = read_written(spur_writer_path(w));
    assert_true(got->events[0]->wall_time == 1e9 && got->events[1]->wall_time == 1e9);
    forget(got);
    spur_writer_close(w, NULL);
}

/* Also after a purge, whose START has a step. */
static void test_continue_after_purge(void **state) {
    spur_writer *w;
    spur_writer_position position;
    spur_writer_options purge = {.purge = true, .purge_step = 123456};
    assert_int_equal(open_exact(&w, *state, &purge), SPUR_OK);
    written *got = read_written(spur_writer_path(w));
    assert_int_equal(got->events[1]->step, 123456);
    forget(got);
    log_range(w, 0, 5);
    assert_int_equal(spur_writer_checkpoint(w, &position), SPUR_OK);
    spur_writer_close(w, NULL);
    assert_int_equal(open_at(&w, *state, &position), SPUR_OK);
    assert_steps(spur_writer_path(w), 5);
    spur_writer_close(w, NULL);
}

static void test_continue_refused(void **state) {
    spur_writer *w;
    spur_writer_position position;
    char path[4096];
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    log_range(w, 0, 10);
    assert_int_equal(spur_writer_checkpoint(w, &position), SPUR_OK);
    snprintf(path, sizeof path, "%s", spur_writer_path(w));
    spur_writer_close(w, NULL);
    spur_writer_position p = position;
    p.length += 1;
    assert_int_equal(open_at(&w, *state, &p), SPUR_E_NOTFOUND); /* longer than the file */
    p.length = position.length - 1;
    assert_int_equal(open_at(&w, *state, &p), SPUR_E_DAMAGED); /* inside a record */
    p.length = 10;
    assert_int_equal(open_at(&w, *state, &p), SPUR_E_RANGE);
    p = position;
    p.file[0] = 'x';
    assert_int_equal(open_at(&w, *state, &p), SPUR_E_NOTFOUND);
    FILE *file = fopen(path, "r+b");
    fseek(file, 300, SEEK_SET);
    fputc('!', file);
    fclose(file);
    assert_int_equal(open_at(&w, *state, &position), SPUR_E_DAMAGED);
}

/* While `old` is open: whether others can have it, asked whenever something is written out. */
static struct { int old, asked, free; } hold = {.old = -1};

/* In place of the system's, also for the library. */
int fsync(int fd) {
    if (hold.old >= 0) {
        hold.asked++;
        hold.free += flock(hold.old, LOCK_EX | LOCK_NB) == 0;
    }
    return fdatasync(fd);
}

/* Whoever continues a file holds it until the new one has its name: two would spoil each other's. */
static void test_continue_holds_the_old_file(void **state) {
    spur_writer *w;
    spur_writer_position position;
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    log_range(w, 0, 2000);
    assert_int_equal(spur_writer_checkpoint(w, &position), SPUR_OK);
    int old = open(spur_writer_path(w), O_RDONLY | O_CLOEXEC);
    assert_true(old >= 0);
    spur_writer_close(w, NULL);
    hold.old = old;
    assert_int_equal(open_at(&w, *state, &position), SPUR_OK);
    hold.old = -1;
    assert_true(hold.asked > 0);
    assert_int_equal(hold.free, 0);
    assert_int_equal(flock(old, LOCK_EX | LOCK_NB), 0);
    close(old);
    assert_steps(spur_writer_path(w), 2000);
    spur_writer_close(w, NULL);
}

static void test_continue_options(void **state) {
    spur_writer *w;
    spur_writer_options o = {.continue_file = "x"};
    assert_int_equal(spur_writer_open(&w, &o, NULL), SPUR_E_ARGUMENT);
    o = (spur_writer_options){.directory = *state, .continue_file = "x", .purge = true};
    assert_int_equal(spur_writer_open(&w, &o, NULL), SPUR_E_ARGUMENT);
    o = (spur_writer_options){.directory = *state, .continue_file = "a/x"};
    assert_int_equal(spur_writer_open(&w, &o, NULL), SPUR_E_ARGUMENT);
}

/* A full disk while continuing leaves the old file as it was. */
static void test_continue_on_a_full_disk(void **state) {
    spur_writer *w;
    spur_writer_position position;
    char path[4096];
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    log_range(w, 0, 50);
    assert_int_equal(spur_writer_checkpoint(w, &position), SPUR_OK);
    log_range(w, 50, 60);
    snprintf(path, sizeof path, "%s", spur_writer_path(w));
    spur_writer_close(w, NULL);
    for (uint64_t room = 0; room < position.length; room += 97) {
        spur__fault_write(room, 28 /* ENOSPC */);
        spur_status status = open_at(&w, *state, &position);
        spur__fault_write(0, 0);
        assert_int_equal(status, SPUR_E_IO);
        assert_steps(path, 60);
        assert_int_equal(files_with_data(*state), 1);
    }
    assert_int_equal(open_at(&w, *state, &position), SPUR_OK);
    assert_steps(spur_writer_path(w), 50);
    spur_writer_close(w, NULL);
}

/* A file that a version with a shorter number began. */
static void test_continue_of_an_earlier_version(void **state) {
    static const char name[] = "events.out.tfevents.0000000001.host.0000001.0000.v2";
    unsigned char *records[2], bytes[512];
    size_t sizes[2];
    char path[4096];
    spur_writer *w;
    assert_int_equal(spur__pack_version(1, "spur.log 1", &records[0], &sizes[0], NULL), SPUR_OK);
    assert_int_equal(spur__pack_start(1, 0, name, &records[1], &sizes[1], NULL), SPUR_OK);
    memcpy(bytes, records[0], sizes[0]);
    memcpy(bytes + sizes[0], records[1], sizes[1]);
    size_t size = sizes[0] + sizes[1];
    spur__seal(bytes, size, size);
    snprintf(path, sizeof path, "%s/%s", (const char *)*state, name);
    assert_int_equal(spur__file_write(path, bytes, size, NULL), SPUR_OK);
    spur_writer_position at = {.length = size};
    memcpy(at.file, name, sizeof name);
    assert_int_equal(open_at(&w, *state, &at), SPUR_OK);
    log_range(w, 0, 10);
    snprintf(path, sizeof path, "%s", spur_writer_path(w));
    assert_int_equal(spur_writer_close(w, NULL), SPUR_OK);
    assert_steps(path, 10);
    spur__free(records[0]);
    spur__free(records[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_continue),
        TEST(test_continue_retires),
        TEST(test_continue_of_an_earlier_version),
        TEST(test_continue_remembers),
        TEST(test_continue_keeps_the_start),
        TEST(test_continue_after_purge),
        TEST(test_continue_refused),
        TEST(test_continue_holds_the_old_file),
        TEST(test_continue_options),
        TEST(test_continue_on_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
