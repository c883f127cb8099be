/* SPDX-License-Identifier: MIT
 *
 * Sparing the host's threads; see guard.h. The signals of a write go to the thread that made it, so
 * blocking them there is enough, and one that has come meanwhile is taken away before it can act.
 */
#include "write/guard.h"

#include <errno.h>
#include <time.h>

enum { STACK = 256 * 1024 };
static const int signals[] = {SIGXFSZ, SIGPIPE};
enum { SIGNALS = sizeof signals / sizeof signals[0] };

void spur__guard_enter(spur__guard *guard) {
    sigset_t blocked;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &guard->cancel);
    sigemptyset(&blocked);
    for (int i = 0; i < SIGNALS; i++) sigaddset(&blocked, signals[i]);
    sigemptyset(&guard->pending);
    sigpending(&guard->pending);
    pthread_sigmask(SIG_BLOCK, &blocked, &guard->mask);
}

/* Takes away a pending signal that was not there before. */
static void take(const spur__guard *guard, int number) {
    sigset_t now, one;
    sigemptyset(&now);
    sigpending(&now);
    if (!sigismember(&now, number) || sigismember(&guard->pending, number)) return;
    sigemptyset(&one);
    sigaddset(&one, number);
    while (sigtimedwait(&one, NULL, &(struct timespec){0}) < 0 && errno == EINTR) {
    }
}

void spur__guard_leave(const spur__guard *guard) {
    int error = errno, ignored;
    for (int i = 0; i < SIGNALS; i++) take(guard, signals[i]);
    pthread_sigmask(SIG_SETMASK, &guard->mask, NULL);
    pthread_setcancelstate(guard->cancel, &ignored);
    errno = error;
}

void spur__guard_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
    int cancel, ignored;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    pthread_cond_wait(condition, mutex);
    pthread_setcancelstate(cancel, &ignored);
}

/* The C library puts the program's thread-local variables on the stack: a small one may not hold them. */
static int create(pthread_t *thread, size_t stack, void *(*run)(void *), void *argument) {
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error) return error;
    if (stack) pthread_attr_setstacksize(&attributes, stack);
    error = pthread_create(thread, &attributes, run, argument);
    pthread_attr_destroy(&attributes);
    return error;
}

int spur__guard_thread(pthread_t *thread, void *(*run)(void *), void *argument) {
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = create(thread, STACK, run, argument);
    if (error == EINVAL) error = create(thread, 0, run, argument);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return error;
}
