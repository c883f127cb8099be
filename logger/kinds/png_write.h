/* SPDX-License-Identifier: MIT
 *
 * PNG through libpng, into memory; animated PNG by joining the frames' files.
 */
#ifndef SPUR_LOGGER_KINDS_PNG_WRITE_H
#define SPUR_LOGGER_KINDS_PNG_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include <spur/status.h>

#include "kinds/pixels.h"

/* A file in memory. */
typedef struct spur__blob {
    unsigned char *data;
    size_t size, capacity;
} spur__blob;

void spur__blob_free(spur__blob *blob);

/* Encodes a bitmap at this zlib level. */
spur_status spur__png_encode(const spur__bitmap *bitmap, int level, spur__blob *out,
                             spur_error *err);

/* Joins `count` PNG files of one size and type to an animation that loops for ever; each frame is
 * shown for delay_ms milliseconds (at most 65535). */
spur_status spur__apng_join(const spur__blob *frames, size_t count, int delay_ms, spur__blob *out,
                            spur_error *err);

#endif
