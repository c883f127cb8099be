/* SPDX-License-Identifier: MIT
 *
 * What people and scripts see: lines, a progress bar on a terminal, JSON lines on request. Every
 * line (never the bar) also goes to the run's stdout.log.
 */
#ifndef SPUR_TRAINER_OUTPUT_TERMINAL_H
#define SPUR_TRAINER_OUTPUT_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

typedef struct terminal {
    bool bars; /* stdout is a terminal, and nobody asked for silence */
    bool unicode;
    bool color; /* nobody has set NO_COLOR */
    bool quiet, json;
    bool bar_shown;
    uint64_t last_drawn; /* monotonic nanoseconds */
    FILE *log; /* stdout.log, or NULL */
} terminal;

void terminal_init(terminal *t, bool quiet, bool json);

/* Copies every line to this file from now on (appending). */
spur_status terminal_copy_to(terminal *t, const char *path, spur_error *err);
void terminal_close(terminal *t);

/* A line for people: not shown with --quiet or --json. */
void terminal_say(terminal *t, const char *fmt, ...) SPUR_PRINTF(2, 3);

/* A line on stderr, shown always, behind "spur ": it begins with the command, "train: ...". */
void terminal_warn(terminal *t, const char *fmt, ...) SPUR_PRINTF(2, 3);

/* One JSON object for scripts: shown with --json only. */
void terminal_json(terminal *t, const char *object);

typedef struct progress {
    const char *label; /* "Epoch 3/12" */
    int64_t done, total;
    const char *values; /* "loss 0.123  accuracy 0.91" */
    double rate; /* samples per second; 0: not known yet */
    const char *unit; /* "img" */
    double left; /* seconds; negative: not known */
} progress;

/* Draws the bar over the last one, at most ten times a second (always when done). */
void terminal_progress(terminal *t, const progress *p);

/* Removes the bar. */
void terminal_clear(terminal *t);

/* Columns of the terminal, 80 when stdout is none. */
int terminal_width(void);

/* "0.1234", and of numbers from a million on "1.235e+06". */
void format_value(double value, char *out, size_t size);

/* "0:42", "12:07", "3:12:07"; "-" when negative or not finite. */
void format_duration(double seconds, char *out, size_t size);

#endif
