/* SPDX-License-Identifier: MIT
 *
 * The allocator of all rooms; see memory.h.
 */
#include "base/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Atomic uint64_t allocations;
static _Atomic uint64_t fail_at;

/* Counts one allocation; true when a test asked for this one to fail. */
static bool injected(void) {
    uint64_t now = atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed) + 1;
    uint64_t at = atomic_load_explicit(&fail_at, memory_order_relaxed);
    return at != 0 && now == at;
}

void spur__fault_malloc(uint64_t n) {
    atomic_store(&fail_at, n ? atomic_load(&allocations) + n : 0);
}

uint64_t spur__malloc_count(void) {
    return atomic_load(&allocations);
}

void *spur__malloc(size_t size) {
    return injected() ? NULL : malloc(size ? size : 1);
}

void *spur__calloc(size_t count, size_t size) {
    return injected() ? NULL : calloc(count ? count : 1, size ? size : 1);
}

void *spur__realloc(void *old, size_t size) {
    return injected() ? NULL : realloc(old, size ? size : 1);
}

void spur__free(void *p) {
    free(p);
}

void *spur__malloc_array(size_t count, size_t size) {
    size_t bytes;
    return spur__mul(count, size, &bytes) ? spur__malloc(bytes) : NULL;
}

void *spur__realloc_array(void *old, size_t count, size_t size) {
    size_t bytes;
    return spur__mul(count, size, &bytes) ? spur__realloc(old, bytes) : NULL;
}

void *spur__malloc_aligned(size_t alignment, size_t size) {
    void *p = NULL;
    if (injected()) return NULL;
    return posix_memalign(&p, alignment, size ? size : 1) == 0 ? p : NULL;
}

char *spur__strdup(const char *s) {
    return spur__strndup(s, strlen(s));
}

char *spur__strndup(const char *s, size_t n) {
    n = strnlen(s, n);
    char *copy = spur__malloc(n + 1);
    if (!copy) return NULL;
    memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

bool spur__mul(size_t a, size_t b, size_t *out) {
    if (b != 0 && a > SIZE_MAX / b) return false;
    *out = a * b;
    return true;
}

bool spur__add(size_t a, size_t b, size_t *out) {
    if (a > SIZE_MAX - b) return false;
    *out = a + b;
    return true;
}
