/* SPDX-License-Identifier: MIT
 *
 * What each kind of summary puts into the file: plugin, dtype, shape and content, and what it
 * refuses.
 */
#include "written.h"

#include <math.h>

#include "hparams.pb-c.h"
#include "plugin.pb-c.h"
#include "graph.pb-c.h"
#include "kinds/sha256.h"
#include "write/writer.h"

/* A writer in a fresh directory below *state's place; finish() closes it and reads what it wrote. */
static spur_writer *begin(void **state) {
    static int number;
    char directory[4096];
    spur_writer *w;
    snprintf(directory, sizeof directory, "%s/%d", (char *)*state, number++);
    assert_int_equal(open_exact(&w, directory, NULL), SPUR_OK);
    return w;
}

static written *finish(spur_writer *w) {
    char path[4096];
    snprintf(path, sizeof path, "%s", spur_writer_path(w));
    spur_writer_close(w, NULL);
    return read_written(path);
}

/* Events 0 and 1 are the version and the start of the session. */
enum { FIRST = 2 };

static void test_beginning(void **state) {
    written *got = finish(begin(state));
    assert_int_equal(got->count, 2);
    assert_string_equal(got->events[0]->file_version, "brain.Event:2");
    assert_non_null(strstr(got->events[0]->source_metadata->writer, "spur"));
    assert_true(got->events[0]->wall_time == floor(got->events[0]->wall_time));
    assert_int_equal(got->events[1]->what_case, SPUR__TB__EVENT__WHAT_SESSION_LOG);
    assert_int_equal(got->events[1]->session_log->status,
                     SPUR__TB__SESSION_LOG__SESSION_STATUS__START);
    forget(got);
}

static void test_scalar(void **state) {
    spur_writer *w = begin(state);
    spur_log_options options = {.wall_time = 1234.5, .description = "d", .display_name = "n"};
    assert_int_equal(spur_log_scalar_with(w, "a", -3, NAN, &options), SPUR_OK);
    assert_int_equal(spur_log_scalar(w, "b", (int64_t)1 << 40, -INFINITY), SPUR_OK);
    written *got = finish(w);
    const Spur__Tb__Summary__Value *v = value_at(got, FIRST, "scalars");
    float x;
    assert_true(got->events[FIRST]->wall_time == 1234.5);
    assert_int_equal(got->events[FIRST]->step, -3);
    assert_string_equal(v->tag, "a");
    assert_string_equal(v->metadata->summary_description, "d");
    assert_string_equal(v->metadata->display_name, "n");
    assert_int_equal(v->tensor->dtype, SPUR__TB__DATA_TYPE__DT_FLOAT);
    assert_shape(v->tensor, 0, 0, 0, 0);
    assert_int_equal(v->tensor->tensor_content.len, 4);
    memcpy(&x, v->tensor->tensor_content.data, 4);
    assert_true(isnan(x));
    v = value_at(got, FIRST + 1, "scalars");
    memcpy(&x, v->tensor->tensor_content.data, 4);
    assert_true(x == -INFINITY);
    assert_true(got->events[FIRST + 1]->step == (int64_t)1 << 40);
    forget(got);
}

/* ---- histograms ---------------------------------------------------------------------------- */

/* Logs values, expects exactly these rows. */
static void expect_rows(void **state, spur_log_array values, int buckets, const double *rows,
                        size_t k) {
    spur_writer *w = begin(state);
    spur_log_histogram_options options = {.buckets = buckets};
    assert_int_equal(spur_log_histogram(w, "h", 1, values, &options), SPUR_OK);
    written *got = finish(w);
    const Spur__Tb__Summary__Value *v = value_at(got, FIRST, "histograms");
    assert_int_equal(v->tensor->dtype, SPUR__TB__DATA_TYPE__DT_DOUBLE);
    assert_shape(v->tensor, 2, (long)k, 3, 0);
    assert_int_equal(v->tensor->tensor_content.len, k * 24);
    if (k) assert_memory_equal(v->tensor->tensor_content.data, rows, k * 24);
    forget(got);
}

