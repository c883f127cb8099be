/* SPDX-License-Identifier: MIT
 *
 * PNG by libpng: decoding to bytes, as a picture or as labels (see spur__decode), and encoding.
 * libpng checks every CRC; a file that is cut short, or whose checksum is wrong, is an error.
 */
#include "data/codecs/image.h"

#include <setjmp.h>
#include <string.h>

#include <png.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"

/* State of one decode or encode: the place to read from or write to, and libpng's complaint. */
typedef struct session {
    const uint8_t *data; /* what is left to read */
    size_t size;
    spur__str *sink; /* what was written */
    jmp_buf exit;
    char message[128];
} session;

bool spur__is_png(const uint8_t *data, size_t size) {
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    return size >= 8 && memcmp(data, signature, 8) == 0;
}

static void on_error(png_structp png, png_const_charp text) {
    session *s = png_get_error_ptr(png);
    size_t n = strnlen(text, sizeof s->message - 1);
    memcpy(s->message, text, n);
    s->message[n] = '\0';
    longjmp(s->exit, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void on_read(png_structp png, png_bytep out, size_t n) {
    session *s = png_get_io_ptr(png);
    if (n > s->size) png_error(png, "the file ends too early");
    memcpy(out, s->data, n);
    s->data += n;
    s->size -= n;
}

/* Asks libpng for 8-bit grey, RGB or RGBA; labels keep their numbers. */
static void choose_output(png_structp png, png_infop info, spur__decode how) {
    int type = png_get_color_type(png, info), depth = png_get_bit_depth(png, info);
    if (how == SPUR__DECODE_LABELS) {
        png_set_packing(png);
        if (type & PNG_COLOR_MASK_ALPHA) png_set_strip_alpha(png);
        return;
    }
    if (depth == 16) png_set_scale_16(png);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
    if (png_get_valid(png, info, PNG_INFO_tRNS)) png_set_tRNS_to_alpha(png);
    if (type == PNG_COLOR_TYPE_GRAY_ALPHA ||
        (type == PNG_COLOR_TYPE_GRAY && png_get_valid(png, info, PNG_INFO_tRNS)))
        png_set_gray_to_rgb(png);
}

/* 16-bit labels to bytes, in place: every value must fit. */
static spur_status narrow_labels(spur__image *image, const char *name, spur_error *err) {
    size_t pixels = spur__image_bytes(image) / 2;
    image->channels /= 2;
    for (size_t i = 0; i < pixels; i++) {
        if (image->data[2 * i] != 0)
            return spur__fail(
                err, SPUR_E_RANGE,
                "%s: mask value %d at row %zu, expected 0 to 255 (black and white want "
                "masks = binary)",
                name, image->data[2 * i] << 8 | image->data[2 * i + 1],
                i / ((size_t)image->width * (size_t)image->channels));
        image->data[i] = image->data[2 * i + 1];
    }
    return SPUR_OK;
}

static spur_status read_rows(png_structp png, png_infop info, spur__image *out, spur_error *err) {
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size_t row = png_get_rowbytes(png, info);
    int width = (int)png_get_image_width(png, info);
    int height = (int)png_get_image_height(png, info);
    SPUR__TRY(spur__image_shape(out, height, width, (int)(row / (size_t)width), err));
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < height; y++) png_read_row(png, out->data + (size_t)y * row, NULL);
    png_read_end(png, NULL);
    return SPUR_OK;
}

static int picture_channels(png_structp png, png_infop info) {
    bool alpha = (png_get_color_type(png, info) & PNG_COLOR_MASK_ALPHA) ||
                 png_get_valid(png, info, PNG_INFO_tRNS);
    if (alpha) return 4;
    return png_get_color_type(png, info) == PNG_COLOR_TYPE_GRAY ? 1 : 3;
}

/* What follows setjmp. */
static spur_status decode(png_structp png, png_infop info, spur__decode how, bool header_only,
                          const char *name, spur__image *out, spur_error *err) {
    png_read_info(png, info);
    SPUR__TRY(spur__image_check_size(name, png_get_image_height(png, info),
                                     png_get_image_width(png, info), err));
    if (header_only) {
        out->height = (int)png_get_image_height(png, info);
        out->width = (int)png_get_image_width(png, info);
        out->channels = picture_channels(png, info);
        return SPUR_OK;
    }
    bool wide = png_get_bit_depth(png, info) == 16 && how == SPUR__DECODE_LABELS;
    choose_output(png, info, how);
    SPUR__TRY(read_rows(png, info, out, err));
    return wide ? narrow_labels(out, name, err) : SPUR_OK;
}

spur_status spur__png_decode(const uint8_t *data, size_t size, spur__decode how, bool header_only,
                             const char *name, spur__image *out, spur_error *err) {
    session s = {.data = data, .size = size};
    png_infop info = NULL;
    spur_status status;
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
    if (png) info = png_create_info_struct(png);
    if (!info) {
        png_destroy_read_struct(&png, NULL, NULL);
        return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", name);
    }
    if (setjmp(s.exit)) {
        png_destroy_read_struct(&png, &info, NULL);
        return spur__fail(err, SPUR_E_FORMAT, "%s: damaged PNG: %s", name, s.message);
    }
    png_set_user_limits(png, SPUR__IMAGE_MAX_SIDE, SPUR__IMAGE_MAX_SIDE);
    png_set_chunk_malloc_max(png, 8u << 20);
    png_set_read_fn(png, &s, on_read);
    status = decode(png, info, how, header_only, name, out, err);
    png_destroy_read_struct(&png, &info, NULL);
    return status;
}

static void on_write(png_structp png, png_bytep data, size_t n) {
    session *s = png_get_io_ptr(png);
    spur__str_append(s->sink, data, n);
}

static void on_flush(png_structp png) {
    (void)png;
}

static void encode_rows(png_structp png, png_infop info, const spur__image *image) {
    static const int types[] = {
        [1] = PNG_COLOR_TYPE_GRAY, [3] = PNG_COLOR_TYPE_RGB, [4] = PNG_COLOR_TYPE_RGB_ALPHA};
    size_t row = (size_t)image->width * (size_t)image->channels;
    png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 types[image->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < image->height; y++) png_write_row(png, image->data + (size_t)y * row);
    png_write_end(png, info);
}

static spur_status encode(const spur__image *image, spur__str *sink, const char *name,
                          spur_error *err) {
    session s = {.sink = sink};
    png_infop info = NULL;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
    if (png) info = png_create_info_struct(png);
    if (!info) {
        png_destroy_write_struct(&png, NULL);
        return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", name);
    }
    if (setjmp(s.exit)) {
        png_destroy_write_struct(&png, &info);
        return spur__fail(err, SPUR_E_FORMAT, "%s: cannot encode: %s", name, s.message);
    }
    png_set_write_fn(png, &s, on_write, on_flush);
    encode_rows(png, info, image);
    png_destroy_write_struct(&png, &info);
    if (spur__str_status(sink) == SPUR_OK) return SPUR_OK;
    return spur__fail(err, spur__str_status(sink), "%s: out of memory", name);
}

spur_status spur__image_write_png(const char *path, const spur__image *image, spur_error *err) {
    spur__str sink;
    if (image->channels != 1 && image->channels != 3 && image->channels != 4)
        return spur__fail(err, SPUR_E_SHAPE, "%s: a picture of %d channels, expected 1, 3 or 4",
                          path, image->channels);
    spur__str_init(&sink, (size_t)1 << 31);
    spur_status status = encode(image, &sink, path, err);
    if (status == SPUR_OK) status = spur__file_write(path, sink.data, sink.length, err);
    spur__str_free(&sink);
    return status;
}
