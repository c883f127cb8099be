/* SPDX-License-Identifier: MIT
 *
 * spur train FILE: a new run. spur resume RUN: an old one goes on.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "engine_commands/setup.h"
#include "output/text.h"
#include "sweep/catalog.h"
#include "run/stop.h"
#include "train/checkpoint.h"
#include "train/session.h"

static int run_train(int argc, char **argv);
static int run_resume(int argc, char **argv);

extern const command command_train, command_resume;
const command command_train = {
    .name = "train",
    .computes = true,
    .leaves_run = true,
    .usage = "FILE.ini [section.key=value ...] [--print-config] [--dry-run]\n"
             "                  [--overfit N] [--max-time TIME] [--limit-batches N]\n"
             "                  [--quiet] [--json]",
    .summary = "Train as an INI file says; a new run directory holds all of it.",
    .help = "  --print-config     show every option as it would be used, and stop\n"
            "  --dry-run          check everything, build the network, and stop\n"
            "  --overfit N        train and validate on the same N samples, unchanged\n"
            "  --max-time TIME    stop after 90s, 10m, 2h; `spur resume` continues\n"
            "  --limit-batches N  use only N batches of each epoch\n"
            "  --quiet, -q        print errors only\n"
            "  --json             print one JSON object per epoch\n\n"
            "Ctrl-C finishes the step, saves, and leaves with status 130; `spur resume`\n"
            "continues.",
    .run = run_train,
};
const command command_resume = {
    .name = "resume",
    .computes = true,
    .leaves_run = true,
    .usage = "RUN [section.key=value ...] [--quiet] [--json]",
    .summary = "Continue an interrupted run from its last checkpoint.",
    .help = "The run goes on at the very step where it was saved, and ends as if it had never\n"
            "been interrupted. Overrides change the rest of it (train.epochs=20,\n"
            "run.threads=4); the run's config.ini keeps them. Those that contradict what the\n"
            "run has written already (data, model, metrics, seed), that have no effect, or\n"
            "that are for a sweep's trial are refused.",
    .run = run_resume,
};

typedef struct train_flags {
    bool print_config, dry_run, quiet, json;
    const char *overfit, *max_time, *limit_batches;
} train_flags;

static int finish(const command *self, session *s, terminal *term, spur_error *err, int status) {
    if (status != EXIT_DONE && err->status != SPUR_OK)
        terminal_warn(term, "%s: %s", self->name, err->message);
    session_close(s);
    terminal_close(term);
    return status;
}

/* "5,130 parameters": those that are trained. */
static void put_parameters(const session *s, spur__str *out) {
    bool frozen = *config_common(s->cfg, SECTION_MODEL, model_settings)->freeze;
    text_count(out, (uint64_t)spur_net_trainable_count(s->net.net));
    spur__str_puts(out, frozen ? " trainable parameters" : " parameters");
}

/* What was noticed about the data, in lines of its own. */
static void say_notes(const session *s, terminal *term) {
    const char *notes = s->data->notes;
    if (notes) terminal_say(term, "%.*s", (int)strlen(notes) - 1, notes);
}

/* Batch norms that see one value of each channel: its variance is 0, and the output the bias alone. */
static void say_single_values(const session *s, terminal *term) {
    const char *first = NULL;
    int count = 0;
    for (int i = 0; i < spur_net_node_count(s->net.net); i++) {
        const spur_node *node = spur_net_node(s->net.net, i);
        int64_t values = 1;
        for (int axis = 0; axis < spur_node_rank(node) - 1; axis++)
            values *= spur_node_shape(node)[axis];
        if (values > 1 || strcmp(spur_node_kind(node), "batch_norm") != 0) continue;
        if (count++ == 0) first = spur_node_name(node);
    }
    if (count == 0) return;
    terminal_say(term,
                 "Batch norm '%s'%s one value of each channel (batch of 1, 1x1 pixels): its output "
                 "does not depend on the sample. Larger batches or pictures help.",
                 first, count > 1 ? " and others see" : " sees");
}

