/* SPDX-License-Identifier: MIT
 *
 * Decodes Event, Summary and Summary.Value (event.proto, summary.proto) in place. The messages are
 * walked on the wire instead of being unpacked by protobuf-c: nothing is allocated, which a reader
 * of a hostile file wants as much as a fast one; tests compare both on generated events.
 */
#include "read/internal.h"

#include <string.h>

#include "base/str.h"
#include "read/wire.h"

static const char empty[] = "";

static const char *const kind_names[SPUR_KIND_COUNT] = {
    [SPUR_KIND_NONE] = "none",           [SPUR_KIND_SCALAR] = "scalar",
    [SPUR_KIND_HISTOGRAM] = "histogram", [SPUR_KIND_IMAGE] = "image",
    [SPUR_KIND_AUDIO] = "audio",         [SPUR_KIND_TEXT] = "text",
    [SPUR_KIND_HPARAMS] = "hparams",     [SPUR_KIND_PR_CURVE] = "pr_curve",
    [SPUR_KIND_MESH] = "mesh",           [SPUR_KIND_LAYOUT] = "layout",
    [SPUR_KIND_GRAPH] = "graph",         [SPUR_KIND_PROFILE] = "profile",
    [SPUR_KIND_TENSOR] = "tensor",
};

/* Plugin names of TensorBoard and the kind of their values. */
#define PLUGIN(name, kind)                                                                         \
    { name, sizeof name - 1, kind }
static const struct {
    const char *plugin;
    size_t size;
    spur_kind kind;
} plugins[] = {
    PLUGIN("scalars", SPUR_KIND_SCALAR),
    PLUGIN("histograms", SPUR_KIND_HISTOGRAM),
    PLUGIN("images", SPUR_KIND_IMAGE),
    PLUGIN("audio", SPUR_KIND_AUDIO),
    PLUGIN("text", SPUR_KIND_TEXT),
    PLUGIN("hparams", SPUR_KIND_HPARAMS),
    PLUGIN("pr_curves", SPUR_KIND_PR_CURVE),
    PLUGIN("mesh", SPUR_KIND_MESH),
    PLUGIN("custom_scalars", SPUR_KIND_LAYOUT),
    PLUGIN("graphs", SPUR_KIND_GRAPH),
    PLUGIN("graph_keras_model", SPUR_KIND_GRAPH),
    PLUGIN("graph_run_metadata", SPUR_KIND_GRAPH),
    PLUGIN("graph_run_metadata_graph", SPUR_KIND_GRAPH),
};

const char *spur_kind_name(spur_kind kind) {
    return (unsigned)kind < SPUR_KIND_COUNT ? kind_names[kind] : "unknown";
}

/* What a plugin's values are; TENSOR for an unknown plugin. */
static spur_kind kind_of_plugin(spur_slice plugin) {
    for (size_t i = 0; i < sizeof plugins / sizeof plugins[0]; i++)
        if (plugin.size == plugins[i].size &&
            memcmp(plugin.data, plugins[i].plugin, plugin.size) == 0)
            return plugins[i].kind;
    return SPUR_KIND_TENSOR;
}

/* Takes a string field; remembers when it is not UTF-8. */
static void take_text(spur_slice *out, const wire_field *field, bool *utf8) {
    *out = field->bytes;
    if (!spur__utf8_valid(out->data, out->size)) *utf8 = false;
}

static spur_status wire_status(const wire *w) {
    return w->bad ? SPUR_E_FORMAT : SPUR_OK;
}

/* ---- Summary.Value -------------------------------------------------------------------------- */

static spur_status decode_plugin_data(spur_slice message, spur_value *value, bool *utf8) {
    wire w = wire_of(message);
    for (wire_field f; wire_next(&w, &f);) {
        switch (wire_key(&f)) {
        case WIRE_KEY(1, WIRE_BYTES):
            take_text(&value->plugin, &f, utf8);
            break;
        case WIRE_KEY(2, WIRE_BYTES):
            value->plugin_content = f.bytes;
            break;
        default:
            break;
        }
    }
    return wire_status(&w);
}

