/* SPDX-License-Identifier: MIT
 *
 * Texts by key: a small map, kept in the order in which keys were first set.
 */
#include "weights/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/str.h"

typedef struct pair {
    char *key, *value;
} pair;

struct spur_state {
    pair *pairs;
    size_t count, capacity;
};

spur_state *spur_state_create(void) {
    return spur__calloc(1, sizeof(spur_state));
}

void spur_state_destroy(spur_state *state) {
    if (!state) return;
    for (size_t i = 0; i < state->count; i++) {
        spur__free(state->pairs[i].key);
        spur__free(state->pairs[i].value);
    }
    spur__free(state->pairs);
    spur__free(state);
}

static pair *find(const spur_state *state, const char *key) {
    for (size_t i = 0; i < state->count; i++)
        if (strcmp(state->pairs[i].key, key) == 0) return &state->pairs[i];
    return NULL;
}

static bool is_key(const char *key) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
    size_t n = strspn(key, allowed);
    return n > 0 && n < 256 && key[n] == '\0';
}

static bool grow(spur_state *state) {
    if (state->count < state->capacity) return true;
    size_t capacity = state->capacity ? state->capacity * 2 : 32;
    pair *pairs = spur__realloc_array(state->pairs, capacity, sizeof *pairs);
    if (!pairs) return false;
    state->pairs = pairs;
    state->capacity = capacity;
    return true;
}

spur_status spur_state_set(spur_state *state, const char *key, const char *value, spur_error *err) {
    if (!state || !key || !value)
        return spur__fail(err, SPUR_E_ARGUMENT, "spur_state_set: the %s is NULL",
                          !state ? "state"
                          : !key ? "key"
                                 : "value");
    if (!is_key(key))
        return spur__fail(err, SPUR_E_ARGUMENT,
                          "state: key '%.80s': expected letters, digits and ._-/", key);
    pair *old = find(state, key);
    char *copy = spur__strdup(value);
    if (!copy || (!old && !grow(state))) goto no_memory;
    if (old) {
        spur__free(old->value);
        old->value = copy;
        return SPUR_OK;
    }
    char *name = spur__strdup(key);
    if (!name) goto no_memory;
    state->pairs[state->count++] = (pair){name, copy};
    return SPUR_OK;
no_memory:
    spur__free(copy);
    return spur__fail(err, SPUR_E_MEMORY, "state: no memory for key '%.80s'", key);
}

const char *spur_state_get(const spur_state *state, const char *key) {
    const pair *found = state && key ? find(state, key) : NULL;
    return found ? found->value : NULL;
}

spur_status spur_state_set_double(spur_state *state, const char *key, double value,
                                  spur_error *err) {
    spur__str text;
    spur__str_init(&text, 64);
    spur__str_double(&text, value);
    spur_status status = spur__str_status(&text);
    status = status == SPUR_OK ? spur_state_set(state, key, spur__str_text(&text), err)
                               : spur__fail(err, status, "state: key '%.80s'", key);
    spur__str_free(&text);
    return status;
}

spur_status spur_state_set_uint(spur_state *state, const char *key, uint64_t value,
                                spur_error *err) {
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, value);
    return spur_state_set(state, key, text, err);
}

static spur_status missing(const char *key, spur_error *err) {
    return spur__fail(err, SPUR_E_NOTFOUND, "state: no key '%.80s'", key);
}

spur_status spur_state_get_double(const spur_state *state, const char *key, double *value,
                                  spur_error *err) {
    const char *text = spur_state_get(state, key);
    if (!text) return missing(key, err);
    if (!spur__parse_double(text, value))
        return spur__fail(err, SPUR_E_FORMAT,
                          "state: key '%.80s': found '%.80s', expected a number", key, text);
    return SPUR_OK;
}

spur_status spur_state_get_uint(const spur_state *state, const char *key, uint64_t *value,
                                spur_error *err) {
    const char *text = spur_state_get(state, key);
    char *end = NULL;
    if (!text) return missing(key, err);
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno == ERANGE)
        return spur__fail(err, SPUR_E_FORMAT,
                          "state: key '%.80s': found '%.80s', expected a whole number", key, text);
    *value = number;
    return SPUR_OK;
}

size_t spur__state_count(const spur_state *state) {
    return state->count;
}

const char *spur__state_key(const spur_state *state, size_t i) {
    return state->pairs[i].key;
}

bool spur__state_is_own(const char *key) {
    return strncmp(key, "optimizer.", 10) == 0 || strncmp(key, "scheduler.", 10) == 0;
}

spur_status spur__state_merge(spur_state *state, const spur_state *from, spur_error *err) {
    for (size_t i = 0; i < from->count; i++) {
        if (spur__state_is_own(from->pairs[i].key)) /* it would become the optimizer's */
            return spur__fail(err, SPUR_E_ARGUMENT,
                              "state: key '%.80s': those below optimizer. and scheduler. are the "
                              "checkpoint's own",
                              from->pairs[i].key);
        SPUR__TRY(spur_state_set(state, from->pairs[i].key, from->pairs[i].value, err));
    }
    return SPUR_OK;
}
