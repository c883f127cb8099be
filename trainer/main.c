/* SPDX-License-Identifier: MIT
 *
 * spur: finds the command and runs it.
 */
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
    if (argc == 3 && strcmp(argv[2], "--help") == 0) {
        command_print_help(chosen);
        return EXIT_DONE;
    }
    return chosen->run(argc - 1, argv + 1);
}
