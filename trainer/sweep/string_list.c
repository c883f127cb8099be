/* SPDX-License-Identifier: MIT
 *
 * Lists of strings for exec; see string_list.h.
 */
#include "sweep/string_list.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"

void string_list_add(string_list *args, const char *text) {
    char **grown = spur__realloc_array(args->list, args->count + 2, sizeof *grown);
    char *copy = spur__strdup(text);
    if (grown) args->list = grown;
    if (!grown || !copy) {
        args->failed = true;
        spur__free(copy);
        if (grown) grown[args->count] = NULL;
        return;
    }
    args->list[args->count++] = copy;
    args->list[args->count] = NULL;
}

void string_list_printf(string_list *args, const char *fmt, ...) {
    va_list list;
    va_start(list, fmt);
    int n = vsnprintf(NULL, 0, fmt, list);
    va_end(list);
    char *text = n < 0 ? NULL : spur__malloc((size_t)n + 1);
    if (!text) {
        args->failed = true;
        return;
    }
    va_start(list, fmt);
    vsnprintf(text, (size_t)n + 1, fmt, list);
    va_end(list);
    string_list_add(args, text);
    spur__free(text);
}

spur_status string_list_status(const string_list *args) {
    return args->failed ? SPUR_E_MEMORY : SPUR_OK;
}

void string_list_free(string_list *args) {
    for (size_t i = 0; i < args->count; i++) spur__free(args->list[i]);
    spur__free(args->list);
    *args = (string_list){0};
}
