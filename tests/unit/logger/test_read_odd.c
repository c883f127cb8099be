/* SPDX-License-Identifier: MIT
 *
 * What files of other writers have and the golden ones have not: numbers at the end of a type's range,
 * shapes that are only claimed, broken texts again and again, files that come late.
 */
#include "read_helpers.h"

#include "event.pb-c.h"

typedef struct one_value {
    Spur__Tb__Event event;
    Spur__Tb__Summary summary;
    Spur__Tb__Summary__Value value, *values[1];
    Spur__Tb__SummaryMetadata metadata;
    Spur__Tb__SummaryMetadata__PluginData plugin;
    Spur__Tb__TensorProto tensor;
    Spur__Tb__TensorShapeProto shape;
    Spur__Tb__TensorShapeProto__Dim dims[2], *list[2];
    unsigned char packed[512];
    size_t size;
} one_value;

/* An event of one scalar; what else it has is set before pack(). */
static void begin(one_value *e) {
    spur__tb__event__init(&e->event);
    spur__tb__summary__init(&e->summary);
    spur__tb__summary__value__init(&e->value);
    spur__tb__summary_metadata__init(&e->metadata);
    spur__tb__summary_metadata__plugin_data__init(&e->plugin);
    spur__tb__tensor_proto__init(&e->tensor);
    spur__tb__tensor_shape_proto__init(&e->shape);
    e->value.tag = "tag";
    e->value.value_case = SPUR__TB__SUMMARY__VALUE__VALUE_SIMPLE_VALUE;
    e->values[0] = &e->value;
    e->summary.n_value = 1;
    e->summary.value = e->values;
    e->event.wall_time = 1; /* as every event has one: the reader recognises no others */
    e->event.what_case = SPUR__TB__EVENT__WHAT_SUMMARY;
    e->event.summary = &e->summary;
}

static void give_tensor(one_value *e, Spur__Tb__DataType type, int64_t rows, int64_t columns) {
    for (int i = 0; i < 2; i++) {
        spur__tb__tensor_shape_proto__dim__init(&e->dims[i]);
        e->dims[i].size = i ? columns : rows;
        e->list[i] = &e->dims[i];
    }
    e->shape.n_dim = 2;
    e->shape.dim = e->list;
    e->tensor.dtype = type;
    e->tensor.tensor_shape = &e->shape;
    e->value.value_case = SPUR__TB__SUMMARY__VALUE__VALUE_TENSOR;
    e->value.tensor = &e->tensor;
}

static void pack(one_value *e) {
    e->size = spur__tb__event__get_packed_size(&e->event);
    assert_true(e->size <= sizeof e->packed);
    spur__tb__event__pack(&e->event, e->packed);
}

/* The value as the reader sees it. */
static spur_value read_back(one_value *e) {
    spur_event event;
    spur_value value = {0};
    pack(e);
    assert_int_equal(
        spur_event_decode((spur_slice){(const char *)e->packed, e->size}, &event, NULL), SPUR_OK);
    assert_true(spur_event_value(&event, &value));
    return value;
}

static void append_to(const char *directory, const char *name, const one_value *e) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    append_record(file, e->packed, e->size);
    fclose(file);
}

static void read_all(spur_run *run) {
    spur_event event;
    spur_status status;
    while ((status = spur_run_next(run, &event, NULL)) == SPUR_OK)
        for (spur_value value = {0}; spur_run_value(run, &event, &value);) continue;
    assert_int_equal(status, SPUR_E_END);
}

static void test_smallest_halves(void **state) {
    (void)state;
    static uint8_t bits[] = {0x01, 0x00, 0xff, 0x83, 0x00, 0x04, 0xff, 0x7b};
    static const double expected[] = {0x1p-24, -1023 * 0x1p-24, 0x1p-14, 65504};
    double numbers[4];
    one_value e;
    begin(&e);
    give_tensor(&e, SPUR__TB__DATA_TYPE__DT_HALF, 2, 2);
    e.tensor.tensor_content = (ProtobufCBinaryData){sizeof bits, bits};
    spur_value value = read_back(&e);
    assert_int_equal(spur_tensor_numbers(&value.tensor, numbers, 4, NULL), SPUR_OK);
    for (int i = 0; i < 4; i++) assert_true(numbers[i] == expected[i]);
}

