/* SPDX-License-Identifier: MIT
 *
 * The JPEG and PNG glue on any bytes. fuzz needs: spur_nn. The first byte chooses: bit 0 labels
 * instead of a picture, bit 1 right checksums (which would keep a fuzzer out of a PNG's chunks).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "data/codecs/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Puts the right CRC behind every chunk of a PNG. */
static void mend_checksums(uint8_t *png, size_t size) {
    for (size_t at = 8; size - at >= 12;) {
        size_t length = (size_t)png[at] << 24 | (size_t)png[at + 1] << 16 |
                        (size_t)png[at + 2] << 8 | png[at + 3];
        if (length > size - at - 12) return;
        uLong crc = crc32(crc32(0, NULL, 0), png + at + 4, (uInt)length + 4);
        for (int i = 0; i < 4; i++)
            png[at + 8 + length + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at += 12 + length;
    }
}

/* Every byte of what was decoded is read, and its shape is sensible. */
static void touch(const spur__image *image) {
    volatile uint8_t sum = 0;
    size_t n = spur__image_bytes(image);
    if (image->channels < 1 || image->channels > 4) abort();
    for (size_t i = 0; i < n; i++) sum = (uint8_t)(sum + image->data[i]);
}

/* True when decoding is worth the time: pictures of many pixels find nothing more. */
static bool small(const uint8_t *data, size_t size, spur__decode how) {
    spur__image shape = {0};
    if (spur__is_png(data, size) &&
        spur__png_decode(data, size, how, true, "x", &shape, NULL) != SPUR_OK)
        return true;
    if (spur__is_jpeg(data, size) &&
        spur__jpeg_decode(data, size, true, "x", &shape, NULL) != SPUR_OK)
        return true;
    return (int64_t)shape.height * shape.width < 1 << 18;
}

static void decode(const uint8_t *data, size_t size, spur__decode how) {
    static const int channels[] = {1, 3, 4};
    spur__image image = {0};
    spur_error err = {0};
    if (spur__image_decode(data, size, how, "x", &image, &err) == SPUR_OK) {
        touch(&image);
        for (int i = 0; i < 3; i++)
            if (spur__image_convert(&image, channels[i], &err) == SPUR_OK) touch(&image);
    } else if (!err.message[0]) {
        abort();
    }
    spur__image_free(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || size > 1 << 20) return 0;
    spur__decode how = data[0] & 1 ? SPUR__DECODE_LABELS : SPUR__DECODE_PICTURE;
    bool mend = data[0] & 2;
    uint8_t *copy = malloc(size);
    if (!copy) return 0;
    size--;
    memcpy(copy, data + 1, size);
    if (mend && spur__is_png(copy, size)) mend_checksums(copy, size);
    if (small(copy, size, how)) decode(copy, size, how);
    free(copy);
    return 0;
}
