/* SPDX-License-Identifier: MIT
 *
 * Loops over values against the C library in double precision, and their bytes.
 */
#include "kernels_test.h"

#include "base/fmath.h"
#include "kernels/simd/table.h"
#include "kernels/vec.h"

enum { N = 100003 };

typedef struct activation_case {
    spur__map_op op;
    float alpha;
    double (*f)(double x, double alpha);
} activation_case;

static double relu(double x, double a) {
    (void)a;
    return fmax(x, 0.0);
}
static double leaky(double x, double a) {
    return x < 0.0 ? a * x : x;
}
static double elu(double x, double a) {
    return x < 0.0 ? a * expm1(x) : x;
}
static double sigmoid(double x, double a) {
    (void)a;
    return 1.0 / (1.0 + exp(-x));
}
static double hyperbolic(double x, double a) {
    (void)a;
    return tanh(x);
}
static double silu(double x, double a) {
    return x * sigmoid(x, a);
}
static double hard_sigmoid(double x, double a) {
    (void)a;
    return fmin(fmax(x + 3.0, 0.0), 6.0) / 6.0;
}
static double hard_swish(double x, double a) {
    return x * hard_sigmoid(x, a);
}
static double gelu(double x, double a) {
    (void)a;
    return 0.5 * x * (1.0 + erf(x * sqrt(0.5)));
}
static const activation_case activations[] = {
    {SPUR__MAP_RELU, 0.0f, relu},
    {SPUR__MAP_LEAKY_RELU, 0.125f, leaky},
    {SPUR__MAP_ELU, 1.5f, elu},
    {SPUR__MAP_SIGMOID, 0.0f, sigmoid},
    {SPUR__MAP_TANH, 0.0f, hyperbolic},
    {SPUR__MAP_SILU, 0.0f, silu},
    {SPUR__MAP_HARD_SWISH, 0.0f, hard_swish},
    {SPUR__MAP_HARD_SIGMOID, 0.0f, hard_sigmoid},
    {SPUR__MAP_GELU, 0.0f, gelu},
};

/* Slope by central differences in double; kinks lie at 0 and +-3. */
static double slope(const activation_case *a, double x) {
    double h = 1e-5;
    return (a->f(x + h, (double)a->alpha) - a->f(x - h, (double)a->alpha)) / (2.0 * h);
}

static bool near_kink(double x) {
    return fabs(x) < 1e-4 || fabs(fabs(x) - 3.0) < 1e-4;
}

static void test_activations(void **state) {
    spur__exec exec = {.threads = 2};
    float *x = random_floats(N, 1), *dy = random_floats(N, 2), *y = floats(N), *dx = floats(N);
    double *wanted = malloc(N * sizeof(double)), *gradient = malloc(N * sizeof(double));
    (void)state;
    for (ptrdiff_t i = 0; i < N; i++) x[i] *= 3.0f;
    for (size_t k = 0; k < COUNT(activations); k++) {
        const activation_case *a = &activations[k];
        spur__vec_activation(&exec, N, a->op, a->alpha, x, y);
        memcpy(dx, x, N * sizeof(float));
        spur__vec_activation_backward(
            &exec, N,
            &(spur__activation_gradient){.op = a->op,
                                         .alpha = a->alpha,
                                         .dy = dy,
                                         .dx = dx,
                                         .value = spur__activation_from_output(a->op) ? y : x,
                                         .accumulate = true});
        for (ptrdiff_t i = 0; i < N; i++) {
            wanted[i] = a->f((double)x[i], (double)a->alpha);
            gradient[i] = (double)x[i] + (double)dy[i] * slope(a, (double)x[i]);
            if (near_kink((double)x[i])) dx[i] = (float)gradient[i];
        }
        assert_close("activation", y, wanted, N, 5e-7);
        assert_close("its gradient", dx, gradient, N, 2e-6);
    }
    free(x);
    free(dy);
    free(y);
    free(dx);
    free(wanted);
    free(gradient);
}

