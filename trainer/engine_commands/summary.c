/* SPDX-License-Identifier: MIT
 *
 * spur summary FILE.ini|RUN: the network as a table of layers.
 */
#include <stdio.h>

#include "engine_commands/setup.h"
#include "train/session.h"

static int run_summary(int argc, char **argv);

extern const command command_summary;
const command command_summary = {
    .name = "summary",
    .usage = "FILE.ini|RUN [section.key=value ...]",
    .summary = "Layers, shapes, parameters, multiply-adds and memory of a network.",
    .run = run_summary,
};

static int run_summary(int argc, char **argv) {
    int words;
    config cfg;
    session s;
    terminal term;
    spur_error err = {.status = SPUR_OK};
    int status = arguments_parse(&command_summary, argc, argv, NULL, 0, &words);
    if (status == EXIT_DONE) status = load_config_of(&command_summary, argv + 1, words, &cfg);
    if (status != EXIT_DONE) return status;
    terminal_init(&term, false, false);
    const session_origin origin = {.is_shown = true};
    if (session_open(&s, &cfg, &origin, &term, &err) != SPUR_OK) {
        status = command_refuse(&command_summary, &err);
    } else {
        if (spur_net_summary(s.net.net, stdout) != SPUR_OK) status = EXIT_FAILED;
        session_close(&s);
    }
    config_free(&cfg);
    return status;
}
