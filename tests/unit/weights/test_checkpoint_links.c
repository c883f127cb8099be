/* SPDX-License-Identifier: MIT
 *
 * The links of a folder of checkpoints, and the removal of those that nobody needs any more.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <spur/weights.h>
#include "base/file.h"
#include "unit/weights/folder.h"
#include "weights/checkpoint.h"

/* Checkpoints from 1, as far as links and removals look at them. */
static void make_steps(const char *directory, int count) {
    char path[160];
    spur_error err = {0};
    for (int step = 1; step <= count; step++) {
        snprintf(path, sizeof path, "%s/step_%d", directory, step);
        assert_int_equal(spur__mkdirs(path, &err), SPUR_OK);
        snprintf(path, sizeof path, "%s/step_%d/state", directory, step);
        assert_int_equal(spur__file_write(path, "", 0, &err), SPUR_OK);
    }
}

static void test_pruning(void **state) {
    spur_error err = {0};
    const char *cp = in_folder("pruned");
    char path[128];
    (void)state;
    make_steps(cp, 6);
    assert_int_equal(spur_checkpoint_link(cp, "last", 6, &err), SPUR_OK);
    snprintf(path, sizeof path, "%s/.best.tmp", cp); /* of a process that was killed */
    assert_int_equal(symlink("step_3", path), 0);
    assert_int_equal(spur_checkpoint_link(cp, "best", 1, &err), SPUR_OK);
    assert_int_equal(spur_checkpoint_link(cp, "best", 2, &err), SPUR_OK);
    snprintf(path, sizeof path, "%s/step_9.kept", cp); /* somebody else's */
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(spur_checkpoint_link(cp, "last", 7, &err), SPUR_E_NOTFOUND);
    assert_int_equal(spur_checkpoint_prune(cp, -1, &err), SPUR_E_RANGE);
    assert_int_equal(spur_checkpoint_prune(cp, 2, &err), SPUR_OK);
    assert_true(spur__exists(path));
    for (int step = 1; step <= 6; step++) {
        snprintf(path, sizeof path, "%s/step_%d/state", cp, step);
        assert_int_equal(spur__exists(path), step == 2 || step >= 4); /* 5 and 4 beside the links */
    }
    assert_int_equal(spur_checkpoint_prune(cp, 0, &err), SPUR_OK);
    for (int step = 1; step <= 6; step++) {
        snprintf(path, sizeof path, "%s/step_%d/state", cp, step);
        assert_int_equal(spur__exists(path), step == 2 || step == 6);
    }
}

static bool is_early(const void *last, const char *path, uint64_t step) {
    char expected[128];
    snprintf(expected, sizeof expected, "%s/linked/step_%d", folder, (int)step);
    assert_string_equal(path, expected);
    return step <= *(const uint64_t *)last;
}

/* Any link keeps what it leads to, however it is written, but those of a process that was killed on its way. */
static void test_links_of_others(void **state) {
    spur_error err = {0};
    char cp[128], path[160];
    (void)state;
    snprintf(cp, sizeof cp, "%s/linked", folder);
    make_steps(cp, 8);
    assert_int_equal(spur_checkpoint_link(cp, "last", 8, &err), SPUR_OK);
    assert_int_equal(symlink("step_1", in_folder("linked/mine")), 0);
    assert_int_equal(symlink("./step_2/", in_folder("linked/dotted")), 0);
    snprintf(path, sizeof path, "%s/step_3", cp);
    assert_int_equal(symlink(path, in_folder("linked/absolute")), 0);
    assert_int_equal(symlink("step_4", in_folder("linked/.best.tmp")), 0);
    assert_int_equal(symlink("step_99", in_folder("linked/gone")), 0);
    assert_int_equal(mkdir(in_folder("linked/step_08"), 0700), 0);
    uint64_t last = 5;
    spur__checkpoint_sweep(cp, is_early, &last);
    for (int step = 1; step <= 8; step++) {
        snprintf(path, sizeof path, "%s/step_%d/state", cp, step);
        assert_int_equal(spur__exists(path), step <= 3 || step >= 6);
    }
    assert_int_equal(spur_checkpoint_prune(cp, 1, &err), SPUR_OK);
    for (int step = 1; step <= 8; step++) {
        snprintf(path, sizeof path, "%s/step_%d/state", cp, step);
        assert_int_equal(spur__exists(path), step <= 3 || step >= 7);
    }
    assert_true(spur__exists(in_folder("linked/step_08")));
    spur__checkpoint_sweep(in_folder("nowhere"), is_early, &last);
}

/* What stands in the way of a link or of a removal is told; a file called like a checkpoint is none. */
static void test_what_is_in_the_way(void **state) {
    spur_error err = {0};
    char cp[128];
    (void)state;
    snprintf(cp, sizeof cp, "%s/way", folder);
    make_steps(cp, 2);
    assert_int_equal(mkdir(in_folder("way/best"), 0700), 0);
    assert_int_equal(spur_checkpoint_link(cp, "best", 1, &err), SPUR_E_IO);
    assert_non_null(strstr(err.message, "way/best: cannot link to step_1"));
    struct stat info;
    assert_int_not_equal(lstat(in_folder("way/.best.tmp"), &info), 0);
    assert_int_equal(spur__file_write(in_folder("way/step_3"), "mine", 4, &err), SPUR_OK);
    assert_int_equal(spur__checkpoint_remove(cp, 4, &err), SPUR_OK); /* there is none */
    assert_int_equal(spur_checkpoint_prune(cp, 1, &err), SPUR_OK);
    assert_true(spur__exists(in_folder("way/step_3")) && spur__exists(in_folder("way/step_2")));
    assert_false(spur__exists(in_folder("way/step_1")));
    assert_int_equal(mkdir(in_folder("way/step_2/mine"), 0700), 0);
    assert_int_equal(spur_checkpoint_prune(cp, 0, &err), SPUR_E_IO);
    assert_non_null(strstr(err.message, "way/step_2: cannot remove"));
    assert_false(spur__exists(in_folder("way/step_2/state")));
}

static char in_own_folder[96];

static void *link_often(void *step) {
    spur_error err;
    for (int i = 0; i < 200; i++)
        if (spur_checkpoint_link(in_own_folder, "last", *(uint64_t *)step, &err) != SPUR_OK)
            return step;
    return NULL;
}

/* Two that link at once do not take each other's link away. */
static void test_links_at_once(void **state) {
    uint64_t steps[2] = {1, 2};
    pthread_t threads[2];
    void *failed;
    (void)state;
    snprintf(in_own_folder, sizeof in_own_folder, "%s/links", folder);
    assert_int_equal(mkdir(in_own_folder, 0700), 0);
    for (int i = 0; i < 2; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/step_%d", in_own_folder, i + 1);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, link_often, &steps[i]), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_false(spur__exists(in_folder("links/.last.tmp")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pruning),
        cmocka_unit_test(test_links_of_others),
        cmocka_unit_test(test_what_is_in_the_way),
        cmocka_unit_test(test_links_at_once),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