/* Checks and builds everything, then says so. */
static int dry_run(const command *self, session *s, terminal *term, spur_error *err) {
    const spur_data_info *info = s->info;
    terminal_say(term, "data:     %zu training, %zu validation samples of %dx%dx%d, %zu classes",
                 info->samples[SPUR_SPLIT_TRAIN], info->samples[SPUR_SPLIT_VALIDATION],
                 info->height, info->width, info->channels, info->classes);
    spur__str parameters;
    spur__str_init(&parameters, 64);
    put_parameters(s, &parameters);
    terminal_say(term, "model:    %s, %s, %.1f MiB planned", s->net.model->kind.name,
                 spur__str_text(&parameters), (double)spur_net_planned_bytes(s->net.net) / 1048576);
    spur__str_free(&parameters);
    terminal_say(term, "training: %lld epoch%s of %lld step%s, monitor %s",
                 (long long)s->train->epochs, s->train->epochs == 1 ? "" : "s",
                 (long long)s->steps_per_epoch, s->steps_per_epoch == 1 ? "" : "s",
                 s->measures.monitor_name);
    say_notes(s, term);
    say_single_values(s, term);
    terminal_say(term, "Everything fits. Nothing was created.");
    return finish(self, s, term, err, EXIT_DONE);
}

static void say_start(const session *s, terminal *term) {
    terminal_say(term, "Run:   %s", s->run.path);
    terminal_say(term, "Data:  %zu training, %zu validation samples of %dx%dx%d",
                 s->info->samples[SPUR_SPLIT_TRAIN], s->info->samples[SPUR_SPLIT_VALIDATION],
                 s->info->height, s->info->width, s->info->channels);
    int threads = network_threads(s->cfg);
    spur__str parameters;
    spur__str_init(&parameters, 64);
    put_parameters(s, &parameters);
    terminal_say(term, "Model: %s, %s, %d thread%s", s->net.model->kind.name,
                 spur__str_text(&parameters), threads, threads == 1 ? "" : "s");
    spur__str_free(&parameters);
    say_notes(s, term);
    say_single_values(s, term);
    if (s->val_loader)
        terminal_say(term, "Values are training|validation; * is the best %s so far.",
                     s->measures.monitor_name);
}

static int train(const command *self, const config *cfg, const train_flags *flags, int argc,
                 char **argv) {
    session s;
    terminal term;
    spur_error err = {.status = SPUR_OK};
    terminal_init(&term, flags->quiet, flags->json);
    if (cfg->program)
        return command_misuse(self, "the file has a [program]: `spur sweep` runs such files");
    if (session_open(&s, cfg, NULL, &term, &err) != SPUR_OK) return command_refuse(self, &err);
    if (flags->dry_run) return dry_run(self, &s, &term, &err);
    stop_listen(); /* from here on there is something to save */
    if (session_start(&s, argc, argv, &err) != SPUR_OK)
        return finish(self, &s, &term, &err, s.run.path ? EXIT_FAILED : EXIT_USAGE);
    if (cfg->sweeps) terminal_say(&term, "[sweep] is ignored here; `spur sweep` runs it");
    say_start(&s, &term);
    int status = session_train(&s, &err);
    return finish(self, &s, &term, &err, status);
}

static bool add_flags(overrides *o, const train_flags *flags) {
    if (flags->overfit && !overrides_add(o, "train.overfit", flags->overfit)) return false;
    if (flags->max_time && !overrides_add(o, "train.max_time", flags->max_time)) return false;
    return !flags->limit_batches || overrides_add(o, "train.limit_batches", flags->limit_batches);
}

static int run_train(int argc, char **argv) {
    train_flags f = {.quiet = false};
    const flag table[] = {
        {.name = "print-config", .on = &f.print_config},
        {.name = "dry-run", .on = &f.dry_run},
        {.name = "quiet", .letter = 'q', .on = &f.quiet},
        {.name = "json", .on = &f.json},
        {.name = "overfit", .text = &f.overfit},
        {.name = "max-time", .text = &f.max_time},
        {.name = "limit-batches", .text = &f.limit_batches},
    };
    int words;
    config cfg;
    overrides o = {.count = 0};
    char *line[512];
    if (argc > 500) return command_misuse(&command_train, "too many arguments");
    memcpy(line, argv, (size_t)argc * sizeof *argv); /* the parser changes the order */
    int status =
        arguments_parse(&command_train, argc, argv, table, sizeof table / sizeof table[0], &words);
    if (status != EXIT_DONE) return status;
    add_flags(&o, &f);
    status = load_config(&command_train, &cfg, argv + 1, words, &o);
    if (status == EXIT_DONE) {
        status = f.print_config ? print_config(&cfg) : train(&command_train, &cfg, &f, argc, line);
        config_free(&cfg);
    }
    overrides_free(&o);
    return status;
}

