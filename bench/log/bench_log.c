/* SPDX-License-Identifier: MIT
 *
 * How fast the logger is: one measurement per call, one line of JSON.
 *
 * usage: bench_log scalars|calls|mix|limit COUNT DIRECTORY [THREADS]
 *
 *   scalars  COUNT scalars of ten tags, from the first call to the closed file
 *   calls    the same, and the time of every call by the CPU's time-stamp counter
 *   mix      COUNT steps of ten scalars, one histogram of 1000 values, and an image every 20 steps
 *   limit    the bytes of `scalars` again: memcpy, checksum, write
 */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include <spur/log.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/crc32c.h"
#include "base/file.h"
#include "base/memory.h"

enum { TAGS = 10, HISTOGRAM = 1000, SIDE = 64, IMAGE_EVERY = 20 };

static const char *const tags[TAGS] = {
    "train/loss", "train/accuracy", "train/learning_rate", "validation/loss", "validation/accuracy",
    "grad/norm",  "grad/max",       "weights/norm",        "time/step",       "memory/used"};

static spur_writer *open_writer(const char *directory) {
    spur_writer *w;
    spur_error err;
    if (spur_writer_open(&w, &(spur_writer_options){.directory = directory}, &err) == SPUR_OK)
        return w;
    fprintf(stderr, "%s\n", err.message);
    exit(1);
}

static double seconds_since(uint64_t start) {
    return (double)(spur__monotonic_ns() - start) * 1e-9;
}

static void check(spur_status status, const char *what) {
    if (status == SPUR_OK) return;
    fprintf(stderr, "%s: %s\n", what, spur_strstatus(status));
    exit(1);
}

/* ---- scalars ------------------------------------------------------------------------------- */

typedef struct worker {
    spur_writer *writer;
    long first, last;
} worker;

static void *log_range(void *argument) {
    const worker *job = argument;
    for (long i = job->first; i < job->last; i++)
        spur_log_scalar(job->writer, tags[i % TAGS], i / TAGS, (double)i);
    return NULL;
}

static void scalars(long count, const char *directory, int threads) {
    spur_writer *w = open_writer(directory);
    spur_writer_stats stats;
    pthread_t ids[64];
    worker jobs[64];
    uint64_t allocations = spur__malloc_count(), start = spur__monotonic_ns();
    for (int i = 0; i < threads; i++) {
        jobs[i] = (worker){w, count * i / threads, count * (i + 1) / threads};
        if (i > 0) pthread_create(&ids[i], NULL, log_range, &jobs[i]);
    }
    log_range(&jobs[0]);
    for (int i = 1; i < threads; i++) pthread_join(ids[i], NULL);
    double called = seconds_since(start);
    spur_writer_get_stats(w, &stats);
    allocations = spur__malloc_count() - allocations;
    check(spur_writer_close(w, NULL), "close");
    double seconds = seconds_since(start);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"what\": \"scalars\", \"count\": %ld, \"threads\": %d, \"seconds\": %.6f, "
           "\"rate\": %.0f, \"call_rate\": %.0f, \"allocations\": %llu, \"queue_peak\": %llu, "
           "\"max_rss_kib\": %ld}\n",
           count, threads, seconds, (double)count / seconds, (double)count / called,
           (unsigned long long)allocations, (unsigned long long)stats.queue_peak, usage.ru_maxrss);
}

/* ---- single calls -------------------------------------------------------------------------- */

static uint64_t ticks(void) {
#if defined(__x86_64__)
    unsigned id;
    return __rdtscp(&id);
#else
    return spur__monotonic_ns();
#endif
}

static double nanoseconds_per_tick(void) {
    uint64_t start = spur__monotonic_ns(), first = ticks();
    while (spur__monotonic_ns() - start < 20000000u) continue;
    return (double)(spur__monotonic_ns() - start) / (double)(ticks() - first);
}

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void calls(long count, const char *directory) {
    spur_writer *w = open_writer(directory);
    uint32_t *took = malloc((size_t)count * sizeof *took), empty[1001];
    if (!took) exit(1);
    memset(took, 0, (size_t)count * sizeof *took);
    double tick = nanoseconds_per_tick();
    for (int i = 0; i < 1001; i++) {
        uint64_t start = ticks();
        empty[i] = (uint32_t)(ticks() - start);
    }
    for (long i = 0; i < count; i++) {
        uint64_t start = ticks();
        spur_log_scalar(w, tags[i % TAGS], i / TAGS, (double)i);
        took[i] = (uint32_t)(ticks() - start);
    }
    check(spur_writer_close(w, NULL), "close");
    qsort(empty, 1001, sizeof *empty, by_value);
    qsort(took, (size_t)count, sizeof *took, by_value);
    double overhead = empty[500] * tick;
    printf("{\"what\": \"calls\", \"count\": %ld, \"timer_ns\": %.1f, \"median_ns\": %.1f, "
           "\"p99_ns\": %.1f, \"p999_ns\": %.1f, \"max_ns\": %.0f}\n",
           count, overhead, took[count / 2] * tick - overhead,
           took[count * 99 / 100] * tick - overhead, took[count * 999 / 1000] * tick - overhead,
           took[count - 1] * tick - overhead);
    free(took);
}

