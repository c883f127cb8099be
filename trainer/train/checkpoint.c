/* SPDX-License-Identifier: MIT
 *
 * Saving and restoring a session; see checkpoint.h.
 */
#include "train/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <spur/weights.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "train/checkpoint_state.h"
#include "train/resume_file.h"
#include "weights/checkpoint.h"

static spur_checkpoint_parts parts_of(session *s, spur_state *state) {
    return (spur_checkpoint_parts){.net = s->net.net,
                                   .optimizer = s->optimizer,
                                   .scheduler = s->scheduler,
                                   .ema = s->ema,
                                   .state = state};
}

/* Batches done in the epoch under way; 0 when that cannot be read. */
static uint64_t batches_in(const char *state_file) {
    char *text = NULL;
    size_t size;
    uint64_t batches = 0;
    spur__manifest files;
    spur_state *state = spur_state_create();
    if (state && spur__file_read(state_file, (size_t)1 << 28, &text, &size, NULL) == SPUR_OK &&
        spur__state_parse(state_file, text, size, &files, state, NULL) == SPUR_OK)
        (void)!spur_state_get_uint(state, "batch", &batches, NULL);
    spur__free(text);
    spur_state_destroy(state);
    return batches;
}

/* Saved within an epoch, at a step at which an undisturbed run does not save; half of one, too. */
static bool is_irregular(const void *user, const char *folder, uint64_t step) {
    const session *s = user;
    uint64_t every = (uint64_t)s->train->checkpoint_every;
    char *state = spur__path_join(folder, SPUR__STATE_FILE);
    bool irregular = state && (!spur__exists(state) ||
                               (batches_in(state) > 0 && (every == 0 || step % every != 0)));
    spur__free(state);
    return irregular;
}

static bool is_later(const void *user, const char *folder, uint64_t step) {
    const session *s = user;
    (void)folder;
    return step > (uint64_t)s->at.step;
}

static spur_status save_parts(session *s, const char *directory, bool sync_later, spur_error *err) {
    spur_state *state = spur_state_create();
    if (!state) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = state_of_session(s, state, err);
    if (status == SPUR_OK) {
        /* the averages are what is validated, so they are what weights.safetensors holds */
        spur_checkpoint_parts parts = parts_of(s, state);
        if (s->ema) spur_ema_swap(s->ema);
        status = spur__checkpoint_write(&parts, directory, (uint64_t)s->at.step, sync_later, err);
        if (s->ema) spur_ema_swap(s->ema);
    }
    spur_state_destroy(state);
    return status;
}

/* Whether the epoch that has just ended is the best one so far. */
static bool is_best(const session *s) {
    return s->at.batch == 0 && s->at.has_best && s->at.best_step == s->at.step;
}

static spur_status link_waiting(session *s, const char *directory, spur_error *err) {
    uint64_t step = (uint64_t)s->best_waiting;
    if (step == 0) return SPUR_OK;
    SPUR__TRY(spur__checkpoint_sync(directory, step, err));
    return spur_checkpoint_link(directory, "best", step, err);
}

/* Removes what is no longer wanted now that `last` leads to the session's position. */
static spur_status tidy(session *s, const char *directory, spur_error *err) {
    spur__checkpoint_sweep(directory, is_irregular, s);
    SPUR__TRY(spur_checkpoint_prune(directory, (int)s->train->keep, err));
    resume_file_sweep(&s->run, &s->at);
    return SPUR_OK;
}

static spur_status save_in(session *s, const char *directory, spur_error *err) {
    run_log_position position;
    uint64_t step = (uint64_t)s->at.step;
    SPUR__TRY(run_log_tell(&s->run_log, &position, err));
    SPUR__TRY(resume_file_write(&s->run, &s->at, &position, err));
    SPUR__TRY(save_parts(s, directory, false, err));
    SPUR__TRY(is_best(s) ? spur_checkpoint_link(directory, "best", step, err)
                         : link_waiting(s, directory, err));
    s->best_waiting = 0;
    SPUR__TRY(spur_checkpoint_link(directory, "last", step, err));
    SPUR__TRY(tidy(s, directory, err));
    s->saved = spur__monotonic();
    s->is_behind = false;
    return SPUR_OK;
}

