/* SPDX-License-Identifier: MIT
 *
 * Choosing and logging hyper-parameters; see hparams.h.
 */
#include "train/hparams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

enum { MOST = 256 };

typedef struct list {
    spur_log_hparam items[MOST];
    size_t count;
    const char *swept; /* NULL: not in a sweep */
    bool failed;
} list;

/* True when `name` is a word of the list. */
static bool is_word_of(const char *words, const char *name) {
    size_t n = strlen(name);
    for (const char *p = words; (p = strstr(p, name)); p += n) {
        bool begins = p == words || p[-1] == ' ', ends = p[n] == '\0' || p[n] == ' ';
        if (begins && ends) return true;
    }
    return false;
}

/* Options that say where and how a run happens, not what is learnt. */
static bool is_circumstance(const char *section, const char *key) {
    if (strcmp(section, "log") == 0) return true;
    if (strcmp(section, "run") == 0) return strcmp(key, "seed") != 0;
    return strcmp(section, "data") == 0 &&
           (strcmp(key, "workers") == 0 || strcmp(key, "verify") == 0);
}

static bool is_selector(const char *section, const char *key) {
    const char *selector = section_specs[section_find(section)].selector;
    return selector && strcmp(selector, key) == 0;
}

static spur_log_value value_of(const char *text) {
    double number;
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return spur_log_boolean(*text == 't');
    if (spur__parse_double(text, &number)) return spur_log_number(number);
    char *copy = spur__strdup(text);
    return spur_log_string(copy);
}

static void consider(void *user, const char *section, const char *key, const char *value,
                     const char *initial) {
    list *l = user;
    char name[128];
    snprintf(name, sizeof name, "%s.%s", section, key);
    bool wanted = l->swept ? is_word_of(l->swept, name)
                           : !is_circumstance(section, key) &&
                                 (is_selector(section, key) || strcmp(value, initial) != 0);
    if (!wanted || l->count == MOST) return;
    spur_log_hparam *one = &l->items[l->count++];
    spur__str short_name;
    spur__str_init(&short_name, sizeof name);
    config_short_name(section, key, &short_name);
    one->name = spur__str_take(&short_name);
    one->value = value_of(*value ? value : "none");
    if (!one->name || (one->value.kind == SPUR_LOG_TEXT && !one->value.text)) l->failed = true;
}

/* What the tab shows as the trial: a sweep's configuration, or a single run's name. */
static const char *group_of(const session *s, bool swept) {
    const char *group = getenv("SPUR_HPARAMS_GROUP");
    if (group && *group) return group;
    return swept ? NULL : spur__path_name(s->run.path);
}

spur_status hparams_log(session *s, spur_error *err) {
    list l = {.swept = getenv("SPUR_HPARAMS")};
    config_each(s->cfg, consider, &l);
    spur_status status =
        l.failed ? spur__fail(err, SPUR_E_MEMORY, "out of memory")
                 : spur_log_hparams(s->run_log.writers[RUN_LOG_RUN], l.items, l.count,
                                    &(spur_log_hparams_options){.group = group_of(s, l.swept)});
    if (status != SPUR_OK && !l.failed)
        spur__fail(err, status, "hparams: %s", spur_strstatus(status));
    for (size_t i = 0; i < l.count; i++) {
        spur__free((char *)(uintptr_t)l.items[i].name);
        if (l.items[i].value.kind == SPUR_LOG_TEXT)
            spur__free((char *)(uintptr_t)l.items[i].value.text);
    }
    return status;
}
