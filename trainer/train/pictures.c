/* SPDX-License-Identifier: MIT
 *
 * Pictures of validation samples for the Images tab; see pictures.h.
 */
#include "train/pictures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { MASK_COLUMNS = 4, CAPTION = 96, PNG_LIMIT = 64 << 20 };

void picture_bytes(const spur_data_info *info, const float *input, uint8_t *out) {
    size_t pixels = (size_t)info->height * (size_t)info->width, channels = (size_t)info->channels;
    for (size_t i = 0; i < pixels; i++) {
        for (size_t k = 0; k < 3; k++) {
            size_t c = channels >= 3 ? k : 0;
            float mean = info->mean ? info->mean[c] : 0, std = info->std ? info->std[c] : 1;
            float x = (input[i * channels + c] * std + mean) * 255;
            out[i * 3 + k] = (uint8_t)(x <= 0 ? 0 : x >= 255 ? 255 : lroundf(x));
        }
    }
}

spur_status log_png(spur_writer *log, const char *tag, int64_t step, spur__str *png,
                    spur_status drawn, spur_error *err) {
    if (drawn == SPUR_OK) {
        spur_log_bytes bytes = {png->data, png->length};
        drawn = spur_log_image_encoded(log, tag, step, &bytes, 1, NULL);
        if (drawn != SPUR_OK && spur_writer_error(log, err) == SPUR_OK)
            spur__fail(err, drawn, "%s: %s", tag, spur_strstatus(drawn));
    }
    spur__str_free(png);
    return drawn;
}

static const char *class_name(const spur_data_info *info, int32_t class) {
    return class >= 0 && (size_t) class < info->classes ? info->class_names[class] : "?";
}

static spur_status draw_sheet(const contact_sheet *sheet, spur_writer *log, const char *tag,
                              int64_t epoch, spur_error *err) {
    spur__str png;
    spur__str_init(&png, PNG_LIMIT);
    spur_status status = plot_sheet(sheet, &png, err);
    return log_png(log, tag, epoch, &png, status, err);
}

/* One picture per sample, truth and answer below. */
static spur_status log_classes(session *s, spur_writer *log, const shot_sheet *sheet, int64_t epoch,
                               spur_error *err) {
    const shot *shots = sheet->shots;
    size_t h = (size_t)s->info->height, w = (size_t)s->info->width, count = sheet->count;
    uint8_t *bytes = spur__malloc_array(count, h * w * 3);
    sheet_picture *all = spur__calloc(count, sizeof *all);
    char(*answers)[CAPTION] = spur__calloc(count, sizeof *answers);
    spur_status status = SPUR_E_MEMORY;
    if (!bytes || !all || !answers) {
        spur__fail(err, status, "out of memory for pictures");
        goto done;
    }
    for (size_t i = 0; i < count; i++) {
        bool right = shots[i].truth[0] == shots[i].predicted[0];
        picture_bytes(s->info, shots[i].input, bytes + i * h * w * 3);
        snprintf(answers[i], CAPTION, "%s %.0f%%", class_name(s->info, shots[i].predicted[0]),
                 100 * (double)shots[i].confidence);
        all[i] = (sheet_picture){.pixels = bytes + i * h * w * 3,
                                 .height = h,
                                 .width = w,
                                 .channels = 3,
                                 .caption = class_name(s->info, shots[i].truth[0]),
                                 .answer = answers[i],
                                 .mood = right ? 1 : -1};
    }
    char subtitle[64];
    snprintf(subtitle, sizeof subtitle, "epoch %lld: what it is, what the network says",
             (long long)epoch);
    status = draw_sheet(
        &(contact_sheet){
            .title = sheet->title, .subtitle = subtitle, .pictures = all, .count = count},
        log, sheet->tag, epoch, err);
done:
    spur__free(bytes);
    spur__free(all);
    spur__free(answers);
    return status;
}

/* Red where the answer is wrong, over a pale picture in grey. */
static void draw_errors(const spur_data_info *info, const shot *one, const uint8_t *picture,
                        size_t pixels, uint8_t *out) {
    for (size_t i = 0; i < pixels; i++) {
        bool ignored = one->truth[i] == info->ignore_index || one->truth[i] < 0;
        bool wrong = !ignored && one->truth[i] != one->predicted[i];
        for (size_t k = 0; k < 3; k++) {
            int grey = (picture[i * 3] + picture[i * 3 + 1] + picture[i * 3 + 2]) / 3;
            int red = k == 0 ? 230 : 40;
            out[i * 3 + k] = (uint8_t)(wrong ? (grey + 3 * red) / 4 : 128 + grey / 2);
        }
    }
}

