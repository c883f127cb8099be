/* SPDX-License-Identifier: MIT
 *
 * What a worker does with one trial; see worker_trial.h.
 */
#include "sweep/worker_trial.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "sweep/claim.h"
#include "sweep/launch.h"
#include "sweep/program.h"
#include "run/lock.h"
#include "run/remove.h"
#include "run/stop.h"

enum { NAME = 64 };

static void name_of(const sweep_worker *w, const trial_slot *slot, char name[NAME]) {
    sweep_trial_name(w->plan, slot->configuration, slot->seed, name, NAME);
}

static char *claim_path(const sweep_worker *w, const char *name) {
    return sweep_path(&w->dir, "claims/%s", name);
}

static const assignment *assigned(const sweep_worker *w, const trial_slot *slot) {
    return &w->search.known[slot->configuration].assigned;
}

static bool retries_left(const sweep_worker *w, const char *name) {
    failure_policy policy = sweep_failure_policy(&w->plan->settings);
    return policy.retries > 0 && sweep_journal_failures(&w->dir, name) <= (size_t)policy.retries;
}

/* What no attempt follows. A damaged trial may be a finished one: it is left as it is. */
static bool has_ended(run_verdict v) {
    return v == VERDICT_DONE || v == VERDICT_PRUNED || v == VERDICT_DAMAGED;
}

static bool is_final(const sweep_worker *w, const trial_slot *slot, const char *name) {
    run_verdict v = slot->outcome.verdict;
    return has_ended(v) || (v == VERDICT_FAILED && !retries_left(w, name));
}

/* Marks a slot as final and tells the listener, once. */
static void set_final(sweep_worker *w, trial_slot *slot) {
    slot->state = SLOT_FINAL;
    if (slot->outcome.verdict == VERDICT_FAILED || slot->outcome.verdict == VERDICT_DAMAGED)
        w->failed++;
    if (!slot->counted && w->listener.ended) w->listener.ended(w->listener.user, w, slot);
    slot->counted = true;
}

spur_status worker_look(sweep_worker *w, trial_slot *slot, spur_error *err) {
    char name[NAME];
    name_of(w, slot, name);
    char *run = sweep_path(&w->dir, "%s", name), *claim = claim_path(w, name);
    spur_status status = run && claim ? run_outcome_read(run, &slot->outcome, err) : SPUR_E_MEMORY;
    process_id owner;
    if (status != SPUR_OK) goto done;
    if (is_final(w, slot, name)) {
        set_final(w, slot);
    } else {
        bool taken = claim_alive(claim) && claim_owner(claim, &owner) &&
                     (owner.pid != w->self.pid || strcmp(owner.host, w->self.host) != 0);
        slot->state = taken ? SLOT_FOREIGN : SLOT_OPEN;
    }
done:
    spur__free(claim);
    spur__free(run);
    return status;
}

/* Mean of the bests of a configuration's seeds; NaN when one of them has failed: the mean of the
 * others would make the configuration better than it is. */
static double objective_of(const sweep_worker *w, size_t configuration, size_t *done,
                           size_t *pruned, size_t *epochs, bool *final) {
    double sum = 0;
    size_t n = 0, first = configuration * w->plan->seed_count;
    *done = *pruned = *epochs = 0;
    *final = true;
    for (size_t i = first; i < first + w->plan->seed_count; i++) {
        const run_outcome *o = &w->slots[i].outcome;
        if (w->slots[i].state != SLOT_FINAL) *final = false;
        *done += o->verdict == VERDICT_DONE;
        *pruned += o->verdict == VERDICT_PRUNED;
        if (o->verdict == VERDICT_PRUNED) *epochs = (size_t)o->epochs;
        sum += run_outcome_failed(o) ? NAN : o->best;
        n++;
    }
    return n ? sum / (double)n : NAN;
}

void worker_settle_configuration(sweep_worker *w, size_t configuration) {
    search_outcome *known = &w->search.known[configuration];
    size_t done, pruned, epochs, first = configuration * w->plan->seed_count;
    bool final;
    if (first + w->plan->seed_count > w->count) return; /* its slots are being made */
    double value = objective_of(w, configuration, &done, &pruned, &epochs, &final);
    if (!final) return;
    known->value = value;
    known->steps = epochs;
    known->state = isnan(value) ? OUTCOME_FAILED : pruned ? OUTCOME_PRUNED : OUTCOME_FINISHED;
    if (!isnan(value)) w->search.maximize = w->slots[first].outcome.maximize;
}

