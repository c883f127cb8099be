/* SPDX-License-Identifier: MIT
 *
 * All writers of the process, for what concerns them together: at exit their data are written; in a
 * fork's child they turn into no-op writers, whose exit writes nothing.
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "write/writer.h"

_Atomic unsigned spur__generation;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static spur_writer *writers;
static int hooks_failed;

/* No thread may be inside the list while a fork copies it. */
static void before_fork(void) {
    pthread_mutex_lock(&mutex);
}

static void in_parent(void) {
    pthread_mutex_unlock(&mutex);
}

/* The files are closed so that their locks end with the parent. Memory stays: the program may still
 * hold pointers to its writers. */
static void in_child(void) {
    atomic_fetch_add_explicit(&spur__generation, 1, memory_order_relaxed);
    for (spur_writer *w = writers; w; w = w->next)
        if (w->ready && w->queue.fd >= 0) close(w->queue.fd);
    writers = NULL;
    pthread_mutex_unlock(&mutex);
}

static void at_exit(void) {
    pthread_mutex_lock(&mutex);
    for (spur_writer *w = writers; w; w = w->next)
        if (w->ready && spur__alive(w)) spur__queue_stop(&w->queue);
    pthread_mutex_unlock(&mutex);
}

static void install_hooks(void) {
    hooks_failed = pthread_atfork(before_fork, in_parent, in_child);
    if (!hooks_failed) hooks_failed = atexit(at_exit);
}

spur_status spur__registry_add(spur_writer *w, spur_error *err) {
    spur_status status = SPUR_OK;
    pthread_once(&once, install_hooks);
    if (hooks_failed) return spur__fail(err, SPUR_E_MEMORY, "cannot install the exit handler");
    pthread_mutex_lock(&mutex);
    for (spur_writer *other = writers; other && status == SPUR_OK; other = other->next)
        if (other->device == w->device && other->inode == w->inode)
            status = spur__fail(err, SPUR_E_EXISTS,
                                "%s: this program already has a writer on this directory; two in "
                                "one directory hide each other's data",
                                w->directory);
    if (status == SPUR_OK) {
        w->next = writers;
        writers = w;
    }
    pthread_mutex_unlock(&mutex);
    return status;
}

void spur__registry_ready(spur_writer *w) {
    pthread_mutex_lock(&mutex);
    w->ready = true;
    pthread_mutex_unlock(&mutex);
}

void spur__registry_remove(spur_writer *w) {
    pthread_mutex_lock(&mutex);
    for (spur_writer **p = &writers; *p; p = &(*p)->next) {
        if (*p != w) continue;
        *p = w->next;
        break;
    }
    pthread_mutex_unlock(&mutex);
}