static void test_copy(void **state) {
    enum { M = 1001 };
    spur__exec exec = {.threads = 2};
    float *a = random_floats(M, 1), *b = random_floats(M, 2), *y = floats(M);
    (void)state;
    spur__vec_copy(&exec, M, a, y);
    for (int i = 0; i < M; i++) assert_true(y[i] == a[i]);
    spur__vec_map(&exec, M, &(spur__map){.op = SPUR__MAP_COPY, .accumulate = true, .a = b, .y = y});
    for (int i = 0; i < M; i++) assert_true(y[i] == a[i] + b[i]);
    free(a);
    free(b);
    free(y);
}

static void check_softmax(ptrdiff_t rows, ptrdiff_t cols, bool log) {
    spur__exec exec = {.threads = 2};
    ptrdiff_t n = rows * cols;
    float *x = random_floats(n, 1), *y = floats(n), *dy = random_floats(n, 2), *dx = floats(n);
    double *p = malloc((size_t)n * sizeof(double)), *d = malloc((size_t)n * sizeof(double));
    for (ptrdiff_t i = 0; i < n; i++) x[i] = x[i] * 4.0f + 200.0f;
    (log ? spur__vec_log_softmax : spur__vec_softmax)(&exec, rows, cols, x, y);
    spur__vec_softmax_backward(
        &exec, &(spur__softmax_gradient){
                   .rows = rows, .cols = cols, .y = y, .dy = dy, .dx = dx, .log = log});
    for (ptrdiff_t r = 0; r < rows; r++) {
        double total = 0.0, dot = 0.0;
        for (ptrdiff_t i = r * cols; i < (r + 1) * cols; i++) total += exp((double)x[i] - 200.0);
        for (ptrdiff_t i = r * cols; i < (r + 1) * cols; i++) {
            double s = exp((double)x[i] - 200.0) / total;
            p[i] = log ? (double)x[i] - 200.0 - (double)logl(total) : s;
            dot += (double)dy[i] * (log ? 1.0 : s);
        }
        for (ptrdiff_t i = r * cols; i < (r + 1) * cols; i++)
            d[i] = log ? (double)dy[i] - exp(p[i]) * dot : p[i] * ((double)dy[i] - dot);
    }
    for (ptrdiff_t i = 0; cols == 1 && i < n; i++) { /* exact, where the oracle is not */
        p[i] = log ? 0.0 : 1.0;
        d[i] = 0.0;
    }
    assert_close("softmax", y, p, n, 1e-6);
    assert_close("softmax gradient", dx, d, n, 2e-6);
    free(x);
    free(y);
    free(dy);
    free(dx);
    free(p);
    free(d);
}

static void test_softmax(void **state) {
    static const ptrdiff_t cols[] = {1, 2, 10, 11, 16, 1000};
    (void)state;
    for (size_t i = 0; i < COUNT(cols); i++) {
        check_softmax(37, cols[i], false);
        check_softmax(37, cols[i], true);
    }
}

static void test_channel_scale(void **state) {
    enum { IMAGES = 3, PIXELS = 50, C = 300, ALL = IMAGES * PIXELS * C };
    spur__exec exec = {.threads = 2};
    float *x = random_floats(ALL, 1), *s = random_floats(IMAGES * C, 2), *y = floats(ALL);
    float *dy = random_floats(ALL, 3), *dx = floats(ALL), *ds = floats(IMAGES * C);
    double wanted[IMAGES * C] = {0};
    spur__channel_scale a = {.n = IMAGES,
                             .pixels = PIXELS,
                             .channels = C,
                             .x = x,
                             .s = s,
                             .y = y,
                             .dy = dy,
                             .dx = dx,
                             .ds = ds};
    (void)state;
    spur__vec_channel_scale(&exec, &a);
    spur__vec_channel_scale_backward(&exec, &a);
    for (int i = 0; i < ALL; i++) {
        int at = i / (PIXELS * C) * C + i % C;
        assert_true(y[i] == x[i] * s[at]);
        assert_true(dx[i] == dy[i] * s[at]);
        wanted[at] += (double)x[i] * (double)dy[i];
    }
    assert_close("factors' gradient", ds, wanted, IMAGES * C, 1e-6);
    free(x);
    free(s);
    free(y);
    free(dy);
    free(dx);
    free(ds);
}

