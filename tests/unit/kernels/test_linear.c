/* SPDX-License-Identifier: MIT
 *
 * Linear layers of few samples against double precision; the same bytes from every instruction set
 * and team, and from a sink as from memory.
 */
#include "kernels_test.h"

#include "kernels/matrix/linear.h"

typedef struct linear_case {
    ptrdiff_t m, k, n;
    bool relu, bias, accumulate;
} linear_case;

static const linear_case cases[] = {
    {1, 1, 1, false, true, false},      {1, 40, 1030, true, true, false},
    {3, 17, 33, false, false, true},    {16, 2100, 50, true, true, true},
    {64, 200, 70, false, true, false},  {64, 5000, 32, false, true, true},
    {13, 70, 5000, true, false, true},  {128, 33, 10, false, true, false},
    {300, 65, 40, false, false, true},  {2, 70, 1030, true, true, false},
    {20, 2100, 1100, true, true, true}, {40, 300, 1300, false, true, false},
    {29, 2049, 512, true, true, false},
};

typedef struct linear_data {
    const linear_case *test;
    float *x, *w, *bias, *dy, *dx, *dw;
} linear_data;

static void make_data(linear_data *d, const linear_case *t) {
    d->test = t;
    d->x = random_floats(t->m * (t->k + 2), 1);
    d->w = random_floats(t->k * t->n, 2);
    d->bias = random_floats(t->n, 3);
    d->dy = random_floats(t->m * (t->n + 3), 4);
    d->dx = random_floats(t->m * (t->k + 1), 5);
    d->dw = random_floats(t->k * t->n, 6);
}

static void free_data(linear_data *d) {
    float *all[] = {d->x, d->w, d->bias, d->dy, d->dx, d->dw};
    for (size_t i = 0; i < COUNT(all); i++) free(all[i]);
}

static spur__linear job_of(const linear_data *d) {
    const linear_case *t = d->test;
    return (spur__linear){.m = t->m,
                          .k = t->k,
                          .n = t->n,
                          .x = d->x,
                          .x_pitch = t->k + 2,
                          .w = d->w,
                          .bias = t->bias ? d->bias : NULL,
                          .relu = t->relu,
                          .dy = d->dy,
                          .dy_pitch = t->n + 3};
}

/* out: [m][n + 1] */
static void forward(void *arg, const spur__exec *exec, float *out) {
    const linear_data *d = arg;
    spur__linear job = job_of(d);
    void *ws = scratch(spur__linear_forward_workspace(job.m, job.k, job.n));
    spur__exec own = with_scratch(exec, spur__linear_forward_scratch(job.m));
    memset(out, 0, (size_t)(job.m * (job.n + 1)) * sizeof(float));
    job.y = out;
    job.y_pitch = job.n + 1;
    spur__linear_forward(&own, &job, ws);
    free(own.scratch);
    free(ws);
}

/* out: dx [m][k + 1], then dw [k][n] */
static void backward(void *arg, const spur__exec *exec, float *out) {
    const linear_data *d = arg;
    spur__linear job = job_of(d);
    ptrdiff_t nx = job.m * (job.k + 1);
    void *ws = scratch(spur__linear_backward_workspace(job.m, job.n));
    spur__exec own = with_scratch(exec, spur__linear_backward_scratch(job.m, job.n));
    memcpy(out, d->dx, (size_t)nx * sizeof(float));
    memcpy(out + nx, d->dw, (size_t)(job.k * job.n) * sizeof(float));
    job.dx = out;
    job.dx_pitch = job.k + 1;
    job.dw = out + nx;
    job.dx_accumulate = job.dw_accumulate = d->test->accumulate;
    spur__linear_backward(&own, &job, ws);
    free(own.scratch);
    free(ws);
}

static double dot(const float *a, ptrdiff_t a_step, const float *b, ptrdiff_t b_step, ptrdiff_t n) {
    double sum = 0;
    for (ptrdiff_t i = 0; i < n; i++) sum += (double)a[i * a_step] * (double)b[i * b_step];
    return sum;
}

