/* SPDX-License-Identifier: MIT
 *
 * spur: finds the command and runs it.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <spur/status.h>

#include "base/str.h"
#include "command.h"

static const char *name_at(const void *names, size_t i) {
    (void)names;
    return commands[i]->name;
}

static int unknown(const char *name) {
    const char *near = spur__nearest(name, command_count, name_at, NULL);
    fprintf(stderr, "spur: no command '%s'", name);
    if (near) fprintf(stderr, "; did you mean '%s'?", near);
    fprintf(stderr, "\n`spur help` lists the commands.\n");
    return EXIT_USAGE;
}

/* `spur COMMAND ... --help`, wherever it stands before a "--". */
static bool asks_for_help(int argc, char **argv) {
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0) return true;
    return false;
}

/* GCC's OpenMP threads spin for milliseconds when they wait for each other. Where other programs want the
 * same processors, a waiting thread then keeps out the one it waits for (docs/engine.md has figures). How
 * long they spin is read when the program is loaded, so it is started once more, in the same process. If
 * that fails, it goes on. */
static void spin_briefly(char **argv) {
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY")) return;
    if (setenv("GOMP_SPINCOUNT", "3000", 0) == 0) execv("/proc/self/exe", argv);
}

/* What top and pkill know the process by: a trial, or what was started once more, would be "exe". */
static void take_name(void) {
#ifdef __linux__
    prctl(PR_SET_NAME, "spur");
#endif
}

/* A stream that the parent has closed would get the first file that is opened, and what is printed would
 * stand in that. What takes its place refuses: reading of 0, writing to 1 and 2. */
static void hold_streams(void) {
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0) (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

/* An answer that could not be written is none. A run is there all the same. */
static int finish(const command *done, int status) {
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    if (!lost || status != EXIT_DONE || done->leaves_run) return status;
    fprintf(stderr, "spur %s: cannot write the output\n", done->name);
    return EXIT_FAILED;
}

int main(int argc, char **argv) {
    char *help[] = {"help", NULL};
    hold_streams();
    take_name();
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        int status = finish(command_find("help"), command_find("help")->run(1, help));
        return argc < 2 ? EXIT_USAGE : status;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("spur %s\n", spur_version());
        return finish(command_find("help"), EXIT_DONE);
    }
    const command *chosen = command_find(argv[1]);
    if (!chosen) return unknown(argv[1]);
    if (asks_for_help(argc, argv)) {
        command_print_help(chosen);
        return finish(command_find("help"), EXIT_DONE);
    }
    if (chosen->computes) spin_briefly(argv);
    return finish(chosen, chosen->run(argc - 1, argv + 1));
}