/* The vectors' numbers are those of base/random.h. */
static void test_dropout(void **state) {
    spur__exec exec = {.threads = 2};
    spur__dropout d = {.rate = 0.3f, .seed = 5, .node = 7, .step = 11};
    float *x = random_floats(N, 1), *y = floats(N);
    spur__rng rng;
    int zeros = 0;
    (void)state;
    spur__rng_init(&rng, 5, SPUR__STREAM_DROPOUT, 11, 7);
    spur__vec_dropout(&exec, N, &d, x, y, false);
    for (ptrdiff_t i = 0; i < N; i++) {
        bool dropped = (double)spur__rng_u32(&rng) < 4294967296.0 * (double)0.3f;
        zeros += dropped;
        assert_true(y[i] == (dropped ? 0.0f : x[i] * (1.0f / 0.7f)));
    }
    assert_in_range(zeros, 29000, 31000);
    free(x);
    free(y);
}

/* ---- vectors and base/fmath.h ------------------------------------------------------------------ */

static float scalar_value(spur__map_op op, float x) {
    switch (op) {
    case SPUR__MAP_ELU:
        return x < 0.0f ? 1.5f * spur__expm1_belowf(x) : x;
    case SPUR__MAP_SIGMOID:
        return spur__sigmoidf(x);
    case SPUR__MAP_TANH:
        return spur__tanhf(x);
    case SPUR__MAP_SILU:
        return x * spur__sigmoidf(x);
    default:
        return 0.5f * x * (1.0f + spur__erff(x * 0.70710678118654752f));
    }
}

/* Floats of all sizes, both signs, infinities and NaN among them. */
static float *all_kinds(ptrdiff_t *n) {
    enum { STEP = 40009 };
    *n = (ptrdiff_t)((UINT64_C(1) << 32) / STEP) + 6;
    float *x = floats(*n);
    const float special[] = {INFINITY, -INFINITY, NAN, 0.0f, -0.0f, -104.0f};
    for (ptrdiff_t i = 0; i < *n - 6; i++) x[i] = spur__float_of_bits((uint32_t)i * STEP);
    memcpy(x + *n - 6, special, sizeof special);
    return x;
}

/* The vectors' functions have the bits of the scalar ones; softplus comes behind the operations. */
static void test_scalar_bits(void **state) {
    static const spur__map_op ops[] = {SPUR__MAP_ELU, SPUR__MAP_SIGMOID, SPUR__MAP_TANH,
                                       SPUR__MAP_SILU, SPUR__MAP_GELU};
    spur__isa best = spur__cpu_isa();
    ptrdiff_t n;
    float *x = all_kinds(&n), *y = floats(n);
    (void)state;
    for (int isa = 0; isa <= (int)best; isa++) {
        spur__cpu_force((spur__isa)isa);
        for (size_t k = 0; k <= COUNT(ops); k++) {
            bool is_op = k < COUNT(ops);
            spur__map map = {.op = is_op ? ops[k] : ops[0], .alpha = 1.5f, .a = x, .y = y};
            if (is_op)
                spur__simd_table()->map(&map, 0, n);
            else
                spur__simd_table()->softplus(x, n, y);
            for (ptrdiff_t i = 0; i < n; i++) {
                float want = is_op ? scalar_value(ops[k], x[i]) : spur__softplusf(x[i]);
                assert_true(isnan(want) ? isnan(y[i]) : memcmp(&want, y + i, sizeof want) == 0);
            }
        }
    }
    spur__cpu_force(best);
    free(x);
    free(y);
}

/* Near 0, where e^x and 1 have nearly all digits in common, and in between. */
static void test_elu_keeps_its_digits(void **state) {
    enum { SIZES = 4000 };
    float *x = floats(SIZES), *y = floats(SIZES);
    (void)state;
    for (int i = 0; i < SIZES; i++) x[i] = (float)-pow(2.0, 5.0 - i * 0.03);
    spur__map map = {.op = SPUR__MAP_ELU, .alpha = 1.0f, .a = x, .y = y};
    spur__simd_table()->map(&map, 0, SIZES);
    for (int i = 0; i < SIZES; i++) {
        double want = expm1((double)x[i]), error = fabs((double)y[i] - want) / -want;
        if (!(error < 1.5e-7)) fail_msg("elu(%g): relative error %g", (double)x[i], error);
    }
    free(x);
    free(y);
}

