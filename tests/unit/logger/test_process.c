/* SPDX-License-Identifier: MIT
 *
 * Threads, fork, exit: eight threads on one writer, a fork in between, a child's own writer, data kept
 * at exit.
 */
#include "written.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { FIRST = 2, THREADS = 8, POINTS = 20000, FORKS = 3 };

/* In the child of a program with threads the sanitizers' own allocator may hang (AddressSanitizer)
 * and threads cannot be started (ThreadSanitizer); the C library's can do both. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static _Atomic bool running;
static _Atomic int forks;

typedef struct job {
    spur_writer *writer;
    int number, points;
} job;

/* A tag of its own, one that all share, now and then a text and a look at the numbers; until there were forks
 * meanwhile. */
static void *log_much(void *argument) {
    job *j = argument;
    int i = 0;
    char tag[32];
    spur_writer_stats stats;
    snprintf(tag, sizeof tag, "thread/%d", j->number);
    for (; i < POINTS || atomic_load(&forks) < FORKS; i++) {
        assert_int_equal(spur_log_scalar(j->writer, tag, i, i), SPUR_OK);
        assert_int_equal(spur_log_scalar(j->writer, "shared", i, j->number), SPUR_OK);
        if (i % 1000 == 0) {
            assert_int_equal(spur_log_text(j->writer, "text", i, tag, NULL), SPUR_OK);
            assert_int_equal(spur_writer_flush(j->writer), SPUR_OK);
            spur_writer_get_stats(j->writer, &stats);
            assert_true(stats.records > 2 * (uint64_t)i);
        }
    }
    j->points = i;
    return NULL;
}

typedef struct tally {
    int next[THREADS]; /* the step that must come next in each thread's tag */
    size_t shared, texts;
} tally;

static void count_event(void *user, const unsigned char *payload, size_t size) {
    tally *t = user;
    Spur__Tb__Event *e = spur__tb__event__unpack(NULL, size, payload);
    assert_non_null(e);
    if (e->what_case == SPUR__TB__EVENT__WHAT_SUMMARY) {
        const char *tag = e->summary->value[0]->tag;
        if (strncmp(tag, "thread/", 7) == 0)
            assert_int_equal(e->step, t->next[tag[7] - '0']++);
        else if (strcmp(tag, "shared") == 0)
            t->shared++;
        else
            t->texts++;
    }
    spur__tb__event__free_unpacked(e, NULL);
}

/* The leak checker must not look at a fork's child: the test's memory is its parent's. */
static bool in_child;
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) {
    return in_child;
}

/* In the child: nothing that it does with the parent's writer changes the parent's file. */
static void be_a_child(spur_writer *parents, const char *place) {
    char directory[4096];
    spur_writer *own, *sub = parents;
    in_child = true;
    bool fine = spur_writer_is_noop(parents) &&
                spur_log_scalar(parents, "child", 0, 0) == SPUR_OK &&
                spur_log_text(parents, "child", 0, "x", NULL) == SPUR_OK &&
                spur_writer_flush(parents) == SPUR_OK &&
                spur_writer_open_sub(&sub, parents, "sub", NULL) == SPUR_OK && sub == NULL;
    snprintf(directory, sizeof directory, "%s/child", place);
    if (!SANITIZED)
        fine = fine && open_exact(&own, directory, NULL) == SPUR_OK &&
               spur_log_scalar(own, "child", 1, 1) == SPUR_OK;
    /* exit, not _exit: the handlers run; `own` is left open for them */
    exit(fine ? 0 : 1);
}

static void *fork_now_and_then(void *argument) {
    const job *j = argument;
    char place[4096];
    for (int i = 0; atomic_load(&running); i++) {
        snprintf(place, sizeof place, "%s/fork%d", spur_writer_directory(j->writer), i);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) be_a_child(j->writer, place);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        atomic_fetch_add(&forks, 1);
    }
    return NULL;
}

