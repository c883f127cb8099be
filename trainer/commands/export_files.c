/* SPDX-License-Identifier: MIT
 *
 * Kinds whose values are files: images, audio, graphs, layouts, meshes, profiles. Each goes to
 * <output>/<run>/<tag>/step_<step>_<number>.<type>; the type is told from the first bytes.
 *
 * Tags come from files and may hold anything. A '/' separates directories; what could lead
 * elsewhere or not be named (empty parts, ".", "..", control characters, NUL) is written as %XX, so
 * that different tags stay different and nothing is ever written outside of the output directory.
 */
#include "commands/export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "output/text.h"

enum { PART_MAX = 180, PATH_LIMIT = 4096 };

static const column file_columns[] = {{"run", false},      {"tag", false},  {"step", true},
                                      {"wall_time", true}, {"bytes", true}, {"file", false}};

typedef struct file_writer {
    exporting *ex;
    table *t;
    const char *run;
    const spur_event *event;
    const spur_value *value;
    int number; /* of the file within its value */
} file_writer;

/* ---- names ---------------------------------------------------------------------------------- */

/* One part of a path, without '/'. A long one is cut and ends in a hash of the whole. */
static void put_part(spur__str *out, const char *part, size_t n) {
    size_t begin = out->length;
    bool dots = n > 0 && n <= 2 && part[0] == '.' && part[n - 1] == '.';
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)part[i];
        hash = (hash ^ c) * 16777619u;
        if (out->length - begin > PART_MAX) continue;
        bool plain = c > ' ' && c != 0x7f && !strchr("%\\:*?\"<>|", c) && !dots;
        if (plain || (c == ' ' && i > 0 && i + 1 < n))
            spur__str_putc(out, (char)c);
        else
            spur__str_printf(out, "%%%02X", c);
    }
    if (out->length - begin > PART_MAX) spur__str_printf(out, "~%08x", hash);
}

/* "/a/b" for the tag "a/b". */
static void put_tag_path(spur__str *out, spur_slice tag) {
    const char *p = tag.data, *end = tag.data + tag.size;
    do {
        const char *slash = memchr(p, '/', (size_t)(end - p));
        size_t n = (size_t)((slash ? slash : end) - p);
        spur__str_putc(out, '/');
        if (n == 0)
            spur__str_putc(out, '%'); /* no other part is a lone '%' */
        else
            put_part(out, p, n);
        p += n + 1;
    } while (p <= end);
}

static const char *type_of(const file_writer *w, spur_slice file) {
    static const struct {
        const char *magic;
        size_t offset, size;
        const char *type;
    } types[] = {
        {"\x89PNG", 0, 4, "png"}, {"\xff\xd8\xff", 0, 3, "jpg"}, {"GIF8", 0, 4, "gif"},
        {"BM", 0, 2, "bmp"},      {"WEBP", 8, 4, "webp"},        {"WAVE", 8, 4, "wav"},
        {"OggS", 0, 4, "ogg"},    {"fLaC", 0, 4, "flac"},        {"ID3", 0, 3, "mp3"},
        {"<svg", 0, 4, "svg"},
    };
    if (w->value->kind == SPUR_KIND_IMAGE || w->value->kind == SPUR_KIND_AUDIO) {
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
            if (file.size >= types[i].offset + types[i].size &&
                memcmp(file.data + types[i].offset, types[i].magic, types[i].size) == 0)
                return types[i].type;
        return "bin";
    }
    if (w->value->kind == SPUR_KIND_MESH) return "csv";
    return file.size > 0 && file.data[0] == '{' ? "json" : "pb";
}

/* Path of a file. Once a tag's steps have repeated or fallen, the value's ordinal goes into the
 * name, so that no file takes the place of another. */
static spur_status put_path(const file_writer *w, spur_slice file, spur__str *path) {
    const spur_tag *tag = w->value->info;
    spur__str_puts(path, w->ex->output);
    if (strcmp(w->run, ".") != 0) {
        spur_slice run = {w->run, strlen(w->run)};
        put_tag_path(path, run);
    }
    put_tag_path(path, w->value->tag);
    size_t directory = path->length;
    spur__str_printf(path, "/step_%09" PRId64, w->event->step);
    if (tag->falling + tag->repeated > 0) spur__str_printf(path, "_value_%" PRIu64, tag->count - 1);
    spur__str_printf(path, "_%d.%s", w->number, type_of(w, file));
    if (spur__str_status(path) != SPUR_OK)
        return spur__fail(w->ex->err, spur__str_status(path), "%s: name of a file too long",
                          w->ex->output);
    path->data[directory] = '\0';
    spur_status status = spur__mkdirs(path->data, w->ex->err);
    path->data[directory] = '/';
    return status;
}

/* Writes under a temporary name and renames. Not synced one by one, as spur__file_write does: that
 * takes milliseconds each, and an export can be made again. */
