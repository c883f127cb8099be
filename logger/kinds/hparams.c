/* SPDX-License-Identifier: MIT
 *
 * The HParams tab: the start and the end of a session (= a run), and the optional record of the whole
 * experiment. Each is a value at step 0 whose content is in the plugin's metadata; the tensor is
 * empty ([0] floats).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/str.h"
#include "hparams.pb-c.h"
#include "kinds/sha256.h"
#include "kinds/tensor.h"
#include "write/writer.h"

enum { JSON_LIMIT = 16 << 20 };

static const char experiment_tag[] = "_hparams_/experiment",
                  start_tag[] = "_hparams_/session_start_info",
                  end_tag[] = "_hparams_/session_end_info";

/* Packs `data` and logs it under `tag`, of which a run can have one. The end comes after the start. */
static spur_status write_data(spur_writer *w, const char *tag,
                              const Spur__Tb__HParamsPluginData *data,
                              const spur_log_options *options) {
    spur__tensor tensor;
    int64_t zero = 0;
    size_t size = spur__tb__hparams_plugin_data__get_packed_size(data);
    uint8_t *content = spur__malloc(size);
    if (!content) return spur__writer_failf(w, SPUR_E_MEMORY, "%s: out of memory", tag);
    spur__tb__hparams_plugin_data__pack(data, content);
    spur__tensor_init(&tensor, SPUR__TB__DATA_TYPE__DT_FLOAT, &zero, 1);
    spur__entry entry = {.kind = SPUR__TAG_HPARAMS,
                         .tag = tag,
                         .tensor = &tensor.proto,
                         .content = {size, content},
                         .options = options,
                         .once = true,
                         .after = tag == end_tag ? start_tag : NULL};
    spur_status status = spur__log_entry(w, &entry);
    spur__free(content);
    return status;
}

/* ---- values -------------------------------------------------------------------------------- */

static spur_status check_name(const char *name, const char *what, spur_error *err) {
    SPUR__TRY(spur__check_text(name, what, err));
    return *name ? SPUR_OK : spur__fail(err, SPUR_E_ARGUMENT, "%s is empty", what);
}

static spur_status check_kind(spur_log_value_kind kind, const char *name, spur_error *err) {
    if (kind == SPUR_LOG_NUMBER || kind == SPUR_LOG_TEXT || kind == SPUR_LOG_BOOL) return SPUR_OK;
    return spur__fail(err, SPUR_E_TYPE, "hyper-parameter \"%.200s\": %d is no kind of value", name,
                      (int)kind);
}

static spur_status check_value(const spur_log_value *v, const char *name, spur_error *err) {
    if (v->kind == SPUR_LOG_TEXT) return spur__check_text(v->text, "a hyper-parameter's text", err);
    return check_kind(v->kind, name, err);
}

static void convert(const spur_log_value *v, Spur__Tb__Value *out) {
    spur__tb__value__init(out);
    if (v->kind == SPUR_LOG_TEXT) {
        out->kind_case = SPUR__TB__VALUE__KIND_STRING_VALUE;
        out->string_value = (char *)(uintptr_t)v->text;
    } else if (v->kind == SPUR_LOG_BOOL) {
        out->kind_case = SPUR__TB__VALUE__KIND_BOOL_VALUE;
        out->bool_value = v->boolean;
    } else {
        out->kind_case = SPUR__TB__VALUE__KIND_NUMBER_VALUE;
        out->number_value = v->number;
    }
}

static Spur__Tb__HParamType type_of(spur_log_value_kind kind) {
    return kind == SPUR_LOG_TEXT   ? SPUR__TB__HPARAM_TYPE__HPARAM_STRING
           : kind == SPUR_LOG_BOOL ? SPUR__TB__HPARAM_TYPE__HPARAM_BOOL
                                   : SPUR__TB__HPARAM_TYPE__HPARAM_FLOAT64;
}

