/* SPDX-License-Identifier: MIT
 *
 * Means and bands over seeds as event files; see aggregate.h. The values come from the events of the
 * trials, so that programs which are not ours are averaged like the trainer's own runs.
 */
#include "sweep/aggregate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spur/events.h>
#include <spur/log.h>

#include "base/error.h"
#include "base/memory.h"
#include "run/remove.h"
#include "sweep/claim.h"
#include "sweep/stats.h"

enum { MAX_BANDS = 64, NAME = 160 };

static const char *const parts[] = {"mean", "lower", "upper"};

/* All scalars of the finished seeds of one configuration. */
typedef struct bundle {
    spur_scalars **runs;
    size_t count;
    double *scratch; /* [count] */
    int64_t *steps; /* of the series in hand */
} bundle;

static void bundle_free(bundle *b) {
    for (size_t i = 0; i < b->count; i++) spur_scalars_destroy(b->runs[i]);
    spur__free(b->runs);
    spur__free(b->scratch);
    spur__free(b->steps);
}

static spur_status bundle_load(const sweep_view *v, size_t c, bundle *b, spur_error *err) {
    size_t seeds = v->plan.seed_count;
    *b = (bundle){.runs = spur__calloc(seeds, sizeof *b->runs),
                  .scratch = spur__calloc(seeds, sizeof *b->scratch)};
    if (!b->runs || !b->scratch)
        return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", v->dir.path);
    const spur_scalars_options options = {.supersede = true};
    for (size_t s = 0; s < seeds; s++) {
        char name[64];
        if (v->outcomes[c * seeds + s].verdict != VERDICT_DONE) continue;
        sweep_trial_name(&v->plan, c, s, name, sizeof name);
        char *run = sweep_path(&v->dir, "%s", name);
        spur_status status =
            run ? spur_scalars_load(&b->runs[b->count], run, &options, err) : SPUR_E_MEMORY;
        spur__free(run);
        if (status == SPUR_E_NOTFOUND) continue;
        SPUR__TRY(status);
        b->count++;
    }
    return SPUR_OK;
}

/* The value of a series at a step; NaN when it has none there. `hint` is where to look first. */
static double value_at(const spur_series *s, int64_t step, size_t hint) {
    if (hint < s->count && s->steps[hint] == step) return s->values[hint];
    for (size_t i = 0; i < s->count; i++)
        if (s->steps[i] == step) return s->values[i];
    return NAN;
}

static int by_step(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Every step that some run has in a series called like `named`, in order, into b->steps. */
static size_t collect_steps(bundle *b, const spur_series *named, spur_error *err) {
    size_t total = 0, n = 0;
    for (size_t r = 0; r < b->count; r++) {
        const spur_series *s = spur_scalars_find(b->runs[r], named->run, named->tag);
        total += s ? s->count : 0;
    }
    int64_t *grown = spur__realloc_array(b->steps, total + 1, sizeof *grown);
    if (!grown) {
        spur__fail(err, SPUR_E_MEMORY, "out of memory");
        return 0;
    }
    b->steps = grown;
    for (size_t r = 0; r < b->count; r++) {
        const spur_series *s = spur_scalars_find(b->runs[r], named->run, named->tag);
        for (size_t i = 0; s && i < s->count; i++) b->steps[n++] = s->steps[i];
    }
    qsort(b->steps, n, sizeof *b->steps, by_step);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || b->steps[i] != b->steps[kept - 1]) b->steps[kept++] = b->steps[i];
    return kept;
}

/* Logs mean, mean - std and mean + std at every step that two seeds or more have: the first of them
 * may have stopped early. */
