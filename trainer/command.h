/* SPDX-License-Identifier: MIT
 *
 * The table of commands: `spur NAME ...`. Adding a command is one file in commands/ (in
 * engine_commands/, if it needs the engine) and one row in command.c.
 */
#ifndef SPUR_TRAINER_COMMAND_H
#define SPUR_TRAINER_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses that scripts can rely on. */
enum {
    EXIT_DONE = 0, /* done */
    EXIT_FAILED = 1, /* failed while running */
    EXIT_USAGE = 2, /* wrong use or wrong input; nothing was started or created */
    EXIT_INTERRUPTED = 130 /* stopped by a signal, state saved */
};

typedef struct command {
    const char *name;
    const char *usage; /* "DIR|FILE [--json]" */
    const char *summary; /* one line */
    const char *help; /* further paragraphs, or NULL */
    bool computes; /* on several threads, for a while */
    bool leaves_run; /* which counts, not what is printed on the way */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit status */
} command;

extern const command *const commands[];
extern const size_t command_count;

/* The command called `name`, or NULL. */
const command *command_find(const char *name);

/* Prints "spur NAME: message" to stderr and returns EXIT_USAGE. */
int command_misuse(const command *self, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints the usage, summary and help of one command to stdout. */
void command_print_help(const command *self);

#endif
