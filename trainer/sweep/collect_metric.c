/* SPDX-License-Identifier: MIT
 *
 * Which numbers of a run a report is about, and whether large or small ones are good; see collect.h.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "nn/metric.h"
#include "sweep/collect.h"

spur_status metric_list_parse(metric_list *m, const char *text, spur_error *err) {
    *m = (metric_list){.count = 0};
    while (text) {
        const char *comma = strchr(text, ',');
        size_t n = comma ? (size_t)(comma - text) : strlen(text);
        spur_status status = SPUR_OK;
        if (n == 0)
            status = spur__fail(err, SPUR_E_FORMAT, "--metric: expected a column's name");
        else if (m->count == 1 + REPORT_OTHERS)
            status =
                spur__fail(err, SPUR_E_RANGE, "--metric: at most %d columns", 1 + REPORT_OTHERS);
        else if (!(m->names[m->count] = spur__strndup(text, n)))
            status = spur__fail(err, SPUR_E_MEMORY, "compare: out of memory");
        if (status != SPUR_OK) {
            metric_list_free(m);
            return status;
        }
        m->count++;
        text = comma ? comma + 1 : NULL;
    }
    return SPUR_OK;
}

void metric_list_free(metric_list *m) {
    for (size_t i = 0; i < m->count; i++) spur__free(m->names[i]);
    m->count = 0;
}

size_t metric_list_others(const metric_list *m) {
    return m->count ? m->count - 1 : 1;
}

/* The monitor's last value: status.ini has it for programs, metrics.csv for the trainer. */
static spur_status last_of(const char *run, const run_outcome *o, double *last, spur_error *err) {
    *last = o->last;
    if (!isnan(*last)) return SPUR_OK;
    spur_error why = {.status = SPUR_OK};
    spur_status status = run_metric_last(run, o->monitor, last, &why);
    if (status == SPUR_OK || status == SPUR_E_NOTFOUND) return SPUR_OK;
    return spur__fail(err, status, "%s", why.message);
}

spur_status run_numbers(const char *run, const run_outcome *o, const metric_list *m,
                        double *numbers, spur_error *err) {
    if (m->count == 0) {
        numbers[0] = o->best;
        return last_of(run, o, &numbers[1], err);
    }
    for (size_t i = 0; i < m->count; i++)
        SPUR__TRY(run_metric_last(run, m->names[i], &numbers[i], err));
    return SPUR_OK;
}

/* Losses and errors are better small, every other column is better large. */
static bool is_small_good(const char *metric) {
    const char *name = strncmp(metric, "val_", 4) == 0 ? metric + 4 : metric;
    for (size_t i = 0; i < spur__metric_family.count; i++) {
        const spur__metric_kind *kind = (const void *)spur__metric_family.kinds[i];
        if (strcmp(kind->kind.name, name) == 0) return !kind->maximize;
    }
    return strcmp(name, "loss") == 0;
}

bool report_name_metrics(report *r, const metric_list *m, const run_outcome *runs, size_t count) {
    size_t i = 0;
    while (i < count && !runs[i].monitor[0]) i++;
    const char *monitor = i < count ? runs[i].monitor : "value";
    const char *metric = m->count ? m->names[0] : monitor;
    r->metric = spur__strdup(metric);
    r->maximize =
        i < count && strcmp(metric, monitor) == 0 ? runs[i].maximize : !is_small_good(metric);
    r->other_count = metric_list_others(m);
    bool complete = r->metric != NULL;
    for (size_t k = 0; k < r->other_count; k++) {
        r->others[k] = spur__strdup(m->count ? m->names[k + 1] : "last");
        complete = complete && r->others[k];
    }
    return complete;
}
