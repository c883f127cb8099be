/* SPDX-License-Identifier: MIT
 *
 * Histograms: DT_DOUBLE of shape [k, 3], rows (left, right, count), as tf.summary.histogram makes
 * them: equal widths from the smallest to the largest value, buckets closed at the left, the last
 * one at both ends. A single value: all rows are (value, value), the last one has the count. No
 * value: rows of zeros. NaN and infinite values would spoil the edges; they are left out.
 */
#include <math.h>
#include <string.h>

#include "kinds/array.h"
#include "base/memory.h"
#include "kinds/tensor.h"
#include "write/writer.h"

enum { BUCKETS_DEFAULT = 30, BUCKETS_MAX = 1000000 };

typedef struct range {
    double min, max;
    size_t finite;
    double scale; /* 1; or 1/2 where max - min would overflow */
    double width; /* of a bucket, scaled */
} range;

static range range_of(const spur_log_array *values, size_t k) {
    range r = {.min = INFINITY, .max = -INFINITY};
    for (size_t i = 0; i < values->count; i++) {
        double x = spur__element(values->data, values->type, i);
        if (!isfinite(x)) continue;
        if (x < r.min) r.min = x;
        if (x > r.max) r.max = x;
        r.finite++;
    }
    r.scale = isfinite(r.max - r.min) ? 1.0 : 0.5;
    r.width = k ? (r.max * r.scale - r.min * r.scale) / (double)k : 0.0;
    return r;
}

/* floor((x - min) / width) as TensorFlow has it, unless the width is too small for a double. */
static size_t bucket_of(double x, range r, size_t k) {
    double offset = x * r.scale - r.min * r.scale;
    double position = r.width > 0.0 ? offset / r.width : offset / (r.max - r.min) * (double)k;
    size_t i = position > 0.0 ? (size_t)position : 0;
    return i < k ? i : k - 1;
}

static double edge(range r, size_t i, size_t k) {
    if (i == 0) return r.min;
    if (i == k) return r.max;
    if (!(r.width > 0.0)) return r.min + (r.max - r.min) * ((double)i / (double)k);
    return (r.min * r.scale + r.width * (double)i) / r.scale;
}

/* Fills rows[k][3], which is zeroed. */
static void fill_rows(const spur_log_array *values, range r, double *rows, size_t k) {
    if (k == 0 || r.finite == 0) return;
    if (r.min == r.max) {
        for (size_t i = 0; i < k; i++) rows[3 * i] = rows[3 * i + 1] = r.min;
        rows[3 * k - 1] = (double)r.finite;
        return;
    }
    for (size_t i = 0; i < k; i++) {
        rows[3 * i] = edge(r, i, k);
        rows[3 * i + 1] = edge(r, i + 1, k);
    }
    for (size_t i = 0; i < values->count; i++) {
        double x = spur__element(values->data, values->type, i);
        if (isfinite(x)) rows[3 * bucket_of(x, r, k) + 2] += 1.0;
    }
}

static spur_status write_rows(spur_writer *w, const char *tag, int64_t step, const double *rows,
                              size_t k, const spur_log_options *options) {
    spur__tensor tensor;
    int64_t dims[2] = {(int64_t)k, 3};
    spur__tensor_init(&tensor, SPUR__TB__DATA_TYPE__DT_DOUBLE, dims, 2);
    spur__tensor_bytes(&tensor, rows, k * 3 * sizeof(double));
    spur__entry entry = {.kind = SPUR__TAG_HISTOGRAM,
                         .tag = tag,
                         .step = step,
                         .tensor = &tensor.proto,
                         .options = options};
    return spur__log_entry(w, &entry);
}

/* After the point was queued: each tag is told about once. */
static void count_left_out(spur_writer *w, const char *tag, int64_t step, size_t n) {
    size_t length = strlen(tag);
    pthread_mutex_lock(&w->queue.mutex);
    spur__tag *entry = spur__tags_find(&w->tags, spur__tag_hash(tag, length), tag, length);
    bool first = !(entry->warned & SPUR__WARN_NOT_FINITE);
    entry->warned |= SPUR__WARN_NOT_FINITE;
    w->nonfinite += n;
    pthread_mutex_unlock(&w->queue.mutex);
    if (first)
        spur__writer_warn(w, "histogram \"%.200s\", step %lld: %zu value%s not finite, left out",
                          tag, (long long)step, n, n == 1 ? " is" : "s are");
}