static void test_histogram_of_each_type(void **state) {
    const double rows[] = {0, 2, 2, 2, 4, 3};
    const double d[] = {0, 1, 2, 3, 4};
    const float f[] = {4, 3, 2, 1, 0};
    const int32_t i[] = {0, 4, 2, 3, 1};
    const int64_t l[] = {0, 1, 2, 3, 4};
    const uint8_t u[] = {0, 1, 2, 3, 4};
    const int16_t s[] = {0, 1, 2, 3, 4};
    expect_rows(state, spur_log_doubles(d, 5), 2, rows, 2);
    expect_rows(state, spur_log_floats(f, 5), 2, rows, 2);
    expect_rows(state, spur_log_ints(i, 5), 2, rows, 2);
    expect_rows(state, (spur_log_array){l, 5, SPUR_LOG_I64}, 2, rows, 2);
    expect_rows(state, (spur_log_array){u, 5, SPUR_LOG_U8}, 2, rows, 2);
    expect_rows(state, (spur_log_array){s, 5, SPUR_LOG_I16}, 2, rows, 2);
}

static void test_degenerate_histograms(void **state) {
    const double same[] = {7, 7, 7}, one[] = {-2.5}, none[1] = {0};
    const double odd[] = {NAN, 1, INFINITY, 2, -INFINITY, NAN};
    const double lost[] = {NAN, INFINITY};
    const double huge[] = {-1.7e308, 0, 1.7e308};
    const double zeros[9] = {0};
    const double same_rows[] = {7, 7, 0, 7, 7, 3}, one_rows[] = {-2.5, -2.5, 0, -2.5, -2.5, 1};
    const double odd_rows[] = {1, 1.5, 1, 1.5, 2, 1};
    const double huge_rows[] = {-1.7e308, 0, 1, 0, 1.7e308, 2};
    expect_rows(state, spur_log_doubles(same, 3), 2, same_rows, 2);
    expect_rows(state, spur_log_doubles(one, 1), 2, one_rows, 2);
    expect_rows(state, spur_log_doubles(none, 0), 3, zeros, 3);
    expect_rows(state, spur_log_doubles(NULL, 0), 3, zeros, 3);
    expect_rows(state, spur_log_doubles(lost, 2), 3, zeros, 3);
    expect_rows(state, spur_log_doubles(same, 3), -1, NULL, 0);
    expect_rows(state, spur_log_doubles(odd, 6), 2, odd_rows, 2);
    expect_rows(state, spur_log_doubles(huge, 3), 2, huge_rows, 2);
    const double rounded[] = {0.9, 0}, rounded_rows[] = {0, 0.3, 1, 0.3, 0.6, 0, 0.6, 0.9, 1};
    expect_rows(state, spur_log_doubles(rounded, 2), 3, rounded_rows, 3); /* 0.3 * 3 is not 0.9 */
    enum { FINE = 8 };
    const double e = 5e-324, tiny[] = {0, e, 3 * e},
                 at[FINE + 1] = {0, 0, e, e, 2 * e, 2 * e, 2 * e, 3 * e, 3 * e};
    double tiny_rows[3 * FINE]; /* the width, 3/8 of the smallest number, is 0 */
    for (size_t i = 0; i < FINE; i++) {
        tiny_rows[3 * i] = at[i];
        tiny_rows[3 * i + 1] = at[i + 1];
        tiny_rows[3 * i + 2] = i == 0 || i == 2 || i == 7;
    }
    expect_rows(state, spur_log_doubles(tiny, 3), FINE, tiny_rows, FINE);
}

/* Every count, however the rounding falls, and edges without gaps. */
static void test_histogram_counts_everything(void **state) {
    float values[1000];
    for (int i = 0; i < 1000; i++) values[i] = sinf((float)i * 0.7f) * 3e-5f + 1.0f;
    spur_writer *w = begin(state);
    assert_int_equal(spur_log_histogram(w, "h", 0, spur_log_floats(values, 1000), NULL), SPUR_OK);
    written *got = finish(w);
    const Spur__Tb__Summary__Value *v = value_at(got, FIRST, "histograms");
    double rows[30][3], total = 0;
    assert_int_equal(v->tensor->tensor_content.len, sizeof rows);
    memcpy(rows, v->tensor->tensor_content.data, sizeof rows);
    for (int i = 0; i < 30; i++) {
        total += rows[i][2];
        assert_true(rows[i][0] < rows[i][1]);
        if (i > 0) assert_true(rows[i][0] == rows[i - 1][1]);
    }
    assert_true(total == 1000 && rows[0][2] > 0 && rows[29][2] > 0);
    forget(got);
}

