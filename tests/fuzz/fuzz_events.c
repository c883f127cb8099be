/* SPDX-License-Identifier: MIT
 *
 * The event reader on any bytes. The first byte chooses how the rest is used:
 *   0  the bytes of a file
 *   1  the payload of one record (checksums would keep a fuzzer out)
 *   2  payloads, each behind a length of two bytes, as a file with right framing
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "fuzz/read_everything.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];

static void remove_file(void) {
    unlink(path);
}

/* The file that is read, empty; its descriptor. */
static int open_file(void) {
    static int fd = -1;
    if (fd < 0) {
        snprintf(path, sizeof path, "/tmp/spur_fuzz_tfevents_%ld", (long)getpid());
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0) {
            perror(path);
            _Exit(1);
        }
        atexit(remove_file);
    }
    if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0) _Exit(1);
    return fd;
}

static void put(int fd, const void *bytes, size_t n) {
    if (write(fd, bytes, n) != (ssize_t)n) _Exit(1);
}

static void put_checksum(int fd, const void *bytes, size_t n) {
    uint32_t crc = spur__crc32c_mask(spur__crc32c(0, bytes, n));
    uint8_t out[4];
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)(crc >> (8 * i));
    put(fd, out, 4);
}

static void put_record(int fd, const uint8_t *payload, size_t n) {
    uint8_t length[8] = {(uint8_t)n, (uint8_t)(n >> 8)};
    put(fd, length, 8);
    put_checksum(fd, length, 8);
    put(fd, payload, n);
    put_checksum(fd, payload, n);
}

static void read_file(void) {
    spur_run *run;
    spur_event event;
    spur_error err;
    spur_scalars *scalars;
    if (spur_run_open(&run, path, &err) != SPUR_OK) return;
    while (spur_run_next(run, &event, &err) == SPUR_OK)
        for (spur_value value = {0}; spur_run_value(run, &event, &value);) read_value(&value);
    for (size_t i = 0; i < spur_run_damage_count(run); i++)
        if (!strstr(spur_run_damage(run, i)->message, path)) abort();
    spur_run_close(run);
    const spur_scalars_options options = {.supersede = true};
    if (spur_scalars_load(&scalars, path, &options, &err) == SPUR_OK) spur_scalars_destroy(scalars);
}

static void read_payload(const uint8_t *data, size_t size) {
    spur_event event;
    spur_error err;
    spur_slice payload = {(const char *)data, size};
    if (spur_event_decode(payload, &event, &err) == SPUR_E_FORMAT) return;
    touch(event.data);
    touch(event.name);
    touch(event.writer);
    for (spur_value value = {0}; spur_event_value(&event, &value);) read_value(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    uint8_t mode = *data++ % 3;
    size--;
    if (mode == 1) {
        read_payload(data, size);
        return 0;
    }
    int fd = open_file();
    if (mode == 0) put(fd, data, size);
    while (mode == 2 && size >= 2) {
        size_t n = (size_t)(data[0] | data[1] << 8);
        data += 2;
        size -= 2;
        if (n > size) n = size;
        put_record(fd, data, n);
        data += n;
        size -= n;
    }
    read_file();
    return 0;
}
