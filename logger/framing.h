/* SPDX-License-Identifier: MIT
 *
 * The frame around a record's payload (TFRecord): length in 8 bytes, the masked CRC-32C of those, the
 * payload, the masked CRC-32C of that; little-endian. Shared by the writer and the reader.
 */
#ifndef SPUR_LOGGER_FRAMING_H
#define SPUR_LOGGER_FRAMING_H

#include <stddef.h>
#include <stdint.h>

#include "base/crc32c.h"

/* Bytes before the payload (its length and a checksum), and all around it (another checksum behind). */
enum { SPUR__RECORD_HEAD = 12, SPUR__RECORD_FRAME = 16 };

static inline uint32_t spur__load32(const void *p) {
    const unsigned char *b = p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t spur__load64(const void *p) {
    const unsigned char *b = p;
    return spur__load32(b) | (uint64_t)spur__load32(b + 4) << 32;
}

static inline void spur__store32(void *p, uint32_t x) {
    unsigned char *b = p;
    for (int i = 0; i < 4; i++) b[i] = (unsigned char)(x >> (8 * i));
}

/* The checksum as it stands in a file. */
static inline uint32_t spur__masked_crc(const void *bytes, size_t size) {
    return spur__crc32c_mask(spur__crc32c(0, bytes, size));
}

#endif
