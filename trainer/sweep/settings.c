/* SPDX-License-Identifier: MIT
 *
 * The rows of [sweep] and [program]; see settings.h.
 */
#include "sweep/settings.h"

#include <string.h>

#include "base/error.h"
#include "config/settings.h"

static spur_status check_method(const char *value, spur_error *err) {
    spur_error why;
    if (spur__family_find(&search_family, value, &why)) return SPUR_OK;
    return spur__fail(err, SPUR_E_RANGE, "%s", why.message);
}

static spur_status check_pruner(const char *value, spur_error *err) {
    spur_error why;
    if (spur__family_find(&pruner_family, value, &why)) return SPUR_OK;
    return spur__fail(err, SPUR_E_RANGE, "%s", why.message);
}

static spur_status check_seeds(const char *value, spur_error *err) {
    int64_t seeds[SWEEP_MAX_SEEDS];
    if (value[0] == '\0' || sweep_parse_seeds(value, seeds) > 0) return SPUR_OK;
    return spur__fail(err, SPUR_E_FORMAT,
                      "found '%s', expected seeds such as 1..5 or 1, 7, 9 (at most %d)", value,
                      SWEEP_MAX_SEEDS);
}

/* n of "word:n"; -1 when the text is not of that form. */
static int64_t count_after(const char *text, const char *word) {
    size_t n = strlen(word);
    long long count;
    if (strncmp(text, word, n) != 0 || text[n] != ':') return -1;
    return spur__parse_int(text + n + 1, &count) && count >= 0 && count <= 1000000 ? count : -1;
}

static spur_status check_on_failure(const char *value, spur_error *err) {
    if (strcmp(value, "stop") == 0 || strcmp(value, "continue") == 0) return SPUR_OK;
    if (count_after(value, "retry") >= 0) return SPUR_OK;
    return spur__fail(err, SPUR_E_RANGE, "found '%s', expected stop, continue or retry:n", value);
}

static spur_status check_keep(const char *value, spur_error *err) {
    if (strcmp(value, "all") == 0 || strcmp(value, "none") == 0) return SPUR_OK;
    if (count_after(value, "best") >= 0) return SPUR_OK;
    return spur__fail(err, SPUR_E_RANGE, "found '%s', expected all, none or best:k", value);
}

/* A path below the trial's directory: one that leads out of it would read other trials' events. */
static spur_status check_below(const char *value, spur_error *err) {
    bool leaves = value[0] == '/';
    for (const char *part = value; part; part = strchr(part, '/')) {
        part += *part == '/';
        leaves |= strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0');
    }
    if (!leaves) return SPUR_OK;
    return spur__fail(err, SPUR_E_RANGE,
                      "found '%s', expected a sub-run of the trial, such as validation", value);
}

static spur_status check_not_empty(const char *value, spur_error *err) {
    return *value ? SPUR_OK : spur__fail(err, SPUR_E_FORMAT, "found nothing, expected a name");
}

#define MANY .max = 1e6

static const spur__option sweep_rows[] = {
    SPUR__ROW(TEXT, sweep_settings, method, "grid", .check = check_method,
              .help = "which configurations are tried: grid, random, tpe or best"),
    SPUR__ROW(INT, sweep_settings, trials, "0", .min = 0, MANY,
              .help = "how many configurations (times seeds = runs); 0 is the whole grid"),
    SPUR__ROW(TEXT, sweep_settings, seeds, "", .check = check_seeds,
              .help = "seeds that every configuration is repeated with, such as 1..5"),
    SPUR__ROW(INT, sweep_settings, jobs, "1", .min = 1, .max = 1024,
              .help = "trials at a time; the processors are shared out among them"),
    SPUR__ROW(TEXT, sweep_settings, max_time, "", .check = duration_check,
              .help = "start no trial after this time (90s, 10m, 2h)"),
    SPUR__ROW(TEXT, sweep_settings, on_failure, "continue", .check = check_on_failure,
              .help = "when a trial fails: stop, continue or retry:n"),
    SPUR__ROW(TEXT, sweep_settings, keep, "all", .check = check_keep,
              .help = "whose checkpoints stay: all, none or best:k configurations"),
    SPUR__ROW(TEXT, sweep_settings, pruner, "none", .check = check_pruner,
              .help = "which trials are stopped early: none, median, asha or hyperband"),
    SPUR__ROW(TEXT, sweep_settings, best_of, "",
              .help = "best: directory of the sweep whose best configurations are run once more"),
    SPUR__ROW_AS(INT, sweep_settings, "tpe_startup_trials", tpe.startup_trials, "10", .min = 1,
                 MANY, .help = "tpe: configurations drawn at random first"),
    SPUR__ROW_AS(INT, sweep_settings, "tpe_candidates", tpe.candidates, "24", .min = 1, MANY,
                 .help = "tpe: candidates compared per suggestion"),
    SPUR__ROW_AS(INT, sweep_settings, "median_startup_trials", median.startup_trials, "5", .min = 0,
                 MANY, .help = "median: finished trials before anything is pruned"),
    SPUR__ROW_AS(INT, sweep_settings, "median_warmup_epochs", median.warmup_epochs, "0", .min = 0,
                 MANY, .unit = "epochs", .help = "median: epochs in which a trial is never pruned"),
    SPUR__ROW_AS(INT, sweep_settings, "asha_min_resource", asha.min_resource, "1", .min = 1, MANY,
                 .unit = "epochs", .help = "asha: epochs of the first rung"),
    SPUR__ROW_AS(INT, sweep_settings, "asha_reduction_factor", asha.reduction_factor, "4", .min = 2,
                 MANY, .help = "asha: one of so many trials goes on at each rung"),
    SPUR__ROW_AS(INT, sweep_settings, "asha_min_early_stopping_rate", asha.min_early_stopping_rate,
                 "0", .min = 0, .max = 100, .help = "asha: rungs left out at the start"),
    SPUR__ROW_AS(INT, sweep_settings, "hyperband_min_resource", hyperband.min_resource, "1",
                 .min = 1, MANY, .unit = "epochs", .help = "hyperband: epochs of the first rung"),
    SPUR__ROW_AS(
        INT, sweep_settings, "hyperband_max_resource", hyperband.max_resource, "0", .min = 0, MANY,
        .unit = "epochs",
        .help =
            "hyperband: epochs of the longest trial; 0: the most of train.epochs, of a program 27"),
    SPUR__ROW_AS(INT, sweep_settings, "hyperband_reduction_factor", hyperband.reduction_factor, "3",
                 .min = 2, MANY, .help = "hyperband: one of so many trials goes on at each rung"),
};
const spur__options sweep_table = SPUR__OPTIONS(sweep_rows, sweep_settings);

