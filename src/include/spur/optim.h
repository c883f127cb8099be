/* SPDX-License-Identifier: MIT
 *
 * Training a built net: optimizers, learning-rate schedulers, gradient clipping, moving averages.
 *
 *     spur_optimizer *opt = spur_optimizer_create(net, "adam", "lr=1e-3 weight_decay=1e-4", &err);
 *     spur_scheduler *sched = spur_scheduler_create("cosine", "warmup_steps=100",
 *                                  &(spur_schedule_span){.steps_per_epoch = 125, .epochs = 5}, &err);
 *     for (uint64_t step = 0; step < steps; step++) {
 *         spur_scheduler_apply(sched, opt, step);
 *         ... spur_net_forward, spur_net_zero_gradients, spur_net_backward ...
 *         spur_clip_gradient_norm(net, 1.0, NULL, &err);
 *         spur_optimizer_step(opt, &err);
 *     }
 *
 * Options are texts of the form "key=value key=value"; of equal keys the last one counts. Keys and formulas
 * are PyTorch's, and so are the defaults of the optimizers but for SGD's rate, 0.01 (docs/options.md lists
 * them). Everything here gives the same bits for any number of threads. Nothing is allocated after creation.
 */
#ifndef SPUR_OPTIM_H
#define SPUR_OPTIM_H

#include <stdbool.h>
#include <stdint.h>

#include <spur/nn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- optimizers: sgd, adam, adamw, adagrad, rmsprop ------------------------------------------ */

typedef struct spur_optimizer spur_optimizer;

/* For all trainable parameters of a built net, which must outlive the optimizer. NULL options for
 * the defaults. NULL with *err filled for an unknown name, a bad option, or lack of memory. */
SPUR_API spur_optimizer *spur_optimizer_create(spur_net *net, const char *name, const char *options,
                                               spur_error *err);
SPUR_API void spur_optimizer_destroy(spur_optimizer *optimizer);

/* Parameters whose name is `prefix`, or starts with it and a dot ("head" takes "head.weight"),
 * get options of their own: those of the optimizer, changed by `options`. Later groups win. Only
 * before the first step. E_NOTFOUND when no trainable parameter matches. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_optimizer_add_group(spur_optimizer *optimizer,
                                                               const char *prefix,
                                                               const char *options,
                                                               spur_error *err);

/* One update of every trainable parameter by its gradient. The gradients are left as they are, so
 * spur_net_zero_gradients() comes before the next backward run. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_optimizer_step(spur_optimizer *optimizer,
                                                          spur_error *err);

/* One update from one batch, after a forward run: zeroes the gradients, runs backward (times
 * `scale`) and updates, with the same bits as the three calls, but in fewer passes over memory:
 * weights of large linear layers are updated block by block as their gradient is made, and what
 * param->gradient holds for these is undefined afterwards. Not for gradients that are to be clipped,
 * read, or added up over several batches. *norm, unless NULL: as spur_gradient_norm says. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_optimizer_backward_step(spur_optimizer *optimizer,
                                                                   float scale, double *norm,
                                                                   spur_error *err);

/* Updates made so far. */
SPUR_API uint64_t spur_optimizer_steps(const spur_optimizer *optimizer);

/* Groups: 0 is the default one. Learning rates as configured (base) and as in force. */
SPUR_API int spur_optimizer_group_count(const spur_optimizer *optimizer);
SPUR_API double spur_optimizer_base_lr(const spur_optimizer *optimizer, int group);
SPUR_API double spur_optimizer_lr(const spur_optimizer *optimizer, int group);
SPUR_API void spur_optimizer_set_lr(spur_optimizer *optimizer, int group, double lr);
/* Momentum (SGD, RMSprop), in [0, 1], or the first beta (Adam, AdamW), below 1, in force from now
 * on. E_STATE for more than 0 where there is none: Adagrad, and SGD and RMSprop whose `momentum` was
 * 0 when they were made. E_RANGE for another value, or a group that is not there. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_optimizer_set_momentum(spur_optimizer *optimizer,
                                                                  int group, double momentum,
                                                                  spur_error *err);

/* ---- gradients ------------------------------------------------------------------------------- */

/* Euclidean norm of all trainable parameters' gradients together, summed in double. */
SPUR_API double spur_gradient_norm(const spur_net *net);

/* Scales all gradients by max_norm / (norm + 1e-6) if that is below 1, as clip_grad_norm_ does.
 * Stores the norm found in *norm unless NULL; E_NUMERIC, gradients untouched, when not finite. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_clip_gradient_norm(spur_net *net, double max_norm,
                                                              double *norm, spur_error *err);

/* Limits every gradient value to [-limit, limit]. */
SPUR_API void spur_clip_gradient_value(spur_net *net, double limit);

/* ---- exponential moving average of the weights ------------------------------------------------ */

typedef struct spur_ema spur_ema;

/* average = decay * average + (1 - decay) * value, from the present weights on, for all
 * parameters; buffers (running statistics) are copied, as PyTorch's AveragedModel does. `decay` in
 * [0, 1). The net must be built, and outlive the averages. NULL with *err filled on failure. */
SPUR_API spur_ema *spur_ema_create(spur_net *net, double decay, spur_error *err);
SPUR_API void spur_ema_destroy(spur_ema *ema);
SPUR_API void spur_ema_update(spur_ema *ema);
/* Exchanges the net's weights and the averages; calling it again undoes that. */
SPUR_API void spur_ema_swap(spur_ema *ema);

/* ---- schedulers ------------------------------------------------------------------------------ */
/* constant, step, multistep, exponential, polynomial, cosine, cosine_restarts, one_cycle, plateau.
 * Each takes `interval = epoch | step` (what its numbers count) and, in front of any of them, a
 * linear warm-up: warmup_steps, warmup_start_factor. The schedule proper starts after it. */

typedef struct spur_scheduler spur_scheduler;

/* How long the training will be; what `auto` lengths (T_max, total_iters) become. */
typedef struct spur_schedule_span {
    uint64_t steps_per_epoch; /* optimizer steps; at least 1 */
    uint64_t epochs; /* at least 1 */
} spur_schedule_span;

/* NULL options for the defaults. NULL with *err filled for an unknown name or a bad option. */
SPUR_API spur_scheduler *spur_scheduler_create(const char *name, const char *options,
                                               const spur_schedule_span *span, spur_error *err);
SPUR_API void spur_scheduler_destroy(spur_scheduler *scheduler);

/* The rate for the given optimizer step (0 = the first), for a group whose base rate is `base`. A
 * pure function of its arguments and of what plateau was told. */
SPUR_API double spur_scheduler_lr(const spur_scheduler *scheduler, double base, uint64_t step);

/* Momentum for the step, or a negative number when the scheduler does not cycle it. */
SPUR_API double spur_scheduler_momentum(const spur_scheduler *scheduler, uint64_t step);

/* Sets rate and momentum of every group for the given step. one_cycle moves the momentum unless
 * `cycle_momentum = false`, and fails with E_STATE where there is none (spur_optimizer_set_momentum):
 * give SGD and RMSprop any momentum then; while it is moved, its value does not matter. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_scheduler_apply(const spur_scheduler *scheduler,
                                                           spur_optimizer *optimizer, uint64_t step,
                                                           spur_error *err);

/* Tells plateau the monitored value at the end of an epoch; `maximize`: larger is better, where
 * the scheduler's own mode is auto. Others ignore it. */
SPUR_API void spur_scheduler_observe(spur_scheduler *scheduler, double value, bool maximize);

#ifdef __cplusplus
}
#endif

#endif
