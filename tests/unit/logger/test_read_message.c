/* SPDX-License-Identifier: MIT
 *
 * The reader walks protobuf on the wire; protobuf-c unpacks the same bytes. Both must see the same
 * in the golden files and in random events of every form; and no mutilated event may harm.
 */
#include "read_helpers.h"

#include "base/random.h"
#include "event.pb-c.h"
#include "fuzz/read_everything.h"

/* ---- comparing ------------------------------------------------------------------------------ */

static void same_text(spur_slice slice, const char *text) {
    assert_int_equal(slice.size, strlen(text));
    assert_memory_equal(slice.data, text, slice.size);
}

static void same_bytes(spur_slice slice, ProtobufCBinaryData data) {
    assert_int_equal(slice.size, data.len);
    if (data.len) assert_memory_equal(slice.data, data.data, data.len);
}

/* Compares the elements with the list of their type; only for tensors whose shape fits. */
static void same_list(const spur_tensor *tensor, const Spur__Tb__TensorProto *proto) {
    double numbers[64];
    size_t n = (size_t)tensor->elements;
    if (proto->tensor_content.len > 0 || tensor->rank < 0 || n > 64) return;
#define LIST(dtype_, member, type)                                                                 \
    if (tensor->dtype == (dtype_) && proto->n_##member == n) {                                     \
        assert_int_equal(spur_tensor_numbers(tensor, numbers, n, NULL), SPUR_OK);                  \
        for (size_t i = 0; i < n; i++) {                                                           \
            double expected = (double)(type)proto->member[i];                                      \
            assert_memory_equal(&numbers[i], &expected, sizeof expected);                          \
        }                                                                                          \
    }
    LIST(SPUR_DT_FLOAT, float_val, float)
    LIST(SPUR_DT_DOUBLE, double_val, double)
    LIST(SPUR_DT_INT32, int_val, int32_t)
    LIST(SPUR_DT_UINT8, int_val, uint8_t)
    LIST(SPUR_DT_INT16, int_val, int16_t)
    LIST(SPUR_DT_INT64, int64_val, int64_t)
    LIST(SPUR_DT_BOOL, bool_val, bool)
    LIST(SPUR_DT_UINT32, uint32_val, uint32_t)
    LIST(SPUR_DT_UINT64, uint64_val, uint64_t)
#undef LIST
}

static void same_tensor(const spur_tensor *tensor, const Spur__Tb__TensorProto *proto) {
    assert_int_equal(tensor->dtype, (int)proto->dtype);
    same_bytes(tensor->content, proto->tensor_content);
    if (!proto->tensor_shape) {
        assert_int_equal(tensor->rank, 0);
    } else if (proto->tensor_shape->unknown_rank) {
        assert_int_equal(tensor->rank, -1);
    } else if (tensor->rank >= 0) {
        assert_int_equal(tensor->rank, proto->tensor_shape->n_dim);
        for (int i = 0; i < tensor->rank; i++)
            assert_int_equal(tensor->shape[i], proto->tensor_shape->dim[i]->size);
    }
    same_list(tensor, proto);
}

static void same_metadata(const spur_value *value, const Spur__Tb__SummaryMetadata *proto) {
    assert_int_equal(value->has_metadata, proto != NULL);
    if (!proto) return;
    same_text(value->display_name, proto->display_name);
    same_text(value->description, proto->summary_description);
    assert_int_equal(value->data_class, (int)proto->data_class);
    same_text(value->plugin, proto->plugin_data ? proto->plugin_data->plugin_name : "");
    if (proto->plugin_data) same_bytes(value->plugin_content, proto->plugin_data->content);
}

static void same_value(const spur_value *value, const Spur__Tb__Summary__Value *proto) {
    same_text(value->tag, proto->tag);
    same_metadata(value, proto->metadata);
    switch (proto->value_case) {
    case SPUR__TB__SUMMARY__VALUE__VALUE_SIMPLE_VALUE:
        assert_int_equal(value->form, SPUR_FORM_SIMPLE);
        assert_memory_equal(&value->simple, &proto->simple_value, sizeof value->simple);
        break;
    case SPUR__TB__SUMMARY__VALUE__VALUE_HISTO:
        assert_int_equal(value->form, SPUR_FORM_HISTO);
        break;
    case SPUR__TB__SUMMARY__VALUE__VALUE_IMAGE:
        assert_int_equal(value->form, SPUR_FORM_IMAGE);
        break;
    case SPUR__TB__SUMMARY__VALUE__VALUE_AUDIO:
        assert_int_equal(value->form, SPUR_FORM_AUDIO);
        break;
    case SPUR__TB__SUMMARY__VALUE__VALUE_TENSOR:
        assert_int_equal(value->form, SPUR_FORM_TENSOR);
        same_tensor(&value->tensor, proto->tensor);
        break;
    default:
        assert_int_equal(value->form, SPUR_FORM_NONE);
        break;
    }
}

