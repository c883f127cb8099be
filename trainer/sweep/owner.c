/* SPDX-License-Identifier: MIT
 *
 * Process identities, from /proc where there is one; see owner.h.
 */
#include "sweep/owner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "run/process.h"

/* The first line of a file, without its newline; "" when it cannot be read. */
static void first_line(const char *path, char *out, size_t n) {
    FILE *f = fopen(path, "r");
    out[0] = '\0';
    if (!f) return;
    if (!fgets(out, (int)n, f)) out[0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    fclose(f);
}

/* A zombie is as good as dead: it holds no lock and writes nothing any more. */
static bool is_zombie(long pid) {
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    first_line(path, line, sizeof line);
    const char *p = strrchr(line, ')');
    return p && strlen(p) > 2 && p[2] == 'Z';
}

process_id process_of(long pid) {
    process_id id = {.pid = pid, .start = process_start_ticks((pid_t)pid)};
    if (gethostname(id.host, sizeof id.host - 1) != 0 || id.host[0] == '\0')
        memcpy(id.host, "localhost", sizeof "localhost");
    process_boot_id(id.boot, sizeof id.boot);
    return id;
}

process_id process_self(void) {
    return process_of((long)getpid());
}

process_state process_check(const process_id *id) {
    process_id self = process_self();
    if (strcmp(id->host, self.host) != 0) return PROCESS_ELSEWHERE;
    if (strcmp(id->boot, self.boot) != 0) return PROCESS_DEAD;
    if (id->pid <= 0 || (kill((pid_t)id->pid, 0) != 0 && errno == ESRCH)) return PROCESS_DEAD;
    if (id->start != 0 && process_start_ticks((pid_t)id->pid) != id->start) return PROCESS_DEAD;
    return is_zombie(id->pid) ? PROCESS_DEAD : PROCESS_ALIVE;
}

void process_format(const process_id *id, char *out, size_t n) {
    snprintf(out, n, "%s %s %ld %llu", id->host, id->boot[0] ? id->boot : "-", id->pid, id->start);
}

bool process_parse(const char *text, process_id *id) {
    *id = (process_id){0};
    if (sscanf(text, "%63s %39s %ld %llu", id->host, id->boot, &id->pid, &id->start) != 4)
        return false;
    if (strcmp(id->boot, "-") == 0) id->boot[0] = '\0';
    return true;
}
