/* SPDX-License-Identifier: MIT
 *
 * Whole-file reading, atomic writing with injected failures, directories.
 */
#include <dirent.h>
#include <errno.h>
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
#include "unit/synced.h"

static char folder[] = "/tmp/spur_test_XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static size_t entries(void) {
    size_t n = 0;
    DIR *d = opendir(".");
    assert_non_null(d);
    while (readdir(d)) n++;
    closedir(d);
    return n - 2;
}

static void check_content(const char *path, const char *expected) {
    char *data;
    size_t size;
    assert_int_equal(spur__file_read(path, 1000, &data, &size, NULL), SPUR_OK);
    assert_string_equal(data, expected);
    assert_int_equal(size, strlen(expected));
    spur__free(data);
}

static void test_write_is_atomic(void **state) {
    (void)state;
    spur_error err = {0};
    assert_int_equal(spur__file_write("a", "old", 3, &err), SPUR_OK);
    for (uint64_t room = 0; room < 6; room++) {
        spur__fault_write(room, ENOSPC);
        assert_int_equal(spur__file_write("a", "newer!", 6, &err), SPUR_E_IO);
        spur__fault_write(0, 0);
        assert_non_null(strstr(err.message, "a: cannot write: No space left on device"));
        check_content("a", "old");
        assert_int_equal(entries(), 1);
    }
    assert_int_equal(spur__file_write("a", "newer!", 6, &err), SPUR_OK);
    check_content("a", "newer!");
    unlink("a");
}

