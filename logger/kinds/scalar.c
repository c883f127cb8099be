/* SPDX-License-Identifier: MIT
 *
 * Scalars: DT_FLOAT of rank 0, the only form that both of TensorBoard's loaders show.
 *
 * All scalars of a tag differ in wall time, step and value only. protobuf-c packs the first one;
 * from then on those three are patched into a copy, which takes no allocation and some ten nanoseconds;
 * the rest of a call is the clock, a lock and finding the tag. A unit test compares the bytes with what
 * protobuf-c packs.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "kinds/scalar.h"
#include "write/writer.h"

/* Field headers of Event: 1 wall_time (fixed64), 2 step (varint). */
enum { KEY_TIME = 0x09, KEY_STEP = 0x10, TIME_SIZE = 9, VARINT_MAX = 10 };

static size_t put_varint(unsigned char *p, uint64_t x) {
    size_t n = 0;
    for (; x >= 0x80; x >>= 7) p[n++] = (unsigned char)(x | 0x80);
    p[n++] = (unsigned char)x;
    return n;
}

static void put_float(unsigned char *p, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)(bits >> (8 * i));
}

static void put_double(unsigned char *p, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 8; i++) p[i] = (unsigned char)(bits >> (8 * i));
}

/* Packs the tag's event at step 0 with the value's four bytes set to `fill`. */
static spur_status pack_with(const char *tag, const spur_log_options *options, int fill,
                             unsigned char **record, size_t *size, spur_error *err) {
    unsigned char bytes[4];
    Spur__Tb__TensorShapeProto shape = SPUR__TB__TENSOR_SHAPE_PROTO__INIT;
    Spur__Tb__TensorProto tensor = SPUR__TB__TENSOR_PROTO__INIT;
    spur__event_parts parts;
    memset(bytes, fill, sizeof bytes);
    tensor.dtype = SPUR__TB__DATA_TYPE__DT_FLOAT;
    tensor.tensor_shape = &shape;
    tensor.tensor_content.data = bytes;
    tensor.tensor_content.len = sizeof bytes;
    spur__entry entry = {
        .kind = SPUR__TAG_SCALAR, .tag = tag, .tensor = &tensor, .options = options};
    spur__event_of_entry(&entry, 1.0, &parts);
    return spur__event_pack(&parts.event, record, size, err);
}

/* Where the value's bytes are: the only place where the two packings differ. */
static size_t first_difference(const unsigned char *a, const unsigned char *b, size_t size) {
    size_t i = 0;
    while (i < size && a[i] == b[i]) i++;
    return i;
}

spur_status spur__template_make(spur__template *t, const char *tag, const spur_log_options *options,
                                spur_error *err) {
    unsigned char *zeros = NULL, *ones = NULL;
    size_t size;
    spur_status status;
    SPUR__TRY_GOTO(pack_with(tag, options, 0x00, &zeros, &size, err), done);
    SPUR__TRY_GOTO(pack_with(tag, options, 0xff, &ones, &size, err), done);
    size_t payload = size - SPUR__RECORD_FRAME, skip = SPUR__RECORD_HEAD + TIME_SIZE;
    t->value_at = first_difference(zeros + skip, ones + skip, payload - TIME_SIZE);
    t->tail_size = payload - TIME_SIZE;
    t->head_payload = 0;
    memmove(zeros, zeros + skip, t->tail_size);
    t->tail = zeros;
    zeros = NULL;
done:
    spur__free(zeros);
    spur__free(ones);
    return status;
}

size_t spur__template_bound(const spur__template *t) {
    return SPUR__RECORD_FRAME + TIME_SIZE + 1 + VARINT_MAX + t->tail_size;
}

size_t spur__template_fill(spur__template *t, double wall_time, int64_t step, float value,
                           unsigned char *record) {
    unsigned char *p = record + SPUR__RECORD_HEAD;
    *p++ = KEY_TIME;
    put_double(p, wall_time);
    p += 8;
    if (step != 0) {
        *p++ = KEY_STEP;
        p += put_varint(p, (uint64_t)step);
    }
    memcpy(p, t->tail, t->tail_size);
    put_float(p + t->value_at, value);
    p += t->tail_size;
    size_t payload = (size_t)(p - record) - SPUR__RECORD_HEAD;
    if (payload != t->head_payload) {
        spur__record_head(t->head, payload);
        t->head_payload = payload;
    }
    memcpy(record, t->head, SPUR__RECORD_HEAD);
    return payload + SPUR__RECORD_FRAME;
}

