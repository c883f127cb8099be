/* SPDX-License-Identifier: MIT
 *
 * Reading and writing safetensors files. Values are little-endian, as on every machine we build for.
 */
#include "weights/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"

enum { HEADER_MAX = 100000000, CHUNK = 4096 };

/* Reads exactly n bytes at an offset. */
static spur_status read_at(const char *path, int fd, uint64_t offset, void *out, size_t n,
                           spur_error *err) {
    char *p = out;
    while (n > 0) {
        ssize_t got = pread(fd, p, n, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return spur__fail_errno(err, errno, "%s: cannot read", path);
        if (got == 0)
            return spur__fail(err, SPUR_E_FORMAT, "%s: it ends %zu bytes too early", path, n);
        p += got;
        n -= (size_t)got;
        offset += (uint64_t)got;
    }
    return SPUR_OK;
}

static uint64_t little_endian(const unsigned char *bytes) {
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--) value = value << 8 | bytes[i];
    return value;
}

static spur_status read_header(spur__safetensors *file, uint64_t size, spur_error *err) {
    unsigned char length_bytes[8];
    if (size < 8)
        return spur__fail(err, SPUR_E_FORMAT, "%s: %llu bytes are no safetensors file", file->path,
                          (unsigned long long)size);
    SPUR__TRY(read_at(file->path, file->fd, 0, length_bytes, 8, err));
    uint64_t length = little_endian(length_bytes);
    if (length > size - 8 || length > HEADER_MAX)
        return spur__fail(err, SPUR_E_FORMAT,
                          "%s: no safetensors file: a header of %llu bytes in a file of %llu",
                          file->path, (unsigned long long)length, (unsigned long long)size);
    char *header = spur__malloc((size_t)length + 1);
    if (!header) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", file->path);
    spur_status status = read_at(file->path, file->fd, 8, header, (size_t)length, err);
    header[length] = '\0';
    file->data = 8 + length;
    if (status == SPUR_OK)
        status = spur__tensors_parse(file->path, header, (size_t)length, size - file->data,
                                     &file->tensors, err);
    spur__free(header);
    return status;
}

