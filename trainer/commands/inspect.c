/* SPDX-License-Identifier: MIT
 *
 * spur inspect DIR|FILE: what is in the event files, every record of them verified. Reads each run
 * once, in constant memory; prints a table of tags per run, for people (80 columns) or as JSON.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <spur/events.h>

#include "commands/arguments.h"
#include "output/text.h"
#include "output/terminal.h"

static int run_inspect(int argc, char **argv);

extern const command command_inspect;
const command command_inspect = {
    .name = "inspect",
    .usage = "DIR|FILE [--json]",
    .summary = "Show the runs and tags in event files and verify every record.",
    .help = "Runs are named as in TensorBoard: by their directory, '.' for DIR itself. For\n"
            "every tag its kind, the number of values, and the steps of the first and the\n"
            "last one in file order. Lines with '!' tell what is wrong or unusual: damaged\n"
            "records with their place, steps that fall or repeat, values of another kind, a\n"
            "last record that is not complete.\n\n"
            "  --json   the same, and more, as one JSON document\n\n"
            "Exit status: 0 all records are whole (a file may end inside a record that is\n"
            "still being written), 1 something is damaged or cannot be read, 2 no such file\n"
            "or no event file in it.",
    .run = run_inspect,
};

enum { NAME_MIN = 16, OUTPUT_MAX = 1 << 28 };

typedef struct inspection {
    const char *path;
    bool json;
    size_t width; /* columns of the terminal; 0: stdout is none, names are never shortened */
    spur__str out;
    uint64_t damage;
    size_t runs;
} inspection;

/* Prints what has been collected. */
static void flush(inspection *in) {
    fwrite(spur__str_text(&in->out), 1, in->out.length, stdout);
    spur__str_clear(&in->out);
}

static spur_status read_all(spur_run *run, spur_error *err) {
    spur_event event;
    spur_status status;
    while ((status = spur_run_next(run, &event, err)) == SPUR_OK)
        for (spur_value value = {0}; spur_run_value(run, &event, &value);) {
        }
    return status == SPUR_E_END ? SPUR_OK : status;
}

/* ---- for people ----------------------------------------------------------------------------- */

static void put_note(inspection *in, const char *note) {
    spur__str line;
    spur__str_init(&line, OUTPUT_MAX);
    spur__str_puts(&line, "! ");
    text_line(&line, note, strlen(note));
    text_wrap(&in->out, spur__str_text(&line), 2, 0, in->width ? in->width : 80);
    spur__str_free(&line);
}

static void put_run_line(inspection *in, const char *name, const spur_run *run) {
    spur_run_info info = spur_run_get_info(run);
    size_t files = spur_run_file_count(run);
    uint64_t bytes = 0;
    for (size_t i = 0; i < files; i++) bytes += spur_run_file_at(run, i)->size;
    spur__str line;
    spur__str_init(&line, OUTPUT_MAX);
    if (in->runs++ > 0) spur__str_putc(&in->out, '\n');
    text_line(&in->out, name, strlen(name));
    spur__str_putc(&in->out, '\n');
    spur__str_printf(&line, "%zu file%s, ", files, files == 1 ? "" : "s");
    text_bytes(&line, bytes);
    spur__str_puts(&line, ", ");
    text_count(&line, info.events);
    spur__str_printf(&line, " event%s", info.events == 1 ? "" : "s");
    if (info.events > 0) {
        spur__str_puts(&line, ", ");
        text_date(&line, info.first_wall_time);
        spur__str_puts(&line, " to ");
        text_date(&line, info.last_wall_time);
    }
    text_wrap(&in->out, spur__str_text(&line), 2, 0, in->width ? in->width : 80);
    spur__str_free(&line);
}

typedef struct columns {
    size_t name;
    int count, first, last; /* widths of the numbers */
} columns;

static int digits(int64_t n) {
    return snprintf(NULL, 0, "%" PRId64, n);
}

static int larger(int a, int b) {
    return a > b ? a : b;
}

