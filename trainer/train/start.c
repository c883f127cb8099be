/* SPDX-License-Identifier: MIT
 *
 * What a run logs before its first step: the configuration, hyper-parameters, the graph, the
 * layout of the Custom Scalars tab, the classes, and what the first batches look like.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/transforms/augment.h"
#include "data/loader.h"
#include "data/sampler.h"
#include "output/text.h"
#include "train/hparams.h"
#include "train/pictures.h"
#include "train/session.h"

enum { FIRST_BATCHES = 8, SHEET_PICTURES = 24, PNG_LIMIT = 64 << 20 };

static spur_writer *root(const session *s) {
    return s->run_log.writers[RUN_LOG_RUN];
}

/* ---- configuration ----------------------------------------------------------------------------- */

typedef struct text_table {
    spur__str text;
    const char *section;
} text_table;

/* As code; where the value has what ends a cell or the code, as code whose characters are escaped. */
static void put_code(spur__str *out, const char *value) {
    bool plain = !strpbrk(value, "`|\\");
    spur__str_puts(out, plain ? "`" : "<code>");
    if (plain)
        spur__str_puts(out, *value ? value : " ");
    else
        text_markdown(out, value, strlen(value));
    spur__str_puts(out, plain ? "`" : "</code>");
}

static void put_option(void *user, const char *section, const char *key, const char *value,
                       const char *initial) {
    text_table *t = user;
    const char *stars = strcmp(value, initial) != 0 ? "**" : "";
    spur__str_printf(&t->text, "| %s | %s | %s",
                     t->section && strcmp(t->section, section) == 0 ? "" : section, key, stars);
    put_code(&t->text, value);
    spur__str_printf(&t->text, "%s |\n", stars);
    t->section = section;
}

static void log_config(session *s) {
    text_table t = {.section = NULL};
    spur__str_init(&t.text, 1 << 20);
    spur__str_puts(&t.text, "| section | key | value |\n|---|---|---|\n");
    config_each(s->cfg, put_option, &t);
    spur__str_puts(&t.text, "\nValues that differ from the defaults are bold.\n");
    spur_log_text(root(s), "config", 0, spur__str_text(&t.text), NULL);
    spur__str_free(&t.text);
}

/* ---- graph ------------------------------------------------------------------------------------- */

/* TensorBoard folds nodes by the parts of their names between slashes. */
static void node_name(char *out, size_t size, const spur_node *node) {
    snprintf(out, size, "%s", spur_node_name(node));
    for (char *p = out; *p; p++)
        if (*p == '.') *p = '/';
}

static spur_status add_node(spur_log_graph_builder *graph, const spur_node *node) {
    char name[256], inputs[8][256];
    const char *pointers[8];
    int count = spur_node_input_count(node);
    spur_log_shape shape = {spur_node_shape(node), (size_t)spur_node_rank(node)};
    node_name(name, sizeof name, node);
    for (int i = 0; i < count && i < 8; i++) {
        node_name(inputs[i], sizeof inputs[i], spur_node_input(node, i));
        pointers[i] = inputs[i];
    }
    return spur_log_graph_add(graph, &(spur_log_node){.name = name,
                                                      .op = spur_node_kind(node),
                                                      .inputs = pointers,
                                                      .input_count = (size_t)count,
                                                      .outputs = &shape,
                                                      .output_count = 1});
}

static spur_status log_graph(session *s, spur_error *err) {
    spur_log_graph_builder *graph;
    spur_status status = spur_log_graph_create(&graph);
    for (int i = 0; status == SPUR_OK && i < spur_net_node_count(s->net.net); i++)
        status = add_node(graph, spur_net_node(s->net.net, i));
    if (status == SPUR_OK) status = spur_log_graph(root(s), graph, NULL);
    spur_log_graph_destroy(graph);
    return status == SPUR_OK ? SPUR_OK
                             : spur__fail(err, status, "graph: %s", spur_strstatus(status));
}

/* ---- layout ------------------------------------------------------------------------------------ */

