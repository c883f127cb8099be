/* SPDX-License-Identifier: MIT
 *
 * Tasks on OpenMP threads; see parallel.h. Neighbouring tasks touch neighbouring memory. So every
 * thread has a stretch of them, the same one in kernel after kernel, and takes tasks from the far
 * end of another's when its own is done; and kernels go through their tasks alternately upwards and
 * downwards: what one has written last is still in the cache and is what the next one reads first.
 */
#include "kernels/parallel.h"

#include <omp.h>
#include <stdatomic.h>
#include <stdint.h>

enum {
    MOST_THREADS = 256,
    FEW = 8 /* tasks of a step so small that it does not turn the direction */
};

/* What is left of a thread's stretch: its first task in the low half, its end in the high half. */
typedef struct stretch {
    _Alignas(64) _Atomic uint64_t left;
} stretch;

static uint64_t left_of(ptrdiff_t begin, ptrdiff_t end) {
    return (uint64_t)end << 32 | (uint64_t)begin;
}

/* Takes the first task or the last; -1 if none is left. */
static ptrdiff_t take(stretch *s, bool last) {
    uint64_t left = atomic_load_explicit(&s->left, memory_order_relaxed);
    for (;;) {
        ptrdiff_t begin = (ptrdiff_t)(left & UINT32_MAX), end = (ptrdiff_t)(left >> 32);
        if (begin >= end) return -1;
        uint64_t rest = last ? left_of(begin, end - 1) : left_of(begin + 1, end);
        if (atomic_compare_exchange_weak_explicit(&s->left, &left, rest, memory_order_relaxed,
                                                  memory_order_relaxed))
            return last ? end - 1 : begin;
    }
}

static bool direction_of(ptrdiff_t tasks) {
    static _Atomic unsigned turns;
    unsigned turned = tasks < FEW ? 0 : 1;
    return (atomic_fetch_add_explicit(&turns, turned, memory_order_relaxed) + turned) % 2 == 1;
}

void spur__parallel(const spur__exec *exec, ptrdiff_t tasks, spur__task run, void *job) {
    int team = (int)spur__min(spur__min(exec->threads, MOST_THREADS), tasks);
    bool down = direction_of(tasks);
    if (team <= 1) {
        for (ptrdiff_t i = 0; i < tasks; i++) run(job, down ? tasks - 1 - i : i, 0);
        return;
    }
    stretch stretches[MOST_THREADS];
    for (int t = 0; t < team; t++) {
        ptrdiff_t begin, end;
        spur__part(tasks, team, t, &begin, &end);
        atomic_init(&stretches[t].left, left_of(begin, end));
    }
#pragma omp parallel num_threads(team)
    {
        int thread = omp_get_thread_num();
        for (int i = 0; i < team; i++) {
            stretch *from = &stretches[(thread + i) % team];
            for (ptrdiff_t task; (task = take(from, down != (i > 0))) >= 0;) run(job, task, thread);
        }
    }
}
