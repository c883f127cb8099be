/* SPDX-License-Identifier: MIT
 *
 * Framing: whole records, files cut at every byte, every bit flipped, growth, shrinkage, lengths
 * that lie, failing allocations.
 */
#include "read_helpers.h"

/* The complete records of the format's documentation: first record, scalar in tensor form, scalar
 * as simple_value. */
static const char first_hex[] =
    "3e00000000000000d9d240e70900000040fc54d9411a0d627261696e2e4576656e743a3252240a2274656e736f7266"
    "6c6f772e636f72652e7574696c2e6576656e74735f777269746572248c2258";
static const char tensor_hex[] =
    "2e00000000000000c5cb57fa0900002040fc54d94110072a210a1f0a046c6f7373420a0801120022040000803e4a0b"
    "0a090a077363616c61727338b6cc09";
static const char simple_hex[] =
    "1a00000000000000129bd82d0900002040fc54d94110072a0d0a0b0a046c6f7373150000803ec576518e";

enum { FIRST = 78, TENSOR = 62, SIMPLE = 42, ALL = FIRST + TENSOR + SIMPLE };

typedef struct fixture {
    char *directory;
    char path[300];
    unsigned char *bytes;
} fixture;

static int setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    char hex[sizeof first_hex + sizeof tensor_hex + sizeof simple_hex];
    size_t size;
    f->directory = make_directory();
    snprintf(f->path, sizeof f->path, "%s/events.out.tfevents.1", f->directory);
    snprintf(hex, sizeof hex, "%s%s%s", first_hex, tensor_hex, simple_hex);
    f->bytes = bytes_of_hex(hex, &size);
    assert_int_equal(size, ALL);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    remove_directory(f->directory);
    free(f->bytes);
    free(f);
    return 0;
}

static spur_records *open_bytes(fixture *f, const void *bytes, size_t size) {
    spur_records *records;
    spur_error err;
    write_file(f->path, bytes, size);
    assert_int_equal(spur_records_open(&records, f->path, &err), SPUR_OK);
    return records;
}

static void test_vectors(void **state) {
    fixture *f = *state;
    spur_records *records = open_bytes(f, f->bytes, ALL);
    spur_slice payload;
    spur_event event;
    assert_int_equal(spur_records_next(records, &payload, NULL), SPUR_OK);
    assert_int_equal(spur_event_decode(payload, &event, NULL), SPUR_OK);
    assert_int_equal(event.what, SPUR_EVENT_FILE_VERSION);
    assert_true(spur_slice_is(event.data, "brain.Event:2"));
    assert_true(spur_slice_is(event.writer, "tensorflow.core.util.events_writer"));
    assert_true(event.wall_time == 1700000000);
    for (int form = 0; form < 2; form++) {
        spur_value value = {0};
        assert_int_equal(spur_records_next(records, &payload, NULL), SPUR_OK);
        assert_int_equal(spur_event_decode(payload, &event, NULL), SPUR_OK);
        assert_true(event.wall_time == 1700000000.5);
        assert_int_equal(event.step, 7);
        assert_true(spur_event_value(&event, &value));
        assert_true(spur_slice_is(value.tag, "loss"));
        assert_int_equal(value.kind, SPUR_KIND_SCALAR);
        assert_int_equal(value.form, form ? SPUR_FORM_SIMPLE : SPUR_FORM_TENSOR);
        if (form) assert_true(value.simple == 0.25f);
        assert_false(spur_event_value(&event, &value));
    }
    assert_int_equal(spur_records_next(records, &payload, NULL), SPUR_E_END);
    assert_int_equal(spur_records_offset(records), ALL);
    spur_records_close(records);
}

/* Reads to the end; returns how it ended and counts the good records. */
static spur_status drain(spur_records *records, int *good, spur_error *err) {
    spur_slice payload;
    spur_status status;
    *good = 0;
    while ((status = spur_records_next(records, &payload, err)) == SPUR_OK) ++*good;
    return status;
}

