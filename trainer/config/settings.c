/* SPDX-License-Identifier: MIT
 *
 * The rows of the trainer's own options; see settings.h.
 */
#include "config/settings.h"

#include <string.h>

#include "base/error.h"

#define ENDLESS 1e18

double duration_seconds(const char *text) {
    char digits[32];
    size_t n = strlen(text);
    if (n == 0) return 0;
    if (n >= sizeof digits) return -1;
    char unit = text[n - 1];
    double factor = unit == 's'   ? 1
                    : unit == 'm' ? 60
                    : unit == 'h' ? 3600
                    : unit == 'd' ? 86400
                                  : 0;
    memcpy(digits, text, n + 1);
    if (factor != 0) digits[n - 1] = '\0';
    double value;
    if (!spur__parse_double(digits, &value) || !(value >= 0) || value > 1e9) return -1;
    return value * (factor != 0 ? factor : 1);
}

spur_status duration_check(const char *value, spur_error *err) {
    if (duration_seconds(value) >= 0) return SPUR_OK;
    return spur__fail(err, SPUR_E_RANGE, "found '%s', expected a time such as 90s, 10m or 2h",
                      value);
}

/* The name becomes part of a directory's name, and so of TensorBoard's run names. */
static spur_status check_name(const char *value, spur_error *err) {
    size_t n = strlen(value);
    if (n > 100) return spur__fail(err, SPUR_E_RANGE, "longer than 100 bytes");
    for (const char *p = value; *p; p++)
        if (*p == '/' || (unsigned char)*p < 0x20)
            return spur__fail(err, SPUR_E_FORMAT, "found '%s', expected a name without '/'", value);
    if (strstr(value, "tfevents"))
        return spur__fail(err, SPUR_E_FORMAT,
                          "found '%s': a directory with 'tfevents' in its name breaks TensorBoard",
                          value);
    return SPUR_OK;
}

static spur_status check_path(const char *value, spur_error *err) {
    return *value ? SPUR_OK : spur__fail(err, SPUR_E_FORMAT, "found nothing, expected a path");
}

static spur_status check_word(const char *value, spur_error *err) {
    return *value ? SPUR_OK : spur__fail(err, SPUR_E_FORMAT, "found nothing, expected a name");
}

static const spur__option run_rows[] = {
    SPUR__ROW(TEXT, run_settings, name, "", .check = check_name,
              .help = "name of the run, put behind the date in its directory's name"),
    SPUR__ROW(TEXT, run_settings, logdir, "./my_logs", .check = check_path,
              .help = "directory in which run directories are made"),
    SPUR__ROW(INT, run_settings, seed, "1", .min = 0, .max = 9007199254740992.0,
              .help = "everything random follows from it"),
    SPUR__ROW(INT, run_settings, threads, "auto", .min = 1, .max = 1024, .choices = "auto",
              .help = "threads for computing; the results do not depend on it"),
    SPUR__ROW(CHOICE, run_settings, conv, "auto", .choices = "auto|direct|winograd2|winograd4",
              .help = "algorithm of 3x3 convolutions; direct is the most exact"),
    SPUR__ROW(CHOICE, run_settings, gemm, "auto", .choices = "auto|openblas|spur",
              .help = "who multiplies matrices; spur gives the same bits on every CPU"),
};
const spur__options run_table = SPUR__OPTIONS(run_rows, run_settings);

static const spur__option model_rows[] = {
    SPUR__ROW(TEXT, model_settings, weights, "",
              .help = "start from this safetensors file; a last layer of other size is made new"),
    SPUR__ROW(
        TEXT, model_settings, encoder_weights, "",
        .help =
            "start the encoder (of unet_resnet*, deeplabv3_*) from this classifier's safetensors "
            "file"),
    SPUR__ROW(TEXT, model_settings, freeze, "",
              .help = "parameters not to train: names or their beginnings, separated by commas"),
    SPUR__ROW(FLOAT, model_settings, head_lr, "1", .min = 0, .max = 1e6, .min_open = true,
              .help = "factor on the learning rate of the last layer"),
};
const spur__options model_table = SPUR__OPTIONS(model_rows, model_settings);

