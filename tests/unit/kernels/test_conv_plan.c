/* SPDX-License-Identifier: MIT
 *
 * What plans of dilated convolutions and of few channels choose, pass by pass, and what they do not end in.
 */
#include "kernels/conv/conv.h"
#include "kernels_test.h"

enum { D = SPUR__CONV_DIRECT, W2 = SPUR__CONV_WINOGRAD2, W4 = SPUR__CONV_WINOGRAD4 };

/* Padded such that outputs are as many as inputs. */
static spur__conv_shape shape_of(ptrdiff_t channels, ptrdiff_t side, ptrdiff_t dilation) {
    return (spur__conv_shape){.n = 4,
                              .h = side,
                              .w = side,
                              .c = channels,
                              .k = channels,
                              .kh = 3,
                              .kw = 3,
                              .stride_h = 1,
                              .stride_w = 1,
                              .pad_top = dilation,
                              .pad_left = dilation,
                              .pad_bottom = dilation,
                              .pad_right = dilation,
                              .dilation_h = dilation,
                              .dilation_w = dilation,
                              .groups = 1};
}

static void test_choice(void **state) {
    static const struct {
        ptrdiff_t channels, side, dilation;
        int algo[SPUR__CONV_PASSES];
    } cases[] = {
        {64, 56, 2, {W4, W4, W4}},   {256, 28, 8, {W4, W4, W4}},
        {256, 32, 12, {W4, W4, W4}}, /* phases of 3 and 2 */
        {256, 32, 18, {D, D, D}}, /* of 2 and 1, and most taps in the padding */
        {64, 20, 18, {D, D, D}}, /* hardly any of 2 */
        {16, 32, 16, {D, D, W2}}, /* of few channels, gradients of weights multiply the padding too */
        {4, 56, 2, {D, D, D}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        spur__conv_plan plan;
        spur__conv_shape s = shape_of(cases[i].channels, cases[i].side, cases[i].dilation);
        assert_int_equal(spur__conv_plan_init(&plan, &s, SPUR__CONV_AUTO, 1, NULL), SPUR_OK);
        for (int pass = 0; pass < SPUR__CONV_PASSES; pass++)
            if ((int)plan.algo[pass] != cases[i].algo[pass])
                fail_msg("case %zu, pass %d: %s", i, pass, spur__conv_algo_name(plan.algo[pass]));
    }
}

/* Few sources are for the direct algorithm; few outputs are, too, unless sources are enough. */
static void test_few_channels(void **state) {
    static const struct {
        ptrdiff_t c, k;
        int algo[SPUR__CONV_PASSES];
    } cases[] = {
        {3, 32, {D, W4, D}},  {7, 15, {D, D, D}}, {7, 16, {D, W4, D}},  {8, 8, {W4, W4, W4}},
        {16, 7, {W4, D, W4}}, {15, 7, {D, D, D}}, {64, 1, {W4, D, W4}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        spur__conv_plan plan;
        spur__conv_shape s = shape_of(8, 32, 1);
        s.c = cases[i].c;
        s.k = cases[i].k;
        assert_int_equal(spur__conv_plan_init(&plan, &s, SPUR__CONV_AUTO, 1, NULL), SPUR_OK);
        for (int pass = 0; pass < SPUR__CONV_PASSES; pass++)
            if ((int)plan.algo[pass] != cases[i].algo[pass])
                fail_msg("case %zu, pass %d: %s", i, pass, spur__conv_algo_name(plan.algo[pass]));
    }
}

/* A window of the image lies on several phases; an output may not read another phase than its own. */
static void test_limits(void **state) {
    (void)state;
    for (int direction = 0; direction < 2; direction++) {
        spur__conv_plan plan;
        spur__conv_shape s = shape_of(32, 32, 1);
        assert_true(spur__conv_pools(&s, SPUR__CONV_AUTO));
        *(direction ? &s.dilation_h : &s.dilation_w) = 2;
        assert_false(spur__conv_pools(&s, SPUR__CONV_AUTO));
        assert_false(spur__conv_pools(&s, SPUR__CONV_WINOGRAD4));
        assert_int_equal(spur__conv_plan_init(&plan, &s, SPUR__CONV_WINOGRAD4, 1, NULL), SPUR_OK);
        for (int pass = 0; pass < SPUR__CONV_PASSES; pass++)
            assert_int_equal(plan.algo[pass], SPUR__CONV_DIRECT);
        *(direction ? &s.pad_top : &s.pad_left) = 2;
        assert_false(spur__conv_pools(&s, SPUR__CONV_AUTO));
        assert_int_equal(spur__conv_plan_init(&plan, &s, SPUR__CONV_AUTO, 1, NULL), SPUR_OK);
        for (int pass = 0; pass < SPUR__CONV_PASSES; pass++)
            assert_int_equal(plan.algo[pass], SPUR__CONV_WINOGRAD4);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_choice),
                                       cmocka_unit_test(test_few_channels),
                                       cmocka_unit_test(test_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
