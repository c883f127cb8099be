/* SPDX-License-Identifier: MIT
 *
 * Scalars, histograms, images, audio and text from a value, whatever form it was written in. The
 * shapes of the tensor forms are those of TensorBoard's plugins (summary_v2.py of each); what is
 * done to old forms follows tensorboard/data_compat.py.
 */
#include "read/internal.h"

#include <string.h>

#include "base/memory.h"
#include "read/wire.h"

/* A copy of a tag for a message: short, and without control characters. */
static const char *tag_text(spur_slice tag, char text[64]) {
    size_t n = tag.size < 60 ? tag.size : 57;
    for (size_t i = 0; i < n; i++) text[i] = (unsigned char)tag.data[i] < ' ' ? '?' : tag.data[i];
    memcpy(text + n, "...", 4);
    if (n == tag.size) text[n] = '\0';
    return text;
}

spur_status spur__content_error(spur_status status, const spur_value *value, spur_error *err) {
    char text[64];
    if (status != SPUR_OK) spur__error_prefix(err, "tag '%s'", tag_text(value->tag, text));
    return status;
}

spur_status spur__content_kind(const spur_value *value, const char *expected, spur_error *err) {
    char text[64];
    return spur__fail(err, SPUR_E_TYPE, "tag '%s': found %s%s, expected %s",
                      tag_text(value->tag, text), spur_kind_name(value->kind),
                      value->form == SPUR_FORM_NONE ? " without a value" : "", expected);
}

bool spur__content_is(const spur_value *value, spur_kind kind) {
    return value->form == SPUR_FORM_TENSOR &&
           (value->kind == kind || value->kind == SPUR_KIND_TENSOR);
}

/* ---- scalar --------------------------------------------------------------------------------- */

spur_status spur_value_scalar(const spur_value *value, double *out, spur_error *err) {
    if (value->form == SPUR_FORM_SIMPLE) {
        *out = (double)value->simple;
        return SPUR_OK;
    }
    if (!spur__content_is(value, SPUR_KIND_SCALAR))
        return spur__content_kind(value, "a scalar", err);
    const spur_tensor *tensor = &value->tensor;
    if (tensor->dtype == SPUR_DT_FLOAT && tensor->elements == 1 && tensor->content.size == 4) {
        *out = (double)wire_float(spur__load32(tensor->content.data)); /* nearly all of them */
        return SPUR_OK;
    }
    return spur__content_error(spur_tensor_numbers(tensor, out, 1, err), value, err);
}

/* ---- histogram ------------------------------------------------------------------------------ */

void spur_histogram_free(spur_histogram *histogram) {
    spur__free(histogram->buckets);
    *histogram = (spur_histogram){0};
}

static spur_status histogram_of_tensor(const spur_tensor *tensor, spur_histogram *out,
                                       spur_error *err) {
    double *numbers;
    size_t count;
    if (tensor->rank != 2 || tensor->shape[1] != 3)
        return spur__fail(err, SPUR_E_SHAPE, "histogram of rank %d, expected shape [n, 3]",
                          tensor->rank);
    SPUR__TRY(spur__tensor_load(tensor, &numbers, &count, err));
    out->count = count / 3;
    out->buckets = spur__malloc_array(out->count, sizeof *out->buckets);
    if (!out->buckets) {
        spur__free(numbers);
        return spur__fail(err, SPUR_E_MEMORY, "out of memory for %zu buckets", out->count);
    }
    for (size_t i = 0; i < out->count; i++)
        out->buckets[i] = (spur_bucket){numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2]};
    spur__free(numbers);
    return SPUR_OK;
}

/* All doubles of a repeated field, packed or not. With out = NULL only counts. */
static size_t repeated_doubles(spur_slice message, uint32_t number, double *out, bool *bad) {
    wire w = wire_of(message);
    size_t count = 0;
    for (wire_field f; wire_next(&w, &f);) {
        if (f.number != number) continue;
        if (f.type == WIRE_64) {
            if (out) out[count] = wire_double(f.value);
            count++;
        } else if (f.type == WIRE_BYTES) {
            if (f.bytes.size % 8 != 0) *bad = true;
            for (size_t i = 0; i + 8 <= f.bytes.size; i += 8, count++)
                if (out) out[count] = wire_double(spur__load64(f.bytes.data + i));
        }
    }
    if (w.bad) *bad = true;
    return count;
}

static bool histo_moments(spur_slice message, spur_histogram *out) {
    wire w = wire_of(message);
    double *const fields[] = {&out->min, &out->max, &out->num, &out->sum, &out->sum_squares};
    out->has_moments = true;
    for (wire_field f; wire_next(&w, &f);)
        if (f.type == WIRE_64 && f.number <= 5) *fields[f.number - 1] = wire_double(f.value);
    return !w.bad;
}