static spur_status write_file(const char *path, spur_slice file, spur_error *err) {
    char *temporary = NULL;
    int fd = spur__temporary_open(path, &temporary);
    if (fd < 0) return spur__fail_errno(err, errno, "%s: cannot create", path);
    int failed = spur__write_all(fd, file.data, file.size);
    if (close(fd) != 0 && !failed) failed = errno;
    if (!failed && rename(temporary, path) != 0) failed = errno;
    if (failed) unlink(temporary);
    spur__free(temporary);
    return failed ? spur__fail_errno(err, failed, "%s: cannot write", path) : SPUR_OK;
}

static spur_status write_one(file_writer *w, spur_slice file) {
    spur__str path;
    spur__str_init(&path, PATH_LIMIT);
    spur_status status = put_path(w, file, &path);
    if (status == SPUR_OK) status = write_file(spur__str_text(&path), file, w->ex->err);
    if (status == SPUR_OK) {
        const cell cells[] = {
            cell_text(w->run, strlen(w->run)), cell_text(w->value->tag.data, w->value->tag.size),
            cell_int(w->event->step),          cell_seconds(w->event->wall_time),
            cell_int((int64_t)file.size),      cell_text(spur__str_text(&path), path.length)};
        table_row(w->t, cells);
        w->number++;
        w->ex->values++;
    }
    spur__str_free(&path);
    return status;
}

/* ---- kinds ---------------------------------------------------------------------------------- */

static spur_status write_images(file_writer *w) {
    spur_images images;
    spur_error local;
    spur_status status = spur_value_images(w->value, &images, &local);
    if (status != SPUR_OK) return export_skip(w->ex, status, w->run, &local);
    for (size_t i = 0; status == SPUR_OK && i < images.count; i++)
        status = write_one(w, images.files[i]);
    spur_images_free(&images);
    return status;
}

static spur_status write_audio(file_writer *w) {
    spur_clips clips;
    spur_error local;
    spur_status status = spur_value_audio(w->value, &clips, &local);
    if (status != SPUR_OK) return export_skip(w->ex, status, w->run, &local);
    for (size_t i = 0; status == SPUR_OK && i < clips.count; i++)
        status = write_one(w, clips.clips[i].file);
    spur_clips_free(&clips);
    return status;
}

/* Every element of the batch as "x,y,z" lines. */
static spur_status write_mesh(file_writer *w) {
    spur_mesh_part mesh;
    spur_error local;
    spur__str csv;
    spur_status status = spur_value_mesh(w->value, &mesh, &local);
    if (status != SPUR_OK) return export_skip(w->ex, status, w->run, &local);
    spur__str_init(&csv, (size_t)1 << 31);
    const double *at = mesh.data;
    for (int64_t batch = 0; status == SPUR_OK && batch < mesh.shape[0]; batch++) {
        spur__str_clear(&csv);
        for (int64_t point = 0; point < mesh.shape[1]; point++)
            for (int64_t k = 0; k < mesh.shape[2]; k++) {
                spur__str_double(&csv, *at++);
                spur__str_putc(&csv, k + 1 < mesh.shape[2] ? ',' : '\n');
            }
        status = spur__str_status(&csv);
        if (status != SPUR_OK)
            spur__fail(w->ex->err, status, "mesh too large: %s", spur_strstatus(status));
        else
            status = write_one(w, (spur_slice){spur__str_text(&csv), csv.length});
    }
    spur__str_free(&csv);
    spur_mesh_part_free(&mesh);
    return status;
}

/* Serialized messages and JSON: the body of an event, or the strings of a tensor. */
static spur_status write_blobs(file_writer *w) {
    spur_texts texts;
    spur_error local;
    if (w->event->what != SPUR_EVENT_SUMMARY) return write_one(w, w->value->body);
    spur_status status = spur_value_texts(w->value, &texts, &local);
    if (status != SPUR_OK) return export_skip(w->ex, status, w->run, &local);
    for (size_t i = 0; status == SPUR_OK && i < texts.rows * texts.columns; i++)
        status = write_one(w, texts.cells[i]);
    spur_texts_free(&texts);
    return status;
}

static spur_status visit_file(exporting *ex, void *user, const char *run, const spur_event *event,
                              const spur_value *value) {
    file_writer w = {.ex = ex, .t = user, .run = run, .event = event, .value = value};
    switch (value->kind) {
    case SPUR_KIND_IMAGE:
        return write_images(&w);
    case SPUR_KIND_AUDIO:
        return write_audio(&w);
    case SPUR_KIND_MESH:
        return write_mesh(&w);
    default:
        return write_blobs(&w);
    }
}

spur_status export_files(exporting *ex) {
    table t;
    table_begin(&t, ex->file, ex->format, file_columns,
                sizeof file_columns / sizeof file_columns[0]);
    spur_status status = export_walk(ex, visit_file, &t), ended = table_end(&t);
    if (status != SPUR_OK || ended == SPUR_OK) return status;
    return spur__fail(ex->err, ended, "cannot write the table: %s", spur_strstatus(ended));
}
