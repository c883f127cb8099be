/* SPDX-License-Identifier: MIT
 *
 * /proc and child processes; see process.h.
 */
#include "run/process.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Reads a small file of /proc, which has no size; false if it is not there. */
static int read_small(const char *path, char *out, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t n = read(fd, out, size - 1);
    close(fd);
    if (n <= 0) return 0;
    out[n] = '\0';
    return 1;
}

unsigned long long process_start_ticks(pid_t pid) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    if (!read_small(path, text, sizeof text)) return 0;
    char *p = strrchr(text, ')'); /* the name before may hold blanks and brackets */
    for (int field = 2; p && field < 22; field++) {
        p = strchr(p + 1, ' ');
    }
    return p ? strtoull(p + 1, NULL, 10) : 0;
}

void process_boot_id(char *out, size_t size) {
    if (!read_small("/proc/sys/kernel/random/boot_id", out, size)) snprintf(out, size, "unknown");
    out[strcspn(out, "\n")] = '\0';
}

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

int process_capture(char *const *argv, spur__str *out, int *cut) {
    int ends[2], status = -1;
    pid_t pid;
    char buffer[65536];
    if (cut) *cut = 0;
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
        if ((size_t)n > room && cut) *cut = 1;
        spur__str_append(out, buffer, (size_t)n < room ? (size_t)n : room);
    }
    close(ends[0]);
    if (failed) return -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
