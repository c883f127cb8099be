/* SPDX-License-Identifier: MIT
 *
 * One pass over all items, by several threads: every file is decoded, training pixels are summed
 * (after resizing), mask values are counted. Sums are kept per item and added up in the order of the
 * items, so that the number of threads changes no bit. Then the audit of the masks and the
 * normalization. What a pass found is remembered (statistics_cache.h) until a file changes.
 */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/statistics_cache.h"
#include "data/pipeline.h"

void spur__statistics_free(spur__statistics *statistics) {
    spur__free(statistics->mean);
    spur__free(statistics->std);
    spur__free(statistics->class_counts);
    spur__free(statistics->values);
    spur__free(statistics->item_weights);
    *statistics = (spur__statistics){0};
}

/* ---- the pass -------------------------------------------------------------------------------- */

/* What is shared by the threads of a pass. */
typedef struct pass {
    const spur_data *data;
    double *sums; /* [items][2][channels] sum and sum of squares of the pixels */
    uint32_t (*values)[256]; /* [items] mask values, or NULL */
    const bool *wanted; /* [items] */
    _Atomic size_t next;
    pthread_mutex_t lock;
    size_t failed_item; /* the first that could not be read, or SIZE_MAX */
    spur_error error;
} pass;

/* Sum and sum of squares of each channel; rows first, which keeps the rounding small. */
static void sum_pixels(const spur__pixels *pixels, double *sums) {
    size_t channels = (size_t)pixels->channels, n = (size_t)pixels->height * (size_t)pixels->width;
    for (size_t c = 0; c < channels; c++) {
        double sum = 0, squares = 0;
        for (size_t start = 0; start < n; start += 256) {
            size_t end = start + 256 < n ? start + 256 : n;
            double part = 0, part2 = 0;
            for (size_t i = start; i < end; i++) {
                double x = (double)pixels->data[i * channels + c];
                part += x;
                part2 += x * x;
            }
            sum += part;
            squares += part2;
        }
        sums[c] = sum;
        sums[channels + c] = squares;
    }
}

static spur_status visit(pass *p, size_t item, spur__workspace *w, spur_error *err) {
    size_t channels = (size_t)p->data->info.channels;
    SPUR__TRY(spur__sample_load(p->data, (uint32_t)item, NULL, NULL, w, err));
    sum_pixels(&w->pixels, p->sums + item * 2 * channels);
    if (p->values) {
        const spur__image *mask = &w->sample.mask;
        size_t n = spur__image_bytes(mask);
        for (size_t i = 0; i < n; i++) p->values[item][mask->data[i]]++;
    }
    return SPUR_OK;
}

/* Keeps the error of the lowest item, so that any number of threads reports the same one. */
static void keep_error(pass *p, size_t item, const spur_error *err) {
    pthread_mutex_lock(&p->lock);
    if (item < p->failed_item) {
        p->failed_item = item;
        p->error = *err;
    }
    pthread_mutex_unlock(&p->lock);
}

static bool failed_before(pass *p, size_t item) {
    pthread_mutex_lock(&p->lock);
    bool failed = p->failed_item < item;
    pthread_mutex_unlock(&p->lock);
    return failed;
}

static void *pass_main(void *context) {
    pass *p = context;
    spur__workspace w = {0};
    for (;;) {
        size_t item = atomic_fetch_add(&p->next, 1);
        if (item >= p->data->item_count || failed_before(p, item)) break;
        spur_error error = {0};
        if (p->wanted[item] && visit(p, item, &w, &error) != SPUR_OK) keep_error(p, item, &error);
    }
    spur__workspace_free(&w);
    return NULL;
}

static spur_status run_threads(pass *p, spur_error *err) {
    enum { MOST = 16 };
    pthread_t threads[MOST];
    int count = spur__cpu_count() - 1, started = 0;
    if (count > MOST) count = MOST;
    pthread_mutex_init(&p->lock, NULL);
    while (started < count && pthread_create(&threads[started], NULL, pass_main, p) == 0) started++;
    pass_main(p);
    for (int i = 0; i < started; i++) pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&p->lock);
    if (p->failed_item == SIZE_MAX) return SPUR_OK;
    if (err) *err = p->error;
    return p->error.status;
}

