/* SPDX-License-Identifier: MIT
 *
 * A NULL-terminated list of owned strings, as exec wants its arguments and its environment.
 * Errors stick; check once at the end.
 */
#ifndef SPUR_TRAINER_SWEEP_STRING_LIST_H
#define SPUR_TRAINER_SWEEP_STRING_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include <spur/status.h>

typedef struct string_list {
    char **list; /* count strings and a NULL */
    size_t count;
    bool failed;
} string_list;

void string_list_add(string_list *args, const char *text);
void string_list_printf(string_list *args, const char *fmt, ...) SPUR_PRINTF(2, 3);
spur_status string_list_status(const string_list *args);
void string_list_free(string_list *args);

#endif
