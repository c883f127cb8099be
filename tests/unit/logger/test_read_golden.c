/* SPDX-License-Identifier: MIT
 *
 * Files of TensorBoard's own Python writer (tests/golden/make_events.py): every kind, old forms and
 * new, strange types and tags, with the exact values.
 */
#include "read_helpers.h"

#include <math.h>

#define NEW SPUR_TEST_SOURCE_DIR "/golden/events/new"
#define OLD SPUR_TEST_SOURCE_DIR "/golden/events/old"
#define ODD SPUR_TEST_SOURCE_DIR "/golden/events/odd/deep er"

/* The value number `which` (0 = first) of a tag; the run stays open so that slices stay valid. */
static spur_value find_value(spur_run **run, const char *path, const char *tag, int which,
                             spur_event *event) {
    assert_int_equal(spur_run_open(run, path, NULL), SPUR_OK);
    while (spur_run_next(*run, event, NULL) == SPUR_OK)
        for (spur_value value = {0}; spur_run_value(*run, event, &value);)
            if (spur_slice_is(value.tag, tag) && which-- == 0) return value;
    fail_msg("%s: no such value of tag %s", path, tag);
    return (spur_value){0};
}

static void test_scalars(void **state) {
    (void)state;
    spur_scalars *scalars;
    assert_int_equal(spur_scalars_load(&scalars, NEW, NULL, NULL), SPUR_OK);
    assert_int_equal(spur_scalars_count(scalars), 2);
    assert_int_equal(spur_scalars_problem_count(scalars), 0);
    const spur_series *loss = spur_scalars_find(scalars, ".", "loss");
    assert_non_null(loss);
    assert_int_equal(loss->count, 10);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(loss->steps[i], i);
        assert_true(loss->values[i] == (double)(float)(1.0 / (i + 1)));
        assert_true(i == 0 || loss->wall_times[i] > loss->wall_times[i - 1]);
    }
    assert_true(loss->wall_times[0] == 1700000000.75);
    spur_scalars_destroy(scalars);

    assert_int_equal(spur_scalars_load(&scalars, OLD, NULL, NULL), SPUR_OK);
    loss = spur_scalars_find(scalars, ".", "loss");
    assert_int_equal(loss->count, 5);
    for (int i = 0; i < 5; i++) assert_true(loss->values[i] == ldexp(1, -i));
    spur_scalars_destroy(scalars);
}

static void test_element_types(void **state) {
    (void)state;
    static const struct {
        const char *tag;
        double value;
    } expected[] = {
        {"dtype/double", 0.1},
        {"dtype/int32", -7},
        {"dtype/int64", -0x1p40},
        {"dtype/uint8", 200},
        {"dtype/bool", 1},
        {"dtype/half", 1.5},
        {"dtype/bfloat16", -1.5},
        {"dtype/uint32", 4000000000.},
        {"dtype/uint64", 0x1p60},
        {"dtype/int16_content", -2},
        {"dtype/one_element", 2.5},
        {"dtype/float_list", 0.75},
        {"Straße/größe \xf0\x9f\x98\x80", 14},
        {"", 0},
        {"line\nbreak", 10},
    };
    spur_scalars *scalars;
    assert_int_equal(spur_scalars_load(&scalars, ODD, NULL, NULL), SPUR_OK);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const spur_series *series = spur_scalars_find(scalars, ".", expected[i].tag);
        if (!series) fail_msg("no series '%s'", expected[i].tag);
        assert_int_equal(series->count, 1);
        assert_true(series->values[0] == expected[i].value);
    }
    const spur_series *special = spur_scalars_find(scalars, ".", "special");
    assert_true(isnan(special->values[0]));
    assert_true(special->values[1] == (double)INFINITY && special->values[2] == -(double)INFINITY);
    assert_true(special->values[3] == 0 && signbit(special->values[3]));
    assert_true(special->values[4] == 0x1p-149);
    const int64_t steps[] = {-5, (int64_t)1 << 31, ((int64_t)1 << 53) + 1, INT64_MAX, INT64_MIN};
    assert_memory_equal(spur_scalars_find(scalars, ".", "steps")->steps, steps, sizeof steps);
    const spur_series *lazy = spur_scalars_find(scalars, ".", "lazy"); /* metadata once */
    assert_int_equal(lazy->count, 2);
    assert_true(lazy->values[1] == 2);
    assert_int_equal(spur_scalars_find(scalars, ".", "changes")->count, 1);
    assert_null(spur_scalars_find(scalars, ".", "no_metadata"));
    assert_null(spur_scalars_find(scalars, ".", "other_plugin"));
    spur_scalars_destroy(scalars);
}

