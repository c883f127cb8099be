/* SPDX-License-Identifier: MIT
 *
 * The JPEG and PNG glue on any bytes. fuzz needs: spur_nn. The first byte chooses: bit 0 labels
 * instead of a picture, bit 1 right checksums (which would keep a fuzzer out of a PNG's chunks).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "data/image.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    spur__image image = {0};
    spur_error err = {0};
    if (size < 9 || size > 1 << 20) return 0;
    spur__decode how = data[0] & 1 ? SPUR__DECODE_LABELS : SPUR__DECODE_PICTURE;
    bool mend = data[0] & 2;
    uint8_t *copy = malloc(size - 1);
    if (!copy) return 0;
    memcpy(copy, data + 1, size - 1);
    if (mend && spur__is_png(copy, size - 1)) mend_checksums(copy, size - 1);
    /* Pictures of many pixels cost time and find nothing. */
    spur__image shape = {0};
    spur_status status = SPUR_E_FORMAT;
    if (spur__is_png(copy, size - 1))
        status = spur__png_decode(copy, size - 1, how, true, "x", &shape, &err);
    else if (spur__is_jpeg(copy, size - 1))
        status = spur__jpeg_decode(copy, size - 1, true, "x", &shape, &err);
    if (status == SPUR_OK && (int64_t)shape.height * shape.width < 1 << 18) {
        status = spur__image_decode(copy, size - 1, how, "x", &image, &err);
        if (status == SPUR_OK) {
            touch(&image);
            for (int channels = 1; channels <= 4 && image.channels != 2;
                 channels += channels % 2 + 1)
                if (channels != 2 && spur__image_convert(&image, channels, &err) == SPUR_OK)
                    touch(&image);
        }
    }
    if (status != SPUR_OK && !err.message[0] && size > 32) abort();
    spur__image_free(&image);
    free(copy);
    return 0;
}
