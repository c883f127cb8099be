/* SPDX-License-Identifier: MIT
 *
 * spur eval RUN: the metrics of a run's weights on one of its splits, or on other data.
 */
#include <stdio.h>
#include <string.h>

#include <spur/weights.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/loader.h"
#include "engine_commands/setup.h"
#include "sweep/catalog.h"
#include "train/whole_pictures.h"

static int run_eval(int argc, char **argv);

extern const command command_eval;
const command command_eval = {
    .name = "eval",
    .computes = true,
    .usage = "RUN [section.key=value ...] [--split val|test|train]\n"
             "                 [--weights best|last] [--json]",
    .summary = "Measure a run's weights on its validation, test or training data.",
    .help = "Data that are cut into tiles (data.tile) are measured as whole pictures: the\n"
            "tiles of each are run with data.overlap and blended, as `spur predict` does.\n"
            "With data.path=FOLDER other data of the same classes are measured, normalised as\n"
            "those of the training were.\n\n"
            "  --split NAME     val (default), test or train\n"
            "  --weights NAME   best (default) or last\n"
            "  --json           one JSON object",
    .run = run_eval,
};

typedef struct evaluation {
    const char *run, *split, *weights;
    bool json;
} evaluation;

/* Replaces the validation loader by one on the wanted split. */
static spur_status choose_split(session *s, const char *split, spur_error *err) {
    static const char *const names[] = {
        [SPUR_SPLIT_TRAIN] = "train", [SPUR_SPLIT_VALIDATION] = "val", [SPUR_SPLIT_TEST] = "test"};
    spur_split chosen = 0;
    while (strcmp(names[chosen], split) != 0) chosen++;
    if (s->info->samples[chosen] == 0)
        return spur__fail(err, SPUR_E_NOTFOUND, "the data have no '%s' samples", split);
    spur_loader_destroy(s->val_loader);
    s->val_loader = NULL;
    spur__loader_config options = {.split = chosen, .sampler = "sequential"};
    SPUR__TRY(spur__loader_create(&s->val_loader, s->data, &options, err));
    s->val_split = chosen;
    s->val_batches = (int64_t)spur_loader_batches(s->val_loader);
    return SPUR_OK;
}

static spur_status measure_run(session *s, const evaluation *e, pass_result *result,
                               spur_error *err) {
    char *path;
    SPUR__TRY(find_weights(e->run, e->weights, &path, err));
    spur_status status = choose_split(s, e->split, err);
    if (status == SPUR_OK) status = spur_weights_load(s->net.net, path, NULL, NULL, err);
    spur__free(path);
    if (status != SPUR_OK) return status;
    spur_ema_destroy(s->ema);
    s->ema = NULL;
    return session_has_tiles(s) ? session_measure_whole(s, result, err)
                                : session_validate(s, NULL, result, err);
}

static void print_json(const session *s, const evaluation *e, const pass_result *r) {
    spur__str text;
    spur__str_init(&text, 1 << 16);
    spur__str_puts(&text, "{\"run\":");
    spur__str_json(&text, e->run);
    spur__str_printf(&text,
                     ",\"split\":\"%s\",\"weights\":\"%s\",\"samples\":%.0f,\"loss\":", e->split,
                     e->weights, s->val_pass.samples);
    spur__str_double(&text, r->loss);
    for (size_t i = 0; i < s->measures.count; i++) {
        spur__str_printf(&text, ",\"%s\":", s->measures.items[i].name);
        spur__str_double(&text, r->values[i]);
    }
    printf("%s}\n", spur__str_text(&text));
    spur__str_free(&text);
}

static int report(const session *s, const evaluation *e, const pass_result *r) {
    if (e->json) {
        print_json(s, e, r);
        return EXIT_DONE;
    }
    printf("%s, %s weights, %.0f %s of '%s'\n", e->run, e->weights, s->val_pass.samples,
           session_has_tiles(s) ? "whole pictures" : "samples", e->split);
    if (session_has_tiles(s))
        printf("in tiles of %d pixels, blended over %d\n", s->data->tile, s->data->overlap);
    printf("\n  %-20s %.4f\n", "loss", r->loss);
    for (size_t i = 0; i < s->measures.count; i++)
        printf("  %-20s %.4f\n", s->measures.items[i].name, r->values[i]);
    printf("\n");
    if (s->info->classes < 2) return EXIT_DONE;
    return spur_classification_report(s->val_pass.tally, s->info->class_names, stdout) == SPUR_OK
               ? EXIT_DONE
               : EXIT_FAILED;
}

static int evaluate(const config *cfg, const evaluation *e) {
    session s;
    terminal term;
    pass_result result;
    spur_error err = {.status = SPUR_OK};
    terminal_init(&term, false, e->json);
    session_origin origin = {.same_classes = e->run, .has_own_weights = true, .is_shown = true};
    if (session_open(&s, cfg, &origin, &term, &err) != SPUR_OK)
        return command_refuse(&command_eval, &err);
    int status = measure_run(&s, e, &result, &err) == SPUR_OK ? report(&s, e, &result)
                                                              : command_refuse(&command_eval, &err);
    session_close(&s);
    return status;
}

static bool is_one_of(const char *word, const char *const *words) {
    for (; *words; words++)
        if (strcmp(word, *words) == 0) return true;
    return false;
}

static int run_eval(int argc, char **argv) {
    static const char *const splits[] = {"train", "val", "test", NULL};
    static const char *const weights[] = {"best", "last", NULL};
    evaluation e = {.split = "val", .weights = "best"};
    const flag table[] = {{.name = "split", .text = &e.split},
                          {.name = "weights", .text = &e.weights},
                          {.name = "json", .on = &e.json}};
    int words;
    config cfg;
    int status = arguments_parse(&command_eval, argc, argv, table, 3, &words);
    if (status != EXIT_DONE) return status;
    if (!is_one_of(e.split, splits))
        return command_misuse(&command_eval, "--split: found '%s', expected val, test or train",
                              e.split);
    if (!is_one_of(e.weights, weights))
        return command_misuse(&command_eval, "--weights: found '%s', expected best or last",
                              e.weights);
    if (words < 1) return command_misuse(&command_eval, "expected a run directory");
    spur_error err = {.status = SPUR_OK};
    if (run_require(argv[1], "config.ini", &err) != SPUR_OK)
        return command_refuse(&command_eval, &err);
    char *run = enter_start_directory(&command_eval, argv[1]);
    if (!run) return EXIT_FAILED;
    e.run = argv[1] = run;
    status = load_config_of(&command_eval, argv + 1, words, &cfg);
    if (status == EXIT_DONE) {
        status = evaluate(&cfg, &e);
        config_free(&cfg);
    }
    spur__free(run);
    return status;
}
