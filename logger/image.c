/* SPDX-License-Identifier: MIT
 *
 * Images: DT_STRING of rank 1, [width, height, file 0, file 1, ...] with the sizes as ASCII numbers.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "base/memory.h"
#include "image_size.h"
#include "png_write.h"
#include "tensor.h"
#include "writer.h"

enum { OUTPUTS_DEFAULT = 3, COMPRESSION_DEFAULT = 3, SIDE_MAX = 65535 };

/* ---- pixels -------------------------------------------------------------------------------- */

/* 0..1 to 0..255 as tf.image.convert_image_dtype(saturate=True) does: times 255.5 and
 * cut off. NaN becomes 0. */
static uint8_t byte_of(double x) {
    if (!(x > 0.0)) return 0;
    if (x >= 1.0) return 255;
    return (uint8_t)(x * 255.5);
}

static spur_status check_images(const spur_log_images *images, spur_error *err) {
    if (!images) return spur__fail(err, SPUR_E_ARGUMENT, "the images are NULL");
    if (images->type != SPUR_LOG_U8 && images->type != SPUR_LOG_F32 && images->type != SPUR_LOG_F64)
        return spur__fail(err, SPUR_E_TYPE, "images are U8, F32 or F64, not %s",
                          spur__type_name(images->type));
    if (images->count < 0 || images->height < 1 || images->width < 1 || images->height > SIDE_MAX ||
        images->width > SIDE_MAX)
        return spur__fail(err, SPUR_E_SHAPE, "%d images of height %d and width %d", images->count,
                          images->height, images->width);
    if (images->channels < 1 || images->channels > 4)
        return spur__fail(err, SPUR_E_SHAPE, "images of %d channels, expected 1 to 4",
                          images->channels);
    if (images->count > 0 && !images->pixels)
        return spur__fail(err, SPUR_E_ARGUMENT, "the pixels are NULL");
    return SPUR_OK;
}

static size_t elements(const spur_log_images *images) {
    return (size_t)images->height * (size_t)images->width * (size_t)images->channels;
}

/* PNG of image i; `scratch` holds elements(images) bytes unless the pixels are bytes already. */
static spur_status encode_one(const spur_log_images *images, int i, int level, uint8_t *scratch,
                              spur__blob *out, spur_error *err) {
    size_t n = elements(images), start = (size_t)i * n;
    const uint8_t *pixels = scratch;
    if (images->type == SPUR_LOG_U8)
        pixels = (const uint8_t *)images->pixels + start;
    else
        for (size_t k = 0; k < n; k++)
            scratch[k] = byte_of(spur__element(images->pixels, images->type, start + k));
    return spur__png_encode(pixels, images->height, images->width, images->channels, level, out,
                            err);
}

static void free_files(spur__blob *files, int count) {
    for (int i = 0; files && i < count; i++) spur__blob_free(&files[i]);
    spur__free(files);
}

/* The first `count` images as PNG files. *files: free_files. */
static spur_status encode_all(const spur_log_images *images, int count, int level,
                              spur__blob **files, spur_error *err) {
    spur_status status = SPUR_OK;
    if (level == 0) level = COMPRESSION_DEFAULT;
    if (level < 1 || level > 9)
        return spur__fail(err, SPUR_E_RANGE, "compression %d, expected 1 to 9", level);
    *files = spur__calloc((size_t)count, sizeof **files);
    uint8_t *scratch = images->type == SPUR_LOG_U8 ? NULL : spur__malloc(elements(images));
    if (!*files || (!scratch && images->type != SPUR_LOG_U8))
        status = spur__fail(err, SPUR_E_MEMORY, "images: out of memory");
    for (int i = 0; i < count && status == SPUR_OK; i++)
        status = encode_one(images, i, level, scratch, &(*files)[i], err);
    spur__free(scratch);
    if (status == SPUR_OK) return SPUR_OK;
    free_files(*files, count);
    *files = NULL;
    return status;
}

spur_status spur__sprite_encode(const spur_log_images *images, spur__blob *out, spur_error *err) {
    spur__blob *files;
    SPUR__TRY(check_images(images, err));
    SPUR__TRY(encode_all(images, 1, 0, &files, err));
    *out = files[0];
    spur__free(files);
    return SPUR_OK;
}

/* ---- the tensor ---------------------------------------------------------------------------- */

static spur_status write_files(spur_writer *w, const char *tag, int64_t step,
                               const spur__image_files *files, const spur_log_options *options) {
    char sizes[2][16];
    spur__tensor tensor;
    spur_error err;
    int64_t dim = (int64_t)files->count + 2;
    if (spur__tensor_strings(&tensor, files->count + 2, &dim, 1, &err) != SPUR_OK)
        return spur__point_fail(w, tag, step, &err);
    snprintf(sizes[0], sizeof sizes[0], "%d", files->width);
    snprintf(sizes[1], sizeof sizes[1], "%d", files->height);
    for (size_t i = 0; i < 2; i++) spur__tensor_string(&tensor, i, sizes[i], strlen(sizes[i]));
    for (size_t i = 0; i < files->count; i++)
        spur__tensor_string(&tensor, i + 2, files->bytes[i].data, files->bytes[i].size);
    spur__entry entry = {.kind = SPUR__TAG_IMAGE,
                         .tag = tag,
                         .step = step,
                         .tensor = &tensor.proto,
                         .options = options};
    spur_status status = spur__log_entry(w, &entry);
    spur__tensor_free(&tensor);
    return status;
}