/* ---- from sums to statistics ----------------------------------------------------------------- */

static spur_status allocate(spur_data *data, spur_error *err) {
    spur__statistics *s = &data->statistics;
    size_t channels = (size_t)data->info.channels;
    s->mean = spur__calloc(channels, sizeof *s->mean);
    s->std = spur__calloc(channels, sizeof *s->std);
    s->class_counts = spur__calloc(data->info.classes, sizeof *s->class_counts);
    s->item_weights = spur__calloc(data->splits[SPUR_SPLIT_TRAIN].count, sizeof *s->item_weights);
    s->values = spur__calloc(SPUR_SPLIT_COUNT, sizeof *s->values);
    if (s->mean && s->std && s->class_counts && s->item_weights && s->values) return SPUR_OK;
    return spur__fail(err, SPUR_E_MEMORY, "out of memory");
}

/* True for tables. */
static bool one_pixel(const spur_data *data) {
    return data->info.height == 1 && data->info.width == 1;
}

/* Sum of (x - mean)^2 over training items of one pixel. What a table holds may be far from 0 beside
 * its deviation: the difference of two large sums would have no digit left. */
static double spread_of(const spur_data *data, const double *sums, size_t c, double mean) {
    const spur__index *train = &data->splits[SPUR_SPLIT_TRAIN];
    size_t channels = (size_t)data->info.channels;
    double sum = 0;
    for (size_t i = 0; i < train->count; i++) {
        double x = sums[train->items[i] * 2 * channels + c] - mean;
        sum += x * x;
    }
    return sum;
}

/* Mean and (population) standard deviation of the training split, pooled over all pixels. */
static void pool(spur_data *data, const double *sums) {
    const spur__index *train = &data->splits[SPUR_SPLIT_TRAIN];
    size_t channels = (size_t)data->info.channels;
    double pixels = (double)data->info.height * data->info.width * (double)train->count;
    for (size_t c = 0; c < channels && train->count > 0; c++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < train->count; i++) {
            sum += sums[train->items[i] * 2 * channels + c];
            squares += sums[train->items[i] * 2 * channels + channels + c];
        }
        double mean = sum / pixels, variance = squares / pixels - mean * mean;
        if (one_pixel(data)) variance = spread_of(data, sums, c, mean) / pixels;
        data->statistics.mean[c] = mean;
        data->statistics.std[c] = variance > 0 ? sqrt(variance) : 0;
    }
}

static void count_labels(spur_data *data) {
    const spur__index *train = &data->splits[SPUR_SPLIT_TRAIN];
    for (size_t i = 0; i < train->count; i++)
        data->statistics.class_counts[data->items[train->items[i]].label]++;
}

static void count_values(spur_data *data, uint32_t (*values)[256]) {
    /* What was remembered may have been read in part. */
    memset(data->statistics.values, 0, SPUR_SPLIT_COUNT * sizeof *data->statistics.values);
    for (int split = 0; split < SPUR_SPLIT_COUNT; split++)
        for (size_t i = 0; i < data->splits[split].count; i++)
            for (int v = 0; v < 256; v++)
                data->statistics.values[split][v] += values[data->splits[split].items[i]][v];
}

/* The weight of every training picture: the mean over its classes of 1 / (share of that class's
 * pixels in the whole split). */
static void weigh_masks(spur_data *data, uint32_t (*values)[256]) {
    spur__statistics *s = &data->statistics;
    const uint64_t *counts = s->values[SPUR_SPLIT_TRAIN];
    double total = 0;
    for (int v = 0; v < 256; v++) total += v == data->info.ignore_index ? 0 : (double)counts[v];
    for (size_t i = 0; i < data->splits[SPUR_SPLIT_TRAIN].count; i++) {
        const uint32_t *own = values[data->splits[SPUR_SPLIT_TRAIN].items[i]];
        double sum = 0, present = 0;
        for (int v = 0; v < 256; v++) {
            if (own[v] == 0 || v == data->info.ignore_index) continue;
            sum += total / (double)counts[v];
            present += 1;
        }
        s->item_weights[i] = present > 0 ? sum / present : 0;
    }
}