typedef struct chart_list {
    spur_log_chart charts[MOST_METRICS + 3];
    char patterns[MOST_METRICS + 3][2][METRIC_NAME + 40];
    const char *tags[MOST_METRICS + 3][2];
    size_t count;
} chart_list;

/* A chart of the tag a, or of a and b. TensorBoard takes tags for patterns. */
static void add_chart(chart_list *list, const char *title, const char *a, const char *b) {
    size_t n = list->count++;
    snprintf(list->patterns[n][0], sizeof list->patterns[n][0], "^%s$", a);
    snprintf(list->patterns[n][1], sizeof list->patterns[n][1], "^%s$", b ? b : "");
    list->tags[n][0] = list->patterns[n][0];
    list->tags[n][1] = list->patterns[n][1];
    list->charts[n] =
        (spur_log_chart){.title = title, .tags = list->tags[n], .tag_count = b ? 2 : 1};
}

/* Epochs, training beside validation; steps with the validations between them; the machine. */
static void log_layout(session *s) {
    chart_list epochs = {.count = 0}, steps = {.count = 0}, machine = {.count = 0};
    char a[METRIC_NAME + 16], b[METRIC_NAME + 32];
    add_chart(&epochs, "loss", "epoch_loss", NULL);
    add_chart(&steps, "loss", "batch_loss", "evaluation_loss_vs_iterations");
    for (size_t i = 0; i < s->measures.count; i++) {
        const char *name = s->measures.items[i].name;
        snprintf(a, sizeof a, "epoch_%s", name);
        add_chart(&epochs, name, a, NULL);
        snprintf(a, sizeof a, "batch_%s", name);
        snprintf(b, sizeof b, "evaluation_%s_vs_iterations", name);
        add_chart(&steps, name, a, b);
    }
    add_chart(&epochs, "learning rate", "epoch_learning_rate", NULL);
    add_chart(&steps, "learning rate", "batch_learning_rate", NULL);
    add_chart(&steps, "gradient norm", "batch_gradient_norm", NULL);
    add_chart(&machine, "samples per second", "perf/samples_per_second", NULL);
    add_chart(&machine, "memory, MB", "perf/memory_mb", "perf/peak_memory_mb");
    spur_log_category all[] = {
        {.title = "Epochs", .charts = epochs.charts, .chart_count = epochs.count},
        {.title = "Steps", .charts = steps.charts, .chart_count = steps.count},
        {.title = "Machine", .charts = machine.charts, .chart_count = machine.count}};
    spur_log_layout(root(s), all, s->log->perf ? 3 : 2, NULL);
}

/* ---- classes ----------------------------------------------------------------------------------- */

static spur_status log_bars(session *s, const char *tag, const bar_chart *chart, spur_error *err) {
    spur__str png;
    spur__str_init(&png, PNG_LIMIT);
    spur_status status = plot_bars(chart, &png, err);
    return log_png(root(s), tag, 0, &png, status, err);
}

static spur_status log_counts(session *s, const double *shares, const double *first,
                              spur_error *err) {
    const spur_data_info *info = s->info;
    const char *unit = info->task == SPUR_SEGMENTATION ? "pixels" : "samples";
    bar_series both[] = {{"training data", shares}, {"first batches", first}};
    char subtitle[96];
    snprintf(subtitle, sizeof subtitle, "share of %s, in %%; first %d batches as sampled", unit,
             FIRST_BATCHES);
    bar_chart chart = {.title = "Classes",
                       .subtitle = subtitle,
                       .labels = info->class_names,
                       .count = info->classes,
                       .series = both,
                       .series_count = 2,
                       .format = "%.2f"};
    return log_bars(s, "data/classes", &chart, err);
}

