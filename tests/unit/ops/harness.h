/* SPDX-License-Identifier: MIT
 *
 * Runs one case of cases.h: builds the net, fills inputs and parameters by a fixed stream, runs
 * forward and backward, and holds both against the oracle. The loss is sum(coefficient(i) * y(i)).
 */
#ifndef TESTS_OPS_HARNESS_H
#define TESTS_OPS_HARNESS_H

#include <stdio.h>

#include "base/random.h"
#include "graph/graph.h"
#include "unit/ops/oracles.h"

typedef struct op_case {
    const char *name;
    struct {
        int rank;
        int64_t shape[SPUR_MAX_RANK];
        int ints; /* int32 input with values below this; 0: float */
    } x[MOST_INPUTS];
    spur_node *(*build)(spur_net *net, spur_node **x, const void *options);
    void (*oracle)(const oracle_args *a);
    const void *options;
    double tolerance; /* against the largest value; 0: 1e-5 */
} op_case;

/* ---- the loss of the tests ------------------------------------------------------------------ */

static inline double coefficient(size_t i) {
    return (double)((i * 2654435761u >> 7) % 1024) / 512.0 - 1.0 + 1.0 / 1024.0;
}

static spur_status dot_shape(spur_node *node, spur_error *err) {
    (void)err;
    node->rank = 0;
    return SPUR_OK;
}

static void dot_forward(spur_node *node, const spur__run *run) {
    (void)run;
    double sum = 0;
    for (int k = 0; k < node->input_count; k++)
        for (size_t i = 0; i < spur__node_count(node->inputs[k]); i++)
            sum += coefficient(i) * (double)node->inputs[k]->data[i];
    node->data[0] = (float)sum;
}

static void dot_backward(spur_node *node, const spur__run *run) {
    (void)run;
    for (int k = 0; k < node->input_count; k++) {
        int beta = spur__gradient_beta(node, k);
        float *d = node->inputs[k]->gradient;
        for (size_t i = 0; beta >= 0 && i < spur__node_count(node->inputs[k]); i++)
            d[i] = (beta ? d[i] : 0) + (float)coefficient(i) * node->gradient[0];
    }
}

static const spur__op dot_op = {
    .kind = "test_dot", .shape = dot_shape, .forward = dot_forward, .backward = dot_backward};

static spur_node *test_dot(spur_net *net, spur_node *const *x, int count) {
    return spur__node_create(net, &dot_op, NULL, x, count, NULL, 0);
}

/* ---- a case as a net ------------------------------------------------------------------------ */

typedef struct case_run {
    const op_case *c;
    spur_net *net;
    spur_node *x[MOST_INPUTS], *y;
    int inputs;
    bool twice; /* the loss reads the inputs too, so that gradients are added to */
    oracle_args want; /* double copies of everything */
} case_run;

static inline void tensor_of(tensor *t, int rank, const int64_t *shape) {
    t->rank = rank;
    t->count = 1;
    for (int i = 0; i < rank; i++) t->count *= (size_t)(t->shape[i] = shape[i]);
    t->v = calloc(t->count, sizeof(double));
}

static inline void fill_inputs(case_run *r, uint64_t seed) {
    for (int k = 0; k < r->inputs; k++) {
        tensor *t = &r->want.in[k];
        spur__rng rng;
        spur__rng_init(&rng, seed, SPUR__STREAM_TEST, 0, (uint64_t)k);
        for (size_t i = 0; i < t->count; i++) {
            if (r->c->x[k].ints) {
                int v = (int)spur__rng_below(&rng, (uint32_t)r->c->x[k].ints);
                spur_node_data_int(r->x[k])[i] = v;
                t->v[i] = v;
            } else {
                float v = (float)spur__rng_uniform(&rng, -2, 2);
                spur_node_data(r->x[k])[i] = v;
                t->v[i] = (double)v;
            }
        }
    }
}

static inline void fill_params(case_run *r, uint64_t seed) {
    for (int k = 0; k < spur_net_param_count(r->net) && k < MOST_PARAMS; k++) {
        spur_param *p = spur_net_param(r->net, k);
        tensor_of(&r->want.param[k], p->rank, p->shape);
        float *values = malloc(p->count * sizeof *values);
        spur__rng rng;
        spur__rng_init(&rng, seed, SPUR__STREAM_TEST, 1, (uint64_t)k);
        for (size_t i = 0; i < p->count; i++) {
            values[i] = (float)spur__rng_uniform(&rng, -1, 1);
            r->want.param[k].v[i] = (double)values[i];
        }
        spur_param_import(p, values);
        free(values);
    }
}

