/* SPDX-License-Identifier: MIT
 *
 * Processes: which one is this really (pids are used again), does it still live, how much memory it
 * takes; and commands: what one prints, how its words are written for a shell.
 */
#ifndef SPUR_TRAINER_RUN_PROCESS_H
#define SPUR_TRAINER_RUN_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/str.h"

/* A process named so exactly that a later one cannot be taken for it. */
typedef struct process_id {
    char host[64];
    char boot[64]; /* of process_boot_id; "" where the system has none */
    long pid;
    unsigned long long start; /* clock ticks after boot; 0 where the system does not tell */
} process_id;

typedef enum process_state {
    PROCESS_ALIVE,
    PROCESS_DEAD,
    PROCESS_ELSEWHERE /* another host, container or boot, or another machine of the same name: only a
                       * heartbeat can tell */
} process_state;

process_id process_self(void);

/* Another one of this machine. */
process_id process_of(pid_t pid);

/* Whether that very process lives; a zombie does not. */
process_state process_check(const process_id *id);

/* "host boot pid start", at most 175 bytes, and back; false when the text is no such line. */
void process_format(const process_id *id, char *out, size_t n);
bool process_parse(const char *text, process_id *id);

/* When a process started, in clock ticks since boot; 0 when it is not known or gone. With the pid
 * and the boot id this names a process for good. */
unsigned long long process_start_ticks(pid_t pid);

/* The id of this boot of the machine, and in a container which one, as its pids are its own. "unknown" where the
 * system does not tell. */
void process_boot_id(char *out, size_t size);

/* Peak resident memory of this process in bytes. */
double process_peak_memory(void);
/* Resident memory now. */
double process_memory(void);

/* Runs a program (argv[0] by PATH) without a shell and appends what it prints to `out`, at most
 * up to the string's limit; its errors are thrown away. Returns the exit status, -1 when it could
 * not be run. *cut (may be NULL): there was more. */
int process_capture(char *const *argv, spur__str *out, bool *cut);

/* Appends one word of a command line for a POSIX shell: quoted, or quoted only where it must be. */
void put_shell_quoted(spur__str *out, const char *word);
void put_shell_word(spur__str *out, const char *word);

#endif
