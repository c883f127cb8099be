/* SPDX-License-Identifier: MIT
 *
 * The ring of records and the writing thread; see queue.h.
 */
#include "write/queue.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "write/guard.h"

/* One write(2), at most about this much: what was checksummed is still in the CPU's cache, and room
 * comes free in small steps. */
enum { CHUNK = 256 * 1024 };

void spur__record_head(unsigned char *record, size_t payload) {
    spur__store32(record, (uint32_t)payload);
    spur__store32(record + 4, (uint32_t)((uint64_t)payload >> 32));
    spur__store32(record + 8, spur__masked_crc(record, 8));
}

size_t spur__seal(unsigned char *data, size_t size, size_t limit) {
    size_t at = 0;
    while (at < size && at < limit) {
        size_t n = (size_t)spur__load64(data + at);
        unsigned char *p = data + at + SPUR__RECORD_HEAD;
        spur__store32(p + n, spur__masked_crc(p, n));
        at += n + SPUR__RECORD_FRAME;
    }
    return at;
}

/* ---- the thread ---------------------------------------------------------------------------- */

static void note_failure(spur__queue *q, int error) {
    q->failing = true;
    q->error = error;
    q->write_errors++;
    pthread_cond_broadcast(&q->room);
}

/* Result of a write(2) that was made without the mutex, which is held again. */
static bool note_write(spur__queue *q, ssize_t n, int error) {
    if (n <= 0) {
        if (n < 0 && error == EINTR) return true;
        note_failure(q, n < 0 ? error : EIO);
        return false;
    }
    q->written += (uint64_t)n;
    q->failing = false;
    return true;
}

/* Writes a part of the oversized record. False when the write failed. */
static bool write_direct(spur__queue *q) {
    const unsigned char *from = q->direct + q->direct_sent;
    size_t size = q->direct_size - q->direct_sent;
    pthread_mutex_unlock(&q->mutex);
    ssize_t n = spur__write(q->fd, from, size);
    int error = errno;
    pthread_mutex_lock(&q->mutex);
    if (!note_write(q, n, error)) return false;
    if (n > 0) q->direct_sent += (size_t)n;
    if (q->direct_sent == q->direct_size) {
        spur__free(q->direct);
        q->direct = NULL;
        pthread_cond_broadcast(&q->room);
    }
    return true;
}

/* Gives `n` bytes at the tail free. */
static void release(spur__queue *q, size_t n) {
    q->tail += n;
    q->sealed -= n;
    q->waiting -= n;
    if (q->wrapped && q->tail == q->wrap) {
        q->tail = 0;
        q->wrapped = false;
    }
    if (q->waiting == 0 && !q->wrapped) q->head = q->tail = 0;
    pthread_cond_broadcast(&q->room);
}

/* Writes some of the ring. False when the write failed. */
static bool write_ring(spur__queue *q) {
    unsigned char *from = q->ring + q->tail;
    size_t size = q->wrapped ? q->wrap - q->tail : q->head - q->tail;
    if (q->direct && size > q->direct_after - q->written)
        size = (size_t)(q->direct_after - q->written);
    pthread_mutex_unlock(&q->mutex);
    if (q->sealed == 0) q->sealed = spur__seal(from, size, CHUNK);
    ssize_t n = spur__write(q->fd, from, q->sealed);
    int error = errno;
    pthread_mutex_lock(&q->mutex);
    if (!note_write(q, n, error)) return false;
    if (n > 0) release(q, (size_t)n);
    return true;
}

/* Writes until `target` bytes are in the file. False when a write failed. */
static bool write_until(spur__queue *q, uint64_t target) {
    while (q->written < target) {
        bool direct = q->direct && q->written - q->direct_sent >= q->direct_after;
        if (!(direct ? write_direct(q) : write_ring(q))) return false;
    }
    return true;
}

static void sync_file(spur__queue *q) {
    pthread_mutex_unlock(&q->mutex);
    int error = fdatasync(q->fd) != 0 && errno != EINVAL && errno != EROFS ? errno : 0;
    pthread_mutex_lock(&q->mutex);
    if (error) note_failure(q, error);
}

