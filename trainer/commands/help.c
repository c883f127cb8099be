/* SPDX-License-Identifier: MIT
 *
 * spur help [COMMAND | SECTION [KIND] | SECTION.KEY | metrics [NAME]]: what the program can do, and what every option means.
 */
#include <stdio.h>
#include <string.h>

#include <spur/status.h>

#include "base/str.h"
#include "command.h"
#include "commands/manual.h"
#ifdef SPUR_WITH_ENGINE
#include "config/reference.h"
#include "nn/metric.h"
#endif

static int run_help(int argc, char **argv);

extern const command command_help;
const command command_help = {
    .name = "help",
    .usage = "[COMMAND | SECTION [KIND] | SECTION.KEY | metrics [NAME]\n"
             "                  | --markdown | --man [1|5]]",
    .summary = "Show what spur can do, how a command is used, what an option means.",
    .help = "`spur help optimizer` lists the optimizers, `spur help optimizer adam` the\n"
            "options of one, `spur help optimizer.lr` what stands for one key. --markdown\n"
            "prints every option of every section (docs/options.md), --man the manual pages\n"
            "spur(1) and spur.ini(5).",
    .run = run_help,
};

static int list_commands(void) {
    printf("spur %s: train networks, log and compare experiments\n\nusage: spur COMMAND ...\n\n",
           spur_version());
    for (size_t i = 0; i < command_count; i++)
        printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
#ifdef SPUR_WITH_ENGINE
    printf("\nSections of an INI file (`spur help SECTION`):\n ");
    for (section_id i = 0; i < SECTION_COUNT; i++)
        printf("%s %s", i == SECTION_TRAIN ? "\n " : "", section_specs[i].name);
    printf("\n");
#endif
    return EXIT_DONE;
}

static int print_and_free(spur__str *text) {
    int status = spur__str_status(text) == SPUR_OK ? EXIT_DONE : EXIT_FAILED;
    fputs(spur__str_text(text), stdout);
    spur__str_free(text);
    return status;
}

/* The manual page of section 1, or with the engine 5. */
static int help_manual(const char *section) {
    spur__str text;
    spur__str_init(&text, 1 << 22);
    if (strcmp(section, "1") == 0) {
        manual_program(&text);
        return print_and_free(&text);
    }
#ifdef SPUR_WITH_ENGINE
    if (strcmp(section, "5") == 0) {
        manual_options(&text);
        return print_and_free(&text);
    }
#endif
    return command_misuse(&command_help, "--man: no page in section '%s'", section);
}

#ifdef SPUR_WITH_ENGINE
static int help_section(section_id section) {
    spur__str text;
    spur__str_init(&text, 1 << 22);
    reference_section(section, &text);
    return print_and_free(&text);
}

/* `spur help metrics [NAME]`. */
static int help_metrics(const char *name) {
    spur__str text;
    spur_error err;
    const spur__kind *kind = name ? spur__family_find(&spur__metric_family, name, &err) : NULL;
    if (name && !kind) return command_misuse(&command_help, "%s", err.message);
    spur__str_init(&text, 1 << 16);
    reference_metrics(kind, &text);
    return print_and_free(&text);
}

/* The row of every kind that has the key, as the defaults differ. */
static int help_key(section_id id, const char *key) {
    const section_spec *spec = &section_specs[id];
    if (spec->family && strcmp(key, spec->selector) == 0) return help_section(id);
    const spur__option *row = spec->common ? spur__options_find(spec->common, key) : NULL;
    spur__str text;
    char title[256];
    spur__str_init(&text, 1 << 20);
    snprintf(title, sizeof title, "%s.%s", spec->name, key);
    if (row) reference_row(title, row, &text);
    for (size_t i = 0; !row && spec->family && i < spec->family->count; i++) {
        const spur__kind *kind = spec->family->kinds[i];
        const spur__option *own = kind->options ? spur__options_find(kind->options, key) : NULL;
        if (!own) continue;
        snprintf(title, sizeof title, "%s.%s (%s)", spec->name, key, kind->name);
        reference_row(title, own, &text);
    }
    if (text.length > 0) return print_and_free(&text);
    spur__str_free(&text);
    return command_misuse(&command_help, "no key '%s' in [%s]; `spur help %s` lists them", key,
                          spec->name, spec->name);
}

