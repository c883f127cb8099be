/* SPDX-License-Identifier: MIT
 *
 * The queue: bounds, policies, large records, the barrier, short and failed writes.
 */
#include "written.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#include "write/writer.h"

enum { FIRST = 2, SMALL = 64 << 10 };

static spur_writer *begin(void **state, const spur_writer_options *options) {
    spur_writer *w;
    assert_int_equal(open_exact(&w, *state, options), SPUR_OK);
    return w;
}

static char *text_of(size_t length, char c) {
    char *text = malloc(length + 1);
    memset(text, c, length);
    text[length] = '\0';
    return text;
}

static off_t size_of(const char *path) {
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_size;
}

/* ---- order, bounds ------------------------------------------------------------------------- */

static uint64_t random_state = 1;

static uint32_t next_random(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

/* Records of all sizes through a small ring: all there, in order, unchanged; never more waiting than
 * allowed. */
static void test_everything_arrives_in_order(void **state) {
    enum { COUNT = 3000 };
    spur_writer_stats stats;
    spur_writer *w = begin(state, &(spur_writer_options){.queue_bytes = SMALL});
    static size_t lengths[COUNT];
    char path[4096];
    snprintf(path, sizeof path, "%s", spur_writer_path(w));
    for (int i = 0; i < COUNT; i++) {
        uint32_t r = next_random();
        lengths[i] = r % 50 == 0 ? 70000 + r % 50000 : r % 7 == 0 ? r % 40000 : r % 100;
        char *text = text_of(lengths[i], (char)('a' + i % 26));
        assert_int_equal(spur_log_text(w, "t", i, text, NULL), SPUR_OK);
        free(text);
    }
    spur_writer_get_stats(w, &stats);
    assert_true(stats.queue_peak <= SMALL);
    assert_int_equal(stats.records, COUNT + FIRST);
    assert_int_equal(spur_writer_close(w, NULL), SPUR_OK);
    written *got = read_written(path);
    assert_int_equal(got->count, COUNT + FIRST);
    for (int i = 0; i < COUNT; i++) {
        const Spur__Tb__TensorProto *t = value_at(got, FIRST + (size_t)i, "text")->tensor;
        assert_int_equal(got->events[FIRST + i]->step, i);
        assert_int_equal(t->string_val[0].len, lengths[i]);
        for (size_t k = 0; k < lengths[i]; k++)
            assert_int_equal(t->string_val[0].data[k], 'a' + i % 26);
    }
    forget(got);
}

static void test_no_allocation_per_scalar(void **state) {
    spur_writer *w = begin(state, NULL);
    char tag[32];
    for (int i = 0; i < 100; i++) {
        snprintf(tag, sizeof tag, "tag %d", i);
        spur_log_scalar(w, tag, 0, 0);
    }
    uint64_t before = spur__malloc_count();
    for (int step = 1; step < 1000; step++)
        for (int i = 0; i < 100; i++) {
            snprintf(tag, sizeof tag, "tag %d", i);
            assert_int_equal(spur_log_scalar(w, tag, step, i), SPUR_OK);
        }
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
    assert_true(spur__malloc_count() == before);
    spur_writer_close(w, NULL);
}

static void test_drop(void **state) {
    spur_writer_options options = {
        .queue_bytes = SMALL, .when_full = SPUR_LOG_DROP, .flush_seconds = -1};
    spur_writer_stats stats;
    spur_writer *w = begin(state, &options);
    char path[4096], *large = text_of(SMALL, 'x');
    snprintf(path, sizeof path, "%s", spur_writer_path(w));
    spur__fault_write(0, EIO); /* the disk is gone for a while */
    spur_writer_flush(w);
    int kept = 0, lost = 0;
    for (int i = 0; i < 5000; i++) {
        spur_status status = spur_log_scalar(w, "loss", i, i);
        assert_true(status == SPUR_OK || status == SPUR_E_IO || status == SPUR_E_DROPPED);
        if (status == SPUR_OK)
            kept++;
        else
            lost++;
    }
    spur__fault_write(0, 0);
    assert_true(kept > 500 && lost > 1000);
    assert_int_equal(spur_log_text(w, "large", 1, large, NULL), SPUR_E_DROPPED);
    spur_writer_get_stats(w, &stats);
    assert_int_equal(stats.dropped, lost + 1);
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
    assert_int_equal(count_records(path), kept + FIRST);
    spur_writer_close(w, NULL);
    free(large);
}

/* A scalar whose description alone is larger than the queue is written all the same. */
static void test_large_scalar(void **state) {
    spur_writer *w = begin(state, &(spur_writer_options){.queue_bytes = SMALL});
    char *large = text_of(2 * SMALL, 'x'), path[4096];
    const spur_log_options options = {.description = large};
    snprintf(path, sizeof path, "%s", spur_writer_path(w));
    alarm(1200); /* it would wait for room that never comes */
    for (int i = 0; i < 3; i++)
        assert_int_equal(spur_log_scalar_with(w, "a", i, i, &options), SPUR_OK);
    assert_int_equal(spur_writer_close(w, NULL), SPUR_OK);
    alarm(0);
    assert_true(count_records(path) >= 4);
    free(large);
}

/* Nobody need look at each call: the end tells, with the number, unless something came before. */
static void test_drops_are_told_at_the_end(void **state) {
    spur_writer_options options = {.queue_bytes = SMALL, .when_full = SPUR_LOG_DROP};
    char *large = text_of(SMALL, 'x');
    spur_error err;
    for (int round = 0; round < 2; round++) {
        spur_writer *w = begin(state, &options);
        if (round == 1) assert_int_equal(spur_log_scalar(w, "", 0, 0), SPUR_E_ARGUMENT);
        for (int i = 0; i < 3; i++)
            assert_int_equal(spur_log_text(w, "large", i, large, NULL), SPUR_E_DROPPED);
        assert_int_equal(spur_log_scalar(w, "a", 0, 0), SPUR_OK);
        if (round == 0) assert_int_equal(spur_log_text(w, "a", 0, "", NULL), SPUR_E_TYPE);
        assert_int_equal(spur_writer_error(w, NULL), round ? SPUR_E_ARGUMENT : SPUR_E_DROPPED);
        assert_int_equal(spur_writer_close(w, &err), round ? SPUR_E_ARGUMENT : SPUR_E_DROPPED);
        if (round == 0) assert_suffix(err.message, "the queue was full: 3");
    }
    free(large);
}

/* What was refused is not there, and may be tried again. */
static void test_refused_graph_may_come_again(void **state) {
    spur_writer_options options = {.queue_bytes = SMALL, .when_full = SPUR_LOG_DROP};
    spur_writer *w = begin(state, &options);
    spur_log_graph_builder *large, *small;
    char *device = text_of(SMALL, 'd');
    spur_log_graph_create(&large);
    spur_log_graph_create(&small);
    spur_log_graph_add(large, &(spur_log_node){.name = "a", .op = "b", .device = device});
    spur_log_graph_add(small, &(spur_log_node){.name = "a", .op = "b"});
    assert_int_equal(spur_log_graph(w, large, NULL), SPUR_E_DROPPED);
    assert_int_equal(spur_log_graph(w, large, NULL), SPUR_E_DROPPED);
    assert_int_equal(spur_log_graph(w, small, NULL), SPUR_OK);
    assert_int_equal(spur_log_graph(w, small, NULL), SPUR_E_STATE);
    spur_log_graph_destroy(large);
    spur_log_graph_destroy(small);
    spur_writer_close(w, NULL);
    free(device);
}

static void test_large_records_wait_their_turn(void **state) {
    spur_writer *w =
        begin(state, &(spur_writer_options){.queue_bytes = SMALL, .flush_seconds = -1});
    char *large = text_of(3 * SMALL, 'x');
    spur_log_scalar(w, "a", 0, 0);
    assert_int_equal(spur_log_text(w, "t", 1, large, NULL), SPUR_OK);
    assert_int_equal(count_records(spur_writer_path(w)), FIRST + 2); /* written when it returned */
    spur_log_scalar(w, "a", 2, 0);
    spur_writer_flush(w);
    written *got = read_written(spur_writer_path(w));
    for (size_t i = 0; i < 3; i++) assert_int_equal(got->events[FIRST + i]->step, i);
    forget(got);
    spur_writer_close(w, NULL);
    free(large);
}

static void test_limits_of_options(void **state) {
    spur_writer *w = (spur_writer *)1;
    spur_error err;
    spur_writer_options small = {.directory = *state, .queue_bytes = 1000};
    assert_int_equal(spur_writer_open(&w, &small, &err), SPUR_E_RANGE);
    assert_null(w);
    assert_non_null(strstr(err.message, "1000"));
}

/* ---- flushing ------------------------------------------------------------------------------ */

static void test_flush_interval(void **state) {
    spur_writer *w = begin(state, &(spur_writer_options){.flush_seconds = 0.02});
    off_t before = size_of(spur_writer_path(w));
    spur_log_scalar(w, "a", 0, 0);
    while (size_of(spur_writer_path(w)) == before)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(count_records(spur_writer_path(w)), FIRST + 1);
    spur_writer_close(w, NULL);
}

static void test_no_interval(void **state) {
    spur_writer *w = begin(state, &(spur_writer_options){.flush_seconds = -1, .sync = true});
    off_t before = size_of(spur_writer_path(w));
    spur_log_scalar(w, "a", 0, 0);
    nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    assert_int_equal(size_of(spur_writer_path(w)), before);
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
    assert_int_equal(count_records(spur_writer_path(w)), FIRST + 1);
    spur_writer_close(w, NULL);
}

/* ---- failures ------------------------------------------------------------------------------ */

/* The disk fills up in the middle of a record, again and again; the program goes on, and when there
 * is room again every record that was accepted is in the file, whole. */
static void test_full_disk(void **state) {
    spur_writer *w = begin(state, &(spur_writer_options){.flush_seconds = -1});
    spur_writer_stats stats;
    spur_error err;
    char path[4096];
    int step = 0;
    snprintf(path, sizeof path, "%s", spur_writer_path(w));
    for (uint64_t room = 1; room < 400; room += 13) {
        for (int i = 0; i < 3; i++)
            assert_int_equal(spur_log_scalar(w, "loss", step++, 1.0), SPUR_OK);
        spur__fault_write(room, ENOSPC);
        spur_status full = spur_writer_flush(w);
        assert_int_equal(full, room < 3 * 60 ? SPUR_E_IO : full);
        for (int i = 0; i < 3; i++)
            assert_int_equal(spur_log_scalar(w, "loss", step++, 1.0), SPUR_OK);
        spur__fault_write(0, 0);
        if (room % 2) assert_int_equal(spur_writer_flush(w), SPUR_OK);
    }
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
    spur_writer_get_stats(w, &stats);
    assert_true(stats.write_errors > 10 && stats.dropped == 0);
    assert_int_equal(stats.bytes, size_of(path));
    assert_int_equal(spur_writer_error(w, &err), SPUR_E_IO);
    assert_non_null(strstr(err.message, "No space left"));
    assert_non_null(strstr(err.message, path));
    assert_int_equal(spur_writer_close(w, NULL), SPUR_E_IO); /* the first error sticks */
    assert_int_equal(count_records(path), FIRST + step);
}

/* The same inside a record larger than the queue: it is finished first. */
static void test_full_disk_in_a_large_record(void **state) {
    spur_writer *w =
        begin(state, &(spur_writer_options){.queue_bytes = SMALL, .flush_seconds = -1});
    char path[4096], *large = text_of(4 * SMALL, 'y');
    snprintf(path, sizeof path, "%s", spur_writer_path(w));
    spur__fault_write(SMALL + 5, ENOSPC);
    assert_int_equal(spur_log_text(w, "t", 0, large, NULL), SPUR_OK);
    assert_int_equal(spur_log_scalar(w, "a", 1, 0), SPUR_OK);
    assert_int_equal(spur_log_text(w, "t", 2, large, NULL), SPUR_E_IO); /* one at a time */
    spur__fault_write(0, 0);
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
    spur_writer_close(w, NULL);
    written *got = read_written(path);
    assert_int_equal(got->count, FIRST + 2);
    assert_int_equal(value_at(got, FIRST, "text")->tensor->string_val[0].len, 4 * SMALL);
    assert_int_equal(got->events[FIRST + 1]->step, 1);
    forget(got);
    free(large);
}

/* With the queue full and the disk full, calls return instead of waiting; what was accepted stays. */
static void test_block_does_not_hang_on_a_dead_disk(void **state) {
    spur_writer *w =
        begin(state, &(spur_writer_options){.queue_bytes = SMALL, .flush_seconds = -1});
    char path[4096];
    int kept = 0;
    snprintf(path, sizeof path, "%s", spur_writer_path(w));
    spur__fault_write(100, ENOSPC);
    for (int i = 0; i < 5000; i++) kept += spur_log_scalar(w, "loss", i, i) == SPUR_OK;
    assert_true(kept > 500 && kept < 5000);
    assert_int_equal(spur_writer_flush(w), SPUR_E_IO);
    spur__fault_write(0, 0);
    assert_int_equal(spur_log_scalar(w, "loss", 5000, 0), SPUR_E_IO); /* still full */
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
    assert_int_equal(spur_log_scalar(w, "loss", 5001, 0), SPUR_OK);
    spur_writer_close(w, NULL);
    assert_int_equal(count_records(path), FIRST + kept + 1);
}

static void test_open_on_a_full_disk(void **state) {
    char command[4200];
    for (uint64_t room = 0; room < 200; room += 7) {
        spur_writer *w = (spur_writer *)1;
        spur_error err;
        spur_writer_options options = {.directory = *state};
        spur__fault_write(room, ENOSPC);
        spur_status status = spur_writer_open(&w, &options, &err);
        spur__fault_write(0, 0);
        if (status == SPUR_OK) break;
        assert_int_equal(status, SPUR_E_IO);
        assert_null(w);
        assert_non_null(strstr(err.message, "No space left"));
        snprintf(command, sizeof command, "test -z \"$(ls -A '%s')\"", (char *)*state);
        assert_int_equal(system(command), 0); /* nothing half-written stays behind */
    }
}

static void test_close_on_a_full_disk(void **state) {
    spur_writer *w = begin(state, &(spur_writer_options){.flush_seconds = -1});
    spur_error err;
    char path[4096];
    size_t left;
    snprintf(path, sizeof path, "%s", spur_writer_path(w));
    for (int i = 0; i < 10; i++) spur_log_scalar(w, "loss", i, i);
    spur__fault_write(200, EDQUOT);
    assert_int_equal(spur_writer_close(w, &err), SPUR_E_IO);
    spur__fault_write(0, 0);
    assert_non_null(strstr(err.message, path));
    assert_true(each_record(path, &left, NULL, NULL) >= FIRST + 2);
}

/* What the queue itself says at its end: bytes that are lost, or a file that could not be closed; once. */
static void test_stop_tells_what_was_lost(void **state) {
    const spur__queue_options options = {.bytes = SMALL, .interval = -1};
    char path[4096];
    snprintf(path, sizeof path, "%s/records", (char *)*state);
    enum { WELL, FULL, CLOSED, CASES };
    for (int i = 0; i < CASES; i++) {
        spur__queue q = {.fd = -1};
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_int_equal(spur__queue_open(&q, fd, 0, &options, NULL), SPUR_OK);
        if (i != CLOSED) {
            unsigned char *record;
            pthread_mutex_lock(&q.mutex);
            assert_int_equal(spur__queue_reserve(&q, 20, &record), SPUR_OK);
            memset(record, 0, 20);
            spur__record_head(record, 4);
            spur__queue_commit(&q, 20);
            pthread_mutex_unlock(&q.mutex);
        }
        if (i == FULL) spur__fault_write(7, ENOSPC);
        if (i == CLOSED) close(fd);
        assert_int_equal(spur__queue_stop(&q), i == WELL ? SPUR_OK : SPUR_E_IO);
        spur__fault_write(0, 0);
        assert_int_equal(q.error, i == WELL ? 0 : i == FULL ? ENOSPC : EBADF);
        assert_int_equal(spur__queue_stop(&q), SPUR_OK);
        assert_int_equal(size_of(path), i == WELL ? 20 : i == FULL ? 7 : 0);
        spur__queue_free(&q, false);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_everything_arrives_in_order),
        TEST(test_no_allocation_per_scalar),
        TEST(test_large_scalar),
        TEST(test_drop),
        TEST(test_drops_are_told_at_the_end),
        TEST(test_refused_graph_may_come_again),
        TEST(test_large_records_wait_their_turn),
        TEST(test_limits_of_options),
        TEST(test_flush_interval),
        TEST(test_no_interval),
        TEST(test_full_disk),
        TEST(test_full_disk_in_a_large_record),
        TEST(test_block_does_not_hang_on_a_dead_disk),
        TEST(test_open_on_a_full_disk),
        TEST(test_close_on_a_full_disk),
        TEST(test_stop_tells_what_was_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
