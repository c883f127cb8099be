/* SPDX-License-Identifier: MIT
 *
 * The safetensors reader on any bytes as a file; every tensor that the header promises is read.
 * fuzz needs: spur_nn
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "weights/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];

static void remove_file(void) {
    unlink(path);
}

static void write_file(const uint8_t *data, size_t size) {
    static int fd = -1;
    if (fd < 0) {
        snprintf(path, sizeof path, "/tmp/spur_fuzz_safetensors_%ld", (long)getpid());
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        atexit(remove_file);
    }
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size) _Exit(1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    spur__safetensors file;
    spur_error err = {0};
    if (size == 0 || size > 1 << 20) return 0;
    write_file(data, size);
    if (spur__safetensors_open(&file, path, &err) != SPUR_OK) return 0;
    for (size_t i = 0; i < file.tensors.count; i++) {
        const spur__tensor *t = &file.tensors.items[i];
        if (spur__tensors_find(&file.tensors, t->name) != t) abort();
        float *values = malloc((size_t)t->count * sizeof *values + 1);
        if (values) (void)spur__safetensors_read(&file, t, values, &err);
        free(values);
    }
    spur__safetensors_close(&file);
    return 0;
}
