/* SPDX-License-Identifier: MIT
 *
 * Metrics on small cases worked out by hand (figures of scikit-learn's definitions), batch against
 * epoch form, and the report's text.
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

#include "base/str.h"
#include "nn/kind.h"
#include "nn/metric.h"

/* Truth 0 0 0 1 1 2 2 2 2 9, prediction 0 1 0 1 1 2 2 2 0 1; 9 is ignored. Each class is predicted three
 * times: nowhere is the precision the recall, nor a size by truths that by predictions. */
static const int32_t truth[] = {0, 0, 0, 1, 1, 2, 2, 2, 2, 9};
static const int predicted[] = {0, 1, 0, 1, 1, 2, 2, 2, 0, 1};
enum { ROWS = 10, K = 3 };

/* The predicted class first, the others in falling order of their index. */
static void make_logits(float *logits) {
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < K; c++) logits[r * K + c] = c == predicted[r] ? 9.0f : (float)c;
}

static spur_tally *make_tally(void) {
    float logits[ROWS * K];
    spur_error err = {0};
    make_logits(logits);
    spur_tally *t = spur_tally_create(K, &(spur_tally_options){.ignore = true, .ignore_index = 9});
    assert_int_equal(spur_tally_add(t, logits, ROWS, K, truth, &err), SPUR_OK);
    return t;
}

static void assert_metric(const spur_tally *t, const char *name, const char *options,
                          double expected) {
    spur_error err = {0};
    double value = NAN;
    if (spur_metric(t, name, options, &value, &err) != SPUR_OK) fail_msg("%s", err.message);
    if (!(fabs(value - expected) < 1e-12))
        fail_msg("%s %s: found %.15g, expected %.15g", name, options ? options : "", value,
                 expected);
}

static void test_values(void **state) {
    spur_tally *t = make_tally();
    (void)state;
    assert_int_equal(spur_tally_count(t), 9);
    assert_int_equal(spur_tally_confusion(t, 2, 0), 1);
    assert_metric(t, "accuracy", NULL, 7.0 / 9);
    assert_metric(t, "pixel_accuracy", NULL, 7.0 / 9);
    assert_metric(t, "precision", NULL, (2.0 / 3 + 2.0 / 3 + 1) / 3);
    assert_metric(t, "precision", "average=micro", 7.0 / 9);
    assert_metric(t, "precision", "average=weighted", (3 * 2.0 / 3 + 2 * 2.0 / 3 + 4) / 9);
    assert_metric(t, "precision", "class=1", 2.0 / 3);
    assert_metric(t, "recall", NULL, (2.0 / 3 + 1 + 3.0 / 4) / 3);
    assert_metric(t, "recall", "average=weighted", 7.0 / 9);
    assert_metric(t, "f1", NULL, (2.0 / 3 + 4.0 / 5 + 6.0 / 7) / 3);
    assert_metric(t, "mean_iou", NULL, (2.0 / 4 + 2.0 / 3 + 3.0 / 4) / 3);
    assert_metric(t, "iou", "class=2", 3.0 / 4);
    assert_metric(t, "dice", "class=2", 6.0 / 7);
    /* Second guesses: class 2, or 1 where 2 is the prediction. */
    assert_metric(t, "top_k", "k=1", 7.0 / 9);
    assert_metric(t, "top_k", "k=2", 8.0 / 9);
    assert_metric(t, "top_k", "k=3", 1);
    spur_tally_destroy(t);
}

static void test_per_class(void **state) {
    static const struct {
        const char *name;
        double expected[K];
    } cases[] = {
        {"precision", {2.0 / 3, 2.0 / 3, 1}},      {"recall", {2.0 / 3, 1, 3.0 / 4}},
        {"f1", {2.0 / 3, 4.0 / 5, 6.0 / 7}},       {"iou", {2.0 / 4, 2.0 / 3, 3.0 / 4}},
        {"mean_iou", {2.0 / 4, 2.0 / 3, 3.0 / 4}}, {"dice", {2.0 / 3, 4.0 / 5, 6.0 / 7}},
        {"accuracy", {2.0 / 3, 1, 3.0 / 4}},       {"pixel_accuracy", {2.0 / 3, 1, 3.0 / 4}},
    };
    spur_tally *t = make_tally();
    spur_error err = {0};
    double values[K];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (spur_metric_per_class(t, cases[i].name, values, &err) != SPUR_OK)
            fail_msg("%s", err.message);
        for (int c = 0; c < K; c++)
            if (!(fabs(values[c] - cases[i].expected[c]) < 1e-12))
                fail_msg("%s of class %d: found %.15g", cases[i].name, c, values[c]);
    }
    assert_int_equal(spur_metric_per_class(t, "top_k", values, &err), SPUR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "top_k: it has no value per class"));
    spur_tally_destroy(t);
}

