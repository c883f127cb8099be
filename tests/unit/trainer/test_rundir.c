/* SPDX-License-Identifier: MIT
 *
 * status.ini: where there is no room for a new one, and what is read of one that comes and goes. Locks. What is
 * synced of new and of moved directories.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "run/lock.h"
#include "run/move.h"
#include "run/outcome.h"
#include "run/remove.h"
#include "run/rundir.h"
#include "unit/synced.h"

/* A run in a fresh directory; if `blocked`, its path is so long that none can be made beside status.ini: what
 * stands in the way of a new file as a full disk does. */
static void check_last_word(bool blocked) {
    char folder[] = "/tmp/spur_rundir_XXXXXX", path_of_run[PATH_MAX];
    run_dir run = {.path = path_of_run, .lock = -1};
    char longer[200] = "";
    memset(longer, '-', sizeof longer - 1);
    run_status going = {.state = RUN_RUNNING, .epoch = 3, .message = longer};
    run_status over = {
        .state = RUN_FAILED, .exit_code = 1, .message = "no space ; left\non device"};
    assert_non_null(mkdtemp(folder));
    memcpy(path_of_run, folder, sizeof folder);
    assert_int_equal(run_write_status(&run, &going, NULL), SPUR_OK);
    for (size_t n = strlen(folder); blocked && n + 2 < PATH_MAX - strlen("/status.ini"); n += 2)
        memcpy(path_of_run + n, "/.", 3);
    assert_true((run_write_status(&run, &going, NULL) == SPUR_OK) == !blocked);
    assert_int_equal(run_write_status(&run, &over, NULL), SPUR_OK);
    char *path = run_path(&run, "status.ini"), *text;
    size_t size;
    assert_int_equal(spur__file_read(path, 1 << 16, &text, &size, NULL), SPUR_OK);
    assert_non_null(strstr(text, "state = failed\n"));
    assert_non_null(strstr(text, "message = no space , left on device\n"));
    assert_string_equal(text + size - strlen("on device\n"), "on device\n");
    spur__free(text);
    unlink(path);
    spur__free(path);
    assert_int_equal(rmdir(folder), 0);
}

static void test_last_word(void **state) {
    (void)state;
    check_last_word(false);
    check_last_word(true);
}

static atomic_bool enough;

static void *come_and_go(void *path) {
    static const char text[] = "[status]\nstate = done\n";
    while (!atomic_load(&enough)) {
        if (spur__file_write(path, text, sizeof text - 1, NULL) != SPUR_OK) return path;
        unlink(path);
    }
    return NULL;
}