/* ---- the start of a session ---------------------------------------------------------------- */

static int by_name(const void *a, const void *b) {
    const spur_log_hparam *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static spur_status check_hparams(const spur_log_hparam *p, size_t count, spur_error *err) {
    if (count && !p) return spur__fail(err, SPUR_E_ARGUMENT, "the hyper-parameters are NULL");
    for (size_t i = 0; i < count; i++) {
        SPUR__TRY(check_name(p[i].name, "a hyper-parameter's name", err));
        SPUR__TRY(check_value(&p[i].value, p[i].name, err));
    }
    return SPUR_OK;
}

/* {"lr":0.1,"optimizer":"sgd"} with the names in order: equal values give equal texts. */
static void put_json(spur__str *out, const spur_log_hparam *sorted, size_t count) {
    spur__str_putc(out, '{');
    for (size_t i = 0; i < count; i++) {
        const spur_log_value *v = &sorted[i].value;
        if (i > 0) spur__str_putc(out, ',');
        spur__str_json(out, sorted[i].name);
        spur__str_putc(out, ':');
        if (v->kind == SPUR_LOG_TEXT)
            spur__str_json(out, v->text);
        else if (v->kind == SPUR_LOG_BOOL)
            spur__str_puts(out, v->boolean ? "true" : "false");
        else
            spur__str_double(out, v->number);
    }
    spur__str_putc(out, '}');
}

/* The name of the group that runs with these values share. */
static spur_status group_name(const spur_log_hparam *sorted, size_t count,
                              char out[SPUR__SHA256_HEX]) {
    spur__str json;
    spur__str_init(&json, JSON_LIMIT);
    put_json(&json, sorted, count);
    spur_status status = spur__str_status(&json);
    if (status == SPUR_OK) spur__sha256_hex(json.data, json.length, out);
    spur__str_free(&json);
    return status;
}

/* The messages of a session's values. */
typedef struct session_parts {
    spur_log_hparam *sorted;
    Spur__Tb__Value *values;
    Spur__Tb__SessionStartInfo__HparamsEntry *entries, **list;
} session_parts;

static void free_session(session_parts *s) {
    spur__free(s->sorted);
    spur__free(s->values);
    spur__free(s->entries);
    spur__free(s->list);
}

static spur_status make_session(session_parts *s, const spur_log_hparam *hparams, size_t count,
                                spur_error *err) {
    *s = (session_parts){.sorted = spur__malloc_array(count, sizeof *s->sorted),
                         .values = spur__calloc(count, sizeof *s->values),
                         .entries = spur__calloc(count, sizeof *s->entries),
                         .list = spur__calloc(count, sizeof *s->list)};
    if (!s->sorted || !s->values || !s->entries || !s->list)
        return spur__fail(err, SPUR_E_MEMORY, "%zu hyper-parameters: out of memory", count);
    if (count) memcpy(s->sorted, hparams, count * sizeof *hparams);
    if (count) qsort(s->sorted, count, sizeof *s->sorted, by_name);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(s->sorted[i].name, s->sorted[i - 1].name) == 0)
            return spur__fail(err, SPUR_E_EXISTS, "hyper-parameter \"%.200s\" is there twice",
                              s->sorted[i].name);
        convert(&s->sorted[i].value, &s->values[i]);
        spur__tb__session_start_info__hparams_entry__init(&s->entries[i]);
        s->entries[i].key = (char *)(uintptr_t)s->sorted[i].name;
        s->entries[i].value = &s->values[i];
        s->list[i] = &s->entries[i];
    }
    return SPUR_OK;
}

static spur_status check_session(const spur_log_hparams_options *o, spur_error *err) {
    double t;
    if (o->group) SPUR__TRY(spur__check_text(o->group, "the group's name", err));
    if (o->model_uri) SPUR__TRY(spur__check_text(o->model_uri, "the model's address", err));
    if (o->monitor_url) SPUR__TRY(spur__check_text(o->monitor_url, "the monitor's address", err));
    return spur__wall_time_of(&(spur_log_options){.wall_time = o->start_time}, &t, err);
}