static const spur__option program_rows[] = {
    SPUR__ROW(TEXT, program_settings, command, "",
              .help = "command of a trial; {name} is a parameter, {seed} and {run_dir} are given; "
                      "{{ and }} are braces"),
    SPUR__ROW(TEXT, program_settings, objective, "val_loss", .check = check_not_empty,
              .help = "scalar tag that decides, read from the events that the program writes"),
    SPUR__ROW(TEXT, program_settings, run, "", .check = check_below,
              .help = "sub-run that has the tag, such as validation; empty is the trial itself"),
    SPUR__ROW_AS(CHOICE, program_settings, "direction", maximize, "min", .choices = "min|max",
                 .help = "whether small or large values of the objective are good"),
};
const spur__options program_table = SPUR__OPTIONS(program_rows, program_settings);

failure_policy sweep_failure_policy(const sweep_settings *s) {
    int64_t retries = count_after(s->on_failure, "retry");
    return (failure_policy){.stop = strcmp(s->on_failure, "stop") == 0,
                            .retries = retries > 0 ? retries : 0};
}

int64_t sweep_keep_best(const sweep_settings *s) {
    if (strcmp(s->keep, "all") == 0) return -1;
    int64_t best = count_after(s->keep, "best");
    return best > 0 ? best : 0;
}

static const int64_t largest_seed = 9007199254740992; /* of run.seed */

/* "a..b" or one number, appended; false when malformed or too many. */
static bool add_seeds(char *text, int64_t *out, size_t *count) {
    long long first, last;
    char *dots = strstr(text, "..");
    if (dots) *dots = '\0';
    if (!spur__parse_int(spur__trim(text), &first) || first < 0) return false;
    last = first;
    if (dots && !spur__parse_int(spur__trim(dots + 2), &last)) return false;
    if (last < first || last - first >= SWEEP_MAX_SEEDS || last > largest_seed) return false;
    for (; first <= last; first++) {
        if (*count == SWEEP_MAX_SEEDS) return false;
        for (size_t i = 0; i < *count; i++)
            if (out[i] == first) return false;
        out[(*count)++] = first;
    }
    return true;
}

size_t sweep_parse_seeds(const char *text, int64_t out[SWEEP_MAX_SEEDS]) {
    char copy[4096];
    size_t n = strlen(text), count = 0;
    if (n == 0 || n >= sizeof copy) return 0;
    memcpy(copy, text, n + 1);
    for (char *part = copy, *next; part; part = next) {
        next = strchr(part, ',');
        if (next) *next++ = '\0';
        if (!add_seeds(part, out, &count)) return 0;
    }
    return count;
}

void sweep_settle_resource(sweep_settings *s, int64_t epochs, const parameter *varied) {
    int64_t most = varied && varied->condition_count == 0 ? 0 : epochs;
    long long value;
    for (size_t i = 0; varied && i < varied->choice_count; i++)
        if (spur__parse_int(varied->choices[i], &value) && value > most) most = value;
    if (s->hyperband.max_resource == 0) s->hyperband.max_resource = most > 0 ? most : 27;
}

/* "asha_min_resource" belongs to asha. */
static bool of_another(const spur__family *family, const char *name, const char *chosen) {
    for (size_t i = 0; i < family->count; i++) {
        const char *kind = family->kinds[i]->name;
        size_t n = strlen(kind);
        if (strncmp(name, kind, n) == 0 && name[n] == '_') return strcmp(kind, chosen) != 0;
    }
    return false;
}

bool sweep_option_decides(const char *name, const char *method_name, const char *pruner_name) {
    static const char *const incidental[] = {"jobs", "max_time", "on_failure",
                                             "keep", "trials",   "best_of"};
    for (size_t i = 0; i < sizeof incidental / sizeof incidental[0]; i++)
        if (strcmp(name, incidental[i]) == 0) return false;
    return !of_another(&search_family, name, method_name) &&
           !of_another(&pruner_family, name, pruner_name);
}

const void *sweep_pruner_options(const sweep_settings *s) {
    if (strcmp(s->pruner, "median") == 0) return &s->median;
    if (strcmp(s->pruner, "asha") == 0) return &s->asha;
    if (strcmp(s->pruner, "hyperband") == 0) return &s->hyperband;
    return NULL;
}
