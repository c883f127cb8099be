/* SPDX-License-Identifier: MIT
 *
 * Memory of pictures, conversion of channels, and the choice of a decoder; see image.h.
 */
#include "data/codecs/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

enum {
    MAX_FILE = 1 << 30,
    HEADER = 1 << 16 /* bytes that are read for a header at first */
};

void spur__image_free(spur__image *image) {
    spur__free(image->data);
    *image = (spur__image){0};
}

void spur__pixels_free(spur__pixels *pixels) {
    spur__free(pixels->data);
    *pixels = (spur__pixels){0};
}

void spur__bytes_free(spur__bytes *bytes) {
    spur__free(bytes->data);
    *bytes = (spur__bytes){0};
}

/* Grows *data to at least `count` elements; old contents may be lost. */
static spur_status grow(void **data, size_t *capacity, size_t count, size_t element,
                        spur_error *err) {
    if (count <= *capacity && *data) return SPUR_OK;
    spur__free(*data);
    *capacity = 0;
    *data = spur__malloc_array(count, element);
    if (!*data)
        return spur__fail(err, SPUR_E_MEMORY, "out of memory for %zu bytes", count * element);
    *capacity = count;
    return SPUR_OK;
}

spur_status spur__image_shape(spur__image *image, int height, int width, int channels,
                              spur_error *err) {
    void *data = image->data;
    size_t count = (size_t)height * (size_t)width * (size_t)channels;
    spur_status status = grow(&data, &image->capacity, count, 1, err);
    image->data = data;
    image->height = height;
    image->width = width;
    image->channels = channels;
    return status;
}

spur_status spur__pixels_shape(spur__pixels *pixels, int height, int width, int channels,
                               spur_error *err) {
    void *data = pixels->data;
    size_t count = (size_t)height * (size_t)width * (size_t)channels;
    spur_status status = grow(&data, &pixels->capacity, count, sizeof(float), err);
    pixels->data = data;
    pixels->height = height;
    pixels->width = width;
    pixels->channels = channels;
    return status;
}

spur_status spur__image_check_size(const char *name, uint64_t height, uint64_t width,
                                   spur_error *err) {
    if (height < 1 || width < 1 || height > SPUR__IMAGE_MAX_SIDE || width > SPUR__IMAGE_MAX_SIDE ||
        height * width > SPUR__IMAGE_MAX_PIXELS)
        return spur__fail(
            err, SPUR_E_RANGE,
            "%s: a picture of %llu x %llu pixels, expected 1 to %d a side and at most "
            "%d in all",
            name, (unsigned long long)height, (unsigned long long)width, SPUR__IMAGE_MAX_SIDE,
            SPUR__IMAGE_MAX_PIXELS);
    return SPUR_OK;
}

/* Reads the first `limit` bytes of a regular file. */
static spur_status read_start(spur__bytes *bytes, const char *path, size_t limit, spur_error *err) {
    struct stat info;
    spur_status status = SPUR_OK;
    void *data = bytes->data;
    ssize_t n;
    bytes->size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not make us wait */
    if (fd < 0) return spur__fail_errno(err, errno, "%s: cannot open", path);
    if (fstat(fd, &info) != 0) {
        status = spur__fail_errno(err, errno, "%s: cannot stat", path);
    } else if (!S_ISREG(info.st_mode)) {
        status = spur__fail(err, SPUR_E_TYPE, "%s: not a regular file", path);
    } else if (info.st_size > MAX_FILE) {
        status = spur__fail(err, SPUR_E_RANGE, "%s: %lld bytes, expected at most %d", path,
                            (long long)info.st_size, MAX_FILE);
    } else {
        size_t size = (size_t)info.st_size < limit ? (size_t)info.st_size : limit;
        status = grow(&data, &bytes->capacity, size + 1, 1, err);
        bytes->data = data;
        if (status == SPUR_OK && (n = spur__read_all(fd, bytes->data, size)) < 0)
            status = spur__fail_errno(err, errno, "%s: cannot read", path);
        else if (status == SPUR_OK)
            bytes->size = (size_t)n;
    }
    close(fd);
    return status;
}

spur_status spur__bytes_read(spur__bytes *bytes, const char *path, spur_error *err) {
    return read_start(bytes, path, MAX_FILE, err);
}

