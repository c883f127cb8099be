/* SPDX-License-Identifier: MIT
 *
 * Samples in memory; see cache.h. An entry is published once by a compare-and-swap and never changes
 * again; of two threads that decode the same item at once one throws its copy away.
 */
#include "data/cache.h"

#include <stdatomic.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

typedef struct entry {
    int image[3], mask[2], values[3]; /* heights, widths, channels; 0 where there is none */
    /* then the values (floats), the image and the mask (bytes) */
} entry;

struct spur__cache {
    size_t items, limit;
    _Atomic size_t used;
    _Atomic(entry *) *entries; /* [items] */
};

static size_t image_bytes(const entry *e) {
    return (size_t)e->image[0] * (size_t)e->image[1] * (size_t)e->image[2];
}

static size_t mask_bytes(const entry *e) {
    return (size_t)e->mask[0] * (size_t)e->mask[1];
}

static size_t value_bytes(const entry *e) {
    return (size_t)e->values[0] * (size_t)e->values[1] * (size_t)e->values[2] * sizeof(float);
}

spur_status spur__cache_create(spur__cache **out, size_t items, size_t megabytes, spur_error *err) {
    spur__cache *cache = spur__calloc(1, sizeof *cache);
    *out = cache;
    if (cache) cache->entries = spur__calloc(items, sizeof *cache->entries);
    if (!cache || !cache->entries) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    cache->items = items;
    cache->limit = megabytes << 20;
    return SPUR_OK;
}

void spur__cache_destroy(spur__cache *cache) {
    if (!cache) return;
    for (size_t i = 0; cache->entries && i < cache->items; i++)
        spur__free(atomic_load(&cache->entries[i]));
    spur__free(cache->entries);
    spur__free(cache);
}

spur_status spur__cache_recall(const spur__cache *cache, uint32_t item, spur__sample *out,
                               spur_error *err) {
    const entry *e = atomic_load_explicit(&cache->entries[item], memory_order_acquire);
    if (!e) return SPUR_E_NOTFOUND;
    const char *p = (const char *)(e + 1);
    out->image.height = out->values.height = 0;
    if (e->values[0]) {
        SPUR__TRY(spur__pixels_shape(&out->values, e->values[0], e->values[1], e->values[2], err));
        memcpy(out->values.data, p, value_bytes(e));
    }
    p += value_bytes(e);
    if (e->image[0]) {
        SPUR__TRY(spur__image_shape(&out->image, e->image[0], e->image[1], e->image[2], err));
        memcpy(out->image.data, p, image_bytes(e));
    }
    p += image_bytes(e);
    if (e->mask[0]) {
        SPUR__TRY(spur__image_shape(&out->mask, e->mask[0], e->mask[1], 1, err));
        memcpy(out->mask.data, p, mask_bytes(e));
    }
    return SPUR_OK;
}

/* What there is to keep of a sample. */
static entry shapes_of(const spur__sample *s) {
    entry e = {{0}, {0}, {0}};
    if (s->image.height > 0) {
        e.image[0] = s->image.height;
        e.image[1] = s->image.width;
        e.image[2] = s->image.channels;
    } else {
        e.values[0] = s->values.height;
        e.values[1] = s->values.width;
        e.values[2] = s->values.channels;
    }
    if (s->mask.height > 0) {
        e.mask[0] = s->mask.height;
        e.mask[1] = s->mask.width;
    }
    return e;
}

/* Reserves room; false when it would go over the limit. */
static bool reserve(spur__cache *cache, size_t bytes) {
    size_t before = atomic_fetch_add(&cache->used, bytes);
    if (before + bytes <= cache->limit) return true;
    atomic_fetch_sub(&cache->used, bytes);
    return false;
}

void spur__cache_store(spur__cache *cache, uint32_t item, const spur__sample *sample) {
    entry shapes = shapes_of(sample), *none = NULL;
    size_t bytes =
        sizeof shapes + value_bytes(&shapes) + image_bytes(&shapes) + mask_bytes(&shapes);
    if (!reserve(cache, bytes)) return;
    entry *e = spur__malloc(bytes);
    if (e) {
        char *p = (char *)(e + 1);
        *e = shapes;
        if (value_bytes(e)) memcpy(p, sample->values.data, value_bytes(e));
        if (image_bytes(e)) memcpy(p + value_bytes(e), sample->image.data, image_bytes(e));
        if (mask_bytes(e))
            memcpy(p + value_bytes(e) + image_bytes(e), sample->mask.data, mask_bytes(e));
        if (atomic_compare_exchange_strong_explicit(&cache->entries[item], &none, e,
                                                    memory_order_release, memory_order_relaxed))
            return;
    }
    spur__free(e);
    atomic_fetch_sub(&cache->used, bytes);
}
