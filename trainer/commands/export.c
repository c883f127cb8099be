/* SPDX-License-Identifier: MIT
 *
 * spur export DIR|FILE: the values in event files as tables, and images and audio as files. Every
 * point that is in the files, without sampling.
 */
#include "commands/export.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "commands/arguments.h"
#include "output/text.h"

static int run_export(int argc, char **argv);

extern const command command_export;
const command command_export = {
    .name = "export",
    .usage = "DIR|FILE [--kind KIND] [--csv|--json|--md|--latex] [-o PATH]",
    .summary = "Write scalars and other values as tables, images and audio as files.",
    .help = "Every point that is in the event files, without sampling.\n\n"
            "  --kind KIND      what to export:\n"
            "                   scalar (the default), histogram, text, pr_curve: a table with\n"
            "                   a row per point, bucket, cell or threshold\n"
            "                   hparams: a row per session, with its hyper-parameters and the\n"
            "                   last value of every scalar\n"
            "                   image, audio, graph, layout, mesh, profile: files in the\n"
            "                   directory of -o, <run>/<tag>/step_<step>_<number>.<type>,\n"
            "                   and a table of them\n"
            "  --csv --json --md --latex\n"
            "                   form of the table: CSV (the default), JSON (an array),\n"
            "                   Markdown, LaTeX; numbers in CSV and JSON are exact\n"
            "  -o, --output PATH\n"
            "                   write to this file (or directory) instead of stdout\n"
            "  --run PATTERN, --tag PATTERN\n"
            "                   only runs and tags that match a shell pattern, as 'loss*'\n"
            "  --supersede      scalars: a value replaces earlier ones with the same or a\n"
            "                   later step, as after a restart; what TensorBoard shows\n\n"
            "Exit status: 0 done, 1 something is damaged (the rest was exported) or could\n"
            "not be written, 2 wrong use, no such file, or no such value in it.",
    .run = run_export,
};

/* ---- walking -------------------------------------------------------------------------------- */

void export_problem(exporting *ex, const char *message) {
    ex->problems++;
    text_complain("export: %s", message);
}

spur_status export_skip(exporting *ex, spur_status status, const char *run, spur_error *local) {
    if (status == SPUR_E_MEMORY) {
        *ex->err = *local;
        return status;
    }
    spur__error_prefix(local, "run %s", run);
    export_problem(ex, local->message);
    return SPUR_OK;
}

bool export_wants(const char *pattern, const char *name) {
    return !pattern || fnmatch(pattern, name, 0) == 0;
}

/* The wanted values of one event. */
static spur_status walk_event(exporting *ex, spur_run *run, const char *name,
                              const spur_event *event, export_visit visit, void *user) {
    for (spur_value value = {0}; spur_run_value(run, event, &value);) {
        bool wanted = ex->kind == SPUR_KIND_NONE || value.kind == ex->kind;
        if (wanted && export_wants(ex->tag, value.info->name))
            SPUR__TRY(visit(ex, user, name, event, &value));
    }
    return SPUR_OK;
}

static spur_status walk_run(exporting *ex, const char *name, const char *path, export_visit visit,
                            void *user) {
    spur_run *run;
    spur_event event;
    spur_status status = spur_run_open(&run, path, ex->err), visited = SPUR_OK;
    if (status != SPUR_OK) return status;
    while (visited == SPUR_OK && (status = spur_run_next(run, &event, ex->err)) == SPUR_OK)
        visited = walk_event(ex, run, name, &event, visit, user);
    for (size_t i = 0; i < spur_run_damage_count(run); i++)
        export_problem(ex, spur_run_damage(run, i)->message);
    spur_run_close(run);
    return visited != SPUR_OK ? visited : status == SPUR_E_END ? SPUR_OK : status;
}

spur_status export_walk(exporting *ex, export_visit visit, void *user) {
    spur_logdir *logdir;
    spur_status status = spur_logdir_open(&logdir, ex->path, ex->err);
    if (status != SPUR_OK) return status;
    for (size_t i = 0; status == SPUR_OK && i < spur_logdir_count(logdir); i++) {
        const char *name = spur_logdir_name(logdir, i);
        if (export_wants(ex->run, name))
            status = walk_run(ex, name, spur_logdir_path(logdir, i), visit, user);
    }
    for (size_t i = 0; i < spur_logdir_problem_count(logdir); i++)
        export_problem(ex, spur_logdir_problem(logdir, i));
    spur_logdir_close(logdir);
    return status;
}

/* ---- where it goes -------------------------------------------------------------------------- */

static spur_status write_table(exporting *ex) {
    switch (ex->kind) {
    case SPUR_KIND_SCALAR:
        return export_scalars(ex);
    case SPUR_KIND_HISTOGRAM:
        return export_histograms(ex);
    case SPUR_KIND_TEXT:
        return export_texts(ex);
    case SPUR_KIND_PR_CURVE:
        return export_pr_curves(ex);
    case SPUR_KIND_HPARAMS:
        return export_hparams(ex);
    default:
        return export_files(ex);
    }
}

static bool kind_is_files(spur_kind kind) {
    return kind == SPUR_KIND_IMAGE || kind == SPUR_KIND_AUDIO || kind == SPUR_KIND_GRAPH ||
           kind == SPUR_KIND_LAYOUT || kind == SPUR_KIND_MESH || kind == SPUR_KIND_PROFILE;
}