static spur_status log_weights(session *s, spur_error *err) {
    if (!s->class_weights) return SPUR_OK;
    double *weights = spur__malloc_array(s->info->classes, sizeof *weights);
    if (!weights) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (size_t i = 0; i < s->info->classes; i++) weights[i] = s->class_weights[i];
    bar_series one = {.values = weights};
    bar_chart chart = {.title = "Class weights in the loss",
                       .labels = s->info->class_names,
                       .count = s->info->classes,
                       .series = &one,
                       .series_count = 1,
                       .format = "%.3f"};
    spur_status status = log_bars(s, "data/class_weights", &chart, err);
    spur__free(weights);
    return status;
}

static void log_class_text(session *s, const double *shares, const double *first) {
    spur__str text;
    spur__str_init(&text, 1 << 20);
    spur__str_puts(&text,
                   "| class | count | share | first batches | weight |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < s->info->classes; i++) {
        const char *name = s->info->class_names[i];
        spur__str_puts(&text, "| ");
        text_markdown(&text, name, strlen(name));
        spur__str_printf(&text, " | %llu | %.2f %% | %.2f %% | %.3f |\n",
                         (unsigned long long)s->info->class_counts[i], shares[i], first[i],
                         s->class_weights ? (double)s->class_weights[i] : 1.0);
    }
    spur_log_text(root(s), "data/class_table", 0, spur__str_text(&text), NULL);
    spur__str_free(&text);
}

/* ---- the first batches --------------------------------------------------------------------------- */

static void count_labels(const session *s, const spur_batch *batch, double *counts) {
    size_t rows = network_rows(&s->net), classes = s->info->classes;
    for (size_t i = 0; i < batch->count; i++) {
        for (size_t k = 0; batch->targets && k < classes; k++)
            counts[k] += batch->targets[i * classes + k];
        for (size_t r = 0; !batch->targets && r < rows; r++) {
            int32_t label = batch->labels[i * rows + r];
            if (label >= 0 && (size_t)label < classes && label != s->info->ignore_index)
                counts[label]++;
        }
    }
}

static void to_percent(double *values, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += values[i];
    for (size_t i = 0; i < n; i++) values[i] = sum > 0 ? 100 * values[i] / sum : 0;
}

/* Samples of the first batches as pictures, masks in their colours over them. */
typedef struct sample_sheet {
    uint8_t *bytes; /* [wanted][height][width][3] */
    sheet_picture all[SHEET_PICTURES];
    char captions[SHEET_PICTURES][96];
    size_t count, wanted; /* wanted 0: no sheet */
} sample_sheet;

static spur_status sheet_init(sample_sheet *sheet, const session *s, spur_error *err) {
    size_t pixels = (size_t)s->info->height * (size_t)s->info->width;
    *sheet = (sample_sheet){.count = 0};
    if (s->info->height == 1 || s->info->width == 1 || !s->log->augmentation) return SPUR_OK;
    sheet->wanted = pixels >= 96 * 96 ? SHEET_PICTURES / 2 : SHEET_PICTURES;
    sheet->bytes = spur__malloc_array(sheet->wanted, pixels * 3);
    return sheet->bytes ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "out of memory for pictures");
}

/* The index of the largest of n shares, `but` left out (n: none is). */
static size_t largest_share(const float *shares, size_t n, size_t but) {
    size_t best = but == 0 ? 1 : 0;
    for (size_t k = best + 1; k < n; k++)
        if (k != but && shares[k] > shares[best]) best = k;
    return best;
}

/* The class of a sample, or of mixed ones the two largest shares: "ring 70% + star 30%". */
static void name_sample(const session *s, const spur_batch *batch, size_t i, char *out,
                        size_t size) {
    size_t classes = s->info->classes;
    const char *const *names = s->info->class_names;
    if (!batch->targets || classes < 2) {
        snprintf(out, size, "%s", names[batch->labels[i]]);
        return;
    }
    const float *shares = batch->targets + i * classes;
    size_t first = largest_share(shares, classes, classes);
    size_t second = largest_share(shares, classes, first);
    if (shares[first] > 0.995f)
        snprintf(out, size, "%s", names[first]);
    else
        snprintf(out, size, "%s %.0f%% + %s %.0f%%", names[first], 100 * (double)shares[first],
                 names[second], 100 * (double)shares[second]);
}

