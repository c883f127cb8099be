/* SPDX-License-Identifier: MIT
 *
 * spur compare RUN...|SWEEP and spur best SWEEP: what differs, and which difference is real.
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine_commands/setup.h"
#include "output/text.h"
#include "run/process.h"
#include "sweep/collect.h"
#include "sweep/launch.h"

static int run_compare(int argc, char **argv);
static int run_best(int argc, char **argv);

extern const command command_compare, command_best;
const command command_compare = {
    .name = "compare",
    .usage = "RUN...|SWEEP [--metric COLUMN,...]\n"
             "                    [--csv|--json|--md|--latex]",
    .summary = "Compare runs or a sweep's configurations: means over seeds, p-values.",
    .help = "  --metric COLUMN,...\n"
            "             compare the last value of this column of metrics.csv, and show\n"
            "             those of the others beside it; without it the best value of each\n"
            "             run's monitor, and the last one beside it\n"
            "  --csv --json --md --latex\n"
            "             the table only, in this format\n\n"
            "Runs whose configurations agree but for the seed are repetitions of each other;\n"
            "of those with the same seed the newest counts. The p-values are a t test's\n"
            "against the best configuration, Holm-corrected for all pairs: seed by seed where\n"
            "seeds go together (an F test says), Welch's otherwise; with variances moderated\n"
            "by that of all. Configurations in which seeds failed rank behind the complete.",
    .run = run_compare,
};
const command command_best = {
    .name = "best",
    .usage = "SWEEP [--json]",
    .summary = "Show a sweep's best configuration, its runs and how to use it.",
    .run = run_best,
};

typedef struct compare_flags {
    const char *metric;
    bool csv, json, md, latex;
} compare_flags;

/* The table and what can be said about it. */
static void say_report(const report *r) {
    spur__str text;
    spur__str_init(&text, 1u << 28);
    spur__str_printf(&text, "%s (%s is better)\n\n", r->metric, r->maximize ? "larger" : "smaller");
    report_text(r, 0, &text);
    spur__str_putc(&text, '\n');
    report_statements(r, 0, &text);
    report_importance(r, &text);
    fputs(spur__str_text(&text), stdout);
    spur__str_free(&text);
}

static int print_report(const command *self, const report *r, const compare_flags *f) {
    if (!f->csv && !f->json && !f->md && !f->latex) {
        say_report(r);
        return EXIT_DONE;
    }
    table_format format = f->csv    ? TABLE_CSV
                          : f->json ? TABLE_JSON
                          : f->md   ? TABLE_MARKDOWN
                                    : TABLE_LATEX;
    spur_status status = report_write(r, format, stdout);
    if (status == SPUR_OK) return EXIT_DONE;
    text_complain("%s: %s", self->name, spur_strstatus(status));
    return EXIT_FAILED;
}

/* Runs whose status.ini cannot be read have no value in a report. */
static void tell_damaged(const command *self, const run_outcome *outcomes, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (outcomes[i].verdict == VERDICT_DAMAGED)
            text_complain("%s: %s; this run's state is not known", self->name, outcomes[i].message);
}

static void tell_damaged_runs(char *const *runs, size_t count) {
    run_outcome o;
    for (size_t i = 0; i < count; i++)
        if (run_outcome_read(runs[i], &o, NULL) == SPUR_OK) tell_damaged(&command_compare, &o, 1);
}

static spur_status report_of_sweep(const char *path, const metric_list *metrics, report *r,
                                   spur_error *err) {
    sweep_view view;
    spur_status status = sweep_view_open(&view, path, err);
    if (status != SPUR_OK) return status;
    tell_damaged(&command_compare, view.outcomes, view.count * view.plan.seed_count);
    status = sweep_view_report(&view, metrics, r, err);
    sweep_view_close(&view);
    return status;
}

/* A sweep is compared alone: its report is of its own configurations. */
static int refuse_mixture(const char *sweep) {
    return command_misuse(&command_compare,
                          "%s: found a sweep among several arguments, expected one sweep alone, or "
                          "runs only (a sweep's trials are runs: %s/trial_*)",
                          sweep, sweep);
}

/* What `spur lr-find` leaves beside the runs is no training, and none that failed. How many are left. */
static int leave_out_range_tests(char **runs, int count) {
    int left = 0;
    for (int i = 0; i < count; i++) {
        char *file = spur__path_join(runs[i], "lr_find.csv");
        bool found = file && spur__exists(file);
        if (found) text_complain("compare: %s: left out, it is no training but lr-find's", runs[i]);
        if (!found) runs[left++] = runs[i];
        spur__free(file);
    }
    return left;
}

