/* SPDX-License-Identifier: MIT
 *
 * The options of [sweep] and [program]; their rows are in settings.c. Keys of [sweep] with a dot in
 * them are what is varied (space.h).
 */
#ifndef SPUR_TRAINER_SWEEP_SETTINGS_H
#define SPUR_TRAINER_SWEEP_SETTINGS_H

#include "base/options.h"
#include "sweep/pruner.h"
#include "sweep/search.h"
#include "sweep/space.h"

typedef struct sweep_settings {
    char *method, *pruner; /* names in their families */
    int64_t trials; /* configurations; 0: all of a grid */
    char *seeds; /* "1..5", "1, 7, 9"; "": the run's own seed */
    int64_t jobs; /* trials at a time */
    char *max_time; /* no new trial is started after this; "": no limit */
    char *on_failure; /* "stop", "continue", "retry:n" */
    char *keep; /* checkpoints: "all", "none", "best:k" */
    char *best_of; /* method best: the directory of the other sweep */
    tpe_options tpe;
    median_options median;
    asha_options asha;
    hyperband_options hyperband;
} sweep_settings;

typedef struct program_settings {
    char *command; /* shell command with {name}, {seed} and {run_dir} */
    char *objective; /* scalar tag read from the events that the program writes */
    char *run; /* sub-run of the trial that has it; "": the trial itself */
    int64_t maximize; /* choice min|max */
} program_settings;

extern const spur__options sweep_table, program_table;

/* What on_failure and keep mean. */
typedef struct failure_policy {
    bool stop;
    int64_t retries;
} failure_policy;
failure_policy sweep_failure_policy(const sweep_settings *s);

/* How many configurations keep their checkpoints; -1: all. */
int64_t sweep_keep_best(const sweep_settings *s);

enum { SWEEP_MAX_SEEDS = 1000 };

/* Parses seeds into out; 0 when the text is malformed. "" gives 0 too. */
size_t sweep_parse_seeds(const char *text, int64_t out[SWEEP_MAX_SEEDS]);

/* hyperband_max_resource = 0 stands for the epochs of the longest trial: `epochs` of [train], or, where
 * the sweep varies them, the most that they may become (`varied`; NULL: it does not). epochs = 0: a
 * program, whose epochs nobody knows. */
void sweep_settle_resource(sweep_settings *s, int64_t epochs, const parameter *varied);

/* True for an option of [sweep] that decides which trials there are, under that method and that pruner
 * (names): options of other ones do not, nor do jobs and limits. */
bool sweep_option_decides(const char *name, const char *method_name, const char *pruner_name);

/* The options struct of the chosen pruner or method. */
const void *sweep_pruner_options(const sweep_settings *s);

#endif
