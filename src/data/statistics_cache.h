/* SPDX-License-Identifier: MIT
 *
 * What a pass over all items found, remembered in $XDG_CACHE_HOME/spur (or ~/.cache/spur) under a
 * hash of the format, its options, and the name, size and time of every file. A cache that cannot
 * be read or written is no error: the pass is made again.
 */
#ifndef SPUR_DATA_STATISTICS_CACHE_H
#define SPUR_DATA_STATISTICS_CACHE_H

#include "data/dataset.h"

/* Fills the statistics; false when nothing fitting is remembered. `everything`: of a pass that
 * decoded all splits. */
bool spur__statistics_cache_load(spur_data *data, bool everything);
void spur__statistics_cache_store(const spur_data *data, bool everything);

#endif