static void test_threads_and_forks(void **state) {
    spur_writer *w;
    pthread_t ids[THREADS], forker;
    job jobs[THREADS];
    char path[4096];
    assert_int_equal(open_exact(&w, *state, &(spur_writer_options){.queue_bytes = 1 << 18}),
                     SPUR_OK);
    snprintf(path, sizeof path, "%s", spur_writer_path(w));
    atomic_store(&running, true);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (job){w, i, 0};
        assert_int_equal(pthread_create(&ids[i], NULL, log_much, &jobs[i]), 0);
    }
    assert_int_equal(pthread_create(&forker, NULL, fork_now_and_then, &jobs[0]), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(ids[i], NULL);
    atomic_store(&running, false);
    pthread_join(forker, NULL);
    spur_writer_stats stats;
    spur_writer_get_stats(w, &stats);
    assert_int_equal(stats.dropped, 0);
    assert_int_equal(spur_writer_close(w, NULL), SPUR_OK);
    tally t = {.shared = 0};
    size_t left, points = 0, texts = 0, records = each_record(path, &left, count_event, &t);
    assert_int_equal(left, 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(t.next[i], jobs[i].points);
        points += (size_t)jobs[i].points;
        texts += (size_t)(jobs[i].points + 999) / 1000;
    }
    assert_int_equal(t.shared, points);
    assert_int_equal(t.texts, texts);
    assert_int_equal(records, FIRST + points * 2 + texts);
}

/* The child's own file is complete although nobody closed it. */
static void test_child_has_its_own(void **state) {
    spur_writer *w;
    char pattern[4200];
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    spur_log_scalar(w, "parent", 0, 0);
    pid_t pid = fork();
    if (pid == 0) be_a_child(w, *state);
    int status;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
    assert_int_equal(count_records(spur_writer_path(w)), FIRST + 1);
    snprintf(pattern, sizeof pattern, "test $(stat -c %%s '%s'/child/events.*) -gt 200",
             (char *)*state);
    if (!SANITIZED) assert_int_equal(system(pattern), 0);
    spur_writer_close(w, NULL);
}

/* exit() without close: everything is there. */
static void test_exit_keeps_data(void **state) {
    int channel[2], status;
    char path[4096] = "";
    assert_int_equal(pipe(channel), 0);
    pid_t pid = fork();
    if (pid == 0) {
        spur_writer *w, *sub;
        in_child = true;
        bool fine =
            open_exact(&w, *state, &(spur_writer_options){.flush_seconds = -1}) == SPUR_OK &&
            spur_writer_open_sub(&sub, w, "train", NULL) == SPUR_OK;
        for (int i = 0; fine && i < 500; i++)
            fine = spur_log_scalar(w, "a", i, i) == SPUR_OK &&
                   spur_log_scalar(sub, "b", i, i) == SPUR_OK;
        const char *p = spur_writer_path(sub);
        fine = fine && write(channel[1], p, strlen(p)) > 0;
        exit(fine ? 0 : 1);
    }
    close(channel[1]);
    assert_true(read(channel[0], path, sizeof path - 1) > 0);
    close(channel[0]);
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(count_records(path), FIRST + 500);
}

/* Closing in the child frees; the parent goes on. */
static void test_close_in_child(void **state) {
    spur_writer *w;
    int status;
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    for (int i = 0; i < 100; i++) spur_log_scalar(w, "a", i, i);
    pid_t pid = fork();
    if (pid == 0) {
        in_child = true;
        exit(spur_writer_close(w, NULL) == SPUR_OK ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(spur_log_scalar(w, "a", 100, 0), SPUR_OK);
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
    assert_int_equal(count_records(spur_writer_path(w)), FIRST + 101);
    spur_writer_close(w, NULL);
}

/* A limit on the size of files: a failed write, no signal. */
static void test_file_size_limit(void **state) {
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        spur_writer *w;
        spur_error err;
        in_child = true;
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){5000, 5000});
        bool fine = open_exact(&w, *state, NULL) == SPUR_OK;
        for (int i = 0; i < 1000; i++) spur_log_scalar(w, "a", i, i);
        fine = fine && spur_writer_flush(w) == SPUR_E_IO &&
               spur_writer_close(w, &err) == SPUR_E_IO && strstr(err.message, "too large");
        exit(fine ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

/* A daemon without standard descriptors that prints nevertheless: not into the event file. */
static void test_closed_standard_descriptors(void **state) {
    int status;
    char path[4200];
    pid_t pid = fork();
    if (pid == 0) {
        spur_writer *w;
        in_child = true;
        for (int i = 0; i < 3; i++) close(i);
        bool fine = open_exact(&w, *state, NULL) == SPUR_OK;
        for (int i = 0; i < 3; i++) fine = fine && write(i, "noise", 5) < 0;
        fine = fine && spur_writer_close(w, NULL) == SPUR_OK;
        _exit(fine ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    snprintf(path, sizeof path, "! grep -q noise '%s'/*", (char *)*state);
    assert_int_equal(system(path), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_threads_and_forks), TEST(test_child_has_its_own),
        TEST(test_exit_keeps_data),   TEST(test_close_in_child),
        TEST(test_file_size_limit),   TEST(test_closed_standard_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