static spur_status decode_metadata(spur_slice message, spur_value *value, bool *utf8) {
    wire w = wire_of(message);
    value->has_metadata = true;
    for (wire_field f; wire_next(&w, &f);) {
        switch (wire_key(&f)) {
        case WIRE_KEY(1, WIRE_BYTES):
            SPUR__TRY(decode_plugin_data(f.bytes, value, utf8));
            break;
        case WIRE_KEY(2, WIRE_BYTES):
            take_text(&value->display_name, &f, utf8);
            break;
        case WIRE_KEY(3, WIRE_BYTES):
            take_text(&value->description, &f, utf8);
            break;
        case WIRE_KEY(4, WIRE_VARINT):
            value->data_class = (int)(int32_t)(uint32_t)f.value;
            break;
        default:
            break;
        }
    }
    return wire_status(&w);
}

static spur_status take_form(spur_value *value, spur_form form, spur_slice body, bool *utf8) {
    value->form = form;
    value->body = body;
    return form == SPUR_FORM_TENSOR ? spur__tensor_decode(body, &value->tensor, utf8) : SPUR_OK;
}

/* The kind that a value has by itself: old forms say it by their field, tensors by the plugin. */
static spur_kind judge(const spur_value *value) {
    switch (value->form) {
    case SPUR_FORM_SIMPLE:
        return SPUR_KIND_SCALAR;
    case SPUR_FORM_HISTO:
        return SPUR_KIND_HISTOGRAM;
    case SPUR_FORM_IMAGE:
        return SPUR_KIND_IMAGE;
    case SPUR_FORM_AUDIO:
        return SPUR_KIND_AUDIO;
    case SPUR_FORM_TENSOR:
        return kind_of_plugin(value->plugin);
    case SPUR_FORM_NONE: /* HParams may come without a tensor */
        return spur_slice_is(value->plugin, "hparams") ? SPUR_KIND_HPARAMS : SPUR_KIND_NONE;
    case SPUR_FORM_OBSOLETE_HISTOGRAM:
        break;
    }
    return SPUR_KIND_NONE;
}

static spur_status decode_value_field(const wire_field *f, spur_value *value, bool *utf8) {
    spur_slice node_name;
    switch (wire_key(f)) {
    case WIRE_KEY(1, WIRE_BYTES):
        take_text(&value->tag, f, utf8);
        return SPUR_OK;
    case WIRE_KEY(2, WIRE_32):
        value->simple = wire_float(f->value);
        return take_form(value, SPUR_FORM_SIMPLE, f->bytes, utf8);
    case WIRE_KEY(3, WIRE_BYTES):
        return take_form(value, SPUR_FORM_OBSOLETE_HISTOGRAM, f->bytes, utf8);
    case WIRE_KEY(4, WIRE_BYTES):
        return take_form(value, SPUR_FORM_IMAGE, f->bytes, utf8);
    case WIRE_KEY(5, WIRE_BYTES):
        return take_form(value, SPUR_FORM_HISTO, f->bytes, utf8);
    case WIRE_KEY(6, WIRE_BYTES):
        return take_form(value, SPUR_FORM_AUDIO, f->bytes, utf8);
    case WIRE_KEY(7, WIRE_BYTES):
        take_text(&node_name, f, utf8);
        return SPUR_OK;
    case WIRE_KEY(8, WIRE_BYTES):
        return take_form(value, SPUR_FORM_TENSOR, f->bytes, utf8);
    case WIRE_KEY(9, WIRE_BYTES):
        return decode_metadata(f->bytes, value, utf8);
    default:
        return SPUR_OK;
    }
}

/* Decodes one Summary.Value. *utf8 becomes false when one of its strings is not UTF-8. */
static spur_status value_decode(spur_slice message, spur_value *value, bool *utf8) {
    const spur_slice nothing = {empty, 0};
    *value = (spur_value){.tag = nothing,
                          .plugin = nothing,
                          .plugin_content = nothing,
                          .display_name = nothing,
                          .description = nothing,
                          .message = message,
                          .body = nothing};
    wire w = wire_of(message);
    for (wire_field f; wire_next(&w, &f);) SPUR__TRY(decode_value_field(&f, value, utf8));
    value->kind = judge(value);
    return wire_status(&w);
}

/* ---- Event ---------------------------------------------------------------------------------- */

/* Decodes a message of up to one number and two texts: LogMessage (1 level, 2 message), SessionLog
 * (1 status, 2 path, 3 message), TaggedRunMetadata (1 tag, 2 bytes), SourceMetadata (1 writer). */
