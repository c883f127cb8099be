/* SPDX-License-Identifier: MIT
 *
 * Moving a directory with everything in it, also to another file system.
 */
#ifndef SPUR_TRAINER_RUN_MOVE_H
#define SPUR_TRAINER_RUN_MOVE_H

#include <spur/status.h>

/* Moves `from` to the new name `to`. Where rename(2) cannot, as behind a mount point, it is copied with modes
 * and times of change, synced, and then removed; links stay links. After a failure `from` is whole, unless
 * only its removal failed: then `to` is whole, too. `to` is never there in part, also after a kill. */
spur_status move_tree(const char *from, const char *to, spur_error *err);

#endif
