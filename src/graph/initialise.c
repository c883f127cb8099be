/* SPDX-License-Identifier: MIT
 *
 * Initial values of parameters, made in PyTorch's order of the values, so that they do not depend
 * on our layout. Defaults are PyTorch's: U(-1/sqrt(fan_in), 1/sqrt(fan_in)) for weights and biases
 * of layers (kaiming_uniform_ with a = sqrt(5) comes to the same). Other kinds set biases to zero.
 * Fans are those of torch.nn.init: shape[1] * receptive field and shape[0] * receptive field.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "graph/internal.h"

static void constant(float *out, size_t n, float value) {
    for (size_t i = 0; i < n; i++) out[i] = value;
}

static void uniform(float *out, size_t n, double bound, spur__rng *rng) {
    for (size_t i = 0; i < n; i++)
        out[i] = (float)((2.0 * (double)spur__rng_float(rng) - 1.0) * bound);
}

static void normal(float *out, size_t n, double deviation, spur__rng *rng) {
    for (size_t i = 0; i < n; i++) out[i] = (float)((double)spur__rng_normal(rng) * deviation);
}

/* Makes row i of q ([rows][columns]) orthogonal to the rows before it and of length 1; false when
 * nothing is left of it. Twice, as one pass of Gram-Schmidt loses digits. */
static bool orthonormalise(double *q, size_t columns, size_t i) {
    double *row = q + i * columns, length = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t j = 0; j < i; j++) {
            const double *other = q + j * columns;
            double dot = 0;
            for (size_t k = 0; k < columns; k++) dot += row[k] * other[k];
            for (size_t k = 0; k < columns; k++) row[k] -= dot * other[k];
        }
    for (size_t k = 0; k < columns; k++) length += row[k] * row[k];
    length = sqrt(length);
    if (length < 1e-6) return false;
    for (size_t k = 0; k < columns; k++) row[k] /= length;
    return true;
}

/* Orthogonal rows, or columns when there are more rows than columns (Saxe et al. 2013): the
 * Q factor, with a positive diagonal of R, of a matrix of normal numbers. */
static spur_status orthogonal(float *out, size_t rows, size_t columns, spur__rng *rng,
                              spur_error *err) {
    bool wide = rows <= columns;
    size_t short_side = wide ? rows : columns, long_side = wide ? columns : rows;
    double *q = spur__malloc_array(rows * columns, sizeof *q);
    if (!q) return spur__fail(err, SPUR_E_MEMORY, "out of memory for initial values");
    for (size_t i = 0; i < short_side; i++) do {
            for (size_t k = 0; k < long_side; k++)
                q[i * long_side + k] = (double)spur__rng_normal(rng);
        } while (!orthonormalise(q, long_side, i));
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            out[r * columns + c] = (float)(wide ? q[r * long_side + c] : q[c * long_side + r]);
    spur__free(q);
    return SPUR_OK;
}

static void by_default(const spur__param_spec *spec, float *out, size_t n, spur__rng *rng) {
    if (spec->fan_in > 0)
        uniform(out, n, 1.0 / sqrt((double)spec->fan_in), rng);
    else if (spec->deviation > 0)
        normal(out, n, (double)spec->deviation, rng);
    else
        constant(out, n, spec->constant);
}

spur_status spur__initialise(const spur__param_entry *entry, int index, uint64_t seed, float *out,
                             spur_error *err) {
    const spur__param_spec *spec = &entry->spec;
    size_t n = entry->param.count;
    double in = (double)(spec->fan_in > 0 ? spec->fan_in : 1);
    double both = in + (double)spec->fan_out;
    spur__rng rng;
    spur__rng_init(&rng, seed, SPUR__STREAM_INIT, 0, (uint64_t)index);
    switch (spec->init) {
    case SPUR_INIT_DEFAULT:
        by_default(spec, out, n, &rng);
        return SPUR_OK;
    case SPUR_INIT_HE_NORMAL:
        normal(out, n, sqrt(2.0 / in), &rng);
        return SPUR_OK;
    case SPUR_INIT_HE_UNIFORM:
        uniform(out, n, sqrt(6.0 / in), &rng);
        return SPUR_OK;
    case SPUR_INIT_XAVIER_NORMAL:
        normal(out, n, sqrt(2.0 / both), &rng);
        return SPUR_OK;
    case SPUR_INIT_XAVIER_UNIFORM:
        uniform(out, n, sqrt(6.0 / both), &rng);
        return SPUR_OK;
    case SPUR_INIT_ZEROS:
        constant(out, n, 0);
        return SPUR_OK;
    case SPUR_INIT_ONES:
        constant(out, n, 1);
        return SPUR_OK;
    case SPUR_INIT_NORMAL_02:
        normal(out, n, 0.02, &rng);
        return SPUR_OK;
    case SPUR_INIT_ORTHOGONAL:
        return orthogonal(out, (size_t)spec->shape[0], n / (size_t)spec->shape[0], &rng, err);
    }
    return spur__fail(err, SPUR_E_ARGUMENT, "parameter '%s': unknown initialisation %d",
                      entry->param.name, (int)spec->init);
}
