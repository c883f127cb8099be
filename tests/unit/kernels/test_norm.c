/* SPDX-License-Identifier: MIT
 *
 * Normalisations against double precision, and their bytes.
 */
#include "kernels_test.h"

#include "kernels/norm/norm.h"
#include "kernels/pool.h"

typedef struct norm_case {
    ptrdiff_t n, pixels, channels, groups; /* groups 0: batch norm */
    float mean; /* of the inputs */
    bool relu, affine, accumulate;
    bool layer; /* pixels and groups are 1 */
} norm_case;

static const norm_case cases[] = {
    {1, 1000, 16, 0, 0.0f, false, true, false, false},
    {1, 777, 35, 0, 100.0f, true, true, true, false},
    {1, 7, 3, 0, 1.0f, false, false, false, false},
    {1, 70000, 8, 0, 5.0f, true, true, false, false},
    {3, 50, 24, 4, 3.0f, false, true, true, false},
    {5, 1, 65, 1, -2.0f, false, true, false, false},
    {200, 1, 64, 1, 10.0f, false, true, false, false},
    {2, 81, 6, 6, 0.0f, true, false, false, false},
    {5, 1, 65, 1, -2.0f, false, true, false, true},
    {200, 1, 64, 1, 10.0f, false, true, false, true},
    {70, 1, 203, 1, 100.0f, true, true, true, true},
    {33, 1, 7, 1, 1.0f, true, false, false, true},
    {2, 1, 5000, 1, -30.0f, false, true, true, true},
};

typedef struct norm_data {
    norm_case t;
    ptrdiff_t all, sets; /* values; statistics */
    float *x, *dy, *gamma, *beta, *dx0;
} norm_data;

static void make_data(norm_data *d, const norm_case *t) {
    *d = (norm_data){.t = *t, .all = t->n * t->pixels * t->channels};
    d->sets = t->groups ? t->n * t->groups : t->channels;
    d->x = random_floats(d->all, 1);
    for (ptrdiff_t i = 0; i < d->all; i++) d->x[i] += t->mean;
    d->dy = random_floats(d->all, 2);
    d->gamma = random_floats(t->channels, 4);
    d->beta = random_floats(t->channels, 5);
    d->dx0 = random_floats(d->all, 6);
}

static void free_data(norm_data *d) {
    float *all[] = {d->x, d->dy, d->gamma, d->beta, d->dx0};
    for (size_t i = 0; i < COUNT(all); i++) free(all[i]);
}

/* y, dx, dgamma, dbeta, mean, rstd, running mean and variance, one behind the other. */
static ptrdiff_t results(const norm_data *d) {
    return 2 * d->all + 4 * d->t.channels + 2 * d->sets;
}

static void run(void *arg, const spur__exec *exec, float *out) {
    const norm_data *d = arg;
    const norm_case *t = &d->t;
    float *dx = out + d->all, *dgamma = dx + d->all, *dbeta = dgamma + t->channels;
    float *mean = dbeta + t->channels, *rstd = mean + d->sets, *running = rstd + d->sets;
    void *ws = scratch(t->layer ? spur__layer_norm_workspace(t->n, t->channels)
                                : spur__norm_workspace(t->n, t->pixels, t->channels));
    for (ptrdiff_t c = 0; c < t->channels; c++) {
        dgamma[c] = dbeta[c] = running[c] = 0.0f;
        running[t->channels + c] = 1.0f;
    }
    memcpy(dx, d->dx0, (size_t)d->all * sizeof(float));
    spur__norm_gradient g = {.x = d->x,
                             .dy = d->dy,
                             .dx = dx,
                             .dgamma = dgamma,
                             .dbeta = dbeta,
                             .accumulate = t->accumulate};
    const float *gamma = t->affine ? d->gamma : NULL, *beta = t->affine ? d->beta : NULL;
    if (t->layer) {
        spur__layer_norm p = {.rows = t->n,
                              .channels = t->channels,
                              .gamma = gamma,
                              .beta = beta,
                              .eps = 1e-5,
                              .relu = t->relu,
                              .mean = mean,
                              .rstd = rstd,
                              .workspace = ws};
        spur__layer_norm_forward(exec, &p, d->x, out);
        spur__layer_norm_backward(exec, &p, &g);
    } else if (t->groups) {
        spur__group_norm p = {.n = t->n,
                              .pixels = t->pixels,
                              .channels = t->channels,
                              .groups = t->groups,
                              .gamma = gamma,
                              .beta = beta,
                              .eps = 1e-5,
                              .relu = t->relu,
                              .mean = mean,
                              .rstd = rstd,
                              .workspace = ws};
        spur__group_norm_forward(exec, &p, d->x, out);
        spur__group_norm_backward(exec, &p, &g);
    } else {
        spur__batch_norm p = {.pixels = t->pixels,
                              .channels = t->channels,
                              .gamma = gamma,
                              .beta = beta,
                              .eps = 1e-5,
                              .relu = t->relu,
                              .mean = mean,
                              .rstd = rstd,
                              .running_mean = running,
                              .running_var = running + t->channels,
                              .momentum = 0.1,
                              .workspace = ws};
        spur__batch_norm_train(exec, &p, d->x, out);
        spur__batch_norm_backward(exec, &p, &g);
    }
    free(ws);
}

