/* SPDX-License-Identifier: MIT
 *
 * safetensors files by their format (https://huggingface.co/docs/safetensors): what we write, byte by byte,
 * types and orders that others write, and hostile headers.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <spur/nn.h>
#include <spur/weights.h>
#include "base/file.h"
#include "base/memory.h"
#include "weights/safetensors.h"
#include "unit/weights/folder.h"

/* Writes bytes with a header of the given text. */
static void write_file(const char *path, const char *header, const void *data, size_t n) {
    unsigned char length[8] = {0};
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)(strlen(header) >> 8 * i & 255);
    fwrite(length, 1, 8, file);
    fwrite(header, 1, strlen(header), file);
    fwrite(data, 1, n, file);
    fclose(file);
}

static void test_hostile_headers(void **state) {
    static const struct {
        const char *header;
        size_t bytes;
        const char *says;
    } cases[] = {
        {"", 0, "no JSON object"},
        {"[1,2]", 0, "no JSON object"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}", 8, "no JSON object"},
        {"{\"a\":3}", 0, "tensor 'a'"},
        {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "unknown dtype"},
        {"{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "unknown dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,12]}}", 12, "12 bytes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}", 8, "0 to 12"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,8]}}", 8, "whole number"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,8]}}", 8, "whole number"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4294967296],"
         "\"data_offsets\":[0,8]}}",
         8, "larger than memory"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
         "more than 8 axes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4503599627370496,2048],\"data_offsets\":[0,8]}}", 8,
         "larger than memory"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "8 to 0"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, "gap"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
         12, "overlap"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
         8, "twice"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8, "no tensor"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 4, "two whole"},
        {"{\"\xc3\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "UTF-8"},
    };
    const char data[16] = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spur_error err = {0};
        spur__safetensors file;
        write_file(in_folder("hostile"), cases[i].header, data, cases[i].bytes);
        assert_int_equal(spur__safetensors_open(&file, in_folder("hostile"), &err), SPUR_E_FORMAT);
        if (!strstr(err.message, cases[i].says) || !strstr(err.message, "hostile"))
            fail_msg("case %zu: '%s' does not say '%s'", i, err.message, cases[i].says);
    }
}

static void test_other_types(void **state) {
    static const double wide[] = {1.5, -2};
    static const uint16_t half[] = {0x3e00, 0xc000, 0x0001, 0x7c00, 0x8003, 0xfe00};
    static const uint16_t brain[] = {0x3fc0, 0xc000};
    unsigned char data[32];
    float values[6];
    spur_error err = {0};
    spur__safetensors file;
    (void)state;
    memcpy(data, wide, 16);
    memcpy(data + 16, half, 12);
    memcpy(data + 28, brain, 4);
    write_file(in_folder("types"),
               "{\"wide\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]},"
               "\"half\":{\"dtype\":\"F16\",\"shape\":[6],\"data_offsets\":[16,28]},"
               "\"brain\":{\"dtype\":\"BF16\",\"shape\":[1,2],\"data_offsets\":[28,32]}}",
               data, sizeof data);
    assert_int_equal(spur__safetensors_open(&file, in_folder("types"), &err), SPUR_OK);
    const char *names[] = {"wide", "half", "brain"};
    for (int i = 0; i < 3; i++) {
        const spur__tensor *t = spur__tensors_find(&file.tensors, names[i]);
        assert_int_equal(spur__safetensors_read(&file, t, values, &err), SPUR_OK);
        assert_true(values[0] == 1.5f && values[1] == -2);
        if (i != 1) continue;
        assert_true(values[2] == 0x1p-24f && values[3] == INFINITY);
        assert_true(values[4] == -0x3p-24f && isnan(values[5]));
    }
    spur__safetensors_close(&file);
}

/* More values than are converted at a time: whole numbers, which every type holds. */
static void test_many_values(void **state) {
    enum { COUNT = 9000 };
    static uint16_t brain[COUNT];
    static float values[COUNT];
    static double wide[COUNT];
    static unsigned char data[10 * COUNT];
    spur__safetensors file;
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        float whole = (float)(i / 64);
        uint32_t bits;
        memcpy(&bits, &whole, 4);
        brain[i] = (uint16_t)(bits >> 16);
        wide[i] = (double)whole;
    }
    memcpy(data, wide, sizeof wide);
    memcpy(data + sizeof wide, brain, sizeof brain);
    write_file(in_folder("many"),
               "{\"wide\":{\"dtype\":\"F64\",\"shape\":[9000],\"data_offsets\":[0,72000]},"
               "\"brain\":{\"dtype\":\"BF16\",\"shape\":[9000],\"data_offsets\":[72000,90000]}}",
               data, sizeof data);
    assert_int_equal(spur__safetensors_open(&file, in_folder("many"), NULL), SPUR_OK);
    for (int k = 0; k < 2; k++) {
        const spur__tensor *t = spur__tensors_find(&file.tensors, k ? "brain" : "wide");
        memset(values, 0, sizeof values);
        assert_int_equal(spur__safetensors_read(&file, t, values, NULL), SPUR_OK);
        for (int i = 0; i < COUNT; i++)
            if (values[i] != (float)(i / 64)) fail_msg("%d of type %d: %g", i, k, values[i]);
    }
    spur__safetensors_close(&file);
}

