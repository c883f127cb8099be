/* SPDX-License-Identifier: MIT
 *
 * The header of a safetensors file, checked as if it came from an enemy.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/str.h"
#include "weights/safetensors.h"

enum { TENSORS_MAX = 100000 };

#define EXACT_MAX 9007199254740991.0 /* 2^53 - 1: whole numbers that a double holds */

static const struct dtype {
    const char *name;
    spur__tensor_type type;
    unsigned bytes;
} dtypes[] = {
    {"F32", SPUR__TENSOR_F32, 4},       {"F64", SPUR__TENSOR_F64, 8},
    {"F16", SPUR__TENSOR_F16, 2},       {"BF16", SPUR__TENSOR_BF16, 2},
    {"I64", SPUR__TENSOR_OTHER, 8},     {"I32", SPUR__TENSOR_OTHER, 4},
    {"I16", SPUR__TENSOR_OTHER, 2},     {"I8", SPUR__TENSOR_OTHER, 1},
    {"U64", SPUR__TENSOR_OTHER, 8},     {"U32", SPUR__TENSOR_OTHER, 4},
    {"U16", SPUR__TENSOR_OTHER, 2},     {"U8", SPUR__TENSOR_OTHER, 1},
    {"BOOL", SPUR__TENSOR_OTHER, 1},    {"F8_E4M3", SPUR__TENSOR_OTHER, 1},
    {"F8_E5M2", SPUR__TENSOR_OTHER, 1}, {"C64", SPUR__TENSOR_OTHER, 8},
};

/* A whole number in [0, 2^53). */
static bool whole(const cJSON *item, uint64_t *out) {
    if (!cJSON_IsNumber(item)) return false;
    double x = item->valuedouble;
    if (!(x >= 0 && x <= EXACT_MAX) || x != floor(x)) return false;
    *out = (uint64_t)x;
    return true;
}

static const struct dtype *find_dtype(const char *name) {
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        if (strcmp(dtypes[i].name, name) == 0) return &dtypes[i];
    return NULL;
}

/* The place a message is about: file and tensor, the name cut to what a line holds. */
static spur_status misfit(const char *path, const char *name, const char *what, spur_error *err) {
    return spur__fail(err, SPUR_E_FORMAT, "%s: tensor '%.80s': %s", path, name, what);
}

static spur_status parse_shape(const char *path, const cJSON *shape, spur__tensor *t,
                               spur_error *err) {
    const cJSON *item;
    t->count = 1;
    if (!cJSON_IsArray(shape)) return misfit(path, t->name, "no shape", err);
    cJSON_ArrayForEach(item, shape) {
        uint64_t size;
        size_t count;
        if (t->rank == SPUR__TENSOR_RANK_MAX) return misfit(path, t->name, "more than 8 axes", err);
        if (!whole(item, &size))
            return misfit(path, t->name, "a size that is no whole number", err);
        if (!spur__mul((size_t)t->count, (size_t)size, &count))
            return misfit(path, t->name, "a shape larger than memory", err);
        t->count = count;
        t->shape[t->rank++] = (int64_t)size;
    }
    return SPUR_OK;
}

static spur_status parse_range(const char *path, const cJSON *range, unsigned bytes,
                               uint64_t data_size, spur__tensor *t, spur_error *err) {
    size_t expected;
    if (!cJSON_IsArray(range) || cJSON_GetArraySize(range) != 2 ||
        !whole(cJSON_GetArrayItem(range, 0), &t->begin) ||
        !whole(cJSON_GetArrayItem(range, 1), &t->end))
        return misfit(path, t->name, "data_offsets are not two whole numbers", err);
    if (t->begin > t->end || t->end > data_size)
        return spur__fail(err, SPUR_E_FORMAT,
                          "%s: tensor '%.80s': data_offsets %llu to %llu, the file has %llu bytes "
                          "of values",
                          path, t->name, (unsigned long long)t->begin, (unsigned long long)t->end,
                          (unsigned long long)data_size);
    if (!spur__mul((size_t)t->count, bytes, &expected))
        return misfit(path, t->name, "a shape larger than memory", err);
    if (t->end - t->begin != expected)
        return spur__fail(err, SPUR_E_FORMAT,
                          "%s: tensor '%.80s': %llu bytes, expected %zu for its shape and %s", path,
                          t->name, (unsigned long long)(t->end - t->begin), expected, t->dtype);
    return SPUR_OK;
}

