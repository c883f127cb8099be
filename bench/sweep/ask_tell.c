/* SPDX-License-Identifier: MIT
 *
 * A search method on functions of somebody else: bench/sweep/search.py.
 *
 * usage: ask_tell METHOD SEED TRIALS
 *
 * Reads a space from stdin, `section.key = DOMAIN` a line, up to an empty line. Then writes the
 * values of a configuration ("-" where one is absent), tab-separated, and reads what they come to
 * ("nan": failed), TRIALS times. Small is good.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/search.h"

enum { LINE = 4096 };

static int fail(const char *message) {
    fprintf(stderr, "ask_tell: %s\n", message);
    return 1;
}

static bool read_space(space *sp) {
    char line[LINE];
    spur_error err = {0};
    while (fgets(line, sizeof line, stdin) && line[0] != '\n') {
        char *equals = strstr(line, " = ");
        line[strcspn(line, "\n")] = '\0';
        if (!equals) return false;
        *equals = '\0';
        if (space_add(sp, line, equals + 3, false, &err) != SPUR_OK) return false;
    }
    return sp->count > 0;
}

static void ask(const space *sp, const assignment *a) {
    for (size_t i = 0; i < sp->count; i++)
        printf("%s%s", i ? "\t" : "", a->values[i] ? a->values[i] : "-");
    putchar('\n');
    fflush(stdout);
}

int main(int argc, char **argv) {
    const tpe_options options = {.startup_trials = 10, .candidates = 24}; /* as in settings.c */
    char line[LINE];
    const assignment *a;
    space sp;
    search_state s;
    space_init(&sp);
    const search_method *method =
        argc == 4 ? (const void *)spur__family_find(&search_family, argv[1], NULL) : NULL;
    if (!method) return fail("expected METHOD SEED TRIALS");
    if (!read_space(&sp)) return fail("expected a space");
    search_init(&s, &sp, strtoull(argv[2], NULL, 10), false);
    s.trials = strtoul(argv[3], NULL, 10);
    while (search_next(&s, method, &options, &a, NULL) == SPUR_OK) {
        search_outcome *o = &s.known[s.count - 1];
        ask(&sp, a);
        if (!fgets(line, sizeof line, stdin)) break;
        o->value = strtod(line, NULL);
        o->state = isnan(o->value) ? OUTCOME_FAILED : OUTCOME_FINISHED;
    }
    search_free(&s);
    space_free(&sp);
    return 0;
}