/* Fills out->buckets from limits and counts, without the empty buckets at both ends. */
static spur_status histo_buckets(const double *limits, const double *counts, size_t n,
                                 spur_histogram *out, spur_error *err) {
    size_t first = 0, end = n;
    while (first < n && !(counts[first] > 0)) first++;
    while (end > first && !(counts[end - 1] > 0)) end--;
    out->count = end - first;
    out->buckets = spur__malloc_array(out->count, sizeof *out->buckets);
    if (!out->buckets)
        return spur__fail(err, SPUR_E_MEMORY, "out of memory for %zu buckets", out->count);
    for (size_t i = first; i < end; i++)
        out->buckets[i - first] = (spur_bucket){i == first ? out->min : limits[i - 1],
                                                i + 1 == end ? out->max : limits[i], counts[i]};
    return SPUR_OK;
}

static spur_status histogram_of_histo(spur_slice message, spur_histogram *out, spur_error *err) {
    bool bad = !histo_moments(message, out);
    size_t n = repeated_doubles(message, 6, NULL, &bad);
    size_t m = repeated_doubles(message, 7, NULL, &bad);
    if (bad) return spur__fail(err, SPUR_E_FORMAT, "malformed histogram");
    if (n != m)
        return spur__fail(err, SPUR_E_SHAPE, "histogram with %zu limits and %zu counts", n, m);
    double *numbers = spur__malloc_array(n, 2 * sizeof *numbers);
    if (!numbers) return spur__fail(err, SPUR_E_MEMORY, "out of memory for %zu buckets", n);
    repeated_doubles(message, 6, numbers, &bad);
    repeated_doubles(message, 7, numbers + n, &bad);
    spur_status status = histo_buckets(numbers, numbers + n, n, out, err);
    spur__free(numbers);
    return status;
}

spur_status spur_value_histogram(const spur_value *value, spur_histogram *out, spur_error *err) {
    *out = (spur_histogram){0};
    spur_status status;
    if (value->form == SPUR_FORM_HISTO)
        status = histogram_of_histo(value->body, out, err);
    else if (spur__content_is(value, SPUR_KIND_HISTOGRAM))
        status = histogram_of_tensor(&value->tensor, out, err);
    else
        return spur__content_kind(value, "a histogram", err);
    if (status != SPUR_OK) spur_histogram_free(out);
    return spur__content_error(status, value, err);
}

/* ---- images --------------------------------------------------------------------------------- */

void spur_images_free(spur_images *images) {
    spur__free(images->files);
    *images = (spur_images){0};
}

/* A decimal text of the width or height; -1 when it is none. */
static int64_t decimal(spur_slice text) {
    int64_t value = 0;
    if (text.size == 0 || text.size > 10) return -1;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return -1;
        value = value * 10 + (text.data[i] - '0');
    }
    return value;
}

static spur_status images_of_tensor(const spur_tensor *tensor, spur_images *out, spur_error *err) {
    size_t count = 0;
    if (tensor->rank != 1 || tensor->elements < 2)
        return spur__fail(err, SPUR_E_SHAPE,
                          "image tensor of rank %d with %llu elements, expected [width, height, "
                          "file, ...]",
                          tensor->rank, (unsigned long long)tensor->elements);
    SPUR__TRY(spur__tensor_load_strings(tensor, &out->files, &count, err));
    out->width = decimal(out->files[0]);
    out->height = decimal(out->files[1]);
    if (out->width < 0 || out->height < 0)
        return spur__fail(err, SPUR_E_FORMAT, "image tensor without width and height in front");
    out->count = count - 2;
    memmove(out->files, out->files + 2, out->count * sizeof *out->files);
    return SPUR_OK;
}

static spur_status images_of_image(spur_slice message, spur_images *out, spur_error *err) {
    wire w = wire_of(message);
    out->files = spur__malloc(sizeof *out->files);
    if (!out->files) return spur__fail(err, SPUR_E_MEMORY, "out of memory for an image");
    out->count = 1;
    out->files[0] = (spur_slice){"", 0};
    for (wire_field f; wire_next(&w, &f);) {
        if (wire_key(&f) == WIRE_KEY(1, WIRE_VARINT)) out->height = (int32_t)(uint32_t)f.value;
        if (wire_key(&f) == WIRE_KEY(2, WIRE_VARINT)) out->width = (int32_t)(uint32_t)f.value;
        if (wire_key(&f) == WIRE_KEY(3, WIRE_VARINT)) out->colorspace = (int32_t)(uint32_t)f.value;
        if (wire_key(&f) == WIRE_KEY(4, WIRE_BYTES)) out->files[0] = f.bytes;
    }
    return w.bad ? spur__fail(err, SPUR_E_FORMAT, "malformed image") : SPUR_OK;
}