static void test_supersede(void **state) {
    (void)state;
    spur_scalars *scalars;
    assert_int_equal(
        spur_scalars_load(&scalars, ODD, &(spur_scalars_options){.tag = "rest*"}, NULL), SPUR_OK);
    assert_int_equal(spur_scalars_count(scalars), 1);
    assert_int_equal(spur_scalars_series(scalars, 0)->count, 7);
    spur_scalars_destroy(scalars);
    const spur_scalars_options options = {.tag = "restarted", .supersede = true};
    assert_int_equal(spur_scalars_load(&scalars, ODD, &options, NULL), SPUR_OK);
    const spur_series *series = spur_scalars_series(scalars, 0);
    const int64_t steps[] = {0, 1, 2, 3};
    assert_int_equal(series->count, 4);
    assert_memory_equal(series->steps, steps, sizeof steps);
    spur_scalars_destroy(scalars);
}

static void test_tags_of_a_run(void **state) {
    (void)state;
    spur_run *run;
    spur_event event;
    assert_int_equal(spur_run_open(&run, ODD, NULL), SPUR_OK);
    while (spur_run_next(run, &event, NULL) == SPUR_OK)
        for (spur_value value = {0}; spur_run_value(run, &event, &value);) {
        }
    const spur_tag *tag = spur_run_find_tag(run, "restarted");
    assert_int_equal(tag->count, 7);
    assert_int_equal(tag->falling, 1);
    assert_int_equal(tag->repeated, 1);
    assert_int_equal(tag->max_step, 3);
    tag = spur_run_find_tag(run, "changes");
    assert_int_equal(tag->kind, SPUR_KIND_SCALAR);
    assert_int_equal(tag->count, 2);
    assert_int_equal(tag->foreign, 1);
    tag = spur_run_find_tag(run, "other_plugin");
    assert_int_equal(tag->kind, SPUR_KIND_TENSOR);
    assert_string_equal(tag->plugin, "my_plugin");
    tag = spur_run_find_tag(run, "steps");
    assert_true(tag->min_step == INT64_MIN && tag->max_step == INT64_MAX);
    assert_int_equal(tag->falling, 1);
    assert_null(spur_run_find_tag(run, "nul"));
    assert_int_equal(spur_run_find_tag(run, "pair/b")->count, 1);
    const spur_tag *nul = NULL;
    for (size_t i = 0; i < spur_run_tag_count(run); i++) {
        assert_int_equal(spur_run_tag(run, i)->index, i);
        if (spur_run_tag(run, i)->name_size == 10 && !strcmp(spur_run_tag(run, i)->name, "nul"))
            nul = spur_run_tag(run, i);
    }
    assert_non_null(nul);
    assert_memory_equal(nul->name, "nul\0inside", 11);
    spur_run_info info = spur_run_get_info(run);
    assert_true(info.has_version);
    assert_int_equal(info.damage, 0);
    assert_true(info.first_wall_time == 1700000100);
    spur_run_close(run);
}

