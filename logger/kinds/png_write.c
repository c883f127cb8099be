/* SPDX-License-Identifier: MIT
 *
 * PNG and animated PNG; see png_write.h. An animation is the first frame's file with three things
 * more: acTL (number of frames and loops) before the data, an fcTL (size, delay) before each frame,
 * and the data of later frames in fdAT instead of IDAT chunks (PNG specification, third edition).
 */
#include "kinds/png_write.h"

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#include "base/error.h"
#include "base/memory.h"

static spur_status blob_append(spur__blob *blob, const void *bytes, size_t size) {
    size_t needed;
    if (!spur__add(blob->size, size, &needed)) return SPUR_E_MEMORY;
    if (needed > blob->capacity) {
        size_t capacity = needed + needed / 2 + 256;
        unsigned char *larger = spur__realloc(blob->data, capacity);
        if (!larger) return SPUR_E_MEMORY;
        blob->data = larger;
        blob->capacity = capacity;
    }
    if (size) memcpy(blob->data + blob->size, bytes, size);
    blob->size = needed;
    return SPUR_OK;
}

void spur__blob_free(spur__blob *blob) {
    spur__free(blob->data);
    *blob = (spur__blob){0};
}

/* ---- libpng -------------------------------------------------------------------------------- */

typedef struct png_state {
    jmp_buf jump;
    spur__blob *out;
    bool no_memory;
    char message[128];
} png_state;

static void on_error(png_structp png, png_const_charp message) {
    png_state *state = png_get_error_ptr(png);
    size_t n = strnlen(message, sizeof state->message - 1);
    memcpy(state->message, message, n);
    state->message[n] = '\0';
    longjmp(state->jump, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void on_write(png_structp png, png_bytep bytes, png_size_t size) {
    png_state *state = png_get_io_ptr(png);
    if (blob_append(state->out, bytes, size) == SPUR_OK) return;
    state->no_memory = true;
    png_error(png, "out of memory");
}

static void on_flush(png_structp png) {
    (void)png;
}

static png_voidp on_malloc(png_structp png, png_alloc_size_t size) {
    png_state *state = png_get_mem_ptr(png);
    void *p = spur__malloc(size);
    state->no_memory = state->no_memory || !p;
    return p;
}

static void on_free(png_structp png, png_voidp p) {
    (void)png;
    spur__free(p);
}

static void write_rows(png_structp png, png_infop info, const spur__bitmap *bitmap, int level) {
    static const int colors[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                 PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGBA};
    size_t row = (size_t)bitmap->width * (size_t)bitmap->channels;
    png_set_compression_level(png, level);
    png_set_IHDR(png, info, (png_uint_32)bitmap->width, (png_uint_32)bitmap->height, 8,
                 colors[bitmap->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < bitmap->height; y++) png_write_row(png, bitmap->pixels + (size_t)y * row);
    png_write_end(png, info);
}

spur_status spur__png_encode(const spur__bitmap *bitmap, int level, spur__blob *out,
                             spur_error *err) {
    png_state state = {.out = out};
    png_infop volatile info = NULL;
    png_structp png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &state, on_error, on_warning,
                                                &state, on_malloc, on_free);
    if (!png) return spur__fail(err, SPUR_E_MEMORY, "PNG: out of memory");
    if (setjmp(state.jump)) {
        png_destroy_write_struct(&png, (png_infopp)(uintptr_t)&info);
        return spur__fail(err, state.no_memory ? SPUR_E_MEMORY : SPUR_E_FORMAT, "PNG: %s",
                          state.message);
    }
    png_set_write_fn(png, &state, on_write, on_flush);
    info = png_create_info_struct(png);
    if (!info) png_error(png, "no info struct");
    write_rows(png, info, bitmap, level);
    png_destroy_write_struct(&png, (png_infopp)(uintptr_t)&info);
    return SPUR_OK;
}

/* ---- animation ----------------------------------------------------------------------------- */

static void put_be(unsigned char *p, uint32_t x, int bytes) {
    for (int i = 0; i < bytes; i++) p[i] = (unsigned char)(x >> (8 * (bytes - 1 - i)));
}

static uint32_t get_be32(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* One chunk: length, name, `prefix` and `data`, checksum. */
static spur_status put_chunk(spur__blob *out, const char *name, const void *prefix,
                             size_t prefix_size, const void *data, size_t size) {
    unsigned char number[4];
    size_t start = out->size + 4;
    put_be(number, (uint32_t)(prefix_size + size), 4);
    SPUR__TRY(blob_append(out, number, 4));
    SPUR__TRY(blob_append(out, name, 4));
    SPUR__TRY(blob_append(out, prefix, prefix_size));
    SPUR__TRY(blob_append(out, data, size));
    uLong crc = crc32_z(0, out->data + start, out->size - start);
    put_be(number, (uint32_t)crc, 4);
    return blob_append(out, number, 4);
}

static spur_status put_frame_control(spur__blob *out, uint32_t *sequence,
                                     const unsigned char *size8, int delay_ms) {
    unsigned char fctl[26] = {0};
    put_be(fctl, (*sequence)++, 4);
    memcpy(fctl + 4, size8, 8); /* width, height as in IHDR; offsets 0 */
    put_be(fctl + 20, (uint32_t)delay_ms, 2);
    put_be(fctl + 22, 1000, 2);
    return put_chunk(out, "fcTL", fctl, sizeof fctl, NULL, 0);
}

/* Copies one frame's chunks. `first`: with everything around the data. */
static spur_status put_frame(spur__blob *out, const spur__blob *frame, size_t count,
                             uint32_t *sequence, int delay_ms) {
    enum { SIGNATURE = 8, IHDR_DATA = 16 };
    const unsigned char *size8 = frame->data + IHDR_DATA;
    bool first = out->size == 0, begun = false;
    if (first) SPUR__TRY(blob_append(out, frame->data, SIGNATURE));
    for (size_t at = SIGNATURE; at + 12 <= frame->size;) {
        const unsigned char *chunk = frame->data + at;
        uint32_t size = get_be32(chunk);
        bool data = memcmp(chunk + 4, "IDAT", 4) == 0;
        if (data && !begun) SPUR__TRY(put_frame_control(out, sequence, size8, delay_ms));
        begun = begun || data;
        if (first && memcmp(chunk + 4, "IEND", 4) != 0)
            SPUR__TRY(blob_append(out, chunk, (size_t)size + 12));
        if (first && memcmp(chunk + 4, "IHDR", 4) == 0) {
            unsigned char actl[8] = {0};
            put_be(actl, (uint32_t)count, 4);
            SPUR__TRY(put_chunk(out, "acTL", actl, sizeof actl, NULL, 0));
        }
        if (data && !first) {
            unsigned char number[4];
            put_be(number, (*sequence)++, 4);
            SPUR__TRY(put_chunk(out, "fdAT", number, 4, chunk + 8, size));
        }
        at += (size_t)size + 12;
    }
    return SPUR_OK;
}

spur_status spur__apng_join(const spur__blob *frames, size_t count, int delay_ms, spur__blob *out,
                            spur_error *err) {
    uint32_t sequence = 0;
    spur_status status = SPUR_OK;
    for (size_t i = 0; i < count && status == SPUR_OK; i++)
        status = put_frame(out, &frames[i], count, &sequence, delay_ms);
    if (status == SPUR_OK) status = put_chunk(out, "IEND", NULL, 0, NULL, 0);
    return status == SPUR_OK ? SPUR_OK : spur__fail(err, status, "an animation: out of memory");
}
