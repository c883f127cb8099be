/* SPDX-License-Identifier: MIT
 *
 * Claims: taken once by many rivals, taken over from the dead, respected from the living and from
 * other hosts while their heartbeat is fresh. The journal on a full disk.
 */
#include <errno.h>
#include <fcntl.h>
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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "sweep/claim.h"
#include "sweep/journal.h"

static char folder[] = "/tmp/spur_claim_XXXXXX";

static int enter(void **state) {
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state) {
    (void)state;
    return chdir("/") == 0 ? rmdir(folder) : -1; /* fails when a temporary file was left behind */
}

static void test_identity_round_trip(void **state) {
    (void)state;
    process_id self = process_self(), back;
    char text[200];
    process_format(&self, text, sizeof text);
    assert_true(process_parse(text, &back));
    assert_int_equal(process_check(&back), PROCESS_ALIVE);
    back.start++;
    assert_int_equal(process_check(&back), PROCESS_DEAD);
    back = self;
    snprintf(back.boot, sizeof back.boot, "another-boot"); /* or a machine of the same name */
    assert_int_equal(process_check(&back), PROCESS_ELSEWHERE);
    snprintf(back.host, sizeof back.host, "another-host");
    assert_int_equal(process_check(&back), PROCESS_ELSEWHERE);
    assert_false(process_parse("only two", &back));
}

/* Sixteen processes, one claim, that of a dead one if `orphan`: one winner, who lives until all have tried. */
static void check_one_winner(bool orphan) {
    enum { RIVALS = 16 };
    int tried[2], over[2], winners = 0;
    pid_t children[RIVALS];
    char byte;
    assert_int_equal(pipe(tried), 0);
    assert_int_equal(pipe(over), 0);
    process_id dead = process_self();
    dead.start++;
    if (orphan) assert_int_equal(claim_take("rivals", &dead, NULL), SPUR_OK);
    for (int i = 0; i < RIVALS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            close(over[1]);
            process_id self = process_self();
            bool won = claim_take("rivals", &self, NULL) == SPUR_OK;
            bool told = write(tried[1], "", 1) == 1;
            while (read(over[0], &byte, 1) > 0) {
            } /* until the parent lets go */
            _exit(!told ? 100 : won);
        }
    }
    for (int i = 0; i < RIVALS; i++) assert_int_equal(read(tried[0], &byte, 1), 1);
    assert_true(claim_alive("rivals"));
    close(over[1]);
    for (int i = 0; i < RIVALS; i++) {
        int status;
        waitpid(children[i], &status, 0);
        winners += WEXITSTATUS(status);
    }
    assert_int_equal(winners, 1);
    assert_false(claim_alive("rivals")); /* its owner is gone */
    unlink("rivals");
    close(over[0]);
    close(tried[0]);
    close(tried[1]);
}

static void test_one_winner(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        if (i >= 2) spur__fault_link(EPERM);
        check_one_winner(i % 2);
    }
    spur__fault_link(0);
}

/* Who replaces a dead owner's claim holds the heir's meanwhile, and may die of it, too. */
static void test_heirs(void **state) {
    (void)state;
    process_id self = process_self(), dead = self, owner;
    dead.start++;
    for (int links = 0; links < 2; links++) {
        spur__fault_link(links ? 0 : EOPNOTSUPP);
        assert_int_equal(claim_take("left", &dead, NULL), SPUR_OK);
        assert_int_equal(claim_take("left.heir", &dead, NULL), SPUR_OK);
        assert_int_equal(claim_take("left.heir.heir", &dead, NULL), SPUR_OK);
        assert_int_equal(claim_take("left", &self, NULL), SPUR_OK);
        assert_true(claim_owner("left", &owner) && owner.start == self.start);
        assert_false(spur__exists("left.heir"));
        assert_false(spur__exists("left.heir.heir"));
        claim_release("left", &self);

        process_id parent = process_of(getppid());
        assert_int_equal(claim_take("left", &dead, NULL), SPUR_OK);
        assert_int_equal(claim_take("left.heir", &parent, NULL), SPUR_OK);
        assert_int_equal(claim_take("left", &self, NULL), SPUR_E_EXISTS);
        assert_true(claim_owner("left", &owner) && owner.start == dead.start);
        claim_release("left.heir", &parent);
        claim_release("left", &dead);
    }
    spur__fault_link(0);
}

