/* SPDX-License-Identifier: MIT
 *
 * What is kept of a validation pass, and the pictures made of it; sounds; histograms. The network is an input that the test
 * fills, so that every answer is known; pictures are compared with those of charts written down here.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <spur/events.h>
#include <spur/loss.h>

#include "data/dataset.h"
#include "run/remove.h"
#include "train/pictures.h"

enum { MOST = 3, PIXELS = 4 };

static const char *const names[] = {"cat", "dog", "owl"};
static const float means[] = {0.5f, 0.25f, 0}, deviations[] = {0.5f, 0.25f, 1};

/* A session of samples of 2 x 2 pixels, up to three at a time. */
typedef struct stage {
    session s;
    log_settings log;
    spur_data_info info;
    gallery g;
    float *outputs, *features;
} stage;

static void set_up(stage *t, spur_task task, int outputs, int channels, const log_settings *log) {
    spur_error err = {0};
    int rows = task == SPUR_SEGMENTATION ? PIXELS : 1;
    *t = (stage){.log = *log};
    t->info = (spur_data_info){.task = task,
                               .height = 2,
                               .width = 2,
                               .channels = channels,
                               .classes = task == SPUR_REGRESSION ? 0
                                          : outputs == 1          ? 2
                                                                  : (size_t)outputs,
                               .targets = task == SPUR_REGRESSION ? (size_t)outputs : 0,
                               .ignore_index = task == SPUR_SEGMENTATION ? 2 : -1,
                               .class_names = names,
                               .mean = means,
                               .std = deviations};
    spur_net *net = spur_net_create(NULL);
    t->s = (session){.log = &t->log, .info = &t->info};
    t->s.net = (network){.net = net, .outputs = outputs, .shape = {.task = task}};
    t->s.net.shape.height = t->s.net.shape.width = 2;
    t->s.net.output = spur_input(net, "o", SPUR_FLOAT32, 3, (int64_t[]){MOST, rows, outputs});
    t->s.net.features = spur_input(net, "f", SPUR_FLOAT32, 2, (int64_t[]){MOST, 2});
    if (spur_net_build(net, NULL, &err) != SPUR_OK) fail_msg("%s", err.message);
    t->outputs = spur_node_data(t->s.net.output);
    t->features = spur_node_data(t->s.net.features);
    assert_int_equal(pass_init(&t->s.val_pass, &t->info, &err), SPUR_OK);
}

static void tear_down(stage *t) {
    gallery_free(&t->g);
    pass_free(&t->s.val_pass);
    network_free(&t->s.net);
}

static void begin(stage *t, gallery_kind kind) {
    assert_int_equal(gallery_init(&t->g, &t->s, kind, NULL), SPUR_OK);
}

/* A batch that the network has answered; its samples are 10, 11, ... from `first` on. */
static void add(stage *t, size_t count, uint32_t first, const float *outputs, const int32_t *labels,
                const float *targets) {
    float input[MOST * PIXELS * 3];
    uint32_t samples[MOST];
    size_t values = PIXELS * (size_t)t->info.channels;
    size_t answers = network_rows(&t->s.net) * (size_t)t->s.net.outputs;
    for (size_t i = 0; i < count; i++) {
        samples[i] = first + (uint32_t)i;
        for (size_t k = 0; k < values; k++)
            input[i * values + k] = (float)samples[i] + (float)k / 16;
        t->features[2 * i] = (float)samples[i];
        t->features[2 * i + 1] = -1;
    }
    memcpy(t->outputs, outputs, count * answers * sizeof *outputs);
    spur_batch batch = {.count = count,
                        .height = 2,
                        .width = 2,
                        .channels = t->info.channels,
                        .input = input,
                        .labels = labels,
                        .targets = targets,
                        .samples = samples};
    gallery_add(&t->g, &t->s, &batch);
}

static void check_shot(const shot *one, uint32_t sample, int32_t predicted, double confidence,
                       double loss) {
    assert_int_equal(one->sample, sample);
    assert_true(one->input[1] == (float)sample + 1.0f / 16);
    assert_int_equal(one->predicted[0], predicted);
    assert_true(fabs((double)one->confidence - confidence) < 1e-6);
    if (!(fabs(one->loss - loss) < 1e-5)) fail_msg("loss %g, expected %g", one->loss, loss);
}