/* The group name of a configuration in HParams. */
static void group_of(const trial_slot *slot, char *out, size_t n) {
    snprintf(out, n, "config_%04zu", slot->configuration + 1);
}

static spur_status finish_program(sweep_worker *w, const trial_slot *slot, const char *run,
                                  int exit_status, size_t pruned_at, spur_error *err) {
    char group[NAME];
    group_of(slot, group, sizeof group);
    const ended_program ended = {.run = run,
                                 .group = group,
                                 .assigned = assigned(w, slot),
                                 .seed = w->plan->seeds[slot->seed],
                                 .status = exit_status,
                                 .pruned_at = pruned_at};
    return program_finish(w->plan, &ended, err);
}

/* Reads what an ended trial left, and corrects it where the trial could not tell it itself. */
static spur_status read_end(sweep_worker *w, trial_slot *slot, const char *run, int exit_status,
                            spur_error *err) {
    run_outcome *o = &slot->outcome;
    SPUR__TRY(run_outcome_read(run, o, err));
    bool told = has_ended(o->verdict) || o->verdict == VERDICT_FAILED;
    bool asked = w->stopping || stop_requested();
    if (told || (asked && exit_status != 1 && exit_status != 2)) return SPUR_OK;
    o->verdict = VERDICT_FAILED;
    o->exit_code = exit_status;
    if (o->message[0]) return SPUR_OK;
    if (exit_status < 0)
        snprintf(o->message, sizeof o->message, "killed");
    else
        run_last_output(run, o->message, sizeof o->message);
    if (!o->message[0])
        snprintf(o->message, sizeof o->message, "exit status %d, and no output", exit_status);
    return SPUR_OK;
}

/* The end of a trial that was ours: journal, claim, what comes next. */
static spur_status conclude(sweep_worker *w, trial_slot *slot, const char *name, spur_error *err) {
    char *claim = claim_path(w, name);
    run_verdict v = slot->outcome.verdict;
    SPUR__TRY(sweep_journal_end(&w->log, name, &slot->outcome, err));
    if (claim) claim_release(claim, &w->self);
    spur__free(claim);
    w->running--;
    slot->pid = 0;
    slot->state = SLOT_OPEN;
    if (has_ended(v)) {
        set_final(w, slot);
    } else if (v == VERDICT_FAILED && !retries_left(w, name)) {
        set_final(w, slot);
        if (sweep_failure_policy(&w->plan->settings).stop) w->stopping = true;
    } else if (!w->stopping) {
        size_t index = (size_t)(slot - w->slots);
        if (index < w->first_open) w->first_open = index;
    }
    worker_settle_configuration(w, slot->configuration);
    return SPUR_OK;
}

/* Whether another worker has our claim, who took us for dead: what comes of the trial is his to say. */
static bool has_lost(sweep_worker *w, trial_slot *slot, const char *name) {
    char *claim = claim_path(w, name);
    bool lost = claim && !claim_is_of(claim, &w->self);
    spur__free(claim);
    if (!lost) return false;
    w->running--;
    slot->pid = 0;
    slot->state = SLOT_FOREIGN;
    return true;
}

spur_status worker_ended(sweep_worker *w, trial_slot *slot, int wait_status, spur_error *err) {
    char name[NAME];
    name_of(w, slot, name);
    if (has_lost(w, slot, name)) return SPUR_OK;
    int exit_status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
    char *run = sweep_path(&w->dir, "%s", name);
    spur_status status = run ? SPUR_OK : SPUR_E_MEMORY;
    bool stopped = w->stopping && exit_status != 0;
    if (status == SPUR_OK && w->plan->is_program && !(stopped && slot->pruned_at == 0))
        status = finish_program(w, slot, run, exit_status, slot->pruned_at, err);
    if (status == SPUR_OK) status = read_end(w, slot, run, exit_status, err);
    if (status == SPUR_OK) status = conclude(w, slot, name, err);
    spur__free(run);
    return status;
}

void worker_stop_adopted(const sweep_worker *w, const trial_slot *slot) {
    char name[NAME];
    name_of(w, slot, name);
    char *run = sweep_path(&w->dir, "%s", name);
    pid_t owner = run ? run_owner(run) : 0;
    if (owner > 0) kill(-owner, SIGTERM);
    spur__free(run);
}