/* Another worker's trial that just begins is not a damaged one. */
static void test_status_that_comes_is_not_damaged(void **state) {
    (void)state;
    char folder[] = "/tmp/spur_rundir_XXXXXX", path[64];
    run_outcome o;
    pthread_t writer;
    void *failed;
    size_t seen[VERDICT_COUNT] = {0};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/status.ini", folder);
    atomic_store(&enough, false);
    assert_int_equal(pthread_create(&writer, NULL, come_and_go, path), 0);
    while (seen[VERDICT_NONE] < 2000 || seen[VERDICT_DONE] < 2000) {
        assert_int_equal(run_outcome_read(folder, &o, NULL), SPUR_OK);
        assert_true(o.verdict == VERDICT_NONE || o.verdict == VERDICT_DONE);
        seen[o.verdict]++;
    }
    atomic_store(&enough, true);
    assert_int_equal(pthread_join(writer, &failed), 0);
    assert_null(failed);

    assert_int_equal(spur__file_write(path, "include = no.ini\n", 17, NULL), SPUR_OK);
    assert_int_equal(run_outcome_read(folder, &o, NULL), SPUR_OK);
    assert_int_equal(o.verdict, VERDICT_DAMAGED);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

static void write_state(const char *path, const char *text) {
    assert_int_equal(spur__file_write(path, text, strlen(text), NULL), SPUR_OK);
}

/* What a later version has written is not taken for a run that was killed. */
static void test_unknown_states(void **state) {
    (void)state;
    char folder[] = "/tmp/spur_rundir_XXXXXX", path[64], message[200];
    run_outcome o;
    int lock;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/status.ini", folder);
    write_state(path, "[status]\nstate = frozen\nbest = 1\n");
    assert_int_equal(run_outcome_read(folder, &o, NULL), SPUR_OK);
    assert_int_equal(o.verdict, VERDICT_DAMAGED);
    snprintf(
        message, sizeof message,
        "%s:2:9: unknown state 'frozen', expected running, interrupted, done, pruned or failed",
        path);
    assert_string_equal(o.message, message);
    assert_true(o.best != o.best);
    write_state(path, "[status]\n");
    assert_int_equal(run_outcome_read(folder, &o, NULL), SPUR_OK);
    assert_int_equal(o.verdict, VERDICT_DAMAGED);
    assert_int_equal(lock_take(folder, RUN_LOCK, &lock, NULL), SPUR_OK);
    assert_int_equal(run_outcome_read(folder, &o, NULL), SPUR_OK);
    assert_int_equal(o.verdict, VERDICT_RUNNING); /* who is at work will write it anew */
    assert_int_equal(run_outcome_left(folder, &o, NULL), SPUR_OK);
    assert_int_equal(o.verdict, VERDICT_DAMAGED);
    close(lock);
    unlink(path);
    snprintf(path, sizeof path, "%s/%s", folder, RUN_LOCK);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

static void put_state(const char *folder, const char *state) {
    char path[64], temporary[64];
    snprintf(path, sizeof path, "%s/status.ini", folder);
    snprintf(temporary, sizeof temporary, "%s/temporary", folder);
    FILE *file = fopen(temporary, "w");
    fprintf(file, "[status]\nstate = %s\n", state);
    fclose(file);
    rename(temporary, path);
}

/* In a child: runs that are over as soon as they have begun, one for each byte that comes. */
static void run_and_end(const char *folder, int go, int begun) {
    char path[64], byte;
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    snprintf(path, sizeof path, "%s/run.lock", folder);
    while (read(go, &byte, 1) == 1) {
        int file = open(path, O_RDWR | O_CREAT, 0600);
        if (fcntl(file, F_SETLK, &whole) != 0) _exit(1);
        put_state(folder, "running");
        if (write(begun, "", 1) != 1) _exit(2);
        put_state(folder, "done");
        close(file);
    }
    _exit(0);
}

/* A run that ends between two looks, at its status and at its lock, was not killed. */
static void test_a_run_that_ends_meanwhile(void **state) {
    (void)state;
    char folder[] = "/tmp/spur_rundir_XXXXXX", byte;
    static const char *const names[] = {"run.lock", "status.ini"};
    int go[2], begun[2], status;
    run_outcome o;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(begun), 0);
    pid_t child = fork();
    if (child == 0) {
        close(go[1]);
        run_and_end(folder, go[0], begun[1]);
    }
    for (int i = 0; i < 500; i++) {
        assert_int_equal(write(go[1], "", 1), 1);
        assert_int_equal(read(begun[0], &byte, 1), 1);
        do {
            assert_int_equal(run_outcome_read(folder, &o, NULL), SPUR_OK);
            assert_true(o.verdict == VERDICT_RUNNING || o.verdict == VERDICT_DONE);
        } while (o.verdict == VERDICT_RUNNING);
    }
    close(go[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (int i = 0; i < 2; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
        close((i ? begun : go)[0]);
    }
    close(begun[1]);
    assert_int_equal(rmdir(folder), 0);
}

static void *look_at(void *folder) {
    while (!atomic_load(&enough)) (void)run_is_locked(folder);
    return NULL;
}

/* To look at a lock takes nothing, and lets go of nothing. */
static void test_looking_takes_nothing(void **state) {
    (void)state;
    char folder[] = "/tmp/spur_rundir_XXXXXX", path[64];
    pthread_t watchers[2];
    int lock, second;
    assert_non_null(mkdtemp(folder));
    atomic_store(&enough, false);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&watchers[i], NULL, look_at, folder), 0);
    for (int i = 0; i < 3000; i++) {
        assert_int_equal(lock_take(folder, TRIAL_LOCK, &lock, NULL), SPUR_OK);
        assert_true(run_is_locked(folder));
        assert_int_equal(lock_take(folder, TRIAL_LOCK, &second, NULL), SPUR_E_STATE);
        close(lock);
    }
    atomic_store(&enough, true);
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_join(watchers[i], NULL), 0);
    assert_false(run_is_locked(folder));
    snprintf(path, sizeof path, "%s/%s", folder, TRIAL_LOCK);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(lock_take(folder, TRIAL_LOCK, &lock, NULL), SPUR_E_NOTFOUND);
}

