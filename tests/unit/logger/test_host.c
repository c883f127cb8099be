/* SPDX-License-Identifier: MIT
 *
 * What the program around a writer may be and do: have a limit on its files, much thread-local
 * memory, another directory than at first, cancelled threads, code that runs after exit handlers.
 */
#include "written.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

enum { FIRST = 2 };

/* The leak checker must not look at a fork's child: the test's memory is its parent's. */
static bool in_child;
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) {
    return in_child;
}

/* More than a small stack holds: the C library puts it there, in every thread. */
static _Thread_local volatile char much[600 << 10];

static void test_thread_local_memory(void **state) {
    spur_writer *w;
    much[sizeof much - 1] = 1;
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    assert_int_equal(spur_log_scalar(w, "a", 0, 0), SPUR_OK);
    assert_int_equal(spur_writer_close(w, NULL), SPUR_OK);
}

/* ---- a limit on the size of files ---------------------------------------------------------- */

/* Exit status of a child that does this; -1 if a signal ended it. */
static int status_of_child(bool (*run)(const char *place), const char *place) {
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        in_child = true;
        exit(run(place) ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* No SIGXFSZ is blocked or waits. */
static bool signals_untouched(void) {
    sigset_t mask, pending;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    sigpending(&pending);
    return !sigismember(&mask, SIGXFSZ) && !sigismember(&pending, SIGXFSZ);
}

static bool log_large_embedding(const char *place) {
    enum { N = 5000 };
    static const float values[N];
    spur_writer *w;
    spur_error err;
    const spur_log_points p = {.values = values, .rows = N, .columns = 1};
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){5000, 5000});
    return open_exact(&w, place, NULL) == SPUR_OK &&
           spur_log_embedding(w, "e", 0, &p) == SPUR_E_IO && signals_untouched() &&
           spur_writer_close(w, &err) == SPUR_E_IO && strstr(err.message, "too large");
}

static void test_file_size_limit_of_an_embedding(void **state) {
    char command[4200];
    assert_int_equal(status_of_child(log_large_embedding, *state), 0);
    snprintf(command, sizeof command,
             "cd '%s' && test -z \"$(find projector -type f)\" && ! test -e projector_config.pbtxt",
             (char *)*state);
    assert_int_equal(system(command), 0);
}

static spur_writer_position checkpoint;

static bool continue_large_file(const char *place) {
    spur_writer *w;
    spur_error err;
    spur_writer_options o = {
        .directory = place, .continue_file = checkpoint.file, .continue_length = checkpoint.length};
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){5000, 5000});
    return spur_writer_open(&w, &o, &err) == SPUR_E_IO && !w && signals_untouched() &&
           strstr(err.message, "too large");
}

static void test_file_size_limit_of_a_continued_file(void **state) {
    spur_writer *w;
    char command[4200];
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    for (int i = 0; i < 1000; i++) spur_log_scalar(w, "a", i, i);
    assert_int_equal(spur_writer_checkpoint(w, &checkpoint), SPUR_OK);
    spur_writer_close(w, NULL);
    assert_int_equal(status_of_child(continue_large_file, *state), 0);
    snprintf(command, sizeof command, "test $(ls -A '%s' | wc -l) -eq 1", (char *)*state);
    assert_int_equal(system(command), 0); /* the old file, nothing else */
}

