/* SPDX-License-Identifier: MIT
 *
 * Shared by the tests of convolutions: shapes, their data, the three passes one behind the other, and a naive
 * oracle in double precision that computes the same.
 */
#ifndef SPUR_TESTS_CONV_TEST_H
#define SPUR_TESTS_CONV_TEST_H

#include "kernels/conv/conv.h"
#include "kernels_test.h"

typedef struct conv_case {
    const char *name;
    spur__conv_shape s;
} conv_case;

#define STEPS(s, d, g) .stride_h = s, .stride_w = s, .dilation_h = d, .dilation_w = d, .groups = g
#define UNIT STEPS(1, 1, 1)
#define STRIDE(s) STEPS(s, 1, 1)
#define PAD(p) .pad_top = p, .pad_left = p, .pad_bottom = p, .pad_right = p
#define DILATION(h, w) .stride_h = 1, .stride_w = 1, .groups = 1, .dilation_h = h, .dilation_w = w
#define PADS(h, w) .pad_top = h, .pad_left = w, .pad_bottom = h / 2, .pad_right = w
#define PITCH(x, y) .x_pitch = x, .y_pitch = y

typedef struct conv_data {
    const conv_case *test;
    spur__conv_algo algo;
    spur__conv_shape s; /* complete */
    bool relu, accumulate;
    float *x, *w, *bias, *bias_x, *dy, *y0, *dx0, *dw0, *db0, *sums0, *mask;
    ptrdiff_t nx, ny, nw;
} conv_data;

static inline void make_data(conv_data *d, const conv_case *test, spur__conv_algo algo,
                             bool variant) {
    spur__conv_plan plan;
    spur_error err;
    if (spur__conv_plan_init(&plan, &test->s, algo, 1, &err) != SPUR_OK)
        fail_msg("%s", err.message);
    spur__conv_shape s = plan.shape;
    *d = (conv_data){.test = test, .algo = algo, .s = s, .relu = variant, .accumulate = variant};
    d->nx = s.n * s.h * s.w * s.x_pitch;
    d->ny = s.n * s.oh * s.ow * s.y_pitch;
    d->nw = s.kh * s.kw * (s.c / s.groups) * s.k;
    d->x = random_floats(d->nx, 1);
    d->w = random_floats(d->nw, 2);
    d->bias = random_floats(s.k, 3);
    d->dy = random_floats(d->ny, 4);
    d->y0 = random_floats(d->ny, 5);
    d->dx0 = random_floats(d->nx, 6);
    d->dw0 = random_floats(d->nw, 7);
    d->db0 = random_floats(s.k, 8);
    d->mask = random_floats(d->ny, 9);
    d->bias_x = random_floats(s.c, 10);
    d->sums0 = random_floats(s.c, 11);
}

static inline void free_data(conv_data *d) {
    float *all[] = {d->x,   d->w,   d->bias, d->dy,     d->y0,   d->dx0,
                    d->dw0, d->db0, d->mask, d->bias_x, d->sums0};
    for (size_t i = 0; i < COUNT(all); i++) free(all[i]);
}

/* All results one behind the other: y, dx, dw, dbias, sums of x. Values between slices stay as they were. */
static inline void run_passes(void *arg, const spur__exec *exec, float *out) {
    const conv_data *d = arg;
    spur__conv_plan plan;
    float *y = out, *dx = y + d->ny, *dw = dx + d->nx, *db = dw + d->nw, *sums = db + d->s.k;
    assert_int_equal(spur__conv_plan_init(&plan, &d->s, d->algo, exec->threads, NULL), SPUR_OK);
    memcpy(y, d->y0, (size_t)d->ny * sizeof(float));
    memcpy(dx, d->dx0, (size_t)d->nx * sizeof(float));
    memcpy(dw, d->dw0, (size_t)d->nw * sizeof(float));
    memcpy(db, d->db0, (size_t)d->s.k * sizeof(float));
    memcpy(sums, d->sums0, (size_t)d->s.c * sizeof(float));
    void *ws[SPUR__CONV_PASSES];
    spur__exec own[SPUR__CONV_PASSES];
    for (int i = 0; i < SPUR__CONV_PASSES; i++) {
        ws[i] = scratch(plan.memory[i].workspace);
        own[i] = with_scratch(exec, plan.memory[i].scratch);
    }
    const float *mask = d->relu ? d->mask : NULL;
    spur__conv_forward(&plan, &own[0],
                       &(spur__conv_forward_args){.n = d->s.n,
                                                  .x = d->x,
                                                  .w = d->w,
                                                  .bias = d->relu ? d->bias : NULL,
                                                  .y = y,
                                                  .relu = d->relu,
                                                  .accumulate = d->accumulate,
                                                  .workspace = ws[0]});
    spur__conv_backward_data(&plan, &own[1],
                             &(spur__conv_data_args){.n = d->s.n,
                                                     .dy = d->dy,
                                                     .relu_y = mask,
                                                     .w = d->w,
                                                     .dx = dx,
                                                     .bias = d->relu ? d->bias_x : NULL,
                                                     .relu = d->relu,
                                                     .accumulate = d->accumulate,
                                                     .workspace = ws[1]});
    spur__conv_backward_weights(
        &plan, &own[2],
        &(spur__conv_weights_args){.n = d->s.n,
                                   .x = d->x,
                                   .dy = d->dy,
                                   .relu_y = mask,
                                   .dw = dw,
                                   .dbias = db,
                                   .x_sums = spur__conv_sums_x(&plan) ? sums : NULL,
                                   .accumulate = d->accumulate,
                                   .workspace = ws[2]});
    for (int i = 0; i < SPUR__CONV_PASSES; i++) {
        free(ws[i]);
        free(own[i].scratch);
    }
}

