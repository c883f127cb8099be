/* SPDX-License-Identifier: MIT
 *
 * Recognising PNG, JPEG and GIF by their first bytes, and reading the size: what TensorBoard's
 * server does to tell the browser the type. Other formats would be sent as unknown bytes.
 */
#include "kinds/image_size.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

static int be16(const unsigned char *p) {
    return p[0] << 8 | p[1];
}

static long be32(const unsigned char *p) {
    return (long)p[0] << 24 | (long)p[1] << 16 | (long)p[2] << 8 | p[3];
}

static bool png_size(const unsigned char *p, size_t size, int *width, int *height) {
    if (size < 24 || memcmp(p, "\x89PNG\r\n\x1a\n", 8) != 0 || memcmp(p + 12, "IHDR", 4) != 0)
        return false;
    long w = be32(p + 16), h = be32(p + 20);
    if (w > INT32_MAX || h > INT32_MAX) return false;
    *width = (int)w;
    *height = (int)h;
    return true;
}

static bool gif_size(const unsigned char *p, size_t size, int *width, int *height) {
    if (size < 10 || (memcmp(p, "GIF87a", 6) != 0 && memcmp(p, "GIF89a", 6) != 0)) return false;
    *width = p[7] << 8 | p[6];
    *height = p[9] << 8 | p[8];
    return true;
}

/* The size is in the start-of-frame segment: markers C0..CF but for C4, C8 and CC. */
static bool jpeg_size(const unsigned char *p, size_t size, int *width, int *height) {
    if (size < 4 || p[0] != 0xff || p[1] != 0xd8 || p[2] != 0xff) return false;
    for (size_t at = 2; at + 9 <= size && p[at] == 0xff;) {
        int marker = p[at + 1];
        if (marker == 0xff) { /* padding */
            at++;
            continue;
        }
        bool alone = marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8);
        bool frame =
            marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
        if (frame) {
            *height = be16(p + at + 5);
            *width = be16(p + at + 7);
            return true;
        }
        at += alone ? 2 : 2 + (size_t)be16(p + at + 2);
    }
    return false;
}

spur_status spur__image_size(const void *data, size_t size, int *width, int *height,
                             spur_error *err) {
    if (!data) return spur__fail(err, SPUR_E_ARGUMENT, "an encoded image is NULL");
    bool known = png_size(data, size, width, height) || gif_size(data, size, width, height) ||
                 jpeg_size(data, size, width, height);
    if (!known || *width < 1 || *height < 1)
        return spur__fail(
            err, SPUR_E_FORMAT,
            "%zu bytes that are no PNG, JPEG or GIF file: TensorBoard shows no others", size);
    return SPUR_OK;
}