static spur_status parse_tensor(const char *path, const cJSON *entry, uint64_t data_size,
                                spur__tensor *t, spur_error *err) {
    const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(entry, "dtype");
    *t = (spur__tensor){.name = spur__strdup(entry->string ? entry->string : "")};
    if (!t->name) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    if (!cJSON_IsObject(entry)) return misfit(path, t->name, "its description is no object", err);
    const struct dtype *known =
        cJSON_IsString(dtype) ? find_dtype(cJSON_GetStringValue(dtype)) : NULL;
    if (!known) return misfit(path, t->name, "unknown dtype", err);
    t->type = known->type;
    memcpy(t->dtype, known->name, strlen(known->name) + 1);
    SPUR__TRY(parse_shape(path, cJSON_GetObjectItemCaseSensitive(entry, "shape"), t, err));
    return parse_range(path, cJSON_GetObjectItemCaseSensitive(entry, "data_offsets"), known->bytes,
                       data_size, t, err);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const spur__tensor *)a)->name, ((const spur__tensor *)b)->name);
}

static int by_begin(const void *a, const void *b) {
    const spur__tensor *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

/* No gap, no overlap, no tensor twice; leaves the tensors sorted by name. */
static spur_status check_all(const char *path, spur__tensors *tensors, uint64_t data_size,
                             spur_error *err) {
    uint64_t next = 0;
    if (tensors->count == 0)
        return data_size == 0 ? SPUR_OK
                              : spur__fail(err, SPUR_E_FORMAT, "%s: values but no tensor", path);
    qsort(tensors->items, tensors->count, sizeof *tensors->items, by_begin);
    for (size_t i = 0; i < tensors->count; i++) {
        if (tensors->items[i].begin != next)
            return misfit(path, tensors->items[i].name,
                          "its values overlap another's or leave a gap", err);
        next = tensors->items[i].end;
    }
    if (next != data_size)
        return spur__fail(err, SPUR_E_FORMAT, "%s: %llu bytes belong to no tensor", path,
                          (unsigned long long)(data_size - next));
    qsort(tensors->items, tensors->count, sizeof *tensors->items, by_name);
    for (size_t i = 1; i < tensors->count; i++)
        if (by_name(&tensors->items[i - 1], &tensors->items[i]) == 0)
            return misfit(path, tensors->items[i].name, "it is there twice", err);
    return SPUR_OK;
}

static spur_status parse_entries(const char *path, const cJSON *root, uint64_t data_size,
                                 spur__tensors *tensors, spur_error *err) {
    const cJSON *entry;
    int entries = cJSON_GetArraySize(root);
    if (entries > TENSORS_MAX)
        return spur__fail(err, SPUR_E_FORMAT, "%s: %d tensors, at most %d", path, entries,
                          TENSORS_MAX);
    tensors->items = spur__calloc((size_t)entries + 1, sizeof *tensors->items);
    if (!tensors->items) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    cJSON_ArrayForEach(entry, root) {
        if (entry->string && strcmp(entry->string, "__metadata__") == 0) continue;
        spur__tensor *t = &tensors->items[tensors->count++];
        SPUR__TRY(parse_tensor(path, entry, data_size, t, err));
    }
    return check_all(path, tensors, data_size, err);
}

spur_status spur__tensors_parse(const char *path, const char *header, size_t n, uint64_t data_size,
                                spur__tensors *tensors, spur_error *err) {
    *tensors = (spur__tensors){0};
    if (memchr(header, '\0', n) || !spur__utf8_valid(header, n))
        return spur__fail(err, SPUR_E_FORMAT, "%s: the header is not UTF-8 text", path);
    cJSON *root = cJSON_ParseWithLength(header, n);
    spur_status status =
        cJSON_IsObject(root)
            ? parse_entries(path, root, data_size, tensors, err)
            : spur__fail(err, SPUR_E_FORMAT, "%s: the header is no JSON object", path);
    cJSON_Delete(root);
    if (status != SPUR_OK) spur__tensors_free(tensors);
    return status;
}

void spur__tensors_free(spur__tensors *tensors) {
    for (size_t i = 0; i < tensors->count; i++) spur__free(tensors->items[i].name);
    spur__free(tensors->items);
    *tensors = (spur__tensors){0};
}

const spur__tensor *spur__tensors_find(const spur__tensors *tensors, const char *name) {
    spur__tensor key = {.name = (char *)(uintptr_t)name};
    if (tensors->count == 0) return NULL;
    return bsearch(&key, tensors->items, tensors->count, sizeof *tensors->items, by_name);
}