static void test_ready_buckets(void **state) {
    spur_writer *w = begin(state);
    const spur_log_bucket b[] = {{0, 1, 0}, {1, 2, 5}, {2, 3, 0}, {3, 4, 1}, {4, 9, 0}};
    const spur_log_bucket back[] = {{1, 0, 1}}, overlap[] = {{0, 2, 1}, {1, 3, 1}};
    const spur_log_bucket nan[] = {{0, NAN, 1}}, negative[] = {{0, 1, -1}}, flat[] = {{2, 2, 5}};
    assert_int_equal(spur_log_histogram_buckets(w, "h", 1, b, 5, NULL), SPUR_OK);
    assert_int_equal(spur_log_histogram_buckets(w, "h", 2, b, 1, NULL), SPUR_OK);
    assert_int_equal(spur_log_histogram_buckets(w, "h", 3, flat, 1, NULL), SPUR_OK);
    assert_int_equal(spur_log_histogram_buckets(w, "h", 3, back, 1, NULL), SPUR_E_RANGE);
    assert_int_equal(spur_log_histogram_buckets(w, "h", 3, overlap, 2, NULL), SPUR_E_RANGE);
    assert_int_equal(spur_log_histogram_buckets(w, "h", 3, negative, 1, NULL), SPUR_E_RANGE);
    assert_int_equal(spur_log_histogram_buckets(w, "h", 3, nan, 1, NULL), SPUR_E_NUMERIC);
    written *got = finish(w);
    const double rows[] = {1, 2, 5, 2, 3, 0, 3, 4, 1};
    const Spur__Tb__Summary__Value *v = value_at(got, FIRST, "histograms");
    assert_shape(v->tensor, 2, 3, 3, 0);
    assert_memory_equal(v->tensor->tensor_content.data, rows, sizeof rows);
    assert_shape(value_at(got, FIRST + 1, "histograms")->tensor, 2, 0, 3, 0);
    assert_shape(value_at(got, FIRST + 2, "histograms")->tensor, 2, 1, 3, 0);
    assert_int_equal(got->count, FIRST + 3);
    forget(got);
}

/* ---- text and audio ------------------------------------------------------------------------ */

static void assert_string(const Spur__Tb__TensorProto *t, size_t i, const char *text) {
    assert_true(i < t->n_string_val);
    assert_int_equal(t->string_val[i].len, strlen(text));
    assert_memory_equal(t->string_val[i].data, text, strlen(text));
}

static void test_text(void **state) {
    spur_writer *w = begin(state);
    const char *const cells[] = {"a", "", "c", "d", "e", "\xc3\xa9"};
    assert_int_equal(spur_log_text(w, "t", 0, "# h", NULL), SPUR_OK);
    assert_int_equal(spur_log_text_table(w, "t", 1, &(spur_log_cells){cells, 6, 0}, NULL), SPUR_OK);
    assert_int_equal(spur_log_text_table(w, "t", 2, &(spur_log_cells){cells, 2, 3}, NULL), SPUR_OK);
    assert_int_equal(spur_log_text(w, "t", 3, "\xff", NULL), SPUR_E_UTF8);
    assert_int_equal(spur_log_text(w, "t", 3, NULL, NULL), SPUR_E_ARGUMENT);
    written *got = finish(w);
    assert_shape(value_at(got, FIRST, "text")->tensor, 0, 0, 0, 0);
    assert_string(value_at(got, FIRST, "text")->tensor, 0, "# h");
    assert_shape(value_at(got, FIRST + 1, "text")->tensor, 1, 6, 0, 0);
    assert_shape(value_at(got, FIRST + 2, "text")->tensor, 2, 2, 3, 0);
    assert_string(value_at(got, FIRST + 2, "text")->tensor, 5, "\xc3\xa9");
    assert_int_equal(got->count, FIRST + 3);
    forget(got);
}