static columns measure(const inspection *in, const spur_run *run) {
    columns c = {0, 5, 10, 9};
    size_t longest = NAME_MIN;
    for (size_t i = 0; i < spur_run_tag_count(run); i++) {
        const spur_tag *tag = spur_run_tag(run, i);
        spur__str name;
        spur__str_init(&name, OUTPUT_MAX);
        text_line(&name, tag->name, tag->name_size);
        size_t n = text_columns(spur__str_text(&name));
        if (n > longest) longest = n;
        c.count = larger(c.count, digits((int64_t)tag->count));
        c.first = larger(c.first, digits(tag->first_step));
        c.last = larger(c.last, digits(tag->last_step));
        spur__str_free(&name);
    }
    size_t others = 2 + 10 + 2 + (size_t)c.count + 2 + (size_t)c.first + 2 + (size_t)c.last;
    size_t limit = in->width > others + NAME_MIN ? in->width - others : NAME_MIN;
    c.name = !in->width && longest > 40 ? 40 : longest;
    if (in->width && longest > limit) c.name = limit;
    return c;
}

static void put_tags(inspection *in, const spur_run *run) {
    columns c = measure(in, run);
    if (spur_run_tag_count(run) == 0) return;
    spur__str_puts(&in->out, "  kind      ");
    text_fit(&in->out, "tag", c.name);
    spur__str_printf(&in->out, "  %*s  %*s  %*s\n", c.count, "count", c.first, "first step", c.last,
                     "last step");
    for (size_t i = 0; i < spur_run_tag_count(run); i++) {
        const spur_tag *tag = spur_run_tag(run, i);
        spur__str name;
        spur__str_init(&name, OUTPUT_MAX);
        text_line(&name, tag->name, tag->name_size);
        const char *shown = tag->name_size ? spur__str_text(&name) : "\"\"";
        bool whole = !in->width && text_columns(shown) > c.name;
        spur__str_printf(&in->out, "  %-9s ", spur_kind_name(tag->kind));
        text_fit(&in->out, shown, whole ? 0 : c.name);
        spur__str_printf(&in->out, "  %*" PRIu64 "  %*" PRId64 "  %*" PRId64 "\n", c.count,
                         tag->count, c.first, tag->first_step, c.last, tag->last_step);
        spur__str_free(&name);
    }
}

static void put_count_note(inspection *in, const spur_tag *tag, uint64_t n, const char *one,
                           const char *many) {
    if (n == 0) return;
    spur__str line;
    spur__str_init(&line, OUTPUT_MAX);
    text_line(&line, tag->name, tag->name_size);
    spur__str_puts(&line, ": ");
    text_count(&line, n);
    spur__str_printf(&line, " %s", n == 1 ? one : many);
    put_note(in, spur__str_text(&line));
    spur__str_free(&line);
}

static void put_tag_notes(inspection *in, const spur_run *run) {
    for (size_t i = 0; i < spur_run_tag_count(run); i++) {
        const spur_tag *tag = spur_run_tag(run, i);
        put_count_note(in, tag, tag->falling, "value with a step below the one before",
                       "values with a step below the one before");
        put_count_note(in, tag, tag->repeated, "value with the same step as the one before",
                       "values with the same step as the one before");
        put_count_note(in, tag, tag->foreign, "value of another kind than the first",
                       "values of another kind than the first");
    }
}

static void put_file_notes(inspection *in, const spur_run *run) {
    char note[512];
    for (size_t i = 0; i < spur_run_file_count(run); i++) {
        const spur_run_file *file = spur_run_file_at(run, i);
        if (!file->truncated) continue;
        snprintf(note, sizeof note,
                 "%s: ends inside a record that begins at byte %" PRIu64
                 " (still being written, or cut off)",
                 file->name, file->read);
        put_note(in, note);
    }
    spur_run_info info = spur_run_get_info(run);
    if (info.events > 0 && !info.has_version)
        put_note(in, "no file version record: TensorBoard's slow loader drops steps that fall");
    if (info.starts > 1) {
        snprintf(note, sizeof note, "restarted %" PRIu64 " time%s", info.starts - 1,
                 info.starts == 2 ? "" : "s");
        put_note(in, note);
    }
}

