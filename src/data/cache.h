/* SPDX-License-Identifier: MIT
 *
 * Decoded samples kept in memory, up to the `cache` option: the first read of an item decodes, later
 * ones copy. Any number of threads may read at once; what they get is the same either way.
 */
#ifndef SPUR_DATA_CACHE_H
#define SPUR_DATA_CACHE_H

#include "data/dataset.h"

spur_status spur__cache_create(spur__cache **out, size_t items, size_t megabytes, spur_error *err);
void spur__cache_destroy(spur__cache *cache);

/* Copies what is kept of an item to `out`; SPUR_E_NOTFOUND (without a message) when nothing is. */
spur_status spur__cache_recall(const spur__cache *cache, uint32_t item, spur__sample *out,
                               spur_error *err);

/* Keeps a copy, if there is room and memory. The sound of a sample is not kept. */
void spur__cache_store(spur__cache *cache, uint32_t item, const spur__sample *sample);

#endif
