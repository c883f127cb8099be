/* SPDX-License-Identifier: MIT
 *
 * Texts of options for things chosen by name; see kind.h.
 */
#include "nn/kind.h"

#include <ctype.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { PAIR_MAX = 512, TEXT_MAX = 4096 };

/* Copies the next word of *p into `word`; false at the end of the text. */
static bool next_word(const char **p, char word[PAIR_MAX], size_t *length) {
    const char *start = *p;
    while (isspace((unsigned char)*start)) start++;
    size_t n = 0;
    while (start[n] && !isspace((unsigned char)start[n])) n++;
    *p = start + n;
    *length = n;
    if (n == 0) return false;
    size_t kept = n < PAIR_MAX - 1 ? n : PAIR_MAX - 1;
    memcpy(word, start, kept);
    word[kept] = '\0';
    return true;
}

static spur_status set_pair(const spur__options *table, void *target, char *pair, const char *who,
                            spur_error *err) {
    char *equals = strchr(pair, '=');
    if (!equals)
        return spur__fail(err, SPUR_E_FORMAT, "%s: found '%s', expected key=value", who, pair);
    *equals = '\0';
    if (!table) return spur__fail(err, SPUR_E_NOTFOUND, "%s: it has no option '%s'", who, pair);
    spur_status status = spur__options_set(table, target, pair, equals + 1, err);
    if (status != SPUR_OK) spur__error_prefix(err, "%s", who);
    return status;
}

spur_status spur__options_parse(const spur__options *table, void *target, const char *text,
                                const char *who, spur_error *err) {
    char word[PAIR_MAX];
    size_t length;
    const char *p = text ? text : "";
    while (next_word(&p, word, &length)) {
        if (length >= PAIR_MAX)
            return spur__fail(err, SPUR_E_RANGE, "%s: option of %zu characters, at most %d", who,
                              length, PAIR_MAX - 1);
        SPUR__TRY(set_pair(table, target, word, who, err));
    }
    return SPUR_OK;
}

spur_status spur__kind_options_create(const spur__kind *kind, const char *family, const char *text,
                                      void **options, spur_error *err) {
    char who[128];
    spur__str name;
    *options = NULL;
    spur__str_init(&name, sizeof who - 1);
    spur__str_printf(&name, "%s %s", family, kind->name);
    size_t n = strlen(spur__str_text(&name));
    memcpy(who, spur__str_text(&name), n + 1);
    spur__str_free(&name);
    if (!kind->options) return spur__options_parse(NULL, NULL, text, who, err);
    void *fresh = spur__calloc(1, kind->options->size);
    if (!fresh) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", who);
    spur_status status = spur__options_init(kind->options, fresh, err);
    if (status != SPUR_OK) {
        spur__free(fresh);
        return status;
    }
    status = spur__options_parse(kind->options, fresh, text, who, err);
    if (status != SPUR_OK) {
        spur__kind_options_free(kind, fresh);
        return status;
    }
    *options = fresh;
    return SPUR_OK;
}

/* Copies one member by printing and parsing it, the one path that every type has. */
static spur_status copy_member(const spur__options *table, const spur__option *row,
                               const void *from, void *to, spur_error *err) {
    spur__str text;
    spur__str_init(&text, TEXT_MAX);
    spur__option_format(row, from, &text);
    spur_status status = spur__str_status(&text);
    if (status == SPUR_OK)
        status = spur__options_set(table, to, row->name, spur__str_text(&text), err);
    else
        spur__fail(err, status, "%s: %s", row->name, spur_strstatus(status));
    spur__str_free(&text);
    return status;
}

spur_status spur__kind_options_copy(const spur__kind *kind, const void *from, void **options,
                                    spur_error *err) {
    *options = NULL;
    if (!kind->options || !from) return SPUR_OK;
    void *copy;
    SPUR__TRY(spur__kind_options_create(kind, "", NULL, &copy, err));
    for (size_t i = 0; i < kind->options->count; i++) {
        spur_status status = copy_member(kind->options, &kind->options->rows[i], from, copy, err);
        if (status != SPUR_OK) {
            spur__kind_options_free(kind, copy);
            return status;
        }
    }
    *options = copy;
    return SPUR_OK;
}

void spur__kind_options_free(const spur__kind *kind, void *options) {
    if (!options) return;
    if (kind->options) spur__options_free(kind->options, options);
    spur__free(options);
}
