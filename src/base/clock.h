/* SPDX-License-Identifier: MIT
 *
 * The two clocks: wall time for people and event files, monotonic time for durations.
 */
#ifndef SPUR_BASE_CLOCK_H
#define SPUR_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Seconds since the epoch, microsecond resolution or better. */
static inline double spur__wall_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Nanoseconds since some fixed point; never goes back. */
static inline uint64_t spur__monotonic_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The same in seconds. */
static inline double spur__monotonic(void) {
    return (double)spur__monotonic_ns() * 1e-9;
}

#endif