/* "optimizer.lr" */
static int help_dotted(const char *name) {
    char section[64];
    const char *key = strchr(name, '.') + 1;
    snprintf(section, sizeof section, "%.*s", (int)(key - name - 1), name);
    section_id id = section_find(section);
    if (id == SECTION_COUNT) return command_misuse(&command_help, "no section [%s]", section);
    return help_key(id, key);
}

/* "optimizer adam"; "optimizer lr" is a key. */
static int help_kind(section_id section, const char *name) {
    const section_spec *spec = &section_specs[section];
    spur_error err;
    const spur__kind *kind = spec->family ? spur__family_find(spec->family, name, &err) : NULL;
    if (!spec->family || (!kind && config_find_row(section, name, NULL)))
        return help_key(section, name);
    if (!kind) return command_misuse(&command_help, "%s", err.message);
    spur__str text;
    spur__str_init(&text, 1 << 22);
    reference_kind(section, kind, &text);
    return print_and_free(&text);
}

/* Where a word is at home that is neither a command nor a section: "`spur help optimizer adam`". */
static void find_homes(const char *word, spur__str *out) {
    for (section_id i = 0; i < SECTION_COUNT; i++) {
        const section_spec *spec = &section_specs[i];
        const char *comma = out->length ? ", " : "";
        if (spec->family && spur__family_find(spec->family, word, NULL))
            spur__str_printf(out, "%s`spur help %s %s`", comma, spec->name, word);
        else if (config_find_row(i, word, NULL))
            spur__str_printf(out, "%s`spur help %s.%s`", comma, spec->name, word);
    }
    if (spur__family_find(&spur__metric_family, word, NULL))
        spur__str_printf(out, "%s`spur help metrics %s`", out->length ? ", " : "", word);
}

static int help_all(void) {
    spur__str text;
    spur__str_init(&text, 1 << 22);
    reference_markdown(&text);
    return print_and_free(&text);
}
#endif

static const char *word_at(const void *names, size_t i) {
    (void)names;
#ifdef SPUR_WITH_ENGINE
    if (i >= command_count) return section_specs[i - command_count].name;
#endif
    return commands[i]->name;
}

static int unknown(const char *word) {
    size_t count = command_count;
#ifdef SPUR_WITH_ENGINE
    spur__str homes;
    spur__str_init(&homes, 1 << 12);
    find_homes(word, &homes);
    bool found = homes.length > 0;
    if (found)
        command_misuse(&command_help, "no command or section '%s'; see %s", word,
                       spur__str_text(&homes));
    spur__str_free(&homes);
    if (found) return EXIT_USAGE;
    count += SECTION_COUNT;
#endif
    const char *near = spur__nearest(word, count, word_at, NULL);
    if (!near) return command_misuse(&command_help, "no command or section '%s'", word);
    return command_misuse(&command_help, "no command or section '%s'; did you mean '%s'?", word,
                          near);
}

static int run_help(int argc, char **argv) {
    if (argc > 3)
        return command_misuse(&command_help, "expected at most two words, found %d", argc - 1);
    if (argc == 1) return list_commands();
    if (strcmp(argv[1], "--man") == 0) return help_manual(argc == 3 ? argv[2] : "1");
    const command *one = command_find(argv[1]);
    if (one && argc == 2) command_print_help(one);
#ifdef SPUR_WITH_ENGINE
    if (strcmp(argv[1], "--markdown") == 0 && argc == 2) return help_all();
    section_id section = section_find(argv[1]);
    if (section < SECTION_COUNT) {
        if (one && argc == 2) printf("\n");
        return argc == 3 ? help_kind(section, argv[2]) : help_section(section);
    }
#endif
    if (one && argc == 2) return EXIT_DONE;
#ifdef SPUR_WITH_ENGINE
    if (strcmp(argv[1], "metrics") == 0) return help_metrics(argc == 3 ? argv[2] : NULL);
    if (argc == 2 && strchr(argv[1], '.')) return help_dotted(argv[1]);
#endif
    return unknown(argv[1]);
}
