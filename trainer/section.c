/* SPDX-License-Identifier: MIT
 *
 * The table of sections of an INI file: which options and which family of kinds each has. It stands
 * here because it knows rooms that do not know each other.
 */
#include "config/config.h"
#include "config/settings.h"
#include "data/transforms/augment.h"
#include "data/dataset.h"
#include "data/sampler.h"
#include "models/model.h"
#include "nn/loss.h"
#include "nn/optimizer.h"
#include "nn/scheduler.h"
#include "sweep/settings.h"

const section_spec section_specs[SECTION_COUNT] = {
    [SECTION_RUN] = {.name = "run",
                     .help = "The run as a whole: its name, place, seed and threads",
                     .common = &run_table},
    [SECTION_DATA] = {.name = "data",
                      .help = "What to learn from",
                      .family = &spur__dataset_family,
                      .selector = "format",
                      .initial = "buildings"},
    [SECTION_AUGMENT] = {.name = "augment",
                         .help = "Random changes of the training samples",
                         .common = &spur__augment_options},
    [SECTION_BALANCE] = {.name = "balance",
                         .help = "What to do about rare classes",
                         .common = &spur__balance_options},
    [SECTION_MODEL] = {.name = "model",
                       .help = "The network",
                       .common = &model_table,
                       .family = &spur__model_family,
                       .selector = "name",
                       .initial = "unet"},
    [SECTION_LOSS] = {.name = "loss",
                      .help = "What is minimised",
                      .family = &spur__loss_family,
                      .selector = "name",
                      .initial = "cross_entropy"},
    [SECTION_OPTIMIZER] = {.name = "optimizer",
                           .help = "How the weights are changed",
                           .family = &spur__optimizer_family,
                           .selector = "name",
                           .initial = "adam"},
    [SECTION_SCHEDULER] = {.name = "scheduler",
                           .help = "How the learning rate changes",
                           .family = &spur__scheduler_family,
                           .selector = "name",
                           .initial = "constant"},
    [SECTION_TRAIN] = {.name = "train",
                       .help = "How long to train, what to watch, when to save",
                       .common = &train_table},
    [SECTION_LOG] = {.name = "log", .help = "What goes to TensorBoard", .common = &log_table},
    [SECTION_SWEEP] = {.name = "sweep",
                       .help = "What `spur sweep` varies: section.key = values, and how",
                       .common = &sweep_table},
    [SECTION_PROGRAM] = {.name = "program",
                         .help = "A program of your own for `spur sweep`",
                         .common = &program_table},
    [SECTION_PARAM] = {.name = "param", .help = "Parameters of that program"},
};
