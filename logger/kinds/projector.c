/* SPDX-License-Identifier: MIT
 *
 * The Projector tab. It reads files, not events: projector_config.pbtxt in the run's directory names
 * tables of points, labels and pictures, all of which must be inside that directory.
 */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "write/guard.h"
#include "kinds/pixels.h"
#include "kinds/png_write.h"
#include "kinds/sha256.h"
#include "write/writer.h"

enum {
    SPRITE_SIDE = 8192,
    SPRITE_COMPRESSION = 3,
    POINTS_SHOWN = 100000,
    NAME_LIMIT = 180,
    PIECE = 64 << 10
};
static const size_t table_limit = (size_t)8 << 30, config_limit = (size_t)64 << 20;

/* ---- checks -------------------------------------------------------------------------------- */

static spur_status check_cell(const char *cell, const char *what, spur_error *err) {
    SPUR__TRY(spur__check_text(cell, what, err));
    if (strpbrk(cell, "\t\n\r"))
        return spur__fail(err, SPUR_E_ARGUMENT, "%s \"%.100s\" contains a tab or a line end", what,
                          cell);
    return SPUR_OK;
}

/* What String.trim of a browser leaves nothing of. */
static bool is_blank(const char *cell) {
    static const char *const spaces[] = {"\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8",
                                         "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f",
                                         "\xe3\x80\x80", "\xef\xbb\xbf"};
    for (const char *p = cell; *p;) {
        size_t n = strspn(p, " \v\f");
        if (strncmp(p, "\xe2\x80", 2) == 0 && (unsigned char)p[2] - 0x80u < 11) n = 3;
        for (size_t i = 0; n == 0 && i < sizeof spaces / sizeof spaces[0]; i++)
            if (strncmp(p, spaces[i], strlen(spaces[i])) == 0) n = strlen(spaces[i]);
        if (n == 0) return false;
        p += n;
    }
    return true;
}

/* A row of the metadata. The browser skips blank lines: each one would move the labels of all points
 * behind it. */
static spur_status check_row(const char *const *cells, size_t columns, const char *what,
                             spur_error *err) {
    bool blank = true;
    for (size_t i = 0; i < columns; i++) {
        SPUR__TRY(check_cell(cells[i], what, err));
        blank = blank && is_blank(cells[i]);
    }
    return blank ? spur__fail(err, SPUR_E_RANGE, "%s is blank: the browser skips such a row", what)
                 : SPUR_OK;
}

static spur_status check_metadata(const spur_log_points *p, size_t columns, spur_error *err) {
    char what[64];
    if (!p->metadata) return SPUR_OK;
    if (columns > 1 && !p->metadata_header)
        return spur__fail(err, SPUR_E_ARGUMENT, "metadata of %zu columns need a header", columns);
    if (columns > 1)
        SPUR__TRY(check_row(p->metadata_header, columns, "the metadata's header", err));
    for (size_t i = 0; i < p->rows; i++) {
        snprintf(what, sizeof what, "the metadata of point %zu", i);
        SPUR__TRY(check_row(p->metadata + i * columns, columns, what, err));
    }
    return SPUR_OK;
}

static spur_status check_values(const spur_log_points *p, spur_error *err) {
    for (size_t i = 0; i < p->rows * p->columns; i++)
        if (!isfinite(p->values[i]))
            return spur__fail(err, SPUR_E_NUMERIC, "point %zu is not finite", i / p->columns);
    return SPUR_OK;
}

/* Pictures in a square grid: how many in a row. */
static size_t grid_side(size_t rows) {
    size_t side = (size_t)sqrt((double)rows);
    while (side * side < rows) side++;
    return side;
}

static spur_status check_sprites(const spur_log_points *p, spur_error *err) {
    const spur_log_images *s = p->sprites;
    if (!s) return SPUR_OK;
    size_t side = grid_side(p->rows);
    int count = s->count ? s->count : 1;
    if (count < 0 || (size_t)count != p->rows || s->height < 1 || s->width < 1)
        return spur__fail(err, SPUR_E_SHAPE, "%d sprites of %d x %d for %zu points", count,
                          s->width, s->height, p->rows);
    if (side * (size_t)s->height > SPRITE_SIDE || side * (size_t)s->width > SPRITE_SIDE)
        return spur__fail(err, SPUR_E_RANGE,
                          "%d sprites of %d x %d do not fit a picture of %d x %d pixels", count,
                          s->width, s->height, SPRITE_SIDE, SPRITE_SIDE);
    return SPUR_OK;
}

