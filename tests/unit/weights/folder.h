/* SPDX-License-Identifier: MIT
 *
 * A folder of its own for the tests of a program: set up by make_folder, gone by remove_folder.
 */
#ifndef TESTS_WEIGHTS_FOLDER_H
#define TESTS_WEIGHTS_FOLDER_H

#include <stdio.h>
#include <stdlib.h>

static char folder[64];

/* The last four paths stay. */
static const char *in_folder(const char *name) {
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/spur_weights_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

#endif
