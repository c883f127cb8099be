/* SPDX-License-Identifier: MIT
 *
 * The rows of the losses: options as users write them, turned into the calls of spur/loss.h.
 */
#include <math.h>
#include <stddef.h>

#include "base/error.h"
#include "nn/loss.h"

/* Options of all of them; each row's table shows those that it has. */
typedef struct options {
    spur__floats weight;
    spur__floats pos_weight;
    double label_smoothing, delta, gamma, alpha, smooth, dice_weight;
    int64_t reduction;
    bool skip_first;
} options;

enum { ALPHA_NONE = -1 };

#define REDUCTION                                                                                  \
    {                                                                                              \
        .name = "reduction", .type = SPUR__OPT_CHOICE, .initial = "mean", .choices = "mean|sum",   \
        .help = "how the values of a batch become one", .offset = offsetof(options, reduction)     \
    }
#define WEIGHT                                                                                     \
    {                                                                                              \
        .name = "weight", .type = SPUR__OPT_FLOATS, .initial = "", .max = INFINITY,                \
        .help = "weight of each class; empty: all one", .offset = offsetof(options, weight)        \
    }
#define SMOOTHING                                                                                  \
    {                                                                                              \
        .name = "label_smoothing", .type = SPUR__OPT_FLOAT, .initial = "0", .max = 0.999,          \
        .help = "share of the target that is spread over all classes",                             \
        .offset = offsetof(options, label_smoothing)                                               \
    }
#define POS_WEIGHT                                                                                 \
    {                                                                                              \
        .name = "pos_weight", .type = SPUR__OPT_FLOATS, .initial = "", .max = INFINITY,            \
        .help = "weight of the positive class, one number or one per output; empty: one",          \
        .offset = offsetof(options, pos_weight)                                                    \
    }
#define DICE                                                                                       \
    {.name = "smooth",                                                                             \
     .type = SPUR__OPT_FLOAT,                                                                      \
     .initial = "1",                                                                               \
     .max = INFINITY,                                                                              \
     .help = "added above and below the line",                                                     \
     .offset = offsetof(options, smooth)},                                                         \
    {                                                                                              \
        .name = "skip_first", .type = SPUR__OPT_BOOL, .initial = "false",                          \
        .help = "leave class 0, the background, out of the mean",                                  \
        .offset = offsetof(options, skip_first)                                                    \
    }
#define DICE_WEIGHT                                                                                \
    {                                                                                              \
        .name = "dice_weight", .type = SPUR__OPT_FLOAT, .initial = "1", .max = INFINITY,           \
        .help = "factor of the dice part in the sum", .offset = offsetof(options, dice_weight)     \
    }

static const spur__option ce_rows[] = {WEIGHT, SMOOTHING, REDUCTION};
static const spur__option bce_rows[] = {POS_WEIGHT, SMOOTHING, REDUCTION};
static const spur__option plain_rows[] = {REDUCTION};
static const spur__option huber_rows[] = {{.name = "delta",
                                           .type = SPUR__OPT_FLOAT,
                                           .initial = "1",
                                           .max = INFINITY,
                                           .min_open = true,
                                           .help = "error at which the parabola becomes a line",
                                           .offset = offsetof(options, delta)},
                                          REDUCTION};
static const spur__option dice_rows[] = {DICE};
static const spur__option focal_rows[] = {
    {.name = "gamma",
     .type = SPUR__OPT_FLOAT,
     .initial = "2",
     .max = 100,
     .help = "how strongly easy samples are weighed down",
     .offset = offsetof(options, gamma)},
    {.name = "alpha",
     .type = SPUR__OPT_FLOAT,
     .initial = "none",
     .max = 1,
     .choices = "none",
     .help = "single output: weight of the positive class against 1 - alpha",
     .offset = offsetof(options, alpha)},
    WEIGHT,
    REDUCTION};
static const spur__option bce_dice_rows[] = {POS_WEIGHT, SMOOTHING, DICE, DICE_WEIGHT};
static const spur__option ce_dice_rows[] = {WEIGHT, SMOOTHING, DICE, DICE_WEIGHT};

static const spur__options ce_table = SPUR__OPTIONS(ce_rows, options);
static const spur__options bce_table = SPUR__OPTIONS(bce_rows, options);
static const spur__options plain_table = SPUR__OPTIONS(plain_rows, options);
static const spur__options huber_table = SPUR__OPTIONS(huber_rows, options);
static const spur__options dice_table = SPUR__OPTIONS(dice_rows, options);
static const spur__options focal_table = SPUR__OPTIONS(focal_rows, options);
static const spur__options bce_dice_table = SPUR__OPTIONS(bce_dice_rows, options);
static const spur__options ce_dice_table = SPUR__OPTIONS(ce_dice_rows, options);

static spur_status check_weight(const void *given, int classes, spur_error *err) {
    const options *o = given;
    if (o->weight.count == 0 || (int)o->weight.count == classes) return SPUR_OK;
    return spur__fail(err, SPUR_E_SHAPE, "weight: found %zu numbers, expected %d (one per class)",
                      o->weight.count, classes);
}

static spur_status check_pos_weight(const void *given, int classes, spur_error *err) {
    const options *o = given;
    int outputs = classes == 2 ? 1 : classes;
    if (o->pos_weight.count <= 1 || (int)o->pos_weight.count == outputs) return SPUR_OK;
    return spur__fail(err, SPUR_E_SHAPE, "pos_weight: found %zu numbers, expected %d",
                      o->pos_weight.count, outputs);
}

int spur__loss_outputs(const spur__loss_kind *kind, int classes) {
    if (kind->task == SPUR__LOSS_VALUES) return 1;
    return kind->task == SPUR__LOSS_BINARY && classes == 2 ? 1 : classes;
}

const spur__loss_kind spur__loss_cross_entropy = {
    .kind = {"cross_entropy", "cross-entropy of the softmax over classes", &ce_table},
    .task = SPUR__LOSS_CLASSES,
    .check = check_weight,
};
const spur__loss_kind spur__loss_bce = {
    .kind = {"bce", "binary cross-entropy of the sigmoid", &bce_table},
    .task = SPUR__LOSS_BINARY,
    .check = check_pos_weight,
};
const spur__loss_kind spur__loss_mse = {
    .kind = {"mse", "mean squared error", &plain_table},
    .task = SPUR__LOSS_VALUES,
};
const spur__loss_kind spur__loss_mae = {
    .kind = {"mae", "mean absolute error", &plain_table},
    .task = SPUR__LOSS_VALUES,
};
const spur__loss_kind spur__loss_huber = {
    .kind = {"huber", "squared error near zero, absolute error further out", &huber_table},
    .task = SPUR__LOSS_VALUES,
};
const spur__loss_kind spur__loss_dice = {
    .kind = {"dice", "one minus the overlap of prediction and truth", &dice_table},
    .task = SPUR__LOSS_CLASSES,
};
const spur__loss_kind spur__loss_focal = {
    .kind = {"focal", "cross-entropy that weighs easy samples down", &focal_table},
    .task = SPUR__LOSS_CLASSES,
    .check = check_weight,
};
const spur__loss_kind spur__loss_bce_dice = {
    .kind = {"bce_dice", "sum of bce and dice", &bce_dice_table},
    .task = SPUR__LOSS_BINARY,
    .check = check_pos_weight,
};
const spur__loss_kind spur__loss_ce_dice = {
    .kind = {"ce_dice", "sum of cross_entropy and dice", &ce_dice_table},
    .task = SPUR__LOSS_CLASSES,
    .check = check_weight,
};
