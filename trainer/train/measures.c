/* SPDX-License-Identifier: MIT
 *
 * Metrics by name, the monitor, and sums over batches; see measures.h.
 */
#include "train/measures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "config/settings.h"
#include "nn/kind.h"

static const char *automatic(const spur_data_info *info) {
    if (info->task == SPUR_REGRESSION) return "mae";
    if (info->task == SPUR_SEGMENTATION)
        return info->classes == 2 ? "iou(class=1), mean_iou, pixel_accuracy"
                                  : "mean_iou, pixel_accuracy";
    return "accuracy, f1";
}

void measures_free(measures *m) {
    for (size_t i = 0; i < m->count; i++)
        spur__kind_options_free(&m->items[i].kind->kind, m->items[i].options);
    m->count = 0;
}

/* Options that name a class, or count classes, fit the data's. */
static spur_status check_classes(const spur__kind *kind, const void *options, size_t classes,
                                 spur_error *err) {
    static const char *const keys[] = {"class", "k"};
    for (size_t i = 0; kind->options && i < 2; i++) {
        const spur__option *row = spur__options_find(kind->options, keys[i]);
        if (!row || row->type != SPUR__OPT_INT) continue;
        int64_t value = *(const int64_t *)((const char *)options + row->offset);
        int64_t most = (int64_t)classes - (i == 0);
        if (value > most)
            return spur__fail(
                err, SPUR_E_RANGE,
                "%s: found %s = %lld, expected at most %lld: the data have %zu classes", kind->name,
                keys[i], (long long)value, (long long)most, classes);
    }
    return SPUR_OK;
}

/* One of "f1", "top_k(k=3)", "iou(average=micro, class=1)". */
static spur_status add(measures *m, char *text, const spur_data_info *info, spur_error *err) {
    char *open = strchr(text, '('), *options = NULL;
    if (open) {
        char *close = strrchr(open, ')');
        if (!close || close[1]) return spur__fail(err, SPUR_E_FORMAT, "'%s': expected ')'", text);
        *open = *close = '\0';
        options = open + 1;
        for (char *p = options; *p; p++)
            if (*p == ',') *p = ' ';
    }
    if (m->count == MOST_METRICS)
        return spur__fail(err, SPUR_E_RANGE, "more than %d metrics", MOST_METRICS);
    measure *one = &m->items[m->count];
    const spur__kind *kind = spur__family_find(&spur__metric_family, spur__trim(text), err);
    if (!kind) return SPUR_E_NOTFOUND;
    *one = (measure){.kind = (const spur__metric_kind *)kind};
    if ((one->kind->task == SPUR__METRIC_VALUES) != (info->task == SPUR_REGRESSION))
        return spur__fail(err, SPUR_E_TYPE, "'%s' is for %s, the data have %s", kind->name,
                          one->kind->task == SPUR__METRIC_VALUES ? "numbers" : "classes",
                          info->task == SPUR_REGRESSION ? "numbers" : "classes");
    SPUR__TRY(spur__kind_options_create(kind, "metric", options, &one->options, err));
    spur__metric_label(one->kind, one->options, one->name, sizeof one->name);
    m->count++;
    SPUR__TRY(check_classes(kind, one->options, info->classes, err));
    for (size_t i = 0; i + 1 < m->count; i++)
        if (strcmp(m->items[i].name, one->name) == 0)
            return spur__fail(err, SPUR_E_EXISTS, "'%s' stands there twice", one->name);
    return SPUR_OK;
}

/* Length up to the next comma that is not in brackets. */
static size_t length_of_one(const char *p) {
    size_t n = 0;
    for (int depth = 0; p[n] && (p[n] != ',' || depth > 0); n++)
        depth += p[n] == '(' ? 1 : p[n] == ')' ? -1 : 0;
    return n;
}

static spur_status add_all(measures *m, const char *list, const spur_data_info *info,
                           spur_error *err) {
    char one[256];
    for (const char *p = list; p;) {
        size_t n = length_of_one(p);
        if (n >= sizeof one) return spur__fail(err, SPUR_E_RANGE, "name too long");
        memcpy(one, p, n);
        one[n] = '\0';
        SPUR__TRY(add(m, spur__trim(one), info, err));
        p = p[n] ? p + n + 1 : NULL;
    }
    return SPUR_OK;
}

