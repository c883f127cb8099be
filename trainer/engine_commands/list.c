/* SPDX-License-Identifier: MIT
 *
 * spur list: the runs and sweeps of a log directory.
 */
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "commands/arguments.h"
#include "engine_commands/setup.h"
#include "output/table.h"
#include "output/terminal.h"
#include "output/text.h"
#include "run/process.h"
#include "sweep/catalog.h"

static int run_list(int argc, char **argv);

extern const command command_list;
const command command_list = {
    .name = "list",
    .usage = "[LOGDIR|SWEEP] [--state STATE] [--tag TAG] [--match PATTERN]\n"
             "                 [--json|--csv]",
    .summary = "List runs and sweeps with state, best value and age.",
    .help = "LOGDIR is ./my_logs when nothing is given; a sweep's directory lists its trials.\n"
            "States: queued, running, stale (killed), interrupted, done, pruned, failed,\n"
            "damaged (status.ini cannot be read); sweep.",
    .run = run_list,
};

typedef struct list_flags {
    const char *state, *tag, *match;
    bool json, csv;
} list_flags;

static const char *state_of(const catalog_entry *e) {
    return e->is_sweep ? "sweep" : run_verdict_names[e->outcome.verdict];
}

static bool is_state(const char *word) {
    for (int v = VERDICT_NONE; v < VERDICT_COUNT; v++)
        if (strcmp(word, run_verdict_names[v]) == 0) return true;
    return strcmp(word, "sweep") == 0;
}

static bool wanted(const catalog_entry *e, const list_flags *f) {
    if (f->state && strcmp(f->state, state_of(e)) != 0) return false;
    if (f->tag && !tags_have(e->tags, f->tag, strlen(f->tag))) return false;
    return !f->match || fnmatch(f->match, e->name, 0) == 0;
}

/* "3m", "2h", "5d". */
static void put_age(spur__str *out, double seconds) {
    if (seconds < 100)
        spur__str_printf(out, "%.0fs", fmax(0, seconds));
    else if (seconds < 6000)
        spur__str_printf(out, "%.0fm", seconds / 60);
    else if (seconds < 172800)
        spur__str_printf(out, "%.0fh", seconds / 3600);
    else
        spur__str_printf(out, "%.0fd", seconds / 86400);
}

/* Trials that were not begun have no directory: their number is not known here. */
static void put_trials(const catalog_entry *e, spur__str *out) {
    size_t rest = e->trials[1] - e->trials[0];
    spur__str_printf(out, "%zu trial%s done", e->trials[0], e->trials[0] == 1 ? "" : "s");
    if (rest) spur__str_printf(out, ", %zu not", rest);
}

/* "val_loss 0.1234", of a name longer than `room` has place for its ends; 0: any. */
static void put_best(const run_outcome *o, size_t room, spur__str *out) {
    spur__str name;
    char best[32];
    size_t n = (size_t)snprintf(best, sizeof best, " %.4g", o->best);
    spur__str_init(&name, 4096);
    text_line(&name, o->monitor, strlen(o->monitor));
    bool fits = room <= n || text_columns(spur__str_text(&name)) <= room - n;
    text_fit(out, spur__str_text(&name), fits ? 0 : room - n);
    spur__str_puts(out, best);
    spur__str_free(&name);
}

static void put_value(const catalog_entry *e, size_t room, spur__str *out) {
    if (e->is_sweep)
        put_trials(e, out);
    else if (isfinite(e->outcome.best))
        put_best(&e->outcome, room, out);
    else
        spur__str_puts(out, "-");
}

/* Columns between the name and the value, of a usual value, and of "  ..." in place of tags. */
enum { FIXED_WIDTH = 2 + 11 + 2 + 5 + 2 + 4 + 2, VALUE_WIDTH = 19, DOTS_WIDTH = 5 };

/* Widths in columns; `line` is 0 where there is no terminal: nothing is cut there. */
typedef struct widths {
    size_t line, name;
} widths;

/* One line of a table for people. */
static void put_line(const catalog_entry *e, double now, widths w, spur__str *out) {
    spur__str name, line, age;
    size_t others = w.name + FIXED_WIDTH + (e->tags[0] ? DOTS_WIDTH : 0);
    spur__str_init(&name, 4096);
    spur__str_init(&line, 1 << 20);
    spur__str_init(&age, 64);
    text_line(&name, e->name, strlen(e->name));
    put_age(&age, now - e->changed);
    text_fit(&line, spur__str_text(&name), w.name);
    spur__str_printf(&line, "  %-11s  ", state_of(e));
    if (e->is_sweep) /* its trials have epochs */
        spur__str_puts(&line, "    -");
    else
        spur__str_printf(&line, "%5lld", e->outcome.epochs);
    spur__str_printf(&line, "  %4s  ", spur__str_text(&age));
    put_value(e, w.line > others ? w.line - others : 0, &line);
    if (e->tags[0]) {
        spur__str_puts(&line, "  [");
        text_line(&line, e->tags, strlen(e->tags));
        spur__str_putc(&line, ']');
    }
    text_cut(out, spur__str_text(&line), w.line ? w.line : line.length);
    spur__str_putc(out, '\n');
    spur__str_free(&age);
    spur__str_free(&line);
    spur__str_free(&name);
}

