/* SPDX-License-Identifier: MIT
 *
 * spur help [COMMAND]: what the program can do.
 */
#include <stdio.h>

#include <spur/status.h>

#include "command.h"

static int run_help(int argc, char **argv);

extern const command command_help;
const command command_help = {
    .name = "help",
    .usage = "[COMMAND]",
    .summary = "Show what spur can do, or how one command is used.",
    .run = run_help,
};

static int run_help(int argc, char **argv) {
    if (argc > 2) return command_misuse(&command_help, "expected one command, found %d", argc - 1);
    if (argc == 2) {
        const command *one = command_find(argv[1]);
        if (!one) return command_misuse(&command_help, "no command '%s'", argv[1]);
        command_print_help(one);
        return EXIT_DONE;
    }
    printf("spur %s: train networks, log and compare experiments\n\nusage: spur COMMAND ...\n\n",
           spur_version());
    for (size_t i = 0; i < command_count; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    return EXIT_DONE;
}
