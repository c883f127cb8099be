/* SPDX-License-Identifier: MIT
 *
 * Models by name: parameter counts of PyTorch's and torchvision's definitions, names, shapes of the
 * outputs for odd sizes, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <spur/models.h>
#include "graph/internal.h"

typedef struct built {
    spur_net *net;
    spur_node *logits;
} built;

static built make(const char *name, const char *options, const int64_t shape[4], int classes) {
    spur_error err = {0};
    built b = {.net = spur_net_create(&(spur_net_options){.threads = 1})};
    spur_node *x = spur_input(b.net, "x", SPUR_FLOAT32, 4, shape);
    b.logits = spur_model(b.net, name, x, classes, options, &err);
    if (!b.logits) fail_msg("%s", err.message);
    return b;
}

static int64_t values_of(const built *b, const char *prefix) {
    int64_t sum = 0;
    for (int i = 0; i < spur_net_param_count(b->net); i++) {
        const spur_param *p = spur_net_param(b->net, i);
        bool statistic = strstr(p->name, "running_") != NULL;
        if (!statistic && strncmp(p->name, prefix, strlen(prefix)) == 0) sum += (int64_t)p->count;
    }
    return sum;
}

static void test_my_net_counts(void **state) {
    built b = make("my_net", NULL, (int64_t[]){1, 48, 48, 3}, 10);
    (void)state;
    assert_int_equal(values_of(&b, "conv1."), 896);
    assert_int_equal(values_of(&b, "conv2."), 18496);
    assert_int_equal(values_of(&b, "conv3."), 73856);
    assert_int_equal(values_of(&b, "fc1."), 9437696);
    assert_int_equal(values_of(&b, "fc2."), 5130);
    spur_net_destroy(b.net);
}

/* Figures of torchvision's models with 1000 classes, and of segmentation_models_pytorch's Unet. */
static void test_known_counts(void **state) {
    static const struct {
        const char *name, *options, *param;
        int64_t count;
    } cases[] = {
        {"resnet18", NULL, "layer2.0.downsample.1.running_var", 11689512},
        {"resnet34", NULL, "layer3.5.conv2.weight", 21797672},
        {"resnet50", NULL, "layer1.0.downsample.0.weight", 25557032},
        {"resnet101", NULL, "layer3.22.bn3.running_var", 44549160},
        {"resnet152", NULL, "layer2.7.conv3.weight", 60192808},
        {"unet_resnet18", NULL, "decoder.blocks.4.conv2.1.running_mean", 14473064},
        {"unet_resnet34", NULL, "encoder.layer3.5.conv2.weight", 24581224},
        {"unet_resnet50", NULL, "segmentation_head.0.bias", 32665960},
        {"deeplabv3_resnet50", NULL, "classifier.0.convs.4.2.running_var", 39890472},
        {"deeplabv3_resnet101", "output_stride=16", "backbone.layer3.22.bn3.weight", 58882600},
        {"vgg16", NULL, "features.28.bias", 138357544},
        {"vgg16", "norm=batch", "features.41.running_mean", 138365992},
        {"mobilenet_v3_small", NULL, "features.1.block.1.fc2.bias", 2542856},
        {"mobilenet_v3_large", NULL, "features.16.1.running_var", 5483032},
        {"efficientnet_b0", NULL, "features.1.0.block.1.fc2.bias", 5288548},
        {"efficientnet_b1", NULL, "features.7.1.block.3.1.running_var", 7794184},
        {"efficientnet_b2", NULL, "features.8.1.weight", 9109994},
        {"efficientnet_b3", NULL, "features.2.2.block.0.0.weight", 12233232},
        {"efficientnet_b4", NULL, "features.6.7.block.1.0.weight", 19341616},
        {"efficientnet_b5", NULL, "features.5.6.block.2.fc1.weight", 30389784},
        {"efficientnet_b6", NULL, "classifier.1.bias", 43040704},
        {"efficientnet_b7", NULL, "features.1.3.block.0.0.weight", 66347960},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        built b = make(cases[i].name, cases[i].options, (int64_t[]){1, 224, 224, 3}, 1000);
        assert_int_equal(values_of(&b, ""), cases[i].count);
        if (!spur_net_find_param(b.net, cases[i].param))
            fail_msg("%s has no %s", cases[i].name, cases[i].param);
        spur_net_destroy(b.net);
    }
}