static void test_cut_at_every_byte(void **state) {
    fixture *f = *state;
    for (size_t n = 0; n <= ALL; n++) {
        int good, more;
        spur_records *records = open_bytes(f, f->bytes, n);
        bool whole = n == 0 || n == FIRST || n == FIRST + TENSOR || n == ALL;
        assert_int_equal(drain(records, &good, NULL), whole ? SPUR_E_END : SPUR_E_AGAIN);
        assert_int_equal(good, (n >= FIRST) + (n >= FIRST + TENSOR) + (n >= ALL));
        /* the rest arrives: nothing is lost, nothing is seen twice */
        FILE *file = fopen(f->path, "ab");
        assert_int_equal(fwrite(f->bytes + n, 1, ALL - n, file), ALL - n);
        fclose(file);
        assert_int_equal(drain(records, &more, NULL), SPUR_E_END);
        assert_int_equal(good + more, 3);
        spur_records_close(records);
    }
}

static void test_every_bit_flip_is_noticed(void **state) {
    fixture *f = *state;
    for (size_t bit = 0; bit < ALL * 8; bit++) {
        spur_slice payload;
        spur_error err = {0};
        spur_status status;
        int good = 0, damaged = 0;
        size_t byte = bit / 8;
        uint64_t begin = byte < FIRST ? 0 : byte < FIRST + TENSOR ? FIRST : FIRST + TENSOR;
        f->bytes[byte] ^= (unsigned char)(1u << (bit % 8));
        spur_records *records = open_bytes(f, f->bytes, ALL);
        while ((status = spur_records_next(records, &payload, &err)) == SPUR_OK ||
               status == SPUR_E_DAMAGED) {
            good += status == SPUR_OK;
            if (status == SPUR_OK) continue;
            char place[64];
            damaged++;
            assert_int_equal(spur_records_offset(records), begin);
            snprintf(place, sizeof place, "at byte %d:", (int)begin);
            assert_non_null(strstr(err.message, f->path));
            assert_non_null(strstr(err.message, place));
            if (spur_records_stuck(records)) break;
        }
        assert_int_equal(damaged, 1);
        bool in_header = byte - begin < 12;
        assert_int_equal(spur_records_stuck(records), in_header);
        int before = (begin >= FIRST) + (begin >= FIRST + TENSOR);
        assert_int_equal(good, in_header ? before : 2);
        if (in_header) assert_int_equal(spur_records_next(records, &payload, NULL), SPUR_E_DAMAGED);
        spur_records_close(records);
        f->bytes[byte] ^= (unsigned char)(1u << (bit % 8));
    }
}

static void test_zero_tail(void **state) {
    fixture *f = *state;
    unsigned char bytes[FIRST + 100] = {0};
    int good;
    spur_error err;
    memcpy(bytes, f->bytes, FIRST);
    spur_records *records = open_bytes(f, bytes, sizeof bytes);
    assert_int_equal(drain(records, &good, &err), SPUR_E_DAMAGED);
    assert_int_equal(good, 1);
    assert_non_null(strstr(err.message, "zeros at byte 78"));
    spur_records_close(records);
}

static void test_shrunk(void **state) {
    fixture *f = *state;
    int good;
    spur_error err;
    spur_records *records = open_bytes(f, f->bytes, ALL);
    assert_int_equal(drain(records, &good, NULL), SPUR_E_END);
    assert_int_equal(truncate(f->path, FIRST), 0);
    assert_int_equal(drain(records, &good, &err), SPUR_E_DAMAGED);
    assert_non_null(strstr(err.message, "has shrunk to 78 bytes, 182 were already read"));
    assert_true(spur_records_stuck(records));
    spur_records_close(records);
}

/* A header that claims `length` bytes of payload, with a right checksum. */
static void claim(unsigned char header[12], uint64_t length) {
    put32(header, (uint32_t)length);
    put32(header + 4, (uint32_t)(length >> 32));
    put32(header + 8, spur__crc32c_mask(spur__crc32c(0, header, 8)));
}

static void test_length_that_lies(void **state) {
    fixture *f = *state;
    const uint64_t lengths[] = {1u << 20,        INT32_MAX,       UINT32_MAX, (uint64_t)1 << 40,
                                UINT64_MAX >> 1, UINT64_MAX - 15, UINT64_MAX};
    unsigned char header[12];
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        int good;
        claim(header, lengths[i]);
        spur_records *records = open_bytes(f, header, sizeof header);
        uint64_t before = spur__malloc_count();
        assert_int_equal(drain(records, &good, NULL), SPUR_E_AGAIN);
        assert_int_equal(spur__malloc_count(), before); /* no memory on the word of a file */
        assert_int_equal(good, 0);
        spur_records_close(records);
    }
}

