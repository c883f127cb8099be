/* SPDX-License-Identifier: MIT
 *
 * grid and random search, and what the methods share. TPE is in tpe.c, `best` in search_best.c.
 */
#include "sweep/search.h"

#include <math.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

void search_init(search_state *s, const space *sp, uint64_t seed, bool maximize) {
    *s = (search_state){.space = sp, .seed = seed, .maximize = maximize};
}

void search_free(search_state *s) {
    for (size_t i = 0; i < s->count; i++) assignment_free(s->space, &s->known[i].assigned);
    spur__free(s->known);
    s->known = NULL;
    s->count = 0;
}

bool search_known(const search_state *s, const assignment *a) {
    for (size_t i = 0; i < s->count; i++)
        if (assignment_equal(s->space, &s->known[i].assigned, a)) return true;
    return false;
}

spur_status search_add(search_state *s, assignment *a, spur_error *err) {
    search_outcome *grown = spur__realloc_array(s->known, s->count + 1, sizeof *grown);
    if (!grown) {
        assignment_free(s->space, a);
        return spur__fail(err, SPUR_E_MEMORY, "sweep: out of memory");
    }
    s->known = grown;
    s->known[s->count++] = (search_outcome){.assigned = *a, .state = OUTCOME_RUNNING, .value = NAN};
    return SPUR_OK;
}

void search_forget_last(search_state *s) {
    if (s->count > 0) assignment_free(s->space, &s->known[--s->count].assigned);
}

spur_status search_next(search_state *s, const search_method *method, const void *options,
                        const assignment **out, spur_error *err) {
    assignment a;
    if (assignment_init(s->space, &a) != SPUR_OK)
        return spur__fail(err, SPUR_E_MEMORY, "sweep: out of memory");
    spur_status status = method->suggest(s, options, &a, err);
    if (status != SPUR_OK) {
        assignment_free(s->space, &a);
        return status;
    }
    SPUR__TRY(search_add(s, &a, err));
    *out = &s->known[s->count - 1].assigned;
    return SPUR_OK;
}

size_t search_grid_size(const space *s) {
    size_t size = 1;
    for (size_t i = 0; i < s->count; i++) {
        if (s->parameters[i].kind != DOMAIN_CHOICE) return SIZE_MAX;
        if (!spur__mul(size, s->parameters[i].choice_count, &size)) return SIZE_MAX;
    }
    return size;
}

/* Configuration number `index` of the full product; the last parameter varies fastest. */
static spur_status grid_point(const search_state *s, size_t index, assignment *out) {
    for (size_t i = s->space->count; i-- > 0;) {
        const parameter *p = &s->space->parameters[i];
        if (!assignment_set(out, i, p->choices[index % p->choice_count])) return SPUR_E_MEMORY;
        index /= p->choice_count;
    }
    space_settle(s->space, out, s->lookup, s->context);
    return SPUR_OK;
}

/* True when an earlier point of the product settles to the same configuration. Points that settle
 * differently differ in an active value; the canonical one has choice 0 in all absent ones. */
static bool is_canonical(const search_state *s, size_t index, const assignment *a) {
    for (size_t i = s->space->count; i-- > 0;) {
        const parameter *p = &s->space->parameters[i];
        if (!a->values[i] && index % p->choice_count != 0) return false;
        index /= p->choice_count;
    }
    return true;
}

static spur_status suggest_grid(search_state *s, const void *options, assignment *out,
                                spur_error *err) {
    (void)options;
    size_t size = search_grid_size(s->space);
    if (size == SIZE_MAX)
        return spur__fail(err, SPUR_E_RANGE, "sweep: the grid is too large to enumerate");
    if (s->trials > 0 && s->count >= s->trials) return SPUR_E_END;
    while (s->cursor < size) {
        size_t index = s->cursor++;
        if (grid_point(s, index, out) != SPUR_OK)
            return spur__fail(err, SPUR_E_MEMORY, "sweep: out of memory");
        if (is_canonical(s, index, out) && !search_known(s, out)) return SPUR_OK;
    }
    return SPUR_E_END;
}

/* A number in the interval as text with six digits: readable, and the same everywhere. */
static spur_status set_number(const parameter *p, double u, size_t i, assignment *out) {
    spur__str text;
    spur_status status = SPUR_E_MEMORY;
    double x = p->kind == DOMAIN_LOG ? exp(log(p->low) + u * (log(p->high) - log(p->low)))
                                     : p->low + u * (p->high - p->low);
    spur__str_init(&text, 64);
    spur__str_printf(&text, "%.6g", fmin(fmax(x, p->low), p->high));
    if (spur__str_status(&text) == SPUR_OK && assignment_set(out, i, spur__str_text(&text)))
        status = SPUR_OK;
    spur__str_free(&text);
    return status;
}

/* A random value of parameter i, as text. */
static spur_status draw_value(const search_state *s, size_t i, uint32_t attempt, uint64_t trial,
                              assignment *out) {
    const parameter *p = &s->space->parameters[i];
    spur__rng rng;
    spur__rng_init(&rng, s->seed, SPUR__STREAM_SEARCH, attempt, trial * 4096 + i);
    if (p->kind != DOMAIN_CHOICE) return set_number(p, spur__rng_double(&rng), i, out);
    uint32_t choice = spur__rng_below(&rng, (uint32_t)p->choice_count);
    return assignment_set(out, i, p->choices[choice]) ? SPUR_OK : SPUR_E_MEMORY;
}

spur_status search_draw_new(const search_state *s, assignment *out) {
    enum { ATTEMPTS = 1000 };
    for (uint32_t attempt = 0; attempt < ATTEMPTS; attempt++) {
        for (size_t i = 0; i < s->space->count; i++)
            SPUR__TRY(draw_value(s, i, attempt, s->count, out));
        space_settle(s->space, out, s->lookup, s->context);
        if (!search_known(s, out)) return SPUR_OK;
    }
    return SPUR_E_END;
}

static spur_status suggest_random(search_state *s, const void *options, assignment *out,
                                  spur_error *err) {
    (void)options;
    if (s->count >= s->trials) return SPUR_E_END;
    spur_status status = search_draw_new(s, out);
    if (status == SPUR_E_MEMORY) spur__fail(err, status, "sweep: out of memory");
    return status;
}

static const search_method grid = {
    .kind = {.name = "grid", .help = "every combination, in order"},
    .needs_discrete = true,
    .suggest = suggest_grid,
};

static const search_method random_search = {
    .kind = {.name = "random", .help = "combinations drawn at random (trials = how many)"},
    .suggest = suggest_random,
};

static const spur__kind *const methods[] = {&grid.kind, &random_search.kind, &search_tpe.kind,
                                            &search_best.kind};

const spur__family search_family = {
    .name = "method",
    .title = "Search methods",
    .kinds = methods,
    .count = sizeof methods / sizeof methods[0],
};
