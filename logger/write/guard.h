/* SPDX-License-Identifier: MIT
 *
 * What a call spares the thread that makes it: the signals of failed writes, which kill a process
 * that expects none, and cancellation in the middle of the call, which would leave locks held and
 * files half-written. And threads of the library's own, which take none of the host's signals.
 */
#ifndef SPUR_LOGGER_WRITE_GUARD_H
#define SPUR_LOGGER_WRITE_GUARD_H

#include <pthread.h>
#include <signal.h>

/* How the thread was before. */
typedef struct spur__guard {
    sigset_t mask, pending;
    int cancel;
} spur__guard;

/* Between the two a failed write gives an errno only, and pthread_cancel waits. */
void spur__guard_enter(spur__guard *guard);
void spur__guard_leave(const spur__guard *guard);

/* pthread_cond_wait that is no cancellation point. */
void spur__guard_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);

/* Starts a thread in which all signals are blocked. 0, or an errno. */
int spur__guard_thread(pthread_t *thread, void *(*run)(void *), void *argument);

#endif