spur_status worker_watch_adopted(sweep_worker *w, trial_slot *slot, spur_error *err) {
    char name[NAME];
    name_of(w, slot, name);
    if (has_lost(w, slot, name)) return SPUR_OK;
    char *run = sweep_path(&w->dir, "%s", name), *claim = claim_path(w, name);
    spur_status status = run && claim ? SPUR_OK : SPUR_E_MEMORY;
    if (status == SPUR_OK) claim_touch(claim);
    if (status == SPUR_OK && !run_is_locked(run)) {
        int exit_status = w->plan->is_program ? program_exit_status(run) : 0;
        if (w->plan->is_program && exit_status >= 0)
            status = finish_program(w, slot, run, exit_status, 0, err);
        if (status == SPUR_OK) status = run_outcome_read(run, &slot->outcome, err);
        if (status == SPUR_OK) status = conclude(w, slot, name, err);
    }
    spur__free(claim);
    spur__free(run);
    return status;
}

/* What the trials have written so far: [count of slots]. */
static spur_status read_curves(sweep_worker *w, learning_curve *curves, spur_error *err) {
    for (size_t i = 0; i < w->count; i++) {
        trial_slot *slot = &w->slots[i];
        bool final = slot->state == SLOT_FINAL;
        if (!slot->curve_is_whole) {
            char name[NAME];
            name_of(w, slot, name);
            char *run = sweep_path(&w->dir, "%s", name);
            spur_status status =
                run ? program_curve_read(&slot->curve, w->plan, run, err) : SPUR_E_MEMORY;
            spur__free(run);
            SPUR__TRY(status);
            slot->curve_is_whole = final;
        }
        bool finished = final && slot->outcome.verdict == VERDICT_DONE;
        curves[i] = (learning_curve){i, slot->curve.values, slot->curve.count, finished};
    }
    return SPUR_OK;
}

/* Asks the pruner about a running program, whose curve only its events tell: once about each value. */
static spur_status prune_program(sweep_worker *w, trial_slot *slot, spur_error *err) {
    size_t self = (size_t)(slot - w->slots);
    learning_curve *curves = spur__calloc(w->count, sizeof *curves);
    if (!curves) return spur__fail(err, SPUR_E_MEMORY, "sweep: out of memory");
    spur_status status = read_curves(w, curves, err);
    if (slot->judged > slot->curve.count) slot->judged = slot->curve.count; /* it went back */
    while (status == SPUR_OK && slot->judged < slot->curve.count && !slot->pruned_at) {
        curves[self].count = ++slot->judged;
        if (w->plan->pruner->prune(sweep_pruner_options(&w->plan->settings), curves, w->count, self,
                                   w->plan->program.maximize == 1))
            slot->pruned_at = slot->judged;
    }
    spur__free(curves);
    if (status == SPUR_OK && slot->pruned_at) kill(-slot->pid, SIGTERM);
    return status;
}

spur_status worker_watch_ours(sweep_worker *w, trial_slot *slot, spur_error *err) {
    char name[NAME];
    name_of(w, slot, name);
    char *claim = claim_path(w, name), *run = sweep_path(&w->dir, "%s", name);
    if (claim) claim_touch(claim);
    spur_status status = claim && run ? SPUR_OK : SPUR_E_MEMORY;
    if (status == SPUR_OK && !w->plan->is_program) /* how far it is, for the one who looks on */
        status = run_outcome_read(run, &slot->outcome, err);
    spur__free(claim);
    spur__free(run);
    SPUR__TRY(status);
    bool prunes = w->plan->is_program && strcmp(w->plan->settings.pruner, "none") != 0;
    return prunes && !slot->pruned_at ? prune_program(w, slot, err) : SPUR_OK;
}

/* Makes room for a second attempt: the output of the first one moves to the journal, so that it can
 * still be read, and everything else of it goes. */
static spur_status clear_attempt(sweep_worker *w, const char *name, const char *run,
                                 spur_error *err) {
    char *from = spur__path_join(run, "output.log"), *ended = spur__path_join(run, "exit");
    char *to =
        sweep_path(&w->dir, "journal/%s.%zu.log", name, sweep_journal_failures(&w->dir, name));
    if (from && to) (void)rename(from, to);
    if (ended)
        (void)unlink(ended); /* first: without the rest it would tell of a program that ended */
    spur__free(ended);
    spur__free(from);
    spur__free(to);
    return remove_content(run, TRIAL_LOCK, err);
}

