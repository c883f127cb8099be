/* SPDX-License-Identifier: MIT
 *
 * mixup (Zhang et al. 2017) and cutmix (Yun et al. 2019) of one batch, as in torchvision's
 * references: each sample with its predecessor, the first with the last. Labels become soft targets.
 */
#ifndef SPUR_DATA_TRANSFORMS_MIX_H
#define SPUR_DATA_TRANSFORMS_MIX_H

#include "data/transforms/augment.h"

/* A batch to mix in place. */
typedef struct spur__mix {
    float *input; /* [count][height][width][channels] */
    float *targets; /* [count][classes], written */
    const int32_t *labels; /* [count] */
    float *last; /* memory for one sample */
    size_t count, classes;
    int height, width, channels;
} spur__mix;

/* Mixes by what is enabled; `rng` is the batch's own. */
void spur__mix_apply(const spur__augment *augment, const spur__mix *mix, spur__rng *rng);

/* The two parts, with their parameters given. */
void spur__mixup(const spur__mix *mix, float lambda);
void spur__cutmix(const spur__mix *mix, spur__box box);

/* A number of Beta(alpha, alpha), the same bits everywhere. */
double spur__rng_beta(spur__rng *rng, double alpha);

#endif
