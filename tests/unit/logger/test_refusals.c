/* SPDX-License-Identifier: MIT
 *
 * What TensorBoard would silently lose or choke on: each is refused, or warned about and counted.
 */
#include "written.h"

#include <fcntl.h>
#include <math.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "write/writer.h"

/* Collects warnings. */
typedef struct notes {
    int count;
    char last[1024];
} notes;

static void on_warning(void *user, const char *message) {
    notes *n = user;
    n->count++;
    snprintf(n->last, sizeof n->last, "%s", message);
}

static void assert_warned(const notes *n, int count, const char *about) {
    assert_int_equal(n->count, count);
    if (!strstr(n->last, about)) fail_msg("\"%s\" says nothing about \"%s\"", n->last, about);
}

static spur_writer *begin(void **state, notes *n) {
    spur_writer *w;
    spur_writer_options options = {.on_warning = on_warning, .user = n};
    assert_int_equal(open_exact(&w, *state, &options), SPUR_OK);
    return w;
}

/* ---- steps, times, values ------------------------------------------------------------------ */

static void test_steps(void **state) {
    notes n = {0};
    spur_writer_stats stats;
    spur_writer *w = begin(state, &n);
    const int64_t steps[] = {5, 6, 6, 3, 3, 4, 7};
    for (size_t i = 0; i < 7; i++) assert_int_equal(spur_log_scalar(w, "a", steps[i], 0), SPUR_OK);
    spur_writer_get_stats(w, &stats);
    assert_int_equal(stats.falling_steps, 1);
    assert_int_equal(stats.repeated_steps, 2);
    assert_int_equal(stats.warnings, 3);
    assert_warned(&n, 2, "tag \"a\", step 3"); /* told once per tag and kind of warning */
    spur_log_text(w, "t", 1, "x", NULL);
    spur_log_text(w, "t", 0, "x", NULL);
    assert_warned(&n, 3, "below");
    spur_log_scalar(w, "b", (int64_t)1 << 31, 0);
    assert_warned(&n, 4, "HParams");
    spur_log_scalar(w, "c", INT32_MAX, 0);
    spur_log_scalar(w, "d", INT32_MIN, 0);
    assert_int_equal(n.count, 4);
    spur_log_scalar(w, "e", (int64_t)INT32_MIN - 1, 0);
    assert_warned(&n, 5, "HParams");
    spur_writer_close(w, NULL);
}

static void test_wall_times(void **state) {
    notes n = {0};
    spur_writer *w = begin(state, &n);
    spur_log_options options = {.wall_time = NAN};
    const uint8_t pixel[1] = {0};
    spur_log_images image = {.pixels = pixel, .count = 1, .height = 1, .width = 1, .channels = 1};
    assert_int_equal(spur_log_scalar_with(w, "a", 0, 0, &options), SPUR_E_NUMERIC);
    assert_int_equal(spur_log_text(w, "t", 0, "x", &options), SPUR_E_NUMERIC);
    assert_int_equal(
        spur_log_image(w, "i", 0, &image, &(spur_log_image_options){.log.wall_time = -INFINITY}),
        SPUR_E_NUMERIC);
    options.wall_time = -5;
    assert_int_equal(spur_log_scalar_with(w, "a", 0, 0, &options), SPUR_E_RANGE);
    assert_int_equal(spur_log_hparams_end(w, SPUR_LOG_SUCCESS, &options), SPUR_E_RANGE);
    options.wall_time = 253402300800.0; /* the year 10000 */
    assert_int_equal(spur_log_scalar_with(w, "a", 0, 0, &options), SPUR_E_RANGE);
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
    assert_int_equal(count_records(spur_writer_path(w)), 2);
    spur_writer *other = NULL;
    assert_int_equal(spur_writer_open(&other, &(spur_writer_options){.wall_time = NAN}, NULL),
                     SPUR_E_NUMERIC);
    spur_writer_close(w, NULL);
}

