/* SPDX-License-Identifier: MIT
 *
 * HParams, PR curves and meshes from a value: kinds whose content stands (also) in the metadata.
 * Messages: hparams/api.proto and plugin_data.proto of TensorBoard's plugins.
 */
#include "read/internal.h"

#include <string.h>

#include "base/memory.h"
#include "read/wire.h"

/* ---- HParams -------------------------------------------------------------------------------- */

void spur_hparams_record_free(spur_hparams_record *record) {
    spur__free(record->values);
    *record = (spur_hparams_record){0};
}

/* google.protobuf.Value; lists and structs are not looked into. */
static bool decode_hparam_value(spur_slice message, spur_hparam *out) {
    wire w = wire_of(message);
    for (wire_field f; wire_next(&w, &f);) {
        switch (wire_key(&f)) {
        case WIRE_KEY(2, WIRE_64):
            out->type = SPUR_HPARAM_NUMBER;
            out->number = wire_double(f.value);
            break;
        case WIRE_KEY(3, WIRE_BYTES):
            out->type = SPUR_HPARAM_TEXT;
            out->text = f.bytes;
            break;
        case WIRE_KEY(4, WIRE_VARINT):
            out->type = SPUR_HPARAM_BOOL;
            out->number = f.value != 0;
            break;
        default:
            out->type = SPUR_HPARAM_NONE;
            break;
        }
    }
    return !w.bad;
}

/* One entry of the map: 1 key, 2 value. */
static bool decode_hparam(spur_slice message, spur_hparam *out) {
    const spur_slice nothing = {"", 0};
    wire w = wire_of(message);
    *out = (spur_hparam){.name = nothing, .text = nothing};
    for (wire_field f; wire_next(&w, &f);) {
        if (wire_key(&f) == WIRE_KEY(1, WIRE_BYTES)) out->name = f.bytes;
        if (wire_key(&f) == WIRE_KEY(2, WIRE_BYTES) && !decode_hparam_value(f.bytes, out))
            return false;
    }
    return !w.bad;
}

static bool decode_start_field(const wire_field *f, spur_hparams_record *out) {
    switch (wire_key(f)) {
    case WIRE_KEY(1, WIRE_BYTES):
        return decode_hparam(f->bytes, &out->values[out->count++]);
    case WIRE_KEY(4, WIRE_BYTES):
        out->group = f->bytes;
        return true;
    case WIRE_KEY(5, WIRE_64):
        out->time = wire_double(f->value);
        return true;
    default:
        return true;
    }
}

static spur_status decode_start(spur_slice message, spur_hparams_record *out, spur_error *err) {
    wire w = wire_of(message);
    size_t count = 0;
    for (wire_field f; wire_next(&w, &f);) count += wire_key(&f) == WIRE_KEY(1, WIRE_BYTES);
    if (w.bad) return spur__fail(err, SPUR_E_FORMAT, "malformed session start");
    out->values = spur__malloc_array(count, sizeof *out->values);
    if (!out->values)
        return spur__fail(err, SPUR_E_MEMORY, "out of memory for %zu hyper-parameters", count);
    w = wire_of(message);
    for (wire_field f; wire_next(&w, &f);)
        if (!decode_start_field(&f, out))
            return spur__fail(err, SPUR_E_FORMAT, "malformed session start");
    return SPUR_OK;
}

static spur_status decode_end(spur_slice message, spur_hparams_record *out, spur_error *err) {
    wire w = wire_of(message);
    for (wire_field f; wire_next(&w, &f);) {
        if (wire_key(&f) == WIRE_KEY(1, WIRE_VARINT)) out->status = (int32_t)(uint32_t)f.value;
        if (wire_key(&f) == WIRE_KEY(2, WIRE_64)) out->time = wire_double(f.value);
    }
    return w.bad ? spur__fail(err, SPUR_E_FORMAT, "malformed session end") : SPUR_OK;
}

