/* SPDX-License-Identifier: MIT
 *
 * Reports on runs of any origin: grouped by what their config.ini files have in common.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/document.h"
#include "sweep/collect.h"

/* One run: its options as sorted "section.key = value" lines, and what came of it. */
typedef struct loose_run {
    const char *path;
    document doc;
    run_outcome outcome;
    double value;
    long long seed;
    size_t group;
} loose_run;

static bool is_place(const document_entry *e) {
    static const char *const keys[] = {"seed", "name", "logdir", "threads"};
    if (strcmp(e->section, "run") != 0) return false;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(e->key, keys[i]) == 0) return true;
    return false;
}

/* Whether an entry of one run has another value in (or is missing from) the other. */
static bool differs(const document_entry *e, const document *other) {
    const document_entry *o = document_find(other, e->section, e->key);
    return !o || strcmp(o->value, e->value) != 0;
}

static bool same_configuration(const document *a, const document *b) {
    for (int side = 0; side < 2; side++) {
        const document *one = side ? b : a, *other = side ? a : b;
        for (size_t i = 0; i < one->count; i++) {
            const document_entry *e = &one->entries[i];
            if (e->key && !is_place(e) && strcmp(e->section, "log") != 0 && differs(e, other))
                return false;
        }
    }
    return true;
}

/* The best of the monitor, or the last value of the named column. */
static spur_status read_value(loose_run *r, const char *metric, spur_error *err) {
    r->value = r->outcome.best;
    if (!metric) return SPUR_OK;
    double *values;
    size_t count;
    SPUR__TRY(run_metric_column(r->path, metric, &values, &count, err));
    r->value = NAN;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i])) r->value = values[i];
    spur__free(values);
    return SPUR_OK;
}

static spur_status read_run(loose_run *r, const char *path, const char *metric, spur_error *err) {
    r->path = path;
    char *ini = spur__path_join(path, "config.ini");
    if (!ini) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    spur_status status = spur__exists(ini) ? document_read(&r->doc, ini, err)
                                           : spur__fail(err, SPUR_E_NOTFOUND,
                                                        "%s: no run there (no config.ini)", path);
    spur__free(ini);
    SPUR__TRY(status);
    SPUR__TRY(run_outcome_read(path, &r->outcome, err));
    const document_entry *seed = document_find(&r->doc, "run", "seed");
    r->seed = seed ? strtoll(seed->value, NULL, 10) : 0;
    return read_value(r, metric, err);
}

/* "lr=0.1 balance=none": the options in which the first runs of the groups differ. */
static char *label_of(const loose_run *runs, const size_t *firsts, size_t groups, size_t g) {
    const loose_run *own = &runs[firsts[g]];
    spur__str out;
    spur__str_init(&out, 4096);
    for (size_t i = 0; i < own->doc.count; i++) {
        const document_entry *e = &own->doc.entries[i];
        bool varies = false;
        if (!e->key || is_place(e) || strcmp(e->section, "log") == 0) continue;
        for (size_t k = 0; k < groups && !varies; k++) varies = differs(e, &runs[firsts[k]].doc);
        if (!varies) continue;
        bool selects = strcmp(e->key, "name") == 0 || strcmp(e->key, "method") == 0;
        spur__str_printf(&out, "%s%s=%s", out.length ? " " : "", selects ? e->section : e->key,
                         e->value);
    }
    if (out.length == 0) spur__str_puts(&out, groups > 1 ? "as the others" : own->path);
    return spur__str_take(&out);
}

/* Numbers the groups; firsts[g] is the first run of group g. */
static size_t number_groups(loose_run *runs, size_t count, size_t *firsts) {
    size_t groups = 0;
    for (size_t i = 0; i < count; i++) {
        size_t g = 0;
        while (g < groups && !same_configuration(&runs[i].doc, &runs[firsts[g]].doc)) g++;
        if (g == groups) firsts[groups++] = i;
        runs[i].group = g;
    }
    return groups;
}

static bool fill_group(const loose_run *runs, size_t count, const size_t *firsts, size_t groups,
                       size_t g, report_group *out) {
    out->label = label_of(runs, firsts, groups, g);
    out->values = spur__malloc_array(count, sizeof *out->values);
    out->seeds = spur__malloc_array(count, sizeof *out->seeds);
    if (!out->label || !out->values || !out->seeds) return false;
    for (size_t i = 0; i < count; i++) {
        if (runs[i].group != g) continue;
        out->failed += runs[i].outcome.verdict == VERDICT_FAILED;
        out->pruned += runs[i].outcome.verdict == VERDICT_PRUNED;
        if (isnan(runs[i].value)) continue;
        out->values[out->count] = runs[i].value;
        out->seeds[out->count++] = runs[i].seed;
    }
    return true;
}

static spur_status make_report(loose_run *runs, size_t count, const char *metric, report *out,
                               spur_error *err) {
    size_t *firsts = spur__malloc_array(count + 1, sizeof *firsts);
    size_t groups = firsts ? number_groups(runs, count, firsts) : 0;
    out->groups = spur__calloc(groups + 1, sizeof *out->groups);
    out->metric = spur__strdup(metric ? metric : runs[0].outcome.monitor);
    bool complete = firsts && out->groups && out->metric;
    for (size_t g = 0; complete && g < groups; g++)
        complete = fill_group(runs, count, firsts, groups, g, &out->groups[out->group_count++]);
    for (size_t i = 0; i < count; i++)
        if (runs[i].outcome.monitor[0]) out->maximize = runs[i].outcome.maximize;
    if (metric && strstr(metric, "loss")) out->maximize = false;
    spur__free(firsts);
    if (complete) report_sort(out);
    return complete ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "compare: out of memory");
}

spur_status runs_report(char *const *paths, size_t count, const char *metric, report *out,
                        spur_error *err) {
    *out = (report){.group_count = 0};
    loose_run *runs = spur__calloc(count + 1, sizeof *runs);
    if (!runs) return spur__fail(err, SPUR_E_MEMORY, "compare: out of memory");
    spur_status status = SPUR_OK;
    for (size_t i = 0; i < count; i++) document_init(&runs[i].doc);
    for (size_t i = 0; status == SPUR_OK && i < count; i++)
        status = read_run(&runs[i], paths[i], metric, err);
    if (status == SPUR_OK) status = make_report(runs, count, metric, out, err);
    for (size_t i = 0; i < count; i++) document_free(&runs[i].doc);
    spur__free(runs);
    if (status != SPUR_OK) report_free(out);
    return status;
}