/* Whether value i belongs to statistics `set`. */
static bool in_set(const norm_case *t, ptrdiff_t i, ptrdiff_t set) {
    ptrdiff_t c = i % t->channels;
    if (!t->groups) return c == set;
    return i / t->channels / t->pixels == set / t->groups &&
           c / (t->channels / t->groups) == set % t->groups;
}

static double dy_of(const norm_data *d, const double *y, ptrdiff_t i) {
    return d->t.relu && !(y[i] > 0.0) ? 0.0 : (double)d->dy[i];
}

/* One set of values that share a mean: statistics, then everything that hangs on them. */
static void oracle_set(const norm_data *d, double *out, ptrdiff_t set) {
    const norm_case *t = &d->t;
    double *dx = out + d->all, *dgamma = dx + d->all, *dbeta = dgamma + t->channels;
    double *mean = dbeta + t->channels, *rstd = mean + d->sets, *running = rstd + d->sets;
    double count = 0.0, sum = 0.0, square = 0.0, sum_g = 0.0, sum_gx = 0.0;
    for (ptrdiff_t i = 0; i < d->all; i++)
        if (in_set(t, i, set)) count += 1.0, sum += (double)d->x[i];
    mean[set] = sum / count;
    for (ptrdiff_t i = 0; i < d->all; i++)
        if (in_set(t, i, set)) square += pow((double)d->x[i] - mean[set], 2.0);
    rstd[set] = 1.0 / sqrt(square / count + 1e-5);
    if (!t->groups) {
        running[set] = 0.1 * mean[set];
        running[t->channels + set] = 0.9 + 0.1 * square / (count - 1.0);
    }
    for (ptrdiff_t i = 0; i < d->all; i++) {
        if (!in_set(t, i, set)) continue;
        ptrdiff_t c = i % t->channels;
        double gamma = t->affine ? (double)d->gamma[c] : 1.0;
        double xhat = ((double)d->x[i] - mean[set]) * rstd[set];
        out[i] = xhat * gamma + (t->affine ? (double)d->beta[c] : 0.0);
        if (t->relu) out[i] = fmax(out[i], 0.0);
        double dy = dy_of(d, out, i);
        dgamma[c] += dy * xhat;
        dbeta[c] += dy;
        sum_g += gamma * dy;
        sum_gx += gamma * dy * xhat;
    }
    for (ptrdiff_t i = 0; i < d->all; i++) {
        if (!in_set(t, i, set)) continue;
        double gamma = t->affine ? (double)d->gamma[i % t->channels] : 1.0;
        double xhat = ((double)d->x[i] - mean[set]) * rstd[set];
        dx[i] = rstd[set] * (gamma * dy_of(d, out, i) - sum_g / count - xhat * sum_gx / count);
        if (t->accumulate) dx[i] += (double)d->dx0[i];
    }
}