static void test_metadata(void **state) {
    (void)state;
    spur_run *run;
    spur_event event;
    spur_value value = find_value(&run, NEW, "loss", 0, &event);
    assert_true(value.has_metadata);
    assert_true(spur_slice_is(value.plugin, "scalars"));
    assert_true(spur_slice_is(value.description, "how *wrong*"));
    assert_string_equal(value.info->description, "how *wrong*");
    spur_run_close(run);
    value = find_value(&run, OLD, "described", 0, &event);
    assert_true(spur_slice_is(value.display_name, "Described"));
    assert_string_equal(value.info->display_name, "Described");
    spur_run_close(run);
    value = find_value(&run, ODD, "other_plugin", 0, &event);
    assert_int_equal(value.data_class, 2);
    assert_true(spur_slice_is(value.plugin_content, "abc"));
    double numbers[3];
    assert_int_equal(spur_tensor_numbers(&value.tensor, numbers, 3, NULL), SPUR_OK);
    assert_true(numbers[2] == 2);
    spur_error err;
    assert_int_equal(spur_tensor_numbers(&value.tensor, numbers, 2, &err), SPUR_E_SHAPE);
    assert_string_equal(err.message, "tensor has 3 elements, expected 2");
    spur_run_close(run);
}

static void test_histograms(void **state) {
    (void)state;
    spur_run *run;
    spur_event event;
    spur_histogram h;
    spur_value value = find_value(&run, NEW, "weights", 1, &event);
    assert_int_equal(event.step, 5);
    assert_int_equal(value.kind, SPUR_KIND_HISTOGRAM);
    assert_int_equal(spur_value_histogram(&value, &h, NULL), SPUR_OK);
    assert_int_equal(h.count, 5);
    assert_false(h.has_moments);
    for (size_t i = 0; i < 5; i++) assert_true(h.buckets[i].count == 20);
    assert_true(h.buckets[0].left == -6 && h.buckets[4].right == 6);
    spur_histogram_free(&h);
    spur_run_close(run);

    value = find_value(&run, NEW, "constant", 0, &event);
    assert_int_equal(spur_value_histogram(&value, &h, NULL), SPUR_OK);
    assert_int_equal(h.count, 3);
    assert_true(h.buckets[2].left == 2 && h.buckets[2].right == 2 && h.buckets[2].count == 7);
    spur_histogram_free(&h);
    spur_run_close(run);

    value = find_value(&run, OLD, "weights", 0, &event);
    assert_int_equal(value.form, SPUR_FORM_HISTO);
    assert_int_equal(spur_value_histogram(&value, &h, NULL), SPUR_OK);
    const spur_bucket expected[] = {{-3, -2, 1}, {-2, 0, 2}, {0, 1, 3}, {1, 2, 1}};
    assert_int_equal(h.count, 4); /* the empty ends are gone, the outer edges are min and max */
    assert_memory_equal(h.buckets, expected, sizeof expected);
    assert_true(h.has_moments && h.min == -3 && h.max == 2 && h.num == 7);
    assert_true(h.sum == -1.5 && h.sum_squares == 15.75);
    spur_histogram_free(&h);
    spur_run_close(run);

    value = find_value(&run, OLD, "nothing", 0, &event);
    assert_int_equal(spur_value_histogram(&value, &h, NULL), SPUR_OK);
    assert_int_equal(h.count, 0);
    spur_histogram_free(&h);
    spur_run_close(run);

    value = find_value(&run, ODD, "filled", 0, &event); /* one number stands for all */
    assert_int_equal(spur_value_histogram(&value, &h, NULL), SPUR_OK);
    assert_int_equal(h.count, 2);
    assert_true(h.buckets[1].left == 3 && h.buckets[1].count == 3);
    spur_histogram_free(&h);
    spur_run_close(run);
}

