/* SPDX-License-Identifier: MIT
 *
 * ONNX models: what cannot be written is refused with a name; the same net gives the same bytes; a
 * failing write or allocation leaves the old file. What models compute is tested in conformance/.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <spur/loss.h>
#include <spur/weights.h>
#include "base/file.h"
#include "base/memory.h"
#include "graph/onnx_model.h"

static char folder[64], path[128];

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/spur_onnx_XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    return 0;
}

static int remove_folder(void **state) {
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

typedef struct fixture {
    spur_net *net;
    spur_node *x, *y, *logits, *loss;
} fixture;

static fixture make(bool build) {
    spur_error err = {0};
    fixture f = {.net = spur_net_create(&(spur_net_options){.threads = 1})};
    f.x = spur_input(f.net, "x", SPUR_FLOAT32, 4, (int64_t[]){2, 6, 5, 3});
    f.y = spur_input(f.net, "y", SPUR_INT32, 1, (int64_t[]){2});
    spur_node *h = spur_relu(f.net, spur_conv2d(f.net, f.x, "conv", 4, NULL));
    f.logits = spur_linear(f.net, spur_flatten(f.net, h), "fc", 3, NULL);
    f.loss = spur_cross_entropy(f.net, f.logits, f.y, NULL);
    if (build && spur_net_build(f.net, f.loss, &err) != SPUR_OK) fail_msg("%s", err.message);
    return f;
}

static void expect(spur_status wanted, const char *text, spur_net *net, spur_node *output,
                   const spur_onnx_options *options) {
    spur_error err = {0};
    assert_int_equal(spur_onnx_save(net, &output, 1, options, path, &err), wanted);
    if (!strstr(err.message, text) || !strstr(err.message, path))
        fail_msg("found '%s', expected '%s'", err.message, text);
    assert_false(spur__exists(path));
}

static void test_refused(void **state) {
    (void)state;
    fixture f = make(true), other = make(true), raw = make(false);
    static const float ones[3] = {1, 1, 1};
    spur_error err = {0};
    expect(SPUR_E_STATE, "not built", raw.net, raw.logits, NULL);
    expect(SPUR_E_ARGUMENT, "'x' is an input", f.net, f.x, NULL);
    expect(SPUR_E_ARGUMENT, "found NULL", f.net, NULL, NULL);
    expect(SPUR_E_ARGUMENT, "expected an output of this net, found fc", f.net, other.logits, NULL);
    expect(SPUR_E_ARGUMENT, "(cross_entropy) cannot be said in ONNX", f.net, f.loss, NULL);
    expect(SPUR_E_UTF8, "not valid UTF-8", f.net, f.logits, &(spur_onnx_options){.name = "\xff"});
    expect(SPUR_E_UTF8, "not valid UTF-8", f.net, f.logits,
           &(spur_onnx_options){.metadata = (const char *const[]){"key", "\xff", NULL}});
    assert_int_equal(spur_onnx_save(f.net, NULL, 0, NULL, path, &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_onnx_save(f.net, &f.logits, 1, NULL, NULL, &err), SPUR_E_ARGUMENT);
    spur_net_destroy(f.net);
    spur_net_destroy(other.net);
    spur_net_destroy(raw.net);

    spur_net *net = spur_net_create(NULL);
    spur_node *a = spur_input(net, "a", SPUR_FLOAT32, 2, (int64_t[]){2, 3});
    spur_node *b = spur_input(net, "b", SPUR_FLOAT32, 2, (int64_t[]){2, 3});
    spur_node *sum = spur_add(net, a, b);
    assert_int_equal(spur_net_build(net, NULL, &err), SPUR_OK);
    expect(SPUR_E_ARGUMENT, "found 'b' as well", net, sum,
           &(spur_onnx_options){.scale = ones, .shift = ones});
    spur_net_destroy(net);

    net = spur_net_create(NULL);
    spur_node *words = spur_input(net, "words", SPUR_INT32, 2, (int64_t[]){2, 3});
    spur_node *rows = spur_embedding(net, words, "e", 5, 3);
    assert_int_equal(spur_net_build(net, NULL, &err), SPUR_OK);
    expect(SPUR_E_ARGUMENT, "of float32, found 'words'", net, rows,
           &(spur_onnx_options){.scale = ones, .shift = ones});
    spur_net_destroy(net);
}

static void read_model(char **data, size_t *size) {
    spur_error err = {0};
    if (spur__file_read(path, 1 << 20, data, size, &err) != SPUR_OK) fail_msg("%s", err.message);
}

/* Two nets of one making, one of them after a forward run: nothing in the file depends on it. */
static void test_same_bytes(void **state) {
    char *first, *second;
    size_t n, m;
    (void)state;
    for (int i = 0; i < 2; i++) {
        fixture f = make(true);
        spur_error err = {0};
        if (i && spur_net_forward(f.net, SPUR_TRAIN, &err) != SPUR_OK) fail_msg("%s", err.message);
        if (spur_onnx_save(f.net, &f.logits, 1, NULL, path, &err) != SPUR_OK)
            fail_msg("%s", err.message);
        read_model(i ? &second : &first, i ? &m : &n);
        spur_net_destroy(f.net);
    }
    assert_int_equal(n, m);
    assert_memory_equal(first, second, n);
    spur__free(first);
    spur__free(second);
    unlink(path);
}

