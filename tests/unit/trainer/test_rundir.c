/* SPDX-License-Identifier: MIT
 *
 * status.ini where there is no room for a new one.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "run/rundir.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_last_word)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