static int resume(const resume_overrides *a, const char *run, bool quiet, bool json) {
    session s;
    terminal term;
    spur_error err = {.status = SPUR_OK};
    session_origin origin = {.same_data = run};
    terminal_init(&term, quiet, json);
    if (checkpoint_find(run, &origin.has_own_weights, &err) != SPUR_OK)
        return command_refuse(&command_resume, &err);
    if (session_open(&s, a->now, &origin, &term, &err) != SPUR_OK)
        return command_refuse(&command_resume, &err);
    stop_listen();
    if (session_resume(&s, run, a, &err) != SPUR_OK)
        return finish(&command_resume, &s, &term, &err, EXIT_USAGE);
    say_start(&s, &term);
    terminal_say(&term, "Continuing after step %lld (epoch %lld, batch %lld)", (long long)s.at.step,
                 (long long)s.at.epoch + 1, (long long)s.at.batch);
    int status = session_train(&s, &err);
    return finish(&command_resume, &s, &term, &err, status);
}

/* Checks what the overrides change, and goes on if the run allows it. */
static int check_and_resume(resume_overrides *a, const char *run, bool quiet, bool json) {
    spur_error err = {.status = SPUR_OK};
    if (resume_check_overrides(a, run, &err) != SPUR_OK)
        return command_refuse(&command_resume, &err);
    if (a->run_is_done && a->count == 0)
        return command_misuse(&command_resume, "%s: this run is done%s", run,
                              a->is_trial ? "" : "; a larger train.epochs continues it");
    return resume(a, run, quiet, json);
}

/* words[0] is the run, the others are overrides. */
static int resume_from(const char *run, char **words, int count, resume_overrides *a, bool quiet,
                       bool json) {
    config was, now;
    overrides o = {.count = 0}, none = {.count = 0};
    char *file = spur__path_join(run, "config.ini");
    if (!file) return EXIT_FAILED;
    words[0] = file;
    int status = load_config(&command_resume, &was, words, 1, &none);
    if (status == EXIT_DONE) {
        spur_error err = {.status = SPUR_OK};
        for (int i = 1; i < count && err.status == SPUR_OK; i++)
            resume_check_kind(&was, words[i], &err);
        status = err.status != SPUR_OK ? command_refuse(&command_resume, &err)
                                       : load_config(&command_resume, &now, words, count, &o);
        if (status == EXIT_DONE) {
            a->was = &was;
            a->now = &now;
            status = check_and_resume(a, run, quiet, json);
            config_free(&now);
        }
        config_free(&was);
    }
    overrides_free(&o);
    spur__free(file);
    return status;
}

static int run_resume(int argc, char **argv) {
    bool quiet = false, json = false;
    const flag table[] = {{.name = "quiet", .letter = 'q', .on = &quiet},
                          {.name = "json", .on = &json}};
    int words;
    char *line[512];
    if (argc > 500) return command_misuse(&command_resume, "too many arguments");
    memcpy(line, argv, (size_t)argc * sizeof *argv); /* the parser changes the order */
    resume_overrides a = {.argc = argc, .argv = line};
    int status = arguments_parse(&command_resume, argc, argv, table, 2, &words);
    if (status != EXIT_DONE) return status;
    if (words < 1) return command_misuse(&command_resume, "expected a run directory");
    spur_error err = {.status = SPUR_OK};
    if (run_require(argv[1], "config.ini", &err) != SPUR_OK)
        return command_refuse(&command_resume, &err);
    char *run = enter_start_directory(&command_resume, argv[1]);
    if (!run) return EXIT_FAILED;
    status = resume_from(run, argv + 1, words, &a, quiet, json);
    spur__free(run);
    return status;
}