static void warn_not_finite(spur_writer *w, const spur_log_hparam *hparams, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (hparams[i].value.kind == SPUR_LOG_NUMBER && !isfinite(hparams[i].value.number))
            spur__writer_warn(w,
                              "hyper-parameter \"%.200s\" is not finite: TensorBoard leaves it out",
                              hparams[i].name);
}

static spur_status write_session(spur_writer *w, session_parts *s, size_t count,
                                 const spur_log_hparams_options *o) {
    char group[SPUR__SHA256_HEX];
    Spur__Tb__SessionStartInfo start = SPUR__TB__SESSION_START_INFO__INIT;
    Spur__Tb__HParamsPluginData data = SPUR__TB__HPARAMS_PLUGIN_DATA__INIT;
    if (group_name(s->sorted, count, group) != SPUR_OK)
        return spur__writer_failf(w, SPUR_E_MEMORY, "hyper-parameters: out of memory");
    start.n_hparams = count;
    start.hparams = s->list;
    start.group_name = o->group ? (char *)(uintptr_t)o->group : group;
    if (o->model_uri) start.model_uri = (char *)(uintptr_t)o->model_uri;
    if (o->monitor_url) start.monitor_url = (char *)(uintptr_t)o->monitor_url;
    start.start_time_secs = o->start_time > 0.0 ? o->start_time : spur__wall_time();
    data.data_case = SPUR__TB__HPARAMS_PLUGIN_DATA__DATA_SESSION_START_INFO;
    data.session_start_info = &start;
    spur_log_options log = {.wall_time = o->wall_time};
    return write_data(w, start_tag, &data, &log);
}

spur_status spur_log_hparams(spur_writer *w, const spur_log_hparam *hparams, size_t count,
                             const spur_log_hparams_options *options) {
    spur_error err;
    session_parts parts = {0};
    spur_log_hparams_options o = {0};
    if (!spur__alive(w)) return SPUR_OK;
    if (options) o = *options;
    spur_status status = check_session(&o, &err);
    if (status == SPUR_OK) status = check_hparams(hparams, count, &err);
    if (status == SPUR_OK) status = make_session(&parts, hparams, count, &err);
    status = status == SPUR_OK ? write_session(w, &parts, count, &o) : spur__writer_fail(w, &err);
    free_session(&parts);
    if (status == SPUR_OK) warn_not_finite(w, hparams, count);
    return status;
}

/* ---- the end of a session ------------------------------------------------------------------ */

spur_status spur_log_hparams_end(spur_writer *w, spur_log_outcome outcome,
                                 const spur_log_options *options) {
    spur_error err;
    Spur__Tb__SessionEndInfo end = SPUR__TB__SESSION_END_INFO__INIT;
    Spur__Tb__HParamsPluginData data = SPUR__TB__HPARAMS_PLUGIN_DATA__INIT;
    if (!spur__alive(w)) return SPUR_OK;
    if ((int)outcome < SPUR_LOG_SUCCESS || (int)outcome > SPUR_LOG_RUNNING)
        return spur__writer_failf(w, SPUR_E_ARGUMENT, "%d is no outcome", (int)outcome);
    if (spur__wall_time_of(options, &end.end_time_secs, &err) != SPUR_OK)
        return spur__writer_fail(w, &err);
    end.status = (Spur__Tb__HParamStatus)outcome;
    data.data_case = SPUR__TB__HPARAMS_PLUGIN_DATA__DATA_SESSION_END_INFO;
    data.session_end_info = &end;
    return write_data(w, end_tag, &data, options);
}

/* ---- the experiment ------------------------------------------------------------------------ */

/* One hyper-parameter's record with its parts. */
typedef struct info_parts {
    Spur__Tb__HParamInfo info;
    Spur__Tb__Interval interval;
    Spur__Tb__ListValue list;
    Spur__Tb__Value *values, **value_list;
} info_parts;