static void test_values(void **state) {
    static const char *const names[] = {"y", "dx", "dgamma", "dbeta", "mean", "rstd"};
    (void)state;
    for (size_t k = 0; k < COUNT(cases); k++) {
        norm_data d;
        make_data(&d, &cases[k]);
        float *found = floats(results(&d));
        double *wanted = calloc((size_t)results(&d), sizeof(double));
        run(&d, &(spur__exec){.threads = 2}, found);
        for (ptrdiff_t set = 0; set < d.sets; set++) oracle_set(&d, wanted, set);
        ptrdiff_t sizes[] = {d.all, d.all, d.t.channels, d.t.channels, d.sets, d.sets}, at = 0;
        for (int i = 0; i < 6; at += sizes[i++]) {
            char what[64];
            snprintf(what, sizeof what, "case %zu, %s", k, names[i]);
            assert_close(what, found + at, wanted + at, sizes[i], d.t.mean > 50.0f ? 3e-5 : 3e-6);
        }
        if (!d.t.groups) assert_close("running", found + at, wanted + at, 2 * d.t.channels, 1e-6);
        free(found);
        free(wanted);
        free_data(&d);
    }
}

static void test_same_bytes(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(cases); k++) {
        norm_data d;
        make_data(&d, &cases[k]);
        assert_same_bytes("norm", run, &d, results(&d));
        free_data(&d);
    }
}

/* Evaluation uses the running statistics, and folding them into a matrix product in front gives the same
 * outputs. */
static void test_eval(void **state) {
    enum { P = 60, C = 19, K = 7 };
    spur__exec exec = {.threads = 2};
    float *x = random_floats(P * C, 1), *y = floats(P * C), *mean = random_floats(C, 5), var[C];
    float *gamma = random_floats(C, 3), *beta = random_floats(C, 4);
    float w[C], bias[C], w_out[C], bias_out[C];
    void *ws = scratch(spur__norm_workspace(1, P, C));
    (void)state;
    for (int c = 0; c < C; c++) var[c] = 0.5f + (float)c, w[c] = 2.0f, bias[c] = 1.0f;
    spur__batch_norm p = {.pixels = P,
                          .channels = C,
                          .gamma = gamma,
                          .beta = beta,
                          .eps = 1e-3,
                          .running_mean = mean,
                          .running_var = var,
                          .workspace = ws};
    spur__batch_norm_eval(&exec, &p, x, y);
    spur__batch_norm_fold(&p, 1, w, bias, w_out, bias_out);
    for (int i = 0; i < P * C; i++) {
        int c = i % C;
        double rstd = 1.0 / sqrt((double)var[c] + 1e-3), xhat = (double)(x[i] - mean[c]) * rstd;
        double wanted = xhat * (double)gamma[c] + (double)beta[c];
        assert_true(fabs((double)y[i] - wanted) < 1e-5);
        double folded = (double)(x[i] * w_out[c] + bias_out[c]);
        double plain = ((double)(2.0f * x[i] + 1.0f - mean[c])) * rstd * (double)gamma[c];
        assert_true(fabs(folded - plain - (double)beta[c]) < 2e-5);
    }
    float *all[] = {x, y, gamma, beta, mean};
    for (size_t i = 0; i < COUNT(all); i++) free(all[i]);
    free(ws);
}

/* Large outputs go past the caches when they begin at a line; else the plain way: the same bytes. */
static void test_large_output(void **state) {
    enum { C = 32, P = (3 << 20) / C };
    spur__exec exec = {.threads = 2};
    float *x = random_floats(P * C, 1), *lines = floats(P * C), *beside = floats(P * C + 1);
    float mean[C], rstd[C];
    void *ws = scratch(spur__norm_workspace(1, P, C));
    (void)state;
    spur__batch_norm p = {.pixels = P,
                          .channels = C,
                          .eps = 1e-5,
                          .relu = true,
                          .mean = mean,
                          .rstd = rstd,
                          .workspace = ws};
    spur__batch_norm_train(&exec, &p, x, lines);
    spur__batch_norm_train(&exec, &p, x, beside + 1);
    assert_memory_equal(lines, beside + 1, (size_t)P * C * sizeof(float));
    float *all[] = {x, lines, beside};
    for (size_t i = 0; i < COUNT(all); i++) free(all[i]);
    free(ws);
}

