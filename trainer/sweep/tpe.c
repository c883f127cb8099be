/* SPDX-License-Identifier: MIT
 *
 * The tree-structured Parzen estimator (Bergstra, Bardenet, Bengio, Kegl: "Algorithms for
 * hyper-parameter optimization", NIPS 2011), in its multivariate form (Falkner, Klein, Hutter:
 * "BOHB", ICML 2018, section 3.2).
 *
 * Finished configurations are split into the best tenth (at most 25) and the rest. Each side becomes
 * a density over whole configurations; candidates are drawn from the good one, and the candidate
 * with the largest ratio good / rest wins. Numbers live in unit coordinates (logarithmic ones in
 * their logarithm).
 */
#include "sweep/search.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

enum { MAX_GOOD = 25 };

/* One side of the split: a mixture with one kernel per observation, and a wide prior as the last.
 * A kernel is a product over the parameters: a normal truncated to the interval around an observed
 * number, a smoothed indicator of an observed choice, and the prior where the observation does not
 * have the parameter. */
typedef struct mixture {
    const search_state *s;
    const size_t *members; /* indices of outcomes */
    size_t n; /* observations; kernels are n + 1 */
    double width; /* standard deviation of a number's kernel, in unit coordinates */
} mixture;

/* Index of a choice; parameters of numbers as texts are choices too. */
static double choice_index(const parameter *p, const char *value) {
    for (size_t i = 0; i < p->choice_count; i++)
        if (strcmp(p->choices[i], value) == 0) return (double)i;
    return 0;
}

static double to_unit(const parameter *p, double x) {
    if (p->kind == DOMAIN_LOG) return (log(x) - log(p->low)) / (log(p->high) - log(p->low));
    return (x - p->low) / (p->high - p->low);
}

static double from_unit(const parameter *p, double u) {
    if (p->kind == DOMAIN_LOG) return exp(log(p->low) + u * (log(p->high) - log(p->low)));
    return p->low + u * (p->high - p->low);
}

/* Scott's rule for the width, as in the multivariate form of Optuna, not below 1 / (n + 2). */
static mixture mixture_of(const search_state *s, const size_t *members, size_t n) {
    double dims = (double)s->space->count, least = 1.0 / fmin(100, (double)n + 2);
    double width = 0.2 * pow(fmax(1, (double)n), -1.0 / (dims + 4));
    return (mixture){.s = s, .members = members, .n = n, .width = fmax(width, least)};
}

/* What kernel k observed of parameter i: a unit coordinate or the index of a choice; -1 for the
 * prior and for an absent parameter. */
static double observed(const mixture *m, size_t k, size_t i) {
    const parameter *p = &m->s->space->parameters[i];
    const char *value = k < m->n ? m->s->known[m->members[k]].assigned.values[i] : NULL;
    if (!value) return -1;
    if (p->kind == DOMAIN_CHOICE) return choice_index(p, value);
    return fmin(1, fmax(0, to_unit(p, space_number(p, value))));
}

static double normal_cdf(double z) {
    return 0.5 * erfc(-z / sqrt(2.0));
}

/* Log of the kernel of one number at u; the prior is a normal of width 1 in the middle. */
static double log_number_kernel(const mixture *m, double mean, double u) {
    double w = mean < 0 ? 1 : m->width, centre = mean < 0 ? 0.5 : mean, z = (u - centre) / w;
    double inside = normal_cdf((1 - centre) / w) - normal_cdf(-centre / w);
    return -0.5 * z * z - log(w * inside);
}

/* Log of the kernel of one choice: the observed one weighs 1, and all of them 1 / kernels more. */
static double log_choice_kernel(const mixture *m, const parameter *p, double seen, double c) {
    double extra = 1.0 / (double)(m->n + 1), choices = (double)p->choice_count;
    if (seen < 0) return -log(choices);
    return log(((c == seen) + extra) / (1 + choices * extra));
}

/* Log density of a point (one coordinate per parameter; negative: absent). */
static double log_density(const mixture *m, const double *point) {
    double largest = -INFINITY, sum = 0;
    for (size_t k = 0; k <= m->n; k++) {
        double l = 0;
        for (size_t i = 0; i < m->s->space->count; i++) {
            const parameter *p = &m->s->space->parameters[i];
            if (point[i] < 0) continue;
            double seen = observed(m, k, i);
            l += p->kind == DOMAIN_CHOICE ? log_choice_kernel(m, p, seen, point[i])
                                          : log_number_kernel(m, seen, point[i]);
        }
        double top = fmax(largest, l);
        sum = sum * exp(largest - top) + exp(l - top);
        largest = top;
    }
    return largest + log(sum);
}

