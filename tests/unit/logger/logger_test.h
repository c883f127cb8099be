/* SPDX-License-Identifier: MIT
 *
 * For the tests of the writer: a place to write, and looking at what was written.
 */
#ifndef SPUR_TEST_LOGGER_TEST_H
#define SPUR_TEST_LOGGER_TEST_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <spur/log.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/memory.h"

/* A fresh directory as *state, and its removal. */
static inline int make_place(void **state) {
    const char *base = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    char *path = malloc(4096);
    snprintf(path, 4096, "%s/spur_log_XXXXXX", base);
    *state = path;
    return mkdtemp(path) ? 0 : -1;
}

static inline int remove_place(void **state) {
    char command[4200];
    snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
    free(*state);
    return system(command);
}

/* A writer on exactly this directory. */
static inline spur_status open_exact(spur_writer **w, const char *directory,
                                     const spur_writer_options *options) {
    spur_writer_options o = {0};
    if (options) o = *options;
    o.directory = directory;
    return spur_writer_open(w, &o, NULL);
}

static inline void assert_hex(const unsigned char *bytes, size_t size, const char *hex) {
    assert_int_equal(size, strlen(hex) / 2);
    for (size_t i = 0; i < size; i++) {
        char two[3];
        snprintf(two, sizeof two, "%02x", (unsigned)bytes[i]);
        assert_memory_equal(two, hex + 2 * i, 2);
    }
}

static inline void assert_suffix(const char *text, const char *suffix) {
    size_t n = strlen(text), m = strlen(suffix);
    if (n < m || strcmp(text + n - m, suffix) != 0)
        fail_msg("\"%s\" ends not in \"%s\"", text, suffix);
}

static inline uint64_t little_endian(const unsigned char *p, int bytes) {
    uint64_t x = 0;
    for (int i = 0; i < bytes; i++) x |= (uint64_t)p[i] << (8 * i);
    return x;
}

/* Calls `visit` for each record's payload, after checking both checksums. Returns how many; *left:
 * bytes of an unfinished record at the end. */
static inline size_t each_record(const char *path, size_t *left,
                                 void (*visit)(void *, const unsigned char *, size_t), void *user) {
    char *data;
    size_t size, at = 0, count = 0;
    assert_int_equal(spur__file_read(path, (size_t)1 << 32, &data, &size, NULL), SPUR_OK);
    const unsigned char *p = (const unsigned char *)data;
    while (size - at >= 16) {
        size_t n = (size_t)little_endian(p + at, 8);
        assert_int_equal(little_endian(p + at + 8, 4),
                         spur__crc32c_mask(spur__crc32c(0, p + at, 8)));
        if (n > size - at - 16) break;
        assert_int_equal(little_endian(p + at + 12 + n, 4),
                         spur__crc32c_mask(spur__crc32c(0, p + at + 12, n)));
        if (visit) visit(user, p + at + 12, n);
        at += n + 16;
        count++;
    }
    if (left) *left = size - at;
    spur__free(data);
    return count;
}

/* Records in a file that must end after a whole one. */
static inline size_t count_records(const char *path) {
    size_t left;
    size_t count = each_record(path, &left, NULL, NULL);
    assert_int_equal(left, 0);
    return count;
}

#endif
