/* SPDX-License-Identifier: MIT
 *
 * Collecting samples, scores and features from validation batches; see gallery.h.
 */
#include "train/gallery.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/fmath.h"
#include "base/memory.h"

static float sigmoid(float x) {
    return 1.0f / (1.0f + spur__expf(-x));
}

/* Probability of one class. */
static float class_probability(const float *logits, int outputs, int class) {
    if (outputs == 1) return class == 1 ? sigmoid(logits[0]) : 1 - sigmoid(logits[0]);
    float largest = logits[0], sum = 0;
    for (int k = 1; k < outputs; k++) largest = logits[k] > largest ? logits[k] : largest;
    for (int k = 0; k < outputs; k++) sum += spur__expf(logits[k] - largest);
    return spur__expf(logits[class] - largest) / sum;
}

/* The class that logits stand for, and its probability (may be NULL). */
static int32_t decide(const float *logits, int outputs, float *probability) {
    int best = 0;
    if (outputs == 1) best = logits[0] > 0;
    for (int k = 1; k < outputs; k++)
        if (logits[k] > logits[best]) best = k;
    if (probability) *probability = class_probability(logits, outputs, best);
    return best;
}

static bool shot_init(shot *one, const gallery *g) {
    one->input = spur__malloc_array(g->input_size, sizeof *one->input);
    one->truth = spur__malloc_array(g->rows, sizeof *one->truth);
    one->predicted = spur__malloc_array(g->rows, sizeof *one->predicted);
    return one->input && one->truth && one->predicted;
}

static void shots_free(shot *shots, size_t count) {
    for (size_t i = 0; shots && i < count; i++) {
        spur__free(shots[i].input);
        spur__free(shots[i].truth);
        spur__free(shots[i].predicted);
    }
    spur__free(shots);
}

static shot *shots_create(const gallery *g, size_t count) {
    shot *shots = spur__calloc(count ? count : 1, sizeof *shots);
    bool whole = shots != NULL;
    for (size_t i = 0; whole && i < count; i++) whole = shot_init(&shots[i], g);
    if (whole) return shots;
    shots_free(shots, shots ? count : 0);
    return NULL;
}

void gallery_free(gallery *g) {
    shots_free(g->first, g->capacity);
    shots_free(g->worst, g->worst_capacity);
    spur__free(g->hits);
    spur__free(g->misses);
    spur__free(g->features);
    spur__free(g->feature_truth);
    spur__free(g->feature_predicted);
    spur__free(g->feature_values);
    spur__free(g->truths);
    spur__free(g->answers);
    *g = (gallery){.count = 0};
}

/* What only the last look at the data needs. False when out of memory. */
static bool init_full(gallery *g, const session *s) {
    bool classes = s->info->task != SPUR_REGRESSION;
    g->worst_capacity = (size_t)s->log->worst;
    g->worst = shots_create(g, g->worst_capacity);
    if (!g->worst) return false;
    if (s->log->pr_curves && classes) {
        g->pr_classes = s->info->classes < PR_MOST_CLASSES ? s->info->classes : PR_MOST_CLASSES;
        g->hits = spur__calloc(g->pr_classes * PR_THRESHOLDS, sizeof *g->hits);
        g->misses = spur__calloc(g->pr_classes * PR_THRESHOLDS, sizeof *g->misses);
        if (!g->hits || !g->misses) return false;
    }
    if (s->log->embeddings == 0 || !s->net.features || g->rows != 1) return true;
    const int64_t *shape = spur_node_shape(s->net.features);
    g->feature_width = 1;
    for (int i = 1; i < spur_node_rank(s->net.features); i++) g->feature_width *= (size_t)shape[i];
    g->feature_capacity = (size_t)s->log->embeddings;
    size_t values;
    if (!spur__mul(g->feature_width, g->feature_capacity, &values)) return false;
    g->features = spur__malloc_array(values, sizeof *g->features);
    if (!classes) {
        g->feature_values = spur__malloc_array(2 * g->feature_capacity, sizeof *g->feature_values);
        return g->features && g->feature_values;
    }
    g->feature_truth = spur__malloc_array(g->feature_capacity, sizeof *g->feature_truth);
    g->feature_predicted = spur__malloc_array(g->feature_capacity, sizeof *g->feature_predicted);
    return g->features && g->feature_truth && g->feature_predicted;
}

/* Room for the values of a regression that are shown after an epoch. False when out of memory. */
static bool init_pairs(gallery *g, const session *s) {
    if (s->info->task != SPUR_REGRESSION || !s->log->scatter) return true;
    size_t values = SCATTER_MOST * s->info->targets;
    g->pair_capacity = SCATTER_MOST;
    g->truths = spur__malloc_array(values, sizeof *g->truths);
    g->answers = spur__malloc_array(values, sizeof *g->answers);
    return g->truths && g->answers;
}