static void test_values(void **state) {
    notes n = {0};
    spur_writer_stats stats;
    spur_writer *w = begin(state, &n);
    const double odd[] = {1, NAN, INFINITY};
    const spur_log_hparam p = {"clip", spur_log_number(INFINITY)};
    spur_log_scalar(w, "nan", 0, NAN);
    spur_log_scalar(w, "inf", 0, INFINITY);
    assert_int_equal(n.count, 0); /* these are shown as what they are */
    spur_log_scalar(w, "huge", 0, 1e38);
    assert_warned(&n, 1, "float");
    spur_log_scalar(w, "beyond", 0, -1e300);
    assert_warned(&n, 2, "float");
    for (int step = 0; step < 3; step++)
        spur_log_histogram(w, "h", step, spur_log_doubles(odd, 3), NULL);
    assert_warned(&n, 3, "2 values are not finite");
    spur_log_histogram(w, "other", 0, spur_log_doubles(odd, 3), NULL);
    assert_warned(&n, 4, "histogram \"other\"");
    spur_writer_get_stats(w, &stats);
    assert_int_equal(stats.nonfinite, 8);
    spur_log_hparams(w, &p, 1, NULL);
    assert_warned(&n, 5, "clip");
    spur_writer_get_stats(w, &stats);
    assert_int_equal(stats.warnings, 5);
    spur_writer_close(w, NULL);
}

/* ---- texts --------------------------------------------------------------------------------- */

static void test_utf8_everywhere(void **state) {
    static const char bad[] = "a\xe9z";
    notes n = {0};
    spur_writer *w = begin(state, &n);
    const spur_log_options described = {.description = bad}, named = {.display_name = bad};
    const char *const cells[] = {"fine", bad};
    const spur_log_hparam key = {bad, spur_log_number(1)}, text = {"k", spur_log_string(bad)};
    const char *const tags[] = {bad};
    const spur_log_chart chart = {.title = "t", .tags = tags, .tag_count = 1};
    const spur_log_category category = {.title = "t", .charts = &chart, .chart_count = 1};
    const float v[3] = {0};
    const spur_log_mesh_data mesh = {.vertices = v, .vertex_count = 1, .config_json = bad};
    const spur_log_points points = {.values = v, .rows = 1, .columns = 3, .metadata = tags};
    spur_log_graph_builder *g;
    assert_int_equal(spur_log_scalar(w, bad, 0, 0), SPUR_E_UTF8);
    assert_int_equal(spur_log_scalar_with(w, "a", 0, 0, &described), SPUR_E_UTF8);
    assert_int_equal(spur_log_scalar_with(w, "a", 0, 0, &named), SPUR_E_UTF8);
    assert_int_equal(spur_log_text(w, bad, 0, "x", NULL), SPUR_E_UTF8);
    assert_int_equal(spur_log_text_table(w, "t", 0, &(spur_log_cells){cells, 2, 0}, NULL),
                     SPUR_E_UTF8);
    assert_int_equal(spur_log_hparams(w, &key, 1, NULL), SPUR_E_UTF8);
    assert_int_equal(spur_log_hparams(w, &text, 1, NULL), SPUR_E_UTF8);
    assert_int_equal(spur_log_hparams(w, NULL, 0, &(spur_log_hparams_options){.group = bad}),
                     SPUR_E_UTF8);
    assert_int_equal(spur_log_hparams_experiment(w, &(spur_log_experiment){.name = bad}, NULL),
                     SPUR_E_UTF8);
    assert_int_equal(spur_log_layout(w, &category, 1, NULL), SPUR_E_UTF8);
    assert_int_equal(spur_log_mesh(w, "m", 0, &mesh, NULL), SPUR_E_UTF8);
    assert_int_equal(spur_log_mesh(w, bad, 0, &mesh, NULL), SPUR_E_UTF8);
    assert_int_equal(spur_log_embedding(w, "e", 0, &points), SPUR_E_UTF8);
    assert_int_equal(spur_log_graph_create(&g), SPUR_OK);
    assert_int_equal(spur_log_graph_add(g, &(spur_log_node){.name = bad, .op = "o"}), SPUR_E_UTF8);
    assert_int_equal(spur_log_graph_add(g, &(spur_log_node){.name = "n", .op = bad}), SPUR_E_UTF8);
    spur_log_graph_destroy(g);
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
    assert_int_equal(count_records(spur_writer_path(w)), 2);
    spur_writer_close(w, NULL);
}

/* ---- tags ---------------------------------------------------------------------------------- */

