/* SPDX-License-Identifier: MIT
 *
 * Processes by /proc, and child processes; see process.h.
 */
#include "run/process.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Reads a small file of /proc, which has no size; false if it is not there. */
static bool read_small(const char *path, char *out, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, out, size - 1);
    close(fd);
    if (n <= 0) return false;
    out[n] = '\0';
    return true;
}

/* /proc/<pid>/stat from the end of its second field on: the name there may hold blanks and brackets.
 * NULL if there is no such process. */
static char *read_stat(long pid, char *text, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    return read_small(path, text, size) ? strrchr(text, ')') : NULL;
}

unsigned long long process_start_ticks(pid_t pid) {
    char text[1024], *p = read_stat((long)pid, text, sizeof text);
    for (int field = 2; p && field < 22; field++) p = strchr(p + 1, ' ');
    return p ? strtoull(p + 1, NULL, 10) : 0;
}

void process_boot_id(char *out, size_t size) {
    static const char outside[] = "pid:[4026531836]"; /* no container: the kernel's constant */
    char space[32];
    if (!read_small("/proc/sys/kernel/random/boot_id", out, size)) snprintf(out, size, "unknown");
    out[strcspn(out, "\n")] = '\0';
    ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    if (n <= 0 || strncmp(space, outside, (size_t)n) == 0) return;
    size_t length = strlen(out);
    snprintf(out + length, size - length, "/%.*s", (int)n, space);
}

/* ---- identities ---------------------------------------------------------------------------- */

/* A zombie is as good as dead: it holds no lock and writes nothing any more. */
static bool is_zombie(long pid) {
    char text[1024];
    const char *p = read_stat(pid, text, sizeof text);
    return p && strlen(p) > 2 && p[2] == 'Z';
}

process_id process_of(pid_t pid) {
    process_id id = {.pid = (long)pid, .start = process_start_ticks(pid)};
    if (gethostname(id.host, sizeof id.host - 1) != 0 || id.host[0] == '\0')
        memcpy(id.host, "localhost", sizeof "localhost");
    process_boot_id(id.boot, sizeof id.boot);
    return id;
}

process_id process_self(void) {
    return process_of(getpid());
}

process_state process_check(const process_id *id) {
    process_id self = process_self();
    if (strcmp(id->host, self.host) != 0) return PROCESS_ELSEWHERE;
    if (strcmp(id->boot, self.boot) != 0) return PROCESS_ELSEWHERE;
    if (id->pid <= 0 || (kill((pid_t)id->pid, 0) != 0 && errno == ESRCH)) return PROCESS_DEAD;
    if (id->start != 0 && process_start_ticks((pid_t)id->pid) != id->start) return PROCESS_DEAD;
    return is_zombie(id->pid) ? PROCESS_DEAD : PROCESS_ALIVE;
}

void process_format(const process_id *id, char *out, size_t n) {
    snprintf(out, n, "%s %s %ld %llu", id->host, id->boot[0] ? id->boot : "-", id->pid, id->start);
}

bool process_parse(const char *text, process_id *id) {
    *id = (process_id){0};
    if (sscanf(text, "%63s %63s %ld %llu", id->host, id->boot, &id->pid, &id->start) != 4)
        return false;
    if (strcmp(id->boot, "-") == 0) id->boot[0] = '\0';
    return true;
}

/* ---- memory -------------------------------------------------------------------------------- */

double process_peak_memory(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_maxrss * 1024 : 0;
}

double process_memory(void) {
    char text[128];
    if (!read_small("/proc/self/statm", text, sizeof text)) return 0;
    char *second = strchr(text, ' ');
    return second ? strtod(second, NULL) * (double)sysconf(_SC_PAGESIZE) : 0;
}

/* ---- commands ------------------------------------------------------------------------------ */

void put_shell_quoted(spur__str *out, const char *word) {
    spur__str_putc(out, '\'');
    for (; *word; word++) {
        if (*word == '\'')
            spur__str_puts(out, "'\\''");
        else
            spur__str_putc(out, *word);
    }
    spur__str_putc(out, '\'');
}

void put_shell_word(spur__str *out, const char *word) {
    bool plain = *word != '\0';
    for (const char *p = word; *p && plain; p++)
        plain = isalnum((unsigned char)*p) || strchr("%+,-./:=@_", *p) || (unsigned char)*p >= 0x80;
    if (plain)
        spur__str_puts(out, word);
    else
        put_shell_quoted(out, word);
}

static int start(char *const *argv, int output, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0) return -1;
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    int failed = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed ? -1 : 0;
}

int process_capture(char *const *argv, spur__str *out, bool *cut) {
    int ends[2], status = -1;
    pid_t pid;
    char buffer[65536];
    if (cut) *cut = false;
    if (pipe(ends) != 0) return -1;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    int failed = start(argv, ends[1], &pid);
    close(ends[1]);
    while (!failed) {
        ssize_t n = read(ends[0], buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        size_t room = out->limit - out->length;
        if ((size_t)n > room && cut) *cut = true;
        spur__str_append(out, buffer, (size_t)n < room ? (size_t)n : room);
    }
    close(ends[0]);
    if (failed) return -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