static spur_status decode_hparams(spur_slice content, spur_hparams_record *out, spur_error *err) {
    wire w = wire_of(content);
    for (wire_field f; wire_next(&w, &f);)
        if (f.type == WIRE_BYTES && f.number >= 2 && f.number <= 4) {
            out->what = (spur_hparams_what)(f.number - 1);
            out->data = f.bytes;
        }
    if (w.bad) return spur__fail(err, SPUR_E_FORMAT, "malformed HParams record");
    if (out->what == SPUR_HPARAMS_START) return decode_start(out->data, out, err);
    if (out->what == SPUR_HPARAMS_END) return decode_end(out->data, out, err);
    return SPUR_OK;
}

spur_status spur_value_hparams(const spur_value *value, spur_hparams_record *out, spur_error *err) {
    const spur_slice nothing = {"", 0};
    *out = (spur_hparams_record){.group = nothing, .data = nothing};
    if (value->kind != SPUR_KIND_HPARAMS) return spur__content_kind(value, "hyper-parameters", err);
    spur_status status = decode_hparams(value->plugin_content, out, err);
    if (status != SPUR_OK) spur_hparams_record_free(out);
    return spur__content_error(status, value, err);
}

/* ---- PR curves ------------------------------------------------------------------------------ */

void spur_pr_curve_free(spur_pr_curve *curve) {
    spur__free(curve->true_positives);
    *curve = (spur_pr_curve){0};
}

static spur_status pr_curve_of_tensor(const spur_tensor *tensor, spur_pr_curve *out,
                                      spur_error *err) {
    size_t count;
    double *numbers;
    if (tensor->rank != 2 || tensor->shape[0] != 6)
        return spur__fail(err, SPUR_E_SHAPE, "PR curve of rank %d, expected shape [6, thresholds]",
                          tensor->rank);
    SPUR__TRY(spur__tensor_load(tensor, &numbers, &count, err));
    size_t n = count / 6;
    *out = (spur_pr_curve){n,
                           numbers,
                           numbers + n,
                           numbers + 2 * n,
                           numbers + 3 * n,
                           numbers + 4 * n,
                           numbers + 5 * n};
    return SPUR_OK;
}

spur_status spur_value_pr_curve(const spur_value *value, spur_pr_curve *out, spur_error *err) {
    *out = (spur_pr_curve){0};
    if (!spur__content_is(value, SPUR_KIND_PR_CURVE))
        return spur__content_kind(value, "a PR curve", err);
    return spur__content_error(pr_curve_of_tensor(&value->tensor, out, err), value, err);
}

/* ---- meshes --------------------------------------------------------------------------------- */

void spur_mesh_part_free(spur_mesh_part *part) {
    spur__free(part->data);
    *part = (spur_mesh_part){0};
}

static spur_status decode_mesh(const spur_value *value, spur_mesh_part *out, spur_error *err) {
    const spur_tensor *tensor = &value->tensor;
    size_t count;
    wire w = wire_of(value->plugin_content);
    for (wire_field f; wire_next(&w, &f);) {
        if (wire_key(&f) == WIRE_KEY(2, WIRE_BYTES)) out->name = f.bytes;
        if (wire_key(&f) == WIRE_KEY(3, WIRE_VARINT))
            out->content_type = (int32_t)(uint32_t)f.value;
        if (wire_key(&f) == WIRE_KEY(5, WIRE_BYTES)) out->config = f.bytes;
    }
    if (w.bad) return spur__fail(err, SPUR_E_FORMAT, "malformed mesh metadata");
    if (tensor->rank != 3)
        return spur__fail(err, SPUR_E_SHAPE, "mesh of rank %d, expected shape [batch, points, 3]",
                          tensor->rank);
    memcpy(out->shape, tensor->shape, sizeof out->shape);
    return spur__tensor_load(tensor, &out->data, &count, err);
}

spur_status spur_value_mesh(const spur_value *value, spur_mesh_part *out, spur_error *err) {
    const spur_slice nothing = {"", 0};
    *out = (spur_mesh_part){.name = nothing, .config = nothing};
    if (!spur__content_is(value, SPUR_KIND_MESH)) return spur__content_kind(value, "a mesh", err);
    spur_status status = decode_mesh(value, out, err);
    if (status != SPUR_OK) spur_mesh_part_free(out);
    return spur__content_error(status, value, err);
}
