/* SPDX-License-Identifier: MIT
 *
 * The loop of a worker: reap what has ended, look after what others run, start what is open.
 * Starting and ending of single trials is in worker_trial.c.
 */
#include "sweep/worker.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "config/settings.h"
#include "sweep/worker_trial.h"
#include "run/stop.h"

enum { POLL_MS = 4, WATCH_MS = 250, TICK_MS = 250 };

/* Adds the slots of the configuration that the search has got last. */
static spur_status add_slots(sweep_worker *w, spur_error *err) {
    size_t seeds = w->plan->seed_count;
    trial_slot *grown = spur__realloc_array(w->slots, w->count + seeds, sizeof *grown);
    if (!grown) return spur__fail(err, SPUR_E_MEMORY, "sweep: out of memory");
    w->slots = grown;
    for (size_t i = 0; i < seeds; i++) {
        trial_slot *slot = &w->slots[w->count++];
        *slot = (trial_slot){.configuration = w->search.count - 1, .seed = i};
        SPUR__TRY(worker_look(w, slot, err));
    }
    worker_settle_configuration(w, w->search.count - 1);
    return SPUR_OK;
}

/* Takes over configurations that stand in the directory: from before, or of other workers. */
static spur_status read_configurations(sweep_worker *w, spur_error *err) {
    for (;;) {
        assignment a;
        spur_status status =
            sweep_read_configuration(&w->dir, &w->plan->space, w->search.count, &a, true, err);
        if (status == SPUR_E_NOTFOUND) return SPUR_OK;
        SPUR__TRY(status);
        SPUR__TRY(search_add(&w->search, &a, err));
        SPUR__TRY(add_slots(w, err));
    }
}

/* One more configuration: the next in the directory, or the search's next idea. */
static spur_status next_configuration(sweep_worker *w, spur_error *err) {
    for (;;) {
        const assignment *a;
        size_t before = w->search.count;
        SPUR__TRY(read_configurations(w, err));
        if (w->search.count > before) return SPUR_OK;
        SPUR__TRY(
            search_next(&w->search, w->plan->method, sweep_plan_method_options(w->plan), &a, err));
        spur_status status =
            sweep_write_configuration(&w->dir, &w->plan->space, w->search.count - 1, a, err);
        if (status == SPUR_OK) return add_slots(w, err);
        search_forget_last(&w->search);
        if (status != SPUR_E_EXISTS) return status; /* else another worker was faster: read it */
    }
}

/* How many processors one trial gets. */
static int share_of_threads(const sweep_plan *plan) {
    int64_t wanted = config_common(plan->cfg, SECTION_RUN, run_settings)->threads;
    int share = spur__cpu_count() / (int)plan->settings.jobs;
    return wanted > 0 ? (int)wanted : share > 0 ? share : 1;
}

spur_status worker_open(sweep_worker *w, const sweep_plan *plan, const char *path,
                        bool accept_changes, const sweep_listener *listener, bool *continued,
                        spur_error *err) {
    *w = (sweep_worker){.plan = plan, .log = {.fd = -1}, .self = process_self()};
    if (listener) w->listener = *listener;
    search_init(&w->search, &plan->space, (uint64_t)plan->seeds[0], false);
    w->search.lookup = sweep_plan_option;
    w->search.context = plan;
    w->search.trials = (size_t)plan->settings.trials;
    w->threads = share_of_threads(plan);
    double limit = duration_seconds(plan->settings.max_time);
    if (limit > 0) w->deadline = spur__monotonic_ns() + (uint64_t)(limit * 1e9);
    spur_status status = sweep_dir_open(&w->dir, plan, path, accept_changes, continued, err);
    if (status == SPUR_OK) status = sweep_journal_open(&w->log, &w->dir, err);
    if (status == SPUR_OK) status = read_configurations(w, err);
    if (status != SPUR_OK) worker_close(w);
    return status;
}

void worker_close(sweep_worker *w) {
    search_free(&w->search);
    sweep_journal_close(&w->log);
    sweep_dir_close(&w->dir);
    for (size_t i = 0; i < w->count; i++) program_curve_free(&w->slots[i].curve);
    spur__free(w->slots);
    w->slots = NULL;
    w->count = 0;
}

static trial_slot *slot_of(sweep_worker *w, pid_t pid) {
    for (size_t i = 0; i < w->count; i++)
        if (w->slots[i].state == SLOT_OURS && w->slots[i].pid == pid) return &w->slots[i];
    return NULL;
}