static void sheet_add(sample_sheet *sheet, const session *s, const spur_batch *batch) {
    size_t h = (size_t)s->info->height, w = (size_t)s->info->width;
    size_t values = h * w * (size_t)s->info->channels;
    for (size_t i = 0; i < batch->count && sheet->count < sheet->wanted; i++) {
        uint8_t *out = sheet->bytes + sheet->count * h * w * 3;
        picture_bytes(s->info, batch->input + i * values, out);
        if (s->info->task == SPUR_SEGMENTATION)
            plot_overlay(out, batch->labels + i * h * w, h * w, 0.4, s->info->ignore_index, true,
                         out);
        bool named = s->info->task == SPUR_CLASSIFICATION;
        char *caption = sheet->captions[sheet->count];
        if (named) name_sample(s, batch, i, caption, sizeof sheet->captions[0]);
        sheet->all[sheet->count++] = (sheet_picture){.pixels = out,
                                                     .height = h,
                                                     .width = w,
                                                     .channels = 3,
                                                     .caption = named ? caption : NULL};
    }
}

static spur_status sheet_log(const sample_sheet *sheet, session *s, spur_error *err) {
    if (sheet->count == 0) return SPUR_OK;
    bool masks = s->info->task == SPUR_SEGMENTATION;
    contact_sheet page = {.title = "Training samples as the network gets them",
                          .subtitle = "first batches of the first epoch, augmented",
                          .pictures = sheet->all,
                          .count = sheet->count,
                          .classes = masks ? s->info->class_names : NULL,
                          .class_count = s->info->classes};
    spur__str png;
    spur__str_init(&png, PNG_LIMIT);
    spur_status status = plot_sheet(&page, &png, err);
    return log_png(s->run_log.writers[RUN_LOG_TRAIN], "images/training", 0, &png, status, err);
}

static spur_status look(session *s, sample_sheet *sheet, double *first, spur_error *err) {
    spur_batch batch;
    for (int64_t i = 0; i < s->batches && i < FIRST_BATCHES; i++) {
        if (!first && sheet->count == sheet->wanted) break;
        SPUR__TRY(spur_loader_next(s->train_loader, &batch, err));
        sheet_add(sheet, s, &batch);
        if (first) count_labels(s, &batch, first);
    }
    return sheet_log(sheet, s, err);
}

/* Looks at the first batches of the first epoch; the loader is put back afterwards. */
static spur_status look_at_batches(session *s, double *first, spur_error *err) {
    sample_sheet sheet;
    SPUR__TRY(sheet_init(&sheet, s, err));
    spur_status status = spur_loader_seek(s->train_loader, 0, 0, err);
    if (status == SPUR_OK) status = look(s, &sheet, first, err);
    spur__free(sheet.bytes);
    return status == SPUR_OK ? spur_loader_seek(s->train_loader, 0, 0, err) : status;
}

static spur_status log_classes(session *s, spur_error *err) {
    size_t classes = s->info->classes;
    double *shares = spur__calloc(classes * 2, sizeof *shares), *first = shares + classes;
    if (!shares) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (size_t i = 0; i < classes; i++) shares[i] = (double)s->info->class_counts[i];
    spur_status status = look_at_batches(s, first, err);
    to_percent(shares, classes);
    to_percent(first, classes);
    if (status == SPUR_OK) status = log_counts(s, shares, first, err);
    if (status == SPUR_OK) status = log_weights(s, err);
    if (status == SPUR_OK) log_class_text(s, shares, first);
    spur__free(shares);
    return status;
}

spur_status session_log_start(session *s, spur_error *err) {
    log_config(s);
    SPUR__TRY(hparams_log(s, err));
    if (s->log->graph) SPUR__TRY(log_graph(s, err));
    log_layout(s);
    SPUR__TRY(s->info->classes ? log_classes(s, err) : look_at_batches(s, NULL, err));
    return run_log_check(&s->run_log, err);
}
