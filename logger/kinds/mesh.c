/* SPDX-License-Identifier: MIT
 *
 * Meshes: up to three tags of one step, <tag>_VERTEX (float), <tag>_FACE (int32), <tag>_COLOR (uint8),
 * each of shape [batch, n, 3]; the plugin's metadata says which parts there are.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kinds/array.h"
#include "base/clock.h"
#include "base/memory.h"
#include "kinds/json.h"
#include "plugin.pb-c.h"
#include "kinds/tensor.h"
#include "write/writer.h"

typedef struct part {
    const char *suffix;
    Spur__Tb__MeshPluginData__ContentType content;
    Spur__Tb__DataType type;
    const void *data;
    size_t count, element_size;
    char *tag;
} part;

enum { PARTS = 3 };

static spur_status check_faces(const spur_log_mesh_data *m, size_t batch, spur_error *err) {
    for (size_t i = 0; m->faces && i < batch * m->face_count * 3; i++)
        if (m->faces[i] < 0 || (size_t)m->faces[i] >= m->vertex_count)
            return spur__fail(err, SPUR_E_RANGE, "face %zu uses vertex %d of %zu", i / 3,
                              (int)m->faces[i], m->vertex_count);
    return SPUR_OK;
}

static spur_status check_config(const char *json, spur_error *err) {
    size_t at;
    SPUR__TRY(spur__check_text(json, "the mesh's configuration", err));
    if (spur__json_is_object(json, &at)) return SPUR_OK;
    return spur__fail(err, SPUR_E_FORMAT,
                      "the mesh's configuration is no JSON object: at byte %zu, \"%.40s\"", at,
                      json + at);
}

static spur_status check_mesh(const spur_log_mesh_data *m, size_t batch, spur_error *err) {
    size_t product;
    bool complete = m && m->vertices && m->vertex_count && !m->faces == !m->face_count;
    if (!complete)
        return spur__fail(err, SPUR_E_ARGUMENT,
                          "a mesh needs vertices, and faces with their number");
    if (m->vertex_count > INT32_MAX || m->face_count > INT32_MAX || batch > INT32_MAX ||
        !spur__mul(batch, m->vertex_count + m->face_count, &product) || product > SIZE_MAX / 12)
        return spur__fail(err, SPUR_E_RANGE, "a mesh of %zu x %zu vertices", batch,
                          m->vertex_count);
    for (size_t i = 0; i < batch * m->vertex_count * 3; i++)
        if (!isfinite(m->vertices[i]))
            return spur__fail(err, SPUR_E_NUMERIC, "vertex %zu is not finite", i / 3);
    SPUR__TRY(check_faces(m, batch, err));
    return m->config_json ? check_config(m->config_json, err) : SPUR_OK;
}

/* MeshPluginData of one part, packed. *out: spur__free. */
static spur_status pack_content(const char *tag, const part *p, int32_t shape[3],
                                uint32_t components, const char *config, ProtobufCBinaryData *out) {
    Spur__Tb__MeshPluginData data = SPUR__TB__MESH_PLUGIN_DATA__INIT;
    data.name = (char *)(uintptr_t)tag;
    data.content_type = p->content;
    data.json_config = (char *)(uintptr_t)config;
    data.shape = shape;
    data.n_shape = 3;
    data.components = components;
    out->len = spur__tb__mesh_plugin_data__get_packed_size(&data);
    out->data = spur__malloc(out->len);
    if (!out->data) return SPUR_E_MEMORY;
    spur__tb__mesh_plugin_data__pack(&data, out->data);
    return SPUR_OK;
}

/* The tags of all parts that are there; free_tags also after a failure. */
static spur_status name_parts(const char *tag, part parts[PARTS]) {
    for (int i = 0; i < PARTS; i++) {
        if (!parts[i].data) continue;
        size_t size = strlen(tag) + strlen(parts[i].suffix) + 1;
        parts[i].tag = spur__malloc(size);
        if (!parts[i].tag) return SPUR_E_MEMORY;
        snprintf(parts[i].tag, size, "%s%s", tag, parts[i].suffix);
    }
    return SPUR_OK;
}

static void free_tags(part parts[PARTS]) {
    for (int i = 0; i < PARTS; i++) spur__free(parts[i].tag);
}

/* Half a mesh would promise the other half: all tags are checked, then all are taken, before any part
 * is written. */
