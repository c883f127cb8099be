/* SPDX-License-Identifier: MIT
 *
 * Matrix products against double precision, for both ways of computing them, and their bytes.
 */
#include "kernels_test.h"

#include "kernels/matrix/gemm.h"

typedef struct gemm_case {
    ptrdiff_t m, n, k;
    bool ta, tb, accumulate, relu, bias;
} gemm_case;

static const gemm_case cases[] = {
    {1, 1, 1, false, false, false, false, false},
    {14, 32, 16, false, false, false, false, false},
    {13, 33, 17, false, false, true, false, true},
    {29, 31, 300, true, false, false, true, true},
    {70, 100, 257, false, true, true, true, true},
    {33, 16, 40, true, true, true, false, false},
    {260, 530, 70, false, false, false, false, true},
    {5, 7, 600, true, true, false, true, true},
    {3, 600, 3, false, true, true, true, false},
    {300, 3, 0, false, false, true, true, true},
    {8, 9, 0, false, false, false, false, true},
};

typedef struct gemm_data {
    const gemm_case *test;
    ptrdiff_t lda, ldb, ldc;
    float *a, *b, *c, *bias;
} gemm_data;

static void make_data(gemm_data *d, const gemm_case *t) {
    d->test = t;
    d->lda = (t->ta ? t->m : t->k) + 3;
    d->ldb = (t->tb ? t->k : t->n) + 1;
    d->ldc = t->n + 2;
    d->a = random_floats((t->ta ? t->k : t->m) * d->lda, 1);
    d->b = random_floats((t->tb ? t->n : t->k) * d->ldb, 2);
    d->c = random_floats(t->m * d->ldc, 3);
    d->bias = random_floats(t->n, 4);
}

static void free_data(gemm_data *d) {
    free(d->a);
    free(d->b);
    free(d->c);
    free(d->bias);
}

static void product(void *arg, const spur__exec *exec, float *out) {
    const gemm_data *d = arg;
    const gemm_case *t = d->test;
    spur__exec own = with_scratch(exec, spur__gemm_scratch());
    memcpy(out, d->c, (size_t)(t->m * d->ldc) * sizeof(float));
    spur__gemm(&own, &(spur__gemm_args){.m = t->m,
                                        .n = t->n,
                                        .k = t->k,
                                        .a = d->a,
                                        .lda = d->lda,
                                        .b = d->b,
                                        .ldb = d->ldb,
                                        .c = out,
                                        .ldc = d->ldc,
                                        .bias = t->bias ? d->bias : NULL,
                                        .a_transposed = t->ta,
                                        .b_transposed = t->tb,
                                        .accumulate = t->accumulate,
                                        .relu = t->relu});
    free(own.scratch);
}

static double *oracle(const gemm_data *d) {
    const gemm_case *t = d->test;
    double *out = malloc((size_t)(t->m * d->ldc) * sizeof(double));
    assert_non_null(out);
    for (ptrdiff_t i = 0; i < t->m * d->ldc; i++) {
        ptrdiff_t row = i / d->ldc, column = i % d->ldc;
        double sum = column >= t->n || t->accumulate ? (double)d->c[i] : 0.0;
        out[i] = sum;
        if (column >= t->n) continue;
        for (ptrdiff_t k = 0; k < t->k; k++)
            sum += (double)d->a[t->ta ? k * d->lda + row : row * d->lda + k] *
                   (double)d->b[t->tb ? column * d->ldb + k : k * d->ldb + column];
        if (t->bias) sum += (double)d->bias[column];
        out[i] = t->relu ? fmax(sum, 0.0) : sum;
    }
    return out;
}

static void test_values(void **state) {
    static const spur__gemm_mode modes[] = {SPUR__GEMM_SPUR, SPUR__GEMM_OPENBLAS, SPUR__GEMM_AUTO};
    (void)state;
    for (size_t i = 0; i < COUNT(cases) * COUNT(modes); i++) {
        gemm_data d;
        char what[96];
        make_data(&d, &cases[i / COUNT(modes)]);
        ptrdiff_t n = d.test->m * d.ldc;
        double *wanted = oracle(&d);
        float *found = floats(n);
        product(&d, &(spur__exec){.threads = 2, .gemm = modes[i % COUNT(modes)]}, found);
        snprintf(what, sizeof what, "%tdx%tdx%td, mode %d", d.test->m, d.test->n, d.test->k,
                 (int)modes[i % COUNT(modes)]);
        assert_close(what, found, wanted, n, 2e-6);
        free(wanted);
        free(found);
        free_data(&d);
    }
}

static void test_same_bytes(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        gemm_data d;
        make_data(&d, &cases[i]);
        assert_same_bytes("gemm", product, &d, d.test->m * d.ldc);
        free_data(&d);
    }
}

/* NaN must not be hidden by ReLU, or a broken run would look healthy. */
static void test_relu_keeps_nan(void **state) {
    (void)state;
    float a = NAN, b = 1.0f, c = 0.0f;
    spur__exec exec =
        with_scratch(&(spur__exec){.threads = 1, .gemm = SPUR__GEMM_SPUR}, spur__gemm_scratch());
    spur__gemm(&exec, &(spur__gemm_args){.m = 1,
                                         .n = 1,
                                         .k = 1,
                                         .a = &a,
                                         .lda = 1,
                                         .b = &b,
                                         .ldb = 1,
                                         .c = &c,
                                         .ldc = 1,
                                         .relu = true});
    assert_true(isnan(c));
    free(exec.scratch);
}

static void test_openblas_usable(void **state) {
    (void)state;
    assert_true(spur__gemm_openblas_usable());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_relu_keeps_nan),
        cmocka_unit_test(test_openblas_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
