/* SPDX-License-Identifier: MIT
 *
 * What a trial knows of its sweep; see trial.h.
 */
#include "sweep/trial.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/settings.h"
#include "run/outcome.h"
#include "sweep/space_parse.h"

/* The epochs of a trial as sweep.ini has them. */
static int64_t epochs_of(const document *doc) {
    train_settings train;
    int64_t epochs = 0;
    const document_entry *e = document_find(doc, "train", "epochs");
    if (spur__options_init(&train_table, &train, NULL) != SPUR_OK) return 0;
    if (!e || spur__options_set(&train_table, &train, e->key, e->value, NULL) == SPUR_OK)
        epochs = train.epochs;
    spur__options_free(&train_table, &train);
    return epochs;
}

static spur_status settle_resource(trial *t, const document *doc, spur_error *err) {
    const document_entry *e = document_find(doc, "sweep", "train.epochs");
    parameter varied;
    if (e) SPUR__TRY(parameter_parse(&varied, e->key, e->value, false, err));
    sweep_settle_resource(&t->settings, epochs_of(doc), e ? &varied : NULL);
    if (e) parameter_free(&varied);
    return SPUR_OK;
}

/* The options of [sweep] from sweep.ini; keys with a dot are the space and not wanted here. */
static spur_status read_settings(trial *t, const char *path, spur_error *err) {
    document doc;
    document_init(&doc);
    spur_status status = document_read(&doc, path, err);
    for (size_t i = 0; status == SPUR_OK && i < doc.count; i++) {
        const document_entry *e = &doc.entries[i];
        if (e->key && strcmp(e->section, "sweep") == 0 && !strchr(e->key, '.'))
            status = spur__options_set(&sweep_table, &t->settings, e->key, e->value, err);
    }
    if (status == SPUR_OK) status = settle_resource(t, &doc, err);
    document_free(&doc);
    if (status != SPUR_OK) return status;
    t->pruner = (const void *)spur__family_find(&pruner_family, t->settings.pruner, err);
    return t->pruner ? SPUR_OK : SPUR_E_NOTFOUND;
}

static const char *value_of(const document *doc, const char *key) {
    const document_entry *e = document_find(doc, "trial", key);
    return e ? e->value : "";
}

static spur_status read_trial(trial *t, const char *path, const char *ini, spur_error *err) {
    SPUR__TRY(document_read(&t->values, path, err));
    t->configuration = strtoul(value_of(&t->values, "configuration"), NULL, 10);
    t->seed = strtoll(value_of(&t->values, "seed"), NULL, 10);
    SPUR__TRY(spur__options_init(&sweep_table, &t->settings, err));
    return read_settings(t, ini, err);
}

/* The sweep.ini beside the run; NULL when out of memory. */
static char *sweep_file(const char *run) {
    char *sweep = spur__path_directory(run);
    char *ini = sweep ? spur__path_join(sweep, "sweep.ini") : NULL;
    spur__free(sweep);
    return ini;
}

spur_status trial_open(trial *t, const char *run, spur_error *err) {
    *t = (trial){.active = false};
    document_init(&t->values);
    char *path = spur__path_join(run, "trial.ini"), *ini = sweep_file(run);
    t->run = spur__strdup(run);
    spur_status status = SPUR_OK;
    if (!path || !ini || !t->run) status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", run);
    /* a copy that was taken out of its sweep goes on as a run of its own */
    if (status == SPUR_OK) t->active = spur__exists(path) && spur__exists(ini);
    if (t->active) status = read_trial(t, path, ini, err);
    spur__free(ini);
    spur__free(path);
    if (status != SPUR_OK) trial_close(t);
    return status;
}

void trial_close(trial *t) {
    document_free(&t->values);
    if (t->active) spur__options_free(&sweep_table, &t->settings);
    spur__free(t->run);
    t->run = NULL;
    t->active = false;
}

/* A number for each trial of a sweep, so that hyperband puts it into a bracket: the configuration,
 * and the seed if it is named. */
