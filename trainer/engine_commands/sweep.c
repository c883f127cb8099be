/* SPDX-License-Identifier: MIT
 *
 * spur sweep FILE: runs the trials that its [sweep] section describes, or goes on with them.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/settings.h"
#include "engine_commands/setup.h"
#include "engine_commands/sweep_check.h"
#include "run/process.h"
#include "sweep/aggregate.h"
#include "sweep/claim.h"
#include "sweep/journal.h"
#include "sweep/launch.h"
#include "sweep/live.h"
#include "run/remove.h"
#include "sweep/worker.h"
#include "run/stop.h"

enum { MOST_CHECKED = 1000 }; /* configurations, before a sweep begins */

static int run_sweep(int argc, char **argv);

extern const command command_sweep;
const command command_sweep = {
    .name = "sweep",
    .computes = true,
    .leaves_run = true,
    .usage = "FILE.ini [section.key=value ...] [--worker] [--accept-changes]\n"
             "                  [--dry-run] [--quiet] [--json]",
    .summary = "Run every trial of a [sweep] section; the same command continues it.",
    .help = "  --worker          join a sweep that others work on; print no report\n"
            "  --accept-changes  continue although the file has changed\n"
            "  --dry-run         list the configurations, and check each as `spur train\n"
            "                    --dry-run` does\n"
            "  --quiet, -q       print errors and the report only\n"
            "  --json            print one JSON object per finished trial\n\n"
            "Trials lie in <logdir>/<name>/, where the name is [run] name, or the file's. A\n"
            "killed sweep loses nothing: running trials go on from their checkpoints. Any\n"
            "number of processes and machines that share the directory may run the same\n"
            "command.",
    .run = run_sweep,
};

typedef struct sweep_flags {
    bool worker, accept_changes, dry_run, quiet, json;
} sweep_flags;

/* <logdir>/<name>; the name of the file without its ending when [run] has none. */
static char *sweep_place(const config *cfg, const char *file) {
    const run_settings *run = config_common(cfg, SECTION_RUN, run_settings);
    const char *base = spur__path_name(file), *dot = strrchr(base, '.');
    size_t n = dot && dot != base ? (size_t)(dot - base) : strlen(base);
    char *name = run->name[0] ? spur__strdup(run->name) : spur__strndup(base, n);
    char *path = name ? spur__path_join(run->logdir, name) : NULL;
    spur__free(name);
    return path;
}

/* Removes the checkpoints of all configurations but the best ones. */
static spur_status prune_checkpoints(const sweep_view *v, const report *r, spur_error *err) {
    int64_t keep = sweep_keep_best(&v->plan.settings);
    for (size_t c = 0; keep >= 0 && c < v->count; c++) {
        spur__str label;
        spur__str_init(&label, 4096);
        assignment_label(&v->plan.space, &v->configurations[c], &label);
        bool kept = false;
        for (size_t g = 0; g < r->group_count && g < (size_t)keep; g++)
            kept |= strcmp(r->groups[g].label, spur__str_text(&label)) == 0;
        spur__str_free(&label);
        for (size_t s = 0; !kept && s < v->plan.seed_count; s++) {
            char name[64];
            run_verdict verdict = v->outcomes[c * v->plan.seed_count + s].verdict;
            if (verdict != VERDICT_DONE && verdict != VERDICT_PRUNED) continue;
            sweep_trial_name(&v->plan, c, s, name, sizeof name);
            char *path = sweep_path(&v->dir, "%s/checkpoints", name);
            spur_status status = path ? remove_tree(path, err) : SPUR_E_MEMORY;
            spur__free(path);
            SPUR__TRY(status);
        }
    }
    return SPUR_OK;
}

/* Appends a word of a command, of three parts. */
static void put_word(spur__str *out, const char *option, const char *value, const char *behind) {
    spur__str word;
    spur__str_init(&word, 1 << 16);
    spur__str_printf(&word, "%s%s%s", option, value, behind);
    put_shell_word(out, spur__str_text(&word));
    spur__str_free(&word);
}