spur_status spur__safetensors_open(spur__safetensors *file, const char *path, spur_error *err) {
    struct stat info;
    spur_status status;
    *file = (spur__safetensors){.path = spur__strdup(path), .fd = -1};
    if (!file->path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not make us wait */
    if (file->fd < 0)
        status = spur__fail_errno(err, errno, "%s: cannot open", path);
    else if (fstat(file->fd, &info) != 0)
        status = spur__fail_errno(err, errno, "%s: cannot stat", path);
    else if (!S_ISREG(info.st_mode))
        status = spur__fail(err, SPUR_E_TYPE, "%s: not a regular file", path);
    else
        status = read_header(file, (uint64_t)info.st_size, err);
    if (status != SPUR_OK) spur__safetensors_close(file);
    return status;
}

void spur__safetensors_close(spur__safetensors *file) {
    if (file->fd >= 0) close(file->fd);
    spur__tensors_free(&file->tensors);
    spur__free(file->path);
    *file = (spur__safetensors){.fd = -1};
}

/* ---- values of other types ---------------------------------------------------------------------- */

static float of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float of_half(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = h >> 10 & 31u, mantissa = h & 1023u;
    if (exponent == 31) return of_bits(sign | 0x7f800000u | mantissa << 13);
    if (exponent == 0) return (sign ? -1.0f : 1.0f) * (float)mantissa * 0x1p-24f;
    return of_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

/* n values of the given type to floats. */
static void convert(spur__tensor_type type, const unsigned char *bytes, size_t n, float *out) {
    for (size_t i = 0; i < n; i++) {
        double wide;
        uint16_t narrow;
        if (type == SPUR__TENSOR_F64) {
            memcpy(&wide, bytes + i * 8, 8);
            out[i] = (float)wide;
        } else {
            memcpy(&narrow, bytes + i * 2, 2);
            out[i] = type == SPUR__TENSOR_F16 ? of_half(narrow) : of_bits((uint32_t)narrow << 16);
        }
    }
}

spur_status spur__safetensors_read(const spur__safetensors *file, const spur__tensor *t, float *out,
                                   spur_error *err) {
    unsigned char bytes[CHUNK * 8];
    uint64_t from = file->data + t->begin;
    if (t->type == SPUR__TENSOR_OTHER)
        return spur__fail(err, SPUR_E_TYPE, "%s: tensor '%.80s': found %s, expected F32",
                          file->path, t->name, t->dtype);
    if (t->type == SPUR__TENSOR_F32)
        return read_at(file->path, file->fd, from, out, (size_t)t->count * sizeof(float), err);
    size_t width = t->type == SPUR__TENSOR_F64 ? 8 : 2;
    for (size_t done = 0; done < t->count; done += CHUNK) {
        size_t n = t->count - done < CHUNK ? (size_t)(t->count - done) : CHUNK;
        SPUR__TRY(read_at(file->path, file->fd, from + done * width, bytes, n * width, err));
        convert(t->type, bytes, n, out + done);
    }
    return SPUR_OK;
}

/* ---- writing ------------------------------------------------------------------------------------- */

static size_t bytes_of(const spur__tensor_out *t) {
    return t->counter ? 8 : t->count * sizeof(float);
}

static void describe(const spur__tensor_out *t, uint64_t begin, spur__str *header) {
    spur__str_json(header, t->name);
    spur__str_printf(header, ":{\"dtype\":\"%s\",\"shape\":[", t->counter ? "I64" : "F32");
    for (int i = 0; i < t->rank; i++)
        spur__str_printf(header, "%s%lld", i ? "," : "", (long long)t->shape[i]);
    spur__str_printf(header, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)begin,
                     (unsigned long long)(begin + bytes_of(t)));
}

/* The header with its length in front, padded so that the values are aligned to 8 bytes. */
static void make_header(const spur__tensor_out *tensors, size_t count, spur__str *out) {
    char length[8] = {0};
    uint64_t begin = 0;
    spur__str_append(out, length, sizeof length);
    spur__str_puts(out, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (size_t i = 0; i < count; i++) {
        spur__str_putc(out, ',');
        describe(&tensors[i], begin, out);
        begin += bytes_of(&tensors[i]);
    }
    spur__str_putc(out, '}');
    while (out->status == SPUR_OK && out->length % 8) spur__str_putc(out, ' ');
    if (spur__str_status(out) != SPUR_OK) return;
    for (size_t i = 0; i < 8; i++)
        out->data[i] = (char)((uint64_t)(out->length - 8) >> (8 * i) & 255u);
}

/* Puts all values; false when out of memory. */
static bool put_values(spur__file_writer *writer, const spur__tensors_out *all) {
    const spur__tensor_out *tensors = all->tensors;
    const char zeros[8] = {0};
    size_t most = 1;
    for (size_t i = 0; i < all->count; i++)
        if (tensors[i].count > most) most = tensors[i].count;
    float *values = spur__malloc_array(most, sizeof *values);
    if (!values) return false;
    for (size_t i = 0; i < all->count; i++) {
        if (tensors[i].counter) {
            spur__file_writer_put(writer, zeros, sizeof zeros);
            continue;
        }
        all->fill(all->user, i, values);
        spur__file_writer_put(writer, values, tensors[i].count * sizeof *values);
    }
    spur__free(values);
    return true;
}

spur_status spur__safetensors_write(const char *path, const spur__tensors_out *all, uint64_t *size,
                                    uint32_t *crc, spur_error *err) {
    spur__file_writer writer;
    spur__str header;
    spur__str_init(&header, HEADER_MAX);
    make_header(all->tensors, all->count, &header);
    spur_status status = spur__str_status(&header);
    if (status != SPUR_OK) {
        spur__fail(err, status, "%s: no header could be made: %s", path, spur_strstatus(status));
        goto done;
    }
    SPUR__TRY_GOTO(spur__file_writer_open(&writer, path, err), done);
    writer.sync_later = all->sync_later;
    spur__file_writer_put(&writer, header.data, header.length);
    if (!put_values(&writer, all)) {
        spur__file_writer_abandon(&writer);
        status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
        goto done;
    }
    if (size) *size = writer.size;
    if (crc) *crc = writer.crc;
    status = spur__file_writer_commit(&writer, err);
done:
    spur__str_free(&header);
    return status;
}
