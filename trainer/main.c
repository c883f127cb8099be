/* SPDX-License-Identifier: MIT
 *
 * spur: finds the command and runs it.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <spur/status.h>

#include "base/str.h"
#include "command.h"

static const char *name_at(const void *names, size_t i) {
    (void)names;
    return commands[i]->name;
}

static int unknown(const char *name) {
    const char *near = spur__nearest(name, command_count, name_at, NULL);
    fprintf(stderr, "spur: no command '%s'", name);
    if (near) fprintf(stderr, "; did you mean '%s'?", near);
    fprintf(stderr, "\n`spur help` lists the commands.\n");
    return EXIT_USAGE;
}

/* `spur COMMAND ... --help`, wherever it stands before a "--". */
static bool asks_for_help(int argc, char **argv) {
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0) return true;
    return false;
}

int main(int argc, char **argv) {
    char *help[] = {"help", NULL};
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        int status = command_find("help")->run(1, help);
        return argc < 2 ? EXIT_USAGE : status;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("spur %s\n", spur_version());
        return EXIT_DONE;
    }
    const command *chosen = command_find(argv[1]);
    if (!chosen) return unknown(argv[1]);
    if (asks_for_help(argc, argv)) {
        command_print_help(chosen);
        return EXIT_DONE;
    }
    return chosen->run(argc - 1, argv + 1);
}
