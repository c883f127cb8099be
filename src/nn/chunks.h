/* SPDX-License-Identifier: MIT
 *
 * The values of many parameters cut into chunks, so that one pass over all of them is shared among
 * threads: the blocks in which a linear layer makes its gradient, SPUR__CHUNK values of any other
 * parameter. The cut depends on the parameters alone, so sums per chunk can be added in the order of
 * the chunks and do not depend on the threads.
 */
#ifndef SPUR_NN_CHUNKS_H
#define SPUR_NN_CHUNKS_H

#include <spur/nn.h>
#include "kernels/parallel.h"

enum { SPUR__CHUNK = 16384 };

typedef struct spur__chunk {
    int param; /* which of the parameters */
    size_t begin, count;
} spur__chunk;

typedef struct spur__chunks {
    spur__chunk *items;
    size_t count;
} spur__chunks;

/* Values in a chunk of this parameter (the last one may be shorter). */
size_t spur__chunk_length(const spur_param *param);

/* The chunks of `count` parameters. E_MEMORY. Free with spur__chunks_free. */
spur_status spur__chunks_init(spur__chunks *chunks, spur_param *const *params, int count,
                              spur_error *err);
void spur__chunks_free(spur__chunks *chunks);

/* The trainable parameters of a net (only_trainable) or all of them, buffers included; *params is
 * to be freed with spur__free. */
spur_status spur__params_of(spur_net *net, bool only_trainable, spur_param ***params, int *count,
                            spur_error *err);

#endif