spur_status spur_value_images(const spur_value *value, spur_images *out, spur_error *err) {
    *out = (spur_images){0};
    spur_status status;
    if (value->form == SPUR_FORM_IMAGE)
        status = images_of_image(value->body, out, err);
    else if (spur__content_is(value, SPUR_KIND_IMAGE))
        status = images_of_tensor(&value->tensor, out, err);
    else
        return spur__content_kind(value, "images", err);
    if (status != SPUR_OK) spur_images_free(out);
    return spur__content_error(status, value, err);
}

/* ---- audio ---------------------------------------------------------------------------------- */

void spur_clips_free(spur_clips *clips) {
    spur__free(clips->clips);
    *clips = (spur_clips){0};
}

/* Encoding of AudioPluginData: 11 is WAV. */
static spur_slice audio_type(spur_slice content) {
    wire w = wire_of(content);
    spur_slice type = {"", 0};
    for (wire_field f; wire_next(&w, &f);)
        if (wire_key(&f) == WIRE_KEY(2, WIRE_VARINT) && f.value == 11)
            type = (spur_slice){"audio/wav", 9};
    return type;
}

static spur_status clips_of_tensor(const spur_value *value, spur_clips *out, spur_error *err) {
    const spur_tensor *tensor = &value->tensor;
    spur_slice *strings;
    size_t count, columns = tensor->rank == 2 ? 2 : 1;
    if (tensor->rank < 1 || tensor->rank > 2 || (tensor->rank == 2 && tensor->shape[1] != 2))
        return spur__fail(err, SPUR_E_SHAPE, "audio tensor of rank %d, expected [n, 2] or [n]",
                          tensor->rank);
    SPUR__TRY(spur__tensor_load_strings(tensor, &strings, &count, err));
    out->content_type = audio_type(value->plugin_content);
    out->count = count / columns;
    out->clips = spur__malloc_array(out->count, sizeof *out->clips);
    if (out->clips)
        for (size_t i = 0; i < out->count; i++) {
            spur_slice label = columns == 2 ? strings[2 * i + 1] : (spur_slice){"", 0};
            out->clips[i] = (spur_clip){strings[columns * i], label};
        }
    spur__free(strings);
    if (!out->clips) return spur__fail(err, SPUR_E_MEMORY, "out of memory for %zu clips", count);
    return SPUR_OK;
}

static spur_status clips_of_audio(spur_slice message, spur_clips *out, spur_error *err) {
    wire w = wire_of(message);
    out->clips = spur__malloc(sizeof *out->clips);
    if (!out->clips) return spur__fail(err, SPUR_E_MEMORY, "out of memory for a clip");
    out->count = 1;
    out->clips[0] = (spur_clip){{"", 0}, {"", 0}};
    out->content_type = (spur_slice){"", 0};
    for (wire_field f; wire_next(&w, &f);) {
        if (wire_key(&f) == WIRE_KEY(1, WIRE_32)) out->sample_rate = (double)wire_float(f.value);
        if (wire_key(&f) == WIRE_KEY(2, WIRE_VARINT)) out->channels = (int64_t)f.value;
        if (wire_key(&f) == WIRE_KEY(3, WIRE_VARINT)) out->frames = (int64_t)f.value;
        if (wire_key(&f) == WIRE_KEY(4, WIRE_BYTES)) out->clips[0].file = f.bytes;
        if (wire_key(&f) == WIRE_KEY(5, WIRE_BYTES)) out->content_type = f.bytes;
    }
    return w.bad ? spur__fail(err, SPUR_E_FORMAT, "malformed audio") : SPUR_OK;
}

spur_status spur_value_audio(const spur_value *value, spur_clips *out, spur_error *err) {
    *out = (spur_clips){0};
    spur_status status;
    if (value->form == SPUR_FORM_AUDIO)
        status = clips_of_audio(value->body, out, err);
    else if (spur__content_is(value, SPUR_KIND_AUDIO))
        status = clips_of_tensor(value, out, err);
    else
        return spur__content_kind(value, "audio", err);
    if (status != SPUR_OK) spur_clips_free(out);
    return spur__content_error(status, value, err);
}

/* ---- text ----------------------------------------------------------------------------------- */

void spur_texts_free(spur_texts *texts) {
    spur__free(texts->cells);
    *texts = (spur_texts){0};
}

spur_status spur_value_texts(const spur_value *value, spur_texts *out, spur_error *err) {
    *out = (spur_texts){0};
    size_t count;
    if (!spur__content_is(value, SPUR_KIND_TEXT) && !spur__content_is(value, SPUR_KIND_LAYOUT) &&
        !spur__content_is(value, SPUR_KIND_GRAPH))
        return spur__content_kind(value, "text", err);
    const spur_tensor *tensor = &value->tensor;
    spur_status status = spur__tensor_load_strings(tensor, &out->cells, &count, err);
    if (status != SPUR_OK) return spur__content_error(status, value, err);
    out->rank = tensor->rank;
    out->columns = tensor->rank > 1 ? (size_t)tensor->shape[tensor->rank - 1] : 1;
    out->rows = out->columns ? count / out->columns : 0;
    return SPUR_OK;
}
