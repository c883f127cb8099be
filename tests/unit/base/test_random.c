/* SPDX-License-Identifier: MIT
 *
 * base: what is made of Philox's numbers. They are part of the format of checkpoints and of every
 * training that is to be repeated, so they must stay what they are: the expected ones come from the
 * definitions, written down once more in Python.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"

static spur__rng generator(uint64_t sample) {
    spur__rng rng;
    spur__rng_init(&rng, 7, SPUR__STREAM_TEST, 3, sample);
    return rng;
}

static void test_numbers(void **state) {
    spur__rng rng = generator(5 + (UINT64_C(2) << 32));
    (void)state;
    assert_int_equal(spur__rng_u32(&rng), 0xcb7e07fcu);
    assert_int_equal(spur__rng_u32(&rng), 0x45e8c427u);
    assert_int_equal(spur__rng_u32(&rng), 0xb01dc3eau);
    assert_true(spur__rng_float(&rng) == 0x1.2f381p-2f);
    assert_true(spur__rng_double(&rng) == 0x1.3cee620369cc6p-2);
}

/* Seed, stream, epoch and both halves of the sample's number lead to other numbers. */
static void test_independence(void **state) {
    spur__rng rng[6];
    (void)state;
    spur__rng_init(&rng[0], 7, SPUR__STREAM_TEST, 3, 5);
    spur__rng_init(&rng[1], 8, SPUR__STREAM_TEST, 3, 5);
    spur__rng_init(&rng[2], 7, SPUR__STREAM_MIX, 3, 5);
    spur__rng_init(&rng[3], 7, SPUR__STREAM_TEST, 4, 5);
    spur__rng_init(&rng[4], 7, SPUR__STREAM_TEST, 3, 6);
    spur__rng_init(&rng[5], 7, SPUR__STREAM_TEST, 3, 5 + (UINT64_C(1) << 32));
    for (int i = 1; i < 6; i++) {
        spur__rng first = rng[0];
        int same = 0;
        for (int k = 0; k < 8; k++) same += spur__rng_u32(&first) == spur__rng_u32(&rng[i]);
        assert_int_equal(same, 0);
    }
}

/* 3 * 2^30 does not divide 2^32: a quarter of the numbers is drawn once more. */
static void test_below(void **state) {
    static const uint32_t expected[] = {1954887529u, 3032992832u, 727386992u,
                                        1869152850u, 2802216168u, 3036635146u};
    spur__rng rng = generator(5);
    (void)state;
    for (int i = 0; i < 6; i++) assert_int_equal(spur__rng_below(&rng, 3u << 30), expected[i]);
    for (int i = 0; i < 100; i++) assert_int_equal(spur__rng_below(&rng, 1), 0);
    assert_int_equal(spur__rng_below(&rng, 0), 0);
    for (int i = 0; i < 100; i++) assert_true(spur__rng_below(&rng, 3) < 3);
}

static void test_normal(void **state) {
    static const double expected[] = {-0.6234350406374766, -0.7059875843878436, 0.5858424549292889};
    spur__rng rng = generator(8);
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_true(fabs((double)spur__rng_normal(&rng) - expected[i]) < 1e-6);
    double sum = 0, squares = 0;
    for (int i = 0; i < 10000; i++) {
        double x = (double)spur__rng_normal(&rng);
        sum += x;
        squares += x * x;
    }
    assert_true(fabs(sum / 10000) < 0.03 && fabs(squares / 10000 - 1) < 0.05);
}

static void test_shuffle(void **state) {
    static const uint32_t expected[8] = {1, 0, 5, 2, 4, 7, 6, 3};
    uint32_t indices[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    spur__rng rng = generator(6);
    int turned = 0;
    (void)state;
    spur__rng_shuffle(&rng, indices, 8);
    for (int i = 0; i < 8; i++) assert_int_equal(indices[i], expected[i]);
    for (int i = 0; i < 100; i++) { /* of two as well */
        uint32_t pair[2] = {0, 1};
        spur__rng_shuffle(&rng, pair, 2);
        turned += pair[0] == 1;
    }
    assert_true(turned > 30 && turned < 70);
    spur__rng_shuffle(&rng, indices, 1);
    spur__rng_shuffle(&rng, indices, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_independence),
        cmocka_unit_test(test_below),   cmocka_unit_test(test_normal),
        cmocka_unit_test(test_shuffle),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