/* Whether a given directory holds a run is decided with its lock in hand. */
static void test_a_given_directory(void **state) {
    (void)state;
    char folder[] = "/tmp/spur_rundir_XXXXXX", path[64];
    run_dir run;
    int lock;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/status.ini", folder);
    assert_int_equal(setenv("SPUR_RUN_DIR", folder, 1), 0);
    write_state(path, "[status]\nstate = running\n");
    assert_int_equal(lock_take(folder, RUN_LOCK, &lock, NULL), SPUR_OK);
    assert_int_equal(run_create(&run, ".", "", NULL), SPUR_E_STATE);
    close(lock);
    assert_int_equal(run_create(&run, ".", "", NULL), SPUR_E_EXISTS);
    assert_false(run_is_locked(folder));
    unlink(path);
    assert_int_equal(run_create(&run, ".", "", NULL), SPUR_OK);
    assert_true(run_is_locked(folder));
    run_close(&run);
    unsetenv("SPUR_RUN_DIR");
    snprintf(path, sizeof path, "%s/%s", folder, RUN_LOCK);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

static bool far; /* the next rename is one to another device */

/* In place of the system's, also for the trainer. */
int rename(const char *from, const char *to) {
    if (!far) return renameat(AT_FDCWD, from, AT_FDCWD, to);
    far = false;
    errno = EXDEV;
    return -1;
}

/* No power cut loses a directory that has just been made with all that comes into it, nor one that moves. */
static void test_names_are_synced(void **state) {
    (void)state;
    char folder[] = "/tmp/spur_rundir_XXXXXX", logs[64], given[64], moved[64];
    run_dir run;
    assert_non_null(mkdtemp(folder));
    snprintf(logs, sizeof logs, "%s/my/logs", folder);
    snprintf(given, sizeof given, "%s/given", folder);
    snprintf(moved, sizeof moved, "%s/my/moved", folder);
    synced[0] = '\0';
    assert_int_equal(run_create(&run, logs, "", NULL), SPUR_OK);
    expect_synced("%s\n%s/my\n%s\n", folder, folder, logs);
    run_close(&run);
    assert_int_equal(setenv("SPUR_RUN_DIR", given, 1), 0);
    assert_int_equal(run_create(&run, logs, "", NULL), SPUR_OK);
    unsetenv("SPUR_RUN_DIR");
    run_close(&run);
    expect_synced("%s\n", folder);
    far = true;
    assert_int_equal(move_tree(given, moved, NULL), SPUR_OK);
    expect_synced("%s.tmp\n%s/my\n", moved, folder);
    assert_int_equal(remove_tree(folder, NULL), SPUR_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_word),
        cmocka_unit_test(test_status_that_comes_is_not_damaged),
        cmocka_unit_test(test_unknown_states),
        cmocka_unit_test(test_a_run_that_ends_meanwhile),
        cmocka_unit_test(test_looking_takes_nothing),
        cmocka_unit_test(test_a_given_directory),
        cmocka_unit_test(test_names_are_synced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