static double share_right(const spur_data_info *info, const shot *one, size_t pixels) {
    double right = 0, counted = 0;
    for (size_t i = 0; i < pixels; i++) {
        if (one->truth[i] == info->ignore_index || one->truth[i] < 0) continue;
        counted++;
        right += one->truth[i] == one->predicted[i];
    }
    return counted > 0 ? right / counted : 0;
}

/* Input, truth, answer over the input, and errors. */
static void draw_mask_row(const session *s, const shot *one, uint8_t *bytes, sheet_picture *row,
                          char *caption) {
    const spur_data_info *info = s->info;
    size_t h = (size_t)info->height, w = (size_t)info->width, size = h * w * 3;
    bool binary = info->classes == 2;
    picture_bytes(info, one->input, bytes);
    plot_mask(one->truth, h * w, info->ignore_index, bytes + size);
    plot_overlay(bytes, one->predicted, h * w, 0.55, -1, binary, bytes + 2 * size);
    draw_errors(info, one, bytes, h * w, bytes + 3 * size);
    double right = share_right(info, one, h * w);
    if (one->loss > 0)
        snprintf(caption, CAPTION, "%.1f%% right, loss %.3f", 100 * right, one->loss);
    else
        snprintf(caption, CAPTION, "%.1f%% right", 100 * right);
    for (size_t k = 0; k < MASK_COLUMNS; k++)
        row[k] = (sheet_picture){bytes + k * size, h, w, 3, k == 3 ? caption : NULL, NULL, 0};
}

static spur_status log_masks(session *s, spur_writer *log, const shot_sheet *sheet, int64_t epoch,
                             spur_error *err) {
    static const char *const columns[] = {"input", "truth", "answer", "errors"};
    size_t size = (size_t)s->info->height * (size_t)s->info->width * 3, count = sheet->count;
    uint8_t *bytes = spur__malloc_array(count * MASK_COLUMNS, size);
    sheet_picture *all = spur__calloc(count * MASK_COLUMNS, sizeof *all);
    char(*captions)[CAPTION] = spur__calloc(count, sizeof *captions);
    spur_status status = SPUR_E_MEMORY;
    if (!bytes || !all || !captions) {
        spur__fail(err, status, "out of memory for pictures");
        goto done;
    }
    for (size_t i = 0; i < count; i++)
        draw_mask_row(s, &sheet->shots[i], bytes + i * MASK_COLUMNS * size, all + i * MASK_COLUMNS,
                      captions[i]);
    char subtitle[64];
    snprintf(subtitle, sizeof subtitle, "epoch %lld", (long long)epoch);
    status = draw_sheet(&(contact_sheet){.title = sheet->title,
                                         .subtitle = subtitle,
                                         .pictures = all,
                                         .count = count * MASK_COLUMNS,
                                         .columns = MASK_COLUMNS,
                                         .cell = 160,
                                         .column_titles = columns,
                                         .classes = s->info->class_names,
                                         .class_count = s->info->classes},
                        log, sheet->tag, epoch, err);
done:
    spur__free(bytes);
    spur__free(all);
    spur__free(captions);
    return status;
}

spur_status log_shots(session *s, spur_writer *log, const shot_sheet *sheet, int64_t epoch,
                      spur_error *err) {
    bool picture = s->info->height > 1 && s->info->width > 1;
    if (sheet->count == 0 || !picture || s->info->task == SPUR_REGRESSION) return SPUR_OK;
    return (s->info->task == SPUR_SEGMENTATION ? log_masks : log_classes)(s, log, sheet, epoch,
                                                                          err);
}

