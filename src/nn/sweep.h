/* SPDX-License-Identifier: MIT
 *
 * Passes over the values of many parameters, cut into runs: the blocks in which a linear layer
 * makes its gradient, SPUR__RUN values of others. The cut depends on the parameters alone, so sums
 * per run can be added in the order of the runs.
 */
#ifndef SPUR_NN_SWEEP_H
#define SPUR_NN_SWEEP_H

#include <spur/nn.h>
#include "kernels/parallel.h"

enum { SPUR__RUN = 16384 };

typedef struct spur__run_of {
    int param; /* which of the parameters */
    size_t begin, count;
} spur__run_of;

typedef struct spur__runs {
    spur__run_of *items;
    size_t count;
} spur__runs;

/* Values in a run of this parameter (the last one may be shorter). */
size_t spur__run_length(const spur_param *param);

/* Runs over `count` parameters. E_MEMORY. Free with spur__runs_free. */
spur_status spur__runs_create(spur__runs *runs, spur_param *const *params, int count,
                              spur_error *err);
void spur__runs_free(spur__runs *runs);

/* The trainable parameters of a net (only_trainable) or all of them, buffers included; *params is
 * to be freed with spur__free. */
spur_status spur__params_of(spur_net *net, bool only_trainable, spur_param ***params, int *count,
                            spur_error *err);

#endif
