/* SPDX-License-Identifier: MIT
 *
 * The IDX format of MNIST: two zero bytes, a type, a rank, that many big-endian sizes, the values.
 */
#ifndef SPUR_DATA_CODECS_IDX_H
#define SPUR_DATA_CODECS_IDX_H

#include "data/codecs/image.h"

enum { SPUR__IDX_RANK = 4 };

typedef struct spur__idx {
    int rank;
    size_t sizes[SPUR__IDX_RANK];
    const uint8_t *values; /* bytes, in the memory that was parsed */
} spur__idx;

/* Checks and describes IDX data of unsigned bytes with the given rank. */
spur_status spur__idx_parse(const uint8_t *data, size_t size, int rank, const char *name,
                            spur__idx *out, spur_error *err);

/* Reads a file, unpacking it when it is a gzip file; more than `limit` bytes are an error. */
spur_status spur__gz_read(const char *path, size_t limit, spur__bytes *out, spur_error *err);

#endif