/* A search of one seed proves nothing: the command that does. */
static void put_way_on(const sweep_view *v, const report *r, spur__str *out) {
    enum { AGAIN = 5 };
    size_t valued = 0;
    for (size_t g = 0; g < r->group_count; g++) valued += r->groups[g].count > 0;
    if (v->plan.seed_count > 1 || valued < 2) return;
    long long seed = (long long)v->plan.seeds[0] + 100;
    const char *path = v->dir.path;
    spur__str_puts(out, "\nThe best once more, with seeds that did not choose them:\nspur sweep ");
    put_word(out, path, "/sweep.ini", "");
    spur__str_putc(out, ' ');
    put_word(out, "run.name=", spur__path_name(path), "_best");
    spur__str_puts(out, " sweep.method=best \\\n    ");
    put_word(out, "sweep.best_of=", path, "");
    spur__str_printf(out, " sweep.trials=%zu sweep.seeds=%lld..%lld%s\n",
                     valued < AGAIN ? valued : (size_t)AGAIN, seed, seed + AGAIN - 1,
                     strcmp(v->plan.settings.pruner, "none") == 0 ? "" : " sweep.pruner=none");
}

static void say_report(const sweep_view *v, const report *r, terminal *term) {
    spur__str text;
    spur__str_init(&text, 1 << 24);
    spur__str_printf(&text, "\n%s (%s is better)\n\n", r->metric,
                     r->maximize ? "larger" : "smaller");
    report_text(r, 30, &text);
    spur__str_putc(&text, '\n');
    report_statements(r, 10, &text);
    report_importance(r, &text);
    spur__str_printf(&text,
                     "\nResults: %s/results.csv\nTensorBoard: tensorboard --logdir=", v->dir.path);
    put_shell_word(&text, v->dir.path);
    spur__str_putc(&text, '\n');
    put_way_on(v, r, &text);
    if (!term->json) fputs(spur__str_text(&text), stdout);
    fflush(stdout);
    spur__str_free(&text);
}

/* Trials that failed, were killed or cannot be read, and how they run again. */
static void say_missing(const sweep_view *v, bool complete, terminal *term) {
    size_t trials = v->count * v->plan.seed_count, failed = 0, killed = 0, retries = 1;
    for (size_t i = 0; i < trials; i++) {
        char name[64];
        killed += v->outcomes[i].verdict == VERDICT_STALE;
        if (v->outcomes[i].verdict == VERDICT_DAMAGED)
            terminal_warn(term,
                          "sweep: %s; the trial is left as it is (after `spur rm` of it the same "
                          "command runs it again)",
                          v->outcomes[i].message);
        if (v->outcomes[i].verdict != VERDICT_FAILED) continue;
        failed++;
        sweep_trial_name(&v->plan, i / v->plan.seed_count, i % v->plan.seed_count, name,
                         sizeof name);
        size_t times = sweep_journal_failures(&v->dir, name);
        if (times > retries) retries = times;
    }
    if (failed)
        terminal_warn(term,
                      "sweep: %zu of %zu trials failed; with sweep.on_failure=retry:%zu the "
                      "same command runs them again",
                      failed, trials, retries);
    if (killed && complete)
        terminal_warn(term, "sweep: %zu of %zu trials %s killed; the same command goes on with %s",
                      killed, trials, killed == 1 ? "was" : "were", killed == 1 ? "it" : "them");
}

/* results.csv, bands, checkpoints and, for people, the report. One process at a time makes files; each that
 * saw the end does, as it may be the only one that did. */