static int run_compare(int argc, char **argv) {
    compare_flags f = {.metric = NULL};
    const flag rows[] = {
        {.name = "metric", .letter = 'm', .text = &f.metric},
        {.name = "csv", .on = &f.csv},
        {.name = "json", .on = &f.json},
        {.name = "md", .on = &f.md},
        {.name = "latex", .on = &f.latex},
    };
    int words;
    report r;
    spur_error err = {.status = SPUR_OK};
    int parsed =
        arguments_parse(&command_compare, argc, argv, rows, sizeof rows / sizeof rows[0], &words);
    if (parsed != EXIT_DONE) return parsed;
    words = leave_out_range_tests(argv + 1, words);
    if (words < 1) return command_misuse(&command_compare, "expected runs or a sweep");
    if (f.csv + f.json + f.md + f.latex > 1)
        return command_misuse(&command_compare, "expected one format at most");
    for (int i = 1; words > 1 && i <= words; i++)
        if (is_sweep(argv[i])) return refuse_mixture(argv[i]);
    metric_list metrics;
    spur_status status = metric_list_parse(&metrics, f.metric, &err);
    if (status != SPUR_OK) return command_refuse(&command_compare, &err);
    status = words == 1 && is_sweep(argv[1])
                 ? report_of_sweep(argv[1], &metrics, &r, &err)
                 : runs_report(argv + 1, (size_t)words, &metrics, &r, &err);
    metric_list_free(&metrics);
    if (status != SPUR_OK) return command_refuse(&command_compare, &err);
    if (!is_sweep(argv[1])) tell_damaged_runs(argv + 1, (size_t)words);
    int result = print_report(&command_compare, &r, &f);
    report_free(&r);
    return result;
}

/* "spur train my_logs/s/sweep.ini optimizer.lr=0.01" */
static void put_training(const sweep_view *v, size_t c, spur__str *words) {
    char *file = spur__path_join(v->dir.path, "sweep.ini");
    spur__str_puts(words, "spur train ");
    put_shell_word(words, file ? file : "");
    spur__free(file);
    for (size_t i = 0; i < v->plan.space.count; i++) {
        spur__str word;
        if (!v->configurations[c].values[i]) continue;
        spur__str_init(&word, 1 << 20);
        spur__str_printf(&word, "%s=%s", v->plan.space.parameters[i].name,
                         v->configurations[c].values[i]);
        spur__str_putc(words, ' ');
        put_shell_word(words, spur__str_text(&word));
        spur__str_free(&word);
    }
}

/* The command that runs configuration c once more; of a program that with the first seed, and with a
 * new directory where it asks for one. */
static void print_way(const sweep_view *v, size_t c) {
    spur__str words;
    spur__str_init(&words, 1 << 20);
    if (v->plan.is_program)
        program_command(&v->plan, &v->configurations[c], v->plan.seeds[0], "best_run", &words,
                        NULL);
    else
        put_training(v, c, &words);
    if (words.length > 0) printf("\n%s\n", spur__str_text(&words));
    spur__str_free(&words);
}

static void print_best(const sweep_view *v, const report *r) {
    size_t c = sweep_view_find(v, r->groups[0].label);
    spur__str text;
    spur__str_init(&text, 1 << 20);
    report_text(r, 1, &text);
    if (r->groups[0].failed || r->groups[0].unfinished) {
        report_put_missing(&r->groups[0], &text);
        spur__str_puts(&text, "; no configuration is complete\n");
    }
    printf("%s\n%s\n", r->metric, spur__str_text(&text));
    spur__str_free(&text);
    for (size_t s = 0; s < v->plan.seed_count; s++) {
        char name[64];
        const run_outcome *o = &v->outcomes[c * v->plan.seed_count + s];
        sweep_trial_name(&v->plan, c, s, name, sizeof name);
        printf("  %s/%s  %s", v->dir.path, name, run_verdict_names[o->verdict]);
        if (o->best == o->best) printf("  %.6g at epoch %lld", o->best, o->best_epoch);
        printf("\n");
    }
    print_way(v, c);
}

static int run_best(int argc, char **argv) {
    bool json = false;
    const flag rows[] = {{.name = "json", .on = &json}};
    int words;
    sweep_view view;
    report r;
    spur_error err = {.status = SPUR_OK};
    int parsed = arguments_parse(&command_best, argc, argv, rows, 1, &words);
    if (parsed != EXIT_DONE) return parsed;
    if (words != 1) return command_misuse(&command_best, "expected a sweep's directory");
    if (sweep_view_open(&view, argv[1], &err) != SPUR_OK)
        return command_refuse(&command_best, &err);
    tell_damaged(&command_best, view.outcomes, view.count * view.plan.seed_count);
    spur_status status = sweep_view_report(&view, &(metric_list){.count = 0}, &r, &err);
    int result = EXIT_DONE;
    if (status != SPUR_OK) {
        result = command_refuse(&command_best, &err);
    } else if (r.group_count == 0 || r.groups[0].count == 0) {
        text_complain("best: %s: no run has finished yet", argv[1]);
        result = EXIT_FAILED;
    } else if (json) {
        r.group_count = 1; /* the others are freed below all the same: they own nothing shared */
        result = print_report(&command_best, &r, &(compare_flags){.json = true});
        r.group_count = view.count;
    } else {
        print_best(&view, &r);
    }
    if (status == SPUR_OK) report_free(&r);
    sweep_view_close(&view);
    return result;
}