/* Five samples of three classes: their probabilities of each. Those of the first one lie in the middle of a
 * bucket, [k / 200, (k + 1) / 200), as TensorFlow's pr_curve counts them. */
static const double shares[5][3] = {{0.7025, 0.2, 0.0975},
                                    {0.6025, 0.3, 0.0975},
                                    {0.1025, 0.1, 0.7975},
                                    {0.0525, 0.9, 0.0475},
                                    {0.2525, 0.5, 0.2475}};
static const int32_t kinds[5] = {0, 1, 2, 0, 1};

static void add_classes(stage *t) {
    float logits[5][3];
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 3; k++) logits[i][k] = (float)log(shares[i][k]) + 20;
    add(t, 3, 10, logits[0], kinds, NULL);
    add(t, 2, 13, logits[3], kinds + 3, NULL);
}

static void test_classes(void **state) {
    static const int hits[] = {140, 10}, misses[] = {120, 20, 50}; /* of the first class */
    stage t;
    double sums[2] = {0};
    (void)state;
    set_up(
        &t, SPUR_CLASSIFICATION, 3, 1,
        &(log_settings){.images = 1, .audio = 2, .worst = 3, .pr_curves = true, .embeddings = 4});
    begin(&t, GALLERY_FULL);
    add_classes(&t);
    assert_int_equal(t.g.count, 2);
    check_shot(&t.g.first[0], 10, 0, 0.7025, 0);
    check_shot(&t.g.first[1], 11, 0, 0.6025, 0);
    assert_int_equal(t.g.first[1].truth[0], 1);
    assert_int_equal(t.g.worst_count, 3);
    check_shot(&t.g.worst[0], 13, 1, 0.9, -log(0.0525));
    check_shot(&t.g.worst[1], 11, 0, 0.6025, -log(0.3));
    check_shot(&t.g.worst[2], 14, 1, 0.5, -log(0.5));
    assert_int_equal(t.g.pr_classes, 3);
    for (int i = 0; i < 2; i++) assert_true(t.g.hits[hits[i]] == 1);
    for (int i = 0; i < 3; i++) assert_true(t.g.misses[misses[i]] == 1);
    for (int i = 0; i < PR_THRESHOLDS; i++) sums[0] += t.g.hits[i], sums[1] += t.g.misses[i];
    assert_true(sums[0] == 2 && sums[1] == 3);
    assert_int_equal(t.g.feature_count, 4);
    for (int i = 0; i < 4; i++) {
        static const int32_t answers[] = {0, 0, 2, 1};
        assert_true(t.g.features[2 * i] == (float)(10 + i) && t.g.features[2 * i + 1] == -1);
        assert_int_equal(t.g.feature_truth[i], kinds[i]);
        assert_int_equal(t.g.feature_predicted[i], answers[i]);
    }
    tear_down(&t);
}

/* One logit, that of the second class. */
static void test_binary(void **state) {
    const float logits[] = {(float)log(0.2 / 0.8), (float)log(0.9 / 0.1)};
    stage t;
    (void)state;
    set_up(&t, SPUR_CLASSIFICATION, 1, 1, &(log_settings){.images = 2, .worst = 2});
    begin(&t, GALLERY_FULL);
    add(&t, 2, 10, logits, (const int32_t[]){1, 1}, NULL);
    check_shot(&t.g.worst[0], 10, 0, 0.8, -log(0.2));
    check_shot(&t.g.worst[1], 11, 1, 0.9, -log(0.9));
    tear_down(&t);
}

/* Three masks of 2 x 2, class 2 ignored: the loss is the mean of what counts. */
static const int32_t masks[3 * PIXELS] = {0, 1, 2, 1, 2, 2, 2, 2, 1, 1, 0, 0};
static const double ones[3 * PIXELS] = {0.1, 0.6, 0.3, 0.2, 0.5, 0.9,
                                        0.9, 0.9, 0.9, 0.8, 0.3, 0.4}; /* shares of class 1 */