/* The table for programs. */
static spur_status write_catalog(const catalog *c, const list_flags *f) {
    static const column columns[] = {{"name", false},    {"state", false},  {"epochs", true},
                                     {"monitor", false}, {"best", true},    {"done", true},
                                     {"trials", true},   {"changed", true}, {"tags", false}};
    const cell none = {.type = CELL_NONE};
    table t;
    table_begin(&t, stdout, f->json ? TABLE_JSON : TABLE_CSV, columns,
                sizeof columns / sizeof columns[0]);
    table_head(&t);
    for (size_t i = 0; i < c->count; i++) {
        const catalog_entry *e = &c->entries[i];
        const char *monitor = e->outcome.monitor, *state = state_of(e);
        bool judged = isfinite(e->outcome.best) && !e->is_sweep;
        if (!wanted(e, f)) continue;
        const cell cells[] = {
            cell_text(e->name, strlen(e->name)),
            cell_text(state, strlen(state)),
            e->is_sweep ? none : cell_int(e->outcome.epochs),
            *monitor ? cell_text(monitor, strlen(monitor)) : none,
            judged ? cell_number(e->outcome.best) : none,
            e->is_sweep ? cell_int((int64_t)e->trials[0]) : none,
            e->is_sweep ? cell_int((int64_t)e->trials[1]) : none,
            cell_int((int64_t)e->changed),
            cell_text(e->tags, strlen(e->tags)),
        };
        table_row(&t, cells);
    }
    return table_end(&t);
}

/* Names leave a terminal the columns of a usual value, but have a quarter of it: 28 of 80. */
static widths measure(const catalog *c) {
    enum { OTHERS = FIXED_WIDTH + VALUE_WIDTH + DOTS_WIDTH };
    size_t line = isatty(STDOUT_FILENO) ? (size_t)terminal_width() : 0;
    size_t width = 4, most = line > OTHERS + line / 4 ? line - OTHERS : line / 4;
    for (size_t i = 0; i < c->count; i++) {
        spur__str name;
        spur__str_init(&name, 4096);
        text_line(&name, c->entries[i].name, strlen(c->entries[i].name));
        size_t columns = text_columns(spur__str_text(&name));
        if (columns > width) width = columns;
        spur__str_free(&name);
    }
    return (widths){.line = line, .name = line && width > most ? most : width};
}

/* A log directory may hold runs of programs that only log: they have no state. */
static void put_none(const char *logdir, const list_flags *f, spur__str *out) {
    bool asked = f->state || f->tag || f->match;
    spur__str_puts(out, "(none");
    if (!asked) {
        spur__str_puts(out, " of `spur train` or `spur sweep`; `spur inspect ");
        put_shell_word(out, logdir);
        spur__str_puts(out, "` looks into all event files");
    }
    spur__str_puts(out, ")\n");
}

static void print_catalog(const catalog *c, const char *logdir, const list_flags *f) {
    spur__str out, head;
    size_t shown = 0;
    widths w = measure(c);
    double now = spur__wall_time();
    spur__str_init(&out, 1u << 30);
    spur__str_init(&head, 4096);
    spur__str_printf(&head, "%-*s  %-11s  %5s  %4s  best", (int)w.name, "run", "state", "epoch",
                     "age");
    text_cut(&out, spur__str_text(&head), w.line ? w.line : head.length);
    spur__str_putc(&out, '\n');
    spur__str_free(&head);
    for (size_t i = 0; i < c->count; i++) {
        const catalog_entry *e = &c->entries[i];
        if (!wanted(e, f)) continue;
        put_line(e, now, w, &out);
        shown++;
    }
    if (shown == 0) put_none(logdir, f, &out);
    fputs(spur__str_text(&out), stdout);
    spur__str_free(&out);
}

static int run_list(int argc, char **argv) {
    list_flags f = {.state = NULL};
    const flag rows[] = {
        {.name = "state", .text = &f.state}, {.name = "tag", .text = &f.tag},
        {.name = "match", .text = &f.match}, {.name = "json", .on = &f.json},
        {.name = "csv", .on = &f.csv},
    };
    int words;
    catalog c;
    spur_error err = {.status = SPUR_OK};
    int parsed =
        arguments_parse(&command_list, argc, argv, rows, sizeof rows / sizeof rows[0], &words);
    if (parsed != EXIT_DONE) return parsed;
    if (words > 1) return command_misuse(&command_list, "expected one directory at most");
    if (f.json && f.csv) return command_misuse(&command_list, "expected one format at most");
    if (f.state && !is_state(f.state))
        return command_misuse(&command_list,
                              "--state: found '%s', expected queued, running, stale, interrupted, "
                              "done, pruned, failed, damaged or sweep",
                              f.state);
    const char *logdir = words ? argv[1] : "./my_logs";
    if (catalog_read(&c, logdir, &err) != SPUR_OK) return command_refuse(&command_list, &err);
    spur_status status = SPUR_OK;
    if (f.json || f.csv)
        status = write_catalog(&c, &f);
    else
        print_catalog(&c, logdir, &f);
    catalog_free(&c);
    if (status != SPUR_OK) text_complain("list: %s", spur_strstatus(status));
    return status == SPUR_OK ? EXIT_DONE : EXIT_FAILED;
}
