/* SPDX-License-Identifier: MIT
 *
 * A run recognises values that look like one before instead of decoding them: whatever the bytes,
 * it must see what decoding sees.
 */
#include "read_helpers.h"

#include "base/random.h"

enum { EVENTS_MAX = 256, ROUNDS = 60 };

typedef struct payloads {
    size_t count;
    spur_slice events[EVENTS_MAX];
} payloads;

static void load_payloads(payloads *all, const char *file) {
    char path[512];
    spur_records *records;
    spur_slice payload;
    snprintf(path, sizeof path, SPUR_TEST_SOURCE_DIR "/golden/events/%s", file);
    assert_int_equal(spur_records_open(&records, path, NULL), SPUR_OK);
    while (spur_records_next(records, &payload, NULL) == SPUR_OK) {
        char *copy = malloc(payload.size + 1);
        memcpy(copy, payload.data, payload.size);
        assert_true(all->count < EVENTS_MAX);
        all->events[all->count++] = (spur_slice){copy, payload.size};
    }
    spur_records_close(records);
}

/* Each payload several times: as it is, or with some bytes changed or a few swapped places. */
static void write_variants(const payloads *all, const char *path, spur__rng *rng) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < all->count; i++) {
            spur_slice from = all->events[spur__rng_below(rng, 8) ? i : spur__rng_below(rng, 20)];
            char *copy = malloc(from.size + 1);
            memcpy(copy, from.data, from.size);
            uint32_t changes = spur__rng_below(rng, 8) == 0 ? 1 + spur__rng_below(rng, 3) : 0;
            for (; changes > 0 && from.size > 0; changes--)
                copy[spur__rng_below(rng, (uint32_t)from.size)] ^=
                    (char)(1 << spur__rng_below(rng, 8));
            append_record(file, copy, from.size);
            free(copy);
        }
    assert_int_equal(fclose(file), 0);
}

static void same_slice(spur_slice a, spur_slice b) {
    assert_int_equal(a.size, b.size);
    if (a.size) assert_memory_equal(a.data, b.data, a.size);
}

static void same_value(const spur_value *a, const spur_value *b) {
    same_slice(a->tag, b->tag);
    same_slice(a->plugin, b->plugin);
    same_slice(a->plugin_content, b->plugin_content);
    same_slice(a->display_name, b->display_name);
    same_slice(a->description, b->description);
    same_slice(a->message, b->message);
    same_slice(a->body, b->body);
    same_slice(a->tensor.content, b->tensor.content);
    same_slice(a->tensor.message, b->tensor.message);
    assert_int_equal(a->form, b->form);
    assert_int_equal(a->has_metadata, b->has_metadata);
    assert_int_equal(a->data_class, b->data_class);
    assert_memory_equal(&a->simple, &b->simple, sizeof a->simple);
    assert_int_equal(a->tensor.dtype, b->tensor.dtype);
    assert_int_equal(a->tensor.rank, b->tensor.rank);
    assert_int_equal(a->tensor.elements, b->tensor.elements);
    for (int i = 0; i < a->tensor.rank; i++)
        assert_int_equal(a->tensor.shape[i], b->tensor.shape[i]);
    assert_int_equal(a->position, b->position);
    assert_int_equal(a->info->name_size, a->tag.size);
    assert_memory_equal(a->info->name, a->tag.data, a->tag.size);
}

