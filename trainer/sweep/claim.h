/* SPDX-License-Identifier: MIT
 *
 * Claims: at most one process works on a thing, on any number of machines that share a directory.
 *
 * A claim is a file made by exclusive creation that names its owner. A dead owner's claim is replaced
 * by the one process that holds the claim `<path>.heir` meanwhile. Whether an owner is dead is
 * proved on its own host (pid, start time, boot); for another host the file's age tells: a living
 * owner touches it a few times a second (claim_touch).
 *
 * The file appears with what is in it, by a hard link. Where the file system has none (FAT, some of FUSE) it is
 * made empty and then written: so one that cannot be read is left alone for ten seconds, and who wrote
 * one looks whether it is still there.
 */
#ifndef SPUR_TRAINER_SWEEP_CLAIM_H
#define SPUR_TRAINER_SWEEP_CLAIM_H

#include <stdbool.h>

#include <spur/status.h>

#include "run/process.h"

enum { CLAIM_DEAD_AFTER_SECONDS = 120, CLAIM_WRITTEN_AFTER_SECONDS = 10 };

/* Makes `path` name `owner`. SPUR_OK: ours (also when it was ours already). E_EXISTS: a living
 * process has it. */
spur_status claim_take(const char *path, const process_id *owner, spur_error *err);

/* The same, but waits until a living owner has given it back; E_INTERRUPTED when a signal asks to stop. */
spur_status claim_wait(const char *path, const process_id *owner, spur_error *err);

/* Gives it back, if it is the owner's still: who was stopped for long may have been taken for dead. */
void claim_release(const char *path, const process_id *owner);

/* Whether it is that process's. */
bool claim_is_of(const char *path, const process_id *owner);

/* The heartbeat. */
void claim_touch(const char *path);

/* Who has it; false when nobody does or the file cannot be read. */
bool claim_owner(const char *path, process_id *owner);

/* True when there is a claim and its owner lives (or, on another host, may live), or may still write it. */
bool claim_alive(const char *path);

/* Gives a file that is complete its name, which one process can: E_EXISTS for the others. `temporary`
 * may be there or not afterwards. */
spur_status claim_name(const char *temporary, const char *path, spur_error *err);

#endif