static void test_audio(void **state) {
    spur_writer *w = begin(state);
    const float samples[] = {0, 1, -1, 2, NAN, 0.5f, 0.99999f, -0.99999f, 0, 0, 0, 0};
    const int16_t ints[] = {1, -2, 3, -32768};
    spur_log_clips clips = {.samples = samples,
                            .type = SPUR_LOG_F32,
                            .count = 2,
                            .frames = 3,
                            .channels = 2,
                            .sample_rate = 8000};
    spur_log_clips mono = {
        .samples = ints, .type = SPUR_LOG_I16, .frames = 4, .sample_rate = 44100};
    assert_int_equal(spur_log_audio(w, "a", 0, &clips, NULL), SPUR_OK);
    assert_int_equal(spur_log_audio(w, "b", 0, &mono, NULL), SPUR_OK);
    spur_log_audio_options limit = {.max_outputs = 1};
    assert_int_equal(spur_log_audio(w, "one", 0, &clips, &limit), SPUR_OK);
    limit.max_outputs = -1;
    assert_int_equal(spur_log_audio(w, "a", 1, &clips, &limit), SPUR_E_RANGE);
    clips.count = 1;
    assert_int_equal(spur_log_audio(w, "a", 1, &clips, NULL), SPUR_E_SHAPE);
    clips.frames = (size_t)1 << 30; /* 4 GiB of samples */
    assert_int_equal(spur_log_audio(w, "c", 1, &clips, NULL), SPUR_E_RANGE);
    clips.frames = 3;
    clips.sample_rate = 0.5;
    assert_int_equal(spur_log_audio(w, "c", 1, &clips, NULL), SPUR_E_RANGE);
    clips.sample_rate = NAN;
    assert_int_equal(spur_log_audio(w, "c", 1, &clips, NULL), SPUR_E_RANGE);
    clips = (spur_log_clips){
        .samples = samples, .type = SPUR_LOG_F32, .channels = 32768, .sample_rate = 1};
    assert_int_equal(spur_log_audio(w, "c", 1, &clips, NULL), SPUR_E_SHAPE);
    clips = (spur_log_clips){.type = SPUR_LOG_F32, .frames = 1, .sample_rate = 1};
    assert_int_equal(spur_log_audio(w, "c", 1, &clips, NULL), SPUR_E_ARGUMENT);
    written *got = finish(w);
    const Spur__Tb__Summary__Value *v = value_at(got, FIRST, "audio");
    assert_shape(v->tensor, 2, 2, 2, 0);
    assert_int_equal(v->metadata->plugin_data->content.len, 2);
    assert_memory_equal(v->metadata->plugin_data->content.data, "\x10\x0b", 2);
    assert_hex(v->tensor->string_val[0].data, v->tensor->string_val[0].len,
               "524946463000000057415645666d74201000000001000200401f0000007d0000"
               "04001000646174610c0000000000ff7f0080ff7f00000040");
    assert_int_equal(v->tensor->string_val[1].len, 0);
    assert_memory_equal(v->tensor->string_val[2].data + 44, "\xff\x7f\x00\x80\x00\x00", 6);
    v = value_at(got, FIRST + 1, "audio");
    assert_int_equal(v->tensor->string_val[0].len, 44 + 8);
    assert_memory_equal(v->tensor->string_val[0].data + 44, "\x01\x00\xfe\xff\x03\x00\x00\x80", 8);
    assert_shape(value_at(got, FIRST + 2, "audio")->tensor, 2, 1, 2, 0);
    forget(got);
}

/* ---- hyper-parameters ---------------------------------------------------------------------- */

static void test_sha256(void **state) {
    (void)state;
    char hex[SPUR__SHA256_HEX], long_text[201];
    spur__sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    spur__sha256_hex("", 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    spur__sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hex);
    assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    memset(long_text, 'a', sizeof long_text);
    spur__sha256_hex(long_text, 200, hex);
    assert_string_equal(hex, "c2a908d98f5df987ade41b5fce213067efbcc21ef2240212a41e54b5e7c28ae5");
}

static const Spur__Tb__HParamsPluginData *unpack_hparams(const Spur__Tb__Summary__Value *v) {
    const ProtobufCBinaryData *c = &v->metadata->plugin_data->content;
    assert_shape(v->tensor, 1, 0, 0, 0);
    return spur__tb__hparams_plugin_data__unpack(NULL, c->len, c->data);
}

