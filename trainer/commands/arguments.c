/* SPDX-License-Identifier: MIT
 *
 * Command-line arguments; see arguments.h.
 */
#include "commands/arguments.h"

#include <string.h>

#include <spur/status.h>

#include "base/str.h"

typedef struct flag_table {
    const flag *flags;
    size_t count;
} flag_table;

static const char *name_at(const void *table, size_t i) {
    return ((const flag_table *)table)->flags[i].name;
}

/* The flag of "--name", "--name=value" or "-n"; NULL for an unknown one. */
static const flag *find(const flag_table *table, const char *argument) {
    for (size_t i = 0; i < table->count; i++) {
        const flag *f = &table->flags[i];
        size_t n = strlen(f->name);
        if (argument[1] != '-') {
            if (f->letter && argument[1] == f->letter && !argument[2]) return f;
        } else if (strncmp(argument + 2, f->name, n) == 0 &&
                   (argument[2 + n] == '\0' || argument[2 + n] == '=')) {
            return f;
        }
    }
    return NULL;
}

static int unknown(const command *self, const flag_table *table, const char *argument) {
    const char *near =
        argument[1] == '-' ? spur__nearest(argument + 2, table->count, name_at, table) : NULL;
    if (near)
        return command_misuse(self, "unknown flag '%s'; did you mean '--%s'?", argument, near);
    return command_misuse(self, "unknown flag '%s'", argument);
}

/* Takes argv[*i], and its value from argv[*i + 1] if need be. */
static int take(const command *self, const flag *f, int argc, char **argv, int *i) {
    const char *equals = argv[*i][1] == '-' ? strchr(argv[*i], '=') : NULL;
    if (f->on) {
        if (equals) return command_misuse(self, "'--%s' takes no value", f->name);
        *f->on = true;
        return EXIT_DONE;
    }
    if (equals) {
        *f->text = equals + 1;
        return EXIT_DONE;
    }
    if (*i + 1 == argc) return command_misuse(self, "'--%s' needs a value", f->name);
    *f->text = argv[++*i];
    return EXIT_DONE;
}

int arguments_parse(const command *self, int argc, char **argv, const flag *flags, size_t count,
                    int *positional) {
    const flag_table table = {flags, count};
    bool only_positional = false;
    *positional = 0;
    for (int i = 1; i < argc; i++) {
        if (!only_positional && strcmp(argv[i], "--") == 0) {
            only_positional = true;
            continue;
        }
        if (only_positional || argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[++*positional] = argv[i];
            continue;
        }
        const flag *f = find(&table, argv[i]);
        if (!f) return unknown(self, &table, argv[i]);
        int status = take(self, f, argc, argv, &i);
        if (status != EXIT_DONE) return status;
    }
    return EXIT_DONE;
}