typedef struct metric_parts {
    Spur__Tb__MetricInfo info;
    Spur__Tb__MetricName name;
} metric_parts;

typedef struct experiment_parts {
    info_parts *hparams;
    Spur__Tb__HParamInfo **hparam_list;
    metric_parts *metrics;
    Spur__Tb__MetricInfo **metric_list;
    size_t hparam_count;
} experiment_parts;

static void free_experiment(experiment_parts *e) {
    for (size_t i = 0; e->hparams && i < e->hparam_count; i++) {
        spur__free(e->hparams[i].values);
        spur__free(e->hparams[i].value_list);
    }
    spur__free(e->hparams);
    spur__free(e->hparam_list);
    spur__free(e->metrics);
    spur__free(e->metric_list);
}

/* NULL is fine here: the field is left out. */
static spur_status set_text(const char *text, const char *what, char **field, spur_error *err) {
    if (!text) return SPUR_OK;
    *field = (char *)(uintptr_t)text;
    return spur__check_text(text, what, err);
}

static spur_status set_domain(const spur_log_hparam_info *in, info_parts *out, spur_error *err) {
    if (in->has_range && in->choice_count)
        return spur__fail(err, SPUR_E_ARGUMENT,
                          "hyper-parameter \"%.200s\" has both choices and a range", in->name);
    if (in->has_range && (in->kind != SPUR_LOG_NUMBER || !(in->min <= in->max)))
        return spur__fail(err, SPUR_E_RANGE, "hyper-parameter \"%.200s\": a range from %g to %g",
                          in->name, in->min, in->max);
    if (in->has_range) {
        spur__tb__interval__init(&out->interval);
        out->interval.min_value = in->min;
        out->interval.max_value = in->max;
        out->info.domain_case = SPUR__TB__HPARAM_INFO__DOMAIN_DOMAIN_INTERVAL;
        out->info.domain_interval = &out->interval;
    }
    if (in->choice_count == 0) return SPUR_OK;
    if (!in->choices)
        return spur__fail(err, SPUR_E_ARGUMENT, "hyper-parameter \"%.200s\": choices are NULL",
                          in->name);
    out->values = spur__calloc(in->choice_count, sizeof *out->values);
    out->value_list = spur__calloc(in->choice_count, sizeof *out->value_list);
    if (!out->values || !out->value_list)
        return spur__fail(err, SPUR_E_MEMORY, "hyper-parameters: out of memory");
    for (size_t i = 0; i < in->choice_count; i++) {
        SPUR__TRY(check_value(&in->choices[i], in->name, err));
        if (in->choices[i].kind != in->kind)
            return spur__fail(err, SPUR_E_TYPE,
                              "hyper-parameter \"%.200s\": choice %zu is of another kind", in->name,
                              i);
        convert(&in->choices[i], &out->values[i]);
        out->value_list[i] = &out->values[i];
    }
    spur__tb__list_value__init(&out->list);
    out->list.n_values = in->choice_count;
    out->list.values = out->value_list;
    out->info.domain_case = SPUR__TB__HPARAM_INFO__DOMAIN_DOMAIN_DISCRETE;
    out->info.domain_discrete = &out->list;
    return SPUR_OK;
}

static spur_status set_hparam(const spur_log_hparam_info *in, info_parts *out, spur_error *err) {
    spur__tb__hparam_info__init(&out->info);
    SPUR__TRY(check_name(in->name, "a hyper-parameter's name", err));
    SPUR__TRY(check_kind(in->kind, in->name, err));
    out->info.name = (char *)(uintptr_t)in->name;
    SPUR__TRY(set_text(in->display_name, "a display name", &out->info.display_name, err));
    SPUR__TRY(set_text(in->description, "a description", &out->info.description, err));
    out->info.type = type_of(in->kind);
    return set_domain(in, out, err);
}

