/* SPDX-License-Identifier: MIT
 *
 * Facts about processes: which one is this really (pids are used again), what a command prints.
 */
#ifndef SPUR_TRAINER_RUN_PROCESS_H
#define SPUR_TRAINER_RUN_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

#include "base/str.h"

/* When a process started, in clock ticks since boot; 0 when it is not known or gone. With the pid
 * and the boot id this names a process for good. */
unsigned long long process_start_ticks(pid_t pid);

/* The id of this boot of the machine, "unknown" where the system does not tell. */
void process_boot_id(char *out, size_t size);

/* Peak resident memory of this process in bytes. */
double process_peak_memory(void);
/* Resident memory now. */
double process_memory(void);

/* Runs a program (argv[0] by PATH) without a shell and appends what it prints to `out`, at most
 * up to the string's limit; its errors are thrown away. Returns the exit status, -1 when it could
 * not be run. *cut (may be NULL): there was more. */
int process_capture(char *const *argv, spur__str *out, int *cut);

/* Appends one word of a command line for a POSIX shell: quoted, or quoted only where it must be. */
void put_shell_quoted(spur__str *out, const char *word);
void put_shell_word(spur__str *out, const char *word);

/* "2026-11-22T09:31:07Z" */
void format_time(double seconds, char *out, size_t size);

#endif
