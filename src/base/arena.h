/* SPDX-License-Identifier: MIT
 *
 * One large block of memory from which a graph's buffers are cut: aligned to 64 bytes, backed by
 * huge pages where the system offers them, zeroed. Pages that nobody touches take no memory.
 */
#ifndef SPUR_BASE_ARENA_H
#define SPUR_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct spur__arena {
    char *base;
    size_t size; /* bytes usable */
    bool mapped; /* straight from the system */
} spur__arena;

/* Makes a zeroed block; false when out of memory (the arena is then empty). */
bool spur__arena_create(spur__arena *arena, size_t size);
void spur__arena_destroy(spur__arena *arena);

#endif
