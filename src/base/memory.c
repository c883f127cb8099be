/* SPDX-License-Identifier: MIT
 *
 * The allocator of all rooms; see memory.h.
 */
#define _GNU_SOURCE
#include "base/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif

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

#if defined(WATCHED)
/* From the allocator, so that the sanitizer sees what goes beyond the end. */
void *spur__pages(size_t alignment, size_t size) {
    void *p = spur__malloc_aligned(alignment, size);
    return p ? memset(p, 0, size) : NULL;
}

void spur__pages_free(void *p, size_t size) {
    (void)size;
    free(p);
}
#else
/* Maps more than is wanted and gives back what lies before and behind the aligned part. */
void *spur__pages(size_t alignment, size_t size) {
    size_t total;
    if (injected() || size == 0 || !spur__add(size, alignment, &total)) return NULL;
    char *p = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    size_t before = (alignment - (uintptr_t)p % alignment) % alignment;
    if (before > 0) (void)munmap(p, before);
    if (total - before > size) (void)munmap(p + before + size, total - before - size);
#ifdef MADV_HUGEPAGE
    (void)madvise(p + before, size, MADV_HUGEPAGE);
#endif
    return p + before;
}

void spur__pages_free(void *p, size_t size) {
    if (p) (void)munmap(p, size);
}
#endif

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