/* Continues a trainer's run that has something to continue; everything else starts anew. */
static spur_status launch_slot(sweep_worker *w, trial_slot *slot, const char *name, const char *run,
                               int lock, spur_error *err) {
    run_verdict v = slot->outcome.verdict;
    char *config_file = spur__path_join(run, "config.ini");
    if (!config_file) return spur__fail(err, SPUR_E_MEMORY, "sweep: out of memory");
    launch l = {.plan = w->plan,
                .configuration = slot->configuration + 1,
                .dir = &w->dir,
                .name = name,
                .assigned = assigned(w, slot),
                .seed = w->plan->seeds[slot->seed],
                .threads = w->threads,
                .lock = lock};
    l.resume = !w->plan->is_program && (v == VERDICT_STALE || v == VERDICT_INTERRUPTED) &&
               spur__exists(config_file);
    spur_status status = SPUR_OK;
    if (!l.resume) status = clear_attempt(w, name, run, err);
    if (status == SPUR_OK) status = launch_trial(&l, &slot->pid, err);
    if (status == SPUR_OK)
        status = sweep_journal_event(&w->log, l.resume ? "resume" : "start", name, err);
    spur__free(config_file);
    if (status != SPUR_OK) return status;
    slot->state = SLOT_OURS;
    slot->judged = slot->pruned_at = 0;
    program_curve_free(&slot->curve);
    w->running++;
    return SPUR_OK;
}

/* The trial is at its end already. */
static void pass_over(sweep_worker *w, trial_slot *slot, const char *claim) {
    claim_release(claim, &w->self);
    worker_settle_configuration(w, slot->configuration);
}

static spur_status adopt(sweep_worker *w, trial_slot *slot, const char *name, spur_error *err) {
    slot->state = SLOT_ADOPTED;
    w->running++;
    return sweep_journal_event(&w->log, "adopt", name, err);
}

/* Claim and lock are ours: nobody is at work in the trial, and nobody comes. */
static spur_status begin_locked(sweep_worker *w, trial_slot *slot, const char *name,
                                const char *run, const char *claim, int lock, spur_error *err) {
    SPUR__TRY(run_outcome_left(run, &slot->outcome, err));
    if (is_final(w, slot, name)) {
        set_final(w, slot);
        pass_over(w, slot, claim);
        return SPUR_OK;
    }
    bool ended = w->plan->is_program && slot->outcome.verdict == VERDICT_NONE &&
                 program_exit_status(run) >= 0;
    return ended ? adopt(w, slot, name, err) : launch_slot(w, slot, name, run, lock, err);
}

/* The claim is ours: adopt what still lives, take in what has ended, else start. */
static spur_status begin(sweep_worker *w, trial_slot *slot, const char *name, const char *run,
                         const char *claim, spur_error *err) {
    int lock;
    spur_error busy = {.status = SPUR_OK};
    SPUR__TRY(worker_look(w, slot, err)); /* somebody may have finished it before our claim */
    if (slot->state == SLOT_FINAL) {
        pass_over(w, slot, claim);
        return SPUR_OK;
    }
    spur_status status = launch_hold(run, &lock, &busy);
    if (status == SPUR_E_STATE) return adopt(w, slot, name, err);
    if (status != SPUR_OK) return spur__fail(err, status, "%s", busy.message);
    status = begin_locked(w, slot, name, run, claim, lock, err);
    close(lock);
    return status;
}

spur_status worker_start(sweep_worker *w, trial_slot *slot, spur_error *err) {
    char name[NAME];
    name_of(w, slot, name);
    char *run = sweep_path(&w->dir, "%s", name), *claim = claim_path(w, name);
    spur_status status = run && claim ? claim_take(claim, &w->self, err) : SPUR_E_MEMORY;
    if (status == SPUR_E_EXISTS) {
        slot->state = SLOT_FOREIGN;
        status = SPUR_OK;
    } else if (status == SPUR_OK) {
        status = begin(w, slot, name, run, claim, err);
    }
    spur__free(claim);
    spur__free(run);
    return status;
}