/* A file whose content is complete gets its name once. */
static void test_names_are_given_once(void **state) {
    (void)state;
    char *text;
    size_t size;
    spur_error err;
    for (int links = 0; links < 2; links++) {
        spur__fault_link(links ? 0 : ENOSYS);
        assert_int_equal(spur__file_write("first", "1", 1, NULL), SPUR_OK);
        assert_int_equal(spur__file_write("second", "2", 1, NULL), SPUR_OK);
        assert_int_equal(claim_name("first", "name", &err), SPUR_OK);
        assert_int_equal(claim_name("second", "name", &err), SPUR_E_EXISTS);
        assert_int_equal(spur__file_read("name", 10, &text, &size, NULL), SPUR_OK);
        assert_string_equal(text, "1");
        spur__free(text);
        unlink("first");
        unlink("second");
        unlink("name");
    }
    spur__fault_link(EXDEV);
    assert_int_equal(claim_name("none", "name", &err), SPUR_E_IO);
    spur__fault_link(0);
}

static void test_taken_over_from_the_dead(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        process_id self = process_self();
        _exit(claim_take("orphan", &self, NULL) == SPUR_OK ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(WEXITSTATUS(status), 0);
    process_id self = process_self(), owner;
    assert_int_equal(claim_take("orphan", &self, NULL), SPUR_OK);
    assert_int_equal(claim_take("orphan", &self, NULL), SPUR_OK); /* ours already */
    assert_true(claim_owner("orphan", &owner) && owner.pid == (long)getpid());
    claim_release("orphan", &self);
}

/* One that nobody has waited for holds no lock and writes nothing any more. */
static void test_a_zombie_is_dead(void **state) {
    (void)state;
    int go[2];
    siginfo_t ended;
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) _exit(read(go[0], &ended, 1) == 1 ? 0 : 1);
    process_id id = process_of(child);
    assert_int_equal(process_check(&id), PROCESS_ALIVE);
    assert_int_equal(write(go[1], "", 1), 1);
    assert_int_equal(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
    assert_int_equal(process_check(&id), PROCESS_DEAD);
    waitpid(child, NULL, 0);
    assert_int_equal(process_check(&id), PROCESS_DEAD);
    close(go[0]);
    close(go[1]);
}

static void make_older(const char *path, time_t seconds) {
    struct timespec old[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
}

static void test_other_hosts_live_by_heartbeat(void **state) {
    (void)state;
    const char line[] = "far-away boot 1 1\n";
    process_id self = process_self();
    assert_int_equal(spur__file_write("remote", line, strlen(line), NULL), SPUR_OK);
    assert_int_equal(claim_take("remote", &self, NULL), SPUR_E_EXISTS);
    make_older("remote", 1000);
    assert_int_equal(claim_take("remote", &self, NULL), SPUR_OK);
    claim_release("remote", &self);
}

static atomic_long ahead;

/* In place of the C library's: a clock that is ahead of the one that stamps files. */
time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec + atomic_load(&ahead);
    return now.tv_sec + atomic_load(&ahead);
}

static void test_clocks_may_differ(void **state) {
    (void)state;
    const char line[] = "far-away boot 1 1\n";
    process_id self = process_self();
    assert_int_equal(spur__file_write("remote", line, strlen(line), NULL), SPUR_OK);
    atomic_store(&ahead, 3600);
    spur_status status = claim_take("remote", &self, NULL);
    atomic_store(&ahead, 0);
    assert_int_equal(status, SPUR_E_EXISTS);
    unlink("remote");
}

/* Who was stopped for so long that he was taken for dead does not take the heir's claim away. */
static void test_release_is_of_the_owner(void **state) {
    (void)state;
    process_id self = process_self(), late = process_of(getppid());
    assert_int_equal(claim_take("owned", &self, NULL), SPUR_OK);
    claim_release("owned", &late);
    assert_true(claim_is_of("owned", &self));
    assert_false(claim_is_of("owned", &late));
    claim_release("owned", &self);
    assert_false(spur__exists("owned"));
}

enum { ROUNDS = 500 };

static pthread_barrier_t together;
static atomic_int winners;

static void *take_often(void *owner) {
    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&together);
        if (claim_take("shared", owner, NULL) == SPUR_OK) atomic_fetch_add(&winners, 1);
        pthread_barrier_wait(&together);
        unlink("shared");
    }
    return NULL;
}