spur_status spur_log_histogram(spur_writer *w, const char *tag, int64_t step, spur_log_array values,
                               const spur_log_histogram_options *options) {
    spur_error err;
    if (!spur__alive(w)) return SPUR_OK;
    int wanted = options && options->buckets ? options->buckets : BUCKETS_DEFAULT;
    if (wanted > BUCKETS_MAX)
        return spur__point_failf(w, tag, step, SPUR_E_RANGE, "%d buckets; at most %d", wanted,
                                 BUCKETS_MAX);
    if (values.count && !values.data)
        return spur__point_failf(w, tag, step, SPUR_E_ARGUMENT, "the values are NULL");
    if (spur__check_type(values.type, &err) != SPUR_OK) return spur__point_fail(w, tag, step, &err);
    size_t k = wanted > 0 ? (size_t)wanted : 0;
    double *rows = spur__calloc(k * 3, sizeof *rows);
    if (!rows)
        return spur__point_failf(w, tag, step, SPUR_E_MEMORY, "%zu buckets: out of memory", k);
    range r = range_of(&values, k);
    fill_rows(&values, r, rows, k);
    spur_status status = write_rows(w, tag, step, rows, k, options ? &options->log : NULL);
    spur__free(rows);
    if (status == SPUR_OK && r.finite < values.count)
        count_left_out(w, tag, step, values.count - r.finite);
    return status;
}

/* ---- ready buckets ------------------------------------------------------------------------- */

static spur_status check_buckets(const spur_log_bucket *b, size_t count, spur_error *err) {
    if (count && !b) return spur__fail(err, SPUR_E_ARGUMENT, "the buckets are NULL");
    if (count > BUCKETS_MAX)
        return spur__fail(err, SPUR_E_RANGE, "%zu buckets; at most %d", count, BUCKETS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(b[i].left) || !isfinite(b[i].right) || !isfinite(b[i].count))
            return spur__fail(err, SPUR_E_NUMERIC, "bucket %zu: (%g, %g, %g) is not finite", i,
                              b[i].left, b[i].right, b[i].count);
        if (b[i].left > b[i].right || b[i].count < 0.0)
            return spur__fail(err, SPUR_E_RANGE,
                              "bucket %zu: (%g, %g, %g), expected left <= right and a count >= 0",
                              i, b[i].left, b[i].right, b[i].count);
        if (i > 0 && b[i].left < b[i - 1].right)
            return spur__fail(err, SPUR_E_RANGE,
                              "bucket %zu begins at %g, before the last one's end %g", i, b[i].left,
                              b[i - 1].right);
    }
    return SPUR_OK;
}

spur_status spur_log_histogram_buckets(spur_writer *w, const char *tag, int64_t step,
                                       const spur_log_bucket *buckets, size_t count,
                                       const spur_log_options *options) {
    spur_error err;
    size_t first = 0;
    if (!spur__alive(w)) return SPUR_OK;
    if (check_buckets(buckets, count, &err) != SPUR_OK) return spur__point_fail(w, tag, step, &err);
    while (first < count && buckets[first].count == 0.0) first++;
    while (count > first && buckets[count - 1].count == 0.0) count--;
    size_t k = count - first;
    double *rows = spur__malloc_array(k, 3 * sizeof *rows);
    if (!rows)
        return spur__point_failf(w, tag, step, SPUR_E_MEMORY, "%zu buckets: out of memory", k);
    for (size_t i = 0; i < k; i++) {
        rows[3 * i] = buckets[first + i].left;
        rows[3 * i + 1] = buckets[first + i].right;
        rows[3 * i + 2] = buckets[first + i].count;
    }
    spur_status status = write_rows(w, tag, step, rows, k, options);
    spur__free(rows);
    return status;
}