/* 2 GiB of hole in one record: refused by its size, and the record behind it is read. */
static void test_too_large(void **state) {
    fixture *f = *state;
    unsigned char header[12];
    spur_slice payload;
    spur_error err;
    const uint64_t length = (uint64_t)1 << 31;
    claim(header, length);
    write_file(f->path, header, sizeof header);
    if (truncate(f->path, (off_t)(length + 16)) != 0) skip();
    FILE *file = fopen(f->path, "ab");
    append_record(file, "", 0);
    fclose(file);
    spur_records *records;
    assert_int_equal(spur_records_open(&records, f->path, &err), SPUR_OK);
    assert_int_equal(spur_records_next(records, &payload, &err), SPUR_E_RANGE);
    assert_non_null(strstr(err.message, "record of 2147483648 bytes at byte 0"));
    assert_int_equal(spur_records_next(records, &payload, &err), SPUR_OK);
    assert_int_equal(payload.size, 0);
    assert_int_equal(spur_records_offset(records), length + 16);
    assert_int_equal(spur_records_next(records, &payload, &err), SPUR_E_END);
    spur_records_close(records);
}

static void test_records_around_the_buffer(void **state) {
    fixture *f = *state;
    const size_t sizes[] = {0, 1, 1 << 17, (1 << 18) - 16, (1 << 18) - 15, 3 << 20, 7, 1 << 18};
    char *big = malloc((3 << 20) + 8);
    for (size_t i = 0; i < (3 << 20) + 8; i++) big[i] = (char)(i * 2654435761u >> 16);
    FILE *file = fopen(f->path, "wb");
    for (size_t i = 0; i < 8; i++) append_record(file, big + i, sizes[i] ? sizes[i] - 1 : 0);
    fclose(file);
    spur_records *records;
    spur_slice payload;
    assert_int_equal(spur_records_open(&records, f->path, NULL), SPUR_OK);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(spur_records_next(records, &payload, NULL), SPUR_OK);
        assert_int_equal(payload.size, sizes[i] ? sizes[i] - 1 : 0);
        assert_memory_equal(payload.data, big + i, payload.size);
    }
    assert_int_equal(spur_records_next(records, &payload, NULL), SPUR_E_END);
    spur_records_close(records);
    free(big);
}

static void test_open_errors(void **state) {
    fixture *f = *state;
    spur_records *records;
    spur_error err;
    assert_int_equal(spur_records_open(&records, f->path, &err), SPUR_E_NOTFOUND);
    assert_non_null(strstr(err.message, f->path));
    assert_null(records);
    assert_int_equal(spur_records_open(&records, f->directory, &err), SPUR_E_TYPE);
    assert_int_equal(mkfifo(f->path, 0600), 0); /* must not wait for a writer */
    assert_int_equal(spur_records_open(&records, f->path, &err), SPUR_E_TYPE);
    spur_records_close(NULL);
}

static void test_failing_allocations(void **state) {
    fixture *f = *state;
    char *big = calloc(2 << 20, 1);
    FILE *file = fopen(f->path, "wb");
    append_record(file, big, 2 << 20);
    append_record(file, "", 0);
    fclose(file);
    free(big);
    int failures = 0;
    for (uint64_t n = 1; n < 100; n++) {
        spur_records *records;
        spur_slice payload;
        spur_error err = {0};
        spur__fault_malloc(n);
        spur_status status = spur_records_open(&records, f->path, &err);
        if (status == SPUR_OK) status = spur_records_next(records, &payload, &err);
        spur__fault_malloc(0);
        if (status == SPUR_OK) {
            spur_records_close(records);
            break;
        }
        failures++;
        assert_int_equal(status, SPUR_E_MEMORY);
        assert_non_null(strstr(err.message, "out of memory"));
        if (!records) continue;
        assert_int_equal(spur_records_next(records, &payload, &err), SPUR_OK); /* tried again */
        assert_int_equal(payload.size, 2 << 20);
        spur_records_close(records);
    }
    assert_int_equal(failures, 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_vectors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_at_every_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_bit_flip_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_zero_tail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shrunk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_length_that_lies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_large, setup, teardown),
        cmocka_unit_test_setup_teardown(test_records_around_the_buffer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_open_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failing_allocations, setup, teardown),
    };
    return cmocka_run_group_tests_name("read_records", tests, NULL, NULL);
}