static void same_event(const spur_event *event, const Spur__Tb__Event *proto) {
    assert_memory_equal(&event->wall_time, &proto->wall_time, sizeof(double));
    assert_int_equal(event->step, proto->step);
    same_text(event->writer, proto->source_metadata ? proto->source_metadata->writer : "");
    spur_value value = {0};
    size_t n = 0;
    switch (proto->what_case) {
    case SPUR__TB__EVENT__WHAT_FILE_VERSION:
        assert_int_equal(event->what, SPUR_EVENT_FILE_VERSION);
        same_text(event->data, proto->file_version);
        break;
    case SPUR__TB__EVENT__WHAT_GRAPH_DEF:
        assert_int_equal(event->what, SPUR_EVENT_GRAPH);
        same_bytes(event->data, proto->graph_def);
        break;
    case SPUR__TB__EVENT__WHAT_SUMMARY:
        assert_int_equal(event->what, SPUR_EVENT_SUMMARY);
        for (; spur_event_value(event, &value); n++) same_value(&value, proto->summary->value[n]);
        assert_int_equal(n, proto->summary->n_value);
        break;
    case SPUR__TB__EVENT__WHAT_LOG_MESSAGE:
        assert_int_equal(event->code, (int)proto->log_message->level);
        same_text(event->data, proto->log_message->message);
        break;
    case SPUR__TB__EVENT__WHAT_SESSION_LOG:
        assert_int_equal(event->code, (int)proto->session_log->status);
        same_text(event->data, proto->session_log->msg);
        break;
    case SPUR__TB__EVENT__WHAT_TAGGED_RUN_METADATA:
        same_text(event->name, proto->tagged_run_metadata->tag);
        same_bytes(event->data, proto->tagged_run_metadata->run_metadata);
        break;
    case SPUR__TB__EVENT__WHAT_META_GRAPH_DEF:
        same_bytes(event->data, proto->meta_graph_def);
        break;
    default:
        assert_int_equal(event->what, SPUR_EVENT_NONE);
        break;
    }
}

/* ---- random events -------------------------------------------------------------------------- */

enum { POOL = 1 << 14 };

/* A random event and the memory of all its parts. */
typedef struct maker {
    spur__rng rng;
    _Alignas(16) char pool[POOL];
    size_t used;
    Spur__Tb__Event event;
    Spur__Tb__SourceMetadata source;
    Spur__Tb__LogMessage log;
    Spur__Tb__SessionLog session;
    Spur__Tb__TaggedRunMetadata run_metadata;
    Spur__Tb__Summary summary;
} maker;

static uint32_t below(maker *m, uint32_t n) {
    return spur__rng_below(&m->rng, n);
}

static void *take(maker *m, size_t size) {
    m->used = (m->used + 15) & ~(size_t)15;
    void *p = m->pool + m->used;
    m->used += size;
    assert_true(m->used <= POOL);
    return p;
}

static char *random_text(maker *m) {
    static const char *const parts[] = {"loss", "/", "ü", "", "a b", "\n", "0123456789", "scalars"};
    char *text = take(m, 64);
    text[0] = '\0';
    for (uint32_t i = below(m, 4); i > 0; i--) strncat(text, parts[below(m, 8)], 60 - strlen(text));
    return text;
}

static ProtobufCBinaryData random_bytes(maker *m, size_t most) {
    ProtobufCBinaryData data = {below(m, (uint32_t)most + 1), NULL};
    data.data = take(m, data.len + 1);
    for (size_t i = 0; i < data.len; i++) data.data[i] = (uint8_t)below(m, 256);
    return data;
}

static uint64_t random_bits(maker *m) {
    uint64_t x = (uint64_t)spur__rng_u32(&m->rng) << 32 | spur__rng_u32(&m->rng);
    return x >> below(m, 64);
}

static Spur__Tb__TensorShapeProto *random_shape(maker *m, size_t *elements) {
    Spur__Tb__TensorShapeProto *shape = take(m, sizeof *shape);
    spur__tb__tensor_shape_proto__init(shape);
    shape->unknown_rank = below(m, 8) == 0;
    shape->n_dim = below(m, 4);
    shape->dim = take(m, 4 * sizeof *shape->dim);
    *elements = 1;
    for (size_t i = 0; i < shape->n_dim; i++) {
        shape->dim[i] = take(m, sizeof **shape->dim);
        spur__tb__tensor_shape_proto__dim__init(shape->dim[i]);
        shape->dim[i]->size = below(m, 4);
        shape->dim[i]->name = random_text(m);
        *elements *= (size_t)shape->dim[i]->size;
    }
    return shape;
}

