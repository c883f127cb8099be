/* SPDX-License-Identifier: MIT
 *
 * What is kept of a validation pass to be looked at: some samples with the network's answers, the
 * samples with the highest loss, counts for PR curves, features for the projector, true and
 * predicted values of a regression.
 */
#ifndef SPUR_TRAINER_TRAIN_GALLERY_H
#define SPUR_TRAINER_TRAIN_GALLERY_H

#include "train/session.h"

/* One sample: input [h][w][c] as the network saw it, labels and answers [rows]. */
typedef struct shot {
    uint32_t sample; /* position in the split */
    float *input;
    int32_t *truth, *predicted;
    float confidence; /* of the answer; mean over the pixels of a mask */
    double loss;
} shot;

enum { PR_THRESHOLDS = 201, PR_MOST_CLASSES = 20, SCATTER_MOST = 2000, SCATTER_MOST_VALUES = 8 };

typedef enum gallery_kind { GALLERY_FIRST, GALLERY_FULL } gallery_kind;

struct gallery {
    gallery_kind kind;
    size_t rows, input_size; /* decisions and values per sample */
    shot *first; /* the first `count` samples */
    size_t count, capacity;
    shot *worst; /* FULL: falling loss */
    size_t worst_count, worst_capacity;
    double *hits,
        *misses; /* FULL: [classes][PR_THRESHOLDS] samples by score, of the class or not */
    size_t pr_classes;
    float *features; /* FULL: [feature_count][feature_width] */
    int32_t *feature_truth, *feature_predicted; /* classes */
    float *feature_values; /* of a regression instead: true and predicted, of the first value */
    size_t feature_count, feature_capacity, feature_width;
    float *truths, *answers; /* FIRST, of a regression: [pair_count][targets] */
    size_t pair_count, pair_capacity;
};

spur_status gallery_init(gallery *g, const session *s, gallery_kind kind, spur_error *err);
void gallery_free(gallery *g);

/* Takes what it wants of a batch whose forward run is done. */
void gallery_add(gallery *g, const session *s, const spur_batch *batch);

#endif
