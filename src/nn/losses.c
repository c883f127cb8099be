/* SPDX-License-Identifier: MIT
 *
 * The rows of the losses: options as users write them, turned into the calls of spur/loss.h.
 */
#include <math.h>
#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "nn/loss.h"
#include "nn/loss_rows.h"

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
    SPUR__ROW(CHOICE, options, reduction, "mean", .choices = "mean|sum",                           \
              .help = "how the values of a batch become one")
#define WEIGHT                                                                                     \
    SPUR__ROW(FLOATS, options, weight, "", .max = INFINITY,                                        \
              .help = "weight of each class; empty: all one")
#define SMOOTHING                                                                                  \
    SPUR__ROW(FLOAT, options, label_smoothing, "0", .max = 0.999,                                  \
              .help = "share of the target that is spread over all classes")
#define POS_WEIGHT                                                                                 \
    SPUR__ROW(FLOATS, options, pos_weight, "", .max = INFINITY,                                    \
              .help = "weight of the positive class, one number or one per output; empty: one")
#define DICE                                                                                       \
    SPUR__ROW(FLOAT, options, smooth, "1", .max = INFINITY,                                        \
              .help = "added above and below the line"),                                           \
        SPUR__ROW(BOOL, options, skip_first, "false",                                              \
                  .help = "leave class 0, the background, out of the mean")
#define DICE_WEIGHT                                                                                \
    SPUR__ROW(FLOAT, options, dice_weight, "1", .max = INFINITY,                                   \
              .help = "factor of the dice part in the sum")

static const spur__option ce_rows[] = {WEIGHT, SMOOTHING, REDUCTION};
static const spur__option bce_rows[] = {POS_WEIGHT, SMOOTHING, REDUCTION};
static const spur__option plain_rows[] = {REDUCTION};
static const spur__option huber_rows[] = {
    SPUR__ROW(FLOAT, options, delta, "1", .max = INFINITY, .min_open = true,
              .help = "error at which the parabola becomes a line"),
    REDUCTION};
static const spur__option dice_rows[] = {DICE};
static const spur__option focal_rows[] = {
    SPUR__ROW(FLOAT, options, gamma, "2", .max = 100,
              .help = "how strongly easy samples are weighed down"),
    SPUR__ROW(FLOAT, options, alpha, "none", .max = 1, .min_open = true, .choices = "none",
              .help = "single output: weight of the positive class against 1 - alpha"),
    WEIGHT, REDUCTION};
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

/* ---- from options to calls ---------------------------------------------------------------------- */

/* Class weights of the row times those of balancing; *weights (spur__free) is NULL where neither
 * says anything. False when out of memory. */
static bool make_weights(const spur__floats *own, const spur__loss_context *context,
                         float **weights) {
    *weights = NULL;
    if (own->count == 0 && !context->class_weights) return true;
    size_t n = own->count ? own->count : (size_t)context->classes;
    *weights = spur__malloc_array(n, sizeof **weights);
    if (!*weights) return false;
    for (size_t c = 0; c < n; c++) {
        (*weights)[c] = own->count ? (float)own->values[c] : 1;
        if (context->class_weights) (*weights)[c] *= context->class_weights[c];
    }
    return true;
}

/* pos_weight for `width` outputs: as given, or one number for all; of balancing over two classes the
 * ratio of their weights. */
static bool make_pos_weight(const options *o, const spur__loss_context *context, size_t width,
                            float **weights) {
    const float *balance = width == 1 && context->classes == 2 ? context->class_weights : NULL;
    *weights = NULL;
    if (o->pos_weight.count == 0 && !balance) return true;
    *weights = spur__malloc_array(width, sizeof **weights);
    if (!*weights) return false;
    for (size_t c = 0; c < width; c++) {
        size_t i = o->pos_weight.count > 1 ? c : 0;
        (*weights)[c] = o->pos_weight.count ? (float)o->pos_weight.values[i] : 1;
        if (balance) (*weights)[c] *= balance[1] / balance[0];
    }
    return true;
}

static spur_node *build_ce(spur_net *net, spur_node *output, spur_node *target, const void *given,
                           const spur__loss_context *context) {
    const options *o = given;
    float *weights;
    if (!make_weights(&o->weight, context, &weights)) return spur__net_no_memory(net, "loss");
    spur_node *node = spur_cross_entropy(
        net, output, target,
        &(spur_cross_entropy_options){.class_weights = weights,
                                      .ignore = context->ignore,
                                      .ignore_index = context->ignore_index,
                                      .label_smoothing = o->label_smoothing,
                                      .reduction = (spur_reduction)o->reduction});
    spur__free(weights);
    return node;
}

static spur_node *build_bce(spur_net *net, spur_node *output, spur_node *target, const void *given,
                            const spur__loss_context *context) {
    const options *o = given;
    float *weights;
    if (!output) return NULL;
    size_t width = (size_t)spur_node_shape(output)[spur_node_rank(output) - 1];
    if (!make_pos_weight(o, context, width, &weights)) return spur__net_no_memory(net, "loss");
    spur_node *node = spur_bce(net, output, target,
                               &(spur_bce_options){.pos_weight = weights,
                                                   .ignore = context->ignore,
                                                   .ignore_index = context->ignore_index,
                                                   .label_smoothing = o->label_smoothing,
                                                   .reduction = (spur_reduction)o->reduction});
    spur__free(weights);
    return node;
}

