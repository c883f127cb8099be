/* SPDX-License-Identifier: MIT
 *
 * Initial values of parameters, made in PyTorch's order of the values, so that they do not depend on
 * our layout. Numbers are counted: value i needs no other, and threads share the work.
 *
 * Defaults are PyTorch's: U(-1/sqrt(fan_in), 1/sqrt(fan_in)) for weights and biases of layers
 * (kaiming_uniform_ with a = sqrt(5) comes to the same). Other kinds set biases to zero. Fans are
 * those of torch.nn.init: shape[1] * receptive field and shape[0] * receptive field.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "graph/internal.h"

static void constant(float *out, size_t n, float value) {
    for (size_t i = 0; i < n; i++) out[i] = value;
}

/* Uniform values within +-scale, or normal ones times scale. */
typedef struct draw {
    const spur__exec *exec;
    spur__rng rng; /* at the parameter's first number */
    float *out;
    size_t count;
    double scale;
    bool is_normal;
} draw;

enum { DRAW_RUN = 1 << 14 };

static void draw_task(void *job, ptrdiff_t index, int thread) {
    const draw *d = job;
    spur__rng rng = d->rng;
    size_t begin = (size_t)index * DRAW_RUN, end = begin + DRAW_RUN;
    (void)thread;
    if (end > d->count) end = d->count;
    spur__rng_seek(&rng, begin * (d->is_normal ? 2 : 1)); /* a normal one takes two numbers */
    if (d->is_normal)
        for (size_t i = begin; i < end; i++)
            d->out[i] = (float)((double)spur__rng_normal(&rng) * d->scale);
    else
        for (size_t i = begin; i < end; i++)
            d->out[i] = (float)((2.0 * (double)spur__rng_float(&rng) - 1.0) * d->scale);
}

static void draw_all(draw *d, bool is_normal, double scale) {
    d->is_normal = is_normal;
    d->scale = scale;
    spur__parallel(d->exec, spur__ceil_div((ptrdiff_t)d->count, DRAW_RUN), draw_task, d);
}

static void uniform(draw *d, double bound) {
    draw_all(d, false, bound);
}

static void normal(draw *d, double deviation) {
    draw_all(d, true, deviation);
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

static void by_default(const spur__param_spec *spec, draw *d) {
    if (spec->fan_in > 0)
        uniform(d, 1.0 / sqrt((double)spec->fan_in));
    else if (spec->deviation > 0)
        normal(d, (double)spec->deviation);
    else
        constant(d->out, d->count, spec->constant);
}

spur_status spur__initialise(const spur__param_entry *entry, int index, float *out,
                             spur_error *err) {
    const spur__param_spec *spec = &entry->spec;
    const spur_net *net = entry->param.net;
    double in = (double)(spec->fan_in > 0 ? spec->fan_in : 1);
    double both = in + (double)spec->fan_out;
    draw d = {.exec = &net->exec, .out = out, .count = entry->param.count};
    spur__rng_init(&d.rng, net->options.seed, SPUR__STREAM_INIT, 0, (uint64_t)index);
    switch (spec->init) {
    case SPUR_INIT_DEFAULT:
        by_default(spec, &d);
        return SPUR_OK;
    case SPUR_INIT_HE_NORMAL:
        normal(&d, sqrt(2.0 / in));
        return SPUR_OK;
    case SPUR_INIT_HE_UNIFORM:
        uniform(&d, sqrt(6.0 / in));
        return SPUR_OK;
    case SPUR_INIT_XAVIER_NORMAL:
        normal(&d, sqrt(2.0 / both));
        return SPUR_OK;
    case SPUR_INIT_XAVIER_UNIFORM:
        uniform(&d, sqrt(6.0 / both));
        return SPUR_OK;
    case SPUR_INIT_ZEROS:
        constant(out, d.count, 0);
        return SPUR_OK;
    case SPUR_INIT_ONES:
        constant(out, d.count, 1);
        return SPUR_OK;
    case SPUR_INIT_NORMAL_02:
        normal(&d, 0.02);
        return SPUR_OK;
    case SPUR_INIT_ORTHOGONAL:
        return orthogonal(out, (size_t)spec->shape[0], d.count / (size_t)spec->shape[0], &d.rng,
                          err);
    }
    return spur__fail(err, SPUR_E_ARGUMENT, "parameter '%s': unknown initialisation %d",
                      entry->param.name, (int)spec->init);
}