static spur_status unknown_format(const uint8_t *data, size_t size, const char *name,
                                  spur_error *err) {
    if (size == 0) return spur__fail(err, SPUR_E_FORMAT, "%s: empty file", name);
    return spur__fail(err, SPUR_E_FORMAT,
                      "%s: neither JPEG nor PNG (it starts with the bytes %02x %02x %02x %02x)",
                      name, data[0], size > 1 ? data[1] : 0, size > 2 ? data[2] : 0,
                      size > 3 ? data[3] : 0);
}

spur_status spur__image_decode(const uint8_t *data, size_t size, spur__decode how, const char *name,
                               spur__image *out, spur_error *err) {
    if (spur__is_png(data, size)) return spur__png_decode(data, size, how, false, name, out, err);
    if (!spur__is_jpeg(data, size)) return unknown_format(data, size, name, err);
    if (how == SPUR__DECODE_LABELS)
        return spur__fail(err, SPUR_E_FORMAT,
                          "%s: a JPEG as mask; JPEG changes values, expected a PNG", name);
    return spur__jpeg_decode(data, size, false, name, out, err);
}

spur_status spur__image_read(const char *path, spur__decode how, spur__bytes *bytes,
                             spur__image *out, spur_error *err) {
    SPUR__TRY(spur__bytes_read(bytes, path, err));
    return spur__image_decode(bytes->data, bytes->size, how, path, out, err);
}

static spur_status decode_header(const char *path, const spur__bytes *bytes, spur__image *shape,
                                 spur_error *err) {
    if (spur__is_png(bytes->data, bytes->size))
        return spur__png_decode(bytes->data, bytes->size, SPUR__DECODE_PICTURE, true, path, shape,
                                err);
    if (spur__is_jpeg(bytes->data, bytes->size))
        return spur__jpeg_decode(bytes->data, bytes->size, true, path, shape, err);
    return unknown_format(bytes->data, bytes->size, path, err);
}

/* The beginning is enough, unless much metadata stands in front. */
spur_status spur__image_read_header(const char *path, spur__bytes *bytes, spur__image *shape,
                                    spur_error *err) {
    SPUR__TRY(read_start(bytes, path, HEADER, err));
    if (bytes->size < HEADER) return decode_header(path, bytes, shape, err);
    if (decode_header(path, bytes, shape, NULL) == SPUR_OK) return SPUR_OK;
    SPUR__TRY(spur__bytes_read(bytes, path, err));
    return decode_header(path, bytes, shape, err);
}

static uint8_t luma(const uint8_t *p) {
    return (uint8_t)((19595u * p[0] + 38470u * p[1] + 7471u * p[2] + 32768u) >> 16);
}

/* Fewer channels: the result fits where the source was. */
static void shrink_channels(spur__image *image, int channels) {
    size_t n = (size_t)image->height * (size_t)image->width, from = (size_t)image->channels;
    const uint8_t *p = image->data;
    uint8_t *q = image->data;
    for (size_t i = 0; i < n; i++, p += from) {
        if (channels == 1) {
            *q++ = from == 2 ? p[0] : luma(p);
        } else {
            memmove(q, p, 3);
            q += 3;
        }
    }
    image->channels = channels;
}

/* More channels, from the last pixel to the first so that nothing is overwritten too early. */
static spur_status grow_channels(spur__image *image, int channels, spur_error *err) {
    size_t n = (size_t)image->height * (size_t)image->width, from = (size_t)image->channels;
    size_t to = (size_t)channels;
    if (n * to > image->capacity) {
        uint8_t *data = spur__realloc_array(image->data, n, to);
        if (!data) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
        image->data = data;
        image->capacity = n * to;
    }
    for (size_t i = n; i-- > 0;) {
        uint8_t *q = image->data + i * to;
        const uint8_t *p = image->data + i * from;
        uint8_t rgb[3] = {p[0], from >= 3 ? p[1] : p[0], from >= 3 ? p[2] : p[0]};
        memcpy(q, rgb, to < 3 ? to : 3);
        if (to == 4) q[3] = 255;
    }
    image->channels = channels;
    return SPUR_OK;
}

spur_status spur__image_convert(spur__image *image, int channels, spur_error *err) {
    if (image->channels == channels) return SPUR_OK;
    if (image->channels > channels) {
        shrink_channels(image, channels);
        return SPUR_OK;
    }
    return grow_channels(image, channels, err);
}