static void test_hparams(void **state) {
    spur_writer *w = begin(state);
    const spur_log_hparam p[] = {{"z", spur_log_string("\"")},
                                 {"lr", spur_log_number(0.0)},
                                 {"flip", spur_log_boolean(true)}};
    static const char json[] = "{\"flip\":true,\"lr\":0,\"z\":\"\\\"\"}";
    char group[SPUR__SHA256_HEX];
    const spur_log_hparams_options options = {
        .model_uri = "m", .monitor_url = "u", .start_time = 5, .wall_time = 6};
    const spur_log_hparam twice[] = {{"a", spur_log_number(1)}, {"a", spur_log_number(2)}};
    assert_int_equal(spur_log_hparams(w, twice, 2, NULL), SPUR_E_EXISTS);
    assert_int_equal(spur_log_hparams_end(w, SPUR_LOG_SUCCESS, NULL), SPUR_E_STATE); /* of what? */
    assert_int_equal(spur_log_hparams(w, p, 3, &options), SPUR_OK);
    assert_int_equal(spur_log_hparams(w, p, 3, NULL), SPUR_E_STATE);
    assert_int_equal(spur_log_hparams_end(w, SPUR_LOG_FAILURE, NULL), SPUR_OK);
    assert_int_equal(spur_log_hparams_end(w, SPUR_LOG_SUCCESS, NULL), SPUR_E_STATE);
    written *got = finish(w);
    assert_int_equal(got->count, FIRST + 2);
    const Spur__Tb__Summary__Value *v = value_at(got, FIRST, "hparams");
    assert_string_equal(v->tag, "_hparams_/session_start_info");
    const Spur__Tb__HParamsPluginData *data = unpack_hparams(v);
    const Spur__Tb__SessionStartInfo *start = data->session_start_info;
    assert_int_equal(start->n_hparams, 3);
    assert_string_equal(start->hparams[0]->key, "flip");
    assert_int_equal(start->hparams[0]->value->kind_case, SPUR__TB__VALUE__KIND_BOOL_VALUE);
    assert_true(start->hparams[0]->value->bool_value);
    assert_int_equal(start->hparams[1]->value->kind_case, SPUR__TB__VALUE__KIND_NUMBER_VALUE);
    assert_int_equal(start->hparams[2]->value->kind_case, SPUR__TB__VALUE__KIND_STRING_VALUE);
    spur__sha256_hex(json, strlen(json), group);
    assert_string_equal(start->group_name, group);
    assert_string_equal(start->model_uri, "m");
    assert_string_equal(start->monitor_url, "u");
    assert_true(start->start_time_secs == 5 && got->events[FIRST]->wall_time == 6);
    spur__tb__hparams_plugin_data__free_unpacked((Spur__Tb__HParamsPluginData *)(uintptr_t)data,
                                                 NULL);
    data = unpack_hparams(value_at(got, FIRST + 1, "hparams"));
    assert_int_equal(data->session_end_info->status,
                     SPUR__TB__HPARAM_STATUS__HPARAM_STATUS_FAILURE);
    assert_true(data->session_end_info->end_time_secs > 1e9);
    spur__tb__hparams_plugin_data__free_unpacked((Spur__Tb__HParamsPluginData *)(uintptr_t)data,
                                                 NULL);
    forget(got);
}

static void test_session_by_default(void **state) {
    spur_writer *w = begin(state);
    assert_int_equal(spur_log_hparams(w, NULL, 0, &(spur_log_hparams_options){.group = "g"}),
                     SPUR_OK);
    assert_int_equal(spur_log_hparams_end(w, 0, NULL), SPUR_E_ARGUMENT);
    assert_int_equal(spur_log_hparams_end(w, 4, NULL), SPUR_E_ARGUMENT);
    assert_int_equal(spur_log_hparams_end(w, SPUR_LOG_RUNNING, NULL), SPUR_OK);
    written *got = finish(w);
    const Spur__Tb__HParamsPluginData *data = unpack_hparams(value_at(got, FIRST, "hparams"));
    assert_string_equal(data->session_start_info->group_name, "g");
    assert_string_equal(data->session_start_info->monitor_url, "");
    assert_true(data->session_start_info->start_time_secs > 1e9);
    spur__tb__hparams_plugin_data__free_unpacked((Spur__Tb__HParamsPluginData *)(uintptr_t)data,
                                                 NULL);
    forget(got);
}

static void test_experiment(void **state) {
    spur_writer *w = begin(state);
    const spur_log_value choices[] = {spur_log_string("sgd"), spur_log_string("adam")};
    const spur_log_value wrong[] = {spur_log_number(1)};
    spur_log_hparam_info infos[] = {
        {.name = "lr", .has_range = true, .min = 0.1, .max = 1, .display_name = "rate"},
        {.name = "optimizer", .kind = SPUR_LOG_TEXT, .choices = choices, .choice_count = 2}};
    const spur_log_metric_info metric = {.tag = "loss", .group = "validation", .validation = true};
    spur_log_experiment e = {.name = "x",
                             .created = 5,
                             .hparams = infos,
                             .hparam_count = 2,
                             .metrics = &metric,
                             .metric_count = 1};
    assert_int_equal(spur_log_hparams_experiment(w, &e, NULL), SPUR_OK);
    infos[1].choices = wrong;
    infos[1].choice_count = 1;
    assert_int_equal(spur_log_hparams_experiment(w, &e, NULL), SPUR_E_TYPE);
    written *got = finish(w);
    const Spur__Tb__HParamsPluginData *data = unpack_hparams(value_at(got, FIRST, "hparams"));
    const Spur__Tb__Experiment *x = data->experiment;
    assert_true(x->time_created_secs == 5);
    assert_string_equal(x->hparam_infos[0]->display_name, "rate");
    assert_true(x->hparam_infos[0]->domain_interval->min_value == 0.1);
    assert_true(x->hparam_infos[0]->domain_interval->max_value == 1.0);
    assert_int_equal(x->hparam_infos[0]->type, SPUR__TB__HPARAM_TYPE__HPARAM_FLOAT64);
    assert_string_equal(x->hparam_infos[1]->domain_discrete->values[1]->string_value, "adam");
    assert_string_equal(x->metric_infos[0]->name->group, "validation");
    assert_int_equal(x->metric_infos[0]->dataset_type,
                     SPUR__TB__METRIC_INFO__DATASET_TYPE__DATASET_VALIDATION);
    spur__tb__hparams_plugin_data__free_unpacked((Spur__Tb__HParamsPluginData *)(uintptr_t)data,
                                                 NULL);
    forget(got);
}

