/* SPDX-License-Identifier: MIT
 *
 * What a sweep shows while it runs: on a terminal a block that is redrawn in place (counts, running
 * trials, the best so far), else a line per finished trial.
 */
#ifndef SPUR_TRAINER_SWEEP_LIVE_H
#define SPUR_TRAINER_SWEEP_LIVE_H

#include "sweep/worker.h"
#include "output/terminal.h"

typedef struct live {
    terminal *term;
    size_t lines; /* of the block on the screen */
    bool watching; /* trials from before are counted, and not told one by one */
    size_t before, failed_before; /* of these */
    size_t ended; /* trials that ended while we watched */
    size_t total; /* trials in all; 0: not yet known, SIZE_MAX: too many to count */
    uint64_t begun; /* monotonic nanoseconds */
    uint64_t drawn; /* monotonic nanoseconds */
} live;

void live_init(live *l, terminal *term);

/* Says what goes on; from here on trials are told. */
void live_begin(live *l, const char *path, bool continued);

/* The two functions of a worker's listener; `user` is the live view. */
void live_ended(void *user, const sweep_worker *w, const trial_slot *slot);
void live_tick(void *user, const sweep_worker *w);

/* Removes the block. */
void live_clear(live *l);

#endif
