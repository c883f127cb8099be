/* SPDX-License-Identifier: MIT
 *
 * The tables of everything in this room that is chosen by name. A new optimizer or scheduler is one
 * file and one line here; a loss has its row in losses.c besides, a metric all of it in metrics.c.
 */
#include "nn/loss.h"
#include "nn/metric.h"
#include "nn/optimizer.h"
#include "nn/scheduler.h"

#define FAMILY(kinds_, name_, title_)                                                              \
    {                                                                                              \
        .name = (name_), .title = (title_), .kinds = (kinds_),                                     \
        .count = sizeof(kinds_) / sizeof((kinds_)[0])                                              \
    }

static const spur__kind *const optimizers[] = {
    &spur__sgd.kind, &spur__adam.kind, &spur__adamw.kind, &spur__adagrad.kind, &spur__rmsprop.kind,
};
const spur__family spur__optimizer_family = FAMILY(optimizers, "optimizer", "Optimizers");

static const spur__kind *const schedulers[] = {
    &spur__schedule_constant.kind,        &spur__schedule_step.kind,
    &spur__schedule_multistep.kind,       &spur__schedule_exponential.kind,
    &spur__schedule_polynomial.kind,      &spur__schedule_cosine.kind,
    &spur__schedule_cosine_restarts.kind, &spur__schedule_one_cycle.kind,
    &spur__schedule_plateau.kind,
};
const spur__family spur__scheduler_family =
    FAMILY(schedulers, "scheduler", "Learning-rate schedulers");

static const spur__kind *const losses[] = {
    &spur__loss_cross_entropy.kind, &spur__loss_bce.kind,      &spur__loss_mse.kind,
    &spur__loss_mae.kind,           &spur__loss_huber.kind,    &spur__loss_dice.kind,
    &spur__loss_focal.kind,         &spur__loss_bce_dice.kind, &spur__loss_ce_dice.kind,
};
const spur__family spur__loss_family = FAMILY(losses, "loss", "Losses");

static const spur__kind *const metrics[] = {
    &spur__metric_accuracy.kind, &spur__metric_top_k.kind, &spur__metric_precision.kind,
    &spur__metric_recall.kind,   &spur__metric_f1.kind,    &spur__metric_iou.kind,
    &spur__metric_mean_iou.kind, &spur__metric_dice.kind,  &spur__metric_pixel_accuracy.kind,
    &spur__metric_mae.kind,      &spur__metric_mse.kind,
};
const spur__family spur__metric_family = FAMILY(metrics, "metric", "Metrics");