/* With the mutex held: the tag's entry with its template. */
static spur_status scalar_tag(spur_writer *w, const char *name, size_t length, uint64_t hash,
                              const spur_log_options *options, spur__tag **out, spur_error *err) {
    spur__tag *tag = spur__tags_find(&w->tags, hash, name, length);
    if (!tag || tag->kind != SPUR__TAG_SCALAR || !tag->scalar.tail) {
        SPUR__TRY(spur__tag_entry(w, name, length, hash, SPUR__TAG_SCALAR, &tag, err));
        SPUR__TRY(spur__template_make(&tag->scalar, name, options, err));
    }
    *out = tag;
    return SPUR_OK;
}

/* With the mutex held: a record that would fill much of the queue goes the way of the large ones. */
static spur_status queue_scalar(spur_writer *w, spur__tag *tag, double wall_time, int64_t step,
                                float value, spur_error *err) {
    unsigned char *record;
    size_t bound = spur__template_bound(&tag->scalar);
    if (bound <= w->queue.options.bytes / 4) {
        SPUR__TRY(spur__queue_reserve(&w->queue, bound, &record));
        size_t size = spur__template_fill(&tag->scalar, wall_time, step, value, record);
        spur__queue_commit(&w->queue, size);
        return SPUR_OK;
    }
    record = spur__malloc(bound);
    if (!record) return spur__fail(err, SPUR_E_MEMORY, "%zu bytes: out of memory", bound);
    size_t size = spur__template_fill(&tag->scalar, wall_time, step, value, record);
    return spur__queue_push(&w->queue, record, size);
}

static spur_status log_scalar(spur_writer *w, const char *name, int64_t step, double value,
                              double wall_time, const spur_log_options *options) {
    spur_error err;
    spur__tag *tag;
    unsigned flags = 0;
    size_t length = strlen(name);
    uint64_t hash = spur__tag_hash(name, length);
    err.status = SPUR_OK;
    pthread_mutex_lock(&w->queue.mutex);
    spur_status status = scalar_tag(w, name, length, hash, options, &tag, &err);
    if (status == SPUR_OK) status = queue_scalar(w, tag, wall_time, step, (float)value, &err);
    if (status == SPUR_OK) {
        flags = isfinite(value) && fabs(value) > 1e37 ? SPUR__WARN_HUGE : 0;
        flags = spur__tag_point(w, tag, step, flags | spur__tag_metadata(tag, options));
    }
    pthread_mutex_unlock(&w->queue.mutex);
    if (flags) spur__tell(w, name, step, flags);
    if (status == SPUR_OK) return SPUR_OK;
    return err.status != SPUR_OK ? spur__point_fail(w, name, step, &err)
                                 : spur__queue_result(w, status);
}

spur_status spur_log_scalar(spur_writer *w, const char *tag, int64_t step, double value) {
    if (!spur__alive(w)) return SPUR_OK;
    if (!tag) return spur__point_failf(w, tag, step, SPUR_E_ARGUMENT, "the tag is NULL");
    return log_scalar(w, tag, step, value, spur__wall_time(), NULL);
}

spur_status spur_log_scalar_with(spur_writer *w, const char *tag, int64_t step, double value,
                                 const spur_log_options *options) {
    spur_error err;
    double wall_time;
    if (!spur__alive(w)) return SPUR_OK;
    if (!tag) return spur__point_failf(w, tag, step, SPUR_E_ARGUMENT, "the tag is NULL");
    if (spur__wall_time_of(options, &wall_time, &err) != SPUR_OK)
        return spur__point_fail(w, tag, step, &err);
    if (spur__check_options(options, &err) != SPUR_OK) return spur__point_fail(w, tag, step, &err);
    return log_scalar(w, tag, step, value, wall_time, options);
}
