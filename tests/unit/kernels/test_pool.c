/* SPDX-License-Identifier: MIT
 *
 * Pooling and resizing against naive loops: exact values where no rounding is involved, and the
 * gradient as the transposed operation.
 */
#include "kernels_test.h"

#include "kernels/pool.h"
#include "kernels/resample.h"

static const spur__pool_shape shapes[] = {
    {IMAGES(2, 8, 6, 16), WINDOWS(2, 2, 2, 2), .oh = 4, .ow = 3},
    {IMAGES(1, 9, 7, 21), WINDOWS(2, 2, 2, 2), .oh = 4, .ow = 3, .x_pitch = 30, .y_pitch = 25},
    {IMAGES(2, 9, 10, 35), WINDOWS(3, 3, 2, 2), .oh = 5, .ow = 5, PADDED(1)},
    {IMAGES(1, 7, 7, 8), WINDOWS(2, 2, 2, 2), .oh = 4, .ow = 4,
     .exclude_padding = true}, /* ceil mode: the last windows are cut */
    {IMAGES(1, 7, 6, 70), WINDOWS(3, 3, 1, 1), .oh = 6, .ow = 6, .pad_left = 1, .pad_right = 1,
     .pad_top = 1, .exclude_padding = true},
    {IMAGES(2, 7, 5, 12), .oh = 3, .ow = 2, .adaptive = true},
    {IMAGES(2, 20, 20, 5), .oh = 1, .ow = 1, .adaptive = true}, /* 400 positions */
    {IMAGES(2, 9, 10, 20), WINDOWS(5, 5, 1, 1), .oh = 5, .ow = 6}, /* 25 windows over a pixel */
    {IMAGES(1, 18, 19, 37), WINDOWS(17, 17, 1, 2), .oh = 2, .ow = 2,
     .x_pitch = 40}, /* 289 positions */
};

typedef struct pool_data {
    spur__pool_shape s;
    ptrdiff_t xp, yp, nx, ny;
    float *x, *dy, *dx0;
    bool max, accumulate;
} pool_data;

static void make_data(pool_data *d, size_t i, bool max) {
    const spur__pool_shape *s = &shapes[i];
    *d = (pool_data){.s = *s, .max = max, .accumulate = i % 2 == 1};
    d->xp = s->x_pitch ? s->x_pitch : s->c;
    d->yp = s->y_pitch ? s->y_pitch : s->c;
    d->nx = s->n * s->h * s->w * d->xp;
    d->ny = s->n * s->oh * s->ow * d->yp;
    d->x = random_floats(d->nx, 1);
    for (ptrdiff_t j = 0; j < d->nx; j++) d->x[j] = roundf(d->x[j] * 2.0f); /* many ties */
    d->dy = random_floats(d->ny, 2);
    d->dx0 = random_floats(d->nx, 3);
}

static void free_data(pool_data *d) {
    free(d->x);
    free(d->dy);
    free(d->dx0);
}

static void run(void *arg, const spur__exec *exec, float *out) {
    const pool_data *d = arg;
    float *dx = out + d->ny;
    memset(out, 0, (size_t)d->ny * sizeof(float));
    memcpy(dx, d->dx0, (size_t)d->nx * sizeof(float));
    void *argmax = scratch(spur__pool_argmax_bytes(&d->s));
    if (d->max) {
        spur__max_pool(exec, &d->s, d->x, out, argmax);
        spur__max_pool_backward(exec, &d->s, d->dy, argmax, dx, d->accumulate);
    } else {
        spur__avg_pool(exec, &d->s, d->x, out);
        spur__avg_pool_backward(exec, &d->s, d->dy, dx, d->accumulate);
    }
    free(argmax);
}

