/* SPDX-License-Identifier: MIT
 *
 * After the last step: a last look at the validation data with the best weights, and the closing
 * table on the terminal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/process.h"
#include "train/checkpoint.h"
#include "train/pictures.h"
#include "train/session.h"

enum { NUMBER = 16 };

static spur_writer *validation(const session *s) {
    return s->run_log.writers[RUN_LOG_VALIDATION];
}

static spur_status log_report(session *s, int64_t epoch, spur_error *err) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return spur__fail(err, SPUR_E_MEMORY, "out of memory for the report");
    fputs("```\n", out);
    spur_status status = spur_classification_report(s->val_pass.tally, s->info->class_names, out);
    fputs("```\n", out);
    if (fclose(out) != 0) status = SPUR_E_MEMORY;
    if (status == SPUR_OK)
        spur_log_text(validation(s), "classification_report", epoch, text, NULL);
    else
        spur__fail(err, status, "classification report: %s", spur_strstatus(status));
    free(text);
    return status;
}

/* Counts per threshold from counts per score: everything at or above it is taken for positive. */
static void log_curve(session *s, const gallery *g, size_t class, int64_t epoch) {
    double rows[4][PR_THRESHOLDS], hits = 0, misses = 0;
    const double *hit = g->hits + class * PR_THRESHOLDS, *miss = g->misses + class * PR_THRESHOLDS;
    for (size_t t = PR_THRESHOLDS; t-- > 0;) {
        hits += hit[t];
        misses += miss[t];
        rows[0][t] = hits;
        rows[1][t] = misses;
    }
    for (size_t t = 0; t < PR_THRESHOLDS; t++) {
        rows[2][t] = misses - rows[1][t];
        rows[3][t] = hits - rows[0][t];
    }
    char tag[160];
    snprintf(tag, sizeof tag, "pr_curve/%s", s->info->class_names[class]);
    spur_log_pr_counts counts = {.thresholds = PR_THRESHOLDS,
                                 .true_positives = rows[0],
                                 .false_positives = rows[1],
                                 .true_negatives = rows[2],
                                 .false_negatives = rows[3]};
    spur_log_pr_curve_raw(validation(s), tag, epoch, &counts, NULL);
}

/* What stands at a point of the projector: class names, or the numbers of a regression. */
static void label_features(const session *s, const gallery *g, const char **labels,
                           char (*numbers)[NUMBER]) {
    for (size_t i = 0; i < 2 * g->feature_count; i++) {
        const int32_t *classes = i % 2 ? g->feature_predicted : g->feature_truth;
        if (numbers) snprintf(numbers[i], NUMBER, "%.6g", (double)g->feature_values[i]);
        labels[i] = numbers ? numbers[i] : s->info->class_names[classes[i / 2]];
    }
}

static spur_status log_features(session *s, const gallery *g, int64_t epoch, spur_error *err) {
    if (g->feature_count == 0) return SPUR_OK;
    bool classes = s->info->task != SPUR_REGRESSION;
    const char **labels = spur__malloc_array(g->feature_count * 2, sizeof *labels);
    char(*numbers)[NUMBER] =
        classes ? NULL : spur__malloc_array(g->feature_count * 2, sizeof *numbers);
    if (!labels || (!classes && !numbers)) {
        spur__free(labels);
        spur__free(numbers);
        return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    }
    label_features(s, g, labels, numbers);
    static const char *const header[] = {"truth", "answer"};
    spur_log_points points = {.values = g->features,
                              .rows = g->feature_count,
                              .columns = g->feature_width,
                              .metadata = labels,
                              .metadata_columns = 2,
                              .metadata_header = header};
    spur_status status = spur_log_embedding(validation(s), "features", epoch, &points);
    spur__free(labels);
    spur__free(numbers);
    return status == SPUR_OK ? SPUR_OK
                             : spur__fail(err, status, "embedding: %s", spur_strstatus(status));
}

static spur_status log_gallery(session *s, const gallery *g, int64_t epoch, spur_error *err) {
    bool classes = s->info->classes > 1;
    const shot_sheet worst = {"images/worst", "Samples with the highest loss", g->worst,
                              g->worst_count};
    SPUR__TRY(log_shots(s, validation(s), &worst, epoch, err));
    SPUR__TRY(log_sounds(s, g->first, g->count, epoch, err));
    if (classes && s->log->report) SPUR__TRY(log_report(s, epoch, err));
    for (size_t k = 0; k < g->pr_classes; k++)
        if (s->info->classes != 2 || k == 1) log_curve(s, g, k, epoch);
    return log_features(s, g, epoch, err);
}