/* ---- what is not finite ------------------------------------------------------------------------ */

enum { LINE = 37 }; /* whole vectors and a rest */

typedef struct special_case {
    spur__map_op op;
    float x, dy, y, dx; /* y, dx: PyTorch's, by torch 2.13 */
} special_case;

/* A flat piece has the gradient 0, also of an infinity; NaN is not flat, except in hard_sigmoid. */
static const special_case special_cases[] = {
    {SPUR__MAP_RELU, -1, INFINITY, 0, 0},
    {SPUR__MAP_RELU, -1, NAN, 0, 0},
    {SPUR__MAP_RELU, -1, -2, 0, 0},
    {SPUR__MAP_RELU, -INFINITY, -INFINITY, 0, 0},
    {SPUR__MAP_RELU, INFINITY, INFINITY, INFINITY, INFINITY},
    {SPUR__MAP_RELU, -0.0f, INFINITY, -0.0f, 0},
    {SPUR__MAP_RELU, NAN, 2, NAN, 2},
    {SPUR__MAP_RELU, 1e-40f, 1e-40f, 1e-40f, 1e-40f},
    {SPUR__MAP_LEAKY_RELU, -INFINITY, INFINITY, -INFINITY, INFINITY},
    {SPUR__MAP_LEAKY_RELU, NAN, 2, NAN, 0.25f},
    {SPUR__MAP_ELU, INFINITY, INFINITY, INFINITY, INFINITY},
    {SPUR__MAP_ELU, -INFINITY, 2, -1.5f, 0},
    {SPUR__MAP_ELU, -0.0f, 2, -0.0f, 3},
    {SPUR__MAP_SIGMOID, -INFINITY, 2, 0, 0},
    {SPUR__MAP_TANH, -INFINITY, 2, -1, 0},
    {SPUR__MAP_TANH, -0.0f, 2, -0.0f, 2},
    {SPUR__MAP_TANH, -1e-40f, 2, -1e-40f, 2},
    {SPUR__MAP_SILU, INFINITY, 2, INFINITY, NAN},
    {SPUR__MAP_SILU, -INFINITY, 2, NAN, NAN},
    {SPUR__MAP_HARD_SWISH, -4, INFINITY, -0.0f, 0},
    {SPUR__MAP_HARD_SWISH, -3, NAN, -0.0f, 0},
    {SPUR__MAP_HARD_SWISH, -4, -2, -0.0f, 0},
    {SPUR__MAP_HARD_SWISH, NAN, 2, NAN, NAN},
    {SPUR__MAP_HARD_SWISH, 3, INFINITY, 3, INFINITY},
    {SPUR__MAP_HARD_SIGMOID, -4, INFINITY, 0, 0},
    {SPUR__MAP_HARD_SIGMOID, 3, NAN, 1, 0},
    {SPUR__MAP_HARD_SIGMOID, 4, -2, 1, 0},
    {SPUR__MAP_HARD_SIGMOID, NAN, 2, NAN, 0},
    {SPUR__MAP_GELU, -0.0f, 2, -0.0f, 1},
};

static float alpha_of(spur__map_op op) {
    for (size_t i = 0; i < COUNT(activations); i++)
        if (activations[i].op == op) return activations[i].alpha;
    return 0;
}

/* All of the line are `want`, with the sign of a zero. */
static void check_line(const float *line, float want) {
    for (int i = 0; i < LINE; i++)
        assert_true(isnan(want) ? isnan(line[i]) : memcmp(&want, line + i, sizeof want) == 0);
}

static void fill_line(float *line, float value) {
    for (int i = 0; i < LINE; i++) line[i] = value;
}