/* Classes that never occur do not lower the mean; one that is predicted only does. */
static void test_absent_class(void **state) {
    const float logits[] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};
    const int32_t labels[] = {0, 1, 0};
    spur_error err = {0};
    spur_tally *t = spur_tally_create(4, NULL);
    (void)state;
    assert_int_equal(spur_tally_add(t, logits, 2, 4, labels, &err), SPUR_OK);
    assert_metric(t, "mean_iou", NULL, 1);
    assert_metric(t, "f1", NULL, 1);
    assert_int_equal(spur_tally_add(t, logits + 8, 1, 4, labels + 2, &err), SPUR_OK);
    assert_metric(t, "mean_iou", NULL, (1.0 / 2 + 1 + 0) / 3);
    assert_metric(t, "f1", NULL, (2.0 / 3 + 1 + 0) / 3);
    spur_tally_reset(t);
    assert_int_equal(spur_tally_count(t), 0);
    assert_metric(t, "accuracy", NULL, 0);
    assert_metric(t, "mean_iou", NULL, 0);
    spur_tally_destroy(t);
}

/* The average weighted by size goes by the truths: 3 of class 0, 1 of class 1. */
static void test_weights_are_of_the_truth(void **state) {
    const float logits[] = {1, 0, 0, 1, 0, 1, 0, 1};
    const int32_t labels[] = {0, 0, 0, 1};
    spur_error err = {0};
    spur_tally *t = spur_tally_create(2, NULL);
    (void)state;
    assert_int_equal(spur_tally_add(t, logits, 4, 2, labels, &err), SPUR_OK);
    assert_metric(t, "precision", NULL, (1 + 1.0 / 3) / 2);
    assert_metric(t, "precision", "average=weighted", (3 * 1.0 + 1.0 / 3) / 4);
    assert_metric(t, "recall", "average=weighted", (3 * (1.0 / 3) + 1) / 4);
    spur_tally_destroy(t);
}

/* Of equal logits the first is the prediction, and the others follow in their order. */
static void test_ties(void **state) {
    const float logits[] = {2, 2, 2, 2};
    const int32_t labels[] = {2};
    spur_error err = {0};
    spur_tally *t = spur_tally_create(4, NULL);
    (void)state;
    assert_int_equal(spur_tally_add(t, logits, 1, 4, labels, &err), SPUR_OK);
    assert_int_equal(spur_tally_confusion(t, 2, 0), 1);
    assert_metric(t, "top_k", "k=2", 0);
    assert_metric(t, "top_k", "k=3", 1);
    spur_tally_destroy(t);
}

static void test_batches_make_an_epoch(void **state) {
    float logits[ROWS * K];
    spur_error err = {0};
    spur_tally *whole = make_tally();
    spur_tally_options o = {.ignore = true, .ignore_index = 9};
    spur_tally *batch = spur_tally_create(K, &o), *epoch = spur_tally_create(K, &o);
    (void)state;
    make_logits(logits);
    for (int i = 0; i < ROWS; i += 4) {
        size_t n = i + 4 < ROWS ? 4 : (size_t)(ROWS - i);
        spur_tally_reset(batch);
        assert_int_equal(spur_tally_add(batch, logits + i * K, n, K, truth + i, &err), SPUR_OK);
        spur_tally_merge(epoch, batch);
    }
    assert_memory_equal(whole->confusion, epoch->confusion, sizeof(uint64_t) * K * K);
    assert_memory_equal(whole->ranks, epoch->ranks, sizeof(uint64_t) * K);
    spur_tally_destroy(whole);
    spur_tally_destroy(batch);
    spur_tally_destroy(epoch);
}

static void test_single_logit(void **state) {
    const float logits[] = {-1, 0.5f, 3, -0.2f};
    const int32_t labels[] = {0, 1, 0, 1};
    const float soft[] = {0.1f, 0.9f, 0.4f, 0.6f};
    spur_error err = {0};
    spur_tally *t = spur_tally_create(2, NULL);
    (void)state;
    assert_int_equal(spur_tally_add(t, logits, 4, 1, labels, &err), SPUR_OK);
    assert_metric(t, "accuracy", NULL, 0.5);
    assert_metric(t, "top_k", "k=1", 0.5);
    assert_metric(t, "iou", "class=1", 1.0 / 3);
    assert_int_equal(spur_tally_add_soft(t, logits, 4, 1, soft, &err), SPUR_OK);
    assert_int_equal(spur_tally_confusion(t, 1, 0), 2);
    spur_tally_reset(t); /* in the middle: the first class, of answers and of targets */
    assert_int_equal(spur_tally_add_soft(t, (const float[]){0}, 1, 1, (const float[]){0.5f}, &err),
                     SPUR_OK);
    assert_int_equal(spur_tally_confusion(t, 0, 0), 1);
    spur_tally_destroy(t);
    t = spur_tally_create(2, &(spur_tally_options){.threshold = 0.8});
    assert_int_equal(spur_tally_add(t, logits, 4, 1, labels, &err), SPUR_OK);
    assert_int_equal(spur_tally_confusion(t, 1, 1), 0);
    spur_tally_destroy(t);
}