static void test_tags(void **state) {
    notes n = {0};
    spur_writer *w = begin(state, &n);
    char *long_tag = malloc(70000);
    memset(long_tag, 'x', 69999);
    long_tag[69999] = '\0';
    assert_int_equal(spur_log_scalar(w, NULL, 0, 0), SPUR_E_ARGUMENT);
    assert_int_equal(spur_log_scalar(w, "", 0, 0), SPUR_E_ARGUMENT);
    assert_int_equal(spur_log_text(w, NULL, 0, "x", NULL), SPUR_E_ARGUMENT);
    assert_int_equal(spur_log_scalar(w, long_tag, 0, 0), SPUR_E_RANGE);
    long_tag[16385] = '\0';
    assert_int_equal(spur_log_scalar(w, long_tag, 0, 0), SPUR_E_RANGE);
    long_tag[16384] = '\0'; /* three bytes for each fit TensorBoard's 64 KiB of a request */
    assert_int_equal(spur_log_scalar(w, long_tag, 0, 0), SPUR_OK);
    assert_int_equal(spur_log_scalar(w, "_hparams_/session_start_info", 0, 0), SPUR_E_ARGUMENT);
    assert_int_equal(spur_log_text(w, "custom_scalars__config__", 0, "x", NULL), SPUR_E_ARGUMENT);
    assert_int_equal(spur_log_scalar(w, "a", 0, 0), SPUR_OK);
    assert_int_equal(spur_log_histogram(w, "a", 1, spur_log_floats(NULL, 0), NULL), SPUR_E_TYPE);
    assert_int_equal(spur_log_text(w, "b", 0, "x", NULL), SPUR_OK);
    assert_int_equal(spur_log_scalar(w, "b", 1, 0), SPUR_E_TYPE);
    assert_int_equal(spur_log_scalar(w, "a//b/ \n<b>\xf0\x9f\x98\x80", 0, 0), SPUR_OK);
    spur_writer_close(w, NULL);
    free(long_tag);
}

static void test_descriptions(void **state) {
    notes n = {0};
    spur_writer *w = begin(state, &n);
    const spur_log_options first = {.description = "d", .display_name = "n"},
                           other = {.description = "x"};
    assert_int_equal(spur_log_scalar_with(w, "a", 0, 0, &first), SPUR_OK);
    assert_int_equal(spur_log_scalar_with(w, "a", 1, 0, &first), SPUR_OK);
    assert_int_equal(spur_log_scalar(w, "a", 2, 0), SPUR_OK);
    assert_int_equal(n.count, 0);
    assert_int_equal(spur_log_scalar_with(w, "a", 3, 0, &other), SPUR_OK);
    assert_warned(&n, 1, "another description");
    assert_int_equal(spur_log_text(w, "t", 0, "x", NULL), SPUR_OK);
    assert_int_equal(spur_log_text(w, "t", 1, "x", &first), SPUR_OK);
    assert_warned(&n, 2, "tag \"t\"");
    spur_writer_close(w, NULL);
}

static void test_tag_budget(void **state) {
    spur_writer *w;
    char tag[16];
    assert_int_equal(open_exact(&w, *state, &(spur_writer_options){.max_tags = 100}), SPUR_OK);
    for (int i = 0; i < 100; i++) {
        snprintf(tag, sizeof tag, "%d", i);
        assert_int_equal(spur_log_scalar(w, tag, 0, 0), SPUR_OK);
    }
    assert_int_equal(spur_log_scalar(w, "one more", 0, 0), SPUR_E_RANGE);
    assert_int_equal(spur_log_scalar(w, "7", 1, 0), SPUR_OK);
    spur_writer_close(w, NULL);
}

/* An error is read at the end: it says where it happened. */
static void assert_told(void **state, spur_status (*run)(spur_writer *w), const char *message) {
    notes n = {0};
    spur_error err;
    spur_writer *w = begin(state, &n);
    spur_status status = run(w);
    assert_true(status != SPUR_OK);
    assert_int_equal(spur_writer_close(w, &err), status);
    assert_string_equal(err.message, message);
}

static spur_status bad_tag(spur_writer *w) {
    return spur_log_scalar(w, "a\xe9", 4, 0);
}