/* ---- the mix ------------------------------------------------------------------------------- */

static void mix(long count, const char *directory) {
    static float values[HISTOGRAM];
    static uint8_t pixels[SIDE * SIDE * 3];
    for (int i = 0; i < HISTOGRAM; i++) values[i] = sinf((float)i) * (float)i;
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * i >> 4);
    spur_log_images image = {
        .pixels = pixels, .count = 1, .height = SIDE, .width = SIDE, .channels = 3};
    spur_writer *w = open_writer(directory);
    uint64_t start = spur__monotonic_ns();
    for (long step = 0; step < count; step++) {
        for (int i = 0; i < TAGS; i++) spur_log_scalar(w, tags[i], step, (double)(step + i));
        spur_log_histogram(w, "values", step, spur_log_floats(values, HISTOGRAM), NULL);
        if (step % IMAGE_EVERY == 0) spur_log_image(w, "image", step, &image, NULL);
    }
    check(spur_writer_close(w, NULL), "close");
    double seconds = seconds_since(start);
    printf("{\"what\": \"mix\", \"count\": %ld, \"seconds\": %.6f, \"rate\": %.0f}\n", count,
           seconds, (double)count / seconds);
}

/* ---- the limit ----------------------------------------------------------------------------- */

/* Takes the records of the file that `scalars` left and does with them what cannot be left out. */
static void limit(long count, const char *directory) {
    enum { BLOCK = 256 * 1024 };
    char *data = NULL, path[4096];
    size_t size, at = 0;
    spur_writer *w = open_writer(directory);
    for (long i = 0; i < count; i++) spur_log_scalar(w, tags[i % TAGS], i / TAGS, (double)i);
    snprintf(path, sizeof path, "%s", spur_writer_path(w));
    check(spur_writer_close(w, NULL), "close");
    check(spur__file_read(path, (size_t)1 << 36, &data, &size, NULL), path);
    unlink(path);
    unsigned char *block = malloc(BLOCK + 4096);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0666);
    if (fd < 0 || !block) exit(1);
    uint64_t start = spur__monotonic_ns();
    while (at < size) {
        size_t used = 0;
        while (at < size && used < BLOCK) {
            uint64_t payload;
            memcpy(&payload, data + at, 8);
            memcpy(block + used, data + at, (size_t)payload + 16);
            uint32_t crc = spur__crc32c_mask(spur__crc32c(0, block + used + 12, (size_t)payload));
            memcpy(block + used + 12 + payload, &crc, 4);
            used += (size_t)payload + 16;
            at += (size_t)payload + 16;
        }
        if (spur__write_all(fd, block, used) != 0) exit(1);
    }
    close(fd);
    double seconds = seconds_since(start);
    printf(
        "{\"what\": \"limit\", \"count\": %ld, \"bytes\": %zu, \"seconds\": %.6f, \"rate\": %.0f}\n",
        count, size, seconds, (double)count / seconds);
    free(block);
    spur__free(data);
}

int main(int argc, char **argv) {
    long count = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    int threads = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 1;
    if (argc < 4 || count < 1 || threads < 1 || threads > 64) {
        fprintf(stderr, "usage: bench_log scalars|calls|mix|limit COUNT DIRECTORY [THREADS]\n");
        return 2;
    }
    if (strcmp(argv[1], "scalars") == 0)
        scalars(count, argv[3], threads);
    else if (strcmp(argv[1], "calls") == 0)
        calls(count, argv[3]);
    else if (strcmp(argv[1], "mix") == 0)
        mix(count, argv[3]);
    else if (strcmp(argv[1], "limit") == 0)
        limit(count, argv[3]);
    else
        return 2;
    return 0;
}