/* The largest target is the truth. */
static void test_soft_targets(void **state) {
    const float logits[] = {3, 1, 2, 1, 3, 2}, soft[] = {0.2f, 0.3f, 0.5f, 0.1f, 0.6f, 0.3f};
    spur_tally *t = spur_tally_create(3, NULL);
    (void)state;
    assert_int_equal(spur_tally_add_soft(t, logits, 2, 3, soft, NULL), SPUR_OK);
    assert_int_equal(spur_tally_confusion(t, 2, 0), 1);
    assert_int_equal(spur_tally_confusion(t, 1, 1), 1);
    spur_tally_destroy(t);
}

static void test_numbers(void **state) {
    const float a[] = {1, 2, 4}, b[] = {2, 2, 2};
    spur_error err = {0};
    double unused;
    spur_tally *t = spur_tally_create(0, NULL);
    (void)state;
    spur_tally_add_values(t, a, 3, b);
    assert_metric(t, "mae", NULL, 1);
    assert_metric(t, "mse", NULL, 5.0 / 3);
    spur_tally *more = spur_tally_create(0, NULL);
    spur_tally_add_values(more, a, 1, a + 2);
    spur_tally_merge(t, more);
    assert_metric(t, "mae", NULL, 6.0 / 4);
    assert_metric(t, "mse", NULL, 14.0 / 4);
    spur_tally_reset(t);
    spur_tally_merge(t, more);
    assert_metric(t, "mae", NULL, 3);
    assert_metric(t, "mse", NULL, 9);
    spur_tally_destroy(more);
    assert_int_equal(spur_metric(t, "f1", NULL, &unused, &err), SPUR_E_STATE);
    assert_int_equal(spur_metric(t, "f1", NULL, &unused, NULL), SPUR_E_STATE);
    spur_tally_destroy(t);
}

static void test_refusals(void **state) {
    const float logits[] = {1, 2, 3};
    const int32_t label = 3, before = -1, ignored = -100;
    spur_error err = {0};
    double unused;
    spur_tally *t = spur_tally_create(3, NULL);
    (void)state;
    assert_int_equal(spur_tally_add(t, logits, 1, 3, &label, &err), SPUR_E_RANGE);
    assert_non_null(strstr(err.message, "found label 3 in row 0, expected 0 to 2"));
    assert_int_equal(spur_tally_add(t, logits, 1, 3, &before, &err), SPUR_E_RANGE);
    assert_int_equal(spur_tally_add(t, logits, 1, 3, &ignored, &err), SPUR_OK);
    assert_int_equal(spur_tally_count(t), 0);
    assert_int_equal(spur_tally_add(t, logits, 1, 2, &label, &err), SPUR_E_SHAPE);
    spur_tally *one = spur_tally_create(1, NULL); /* two answers cannot be counted there */
    assert_int_equal(spur_tally_add(one, logits, 1, 1, &(int32_t){0}, &err), SPUR_E_SHAPE);
    spur_tally_destroy(one);
    assert_int_equal(spur_metric(t, "acuracy", NULL, &unused, &err), SPUR_E_NOTFOUND);
    assert_int_equal(spur_metric(t, "acuracy", NULL, &unused, NULL), SPUR_E_NOTFOUND);
    assert_non_null(strstr(err.message, "did you mean 'accuracy'"));
    assert_int_equal(spur_metric(t, "mse", NULL, &unused, &err), SPUR_E_STATE);
    assert_non_null(strstr(err.message, "the tally has classes"));
    assert_int_equal(spur_metric(t, "f1", "averag=micro", &unused, &err), SPUR_E_NOTFOUND);
    assert_non_null(strstr(err.message, "did you mean 'average'"));
    assert_int_equal(spur_metric(t, "f1", "class=3", &unused, &err), SPUR_E_RANGE);
    assert_non_null(strstr(err.message, "found class 3, expected 0 to 2"));
    spur_tally_add_values(t, logits, 3, logits); /* numbers are not for a tally of classes */
    assert_int_equal(spur_tally_count(t), 0);
    spur_tally *other = spur_tally_create(4, NULL);
    assert_int_equal(spur_tally_add(other, logits, 0, 4, &label, &err), SPUR_OK);
    assert_int_equal(spur_tally_add(other, (const float[]){0, 1, 2, 3}, 1, 4, &label, &err),
                     SPUR_OK);
    spur_tally_merge(t, other);
    assert_int_equal(spur_tally_count(t), 0);
    spur_tally_destroy(other);
    spur_tally_destroy(t);
}