static void test_same_as_decoding(void **state) {
    (void)state;
    payloads all = {0};
    spur__rng rng;
    spur_run *run;
    spur_records *records;
    spur_slice payload;
    spur_event event, plain;
    size_t values = 0, recognised = 0;
    char *directory = make_directory(), path[300];
    load_payloads(&all, "new/events.out.tfevents.1700000000.host.1.0.v2");
    load_payloads(&all, "old/events.out.tfevents.1700000000.host.1.0");
    load_payloads(&all, "odd/deep er/events.out.tfevents.1700000100.host.1.0");
    spur__rng_init(&rng, 3, SPUR__STREAM_TEST, 0, 0);
    snprintf(path, sizeof path, "%s/tfevents", directory);
    write_variants(&all, path, &rng);
    assert_int_equal(spur_run_open(&run, path, NULL), SPUR_OK);
    assert_int_equal(spur_records_open(&records, path, NULL), SPUR_OK);
    while (spur_run_next(run, &event, NULL) == SPUR_OK) {
        do assert_int_equal(spur_records_next(records, &payload, NULL), SPUR_OK);
        while (spur_event_decode(payload, &plain, NULL) == SPUR_E_FORMAT);
        assert_int_equal(event.step, plain.step);
        assert_int_equal(event.what, plain.what);
        recognised += event.match != NULL;
        spur_value a = {0}, b = {0};
        if (event.what != SPUR_EVENT_SUMMARY) continue;
        while (spur_run_value(run, &event, &a)) {
            assert_true(spur_event_value(&plain, &b));
            same_value(&a, &b);
            values++;
        }
        assert_false(spur_event_value(&plain, &b));
    }
    assert_true(values > 5000);
    assert_true(recognised > 500); /* or this test would show nothing */
    spur_records_close(records);
    spur_run_close(run);
    for (size_t i = 0; i < all.count; i++) free((void *)(uintptr_t)all.events[i].data);
    remove_directory(directory);
}

static void append_two(FILE *file, const char *first, const char *second) {
    char payload[512];
    size_t n = strlen(first), m = strlen(second);
    int size = snprintf(payload, sizeof payload, "\x2a%c", (int)(2 + n + 7 + 2 + m + 7));
    const char *const tags[] = {first, second};
    for (int i = 0; i < 2; i++) {
        size_t length = strlen(tags[i]);
        size += snprintf(payload + size, sizeof payload - (size_t)size, "\x0a%c\x0a%c%s\x15",
                         (int)(length + 7), (int)length, tags[i]);
        memcpy(payload + size, "\x01\x01\x80\x3f", 4);
        size += 4;
    }
    append_record(file, payload, (size_t)size);
}

/* Two values of one tag in an event, in different encodings, looked at twice. */
static void test_two_values_of_a_tag(void **state) {
    (void)state;
    char *directory = make_directory(), path[300];
    spur_run *run;
    spur_event event;
    snprintf(path, sizeof path, "%s/tfevents", directory);
    FILE *file = fopen(path, "wb");
    for (int i = 0; i < 3; i++) append_two(file, "t", "t");
    /* the same with a display name of 100 bytes in the second */
    char payload[512] = "\x2a\x7b\x0a\x08\x0a\x01t\x15\x01\x01\x80\x3f\x0a\x6f\x0a\x01t\x15\x01\x01"
                        "\x80\x3f\x4a\x65\x12\x63";
    memset(payload + 26, 'd', 99);
    append_record(file, payload, 2 + 0x7b);
    fclose(file);
    assert_int_equal(spur_run_open(&run, path, NULL), SPUR_OK);
    int events = 0;
    while (spur_run_next(run, &event, NULL) == SPUR_OK) {
        events++;
        for (spur_value value = {0}; spur_run_value(run, &event, &value);) {
        }
        int again = 0;
        for (spur_value value = {0}; spur_event_value(&event, &value); again++) {
            assert_true(spur_slice_is(value.tag, "t"));
            assert_true(value.message.data >= event.data.data);
            assert_true(value.display_name.size == (events == 4 && again == 1 ? 99 : 0));
        }
        assert_int_equal(again, 2);
    }
    assert_int_equal(events, 4);
    assert_int_equal(spur_run_damage_count(run), 0);
    spur_run_close(run);
    remove_directory(directory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_decoding),
        cmocka_unit_test(test_two_values_of_a_tag),
    };
    return cmocka_run_group_tests_name("read_template", tests, NULL, NULL);
}
