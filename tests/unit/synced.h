/* SPDX-License-Identifier: MIT
 *
 * Which directories a program syncs, and in which order. fsync stands here in place of the system's, also for
 * the libraries.
 */
#ifndef SPUR_TEST_SYNCED_H
#define SPUR_TEST_SYNCED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char synced[16384]; /* a line each */

int fsync(int fd) {
    char link[64], path[4096];
    struct stat info;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path);
    size_t used = strlen(synced);
    if (n > 0 && fstat(fd, &info) == 0 && S_ISDIR(info.st_mode))
        snprintf(synced + used, sizeof synced - used, "%.*s\n", (int)n, path);
    return fdatasync(fd);
}

/* These, since the last look; see printf. */
__attribute__((format(printf, 1, 2))) static void expect_synced(const char *format, ...) {
    char expected[sizeof synced];
    va_list args;
    va_start(args, format);
    vsnprintf(expected, sizeof expected, format, args);
    va_end(args);
    assert_string_equal(synced, expected);
    synced[0] = '\0';
}

#endif
