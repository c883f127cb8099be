/* SPDX-License-Identifier: MIT
 *
 * A hash of names, for the tables of tags of the writer and of the reader.
 */
#ifndef SPUR_LOGGER_HASH_H
#define SPUR_LOGGER_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t spur__tag_hash(const char *name, size_t length);

#endif