/* ---- graph --------------------------------------------------------------------------------- */

static void test_graph(void **state) {
    spur_writer *w = begin(state);
    spur_log_graph_builder *g;
    const char *const in[] = {"x", "^x"}, *const lost[] = {"nowhere:1"};
    const int64_t dims[] = {-1, 3};
    const spur_log_shape shape = {dims, 2};
    const spur_log_attr attrs[] = {{.name = "t", .kind = SPUR_LOG_ATTR_TEXT, .text = "hi"},
                                   {.name = "b", .kind = SPUR_LOG_ATTR_BOOL},
                                   {.name = "l", .kind = SPUR_LOG_ATTR_INTS, .list = shape},
                                   {.name = "T", .kind = SPUR_LOG_ATTR_TYPE, .type = SPUR_LOG_F32}};
    assert_int_equal(spur_log_graph_create(&g), SPUR_OK);
    assert_int_equal(spur_log_graph(w, g, NULL), SPUR_E_ARGUMENT);
    spur_log_node y = {.name = "a/y",
                       .op = "Relu",
                       .inputs = in,
                       .input_count = 2,
                       .outputs = &shape,
                       .output_count = 1,
                       .attrs = attrs,
                       .attr_count = 4};
    assert_int_equal(spur_log_graph_add(g, &y), SPUR_OK);
    assert_int_equal(spur_log_graph_add(g, &y), SPUR_E_EXISTS);
    assert_int_equal(spur_log_graph(w, g, NULL), SPUR_E_NOTFOUND);
    assert_int_equal(spur_log_graph_add(g, &(spur_log_node){.name = "x", .op = "In"}), SPUR_OK);
    for (size_t i = 0; i < 5; i++) {
        static const char *const bad[] = {"", "/a", "a//b", "a:1", "a/"};
        assert_int_equal(spur_log_graph_add(g, &(spur_log_node){.name = bad[i], .op = "o"}),
                         SPUR_E_ARGUMENT);
    }
    assert_int_equal(spur_log_graph(w, g, NULL), SPUR_OK);
    assert_int_equal(spur_log_graph(w, g, NULL), SPUR_E_STATE);
    y = (spur_log_node){.name = "q", .op = "o", .inputs = lost, .input_count = 1};
    assert_int_equal(spur_log_graph_add(g, &y), SPUR_OK);
    assert_int_equal(spur_log_graph(w, g, NULL), SPUR_E_NOTFOUND);
    spur_log_graph_destroy(g);
    written *got = finish(w);
    assert_int_equal(got->count, FIRST + 1);
    ProtobufCBinaryData bytes = got->events[FIRST]->graph_def;
    Spur__Tb__GraphDef *graph = spur__tb__graph_def__unpack(NULL, bytes.len, bytes.data);
    assert_int_equal(graph->versions->producer, 22);
    assert_int_equal(graph->n_node, 2);
    assert_string_equal(graph->node[0]->input[1], "^x");
    assert_int_equal(graph->node[0]->n_attr, 5);
    assert_string_equal(graph->node[0]->attr[4]->key, "_output_shapes");
    assert_int_equal(graph->node[0]->attr[4]->value->list->shape[0]->dim[1]->size, 3);
    spur__tb__graph_def__free_unpacked(graph, NULL);
    forget(got);
}

/* ---- layout, PR curves, meshes ------------------------------------------------------------- */

