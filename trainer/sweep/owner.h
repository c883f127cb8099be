/* SPDX-License-Identifier: MIT
 *
 * Who is running: a process named so exactly that a later one cannot be taken for it (host, boot,
 * pid and start time), and whether it still lives.
 */
#ifndef SPUR_TRAINER_SWEEP_OWNER_H
#define SPUR_TRAINER_SWEEP_OWNER_H

#include <stdbool.h>

#include <spur/status.h>

typedef struct process_id {
    char host[64];
    char boot[40]; /* the kernel's boot id; "" where the system has none */
    long pid;
    unsigned long long start; /* clock ticks after boot; 0 where the system does not tell */
} process_id;

typedef enum process_state {
    PROCESS_ALIVE,
    PROCESS_DEAD,
    PROCESS_ELSEWHERE /* another host: only a heartbeat can tell */
} process_state;

process_id process_self(void);
process_id process_of(long pid);

process_state process_check(const process_id *id);

/* "host boot pid start", at most 160 bytes, and back; false when the text is no such line. */
void process_format(const process_id *id, char *out, size_t n);
bool process_parse(const char *text, process_id *id);

#endif
