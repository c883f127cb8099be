/* SPDX-License-Identifier: MIT
 *
 * Pictures in memory. spur__image holds bytes as files give them, spur__pixels holds the floats
 * that transforms work on (0 = black, 1 = white); both are dense [height][width][channels] and keep
 * their memory when they are used again, so that a running loader allocates nothing.
 */
#ifndef SPUR_DATA_CODECS_IMAGE_H
#define SPUR_DATA_CODECS_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spur/status.h>

/* No picture may be larger than this: a hostile header must not make us allocate without end. */
enum { SPUR__IMAGE_MAX_SIDE = 65500, SPUR__IMAGE_MAX_PIXELS = 1 << 28 };

typedef struct spur__image {
    int height, width, channels;
    uint8_t *data; /* [height][width][channels] */
    size_t capacity;
} spur__image;

typedef struct spur__pixels {
    int height, width, channels;
    float *data; /* [height][width][channels] */
    size_t capacity; /* in floats */
} spur__pixels;

/* Bytes of a file that is being decoded. */
typedef struct spur__bytes {
    uint8_t *data;
    size_t size, capacity;
} spur__bytes;

/* Gives the picture this shape, growing its memory if need be; the contents are undefined. */
spur_status spur__image_shape(spur__image *image, int height, int width, int channels,
                              spur_error *err);
spur_status spur__pixels_shape(spur__pixels *pixels, int height, int width, int channels,
                               spur_error *err);
void spur__image_free(spur__image *image);
void spur__pixels_free(spur__pixels *pixels);
void spur__bytes_free(spur__bytes *bytes);

static inline size_t spur__image_bytes(const spur__image *image) {
    return (size_t)image->height * (size_t)image->width * (size_t)image->channels;
}

/* Checks a size that a file claims: E_RANGE, naming the file, when it is 0 or too large. */
spur_status spur__image_check_size(const char *name, uint64_t height, uint64_t width,
                                   spur_error *err);

/* Reads a whole file into reused memory (at most 1 GiB). */
spur_status spur__bytes_read(spur__bytes *bytes, const char *path, spur_error *err);

/* Brings a picture to `channels` (1, 3 or 4) in place: grey is repeated, colour becomes grey by
 * 0.299 R + 0.587 G + 0.114 B, alpha is dropped or set to 255. */
spur_status spur__image_convert(spur__image *image, int channels, spur_error *err);

/* How a decoder is to see samples. */
typedef enum spur__decode {
    SPUR__DECODE_PICTURE, /* colours: palettes looked up, 1..16 bits scaled to 8 */
    SPUR__DECODE_LABELS /* numbers: palette indices and small bit depths as they are (PNG only) */
} spur__decode;

/* Decodes JPEG or PNG, told apart by their first bytes. `name` is for messages. */
spur_status spur__image_decode(const uint8_t *data, size_t size, spur__decode how, const char *name,
                               spur__image *out, spur_error *err);

/* Reads and decodes a file; `bytes` is memory to reuse. */
spur_status spur__image_read(const char *path, spur__decode how, spur__bytes *bytes,
                             spur__image *out, spur_error *err);

/* Height, width and channels of a file, from its header only. */
spur_status spur__image_read_header(const char *path, spur__bytes *bytes, spur__image *shape,
                                    spur_error *err);

/* Encodes as PNG (1, 3 or 4 channels) and writes the file atomically. */
spur_status spur__image_write_png(const char *path, const spur__image *image, spur_error *err);

/* One codec's part of the functions above. */
bool spur__is_jpeg(const uint8_t *data, size_t size);
bool spur__is_png(const uint8_t *data, size_t size);
spur_status spur__jpeg_decode(const uint8_t *data, size_t size, bool header_only, const char *name,
                              spur__image *out, spur_error *err);
spur_status spur__png_decode(const uint8_t *data, size_t size, spur__decode how, bool header_only,
                             const char *name, spur__image *out, spur_error *err);

#endif