static void test_layout(void **state) {
    spur_writer *w = begin(state);
    const char *const tags[] = {"loss.*"};
    const spur_log_margin margin = {"v", "l", "u"};
    const spur_log_chart charts[] = {{.title = "1", .tags = tags, .tag_count = 1},
                                     {.title = "2", .margins = &margin, .margin_count = 1}};
    const spur_log_chart empty = {.title = "3"};
    const spur_log_category good = {
        .title = "c", .charts = charts, .chart_count = 2, .closed = true};
    const spur_log_category bad = {.title = "c", .charts = &empty, .chart_count = 1};
    assert_int_equal(spur_log_layout(w, &bad, 1, NULL), SPUR_E_ARGUMENT);
    assert_int_equal(spur_log_layout(w, &good, 1, NULL), SPUR_OK);
    assert_int_equal(spur_log_layout(w, &good, 1, NULL), SPUR_E_STATE);
    written *got = finish(w);
    const Spur__Tb__Summary__Value *v = value_at(got, FIRST, "custom_scalars");
    assert_shape(v->tensor, 0, 0, 0, 0);
    ProtobufCBinaryData bytes = v->tensor->string_val[0];
    Spur__Tb__Layout *layout = spur__tb__layout__unpack(NULL, bytes.len, bytes.data);
    assert_true(layout->category[0]->closed);
    assert_string_equal(layout->category[0]->chart[0]->multiline->tag[0], "loss.*");
    assert_string_equal(layout->category[0]->chart[1]->margin->series[0]->upper, "u");
    spur__tb__layout__free_unpacked(layout, NULL);
    forget(got);
}

static void test_pr_curve(void **state) {
    spur_writer *w = begin(state);
    const unsigned char labels[] = {1, 0, 1, 0, 1}, bad_labels[] = {2};
    const float scores[] = {0.9f, 0.6f, 0.3f, 0.0f, 1.0f}, bad_scores[] = {1.5f};
    spur_log_predictions p = {.labels = labels, .scores = scores, .count = 5};
    spur_log_pr_curve_options options = {.thresholds = 3};
    assert_int_equal(spur_log_pr_curve(w, "pr", 1, &p, &options), SPUR_OK);
    options.thresholds = 1;
    assert_int_equal(spur_log_pr_curve(w, "pr", 2, &p, &options), SPUR_E_RANGE);
    p = (spur_log_predictions){.labels = labels, .scores = &(float){0.29f}, .count = 1};
    p.weights = &(float){2.5f};
    options = (spur_log_pr_curve_options){.thresholds = 101, .log.display_name = "shown"};
    assert_int_equal(spur_log_pr_curve(w, "float", 1, &p, &options), SPUR_OK);
    const double ones[] = {1, 1}, given[] = {0.125, 0.25};
    const spur_log_pr_counts counts = {2, ones, ones, ones, ones, given, given};
    assert_int_equal(spur_log_pr_curve_raw(w, "raw", 1, &counts, NULL), SPUR_OK);
    p = (spur_log_predictions){.labels = bad_labels, .scores = scores, .count = 1};
    assert_int_equal(spur_log_pr_curve(w, "pr", 2, &p, NULL), SPUR_E_RANGE);
    p = (spur_log_predictions){.labels = labels, .scores = bad_scores, .count = 1};
    assert_int_equal(spur_log_pr_curve(w, "pr", 2, &p, NULL), SPUR_E_RANGE);
    written *got = finish(w);
    assert_int_equal(got->count, FIRST + 3);
    const Spur__Tb__Summary__Value *v = value_at(got, FIRST, "pr_curves");
    /* thresholds 0, 0.5, 1: rows tp, fp, tn, fn, precision, recall */
    const float rows[6][3] = {{3, 2, 1}, {2, 1, 0},           {0, 1, 2},
                              {0, 1, 2}, {0.6f, 2.0f / 3, 1}, {1, 2.0f / 3, 1.0f / 3}};
    assert_shape(v->tensor, 2, 6, 3, 0);
    assert_string_equal(v->metadata->display_name, "pr");
    assert_memory_equal(v->metadata->plugin_data->content.data, "\x10\x03", 2);
    assert_memory_equal(v->tensor->tensor_content.data, rows, sizeof rows);
    float positives[101];
    v = value_at(got, FIRST + 1, "pr_curves");
    memcpy(positives, v->tensor->tensor_content.data, sizeof positives);
    assert_true(positives[29] == 2.5f && positives[30] == 0); /* 0.29f is a bit below 0.29 */
    assert_string_equal(v->metadata->display_name, "shown");
    const float raw[] = {1, 1, 1, 1, 1, 1, 1, 1, 0.125f, 0.25f, 0.125f, 0.25f};
    v = value_at(got, FIRST + 2, "pr_curves");
    assert_memory_equal(v->tensor->tensor_content.data, raw, sizeof raw);
    forget(got);
}