static void add_masks(stage *t) {
    float logits[3 * PIXELS];
    for (int i = 0; i < 3 * PIXELS; i++) logits[i] = (float)log(ones[i] / (1 - ones[i]));
    add(t, 3, 10, logits, masks, NULL);
}

static void test_masks(void **state) {
    stage t;
    (void)state;
    set_up(&t, SPUR_SEGMENTATION, 1, 3,
           &(log_settings){.images = 3, .worst = 3, .pr_curves = true, .embeddings = 3});
    begin(&t, GALLERY_FULL);
    add_masks(&t);
    check_shot(&t.g.worst[0], 10, 0, (0.9 + 0.6 + 0.7 + 0.8) / 4,
               -(log(0.9) + log(0.6) + log(0.2)) / 3);
    check_shot(&t.g.worst[1], 12, 1, (0.9 + 0.8 + 0.7 + 0.6) / 4,
               -(log(0.9) + log(0.8) + log(0.7) + log(0.6)) / 4);
    check_shot(&t.g.worst[2], 11, 0, 0.8, 0);
    assert_memory_equal(t.g.first[2].truth, masks + 8, 4 * sizeof(int32_t));
    assert_memory_equal(t.g.first[2].predicted, ((const int32_t[]){1, 1, 0, 0}),
                        4 * sizeof(int32_t));
    double pixels = 0;
    for (int i = 0; i < PR_THRESHOLDS; i++)
        pixels += t.g.hits[PR_THRESHOLDS + i] + t.g.misses[PR_THRESHOLDS + i];
    assert_true(pixels == 7);
    assert_int_equal(t.g.feature_count, 0); /* a point is one sample's, with one answer */
    tear_down(&t);
}

static const float truths[] = {1, 10, 2, 20, 3, 30, 6, 60};
static const float guesses[] = {2, 10, 2, 22, 2, 30, 6, 50};

static void add_numbers(stage *t) {
    add(t, 2, 10, guesses, NULL, truths);
    add(t, 2, 12, guesses + 4, NULL, truths + 4);
}

static void test_regression(void **state) {
    stage t;
    (void)state;
    set_up(&t, SPUR_REGRESSION, 2, 1, &(log_settings){.worst = 2, .embeddings = 4});
    begin(&t, GALLERY_FULL);
    add_numbers(&t);
    assert_int_equal(t.g.worst[0].sample, 13);
    assert_true(t.g.worst[0].loss == 50 && t.g.worst[1].loss == 2);
    for (int i = 0; i < 4; i++) {
        assert_true(t.g.feature_values[2 * i] == truths[2 * i]);
        assert_true(t.g.feature_values[2 * i + 1] == guesses[2 * i]);
    }
    tear_down(&t);
}

/* ---- pictures ------------------------------------------------------------------------------------ */

static void open_log(stage *t, char *folder) {
    assert_non_null(mkdtemp(folder));
    const spur_writer_options options = {.directory = folder};
    assert_int_equal(spur_writer_open(&t->s.run_log.writers[RUN_LOG_VALIDATION], &options, NULL),
                     SPUR_OK);
}

/* In the log there must be this picture under this tag, of step 5. Frees the PNG. */
static void expect_picture(const char *folder, const char *tag, spur__str *png) {
    spur_run *run;
    spur_event event;
    bool found = false;
    assert_int_equal(spur_run_open(&run, folder, NULL), SPUR_OK);
    while (spur_run_next(run, &event, NULL) == SPUR_OK)
        for (spur_value value = {0}; spur_run_value(run, &event, &value);) {
            spur_images images;
            if (value.tag.size != strlen(tag) || memcmp(value.tag.data, tag, value.tag.size) != 0)
                continue;
            assert_int_equal(spur_value_images(&value, &images, NULL), SPUR_OK);
            assert_int_equal(event.step, 5);
            assert_int_equal(images.count, 1);
            assert_int_equal(images.files[0].size, png->length);
            assert_memory_equal(images.files[0].data, png->data, png->length);
            spur_images_free(&images);
            found = true;
        }
    if (!found) fail_msg("no %s", tag);
    spur_run_close(run);
    spur__str_free(png);
}

