/* SPDX-License-Identifier: MIT
 *
 * Meshes: up to three tags of one step, <tag>_VERTEX (float), <tag>_FACE (int32), <tag>_COLOR (uint8),
 * each of shape [batch, n, 3]; the plugin's metadata says which parts there are.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "base/clock.h"
#include "base/memory.h"
#include "plugin.pb-c.h"
#include "tensor.h"
#include "writer.h"

typedef struct part {
    const char *suffix;
    Spur__Tb__MeshPluginData__ContentType content;
    Spur__Tb__DataType type;
    const void *data;
    size_t count, element_size;
} part;

static spur_status check_faces(const spur_log_mesh_data *m, size_t batch, spur_error *err) {
    for (size_t i = 0; m->faces && i < batch * m->face_count * 3; i++)
        if (m->faces[i] < 0 || (size_t)m->faces[i] >= m->vertex_count)
            return spur__fail(err, SPUR_E_RANGE, "face %zu uses vertex %d of %zu", i / 3,
                              (int)m->faces[i], m->vertex_count);
    return SPUR_OK;
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
    return m->config_json ? spur__check_text(m->config_json, "the mesh's configuration", err)
                          : SPUR_OK;
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

static spur_status write_part(spur_writer *w, const spur__entry *like, const part *p, size_t batch,
                              uint32_t components, const char *config) {
    spur__tensor tensor;
    spur__entry entry = *like;
    int64_t dims[3] = {(int64_t)batch, (int64_t)p->count, 3};
    int32_t shape[3] = {(int32_t)batch, (int32_t)p->count, 3};
    size_t length = strlen(like->tag) + strlen(p->suffix) + 1;
    char *tag = spur__malloc(length);
    spur_status status = SPUR_E_MEMORY;
    if (tag && pack_content(like->tag, p, shape, components, config, &entry.content) == SPUR_OK) {
        snprintf(tag, length, "%s%s", like->tag, p->suffix);
        spur__tensor_init(&tensor, p->type, dims, 3);
        spur__tensor_bytes(&tensor, p->data, batch * p->count * 3 * p->element_size);
        entry.tag = tag;
        entry.tensor = &tensor.proto;
        status = spur__log_entry(w, &entry);
        spur__free(entry.content.data);
    } else {
        spur__writer_failf(w, status, "a mesh: out of memory");
    }
    spur__free(tag);
    return status;
}

spur_status spur_log_mesh(spur_writer *w, const char *tag, int64_t step,
                          const spur_log_mesh_data *mesh, const spur_log_options *options) {
    spur_error err;
    uint32_t components = 0;
    if (!spur__alive(w)) return SPUR_OK;
    size_t batch = mesh && mesh->batch ? mesh->batch : 1;
    spur_status status = spur__check_text(tag, "the tag", &err);
    if (status == SPUR_OK) status = check_mesh(mesh, batch, &err);
    if (status != SPUR_OK) return spur__writer_fail(w, &err);
    const part parts[] = {
        {"_VERTEX", SPUR__TB__MESH_PLUGIN_DATA__CONTENT_TYPE__VERTEX, SPUR__TB__DATA_TYPE__DT_FLOAT,
         mesh->vertices, mesh->vertex_count, sizeof(float)},
        {"_FACE", SPUR__TB__MESH_PLUGIN_DATA__CONTENT_TYPE__FACE, SPUR__TB__DATA_TYPE__DT_INT32,
         mesh->faces, mesh->face_count, sizeof(int32_t)},
        {"_COLOR", SPUR__TB__MESH_PLUGIN_DATA__CONTENT_TYPE__COLOR, SPUR__TB__DATA_TYPE__DT_UINT8,
         mesh->colors, mesh->vertex_count, 1}};
    for (size_t i = 0; i < 3; i++)
        if (parts[i].data) components |= 1u << parts[i].content;
    /* The parts belong together by step and wall time. */
    spur_log_options same = options ? *options : (spur_log_options){0};
    if (same.wall_time == 0.0) same.wall_time = spur__wall_time();
    spur__entry entry = {.kind = SPUR__TAG_MESH, .tag = tag, .step = step, .options = &same};
    const char *config = mesh->config_json ? mesh->config_json : "{}";
    for (size_t i = 0; i < 3 && status == SPUR_OK; i++)
        if (parts[i].data) status = write_part(w, &entry, &parts[i], batch, components, config);
    return status;
}
