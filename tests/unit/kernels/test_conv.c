/* SPDX-License-Identifier: MIT
 *
 * Convolutions of every algorithm against a naive double-precision oracle, and their bytes for
 * every instruction set and team size. One list of cases, three passes each.
 */
#include "kernels_test.h"

#include "kernels/conv/conv.h"

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

static const conv_case cases[] = {
    {"3x3, 3 to 32", {.n = 2, .h = 13, .w = 17, .c = 3, .k = 32, .kh = 3, .kw = 3, PAD(1), UNIT}},
    {"3x3, 1 to 1", {.n = 1, .h = 5, .w = 5, .c = 1, .k = 1, .kh = 3, .kw = 3, PAD(1), UNIT}},
    {"3x3, 8 to 16", {.n = 3, .h = 12, .w = 8, .c = 8, .k = 16, .kh = 3, .kw = 3, PAD(1), UNIT}},
    {"3x3, 11 to 33", {.n = 2, .h = 7, .w = 9, .c = 11, .k = 33, .kh = 3, .kw = 3, PAD(1), UNIT}},
    {"3x3, 32 to 64", {.n = 2, .h = 14, .w = 14, .c = 32, .k = 64, .kh = 3, .kw = 3, PAD(1), UNIT}},
    {"3x3, 128 to 16", {.n = 1, .h = 9, .w = 6, .c = 128, .k = 16, .kh = 3, .kw = 3, PAD(1), UNIT}},
    {"3x3, 33 to 80", {.n = 5, .h = 7, .w = 7, .c = 33, .k = 80, .kh = 3, .kw = 3, PAD(1), UNIT}},
    {"3x3 without padding", {.n = 2, .h = 10, .w = 11, .c = 16, .k = 16, .kh = 3, .kw = 3, UNIT}},
    {"3x3, uneven padding",
     {.n = 1,
      .h = 10,
      .w = 11,
      .c = 16,
      .k = 24,
      .kh = 3,
      .kw = 3,
      UNIT,
      .pad_top = 2,
      .pad_right = 1}},
    {"3x3, slices of wider tensors",
     {.n = 2, .h = 9, .w = 10, .c = 16, .k = 32, .kh = 3, .kw = 3, PAD(1), UNIT, PITCH(24, 40)}},
    {"3x3, no tile full",
     {.n = 3, .h = 5, .w = 9, .c = 24, .k = 40, .kh = 3, .kw = 3, PAD(1), UNIT}},
    {"3x3, some tiles full each way",
     {.n = 5, .h = 13, .w = 7, .c = 18, .k = 35, .kh = 3, .kw = 3, PAD(1), UNIT}},
    {"3x3, even sides, the last tiles not full",
     {.n = 5, .h = 14, .w = 10, .c = 18, .k = 35, .kh = 3, .kw = 3, PAD(1), UNIT}},
    {"3x3, one row", {.n = 2, .h = 1, .w = 2, .c = 16, .k = 16, .kh = 3, .kw = 3, PAD(1), UNIT}},
    {"3x3 stride 2",
     {.n = 2, .h = 15, .w = 14, .c = 16, .k = 32, .kh = 3, .kw = 3, PAD(1), STRIDE(2)}},
    {"7x7 stride 2, 3 to 64",
     {.n = 2, .h = 23, .w = 21, .c = 3, .k = 64, .kh = 7, .kw = 7, PAD(3), STRIDE(2)}},
    {"1x1", {.n = 2, .h = 6, .w = 7, .c = 20, .k = 12, .kh = 1, .kw = 1, UNIT}},
    {"1x1 stride 2", {.n = 2, .h = 9, .w = 8, .c = 16, .k = 32, .kh = 1, .kw = 1, STRIDE(2)}},
    {"2x2 stride 2, the last row unused",
     {.n = 2, .h = 11, .w = 10, .c = 24, .k = 40, .kh = 2, .kw = 2, STRIDE(2)}},
    {"2x2 stride 2, slices of wider tensors",
     {.n = 2, .h = 11, .w = 10, .c = 24, .k = 40, .kh = 2, .kw = 2, STRIDE(2), PITCH(48, 56)}},
    {"2x3, stride 3x2, dilation 2x1",
     {.n = 2,
      .h = 14,
      .w = 12,
      .c = 5,
      .k = 7,
      .kh = 2,
      .kw = 3,
      .stride_h = 3,
      .stride_w = 2,
      .dilation_h = 2,
      .dilation_w = 1,
      .groups = 1,
      .pad_left = 2,
      .pad_bottom = 1}},
    {"2x2 stride 2, no pixel left out, slices",
     {.n = 3, .h = 14, .w = 22, .c = 37, .k = 21, .kh = 2, .kw = 2, STRIDE(2), .x_pitch = 40}},
    {"3x2 stride 3x2, no pixel left out, two groups",
     {.n = 2,
      .h = 9,
      .w = 8,
      .c = 280,
      .k = 300,
      .kh = 3,
      .kw = 2,
      .stride_h = 3,
      .stride_w = 2,
      .dilation_h = 1,
      .dilation_w = 1,
      .groups = 2}},
    {"a head of 1 class",
     {.n = 2, .h = 9, .w = 7, .c = 16, .k = 1, .kh = 1, .kw = 1, PAD(0), STEPS(1, 1, 1)}},
    {"a head of 3 classes, slices",
     {.n = 3,
      .h = 37,
      .w = 29,
      .c = 35,
      .k = 3,
      .kh = 1,
      .kw = 1,
      PAD(0),
      STEPS(1, 1, 1),
      .x_pitch = 41,
      .y_pitch = 5}},
    {"3x3 dilation 3",
     {.n = 1, .h = 12, .w = 13, .c = 8, .k = 8, .kh = 3, .kw = 3, PAD(3), STEPS(1, 3, 1)}},
    {"3x3 dilation 2, odd sides",
     {.n = 2, .h = 15, .w = 21, .c = 24, .k = 40, .kh = 3, .kw = 3, PAD(2), DILATION(2, 2)}},
    {"3x3 dilation 2x3, slices of wider tensors",
     {.n = 3,
      .h = 17,
      .w = 29,
      .c = 18,
      .k = 35,
      .kh = 3,
      .kw = 3,
      DILATION(2, 3),
      PADS(2, 3),
      PITCH(21, 40)}},
    {"3x3 dilation 1x4, more padding than that on the left",
     {.n = 2, .h = 14, .w = 30, .c = 16, .k = 8, .kh = 3, .kw = 3, DILATION(1, 4), PADS(1, 12)}},
    {"3x3 dilation 9x2, more phases than rows, without padding beside",
     {.n = 2, .h = 7, .w = 18, .c = 20, .k = 16, .kh = 3, .kw = 3, DILATION(9, 2), PADS(18, 0)}},
    {"3x3 dilation 4, outputs that read inputs of another phase",
     {.n = 1, .h = 14, .w = 13, .c = 16, .k = 16, .kh = 3, .kw = 3, DILATION(4, 4), PADS(4, 3)}},
    {"3x3 dilation 2, stride 2",
     {.n = 1, .h = 12, .w = 13, .c = 8, .k = 8, .kh = 3, .kw = 3, PAD(2), STEPS(2, 2, 1)}},
    {"groups of 4 and 8",
     {.n = 2, .h = 8, .w = 7, .c = 12, .k = 24, .kh = 3, .kw = 3, PAD(1), STEPS(1, 1, 3)}},
    {"12 groups of 16, several images a block",
     {.n = 5, .h = 6, .w = 15, .c = 192, .k = 192, .kh = 3, .kw = 3, PAD(1), STEPS(1, 1, 12)}},
    {"5 groups of 20 and 36, stride 2, slices, bands of rows",
     {.n = 3,
      .h = 27,
      .w = 40,
      .c = 100,
      .k = 180,
      .kh = 3,
      .kw = 3,
      PAD(1),
      STEPS(2, 1, 5),
      .x_pitch = 112,
      .y_pitch = 184}},
    {"3 groups of 40, 1x1",
     {.n = 2, .h = 7, .w = 9, .c = 120, .k = 120, .kh = 1, .kw = 1, PAD(0), STEPS(1, 1, 3)}},
    {"depthwise",
     {.n = 2, .h = 9, .w = 8, .c = 35, .k = 35, .kh = 3, .kw = 3, PAD(1), STEPS(1, 1, 35)}},
    {"depthwise 5x5 stride 2",
     {.n = 2,
      .h = 11,
      .w = 10,
      .c = 16,
      .k = 16,
      .kh = 5,
      .kw = 5,
      PAD(2),
      STEPS(2, 1, 16),
      .x_pitch = 20,
      .y_pitch = 18}},
    {"depthwise dilated",
     {.n = 1, .h = 11, .w = 10, .c = 8, .k = 8, .kh = 3, .kw = 3, PAD(2), STEPS(1, 2, 8)}},
    {"groups of 2, 5x5",
     {.n = 2, .h = 9, .w = 13, .c = 22, .k = 22, .kh = 5, .kw = 5, STEPS(1, 1, 11), PAD(2)}},
    {"groups of 4, stride 2, slices of wider tensors",
     {.n = 2,
      .h = 10,
      .w = 11,
      .c = 36,
      .k = 36,
      .kh = 3,
      .kw = 3,
      STEPS(2, 1, 9),
      PAD(1),
      .x_pitch = 40,
      .y_pitch = 37}},
    {"groups of 8, stride 1x2, dilation 2x1",
     {.n = 3,
      .h = 8,
      .w = 21,
      .c = 40,
      .k = 40,
      .kh = 3,
      .kw = 4,
      .stride_h = 1,
      .stride_w = 2,
      .dilation_h = 2,
      .dilation_w = 1,
      .groups = 5,
      .pad_top = 2,
      .pad_left = 1,
      .pad_right = 2}},
    {"depthwise 4x7, stride 3x2, dilation 2x3, uneven padding",
     {.n = 2,
      .h = 17,
      .w = 25,
      .c = 19,
      .k = 19,
      .kh = 4,
      .kw = 7,
      .stride_h = 3,
      .stride_w = 2,
      .dilation_h = 2,
      .dilation_w = 3,
      .groups = 19,
      .pad_top = 4,
      .pad_left = 7,
      .pad_right = 9}},
    {"depthwise 1x1 stride 3",
     {.n = 1, .h = 8, .w = 40, .c = 33, .k = 33, .kh = 1, .kw = 1, STEPS(3, 1, 33)}},
    {"depthwise with multiplier 2",
     {.n = 2, .h = 6, .w = 6, .c = 6, .k = 12, .kh = 3, .kw = 3, PAD(1), STEPS(1, 1, 6)}},
    {"3x3, deep, few tiles",
     {.n = 1, .h = 4, .w = 5, .c = 144, .k = 240, .kh = 3, .kw = 3, PAD(1), UNIT}},
    {"3x3, many tiles", {.n = 2, .h = 44, .w = 43, .c = 8, .k = 8, .kh = 3, .kw = 3, PAD(1), UNIT}},
    {"one pixel", {.n = 1, .h = 1, .w = 1, .c = 4, .k = 5, .kh = 3, .kw = 3, PAD(1), UNIT}},
};