/* Pixels of each class. */
static spur_status count_pixels(spur_data *data, spur_error *err) {
    spur__statistics *s = &data->statistics;
    uint64_t *counts = spur__calloc(data->info.classes, sizeof *counts);
    if (!counts) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (size_t k = 0; k < data->info.classes; k++)
        counts[k] = (int)k == data->info.ignore_index ? 0 : s->values[SPUR_SPLIT_TRAIN][k];
    spur__free(s->class_counts);
    s->class_counts = counts;
    return SPUR_OK;
}

/* Visits every wanted item; *sums and *values are new memory. */
static spur_status run_pass(spur_data *data, const bool *wanted, double **sums,
                            uint32_t (**values)[256], spur_error *err) {
    size_t numbers;
    pass p = {.data = data, .wanted = wanted, .failed_item = SIZE_MAX};
    if (spur__mul(data->item_count, 2 * (size_t)data->info.channels, &numbers))
        *sums = p.sums = spur__calloc(numbers, sizeof *p.sums);
    if (data->info.task == SPUR_SEGMENTATION)
        *values = p.values = spur__calloc(data->item_count, sizeof *p.values);
    if (!p.sums || (data->info.task == SPUR_SEGMENTATION && !p.values))
        return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    return run_threads(&p, err);
}

/* The pass over all items (`everything`), or over the training items only. */
static spur_status gather(spur_data *data, bool everything, spur_error *err) {
    double *sums = NULL;
    uint32_t(*values)[256] = NULL;
    spur_status status = SPUR_OK;
    bool *wanted = spur__calloc(data->item_count, sizeof *wanted);
    if (!wanted) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (size_t i = 0; i < data->item_count; i++)
        wanted[i] =
            !data->items[i].dropped && (everything || data->items[i].split == SPUR_SPLIT_TRAIN);
    SPUR__TRY_GOTO(run_pass(data, wanted, &sums, &values, err), done);
    pool(data, sums);
    if (values) {
        count_values(data, values);
        weigh_masks(data, values);
    }
    data->statistics.known = true;
done:
    spur__free(wanted);
    spur__free(sums);
    spur__free(values);
    return status;
}

/* ---- normalization --------------------------------------------------------------------------- */

/* Parses "a, b, c, ..."; the count, or 0 when it is no list of numbers. */
static size_t parse_numbers(const char *text, spur__floats *out) {
    static const spur__option row = {.name = "normalization", .type = SPUR__OPT_FLOATS};
    static const spur__option rows[] = {
        {.name = "normalization", .type = SPUR__OPT_FLOATS, .initial = ""}};
    static const spur__options table = SPUR__OPTIONS(rows, spur__floats);
    if (spur__option_check(&row, text, NULL) != SPUR_OK) return 0;
    if (spur__options_init(&table, out, NULL) != SPUR_OK) return 0;
    return spur__options_set(&table, out, "normalization", text, NULL) == SPUR_OK ? out->count : 0;
}

spur_status spur__check_normalization(const char *value, spur_error *err) {
    spur__floats list;
    if (strcmp(value, "none") == 0 || strcmp(value, "imagenet") == 0 ||
        strcmp(value, "dataset") == 0)
        return SPUR_OK;
    size_t count = parse_numbers(value, &list);
    if (count < 2 || count % 2)
        return spur__fail(err, SPUR_E_RANGE,
                          "found '%s', expected none, imagenet, dataset, or means and then as many "
                          "standard deviations",
                          value);
    for (size_t i = count / 2; i < count; i++)
        if (!(list.values[i] > 0))
            return spur__fail(err, SPUR_E_RANGE, "standard deviation %g, expected more than 0",
                              list.values[i]);
    return SPUR_OK;
}

