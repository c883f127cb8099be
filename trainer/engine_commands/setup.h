/* SPDX-License-Identifier: MIT
 *
 * What the commands that take an INI file have in common.
 */
#ifndef SPUR_TRAINER_ENGINE_COMMANDS_SETUP_H
#define SPUR_TRAINER_ENGINE_COMMANDS_SETUP_H

#include "command.h"
#include "commands/arguments.h"
#include "config/config.h"

/* Overrides from the command line: the words `section.key=value` and what flags stand for. */
typedef struct overrides {
    char *items[256];
    size_t count;
} overrides;

/* Appends "key=value" (a copy); false when there are too many or memory is short. */
bool overrides_add(overrides *o, const char *key, const char *value);
void overrides_free(overrides *o);

/* Prints "spur NAME: message" for a wrong input; returns EXIT_USAGE. */
int command_refuse(const command *self, const spur_error *err);

/* The same for what failed while running; returns EXIT_FAILED. */
int command_fail(const command *self, const spur_error *err);

/* The one or the other, where both may have happened: what the system denies (room, a right, memory) has
 * failed, everything else is wrong input. */
int command_give_up(const command *self, const spur_error *err);

/* Prints the whole configuration. */
int print_config(const config *cfg);

/* Loads words[0] (an INI file) with words[1..] as overrides. EXIT_DONE, or EXIT_USAGE after a
 * message. */
int load_config(const command *self, config *cfg, char *const *words, int count, overrides *o);

/* The same where words[0] may also be a run, which stands for its config.ini, and no flag overrides
 * anything. */
int load_config_of(const command *self, char **words, int count, config *cfg);

/* A copy of a path without slashes at its end; the real path of one that ends in "." or "..", which tells
 * neither a name nor the directory above. NULL when out of memory. Free with spur__free. */
char *path_by_name(const char *path);

/* Changes to the directory that a run was started in: its relative paths count from there. Returns the
 * run's path that is right there, as it was given where possible; NULL when out of memory. Free with
 * spur__free. */
char *enter_start_directory(const command *self, const char *run);

/* The file of a run's weights, `which` is "best" or "last"; the error tells what there is instead. Free
 * with spur__free. */
spur_status find_weights(const char *run, const char *which, char **path, spur_error *err);

#endif
