/* SPDX-License-Identifier: MIT
 *
 * Golden files; see golden.h.
 */
#include "golden.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "weights/safetensors.h"

enum { FULL = 4096, SAMPLES = 256, FILE_MAX = 1 << 24 };

struct golden {
    char *bytes;
    size_t size, data;
    spur__tensors tensors;
};

golden *golden_open(const char *name) {
    char path[512];
    spur_error err = {0};
    uint64_t length;
    golden *file = calloc(1, sizeof *file);
    assert_non_null(file);
    snprintf(path, sizeof path, "%s/%s.safetensors", GOLDEN_DATA, name);
    if (spur__file_read(path, FILE_MAX, &file->bytes, &file->size, &err) != SPUR_OK)
        fail_msg("%s", err.message);
    memcpy(&length, file->bytes, 8);
    file->data = 8 + (size_t)length;
    char kept = file->bytes[file->data];
    file->bytes[file->data] = '\0';
    if (spur__tensors_parse(path, file->bytes + 8, (size_t)length, file->size - file->data,
                            &file->tensors, &err) != SPUR_OK)
        fail_msg("%s", err.message);
    file->bytes[file->data] = kept;
    return file;
}

void golden_close(golden *file) {
    spur__tensors_free(&file->tensors);
    spur__free(file->bytes);
    free(file);
}

const double *golden_get(const golden *file, const char *key, size_t *count) {
    const spur__tensor *t = spur__tensors_find(&file->tensors, key);
    if (!t) fail_msg("no golden values '%s'", key);
    *count = (size_t)t->count;
    return (const double *)(const void *)(file->bytes + file->data + t->begin);
}

double golden_number(const golden *file, const char *key, size_t index) {
    size_t count;
    const double *values = golden_get(file, key, &count);
    assert_true(index < count);
    return values[index];
}

/* FNV-1a. */
static uint64_t hash(const char *text) {
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    return h;
}

/* splitmix64 of the name's hash plus the index: a multiple of 2^-24 in [-0.5, 0.5). */
static double formula(uint64_t seed, size_t i) {
    uint64_t z = seed + (uint64_t)(i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (double)(z >> 40) * 0x1p-24 - 0.5;
}

void golden_numbers(const char *name, size_t count, double scale, double offset, float *out) {
    uint64_t seed = hash(name);
    for (size_t i = 0; i < count; i++) out[i] = (float)(formula(seed, i) * scale + offset);
}

void golden_labels(const char *name, size_t count, int classes, int32_t *out) {
    uint64_t seed = hash(name);
    for (size_t i = 0; i < count; i++)
        out[i] = (int32_t)floor((formula(seed, i) + 0.5) * (double)classes);
}

/* Relative distance of n of our values, `step` apart, to the reference. */
static double relative(const float *values, size_t step, const double *reference, size_t n) {
    double sum = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        double difference = (double)values[i * step] - reference[i];
        sum += difference * difference;
        size += reference[i] * reference[i];
    }
    return size > 0 ? sqrt(sum / size) : sqrt(sum);
}

double golden_distance(const golden *file, const char *key, const float *values, size_t count) {
    size_t expected;
    const double *reference = golden_get(file, key, &expected);
    double norm = 0;
    if (expected != (count <= FULL ? count : SAMPLES + 1))
        fail_msg("'%s': %zu golden values for %zu of ours", key, expected, count);
    if (count <= FULL) return relative(values, 1, reference, count);
    for (size_t i = 0; i < count; i++) norm += (double)values[i] * (double)values[i];
    double of_norm = fabs(sqrt(norm) - reference[0]) / reference[0];
    return hypot(relative(values, count / SAMPLES, reference + 1, SAMPLES), of_norm);
}
