/* SPDX-License-Identifier: MIT
 *
 * A scalar patched into its tag's template has the bytes that protobuf-c packs.
 */
#include "written.h"

#include <math.h>

#include "kinds/tensor.h"
#include "kinds/scalar.h"
#include "write/writer.h"

/* What protobuf-c makes of the same scalar, field by field as the format's description says. */
static size_t pack(const char *tag, double wall_time, int64_t step, float value,
                   const spur_log_options *options, unsigned char *out) {
    Spur__Tb__Event event = SPUR__TB__EVENT__INIT;
    Spur__Tb__Summary summary = SPUR__TB__SUMMARY__INIT;
    Spur__Tb__Summary__Value v = SPUR__TB__SUMMARY__VALUE__INIT, *values[1] = {&v};
    Spur__Tb__SummaryMetadata metadata = SPUR__TB__SUMMARY_METADATA__INIT;
    Spur__Tb__SummaryMetadata__PluginData plugin = SPUR__TB__SUMMARY_METADATA__PLUGIN_DATA__INIT;
    Spur__Tb__TensorProto tensor = SPUR__TB__TENSOR_PROTO__INIT;
    Spur__Tb__TensorShapeProto shape = SPUR__TB__TENSOR_SHAPE_PROTO__INIT;
    char name[] = "scalars";
    plugin.plugin_name = name;
    metadata.plugin_data = &plugin;
    if (options->description)
        metadata.summary_description = (char *)(uintptr_t)options->description;
    if (options->display_name) metadata.display_name = (char *)(uintptr_t)options->display_name;
    tensor.dtype = SPUR__TB__DATA_TYPE__DT_FLOAT;
    tensor.tensor_shape = &shape;
    tensor.tensor_content.data = (uint8_t *)&value;
    tensor.tensor_content.len = sizeof value;
    v.tag = (char *)(uintptr_t)tag;
    v.metadata = &metadata;
    v.value_case = SPUR__TB__SUMMARY__VALUE__VALUE_TENSOR;
    v.tensor = &tensor;
    summary.n_value = 1;
    summary.value = values;
    event.wall_time = wall_time;
    event.step = step;
    event.what_case = SPUR__TB__EVENT__WHAT_SUMMARY;
    event.summary = &summary;
    return spur__tb__event__pack(&event, out);
}

static void compare(spur__template *t, const char *tag, double wall_time, int64_t step, float value,
                    const spur_log_options *options) {
    static unsigned char record[400000], expected[400000];
    size_t n = pack(tag, wall_time, step, value, options, expected);
    assert_true(spur__template_bound(t) <= sizeof record);
    size_t size = spur__template_fill(t, wall_time, step, value, record);
    assert_true(size <= spur__template_bound(t));
    spur__seal(record, size, size);
    assert_int_equal(size, n + 16);
    assert_int_equal(little_endian(record, 8), n);
    assert_int_equal(little_endian(record + 8, 4),
                     spur__crc32c_mask(spur__crc32c_portable(0, record, 8)));
    assert_memory_equal(record + 12, expected, n);
    assert_int_equal(little_endian(record + 12 + n, 4),
                     spur__crc32c_mask(spur__crc32c_portable(0, expected, n)));
}

static void test_equal_bytes(void **state) {
    (void)state;
    static char long_tag[60001], long_text[300001];
    memset(long_tag, 't', 60000);
    memset(long_text, 'd', 300000);
    const char *const tags[] = {"loss", "a", "train/grad \xe2\x88\x87", long_tag};
    const spur_log_options options[] = {{0},
                                        {.description = "a *b*"},
                                        {.display_name = "n"},
                                        {.description = long_text, .display_name = "n"}};
    const float values[] = {0, -0.0f, 1, -1.5f, 3.4e38f, 1e-45f, INFINITY, NAN};
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 4; k++) {
            spur__template t = {0};
            assert_int_equal(spur__template_make(&t, tags[i], &options[k], NULL), SPUR_OK);
            for (int bit = -1; bit < 64; bit++) {
                int64_t step = bit < 0 ? 0 : (int64_t)((uint64_t)1 << bit);
                for (int off = -1; off < 2 && bit < 62; off++)
                    compare(&t, tags[i], 1.7e9 + bit + 0.123456, step + off, values[(bit + 1) % 8],
                            &options[k]);
                compare(&t, tags[i], 1e-9, step, values[bit & 7], &options[k]);
            }
            spur__free(t.tail);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_equal_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
