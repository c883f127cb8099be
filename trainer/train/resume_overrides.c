/* SPDX-License-Identifier: MIT
 *
 * Which options of a run may still change; see resume_overrides.h.
 */
#include "train/resume_overrides.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/settings.h"
#include "run/outcome.h"

typedef struct rule {
    const char *section, *key; /* key NULL: all of the section */
    const char *why;
} rule;

static const rule rules[] = {
    {"run", "seed", "everything random in the run has followed from it"},
    {"run", "name", "the run has its directory"},
    {"run", "logdir", "the run has its directory"},
    {"data", NULL, "the run is about its data"},
    {"model", NULL, "the checkpoint holds this network"},
    {"loss", "name", "the network was built and trained for it"},
    {"optimizer", "name", "the checkpoint holds its state"},
    {"scheduler", "name", "the checkpoint holds its state"},
    {"train", "metrics", "they are the columns of metrics.csv"},
    {"train", "monitor", "the best epoch so far was judged by it"},
    {"train", "ema", "the checkpoint's averages were made with it"},
    {"train", "accumulate", "the steps so far were counted with it"},
    {"train", "overfit", "it says which samples an epoch has"},
    {"train", "limit_batches", "it says which samples an epoch has"},
    {"log", "graph", "it is logged before the first step"},
    {"log", "augmentation", "it is logged before the first step"},
};

/* One option of the command line: its entry, and its text before. */
typedef struct change {
    const document_entry *entry;
    const char *was;
} change;

static spur_status refuse(const change *c, spur_error *err, const char *why) {
    return spur__fail(err, SPUR_E_ARGUMENT, "%s.%s cannot become '%s', it was '%s': %s",
                      c->entry->section, c->entry->key, c->entry->value, c->was, why);
}

static spur_status check_rules(const change *c, spur_error *err) {
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        bool meant = strcmp(rules[i].section, c->entry->section) == 0 &&
                     (!rules[i].key || strcmp(rules[i].key, c->entry->key) == 0);
        if (meant) return refuse(c, err, rules[i].why);
    }
    return SPUR_OK;
}

/* "optimizer.name=sgd" in its three parts; false for what is none. */
static bool split_word(const char *word, char section[64], char key[64], char value[256]) {
    const char *dot = strchr(word, '.'), *equals = strchr(word, '=');
    if (!dot || !equals || equals < dot || dot - word >= 64 || equals - dot > 64) return false;
    snprintf(section, 64, "%.*s", (int)(dot - word), word);
    snprintf(key, 64, "%.*s", (int)(equals - dot - 1), dot + 1);
    snprintf(value, 256, "%s", equals + 1);
    return true;
}

spur_status resume_check_kind(const config *was, const char *word, spur_error *err) {
    char section[64], key[64], value[256];
    if (!split_word(word, section, key, value)) return SPUR_OK;
    section_id id = section_find(section);
    const char *selector = id < SECTION_TYPED ? section_specs[id].selector : NULL;
    if (!selector || strcmp(key, selector) != 0) return SPUR_OK;
    const char *kind = was->parts[id].kind->name;
    document_entry entry = {.section = section, .key = key, .value = value};
    return strcmp(kind, value) == 0 ? SPUR_OK : check_rules(&(change){&entry, kind}, err);
}

static bool is_option(const change *c, const char *key) {
    return strcmp(c->entry->section, "train") == 0 && strcmp(c->entry->key, key) == 0;
}

/* A limit that the run is beyond already. */
static spur_status check_limits(const resume_overrides *a, const change *c, const run_outcome *o,
                                spur_error *err) {
    const train_settings *t = config_common(a->now, SECTION_TRAIN, train_settings);
    char why[96];
    if (is_option(c, "epochs") && t->epochs < o->epochs) {
        snprintf(why, sizeof why, "%lld epochs are done", o->epochs);
        return refuse(c, err, why);
    }
    if (is_option(c, "max_steps") && t->max_steps > 0 && t->max_steps < o->steps) {
        snprintf(why, sizeof why, "%lld steps are done", o->steps);
        return refuse(c, err, why);
    }
    return SPUR_OK;
}

/* True when a limit that ends a run has become wider. */
static bool is_longer(const resume_overrides *a) {
    const train_settings *was = config_common(a->was, SECTION_TRAIN, train_settings),
                         *now = config_common(a->now, SECTION_TRAIN, train_settings);
    bool steps = was->max_steps > 0 && (now->max_steps == 0 || now->max_steps > was->max_steps);
    bool patience = was->early_stopping > 0 &&
                    (now->early_stopping == 0 || now->early_stopping > was->early_stopping);
    return now->epochs > was->epochs || steps || patience;
}

static bool is_trial(const char *path) {
    char *file = spur__path_join(path, "trial.ini");
    bool found = file && spur__exists(file);
    spur__free(file);
    return found;
}

static spur_status check_change(const resume_overrides *a, const change *c, const run_outcome *o,
                                spur_error *err) {
    if (a->is_trial) return refuse(c, err, "the run is a trial, whose values are its sweep's");
    SPUR__TRY(check_rules(c, err));
    SPUR__TRY(check_limits(a, c, o, err));
    if (a->run_is_done && !is_longer(a))
        return refuse(c, err,
                      "the run is done (a larger train.epochs or train.max_steps continues it)");
    return SPUR_OK;
}

/* Whether the entry decides an option and is of the command line. */
static bool is_override(const config *cfg, const document_entry *e) {
    return e->key && e->line == 0 && document_find(&cfg->doc, e->section, e->key) == e;
}

spur_status resume_check_overrides(resume_overrides *a, const char *path, spur_error *err) {
    run_outcome o;
    SPUR__TRY(run_outcome_read(path, &o, err));
    if (o.verdict == VERDICT_DAMAGED) return spur__fail(err, SPUR_E_DAMAGED, "%s", o.message);
    a->count = 0;
    a->run_is_done = o.verdict == VERDICT_DONE;
    a->is_trial = is_trial(path);
    spur_status status = SPUR_OK;
    for (size_t i = 0; status == SPUR_OK && i < a->now->doc.count; i++) {
        const document_entry *e = &a->now->doc.entries[i];
        if (!is_override(a->now, e)) continue;
        char *was = config_option(a->was, e->section, e->key);
        char *now = config_option(a->now, e->section, e->key);
        change c = {e, was ? was : ""};
        bool changes = !was || !now || strcmp(was, now) != 0;
        if (changes) status = check_change(a, &c, &o, err);
        a->count += changes;
        spur__free(now);
        spur__free(was);
    }
    return status;
}