/* Renaming over a pipe, a device or a folder would leave a file in its place. */
static void test_only_files_are_replaced(void **state) {
    (void)state;
    struct stat info;
    spur_error err = {0};
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_equal(spur__file_write("pipe", "x", 1, &err), SPUR_E_TYPE);
    assert_string_equal(err.message, "pipe: cannot write: not a regular file");
    assert_int_equal(stat("pipe", &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
    assert_int_equal(entries(), 1);
    unlink("pipe");
}

static char *link_text(const char *path) {
    static char text[64];
    ssize_t n = readlink(path, text, sizeof text - 1);
    text[n < 0 ? 0 : n] = '\0';
    return text;
}

/* A link stays one, also one to a link or to nothing yet; the file is renamed in its own folder. */
static void test_links_are_followed(void **state) {
    (void)state;
    char there[64], target[64];
    spur_error err = {0};
    assert_int_equal(mkdir("there", 0700), 0);
    snprintf(there, sizeof there, "%s/there", folder);
    snprintf(target, sizeof target, "%s/there/file", folder);
    assert_int_equal(symlink("../last", "there/link") || symlink("there/link", "first"), 0);
    assert_int_equal(symlink(target, "last"), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(spur__file_write("first", i ? "new" : "old", 3, &err), SPUR_OK);
        check_content("there/file", i ? "new" : "old");
        assert_string_equal(link_text("first"), "there/link");
        assert_string_equal(link_text("there/link"), "../last");
        assert_string_equal(link_text("last"), target);
    }
    spur__fault_write(1, ENOSPC);
    assert_int_equal(spur__file_write("first", "newer", 5, &err), SPUR_E_IO);
    spur__fault_write(0, 0);
    assert_string_equal(err.message, "first: cannot write: No space left on device");
    check_content("there/file", "new");
    for (uint64_t n = 1; n <= 8; n++) { /* of the links, the path and the temporary name */
        spur__fault_malloc(n);
        assert_int_equal(spur__file_write("first", "lost", 4, NULL), SPUR_E_MEMORY);
        spur__fault_malloc(0);
        check_content("there/file", "new");
    }
    assert_int_equal(entries(), 3);
    unlink("there/file");
    unlink("there/link");
    assert_int_equal(symlink("../first", "there/link"), 0);
    assert_int_equal(spur__file_write("first", "x", 1, &err), SPUR_E_IO);
    assert_string_equal(err.message, "first: cannot follow: Too many levels of symbolic links");
    unlink("there/link");
    unlink("first");
    unlink("last");
    rmdir("there");
}

/* Two writers of one path have files of their own, and so has one beside what a dead one left. */
static void test_temporary_names_are_ones_own(void **state) {
    (void)state;
    char left[64], *name;
    spur__file_writer one, two;
    spur_error err = {0};
    int fd = spur__temporary_open("d", &name), number = -1;
    assert_true(fd >= 0 && sscanf(name + strcspn(name, "0123456789"), "%*d.%d", &number) == 1);
    close(fd);
    unlink(name);
    spur__free(name);
    snprintf(left, sizeof left, "d.%ld.%d.tmp", (long)getpid(), number + 1);
    assert_int_equal(spur__file_write(left, "left", 4, NULL), SPUR_OK);
    assert_int_equal(spur__file_writer_open(&one, "d", &err), SPUR_OK);
    assert_int_equal(spur__file_writer_open(&two, "d", &err), SPUR_OK);
    spur__file_writer_put(&one, "one", 3);
    spur__file_writer_put(&two, "two!", 4);
    assert_int_equal(spur__file_writer_commit(&two, &err), SPUR_OK);
    check_content("d", "two!");
    assert_int_equal(spur__file_writer_commit(&one, &err), SPUR_OK);
    check_content("d", "one");
    check_content(left, "left");
    assert_int_equal(entries(), 2);
    unlink(left);
    unlink("d");
}

static void test_out_of_memory(void **state) {
    (void)state;
    char *data;
    size_t size;
    assert_int_equal(spur__file_write("b", "x", 1, NULL), SPUR_OK);
    for (uint64_t n = 1; n <= 2; n++) {
        spur__fault_malloc(n);
        assert_int_equal(spur__file_write("b", "y", 1, NULL), SPUR_E_MEMORY);
    }
    spur__fault_malloc(1);
    assert_int_equal(spur__file_read("b", 10, &data, &size, NULL), SPUR_E_MEMORY);
    spur__fault_malloc(0);
    check_content("b", "x");
    unlink("b");
}

static void test_read_errors(void **state) {
    (void)state;
    char *data;
    size_t size;
    spur_error err = {0};
    assert_int_equal(spur__file_read("none", 10, &data, &size, &err), SPUR_E_NOTFOUND);
    assert_string_equal(err.message, "none: cannot open: No such file or directory");
    assert_int_equal(spur__file_read(".", 10, &data, &size, &err), SPUR_E_TYPE);
    assert_int_equal(spur__file_write("c", "0123456789", 10, &err), SPUR_OK);
    assert_int_equal(spur__file_read("c", 9, &data, &size, &err), SPUR_E_RANGE);
    unlink("c");
}

static void test_mkdirs(void **state) {
    (void)state;
    spur_error err = {0};
    assert_int_equal(spur__mkdirs("x/y//z/", &err), SPUR_OK);
    assert_int_equal(spur__mkdirs("x/y/z", &err), SPUR_OK);
    assert_int_equal(spur__file_write("x/file", "", 0, &err), SPUR_OK);
    assert_int_equal(spur__mkdirs("x/file", &err), SPUR_E_EXISTS);
    assert_true(spur__mkdirs("x/file/deeper", &err) != SPUR_OK);
    assert_int_equal(spur__mkdirs("", &err), SPUR_E_ARGUMENT);
    char *joined = spur__path_join("x/", "file");
    assert_string_equal(joined, "x/file");
    assert_true(spur__exists(joined));
    unlink(joined);
    spur__free(joined);
    rmdir("x/y/z");
    rmdir("x/y");
    rmdir("x");
}

/* The name of each directory that is new, and of no other. */
static void test_mkdirs_synced(void **state) {
    (void)state;
    synced[0] = '\0';
    assert_int_equal(spur__mkdirs("x", NULL), SPUR_OK);
    expect_synced("%s", "");
    assert_int_equal(spur__mkdirs_synced("x/y//z/", NULL), SPUR_OK);
    expect_synced("%s/x\n%s/x/y\n", folder, folder);
    assert_int_equal(spur__mkdirs_synced("x/y/z", NULL), SPUR_OK);
    expect_synced("%s", "");
    assert_int_equal(spur__mkdirs_synced("new", NULL), SPUR_OK);
    expect_synced("%s\n", folder);
    for (uint64_t n = 1; n <= 2; n++) {
        spur__fault_malloc(n);
        assert_int_equal(spur__mkdirs_synced("new/er", NULL), SPUR_E_MEMORY);
        spur__fault_malloc(0);
        rmdir("new/er");
    }
    rmdir("new");
    rmdir("x/y/z");
    rmdir("x/y");
    rmdir("x");
}

/* One may put files into a directory that one may not look into. */
static void test_a_directory_that_is_not_readable(void **state) {
    (void)state;
    enum { NOBODY = 65534 };
    bool root = geteuid() == 0;
    assert_int_equal(mkdir("box", 0700), 0);
    if (root) assert_int_equal(chown("box", NOBODY, NOBODY), 0);
    assert_int_equal(chmod("box", 0300), 0);
    assert_int_equal(chmod(".", 0711), 0);
    if (root) assert_int_equal(seteuid(NOBODY), 0);
    spur_status made = spur__mkdirs_synced("box/run", NULL);
    spur_status written = spur__file_write("box/file", "x", 1, NULL);
    spur_status nowhere = spur__sync_directory("box/none", NULL);
    if (root) assert_int_equal(seteuid(0), 0);
    assert_int_equal(made, SPUR_OK);
    assert_int_equal(written, SPUR_OK);
    assert_int_equal(nowhere, SPUR_E_NOTFOUND);
    assert_int_equal(unlink("box/file"), 0);
    assert_int_equal(rmdir("box/run"), 0);
    assert_int_equal(rmdir("box"), 0);
    synced[0] = '\0';
}

/* What dirname and basename of the shell say, and the path as it was. */
static void test_parts_of_paths(void **state) {
    (void)state;
    static const struct {
        const char *path, *directory, *name, *plain;
    } cases[] = {{"a/b.ini", "a", "b.ini", "a/b.ini"},
                 {"b.ini", ".", "b.ini", "b.ini"},
                 {"/b", "/", "b", "/b"},
                 {"//b", "/", "b", "//b"},
                 {"/a//b", "/a", "b", "/a//b"},
                 {"a/b/", "a", "", "a/b"},
                 {"a//", ".", "", "a"},
                 {"/", "/", "", "/"},
                 {"///", "/", "", "/"},
                 {"", ".", "", ""},
                 {"../..", "..", "..", "../.."}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *directory = spur__path_directory(cases[i].path);
        char *plain = spur__path_plain(cases[i].path);
        assert_string_equal(directory, cases[i].directory);
        assert_string_equal(plain, cases[i].plain);
        assert_string_equal(spur__path_name(cases[i].path), cases[i].name);
        spur__free(directory);
        spur__free(plain);
    }
}

static int remove_folder(void **state) {
    (void)state;
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_is_atomic),
        cmocka_unit_test(test_only_files_are_replaced),
        cmocka_unit_test(test_links_are_followed),
        cmocka_unit_test(test_temporary_names_are_ones_own),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_read_errors),
        cmocka_unit_test(test_mkdirs),
        cmocka_unit_test(test_mkdirs_synced),
        cmocka_unit_test(test_a_directory_that_is_not_readable),
        cmocka_unit_test(test_parts_of_paths),
    };
    return cmocka_run_group_tests_name("file", tests, make_folder, remove_folder);
}
