/* SPDX-License-Identifier: MIT
 *
 * For the tests of the writer: the events of a file, decoded by protobuf-c.
 */
#ifndef SPUR_TEST_LOGGER_WRITTEN_H
#define SPUR_TEST_LOGGER_WRITTEN_H

#include "event.pb-c.h"
#include "logger_test.h"

typedef struct written {
    Spur__Tb__Event *events[4096];
    size_t count;
} written;

static inline void take_event(void *user, const unsigned char *payload, size_t size) {
    written *w = user;
    assert_true(w->count < sizeof w->events / sizeof w->events[0]);
    w->events[w->count] = spur__tb__event__unpack(NULL, size, payload);
    assert_non_null(w->events[w->count]);
    w->count++;
}

/* All events of a file; forget() frees them. */
static inline written *read_written(const char *path) {
    written *w = calloc(1, sizeof *w);
    size_t left;
    each_record(path, &left, take_event, w);
    assert_int_equal(left, 0);
    return w;
}

static inline void forget(written *w) {
    for (size_t i = 0; i < w->count; i++) spur__tb__event__free_unpacked(w->events[i], NULL);
    free(w);
}

/* The one value of event i, which must be a summary in tensor form of this plugin. */
static inline const Spur__Tb__Summary__Value *value_at(const written *w, size_t i,
                                                       const char *plugin) {
    assert_true(i < w->count);
    const Spur__Tb__Event *e = w->events[i];
    assert_int_equal(e->what_case, SPUR__TB__EVENT__WHAT_SUMMARY);
    assert_int_equal(e->summary->n_value, 1);
    const Spur__Tb__Summary__Value *v = e->summary->value[0];
    assert_string_equal(v->metadata->plugin_data->plugin_name, plugin);
    assert_int_equal(v->metadata->data_class, 0);
    assert_int_equal(v->value_case, SPUR__TB__SUMMARY__VALUE__VALUE_TENSOR);
    assert_non_null(v->tensor->tensor_shape);
    return v;
}

/* The tensor's shape is these dims. */
static inline void assert_shape(const Spur__Tb__TensorProto *t, size_t rank, long a, long b,
                                long c) {
    const long dims[3] = {a, b, c};
    assert_int_equal(t->tensor_shape->n_dim, rank);
    for (size_t i = 0; i < rank; i++) assert_int_equal(t->tensor_shape->dim[i]->size, dims[i]);
}

#endif