/* One window and channel, straight from the definition. */
static void oracle_window(const pool_data *d, ptrdiff_t at, ptrdiff_t c, double *y, double *dx) {
    const spur__pool_shape *s = &d->s;
    ptrdiff_t image = at / s->ow / s->oh, oy = at / s->ow % s->oh, ox = at % s->ow;
    spur__window v = spur__pool_window(oy, s->h, s->oh, s->kh, s->stride_h, s->pad_top,
                                       s->pad_bottom, s->adaptive);
    spur__window u = spur__pool_window(ox, s->w, s->ow, s->kw, s->stride_w, s->pad_left,
                                       s->pad_right, s->adaptive);
    ptrdiff_t best = -1;
    double sum = 0.0, dy = (double)d->dy[at * d->yp + c];
    double count =
        (double)(s->exclude_padding ? (v.end - v.begin) * (u.end - u.begin) : v.size * u.size);
    for (ptrdiff_t i = 0; i < (v.end - v.begin) * (u.end - u.begin); i++) {
        ptrdiff_t row = v.begin + i / (u.end - u.begin), column = u.begin + i % (u.end - u.begin);
        ptrdiff_t from = ((image * s->h + row) * s->w + column) * d->xp + c;
        if (best < 0 || d->x[from] > d->x[best]) best = from;
        sum += (double)d->x[from];
        if (!d->max) dx[from] += dy / count;
    }
    y[at * d->yp + c] = d->max ? (double)d->x[best] : sum / count;
    if (d->max) dx[best] += dy;
}

static void check_pool(size_t i, bool max) {
    pool_data d;
    char what[64];
    make_data(&d, i, max);
    double *wanted = calloc((size_t)(d.nx + d.ny), sizeof(double)), *dx = wanted + d.ny;
    for (ptrdiff_t j = 0; j < d.nx; j++)
        dx[j] = d.accumulate || j % d.xp >= d.s.c ? (double)d.dx0[j] : 0.0;
    for (ptrdiff_t at = 0; at < d.s.n * d.s.oh * d.s.ow; at++)
        for (ptrdiff_t c = 0; c < d.s.c; c++) oracle_window(&d, at, c, wanted, dx);
    float *found = floats(d.nx + d.ny);
    run(&d, &(spur__exec){.threads = 2}, found);
    snprintf(what, sizeof what, "shape %zu, %s", i, max ? "max" : "average");
    assert_close(what, found, wanted, d.ny, max ? 0.0 : 1e-6);
    assert_close(what, found + d.ny, wanted + d.ny, d.nx, 1e-6);
    free(wanted);
    free(found);
    free_data(&d);
}

static void test_pools(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        check_pool(i, true);
        check_pool(i, false);
    }
}

static void test_pool_bytes(void **state) {
    (void)state;
    for (size_t i = 0; i < 2 * COUNT(shapes); i++) {
        pool_data d;
        make_data(&d, i / 2, i % 2 == 0);
        assert_same_bytes("pool", run, &d, d.nx + d.ny);
        free_data(&d);
    }
}

static void test_max_of_nan(void **state) {
    spur__pool_shape s = {IMAGES(1, 1, 4, 1), WINDOWS(1, 2, 1, 2), .oh = 1, .ow = 2};
    float x[4] = {1.0f, NAN, -INFINITY, -INFINITY}, y[2], dx[4], dy[2] = {1.0f, 2.0f};
    unsigned char argmax[2];
    spur__exec exec = {.threads = 1};
    (void)state;
    spur__max_pool(&exec, &s, x, y, argmax);
    spur__max_pool_backward(&exec, &s, dy, argmax, dx, false);
    assert_true(isnan(y[0]) && isinf(y[1]));
    assert_true(dx[0] == 0.0f && dx[1] == 1.0f && dx[2] == 2.0f && dx[3] == 0.0f);
}

/* ---- resizing ------------------------------------------------------------------------------ */

static const spur__resample_shape sizes[] = {
    {2, 4, 5, 16, 8, 10, false, 0, 0}, {1, 5, 7, 35, 8, 4, false, 0, 0},
    {2, 4, 5, 19, 8, 10, true, 0, 0},  {1, 7, 6, 33, 3, 11, true, 0, 0},
    {1, 1, 1, 4, 3, 3, true, 0, 0},
};

static double position(ptrdiff_t i, ptrdiff_t size, ptrdiff_t out) {
    return fmax(((double)i + 0.5) * (double)size / (double)out - 0.5, 0.0);
}

/* Weight of input (y, x) in output (i, j), by the definition. */
static double weight(const spur__resample_shape *s, ptrdiff_t i, ptrdiff_t j, ptrdiff_t y,
                     ptrdiff_t x) {
    if (!s->bilinear) return i * s->h / s->oh == y && j * s->w / s->ow == x;
    double v = fmin(position(i, s->h, s->oh), (double)(s->h - 1));
    double u = fmin(position(j, s->w, s->ow), (double)(s->w - 1));
    return fmax(0.0, 1.0 - fabs(v - (double)y)) * fmax(0.0, 1.0 - fabs(u - (double)x));
}