/* One flush: everything that was accepted when it began. */
static void flush_all(spur__queue *q) {
    uint64_t request = q->requests;
    bool fine = q->written == q->accepted || write_until(q, q->accepted);
    if (fine) q->failing = false;
    if (fine && q->options.sync) sync_file(q);
    q->requests_served = request;
    pthread_cond_broadcast(&q->served);
}

static struct timespec after(double seconds) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    double whole = floor(seconds);
    t.tv_sec += (time_t)whole;
    t.tv_nsec += (long)((seconds - whole) * 1e9);
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    return t;
}

/* Sleeps until there is something to do; true when the flush interval is over. */
static bool wait_for_work(spur__queue *q, const struct timespec *deadline) {
    bool timed_out = false;
    while (!timed_out && !q->stopping && q->requests == q->requests_served &&
           (q->failing || (q->waiting < q->threshold && !q->direct))) {
        q->sleeping = true;
        if (q->options.interval >= 0.0)
            timed_out = pthread_cond_timedwait(&q->wake, &q->mutex, deadline) == ETIMEDOUT;
        else
            pthread_cond_wait(&q->wake, &q->mutex);
        q->sleeping = false;
    }
    return timed_out;
}

static void *run(void *argument) {
    spur__queue *q = argument;
    struct timespec deadline = after(fabs(q->options.interval));
    pthread_mutex_lock(&q->mutex);
    for (;;) {
        bool timed_out = wait_for_work(q, &deadline);
        bool stop = q->stopping;
        if (timed_out || stop || q->requests != q->requests_served) {
            flush_all(q);
            deadline = after(fabs(q->options.interval));
        } else {
            write_until(q, q->accepted);
        }
        if (stop) break;
    }
    pthread_mutex_unlock(&q->mutex);
    return NULL;
}

/* ---- opening and closing ------------------------------------------------------------------- */

static void init_locks(spur__queue *q) {
    pthread_condattr_t monotonic;
    pthread_mutex_init(&q->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&q->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&q->room, NULL);
    pthread_cond_init(&q->served, NULL);
}

static void destroy_locks(spur__queue *q) {
    pthread_cond_destroy(&q->served);
    pthread_cond_destroy(&q->room);
    pthread_cond_destroy(&q->wake);
    pthread_mutex_destroy(&q->mutex);
}

spur_status spur__queue_open(spur__queue *q, int fd, uint64_t written,
                             const spur__queue_options *options, spur_error *err) {
    *q = (spur__queue){.fd = fd, .options = *options, .accepted = written, .written = written};
    q->threshold = options->bytes / 2 < CHUNK ? options->bytes / 2 : CHUNK;
    q->ring = spur__malloc(options->bytes);
    if (!q->ring)
        return spur__fail(err, SPUR_E_MEMORY, "a queue of %zu bytes: out of memory",
                          options->bytes);
    init_locks(q);
    int error = spur__guard_thread(&q->thread, run, q);
    if (error) {
        destroy_locks(q);
        spur__free(q->ring);
        return spur__fail_errno(err, error, "cannot start the logging thread");
    }
    return SPUR_OK;
}

static spur_status stop(spur__queue *q) {
    pthread_mutex_lock(&q->mutex);
    bool again = q->stopping;
    q->stopping = true;
    pthread_cond_broadcast(&q->room);
    pthread_cond_signal(&q->wake);
    pthread_mutex_unlock(&q->mutex);
    if (again) return SPUR_OK;
    pthread_join(q->thread, NULL);
    pthread_mutex_lock(&q->mutex);
    q->stopped = true;
    int error = q->failing || q->written < q->accepted ? q->error : 0;
    if (close(q->fd) != 0 && !error && errno != EINTR) error = errno;
    q->fd = -1;
    if (error) q->error = error;
    pthread_cond_broadcast(&q->served);
    pthread_mutex_unlock(&q->mutex);
    return error ? SPUR_E_IO : SPUR_OK;
}