static spur_status conclude(const char *path, terminal *term, bool complete, bool for_people,
                            spur_error *err) {
    sweep_view view;
    report r;
    process_id self = process_self();
    SPUR__TRY(sweep_view_open(&view, path, err));
    char *claim = sweep_path(&view.dir, "claims/report");
    spur_status status = claim ? claim_wait(claim, &self, err)
                               : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    bool ours = status == SPUR_OK;
    if (status == SPUR_OK) status = sweep_view_write_results(&view, err);
    if (status == SPUR_OK) status = sweep_aggregate(&view, claim, err);
    if (status == SPUR_OK) status = sweep_view_report(&view, &(metric_list){.count = 0}, &r, err);
    if (status == SPUR_OK) {
        if (complete) status = prune_checkpoints(&view, &r, err);
        if (for_people) say_report(&view, &r, term);
        if (for_people) say_missing(&view, complete, term);
        report_free(&r);
    }
    if (ours) claim_release(claim, &self);
    spur__free(claim);
    sweep_view_close(&view);
    return status;
}

/* What a continued sweep has that is not as it was. */
static void say_changes(const char *changed, terminal *term) {
    for (const char *line = changed; line && *line; line += strcspn(line, "\n") + 1)
        terminal_warn(term, "sweep: changed: %.*s; trials that began before keep what they had",
                      (int)strcspn(line, "\n"), line);
}

static int work(const sweep_plan *plan, const char *path, const sweep_flags *flags) {
    sweep_worker worker;
    terminal term;
    live view;
    spur_error err = {.status = SPUR_OK};
    bool continued;
    terminal_init(&term, flags->quiet, flags->json);
    live_init(&view, &term);
    const sweep_listener listener = {.ended = live_ended, .tick = live_tick, .user = &view};
    spur_status status =
        worker_open(&worker, plan, path, flags->accept_changes, &listener, &continued, &err);
    if (status == SPUR_E_STATE || (status != SPUR_OK && !spur__exists(path)))
        return command_refuse(&command_sweep, &err); /* nothing was made */
    if (status != SPUR_OK) return command_fail(&command_sweep, &err);
    stop_listen();
    live_begin(&view, path, continued);
    say_changes(worker.dir.changed, &term);
    status = worker_run(&worker, &err);
    live_clear(&view);
    bool failed = worker.failed > 0;
    bool complete = status == SPUR_OK && !worker.stopping;
    bool halted = status == SPUR_OK && worker.stopping;
    bool late = worker.deadline && spur__monotonic_ns() >= worker.deadline;
    worker_close(&worker);
    spur_error end = {.status = SPUR_OK};
    if ((complete || !flags->worker) &&
        conclude(path, &term, complete, !flags->worker, &end) != SPUR_OK && status == SPUR_OK) {
        status = end.status;
        err = end;
    }
    bool interrupted = status == SPUR_E_INTERRUPTED;
    if (status != SPUR_OK) terminal_warn(&term, "sweep: %s", err.message);
    if (halted) terminal_warn(&term, late ? "sweep: max_time is over" : "sweep: on_failure = stop");
    if (interrupted || halted) terminal_warn(&term, "sweep: the same command continues the sweep");
    terminal_close(&term);
    return interrupted ? EXIT_INTERRUPTED : status != SPUR_OK || failed ? EXIT_FAILED : EXIT_DONE;
}

/* What would be run, one configuration a line; EXIT_USAGE when some of them could not. */
static int list_configurations(const sweep_plan *plan, const char *file, const overrides *given) {
    sweep_check c;
    spur_error err = {.status = SPUR_OK};
    if (sweep_check_open(&c, plan, SIZE_MAX, &err) != SPUR_OK)
        return command_refuse(&command_sweep, &err);
    for (size_t i = 0; i < c.search.count; i++) {
        spur__str line;
        spur__str_init(&line, 1 << 16);
        assignment_label(&plan->space, &c.search.known[i].assigned, &line);
        printf("%4zu  %s\n", i + 1, spur__str_text(&line));
        spur__str_free(&line);
    }
    size_t count = c.search.count, trials = count * plan->seed_count;
    printf("%zu configuration%s, %zu seed%s each: %zu trial%s%s\n", count, count == 1 ? "" : "s",
           plan->seed_count, plan->seed_count == 1 ? "" : "s", trials, trials == 1 ? "" : "s",
           plan->method->adaptive ? ", then as the results suggest" : "");
    fflush(stdout);
    int status = EXIT_DONE;
    if (!plan->is_program && sweep_check_run(&c, file, given, &err) != SPUR_OK)
        status = command_refuse(&command_sweep, &err);
    if (c.failed > 0) {
        sweep_check_print(&c);
        status = EXIT_USAGE;
    }
    sweep_check_close(&c);
    return status;
}

