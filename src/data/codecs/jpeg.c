/* SPDX-License-Identifier: MIT
 *
 * JPEG by libjpeg-turbo: grey stays one channel, everything else becomes RGB. A file that is cut
 * short or damaged is an error here, although libjpeg would fill the rest with grey and go on.
 */
#include "data/codecs/image.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "base/error.h"

/* libjpeg's error handler with a way out of its callbacks. */
typedef struct trap {
    struct jpeg_error_mgr manager; /* first: libjpeg hands it back to us */
    jmp_buf exit;
    char message[JMSG_LENGTH_MAX];
} trap;

bool spur__is_jpeg(const uint8_t *data, size_t size) {
    return size >= 3 && data[0] == 0xff && data[1] == 0xd8 && data[2] == 0xff;
}

static void on_error(j_common_ptr info) {
    trap *t = (trap *)info->err;
    t->manager.format_message(info, t->message);
    longjmp(t->exit, 1);
}

/* Warnings (level -1) mean corrupt data and are errors, apart from three that cameras and old
 * programs cause in files that are whole. Traces are dropped. */
static void on_message(j_common_ptr info, int level) {
    int code = info->err->msg_code;
    if (level >= 0 || code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR ||
        code == JWRN_ADOBE_XFORM)
        return;
    on_error(info);
}

static spur_status decode_rows(struct jpeg_decompress_struct *info, spur__image *out,
                               spur_error *err) {
    jpeg_start_decompress(info);
    spur_status status = spur__image_shape(out, (int)info->output_height, (int)info->output_width,
                                           info->output_components, err);
    if (status != SPUR_OK) return status;
    size_t stride = (size_t)out->width * (size_t)out->channels;
    while (info->output_scanline < info->output_height) {
        JSAMPROW rows[4];
        for (size_t i = 0; i < 4; i++) {
            size_t y = info->output_scanline + i;
            rows[i] = out->data + stride * (y < info->output_height ? y : info->output_height - 1);
        }
        JDIMENSION left = info->output_height - info->output_scanline;
        jpeg_read_scanlines(info, rows, left < 4 ? left : 4);
    }
    jpeg_finish_decompress(info);
    return SPUR_OK;
}

/* What follows setjmp: no local of this function may change between setjmp and longjmp. */
static spur_status decode(struct jpeg_decompress_struct *info, bool header_only, const char *name,
                          spur__image *out, spur_error *err) {
    jpeg_read_header(info, TRUE);
    SPUR__TRY(spur__image_check_size(name, info->image_height, info->image_width, err));
    if (info->num_components == 4)
        return spur__fail(err, SPUR_E_UNSUPPORTED,
                          "%s: a JPEG with four colour components (CMYK), expected grey or RGB",
                          name);
    info->out_color_space = info->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    if (header_only) {
        out->height = (int)info->image_height;
        out->width = (int)info->image_width;
        out->channels = info->num_components == 1 ? 1 : 3;
        return SPUR_OK;
    }
    return decode_rows(info, out, err);
}

spur_status spur__jpeg_decode(const uint8_t *data, size_t size, bool header_only, const char *name,
                              spur__image *out, spur_error *err) {
    struct jpeg_decompress_struct info;
    trap t;
    spur_status status;
    memset(&info, 0, sizeof info);
    info.err = jpeg_std_error(&t.manager);
    t.manager.error_exit = on_error;
    t.manager.emit_message = on_message;
    if (setjmp(t.exit)) {
        jpeg_destroy_decompress(&info);
        return spur__fail(err, SPUR_E_FORMAT, "%s: damaged JPEG: %s", name, t.message);
    }
    jpeg_create_decompress(&info);
    info.mem->max_memory_to_use = 1L << 30;
    jpeg_mem_src(&info, data, (unsigned long)size);
    status = decode(&info, header_only, name, out, err);
    jpeg_destroy_decompress(&info);
    return status;
}