static spur_status bad_text(spur_writer *w) {
    return spur_log_text(w, "notes", 5, "a\xe9", NULL);
}

static spur_status bad_image(spur_writer *w) {
    const uint8_t pixel[5] = {0};
    return spur_log_image(
        w, "in", 6, &(spur_log_images){.pixels = pixel, .height = 1, .width = 1, .channels = 5},
        NULL);
}

static spur_status bad_sound(spur_writer *w) {
    const int32_t sample = 0;
    return spur_log_audio(w, "out", 7,
                          &(spur_log_clips){.samples = &sample, .type = SPUR_LOG_I32, .frames = 1},
                          NULL);
}

static spur_status bad_bucket(spur_writer *w) {
    return spur_log_histogram_buckets(w, "h", 8, &(spur_log_bucket){NAN, 1, 1}, 1, NULL);
}

static spur_status bad_score(spur_writer *w) {
    const unsigned char label = 0;
    const spur_log_predictions p = {.labels = &label, .scores = &(float){NAN}, .count = 1};
    return spur_log_pr_curve(w, "pr", 9, &p, NULL);
}

static spur_status other_kind(spur_writer *w) {
    spur_log_scalar(w, "a", 1, 0);
    return spur_log_text(w, "a", 2, "x", NULL);
}

static void test_places_of_errors(void **state) {
    assert_told(state, bad_tag, "step 4: the tag is not valid UTF-8");
    assert_told(state, bad_text, "tag \"notes\", step 5: the text is not valid UTF-8");
    assert_told(state, bad_image, "tag \"in\", step 6: images of 5 channels, expected 1 to 4");
    assert_told(state, bad_sound, "tag \"out\", step 7: audio is I16, F32 or F64, not I32");
    assert_told(state, bad_bucket, "tag \"h\", step 8: bucket 0: (nan, 1, 1) is not finite");
    assert_told(state, bad_score, "tag \"pr\", step 9: score 0 is nan, expected 0 to 1");
    assert_told(state, other_kind,
                "tag \"a\", step 2: the tag is a text here, it was a scalar before");
}

static void test_null_arguments(void **state) {
    notes n = {0};
    spur_error err;
    spur_writer *w = begin(state, &n);
    const char *const tags[] = {"a"};
    const spur_log_chart charts[] = {
        {.title = "t", .tag_count = 2},
        {.title = "t", .margin_count = 2},
        {.title = "t", .tags = tags, .tag_count = 1, .margin_count = 2}};
    assert_int_equal(spur_writer_open(NULL, NULL, &err), SPUR_E_ARGUMENT);
    assert_int_equal(spur_writer_open_sub(NULL, w, "sub", &err), SPUR_E_ARGUMENT);
    assert_non_null(strstr(err.message, "NULL"));
    spur_writer_get_stats(w, NULL);
    assert_int_equal(spur_writer_checkpoint(w, NULL), SPUR_E_ARGUMENT);
    assert_int_equal(spur_writer_checkpoint(NULL, NULL), SPUR_OK);
    assert_int_equal(spur_log_graph_create(NULL), SPUR_E_ARGUMENT);
    for (int i = 0; i < 3; i++) {
        const spur_log_category category = {.title = "t", .charts = &charts[i], .chart_count = 1};
        assert_int_equal(spur_log_layout(w, &category, 1, NULL), SPUR_E_ARGUMENT);
    }
    spur_writer_close(w, NULL);
}

/* Each is the good one but for a member. */
static void test_histograms_refused(void **state) {
    enum { BUCKETS = 1000000 }; /* as many as there may be */
    notes n = {0};
    spur_writer *w = begin(state, &n);
    const spur_log_array good = spur_log_doubles(&(double){1}, 1);
    spur_log_bucket *many = calloc(BUCKETS + 1, sizeof *many);
    assert_int_equal(
        spur_log_histogram(w, "h", 0, good, &(spur_log_histogram_options){.buckets = BUCKETS + 1}),
        SPUR_E_RANGE);
    assert_int_equal(spur_log_histogram(w, "h", 0, spur_log_floats(NULL, 1), NULL),
                     SPUR_E_ARGUMENT);
    assert_int_equal(spur_log_histogram(w, "h", 0, (spur_log_array){good.data, 1, 6}, NULL),
                     SPUR_E_TYPE);
    assert_int_equal(spur_log_histogram_buckets(w, "h", 0, NULL, 1, NULL), SPUR_E_ARGUMENT);
    assert_int_equal(spur_log_histogram_buckets(w, "h", 0, many, BUCKETS + 1, NULL), SPUR_E_RANGE);
    assert_int_equal(spur_log_histogram_buckets(w, "h", 0, many, BUCKETS, NULL), SPUR_OK);
    spur_writer_close(w, NULL);
    free(many);
}

