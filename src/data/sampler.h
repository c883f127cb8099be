/* SPDX-License-Identifier: MIT
 *
 * Samplers: in which order an epoch sees the samples of a split; and what balances classes, the
 * [balance] section: weights of classes in the loss, or samples drawn so that each class is equally
 * likely in a batch.
 */
#ifndef SPUR_DATA_SAMPLER_H
#define SPUR_DATA_SAMPLER_H

#include "data/dataset.h"

typedef enum spur__balance_method {
    SPUR__BALANCE_NONE,
    SPUR__BALANCE_CLASS_WEIGHTS,
    SPUR__BALANCE_WEIGHTED_SAMPLER
} spur__balance_method;

typedef enum spur__class_weighting {
    SPUR__WEIGHT_INVERSE_FREQUENCY, /* n / (K n_k) */
    SPUR__WEIGHT_EFFECTIVE_NUMBER /* (1 - beta) / (1 - beta^n_k), scaled to mean 1 */
} spur__class_weighting;

/* The [balance] section. */
typedef struct spur__balance {
    int64_t method; /* spur__balance_method */
    int64_t weights; /* spur__class_weighting */
    double beta;
} spur__balance;

extern const spur__options spur__balance_options;

typedef struct spur__sampler spur__sampler;

typedef struct spur__sampler_kind {
    spur__kind kind;
    bool weighted; /* needs one weight per sample */
    void (*order)(const spur__sampler *sampler, uint32_t epoch, uint32_t *order);
} spur__sampler_kind;

/* The samplers, family "sampler". */
extern const spur__family spur__sampler_family;

struct spur__sampler {
    const spur__sampler_kind *kind;
    uint64_t seed;
    size_t count, total; /* samples used, samples of the split */
    double *cumulative; /* [count] running sums of the weights; NULL unless weighted */
};

/* `limit`: use only so many samples, spread evenly over the split; 0: all. */
spur_status spur__sampler_create(spur__sampler **out, const char *name, const spur_data *data,
                                 spur_split split, size_t limit, uint64_t seed, spur_error *err);
void spur__sampler_destroy(spur__sampler *sampler);

/* Fills order[0..count) with positions of the split, for one epoch. */
void spur__sampler_order(const spur__sampler *sampler, uint32_t epoch, uint32_t *order);

/* Weights of `classes` classes from their counts; a class without samples gets 0. */
void spur__class_weights(const uint64_t *counts, size_t classes, spur__class_weighting how,
                         double beta, float *weights);

#endif
