/* SPDX-License-Identifier: MIT
 *
 * The tree-structured Parzen estimator (Bergstra, Bardenet, Bengio, Kegl: "Algorithms for
 * hyper-parameter optimization", NIPS 2011), in its multivariate form (Falkner, Klein, Hutter:
 * "BOHB", ICML 2018, section 3.2).
 *
 * Finished configurations are split into the best 15 % (at most 25) and the rest, to which those that
 * failed belong. Each side becomes a density over whole configurations (parzen.h); candidates are
 * drawn from the good one, and the candidate with the largest ratio good / rest wins.
 */
#include "sweep/search.h"

#include <math.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "sweep/parzen.h"

#define GOOD 0.15
enum { MAX_GOOD = 25 };

/* One candidate from the good side: its settled assignment and its point. */
static spur_status draw_candidate(const search_state *s, const parzen *good, spur__rng *rng,
                                  double *point, assignment *out) {
    parzen_draw(good, rng, point);
    for (size_t i = 0; i < s->space->count; i++)
        SPUR__TRY(parzen_set(good->axes, i, point[i], out));
    space_settle(s->space, out, s->lookup, s->context);
    for (size_t i = 0; i < s->space->count; i++)
        if (!out->values[i]) point[i] = -1;
    return SPUR_OK;
}

/* Finished before pruned before failed; among the finished by value; among the pruned those that came
 * farther first, then by value. Lower is better here. */
static bool better(const search_state *s, size_t a, size_t b) {
    const search_outcome *x = &s->known[a], *y = &s->known[b];
    double sign = s->maximize ? -1 : 1;
    if (x->state != y->state) return x->state < y->state;
    if (x->state == OUTCOME_FAILED) return a < b;
    if (x->state == OUTCOME_PRUNED && x->steps != y->steps) return x->steps > y->steps;
    if (x->value != y->value) return sign * x->value < sign * y->value;
    return a < b;
}

/* Indices of the outcomes that have come, best first (insertion sort: n is at most some thousands);
 * *failed of them, the last ones, have no value. */
static size_t rank_outcomes(const search_state *s, size_t *ranked, size_t *failed) {
    size_t n = 0;
    *failed = 0;
    for (size_t i = 0; i < s->count; i++) {
        const search_outcome *o = &s->known[i];
        if (o->state == OUTCOME_RUNNING) continue;
        if (o->state != OUTCOME_FAILED && !isfinite(o->value)) continue;
        *failed += o->state == OUTCOME_FAILED;
        size_t at = n++;
        for (; at > 0 && better(s, i, ranked[at - 1]); at--) ranked[at] = ranked[at - 1];
        ranked[at] = i;
    }
    return n;
}

/* The best of the candidates that are not known yet into *out; E_END when all of them are. */
static spur_status best_candidate(const search_state *s, const parzen *good, const parzen *rest,
                                  int64_t candidates, double *point, assignment *out) {
    assignment drawn;
    double best = -INFINITY;
    spur_status status = SPUR_OK;
    spur__rng rng;
    SPUR__TRY(assignment_init(s->space, &drawn));
    spur__rng_init(&rng, s->seed, SPUR__STREAM_SEARCH, 0x10000u, s->count);
    for (int64_t c = 0; c < candidates; c++) {
        SPUR__TRY_GOTO(draw_candidate(s, good, &rng, point, &drawn), done);
        double score = parzen_log_density(good, point) - parzen_log_density(rest, point);
        if (score <= best || search_known(s, &drawn)) continue;
        best = score;
        assignment swap = *out;
        *out = drawn;
        drawn = swap;
    }
    if (best == -INFINITY) status = SPUR_E_END;
done:
    assignment_free(s->space, &drawn);
    return status;
}

/* The densities of both sides, and what they make of the candidates. `points` has room for all. */
static spur_status suggest_from(const search_state *s, const parzen_axes *axes,
                                const size_t *ranked, size_t good_count, size_t n,
                                int64_t candidates, double *points, assignment *out) {
    size_t dims = axes->count;
    parzen good = {0}, rest = {0};
    for (size_t i = 0; i < n; i++)
        parzen_point(axes, &s->known[ranked[i]].assigned, points + i * dims);
    spur_status status = parzen_init(&good, axes, points, good_count);
    if (status == SPUR_OK)
        status = parzen_init(&rest, axes, points + good_count * dims, n - good_count);
    if (status == SPUR_OK) status = best_candidate(s, &good, &rest, candidates, points, out);
    parzen_free(&rest);
    parzen_free(&good);
    return status;
}

static spur_status suggest_tpe(search_state *s, const void *options, assignment *out,
                               spur_error *err) {
    const tpe_options *o = options;
    spur_status status = SPUR_E_MEMORY;
    if (s->count >= s->trials) return SPUR_E_END;
    parzen_axes axes = {0};
    size_t *ranked = spur__malloc_array(s->count + 1, sizeof *ranked);
    double *points = spur__malloc_array((s->count + 1) * (s->space->count + 1), sizeof *points);
    if (ranked && points && parzen_axes_init(&axes, s->space) == SPUR_OK) {
        size_t failed, n = rank_outcomes(s, ranked, &failed);
        size_t good_count = (size_t)ceil(GOOD * (double)(n - failed));
        if (good_count > MAX_GOOD) good_count = MAX_GOOD;
        status = SPUR_E_END;
        if (n >= (size_t)o->startup_trials && good_count > 0)
            status = suggest_from(s, &axes, ranked, good_count, n, o->candidates, points, out);
        if (status == SPUR_E_END) status = search_draw_new(s, out);
    }
    if (status == SPUR_E_MEMORY) spur__fail(err, status, "sweep: out of memory");
    parzen_axes_free(&axes);
    spur__free(points);
    spur__free(ranked);
    return status;
}

const search_method search_tpe = {
    .kind = {.name = "tpe",
             .help = "tree-structured Parzen estimator: learns from finished trials"},
    .adaptive = true,
    .suggest = suggest_tpe,
};