static size_t trial_number(const char *name) {
    size_t configuration = strtoul(name + strlen("trial_"), NULL, 10);
    const char *seed = strstr(name, "_seed_");
    return configuration * 1009 + (seed ? strtoul(seed + strlen("_seed_"), NULL, 10) : 0);
}

typedef struct curves {
    learning_curve *list;
    double **owned;
    size_t count;
} curves;

static void curves_free(curves *c) {
    for (size_t i = 0; i < c->count; i++) spur__free(c->owned[i]);
    spur__free(c->owned);
    spur__free(c->list);
}

/* Appends a curve, taking over `values` (NULL for the trial's own, which it does not own). */
static bool add_curve(curves *c, learning_curve one, double *values) {
    learning_curve *list = spur__realloc_array(c->list, c->count + 1, sizeof *list);
    if (list) c->list = list;
    double **owned = list ? spur__realloc_array(c->owned, c->count + 1, sizeof *owned) : NULL;
    if (owned) c->owned = owned;
    if (!owned) {
        spur__free(values);
        return false;
    }
    c->list[c->count] = one;
    c->owned[c->count++] = values;
    return true;
}

/* An epoch without validation has the value of the last one that had it. */
static void carry_forward(double *values, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (isnan(values[i])) values[i] = values[i - 1];
}

/* Reads a sibling's curve; one that has none yet is passed over. */
static bool read_sibling(curves *c, const char *sweep, const char *name, const char *monitor) {
    double *values = NULL;
    size_t count = 0;
    run_outcome o;
    bool added = true;
    char *run = spur__path_join(sweep, name);
    if (!run) return false;
    if (run_metric_column(run, monitor, &values, &count, NULL) == SPUR_OK) {
        carry_forward(values, count);
        bool finished = run_outcome_read(run, &o, NULL) == SPUR_OK && o.verdict == VERDICT_DONE;
        added = add_curve(c, (learning_curve){trial_number(name), values, count, finished}, values);
    }
    spur__free(run);
    return added;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of all other trials, sorted: the order of a directory must not matter. */
static size_t sibling_names(const char *sweep, const char *own, char ***names) {
    size_t count = 0;
    DIR *d = opendir(sweep);
    *names = NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (strncmp(e->d_name, "trial_", 6) != 0 || strcmp(e->d_name, own) == 0) continue;
        char **grown = spur__realloc_array(*names, count + 1, sizeof *grown);
        if (!grown) break;
        *names = grown;
        if (!(grown[count] = spur__strdup(e->d_name))) break;
        count++;
    }
    if (d) closedir(d);
    if (count) qsort(*names, count, sizeof **names, by_name);
    return count;
}

/* Reads the curves of all other trials into *c; false when out of memory. */
static bool read_siblings(curves *c, const char *sweep, const char *own, const char *monitor) {
    char **names;
    size_t count = sibling_names(sweep, own, &names);
    bool complete = true;
    for (size_t i = 0; i < count; i++) {
        complete = complete && read_sibling(c, sweep, names[i], monitor);
        spur__free(names[i]);
    }
    spur__free(names);
    return complete;
}

spur_status trial_should_stop(const trial *t, const char *monitor, bool maximize, size_t epochs,
                              bool *stop, spur_error *err) {
    *stop = false;
    if (!t->active || strcmp(t->settings.pruner, "none") == 0) return SPUR_OK;
    double *values;
    size_t count;
    SPUR__TRY(run_metric_column(t->run, monitor, &values, &count, err));
    curves c = {0};
    char *sweep = spur__path_directory(t->run);
    const char *own = spur__path_name(t->run);
    bool complete = sweep && read_siblings(&c, sweep, own, monitor);
    learning_curve mine = {trial_number(own), values, count < epochs ? count : epochs, false};
    complete = complete && add_curve(&c, mine, NULL);
    carry_forward(values, count);
    bool measured = mine.count > 0 && !isnan(values[mine.count - 1]); /* a loss of NaN ends a run */
    if (complete && measured)
        *stop = t->pruner->prune(sweep_pruner_options(&t->settings), c.list, c.count, c.count - 1,
                                 maximize);
    curves_free(&c);
    spur__free(sweep);
    spur__free(values);
    return complete ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", t->run);
}