static void fill_list(maker *m, Spur__Tb__TensorProto *tensor, size_t n) {
    uint64_t *bits = take(m, (n + 1) * sizeof *bits);
    for (size_t i = 0; i < n; i++) bits[i] = random_bits(m);
    switch (tensor->dtype) {
#define LIST(dtype_, member, type)                                                                 \
    case dtype_:                                                                                   \
        tensor->n_##member = n;                                                                    \
        tensor->member = take(m, (n + 1) * sizeof(type));                                          \
        for (size_t i = 0; i < n; i++) tensor->member[i] = (type)bits[i];                          \
        break;
        LIST(SPUR__TB__DATA_TYPE__DT_FLOAT, float_val, float)
        LIST(SPUR__TB__DATA_TYPE__DT_DOUBLE, double_val, double)
        LIST(SPUR__TB__DATA_TYPE__DT_INT64, int64_val, int64_t)
        LIST(SPUR__TB__DATA_TYPE__DT_BOOL, bool_val, bool)
        LIST(SPUR__TB__DATA_TYPE__DT_UINT32, uint32_val, uint32_t)
        LIST(SPUR__TB__DATA_TYPE__DT_UINT64, uint64_val, uint64_t)
#undef LIST
    default:
        tensor->n_int_val = n;
        tensor->int_val = take(m, (n + 1) * sizeof(int32_t));
        for (size_t i = 0; i < n; i++) tensor->int_val[i] = (int32_t)(uint32_t)bits[i];
        break;
    }
}

static Spur__Tb__TensorProto *random_tensor(maker *m) {
    static const int dtypes[] = {1, 2, 3, 4, 5, 9, 10, 22, 23, 0};
    Spur__Tb__TensorProto *tensor = take(m, sizeof *tensor);
    size_t elements = 1;
    spur__tb__tensor_proto__init(tensor);
    tensor->dtype = (Spur__Tb__DataType)dtypes[below(m, 10)];
    if (below(m, 4)) tensor->tensor_shape = random_shape(m, &elements);
    if (below(m, 3) == 0)
        tensor->tensor_content = random_bytes(m, 32);
    else
        fill_list(m, tensor, elements);
    return tensor;
}

static Spur__Tb__SummaryMetadata *random_metadata(maker *m) {
    Spur__Tb__SummaryMetadata *metadata = take(m, sizeof *metadata);
    spur__tb__summary_metadata__init(metadata);
    metadata->display_name = random_text(m);
    metadata->summary_description = random_text(m);
    metadata->data_class = (Spur__Tb__DataClass)below(m, 4);
    if (below(m, 4)) {
        metadata->plugin_data = take(m, sizeof *metadata->plugin_data);
        spur__tb__summary_metadata__plugin_data__init(metadata->plugin_data);
        metadata->plugin_data->plugin_name = random_text(m);
        metadata->plugin_data->content = random_bytes(m, 16);
    }
    return metadata;
}

static void random_form(maker *m, Spur__Tb__Summary__Value *value) {
    switch (below(m, 6)) {
    case 0:
        value->value_case = SPUR__TB__SUMMARY__VALUE__VALUE_SIMPLE_VALUE;
        value->simple_value = spur__rng_normal(&m->rng);
        break;
    case 1:
        value->value_case = SPUR__TB__SUMMARY__VALUE__VALUE_HISTO;
        value->histo = take(m, sizeof *value->histo);
        spur__tb__histogram_proto__init(value->histo);
        value->histo->num = below(m, 100);
        break;
    case 2:
        value->value_case = SPUR__TB__SUMMARY__VALUE__VALUE_IMAGE;
        value->image = take(m, sizeof *value->image);
        spur__tb__summary__image__init(value->image);
        value->image->encoded_image_string = random_bytes(m, 40);
        break;
    case 3:
        value->value_case = SPUR__TB__SUMMARY__VALUE__VALUE_AUDIO;
        value->audio = take(m, sizeof *value->audio);
        spur__tb__summary__audio__init(value->audio);
        value->audio->content_type = random_text(m);
        break;
    case 4:
        break;
    default:
        value->value_case = SPUR__TB__SUMMARY__VALUE__VALUE_TENSOR;
        value->tensor = random_tensor(m);
        break;
    }
}

