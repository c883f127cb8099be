/* SPDX-License-Identifier: MIT
 *
 * Saving and restoring a session; see checkpoint.h.
 */
#include "train/checkpoint.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <spur/weights.h>

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

static bool is_linked(const char *directory, const char *link, const char *name) {
    char target[256], path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, link);
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n <= 0) return false;
    target[n] = '\0';
    return strcmp(target, name) == 0;
}

/* Whether the checkpoint of a step, in this folder, is to go. */
typedef bool unwanted(const session *s, const char *folder, int64_t step);

/* Removes step_N directories that are unwanted and to which no link points. */
static void sweep_out(session *s, const char *directory, unwanted *is_unwanted) {
    DIR *dir = opendir(directory);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        long long step;
        if (strncmp(entry->d_name, "step_", 5) != 0 || !spur__parse_int(entry->d_name + 5, &step) ||
            is_linked(directory, "last", entry->d_name) ||
            is_linked(directory, "best", entry->d_name))
            continue;
        char *folder = spur__path_join(directory, entry->d_name);
        if (folder && is_unwanted(s, folder, step))
            spur__checkpoint_remove(directory, (uint64_t)step, NULL);
        spur__free(folder);
    }
    closedir(dir);
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
static bool is_irregular(const session *s, const char *folder, int64_t step) {
    int64_t every = s->train->checkpoint_every;
    char *state = spur__path_join(folder, SPUR__STATE_FILE);
    bool irregular = state && (!spur__exists(state) ||
                               (batches_in(state) > 0 && (every == 0 || step % every != 0)));
    spur__free(state);
    return irregular;
}

static bool is_later(const session *s, const char *folder, int64_t step) {
    (void)folder;
    return step > s->at.step;
}

static spur_status save_parts(session *s, const char *directory, spur_error *err) {
    spur_state *state = spur_state_create();
    if (!state) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = state_of_session(s, state, err);
    if (status == SPUR_OK) {
        /* the averages are what is validated, so they are what weights.safetensors holds */
        spur_checkpoint_parts parts = parts_of(s, state);
        if (s->ema) spur_ema_swap(s->ema);
        status = spur_checkpoint_save(&parts, directory, (uint64_t)s->at.step, err);
        if (s->ema) spur_ema_swap(s->ema);
    }
    spur_state_destroy(state);
    return status;
}

spur_status checkpoint_save(session *s, bool interrupted, spur_error *err) {
    run_log_position position;
    uint64_t step = (uint64_t)s->at.step;
    char *directory = run_path(&s->run, "checkpoints");
    if (!directory) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status;
    SPUR__TRY_GOTO(run_log_tell(&s->run_log, &position, err), done);
    SPUR__TRY_GOTO(resume_file_write(&s->run, &s->at, &position, err), done);
    SPUR__TRY_GOTO(save_parts(s, directory, err), done);
    if (!interrupted && s->at.has_best && s->at.best_step == s->at.step && s->at.batch == 0)
        SPUR__TRY_GOTO(spur_checkpoint_link(directory, "best", step, err), done);
    SPUR__TRY_GOTO(spur_checkpoint_link(directory, "last", step, err), done);
    sweep_out(s, directory, is_irregular);
    SPUR__TRY_GOTO(spur_checkpoint_prune(directory, (int)s->train->keep, err), done);
    resume_file_sweep(&s->run, &s->at);
done:
    spur__free(directory);
    return status;
}

/* The best link may be newer than `last` if the process died between the two. */
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
    if (status == SPUR_OK) status = mend_best(s, directory, err);
    if (status == SPUR_OK) sweep_out(s, directory, is_later);
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