/* Files may hold what no parameter asks for: three values of each type, whose sizes are the format's. */
static void test_sizes_of_types(void **state) {
    static const struct {
        const char *dtype;
        size_t bytes;
    } cases[] = {{"F64", 8},  {"F32", 4}, {"F16", 2},     {"BF16", 2},   {"I64", 8}, {"I32", 4},
                 {"I16", 2},  {"I8", 1},  {"U64", 8},     {"U32", 4},    {"U16", 2}, {"U8", 1},
                 {"BOOL", 1}, {"C64", 8}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};
    const char data[24] = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char header[100];
        spur_error err = {0};
        spur__safetensors file;
        snprintf(header, sizeof header,
                 "{\"a\":{\"dtype\":\"%s\",\"shape\":[3],\"data_offsets\":[0,%zu]}}",
                 cases[i].dtype, 3 * cases[i].bytes);
        write_file(in_folder("sizes"), header, data, 3 * cases[i].bytes);
        if (spur__safetensors_open(&file, in_folder("sizes"), &err) != SPUR_OK)
            fail_msg("%s", err.message);
        spur__safetensors_close(&file);
    }
}

/* Tensors in any order, one without values where another begins, and a name that only looks special. */
static void test_orders(void **state) {
    static const float data[] = {1, 2, 3};
    float values[2];
    spur_error err = {0};
    spur__safetensors file;
    (void)state;
    write_file(in_folder("orders"),
               "{\"__z\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]},"
               "\"none\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[4,4]},"
               "\"__metadata__\":{\"format\":\"pt\"},"
               "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}   ",
               data, sizeof data);
    if (spur__safetensors_open(&file, in_folder("orders"), &err) != SPUR_OK)
        fail_msg("%s", err.message);
    assert_int_equal(file.tensors.count, 3);
    const spur__tensor *t = spur__tensors_find(&file.tensors, "__z");
    assert_non_null(t);
    assert_int_equal(spur__safetensors_read(&file, t, values, &err), SPUR_OK);
    assert_true(values[0] == 2 && values[1] == 3);
    assert_int_equal(spur__tensors_find(&file.tensors, "a")->rank, 0);
    spur__safetensors_close(&file);
}

/* What PyTorch's strict loading and the format ask for: the length of the header in front of it, values
 * aligned to 8 bytes, one range after the other, the metadata, and the counter of a batch norm. */
static void test_written_bytes(void **state) {
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"n.weight\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]},"
        "\"n.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[12,24]},"
        "\"n.running_mean\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[24,36]},"
        "\"n.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[36,44]},"
        "\"n.running_var\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[44,56]}}";
    static const float values[] = {1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1};
    const size_t length = (sizeof header - 1 + 7) / 8 * 8;
    char *bytes;
    size_t size;
    spur_error err = {0};
    spur_net *net = spur_net_create(NULL);
    (void)state;
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){2, 3});
    assert_non_null(spur_batch_norm(net, x, "n", NULL));
    assert_int_equal(spur_net_build(net, NULL, &err), SPUR_OK);
    assert_int_equal(spur_weights_save(net, in_folder("written"), &err), SPUR_OK);
    assert_int_equal(spur__file_read(in_folder("written"), 1 << 16, &bytes, &size, &err), SPUR_OK);
    assert_int_equal(size, 8 + length + sizeof values);
    for (int i = 0; i < 8; i++) assert_int_equal((unsigned char)bytes[i], length >> 8 * i & 255);
    assert_memory_equal(bytes + 8, header, sizeof header - 1);
    for (size_t i = sizeof header - 1; i < length; i++) assert_int_equal(bytes[8 + i], ' ');
    assert_memory_equal(bytes + 8 + length, values, sizeof values);
    spur__free(bytes);
    spur_weights_load_report report;
    assert_int_equal(spur_weights_load(net, in_folder("written"), NULL, &report, &err), SPUR_OK);
    assert_true(report.loaded == 4 && report.unused == 0);
    spur_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_bytes),  cmocka_unit_test(test_orders),
        cmocka_unit_test(test_sizes_of_types), cmocka_unit_test(test_other_types),
        cmocka_unit_test(test_many_values),    cmocka_unit_test(test_hostile_headers),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
