/* SPDX-License-Identifier: MIT
 *
 * Every allocation of every public call fails once: the call says so, nothing leaks (the sanitizers
 * look), the file stays readable and the writer usable.
 */
#include "logger_test.h"

static const uint8_t pixels[2 * 4 * 4 * 3] = {1, 2, 3};
static const float floats[48] = {0.5f, 0.25f};
static const char *const cells[] = {"a", "b", "c", "d"};

static spur_status log_scalar(spur_writer *w, int step) {
    char tag[32];
    snprintf(tag, sizeof tag, "scalar %d", step); /* a new tag each time */
    return spur_log_scalar_with(w, tag, step, 1, &(spur_log_options){.description = "d"});
}

static spur_status log_large(spur_writer *w, int step) {
    static char text[100001];
    memset(text, 'x', sizeof text - 1);
    return spur_log_text(w, "large", step, text, NULL);
}

static spur_status log_histogram(spur_writer *w, int step) {
    return spur_log_histogram(w, "histogram", step, spur_log_floats(floats, 48), NULL);
}

static spur_status log_buckets(spur_writer *w, int step) {
    const spur_log_bucket b[] = {{0, 1, 2}, {1, 2, 3}};
    return spur_log_histogram_buckets(w, "buckets", step, b, 2, NULL);
}

static spur_log_images images(spur_log_type type) {
    const void *data = type == SPUR_LOG_U8 ? (const void *)pixels : floats;
    int channels = type == SPUR_LOG_U8 ? 3 : 1;
    return (spur_log_images){
        .pixels = data, .type = type, .count = 2, .height = 4, .width = 4, .channels = channels};
}

static spur_status log_image(spur_writer *w, int step) {
    spur_log_images batch = images(SPUR_LOG_F32);
    return spur_log_image(w, "image", step, &batch, NULL);
}

static spur_status log_animation(spur_writer *w, int step) {
    spur_log_images frames = images(SPUR_LOG_U8);
    return spur_log_animation(w, "animation", step, &frames, NULL);
}

static spur_status log_encoded(spur_writer *w, int step) {
    const spur_log_bytes gif = {"GIF89a\1\0\1\0", 10};
    return spur_log_image_encoded(w, "encoded", step, &gif, 1, NULL);
}

static spur_status log_table(spur_writer *w, int step) {
    return spur_log_text_table(w, "table", step, &(spur_log_cells){cells, 2, 2}, NULL);
}

static spur_status log_audio(spur_writer *w, int step) {
    spur_log_clips clips = {
        .samples = floats, .type = SPUR_LOG_F32, .frames = 48, .sample_rate = 100};
    return spur_log_audio(w, "audio", step, &clips, NULL);
}

static spur_status log_pr(spur_writer *w, int step) {
    const unsigned char labels[] = {1, 0};
    spur_log_predictions p = {.labels = labels, .scores = floats, .count = 2};
    return spur_log_pr_curve(w, "pr", step, &p, NULL);
}

static spur_status log_pr_raw(spur_writer *w, int step) {
    const double n[2] = {1, 0};
    return spur_log_pr_curve_raw(w, "raw", step,
                                 &(spur_log_pr_counts){.thresholds = 2,
                                                       .true_positives = n,
                                                       .false_positives = n,
                                                       .true_negatives = n,
                                                       .false_negatives = n},
                                 NULL);
}

static spur_status log_mesh(spur_writer *w, int step) {
    return spur_log_mesh(
        w, "mesh", step,
        &(spur_log_mesh_data){.vertices = floats, .vertex_count = 3, .colors = pixels}, NULL);
}

static spur_status log_embedding(spur_writer *w, int step) {
    spur_log_images sprites = images(SPUR_LOG_U8);
    spur_log_points p = {
        .values = floats, .rows = 2, .columns = 3, .metadata = cells, .sprites = &sprites};
    return spur_log_embedding(w, "embedding", step, &p);
}

static spur_status log_hparams(spur_writer *w, int step) {
    const spur_log_hparam p[] = {{"b", spur_log_number(1)}, {"a", spur_log_string("x")}};
    (void)step;
    return spur_log_hparams(w, p, 2, NULL);
}

static spur_status log_end(spur_writer *w, int step) {
    (void)step;
    return spur_log_hparams_end(w, SPUR_LOG_SUCCESS, NULL);
}

static spur_status log_experiment(spur_writer *w, int step) {
    const spur_log_value choices[] = {spur_log_number(1), spur_log_number(2)};
    const spur_log_hparam_info info = {.name = "lr", .choices = choices, .choice_count = 2};
    const spur_log_metric_info metric = {.tag = "loss"};
    (void)step;
    return spur_log_hparams_experiment(
        w,
        &(spur_log_experiment){
            .hparams = &info, .hparam_count = 1, .metrics = &metric, .metric_count = 1},
        NULL);
}