static double *forward_oracle(const linear_data *d) {
    const linear_case *t = d->test;
    double *y = calloc((size_t)(t->m * (t->n + 1)), sizeof *y);
    assert_non_null(y);
    for (ptrdiff_t i = 0; i < t->m; i++)
        for (ptrdiff_t j = 0; j < t->n; j++) {
            double sum = dot(d->x + i * (t->k + 2), 1, d->w + j, t->n, t->k);
            if (t->bias) sum += (double)d->bias[j];
            y[i * (t->n + 1) + j] = t->relu && sum < 0 ? 0 : sum;
        }
    return y;
}

static double *backward_oracle(const linear_data *d) {
    const linear_case *t = d->test;
    ptrdiff_t nx = t->m * (t->k + 1);
    double *out = malloc((size_t)(nx + t->k * t->n) * sizeof *out);
    assert_non_null(out);
    for (ptrdiff_t i = 0; i < nx; i++) out[i] = (double)d->dx[i];
    for (ptrdiff_t i = 0; i < t->m; i++)
        for (ptrdiff_t r = 0; r < t->k; r++)
            out[i * (t->k + 1) + r] = (t->accumulate ? out[i * (t->k + 1) + r] : 0) +
                                      dot(d->dy + i * (t->n + 3), 1, d->w + r * t->n, 1, t->n);
    for (ptrdiff_t r = 0; r < t->k; r++)
        for (ptrdiff_t j = 0; j < t->n; j++)
            out[nx + r * t->n + j] = (t->accumulate ? (double)d->dw[r * t->n + j] : 0) +
                                     dot(d->x + r, t->k + 2, d->dy + j, t->n + 3, t->m);
    return out;
}

static void test_values(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const linear_case *t = &cases[i];
        linear_data d;
        spur__exec exec = {.threads = 2};
        make_data(&d, t);
        ptrdiff_t ny = t->m * (t->n + 1), nb = t->m * (t->k + 1) + t->k * t->n;
        float *y = floats(ny), *b = floats(nb);
        double *wanted = forward_oracle(&d), *wanted_b = backward_oracle(&d);
        forward(&d, &exec, y);
        assert_close("forward", y, wanted, ny, 1e-5);
        backward(&d, &exec, b);
        assert_close("backward", b, wanted_b, nb, 1e-5);
        assert_same_bytes("forward", forward, &d, ny);
        assert_same_bytes("backward", backward, &d, nb);
        free(y);
        free(b);
        free(wanted);
        free(wanted_b);
        free_data(&d);
    }
}

typedef struct collected {
    float *values;
    ptrdiff_t block, n;
} collected;

static void collect(void *context, size_t begin, size_t count, const float *gradient) {
    collected *c = context;
    assert_int_equal(begin % (size_t)c->block, 0);
    assert_true(count == (size_t)c->block || begin + count == (size_t)c->n);
    memcpy(c->values + begin, gradient, count * sizeof(float));
}

/* What a sink gets is, bit by bit, what memory would have got. */
static void test_sink(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        linear_data d;
        make_data(&d, &cases[i]);
        spur__linear job = job_of(&d);
        spur__exec exec =
            with_scratch(&(spur__exec){.threads = 3}, spur__linear_backward_scratch(job.m, job.n));
        ptrdiff_t n = job.k * job.n;
        float *stored = floats(n), *taken = floats(n);
        void *ws = scratch(spur__linear_backward_workspace(job.m, job.n));
        job.dw = stored;
        spur__linear_backward(&exec, &job, ws);
        collected c = {taken, spur__linear_rows(job.n) * job.n, n};
        memset(taken, 0xff, (size_t)n * sizeof(float));
        job.dw = NULL;
        job.sink = &(spur__sink){.take = collect, .context = &c, .reads = {d.dw, d.w}};
        spur__linear_backward(&exec, &job, ws);
        assert_memory_equal(stored, taken, (size_t)n * sizeof(float));
        free(stored);
        free(taken);
        free(exec.scratch);
        free(ws);
        free_data(&d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_sink)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
