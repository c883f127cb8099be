/* SPDX-License-Identifier: MIT
 *
 * IDX data and gzip files; see idx.h.
 */
#include "data/codecs/idx.h"

#include <errno.h>
#include <string.h>

#include <zlib.h>

#include "base/error.h"
#include "base/memory.h"

static uint32_t big_endian(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

spur_status spur__idx_parse(const uint8_t *data, size_t size, int rank, const char *name,
                            spur__idx *out, spur_error *err) {
    size_t header = 4 + 4 * (size_t)rank, expected = 1;
    if (size < 4 || data[0] != 0 || data[1] != 0)
        return spur__fail(err, SPUR_E_FORMAT, "%s: not an IDX file", name);
    if (data[2] != 0x08)
        return spur__fail(err, SPUR_E_UNSUPPORTED,
                          "%s: IDX values of type 0x%02x, expected unsigned bytes (0x08)", name,
                          data[2]);
    if (data[3] != rank)
        return spur__fail(err, SPUR_E_SHAPE, "%s: IDX data of rank %d, expected %d", name, data[3],
                          rank);
    if (size < header) return spur__fail(err, SPUR_E_FORMAT, "%s: ends within its header", name);
    out->rank = rank;
    for (int i = 0; i < rank; i++) {
        out->sizes[i] = big_endian(data + 4 + 4 * i);
        if (!spur__mul(expected, out->sizes[i], &expected) || out->sizes[i] == 0)
            return spur__fail(err, SPUR_E_RANGE, "%s: an impossible size of %zu in dimension %d",
                              name, out->sizes[i], i);
    }
    out->values = data + header;
    if (size - header != expected)
        return spur__fail(err, SPUR_E_FORMAT, "%s: %zu values, expected %zu by its header", name,
                          size - header, expected);
    return SPUR_OK;
}

/* Makes room for more, at most limit + 1 bytes in all; false when out of memory. */
static bool enlarge(spur__bytes *out, size_t limit) {
    size_t capacity = out->capacity < 65536 ? 65536 : 2 * out->capacity;
    if (capacity > limit + 1) capacity = limit + 1;
    uint8_t *data = spur__realloc(out->data, capacity);
    if (!data) return false;
    out->data = data;
    out->capacity = capacity;
    return true;
}

static spur_status read_error(gzFile file, const char *path, spur_error *err) {
    int code;
    const char *text = gzerror(file, &code);
    if (code == Z_ERRNO) return spur__fail_errno(err, errno, "%s: cannot read", path);
    if (code == Z_BUF_ERROR) return spur__fail(err, SPUR_E_FORMAT, "%s: gzip file cut short", path);
    return spur__fail(err, SPUR_E_FORMAT, "%s: damaged gzip file: %s", path, text);
}

static spur_status read_all(gzFile file, const char *path, size_t limit, spur__bytes *out,
                            spur_error *err) {
    for (;;) {
        if (out->size == out->capacity && !enlarge(out, limit))
            return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
        size_t room = out->capacity - out->size;
        int n = gzread(file, out->data + out->size, room < 1u << 20 ? (unsigned)room : 1u << 20);
        if (n < 0) return read_error(file, path, err);
        out->size += (size_t)n;
        if (out->size > limit)
            return spur__fail(err, SPUR_E_RANGE, "%s: more than %zu bytes", path, limit);
        if (n == 0) break;
    }
    int code;
    gzerror(file, &code);
    return code == Z_OK ? SPUR_OK : read_error(file, path, err);
}

spur_status spur__gz_read(const char *path, size_t limit, spur__bytes *out, spur_error *err) {
    gzFile file = gzopen(path, "rb");
    out->size = 0;
    if (!file) return spur__fail_errno(err, errno ? errno : ENOMEM, "%s: cannot open", path);
    spur_status status = read_all(file, path, limit, out, err);
    int closed = gzclose_r(file);
    if (status == SPUR_OK && closed != Z_OK)
        status = spur__fail(err, SPUR_E_FORMAT, "%s: gzip file cut short", path);
    return status;
}