/* Takes in every process of ours that has ended. */
static spur_status reap(sweep_worker *w, spur_error *err) {
    int status;
    for (pid_t pid; w->running > 0 && (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        trial_slot *slot = slot_of(w, pid);
        if (!slot) continue;
        SPUR__TRY(worker_ended(w, slot, status, err));
    }
    return SPUR_OK;
}

/* Looks at trials that no child of ours runs, and keeps our claims alive. */
static spur_status watch(sweep_worker *w, spur_error *err) {
    for (size_t i = 0; i < w->count; i++) {
        trial_slot *slot = &w->slots[i];
        if (slot->state == SLOT_OURS) SPUR__TRY(worker_watch_ours(w, slot, err));
        if (slot->state == SLOT_ADOPTED) SPUR__TRY(worker_watch_adopted(w, slot, err));
        if (slot->state == SLOT_FOREIGN) {
            SPUR__TRY(worker_look(w, slot, err));
            worker_settle_configuration(w, slot->configuration);
            if (slot->state == SLOT_OPEN && i < w->first_open) w->first_open = i;
        }
    }
    return SPUR_OK;
}

/* True while a search that learns has to wait for what it has asked for. */
static bool must_wait(const sweep_worker *w) {
    return w->plan->method->adaptive && w->running > 0 && w->plan->settings.jobs == 1;
}

/* Starts one open trial, asking for a further configuration if none is open. *started tells
 * whether there was one. */
static spur_status start_next(sweep_worker *w, bool *started, spur_error *err) {
    *started = false;
    for (;;) {
        while (w->first_open < w->count && w->slots[w->first_open].state != SLOT_OPEN)
            w->first_open++;
        if (w->first_open < w->count) {
            trial_slot *slot = &w->slots[w->first_open];
            SPUR__TRY(worker_start(w, slot, err));
            *started = slot->state == SLOT_OURS || slot->state == SLOT_ADOPTED;
            if (*started) return SPUR_OK;
            continue; /* someone else has it, or it turned out to be final */
        }
        if (w->exhausted || must_wait(w)) return SPUR_OK;
        spur_status status = next_configuration(w, err);
        if (status == SPUR_E_END)
            w->exhausted = true;
        else
            SPUR__TRY(status);
    }
}

static void pause_ms(long ms) {
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static bool others_at_work(const sweep_worker *w) {
    for (size_t i = 0; i < w->count; i++)
        if (w->slots[i].state == SLOT_FOREIGN) return true;
    return false;
}

/* Asks every trial of ours to save its state and leave. */
static void stop_trials(const sweep_worker *w) {
    for (size_t i = 0; i < w->count; i++) {
        if (w->slots[i].state == SLOT_OURS) kill(-w->slots[i].pid, SIGTERM);
        if (w->slots[i].state == SLOT_ADOPTED) worker_stop_adopted(w, &w->slots[i]);
    }
}

static void tick(sweep_worker *w) {
    uint64_t now = spur__monotonic_ns();
    if (now - w->last_tick < TICK_MS * 1000000u) return;
    w->last_tick = now;
    if (w->listener.tick) w->listener.tick(w->listener.user, w);
}

/* What has to be done between two looks at the clock. */
static spur_status look_around(sweep_worker *w, spur_error *err) {
    uint64_t now = spur__monotonic_ns();
    SPUR__TRY(reap(w, err));
    if (now - w->last_watch >= WATCH_MS * 1000000u) {
        w->last_watch = now;
        SPUR__TRY(watch(w, err));
    }
    if (w->deadline && now >= w->deadline) w->stopping = true;
    return SPUR_OK;
}

/* *told: a signal came, and the trials know. */
static spur_status work(sweep_worker *w, bool *told, spur_error *err) {
    for (;;) {
        SPUR__TRY(look_around(w, err));
        if (stop_requested() && !*told) {
            *told = w->stopping = true;
            stop_trials(w);
        }
        bool started = true;
        while (!w->stopping && started && w->running < (size_t)w->plan->settings.jobs)
            SPUR__TRY(start_next(w, &started, err));
        tick(w);
        bool waiting = !w->stopping && others_at_work(w);
        if (w->running == 0 && !waiting && (w->stopping || !started)) break;
        pause_ms(w->running ? POLL_MS : WATCH_MS);
    }
    if (w->listener.tick) w->listener.tick(w->listener.user, w);
    return SPUR_OK;
}

spur_status worker_run(sweep_worker *w, spur_error *err) {
    bool told = false;
    spur_status status = work(w, &told, err);
    if (status != SPUR_OK) stop_trials(w); /* nobody looks after them any more */
    if (status != SPUR_OK) return status;
    return told ? spur__fail(err, SPUR_E_INTERRUPTED, "interrupted") : SPUR_OK;
}