static spur_status log_layout(spur_writer *w, int step) {
    const spur_log_margin margin = {"a", "b", "c"};
    const spur_log_chart chart = {.title = "t", .margins = &margin, .margin_count = 1};
    (void)step;
    return spur_log_layout(
        w, &(spur_log_category){.title = "c", .charts = &chart, .chart_count = 1}, 1, NULL);
}

static spur_status log_graph(spur_writer *w, int step) {
    spur_log_graph_builder *g;
    const int64_t dims[] = {1};
    const spur_log_shape shape = {dims, 1};
    const spur_log_attr attr = {.name = "t", .kind = SPUR_LOG_ATTR_TEXT, .text = "x"};
    const spur_log_node node = {.name = "n",
                                .op = "o",
                                .outputs = &shape,
                                .output_count = 1,
                                .attrs = &attr,
                                .attr_count = 1};
    (void)step;
    spur_status status = spur_log_graph_create(&g);
    if (status != SPUR_OK) return status;
    status = spur_log_graph_add(g, &node);
    if (status == SPUR_OK) status = spur_log_graph(w, g, NULL);
    spur_log_graph_destroy(g);
    return status;
}

static spur_status log_sub(spur_writer *w, int step) {
    spur_writer *sub;
    char name[16];
    snprintf(name, sizeof name, "sub%d", step);
    spur_status status = spur_writer_open_sub(&sub, w, name, NULL);
    assert_true((status == SPUR_OK) == (sub != NULL));
    spur_writer_close(sub, NULL);
    return status;
}

static spur_status (*const calls[])(spur_writer *, int) = {
    log_scalar, log_large, log_histogram, log_buckets,    log_image, log_animation, log_encoded,
    log_table,  log_audio, log_pr,        log_pr_raw,     log_mesh,  log_embedding, log_hparams,
    log_end,    log_graph, log_layout,    log_experiment, log_sub};

/* Each call with its n-th allocation failing, for n = 1, 2, ... until it does not fail any more. */
static void test_every_allocation_of_every_call(void **state) {
    spur_writer *w;
    char path[4096];
    int step = 0;
    spur_writer_options options = {.queue_bytes = 64 << 10, .max_tags = 1000};
    assert_int_equal(open_exact(&w, *state, &options), SPUR_OK);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        int failures = 0;
        for (uint64_t n = 1;; n++) {
            spur__fault_malloc(n);
            spur_status status = calls[i](w, step++);
            spur__fault_malloc(0);
            if (status == SPUR_OK) break;
            if (status != SPUR_E_MEMORY)
                fail_msg("call %zu, allocation %d: %s", i, (int)n, spur_strstatus(status));
            failures++;
            assert_true(n < 200);
        }
        assert_true(failures > 0);
    }
    snprintf(path, sizeof path, "%s", spur_writer_path(w));
    assert_int_equal(spur_writer_close(w, NULL), SPUR_E_MEMORY);
    assert_true(count_records(path) >= 2 + sizeof calls / sizeof calls[0] - 3);
}

static void test_every_allocation_of_open(void **state) {
    spur_writer_options options = {.logdir = *state, .name = "x", .filename_suffix = ".s"};
    for (uint64_t n = 1;; n++) {
        spur_writer *w;
        spur_error err;
        spur__fault_malloc(n);
        spur_status status = spur_writer_open(&w, &options, &err);
        spur__fault_malloc(0);
        assert_true((status == SPUR_OK) == (w != NULL));
        spur_writer_close(w, NULL);
        if (status == SPUR_OK) break;
        assert_int_equal(status, SPUR_E_MEMORY);
        assert_true(strlen(err.message) > 0 && n < 100);
    }
}

/* Continuing: the old file stays whole until the new one is. */
static void test_every_allocation_of_continue(void **state) {
    spur_writer *w;
    spur_writer_position position;
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    for (int i = 0; i < 10; i++) log_scalar(w, i);
    assert_int_equal(spur_writer_checkpoint(w, &position), SPUR_OK);
    spur_writer_close(w, NULL);
    spur_writer_options o = {
        .directory = *state, .continue_file = position.file, .continue_length = position.length};
    int failures = 0;
    for (uint64_t n = 1; n < 300; n++) {
        spur__fault_malloc(n);
        spur_status status = spur_writer_open(&w, &o, NULL);
        spur__fault_malloc(0);
        if (status == SPUR_OK) assert_int_equal(count_records(spur_writer_path(w)), 12);
        failures += status != SPUR_OK;
        spur_writer_close(w, NULL);
    }
    assert_true(failures > 20);
    assert_int_equal(spur_writer_open(&w, &o, NULL), SPUR_OK);
    assert_int_equal(count_records(spur_writer_path(w)), 12);
    spur_writer_close(w, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_every_allocation_of_every_call),
        TEST(test_every_allocation_of_open),
        TEST(test_every_allocation_of_continue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