static void random_summary(maker *m) {
    spur__tb__summary__init(&m->summary);
    m->summary.n_value = below(m, 4);
    m->summary.value = take(m, 4 * sizeof *m->summary.value);
    for (size_t i = 0; i < m->summary.n_value; i++) {
        Spur__Tb__Summary__Value *value = take(m, sizeof *value);
        spur__tb__summary__value__init(value);
        value->tag = random_text(m);
        value->node_name = random_text(m);
        if (below(m, 2)) value->metadata = random_metadata(m);
        random_form(m, value);
        m->summary.value[i] = value;
    }
    m->event.summary = &m->summary;
}

static void random_event(maker *m) {
    Spur__Tb__Event *e = &m->event;
    m->used = 0;
    spur__tb__event__init(e);
    uint64_t bits = random_bits(m);
    memcpy(&e->wall_time, &bits, sizeof bits);
    e->step = (int64_t)random_bits(m) * (below(m, 2) ? 1 : -1);
    if (below(m, 4) == 0) {
        spur__tb__source_metadata__init(&m->source);
        m->source.writer = random_text(m);
        e->source_metadata = &m->source;
    }
    static const Spur__Tb__Event__WhatCase cases[] = {
        SPUR__TB__EVENT__WHAT_FILE_VERSION,   SPUR__TB__EVENT__WHAT_GRAPH_DEF,
        SPUR__TB__EVENT__WHAT_LOG_MESSAGE,    SPUR__TB__EVENT__WHAT_SESSION_LOG,
        SPUR__TB__EVENT__WHAT_META_GRAPH_DEF, SPUR__TB__EVENT__WHAT_TAGGED_RUN_METADATA,
        SPUR__TB__EVENT__WHAT__NOT_SET,       SPUR__TB__EVENT__WHAT_SUMMARY};
    uint32_t which = below(m, 16);
    e->what_case = cases[which < 7 ? which : 7];
    spur__tb__log_message__init(&m->log);
    spur__tb__session_log__init(&m->session);
    spur__tb__tagged_run_metadata__init(&m->run_metadata);
    switch (e->what_case) {
    case SPUR__TB__EVENT__WHAT_FILE_VERSION:
        e->file_version = random_text(m);
        break;
    case SPUR__TB__EVENT__WHAT_GRAPH_DEF:
        e->graph_def = random_bytes(m, 50);
        break;
    case SPUR__TB__EVENT__WHAT_META_GRAPH_DEF:
        e->meta_graph_def = random_bytes(m, 50);
        break;
    case SPUR__TB__EVENT__WHAT_LOG_MESSAGE:
        m->log.level = (Spur__Tb__LogMessage__Level)(10 * below(m, 5));
        m->log.message = random_text(m);
        e->log_message = &m->log;
        break;
    case SPUR__TB__EVENT__WHAT_SESSION_LOG:
        m->session.status = (Spur__Tb__SessionLog__SessionStatus)below(m, 4);
        m->session.checkpoint_path = random_text(m);
        m->session.msg = random_text(m);
        e->session_log = &m->session;
        break;
    case SPUR__TB__EVENT__WHAT_TAGGED_RUN_METADATA:
        m->run_metadata.tag = random_text(m);
        m->run_metadata.run_metadata = random_bytes(m, 20);
        e->tagged_run_metadata = &m->run_metadata;
        break;
    case SPUR__TB__EVENT__WHAT_SUMMARY:
        random_summary(m);
        break;
    default:
        break;
    }
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void test_random_events(void **state) {
    (void)state;
    maker *m = calloc(1, sizeof *m);
    spur__rng_init(&m->rng, 1, SPUR__STREAM_TEST, 0, 0);
    for (int i = 0; i < 20000; i++) {
        spur_event event;
        random_event(m);
        size_t size = spur__tb__event__get_packed_size(&m->event);
        uint8_t *packed = malloc(size + 1);
        spur__tb__event__pack(&m->event, packed);
        Spur__Tb__Event *proto = spur__tb__event__unpack(NULL, size, packed);
        assert_non_null(proto);
        spur_slice payload = {(const char *)packed, size};
        assert_int_equal(spur_event_decode(payload, &event, NULL), SPUR_OK);
        same_event(&event, proto);
        spur__tb__event__free_unpacked(proto, NULL);
        free(packed);
    }
    free(m);
}

/* Reads everything of an event that can be read; only sanitizers look at what happens. */
static void read_everything(const spur_event *event) {
    for (spur_value value = {0}; spur_event_value(event, &value);) read_value(&value);
}

static void test_mutilated_events(void **state) {
    (void)state;
    maker *m = calloc(1, sizeof *m);
    int refused = 0, not_utf8 = 0;
    spur__rng_init(&m->rng, 2, SPUR__STREAM_TEST, 0, 0);
    for (int i = 0; i < 20000; i++) {
        spur_event event;
        random_event(m);
        size_t size = spur__tb__event__get_packed_size(&m->event);
        uint8_t *packed = malloc(size + 1);
        spur__tb__event__pack(&m->event, packed);
        if (below(m, 2)) size = below(m, (uint32_t)size + 1);
        for (uint32_t k = below(m, 4); size > 0 && k > 0; k--)
            packed[below(m, (uint32_t)size)] = (uint8_t)below(m, 256);
        uint8_t *exact = malloc(size + (size == 0)); /* so that a byte too far is noticed */
        memcpy(exact, packed, size);
        spur_slice payload = {(const char *)exact, size};
        spur_status status = spur_event_decode(payload, &event, NULL);
        refused += status == SPUR_E_FORMAT;
        not_utf8 += status == SPUR_E_UTF8;
        if (status != SPUR_E_FORMAT) read_everything(&event);
        free(exact);
        free(packed);
    }
    assert_true(refused > 1000 && not_utf8 > 10);
    free(m);
}

static void test_golden_payloads(void **state) {
    (void)state;
    static const char *const files[] = {"new/events.out.tfevents.1700000000.host.1.0.v2",
                                        "old/events.out.tfevents.1700000000.host.1.0",
                                        "odd/deep er/events.out.tfevents.1700000100.host.1.0"};
    int seen = 0;
    for (size_t i = 0; i < 3; i++) {
        char path[512];
        spur_records *records;
        spur_slice payload;
        spur_event event;
        snprintf(path, sizeof path, SPUR_TEST_SOURCE_DIR "/golden/events/%s", files[i]);
        assert_int_equal(spur_records_open(&records, path, NULL), SPUR_OK);
        while (spur_records_next(records, &payload, NULL) == SPUR_OK) {
            Spur__Tb__Event *proto =
                spur__tb__event__unpack(NULL, payload.size, (const uint8_t *)payload.data);
            assert_non_null(proto);
            assert_int_equal(spur_event_decode(payload, &event, NULL), SPUR_OK);
            bool nul = false;
            for (size_t k = 0; k + 10 <= payload.size && !nul; k++)
                nul = memcmp(payload.data + k, "nul\0inside", 10) == 0;
            if (!nul) same_event(&event, proto); /* protobuf-c ends a text at NUL */
            spur__tb__event__free_unpacked(proto, NULL);
            seen++;
        }
        spur_records_close(records);
    }
    assert_int_equal(seen, 106);
}

/* Hand-made messages that writers do not produce. */
static void test_odd_encodings(void **state) {
    (void)state;
    static const struct {
        const char *hex;
        spur_status status;
    } cases[] = {
        {"", SPUR_OK}, /* an empty Event is one */
        {"09000000000000f03f", SPUR_OK},
        {"09000000000000f0", SPUR_E_FORMAT}, /* cut off */
        {"00", SPUR_E_FORMAT}, /* field number 0 */
        {"0f00", SPUR_E_FORMAT}, /* wire type 7 */
        {"0b0c", SPUR_E_FORMAT}, /* a group */
        {"10ffffffffffffffffff01", SPUR_OK}, /* step -1 */
        {"10ffffffffffffffffffff01", SPUR_E_FORMAT}, /* varint of eleven bytes */
        {"2a05", SPUR_E_FORMAT}, /* length beyond the end */
        {"2affffffffffffffffff01", SPUR_E_FORMAT},
        {"2a020a05", SPUR_E_FORMAT}, /* length beyond the enclosing message */
        {"a206020102", SPUR_OK}, /* an unknown field */
        {"1a02c328", SPUR_E_UTF8}, /* file_version that is not UTF-8 */
        {"2a060a040a02c328", SPUR_E_UTF8}, /* a tag that is not UTF-8 */
        {"12020000", SPUR_OK}, /* step with another wire type: unknown */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size;
        spur_event event;
        unsigned char *bytes = bytes_of_hex(cases[i].hex, &size);
        spur_slice payload = {(const char *)bytes, size};
        spur_status status = spur_event_decode(payload, &event, NULL);
        if (status != cases[i].status) fail_msg("%s: %s", cases[i].hex, spur_status_name(status));
        free(bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_payloads),
        cmocka_unit_test(test_random_events),
        cmocka_unit_test(test_mutilated_events),
        cmocka_unit_test(test_odd_encodings),
    };
    return cmocka_run_group_tests_name("read_message", tests, NULL, NULL);
}
