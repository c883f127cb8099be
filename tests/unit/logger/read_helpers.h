/* SPDX-License-Identifier: MIT
 *
 * For the tests of the reader: files from bytes, records around payloads.
 */
#ifndef SPUR_TEST_READ_HELPERS_H
#define SPUR_TEST_READ_HELPERS_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <spur/events.h>

#include "base/crc32c.h"
#include "base/memory.h"

/* The bytes of a hex text; the caller frees. */
static inline unsigned char *bytes_of_hex(const char *hex, size_t *size) {
    *size = strlen(hex) / 2;
    unsigned char *bytes = malloc(*size + 1);
    for (size_t i = 0; i < *size; i++) {
        unsigned byte = 0;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (unsigned char)byte;
    }
    return bytes;
}

static inline void put32(unsigned char *p, uint32_t x) {
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)(x >> (8 * i));
}

/* Appends a whole record to a file. */
static inline void append_record(FILE *file, const void *payload, size_t size) {
    unsigned char header[12] = {0}, footer[4];
    put32(header, (uint32_t)size);
    put32(header + 8, spur__crc32c_mask(spur__crc32c(0, header, 8)));
    put32(footer, spur__crc32c_mask(spur__crc32c(0, payload, size)));
    assert_int_equal(fwrite(header, 1, sizeof header, file), sizeof header);
    assert_int_equal(fwrite(payload, 1, size, file), size);
    assert_int_equal(fwrite(footer, 1, sizeof footer, file), sizeof footer);
}

static inline void write_file(const char *path, const void *bytes, size_t size) {
    remove(path); /* some file systems write a file to disk when it is truncated and closed */
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* A fresh directory below $TMPDIR; the caller removes it with remove_directory(). */
static inline char *make_directory(void) {
    const char *base = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    size_t size = strlen(base) + 32;
    char *path = malloc(size);
    snprintf(path, size, "%s/spur_test_XXXXXX", base);
    assert_non_null(mkdtemp(path));
    return path;
}

static inline void remove_directory(char *path) {
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
    free(path);
}

#endif
