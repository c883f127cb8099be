/* SPDX-License-Identifier: MIT
 *
 * method = best: the configurations that did best in another sweep, once more, with seeds of their own.
 *
 * A search tries many configurations once each, and the best of them owe a part of their rank to their
 * luck. Whether they differ is told by runs that did not choose them, and a few can be told apart
 * where many cannot: what is corrected for is the number of pairs.
 */
#include "base/error.h"
#include "sweep/collect.h"

/* The seeds that chose the configurations flatter them. */
static spur_status check_seeds(const sweep_view *v, const best_options *o, spur_error *err) {
    for (size_t i = 0; i < v->plan.seed_count; i++)
        for (size_t k = 0; k < o->seed_count; k++)
            if (v->plan.seeds[i] == o->seeds[k])
                return spur__fail(err, SPUR_E_ARGUMENT,
                                  "sweep.best_of = %s: seed %lld has chosen its configurations; "
                                  "expected seeds that it did not have, such as 101..105",
                                  o->of, (long long)o->seeds[k]);
    return SPUR_OK;
}

static spur_status check_spaces(const sweep_view *v, const space *own, const best_options *o,
                                spur_error *err) {
    const space *other = &v->plan.space;
    for (size_t i = 0; i < other->count; i++)
        if (space_find(own, other->parameters[i].name) < 0)
            return spur__fail(err, SPUR_E_ARGUMENT,
                              "sweep.best_of = %s varies %s, which is not varied here", o->of,
                              other->parameters[i].name);
    for (size_t i = 0; i < own->count; i++)
        if (space_find(other, own->parameters[i].name) < 0)
            return spur__fail(err, SPUR_E_ARGUMENT,
                              "sweep.best_of = %s does not vary %s, which is varied here", o->of,
                              own->parameters[i].name);
    return SPUR_OK;
}

/* The values of the other sweep's configuration c. */
static bool copy_values(const sweep_view *v, size_t c, const search_state *s, assignment *out) {
    for (size_t i = 0; i < s->space->count; i++) {
        long at = space_find(&v->plan.space, s->space->parameters[i].name);
        if (!assignment_set(out, i, v->configurations[c].values[at])) return false;
    }
    space_settle(s->space, out, s->lookup, s->context);
    return true;
}

/* The best configuration that is not known yet. */
static spur_status take_next(const sweep_view *v, const search_state *s, const best_options *o,
                             assignment *out, spur_error *err) {
    report r;
    SPUR__TRY(sweep_view_report(v, &(metric_list){.count = 0}, &r, err));
    spur_status status = SPUR_E_END;
    for (size_t g = 0; g < r.group_count && r.groups[g].count > 0; g++) {
        if (!copy_values(v, sweep_view_find(v, r.groups[g].label), s, out)) {
            status = spur__fail(err, SPUR_E_MEMORY, "sweep: out of memory");
            break;
        }
        if (search_known(s, out)) continue;
        status = SPUR_OK;
        break;
    }
    report_free(&r);
    if (status == SPUR_E_END && s->count == 0)
        return spur__fail(err, SPUR_E_STATE, "sweep.best_of = %s: no trial of it has a value",
                          o->of);
    return status;
}

static spur_status suggest_best(search_state *s, const void *options, assignment *out,
                                spur_error *err) {
    const best_options *o = options;
    sweep_view v;
    spur_error why = {.status = SPUR_OK};
    if (s->count >= s->trials) return SPUR_E_END;
    if (sweep_view_open(&v, o->of, &why) != SPUR_OK)
        return spur__fail(err, why.status, "sweep.best_of: %s", why.message);
    spur_status status = check_seeds(&v, o, err);
    if (status == SPUR_OK) status = check_spaces(&v, s->space, o, err);
    if (status == SPUR_OK) status = take_next(&v, s, o, out, err);
    sweep_view_close(&v);
    return status;
}

const search_method search_best = {
    .kind = {.name = "best",
             .help = "the best of another sweep (best_of) once more (trials = how many)"},
    .suggest = suggest_best,
};
