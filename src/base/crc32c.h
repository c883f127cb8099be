/* SPDX-License-Identifier: MIT
 *
 * CRC-32C (Castagnoli, reflected polynomial 0x82F63B78) and the mask of the TFRecord format.
 */
#ifndef SPUR_BASE_CRC32C_H
#define SPUR_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC of n more bytes after those whose CRC is `crc` (0 at the start). Uses the CPU's instruction
 * where there is one. */
uint32_t spur__crc32c(uint32_t crc, const void *data, size_t n);

/* The same by table, for tests and other CPUs. */
uint32_t spur__crc32c_portable(uint32_t crc, const void *data, size_t n);

/* TFRecord's mask: rotate right by 15, add a constant. */
static inline uint32_t spur__crc32c_mask(uint32_t crc) {
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static inline uint32_t spur__crc32c_unmask(uint32_t masked) {
    uint32_t rotated = masked - 0xa282ead8u;
    return rotated >> 17 | rotated << 15;
}

#endif
