/* SPDX-License-Identifier: MIT
 *
 * Allocation with checked sizes, and a switch with which tests make the n-th allocation fail.
 *
 * All code of the libraries allocates through these functions, so that the tests can inject a
 * failure at every single place. They behave like their namesakes of the C library.
 */
#ifndef SPUR_BASE_MEMORY_H
#define SPUR_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *spur__malloc(size_t size);
void *spur__calloc(size_t count, size_t size);
void *spur__realloc(void *old, size_t size);
void spur__free(void *p);

/* count * size with overflow check: NULL instead of a short block. */
void *spur__malloc_array(size_t count, size_t size);
void *spur__realloc_array(void *old, size_t count, size_t size);

/* Aligned to `alignment` (a power of two >= sizeof(void *)); free with spur__free. Not zeroed. */
void *spur__malloc_aligned(size_t alignment, size_t size);

/* Zeroed memory straight from the system, aligned to `alignment` (a power of two), in huge pages
 * where the system offers them. A page costs nothing until it is touched, and is made by the thread
 * that touches it. Free with spur__pages_free and the same size. */
void *spur__pages(size_t alignment, size_t size);
void spur__pages_free(void *p, size_t size);

/* A copy of a string (of its first n bytes), or NULL when out of memory. */
char *spur__strdup(const char *s);
char *spur__strndup(const char *s, size_t n);

/* *out = a * b (a + b); false, and *out untouched, on overflow. */
bool spur__mul(size_t a, size_t b, size_t *out);
bool spur__add(size_t a, size_t b, size_t *out);

/* Tests only: the n-th allocation from now on (1 = the next) fails, once. 0 switches off. */
void spur__fault_malloc(uint64_t n);

/* Tests only: how many allocations were made since the program started. */
uint64_t spur__malloc_count(void);

#endif