/* Pixels without a number are those of one image. */
static size_t count_of(const spur_log_images *images) {
    return images->count == 0 && images->pixels ? 1 : (size_t)images->count;
}

/* How many of `count` images to write. */
static spur_status outputs_of(const spur_log_image_options *options, size_t count, size_t *out,
                              spur_error *err) {
    int limit = options && options->max_outputs ? options->max_outputs : OUTPUTS_DEFAULT;
    if (limit < 0) return spur__fail(err, SPUR_E_RANGE, "max_outputs = %d", limit);
    *out = count < (size_t)limit ? count : (size_t)limit;
    return SPUR_OK;
}

static spur_status write_blobs(spur_writer *w, const char *tag, int64_t step,
                               const spur__blob *blobs, spur__image_files *files,
                               const spur_log_options *options) {
    spur_log_bytes *bytes = spur__malloc_array(files->count, sizeof *bytes);
    if (!bytes) return spur__point_failf(w, tag, step, SPUR_E_MEMORY, "images: out of memory");
    for (size_t i = 0; i < files->count; i++)
        bytes[i] = (spur_log_bytes){.data = blobs[i].data, .size = blobs[i].size};
    files->bytes = bytes;
    spur_status status = write_files(w, tag, step, files, options);
    spur__free(bytes);
    return status;
}

spur_status spur_log_image(spur_writer *w, const char *tag, int64_t step,
                           const spur_log_images *images, const spur_log_image_options *options) {
    spur_error err;
    spur__blob *blobs = NULL;
    size_t count = 0;
    if (!spur__alive(w)) return SPUR_OK;
    spur_status status = check_images(images, &err);
    if (status == SPUR_OK) status = outputs_of(options, count_of(images), &count, &err);
    if (status == SPUR_OK)
        status = encode_all(images, (int)count, options ? options->compression : 0, &blobs, &err);
    if (status != SPUR_OK) return spur__point_fail(w, tag, step, &err);
    spur__image_files files = {.count = count, .width = images->width, .height = images->height};
    status = write_blobs(w, tag, step, blobs, &files, options ? &options->log : NULL);
    free_files(blobs, (int)count);
    return status;
}

/* All files are images of one size that browsers show. */
static spur_status check_files(const spur_log_bytes *images, spur__image_files *files,
                               spur_error *err) {
    for (size_t i = 0; i < files->count; i++) {
        int width, height;
        SPUR__TRY(spur__image_size(images[i].data, images[i].size, &width, &height, err));
        if (i == 0) {
            files->width = width;
            files->height = height;
        }
        if (width != files->width || height != files->height)
            return spur__fail(err, SPUR_E_SHAPE, "image %zu is %d x %d, the first one %d x %d", i,
                              width, height, files->width, files->height);
    }
    return SPUR_OK;
}

spur_status spur_log_image_encoded(spur_writer *w, const char *tag, int64_t step,
                                   const spur_log_bytes *images, size_t count,
                                   const spur_log_image_options *options) {
    spur_error err;
    spur__image_files files = {.bytes = images};
    if (!spur__alive(w)) return SPUR_OK;
    if (count && !images)
        return spur__point_failf(w, tag, step, SPUR_E_ARGUMENT, "the images are NULL");
    spur_status status = outputs_of(options, count, &files.count, &err);
    if (status == SPUR_OK) status = check_files(images, &files, &err);
    if (status != SPUR_OK) return spur__point_fail(w, tag, step, &err);
    return write_files(w, tag, step, &files, options ? &options->log : NULL);
}

/* ---- animation ----------------------------------------------------------------------------- */

static spur_status delay_of(const spur_log_animation_options *options, int *out, spur_error *err) {
    double rate = options && options->frames_per_second != 0.0 ? options->frames_per_second : 4.0;
    if (!(rate >= 0.02) || !(rate <= 1000.0))
        return spur__fail(err, SPUR_E_RANGE, "%g frames per second, expected 0.02 to 1000", rate);
    *out = (int)lround(1000.0 / rate);
    return SPUR_OK;
}

spur_status spur_log_animation(spur_writer *w, const char *tag, int64_t step,
                               const spur_log_images *frames,
                               const spur_log_animation_options *options) {
    spur_error err;
    spur__blob *blobs = NULL, joined = {0};
    int delay = 0;
    if (!spur__alive(w)) return SPUR_OK;
    spur_status status = check_images(frames, &err);
    if (status == SPUR_OK && frames->count < 1)
        status = spur__fail(&err, SPUR_E_SHAPE, "an animation without frames");
    if (status == SPUR_OK) status = delay_of(options, &delay, &err);
    if (status == SPUR_OK)
        status =
            encode_all(frames, frames->count, options ? options->compression : 0, &blobs, &err);
    if (status != SPUR_OK) return spur__point_fail(w, tag, step, &err);
    status = spur__apng_join(blobs, (size_t)frames->count, delay, &joined, &err);
    free_files(blobs, frames->count);
    spur__image_files files = {.count = 1, .width = frames->width, .height = frames->height};
    status = status == SPUR_OK
                 ? write_blobs(w, tag, step, &joined, &files, options ? &options->log : NULL)
                 : spur__point_fail(w, tag, step, &err);
    spur__blob_free(&joined);
    return status;
}