static spur_status set_metric(const spur_log_metric_info *in, metric_parts *out, spur_error *err) {
    spur__tb__metric_info__init(&out->info);
    spur__tb__metric_name__init(&out->name);
    SPUR__TRY(check_name(in->tag, "a metric's tag", err));
    out->name.tag = (char *)(uintptr_t)in->tag;
    SPUR__TRY(set_text(in->group, "a metric's group", &out->name.group, err));
    SPUR__TRY(set_text(in->display_name, "a display name", &out->info.display_name, err));
    SPUR__TRY(set_text(in->description, "a description", &out->info.description, err));
    out->info.name = &out->name;
    out->info.dataset_type = in->validation
                                 ? SPUR__TB__METRIC_INFO__DATASET_TYPE__DATASET_VALIDATION
                                 : SPUR__TB__METRIC_INFO__DATASET_TYPE__DATASET_TRAINING;
    return SPUR_OK;
}

static spur_status build_experiment(const spur_log_experiment *in, experiment_parts *e,
                                    Spur__Tb__Experiment *out, spur_error *err) {
    e->hparams = spur__calloc(in->hparam_count, sizeof *e->hparams);
    e->hparam_count = in->hparam_count;
    e->hparam_list = spur__calloc(in->hparam_count, sizeof *e->hparam_list);
    e->metrics = spur__calloc(in->metric_count, sizeof *e->metrics);
    e->metric_list = spur__calloc(in->metric_count, sizeof *e->metric_list);
    if (!e->hparams || !e->hparam_list || !e->metrics || !e->metric_list)
        return spur__fail(err, SPUR_E_MEMORY, "an experiment: out of memory");
    for (size_t i = 0; i < in->hparam_count; i++) {
        SPUR__TRY(set_hparam(&in->hparams[i], &e->hparams[i], err));
        e->hparam_list[i] = &e->hparams[i].info;
    }
    for (size_t i = 0; i < in->metric_count; i++) {
        SPUR__TRY(set_metric(&in->metrics[i], &e->metrics[i], err));
        e->metric_list[i] = &e->metrics[i].info;
    }
    SPUR__TRY(set_text(in->name, "the experiment's name", &out->name, err));
    SPUR__TRY(set_text(in->description, "the experiment's description", &out->description, err));
    SPUR__TRY(set_text(in->user, "the user's name", &out->user, err));
    if (!isfinite(in->created))
        return spur__fail(err, SPUR_E_NUMERIC, "the experiment's time is not a finite number");
    out->time_created_secs = in->created;
    out->n_hparam_infos = in->hparam_count;
    out->hparam_infos = e->hparam_list;
    out->n_metric_infos = in->metric_count;
    out->metric_infos = e->metric_list;
    return SPUR_OK;
}

spur_status spur_log_hparams_experiment(spur_writer *w, const spur_log_experiment *experiment,
                                        const spur_log_options *options) {
    spur_error err;
    experiment_parts parts = {0};
    Spur__Tb__Experiment message = SPUR__TB__EXPERIMENT__INIT;
    Spur__Tb__HParamsPluginData data = SPUR__TB__HPARAMS_PLUGIN_DATA__INIT;
    if (!spur__alive(w)) return SPUR_OK;
    bool given = experiment && (experiment->hparams || !experiment->hparam_count) &&
                 (experiment->metrics || !experiment->metric_count);
    if (!given) return spur__writer_failf(w, SPUR_E_ARGUMENT, "the experiment is NULL");
    spur_status status = build_experiment(experiment, &parts, &message, &err);
    data.data_case = SPUR__TB__HPARAMS_PLUGIN_DATA__DATA_EXPERIMENT;
    data.experiment = &message;
    status = status == SPUR_OK ? write_data(w, experiment_tag, &data, options)
                               : spur__writer_fail(w, &err);
    free_experiment(&parts);
    return status;
}
