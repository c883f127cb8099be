/* SPDX-License-Identifier: MIT
 *
 * Reading a sweep's directory; see collect.h. Reports on loose runs are in collect_runs.c.
 */
#include "sweep/collect.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

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

/* The values of one configuration's runs that have one. */
static bool fill_group(const sweep_view *v, size_t c, report_group *g) {
    size_t seeds = v->plan.seed_count;
    spur__str label;
    spur__str_init(&label, 4096);
    assignment_label(&v->plan.space, &v->configurations[c], &label);
    g->label = spur__str_take(&label);
    g->values = spur__malloc_array(seeds, sizeof *g->values);
    g->seeds = spur__malloc_array(seeds, sizeof *g->seeds);
    if (!g->label || !g->values || !g->seeds) return false;
    for (size_t s = 0; s < seeds; s++) {
        const run_outcome *o = &v->outcomes[c * seeds + s];
        g->failed += o->verdict == VERDICT_FAILED;
        g->pruned += o->verdict == VERDICT_PRUNED;
        if ((o->verdict != VERDICT_DONE && o->verdict != VERDICT_PRUNED) || isnan(o->best))
            continue;
        g->values[g->count] = o->best;
        g->seeds[g->count++] = (long long)v->plan.seeds[s];
    }
    return true;
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

/* Intervals have as many values as trials: they are cut into four ranges of equal length. */
static const char *range_of(const parameter *p, const char *value, char *out, size_t n) {
    double x = space_number(p, value), low = p->low, high = p->high;
    if (p->kind == DOMAIN_CHOICE) return value;
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

/* Metric and direction, from the first run that tells. */
static void fill_metric(const sweep_view *v, report *out) {
    for (size_t i = 0; i < v->count * v->plan.seed_count; i++) {
        if (!v->outcomes[i].monitor[0]) continue;
        out->metric = spur__strdup(v->outcomes[i].monitor);
        out->maximize = v->outcomes[i].maximize;
        return;
    }
    out->metric = spur__strdup("value");
}

spur_status sweep_view_report(const sweep_view *v, report *out, spur_error *err) {
    *out = (report){.group_count = 0};
    out->groups = spur__calloc(v->count + 1, sizeof *out->groups);
    out->factors = spur__calloc(v->plan.space.count + 1, sizeof *out->factors);
    fill_metric(v, out);
    bool complete = out->groups && out->factors && out->metric;
    for (size_t c = 0; complete && c < v->count; c++)
        complete = fill_group(v, c, &out->groups[out->group_count++]);
    for (size_t i = 0; complete && i < v->plan.space.count; i++)
        complete = fill_factor(v, i, &out->factors[out->factor_count++]);
    if (!complete) {
        report_free(out);
        return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", v->dir.path);
    }
    report_sort(out);
    return SPUR_OK;
}

/* Texts with a comma, quote or newline in them are quoted. */
static void put_cell(spur__str *out, const char *text) {
    bool quote = strpbrk(text, ",\"\n") != NULL;
    if (quote) spur__str_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"') spur__str_putc(out, '"');
        spur__str_putc(out, *text);
    }
    if (quote) spur__str_putc(out, '"');
}

static void put_row(const sweep_view *v, size_t c, size_t s, spur__str *out) {
    const run_outcome *o = &v->outcomes[c * v->plan.seed_count + s];
    char name[64];
    sweep_trial_name(&v->plan, c, s, name, sizeof name);
    spur__str_printf(out, "%s,%zu,%lld,%s", name, c + 1, (long long)v->plan.seeds[s],
                     run_verdict_names[o->verdict]);
    for (size_t i = 0; i < v->plan.space.count; i++) {
        const char *value = v->configurations[c].values[i];
        spur__str_putc(out, ',');
        if (value) put_cell(out, value);
    }
    spur__str_printf(out, ",%s,", o->monitor);
    if (!isnan(o->best)) {
        spur__str_double(out, o->best);
        spur__str_printf(out, ",%lld,%lld\n", o->best_epoch, o->epochs);
    } else {
        spur__str_puts(out, ",,\n");
    }
}

spur_status sweep_view_write_results(const sweep_view *v, spur_error *err) {
    spur__str out;
    spur__str_init(&out, 1u << 30);
    spur__str_puts(&out, "trial,configuration,seed,state");
    for (size_t i = 0; i < v->plan.space.count; i++) {
        spur__str_putc(&out, ',');
        put_cell(&out, v->plan.space.parameters[i].name);
    }
    spur__str_puts(&out, ",monitor,best,best_epoch,epochs\n");
    for (size_t c = 0; c < v->count; c++)
        for (size_t s = 0; s < v->plan.seed_count; s++) put_row(v, c, s, &out);
    char *path = sweep_path(&v->dir, "results.csv");
    spur_status status = path ? spur__str_status(&out) : SPUR_E_MEMORY;
    if (status == SPUR_OK)
        status = spur__file_write(path, spur__str_text(&out), out.length, err);
    else
        spur__fail(err, status, "%s: out of memory", v->dir.path);
    spur__free(path);
    spur__str_free(&out);
    return status;
}
