/* SPDX-License-Identifier: MIT
 *
 * One training: everything that is open while it runs. session_open checks the configuration
 * against the data and builds the network without leaving a trace; session_start makes (or
 * continues) the run directory; session_train runs to the end, a signal, or an error.
 */
#ifndef SPUR_TRAINER_TRAIN_SESSION_H
#define SPUR_TRAINER_TRAIN_SESSION_H

#include <spur/data.h>
#include <spur/optim.h>

#include "config/config.h"
#include "config/settings.h"
#include "run/rundir.h"
#include "sweep/trial.h"
#include "output/terminal.h"
#include "train/resume_overrides.h"
#include "train/run_log.h"
#include "train/measures.h"
#include "train/network.h"

/* Where a training is; all of it goes into a checkpoint. */
typedef struct train_position {
    int64_t epoch; /* epochs completed */
    int64_t batch; /* batches done in the epoch under way */
    int64_t step; /* optimizer steps made */
    bool has_best;
    double best; /* best value of the monitor, and where it was */
    int64_t best_epoch, best_step;
    int64_t bad_epochs; /* epochs since then */
    bool stopped_early;
} train_position;

typedef struct session session;
struct session {
    const config *cfg;
    const run_settings *run_options;
    const train_settings *train;
    const log_settings *log;
    terminal *term;
    run_dir run;

    spur_data *data;
    bool data_shared; /* somebody else closes it */
    const spur_data_info *info;
    spur_loader *train_loader, *val_loader; /* val_loader NULL: no validation */
    spur_split val_split;
    float *class_weights; /* NULL: none */
    measures measures;
    network net;
    spur_optimizer *optimizer;
    spur_scheduler *scheduler;
    spur_ema *ema; /* NULL: off */

    int64_t batches, val_batches; /* per epoch, as limited */
    int64_t steps_per_epoch;

    run_log run_log;
    bool has_run_log, has_own_weights;
    train_position at;
    double saved; /* monotonic seconds; 0: not yet by this process */
    bool is_behind; /* an epoch has ended since then */
    int64_t best_waiting; /* step of a best checkpoint that is not synced and linked yet; 0: none */
    pass train_pass, batch_pass, val_pass;
    epoch_record last; /* of the epoch completed last */
    trial trial; /* inactive unless a sweep runs this */
    double gradient_norm; /* of the step made last; NaN: not computed */

    double started, deadline; /* monotonic seconds; deadline 0: none */
    int64_t batches_here; /* done by this process */
    double samples_here;
};

/* A run that there is already. */
typedef struct session_origin {
    const char *same_data; /* it is to go on, so the data must still be the same; NULL: any */
    const char *same_classes; /* it is measured, on its data or on others (card_fit); NULL: any */
    bool has_own_weights; /* those of [model] weights, where it began, are not read again */
    bool is_shown; /* nothing is trained: all parameters may be frozen */
} session_origin;

/* `origin`: NULL for a new run. `term` must outlive the session. */
spur_status session_open(session *s, const config *cfg, const session_origin *origin,
                         terminal *term, spur_error *err);
void session_close(session *s);

/* Data that several configurations have in common, opened once: one for every text of [data]. */
typedef struct shared_data {
    struct shared_entry {
        char *text;
        spur_data *data; /* NULL: it could not be opened, and why */
        spur_error fault;
    } * entries;
    size_t count;
} shared_data;
void shared_data_free(shared_data *d);

/* Whether session_open would succeed. Opens nothing but data, which stay in *data. */
spur_status session_try(const config *cfg, shared_data *data, terminal *term, spur_error *err);

/* A new run: makes the directory and logs what is known before the first step. */
spur_status session_start(session *s, int argc, char **argv, spur_error *err);

/* Continues the run in `path` from its last checkpoint, or from the start when there is none. What
 * is amended is written into the run. */
spur_status session_resume(session *s, const char *path, const resume_overrides *a,
                           spur_error *err);

/* Trains. Returns the exit status of the program; *err says what went wrong. */
int session_train(session *s, spur_error *err);

/* True when nothing is left to train. */
bool session_is_over(const session *s);

/* validate.c: a pass over the validation data with the weights that would be saved. */
typedef struct gallery gallery;
spur_status session_validate(session *s, gallery *shots, pass_result *result, spur_error *err);

/* start.c: what is logged before the first step; end.c: after the last. */
spur_status session_log_start(session *s, spur_error *err);
spur_status session_log_end(session *s, spur_error *err);

/* pictures.c: what an epoch's validation looks like; whether there is anything to draw. */
bool session_wants_pictures(const session *s);
spur_status session_log_pictures(session *s, const gallery *shots, int64_t epoch, spur_error *err);

/* histograms.c: weights, and gradients when they are there. */
void session_log_histograms(session *s, bool gradients);

#endif