static void test_curves_refused(void **state) {
    notes n = {0};
    spur_writer *w = begin(state, &n);
    const unsigned char label = 1;
    const float score = 0.5f, high = 1.0625f, weights[] = {-1, NAN, INFINITY, 0};
    const double row[] = {1, 0}, negative[] = {1, -1}, infinite[] = {INFINITY, 0};
    spur_log_predictions p = {.labels = &label, .scores = &high, .count = 1};
    assert_int_equal(spur_log_pr_curve(w, "p", 0, &p, NULL), SPUR_E_RANGE);
    p.scores = &score;
    for (int i = 0; i < 4; i++) {
        p.weights = &weights[i];
        assert_int_equal(spur_log_pr_curve(w, "p", 0, &p, NULL), i < 3 ? SPUR_E_RANGE : SPUR_OK);
    }
    const spur_log_pr_curve_options fine = {.thresholds = 100001};
    assert_int_equal(spur_log_pr_curve(w, "p", 1, &p, &fine), SPUR_E_RANGE);
    spur_log_pr_counts c = {2, row, row, row, row, row, NULL};
    assert_int_equal(spur_log_pr_curve_raw(w, "p", 1, &c, NULL), SPUR_E_ARGUMENT);
    c.precision = NULL;
    c.true_negatives = negative;
    assert_int_equal(spur_log_pr_curve_raw(w, "p", 1, &c, NULL), SPUR_E_RANGE);
    c.true_negatives = infinite;
    assert_int_equal(spur_log_pr_curve_raw(w, "p", 1, &c, NULL), SPUR_E_RANGE);
    c.true_negatives = NULL;
    assert_int_equal(spur_log_pr_curve_raw(w, "p", 1, &c, NULL), SPUR_E_ARGUMENT);
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
    assert_int_equal(count_records(spur_writer_path(w)), 3);
    spur_writer_close(w, NULL);
}

static void test_hparams_refused(void **state) {
    notes n = {0};
    spur_writer *w = begin(state, &n);
    const spur_log_value one = spur_log_number(1);
    const spur_log_hparam nameless = {"", spur_log_number(1)}, odd = {"a", {.kind = 3}};
    const spur_log_metric_info metric = {.tag = ""};
    const spur_log_hparam_info infos[] = {
        {.name = ""},
        {.name = "a", .kind = 3},
        {.name = "a", .has_range = true, .max = 1, .choices = &one, .choice_count = 1},
        {.name = "a", .has_range = true, .min = 1},
        {.name = "a", .has_range = true, .max = NAN},
        {.name = "a", .has_range = true, .kind = SPUR_LOG_TEXT},
        {.name = "a", .choice_count = 1}};
    const spur_status expected[] = {SPUR_E_ARGUMENT, SPUR_E_TYPE,  SPUR_E_ARGUMENT, SPUR_E_RANGE,
                                    SPUR_E_RANGE,    SPUR_E_RANGE, SPUR_E_ARGUMENT};
    assert_int_equal(spur_log_hparams(w, &nameless, 1, NULL), SPUR_E_ARGUMENT);
    assert_int_equal(spur_log_hparams(w, &odd, 1, NULL), SPUR_E_TYPE);
    assert_int_equal(spur_log_hparams(w, NULL, 1, NULL), SPUR_E_ARGUMENT);
    spur_log_hparams_options options = {.start_time = NAN};
    assert_int_equal(spur_log_hparams(w, NULL, 0, &options), SPUR_E_NUMERIC);
    options = (spur_log_hparams_options){.monitor_url = "\xff"};
    assert_int_equal(spur_log_hparams(w, NULL, 0, &options), SPUR_E_UTF8);
    for (size_t i = 0; i < sizeof infos / sizeof infos[0]; i++) {
        const spur_log_experiment e = {.hparams = &infos[i], .hparam_count = 1};
        assert_int_equal(spur_log_hparams_experiment(w, &e, NULL), expected[i]);
    }
    spur_log_experiment e = {.metrics = &metric, .metric_count = 1};
    assert_int_equal(spur_log_hparams_experiment(w, &e, NULL), SPUR_E_ARGUMENT);
    e = (spur_log_experiment){.created = INFINITY};
    assert_int_equal(spur_log_hparams_experiment(w, &e, NULL), SPUR_E_NUMERIC);
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
    assert_int_equal(count_records(spur_writer_path(w)), 2);
    spur_writer_close(w, NULL);
}

