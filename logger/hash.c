/* SPDX-License-Identifier: MIT
 *
 * The hash of hash.h: words of eight bytes, multiplied by 2^64 divided by the golden ratio (Knuth, The
 * Art of Computer Programming, volume 3, section 6.4); high bits are mixed into the low ones, which
 * the tables use.
 */
#include "hash.h"

#include <string.h>

/* Eight bytes at a time; the last eight may overlap those before. */
uint64_t spur__tag_hash(const char *name, size_t length) {
    const uint64_t k = 0x9e3779b97f4a7c15u;
    uint64_t hash = length * k, word = 0;
    size_t at = 0;
    for (; at + 8 < length; at += 8) {
        memcpy(&word, name + at, 8);
        hash = (hash ^ word) * k;
        hash ^= hash >> 29;
    }
    word = 0;
    if (length >= 8)
        memcpy(&word, name + length - 8, 8);
    else
        for (size_t i = 0; i < length; i++) word = word << 8 | (unsigned char)name[i];
    hash = (hash ^ word) * k;
    return hash ^ hash >> 32;
}
