/* SPDX-License-Identifier: MIT
 *
 * The files that say how a run came to be: config.ini, overrides.ini, env.ini, git.diff.
 */
#include <cairo.h>
#include <cblas.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/process.h"
#include "run/rundir.h"

enum { DIFF_LIMIT = 1 << 20 };

static spur_status write_text(const run_dir *run, const char *name, spur__str *text,
                              spur_error *err) {
    spur_status status = run_write(run, name, text, err);
    spur__str_free(text);
    return status;
}

static spur_status write_config(const run_dir *run, const config *cfg, spur_error *err) {
    spur__str text;
    spur__str_init(&text, 1 << 22);
    config_format(cfg, &text);
    return write_text(run, "config.ini", &text, err);
}

static void put_command_line(spur__str *text, int argc, char **argv) {
    spur__str_puts(text, "# command line: spur");
    size_t begin = text->length;
    for (int i = 0; i < argc; i++) {
        spur__str_putc(text, ' ');
        put_shell_word(text, argv[i]);
    }
    for (size_t i = begin; i < text->length; i++) /* it is one line */
        if (text->data[i] == '\n') text->data[i] = ' ';
    spur__str_putc(text, '\n');
}

/* The last word on every option that was overridden: by the command line, and before. */
static void put_overrides(spur__str *text, const document *before, const document *now) {
    for (section_id s = 0; s < SECTION_COUNT; s++) {
        const char *section = section_specs[s].name;
        bool headed = false;
        for (size_t i = 0; i < before->count + now->count; i++) {
            bool old = i < before->count;
            const document_entry *entry =
                old ? &before->entries[i] : &now->entries[i - before->count];
            if (!entry->key || strcmp(entry->section, section) != 0) continue;
            const document_entry *last = document_find(now, section, entry->key);
            bool stands = old ? !last || last->line > 0 : last == entry && entry->line == 0;
            if (!stands) continue;
            if (!headed) spur__str_printf(text, "\n[%s]\n", section);
            headed = true;
            spur__str_printf(text, "%s = %s\n", entry->key, entry->value);
        }
    }
}

/* What was changed against the file, as sections; and the command line as a comment. */
static spur_status write_overrides(const run_dir *run, const config *cfg, int argc, char **argv,
                                   spur_error *err) {
    spur__str text;
    document none;
    document_init(&none);
    spur__str_init(&text, 1 << 22);
    put_command_line(&text, argc, argv);
    put_overrides(&text, &none, &cfg->doc);
    return write_text(run, "overrides.ini", &text, err);
}

