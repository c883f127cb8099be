/* SPDX-License-Identifier: MIT
 *
 * Which item belongs to which split: validation items set aside per class (stratified, whole groups
 * at a time), the training classes thinned to a long tail (Cui et al. 2019: class i of K keeps the
 * share F^(i / (K - 1))), and the list of items of each split in their order of listing.
 */
#include "data/dataset.h"

#include <string.h>

#include "base/error.h"
#include "base/fmath.h"
#include "base/memory.h"
#include "base/random.h"

typedef enum tail { TAIL_NONE, TAIL_EXP, TAIL_STEP } tail;

/* Parses "none", "exp:0.01" or "step:0.1". */
static bool parse_imbalance(const char *text, tail *kind, double *factor) {
    *kind = TAIL_NONE;
    *factor = 1;
    if (!text || text[0] == '\0' || strcmp(text, "none") == 0) return true;
    if (strncmp(text, "exp:", 4) == 0)
        *kind = TAIL_EXP, text += 4;
    else if (strncmp(text, "step:", 5) == 0)
        *kind = TAIL_STEP, text += 5;
    else
        return false;
    return spur__parse_double(text, factor) && *factor > 0 && *factor <= 1;
}

spur_status spur__check_imbalance(const char *value, spur_error *err) {
    tail kind;
    double factor;
    if (parse_imbalance(value, &kind, &factor)) return SPUR_OK;
    return spur__fail(err, SPUR_E_RANGE,
                      "found '%s', expected none, exp:F or step:F with F in (0, 1]", value);
}

/* One group of training items: its first item stands for it. */
typedef struct group {
    uint32_t id;
    int32_t label;
} group;

/* Lists the groups of training items (items of a group follow each other). */
static size_t list_groups(const spur_data *data, group *groups) {
    size_t count = 0;
    for (size_t i = 0; i < data->item_count; i++) {
        const spur__item *item = &data->items[i];
        if (item->split != SPUR_SPLIT_TRAIN) continue;
        if (count > 0 && groups[count - 1].id == item->group) continue;
        groups[count++] = (group){item->group, item->label};
    }
    return count;
}

/* Moves all items of the marked groups to validation. */
static void move_marked(spur_data *data, const group *groups, size_t count, const bool *marked) {
    size_t at = 0;
    for (size_t i = 0; i < data->item_count && at < count; i++) {
        spur__item *item = &data->items[i];
        if (item->split != SPUR_SPLIT_TRAIN) continue;
        while (at < count && groups[at].id != item->group) at++;
        if (at < count && marked[at]) item->split = SPUR_SPLIT_VALIDATION;
    }
}

/* Marks round(share * n) of the n groups with this label, at least one of two or more. */
static void mark_label(const spur_data *data, const group *groups, size_t count, int32_t label,
                       uint32_t *order, bool *marked) {
    spur__rng rng;
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (groups[i].label == label) order[n++] = (uint32_t)i;
    spur__rng_init(&rng, (uint64_t)data->common->seed, SPUR__STREAM_SPLIT, 0, (uint64_t)label);
    spur__rng_shuffle(&rng, order, n);
    size_t take = (size_t)(data->common->val_split * (double)n + 0.5);
    if (take == 0 && n > 1) take = 1;
    if (take >= n && n > 0) take = n - 1;
    for (size_t i = 0; i < take; i++) marked[order[i]] = true;
}

static spur_status split_validation(spur_data *data, spur_error *err) {
    if (data->common->val_split <= 0) return SPUR_OK;
    for (size_t i = 0; i < data->item_count; i++)
        if (data->items[i].split == SPUR_SPLIT_VALIDATION)
            return SPUR_OK; /* it came with its own */
    group *groups = spur__malloc_array(data->item_count, sizeof *groups);
    uint32_t *order = spur__malloc_array(data->item_count, sizeof *order);
    bool *marked = spur__calloc(data->item_count, sizeof *marked);
    spur_status status = SPUR_OK;
    if (groups && order && marked) {
        size_t count = list_groups(data, groups);
        bool classes = data->info.task == SPUR_CLASSIFICATION;
        for (int32_t label = 0; label < (classes ? (int32_t)data->info.classes : 1); label++)
            mark_label(data, groups, count, label, order, marked);
        move_marked(data, groups, count, marked);
    } else {
        status = spur__fail(err, SPUR_E_MEMORY, "out of memory");
    }
    spur__free(groups);
    spur__free(order);
    spur__free(marked);
    return status;
}

/* How many of the largest class's `most` items class i of `classes` keeps. */
static size_t kept(tail kind, double factor, size_t i, size_t classes, size_t most) {
    double share = factor;
    if (kind == TAIL_EXP && classes > 1)
        share = (double)spur__expf(spur__logf((float)factor) * (float)i / (float)(classes - 1));
    if (kind == TAIL_STEP && i < (classes + 1) / 2) share = 1;
    size_t n = (size_t)((double)most * share + 0.5);
    return n ? n : 1;
}

/* Drops all but `keep` random training items of one class. */
static void thin_class(spur_data *data, int32_t label, size_t keep, uint32_t *order) {
    spur__rng rng;
    size_t n = 0;
    for (size_t i = 0; i < data->item_count; i++)
        if (data->items[i].split == SPUR_SPLIT_TRAIN && data->items[i].label == label)
            order[n++] = (uint32_t)i;
    spur__rng_init(&rng, (uint64_t)data->common->seed, SPUR__STREAM_SPLIT, 1, (uint64_t)label);
    spur__rng_shuffle(&rng, order, n);
    for (size_t i = keep; i < n; i++) data->items[order[i]].dropped = true;
}

static spur_status thin(spur_data *data, spur_error *err) {
    tail kind;
    double factor;
    if (!parse_imbalance(data->common->imbalance, &kind, &factor) || kind == TAIL_NONE)
        return SPUR_OK;
    if (data->info.task != SPUR_CLASSIFICATION)
        return spur__fail(err, SPUR_E_UNSUPPORTED, "imbalance: these data have no classes to thin");
    size_t classes = data->info.classes, most = 0;
    size_t *counts = spur__calloc(classes, sizeof *counts);
    uint32_t *order = spur__malloc_array(data->item_count, sizeof *order);
    spur_status status = SPUR_OK;
    if (counts && order) {
        for (size_t i = 0; i < data->item_count; i++)
            if (data->items[i].split == SPUR_SPLIT_TRAIN) counts[data->items[i].label]++;
        for (size_t i = 0; i < classes; i++) most = counts[i] > most ? counts[i] : most;
        for (size_t i = 0; i < classes; i++)
            thin_class(data, (int32_t)i, kept(kind, factor, i, classes, most), order);
    } else {
        status = spur__fail(err, SPUR_E_MEMORY, "out of memory");
    }
    spur__free(counts);
    spur__free(order);
    return status;
}

spur_status spur__data_split(spur_data *data, spur_error *err) {
    SPUR__TRY(split_validation(data, err));
    SPUR__TRY(thin(data, err));
    for (size_t i = 0; i < data->item_count; i++)
        if (!data->items[i].dropped) data->splits[data->items[i].split].count++;
    for (int s = 0; s < SPUR_SPLIT_COUNT; s++) {
        spur__index *index = &data->splits[s];
        index->items = spur__malloc_array(index->count, sizeof *index->items);
        if (!index->items) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
        index->count = 0;
    }
    for (size_t i = 0; i < data->item_count; i++) {
        spur__index *index = &data->splits[data->items[i].split];
        if (!data->items[i].dropped) index->items[index->count++] = (uint32_t)i;
    }
    return SPUR_OK;
}
