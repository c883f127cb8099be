/* SPDX-License-Identifier: MIT
 *
 * The table of layers: PyTorch's parameter counts of my_net, totals, 80 columns, shared layers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <spur/nn.h>

/* The whole summary as text; free it. */
static char *summary_of(const spur_net *net) {
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(spur_net_summary(net, file), SPUR_OK);
    long size = ftell(file);
    char *text = calloc((size_t)size + 1, 1);
    rewind(file);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    (void)fclose(file);
    return text;
}

static void expect(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("expected '%s' in:\n%s", part, text);
}

static void expect_80_columns(const char *text) {
    while (*text) {
        size_t n = strcspn(text, "\n");
        if (n > 80) fail_msg("%zu columns: %.*s", n, (int)n, text);
        text += n + (text[n] == '\n');
    }
}

static void test_my_net(void **state) {
    (void)state;
    spur_net *net = spur_net_create(&(spur_net_options){.threads = 1});
    const spur_conv2d_options same = {.same_padding = true};
    spur_node *h = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){2, 48, 48, 3});
    h = spur_relu(net, spur_conv2d(net, h, "conv1", 32, &same));
    h = spur_relu(net, spur_conv2d(net, h, "conv2", 64, &same));
    h = spur_max_pool2d(net, h, NULL);
    h = spur_relu(net, spur_conv2d(net, h, "conv3", 128, &same));
    h = spur_max_pool2d(net, h, NULL);
    h = spur_relu(net, spur_linear(net, spur_flatten(net, h), "fc1", 512, NULL));
    (void)spur_linear(net, spur_dropout(net, h, 0.5), "fc2", 10, NULL);
    spur_net_find_param(net, "conv1.bias")->trainable = false;
    char *text = summary_of(net);
    expect(text, "9,536,074 (9,536,042 trainable)");
    free(text);
    assert_int_equal(spur_net_build(net, NULL, NULL), SPUR_OK);
    text = summary_of(net);
    expect_80_columns(text);
    expect(text, "conv1 (conv2d)                     48x48x32                     896     1.99 M");
    expect(text, "18,496");
    expect(text, "73,856");
    expect(text, "9,437,696");
    expect(text, "18432");
    expect(text, "Memory at batch 2: 38.0 MiB");
    free(text);
    spur_net_destroy(net);
}

static void test_long_names_and_shared_layers(void **state) {
    (void)state;
    spur_net *net = spur_net_create(NULL);
    spur_push_scope(net, "a_very_long_name_of_an_encoder");
    spur_push_scope(net, "and_of_a_block_in_it");
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 5, (int64_t[]){2, 100, 100, 100, 1000});
    spur_node *a = spur_linear(net, x, "the_layer", 7, NULL);
    (void)spur_reuse(net, a, x);
    char *text = summary_of(net);
    expect_80_columns(text);
    expect(text, "the_layer (linear)");
    expect(text, "shared");
    expect(text, "7,007 (7,007 trainable)");
    free(text);
    spur_net_destroy(net);
}

static void test_a_broken_net(void **state) {
    (void)state;
    spur_net *net = spur_net_create(NULL);
    assert_null(spur_input(net, "x", SPUR_FLOAT32, 9, NULL));
    assert_int_equal(spur_net_summary(net, stdout), SPUR_E_SHAPE);
    spur_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_my_net),
        cmocka_unit_test(test_long_names_and_shared_layers),
        cmocka_unit_test(test_a_broken_net),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
