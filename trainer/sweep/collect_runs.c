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
#include "config/config.h"
#include "sweep/catalog.h"
#include "sweep/collect.h"

/* One run: its options as sorted "section.key = value" lines. */
typedef struct loose_run {
    const char *path;
    document doc;
    double numbers[1 + REPORT_OTHERS];
    long long seed;
    size_t group;
    bool repeated; /* another run of its seed counts for the group */
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

static spur_status read_run(loose_run *r, const char *path, const metric_list *metrics,
                            run_outcome *outcome, spur_error *err) {
    r->path = path;
    SPUR__TRY(run_require(path, "config.ini", err));
    char *ini = spur__path_join(path, "config.ini");
    spur_status status = ini ? document_read(&r->doc, ini, err)
                             : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    spur__free(ini);
    SPUR__TRY(status);
    SPUR__TRY(run_outcome_read(path, outcome, err));
    const document_entry *seed = document_find(&r->doc, "run", "seed");
    r->seed = seed ? strtoll(seed->value, NULL, 10) : 0;
    return run_numbers(path, outcome, metrics, r->numbers, err);
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
        if (out.length) spur__str_putc(&out, ' ');
        config_short_name(e->section, e->key, &out);
        spur__str_printf(&out, "=%s", e->value);
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

/* Everything there is to compare: `count` runs and what came of each. */
typedef struct loose_runs {
    loose_run *list;
    run_outcome *outcomes;
    size_t count;
} loose_runs;

/* Whether run `a` counts for its seed rather than `b`: one with a value, of two such the newest. */
static bool counts_before(const loose_runs *runs, size_t a, size_t b) {
    bool left = isnan(runs->list[a].numbers[0]), right = isnan(runs->list[b].numbers[0]);
    if (left != right) return right;
    int order = strcmp(runs->outcomes[a].started, runs->outcomes[b].started);
    return order > 0 || (order == 0 && a > b);
}

/* Runs of one configuration with the same seed come to the same: they are one repetition. */
static size_t leave_out_repeated(loose_runs *runs) {
    size_t left_out = 0;
    for (size_t i = 0; i < runs->count; i++) {
        loose_run *own = &runs->list[i];
        for (size_t k = 0; k < runs->count && !own->repeated; k++) {
            const loose_run *other = &runs->list[k];
            own->repeated = k != i && other->group == own->group && other->seed == own->seed &&
                            counts_before(runs, k, i);
        }
        left_out += own->repeated;
    }
    return left_out;
}

/* Runs are taken by their seeds, so that these have one order in all groups. */
typedef struct seeded {
    long long seed;
    size_t run;
} seeded;

static int by_seed(const void *a, const void *b) {
    const seeded *x = a, *y = b;
    if (x->seed != y->seed) return x->seed < y->seed ? -1 : 1;
    return x->run < y->run ? -1 : 1;
}

static seeded *order_by_seed(const loose_runs *runs) {
    seeded *order = spur__malloc_array(runs->count + 1, sizeof *order);
    if (!order) return NULL;
    for (size_t i = 0; i < runs->count; i++) order[i] = (seeded){runs->list[i].seed, i};
    qsort(order, runs->count, sizeof *order, by_seed);
    return order;
}

static bool fill_group(const loose_runs *runs, const seeded *order, char *label, size_t g,
                       size_t others, report_group *out) {
    if (!report_group_init(out, label, runs->count, others)) return false;
    for (size_t k = 0; k < runs->count; k++) {
        size_t i = order[k].run;
        if (runs->list[i].group != g || runs->list[i].repeated) continue;
        out->failed += run_outcome_failed(&runs->outcomes[i]);
        out->pruned += runs->outcomes[i].verdict == VERDICT_PRUNED;
        out->unfinished +=
            runs->outcomes[i].verdict == VERDICT_DAMAGED && isnan(runs->list[i].numbers[0]);
        report_group_add(out, runs->list[i].numbers, others, runs->list[i].seed);
    }
    return true;
}

static spur_status make_report(loose_runs *runs, const metric_list *metrics, report *out,
                               spur_error *err) {
    size_t *firsts = spur__malloc_array(runs->count + 1, sizeof *firsts);
    size_t groups = firsts ? number_groups(runs->list, runs->count, firsts) : 0;
    out->groups = spur__calloc(groups + 1, sizeof *out->groups);
    out->repeated = leave_out_repeated(runs);
    seeded *order = order_by_seed(runs);
    bool complete = firsts && order && out->groups &&
                    report_name_metrics(out, metrics, runs->outcomes, runs->count);
    for (size_t g = 0; complete && g < groups; g++)
        complete = fill_group(runs, order, label_of(runs->list, firsts, groups, g), g,
                              out->other_count, &out->groups[out->group_count++]);
    spur__free(firsts);
    spur__free(order);
    if (complete) report_sort(out);
    return complete ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "compare: out of memory");
}

spur_status runs_report(char *const *paths, size_t count, const metric_list *metrics, report *out,
                        spur_error *err) {
    *out = (report){.group_count = 0};
    loose_runs runs = {.list = spur__calloc(count + 1, sizeof *runs.list),
                       .outcomes = spur__calloc(count + 1, sizeof *runs.outcomes),
                       .count = count};
    spur_status status = SPUR_OK;
    if (!runs.list || !runs.outcomes) {
        spur__free(runs.list);
        spur__free(runs.outcomes);
        return spur__fail(err, SPUR_E_MEMORY, "compare: out of memory");
    }
    for (size_t i = 0; i < count; i++) document_init(&runs.list[i].doc);
    for (size_t i = 0; status == SPUR_OK && i < count; i++)
        status = read_run(&runs.list[i], paths[i], metrics, &runs.outcomes[i], err);
    if (status == SPUR_OK) status = make_report(&runs, metrics, out, err);
    for (size_t i = 0; i < count; i++) document_free(&runs.list[i].doc);
    spur__free(runs.list);
    spur__free(runs.outcomes);
    if (status != SPUR_OK) report_free(out);
    return status;
}
