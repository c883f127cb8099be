/* SPDX-License-Identifier: MIT
 *
 * SHA-256 (FIPS 180-4), for names made from contents.
 */
#ifndef SPUR_LOGGER_KINDS_SHA256_H
#define SPUR_LOGGER_KINDS_SHA256_H

#include <stddef.h>

enum { SPUR__SHA256_HEX = 65 };

/* The digest as hexadecimal text. */
void spur__sha256_hex(const void *data, size_t size, char out[SPUR__SHA256_HEX]);

#endif