spur_status spur__queue_stop(spur__queue *q) {
    spur__guard guard;
    spur__guard_enter(&guard);
    spur_status status = stop(q);
    spur__guard_leave(&guard);
    return status;
}

void spur__queue_free(spur__queue *q, bool forked) {
    if (!forked) destroy_locks(q);
    spur__free(q->direct);
    spur__free(q->ring);
}

/* ---- callers ------------------------------------------------------------------------------- */

/* Contiguous room for `size` bytes, or NULL. */
static unsigned char *find_room(spur__queue *q, size_t size) {
    if (q->wrapped) return q->tail - q->head >= size ? q->ring + q->head : NULL;
    if (q->options.bytes - q->head >= size) return q->ring + q->head;
    if (q->tail < size) return NULL;
    q->wrap = q->head;
    q->head = 0;
    q->wrapped = true;
    return q->ring;
}

/* A record is lost. */
static spur_status refuse(spur__queue *q, spur_status status) {
    q->dropped++;
    if (q->refused == SPUR_OK) q->refused = status;
    return status;
}

/* No room: what the caller may do. SPUR_OK = wait. */
static spur_status may_wait(spur__queue *q) {
    if (q->stopping) return refuse(q, SPUR_E_STATE);
    if (q->failing) return refuse(q, SPUR_E_IO);
    return q->options.drop ? refuse(q, SPUR_E_DROPPED) : SPUR_OK;
}

static void wait_for_room(spur__queue *q) {
    if (q->sleeping) {
        q->requests++; /* nobody waits for this one; it makes the thread empty the ring */
        pthread_cond_signal(&q->wake);
    }
    spur__guard_wait(&q->room, &q->mutex);
}

spur_status spur__queue_reserve(spur__queue *q, size_t size, unsigned char **out) {
    *out = NULL;
    while (q->stopping || (*out = find_room(q, size)) == NULL) {
        SPUR__TRY(may_wait(q));
        wait_for_room(q);
    }
    return SPUR_OK;
}

void spur__queue_commit(spur__queue *q, size_t size) {
    q->head += size;
    q->waiting += size;
    q->accepted += size;
    q->records++;
    if (q->waiting > q->peak) q->peak = q->waiting;
    if (q->sleeping && q->waiting >= q->threshold && !q->failing) {
        q->sleeping = false; /* one signal is enough */
        pthread_cond_signal(&q->wake);
    }
}

/* A record that can never fit: waits for its turn, then until it is written or writing fails. */
static spur_status push_direct(spur__queue *q, unsigned char *record, size_t size) {
    spur_status status = q->options.drop ? refuse(q, SPUR_E_DROPPED) : SPUR_OK;
    while (status == SPUR_OK && (q->direct || q->stopping)) {
        status = may_wait(q);
        if (status == SPUR_OK) wait_for_room(q);
    }
    if (status != SPUR_OK) {
        spur__free(record);
        return status;
    }
    spur__seal(record, size, size);
    q->direct = record;
    q->direct_size = size;
    q->direct_sent = 0;
    q->direct_after = q->accepted;
    q->accepted += size;
    q->records++;
    uint64_t target = q->accepted;
    pthread_cond_signal(&q->wake);
    while (q->written < target && !q->failing && !q->stopped) spur__guard_wait(&q->room, &q->mutex);
    return SPUR_OK;
}

spur_status spur__queue_push(spur__queue *q, unsigned char *record, size_t size) {
    unsigned char *room;
    if (size > q->options.bytes) return push_direct(q, record, size);
    spur_status status = spur__queue_reserve(q, size, &room);
    if (status == SPUR_OK) {
        memcpy(room, record, size);
        spur__queue_commit(q, size);
    }
    spur__free(record);
    return status;
}

spur_status spur__queue_flush(spur__queue *q) {
    uint64_t ticket = ++q->requests;
    pthread_cond_signal(&q->wake);
    while (q->requests_served < ticket && !q->stopped) spur__guard_wait(&q->served, &q->mutex);
    return q->failing ? SPUR_E_IO : SPUR_OK;
}
