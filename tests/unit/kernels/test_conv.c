/* SPDX-License-Identifier: MIT
 *
 * Convolutions of every algorithm against a naive double-precision oracle, and their bytes for
 * every instruction set and team size. One list of cases, three passes each.
 */
#include "conv_test.h"

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
    {"3x3 dilation 11x13, most taps outside, many channels",
     {.n = 2,
      .h = 12,
      .w = 17,
      .c = 256,
      .k = 40,
      .kh = 3,
      .kw = 3,
      DILATION(11, 13),
      PADS(22, 13)}},
    {"3x3 dilation 7x1, most taps outside above and below",
     {.n = 1, .h = 9, .w = 10, .c = 8, .k = 16, .kh = 3, .kw = 3, DILATION(7, 1), PADS(7, 1)}},
    {"3x3 dilation 6, pixels that see no input",
     {.n = 1, .h = 3, .w = 5, .c = 9, .k = 17, .kh = 3, .kw = 3, DILATION(6, 6), PADS(15, 14)}},
    {"5x3 dilation 5x9, groups, slices",
     {.n = 2,
      .h = 13,
      .w = 19,
      .c = 24,
      .k = 36,
      .kh = 5,
      .kw = 3,
      .stride_h = 1,
      .stride_w = 1,
      .groups = 2,
      .dilation_h = 5,
      .dilation_w = 9,
      PADS(10, 7),
      PITCH(30, 41)}},
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
        cmocka_unit_test(test_same_bytes), cmocka_unit_test(test_packed),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