/* Two of the same pid, as in two containers: none writes into the other's temporary file. */
static void test_one_pid_twice(void **state) {
    (void)state;
    pthread_t threads[2];
    process_id owners[2] = {process_of(getppid()), process_self()};
    assert_int_equal(pthread_barrier_init(&together, NULL, 2), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_often, &owners[i]), 0);
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    pthread_barrier_destroy(&together);
    assert_int_equal(atomic_load(&winners), ROUNDS);
}

/* ---- the journal --------------------------------------------------------------------------- */

/* A full disk leaves no half of a line; and a worker is seen as long as it lives. */
static void test_journal(void **state) {
    (void)state;
    char here[] = ".", *text;
    size_t size;
    sweep_dir dir = {.path = here};
    sweep_journal j;
    assert_int_equal(mkdir("journal", 0700), 0);
    assert_int_equal(sweep_journal_open(&j, &dir, NULL), SPUR_OK);
    assert_true(sweep_journal_has_worker("."));
    assert_int_equal(sweep_journal_event(&j, "start", "trial_0001", NULL), SPUR_OK);
    spur__fault_write(20, ENOSPC);
    assert_int_equal(sweep_journal_event(&j, "adopt", "trial_0002", NULL), SPUR_E_IO);
    spur__fault_write(0, 0);
    assert_int_equal(sweep_journal_event(&j, "start", "trial_0003", NULL), SPUR_OK);
    sweep_journal_close(&j);
    assert_false(sweep_journal_has_worker("."));
    process_id self = process_self();
    char *path = sweep_path(&dir, "journal/%s-%ld-%llu.jsonl", self.host, self.pid, self.start);
    assert_int_equal(spur__file_read(path, 1000, &text, &size, NULL), SPUR_OK);
    assert_null(strstr(text, "trial_0002"));
    assert_string_equal(strchr(text, '\n') + 1 + strcspn(strchr(text, '\n') + 1, ","),
                        ", \"event\": \"start\", \"trial\": \"trial_0003\"}\n");
    spur__free(text);
    unlink(path);
    spur__free(path);
    assert_int_equal(rmdir("journal"), 0);
}

/* Without hard links a claim is empty for a moment, in which its owner lives. */
static void test_damaged_claim_is_dead(void **state) {
    (void)state;
    process_id self = process_self();
    assert_int_equal(spur__file_write("junk", "", 0, NULL), SPUR_OK);
    assert_int_equal(claim_take("junk", &self, NULL), SPUR_E_EXISTS);
    make_older("junk", CLAIM_WRITTEN_AFTER_SECONDS);
    assert_int_equal(claim_take("junk", &self, NULL), SPUR_OK);
    claim_release("junk", &self);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity_round_trip),
        cmocka_unit_test(test_one_winner),
        cmocka_unit_test(test_heirs),
        cmocka_unit_test(test_names_are_given_once),
        cmocka_unit_test(test_taken_over_from_the_dead),
        cmocka_unit_test(test_a_zombie_is_dead),
        cmocka_unit_test(test_other_hosts_live_by_heartbeat),
        cmocka_unit_test(test_clocks_may_differ),
        cmocka_unit_test(test_release_is_of_the_owner),
        cmocka_unit_test(test_one_pid_twice),
        cmocka_unit_test(test_journal),
        cmocka_unit_test(test_damaged_claim_is_dead),
    };
    return cmocka_run_group_tests_name("claim", tests, enter, leave);
}