typedef struct conv_data {
    const conv_case *test;
    spur__conv_algo algo;
    spur__conv_shape s; /* complete */
    bool relu, accumulate;
    float *x, *w, *bias, *bias_x, *dy, *y0, *dx0, *dw0, *db0, *sums0, *mask;
    ptrdiff_t nx, ny, nw;
} conv_data;

static void make_data(conv_data *d, const conv_case *test, spur__conv_algo algo, bool variant) {
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

static void free_data(conv_data *d) {
    float *all[] = {d->x,   d->w,   d->bias, d->dy,     d->y0,   d->dx0,
                    d->dw0, d->db0, d->mask, d->bias_x, d->sums0};
    for (size_t i = 0; i < COUNT(all); i++) free(all[i]);
}

/* All results one behind the other: y, dx, dw, dbias, sums of x. Values between slices stay as they were. */
static void run_passes(void *arg, const spur__exec *exec, float *out) {
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

static ptrdiff_t results(const conv_data *d) {
    return d->ny + d->nx + d->nw + d->s.k + d->s.c;
}

/* Offset of the input value under output (image, oy, ox) at a tap; -1 in the padding. */
static ptrdiff_t input_at(const spur__conv_shape *s, ptrdiff_t image, ptrdiff_t oy, ptrdiff_t ox,
                          ptrdiff_t r, ptrdiff_t t) {
    ptrdiff_t y = oy * s->stride_h - s->pad_top + r * s->dilation_h;
    ptrdiff_t x = ox * s->stride_w - s->pad_left + t * s->dilation_w;
    if (y < 0 || y >= s->h || x < 0 || x >= s->w) return -1;
    return ((image * s->h + y) * s->w + x) * s->x_pitch;
}

static void initial(const conv_data *d, double *out) {
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
static void oracle_output(const conv_data *d, double *out, ptrdiff_t at, ptrdiff_t k) {
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
static void oracle_sums(const conv_data *d, double *sums) {
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

static double *oracle(const conv_data *d) {
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

static void check_case(const conv_case *test, spur__conv_algo algo, bool variant, double bound) {
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

static void test_direct(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        check_case(&cases[i], SPUR__CONV_DIRECT, false, 1e-5);
        check_case(&cases[i], SPUR__CONV_DIRECT, true, 1e-5);
    }
}

/* F(4x4) multiplies numbers of very different size; see the table in docs/kernels.md. */
static void test_winograd(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        check_case(&cases[i], SPUR__CONV_WINOGRAD2, i % 2, 1e-5);
        check_case(&cases[i], SPUR__CONV_WINOGRAD4, i % 2, 5e-5);
        check_case(&cases[i], SPUR__CONV_AUTO, i % 2, 5e-5);
    }
}

/* The same bytes from another team and instruction set; the portable one would take minutes. */
static void check_other_machine(conv_data *d, const float *found) {
    spur__isa best = spur__cpu_isa();
    if (best == SPUR__ISA_GENERIC) return;
    float *again = floats(results(d));
    spur__cpu_force(SPUR__ISA_AVX2);
    run_passes(d, &(spur__exec){.threads = 3}, again);
    spur__cpu_force(best);
    assert_memory_equal(again, found, (size_t)results(d) * sizeof(float));
    free(again);
}

/* So large that panels go several times over shared tiles, superblock by superblock, the weight
 * gradient as well, by blocks of weights or by positions, or in parts of which one has a tile more
 * and so longer blocks; too large for the oracle, so against the direct algorithm. */
static void test_large(void **state) {
    static const conv_case large[] = {
        {"448 to 20",
         {.n = 5, .h = 24, .w = 22, .c = 448, .k = 20, .kh = 3, .kw = 3, PAD(1), UNIT}},
        {"512 to 528",
         {.n = 1, .h = 40, .w = 36, .c = 512, .k = 528, .kh = 3, .kw = 3, PAD(1), UNIT}},
        {"1024 to 256",
         {.n = 1, .h = 49, .w = 47, .c = 1024, .k = 256, .kh = 3, .kw = 3, PAD(1), UNIT}},
        {"129 to 136",
         {.n = 3, .h = 58, .w = 60, .c = 129, .k = 136, .kh = 3, .kw = 3, PAD(1), UNIT}},
        {"129 to 136, dilation 4x3",
         {.n = 3,
          .h = 58,
          .w = 61,
          .c = 129,
          .k = 136,
          .kh = 3,
          .kw = 3,
          DILATION(4, 3),
          PADS(4, 3)}},
        {"256 to 160, dilation 5",
         {.n = 1, .h = 33, .w = 31, .c = 256, .k = 160, .kh = 3, .kw = 3, DILATION(5, 5), PAD(5)}},
        {"40 to 64, 1537 tiles",
         {.n = 1, .h = 116, .w = 212, .c = 40, .k = 64, .kh = 3, .kw = 3, PAD(1), UNIT}},
    };
    (void)state;
    for (size_t i = 0; i < 2 * COUNT(large); i++) {
        conv_data d;
        make_data(&d, &large[i / 2], SPUR__CONV_DIRECT, i % 2);
        ptrdiff_t n = results(&d), sizes[] = {d.ny, d.nx, d.nw, d.s.k}, at = 0;
        float *direct = floats(n), *found = floats(n);
        double *wanted = malloc((size_t)n * sizeof(double));
        run_passes(&d, &(spur__exec){.threads = 2}, direct);
        for (ptrdiff_t j = 0; j < n; j++) wanted[j] = (double)direct[j];
        d.algo = SPUR__CONV_WINOGRAD4;
        run_passes(&d, &(spur__exec){.threads = 2}, found);
        for (int part = 0; part < 4; at += sizes[part++])
            assert_close(d.test->name, found + at, wanted + at, sizes[part], 5e-5);
        check_other_machine(&d, found);
        free(direct);
        free(found);
        free(wanted);
        free_data(&d);
    }
}

/* Outputs so many that they are written past the caches (lines by 3x3, pieces of lines by 2x2 stride
 * 2 into a slice; 1x1 with 2 steps of k; depthwise), and weights so many that tasks go
 * through groups of panels over a padded copy of the whole source. */
static void test_large_direct(void **state) {
    static const conv_case large[] = {
        {"2x2 stride 2, large",
         {.n = 3, .h = 200, .w = 168, .c = 16, .k = 8, .kh = 2, .kw = 2, STRIDE(2), .x_pitch = 32}},
        {"3x3, large",
         {.n = 1, .h = 159, .w = 158, .c = 3, .k = 64, .kh = 3, .kw = 3, PAD(1), UNIT}},
        {"1x1, large", {.n = 2, .h = 160, .w = 160, .c = 32, .k = 2, .kh = 1, .kw = 1, UNIT}},
        {"3x3 stride 2, many weights",
         {.n = 3, .h = 9, .w = 8, .c = 96, .k = 400, .kh = 3, .kw = 3, PAD(1), STRIDE(2)}},
        {"3x3, two groups of many weights",
         {.n = 1, .h = 6, .w = 5, .c = 192, .k = 800, .kh = 3, .kw = 3, PAD(1), STEPS(1, 1, 2)}},
        {"3x3, 4 groups, large",
         {.n = 3, .h = 90, .w = 90, .c = 16, .k = 64, .kh = 3, .kw = 3, PAD(1), STEPS(1, 1, 4)}},
        {"depthwise, large",
         {.n = 2, .h = 256, .w = 192, .c = 32, .k = 32, .kh = 3, .kw = 3, PAD(1), STEPS(1, 1, 32)}},
    };
    (void)state;
    for (size_t i = 0; i < 2 * COUNT(large); i++) {
        conv_data d;
        check_case(&large[i / 2], SPUR__CONV_DIRECT, i % 2, 1e-5);
        make_data(&d, &large[i / 2], SPUR__CONV_DIRECT, i % 2);
        float *found = floats(results(&d));
        run_passes(&d, &(spur__exec){.threads = 2}, found);
        check_other_machine(&d, found);
        free(found);
        free_data(&d);
    }
}

static void test_same_bytes(void **state) {
    static const spur__conv_algo algos[] = {SPUR__CONV_DIRECT, SPUR__CONV_WINOGRAD2,
                                            SPUR__CONV_WINOGRAD4};
    (void)state;
    for (size_t i = 0; i < COUNT(cases) * COUNT(algos); i++) {
        conv_data d;
        make_data(&d, &cases[i / COUNT(algos)], algos[i % COUNT(algos)], i % 2 == 0);
        assert_same_bytes(d.test->name, run_passes, &d, results(&d));
        free_data(&d);
    }
}

/* A kept packing gives what packing on the way gives; fewer images than planned work. */
static void test_packed(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        conv_data d;
        make_data(&d, &cases[i], SPUR__CONV_AUTO, false);
        spur__conv_shape s = d.s;
        s.n += 3;
        spur__conv_plan plan;
        assert_int_equal(spur__conv_plan_init(&plan, &s, SPUR__CONV_AUTO, 2, NULL), SPUR_OK);
        float *packed = scratch(plan.packed), *a = floats(d.ny), *b = floats(d.ny);
        spur__conv_memory memory = plan.memory[SPUR__CONV_FORWARD];
        spur__exec exec = with_scratch(&(spur__exec){.threads = 2}, memory.scratch);
        void *ws = scratch(memory.workspace);
        memcpy(a, d.y0, (size_t)d.ny * sizeof(float));
        memcpy(b, d.y0, (size_t)d.ny * sizeof(float));
        spur__conv_forward_args args = {.n = d.s.n, .x = d.x, .w = d.w, .y = a, .workspace = ws};
        spur__conv_forward(&plan, &exec, &args);
        spur__conv_pack(&plan, &exec, d.w, packed);
        args.w = NULL;
        args.packed = packed;
        args.y = b;
        spur__conv_forward(&plan, &exec, &args);
        assert_memory_equal(a, b, (size_t)d.ny * sizeof(float));
        free(packed);
        free(a);
        free(b);
        free(ws);
        free(exec.scratch);
        free_data(&d);
    }
}

static void test_refused(void **state) {
    static const struct {
        spur__conv_shape s;
        const char *message;
    } bad[] = {
        {{.n = 1, .h = 4, .w = 4, .c = 3, .k = 4, .kh = 5, .kw = 5, UNIT}, "does not fit"},
        {{.n = 1, .h = 4, .w = 4, .c = 0, .k = 4, .kh = 1, .kw = 1, UNIT}, "input channels is 0"},
        {{.n = 1, .h = 4, .w = 4, .c = 4, .k = 4, .kh = 1, .kw = 1, UNIT, .x_pitch = 3},
         "input pitch is 3"},
        {{.n = 1, .h = 4, .w = 4, .c = 4, .k = 6, .kh = 1, .kw = 1, STEPS(1, 1, 4)}, "groups is 4"},
        {{.n = 1, .h = 4, .w = 4, .c = 4, .k = 4, .kh = 1, .kw = 1}, "stride is 0"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        spur__conv_plan plan;
        spur_error err;
        assert_int_equal(spur__conv_plan_init(&plan, &bad[i].s, SPUR__CONV_AUTO, 1, &err),
                         SPUR_E_SHAPE);
        assert_non_null(strstr(err.message, bad[i].message));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_direct),     cmocka_unit_test(test_winograd),
        cmocka_unit_test(test_large),      cmocka_unit_test(test_large_direct),
        cmocka_unit_test(test_same_bytes), cmocka_unit_test(test_packed),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