/* Writes the table to an open file, which is closed then. */
static spur_status write_synced(exporting *ex, int fd) {
    ex->file = fdopen(fd, "w");
    if (!ex->file) {
        close(fd);
        return spur__fail(ex->err, SPUR_E_MEMORY, "%s: out of memory", ex->output);
    }
    spur_status status = write_table(ex);
    if (status == SPUR_OK && (fflush(ex->file) != 0 || fsync(fd) != 0))
        status = spur__fail_errno(ex->err, errno, "%s: cannot write", ex->output);
    if (fclose(ex->file) != 0 && status == SPUR_OK)
        status = spur__fail_errno(ex->err, errno, "%s: cannot write", ex->output);
    return status;
}

/* Writes the table to a temporary file and renames it, so that PATH is whole or untouched. */
static spur_status write_to_file(exporting *ex) {
    char *target, *temporary = NULL;
    SPUR__TRY(spur__file_replaceable(ex->output, ex->err));
    SPUR__TRY(spur__follow_links(ex->output, &target, ex->err));
    int fd = spur__temporary_open(target, &temporary);
    spur_status status = fd >= 0
                             ? write_synced(ex, fd)
                             : spur__fail_errno(ex->err, errno, "%s: cannot create", ex->output);
    if (status == SPUR_OK && ex->values > 0 && rename(temporary, target) != 0)
        status = spur__fail_errno(ex->err, errno, "%s: cannot rename into place", ex->output);
    if (temporary && (status != SPUR_OK || ex->values == 0)) unlink(temporary);
    spur__free(temporary);
    spur__free(target);
    return status;
}

static spur_status write_to_stdout(exporting *ex) {
    ex->file = stdout;
    return write_table(ex);
}

static int finish(const exporting *ex, spur_status status) {
    if (status != SPUR_OK) {
        text_complain("export: %s", ex->err->message);
        bool missing = status == SPUR_E_NOTFOUND;
        return missing ? EXIT_USAGE : EXIT_FAILED;
    }
    if (ex->values == 0) {
        text_complain("export: %s: no %s%s in it", ex->path, spur_kind_name(ex->kind),
                      ex->run || ex->tag ? " of such a name" : "");
        return ex->problems ? EXIT_FAILED : EXIT_USAGE;
    }
    return ex->problems ? EXIT_FAILED : EXIT_DONE;
}

/* ---- arguments ------------------------------------------------------------------------------ */

/* "scalar" or "scalars"; NONE for an unknown word. */
static spur_kind kind_of(const char *word) {
    size_t n = strlen(word);
    for (int k = SPUR_KIND_SCALAR; k < SPUR_KIND_COUNT; k++) {
        const char *name = spur_kind_name((spur_kind)k);
        size_t m = strlen(name);
        if (strncmp(word, name, m) != 0 || k == SPUR_KIND_TENSOR) continue;
        if (n == m || (n == m + 1 && word[m] == 's')) return (spur_kind)k;
        if (n == m + 2 && strcmp(word + m, "es") == 0) return (spur_kind)k;
    }
    return SPUR_KIND_NONE;
}

static int check_arguments(exporting *ex, const char *kind, const bool forms[4], int positional) {
    int chosen = 0;
    if (positional != 1)
        return command_misuse(&command_export, "expected one directory or file, found %d",
                              positional);
    for (int i = 0; i < 4; i++)
        if (forms[i]) {
            ex->format = (table_format)i;
            chosen++;
        }
    if (chosen > 1) return command_misuse(&command_export, "more than one form of the table");
    ex->kind = kind ? kind_of(kind) : SPUR_KIND_SCALAR;
    if (ex->kind == SPUR_KIND_NONE)
        return command_misuse(&command_export,
                              "unknown kind '%s', expected one of: scalar, histogram, text, "
                              "pr_curve, hparams, image, audio, graph, layout, mesh, profile",
                              kind);
    if (kind_is_files(ex->kind) && !ex->output)
        return command_misuse(&command_export, "--kind %s needs a directory: -o PATH",
                              spur_kind_name(ex->kind));
    if (ex->supersede && ex->kind != SPUR_KIND_SCALAR)
        return command_misuse(&command_export, "--supersede is for scalars");
    return EXIT_DONE;
}

static int run_export(int argc, char **argv) {
    spur_error err = {0};
    exporting ex = {.err = &err};
    bool forms[4] = {false};
    const char *kind = NULL;
    int positional;
    const flag flags[] = {
        {.name = "csv", .on = &forms[TABLE_CSV]},
        {.name = "json", .on = &forms[TABLE_JSON]},
        {.name = "md", .on = &forms[TABLE_MARKDOWN]},
        {.name = "latex", .on = &forms[TABLE_LATEX]},
        {.name = "kind", .text = &kind},
        {.name = "run", .text = &ex.run},
        {.name = "tag", .text = &ex.tag},
        {.name = "output", .letter = 'o', .text = &ex.output},
        {.name = "supersede", .on = &ex.supersede},
    };
    int status = arguments_parse(&command_export, argc, argv, flags, sizeof flags / sizeof flags[0],
                                 &positional);
    if (status == EXIT_DONE) status = check_arguments(&ex, kind, forms, positional);
    if (status != EXIT_DONE) return status;
    ex.path = argv[1];
    bool to_file = ex.output && !kind_is_files(ex.kind);
    return finish(&ex, to_file ? write_to_file(&ex) : write_to_stdout(&ex));
}
