/* SPDX-License-Identifier: MIT
 *
 * One training at a time per process, so the clock is a file's own variable. What was done before a
 * run was continued is not in it: an epoch may have nothing left but its validation.
 */
#include "train/perf.h"

#include <math.h>

#include "base/clock.h"
#include "run/process.h"
#include "train/session.h"

static struct { double epoch_started, trained, waited, samples; } now;

void perf_reset(void) {
    now.epoch_started = spur__monotonic();
    now.waited = now.samples = 0;
}

void perf_batch(double waited, size_t samples) {
    now.waited += waited;
    now.samples += (double)samples;
}

void perf_epoch_trained(void) {
    now.trained = spur__monotonic() - now.epoch_started;
}

double perf_log(struct session *s, long long epoch) {
    spur_writer *log = s->run_log.writers[RUN_LOG_RUN];
    double seconds = spur__monotonic() - now.epoch_started;
    if (s->log->perf) {
        if (now.samples > 0) {
            spur_log_scalar(log, "perf/samples_per_second", epoch, now.samples / now.trained);
            spur_log_scalar(log, "perf/waited_for_data", epoch, now.waited / now.trained);
        }
        spur_log_scalar(log, "perf/epoch_seconds", epoch, seconds);
        double memory = process_memory();
        /* The two come from different counters of the system, of which that of the peak may lag behind. */
        double peak = fmax(process_peak_memory(), memory);
        spur_log_scalar(log, "perf/memory_mb", epoch, memory / 1e6);
        spur_log_scalar(log, "perf/peak_memory_mb", epoch, peak / 1e6);
    }
    perf_reset();
    return seconds;
}