static spur_status decode_small(spur_slice message, int *code, spur_slice *first,
                                spur_slice *second, spur_slice *third, bool *utf8) {
    wire w = wire_of(message);
    for (wire_field f; wire_next(&w, &f);) {
        switch (wire_key(&f)) {
        case WIRE_KEY(1, WIRE_VARINT):
            if (code) *code = (int)(int32_t)(uint32_t)f.value;
            break;
        case WIRE_KEY(1, WIRE_BYTES):
            if (first) take_text(first, &f, utf8);
            break;
        case WIRE_KEY(2, WIRE_BYTES):
            if (second) take_text(second, &f, utf8);
            break;
        case WIRE_KEY(3, WIRE_BYTES):
            if (third) take_text(third, &f, utf8);
            break;
        default:
            break;
        }
    }
    return wire_status(&w);
}

static spur_status decode_run_metadata(spur_slice message, spur_event *event, bool *utf8) {
    wire w = wire_of(message);
    for (wire_field f; wire_next(&w, &f);) {
        if (wire_key(&f) == WIRE_KEY(1, WIRE_BYTES)) take_text(&event->name, &f, utf8);
        if (wire_key(&f) == WIRE_KEY(2, WIRE_BYTES)) event->data = f.bytes;
    }
    return wire_status(&w);
}

/* Walks all values once, so that spur_event_value() cannot fail later; keeps the first, which in
 * nearly all events is the only one. */
static spur_status check_summary(spur_event *event, bool *utf8) {
    wire w = wire_of(event->data);
    spur_value other, *value = &event->first;
    for (wire_field f; wire_next(&w, &f); value = &other) {
        if (wire_key(&f) != WIRE_KEY(1, WIRE_BYTES)) continue;
        SPUR__TRY(value_decode(f.bytes, value, utf8));
        value->position = (size_t)((const char *)w.at - event->data.data);
    }
    return wire_status(&w);
}

static spur_status take_what(spur_event *event, spur_event_what what, const wire_field *f,
                             bool *utf8) {
    spur_slice path;
    event->what = what;
    event->code = 0;
    event->name = event->data = (spur_slice){empty, 0};
    switch (what) {
    case SPUR_EVENT_FILE_VERSION:
        take_text(&event->data, f, utf8);
        return SPUR_OK;
    case SPUR_EVENT_SUMMARY:
        event->data = f->bytes;
        return SPUR_OK; /* checked last, when all is known */
    case SPUR_EVENT_LOG_MESSAGE:
        return decode_small(f->bytes, &event->code, NULL, &event->data, NULL, utf8);
    case SPUR_EVENT_SESSION_LOG:
        return decode_small(f->bytes, &event->code, NULL, &path, &event->data, utf8);
    case SPUR_EVENT_RUN_METADATA:
        return decode_run_metadata(f->bytes, event, utf8);
    case SPUR_EVENT_NONE:
    case SPUR_EVENT_GRAPH:
    case SPUR_EVENT_META_GRAPH:
        break;
    }
    event->data = f->bytes;
    return SPUR_OK;
}

static spur_status decode_event_field(const wire_field *f, spur_event *event, bool *utf8) {
    switch (wire_key(f)) {
    case WIRE_KEY(1, WIRE_64):
        event->wall_time = wire_double(f->value);
        return SPUR_OK;
    case WIRE_KEY(2, WIRE_VARINT):
        event->step = (int64_t)f->value;
        return SPUR_OK;
    case WIRE_KEY(3, WIRE_BYTES):
        return take_what(event, SPUR_EVENT_FILE_VERSION, f, utf8);
    case WIRE_KEY(4, WIRE_BYTES):
        return take_what(event, SPUR_EVENT_GRAPH, f, utf8);
    case WIRE_KEY(5, WIRE_BYTES):
        return take_what(event, SPUR_EVENT_SUMMARY, f, utf8);
    case WIRE_KEY(6, WIRE_BYTES):
        return take_what(event, SPUR_EVENT_LOG_MESSAGE, f, utf8);
    case WIRE_KEY(7, WIRE_BYTES):
        return take_what(event, SPUR_EVENT_SESSION_LOG, f, utf8);
    case WIRE_KEY(8, WIRE_BYTES):
        return take_what(event, SPUR_EVENT_RUN_METADATA, f, utf8);
    case WIRE_KEY(9, WIRE_BYTES):
        return take_what(event, SPUR_EVENT_META_GRAPH, f, utf8);
    case WIRE_KEY(10, WIRE_BYTES):
        return decode_small(f->bytes, NULL, &event->writer, NULL, NULL, utf8);
    default:
        return SPUR_OK;
    }
}