/* He's normal distribution where a rectifier follows, else PyTorch's defaults. */
static void test_initialisers(void **state) {
    static const struct {
        const char *model, *param;
        spur_init init;
    } cases[] = {
        {"resnet18", "layer2.0.conv1.weight", SPUR_INIT_HE_NORMAL},
        {"resnet18", "layer2.0.downsample.0.weight", SPUR_INIT_HE_NORMAL},
        {"resnet18", "fc.weight", SPUR_INIT_DEFAULT},
        {"resnet50", "layer1.0.conv3.weight", SPUR_INIT_HE_NORMAL},
        {"unet_resnet18", "encoder.conv1.weight", SPUR_INIT_HE_NORMAL},
        {"unet_resnet18", "decoder.blocks.1.conv1.0.weight", SPUR_INIT_HE_UNIFORM},
        {"unet_resnet18", "segmentation_head.0.weight", SPUR_INIT_XAVIER_UNIFORM},
        {"deeplabv3_resnet50", "backbone.layer4.0.conv2.weight", SPUR_INIT_HE_NORMAL},
        {"deeplabv3_resnet50", "classifier.0.convs.1.0.weight", SPUR_INIT_DEFAULT},
        {"vgg16", "features.5.weight", SPUR_INIT_HE_NORMAL},
        {"vgg16", "classifier.0.weight", SPUR_INIT_DEFAULT},
        {"mobilenet_v3_small", "features.0.0.weight", SPUR_INIT_HE_NORMAL},
        {"mobilenet_v3_small", "features.1.block.1.fc1.weight", SPUR_INIT_HE_NORMAL},
        {"efficientnet_b0", "features.0.0.weight", SPUR_INIT_HE_NORMAL},
        {"efficientnet_b0", "classifier.1.weight", SPUR_INIT_DEFAULT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        built b = make(cases[i].model, NULL, (int64_t[]){1, 64, 64, 3}, 5);
        const spur_param *param = spur_net_find_param(b.net, cases[i].param);
        assert_non_null(param);
        const spur__param_entry *entry = (const spur__param_entry *)(const void *)param;
        if (entry->spec.init != cases[i].init) fail_msg("%s", cases[i].param);
        spur_net_destroy(b.net);
    }
}

/* torchvision's stochastic_depth_prob * block / blocks, of the blocks that have a shortcut. */
static void test_stochastic_depth_grows(void **state) {
    static const int blocks[] = {2, 4, 6, 7, 9, 10, 12, 13, 14};
    size_t found = 0;
    built b = make("efficientnet_b0", "stochastic_depth=0.4", (int64_t[]){1, 32, 32, 3}, 5);
    (void)state;
    for (int i = 0; i < spur_net_node_count(b.net); i++) {
        const spur_node *node = spur_net_node(b.net, i);
        if (strcmp(spur_node_kind(node), "stochastic_depth") != 0) continue;
        assert_true(found < sizeof blocks / sizeof blocks[0]);
        const double rate = *(const double *)node->options;
        assert_true(rate > 0.4 * blocks[found] / 16 - 1e-12);
        assert_true(rate < 0.4 * blocks[found] / 16 + 1e-12);
        found++;
    }
    assert_int_equal(found, sizeof blocks / sizeof blocks[0]);
    spur_net_destroy(b.net);
}

static void test_pixels_of_any_size(void **state) {
    static const int64_t sizes[][2] = {{180, 240}, {33, 17}, {16, 16}, {1, 5}};
    static const struct {
        const char *name, *options;
    } models[] = {
        {"unet", NULL},
        {"unet", "up=bilinear norm=group dropout=0.1"},
        {"unet", "norm=none activation=silu depth=3"},
        {"unet_resnet18", NULL},
        {"deeplabv3_resnet50", NULL},
        {"deeplabv3_resnet50", "output_stride=16"},
    };
    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < sizeof models / sizeof models[0]; k++) {
            built b = make(models[k].name, models[k].options,
                           (int64_t[]){1, sizes[i][0], sizes[i][1], 3}, 11);
            const int64_t *shape = spur_node_shape(b.logits);
            assert_int_equal(shape[1], sizes[i][0]);
            assert_int_equal(shape[2], sizes[i][1]);
            assert_int_equal(shape[3], 11);
            spur_net_destroy(b.net);
        }
}