static void close_log(stage *t) {
    assert_int_equal(spur_writer_close(t->s.run_log.writers[RUN_LOG_VALIDATION], NULL), SPUR_OK);
}

/* The sample's input as grey bytes: (x * 0.5 + 0.5) * 255 is beyond white from x = 1 on. */
static void test_picture_of_classes(void **state) {
    static const uint8_t white[PIXELS * 3] = {255, 255, 255, 255, 255, 255,
                                              255, 255, 255, 255, 255, 255};
    char folder[] = "/tmp/spur_gallery_XXXXXX";
    spur__str png;
    stage t;
    (void)state;
    set_up(&t, SPUR_CLASSIFICATION, 3, 1,
           &(log_settings){.images = 2, .audio = 3, .confusion_matrix = true});
    begin(&t, GALLERY_FIRST);
    add_classes(&t);
    for (int i = 0; i < 3; i++) {
        float logits[3];
        for (int k = 0; k < 3; k++) logits[k] = (float)shares[i][k];
        assert_int_equal(spur_tally_add(t.s.val_pass.tally, logits, 1, 3, kinds + i, NULL),
                         SPUR_OK);
    }
    open_log(&t, folder);
    assert_int_equal(session_log_pictures(&t.s, &t.g, 5, NULL), SPUR_OK);
    close_log(&t);
    const sheet_picture both[] = {{white, 2, 2, 3, "cat", "cat 70%", 1},
                                  {white, 2, 2, 3, "dog", "cat 60%", -1}};
    spur__str_init(&png, 1 << 20);
    assert_int_equal(
        plot_sheet(&(contact_sheet){.title = "Validation samples",
                                    .subtitle = "epoch 5: what it is, what the network says",
                                    .pictures = both,
                                    .count = 2},
                   &png, NULL),
        SPUR_OK);
    expect_picture(folder, "images/validation", &png);
    spur__str_init(&png, 1 << 20);
    assert_int_equal(plot_confusion("Confusion matrix, epoch 5",
                                    (const uint64_t[]){1, 0, 0, 1, 0, 0, 0, 0, 1}, 3, names, &png,
                                    NULL),
                     SPUR_OK);
    expect_picture(folder, "confusion_matrix", &png);
    assert_int_equal(remove_tree(folder, NULL), SPUR_OK);
    tear_down(&t);
}

/* Each channel has its own mean and deviation; a single one is grey. */
static void test_bytes(void **state) {
    const spur_data_info info = {
        .height = 1, .width = 2, .channels = 3, .mean = means, .std = deviations};
    const spur_data_info grey = {.height = 1, .width = 2, .channels = 1};
    uint8_t out[6];
    (void)state;
    picture_bytes(&info, (const float[]){-0.5f, 0, 0.5f, -2, 3, 0}, out);
    assert_memory_equal(out, ((const uint8_t[]){64, 64, 128, 0, 255, 0}), 6);
    picture_bytes(&grey, (const float[]){0.2f, 1}, out);
    assert_memory_equal(out, ((const uint8_t[]){51, 51, 51, 255, 255, 255}), 6);
}