/* Takes the message that fills the rest of `w` behind this key of one byte. */
static bool take_rest(wire *w, unsigned char key, spur_slice *out) {
    uint64_t n;
    if (w->at == w->end || *w->at++ != key || !wire_varint(w, &n)) return false;
    *out = (spur_slice){(const char *)w->at, (size_t)n};
    return n == (uint64_t)(w->end - w->at);
}

/* The event that nearly all are: wall time, step, a summary of one value that fits the template.
 * False, and *event is as it was, for any other: that is decoded. */
static bool recognise(spur_slice payload, const value_template *guess, spur_event *event) {
    wire w = wire_of(payload);
    spur_slice summary, message;
    uint64_t step = 0;
    if (payload.size < 10 || *w.at != WIRE_KEY(1, WIRE_64)) return false;
    w.at += 9;
    if (*w.at == WIRE_KEY(2, WIRE_VARINT)) {
        w.at++;
        if (!wire_varint(&w, &step)) return false;
    }
    if (!take_rest(&w, WIRE_KEY(5, WIRE_BYTES), &summary)) return false;
    if (!take_rest(&w, WIRE_KEY(1, WIRE_BYTES), &message)) return false;
    if (!spur__value_template_fits(guess, message)) return false;
    event->wall_time = wire_double(spur__load64(payload.data + 1));
    event->step = (int64_t)step;
    event->what = SPUR_EVENT_SUMMARY;
    event->data = summary;
    event->first.message = message;
    event->first.position = summary.size;
    event->match = guess;
    return true;
}

spur_status spur__event_decode(spur_slice payload, const value_template *guess, spur_event *event,
                               spur_error *err) {
    const spur_slice nothing = {empty, 0};
    bool utf8 = true;
    event->wall_time = 0;
    event->step = 0;
    event->what = SPUR_EVENT_NONE;
    event->code = 0;
    event->name = event->data = event->writer = nothing;
    event->first.position = 0;
    event->match = NULL;
    if (guess && recognise(payload, guess, event)) return SPUR_OK;
    wire w = wire_of(payload);
    spur_status status = SPUR_OK;
    for (wire_field f; status == SPUR_OK && wire_next(&w, &f);)
        status = decode_event_field(&f, event, &utf8);
    if (status == SPUR_OK && event->what == SPUR_EVENT_SUMMARY)
        status = check_summary(event, &utf8);
    if (status != SPUR_OK || w.bad)
        return spur__fail(err, SPUR_E_FORMAT, "payload of %zu bytes is not an Event message",
                          payload.size);
    if (!utf8)
        return spur__fail(err, SPUR_E_UTF8, "an Event with a string that is not valid UTF-8");
    return SPUR_OK;
}

spur_status spur_event_decode(spur_slice payload, spur_event *event, spur_error *err) {
    return spur__event_decode(payload, NULL, event, err);
}

bool spur_event_value(const spur_event *event, spur_value *value) {
    size_t position = value->position;
    if (event->what != SPUR_EVENT_SUMMARY || position >= event->data.size) return false;
    if (position == 0 && event->first.position > 0) {
        /* the template is as it was: only values that were not recognised change one */
        if (event->match)
            spur__value_template_fill(event->match, event->first.message, value);
        else
            *value = event->first;
        value->position = event->first.position;
        return true;
    }
    wire w = wire_of((spur_slice){event->data.data + position, event->data.size - position});
    bool utf8;
    for (wire_field f; wire_next(&w, &f);) {
        if (wire_key(&f) != WIRE_KEY(1, WIRE_BYTES)) continue;
        if (value_decode(f.bytes, value, &utf8) != SPUR_OK) return false;
        value->position = (size_t)((const char *)w.at - event->data.data);
        return true;
    }
    return false;
}