static void test_mesh(void **state) {
    spur_writer *w = begin(state);
    const float v[9] = {0, 0, 0, 1, 0, 0, 0, 1, 0};
    const int32_t f[3] = {0, 1, 2}, bad[3] = {0, 1, 3};
    const unsigned char c[9] = {255};
    spur_log_mesh_data mesh = {
        .vertices = v, .vertex_count = 3, .faces = f, .face_count = 1, .colors = c};
    assert_int_equal(spur_log_mesh(w, "m", 4, &mesh, NULL), SPUR_OK);
    mesh.faces = bad;
    assert_int_equal(spur_log_mesh(w, "m", 5, &mesh, NULL), SPUR_E_RANGE);
    mesh = (spur_log_mesh_data){.vertices = v, .vertex_count = 3};
    assert_int_equal(spur_log_mesh(w, "cloud", 4, &mesh, NULL), SPUR_OK);
    written *got = finish(w);
    assert_int_equal(got->count, FIRST + 4);
    static const char *const names[] = {"m_VERTEX", "m_FACE", "m_COLOR", "cloud_VERTEX"};
    for (size_t i = 0; i < 4; i++) {
        const Spur__Tb__Summary__Value *value = value_at(got, FIRST + i, "mesh");
        ProtobufCBinaryData bytes = value->metadata->plugin_data->content;
        Spur__Tb__MeshPluginData *data =
            spur__tb__mesh_plugin_data__unpack(NULL, bytes.len, bytes.data);
        assert_string_equal(value->tag, names[i]);
        assert_shape(value->tensor, 3, 1, i == 1 ? 1 : 3, 3);
        assert_int_equal(data->components, i < 3 ? 14 : 2);
        assert_int_equal(data->content_type, i < 3 ? i + 1 : 1);
        assert_string_equal(data->json_config, "{}");
        assert_int_equal(data->shape[1], i == 1 ? 1 : 3);
        spur__tb__mesh_plugin_data__free_unpacked(data, NULL);
    }
    assert_true(got->events[FIRST]->wall_time == got->events[FIRST + 2]->wall_time);
    forget(got);
}

/* All parts of a mesh or none: a tag that is something else is found before anything is written. */
static void test_mesh_is_whole(void **state) {
    spur_writer *w = begin(state);
    spur_error err;
    const float v[9] = {0, 0, 0, 1, 0, 0, 0, 1, 0};
    const int32_t f[3] = {0, 1, 2};
    spur_log_mesh_data mesh = {.vertices = v, .vertex_count = 3, .faces = f, .face_count = 1};
    assert_int_equal(spur_log_mesh(w, "", 0, &mesh, NULL), SPUR_E_ARGUMENT);
    assert_int_equal(spur_log_scalar(w, "m_FACE", 0, 0), SPUR_OK);
    assert_int_equal(spur_log_mesh(w, "m", 0, &mesh, NULL), SPUR_E_TYPE);
    assert_int_equal(spur_log_scalar(w, "m_VERTEX", 0, 0), SPUR_OK); /* nothing was taken */
    mesh.config_json = "{\"camera\": {\"cls\": \"PerspectiveCamera\"}}";
    assert_int_equal(spur_log_mesh(w, "n", 0, &mesh, NULL), SPUR_OK);
    mesh.config_json = "{camera: 1}";
    assert_int_equal(spur_log_mesh(w, "n", 1, &mesh, NULL), SPUR_E_FORMAT);
    mesh.config_json = "[]";
    assert_int_equal(spur_log_mesh(w, "n", 1, &mesh, NULL), SPUR_E_FORMAT);
    spur_writer_error(w, &err);
    assert_string_equal(err.message, "tag \"\", step 0: the tag is empty");
    written *got = finish(w);
    assert_int_equal(got->count, FIRST + 4);
    forget(got);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_beginning),
        TEST(test_scalar),
        TEST(test_histogram_of_each_type),
        TEST(test_degenerate_histograms),
        TEST(test_histogram_counts_everything),
        TEST(test_ready_buckets),
        TEST(test_text),
        TEST(test_audio),
        cmocka_unit_test(test_sha256),
        TEST(test_hparams),
        TEST(test_session_by_default),
        TEST(test_experiment),
        TEST(test_graph),
        TEST(test_layout),
        TEST(test_pr_curve),
        TEST(test_mesh),
        TEST(test_mesh_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