/* Before a new sweep makes anything: true when it may begin. What only some configurations of a
 * value cannot do is told, and left to their trials. */
static bool check_configurations(const sweep_plan *plan, const char *file, const overrides *given) {
    sweep_check c;
    spur_error err = {.status = SPUR_OK};
    bool fine = sweep_check_open(&c, plan, MOST_CHECKED, &err) == SPUR_OK;
    if (!fine) {
        command_refuse(&command_sweep, &err);
        return false;
    }
    if (!plan->is_program) fine = sweep_check_run(&c, file, given, &err) == SPUR_OK;
    if (!fine) command_refuse(&command_sweep, &err);
    if (c.failed > 0) sweep_check_print(&c);
    fine = fine && !sweep_check_is_hopeless(&c);
    sweep_check_close(&c);
    return fine;
}

/* A command that names what nobody gives a value to is refused before anything is made. */
static spur_status check_command(const sweep_plan *plan, spur_error *err) {
    assignment none;
    spur__str text;
    if (!plan->is_program) return SPUR_OK;
    if (assignment_init(&plan->space, &none) != SPUR_OK)
        return spur__fail(err, SPUR_E_MEMORY, "sweep: out of memory");
    spur__str_init(&text, 1 << 20);
    spur_status status = program_command(plan, &none, plan->seeds[0], "", &text, err);
    spur__str_free(&text);
    assignment_free(&plan->space, &none);
    return status;
}

static int sweep(const config *cfg, const char *file, const overrides *given,
                 const sweep_flags *flags) {
    sweep_plan plan;
    spur_error err = {.status = SPUR_OK};
    if (sweep_plan_make(&plan, cfg, &err) != SPUR_OK) return command_refuse(&command_sweep, &err);
    bool sound = check_command(&plan, &err) == SPUR_OK;
    char *path = sound ? sweep_place(cfg, file) : NULL;
    int status = EXIT_USAGE;
    if (!sound)
        command_refuse(&command_sweep, &err);
    else if (!path)
        status = EXIT_FAILED;
    else if (flags->dry_run)
        status = list_configurations(&plan, file, given);
    else if (is_sweep(path) || check_configurations(&plan, file, given))
        status = work(&plan, path, flags);
    spur__free(path);
    sweep_plan_free(&plan);
    return status;
}

static int run_sweep(int argc, char **argv) {
    sweep_flags f = {.quiet = false};
    const flag rows[] = {
        {.name = "worker", .on = &f.worker},   {.name = "accept-changes", .on = &f.accept_changes},
        {.name = "dry-run", .on = &f.dry_run}, {.name = "quiet", .letter = 'q', .on = &f.quiet},
        {.name = "json", .on = &f.json},
    };
    int words;
    config cfg;
    overrides o = {.count = 0};
    int status =
        arguments_parse(&command_sweep, argc, argv, rows, sizeof rows / sizeof rows[0], &words);
    if (status != EXIT_DONE) return status;
    if (words < 1) return command_misuse(&command_sweep, "expected an INI file");
    status = load_config(&command_sweep, &cfg, argv + 1, words, &o);
    if (status == EXIT_DONE) {
        status = sweep(&cfg, argv[1], &o, &f);
        config_free(&cfg);
    }
    overrides_free(&o);
    return status;
}
