/* SPDX-License-Identifier: MIT
 *
 * Events as records: packing by protobuf-c, and the path that every kind but the scalar takes.
 */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "write/writer.h"

/* Readers take records up to 2 GiB; far below that browsers give up. */
static const size_t payload_limit = (size_t)1 << 30;

static char version_text[] = "brain.Event:2";

spur_status spur__event_pack(const Spur__Tb__Event *event, unsigned char **record, size_t *size,
                             spur_error *err) {
    size_t payload = spur__tb__event__get_packed_size(event);
    if (payload > payload_limit)
        return spur__fail(err, SPUR_E_RANGE, "a record of %zu bytes; at most 1 GiB is possible",
                          payload);
    *size = payload + SPUR__RECORD_FRAME;
    *record = spur__malloc(*size);
    if (!*record)
        return spur__fail(err, SPUR_E_MEMORY, "a record of %zu bytes: out of memory", payload);
    spur__record_head(*record, payload);
    spur__tb__event__pack(event, *record + SPUR__RECORD_HEAD);
    return SPUR_OK;
}

spur_status spur__pack_version(double wall_time, const char *writer, unsigned char **record,
                               size_t *size, spur_error *err) {
    Spur__Tb__SourceMetadata source = SPUR__TB__SOURCE_METADATA__INIT;
    Spur__Tb__Event event = SPUR__TB__EVENT__INIT;
    source.writer = (char *)(uintptr_t)writer;
    event.wall_time = wall_time;
    event.what_case = SPUR__TB__EVENT__WHAT_FILE_VERSION;
    event.file_version = version_text;
    event.source_metadata = &source;
    return spur__event_pack(&event, record, size, err);
}

spur_status spur__pack_start(double wall_time, int64_t step, const char *stream,
                             unsigned char **record, size_t *size, spur_error *err) {
    Spur__Tb__SessionLog session = SPUR__TB__SESSION_LOG__INIT;
    Spur__Tb__Event event = SPUR__TB__EVENT__INIT;
    session.status = SPUR__TB__SESSION_LOG__SESSION_STATUS__START;
    session.msg = (char *)(uintptr_t)stream;
    event.wall_time = wall_time;
    event.step = step;
    event.what_case = SPUR__TB__EVENT__WHAT_SESSION_LOG;
    event.session_log = &session;
    return spur__event_pack(&event, record, size, err);
}

void spur__event_of_entry(const spur__entry *entry, double wall_time, spur__event_parts *parts) {
    const spur_log_options *options = entry->options;
    *parts = (spur__event_parts){.event = SPUR__TB__EVENT__INIT,
                                 .summary = SPUR__TB__SUMMARY__INIT,
                                 .value = SPUR__TB__SUMMARY__VALUE__INIT,
                                 .metadata = SPUR__TB__SUMMARY_METADATA__INIT,
                                 .plugin = SPUR__TB__SUMMARY_METADATA__PLUGIN_DATA__INIT};
    parts->plugin.plugin_name = (char *)(uintptr_t)spur__kind_plugin(entry->kind);
    parts->plugin.content = entry->content;
    parts->metadata.plugin_data = &parts->plugin;
    if (options && options->display_name)
        parts->metadata.display_name = (char *)(uintptr_t)options->display_name;
    if (options && options->description)
        parts->metadata.summary_description = (char *)(uintptr_t)options->description;
    parts->value.tag = (char *)(uintptr_t)entry->tag;
    parts->value.metadata = &parts->metadata;
    parts->value.value_case = SPUR__TB__SUMMARY__VALUE__VALUE_TENSOR;
    parts->value.tensor = entry->tensor;
    parts->values[0] = &parts->value;
    parts->summary.n_value = 1;
    parts->summary.value = parts->values;
    parts->event.wall_time = wall_time;
    parts->event.step = entry->step;
    parts->event.what_case = SPUR__TB__EVENT__WHAT_SUMMARY;
    parts->event.summary = &parts->summary;
}

spur_status spur__push_record(spur_writer *w, unsigned char *record, size_t size) {
    pthread_mutex_lock(&w->queue.mutex);
    spur_status status = spur__queue_push(&w->queue, record, size);
    pthread_mutex_unlock(&w->queue.mutex);
    return spur__queue_result(w, status);
}

static bool has_point(const spur_writer *w, const char *name) {
    size_t length = strlen(name);
    const spur__tag *tag = spur__tags_find(&w->tags, spur__tag_hash(name, length), name, length);
    return tag && tag->has_step;
}

/* With the mutex held: what only the tags' entries can tell. */
static spur_status check_entry(const spur_writer *w, const spur__tag *tag, const spur__entry *entry,
                               spur_error *err) {
    if (entry->once && tag->has_step)
        return spur__fail(err, SPUR_E_STATE, "this run has one already, and the first one counts");
    if (entry->after && !w->restarted && !has_point(w, entry->after))
        return spur__fail(err, SPUR_E_STATE, "\"%s\" has to come first", entry->after);
    if (entry->parts && tag->parts && tag->parts != entry->parts)
        return spur__fail(err, SPUR_E_SHAPE,
                          "%zu clips, but %zu at earlier steps; TensorBoard fails on a tag with "
                          "varying numbers",
                          entry->parts, tag->parts);
    return SPUR_OK;
}

/* Takes the record over. */
static spur_status queue_entry(spur_writer *w, const spur__entry *entry, unsigned char *record,
                               size_t size, unsigned *flags, spur_error *err) {
    size_t length = strlen(entry->tag);
    spur__tag *tag;
    spur_status status = spur__tag_entry(w, entry->tag, length, spur__tag_hash(entry->tag, length),
                                         entry->kind, &tag, err);
    if (status == SPUR_OK) status = check_entry(w, tag, entry, err);
    if (status != SPUR_OK) {
        spur__free(record);
        return status;
    }
    status = spur__queue_push(&w->queue, record, size);
    err->status = SPUR_OK; /* the queue's errors get their message later */
    if (status != SPUR_OK) return status;
    if (entry->parts) tag->parts = entry->parts;
    *flags = spur__tag_point(w, tag, entry->step, spur__tag_metadata(tag, entry->options));
    return SPUR_OK;
}

static spur_status pack_entry(const spur__entry *entry, unsigned char **record, size_t *size,
                              spur_error *err) {
    spur__event_parts parts;
    double wall_time;
    if (!entry->tag) return spur__fail(err, SPUR_E_ARGUMENT, "the tag is NULL");
    SPUR__TRY(spur__wall_time_of(entry->options, &wall_time, err));
    SPUR__TRY(spur__check_options(entry->options, err));
    spur__event_of_entry(entry, wall_time, &parts);
    return spur__event_pack(&parts.event, record, size, err);
}

spur_status spur__log_entry(spur_writer *w, const spur__entry *entry) {
    unsigned char *record = NULL;
    size_t size = 0;
    spur_error err;
    unsigned flags = 0;
    spur__error_clear(&err);
    spur_status status = pack_entry(entry, &record, &size, &err);
    if (status != SPUR_OK) return spur__point_fail(w, entry->tag, entry->step, &err);
    pthread_mutex_lock(&w->queue.mutex);
    status = queue_entry(w, entry, record, size, &flags, &err);
    pthread_mutex_unlock(&w->queue.mutex);
    if (flags) spur__tell(w, entry->tag, entry->step, flags);
    if (err.status != SPUR_OK) return spur__point_fail(w, entry->tag, entry->step, &err);
    return spur__queue_result(w, status);
}