static void check_special(const special_case *c) {
    spur__exec exec = {.threads = 1};
    float x[LINE], dy[LINE], y[LINE], dx[LINE];
    fill_line(x, c->x);
    fill_line(dy, c->dy);
    spur__vec_activation(&exec, LINE, c->op, alpha_of(c->op), x, y);
    check_line(y, c->y);
    spur__vec_activation_backward(
        &exec, LINE,
        &(spur__activation_gradient){c->op, alpha_of(c->op),
                                     spur__activation_from_output(c->op) ? y : x, dy, dx, false});
    check_line(dx, c->dx);
    if (c->op != SPUR__MAP_RELU) return;
    float both[2][LINE];
    spur__vec_relu_split(&exec, LINE, &(spur__relu_split){y, dy, {both[0], both[1]}, {false}});
    check_line(both[0], c->dx);
    check_line(both[1], c->dx);
}

/* Wherever a NaN stands, all of the row is NaN, and the next row is not. */
static void check_softmax_of_nan(ptrdiff_t cols, ptrdiff_t at) {
    spur__exec exec = {.threads = 1};
    float *x = random_floats(2 * cols, 3), *y = floats(2 * cols);
    x[at] = NAN;
    for (int log = 0; log < 2; log++) {
        if (log)
            spur__vec_log_softmax(&exec, 2, cols, x, y);
        else
            spur__vec_softmax(&exec, 2, cols, x, y);
        for (ptrdiff_t i = 0; i < 2 * cols; i++) assert_true(isnan(y[i]) == (i < cols));
    }
    spur__log_sum sums[2];
    spur__simd_table()->row_log_sums(x, 2, cols, sums);
    assert_true(isnan(sums[0].top + sums[0].log) && !isnan(sums[1].top + sums[1].log));
    free(x);
    free(y);
}

static void test_softmax_of_nan(void **state) {
    static const ptrdiff_t widths[] = {1, 3, 15, 16, 37, 300, 3000};
    spur__isa best = spur__cpu_isa();
    (void)state;
    for (int isa = 0; isa <= (int)best; isa++) {
        spur__cpu_force((spur__isa)isa);
        for (size_t k = 0; k < COUNT(widths); k++) {
            check_softmax_of_nan(widths[k], 0);
            check_softmax_of_nan(widths[k], widths[k] / 2);
            check_softmax_of_nan(widths[k], widths[k] - 1);
        }
    }
    spur__cpu_force(best);
}

static void test_special_values(void **state) {
    spur__isa best = spur__cpu_isa();
    (void)state;
    for (int isa = 0; isa <= (int)best; isa++) {
        spur__cpu_force((spur__isa)isa);
        for (size_t i = 0; i < COUNT(special_cases); i++) check_special(&special_cases[i]);
    }
    spur__cpu_force(best);
}

static void everything(void *arg, const spur__exec *exec, float *out) {
    const float *x = arg;
    for (size_t k = 0; k < COUNT(activations); k++) {
        const activation_case *a = &activations[k];
        float *y = out + 2 * (ptrdiff_t)k * N;
        spur__vec_activation(exec, N, a->op, a->alpha, x, y);
        spur__vec_activation_backward(
            exec, N, &(spur__activation_gradient){a->op, a->alpha, y, x, y + N, false});
    }
    float *rest = out + 2 * (ptrdiff_t)COUNT(activations) * N;
    spur__vec_softmax(exec, N / 11, 11, x, rest);
    spur__vec_softmax_backward(
        exec, &(spur__softmax_gradient){N / 99, 99, x, rest, rest + N, false, false});
    spur__vec_dropout(exec, N, &(spur__dropout){0.5f, 1, 2, 3}, x, rest + 2 * N, false);
}

static void test_same_bytes(void **state) {
    float *x = random_floats(N, 1);
    (void)state;
    ptrdiff_t n = (2 * (ptrdiff_t)COUNT(activations) + 3) * N;
    assert_same_bytes("vec", everything, x, n);
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_channel_scale),
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_scalar_bits),
        cmocka_unit_test(test_elu_keeps_its_digits),
        cmocka_unit_test(test_softmax_of_nan),
        cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