/* Input, truth, answer, errors. Of the first mask pixels 0 and 1 are right, 2 is ignored, 3 is wrong: red. */
static void test_picture_of_masks(void **state) {
    static const char *const columns[] = {"input", "truth", "answer", "errors"};
    static const int32_t answer[] = {0, 1, 0, 0};
    const uint8_t grey = 128 + 255 / 2;
    char folder[] = "/tmp/spur_gallery_XXXXXX";
    uint8_t rows[4][PIXELS * 3];
    sheet_picture all[4];
    spur__str png;
    stage t;
    (void)state;
    set_up(&t, SPUR_SEGMENTATION, 1, 3, &(log_settings){.worst = 1});
    begin(&t, GALLERY_FULL);
    add_masks(&t);
    open_log(&t, folder);
    const shot_sheet worst = {"images/worst", "Worst", t.g.worst, t.g.worst_count};
    assert_int_equal(log_shots(&t.s, t.s.run_log.writers[RUN_LOG_VALIDATION], &worst, 5, NULL),
                     SPUR_OK);
    close_log(&t);
    memset(rows[0], 255, sizeof rows[0]);
    plot_mask(masks, PIXELS, 2, rows[1]);
    plot_overlay(rows[0], answer, PIXELS, 0.55, -1, true, rows[2]);
    memset(rows[3], grey, sizeof rows[3]);
    memcpy(rows[3] + 9,
           ((const uint8_t[]){(255 + 3 * 230) / 4, (255 + 3 * 40) / 4, (255 + 3 * 40) / 4}), 3);
    for (int k = 0; k < 4; k++)
        all[k] =
            (sheet_picture){rows[k], 2, 2, 3, k == 3 ? "66.7% right, loss 0.742" : NULL, NULL, 0};
    spur__str_init(&png, 1 << 20);
    assert_int_equal(plot_sheet(&(contact_sheet){.title = "Worst",
                                                 .subtitle = "epoch 5",
                                                 .pictures = all,
                                                 .count = 4,
                                                 .columns = 4,
                                                 .cell = 160,
                                                 .column_titles = columns,
                                                 .classes = names,
                                                 .class_count = 2},
                                &png, NULL),
                     SPUR_OK);
    expect_picture(folder, "images/worst", &png);
    assert_int_equal(remove_tree(folder, NULL), SPUR_OK);
    tear_down(&t);
}

static void expect_scatter(const char *folder, const char *tag, const scatter_chart *chart) {
    spur__str png;
    spur__str_init(&png, 1 << 20);
    assert_int_equal(plot_scatter(chart, &png, NULL), SPUR_OK);
    expect_picture(folder, tag, &png);
}

/* 1, 2, 3, 6 have squares of 14 about their mean, the answers are off by 1, 0, 1, 0; ten times that by 0, 2, 0, 10. */
static void test_picture_of_numbers(void **state) {
    char folder[] = "/tmp/spur_gallery_XXXXXX";
    stage t;
    (void)state;
    set_up(&t, SPUR_REGRESSION, 2, 1, &(log_settings){.images = 1, .scatter = true});
    begin(&t, GALLERY_FIRST);
    add_numbers(&t);
    open_log(&t, folder);
    t.s.val_pass.samples = 4;
    assert_int_equal(session_log_pictures(&t.s, &t.g, 5, NULL), SPUR_OK);
    close_log(&t);
    scatter_chart chart = {.title = "Predicted against true value_0, epoch 5",
                           .subtitle = "R\xc2\xb2 0.8571, mean absolute error 0.5, 4 samples",
                           .truth = truths,
                           .predicted = guesses,
                           .count = 4,
                           .stride = 2};
    expect_scatter(folder, "predicted_vs_true/value_0", &chart);
    chart.title = "Predicted against true value_1, epoch 5";
    chart.subtitle = "R\xc2\xb2 0.9257, mean absolute error 3, 4 samples";
    chart.truth++;
    chart.predicted++;
    expect_scatter(folder, "predicted_vs_true/value_1", &chart);
    assert_int_equal(remove_tree(folder, NULL), SPUR_OK);
    tear_down(&t);
}

/* Six times 0.1f, whose mean is not quite 0.1f in floating point: no variance is there to be explained. */
static void test_picture_of_equal_numbers(void **state) {
    static const float equal[] = {0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f};
    static const float answers[] = {0.2f, 0.2f, 0.2f, 0, 0, 0};
    char folder[] = "/tmp/spur_gallery_XXXXXX";
    stage t;
    (void)state;
    set_up(&t, SPUR_REGRESSION, 1, 1, &(log_settings){.scatter = true});
    begin(&t, GALLERY_FIRST);
    for (int i = 0; i < 2; i++) add(&t, 3, 0, answers + 3 * i, NULL, equal);
    open_log(&t, folder);
    t.s.val_pass.samples = 9;
    assert_int_equal(session_log_pictures(&t.s, &t.g, 5, NULL), SPUR_OK);
    close_log(&t);
    const scatter_chart chart = {.title = "Predicted against true, epoch 5",
                                 .subtitle = "mean absolute error 0.1, first 6 of 9 samples",
                                 .truth = equal,
                                 .predicted = answers,
                                 .count = 6,
                                 .stride = 1};
    expect_scatter(folder, "predicted_vs_true", &chart);
    assert_int_equal(remove_tree(folder, NULL), SPUR_OK);
    tear_down(&t);
}

