/* SPDX-License-Identifier: MIT
 *
 * Removing a directory with everything in it.
 */
#ifndef SPUR_TRAINER_RUN_REMOVE_H
#define SPUR_TRAINER_RUN_REMOVE_H

#include <spur/status.h>

/* Does not follow symbolic links; a missing directory is fine. */
spur_status remove_tree(const char *path, spur_error *err);

/* Removes what is in a directory, all but the entry called `but`. */
spur_status remove_content(const char *path, const char *but, spur_error *err);

#endif
