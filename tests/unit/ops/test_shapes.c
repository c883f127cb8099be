/* SPDX-License-Identifier: MIT
 *
 * Sizes of what windows give, as PyTorch says, and which parameters weight decay is meant for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/window.h"

/* torch.nn.functional.max_pool2d on a picture of `in` x `in`. */
static void test_windows(void **state) {
    static const struct {
        int in, kernel, stride, padding, dilation, floor, ceil;
    } cases[] = {
        {4, 1, 2, 0, 1, 2, 2}, {5, 1, 2, 0, 1, 3, 3}, {3, 2, 2, 1, 1, 2, 2}, {4, 2, 2, 1, 1, 3, 3},
        {5, 3, 2, 0, 1, 2, 2}, {6, 3, 2, 1, 1, 3, 4}, {7, 2, 3, 1, 1, 3, 3}, {8, 2, 3, 0, 2, 2, 3},
        {9, 2, 5, 1, 3, 2, 2}, {1, 1, 3, 0, 1, 1, 1}, {2, 1, 3, 0, 1, 1, 1}, {10, 3, 4, 1, 2, 2, 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int ceil = 0; ceil < 2; ceil++) {
            const int k = cases[i].kernel, s = cases[i].stride, p = cases[i].padding;
            const int d = cases[i].dilation, expected = ceil ? cases[i].ceil : cases[i].floor;
            spur__slide w = {.kernel = {k, k}, .stride = {s, s}, .dilation = {d, d}};
            for (int side = 0; side < 4; side++) w.padding[side] = p;
            w.in[0] = w.in[1] = cases[i].in;
            assert_int_equal(spur__window_fit(&w, ceil, NULL), SPUR_OK);
            if (w.out[0] != expected || w.out[1] != expected)
                fail_msg("case %zu, ceil %d: found %d, expected %d", i, ceil, (int)w.out[0],
                         expected);
        }
}

/* What PyTorch's modules refuse, and what they just take: of x, two pictures of 4 x 6 with 4 channels, and of
 * words, [2][3]. */
#define LAYER(name_, ...)                                                                          \
    static spur_node *name_(spur_net *net, spur_node *x, spur_node *words) {                       \
        (void)x;                                                                                   \
        (void)words;                                                                               \
        return __VA_ARGS__;                                                                        \
    }

typedef spur_node *layer(spur_net *net, spur_node *x, spur_node *words);
typedef const spur_conv2d_options conv;
typedef const spur_pool2d_options pool;

LAYER(crop_all, spur_crop2d(net, x, (const int[]){1, 0, 3, 0}))
LAYER(crop_most, spur_crop2d(net, x, (const int[]){1, 4, 2, 1}))
LAYER(pad_less, spur_pad2d(net, x, (const int[]){0, 0, 0, -1}, 0))
LAYER(concat_batch, spur_concat(net, (spur_node *[]){x, x}, 2, 0))
LAYER(concat_beyond, spur_concat(net, (spur_node *[]){x, x}, 2, 4))
LAYER(concat_other_channels,
      spur_concat(net, (spur_node *[]){x, spur_conv2d(net, x, "c", 3, &(conv){.kernel = {1}})}, 2,
                  1))
LAYER(concat_ranks, spur_concat(net, (spur_node *[]){spur_global_avg_pool2d(net, x), x}, 2, 1))
LAYER(embed_deep,
      spur_embedding(net, spur_reshape(net, words, 5, (const int64_t[]){2, 1, 1, 1, 3}), "e", 5, 3))
LAYER(embed_nothing, spur_embedding(net, words, "e", 5, 0))
LAYER(no_stride, spur_conv2d(net, x, "c", 4, &(conv){.stride = {1, -1}}))
LAYER(negative_bottom, spur_conv2d(net, x, "c", 4, &(conv){.padding = {1, 1, -1, 1}}))
LAYER(groups_of_filters, spur_conv2d(net, x, "c", 3, &(conv){.groups = 2}))
LAYER(kernel_of_all, spur_conv2d(net, x, "c", 4, &(conv){.kernel = {4, 6}}))
LAYER(transposed_negative, spur_conv_transpose2d(net, x, "c", 4, &(conv){.padding = {0, -1, 0, 0}}))
LAYER(transposed_huge, spur_conv_transpose2d(net, x, "c", 4, &(conv){.stride = {1, 1 << 20}}))
LAYER(transposed_away, spur_conv_transpose2d(net, x, "c", 4, &(conv){.padding = {3, 0, 3, 0}}))
LAYER(transposed_extra,
      spur_conv_transpose2d(net, x, "c", 4, &(conv){.stride = {2}, .output_padding = {1, 2}}))
/* PyTorch: below stride or dilation */
LAYER(transposed_dilated,
      spur_conv_transpose2d(net, x, "c", 4, &(conv){.dilation = {3}, .output_padding = {2, 2}}))
LAYER(pool_padded, spur_max_pool2d(net, x, &(pool){.kernel = {4, 3}, .padding = {0, 2}}))
LAYER(pool_just, spur_max_pool2d(net, x, &(pool){.kernel = {4, 2}, .padding = {2, 1, 2, 1}}))
LAYER(pool_to_nothing, spur_adaptive_avg_pool2d(net, x, 2, 0))
LAYER(groups_of_a_norm, spur_group_norm(net, x, "g", NULL)) /* 32 groups */
LAYER(norm_of_numbers,
      spur_group_norm(net, spur_input(net, "v", SPUR_FLOAT32, 1, (int64_t[]){2}), "g", NULL))
LAYER(depth_of_numbers,
      spur_stochastic_depth(net, spur_input(net, "v", SPUR_FLOAT32, 1, (int64_t[]){2}), 0.5))
LAYER(same_with_gaps,
      spur_conv2d(net, x, "c", 4, &(conv){.kernel = {1}, .stride = {3}, .same_padding = true}))
LAYER(linear_of_nothing, spur_linear(net, x, "fc", 0, NULL))
LAYER(linear_of_numbers,
      spur_linear(net, spur_input(net, "v", SPUR_FLOAT32, 1, (int64_t[]){2}), "fc", 3, NULL))
/* 1 / (1 - p) in float32 */
LAYER(drop_all, spur_dropout(net, x, 1 - 1e-9))
LAYER(negative_slope, spur_activation(net, x, SPUR_LEAKY_RELU, -0.5))
LAYER(broadcast_both,
      spur_add(net, spur_adaptive_avg_pool2d(net, x, 4, 1), spur_adaptive_avg_pool2d(net, x, 1, 6)))
LAYER(broadcast_ranks, spur_add(net, x, spur_global_avg_pool2d(net, x)))
LAYER(broadcast_two, spur_multiply(net, spur_adaptive_avg_pool2d(net, x, 2, 6), x))

static void test_refusals(void **state) {
    static const struct {
        layer *make;
        const char *says; /* NULL: it is fine, */
        int64_t shape[4]; /* and comes to this */
    } cases[] = {
        {crop_all, "expected to cut less than 4 pixels, found 4", {0}},
        {crop_most, NULL, {2, 1, 1, 4}},
        {pad_less, "expected amounts from 0, found -1", {0}},
        {concat_batch, "expected an axis from 1 to 3 or its negative, found 0", {0}},
        {concat_beyond, "expected an axis from 1 to 3 or its negative, found 4", {0}},
        {concat_other_channels, "found 'x' [2][4][6][4] and 'c' [2][4][6][3]", {0}},
        {concat_ranks, "expected equal shapes but for axis 1", {0}},
        {embed_deep, "expected a rank below 5, found 5", {0}},
        {embed_nothing, "expected count and width from 1, found 5 and 0", {0}},
        {no_stride, "width: expected kernel, stride and dilation from 1 to 32768", {0}},
        {negative_bottom, "height: expected padding from 0 to 32768, found 1 and -1", {0}},
        {groups_of_filters, "divisible by 2 groups, found 4 and 3", {0}},
        {kernel_of_all, NULL, {2, 1, 1, 4}},
        {transposed_negative, "width: expected padding from 0 to 32768, found -1 and 0", {0}},
        {transposed_huge, "width: expected kernel, stride and dilation from 1 to 32768", {0}},
        {transposed_away, "expected an output of 1 pixel or more, found 0", {0}},
        {transposed_extra, "expected output_padding below stride or dilation, found 2", {0}},
        {transposed_dilated, NULL, {2, 12, 14, 4}}, /* 3 + 3 * 2 + 1 + 2 */
        {pool_padded, "expected padding of at most half the kernel of 3, found 2", {0}},
        {pool_just, NULL, {2, 2, 4, 4}},
        {pool_to_nothing, "expected a size from 1x1, found 2x0", {0}},
        {groups_of_a_norm, "divisible by 32 groups, found 4", {0}},
        {norm_of_numbers, "expected [n][..][channels], found rank 1", {0}},
        {depth_of_numbers, "expected [n][..][channels], found rank 1", {0}},
        {same_with_gaps, NULL, {2, 2, 2, 4}},
        {linear_of_nothing, "expected at least one unit, found 0", {0}},
        {linear_of_numbers, "expected [n][..][features], found 'v' [2]", {0}},
        {drop_all, "expected a probability from 0 to below 1", {0}},
        {negative_slope, "expected alpha from 0, found -0.5", {0}},
        {broadcast_both, NULL, {2, 4, 6, 4}},
        {broadcast_ranks, "expected equal sizes, or 1, in every axis", {0}},
        {broadcast_two, "expected equal sizes, or 1, in every axis", {0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spur_error err = {0};
        spur_net *net = spur_net_create(NULL);
        spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){2, 4, 6, 4});
        spur_node *words = spur_input(net, "words", SPUR_INT32, 2, (int64_t[]){2, 3});
        const spur_node *y = cases[i].make(net, x, words);
        spur_status status = spur_net_build(net, NULL, &err);
        if ((status == SPUR_OK) != !cases[i].says ||
            (cases[i].says && !strstr(err.message, cases[i].says)))
            fail_msg("case %zu: '%s' does not say '%s'", i, err.message, cases[i].says);
        for (int d = 0; y && !cases[i].says && d < 4; d++)
            if (spur_node_shape(y)[d] != cases[i].shape[d])
                fail_msg("case %zu: axis %d is %d", i, d, (int)spur_node_shape(y)[d]);
        spur_net_destroy(net);
    }
}

/* Keras's "same" is size * stride, also of a kernel below the stride: the gap behind the last pixel belongs to
 * the output, as with PyTorch's output_padding of 2. */
static void test_same_transposed(void **state) {
    static const conv cases[] = {{.kernel = {1, 2}, .stride = {3}, .same_padding = true},
                                 {.kernel = {1, 2}, .stride = {3}, .output_padding = {2, 1}}};
    float out[2][12 * 18 * 2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        spur_net *net = spur_net_create(&(spur_net_options){.seed = 7});
        spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){1, 4, 6, 1});
        spur_node *y = spur_conv_transpose2d(net, x, "up", 2, &cases[i]);
        assert_int_equal(spur_net_build(net, NULL, NULL), SPUR_OK);
        assert_true(spur_node_shape(y)[1] == 12 && spur_node_shape(y)[2] == 18);
        for (int k = 0; k < 24; k++) spur_node_data(x)[k] = (float)k;
        assert_int_equal(spur_net_forward(net, SPUR_EVAL, NULL), SPUR_OK);
        memcpy(out[i], spur_node_data(y), sizeof out[i]);
        const float *bias = spur_net_find_param(net, "up.bias")->value;
        assert_memory_equal(out[i] + sizeof out[i] / 4 - 2, bias, 2 * sizeof(float));
        spur_net_destroy(net);
    }
    assert_memory_equal(out[0], out[1], sizeof out[0]);
}