static const spur__option train_rows[] = {
    SPUR__ROW(INT, train_settings, epochs, "10", .min = 1, .max = 1e9, .unit = "epochs",
              .help = "passes over the training data"),
    SPUR__ROW(INT, train_settings, max_steps, "0", .min = 0, .max = 1e15, .unit = "steps",
              .help =
                  "stop after so many optimizer steps; 0 is no limit; schedules go by the epochs"),
    SPUR__ROW(TEXT, train_settings, max_time, "", .check = duration_check,
              .help = "stop after this time (90s, 10m, 2h), saved and ready to resume"),
    SPUR__ROW(
        TEXT, train_settings, monitor, "auto", .check = check_word,
        .help =
            "column of metrics.csv that decides which epoch is best; auto is the task's metric"),
    SPUR__ROW(
        TEXT, train_settings, metrics, "auto", .check = check_word,
        .help =
            "metrics to compute, separated by commas (spur help metrics); auto takes those of the task"),
    SPUR__ROW(INT, train_settings, early_stopping, "0", .min = 0, .max = 1e9, .unit = "epochs",
              .help = "stop after so many epochs without improvement of the monitor; 0 is never"),
    SPUR__ROW(FLOAT, train_settings, min_delta, "0", .min = 0, .max = ENDLESS,
              .help = "smaller changes of the monitor are no improvement"),
    SPUR__ROW(BOOL, train_settings, restore_best, "true",
              .help = "end with the weights of the best epoch"),
    SPUR__ROW(FLOAT, train_settings, clip_norm, "0", .min = 0, .max = ENDLESS,
              .help = "scale gradients down to at most this total norm; 0 is off"),
    SPUR__ROW(FLOAT, train_settings, clip_value, "0", .min = 0, .max = ENDLESS,
              .help = "cut each gradient value to at most this size; 0 is off"),
    SPUR__ROW(INT, train_settings, accumulate, "1", .min = 1, .max = 65536, .unit = "batches",
              .help = "batches whose gradients make one step"),
    SPUR__ROW(
        FLOAT, train_settings, ema, "0", .min = 0, .max = 0.999999999,
        .help = "decay of the moving average of the weights that is validated and saved; 0 is off"),
    SPUR__ROW(
        INT, train_settings, limit_batches, "0", .min = 0, .max = 1e15, .unit = "batches",
        .help =
            "use only so many batches of each epoch and, spread evenly, of each validation; 0 is all"),
    SPUR__ROW(
        INT, train_settings, overfit, "0", .min = 0, .max = 1e15, .unit = "samples",
        .help = "train and validate on the same first samples, to see whether they can be learnt"),
    SPUR__ROW(INT, train_settings, validate_every, "1", .min = 1, .max = 1e9, .unit = "epochs",
              .help = "validate after every so many epochs, and after the last"),
    SPUR__ROW(INT, train_settings, checkpoint_every, "0", .min = 0, .max = 1e15, .unit = "steps",
              .help = "save after every so many steps too; 0 saves at the ends of epochs only"),
    SPUR__ROW(
        FLOAT, train_settings, checkpoint_secs, "1", .min = 0, .max = 86400, .unit = "seconds",
        .help = "save at the end of an epoch only when the last save is so long ago, and at the "
                "end of the training; 0, or any keep, saves at the end of each"),
    SPUR__ROW(INT, train_settings, keep, "0", .min = 0, .max = 1e6, .unit = "checkpoints",
              .help = "older checkpoints to keep besides best and last"),
};
const spur__options train_table = SPUR__OPTIONS(train_rows, train_settings);

static const spur__option log_rows[] = {
    SPUR__ROW(
        INT, log_settings, scalars_every, "1", .min = 0, .max = 1e9, .unit = "steps",
        .help = "how often loss, rate and gradient norm of single batches are logged; 0 is never"),
    SPUR__ROW(INT, log_settings, histograms_every, "epoch", .min = 0, .max = 1e9, .unit = "steps",
              .choices = "epoch", .help = "how often weights are logged as histograms; 0 is never"),
    SPUR__ROW(BOOL, log_settings, gradients, "true",
              .help = "log histograms of the gradients with those of the weights"),
    SPUR__ROW(INT, log_settings, images, "4", .min = 0, .max = 64, .unit = "images",
              .help = "validation samples shown with their predictions; 0 is none"),
    SPUR__ROW(INT, log_settings, worst, "8", .min = 0, .max = 64, .unit = "images",
              .help = "validation samples with the highest loss shown at the end; 0 is none"),
    SPUR__ROW(INT, log_settings, audio, "4", .min = 0, .max = 64, .unit = "clips",
              .help = "sounds of the validation data to listen to, with label and prediction"),
    SPUR__ROW(INT, log_settings, images_every, "auto", .min = 1, .max = 1e9, .choices = "auto",
              .unit = "epochs",
              .help = "how often pictures are logged (always after the last epoch); auto: every "
                      "epoch, at most 100 times"),
    SPUR__ROW(BOOL, log_settings, augmentation, "true",
              .help = "log a sheet of training samples as the network gets them"),
    SPUR__ROW(BOOL, log_settings, confusion_matrix, "true",
              .help = "log the confusion matrix as a picture, of up to 200 classes"),
    SPUR__ROW(
        BOOL, log_settings, scatter, "true",
        .help =
            "log predicted against true values as a picture, for a regression (its first 8 values)"),
    SPUR__ROW(BOOL, log_settings, report, "true",
              .help = "log precision, recall and F1 of every class as a text"),
    SPUR__ROW(BOOL, log_settings, pr_curves, "true",
              .help = "log precision-recall curves, of the first 20 classes"),
    SPUR__ROW(BOOL, log_settings, graph, "true", .help = "log the network for the Graphs tab"),
    SPUR__ROW(BOOL, log_settings, perf, "true", .help = "log throughput and memory under perf/"),
    SPUR__ROW(
        INT, log_settings, embeddings, "0", .min = 0, .max = 100000, .unit = "samples",
        .help =
            "validation samples whose last features go to the Projector tab (not of masks); 0 is none"),
    SPUR__ROW(FLOAT, log_settings, flush_secs, "2", .min = 0, .max = 86400, .unit = "seconds",
              .help = "the longest time that something logged waits before it is in the file; 0: "
                      "nothing waits"),
};
const spur__options log_table = SPUR__OPTIONS(log_rows, log_settings);