static spur_status check_points(const char *tag, const spur_log_points *p, spur_error *err) {
    size_t product;
    SPUR__TRY(check_cell(tag, "the tag", err));
    if (!*tag) return spur__fail(err, SPUR_E_ARGUMENT, "the tag is empty");
    if (!p || !p->values || !p->rows || !p->columns)
        return spur__fail(err, SPUR_E_ARGUMENT, "an embedding needs points");
    if (!spur__mul(p->rows, p->columns, &product) || product > SIZE_MAX / sizeof(float))
        return spur__fail(err, SPUR_E_RANGE, "%zu points of %zu dimensions", p->rows, p->columns);
    SPUR__TRY(check_values(p, err));
    SPUR__TRY(check_metadata(p, p->metadata_columns ? p->metadata_columns : 1, err));
    return check_sprites(p, err);
}

/* ---- files --------------------------------------------------------------------------------- */

/* Writes <directory>/<folder>/<name>. */
static spur_status write_file(const char *folder, const char *name, const void *data, size_t size,
                              spur_error *err) {
    char *path = spur__path_join(folder, name);
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", name);
    spur_status status = spur__file_write(path, data, size, err);
    spur__free(path);
    return status;
}

/* A table on its way to its file: never more than a row and a piece of it in memory. */
typedef struct table {
    spur__file_writer file;
    spur__str text;
} table;

static spur_status table_open(table *t, const char *folder, const char *name, spur_error *err) {
    char *path = spur__path_join(folder, name);
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", name);
    spur_status status = spur__file_writer_open(&t->file, path, err);
    spur__str_init(&t->text, table_limit);
    spur__free(path);
    return status;
}

/* Behind each row; `least`: only if that much is waiting. */
static void table_pass_on(table *t, size_t least) {
    if (t->text.length < least || spur__str_status(&t->text) != SPUR_OK) return;
    spur__file_writer_put(&t->file, spur__str_text(&t->text), t->text.length);
    spur__str_clear(&t->text);
}

static spur_status table_close(table *t, spur_error *err) {
    spur_status status = spur__str_status(&t->text);
    table_pass_on(t, 0);
    if (status == SPUR_OK) {
        status = spur__file_writer_commit(&t->file, err);
    } else {
        spur__fail(err, status, "%s: %s", t->file.path, spur_strstatus(status));
        spur__file_writer_abandon(&t->file);
    }
    spur__str_free(&t->text);
    return status;
}

static spur_status write_tensors(const char *folder, const spur_log_points *p, spur_error *err) {
    table t;
    SPUR__TRY(table_open(&t, folder, "tensors.tsv", err));
    for (size_t i = 0; i < p->rows; i++) {
        for (size_t k = 0; k < p->columns; k++) {
            spur__str_float(&t.text, p->values[i * p->columns + k]);
            spur__str_putc(&t.text, k + 1 < p->columns ? '\t' : '\n');
        }
        table_pass_on(&t, PIECE);
    }
    return table_close(&t, err);
}

static void put_row(table *t, const char *const *cells, size_t columns) {
    for (size_t i = 0; i < columns; i++) {
        spur__str_puts(&t->text, cells[i]);
        spur__str_putc(&t->text, i + 1 < columns ? '\t' : '\n');
    }
    table_pass_on(t, PIECE);
}

/* One column has no header line, several have one: so TensorBoard tells them apart. */
static spur_status write_metadata(const char *folder, const spur_log_points *p, spur_error *err) {
    table t;
    size_t columns = p->metadata_columns ? p->metadata_columns : 1;
    if (!p->metadata) return SPUR_OK;
    SPUR__TRY(table_open(&t, folder, "metadata.tsv", err));
    if (columns > 1) put_row(&t, p->metadata_header, columns);
    for (size_t i = 0; i < p->rows; i++) put_row(&t, p->metadata + i * columns, columns);
    return table_close(&t, err);
}