static spur_status set_numbers(spur_data *data, const char *text, spur_error *err) {
    spur__floats list;
    size_t channels = (size_t)data->info.channels, count = parse_numbers(text, &list);
    if (count != 2 && count != 2 * channels)
        return spur__fail(err, SPUR_E_RANGE,
                          "normalization: %zu numbers, expected %zu: a mean and a standard "
                          "deviation for each of the %zu channels",
                          count, 2 * channels, channels);
    for (size_t c = 0; c < channels; c++) {
        data->mean[c] = (float)list.values[count == 2 ? 0 : c];
        data->std[c] = (float)list.values[count == 2 ? 1 : channels + c];
    }
    return SPUR_OK;
}

/* The means and deviations that PyTorch's models were trained with. */
static spur_status set_imagenet(spur_data *data, spur_error *err) {
    static const float mean[3] = {0.485f, 0.456f, 0.406f}, std[3] = {0.229f, 0.224f, 0.225f};
    if (data->info.channels != 3)
        return spur__fail(err, SPUR_E_RANGE,
                          "normalization imagenet: the data have %d channel(s), expected 3",
                          data->info.channels);
    memcpy(data->mean, mean, sizeof mean);
    memcpy(data->std, std, sizeof std);
    return SPUR_OK;
}

/* A deviation that is nothing but rounding. Pixels are 0..1; numbers of tables have any scale. */
static bool is_constant(const spur_data *data, size_t c) {
    double least = one_pixel(data) ? 1e-8 * fabs(data->statistics.mean[c]) + 1e-37 : 1e-6;
    return !((float)data->statistics.std[c] > (float)least);
}

static spur_status set_normalization(spur_data *data, spur_error *err) {
    size_t channels = (size_t)data->info.channels;
    const char *how = data->common->normalization;
    data->mean = spur__calloc(channels, sizeof *data->mean);
    data->std = spur__calloc(channels, sizeof *data->std);
    if (!data->mean || !data->std) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (size_t c = 0; c < channels; c++) data->std[c] = 1;
    if (strcmp(how, "none") == 0) return SPUR_OK;
    if (strcmp(how, "imagenet") == 0) return set_imagenet(data, err);
    if (strcmp(how, "dataset") != 0) return set_numbers(data, how, err);
    for (size_t c = 0; c < channels; c++) {
        data->mean[c] = (float)data->statistics.mean[c];
        data->std[c] = (float)data->statistics.std[c];
        if (is_constant(data, c)) data->std[c] = 1; /* it stays 0 */
    }
    return SPUR_OK;
}

/* ---- all together ---------------------------------------------------------------------------- */

static spur_status check_headers(const spur_data *data, spur_error *err) {
    const spur__dataset_kind *kind = data->kind;
    spur__bytes bytes = {0};
    spur_status status = SPUR_OK;
    for (size_t i = 0; i < data->item_count && status == SPUR_OK && kind->check; i++)
        status = kind->check(data, (uint32_t)i, &bytes, err);
    spur__bytes_free(&bytes);
    return status;
}

spur_status spur__data_prepare(spur_data *data, spur_error *err) {
    bool everything = data->common->verify == SPUR__VERIFY_FULL;
    bool masks = data->info.task == SPUR_SEGMENTATION;
    SPUR__TRY(allocate(data, err));
    if (data->common->verify == SPUR__VERIFY_HEADER) SPUR__TRY(check_headers(data, err));
    if (everything || masks || strcmp(data->common->normalization, "dataset") == 0) {
        if (!spur__statistics_cache_load(data, everything)) {
            SPUR__TRY(gather(data, everything, err));
            spur__statistics_cache_store(data, everything);
        }
    }
    if (data->kind->audit) SPUR__TRY(data->kind->audit(data, err));
    if (data->info.task == SPUR_CLASSIFICATION) count_labels(data);
    if (masks) SPUR__TRY(count_pixels(data, err));
    return set_normalization(data, err);
}
