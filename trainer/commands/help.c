/* SPDX-License-Identifier: MIT
 *
 * spur help [COMMAND | SECTION [KIND]]: what the program can do, and what every option means.
 */
#include <stdio.h>
#include <string.h>

#include <spur/status.h>

#include "command.h"
#ifdef SPUR_WITH_ENGINE
#include "config/reference.h"
#endif

static int run_help(int argc, char **argv);

extern const command command_help;
const command command_help = {
    .name = "help",
    .usage = "[COMMAND | SECTION [KIND] | --markdown]",
    .summary = "Show what spur can do, how a command is used, what an option means.",
    .help =
        "`spur help optimizer` lists the optimizers, `spur help optimizer adam` the options of\n"
        "one. --markdown prints every option of every section (docs/options.md).",
    .run = run_help,
};

static int list_commands(void) {
    printf("spur %s: train networks, log and compare experiments\n\nusage: spur COMMAND ...\n\n",
           spur_version());
    for (size_t i = 0; i < command_count; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
#ifdef SPUR_WITH_ENGINE
    printf("\nSections of an INI file (`spur help SECTION`):\n ");
    for (section_id i = 0; i < SECTION_COUNT; i++) printf(" %s", section_specs[i].name);
    printf("\n");
#endif
    return EXIT_DONE;
}

#ifdef SPUR_WITH_ENGINE
static int print_and_free(spur__str *text) {
    int status = spur__str_status(text) == SPUR_OK ? EXIT_DONE : EXIT_FAILED;
    fputs(spur__str_text(text), stdout);
    spur__str_free(text);
    return status;
}

static int help_section(section_id section, const char *kind_name) {
    const section_spec *spec = &section_specs[section];
    spur__str text;
    spur__str_init(&text, 1 << 22);
    if (!kind_name) {
        reference_section(section, &text);
        return print_and_free(&text);
    }
    if (!spec->family)
        return command_misuse(&command_help, "[%s] has no kinds to choose from", spec->name);
    spur_error err;
    const spur__kind *kind = spur__family_find(spec->family, kind_name, &err);
    if (!kind) return command_misuse(&command_help, "%s", err.message);
    reference_kind(section, kind, &text);
    return print_and_free(&text);
}

static int help_all(void) {
    spur__str text;
    spur__str_init(&text, 1 << 22);
    reference_markdown(&text);
    return print_and_free(&text);
}
#endif

static int run_help(int argc, char **argv) {
    if (argc > 3)
        return command_misuse(&command_help, "expected at most two words, found %d", argc - 1);
    if (argc == 1) return list_commands();
    const command *one = command_find(argv[1]);
    if (one && argc == 2) command_print_help(one);
#ifdef SPUR_WITH_ENGINE
    if (strcmp(argv[1], "--markdown") == 0 && argc == 2) return help_all();
    section_id section = section_find(argv[1]);
    if (section < SECTION_COUNT) {
        if (one && argc == 2) printf("\n");
        return help_section(section, argc == 3 ? argv[2] : NULL);
    }
#endif
    if (one && argc == 2) return EXIT_DONE;
    return command_misuse(&command_help, "no command or section '%s'", argv[1]);
}
