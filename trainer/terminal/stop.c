/* SPDX-License-Identifier: MIT */
#include "terminal/stop.h"

#include <signal.h>
#include <unistd.h>

#include "command.h"

static volatile sig_atomic_t came;

static void on_signal(int number) {
    static const char note[] =
        "\nspur: finishing this step and saving; once more to leave at once\n";
    if (came) _exit(EXIT_INTERRUPTED);
    came = number;
    ssize_t unused = write(STDERR_FILENO, note, sizeof note - 1);
    (void)unused;
}

void stop_listen(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int stop_requested(void) {
    return came;
}

void stop_request(int signal_number) {
    came = signal_number;
}