spur_status gallery_init(gallery *g, const session *s, gallery_kind kind, spur_error *err) {
    *g = (gallery){.kind = kind};
    g->rows = network_rows(&s->net);
    g->input_size = (size_t)s->info->height * (size_t)s->info->width * (size_t)s->info->channels;
    int64_t wanted = s->log->images > s->log->audio ? s->log->images : s->log->audio;
    g->capacity = (size_t)wanted;
    g->first = shots_create(g, g->capacity);
    if (g->first && (kind == GALLERY_FIRST ? init_pairs(g, s) : init_full(g, s))) return SPUR_OK;
    gallery_free(g);
    return spur__fail(err, SPUR_E_MEMORY, "out of memory for the pictures of the validation");
}

static void take(shot *one, const gallery *g, const session *s, const spur_batch *batch, size_t i,
                 double loss) {
    int outputs = s->net.outputs;
    const float *logits = network_output(&s->net) + i * g->rows * (size_t)outputs;
    double confidence = 0;
    one->sample = batch->samples[i];
    one->loss = loss;
    memcpy(one->input, batch->input + i * g->input_size, g->input_size * sizeof(float));
    if (s->info->task == SPUR_REGRESSION) return;
    memcpy(one->truth, batch->labels + i * g->rows, g->rows * sizeof(int32_t));
    for (size_t r = 0; r < g->rows; r++) {
        float p;
        one->predicted[r] = decide(logits + r * (size_t)outputs, outputs, &p);
        confidence += p;
    }
    one->confidence = (float)(confidence / (double)g->rows);
}

/* Mean cross-entropy (or squared error) of one sample. */
static double loss_of(const gallery *g, const session *s, const spur_batch *batch, size_t i) {
    int outputs = s->net.outputs;
    const float *out = network_output(&s->net) + i * g->rows * (size_t)outputs;
    double sum = 0, counted = 0;
    if (s->info->task == SPUR_REGRESSION) {
        for (int k = 0; k < outputs; k++) {
            double d = out[k] - batch->targets[i * (size_t)outputs + (size_t)k];
            sum += d * d;
        }
        return sum / outputs;
    }
    for (size_t r = 0; r < g->rows; r++) {
        int32_t label = batch->labels[i * g->rows + r];
        if (label < 0 || label == s->info->ignore_index) continue;
        float p = class_probability(out + r * (size_t)outputs, outputs, label);
        sum -= spur__logf(p > 1e-30f ? p : 1e-30f);
        counted++;
    }
    return counted > 0 ? sum / counted : 0;
}

static void consider_worst(gallery *g, const session *s, const spur_batch *batch, size_t i) {
    double loss = loss_of(g, s, batch, i);
    bool full = g->worst_count == g->worst_capacity;
    if (full && loss <= g->worst[g->worst_count - 1].loss) return;
    size_t at = full ? g->worst_count - 1 : g->worst_count++;
    take(&g->worst[at], g, s, batch, i, loss);
    for (; at > 0 && g->worst[at].loss > g->worst[at - 1].loss; at--) {
        shot swap = g->worst[at];
        g->worst[at] = g->worst[at - 1];
        g->worst[at - 1] = swap;
    }
}

static void count_scores(gallery *g, const session *s, const spur_batch *batch, size_t i) {
    int outputs = s->net.outputs;
    const float *out = network_output(&s->net) + i * g->rows * (size_t)outputs;
    for (size_t r = 0; r < g->rows; r++) {
        int32_t label = batch->labels[i * g->rows + r];
        if (label < 0 || label == s->info->ignore_index) continue;
        for (size_t k = 0; k < g->pr_classes; k++) {
            float p = class_probability(out + r * (size_t)outputs, outputs, (int)k);
            size_t bucket = (size_t)(p * (PR_THRESHOLDS - 1));
            (label == (int32_t)k ? g->hits : g->misses)[k * PR_THRESHOLDS + bucket]++;
        }
    }
}

static void keep_features(gallery *g, const session *s, const spur_batch *batch, size_t i) {
    if (g->feature_count == g->feature_capacity || !g->features) return;
    const float *out = network_output(&s->net) + i * (size_t)s->net.outputs;
    size_t at = g->feature_count++;
    memcpy(g->features + at * g->feature_width,
           spur_node_data(s->net.features) + i * g->feature_width,
           g->feature_width * sizeof(float));
    if (s->info->task == SPUR_REGRESSION) {
        g->feature_values[2 * at] = batch->targets[i * s->info->targets];
        g->feature_values[2 * at + 1] = out[0];
        return;
    }
    g->feature_truth[at] = batch->labels[i];
    g->feature_predicted[at] = decide(out, s->net.outputs, NULL);
}

static void keep_pair(gallery *g, const session *s, const spur_batch *batch, size_t i) {
    size_t n = s->info->targets, at = g->pair_count++ * n;
    memcpy(g->truths + at, batch->targets + i * n, n * sizeof *g->truths);
    memcpy(g->answers + at, network_output(&s->net) + i * n, n * sizeof *g->answers);
}

void gallery_add(gallery *g, const session *s, const spur_batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        if (g->count < g->capacity) take(&g->first[g->count++], g, s, batch, i, 0);
        if (g->pair_count < g->pair_capacity) keep_pair(g, s, batch, i);
        if (g->kind != GALLERY_FULL) continue;
        if (g->worst_capacity) consider_worst(g, s, batch, i);
        if (g->pr_classes) count_scores(g, s, batch, i);
        keep_features(g, s, batch, i);
    }
}
