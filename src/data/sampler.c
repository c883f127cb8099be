/* SPDX-License-Identifier: MIT
 *
 * The table of samplers, and class weights. Effective number of samples: Cui et al., "Class-balanced
 * loss based on effective number of samples", CVPR 2019.
 */
#include "data/sampler.h"

#include <math.h>

#include "base/error.h"
#include "base/fmath.h"
#include "base/memory.h"
#include "base/random.h"

static const spur__option balance_rows[] = {
    SPUR__ROW(
        CHOICE, spur__balance, method, "none", .choices = "none|class_weights|weighted_sampler",
        .help =
            "weight the classes in the loss, or draw samples so that classes are equally likely"),
    SPUR__ROW(
        CHOICE, spur__balance, weights, "inverse_frequency",
        .choices = "inverse_frequency|effective_number",
        .help = "how class_weights come from the counts: n / (K n_k), or by the effective number"),
    SPUR__ROW(FLOAT, spur__balance, beta, "0.999", .min = 0, .max = 0.999999999,
              .help =
                  "of the effective number; 0 gives equal weights, towards 1 inverse frequencies"),
};

const spur__options spur__balance_options = SPUR__OPTIONS(balance_rows, spur__balance);

static void order_sequential(const spur__sampler *sampler, uint32_t epoch, uint32_t *order) {
    (void)epoch;
    for (size_t i = 0; i < sampler->count; i++) order[i] = (uint32_t)i;
}

static void order_shuffle(const spur__sampler *sampler, uint32_t epoch, uint32_t *order) {
    spur__rng rng;
    order_sequential(sampler, epoch, order);
    spur__rng_init(&rng, sampler->seed, SPUR__STREAM_SHUFFLE, epoch, 0);
    spur__rng_shuffle(&rng, order, sampler->count);
}

/* Draws with replacement: as many as there are samples. */
static void order_weighted(const spur__sampler *sampler, uint32_t epoch, uint32_t *order) {
    spur__rng rng;
    const double *sums = sampler->cumulative;
    spur__rng_init(&rng, sampler->seed, SPUR__STREAM_SHUFFLE, epoch, 1);
    for (size_t i = 0; i < sampler->count; i++) {
        double x = spur__rng_double(&rng) * sums[sampler->count - 1];
        size_t low = 0, high = sampler->count - 1; /* the first whose sum is above x */
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (sums[middle] > x)
                high = middle;
            else
                low = middle + 1;
        }
        order[i] = (uint32_t)low;
    }
}

static const spur__sampler_kind sequential = {
    {"sequential", "in the order of the files", NULL}, false, order_sequential};
static const spur__sampler_kind shuffle = {
    {"shuffle", "every sample once per epoch, in random order", NULL}, false, order_shuffle};
static const spur__sampler_kind weighted = {
    {"weighted", "drawn with replacement, each class equally likely", NULL}, true, order_weighted};

static const spur__kind *const kinds[] = {&sequential.kind, &shuffle.kind, &weighted.kind};

const spur__family spur__sampler_family = {
    .name = "sampler",
    .title = "Samplers",
    .kinds = kinds,
    .count = sizeof kinds / sizeof kinds[0],
};

/* Position in the split of the i-th sample used. */
static size_t spread(const spur__sampler *sampler, size_t i) {
    return (size_t)((uint64_t)i * sampler->total / sampler->count);
}

/* Running sums of 1 / (samples of its class), or of the weights found for masks. */
static spur_status make_weights(spur__sampler *sampler, const spur_data *data, spur_split split,
                                spur_error *err) {
    const spur__statistics *statistics = &data->statistics;
    double sum = 0;
    if (data->info.task == SPUR_REGRESSION)
        return spur__fail(err, SPUR_E_UNSUPPORTED, "sampler weighted: the data have no classes");
    if (split != SPUR_SPLIT_TRAIN)
        return spur__fail(err, SPUR_E_ARGUMENT, "sampler weighted: for training only");
    sampler->cumulative = spur__malloc_array(sampler->count, sizeof *sampler->cumulative);
    if (!sampler->cumulative) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (size_t i = 0; i < sampler->count; i++) {
        size_t position = spread(sampler, i);
        int32_t label = data->items[spur__data_item(data, split, position)].label;
        sum += data->info.task == SPUR_SEGMENTATION ? statistics->item_weights[position]
                                                    : 1.0 / (double)statistics->class_counts[label];
        sampler->cumulative[i] = sum;
    }
    return SPUR_OK;
}

spur_status spur__sampler_create(spur__sampler **out, const char *name, const spur_data *data,
                                 spur_split split, size_t limit, uint64_t seed, spur_error *err) {
    *out = NULL;
    const spur__kind *kind = spur__family_find(&spur__sampler_family, name, err);
    if (!kind) return SPUR_E_NOTFOUND;
    spur__sampler *sampler = spur__calloc(1, sizeof *sampler);
    if (!sampler) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    sampler->kind = (const spur__sampler_kind *)kind;
    sampler->seed = seed;
    sampler->total = sampler->count = data->splits[split].count;
    if (limit > 0 && limit < sampler->count) sampler->count = limit;
    if (sampler->kind->weighted && sampler->count > 0) {
        spur_status status = make_weights(sampler, data, split, err);
        if (status != SPUR_OK) {
            spur__sampler_destroy(sampler);
            return status;
        }
    }
    *out = sampler;
    return SPUR_OK;
}

void spur__sampler_destroy(spur__sampler *sampler) {
    if (!sampler) return;
    spur__free(sampler->cumulative);
    spur__free(sampler);
}

void spur__sampler_order(const spur__sampler *sampler, uint32_t epoch, uint32_t *order) {
    if (sampler->count == 0) return;
    sampler->kind->order(sampler, epoch, order);
    for (size_t i = 0; i < sampler->count; i++) order[i] = (uint32_t)spread(sampler, order[i]);
}

/* beta^n by squaring: the C library's pow differs between machines. */
static double power(double beta, uint64_t n) {
    double result = 1;
    for (; n > 0; n >>= 1, beta *= beta)
        if (n & 1) result *= beta;
    return result;
}

void spur__class_weights(const uint64_t *counts, size_t classes, spur__class_weighting how,
                         double beta, float *weights) {
    double total = 0, sum = 0, present = 0;
    for (size_t k = 0; k < classes; k++) {
        total += (double)counts[k];
        if (counts[k] == 0) continue;
        sum += (1 - beta) / (1 - power(beta, counts[k]));
        present += 1;
    }
    for (size_t k = 0; k < classes; k++) {
        double w = 0;
        if (counts[k] > 0)
            w = how == SPUR__WEIGHT_INVERSE_FREQUENCY
                    ? total / ((double)classes * (double)counts[k])
                    : (1 - beta) / (1 - power(beta, counts[k])) * present / sum;
        weights[k] = (float)w;
    }
}