/* HIDDEN: behind a copy of the inputs and before one of the output, so that the planner may work in
 * place, fuse and slice; SHOWN: the same with every node kept, so that it may not. */
typedef enum case_style { PLAIN, TWICE, HIDDEN, SHOWN } case_style;

static inline void build_case(case_run *r, case_style style) {
    spur_node *x[MOST_INPUTS] = {NULL};
    bool wrapped = style == HIDDEN || style == SHOWN;
    for (int k = 0; k < r->inputs; k++)
        x[k] = wrapped && !r->c->x[k].ints ? spur_scale(r->net, r->x[k], 1) : r->x[k];
    r->y = r->c->build(r->net, x, r->c->options);
    if (wrapped) r->y = spur_scale(r->net, r->y, 1);
    for (int i = 0; i < spur_net_node_count(r->net) && style == SHOWN; i++)
        spur_keep(r->net, (spur_node *)spur_net_node(r->net, i));
    spur_keep(r->net, r->y);
}

/* Builds, fills and plans; `batch` samples are run (0: all). */
static inline spur_status case_open(case_run *r, const op_case *c, const spur_net_options *options,
                                    case_style style, int batch, spur_error *err) {
    *r = (case_run){.c = c, .twice = style == TWICE};
    r->net = spur_net_create(options);
    for (; r->inputs < MOST_INPUTS && c->x[r->inputs].rank; r->inputs++) {
        int k = r->inputs;
        char name[16];
        (void)snprintf(name, sizeof name, "x%d", k);
        r->x[k] = spur_input(r->net, name, c->x[k].ints ? SPUR_INT32 : SPUR_FLOAT32, c->x[k].rank,
                             c->x[k].shape);
        if (!c->x[k].ints) spur_keep(r->net, r->x[k]);
    }
    build_case(r, style);
    spur_node *read[MOST_INPUTS + 1] = {r->y};
    int count = 1;
    for (int k = 0; k < r->inputs && r->twice; k++)
        if (!c->x[k].ints) read[count++] = r->x[k];
    spur_status status = spur_net_build(r->net, test_dot(r->net, read, count), err);
    if (status != SPUR_OK) return status;
    if (batch) status = spur_net_set_batch(r->net, batch);
    if (status != SPUR_OK) return status;
    for (int k = 0; k < r->inputs; k++)
        tensor_of(&r->want.in[k], spur_node_rank(r->x[k]), spur_node_shape(r->x[k]));
    tensor_of(&r->want.out, spur_node_rank(r->y), spur_node_shape(r->y));
    r->want.options = c->options;
    fill_inputs(r, 7);
    fill_params(r, 8);
    return SPUR_OK;
}

static inline void case_close(case_run *r) {
    spur_net_destroy(r->net);
    for (int k = 0; k < MOST_INPUTS; k++) free(r->want.in[k].v);
    for (int k = 0; k < MOST_PARAMS; k++) free(r->want.param[k].v);
    free(r->want.out.v);
}

/* Largest difference over the largest wanted value (at least `floor`). */
static inline double distance(const float *found, const double *wanted, size_t n, double floor) {
    double most = 0, largest = floor;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)found[i] - wanted[i]);
        if (!(d <= most)) most = d; /* NaN counts */
        if (fabs(wanted[i]) > largest) largest = fabs(wanted[i]);
    }
    return most / largest;
}

static inline double oracle_loss(const case_run *r) {
    double sum = 0;
    r->c->oracle(&r->want);
    for (size_t i = 0; i < r->want.out.count; i++) sum += coefficient(i) * r->want.out.v[i];
    return sum;
}

/* Central differences of the oracle's loss by at most 150 values of t, evenly spread; the others and
 * kinks become NAN. Returns how many were looked at. */
static inline size_t central_differences(const case_run *r, tensor *t, double *gradient) {
    const double h = 1e-5;
    double here = oracle_loss(r);
    size_t step = t->count / 150 + 1, looked = 0;
    for (size_t i = 0; i < t->count; i++) {
        gradient[i] = NAN;
        if (i % step) continue;
        looked++;
        double old = t->v[i];
        t->v[i] = old + h;
        double up = oracle_loss(r);
        t->v[i] = old - h;
        double down = oracle_loss(r);
        t->v[i] = old;
        double slope = (up - down) / (2 * h);
        bool kink = fabs((up - here) - (here - down)) / h > 1e-2 * (1 + fabs(slope));
        if (!kink) gradient[i] = slope;
    }
    return looked;
}

#endif
