/* SPDX-License-Identifier: MIT
 *
 * How fast event files are read: one measurement per call, one line of JSON.
 *
 * usage: bench_read limit|records|count|scalars PATH [ROUNDS]
 *
 *   limit    read() in blocks of 1 MiB and CRC-32C of every byte, nothing else
 *   records  every record of the file PATH, both checksums verified
 *   count    as `spur inspect`: every record of the runs at PATH verified and decoded, every value
 *            counted under its tag
 *   scalars  spur_scalars_load(): every scalar at PATH in memory
 *
 * The median of the rounds counts (default 5); the first reading warms the page cache and is not
 * measured.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <spur/events.h>

#include "base/clock.h"
#include "base/crc32c.h"

/* What one reading has seen. */
typedef struct seen {
    uint64_t bytes, records, values;
    uint32_t sum; /* so that nothing is optimised away */
} seen;

static void fail(const char *what) {
    fprintf(stderr, "bench_read: %s\n", what);
    exit(1);
}

static seen read_limit(const char *path) {
    static char block[1 << 20];
    seen s = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail("limit: PATH must be a file");
    for (ssize_t n; (n = read(fd, block, sizeof block)) > 0; s.bytes += (uint64_t)n)
        s.sum = spur__crc32c(s.sum, block, (size_t)n);
    close(fd);
    return s;
}

static seen read_records(const char *path) {
    spur_records *records;
    spur_slice payload;
    spur_error err;
    spur_status status;
    seen s = {0};
    if (spur_records_open(&records, path, &err) != SPUR_OK) fail(err.message);
    while ((status = spur_records_next(records, &payload, &err)) == SPUR_OK) {
        s.records++;
        s.bytes += payload.size + 16;
    }
    if (status != SPUR_E_END) fail(spur_strstatus(status));
    spur_records_close(records);
    return s;
}

static void count_run(const char *path, seen *s) {
    spur_run *run;
    spur_event event;
    spur_error err;
    spur_status status;
    if (spur_run_open(&run, path, &err) != SPUR_OK) fail(err.message);
    while ((status = spur_run_next(run, &event, &err)) == SPUR_OK)
        for (spur_value value = {0}; spur_run_value(run, &event, &value);) s->values++;
    if (status != SPUR_E_END || spur_run_get_info(run).damage > 0) fail("damaged");
    s->records += spur_run_get_info(run).events;
    for (size_t i = 0; i < spur_run_file_count(run); i++)
        s->bytes += spur_run_file_at(run, i)->read;
    spur_run_close(run);
}

static seen read_count(const char *path) {
    spur_logdir *logdir;
    spur_error err;
    seen s = {0};
    if (spur_logdir_open(&logdir, path, &err) != SPUR_OK) fail(err.message);
    for (size_t i = 0; i < spur_logdir_count(logdir); i++)
        count_run(spur_logdir_path(logdir, i), &s);
    spur_logdir_close(logdir);
    return s;
}

static seen read_scalars(const char *path) {
    spur_scalars *scalars;
    spur_error err;
    seen s = {0};
    if (spur_scalars_load(&scalars, path, NULL, &err) != SPUR_OK) fail(err.message);
    for (size_t i = 0; i < spur_scalars_count(scalars); i++)
        s.values += spur_scalars_series(scalars, i)->count;
    s.records = s.values;
    spur_scalars_destroy(scalars);
    return s;
}

/* Most memory ever used, in kB. getrusage() would tell that of the parent before exec. */
static long peak_kb(void) {
    char line[256];
    long kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) {
        const char *name = "VmHWM:";
        if (strncmp(line, name, strlen(name)) == 0) kb = strtol(line + strlen(name), NULL, 10);
    }
    if (file) fclose(file);
    return kb;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        seen (*read)(const char *path);
    } modes[] = {{"limit", read_limit},
                 {"records", read_records},
                 {"count", read_count},
                 {"scalars", read_scalars}};
    double seconds[101];
    int rounds = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 5;
    if (argc < 3 || rounds < 1 || rounds > 101) fail("limit|records|count|scalars PATH [ROUNDS]");
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(modes[i].name, argv[1]) != 0) continue;
        seen s = modes[i].read(argv[2]);
        for (int round = 0; round < rounds; round++) {
            uint64_t start = spur__monotonic_ns();
            s = modes[i].read(argv[2]);
            seconds[round] = (double)(spur__monotonic_ns() - start) * 1e-9;
        }
        qsort(seconds, (size_t)rounds, sizeof seconds[0], by_value);
        double t = seconds[rounds / 2];
        printf("{\"what\": \"%s\", \"seconds\": %.6f, \"best\": %.6f, \"bytes\": %" PRIu64
               ", \"records\": %" PRIu64 ", \"values\": %" PRIu64
               ", \"gb_per_second\": %.3f, \"records_per_second\": %.0f, \"peak_kb\": %ld, "
               "\"sum\": %" PRIu32 "}\n",
               argv[1], t, seconds[0], s.bytes, s.records, s.values, (double)s.bytes / t * 1e-9,
               (double)s.records / t, peak_kb(), s.sum);
        return 0;
    }
    fail("unknown mode");
}