static inline ptrdiff_t results(const conv_data *d) {
    return d->ny + d->nx + d->nw + d->s.k + d->s.c;
}

/* Offset of the input value under output (image, oy, ox) at a tap; -1 in the padding. */
static inline ptrdiff_t input_at(const spur__conv_shape *s, ptrdiff_t image, ptrdiff_t oy,
                                 ptrdiff_t ox, ptrdiff_t r, ptrdiff_t t) {
    ptrdiff_t y = oy * s->stride_h - s->pad_top + r * s->dilation_h;
    ptrdiff_t x = ox * s->stride_w - s->pad_left + t * s->dilation_w;
    if (y < 0 || y >= s->h || x < 0 || x >= s->w) return -1;
    return ((image * s->h + y) * s->w + x) * s->x_pitch;
}

static inline void initial(const conv_data *d, double *out) {
    const float *parts[] = {d->y0, d->dx0, d->dw0, d->db0, d->sums0};
    ptrdiff_t sizes[] = {d->ny, d->nx, d->nw, d->s.k, d->s.c};
    for (int i = 0; i < 5; i++)
        for (ptrdiff_t j = 0; j < sizes[i]; j++) *out++ = (double)parts[i][j];
    out -= results(d);
    if (d->accumulate) return;
    const spur__conv_shape *s = &d->s; /* only the slices are overwritten */
    for (ptrdiff_t i = 0; i < d->ny; i++)
        if (i % s->y_pitch < s->k) out[i] = 0.0;
    for (ptrdiff_t i = 0; i < d->nx; i++)
        if (i % s->x_pitch < s->c) out[d->ny + i] = 0.0;
    for (ptrdiff_t i = 0; i < d->nw + s->k; i++) out[d->ny + d->nx + i] = 0.0;
}

/* One output position: all its products go to y, dx and dw at once. */
static inline void oracle_output(const conv_data *d, double *out, ptrdiff_t at, ptrdiff_t k) {
    const spur__conv_shape *s = &d->s;
    double *y = out + at * s->y_pitch + k, *dx = out + d->ny, *dw = dx + d->nx, *db = dw + d->nw;
    ptrdiff_t ox = at % s->ow, oy = at / s->ow % s->oh, image = at / s->ow / s->oh;
    ptrdiff_t c = s->c / s->groups, group = k / (s->k / s->groups);
    double dy = (double)d->dy[at * s->y_pitch + k];
    if (d->relu && !(d->mask[at * s->y_pitch + k] > 0.0f)) dy = 0.0;
    for (ptrdiff_t i = 0; i < s->kh * s->kw; i++) {
        ptrdiff_t from = input_at(s, image, oy, ox, i / s->kw, i % s->kw);
        for (ptrdiff_t j = 0; from >= 0 && j < c; j++) {
            ptrdiff_t w = (i * c + j) * s->k + k;
            double x = (double)d->x[from + group * c + j];
            *y += x * (double)d->w[w];
            dx[from + group * c + j] += dy * (double)d->w[w];
            dw[w] += dy * x;
        }
    }
    db[k] += dy;
    if (d->relu) *y = fmax(*y + (double)d->bias[k], 0.0);
}

/* Sums of x where windows cover it without gaps; else they stay as they were. */
static inline void oracle_sums(const conv_data *d, double *sums) {
    const spur__conv_shape *s = &d->s;
    spur__conv_plan plan;
    assert_int_equal(spur__conv_plan_init(&plan, s, d->algo, 1, NULL), SPUR_OK);
    if (!spur__conv_sums_x(&plan)) return;
    for (ptrdiff_t c = 0; c < s->c; c++) {
        if (!d->accumulate) sums[c] = 0.0;
        for (ptrdiff_t i = 0; i < s->n * s->h * s->w; i++)
            sums[c] += (double)d->x[i * s->x_pitch + c];
    }
}

static inline double *oracle(const conv_data *d) {
    double *out = malloc((size_t)results(d) * sizeof(double));
    assert_non_null(out);
    initial(d, out);
    for (ptrdiff_t at = 0; at < d->s.n * d->s.oh * d->s.ow; at++)
        for (ptrdiff_t k = 0; k < d->s.k; k++) oracle_output(d, out, at, k);
    double *dx = out + d->ny;
    oracle_sums(d, dx + d->nx + d->nw + d->s.k);
    for (ptrdiff_t i = 0; d->relu && i < d->nx; i++) {
        ptrdiff_t c = i % d->s.x_pitch;
        if (c < d->s.c) dx[i] = fmax(dx[i] + (double)d->bias_x[c], 0.0);
    }
    return out;
}

static inline void check_case(const conv_case *test, spur__conv_algo algo, bool variant,
                              double bound) {
    conv_data d;
    char what[128];
    make_data(&d, test, algo, variant);
    double *wanted = oracle(&d), *w = wanted;
    float *found = floats(results(&d)), *f = found;
    run_passes(&d, &(spur__exec){.threads = 2}, found);
    const char *passes[] = {"forward", "backward data", "backward weights", "backward bias",
                            "sums of x"};
    ptrdiff_t sizes[] = {d.ny, d.nx, d.nw, d.s.k, d.s.c};
    for (int i = 0; i < 5; i++) {
        snprintf(what, sizeof what, "%s, %s, %s%s", test->name, spur__conv_algo_name(algo),
                 passes[i], variant ? ", relu and accumulate" : "");
        assert_close(what, f, w, sizes[i], bound);
        f += sizes[i];
        w += sizes[i];
    }
    free(wanted);
    free(found);
    free_data(&d);
}

#endif