/* ---- sounds -------------------------------------------------------------------------------------- */

static uint32_t little_endian(const uint8_t *bytes, int n) {
    uint32_t value = 0;
    while (n-- > 0) value = value << 8 | bytes[n];
    return value;
}

/* The WAV file of a clip is this sample's sound: 0.1 seconds of 4000 Hz. */
static void check_sound(const spur_value *value, const spur_data *data, size_t position) {
    spur_clips clips;
    spur__sample sample = {0};
    uint32_t item = spur__data_item(data, SPUR_SPLIT_VALIDATION, position);
    assert_int_equal(data->kind->read(data, item, &sample, NULL), SPUR_OK);
    assert_int_equal(spur_value_audio(value, &clips, NULL), SPUR_OK);
    assert_int_equal(clips.count, 1);
    const uint8_t *wav = (const uint8_t *)clips.clips[0].file.data;
    assert_int_equal(clips.clips[0].file.size, 44 + 2 * 400);
    assert_int_equal(little_endian(wav + 22, 2), 1);
    assert_int_equal(little_endian(wav + 24, 4), 4000);
    for (int i = 0; i < 400; i++) {
        double x = (double)(int16_t)little_endian(wav + 44 + 2 * i, 2) / 32768;
        assert_true(fabs(x - (double)sample.audio.data[i]) < 1e-4);
    }
    spur_clips_free(&clips);
    spur__sample_free(&sample);
}

static void check_text(spur_slice found, const char *expected) {
    if (found.size != strlen(expected) || memcmp(found.data, expected, found.size) != 0)
        fail_msg("'%.*s', expected '%s'", (int)found.size, (const char *)found.data, expected);
}

/* As many sounds as are wanted, each with what it is and what it was taken for. */
static void test_sounds(void **state) {
    static const char *const options[] = {"samples",      "8",   "val_samples", "4",
                                          "test_samples", "0",   "sample_rate", "4000",
                                          "seconds",      "0.1", NULL};
    const shot shots[] = {
        {.sample = 2, .truth = (int32_t[]){3}, .predicted = (int32_t[]){5}, .confidence = 0.625f},
        {.sample = 1, .truth = (int32_t[]){4}, .predicted = (int32_t[]){4}, .confidence = 0.25f},
        {.sample = 0}};
    char folder[] = "/tmp/spur_gallery_XXXXXX", title[128], text[128];
    spur_run *run;
    spur_event event;
    int found = 0;
    stage t;
    (void)state;
    set_up(&t, SPUR_CLASSIFICATION, 3, 1, &(log_settings){.audio = 2});
    assert_int_equal(spur_data_open(&t.s.data, "tones", options, NULL), SPUR_OK);
    t.s.info = &t.s.data->info;
    t.s.val_split = SPUR_SPLIT_VALIDATION;
    const char *const *names_of = t.s.info->class_names;
    open_log(&t, folder);
    assert_int_equal(log_sounds(&t.s, shots, 3, 5, NULL), SPUR_OK);
    close_log(&t);
    assert_int_equal(spur_run_open(&run, folder, NULL), SPUR_OK);
    while (spur_run_next(run, &event, NULL) == SPUR_OK)
        for (spur_value value = {0}; spur_run_value(run, &event, &value); found++) {
            check_text(value.tag, found ? "audio/sample_1" : "audio/sample_0");
            assert_int_equal(event.step, 5);
            check_sound(&value, t.s.data, shots[found].sample);
            snprintf(title, sizeof title, found ? "%s (25 %%)" : "%s, taken for %s (62 %%)",
                     names_of[found ? 4 : 3], names_of[5]);
            snprintf(text, sizeof text, "truth **%s**, answer **%s** (%s %%)",
                     names_of[found ? 4 : 3], names_of[found ? 4 : 5], found ? "25.0" : "62.5");
            check_text(value.display_name, title);
            check_text(value.description, text);
        }
    assert_int_equal(found, 2);
    spur_run_close(run);
    spur_data_close(t.s.data);
    assert_int_equal(remove_tree(folder, NULL), SPUR_OK);
    t.s.info = &t.info;
    tear_down(&t);
}

