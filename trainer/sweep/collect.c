/* SPDX-License-Identifier: MIT
 *
 * Reading a sweep's directory; see collect.h. Reports on loose runs are in collect_runs.c.
 */
#include "sweep/collect.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "output/table.h"

bool is_sweep(const char *path) {
    char *marker = spur__path_join(path, "fingerprint.txt");
    bool found = marker && spur__exists(marker);
    spur__free(marker);
    return found;
}

/* Appends configuration number v->count if there is one. */
static spur_status read_one(sweep_view *v, bool *more, spur_error *err) {
    assignment a;
    spur_status status = sweep_read_configuration(&v->dir, &v->plan.space, v->count, &a, true, err);
    *more = status == SPUR_OK;
    if (status == SPUR_E_NOTFOUND) return SPUR_OK;
    SPUR__TRY(status);
    size_t seeds = v->plan.seed_count;
    assignment *list = spur__realloc_array(v->configurations, v->count + 1, sizeof *list);
    if (list) v->configurations = list;
    run_outcome *outcomes =
        list ? spur__realloc_array(v->outcomes, (v->count + 1) * seeds, sizeof *outcomes) : NULL;
    if (outcomes) v->outcomes = outcomes;
    if (!outcomes) {
        assignment_free(&v->plan.space, &a);
        return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", v->dir.path);
    }
    v->configurations[v->count] = a;
    size_t at = v->count++ * seeds;
    for (size_t s = 0; s < seeds; s++) {
        char name[64];
        sweep_trial_name(&v->plan, v->count - 1, s, name, sizeof name);
        char *run = sweep_path(&v->dir, "%s", name);
        status = run ? run_outcome_read(run, &v->outcomes[at + s], err) : SPUR_E_MEMORY;
        spur__free(run);
        SPUR__TRY(status);
    }
    return SPUR_OK;
}

spur_status sweep_view_open(sweep_view *v, const char *path, spur_error *err) {
    *v = (sweep_view){.count = 0};
    if (!is_sweep(path)) return spur__fail(err, SPUR_E_NOTFOUND, "%s: no sweep there", path);
    char *ini = spur__path_join(path, "sweep.ini");
    if (!ini) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    spur_status status = config_load(&v->cfg, ini, NULL, 0, err);
    spur__free(ini);
    if (status != SPUR_OK) return status;
    status = sweep_plan_make(&v->plan, &v->cfg, err);
    if (status != SPUR_OK) {
        config_free(&v->cfg);
        return status;
    }
    v->dir.path = spur__strdup(path);
    if (!v->dir.path) status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    for (bool more = true; status == SPUR_OK && more;) status = read_one(v, &more, err);
    if (status != SPUR_OK) sweep_view_close(v);
    return status;
}

void sweep_view_close(sweep_view *v) {
    for (size_t i = 0; i < v->count; i++) assignment_free(&v->plan.space, &v->configurations[i]);
    spur__free(v->configurations);
    spur__free(v->outcomes);
    sweep_dir_close(&v->dir);
    sweep_plan_free(&v->plan);
    config_free(&v->cfg);
    *v = (sweep_view){.count = 0};
}

size_t sweep_view_find(const sweep_view *v, const char *label) {
    for (size_t c = 0; c < v->count; c++) {
        spur__str text;
        spur__str_init(&text, 4096);
        assignment_label(&v->plan.space, &v->configurations[c], &text);
        bool same = strcmp(spur__str_text(&text), label) == 0;
        spur__str_free(&text);
        if (same) return c;
    }
    return 0;
}

/* The numbers of one configuration's runs. */
static spur_status fill_group(const sweep_view *v, size_t c, const metric_list *metrics,
                              report_group *g, spur_error *err) {
    size_t seeds = v->plan.seed_count, others = metric_list_others(metrics);
    spur__str label;
    spur__str_init(&label, 4096);
    assignment_label(&v->plan.space, &v->configurations[c], &label);
    if (!report_group_init(g, spur__str_take(&label), seeds, others))
        return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", v->dir.path);
    for (size_t s = 0; s < seeds; s++) {
        const run_outcome *o = &v->outcomes[c * seeds + s];
        double numbers[1 + REPORT_OTHERS];
        char name[64];
        g->failed += run_outcome_failed(o);
        g->pruned += o->verdict == VERDICT_PRUNED;
        if (o->verdict != VERDICT_DONE && o->verdict != VERDICT_PRUNED) {
            g->unfinished += o->verdict != VERDICT_FAILED;
            continue;
        }
        sweep_trial_name(&v->plan, c, s, name, sizeof name);
        char *run = sweep_path(&v->dir, "%s", name);
        if (!run) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", v->dir.path);
        spur_status status = run_numbers(run, o, metrics, numbers, err);
        spur__free(run);
        SPUR__TRY(status);
        report_group_add(g, numbers, others, (long long)v->plan.seeds[s]);
    }
    return SPUR_OK;
}

/* Index of a value among the factor's, appended when it is new; SIZE_MAX when out of memory. */
static size_t value_index(report_factor *f, const char *value) {
    for (size_t i = 0; i < f->value_count; i++)
        if (strcmp(f->values[i], value) == 0) return i;
    char **grown = spur__realloc_array(f->values, f->value_count + 1, sizeof *grown);
    if (!grown) return SIZE_MAX;
    f->values = grown;
    f->values[f->value_count] = spur__strdup(value);
    return f->values[f->value_count] ? f->value_count++ : SIZE_MAX;
}