static void log_band(spur_writer *writer, const char *name, const spur_series *named, bundle *b,
                     spur_error *err) {
    char tag[NAME + 16];
    size_t steps = collect_steps(b, named, err);
    for (size_t i = 0; i < steps; i++) {
        size_t n = 0;
        for (size_t r = 0; r < b->count; r++) {
            const spur_series *s = spur_scalars_find(b->runs[r], named->run, named->tag);
            double x = s ? value_at(s, b->steps[i], i) : NAN;
            if (isfinite(x)) b->scratch[n++] = x;
        }
        if (n < 2) continue;
        summary_stats s = stats_summarize(b->scratch, n);
        const double values[] = {s.mean, s.mean - s.std, s.mean + s.std};
        for (size_t k = 0; k < 3; k++) {
            snprintf(tag, sizeof tag, "%s/%s", name, parts[k]);
            spur_log_scalar(writer, tag, b->steps[i], values[k]);
        }
    }
}

/* The trainer's single batches and timings are not averaged; of other programs everything is. */
static bool is_wanted(const sweep_view *v, const spur_series *s) {
    return s->count > 0 && (v->plan.is_program || strncmp(s->tag, "epoch_", 6) == 0);
}

/* "validation/epoch_loss"; the tag alone for the trial's own directory. */
static void name_of(const spur_series *s, char out[NAME]) {
    bool top = strcmp(s->run, ".") == 0;
    snprintf(out, NAME, "%s%s%s", top ? "" : s->run, top ? "" : "/", s->tag);
}

/* The custom-scalars layout: one margin chart per band. */
static void log_margins(spur_writer *writer, char names[MAX_BANDS][NAME], size_t count) {
    char tags[MAX_BANDS][3][NAME + 16]; /* every tag fits: "lower" is the longest part */
    spur_log_margin margins[MAX_BANDS];
    spur_log_chart charts[MAX_BANDS];
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < 3; k++)
            snprintf(tags[i][k], sizeof tags[i][k], "%.*s/%s", NAME - 1, names[i], parts[k]);
        margins[i] = (spur_log_margin){tags[i][0], tags[i][1], tags[i][2]};
        charts[i] = (spur_log_chart){.title = names[i], .margins = &margins[i], .margin_count = 1};
    }
    const spur_log_category category = {"mean and standard deviation over seeds", charts, count,
                                        false};
    spur_log_layout(writer, &category, 1, NULL);
}

static void log_all(const sweep_view *v, bundle *b, spur_writer *writer, spur_error *err) {
    char names[MAX_BANDS][NAME];
    size_t count = 0;
    for (size_t i = 0; i < spur_scalars_count(b->runs[0]) && count < MAX_BANDS; i++) {
        const spur_series *s = spur_scalars_series(b->runs[0], i);
        if (!is_wanted(v, s)) continue;
        name_of(s, names[count]);
        log_band(writer, names[count++], s, b, err);
    }
    if (count) log_margins(writer, names, count);
}

static spur_status aggregate_one(const sweep_view *v, size_t c, spur_error *err) {
    bundle b;
    spur_writer *writer = NULL;
    char *target = sweep_path(&v->dir, "groups/config_%04zu", c + 1);
    spur_status status = bundle_load(v, c, &b, err);
    if (status == SPUR_OK && !target) status = spur__fail(err, SPUR_E_MEMORY, "out of memory");
    if (status == SPUR_OK && b.count >= 2) {
        const spur_writer_options options = {.directory = target, .flush_seconds = -1};
        status = remove_tree(target, err);
        if (status == SPUR_OK) status = spur_writer_open(&writer, &options, err);
        if (status == SPUR_OK) {
            spur_error fault = {.status = SPUR_OK};
            log_all(v, &b, writer, &fault);
            status = spur_writer_close(writer, err);
            if (fault.status != SPUR_OK)
                status = spur__fail(err, fault.status, "%s", fault.message);
        }
    }
    bundle_free(&b);
    spur__free(target);
    return status;
}

spur_status sweep_aggregate(const sweep_view *v, const char *claim, spur_error *err) {
    if (v->plan.seed_count < 2) return SPUR_OK;
    for (size_t c = 0; c < v->count; c++) {
        claim_touch(claim);
        SPUR__TRY(aggregate_one(v, c, err));
    }
    return SPUR_OK;
}