static void test_labels(void **state) {
    char text[64];
    (void)state;
    spur__metric_label(&spur__metric_top_k, &(int64_t){3}, text, sizeof text);
    assert_string_equal(text, "top_3_accuracy");
    spur__metric_label(&spur__metric_mean_iou, NULL, text, sizeof text);
    assert_string_equal(text, "mean_iou");
    static const char *const cases[][2] = {{NULL, "iou"},
                                           {"average=micro", "iou_micro"},
                                           {"average=weighted", "iou_weighted"},
                                           {"class=0", "iou_class_0"}};
    for (size_t i = 0; i < 4; i++) {
        void *options;
        const spur__kind *kind = &spur__metric_iou.kind;
        assert_int_equal(spur__kind_options_create(kind, "metric", cases[i][0], &options, NULL),
                         SPUR_OK);
        spur__metric_label(&spur__metric_iou, options, text, sizeof text);
        assert_string_equal(text, cases[i][1]);
        spur__kind_options_free(kind, options);
    }
}

static void test_report(void **state) {
    static const char *const names[] = {"cat", "dog", "bird"};
    static const char expected[] = "             precision    recall  f1-score   support\n\n"
                                   "         cat    0.6667    0.6667    0.6667         3\n"
                                   "         dog    0.6667    1.0000    0.8000         2\n"
                                   "        bird    1.0000    0.7500    0.8571         4\n\n"
                                   "    accuracy                        0.7778         9\n"
                                   "   macro avg    0.7778    0.8056    0.7746         9\n"
                                   "weighted avg    0.8148    0.7778    0.7810         9\n";
    char *text = NULL;
    size_t size;
    spur_tally *t = make_tally();
    FILE *out = open_memstream(&text, &size);
    (void)state;
    assert_int_equal(spur_classification_report(t, names, out), SPUR_OK);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
    spur_tally_destroy(t);
}

/* Columns, not bytes; a name that is too long is cut between two letters. */
static void test_report_of_wide_names(void **state) {
    char wide[100] = "";
    for (int i = 0; i < 21; i++) memcpy(wide + 2 * i, "\xc3\xa4", 2);
    memcpy(wide + 42, "abcdefghijklmnopqrstuvwxyz", 26);
    const char *const names[] = {"H\xc3\xa4user", "\xe5\xad\xa6", wide};
    char *text = NULL;
    size_t size, lines = 0;
    spur_tally *t = make_tally();
    FILE *out = open_memstream(&text, &size);
    (void)state;
    assert_int_equal(spur_classification_report(t, names, out), SPUR_OK);
    fclose(out);
    assert_true(spur__utf8_valid(text, size));
    assert_non_null(strstr(text, "abcdefghijklmnopqrs "));
    for (char *rest, *line = strtok_r(text, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        assert_int_equal(spur__utf8_columns(line, strlen(line)), 40 + 4 * 10);
        lines++;
    }
    assert_int_equal(lines, 7);
    free(text);
    spur_tally_destroy(t);
}

/* The means of the report are those of the metrics, also where a class is absent. */
static void test_report_of_absent_class(void **state) {
    static const float logits[5 * 4] = {9, 0, 0, 0, 9, 0, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0};
    static const int32_t labels[5] = {0, 1, 1, 1, 0};
    char *text = NULL, expected[64];
    size_t size;
    double macro;
    spur_tally *t = spur_tally_create(4, NULL);
    FILE *out = open_memstream(&text, &size);
    (void)state;
    assert_int_equal(spur_tally_add(t, logits, 5, 4, labels, NULL), SPUR_OK);
    assert_int_equal(spur_metric(t, "f1", NULL, &macro, NULL), SPUR_OK);
    assert_true(fabs(macro - (0.5 + 2.0 / 3) / 2) < 1e-12);
    assert_int_equal(spur_classification_report(t, NULL, out), SPUR_OK);
    fclose(out);
    snprintf(expected, sizeof expected, "macro avg    0.5833    0.5833    %.4f         5\n", macro);
    if (!strstr(text, expected)) fail_msg("expected '%s' in\n%s", expected, text);
    free(text);
    spur_tally_destroy(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),       cmocka_unit_test(test_per_class),
        cmocka_unit_test(test_absent_class), cmocka_unit_test(test_batches_make_an_epoch),
        cmocka_unit_test(test_ties),         cmocka_unit_test(test_weights_are_of_the_truth),
        cmocka_unit_test(test_single_logit), cmocka_unit_test(test_soft_targets),
        cmocka_unit_test(test_numbers),      cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_labels),       cmocka_unit_test(test_report_of_wide_names),
        cmocka_unit_test(test_report),       cmocka_unit_test(test_report_of_absent_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
