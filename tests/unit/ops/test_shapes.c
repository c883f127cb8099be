/* SPDX-License-Identifier: MIT
 *
 * Sizes of what windows give, as PyTorch says, and which parameters weight decay is meant for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

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
        cmocka_unit_test(test_decay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