/* Copies picture i to its place in the grid; `line` is the bytes of a row of it. */
static void place_sprite(const uint8_t *sprite, size_t i, size_t side, size_t height, size_t line,
                         uint8_t *grid) {
    uint8_t *to = grid + (i / side * height * side + i % side) * line;
    for (size_t y = 0; y < height; y++) memcpy(to + y * side * line, sprite + y * line, line);
}

static spur_status write_sprites(const char *folder, const spur_log_points *p, spur_error *err) {
    const spur_log_images *s = p->sprites;
    spur__blob file = {0};
    if (!s) return SPUR_OK;
    SPUR__TRY(spur__pixels_check(s, err));
    if (!s->pixels) return spur__fail(err, SPUR_E_ARGUMENT, "the sprites have no pixels");
    size_t side = grid_side(p->rows), height = (size_t)s->height;
    size_t line = (size_t)s->width * (size_t)s->channels;
    uint8_t *grid = spur__calloc(side * side, height * line), *sprite = spur__malloc(height * line);
    spur_status status = SPUR_OK;
    if (!grid || !sprite) status = spur__fail(err, SPUR_E_MEMORY, "sprites: out of memory");
    for (size_t i = 0; i < p->rows && status == SPUR_OK; i++) {
        spur__pixels_bytes(s, i, s->channels, sprite);
        place_sprite(sprite, i, side, height, line, grid);
    }
    spur__bitmap bitmap = {grid, (int)(height * side), s->width * (int)side, s->channels};
    if (status == SPUR_OK) status = spur__png_encode(&bitmap, SPRITE_COMPRESSION, &file, err);
    if (status == SPUR_OK) status = write_file(folder, "sprite.png", file.data, file.size, err);
    spur__blob_free(&file);
    spur__free(sprite);
    spur__free(grid);
    return status;
}

/* ---- the configuration --------------------------------------------------------------------- */

/* A string of protobuf's text format. */
static void put_quoted(spur__str *out, const char *text) {
    spur__str_putc(out, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\') spur__str_putc(out, '\\');
        if ((unsigned char)*p < 0x20)
            spur__str_printf(out, "\\%03o", (unsigned)(unsigned char)*p);
        else
            spur__str_putc(out, *p);
    }
    spur__str_putc(out, '"');
}

static void put_path(spur__str *out, const char *key, const char *folder, const char *name) {
    spur__str_printf(out, "%s: ", key);
    spur__str path;
    spur__str_init(&path, 4096);
    spur__str_printf(&path, "%s/%s", folder, name);
    put_quoted(out, spur__str_text(&path));
    spur__str_putc(out, '\n');
    spur__str_free(&path);
}

/* How an entry begins: with the line that names the tensor. */
static void put_head(spur__str *out, const char *tag, int64_t step) {
    spur__str name;
    spur__str_init(&name, 1 << 20);
    spur__str_printf(&name, "%s:%05lld", tag, (long long)step);
    spur__str_puts(out, "embeddings {\n  tensor_name: ");
    put_quoted(out, spur__str_text(&name));
    spur__str_putc(out, '\n');
    spur__str_free(&name);
}

static void put_entry(spur__str *out, const char *head, const char *folder,
                      const spur_log_points *p) {
    spur__str_puts(out, head);
    put_path(out, "  tensor_path", folder, "tensors.tsv");
    if (p->metadata) put_path(out, "  metadata_path", folder, "metadata.tsv");
    if (p->sprites) {
        spur__str_puts(out, "  sprite {\n");
        put_path(out, "    image_path", folder, "sprite.png");
        spur__str_printf(out, "    single_image_dim: %d\n    single_image_dim: %d\n  }\n",
                         p->sprites->width, p->sprites->height);
    }
    spur__str_puts(out, "}\n");
}

/* Where the entry with this head begins and ends in the text: at its end, if there is none. */
static void find_entry(const char *text, size_t size, const char *head, size_t *at, size_t *end) {
    const char *begin = strstr(text, head), *last = begin ? strstr(begin, "\n}\n") : NULL;
    *at = last ? (size_t)(begin - text) : size;
    *end = last ? (size_t)(last - text) + 3 : size;
}

