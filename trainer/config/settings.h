/* SPDX-License-Identifier: MIT
 *
 * The options that belong to the trainer itself: [run], [train], [log], and those of [model] that
 * hold for every model. Their rows are in settings.c.
 */
#ifndef SPUR_TRAINER_CONFIG_SETTINGS_H
#define SPUR_TRAINER_CONFIG_SETTINGS_H

#include "base/options.h"

typedef struct run_settings {
    char *name; /* part of the run directory's name */
    char *logdir;
    int64_t seed;
    int64_t threads; /* -1: one per processor */
    int64_t conv, gemm; /* as the choices of the rows */
} run_settings;

typedef struct model_settings {
    char *weights; /* safetensors file to start from */
    char *encoder_weights; /* the same, of a classifier, for the model's encoder */
    char *freeze; /* comma-separated prefixes of parameter names */
    double head_lr; /* factor for the rate of the last layer */
} model_settings;

typedef struct train_settings {
    int64_t epochs;
    int64_t max_steps; /* 0: no limit */
    char *max_time; /* "90", "10m", "2h"; "": no limit */
    char *monitor; /* a column of metrics.csv */
    char *metrics; /* comma-separated; "auto": those of the task */
    int64_t early_stopping; /* epochs without improvement; 0: off */
    double min_delta;
    bool restore_best;
    double clip_norm, clip_value; /* 0: off */
    int64_t accumulate;
    double ema; /* decay; 0: off */
    int64_t limit_batches, overfit; /* 0: off */
    int64_t validate_every; /* epochs */
    int64_t checkpoint_every; /* steps; 0: at the end of each epoch only */
    double checkpoint_secs; /* between the ends of epochs that are saved, at least */
    int64_t keep; /* checkpoints kept besides best and last */
} train_settings;

typedef struct log_settings {
    int64_t scalars_every; /* steps */
    int64_t histograms_every; /* steps; -1: every epoch; 0: off */
    bool gradients;
    int64_t images, worst, audio; /* how many; 0: off */
    int64_t images_every; /* epochs; -1: auto */
    bool augmentation, confusion_matrix, scatter, report, pr_curves, graph, perf;
    int64_t embeddings; /* samples; 0: off */
    double flush_secs;
} log_settings;

extern const spur__options run_table, model_table, train_table, log_table;

/* Seconds of "90", "90s", "10m", "1.5h"; negative when malformed; 0 for "". */
double duration_seconds(const char *text);

/* E_RANGE for what is malformed: the check of options that are durations. */
spur_status duration_check(const char *value, spur_error *err);

#endif