static spur_status take_tags(spur_writer *w, const part parts[PARTS], spur_error *err) {
    spur_status status = SPUR_OK;
    spur__tag *entry;
    pthread_mutex_lock(&w->queue.mutex);
    for (int i = 0; i < 2 * PARTS && status == SPUR_OK; i++) {
        const char *tag = parts[i % PARTS].tag;
        if (!tag) continue;
        size_t length = strlen(tag);
        uint64_t hash = spur__tag_hash(tag, length);
        status = i < PARTS ? spur__tag_check(w, tag, length, hash, SPUR__TAG_MESH, err)
                           : spur__tag_entry(w, tag, length, hash, SPUR__TAG_MESH, &entry, err);
        if (status != SPUR_OK) spur__error_prefix(err, "%s", parts[i % PARTS].suffix);
    }
    pthread_mutex_unlock(&w->queue.mutex);
    return status;
}

static spur_status write_part(spur_writer *w, const spur__entry *like, const part *p, size_t batch,
                              uint32_t components, const char *config) {
    spur__tensor tensor;
    spur__entry entry = *like;
    int64_t dims[3] = {(int64_t)batch, (int64_t)p->count, 3};
    int32_t shape[3] = {(int32_t)batch, (int32_t)p->count, 3};
    if (pack_content(like->tag, p, shape, components, config, &entry.content) != SPUR_OK)
        return spur__point_failf(w, p->tag, like->step, SPUR_E_MEMORY, "a mesh: out of memory");
    spur__tensor_init(&tensor, p->type, dims, 3);
    spur__tensor_bytes(&tensor, p->data, batch * p->count * 3 * p->element_size);
    entry.tag = p->tag;
    entry.tensor = &tensor.proto;
    spur_status status = spur__log_entry(w, &entry);
    spur__free(entry.content.data);
    return status;
}

/* The mesh is checked. */
static spur_status write_mesh(spur_writer *w, const spur__entry *like,
                              const spur_log_mesh_data *mesh, size_t batch, spur_error *err) {
    part parts[PARTS] = {
        {"_VERTEX", SPUR__TB__MESH_PLUGIN_DATA__CONTENT_TYPE__VERTEX, SPUR__TB__DATA_TYPE__DT_FLOAT,
         mesh->vertices, mesh->vertex_count, sizeof(float), NULL},
        {"_FACE", SPUR__TB__MESH_PLUGIN_DATA__CONTENT_TYPE__FACE, SPUR__TB__DATA_TYPE__DT_INT32,
         mesh->faces, mesh->face_count, sizeof(int32_t), NULL},
        {"_COLOR", SPUR__TB__MESH_PLUGIN_DATA__CONTENT_TYPE__COLOR, SPUR__TB__DATA_TYPE__DT_UINT8,
         mesh->colors, mesh->vertex_count, 1, NULL}};
    uint32_t components = 0;
    const char *config = mesh->config_json ? mesh->config_json : "{}";
    spur_status status = name_parts(like->tag, parts);
    if (status != SPUR_OK) spur__fail(err, status, "a mesh: out of memory");
    if (status == SPUR_OK) status = take_tags(w, parts, err);
    if (status != SPUR_OK) spur__point_fail(w, like->tag, like->step, err);
    for (int i = 0; i < PARTS; i++)
        if (parts[i].data) components |= 1u << parts[i].content;
    for (int i = 0; i < PARTS && status == SPUR_OK; i++)
        if (parts[i].data) status = write_part(w, like, &parts[i], batch, components, config);
    free_tags(parts);
    return status;
}

spur_status spur_log_mesh(spur_writer *w, const char *tag, int64_t step,
                          const spur_log_mesh_data *mesh, const spur_log_options *options) {
    spur_error err;
    if (!spur__alive(w)) return SPUR_OK;
    size_t batch = mesh && mesh->batch ? mesh->batch : 1;
    spur_status status = spur__check_text(tag, "the tag", &err);
    if (status == SPUR_OK && !*tag) status = spur__fail(&err, SPUR_E_ARGUMENT, "the tag is empty");
    if (status == SPUR_OK) status = check_mesh(mesh, batch, &err);
    if (status != SPUR_OK) return spur__point_fail(w, tag, step, &err);
    /* The parts belong together by step and wall time. */
    spur_log_options same = options ? *options : (spur_log_options){0};
    if (same.wall_time == 0.0) same.wall_time = spur__wall_time();
    spur__entry like = {.kind = SPUR__TAG_MESH, .tag = tag, .step = step, .options = &same};
    return write_mesh(w, &like, mesh, batch, &err);
}
