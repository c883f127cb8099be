/* SPDX-License-Identifier: MIT
 *
 * Losses: scalar nodes at the end of a net. All take logits, none wants a softmax or sigmoid
 * before it. Formulas and reductions are PyTorch's (docs/losses.md has each).
 *
 * Classes: logits [n][..][classes] with int32 labels [n][..] or soft targets [n][..][classes].
 * Binary: logits [n][..][1] with int32 labels [n][..] (0 or 1) or float targets of the same shape.
 * Values: outputs and float targets of the same shape; a last axis of size 1 may be missing.
 * With [n][h][w][classes] each is the per-pixel form for segmentation.
 *
 * Targets are constants: no gradient flows into them, also where layers compute them (a teacher's outputs).
 *
 * Labels that are out of range make the forward run fail with a message that names the loss, the
 * label and where it stands. Labels equal to ignore_index do not count; without `ignore` that is -100,
 * as in PyTorch. NULL options for the defaults, which are in brackets.
 */
#ifndef SPUR_LOSS_H
#define SPUR_LOSS_H

#include <stdbool.h>

#include <spur/nn.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum spur_reduction { SPUR_MEAN = 0, SPUR_SUM = 1 } spur_reduction;

typedef struct spur_cross_entropy_options {
    const float *class_weights; /* [classes], copied; NULL: all one */
    bool ignore;
    int ignore_index; /* read with `ignore` only, here and below */
    double label_smoothing; /* in [0, 1] [0] */
    spur_reduction reduction; /* [mean: by the sum of the labels' weights] */
} spur_cross_entropy_options;

SPUR_API spur_node *spur_cross_entropy(spur_net *net, spur_node *logits, spur_node *target,
                                       const spur_cross_entropy_options *options);

typedef struct spur_bce_options {
    const float *pos_weight; /* [last axis], copied; NULL: all one */
    bool ignore; /* int32 labels only */
    int ignore_index;
    double label_smoothing; /* y becomes y (1 - s) + s / 2 [0] */
    spur_reduction reduction;
} spur_bce_options;

/* Binary cross-entropy with logits. */
SPUR_API spur_node *spur_bce(spur_net *net, spur_node *logits, spur_node *target,
                             const spur_bce_options *options);

SPUR_API spur_node *spur_mse(spur_net *net, spur_node *output, spur_node *target,
                             spur_reduction reduction);
SPUR_API spur_node *spur_mae(spur_net *net, spur_node *output, spur_node *target,
                             spur_reduction reduction);
/* delta = 0 for the default [1]. */
SPUR_API spur_node *spur_huber(spur_net *net, spur_node *output, spur_node *target, double delta,
                               spur_reduction reduction);

typedef struct spur_dice_options {
    double smooth; /* added above and below the line [1]; negative: none */
    bool ignore;
    int ignore_index;
    bool skip_first; /* class 0 (background) does not enter the mean */
} spur_dice_options;

/* 1 - mean over classes of (2 sum p t + smooth) / (sum p + sum t + smooth), the sums over the whole
 * batch; p is the softmax, or the sigmoid of a single logit. */
SPUR_API spur_node *spur_dice(spur_net *net, spur_node *logits, spur_node *target,
                              const spur_dice_options *options);

typedef struct spur_focal_options {
    double gamma; /* [2]; negative: 0 */
    double alpha; /* binary: weight of the positive class, 1 - alpha of the other [0: unweighted] */
    const float *class_weights; /* [classes], copied; NULL: all one */
    bool ignore;
    int ignore_index;
    spur_reduction reduction; /* [mean: by the number of labels] */
} spur_focal_options;

/* -(1 - p)^gamma log p of the true class (Lin et al. 2017); int32 labels. */
SPUR_API spur_node *spur_focal(spur_net *net, spur_node *logits, spur_node *target,
                               const spur_focal_options *options);

/* sum of weights[i] * losses[i], 1 to 8 of them; NULL weights: all one. */
SPUR_API spur_node *spur_loss_sum(spur_net *net, spur_node *const *losses, const double *weights,
                                  int count);

#ifdef __cplusplus
}
#endif

#endif