static void put_damage(inspection *in, const spur_run *run) {
    uint64_t all = spur_run_get_info(run).damage;
    size_t shown = spur_run_damage_count(run);
    char note[64];
    for (size_t i = 0; i < shown; i++) put_note(in, spur_run_damage(run, i)->message);
    if (all <= shown) return;
    snprintf(note, sizeof note, "and %" PRIu64 " more damaged records", all - shown);
    put_note(in, note);
}

static void show_run(inspection *in, const char *name, const spur_run *run) {
    put_run_line(in, name, run);
    put_tags(in, run);
    put_file_notes(in, run);
    put_tag_notes(in, run);
    put_damage(in, run);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void json_key(spur__str *out, const char *key, const char *text) {
    spur__str_printf(out, "\"%s\": ", key);
    text_json(out, text, strlen(text));
    spur__str_puts(out, ", ");
}

static void json_seconds(spur__str *out, const char *key, double seconds) {
    spur__str_printf(out, "\"%s\": ", key);
    if (seconds - seconds == 0)
        text_seconds(out, seconds);
    else
        text_json_number(out, seconds);
    spur__str_puts(out, ", ");
}

static void json_tag(spur__str *out, const spur_tag *tag) {
    spur__str_puts(out, "{\"tag\": ");
    text_json(out, tag->name, tag->name_size);
    spur__str_puts(out, ", ");
    json_key(out, "kind", spur_kind_name(tag->kind));
    json_key(out, "plugin", tag->plugin);
    json_key(out, "display_name", tag->display_name);
    json_key(out, "description", tag->description);
    json_seconds(out, "first_wall_time", tag->first_wall_time);
    json_seconds(out, "last_wall_time", tag->last_wall_time);
    spur__str_printf(out,
                     "\"count\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"first_step\": %" PRId64
                     ", \"last_step\": %" PRId64 ", \"min_step\": %" PRId64
                     ", \"max_step\": %" PRId64 ", \"falling\": %" PRIu64 ", \"repeated\": %" PRIu64
                     ", \"foreign\": %" PRIu64 "}",
                     tag->count, tag->bytes, tag->first_step, tag->last_step, tag->min_step,
                     tag->max_step, tag->falling, tag->repeated, tag->foreign);
}

static const char *json_bool(bool value) {
    return value ? "true" : "false";
}

static void json_file(spur__str *out, const spur_run_file *file) {
    spur__str_puts(out, "{");
    json_key(out, "name", file->name);
    spur__str_printf(out,
                     "\"size\": %" PRIu64 ", \"read\": %" PRIu64 ", \"events\": %" PRIu64
                     ", \"damaged\": %" PRIu64 ", \"truncated\": %s, \"stuck\": %s}",
                     file->size, file->read, file->events, file->damaged,
                     json_bool(file->truncated), json_bool(file->stuck));
}

static void json_damage(spur__str *out, const spur_run *run, const spur_damage *damage) {
    spur__str_puts(out, "{");
    json_key(out, "file", spur_run_file_at(run, damage->file)->name);
    json_key(out, "status", spur_status_name(damage->status));
    json_key(out, "message", damage->message);
    spur__str_printf(out, "\"offset\": %" PRIu64 "}", damage->offset);
}

static void json_run(inspection *in, const char *name, const char *path, const spur_run *run) {
    spur__str *out = &in->out;
    spur_run_info info = spur_run_get_info(run);
    spur__str_puts(out, in->runs++ > 0 ? ",\n  {" : "\n  {");
    json_key(out, "run", name);
    json_key(out, "path", path);
    json_seconds(out, "first_wall_time", info.first_wall_time);
    json_seconds(out, "last_wall_time", info.last_wall_time);
    spur__str_printf(out,
                     "\"events\": %" PRIu64 ", \"damage\": %" PRIu64 ", \"starts\": %" PRIu64
                     ", \"has_version\": %s,\n   \"files\": [",
                     info.events, info.damage, info.starts, json_bool(info.has_version));
    for (size_t i = 0; i < spur_run_file_count(run); i++) {
        if (i > 0) spur__str_puts(out, ",\n    ");
        json_file(out, spur_run_file_at(run, i));
    }
    spur__str_puts(out, "],\n   \"tags\": [");
    for (size_t i = 0; i < spur_run_tag_count(run); i++) {
        if (i > 0) spur__str_puts(out, ",\n    ");
        json_tag(out, spur_run_tag(run, i));
    }
    spur__str_puts(out, "],\n   \"damaged\": [");
    for (size_t i = 0; i < spur_run_damage_count(run); i++) {
        if (i > 0) spur__str_puts(out, ",\n    ");
        json_damage(out, run, spur_run_damage(run, i));
    }
    spur__str_puts(out, "]}");
}

/* ---- the command ---------------------------------------------------------------------------- */

static spur_status inspect_run(inspection *in, const char *name, const char *path,
                               spur_error *err) {
    spur_run *run;
    spur_status status = spur_run_open(&run, path, err);
    if (status == SPUR_OK) status = read_all(run, err);
    if (status == SPUR_OK) {
        if (in->json)
            json_run(in, name, path, run);
        else
            show_run(in, name, run);
        in->damage += spur_run_get_info(run).damage;
        status = spur__str_status(&in->out);
        flush(in);
    }
    spur_run_close(run);
    return status;
}

static void put_problems(inspection *in, const spur_logdir *logdir) {
    size_t n = spur_logdir_problem_count(logdir);
    if (!in->json && n > 0) spur__str_putc(&in->out, '\n');
    for (size_t i = 0; i < n; i++) {
        const char *problem = spur_logdir_problem(logdir, i);
        if (!in->json) {
            put_note(in, problem);
            continue;
        }
        if (i > 0) spur__str_puts(&in->out, ", ");
        text_json(&in->out, problem, strlen(problem));
    }
}

static spur_status inspect_all(inspection *in, const spur_logdir *logdir, spur_error *err) {
    spur_status status = SPUR_OK;
    if (in->json) {
        spur__str_puts(&in->out, "{");
        json_key(&in->out, "path", in->path);
        spur__str_puts(&in->out, "\"runs\": [");
    }
    for (size_t i = 0; status == SPUR_OK && i < spur_logdir_count(logdir); i++)
        status = inspect_run(in, spur_logdir_name(logdir, i), spur_logdir_path(logdir, i), err);
    if (in->json) spur__str_puts(&in->out, "],\n \"problems\": [");
    put_problems(in, logdir);
    if (in->json) spur__str_puts(&in->out, "]}\n");
    flush(in);
    return status;
}

static int inspect_path(inspection *in) {
    spur_error err;
    spur_logdir *logdir;
    spur_status status = spur_logdir_open(&logdir, in->path, &err);
    if (status != SPUR_OK) {
        text_complain("inspect: %s", err.message);
        return status == SPUR_E_NOTFOUND || status == SPUR_E_IO ? EXIT_USAGE : EXIT_FAILED;
    }
    if (spur_logdir_count(logdir) == 0) {
        text_complain("inspect: %s: no event file (a name with 'tfevents') in it", in->path);
        spur_logdir_close(logdir);
        return EXIT_USAGE;
    }
    status = inspect_all(in, logdir, &err);
    bool problems = spur_logdir_problem_count(logdir) > 0;
    spur_logdir_close(logdir);
    if (status != SPUR_OK) text_complain("inspect: %s", err.message);
    if (fflush(stdout) != 0) {
        perror("spur inspect: cannot write");
        return EXIT_FAILED;
    }
    return status != SPUR_OK || in->damage > 0 || problems ? EXIT_FAILED : EXIT_DONE;
}

static int run_inspect(int argc, char **argv) {
    inspection in = {0};
    int positional;
    const flag flags[] = {{.name = "json", .on = &in.json}};
    int status = arguments_parse(&command_inspect, argc, argv, flags, 1, &positional);
    if (status != EXIT_DONE) return status;
    if (positional != 1)
        return command_misuse(&command_inspect, "expected one directory or file, found %d",
                              positional);
    in.path = argv[1];
    in.width = isatty(STDOUT_FILENO) ? (size_t)terminal_width() : 0;
    spur__str_init(&in.out, OUTPUT_MAX);
    status = inspect_path(&in);
    spur__str_free(&in.out);
    return status;
}
