/* SPDX-License-Identifier: MIT
 *
 * The rows of the command table, in the order in which `spur help` shows them.
 */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "output/text.h"

#ifdef SPUR_WITH_ENGINE
extern const command command_train, command_resume, command_eval, command_predict;
extern const command command_onnx;
extern const command command_init, command_summary, command_lr_find;
extern const command command_sweep, command_list, command_compare, command_show, command_best;
extern const command command_tag, command_note, command_rm, command_restore;
#endif
extern const command command_export;
extern const command command_inspect;
extern const command command_help;

const command *const commands[] = {
#ifdef SPUR_WITH_ENGINE
    &command_init,   &command_train,   &command_resume,  &command_eval,    &command_predict,
    &command_onnx,   &command_sweep,   &command_lr_find, &command_summary, &command_list,
    &command_show,   &command_compare, &command_best,    &command_tag,     &command_note,
    &command_rm,     &command_restore,
#endif
    &command_export, &command_inspect, &command_help,
};
const size_t command_count = sizeof commands / sizeof commands[0];

const command *command_find(const char *name) {
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}

int command_misuse(const command *self, const char *fmt, ...) {
    char message[4096];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    text_complain("%s: %s", self->name, message);
    fprintf(stderr, "usage: spur %s %s\n", self->name, self->usage);
    return EXIT_USAGE;
}

void command_print_help(const command *self) {
    printf("usage: spur %s %s\n\n%s\n", self->name, self->usage, self->summary);
    if (self->help) printf("\n%s\n", self->help);
}
