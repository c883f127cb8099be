/* SPDX-License-Identifier: MIT
 *
 * Command-line arguments from a table of flags: --name, --name VALUE, --name=VALUE, and short
 * names. Unknown flags come with the nearest known one; "--" ends the flags.
 */
#ifndef SPUR_TRAINER_COMMANDS_ARGUMENTS_H
#define SPUR_TRAINER_COMMANDS_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "command.h"

/* One flag; exactly one of the two targets is set. */
typedef struct flag {
    const char *name; /* "json" for --json */
    char letter; /* 'o' for -o; 0: none */
    bool *on; /* set to true when given */
    const char **text; /* points into argv when given */
} flag;

/* Parses argv[1..]. Arguments that are no flags are moved to argv[1..*positional] in their order.
 * EXIT_DONE, or EXIT_USAGE after a message. */
int arguments_parse(const command *self, int argc, char **argv, const flag *flags, size_t count,
                    int *positional);

#endif
