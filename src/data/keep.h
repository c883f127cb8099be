/* SPDX-License-Identifier: MIT
 *
 * Decoded samples kept in memory, up to the `cache` option: the first read of an item decodes, later
 * ones copy. Any number of threads may read at once; what they get is the same either way.
 */
#ifndef SPUR_DATA_KEEP_H
#define SPUR_DATA_KEEP_H

#include "data/dataset.h"

spur_status spur__keep_create(spur__keep **out, size_t items, size_t megabytes, spur_error *err);
void spur__keep_destroy(spur__keep *keep);

/* Copies what is kept of an item to `out`; SPUR_E_NOTFOUND (without a message) when nothing is. */
spur_status spur__keep_recall(const spur__keep *keep, uint32_t item, spur__sample *out,
                              spur_error *err);

/* Keeps a copy, if there is room and memory. The sound of a sample is not kept. */
void spur__keep_store(spur__keep *keep, uint32_t item, const spur__sample *sample);

#endif