/* Batch norm, ReLU and max pool: in one walk, or one after the other. */
typedef struct pooled_case {
    spur__pool_shape pool;
    const float *x, *dy, *gamma, *beta;
    bool apart;
} pooled_case;

/* The pool's y, dx, dgamma, dbeta one behind the other. */
static void run_pooled(void *arg, const spur__exec *given, float *out) {
    const pooled_case *t = arg;
    const spur__pool_shape *s = &t->pool;
    spur__exec own = with_scratch(given, spur__batch_norm_pool_scratch(s)), *exec = &own;
    ptrdiff_t pixels = s->n * s->h * s->w, all = pixels * s->c,
              pooled = s->n * s->oh * s->ow * s->c;
    float *dx = out + pooled, *dgamma = dx + all, *mean = floats(2 * s->c);
    float *between = floats(all), *d_between = floats(all);
    char *argmax = scratch(spur__pool_argmax_bytes(s));
    spur__batch_norm p = {.pixels = pixels,
                          .channels = s->c,
                          .gamma = t->gamma,
                          .beta = t->beta,
                          .eps = 1e-5,
                          .relu = true,
                          .mean = mean,
                          .rstd = mean + s->c,
                          .pool = t->apart ? NULL : s,
                          .argmax = argmax,
                          .workspace = scratch(spur__norm_workspace(1, pixels, s->c))};
    spur__norm_gradient g = {
        .x = t->x, .dy = t->dy, .dx = dx, .dgamma = dgamma, .dbeta = dgamma + s->c};
    memset(dgamma, 0, (size_t)(2 * s->c) * sizeof(float));
    spur__batch_norm_train(exec, &p, t->x, t->apart ? between : out);
    if (t->apart) {
        spur__max_pool(exec, s, between, out, argmax);
        spur__max_pool_backward(exec, s, t->dy, argmax, d_between, false);
        g.dy = d_between;
    }
    spur__batch_norm_backward(exec, &p, &g);
    void *all_of_them[] = {mean, between, d_between, argmax, p.workspace, own.scratch};
    for (size_t i = 0; i < COUNT(all_of_them); i++) free(all_of_them[i]);
}

static void test_pooled(void **state) {
    static const spur__pool_shape shapes[] = {
        {IMAGES(3, 11, 14, 21), WINDOWS(3, 3, 2, 2), .oh = 6, .ow = 7, PADDED(1)},
        {IMAGES(2, 33, 40, 32), WINDOWS(2, 2, 2, 2), .oh = 16, .ow = 20},
        {IMAGES(1, 400, 180, 48), WINDOWS(3, 2, 3, 1), .oh = 133, .ow = 179},
    };
    (void)state;
    for (size_t k = 0; k < COUNT(shapes); k++) {
        const spur__pool_shape *s = &shapes[k];
        ptrdiff_t all = s->n * s->h * s->w * s->c, pooled = s->n * s->oh * s->ow * s->c;
        ptrdiff_t results = pooled + all + 2 * s->c;
        float *x = random_floats(all, 1), *dy = random_floats(pooled, 2);
        float *gamma = random_floats(s->c, 3), *beta = random_floats(s->c, 4);
        float *once = floats(results), *apart = floats(results);
        pooled_case t = {*s, x, dy, gamma, beta, false};
        spur__exec exec = {.threads = 2};
        run_pooled(&t, &exec, once);
        assert_same_bytes("norm and pool", run_pooled, &t, results);
        t.apart = true;
        run_pooled(&t, &exec, apart);
        assert_memory_equal(once, apart, (size_t)results * sizeof(float));
        float *arrays[] = {x, dy, gamma, beta, once, apart};
        for (size_t i = 0; i < COUNT(arrays); i++) free(arrays[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_output), cmocka_unit_test(test_pooled),
        cmocka_unit_test(test_values),       cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_eval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
