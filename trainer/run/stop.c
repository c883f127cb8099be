/* SPDX-License-Identifier: MIT
 *
 * Handlers for the signals that end a run; see stop.h.
 */
#include "run/stop.h"

#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "command.h"

static volatile sig_atomic_t came;

static void on_signal(int number) {
    static const char note[] =
        "\nspur: finishing this step and saving; once more to leave at once\n";
    if (came && number == SIGHUP) return; /* shell and kernel both tell of a closed terminal */
    if (came) _exit(EXIT_INTERRUPTED);
    came = number;
    ssize_t unused = write(STDERR_FILENO, note, sizeof note - 1);
    (void)unused;
}

/* Nobody reads the output any more: the files of the run are what counts. A handler, not SIG_IGN,
 * which the trials of a sweep would inherit. */
static void on_pipe(int number) {
    (void)number;
}

static void listen_to(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;
    sigemptyset(&action.sa_mask);
    bool ignored = sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN;
    if (!ignored || number != SIGHUP) sigaction(number, &action, NULL);
}

void stop_listen(void) {
    listen_to(SIGINT, on_signal);
    listen_to(SIGTERM, on_signal);
    listen_to(SIGHUP, on_signal); /* the terminal is gone; under nohup it stays ignored */
    listen_to(SIGPIPE, on_pipe);
}

int stop_requested(void) {
    return came;
}