static void test_decay(void **state) {
    static const struct {
        const char *name;
        bool decay;
    } expected[] = {
        {"conv.weight", true},  {"conv.bias", false},    {"up.weight", true},
        {"up.bias", false},     {"fc.weight", true},     {"fc.bias", false},
        {"e.weight", true},     {"bn.weight", false},    {"bn.bias", false},
        {"bn.running_mean", 0}, {"group.weight", false}, {"layer.weight", false},
    };
    spur_net *net = spur_net_create(NULL);
    (void)state;
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){2, 4, 4, 4});
    spur_node *words = spur_input(net, "words", SPUR_INT32, 1, (int64_t[]){2});
    assert_non_null(spur_embedding(net, words, "e", 5, 3));
    x = spur_conv2d(net, x, "conv", 4, &(spur_conv2d_options){.same_padding = true});
    x = spur_conv_transpose2d(net, x, "up", 4, NULL);
    x = spur_batch_norm(net, x, "bn", NULL);
    x = spur_group_norm(net, x, "group", &(spur_norm_options){.groups = 2});
    x = spur_layer_norm(net, x, "layer", NULL);
    x = spur_linear(net, spur_flatten(net, x), "fc", 3, NULL);
    assert_non_null(x);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const spur_param *param = spur_net_find_param(net, expected[i].name);
        if (!param || param->decay != expected[i].decay) fail_msg("%s", expected[i].name);
    }
    spur_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_same_transposed),
        cmocka_unit_test(test_decay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