/* One number may fill a tensor, but not take all the memory there is. */
static void test_claimed_shapes(void **state) {
    (void)state;
    float one = 1;
    spur_histogram histogram;
    one_value e;
    begin(&e);
    give_tensor(&e, SPUR__TB__DATA_TYPE__DT_FLOAT, 1000, 3);
    e.tensor.n_float_val = 1;
    e.tensor.float_val = &one;
    spur_value value = read_back(&e);
    assert_int_equal(spur_value_histogram(&value, &histogram, NULL), SPUR_OK);
    assert_int_equal(histogram.count, 1000);
    assert_true(histogram.buckets[999].count == 1);
    spur_histogram_free(&histogram);
    e.dims[0].size = 1 << 19;
    value = read_back(&e);
    assert_int_equal(spur_value_histogram(&value, &histogram, NULL), SPUR_E_SHAPE);
}

static void test_false_is_a_hyper_parameter(void **state) {
    (void)state;
    /* a session's start of one value: name "b", a bool */
    static uint8_t content[] = {0x1a, 0x09, 0x0a, 0x07, 0x0a, 0x01, 'b', 0x12, 0x02, 0x20, 0x00};
    spur_hparams_record record;
    one_value e;
    begin(&e);
    e.plugin.plugin_name = "hparams";
    e.plugin.content = (ProtobufCBinaryData){sizeof content, content};
    e.metadata.plugin_data = &e.plugin;
    e.value.metadata = &e.metadata;
    give_tensor(&e, SPUR__TB__DATA_TYPE__DT_FLOAT, 0, 0);
    for (int flag = 0; flag <= 1; flag++) {
        content[sizeof content - 1] = (uint8_t)flag;
        spur_value value = read_back(&e);
        assert_int_equal(spur_value_hparams(&value, &record, NULL), SPUR_OK);
        assert_int_equal(record.count, 1);
        assert_int_equal(record.values[0].type, SPUR_HPARAM_BOOL);
        assert_true(record.values[0].number == flag);
        spur_hparams_record_free(&record);
    }
}

/* Each of them is told: a value like the one before it is recognised only if that one was sound. */
static void test_every_broken_text_counts(void **state) {
    (void)state;
    char *directory = make_directory();
    spur_run *run;
    one_value e;
    begin(&e);
    e.metadata.display_name = "\xff";
    e.value.metadata = &e.metadata;
    for (int i = 0; i < 3; i++) {
        e.event.step = i + 1;
        pack(&e);
        append_to(directory, "a.tfevents", &e);
    }
    assert_int_equal(spur_run_open(&run, directory, NULL), SPUR_OK);
    read_all(run);
    assert_int_equal(spur_run_get_info(run).events, 3);
    assert_int_equal(spur_run_get_info(run).damage, 3);
    spur_run_close(run);
    remove_directory(directory);
}

/* Damage stays with its file when one appears whose name is before it. */
static void test_damage_of_a_file_that_moves(void **state) {
    (void)state;
    char *directory = make_directory();
    spur_run *run;
    one_value e;
    begin(&e);
    e.metadata.display_name = "\xff";
    e.value.metadata = &e.metadata;
    pack(&e);
    append_to(directory, "b.tfevents", &e);
    assert_int_equal(spur_run_open(&run, directory, NULL), SPUR_OK);
    read_all(run);
    append_to(directory, "a.tfevents", &e);
    read_all(run);
    assert_int_equal(spur_run_damage_count(run), 2);
    const char *const names[] = {"b.tfevents", "a.tfevents"};
    for (size_t i = 0; i < 2; i++) {
        const spur_damage *damage = spur_run_damage(run, i);
        assert_string_equal(spur_run_file_at(run, damage->file)->name, names[i]);
        assert_non_null(strstr(damage->message, names[i]));
    }
    spur_run_close(run);
    remove_directory(directory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smallest_halves),
        cmocka_unit_test(test_claimed_shapes),
        cmocka_unit_test(test_false_is_a_hyper_parameter),
        cmocka_unit_test(test_every_broken_text_counts),
        cmocka_unit_test(test_damage_of_a_file_that_moves),
    };
    return cmocka_run_group_tests_name("read_odd", tests, NULL, NULL);
}