/* The confusion matrix of the last validation. */
static spur_status log_confusion(session *s, int64_t epoch, spur_error *err) {
    size_t classes = s->info->classes;
    uint64_t *counts = spur__malloc_array(classes * classes, sizeof *counts);
    if (!counts) return spur__fail(err, SPUR_E_MEMORY, "out of memory for the confusion matrix");
    for (size_t i = 0; i < classes; i++)
        for (size_t j = 0; j < classes; j++)
            counts[i * classes + j] = spur_tally_confusion(s->val_pass.tally, (int)i, (int)j);
    char title[64];
    spur__str png;
    spur__str_init(&png, PNG_LIMIT);
    snprintf(title, sizeof title, "Confusion matrix, epoch %lld", (long long)epoch);
    spur_status status = plot_confusion(title, counts, classes, s->info->class_names, &png, err);
    spur__free(counts);
    return log_png(s->run_log.writers[RUN_LOG_VALIDATION], "confusion_matrix", epoch, &png, status,
                   err);
}

/* "R2 0.931, mean absolute error 0.12, first 2000 of 9000 samples": of value k of a regression. Spread is
 * taken from the first value on, so that equal values have none, without any rounding: no R2. */
static void describe_pairs(const gallery *g, size_t k, size_t stride, double samples, char *out,
                           size_t size) {
    double mean = 0, spread = 0, squares = 0, errors = 0, n = (double)g->pair_count;
    double first = (double)g->truths[k];
    for (size_t i = 0; i < g->pair_count; i++)
        mean += ((double)g->truths[i * stride + k] - first) / n;
    for (size_t i = 0; i < g->pair_count; i++) {
        double truth = (double)g->truths[i * stride + k];
        double off = (double)g->answers[i * stride + k] - truth;
        spread += (truth - first - mean) * (truth - first - mean);
        squares += off * off;
        errors += fabs(off) / n;
    }
    char fit[32] = "";
    if (spread > 0) snprintf(fit, sizeof fit, "R\xc2\xb2 %.4g, ", 1 - squares / spread);
    int length = snprintf(out, size, "%smean absolute error %.4g, ", fit, errors);
    if (n < samples)
        snprintf(out + length, size - (size_t)length, "first %zu of %.0f samples", g->pair_count,
                 samples);
    else
        snprintf(out + length, size - (size_t)length, "%zu samples", g->pair_count);
}

/* One picture per value of a regression. */
static spur_status log_pairs(session *s, const gallery *g, int64_t epoch, spur_error *err) {
    size_t targets = s->info->targets;
    spur_status status = SPUR_OK;
    for (size_t k = 0; status == SPUR_OK && k < targets && k < SCATTER_MOST_VALUES; k++) {
        char tag[64] = "predicted_vs_true", name[32] = "", title[96], subtitle[160];
        spur__str png;
        spur__str_init(&png, PNG_LIMIT);
        if (targets > 1) snprintf(tag, sizeof tag, "predicted_vs_true/value_%zu", k);
        if (targets > 1) snprintf(name, sizeof name, " value_%zu", k);
        snprintf(title, sizeof title, "Predicted against true%s, epoch %lld", name,
                 (long long)epoch);
        describe_pairs(g, k, targets, s->val_pass.samples, subtitle, sizeof subtitle);
        status = plot_scatter(&(scatter_chart){.title = title,
                                               .subtitle = subtitle,
                                               .truth = g->truths + k,
                                               .predicted = g->answers + k,
                                               .count = g->pair_count,
                                               .stride = targets},
                              &png, err);
        status = log_png(s->run_log.writers[RUN_LOG_VALIDATION], tag, epoch, &png, status, err);
    }
    return status;
}

static bool draws_confusion(const session *s) {
    return s->log->confusion_matrix && s->info->classes > 1 && s->info->classes <= 200;
}

bool session_wants_pictures(const session *s) {
    return s->log->images > 0 || draws_confusion(s) ||
           (s->log->scatter && s->info->task == SPUR_REGRESSION);
}

spur_status session_log_pictures(session *s, const gallery *g, int64_t epoch, spur_error *err) {
    spur_writer *log = s->run_log.writers[RUN_LOG_VALIDATION];
    size_t count = g->count < (size_t)s->log->images ? g->count : (size_t)s->log->images;
    const shot_sheet sheet = {"images/validation", "Validation samples", g->first, count};
    SPUR__TRY(log_shots(s, log, &sheet, epoch, err));
    if (g->pair_count > 0) SPUR__TRY(log_pairs(s, g, epoch, err));
    return draws_confusion(s) ? log_confusion(s, epoch, err) : SPUR_OK;
}