/* How large the features under the pyramid are, and the dilations of its convolutions. */
static void test_output_stride(void **state) {
    static const struct {
        const char *options;
        int side, dilations[6];
    } cases[] = {
        {"output_stride=8", 16, {1, 2, 2, 12, 24, 36}},
        {"output_stride=16", 8, {1, 1, 1, 6, 12, 18}},
    };
    static const char *const names[] = {"backbone.layer3.0.conv2", "backbone.layer3.5.conv2",
                                        "backbone.layer4.0.conv2", "classifier.0.convs.1.0",
                                        "classifier.0.convs.2.0",  "classifier.0.convs.3.0"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        built b = make("deeplabv3_resnet50", cases[i].options, (int64_t[]){1, 128, 128, 3}, 2);
        size_t found = 0;
        for (int n = 0; n < spur_net_node_count(b.net); n++) {
            const spur_node *node = spur_net_node(b.net, n);
            if (!strcmp(node->name, "classifier.1"))
                assert_int_equal(spur_node_shape(node)[1], cases[i].side);
            if (strcmp(spur_node_kind(node), "conv2d") != 0) continue;
            for (size_t k = 0; k < 6; k++) {
                if (strcmp(node->name, names[k]) != 0) continue;
                const spur_conv2d_options *o = node->options;
                assert_int_equal(o->dilation[0], cases[i].dilations[k]);
                found++;
            }
        }
        assert_int_equal(found, 6);
        spur_net_destroy(b.net);
    }
}

static void test_heads(void **state) {
    static const char *const names[] = {"mlp",
                                        "my_net",
                                        "cnn",
                                        "unet",
                                        "unet_resnet34",
                                        "deeplabv3_resnet101",
                                        "resnet18",
                                        "resnet50",
                                        "vgg16",
                                        "mobilenet_v3_small",
                                        "efficientnet_b0"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[64];
        built b = make(names[i], NULL, (int64_t[]){1, 32, 32, 3}, 7);
        size_t n = strlen(spur_model_head(names[i]));
        memcpy(name, spur_model_head(names[i]), n);
        memcpy(name + n, ".weight", 8);
        const spur_param *head = spur_net_find_param(b.net, name);
        if (!head) fail_msg("%s has no %s", names[i], name);
        assert_int_equal(head->shape[0], 7);
        spur_net_destroy(b.net);
    }
    assert_null(spur_model_head("alexnet"));
}

static void test_refusals(void **state) {
    static const struct {
        const char *name, *options;
        int rank, classes;
        const char *says;
    } cases[] = {
        {"resnet8", NULL, 4, 2, "did you mean 'resnet"},
        {"unet", "dept=3", 4, 2, "did you mean 'depth'"},
        {"unet", "norm=layer", 4, 2, "batch, group, none"},
        {"unet", NULL, 2, 2, "expected images [n][h][w][c]"},
        {"cnn", NULL, 4, 0, "found 0 classes"},
        {"vgg16", NULL, 4, 2, "model vgg16: layer"}, /* 8x8 does not survive five poolings */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spur_error err = {0};
        spur_net *net = spur_net_create(NULL);
        spur_node *x = spur_input(net, "x", SPUR_FLOAT32, cases[i].rank, (int64_t[]){1, 8, 8, 3});
        assert_null(spur_model(net, cases[i].name, x, cases[i].classes, cases[i].options, &err));
        if (!strstr(err.message, cases[i].says))
            fail_msg("'%s' does not say '%s'", err.message, cases[i].says);
        assert_int_equal(spur_net_build(net, NULL, NULL), err.status); /* without a model: no net */
        spur_net_destroy(net);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_my_net_counts),
                                       cmocka_unit_test(test_known_counts),
                                       cmocka_unit_test(test_initialisers),
                                       cmocka_unit_test(test_stochastic_depth_grows),
                                       cmocka_unit_test(test_pixels_of_any_size),
                                       cmocka_unit_test(test_output_stride),
                                       cmocka_unit_test(test_heads),
                                       cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
