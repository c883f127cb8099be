/* SPDX-License-Identifier: MIT
 *
 * Asks a value for its content as every kind; whatever the bytes are, an answer or an error.
 */
#ifndef SPUR_TEST_READ_EVERYTHING_H
#define SPUR_TEST_READ_EVERYTHING_H

#include <stdlib.h>
#include <string.h>

#include <spur/events.h>

/* All bytes of a slice can be read; their sum keeps the compiler from leaving it out. */
static inline unsigned touch(spur_slice slice) {
    unsigned sum = 0;
    for (size_t i = 0; i < slice.size; i++) sum += (unsigned char)slice.data[i];
    return sum;
}

static inline unsigned read_strings(const spur_value *value, spur_error *err) {
    unsigned sum = 0;
    spur_images images;
    spur_clips clips;
    spur_texts texts;
    if (spur_value_images(value, &images, err) == SPUR_OK) {
        for (size_t i = 0; i < images.count; i++) sum += touch(images.files[i]);
        spur_images_free(&images);
    }
    if (spur_value_audio(value, &clips, err) == SPUR_OK) {
        for (size_t i = 0; i < clips.count; i++)
            sum += touch(clips.clips[i].file) + touch(clips.clips[i].label);
        sum += touch(clips.content_type);
        spur_clips_free(&clips);
    }
    if (spur_value_texts(value, &texts, err) == SPUR_OK) {
        for (size_t i = 0; i < texts.rows * texts.columns; i++) sum += touch(texts.cells[i]);
        spur_texts_free(&texts);
    }
    return sum;
}

static inline double read_numbers(const spur_value *value, spur_error *err) {
    double sum = 0, number;
    spur_histogram h;
    spur_pr_curve curve;
    spur_mesh_part mesh;
    if (spur_value_scalar(value, &number, err) == SPUR_OK) sum += number;
    if (spur_value_histogram(value, &h, err) == SPUR_OK) {
        for (size_t i = 0; i < h.count; i++) sum += h.buckets[i].left + h.buckets[i].count;
        spur_histogram_free(&h);
    }
    if (spur_value_pr_curve(value, &curve, err) == SPUR_OK) {
        for (size_t i = 0; i < curve.thresholds; i++) sum += curve.recall[i];
        spur_pr_curve_free(&curve);
    }
    if (spur_value_mesh(value, &mesh, err) == SPUR_OK) {
        int64_t n = mesh.shape[0] * mesh.shape[1] * mesh.shape[2];
        for (int64_t i = 0; i < n; i++) sum += mesh.data[i];
        spur_mesh_part_free(&mesh);
    }
    return sum;
}

static inline unsigned read_value(const spur_value *value) {
    spur_error err;
    spur_hparams_record record;
    unsigned sum = touch(value->tag) + touch(value->plugin) + touch(value->plugin_content) +
                   touch(value->display_name) + touch(value->description) + touch(value->body);
    sum += read_strings(value, &err);
    volatile double numbers = read_numbers(value, &err);
    (void)numbers;
    if (spur_value_hparams(value, &record, &err) == SPUR_OK) {
        for (size_t i = 0; i < record.count; i++)
            sum += touch(record.values[i].name) + touch(record.values[i].text);
        sum += touch(record.group);
        spur_hparams_record_free(&record);
    }
    return sum;
}

#endif