/* Intervals have as many values as trials, and so may many numbers: they are cut into four ranges of
 * equal length. */
static const char *range_of(const parameter *p, const char *value, char *out, size_t n) {
    enum { MOST_CLASSES = 8 };
    double x = space_number(p, value), low = p->low, high = p->high;
    if (p->kind == DOMAIN_CHOICE) {
        if (p->choice_count <= MOST_CLASSES || space_rank(p, value) < 0) return value;
        x = (double)space_rank(p, value);
        low = 0;
        high = (double)p->choice_count;
    }
    double u = p->kind == DOMAIN_LOG ? log(x / low) / log(high / low) : (x - low) / (high - low);
    snprintf(out, n, "quarter %d", (int)fmin(3, fmax(0, floor(u * 4))) + 1);
    return out;
}

static bool fill_factor(const sweep_view *v, size_t i, report_factor *f) {
    const parameter *p = &v->plan.space.parameters[i];
    f->name = spur__strdup(p->name);
    f->of_group = spur__malloc_array(v->count + 1, sizeof *f->of_group);
    if (!f->name || !f->of_group) return false;
    for (size_t c = 0; c < v->count; c++) {
        char text[32];
        const char *value = v->configurations[c].values[i];
        f->of_group[c] = value ? value_index(f, range_of(p, value, text, sizeof text)) : SIZE_MAX;
    }
    return true;
}

spur_status sweep_view_report(const sweep_view *v, const metric_list *metrics, report *out,
                              spur_error *err) {
    size_t trials = v->count * v->plan.seed_count;
    char *changes = sweep_path(&v->dir, "changes.txt");
    *out = (report){.mixed = changes && spur__exists(changes)};
    spur__free(changes);
    out->groups = spur__calloc(v->count + 1, sizeof *out->groups);
    out->factors = spur__calloc(v->plan.space.count + 1, sizeof *out->factors);
    spur_status status = SPUR_OK;
    if (!out->groups || !out->factors || !report_name_metrics(out, metrics, v->outcomes, trials))
        status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", v->dir.path);
    for (size_t c = 0; status == SPUR_OK && c < v->count; c++)
        status = fill_group(v, c, metrics, &out->groups[out->group_count++], err);
    for (size_t i = 0; status == SPUR_OK && i < v->plan.space.count; i++)
        if (!fill_factor(v, i, &out->factors[out->factor_count++]))
            status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", v->dir.path);
    if (status != SPUR_OK) {
        report_free(out);
        return status;
    }
    report_sort(out);
    return SPUR_OK;
}

static cell cell_of(const char *text) {
    return cell_text(text, strlen(text));
}

/* One trial: its place, its values, what came of it. */
static void put_row(const sweep_view *v, size_t c, size_t s, cell *cells, table *t) {
    const run_outcome *o = &v->outcomes[c * v->plan.seed_count + s];
    char name[64];
    size_t n = 0;
    sweep_trial_name(&v->plan, c, s, name, sizeof name);
    cells[n++] = cell_of(name);
    cells[n++] = cell_int((int64_t)c + 1);
    cells[n++] = cell_int(v->plan.seeds[s]);
    cells[n++] = cell_of(run_verdict_names[o->verdict]);
    for (size_t i = 0; i < v->plan.space.count; i++) {
        const char *value = v->configurations[c].values[i];
        cells[n++] = value ? cell_of(value) : (cell){.type = CELL_NONE};
    }
    bool known = !isnan(o->best);
    cells[n++] = cell_of(o->monitor);
    cells[n++] = known ? cell_number(o->best) : (cell){.type = CELL_NONE};
    cells[n++] = known ? cell_int(o->best_epoch) : (cell){.type = CELL_NONE};
    cells[n++] = known ? cell_int(o->epochs) : (cell){.type = CELL_NONE};
    table_row(t, cells);
}

static spur_status put_results(const sweep_view *v, FILE *file) {
    static const char *const before[] = {"trial", "configuration", "seed", "state"},
                             *const after[] = {"monitor", "best", "best_epoch", "epochs"};
    size_t n = v->plan.space.count;
    column *columns = spur__calloc(n + 8, sizeof *columns);
    cell *cells = spur__calloc(n + 8, sizeof *cells);
    spur_status status = SPUR_E_MEMORY;
    if (columns && cells) {
        table t;
        for (size_t i = 0; i < 4; i++) columns[i].name = before[i];
        for (size_t i = 0; i < n; i++) columns[4 + i].name = v->plan.space.parameters[i].name;
        for (size_t i = 0; i < 4; i++) columns[4 + n + i].name = after[i];
        table_begin(&t, file, TABLE_CSV, columns, n + 8);
        table_head(&t);
        for (size_t c = 0; c < v->count; c++)
            for (size_t s = 0; s < v->plan.seed_count; s++) put_row(v, c, s, cells, &t);
        status = table_end(&t);
    }
    spur__free(cells);
    spur__free(columns);
    return status;
}

spur_status sweep_view_write_results(const sweep_view *v, spur_error *err) {
    char *text = NULL, *path = sweep_path(&v->dir, "results.csv");
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    spur_status status = file && path ? put_results(v, file) : SPUR_E_MEMORY;
    if (file && fclose(file) != 0) status = SPUR_E_MEMORY;
    if (status == SPUR_OK)
        status = spur__file_write(path, text, size, err);
    else
        spur__fail(err, status, "%s: out of memory", v->dir.path);
    free(text);
    spur__free(path);
    return status;
}