/* The checkpoint of the best epoch so far, in place of the one that waited. */
static spur_status wait_in(session *s, const char *directory, spur_error *err) {
    uint64_t before = (uint64_t)s->best_waiting;
    SPUR__TRY(save_parts(s, directory, true, err));
    s->best_waiting = s->at.step;
    return before ? spur__checkpoint_remove(directory, before, err) : SPUR_OK;
}

/* Does something in the directory of the checkpoints. */
static spur_status in_directory(session *s,
                                spur_status (*act)(session *s, const char *directory,
                                                   spur_error *err),
                                spur_error *err) {
    char *directory = run_path(&s->run, "checkpoints");
    if (!directory) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = act(s, directory, err);
    spur__free(directory);
    return status;
}

spur_status checkpoint_save(session *s, spur_error *err) {
    return in_directory(s, save_in, err);
}

/* What `keep` keeps must not depend on how long anything took. */
static bool is_due(const session *s) {
    return session_is_over(s) || s->saved == 0 || s->train->keep > 0 ||
           spur__monotonic() - s->saved >= s->train->checkpoint_secs;
}

spur_status checkpoint_epoch(session *s, spur_error *err) {
    if (is_due(s)) return checkpoint_save(s, err);
    s->is_behind = true;
    return is_best(s) ? in_directory(s, wait_in, err) : SPUR_OK;
}

spur_status checkpoint_link_best(session *s, spur_error *err) {
    return in_directory(s, link_waiting, err);
}

static spur_status mend_best(session *s, const char *directory, spur_error *err) {
    char path[4096];
    snprintf(path, sizeof path, "%s/best", directory);
    if (!s->at.has_best) {
        unlink(path);
        return SPUR_OK;
    }
    spur_status status = spur_checkpoint_link(directory, "best", (uint64_t)s->at.best_step, err);
    return status == SPUR_E_NOTFOUND ? SPUR_OK : status; /* the user has removed it */
}

/* The best link may be newer than `last`, and what is later or of no use may still be there. */
static spur_status mend_in(session *s, const char *directory, spur_error *err) {
    SPUR__TRY(mend_best(s, directory, err));
    spur__checkpoint_sweep(directory, is_later, s);
    return tidy(s, directory, err);
}

spur_status checkpoint_mend(session *s, spur_error *err) {
    return in_directory(s, mend_in, err);
}

static spur_status load(session *s, const char *directory, run_log_position *from,
                        spur_error *err) {
    char path[4096];
    spur_state *state = spur_state_create();
    if (!state) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    snprintf(path, sizeof path, "%s/last", directory);
    spur_checkpoint_parts parts = parts_of(s, state);
    spur_status status = spur_checkpoint_load(&parts, path, NULL, err);
    if (status == SPUR_OK && s->ema) spur_ema_swap(s->ema);
    if (status == SPUR_OK) status = session_of_state(s, state, err);
    spur_state_destroy(state);
    if (status == SPUR_OK) status = resume_file_read(&s->run, &s->at, from, err);
    return status;
}

bool checkpoint_exists(const char *run) {
    char *last = spur__path_join(run, "checkpoints/last");
    bool found = last && spur__exists(last);
    spur__free(last);
    return found;
}

spur_status checkpoint_load_last(session *s, run_log_position *from, bool *found, spur_error *err) {
    *found = checkpoint_exists(s->run.path);
    if (!*found) return SPUR_OK;
    char *directory = run_path(&s->run, "checkpoints");
    spur_status status =
        directory ? load(s, directory, from, err) : spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur__free(directory);
    return status;
}

spur_status checkpoint_load_best(session *s, spur_error *err) {
    char *path = run_path(&s->run, "checkpoints/best/weights.safetensors");
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = spur_weights_load(s->net.net, path, NULL, NULL, err);
    spur__free(path);
    spur_ema_destroy(s->ema);
    s->ema = NULL;
    return status;
}
