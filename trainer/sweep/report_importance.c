/* SPDX-License-Identifier: MIT
 *
 * What matters: the varied parameters by the variance that they explain.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sweep/importance.h"
#include "sweep/report.h"
#include "sweep/stats.h"

/* The configurations that have a value, and the factors in which some of them differ. */
typedef struct design {
    importance_input in;
    double *means;
    size_t *runs;
    size_t **classes, *class_counts;
    const report_factor **factors;
    double *shares;
} design;

static void design_free(design *d) {
    for (size_t k = 0; k < d->in.factors; k++) spur__free(d->classes[k]);
    spur__free(d->classes);
    spur__free(d->class_counts);
    spur__free(d->factors);
    spur__free(d->shares);
    spur__free(d->runs);
    spur__free(d->means);
}

static void fill_values(const report *r, design *d) {
    for (size_t g = 0; g < r->group_count; g++) {
        const report_group *one = &r->groups[g];
        if (one->count == 0) continue;
        summary_stats s = stats_summarize(one->values, one->count);
        d->means[d->in.configurations] = s.mean;
        d->runs[d->in.configurations++] = s.n;
        if (s.n > 1) d->in.within += s.std * s.std * (double)(s.n - 1);
    }
}

/* The classes of a factor, numbered as they come; one that nobody varied is left out. */
static bool add_factor(const report *r, const report_factor *f, design *d) {
    size_t *number = spur__malloc_array(f->value_count + 1, sizeof *number);
    size_t *classes = spur__malloc_array(r->group_count + 1, sizeof *classes), n = 0, count = 0;
    if (!number || !classes) {
        spur__free(number);
        spur__free(classes);
        return false;
    }
    for (size_t v = 0; v <= f->value_count; v++) number[v] = SIZE_MAX;
    for (size_t g = 0; g < r->group_count; g++) {
        if (r->groups[g].count == 0) continue;
        size_t v = f->of_group[g] == SIZE_MAX ? f->value_count : f->of_group[g];
        if (number[v] == SIZE_MAX) number[v] = count++;
        classes[n++] = number[v];
    }
    spur__free(number);
    if (count < 2) {
        spur__free(classes);
        return true;
    }
    d->factors[d->in.factors] = f;
    d->class_counts[d->in.factors] = count;
    d->classes[d->in.factors++] = classes;
    return true;
}

static bool design_init(const report *r, design *d) {
    *d = (design){.means = spur__malloc_array(r->group_count + 1, sizeof *d->means),
                  .runs = spur__malloc_array(r->group_count + 1, sizeof *d->runs),
                  .classes = spur__calloc(r->factor_count + 1, sizeof *d->classes),
                  .class_counts = spur__calloc(r->factor_count + 1, sizeof *d->class_counts),
                  .factors = spur__calloc(r->factor_count + 1, sizeof *d->factors),
                  .shares = spur__malloc_array(r->factor_count + 1, sizeof *d->shares)};
    bool complete = d->means && d->runs && d->classes && d->class_counts && d->factors && d->shares;
    if (complete) fill_values(r, d);
    for (size_t f = 0; complete && f < r->factor_count; f++)
        complete = add_factor(r, &r->factors[f], d);
    d->in.means = d->means;
    d->in.runs = d->runs;
    d->in.classes = (const size_t *const *)d->classes;
    d->in.class_counts = d->class_counts;
    return complete;
}

/* The next largest share after `last` (index); factors: none. Equal ones in the order of the file. */
static size_t next_largest(const design *d, size_t last) {
    size_t found = d->in.factors;
    for (size_t k = 0; k < d->in.factors; k++) {
        double x = d->shares[k];
        bool later =
            last == d->in.factors || x < d->shares[last] || (x == d->shares[last] && k > last);
        if (!isnan(x) && later && (found == d->in.factors || x > d->shares[found])) found = k;
    }
    return found;
}

void report_importance(const report *r, spur__str *out) {
    design d;
    if (design_init(r, &d) && d.in.factors > 0 && importance_shares(&d.in, d.shares)) {
        size_t none = d.in.factors, k = next_largest(&d, none);
        if (k != none && d.shares[k] == 0) {
            spur__str_puts(out,
                           "What matters: nothing that was varied explains more than chance.\n");
            k = none;
        }
        if (k != none)
            spur__str_puts(out,
                           "What matters (share of the variance between runs, less chance):\n");
        for (; k != none; k = next_largest(&d, k))
            spur__str_printf(out, "  %5.1f %%  %s\n", 100 * d.shares[k], d.factors[k]->name);
    }
    design_free(&d);
}
