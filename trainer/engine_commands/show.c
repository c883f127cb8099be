/* SPDX-License-Identifier: MIT
 *
 * spur show RUN: state, what was changed, where it ran, curves, and where the files are.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <spur/events.h>

#include "base/file.h"
#include "base/memory.h"
#include "commands/arguments.h"
#include "output/text.h"
#include "engine_commands/setup.h"
#include "run/process.h"
#include "sweep/catalog.h"
#include "sweep/collect.h"
#include "output/curve.h"
#include "output/terminal.h"

static int run_show(int argc, char **argv);

extern const command command_show;
const command command_show = {
    .name = "show",
    .usage = "RUN [--config]",
    .summary = "Show one run: state, changes, machine, git, curves, files.",
    .help = "  --config  the whole configuration instead of what was changed only\n\n"
            "Pictures and sounds are in the event files: `spur export RUN --kind image -o\n"
            "FOLDER` (or audio) writes them out.",
    .run = run_show,
};

enum { CURVE_HEIGHT = 6, MAX_COLUMNS = 64, NAME = 80 };

/* A line of somebody's file: nothing of it that a terminal would obey. */
static void print_line(const char *before, const char *text) {
    spur__str line;
    spur__str_init(&line, 1 << 22);
    text_line(&line, text, strlen(text));
    printf("%s%s\n", before, spur__str_text(&line));
    spur__str_free(&line);
}

/* Prints a small text file of the run, indented, under a title; nothing when it is not there. */
static void print_file(const char *run, const char *name, const char *title) {
    char *path = spur__path_join(run, name), *text = NULL;
    size_t size;
    if (path && spur__exists(path) &&
        spur__file_read(path, 1 << 22, &text, &size, NULL) == SPUR_OK && size > 0) {
        printf("\n%s\n", title);
        for (char *line = text, *next; line && *line; line = next) {
            next = strchr(line, '\n');
            if (next) *next++ = '\0';
            if (*line) print_line("  ", line);
        }
    }
    spur__free(text);
    spur__free(path);
}

static void print_state(const char *run) {
    run_outcome o;
    char *tags = NULL;
    spur_error err = {.status = SPUR_OK};
    if (run_outcome_read(run, &o, &err) != SPUR_OK) {
        printf("%s\n", err.message);
        return;
    }
    printf("%s: %s", run, run_verdict_names[o.verdict]);
    if (o.epochs) printf(", %lld epoch%s", o.epochs, o.epochs == 1 ? "" : "s");
    if (o.monitor[0] && isfinite(o.best))
        printf(", best %s %.6g (epoch %lld)", o.monitor, o.best, o.best_epoch);
    printf("\n");
    if (o.message[0]) print_line("  ", o.message);
    if (tags_read(run, &tags, NULL) == SPUR_OK && tags[0]) print_line("  tags: ", tags);
    spur__free(tags);
}

/* The header of metrics.csv as names. */
static size_t read_names(const char *run, char names[MAX_COLUMNS][NAME]) {
    char *path = spur__path_join(run, "metrics.csv"), *text = NULL;
    size_t size, count = 0;
    if (path && spur__file_read(path, 1u << 30, &text, &size, NULL) == SPUR_OK) {
        text[strcspn(text, "\r\n")] = '\0';
        for (char *p = text, *next; p && count < MAX_COLUMNS; p = next) {
            next = strchr(p, ',');
            if (next) *next++ = '\0';
            snprintf(names[count++], NAME, "%s", p);
        }
    }
    spur__free(text);
    spur__free(path);
    return count;
}

static void draw(const char *name, const double *x, const double *y, size_t count) {
    terminal term;
    spur__str out;
    if (count < 2) return;
    terminal_init(&term, false, false);
    int width = terminal_width() - 14;
    const text_curve curve = {.mark = NAN,
                              .x = x,
                              .y = y,
                              .count = count,
                              .columns = width < 64 ? width : 64,
                              .rows = CURVE_HEIGHT,
                              .unicode = term.unicode};
    spur__str_init(&out, 1 << 16);
    draw_text_curve(&curve, &out);
    printf("\n%s\n%s", name, spur__str_text(&out));
    spur__str_free(&out);
    terminal_close(&term);
}

/* One column over the epochs. */
static void print_curve(const char *run, const char *name) {
    double *values = NULL;
    size_t count = 0;
    if (run_metric_column(run, name, &values, &count, NULL) != SPUR_OK) return;
    double *epochs = spur__malloc_array(count + 1, sizeof *epochs);
    for (size_t i = 0; epochs && i < count; i++) epochs[i] = (double)i + 1;
    if (epochs) draw(name, epochs, values, count);
    spur__free(epochs);
    spur__free(values);
}

/* The scalars of a program that has no metrics.csv, from its events. */
static void print_event_curves(const char *run) {
    spur_scalars *scalars;
    const spur_scalars_options options = {.supersede = true};
    if (spur_scalars_load(&scalars, run, &options, NULL) != SPUR_OK) return;
    for (size_t i = 0; i < spur_scalars_count(scalars) && i < MAX_COLUMNS; i++) {
        const spur_series *s = spur_scalars_series(scalars, i);
        double *steps = spur__malloc_array(s->count + 1, sizeof *steps);
        spur__str name;
        spur__str_init(&name, 4096);
        text_line(&name, s->tag, strlen(s->tag));
        for (size_t k = 0; steps && k < s->count; k++) steps[k] = (double)s->steps[k];
        if (steps) draw(spur__str_text(&name), steps, s->values, s->count);
        spur__str_free(&name);
        spur__free(steps);
    }
    spur_scalars_destroy(scalars);
}

static void print_curves(const char *run) {
    char names[MAX_COLUMNS][NAME];
    size_t count = read_names(run, names);
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], "epoch") != 0 && strcmp(names[i], "step") != 0)
            print_curve(run, names[i]);
    if (count == 0) print_event_curves(run);
}

static int run_show(int argc, char **argv) {
    bool whole = false;
    const flag rows[] = {{.name = "config", .on = &whole}};
    int words;
    int parsed = arguments_parse(&command_show, argc, argv, rows, 1, &words);
    if (parsed != EXIT_DONE) return parsed;
    if (words != 1) return command_misuse(&command_show, "expected one run");
    spur_error err = {.status = SPUR_OK};
    if (is_sweep(argv[1]))
        return command_misuse(&command_show,
                              "%s: a sweep, no run: see spur list, spur compare and spur best",
                              argv[1]);
    if (!is_run(argv[1]) && run_require(argv[1], "status.ini", &err) != SPUR_OK)
        return command_refuse(&command_show, &err);
    print_state(argv[1]);
    if (whole)
        print_file(argv[1], "config.ini", "Configuration");
    else
        print_file(argv[1], "overrides.ini", "Changed options");
    print_file(argv[1], "trial.ini", "Trial of a sweep");
    print_file(argv[1], "env.ini", "Environment");
    print_file(argv[1], "notes.md", "Notes");
    print_curves(argv[1]);
    char *checkpoints = spur__path_join(argv[1], "checkpoints");
    printf("\n");
    if (checkpoints && spur__exists(checkpoints)) printf("Checkpoints: %s\n", checkpoints);
    spur__free(checkpoints);
    spur__str word;
    spur__str_init(&word, 1 << 16);
    put_shell_word(&word, argv[1]);
    printf("TensorBoard: tensorboard --logdir=%s\n"
           "Pictures:    spur export %s --kind image -o pictures\n",
           spur__str_text(&word), spur__str_text(&word));
    spur__str_free(&word);
    return EXIT_DONE;
}
