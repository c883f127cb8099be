/* SPDX-License-Identifier: MIT
 *
 * Records on their way to the file: a ring of fixed size, and the thread that empties it.
 *
 * Callers append whole records (header, payload, room for the checksum); the thread adds the
 * payload checksums ("seals") and writes them, many per write(2). The thread is the only one that
 * touches the file. After a failed write the unwritten bytes stay, and the next flush continues
 * inside the same record. All fields but `sealed` are guarded by `mutex`.
 */
#ifndef SPUR_LOGGER_WRITE_QUEUE_H
#define SPUR_LOGGER_WRITE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spur/status.h>

#include "framing.h"

typedef struct spur__queue_options {
    size_t bytes; /* size of the ring */
    bool drop; /* refuse instead of waiting when full */
    bool sync; /* fdatasync at each flush */
    double interval; /* seconds between flushes; negative: only on request */
} spur__queue_options;

typedef struct spur__queue {
    pthread_mutex_t mutex;
    pthread_cond_t wake; /* for the thread: work, a request, the end */
    pthread_cond_t room; /* for callers: space, or no hope of it */
    pthread_cond_t served; /* for flush: a request was served */
    pthread_t thread;
    int fd;
    spur__queue_options options;

    /* The ring holds [tail, head), or when wrapped [tail, wrap) and [0, head). */
    unsigned char *ring;
    size_t head, tail, wrap;
    size_t waiting; /* bytes in it */
    size_t sealed; /* bytes from `tail` on whose checksums are in place; the thread's own */
    size_t threshold; /* wake the thread at this many */
    bool wrapped, sleeping, failing, stopping, stopped;

    /* A record larger than the ring, owned by the queue; it is due when `written` = direct_after. */
    unsigned char *direct;
    size_t direct_size, direct_sent;
    uint64_t direct_after;

    uint64_t accepted, written; /* bytes, ever */
    uint64_t requests, requests_served; /* flushes */
    uint64_t records, dropped, peak, write_errors;
    spur_status refused; /* why the first record was refused */
    int error; /* errno of the last failed write or sync */
} spur__queue;

/* Takes over `fd`, whose length is `written`, and starts the thread. On failure fd stays the
 * caller's. */
spur_status spur__queue_open(spur__queue *q, int fd, uint64_t written,
                             const spur__queue_options *options, spur_error *err);

/* Flushes once more, ends the thread, closes the file; the rest stays readable. SPUR_E_IO if
 * bytes could not be written. A second call does nothing. */
spur_status spur__queue_stop(spur__queue *q);

/* Frees memory. In a fork's child (`forked`) locks are left alone. */
void spur__queue_free(spur__queue *q, bool forked);

/* With the mutex held: `size` contiguous bytes for one record, which spur__queue_commit then makes
 * visible. Waits (giving up the mutex) or fails as the options say; *out is NULL on failure. */
spur_status spur__queue_reserve(spur__queue *q, size_t size, unsigned char **out);
void spur__queue_commit(spur__queue *q, size_t size);

/* With the mutex held: appends a record, which becomes the queue's (also on failure). */
spur_status spur__queue_push(spur__queue *q, unsigned char *record, size_t size);

/* With the mutex held: the barrier. After the stop SPUR_OK if everything was written. */
spur_status spur__queue_flush(spur__queue *q);

/* Puts the payload checksums of the whole records in [data, data + size) in place, stopping after
 * `limit` bytes at a record's end. Returns the bytes covered. */
size_t spur__seal(unsigned char *data, size_t size, size_t limit);

/* Writes length and its checksum at `record`. */
void spur__record_head(unsigned char *record, size_t payload);

#endif