typedef struct resize_data {
    const spur__resample_shape *s;
    ptrdiff_t nx, ny;
    float *x, *dy;
} resize_data;

static void run_resize(void *arg, const spur__exec *exec, float *out) {
    const resize_data *d = arg;
    spur__resample(exec, d->s, d->x, out);
    memcpy(out + d->ny, d->x, (size_t)d->nx * sizeof(float));
    spur__resample_backward(exec, d->s, d->dy, out + d->ny, true);
}

static void check_resize(const spur__resample_shape *s) {
    resize_data d = {s, s->n * s->h * s->w * s->c, s->n * s->oh * s->ow * s->c, NULL, NULL};
    d.x = random_floats(d.nx, 1);
    d.dy = random_floats(d.ny, 2);
    double *wanted = calloc((size_t)(d.nx + d.ny), sizeof(double));
    for (ptrdiff_t i = 0; i < d.nx; i++) wanted[d.ny + i] = (double)d.x[i];
    for (ptrdiff_t k = 0; k < d.nx * s->oh * s->ow; k++) {
        ptrdiff_t from = k / (s->oh * s->ow), to = k % (s->oh * s->ow), c = from % s->c;
        ptrdiff_t pixel = from / s->c, image = pixel / (s->h * s->w);
        double w = weight(s, to / s->ow, to % s->ow, pixel / s->w % s->h, pixel % s->w);
        ptrdiff_t at = (image * s->oh * s->ow + to) * s->c + c;
        wanted[at] += w * (double)d.x[from];
        wanted[d.ny + from] += w * (double)d.dy[at];
    }
    float *found = floats(d.nx + d.ny);
    run_resize(&d, &(spur__exec){.threads = 2}, found);
    assert_close("resize", found, wanted, d.ny, 1e-6);
    assert_close("resize gradient", found + d.ny, wanted + d.ny, d.nx, 1e-6);
    assert_same_bytes("resize", run_resize, &d, d.nx + d.ny);
    free(wanted);
    free(found);
    free(d.x);
    free(d.dy);
}

static void test_resize(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) check_resize(&sizes[i]);
}

typedef struct plain_data {
    const spur__pool_shape *s;
    const float *x;
    ptrdiff_t ny;
    bool argmax;
} plain_data;

static void run_plain(void *arg, const spur__exec *exec, float *out) {
    const plain_data *d = arg;
    void *argmax = scratch(spur__pool_argmax_bytes(d->s));
    spur__max_pool(exec, d->s, d->x, out, d->argmax ? argmax : NULL);
    free(argmax);
}

/* Without argmax the bits are the same: NaN, infinities that cancel, zeros of both signs. */
static void test_plain_max(void **state) {
    static const float special[] = {NAN, -NAN, INFINITY, -INFINITY, 0.0f, -0.0f};
    const spur__pool_shape s = {IMAGES(2, 9, 10, 150), WINDOWS(3, 3, 2, 2), .oh = 5, .ow = 5,
                                PADDED(1)};
    (void)state;
    float *x = random_floats(s.n * s.h * s.w * s.c, 1);
    for (ptrdiff_t i = 0; i < s.n * s.h * s.w * s.c; i++) {
        if (i * 7919 % 23 < 2) x[i] = special[4 + i * 7919 % 23];
        if (i % s.c > 80 && i * 7919 % 29 < 4) x[i] = special[i * 7919 % 29];
    }
    plain_data with = {&s, x, s.n * s.oh * s.ow * s.c, true}, without = with;
    without.argmax = false;
    float *wanted = floats(with.ny), *found = floats(with.ny);
    run_plain(&with, &(spur__exec){.threads = 2}, wanted);
    run_plain(&without, &(spur__exec){.threads = 2}, found);
    assert_memory_equal(found, wanted, (size_t)with.ny * sizeof(float));
    assert_same_bytes("max pool without argmax", run_plain, &without, with.ny);
    free(x);
    free(wanted);
    free(found);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pools),      cmocka_unit_test(test_pool_bytes),
        cmocka_unit_test(test_max_of_nan), cmocka_unit_test(test_plain_max),
        cmocka_unit_test(test_resize),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