static const Spur__Onnx__TensorProto *constant(const Spur__Onnx__GraphProto *graph,
                                               const char *name) {
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (strcmp(graph->initializer[i]->name, name) == 0) return graph->initializer[i];
    fail_msg("no %s", name);
    return NULL;
}

/* Weights that the writer's buffer takes one at a time, read back; images are channels first. */
static void test_read_back(void **state) {
    static const int64_t sizes[] = {0, 3, 6, 5};
    enum { IN = 6 * 5 * 3, UNITS = 110 };
    static float weight[UNITS * UNITS];
    spur_error err = {0};
    spur_net *net = spur_net_create(&(spur_net_options){.threads = 1});
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 4, (int64_t[]){2, 6, 5, 3});
    spur_node *y = spur_linear(net, spur_flatten(net, x), "a", UNITS, NULL);
    char *data;
    size_t n;
    (void)state;
    y = spur_linear(net, spur_linear(net, y, "b", UNITS, NULL), "c", UNITS, NULL);
    assert_int_equal(spur_net_build(net, NULL, &err), SPUR_OK);
    const spur_onnx_options options = {.name = ""}; /* the checker of ONNX wants one */
    assert_int_equal(spur_onnx_save(net, &y, 1, &options, path, &err), SPUR_OK);
    read_model(&data, &n);
    Spur__Onnx__ModelProto *model = spur__onnx__model_proto__unpack(NULL, n, (const uint8_t *)data);
    assert_non_null(model);
    assert_string_equal(model->graph->name, "spur");
    const Spur__Onnx__TensorShapeProto *shape = model->graph->input[0]->type->tensor_type->shape;
    assert_int_equal(shape->n_dim, 4);
    assert_string_equal(shape->dim[0]->dim_param, "batch");
    for (int i = 1; i < 4; i++) assert_int_equal(shape->dim[i]->dim_value, sizes[i]);
    for (const char *layer = "abc"; *layer; layer++) {
        const char name[] = {*layer, '.', 'w', 'e', 'i', 'g', 'h', 't', '\0'};
        const spur_param *param = spur_net_find_param(net, name);
        const Spur__Onnx__TensorProto *tensor = constant(model->graph, name);
        spur_param_export(param, weight);
        assert_int_equal(tensor->dims[0], UNITS);
        assert_int_equal(tensor->dims[1], *layer == 'a' ? IN : UNITS);
        assert_int_equal(tensor->raw_data.len, param->count * sizeof(float));
        assert_memory_equal(tensor->raw_data.data, weight, tensor->raw_data.len);
    }
    spur__onnx__model_proto__free_unpacked(model, NULL);
    spur__free(data);
    spur_net_destroy(net);
    unlink(path);
}

static void test_faults(void **state) {
    (void)state;
    fixture f = make(true);
    spur_error err = {0};
    spur_status status = SPUR_E_IO;
    assert_int_equal(spur__file_write(path, "old", 3, &err), SPUR_OK);
    for (uint64_t n = 0; n < 1500; n += 100) {
        char *data;
        size_t size;
        spur__fault_write(n, ENOSPC);
        assert_int_equal(spur_onnx_save(f.net, &f.logits, 1, NULL, path, &err), SPUR_E_IO);
        spur__fault_write(0, 0);
        read_model(&data, &size);
        assert_string_equal(data, "old");
        spur__free(data);
    }
    uint64_t failed = 0;
    for (uint64_t n = 1; status != SPUR_OK; n++, failed++) {
        spur__fault_malloc(n);
        status = spur_onnx_save(f.net, &f.logits, 1, NULL, path, &err);
        spur__fault_malloc(0);
        if (status != SPUR_OK) assert_int_equal(status, SPUR_E_MEMORY);
    }
    assert_true(failed > 2);
    spur_net_destroy(f.net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_read_back),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
