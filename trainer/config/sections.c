/* SPDX-License-Identifier: MIT
 *
 * The table of sections: which options and which family of kinds each has.
 */
#include <string.h>

#include "config/config.h"
#include "config/settings.h"
#include "sweep/settings.h"
#include "data/augment.h"
#include "data/dataset.h"
#include "data/sampler.h"
#include "models/model.h"
#include "nn/loss.h"
#include "nn/optimizer.h"
#include "nn/scheduler.h"

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

section_id section_find(const char *name) {
    for (section_id i = 0; i < SECTION_COUNT; i++)
        if (strcmp(section_specs[i].name, name) == 0) return i;
    return SECTION_COUNT;
}

static const char *name_at(const void *unused, size_t i) {
    (void)unused;
    return section_specs[i].name;
}

const char *section_nearest(const char *name) {
    return spur__nearest(name, SECTION_COUNT, name_at, NULL);
}

const spur__option *config_find_row(section_id section, const char *key, const spur__kind **kind) {
    const section_spec *spec = &section_specs[section];
    const spur__option *row = spec->common ? spur__options_find(spec->common, key) : NULL;
    if (kind) *kind = NULL;
    for (size_t i = 0; !row && spec->family && i < spec->family->count; i++) {
        const spur__kind *one = spec->family->kinds[i];
        row = one->options ? spur__options_find(one->options, key) : NULL;
        if (row && kind) *kind = one;
    }
    return row;
}

/* Whether another section has such a key, or is called so. [log] and those after it say how a run
 * happens; what is learnt is told apart from the others only. */
static bool is_ambiguous(const char *section, const char *key) {
    for (section_id i = SECTION_RUN; i <= SECTION_TRAIN; i++) {
        if (strcmp(section_specs[i].name, section) == 0) continue;
        if (strcmp(section_specs[i].name, key) == 0 || config_find_row(i, key, NULL)) return true;
    }
    return false;
}

void config_short_name(const char *section, const char *key, spur__str *out) {
    bool own = strcmp(section, "run") == 0 || strcmp(section, "param") == 0;
    if (strcmp(key, "name") == 0 || strcmp(key, "method") == 0)
        spur__str_puts(out, own ? key : section);
    else if (own || !is_ambiguous(section, key))
        spur__str_puts(out, key);
    else
        spur__str_printf(out, "%s.%s", section, key);
}

void config_short_path(const char *name, spur__str *out) {
    char section[64];
    const char *dot = strchr(name, '.');
    if (!dot || (size_t)(dot - name) >= sizeof section) {
        spur__str_puts(out, name);
        return;
    }
    memcpy(section, name, (size_t)(dot - name));
    section[dot - name] = '\0';
    config_short_name(section, dot + 1, out);
}
