/* SPDX-License-Identifier: MIT
 *
 * Images: DT_STRING of rank 1, [width, height, file 0, file 1, ...] with the sizes as ASCII numbers.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "kinds/boxes.h"
#include "kinds/image_size.h"
#include "kinds/pixels.h"
#include "kinds/png_write.h"
#include "kinds/tensor.h"
#include "write/writer.h"

enum { OUTPUTS_DEFAULT = 3, COMPRESSION_DEFAULT = 3 };

/* ---- encoding ------------------------------------------------------------------------------ */

/* Images on their way to files. */
typedef struct encoding {
    const spur_log_images *images;
    const spur_log_box *boxes;
    size_t box_count;
    int level, channels; /* of the files: with boxes at least 3 */
    uint8_t *scratch; /* bytes of one image; NULL when the pixels are encoded where they are */
} encoding;

static size_t bytes_of(const encoding *e) {
    return (size_t)e->images->height * (size_t)e->images->width * (size_t)e->channels;
}

static spur_status encode_one(const encoding *e, size_t i, spur__blob *out, spur_error *err) {
    const spur_log_images *images = e->images;
    spur__bitmap bitmap = {e->scratch, images->height, images->width, e->channels};
    if (e->scratch) {
        spur__pixels_bytes(images, i, e->channels, e->scratch);
        spur__boxes_draw(&bitmap, e->boxes, e->box_count, i);
    } else {
        bitmap.pixels = (uint8_t *)(uintptr_t)images->pixels + i * bytes_of(e); /* read only */
    }
    return spur__png_encode(&bitmap, e->level, out, err);
}

static void free_files(spur__blob *files, size_t count) {
    for (size_t i = 0; files && i < count; i++) spur__blob_free(&files[i]);
    spur__free(files);
}

/* The first `count` images as PNG files. *files: free_files. */
static spur_status encode_all(encoding *e, size_t count, spur__blob **files, spur_error *err) {
    const spur_log_images *images = e->images;
    spur_status status = SPUR_OK;
    if (e->level == 0) e->level = COMPRESSION_DEFAULT;
    if (e->level < 1 || e->level > 9)
        return spur__fail(err, SPUR_E_RANGE, "compression %d, expected 1 to 9", e->level);
    e->channels = images->channels + (e->box_count && images->channels < 3 ? 2 : 0);
    bool as_it_is = images->type == SPUR_LOG_U8 && !images->channels_first && e->box_count == 0;
    *files = spur__calloc(count, sizeof **files);
    e->scratch = as_it_is ? NULL : spur__malloc(bytes_of(e));
    if (!*files || (!e->scratch && !as_it_is))
        status = spur__fail(err, SPUR_E_MEMORY, "images: out of memory");
    for (size_t i = 0; i < count && status == SPUR_OK; i++)
        status = encode_one(e, i, &(*files)[i], err);
    spur__free(e->scratch);
    if (status == SPUR_OK) return SPUR_OK;
    free_files(*files, count);
    *files = NULL;
    return status;
}

/* ---- the tensor ---------------------------------------------------------------------------- */

/* Encoded images of one size. */
typedef struct image_files {
    const spur_log_bytes *bytes;
    size_t count;
    int width, height;
} image_files;

static spur_status write_files(spur_writer *w, const char *tag, int64_t step,
                               const image_files *files, const spur_log_options *options) {
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

/* How many of `count` images to write. */
static spur_status outputs_of(const spur_log_image_options *options, size_t count, size_t *out,
                              spur_error *err) {
    int limit = options && options->max_outputs ? options->max_outputs : OUTPUTS_DEFAULT;
    if (limit < 0) return spur__fail(err, SPUR_E_RANGE, "max_outputs = %d", limit);
    *out = count < (size_t)limit ? count : (size_t)limit;
    return SPUR_OK;
}

static spur_status write_blobs(spur_writer *w, const char *tag, int64_t step,
                               const spur__blob *blobs, image_files *files,
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
    encoding e = {.images = images};
    if (options) {
        e.boxes = options->boxes;
        e.box_count = options->box_count;
        e.level = options->compression;
    }
    spur_status status = spur__pixels_check(images, &err);
    if (status == SPUR_OK)
        status = spur__boxes_check(e.boxes, e.box_count, spur__pixels_images(images), &err);
    if (status == SPUR_OK) status = outputs_of(options, spur__pixels_images(images), &count, &err);
    if (status == SPUR_OK) status = encode_all(&e, count, &blobs, &err);
    if (status != SPUR_OK) return spur__point_fail(w, tag, step, &err);
    image_files files = {.count = count, .width = images->width, .height = images->height};
    status = write_blobs(w, tag, step, blobs, &files, options ? &options->log : NULL);
    free_files(blobs, count);
    return status;
}

/* All files are images of one size that browsers show. */
static spur_status check_files(const spur_log_bytes *images, image_files *files, spur_error *err) {
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
    image_files files = {.bytes = images};
    if (!spur__alive(w)) return SPUR_OK;
    if (count && !images)
        return spur__point_failf(w, tag, step, SPUR_E_ARGUMENT, "the images are NULL");
    if (options && options->box_count)
        return spur__point_failf(w, tag, step, SPUR_E_ARGUMENT,
                                 "boxes cannot be drawn on an encoded image");
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
    size_t count = 0;
    int delay = 0;
    if (!spur__alive(w)) return SPUR_OK;
    encoding e = {.images = frames, .level = options ? options->compression : 0};
    spur_status status = spur__pixels_check(frames, &err);
    if (status == SPUR_OK && (count = spur__pixels_images(frames)) == 0)
        status = spur__fail(&err, SPUR_E_SHAPE, "an animation without frames");
    if (status == SPUR_OK) status = delay_of(options, &delay, &err);
    if (status == SPUR_OK) status = encode_all(&e, count, &blobs, &err);
    if (status != SPUR_OK) return spur__point_fail(w, tag, step, &err);
    status = spur__apng_join(blobs, count, delay, &joined, &err);
    free_files(blobs, count);
    image_files files = {.count = 1, .width = frames->width, .height = frames->height};
    status = status == SPUR_OK
                 ? write_blobs(w, tag, step, &joined, &files, options ? &options->log : NULL)
                 : spur__point_fail(w, tag, step, &err);
    spur__blob_free(&joined);
    return status;
}