/* Adds the entry to the run's configuration, in place of one of the same name. */
static spur_status update_config(const char *directory, const char *folder, const char *tag,
                                 int64_t step, const spur_log_points *p, spur_error *err) {
    spur__str text, head;
    char *path = spur__path_join(directory, "projector_config.pbtxt"), *old = NULL;
    size_t size = 0, at, end;
    spur_status status = SPUR_OK;
    spur__str_init(&text, config_limit);
    spur__str_init(&head, 1 << 20);
    if (!path) {
        status = spur__fail(err, SPUR_E_MEMORY, "projector_config.pbtxt: out of memory");
        goto done;
    }
    if (spur__exists(path))
        SPUR__TRY_GOTO(spur__file_read(path, config_limit, &old, &size, err), done);
    put_head(&head, tag, step);
    find_entry(old ? old : "", size, spur__str_text(&head), &at, &end);
    spur__str_append(&text, old, at);
    put_entry(&text, spur__str_text(&head), folder, p);
    if (end < size) spur__str_append(&text, old + end, size - end);
    status = spur__str_status(&head);
    if (status == SPUR_OK) status = spur__str_status(&text);
    if (status != SPUR_OK)
        spur__fail(err, status, "%s: %s", path, spur_strstatus(status));
    else
        status = spur__file_write(path, text.data, text.length, err);
done:
    spur__str_free(&text);
    spur__str_free(&head);
    spur__free(old);
    spur__free(path);
    return status;
}

/* "projector/<tag>-<step>": the tag percent-encoded, or its hash if that gets too long. */
static void put_folder(spur__str *out, const char *tag, int64_t step) {
    char hash[SPUR__SHA256_HEX];
    spur__str_puts(out, "projector/");
    size_t start = out->length;
    for (const char *p = tag; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || *p == '_' || *p == '-';
        spur__str_printf(out, plain ? "%c" : "%%%02X", (unsigned)(unsigned char)*p);
    }
    bool unfit = out->length - start > NAME_LIMIT ||
                 (out->data && strstr(spur__str_text(out) + start, "tfevents"));
    if (unfit) {
        spur__sha256_hex(tag, strlen(tag), hash);
        out->length = start;
        spur__str_puts(out, hash);
    }
    spur__str_printf(out, "-%05lld", (long long)step);
}

static spur_status write_embedding(const char *directory, const char *tag, int64_t step,
                                   const spur_log_points *p, spur_error *err) {
    spur__str folder;
    spur__str_init(&folder, 1 << 20);
    put_folder(&folder, tag, step);
    char *path = spur__path_join(directory, spur__str_text(&folder));
    spur_status status = spur__str_status(&folder) == SPUR_OK && path
                             ? spur__mkdirs_synced(path, err)
                             : spur__fail(err, SPUR_E_MEMORY, "an embedding: out of memory");
    if (status == SPUR_OK) status = write_tensors(path, p, err);
    if (status == SPUR_OK) status = write_metadata(path, p, err);
    if (status == SPUR_OK) status = write_sprites(path, p, err);
    if (status == SPUR_OK)
        status = update_config(directory, spur__str_text(&folder), tag, step, p, err);
    spur__free(path);
    spur__str_free(&folder);
    return status;
}

spur_status spur_log_embedding(spur_writer *w, const char *tag, int64_t step,
                               const spur_log_points *points) {
    spur_error err;
    if (!spur__alive(w)) return SPUR_OK;
    if (check_points(tag, points, &err) != SPUR_OK) return spur__point_fail(w, tag, step, &err);
    spur__guard guard;
    spur__guard_enter(&guard);
    pthread_mutex_lock(&w->files);
    spur_status status = write_embedding(w->place, tag, step, points, &err);
    pthread_mutex_unlock(&w->files);
    spur__guard_leave(&guard);
    if (status != SPUR_OK) return spur__point_fail(w, tag, step, &err);
    if (points->rows > POINTS_SHOWN)
        spur__writer_warn(w, "embedding \"%.200s\": the browser shows %d of %zu points", tag,
                          POINTS_SHOWN, points->rows);
    return SPUR_OK;
}