/* ---- places -------------------------------------------------------------------------------- */

static spur_status try_open(const spur_writer_options *options) {
    spur_writer *w;
    spur_error err;
    spur_status status = spur_writer_open(&w, options, &err);
    assert_true((status == SPUR_OK) == (w != NULL));
    if (status != SPUR_OK) assert_true(strlen(err.message) > 10);
    spur_writer_close(w, NULL);
    return status;
}

static void test_names_of_directories(void **state) {
    char path[4200];
    spur_writer_options o = {.directory = path};
    snprintf(path, sizeof path, "%s/my.tfevents.dir/", (char *)*state);
    assert_int_equal(try_open(&o), SPUR_E_ARGUMENT);
    snprintf(path, sizeof path, "%s/caf\xe9", (char *)*state);
    assert_int_equal(try_open(&o), SPUR_E_UTF8);
    o = (spur_writer_options){.logdir = *state, .name = "a/b"};
    assert_int_equal(try_open(&o), SPUR_E_ARGUMENT);
    o.name = "tfevents";
    assert_int_equal(try_open(&o), SPUR_E_ARGUMENT);
    snprintf(path, sizeof path, "test -z \"$(ls -A '%s')\"", (char *)*state);
    assert_int_equal(system(path), 0); /* nothing was created */
    o = (spur_writer_options){.directory = *state, .filename_suffix = ".profile-empty"};
    assert_int_equal(try_open(&o), SPUR_E_ARGUMENT);
    o.filename_suffix = "/x";
    assert_int_equal(try_open(&o), SPUR_E_ARGUMENT);
    o.filename_suffix = "mine";
    assert_int_equal(try_open(&o), SPUR_OK);
    snprintf(path, sizeof path, "ls '%s' | grep -q '[.]mine$'", (char *)*state);
    assert_int_equal(system(path), 0);
}

/* A name or a time that makes no directory: the reason is told, nothing is created. */
static void test_run_names(void **state) {
    char name[5001], command[4200];
    spur_writer *w;
    spur_error err;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    spur_writer_options o = {.logdir = *state, .name = name};
    assert_int_equal(spur_writer_open(&w, &o, &err), SPUR_E_RANGE);
    assert_non_null(strstr(err.message, "4096"));
    name[300] = '\0';
    assert_int_equal(try_open(&o), SPUR_E_IO); /* more than a name can have */
    const double times[] = {1.7e18, 1.7e12, 253402300800.0, -1};
    const char *const shown[] = {"1.7e+18", "1700000000000", "253402300800", "-1"};
    for (int i = 0; i < 4; i++) {
        o = (spur_writer_options){.logdir = *state, .wall_time = times[i]};
        assert_int_equal(spur_writer_open(&w, &o, &err), SPUR_E_RANGE);
        assert_non_null(strstr(err.message, shown[i]));
    }
    snprintf(command, sizeof command, "test -z \"$(ls -A '%s')\"", (char *)*state);
    assert_int_equal(system(command), 0);
    o.wall_time = 253402300799.0;
    assert_int_equal(try_open(&o), SPUR_OK);
}

static void test_sub_names(void **state) {
    notes n = {0};
    spur_writer *w = begin(state, &n), *sub;
    const char *const bad[] = {"", "/abs", "../up", "a/..", "a/../../b", "x/tfevents", NULL};
    for (int i = 0; i < 7; i++)
        assert_int_equal(spur_writer_open_sub(&sub, w, bad[i], NULL), SPUR_E_ARGUMENT);
    assert_int_equal(spur_writer_open_sub(&sub, w, "caf\xe9", NULL), SPUR_E_UTF8);
    assert_int_equal(spur_writer_open_sub(&sub, w, "a..b/..c/d..", NULL), SPUR_OK);
    spur_writer_close(sub, NULL);
    spur_writer_close(w, NULL);
}