static void test_images(void **state) {
    (void)state;
    spur_run *run;
    spur_event event;
    spur_images images;
    for (int step = 0; step < 2; step++) {
        spur_value value = find_value(&run, NEW, "pictures", step, &event);
        assert_int_equal(value.kind, SPUR_KIND_IMAGE);
        assert_int_equal(spur_value_images(&value, &images, NULL), SPUR_OK);
        assert_int_equal(images.count, 2 - step);
        assert_int_equal(images.width, 4);
        assert_int_equal(images.height, 3);
        for (size_t i = 0; i < images.count; i++)
            assert_memory_equal(images.files[i].data, "\x89PNG", 4);
        spur_images_free(&images);
        spur_run_close(run);
    }
    spur_value value = find_value(&run, OLD, "picture", 0, &event);
    assert_int_equal(spur_value_images(&value, &images, NULL), SPUR_OK);
    assert_int_equal(images.count, 1);
    assert_int_equal(images.width, 4);
    assert_int_equal(images.height, 3);
    assert_int_equal(images.colorspace, 1);
    assert_memory_equal(images.files[0].data + images.files[0].size - 8, "IEND", 4);
    spur_images_free(&images);
    spur_run_close(run);
}

static void test_audio(void **state) {
    (void)state;
    spur_run *run;
    spur_event event;
    spur_clips clips;
    spur_value value = find_value(&run, NEW, "sound", 0, &event);
    assert_int_equal(spur_value_audio(&value, &clips, NULL), SPUR_OK);
    assert_int_equal(clips.count, 2);
    assert_int_equal(clips.clips[0].file.size, 44 + 6);
    assert_int_equal(clips.clips[1].file.size, 44 + 2);
    assert_true(spur_slice_is(clips.clips[0].label, "one"));
    assert_true(spur_slice_is(clips.clips[1].label, ""));
    assert_true(spur_slice_is(clips.content_type, "audio/wav"));
    spur_clips_free(&clips);
    spur_run_close(run);
    value = find_value(&run, NEW, "sound/flat", 0, &event);
    assert_int_equal(spur_value_audio(&value, &clips, NULL), SPUR_OK);
    assert_int_equal(clips.count, 1);
    assert_int_equal(clips.clips[0].file.size, 44 + 4);
    spur_clips_free(&clips);
    spur_run_close(run);
    value = find_value(&run, OLD, "sound", 0, &event);
    assert_int_equal(spur_value_audio(&value, &clips, NULL), SPUR_OK);
    assert_int_equal(clips.count, 1);
    assert_true(clips.sample_rate == 8000);
    assert_int_equal(clips.channels, 1);
    assert_int_equal(clips.frames, 3);
    assert_int_equal(clips.clips[0].file.size, 44 + 6);
    spur_clips_free(&clips);
    spur_run_close(run);
}

static void test_text(void **state) {
    (void)state;
    static const struct {
        int rank;
        size_t rows, columns;
        const char *cells[6];
    } expected[] = {
        {0, 1, 1, {"# Title\nline"}},
        {1, 3, 1, {"a", "b", "\xc3\xbc"}},
        {2, 3, 2, {"a", "b", "c", "", "e", "f"}},
        {3, 2, 2, {"1", "2", "3", "4"}},
    };
    for (int step = 0; step < 4; step++) {
        spur_run *run;
        spur_event event;
        spur_texts texts;
        spur_value value = find_value(&run, NEW, "note", step, &event);
        assert_int_equal(spur_value_texts(&value, &texts, NULL), SPUR_OK);
        assert_int_equal(texts.rank, expected[step].rank);
        assert_int_equal(texts.rows, expected[step].rows);
        assert_int_equal(texts.columns, expected[step].columns);
        for (size_t i = 0; i < texts.rows * texts.columns; i++)
            assert_true(spur_slice_is(texts.cells[i], expected[step].cells[i]));
        spur_texts_free(&texts);
        spur_run_close(run);
    }
}