/* A program that has blocked the signal itself finds it as it left it. */
static void test_pending_signal_stays(void **state) {
    const float values[1] = {0};
    const spur_log_points p = {.values = values, .rows = 1, .columns = 1};
    sigset_t one, old, pending;
    spur_writer *w;
    sigemptyset(&one);
    sigaddset(&one, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &one, &old);
    pthread_kill(pthread_self(), SIGXFSZ);
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    assert_int_equal(spur_log_embedding(w, "e", 0, &p), SPUR_OK);
    spur_writer_close(w, NULL);
    sigpending(&pending);
    assert_true(sigismember(&pending, SIGXFSZ));
    int number;
    assert_int_equal(sigwait(&one, &number), 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* ---- directories --------------------------------------------------------------------------- */

static void test_change_of_directory(void **state) {
    char here[4096], command[8192];
    const float values[1] = {0};
    const spur_log_points p = {.values = values, .rows = 1, .columns = 1};
    spur_writer *w, *sub;
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(*state), 0);
    assert_int_equal(mkdir("elsewhere", 0777), 0);
    assert_int_equal(open_exact(&w, "runs/one", NULL), SPUR_OK);
    assert_int_equal(chdir("elsewhere"), 0);
    assert_int_equal(spur_writer_open_sub(&sub, w, "train", NULL), SPUR_OK);
    assert_int_equal(spur_log_embedding(w, "e", 0, &p), SPUR_OK);
    assert_int_equal(spur_log_embedding(sub, "e", 0, &p), SPUR_OK);
    assert_string_equal(spur_writer_directory(w), "runs/one");
    assert_string_equal(spur_writer_directory(sub), "runs/one/train");
    assert_memory_equal(spur_writer_path(sub), "runs/one/train/events.out", 25);
    assert_int_equal(spur_writer_close(sub, NULL), SPUR_OK);
    assert_int_equal(spur_writer_close(w, NULL), SPUR_OK);
    assert_int_equal(chdir(here), 0);
    snprintf(command, sizeof command,
             "cd '%s' && test -z \"$(ls -A elsewhere)\" && cd runs/one && "
             "test -e projector/e-00000/tensors.tsv -a -e train/projector/e-00000/tensors.tsv && "
             "test -n \"$(ls train/events.out*)\"",
             (char *)*state);
    assert_int_equal(system(command), 0);
}

/* ---- cancelled threads --------------------------------------------------------------------- */

static _Atomic int rounds;

static void *log_for_ever(void *argument) {
    char *large = calloc(1, 1 << 17);
    memset(large, 'x', (1 << 17) - 1);
    pthread_cleanup_push(free, large);
    for (int i = 0;; i++) {
        spur_log_scalar(argument, "a", i, i);
        if (i % 10 == 0) spur_log_text(argument, "t", i, large, NULL);
        spur_writer_flush(argument);
        atomic_fetch_add(&rounds, 1);
    }
    pthread_cleanup_pop(1);
    return NULL;
}

static void test_cancelled_threads(void **state) {
    spur_writer *w;
    alarm(1200); /* instead of waiting for ever for a lost lock */
    assert_int_equal(open_exact(&w, *state, &(spur_writer_options){.queue_bytes = 64 << 10}),
                     SPUR_OK);
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        int before = atomic_load(&rounds);
        assert_int_equal(pthread_create(&thread, NULL, log_for_ever, w), 0);
        do nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        while (atomic_load(&rounds) == before);
        pthread_cancel(thread);
        pthread_join(thread, NULL);
        assert_int_equal(spur_writer_flush(w), SPUR_OK);
    }
    assert_int_equal(spur_writer_close(w, NULL), SPUR_OK);
    alarm(0);
}

/* ---- after the exit handler ---------------------------------------------------------------- */

static spur_writer *late;

/* As the destructor of a C++ object that is older than the first writer. */
static void log_after_exit(void) {
    spur_error err;
    spur_writer_stats stats;
    bool fine = spur_writer_flush(late) == SPUR_OK && /* all is in the file */
                spur_log_scalar(late, "a", 1, 1) == SPUR_E_STATE &&
                spur_log_text(late, "t", 1, "x", NULL) == SPUR_E_STATE;
    spur_writer_get_stats(late, &stats);
    fine = fine && stats.dropped == 2 && spur_writer_close(late, &err) == SPUR_E_STATE &&
           strstr(err.message, "exit handler") && strstr(err.message, ": 2");
    if (!fine) _exit(3);
}

static bool leave_it_to_exit(const char *place) {
    atexit(log_after_exit);
    return open_exact(&late, place, NULL) == SPUR_OK && spur_log_scalar(late, "a", 0, 0) == SPUR_OK;
}

/* The child installs the library's handler itself, later than its own. */
static void test_records_after_exit(void **state) {
    assert_int_equal(status_of_child(leave_it_to_exit, *state), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_records_after_exit), /* first: before this program has opened a writer */
        TEST(test_thread_local_memory),
        TEST(test_file_size_limit_of_an_embedding),
        TEST(test_file_size_limit_of_a_continued_file),
        TEST(test_pending_signal_stays),
        TEST(test_change_of_directory),
        TEST(test_cancelled_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
