/* SPDX-License-Identifier: MIT
 *
 * Hyper-parameters: five sessions with metrics of their own and of a run below, two of them in one
 * group; elsewhere the same with an experiment record at the top.
 */
#include <stdio.h>

#include "cases.h"

enum { TRIALS = 5 };

static void session(const char *root, const char *prefix, int i) {
    static const char *const optimizers[] = {"adam", "sgd", "\xc3\xa9tonnant"};
    char run[64];
    snprintf(run, sizeof run, "%strial_%d", prefix, i);
    spur_writer *writer = case_open(root, run), *validation = NULL;
    OK(spur_writer_open_sub(&validation, writer, "validation", NULL));
    int same = i == 4 ? 3 : i; /* of a group the server shows any one session's values */
    const spur_log_hparam hparams[] = {{"lr", spur_log_number(0.1 / (1 << same))},
                                       {"units", spur_log_number(16 * (same + 1))},
                                       {"optimizer", spur_log_string(optimizers[same % 3])},
                                       {"nesterov", spur_log_boolean(same % 2 == 0)}};
    OK(spur_log_hparams(writer, hparams, 4,
                        &(spur_log_hparams_options){.group = i >= 3 ? "pair" : NULL,
                                                    .start_time = CASE_TIME(4 * i),
                                                    .wall_time = CASE_TIME(4 * i)}));
    for (int step = 0; step < 3; step++) {
        OK(spur_log_scalar_with(writer, "accuracy", step, 0.5 + 0.125 * step + i / 64.0, AT(step)));
        OK(spur_log_scalar_with(validation, "accuracy", step, 0.25 + 0.125 * step + i / 64.0,
                                AT(step)));
    }
    if (i != 2)
        OK(spur_log_hparams_end(writer, i == 1 ? SPUR_LOG_FAILURE : SPUR_LOG_SUCCESS,
                                AT(4 * i + 40)));
    case_close(validation);
    case_close(writer);
}

static void experiment(const char *root) {
    spur_writer *writer = case_open(root, ".");
    const spur_log_value optimizers[] = {spur_log_string("adam"), spur_log_string("sgd")};
    const spur_log_hparam_info hparams[] = {{.name = "lr",
                                             .display_name = "learning rate",
                                             .kind = SPUR_LOG_NUMBER,
                                             .has_range = true,
                                             .min = 0.001,
                                             .max = 0.5},
                                            {.name = "optimizer",
                                             .description = "how",
                                             .kind = SPUR_LOG_TEXT,
                                             .choices = optimizers,
                                             .choice_count = 2},
                                            {.name = "nesterov", .kind = SPUR_LOG_BOOL}};
    const spur_log_metric_info metrics[] = {{.tag = "accuracy",
                                             .group = "validation",
                                             .display_name = "val. accuracy",
                                             .description = "share",
                                             .validation = true}};
    OK(spur_log_hparams_experiment(writer,
                                   &(spur_log_experiment){.name = "search",
                                                          .description = "a *search*",
                                                          .user = "someone",
                                                          .created = CASE_TIME(1),
                                                          .hparams = hparams,
                                                          .hparam_count = 3,
                                                          .metrics = metrics,
                                                          .metric_count = 1},
                                   AT(1)));
    case_close(writer);
}

void case_hparams(const char *root, const char *experiment_root) {
    for (int i = 0; i < TRIALS; i++) session(root, "hparams/", i);
    experiment(experiment_root);
    for (int i = 0; i < 2; i++) session(experiment_root, "", i);
}
