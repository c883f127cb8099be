/* SPDX-License-Identifier: MIT
 *
 * Position and sums as texts by key, and back; see checkpoint_state.h.
 */
#include "train/checkpoint_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "nn/metric.h"

typedef struct field {
    const char *key;
    int64_t *value;
} field;

enum { FIELDS = 6 };

static void fields_of(train_position *at, field out[FIELDS]) {
    out[0] = (field){"epoch", &at->epoch};
    out[1] = (field){"batch", &at->batch};
    out[2] = (field){"step", &at->step};
    out[3] = (field){"best_epoch", &at->best_epoch};
    out[4] = (field){"best_step", &at->best_step};
    out[5] = (field){"bad_epochs", &at->bad_epochs};
}

static spur_status set_position(const session *s, spur_state *state, spur_error *err) {
    train_position at = s->at;
    field fields[FIELDS];
    fields_of(&at, fields);
    for (int i = 0; i < FIELDS; i++)
        SPUR__TRY(spur_state_set_uint(state, fields[i].key, (uint64_t)*fields[i].value, err));
    SPUR__TRY(spur_state_set_uint(state, "has_best", at.has_best, err));
    SPUR__TRY(spur_state_set_uint(state, "stopped_early", at.stopped_early, err));
    return spur_state_set_double(state, "best", at.best, err);
}

static spur_status get_flag(const spur_state *state, const char *key, bool *out, spur_error *err) {
    uint64_t value;
    SPUR__TRY(spur_state_get_uint(state, key, &value, err));
    *out = value != 0;
    return SPUR_OK;
}

static spur_status get_position(session *s, const spur_state *state, spur_error *err) {
    field fields[FIELDS];
    fields_of(&s->at, fields);
    for (int i = 0; i < FIELDS; i++) {
        uint64_t value;
        SPUR__TRY(spur_state_get_uint(state, fields[i].key, &value, err));
        if (value > INT64_MAX)
            return spur__fail(err, SPUR_E_DAMAGED, "checkpoint: %s is out of range", fields[i].key);
        *fields[i].value = (int64_t)value;
    }
    SPUR__TRY(get_flag(state, "has_best", &s->at.has_best, err));
    SPUR__TRY(get_flag(state, "stopped_early", &s->at.stopped_early, err));
    int64_t patience = s->train->early_stopping; /* a run that goes on may have got more of it */
    if (patience == 0 || s->at.bad_epochs < patience) s->at.stopped_early = false;
    SPUR__TRY(spur_state_get_double(state, "best", &s->at.best, err));
    if (s->at.batch > s->batches)
        return spur__fail(err, SPUR_E_DAMAGED,
                          "checkpoint: batch %" PRId64 " of an epoch of %" PRId64, s->at.batch,
                          s->batches);
    return SPUR_OK;
}

static void put_counts(spur__str *out, const uint64_t *values, size_t n) {
    for (size_t i = 0; i < n; i++) spur__str_printf(out, i ? " %" PRIu64 : "%" PRIu64, values[i]);
}

static spur_status get_counts(const spur_state *state, const char *key, uint64_t *values, size_t n,
                              spur_error *err) {
    const char *p = spur_state_get(state, key);
    for (size_t i = 0; p && i < n; i++) {
        char *end;
        values[i] = strtoull(p, &end, 10);
        p = end == p ? NULL : end;
    }
    if (!p || *p) return spur__fail(err, SPUR_E_DAMAGED, "checkpoint: '%s' is not whole", key);
    return SPUR_OK;
}

static spur_status set_counts(spur_state *state, const char *key, const uint64_t *values, size_t n,
                              spur_error *err) {
    spur__str text;
    spur__str_init(&text, (size_t)1 << 30);
    put_counts(&text, values, n);
    spur_status status = spur__str_status(&text);
    if (status == SPUR_OK)
        status = spur_state_set(state, key, spur__str_text(&text), err);
    else
        spur__fail(err, status, "out of memory");
    spur__str_free(&text);
    return status;
}

/* The sums of an epoch that is not over yet. */
static spur_status set_sums(const session *s, spur_state *state, spur_error *err) {
    const spur_tally *t = s->train_pass.tally;
    size_t classes = (size_t)t->classes;
    if (s->at.batch == 0) return SPUR_OK;
    SPUR__TRY(spur_state_set_double(state, "train.loss_sum", s->train_pass.loss_sum, err));
    SPUR__TRY(spur_state_set_double(state, "train.samples", s->train_pass.samples, err));
    SPUR__TRY(spur_state_set_double(state, "train.absolute", t->absolute, err));
    SPUR__TRY(spur_state_set_double(state, "train.squared", t->squared, err));
    SPUR__TRY(spur_state_set_uint(state, "train.count", t->count, err));
    if (classes == 0) return SPUR_OK;
    SPUR__TRY(set_counts(state, "train.confusion", t->confusion, classes * classes, err));
    return set_counts(state, "train.ranks", t->ranks, classes, err);
}

static spur_status get_sums(session *s, const spur_state *state, spur_error *err) {
    spur_tally *t = s->train_pass.tally;
    size_t classes = (size_t)t->classes;
    pass_reset(&s->train_pass);
    if (s->at.batch == 0) return SPUR_OK;
    SPUR__TRY(spur_state_get_double(state, "train.loss_sum", &s->train_pass.loss_sum, err));
    SPUR__TRY(spur_state_get_double(state, "train.samples", &s->train_pass.samples, err));
    SPUR__TRY(spur_state_get_double(state, "train.absolute", &t->absolute, err));
    SPUR__TRY(spur_state_get_double(state, "train.squared", &t->squared, err));
    SPUR__TRY(spur_state_get_uint(state, "train.count", &t->count, err));
    if (classes == 0) return SPUR_OK;
    SPUR__TRY(get_counts(state, "train.confusion", t->confusion, classes * classes, err));
    return get_counts(state, "train.ranks", t->ranks, classes, err);
}

spur_status state_of_session(const session *s, spur_state *state, spur_error *err) {
    SPUR__TRY(set_position(s, state, err));
    return set_sums(s, state, err);
}

spur_status session_of_state(session *s, const spur_state *state, spur_error *err) {
    SPUR__TRY(get_position(s, state, err));
    return get_sums(s, state, err);
}
