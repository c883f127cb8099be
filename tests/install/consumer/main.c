/* SPDX-License-Identifier: MIT
 * An outside program: logs ten points below the given directory and reads them back. */
#include <stdio.h>

#include <spur/events.h>
#include <spur/log.h>

static int count(const char *path) {
    spur_records *records = NULL;
    spur_slice payload;
    int points = 0;
    if (spur_records_open(&records, path, NULL)) return -1;
    while (spur_records_next(records, &payload, NULL) == SPUR_OK) {
        spur_event event;
        spur_value value = {0};
        if (spur_event_decode(payload, &event, NULL)) break;
        while (spur_event_value(&event, &value)) points += value.kind == SPUR_KIND_SCALAR;
    }
    spur_records_close(records);
    return points;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    spur_writer *log = NULL;
    spur_error err = {SPUR_OK, 0, 0, ""};
    if (spur_writer_open(&log, &(spur_writer_options){.directory = argv[1]}, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (int step = 0; step < 10; step++) spur_log_scalar(log, "loss", step, 1.0 / (step + 1));
    spur_writer_flush(log);
    int points = count(spur_writer_path(log));
    if (spur_writer_close(log, &err) || points != 10) {
        fprintf(stderr, "%d points, %s\n", points, err.message);
        return 1;
    }
    printf("spur %s: 10 points\n", spur_version());
    return 0;
}
