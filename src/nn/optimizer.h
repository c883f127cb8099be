/* SPDX-License-Identifier: MIT
 *
 * What an optimizer is: a row with its options, its moments, and the update of a chunk of values.
 *
 * Every options struct begins with spur__optimizer_common. Moments ("slots") are arrays of the
 * parameter's size and layout, zero at the start unless `slot_start` says otherwise.
 */
#ifndef SPUR_NN_OPTIMIZER_H
#define SPUR_NN_OPTIMIZER_H

#include <math.h>
#include <stddef.h>

#include <spur/optim.h>
#include "base/error.h"
#include "base/options.h"

enum { SPUR__MAX_SLOTS = 3 };

enum { SPUR__DECAY_ALL = 0, SPUR__DECAY_WEIGHTS = 1 };

typedef struct spur__optimizer_common {
    double lr;
    double weight_decay;
    int64_t decay; /* SPUR__DECAY_*: what weight_decay applies to */
} spur__optimizer_common;

/* One update of `count` values. */
typedef struct spur__update {
    const void *options;
    double lr, weight_decay, momentum;
    uint64_t step; /* 1 at the first update */
    size_t count;
    float *value;
    const float *gradient;
    float *slot[SPUR__MAX_SLOTS]; /* as slot_names; NULL where the options need none */
} spur__update;

typedef struct spur__optimizer_kind {
    spur__kind kind;
    const char *slot_names[SPUR__MAX_SLOTS]; /* PyTorch's names of the state */
    /* What the table's ranges cannot say; NULL: nothing. */
    spur_status (*check)(const void *options, spur_error *err);
    /* Which slots these options need: bit i for slot i. */
    unsigned (*slots)(const void *options);
    float (*slot_start)(const void *options, int slot); /* NULL: zeros */
    /* The momentum of these options, or their first beta, and the slot that it is for; NULL: a kind
     * without one. */
    double (*momentum)(const void *options);
    int momentum_slot;
    bool momentum_below_1; /* a beta: 1 would divide by zero */
    void (*update)(const spur__update *update);
} spur__optimizer_kind;

extern const spur__optimizer_kind spur__sgd, spur__adam, spur__adamw, spur__adagrad, spur__rmsprop;
extern const spur__family spur__optimizer_family;

/* By a kind of the family and a struct of its options (copied), as the trainer has them. `cycled`:
 * a schedule will set the momentum, so that there is a slot for it also where the options have none. */
spur_optimizer *spur__optimizer_create(spur_net *net, const spur__optimizer_kind *kind,
                                       const void *options, bool cycled, spur_error *err);

const spur__optimizer_kind *spur__optimizer_kind_of(const spur_optimizer *optimizer);

/* ---- state, for checkpoints -------------------------------------------------------------------- */

/* Number of parameters held; parameter i and its slot s (NULL when not in use), in the parameter's
 * layout. */
int spur__optimizer_param_count(const spur_optimizer *optimizer);
spur_param *spur__optimizer_param(const spur_optimizer *optimizer, int i);
float *spur__optimizer_slot(const spur_optimizer *optimizer, int i, int s);
/* In force; 0 for kinds without one. */
double spur__optimizer_momentum(const spur_optimizer *optimizer, int group);
/* Whether spur_optimizer_set_momentum will take it. */
spur_status spur__optimizer_check_momentum(const spur_optimizer *optimizer, int group,
                                           double momentum, spur_error *err);
void spur__optimizer_set_steps(spur_optimizer *optimizer, uint64_t steps);

/* The rows every optimizer has. */
#define SPUR__OPTIMIZER_ROWS(struct_, lr_, decay_)                                                 \
    SPUR__ROW_AS(FLOAT, struct_, "lr", common.lr, lr_, .max = INFINITY, .help = "learning rate"),  \
        SPUR__ROW_AS(FLOAT, struct_, "weight_decay", common.weight_decay, decay_, .max = INFINITY, \
                     .help = "weight decay, as PyTorch defines it for this optimizer"),            \
        SPUR__ROW_AS(                                                                              \
            CHOICE, struct_, "decay", common.decay, "all", .choices = "all|weights",               \
            .help =                                                                                \
                "what weight_decay applies to: all parameters (as PyTorch), or not biases and "    \
                "norms")

#endif
