/* SPDX-License-Identifier: MIT
 *
 * Convolutions planned for a batch run smaller ones in the memory that was planned: no byte behind it is
 * written, and images have the bits that they have in the whole batch.
 */
#include "kernels/conv/conv.h"
#include "kernels_test.h"

enum { BATCH = 20, SHAPES = 40, THREADS = 2, GUARD = 1 << 16 };

typedef struct layer {
    spur__conv_plan plan;
    ptrdiff_t x_image, y_image, weights; /* floats */
    float *x, *w, *dy;
} layer;

static ptrdiff_t drawn(spur__rng *rng, ptrdiff_t from, ptrdiff_t to) {
    return from + (ptrdiff_t)(spur__rng_u32(rng) % (uint32_t)(to - from + 1));
}

/* Sizes at which several images go together, mostly. */
static spur__conv_shape drawn_shape(uint64_t seed) {
    static const ptrdiff_t groups[] = {1, 1, 1, 2, 3, 16};
    spur__rng rng;
    spur__rng_init(&rng, seed, SPUR__STREAM_TEST, 0, 0);
    ptrdiff_t g = groups[drawn(&rng, 0, COUNT(groups) - 1)],
              kernel = drawn(&rng, 0, 1) ? 3 : drawn(&rng, 1, 7);
    ptrdiff_t down = 1, right = 1, pad = drawn(&rng, 0, kernel / 2);
    spur__conv_shape s = {.n = BATCH, .groups = g, .kh = kernel, .kw = kernel};
    s.c = g * drawn(&rng, 1, g > 3 ? 3 : 20);
    s.k = g * drawn(&rng, 1, g > 3 ? 3 : 20);
    if (kernel == 3) down = drawn(&rng, 1, 3), right = drawn(&rng, 1, 3);
    s.h = drawn(&rng, (kernel - 1) * down + 1, 26);
    s.w = drawn(&rng, (kernel - 1) * right + 1, 26);
    s.stride_h = s.stride_w = drawn(&rng, 1, 2);
    s.dilation_h = down;
    s.dilation_w = right;
    s.pad_top = s.pad_bottom = pad * down;
    s.pad_left = s.pad_right = pad * right;
    return s;
}

static layer layer_of(uint64_t seed, spur__conv_algo algo) {
    layer l;
    spur__conv_shape s = drawn_shape(seed);
    assert_int_equal(spur__conv_plan_init(&l.plan, &s, algo, THREADS, NULL), SPUR_OK);
    s = l.plan.shape;
    l.x_image = s.h * s.w * s.c;
    l.y_image = s.oh * s.ow * s.k;
    l.weights = s.kh * s.kw * s.c / s.groups * s.k;
    l.x = random_floats(BATCH * l.x_image, seed);
    l.w = random_floats(l.weights, seed + 1);
    l.dy = random_floats(BATCH * l.y_image, seed + 2);
    return l;
}

static void check_guard(const char *memory, size_t bytes, const char *what, ptrdiff_t n) {
    for (size_t i = 0; i < GUARD; i++)
        if (memory[bytes + i] != (char)0xa5)
            fail_msg("%td of %d images write byte %zu of a %s of %zu", n, BATCH, bytes + i, what,
                     bytes);
}

/* One pass of n images; out: y, dx or dw. */
static void run_pass(const layer *l, spur__conv_pass pass, ptrdiff_t n, float *out) {
    spur__conv_memory memory = l->plan.memory[pass];
    memory.scratch = (memory.scratch + 63) / 64 * 64;
    char *workspace = scratch(memory.workspace + GUARD);
    spur__exec exec = {.threads = THREADS, .scratch_bytes = memory.scratch + GUARD};
    exec.scratch = scratch(THREADS * exec.scratch_bytes);
    if (pass == SPUR__CONV_FORWARD)
        spur__conv_forward(&l->plan, &exec,
                           &(spur__conv_forward_args){
                               .n = n, .x = l->x, .w = l->w, .y = out, .workspace = workspace});
    else if (pass == SPUR__CONV_BACKWARD_DATA)
        spur__conv_backward_data(
            &l->plan, &exec,
            &(spur__conv_data_args){
                .n = n, .dy = l->dy, .w = l->w, .dx = out, .workspace = workspace});
    else
        spur__conv_backward_weights(
            &l->plan, &exec,
            &(spur__conv_weights_args){
                .n = n, .x = l->x, .dy = l->dy, .dw = out, .workspace = workspace});
    check_guard(workspace, memory.workspace, "workspace", n);
    for (int t = 0; t < THREADS; t++)
        check_guard(spur__scratch(&exec, t), memory.scratch, "scratch", n);
    free(workspace);
    free(exec.scratch);
}

/* On the portable path, which takes long, even and odd numbers of images in turn. */
static void check_layer(uint64_t seed, spur__conv_algo algo) {
    layer l = layer_of(seed, algo);
    bool half = spur__cpu_isa() == SPUR__ISA_GENERIC;
    for (int pass = 0; pass < SPUR__CONV_PASSES; pass++) {
        bool weights = pass == SPUR__CONV_BACKWARD_WEIGHTS;
        ptrdiff_t image = pass == SPUR__CONV_FORWARD ? l.y_image : weights ? 0 : l.x_image;
        ptrdiff_t all = weights ? l.weights : BATCH * image;
        float *whole = floats(all), *found = floats(all);
        run_pass(&l, (spur__conv_pass)pass, BATCH, whole);
        for (ptrdiff_t n = half ? 1 + (ptrdiff_t)(seed % 2) : 1; n < BATCH; n += half ? 2 : 1) {
            run_pass(&l, (spur__conv_pass)pass, n, found);
            if (memcmp(found, whole, (size_t)(n * image) * sizeof(float)) != 0)
                fail_msg("shape %d, pass %d: %td images differ from those of %d", (int)seed, pass,
                         n, BATCH);
        }
        free(whole);
        free(found);
    }
    free(l.x);
    free(l.w);
    free(l.dy);
}

static void test_direct(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SHAPES; seed++) check_layer(seed, SPUR__CONV_DIRECT);
}

static void test_auto(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SHAPES; seed++) check_layer(seed, SPUR__CONV_AUTO);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_direct), cmocka_unit_test(test_auto)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