/* ---- histograms ---------------------------------------------------------------------------------- */

/* In the log there must be `count` values from `low` to `high` under this tag, of step 5; 0: none. */
static void expect_histogram(const char *folder, const char *tag, double count, double low,
                             double high) {
    spur_run *run;
    spur_event event;
    double found = 0;
    assert_int_equal(spur_run_open(&run, folder, NULL), SPUR_OK);
    while (spur_run_next(run, &event, NULL) == SPUR_OK)
        for (spur_value value = {0}; spur_run_value(run, &event, &value);) {
            spur_histogram h;
            if (value.tag.size != strlen(tag) || memcmp(value.tag.data, tag, value.tag.size) != 0)
                continue;
            assert_int_equal(spur_value_histogram(&value, &h, NULL), SPUR_OK);
            assert_int_equal(event.step, 5);
            for (size_t i = 0; i < h.count; i++) found += h.buckets[i].count;
            assert_true(fabs(h.buckets[0].left - low) < 1e-6);
            assert_true(fabs(h.buckets[h.count - 1].right - high) < 1e-6);
            spur_histogram_free(&h);
        }
    if (found != count) fail_msg("%s: %g values, expected %g", tag, found, count);
    spur_run_close(run);
}

/* Weights, and the gradients of those that train. */
static void test_histograms(void **state) {
    (void)state;
    for (int gradients = 0; gradients < 2; gradients++) {
        char folder[] = "/tmp/spur_gallery_XXXXXX";
        spur_net *net = spur_net_create(NULL);
        spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){1, 3});
        spur_node *y = spur_input(net, "y", SPUR_FLOAT32, 2, (int64_t[]){1, 1});
        spur_push_scope(net, "a");
        spur_node *z = spur_linear(net, x, "fc", 1, NULL);
        spur_param *weight = spur_net_find_param(net, "a.fc.weight");
        spur_param *bias = spur_net_find_param(net, "a.fc.bias");
        session s = {.net = {.net = net}, .at = {.step = 5}};
        bias->trainable = false;
        assert_int_equal(spur_net_build(net, spur_mse(net, z, y, SPUR_MEAN), NULL), SPUR_OK);
        memcpy(weight->value, ((const float[]){3, -1, 2}), 3 * sizeof(float));
        memcpy(weight->gradient, ((const float[]){0.5f, 0.25f, 0.75f}), 3 * sizeof(float));
        bias->value[0] = 7;
        assert_non_null(mkdtemp(folder));
        const spur_writer_options options = {.directory = folder};
        spur_writer **log = &s.run_log.writers[RUN_LOG_TRAIN];
        assert_int_equal(spur_writer_open(log, &options, NULL), SPUR_OK);
        session_log_histograms(&s, gradients);
        assert_int_equal(spur_writer_close(*log, NULL), SPUR_OK);
        expect_histogram(folder, "a/fc/weight/histogram", 3, -1, 3);
        expect_histogram(folder, "a/fc/bias/histogram", 1, 7, 7);
        expect_histogram(folder, "a/fc/weight/gradient", gradients ? 3 : 0, 0.25, 0.75);
        expect_histogram(folder, "a/fc/bias/gradient", 0, 0, 0);
        assert_int_equal(remove_tree(folder, NULL), SPUR_OK);
        spur_net_destroy(net);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_regression),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_picture_of_classes),
        cmocka_unit_test(test_picture_of_masks),
        cmocka_unit_test(test_picture_of_numbers),
        cmocka_unit_test(test_picture_of_equal_numbers),
        cmocka_unit_test(test_sounds),
        cmocka_unit_test(test_histograms),
    };
    return cmocka_run_group_tests_name("gallery", tests, NULL, NULL);
}