static void test_two_writers_in_one_directory(void **state) {
    notes n = {0};
    spur_writer *w = begin(state, &n), *other;
    spur_error err;
    spur_writer_options options = {.directory = *state, .on_warning = on_warning, .user = &n};
    assert_int_equal(spur_writer_open(&other, &options, &err), SPUR_E_EXISTS);
    assert_null(other);
    spur_writer_close(w, NULL);
    assert_int_equal(n.count, 0);
    assert_int_equal(spur_writer_open(&other, &options, &err), SPUR_OK);
    assert_warned(&n, 1, "there are event files already");
    spur_writer_close(other, NULL);
    options.purge = true; /* a restart that says so */
    assert_int_equal(spur_writer_open(&other, &options, &err), SPUR_OK);
    assert_int_equal(n.count, 1);
    spur_writer_close(other, NULL);
}

/* Another process: seen by its lock. */
static void test_other_program_in_the_directory(void **state) {
    notes n = {0};
    int locked[2], over[2], status;
    char path[4200], byte;
    snprintf(path, sizeof path, "%s/x.tfevents.y", (char *)*state);
    assert_int_equal(pipe(locked), 0);
    assert_int_equal(pipe(over), 0);
    pid_t child = fork();
    if (child == 0) {
        close(over[1]);
        int file = open(path, O_RDWR | O_CREAT, 0600);
        bool told = flock(file, LOCK_EX) == 0 && write(locked[1], "", 1) == 1;
        ssize_t end = read(over[0], &byte, 1); /* until the parent lets go */
        _exit(told && end == 0 ? 0 : 1);
    }
    close(locked[1]);
    assert_int_equal(read(locked[0], &byte, 1), 1);
    spur_writer *w = begin(state, &n);
    assert_warned(&n, 1, "another program is writing");
    spur_writer_close(w, NULL);
    close(over[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(over[0]);
    close(locked[0]);
}

/* A later file's name sorts behind all that are there, also those of a host with a fast clock. */
static void test_names_of_files(void **state) {
    char path[4200], last[4200] = "";
    snprintf(path, sizeof path, "%s/events.out.tfevents.9000000000.host.1.0.v2", (char *)*state);
    spur__file_write(path, "", 0, NULL);
    for (int i = 0; i < 12; i++) {
        notes n = {0};
        spur_writer *w = begin(state, &n);
        assert_true(strcmp(spur_writer_path(w), path) > 0 && strcmp(spur_writer_path(w), last) > 0);
        snprintf(last, sizeof last, "%s", spur_writer_path(w));
        spur_writer_close(w, NULL);
    }
}

/* Its directory is gone: everything goes on, but is told about, once. */
static void test_removed_file(void **state) {
    notes n = {0};
    spur_writer *w = begin(state, &n);
    spur_log_scalar(w, "a", 0, 1);
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
    assert_int_equal(n.count, 0);
    assert_int_equal(unlink(spur_writer_path(w)), 0);
    assert_int_equal(spur_log_scalar(w, "a", 1, 1), SPUR_OK);
    assert_int_equal(spur_writer_flush(w), SPUR_OK);
    assert_warned(&n, 1, "was removed");
    assert_int_equal(spur_writer_close(w, NULL), SPUR_OK);
    assert_int_equal(n.count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_steps),
        TEST(test_wall_times),
        TEST(test_values),
        TEST(test_utf8_everywhere),
        TEST(test_tags),
        TEST(test_descriptions),
        TEST(test_tag_budget),
        TEST(test_places_of_errors),
        TEST(test_null_arguments),
        TEST(test_histograms_refused),
        TEST(test_curves_refused),
        TEST(test_hparams_refused),
        TEST(test_names_of_directories),
        TEST(test_run_names),
        TEST(test_sub_names),
        TEST(test_two_writers_in_one_directory),
        TEST(test_other_program_in_the_directory),
        TEST(test_names_of_files),
        TEST(test_removed_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