/* Draws a coordinate from kernel k. */
static double draw_coordinate(const mixture *m, size_t k, size_t i, spur__rng *rng) {
    const parameter *p = &m->s->space->parameters[i];
    double seen = observed(m, k, i);
    if (p->kind == DOMAIN_CHOICE) {
        double extra = 1.0 / (double)(m->n + 1), choices = (double)p->choice_count;
        bool keep = seen >= 0 && spur__rng_double(rng) < 1 / (1 + choices * extra);
        return keep ? seen : (double)spur__rng_below(rng, (uint32_t)p->choice_count);
    }
    double centre = seen < 0 ? 0.5 : seen, width = seen < 0 ? 1 : m->width;
    for (int attempt = 0; attempt < 1000; attempt++) {
        double u = centre + width * (double)spur__rng_normal(rng);
        if (u >= 0 && u <= 1) return u;
    }
    return centre;
}

/* Writes a coordinate as the text of parameter i. */
static spur_status set_coordinate(const search_state *s, size_t i, double x, assignment *out) {
    const parameter *p = &s->space->parameters[i];
    char text[40];
    if (p->kind == DOMAIN_CHOICE)
        return assignment_set(out, i, p->choices[(size_t)x]) ? SPUR_OK : SPUR_E_MEMORY;
    snprintf(text, sizeof text, "%.6g", fmin(fmax(from_unit(p, x), p->low), p->high));
    return assignment_set(out, i, text) ? SPUR_OK : SPUR_E_MEMORY;
}

/* One candidate from a random kernel of the good side: its settled assignment and its point. */
static spur_status draw_candidate(const mixture *good, spur__rng *rng, double *point,
                                  assignment *out) {
    const search_state *s = good->s;
    size_t k = spur__rng_below(rng, (uint32_t)good->n + 1);
    for (size_t i = 0; i < s->space->count; i++) {
        point[i] = draw_coordinate(good, k, i, rng);
        SPUR__TRY(set_coordinate(s, i, point[i], out));
    }
    space_settle(s->space, out, s->lookup, s->context);
    for (size_t i = 0; i < s->space->count; i++)
        if (!out->values[i]) point[i] = -1;
    return SPUR_OK;
}

/* Finished before pruned; among the finished by value; among the pruned those that came farther
 * first, then by value. Lower is better here. */
static bool better(const search_state *s, size_t a, size_t b) {
    const search_outcome *x = &s->known[a], *y = &s->known[b];
    double sign = s->maximize ? -1 : 1;
    if (x->state != y->state) return x->state == OUTCOME_FINISHED;
    if (x->state == OUTCOME_PRUNED && x->steps != y->steps) return x->steps > y->steps;
    if (x->value != y->value) return sign * x->value < sign * y->value;
    return a < b;
}

/* Indices of usable outcomes, best first (insertion sort: n is at most some thousands). */
static size_t rank_outcomes(const search_state *s, size_t *ranked) {
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        const search_outcome *o = &s->known[i];
        bool usable = o->state == OUTCOME_FINISHED || o->state == OUTCOME_PRUNED;
        if (!usable || !isfinite(o->value)) continue;
        size_t at = n++;
        for (; at > 0 && better(s, i, ranked[at - 1]); at--) ranked[at] = ranked[at - 1];
        ranked[at] = i;
    }
    return n;
}

/* The best of the candidates that are not known yet into *out; E_END when all of them are. */
static spur_status best_candidate(const search_state *s, const mixture *good, const mixture *rest,
                                  int64_t candidates, double *point, assignment *out) {
    assignment drawn;
    double best = -INFINITY;
    spur_status status = SPUR_OK;
    spur__rng rng;
    SPUR__TRY(assignment_init(s->space, &drawn));
    spur__rng_init(&rng, s->seed, SPUR__STREAM_SEARCH, 0x10000u, s->count);
    for (int64_t c = 0; c < candidates; c++) {
        SPUR__TRY_GOTO(draw_candidate(good, &rng, point, &drawn), done);
        double score = log_density(good, point) - log_density(rest, point);
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

static spur_status suggest_tpe(search_state *s, const void *options, assignment *out,
                               spur_error *err) {
    const tpe_options *o = options;
    spur_status status = SPUR_E_MEMORY;
    if (s->count >= s->trials) return SPUR_E_END;
    size_t *ranked = spur__malloc_array(s->count + 1, sizeof *ranked);
    double *point = spur__malloc_array(s->space->count + 1, sizeof *point);
    if (ranked && point) {
        size_t n = rank_outcomes(s, ranked), good_count = (size_t)ceil(0.1 * (double)n);
        if (good_count > MAX_GOOD) good_count = MAX_GOOD;
        mixture good = mixture_of(s, ranked, good_count);
        mixture rest = mixture_of(s, ranked + good_count, n - good_count);
        status = SPUR_E_END;
        if (n >= (size_t)o->startup_trials)
            status = best_candidate(s, &good, &rest, o->candidates, point, out);
        if (status == SPUR_E_END) status = search_draw_new(s, out);
    }
    if (status == SPUR_E_MEMORY) spur__fail(err, status, "sweep: out of memory");
    spur__free(point);
    spur__free(ranked);
    return status;
}

extern const search_method search_tpe;
const search_method search_tpe = {
    .kind = {.name = "tpe",
             .help = "tree-structured Parzen estimator: learns from finished trials"},
    .adaptive = true,
    .suggest = suggest_tpe,
};
