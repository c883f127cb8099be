/* SPDX-License-Identifier: MIT
 *
 * The block of memory of arena.h.
 */
#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"

enum { HUGE_PAGE = 2 << 20 };

bool spur__arena_create(spur__arena *arena, size_t size) {
    size_t alignment = size >= HUGE_PAGE ? HUGE_PAGE : 64;
    *arena = (spur__arena){0};
    if (size > SIZE_MAX - alignment) return false;
    size_t rounded = (size + alignment - 1) / alignment * alignment;
    if (alignment == HUGE_PAGE) {
        arena->base = spur__pages(HUGE_PAGE, rounded);
        arena->mapped = true;
    } else {
        arena->base = spur__malloc_aligned(alignment, rounded);
        if (arena->base) memset(arena->base, 0, rounded);
    }
    if (!arena->base) return false;
    arena->size = rounded;
    return true;
}

void spur__arena_destroy(spur__arena *arena) {
    if (arena->mapped)
        spur__pages_free(arena->base, arena->size);
    else
        spur__free(arena->base);
    *arena = (spur__arena){0};
}