/* The column called `name` ("loss", "val_f1"): sets the monitor. */
static bool find_monitor(measures *m, const char *name) {
    bool validation = strncmp(name, "val_", 4) == 0;
    const char *column = validation ? name + 4 : name;
    m->monitor_validation = validation;
    m->monitor_maximize = false;
    m->monitor_column = 0;
    snprintf(m->monitor_name, sizeof m->monitor_name, "%s", name);
    if (strcmp(column, "loss") == 0) return true;
    for (size_t i = 0; i < m->count; i++) {
        if (strcmp(m->items[i].name, column) != 0) continue;
        m->monitor_column = i + 1;
        m->monitor_maximize = m->items[i].kind->maximize;
        return true;
    }
    return false;
}

static void automatic_monitor(measures *m, const spur_data_info *info, bool has_validation) {
    char name[METRIC_NAME + 8];
    const char *column = info->task == SPUR_REGRESSION ? "loss" : m->items[0].name;
    snprintf(name, sizeof name, "%s%s", has_validation ? "val_" : "", column);
    find_monitor(m, name);
}

static spur_status unknown_monitor(const measures *m, const config *cfg, const char *name,
                                   spur_error *err) {
    char list[512] = "loss, val_loss";
    for (size_t i = 0; i < m->count; i++) {
        size_t n = strlen(list);
        snprintf(list + n, sizeof list - n, ", %s, val_%s", m->items[i].name, m->items[i].name);
    }
    return config_fail(cfg, SECTION_TRAIN, "monitor", SPUR_E_NOTFOUND, err,
                       "no column '%s'; there are: %s (see train.metrics)", name, list);
}

spur_status measures_init(measures *m, const config *cfg, const spur_data_info *info,
                          bool has_validation, spur_error *err) {
    const train_settings *train = config_common(cfg, SECTION_TRAIN, train_settings);
    bool by_task = strcmp(train->metrics, "auto") == 0;
    spur_error detail = {.status = SPUR_OK};
    memset(m, 0, sizeof *m);
    spur_status status = add_all(m, by_task ? automatic(info) : train->metrics, info, &detail);
    if (status != SPUR_OK) {
        config_fail(cfg, SECTION_TRAIN, "metrics", status, err, "%s", detail.message);
    } else if (strcmp(train->monitor, "auto") == 0) {
        automatic_monitor(m, info, has_validation);
    } else if (!find_monitor(m, train->monitor)) {
        status = unknown_monitor(m, cfg, train->monitor, err);
    } else if (m->monitor_validation && !has_validation) {
        status = config_fail(cfg, SECTION_TRAIN, "monitor", SPUR_E_NOTFOUND, err,
                             "'%s', but there are no validation data", train->monitor);
    }
    if (status != SPUR_OK) measures_free(m);
    return status;
}

spur_status pass_init(pass *p, const spur_data_info *info, spur_error *err) {
    *p = (pass){.loss_sum = 0};
    p->tally = spur_tally_create((int)info->classes,
                                 &(spur_tally_options){.ignore = info->ignore_index >= 0,
                                                       .ignore_index = info->ignore_index});
    return p->tally ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "out of memory");
}

void pass_free(pass *p) {
    spur_tally_destroy(p->tally);
    p->tally = NULL;
}

void pass_reset(pass *p) {
    spur_tally_reset(p->tally);
    p->loss_sum = p->samples = 0;
}

pass_result pass_finish(const pass *p, const measures *m) {
    pass_result r = {.loss = p->samples > 0 ? p->loss_sum / p->samples : NAN};
    for (size_t i = 0; i < m->count; i++)
        r.values[i] = m->items[i].kind->value(p->tally, m->items[i].options);
    return r;
}

double pass_column(const pass_result *r, size_t column) {
    return column == 0 ? r->loss : r->values[column - 1];
}
