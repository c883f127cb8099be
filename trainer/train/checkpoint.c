/* SPDX-License-Identifier: MIT
 *
 * Saving and restoring a session; see checkpoint.h.
 */
#include "train/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <spur/weights.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/outcome.h"
#include "run/process.h"
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

/* ---- going on ------------------------------------------------------------------------------------------- */

/* What a user may do about it. */
static void add_way_out(const char *run, spur_error *err) {
    char *mark = spur__path_join(run, "trial.ini");
    bool is_trial = mark && spur__exists(mark);
    spur__str text;
    spur__str_init(&text, 1 << 16);
    spur__str_printf(&text, "%s: put %s, or begin anew: spur %s ", err->message,
                     err->status == SPUR_E_TYPE ? "one in its place" : "it back",
                     is_trial ? "rm" : "train");
    put_shell_word(&text, run);
    spur__str_puts(&text, is_trial ? " and the sweep once more" : "/config.ini");
    snprintf(err->message, sizeof err->message, "%s", spur__str_text(&text));
    spur__str_free(&text);
    spur__free(mark);
}

/* Whether a link is there; E_TYPE for anything else of that name, as a copy has it that follows links, and
 * E_NOTFOUND when it leads nowhere. */
static spur_status look_at_link(const char *path, bool *found, spur_error *err) {
    char target[256];
    ssize_t n = readlink(path, target, sizeof target - 1);
    *found = n >= 0;
    if (n < 0 && (errno == ENOENT || errno == ENOTDIR)) return SPUR_OK;
    if (n < 0 && errno == EINVAL)
        return spur__fail(err, SPUR_E_TYPE, "%s: found no link, expected one to a step_N beside it",
                          path);
    if (n < 0) return spur__fail_errno(err, errno, "%s: cannot read the link", path);
    target[n] = '\0';
    if (spur__exists(path)) return SPUR_OK;
    return spur__fail(err, SPUR_E_NOTFOUND, "%s: leads to %s, which is not there", path, target);
}

/* An epoch's end is saved before the next epoch begins, and a run that is not over stops where it is saved; one that
 * fails may do so at its first save. */
static bool was_saved(const run_outcome *o) {
    return o->verdict == VERDICT_FAILED ? o->epochs > 1 : o->steps > 0;
}

static spur_status look_at_last(const char *run, const char *path, bool *found, spur_error *err) {
    run_outcome o; /* read first: another process may save while we look */
    SPUR__TRY(run_outcome_read(run, &o, err));
    SPUR__TRY(look_at_link(path, found, err));
    if (*found || !was_saved(&o)) return SPUR_OK;
    return spur__fail(err, SPUR_E_NOTFOUND, "%s: not there, but epoch %lld, step %lld was saved",
                      path, o.epochs, o.steps);
}

spur_status checkpoint_find(const char *run, bool *found, spur_error *err) {
    char *last = spur__path_join(run, "checkpoints/last");
    if (!last) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = look_at_last(run, last, found, err);
    spur__free(last);
    if (status == SPUR_E_NOTFOUND || status == SPUR_E_TYPE) add_way_out(run, err);
    return status;
}

/* It may be replaced by a link, and is whole if it is wanted at the end. */
static spur_status check_best(session *s, const char *directory, spur_error *err) {
    spur_error why = {.status = SPUR_OK};
    bool found;
    char *best = spur__path_join(directory, "best");
    char *folder = spur__checkpoint_folder(directory, (uint64_t)s->at.best_step);
    spur_status status = best && folder ? SPUR_OK : SPUR_E_MEMORY;
    if (status != SPUR_OK) {
        spur__fail(err, status, "out of memory");
    } else if (look_at_link(best, &found, &why) == SPUR_E_TYPE) {
        status = spur__fail(err, SPUR_E_TYPE, "%s: remove it (what is best is made a link again)",
                            why.message);
    } else if (s->at.has_best && s->train->restore_best) {
        status = spur_checkpoint_peek(folder, NULL, NULL, &why);
        if (status != SPUR_OK)
            spur__fail(err, status,
                       "%s: these are the best weights so far: put them back, or go on with "
                       "train.restore_best=false",
                       why.message);
    }
    spur__free(best);
    spur__free(folder);
    return status;
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
    if (status == SPUR_OK) status = check_best(s, directory, err);
    return status;
}

spur_status checkpoint_load_last(session *s, run_log_position *from, bool *found, spur_error *err) {
    SPUR__TRY(checkpoint_find(s->run.path, found, err));
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