/* One more pass with the weights that the run ends with. */
static spur_status look_again(session *s, pass_result *result, spur_error *err) {
    gallery g;
    SPUR__TRY(gallery_init(&g, s, GALLERY_FULL, err));
    spur_status status = session_validate(s, &g, result, err);
    if (status == SPUR_OK) status = log_gallery(s, &g, s->at.epoch, err);
    gallery_free(&g);
    return status;
}

static void say_value(const session *s, const char *name, double value) {
    char text[32];
    format_value(value, text, sizeof text);
    terminal_say(s->term, "  %-20s %s", name, text);
}

/* TensorBoard wants the directory in which the runs are. */
static void say_tensorboard(const session *s) {
    char *parent = spur__path_directory(s->run.path);
    spur__str word;
    spur__str_init(&word, 1 << 16);
    put_shell_word(&word, parent ? parent : "");
    terminal_say(s->term, "TensorBoard: tensorboard --logdir=%s", spur__str_text(&word));
    spur__str_free(&word);
    spur__free(parent);
}

static void say_table(session *s, const pass_result *final) {
    char time[32], best[32];
    const measures *m = &s->measures;
    format_duration(spur__monotonic() - s->started, time, sizeof time);
    terminal_say(s->term, "%s", "");
    if (s->at.stopped_early)
        terminal_say(s->term, "Stopped early: no better %s for %lld epochs.", m->monitor_name,
                     (long long)s->at.bad_epochs);
    terminal_say(s->term, "Trained %lld epoch%s (%lld step%s) in %s.", (long long)s->at.epoch,
                 s->at.epoch == 1 ? "" : "s", (long long)s->at.step, s->at.step == 1 ? "" : "s",
                 time);
    format_value(s->at.best, best, sizeof best);
    if (s->at.has_best)
        terminal_say(s->term, "Best %s: %s, epoch %lld", m->monitor_name, best,
                     (long long)s->at.best_epoch);
    if (final) {
        terminal_say(s->term, "%s", "");
        terminal_say(s->term, "  validation, %s weights",
                     s->train->restore_best && s->at.has_best ? "best" : "last");
        say_value(s, "loss", final->loss);
        for (size_t i = 0; i < m->count; i++) say_value(s, m->items[i].name, final->values[i]);
        terminal_say(s->term, "%s", "");
    }
    terminal_say(s->term, "Run:         %s", s->run.path);
    terminal_say(s->term, "Weights:     %s/checkpoints/%s/weights.safetensors", s->run.path,
                 s->at.has_best ? "best" : "last");
    say_tensorboard(s);
}

static void json_end(session *s, const pass_result *final) {
    spur__str line;
    if (!s->term->json) return;
    spur__str_init(&line, 1 << 16);
    spur__str_puts(&line, "{\"event\":\"end\",\"run\":");
    spur__str_json(&line, s->run.path);
    spur__str_printf(&line, ",\"epochs\":%lld,\"steps\":%lld,\"monitor\":\"%s\"",
                     (long long)s->at.epoch, (long long)s->at.step, s->measures.monitor_name);
    if (s->at.has_best) {
        spur__str_puts(&line, ",\"best\":");
        spur__str_double(&line, s->at.best);
        spur__str_printf(&line, ",\"best_epoch\":%lld", (long long)s->at.best_epoch);
    }
    if (final) {
        spur__str_puts(&line, ",\"val_loss\":");
        spur__str_double(&line, final->loss);
        for (size_t i = 0; i < s->measures.count; i++) {
            spur__str_printf(&line, ",\"val_%s\":", s->measures.items[i].name);
            spur__str_double(&line, final->values[i]);
        }
    }
    spur__str_putc(&line, '}');
    terminal_json(s->term, spur__str_text(&line));
    spur__str_free(&line);
}

spur_status session_log_end(session *s, spur_error *err) {
    pass_result result = {.loss = 0};
    if (s->train->restore_best && s->at.has_best) SPUR__TRY(checkpoint_load_best(s, err));
    if (s->val_loader) SPUR__TRY(look_again(s, &result, err));
    spur_log_hparams_end(s->run_log.writers[RUN_LOG_RUN], SPUR_LOG_SUCCESS, NULL);
    SPUR__TRY(run_log_check(&s->run_log, err));
    say_table(s, s->val_loader ? &result : NULL);
    json_end(s, s->val_loader ? &result : NULL);
    return SPUR_OK;
}
