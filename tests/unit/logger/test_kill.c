/* SPDX-License-Identifier: MIT
 *
 * kill -9 at random moments, also while a run is being continued: every record up to the last flush is
 * in the file, the file is readable, and the restarted run goes on from its checkpoint.
 *
 * 20 kills; SPUR_TEST_KILLS says how many, SPUR_TEST_FULL=1 makes it 200.
 */
#include "written.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum { FIRST = 2, PER_CHECKPOINT = 200, SOON_NS = 12000000 };

/* What a training program would keep: where its log was when it had done `step` steps. */
typedef struct checkpoint {
    spur_writer_position position;
    int step;
} checkpoint;

static spur_status log_step(spur_writer *w, int step) {
    static char text[3000];
    spur_status status = spur_log_scalar(w, "loss", step, step);
    memset(text, 'a' + step % 26, sizeof text - 1);
    if (status == SPUR_OK && step % 17 == 0) status = spur_log_text(w, "text", step, text, NULL);
    return status;
}

/* The child: continues from the checkpoint, logs on and on, tells each checkpoint. */
static void train(const char *directory, const checkpoint *from, int channel) {
    spur_writer *w;
    checkpoint c = *from;
    spur_writer_options o = {.directory = directory, .flush_seconds = 0.001};
    if (c.step > 0) {
        o.continue_file = c.position.file;
        o.continue_length = c.position.length;
    }
    if (spur_writer_open(&w, &o, NULL) != SPUR_OK) _exit(2);
    for (;;) {
        for (int i = 0; i < PER_CHECKPOINT; i++)
            if (log_step(w, c.step++) != SPUR_OK) _exit(3);
        if (spur_writer_checkpoint(w, &c.position) != SPUR_OK) _exit(4);
        if (write(channel, &c, sizeof c) != (ssize_t)sizeof c) _exit(5);
    }
}

static unsigned random_below(unsigned n) {
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state % n);
}

/* Starts a child, kills it at a moment soon after it has told so many checkpoints, takes its last one. */
static void live_and_die(const char *directory, unsigned told, checkpoint *c) {
    int channel[2], status;
    checkpoint next;
    assert_int_equal(pipe(channel), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(channel[0]);
        train(directory, c, channel[1]);
    }
    close(channel[1]);
    for (; told > 0; told--) assert_int_equal(read(channel[0], c, sizeof *c), sizeof *c);
    nanosleep(&(struct timespec){.tv_nsec = (long)random_below(SOON_NS)}, NULL);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFSIGNALED(status)) fail_msg("the child ended by itself: %d", WEXITSTATUS(status));
    while (read(channel[0], &next, sizeof next) == (ssize_t)sizeof next) *c = next;
    close(channel[0]);
}

typedef struct steps {
    int next; /* all steps below were seen in order */
} steps;

static void check_step(void *user, const unsigned char *payload, size_t size) {
    steps *s = user;
    Spur__Tb__Event *e = spur__tb__event__unpack(NULL, size, payload);
    assert_non_null(e);
    bool scalar = e->what_case == SPUR__TB__EVENT__WHAT_SUMMARY &&
                  strcmp(e->summary->value[0]->tag, "loss") == 0;
    if (scalar) assert_int_equal(e->step, s->next++);
    spur__tb__event__free_unpacked(e, NULL);
}

/* Every event file can be read; the longest has all steps below `step`, without gaps or repeats. */
static void check_files(const char *directory, int step) {
    char path[8192];
    int longest = 0;
    DIR *dir = opendir(directory);
    if (!dir) return; /* killed before it began */
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        steps s = {0};
        if (!strstr(e->d_name, "tfevents")) continue;
        snprintf(path, sizeof path, "%s/%s", directory, e->d_name);
        each_record(path, NULL, check_step, &s);
        if (s.next > longest) longest = s.next;
    }
    closedir(dir);
    if (longest < step) fail_msg("%d steps in the file, %d were flushed", longest, step);
}

static int kills(void) {
    const char *count = getenv("SPUR_TEST_KILLS"), *full = getenv("SPUR_TEST_FULL");
    if (count && *count) return (int)strtol(count, NULL, 10);
    return full && strcmp(full, "1") == 0 ? 200 : 20;
}

static void test_kills(void **state) {
    checkpoint c = {.step = 0};
    char directory[4200];
    spur_writer *w;
    for (int i = 0, begun = 0; i < kills() || c.step == 0; i++) {
        if (c.step == 0 || c.step > 100000) { /* a new run */
            c.step = 0;
            snprintf(directory, sizeof directory, "%s/run%d", (char *)*state, begun++);
        }
        live_and_die(directory, random_below(3), &c);
        check_files(directory, c.step);
    }
    assert_true(c.step > 0);
    spur_writer_options o = {.directory = directory,
                             .continue_file = c.position.file,
                             .continue_length = c.position.length};
    assert_int_equal(spur_writer_open(&w, &o, NULL), SPUR_OK);
    for (int i = 0; i < 100; i++) assert_int_equal(log_step(w, c.step++), SPUR_OK);
    steps s = {0};
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
    each_record(spur_writer_path(w), NULL, check_step, &s);
    assert_int_equal(s.next, c.step); /* every step once, in order, over all those lives */
    assert_int_equal(spur_writer_close(w, NULL), SPUR_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kills, make_place, remove_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