static spur_node *build_mse(spur_net *net, spur_node *output, spur_node *target, const void *given,
                            const spur__loss_context *context) {
    (void)context;
    return spur_mse(net, output, target, (spur_reduction)((const options *)given)->reduction);
}

static spur_node *build_mae(spur_net *net, spur_node *output, spur_node *target, const void *given,
                            const spur__loss_context *context) {
    (void)context;
    return spur_mae(net, output, target, (spur_reduction)((const options *)given)->reduction);
}

static spur_node *build_huber(spur_net *net, spur_node *output, spur_node *target,
                              const void *given, const spur__loss_context *context) {
    const options *o = given;
    (void)context;
    return spur_huber(net, output, target, o->delta, (spur_reduction)o->reduction);
}

static spur_node *build_dice(spur_net *net, spur_node *output, spur_node *target, const void *given,
                             const spur__loss_context *context) {
    const options *o = given;
    return spur_dice(net, output, target,
                     &(spur_dice_options){.smooth = o->smooth > 0 ? o->smooth : -1,
                                          .ignore = context->ignore,
                                          .ignore_index = context->ignore_index,
                                          .skip_first = o->skip_first});
}

static spur_node *build_focal(spur_net *net, spur_node *output, spur_node *target,
                              const void *given, const spur__loss_context *context) {
    const options *o = given;
    float *weights;
    if (!make_weights(&o->weight, context, &weights)) return spur__net_no_memory(net, "loss");
    spur_node *node = spur_focal(net, output, target,
                                 &(spur_focal_options){.gamma = o->gamma > 0 ? o->gamma : -1,
                                                       .alpha = o->alpha < 0 ? 0 : o->alpha,
                                                       .class_weights = weights,
                                                       .ignore = context->ignore,
                                                       .ignore_index = context->ignore_index,
                                                       .reduction = (spur_reduction)o->reduction});
    spur__free(weights);
    return node;
}

static spur_node *join(spur_net *net, spur_node *first, spur_node *dice, const options *o) {
    spur_node *parts[] = {first, dice};
    return spur_loss_sum(net, parts, (double[]){1, o->dice_weight}, 2);
}

static spur_node *build_bce_dice(spur_net *net, spur_node *output, spur_node *target,
                                 const void *given, const spur__loss_context *context) {
    spur_node *bce = build_bce(net, output, target, given, context);
    return join(net, bce, build_dice(net, output, target, given, context), given);
}

static spur_node *build_ce_dice(spur_net *net, spur_node *output, spur_node *target,
                                const void *given, const spur__loss_context *context) {
    spur_node *ce = build_ce(net, output, target, given, context);
    return join(net, ce, build_dice(net, output, target, given, context), given);
}

const spur__loss_kind spur__loss_cross_entropy = {
    .kind = {"cross_entropy", "cross-entropy of the softmax over classes", &ce_table},
    .task = SPUR__LOSS_CLASSES,
    .check = check_weight,
    .build = build_ce,
};
const spur__loss_kind spur__loss_bce = {
    .kind = {"bce", "binary cross-entropy of the sigmoid", &bce_table},
    .task = SPUR__LOSS_BINARY,
    .check = check_pos_weight,
    .build = build_bce,
};
const spur__loss_kind spur__loss_mse = {
    .kind = {"mse", "mean squared error", &plain_table},
    .task = SPUR__LOSS_VALUES,
    .build = build_mse,
};
const spur__loss_kind spur__loss_mae = {
    .kind = {"mae", "mean absolute error", &plain_table},
    .task = SPUR__LOSS_VALUES,
    .build = build_mae,
};
const spur__loss_kind spur__loss_huber = {
    .kind = {"huber", "squared error near zero, absolute error further out", &huber_table},
    .task = SPUR__LOSS_VALUES,
    .build = build_huber,
};
const spur__loss_kind spur__loss_dice = {
    .kind = {"dice", "one minus the overlap of prediction and truth", &dice_table},
    .task = SPUR__LOSS_CLASSES,
    .build = build_dice,
};
const spur__loss_kind spur__loss_focal = {
    .kind = {"focal", "cross-entropy that weighs easy samples down", &focal_table},
    .task = SPUR__LOSS_CLASSES,
    .check = check_weight,
    .build = build_focal,
};
const spur__loss_kind spur__loss_bce_dice = {
    .kind = {"bce_dice", "sum of bce and dice", &bce_dice_table},
    .task = SPUR__LOSS_BINARY,
    .check = check_pos_weight,
    .build = build_bce_dice,
};
const spur__loss_kind spur__loss_ce_dice = {
    .kind = {"ce_dice", "sum of cross_entropy and dice", &ce_dice_table},
    .task = SPUR__LOSS_CLASSES,
    .check = check_weight,
    .build = build_ce_dice,
};