static void test_hparams(void **state) {
    (void)state;
    spur_run *run;
    spur_event event;
    spur_hparams_record record;
    spur_value value = find_value(&run, NEW, "_hparams_/session_start_info", 0, &event);
    assert_int_equal(spur_value_hparams(&value, &record, NULL), SPUR_OK);
    assert_int_equal(record.what, SPUR_HPARAMS_START);
    assert_int_equal(record.count, 4);
    assert_true(spur_slice_is(record.group, "t1"));
    assert_true(record.time == 1700000000);
    int seen = 0;
    for (size_t i = 0; i < record.count; i++) {
        const spur_hparam *h = &record.values[i];
        if (spur_slice_is(h->name, "lr"))
            seen += h->type == SPUR_HPARAM_NUMBER && h->number == 0.125;
        if (spur_slice_is(h->name, "optimizer"))
            seen += h->type == SPUR_HPARAM_TEXT && spur_slice_is(h->text, "adam");
        if (spur_slice_is(h->name, "nesterov"))
            seen += h->type == SPUR_HPARAM_BOOL && h->number == 1;
        if (spur_slice_is(h->name, "layers"))
            seen += h->type == SPUR_HPARAM_NUMBER && h->number == 3;
    }
    assert_int_equal(seen, 4);
    spur_hparams_record_free(&record);
    spur_run_close(run);
    value = find_value(&run, NEW, "_hparams_/session_end_info", 0, &event); /* without a tensor */
    assert_int_equal(value.form, SPUR_FORM_NONE);
    assert_int_equal(spur_value_hparams(&value, &record, NULL), SPUR_OK);
    assert_int_equal(record.what, SPUR_HPARAMS_END);
    assert_int_equal(record.status, 1);
    assert_true(record.time == 1700000060);
    spur_hparams_record_free(&record);
    spur_run_close(run);
}

static void test_curves_and_meshes(void **state) {
    (void)state;
    spur_run *run;
    spur_event event;
    spur_pr_curve curve;
    spur_value value = find_value(&run, NEW, "curve", 0, &event);
    assert_int_equal(spur_value_pr_curve(&value, &curve, NULL), SPUR_OK);
    assert_int_equal(curve.thresholds, 4);
    assert_true(curve.true_positives[0] == 0 && curve.true_positives[3] == 3);
    assert_true(curve.false_positives[0] == 4 && curve.true_negatives[0] == 8);
    assert_true(curve.false_negatives[0] == 12 && curve.precision[0] == 16);
    assert_true(curve.recall[3] == 23);
    spur_pr_curve_free(&curve);
    spur_run_close(run);
    static const char *const tags[] = {"shape_VERTEX", "shape_FACE", "shape_COLOR"};
    for (int part = 0; part < 3; part++) {
        spur_mesh_part mesh;
        value = find_value(&run, NEW, tags[part], 0, &event);
        assert_int_equal(spur_value_mesh(&value, &mesh, NULL), SPUR_OK);
        assert_int_equal(mesh.content_type, part + 1);
        assert_true(spur_slice_is(mesh.name, "shape"));
        assert_true(spur_slice_is(mesh.config, "{\"camera\": {}}"));
        assert_int_equal(mesh.shape[0] * 100 + mesh.shape[1] * 10 + mesh.shape[2], 223);
        assert_true(mesh.data[11] == 11 + 10 * part);
        spur_mesh_part_free(&mesh);
        spur_run_close(run);
    }
}

static void test_graphs_and_others(void **state) {
    (void)state;
    spur_run *run;
    spur_event event;
    spur_texts texts;
    spur_value value = find_value(&run, NEW, "__run_graph__", 0, &event);
    assert_int_equal(value.kind, SPUR_KIND_GRAPH);
    assert_int_equal(event.what, SPUR_EVENT_GRAPH);
    assert_int_equal(spur_run_get_info(run).starts, 1);
    assert_true(value.body.size > 20 && value.body.data == event.data.data);
    spur_run_close(run);
    value = find_value(&run, NEW, "keras", 0, &event);
    assert_int_equal(value.kind, SPUR_KIND_GRAPH);
    assert_int_equal(spur_value_texts(&value, &texts, NULL), SPUR_OK);
    assert_true(spur_slice_is(texts.cells[0], "{\"class_name\": \"Sequential\"}"));
    spur_texts_free(&texts);
    spur_run_close(run);
    value = find_value(&run, NEW, "custom_scalars__config__", 0, &event);
    assert_int_equal(value.kind, SPUR_KIND_LAYOUT);
    assert_int_equal(spur_value_texts(&value, &texts, NULL), SPUR_OK);
    assert_int_equal(texts.rows, 1);
    spur_texts_free(&texts);
    spur_run_close(run);
    value = find_value(&run, OLD, "step4", 0, &event);
    assert_int_equal(value.kind, SPUR_KIND_PROFILE);
    assert_int_equal(value.body.size, 2);
    spur_run_close(run);
}