/* The comments of the overrides.ini that is there: earlier command lines. */
static void put_comments(spur__str *out, const char *text) {
    while (*text) {
        size_t n = strcspn(text, "\n");
        if (*text == '#') spur__str_printf(out, "%.*s\n", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

/* The same of a run that goes on: what was changed earlier stays in the record. */
static spur_status add_overrides(const run_dir *run, const config *cfg, int argc, char **argv,
                                 spur_error *err) {
    spur__str text;
    document before;
    char *path = run_path(run, "overrides.ini"), *old = NULL;
    size_t size;
    document_init(&before);
    spur__str_init(&text, 1 << 22);
    spur_status status = path ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "out of memory");
    if (status == SPUR_OK && spur__exists(path)) {
        status = spur__file_read(path, 1 << 22, &old, &size, err);
        if (status == SPUR_OK) status = document_parse(&before, path, old, size, err);
    }
    if (status == SPUR_OK) {
        put_comments(&text, old ? old : "");
        put_command_line(&text, argc, argv);
        put_overrides(&text, &before, &cfg->doc);
        status = write_text(run, "overrides.ini", &text, err);
    } else {
        spur__str_free(&text);
    }
    document_free(&before);
    spur__free(old);
    spur__free(path);
    return status;
}

static const char *first_line(spur__str *text) {
    char *line = text->data;
    if (line) line[strcspn(line, "\n")] = '\0';
    return spur__str_text(text);
}

static const char *git(spur__str *out, char *const *argv) {
    spur__str_clear(out);
    if (process_capture(argv, out, NULL) != 0) spur__str_clear(out);
    return first_line(out);
}

/* Commit, branch and whether anything differs from it; nothing outside of a repository. */
static bool put_git(spur__str *text) {
    char *commit_argv[] = {"git", "rev-parse", "--verify", "-q", "HEAD", NULL};
    char *branch_argv[] = {"git", "rev-parse", "--abbrev-ref", "HEAD", NULL};
    char *dirty_argv[] = {"git", "status", "--porcelain", NULL};
    spur__str out;
    spur__str_init(&out, 4096);
    bool found = *git(&out, commit_argv) != '\0';
    if (found) {
        spur__str_printf(text, "\n[git]\ncommit = %s\n", spur__str_text(&out));
        spur__str_printf(text, "branch = %s\n", git(&out, branch_argv));
        spur__str_printf(text, "dirty = %s\n", *git(&out, dirty_argv) ? "true" : "false");
    }
    spur__str_free(&out);
    return found;
}

static spur_status write_diff(const run_dir *run, spur_error *err) {
    char *argv[] = {"git", "diff", "HEAD", NULL};
    spur__str diff;
    bool cut = false;
    spur__str_init(&diff, DIFF_LIMIT);
    if (process_capture(argv, &diff, &cut) != 0 || diff.length == 0) {
        spur__str_free(&diff);
        return SPUR_OK;
    }
    if (cut) {
        diff.limit += 64;
        spur__str_puts(&diff, "\n(cut here: longer than 1 MiB)\n");
    }
    return write_text(run, "git.diff", &diff, err);
}

static void put_host(spur__str *text) {
    struct utsname system;
    if (uname(&system) != 0) memset(&system, 0, sizeof system);
    spur__str_printf(text, "[host]\nname = %s\nsystem = %s %s %s\n", system.nodename,
                     system.sysname, system.release, system.machine);
    spur__str_printf(
        text, "cpu = %s\nprocessors = %d\nmemory = %.1f GiB\n", spur__cpu_name(), spur__cpu_count(),
        (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / 1073741824.0);
}

static void put_versions(spur__str *text, int threads) {
    spur__str_printf(text, "\n[compute]\nthreads = %d\nisa = %s\nblas = %s\nblas_core = %s\n",
                     threads, spur__isa_name(spur__cpu_isa()), openblas_get_config(),
                     openblas_get_corename());
    spur__str_printf(text, "\n[versions]\nspur = %s\ncompiler = %s\nzlib = %s\ncairo = %s\n",
                     spur_version(),
#ifdef __clang__
                     "clang " __clang_version__,
#else
                     "gcc " __VERSION__,
#endif
                     zlibVersion(), cairo_version_string());
}

static spur_status write_environment(const run_dir *run, int threads, spur_error *err) {
    spur__str text;
    char directory[4096], started[32];
    spur__str_init(&text, 1 << 20);
    put_host(&text);
    put_versions(&text, threads);
    run_format_time(run->started, started, sizeof started);
    spur__str_printf(&text, "\n[start]\ntime = %s\ndirectory = ", started);
    document_put_text(&text, getcwd(directory, sizeof directory) ? directory : "");
    spur__str_putc(&text, '\n');
    bool repository = put_git(&text);
    SPUR__TRY(write_text(run, "env.ini", &text, err));
    return repository ? write_diff(run, err) : SPUR_OK;
}

spur_status run_describe_change(const run_dir *run, const config *cfg, int argc, char **argv,
                                spur_error *err) {
    SPUR__TRY(write_config(run, cfg, err));
    return add_overrides(run, cfg, argc, argv, err);
}

spur_status run_describe(const run_dir *run, const config *cfg, int argc, char **argv, int threads,
                         spur_error *err) {
    SPUR__TRY(write_config(run, cfg, err));
    SPUR__TRY(write_overrides(run, cfg, argc, argv, err));
    return write_environment(run, threads, err);
}
