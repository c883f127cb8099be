/* SPDX-License-Identifier: MIT
 *
 * A worker: takes trials of a sweep, one claim each, and runs up to `jobs` of them at a time until
 * none is left. Any number of workers, on any number of machines, may share the directory.
 */
#ifndef SPUR_TRAINER_SWEEP_WORKER_H
#define SPUR_TRAINER_SWEEP_WORKER_H

#include <stdint.h>
#include <sys/types.h>

#include "sweep/journal.h"
#include "sweep/layout.h"
#include "sweep/program.h"
#include "run/outcome.h"
#include "run/process.h"

typedef enum slot_state {
    SLOT_OPEN, /* to be run (or continued) */
    SLOT_OURS, /* a process of ours runs it */
    SLOT_ADOPTED, /* ours, started by a worker that died: watched through its lock */
    SLOT_FOREIGN, /* another worker has it */
    SLOT_FINAL /* done, pruned or failed for good */
} slot_state;

typedef struct trial_slot {
    size_t configuration, seed; /* indices */
    slot_state state;
    pid_t pid;
    bool counted; /* its end has been told to the listener */
    /* Programs: */
    program_curve curve; /* as far as it was read */
    bool curve_is_whole; /* it had ended when it was read */
    size_t judged; /* values of the curve that the pruner was asked about */
    size_t pruned_at; /* values after which the pruner stopped it; 0: it did not */
    run_outcome outcome;
} trial_slot;

typedef struct sweep_worker sweep_worker;

/* What a worker tells while it works; functions may be NULL. */
typedef struct sweep_listener {
    void (*ended)(void *user, const sweep_worker *w, const trial_slot *slot);
    void (*tick)(void *user, const sweep_worker *w); /* a few times a second */
    void *user;
} sweep_listener;

struct sweep_worker {
    const sweep_plan *plan;
    sweep_dir dir;
    search_state search;
    sweep_journal log;
    process_id self;
    trial_slot *slots; /* in trial order: configuration, then seed */
    size_t count, first_open; /* every slot before first_open is final or in work */
    size_t running, failed;
    int threads; /* of one trial */
    uint64_t deadline; /* monotonic nanoseconds; 0: none */
    bool exhausted; /* the search has nothing more */
    bool stopping; /* no trial is started any more */
    uint64_t last_watch, last_tick;
    sweep_listener listener;
};

/* Opens the sweep and reads what has been done. */
spur_status worker_open(sweep_worker *w, const sweep_plan *plan, const char *path,
                        bool accept_changes, const sweep_listener *listener, bool *continued,
                        spur_error *err);

/* Works until nothing is left, a failure stops it, or a signal comes (E_INTERRUPTED: running trials
 * have saved their state). After any other error they have been asked to. */
spur_status worker_run(sweep_worker *w, spur_error *err);

void worker_close(sweep_worker *w);

#endif