static void test_log_message(void **state) {
    (void)state;
    spur_run *run;
    spur_event event;
    int seen = 0;
    assert_int_equal(spur_run_open(&run, OLD, NULL), SPUR_OK);
    while (spur_run_next(run, &event, NULL) == SPUR_OK)
        if (event.what == SPUR_EVENT_LOG_MESSAGE)
            seen += event.code == 30 && spur_slice_is(event.data, "careful");
    assert_int_equal(seen, 1);
    spur_run_close(run);
}

/* A value asked for as something that it is not: an error that names the tag, never more. */
static void test_wrong_kind(void **state) {
    (void)state;
    spur_run *run;
    spur_event event;
    spur_error err;
    double number;
    spur_histogram h;
    spur_images images;
    spur_clips clips;
    spur_texts texts;
    spur_pr_curve curve;
    spur_mesh_part mesh;
    spur_hparams_record record;
    spur_value value = find_value(&run, OLD, "picture", 0, &event);
    assert_int_equal(spur_value_scalar(&value, &number, &err), SPUR_E_TYPE);
    assert_string_equal(err.message, "tag 'picture': found image, expected a scalar");
    assert_int_equal(spur_value_histogram(&value, &h, &err), SPUR_E_TYPE);
    assert_int_equal(spur_value_audio(&value, &clips, &err), SPUR_E_TYPE);
    assert_int_equal(spur_value_texts(&value, &texts, &err), SPUR_E_TYPE);
    assert_int_equal(spur_value_hparams(&value, &record, &err), SPUR_E_TYPE);
    spur_run_close(run);
    value = find_value(&run, NEW, "weights", 0, &event);
    assert_int_equal(spur_value_scalar(&value, &number, &err), SPUR_E_TYPE);
    assert_string_equal(err.message, "tag 'weights': found histogram, expected a scalar");
    assert_int_equal(spur_value_texts(&value, &texts, &err), SPUR_E_TYPE);
    assert_int_equal(spur_value_images(&value, &images, &err), SPUR_E_TYPE);
    assert_int_equal(spur_value_pr_curve(&value, &curve, &err), SPUR_E_TYPE);
    assert_int_equal(spur_value_mesh(&value, &mesh, &err), SPUR_E_TYPE);
    assert_int_equal(spur_value_audio(&value, &clips, &err), SPUR_E_TYPE);
    spur_run_close(run);
    value = find_value(&run, NEW, "note", 1, &event);
    assert_int_equal(spur_value_audio(&value, &clips, &err), SPUR_E_TYPE); /* strings, too */
    assert_int_equal(spur_value_images(&value, &images, &err), SPUR_E_TYPE);
    assert_int_equal(spur_value_scalar(&value, &number, &err), SPUR_E_TYPE);
    spur_run_close(run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_element_types),
        cmocka_unit_test(test_supersede),
        cmocka_unit_test(test_tags_of_a_run),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_histograms),
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_audio),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_hparams),
        cmocka_unit_test(test_curves_and_meshes),
        cmocka_unit_test(test_graphs_and_others),
        cmocka_unit_test(test_log_message),
        cmocka_unit_test(test_wrong_kind),
    };
    return cmocka_run_group_tests_name("read_golden", tests, NULL, NULL);
}
