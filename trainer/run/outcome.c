/* SPDX-License-Identifier: MIT
 *
 * Reading what a run left; see outcome.h.
 */
#include "run/outcome.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "config/document.h"
#include "run/lock.h"
#include "run/process.h"

const char *const run_verdict_names[VERDICT_COUNT] = {
    [VERDICT_NONE] = "queued",   [VERDICT_RUNNING] = "running",
    [VERDICT_STALE] = "stale",   [VERDICT_INTERRUPTED] = "interrupted",
    [VERDICT_DONE] = "done",     [VERDICT_PRUNED] = "pruned",
    [VERDICT_FAILED] = "failed", [VERDICT_DAMAGED] = "damaged",
};

bool run_is_locked(const char *run) {
    return lock_is_held(run, RUN_LOCK) || lock_is_held(run, TRIAL_LOCK);
}

/* What a sweep's trial was started as. */
static bool read_trial_owner(const char *run, process_id *out) {
    char *path = spur__path_join(run, TRIAL_LOCK), *text = NULL;
    size_t size;
    bool known = path && spur__file_read(path, 200, &text, &size, NULL) == SPUR_OK &&
                 process_parse(text, out);
    spur__free(text);
    spur__free(path);
    return known;
}

static const char *value_of(const document *doc, const char *key) {
    const document_entry *e = document_find(doc, "status", key);
    return e ? e->value : "";
}

/* The verdict of a state that is written so, false for one that we do not know. */
static bool find_verdict(const char *state, run_verdict *out) {
    static const run_verdict written[] = {VERDICT_RUNNING, VERDICT_INTERRUPTED, VERDICT_DONE,
                                          VERDICT_PRUNED, VERDICT_FAILED};
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        *out = written[i];
        if (strcmp(state, run_verdict_names[*out]) == 0) return true;
    }
    return false;
}

/* `busy`: a process is at work, which has still to say what becomes of the run. */
static run_verdict verdict_of(const document *doc, const char *path, bool busy, spur_error *why) {
    run_verdict v;
    const document_entry *e = document_find(doc, "status", "state");
    if (!e || !find_verdict(e->value, &v)) {
        static const char known[] = "expected running, interrupted, done, pruned or failed";
        if (e)
            document_fail(e, true, SPUR_E_DAMAGED, why, "unknown state '%s', %s", e->value, known);
        else
            spur__fail(why, SPUR_E_DAMAGED, "%s: no state, %s", path, known);
        return busy ? VERDICT_RUNNING : VERDICT_DAMAGED;
    }
    if (v != VERDICT_RUNNING && v != VERDICT_INTERRUPTED) return v;
    return busy ? VERDICT_RUNNING : v == VERDICT_RUNNING ? VERDICT_STALE : v;
}

static long long integer_of(const document *doc, const char *key) {
    long long x = 0;
    return spur__parse_int(value_of(doc, key), &x) ? x : 0;
}

static void take_numbers(const document *doc, run_outcome *out) {
    double number;
    out->exit_code = (int)integer_of(doc, "exit");
    out->best_epoch = integer_of(doc, "best_epoch");
    out->epochs = integer_of(doc, "epoch");
    out->steps = integer_of(doc, "step");
    out->maximize = strcmp(value_of(doc, "direction"), "max") == 0;
    snprintf(out->started, sizeof out->started, "%s", value_of(doc, "started"));
    snprintf(out->monitor, sizeof out->monitor, "%s", value_of(doc, "monitor"));
    snprintf(out->message, sizeof out->message, "%s", value_of(doc, "message"));
    if (spur__parse_double(value_of(doc, "best"), &number)) out->best = number;
    if (spur__parse_double(value_of(doc, "last"), &number)) out->last = number;
}

static spur_status read_status(const char *run, bool busy, run_outcome *out, spur_error *err) {
    document doc;
    spur_error why = {.status = SPUR_OK};
    *out = (run_outcome){.best = NAN, .last = NAN};
    char *path = spur__path_join(run, "status.ini");
    document_init(&doc);
    spur_status status = path ? document_read(&doc, path, &why) : SPUR_E_MEMORY;
    if (status == SPUR_OK) {
        out->verdict = verdict_of(&doc, path, busy, &why);
        if (out->verdict != VERDICT_DAMAGED) take_numbers(&doc, out);
    } else {
        /* What the read found decides: the file may be there by now. A line is that of an include. */
        bool missing = status == SPUR_E_NOTFOUND && why.line == 0;
        out->verdict = busy ? VERDICT_RUNNING : missing ? VERDICT_NONE : VERDICT_DAMAGED;
    }
    if (out->verdict == VERDICT_DAMAGED)
        snprintf(out->message, sizeof out->message, "%.*s", (int)sizeof out->message - 1,
                 why.message);
    document_free(&doc);
    spur__free(path);
    return status == SPUR_E_MEMORY ? spur__fail(err, status, "%s: out of memory", run) : SPUR_OK;
}

spur_status run_outcome_read(const char *run, run_outcome *out, spur_error *err) {
    SPUR__TRY(read_status(run, true, out, err));
    if (out->verdict != VERDICT_RUNNING || run_is_locked(run)) return SPUR_OK;
    SPUR__TRY(read_status(run, false, out, err)); /* what it said before it let go of the lock */
    bool open = out->verdict == VERDICT_STALE || out->verdict == VERDICT_INTERRUPTED ||
                out->verdict == VERDICT_NONE;
    if (open && run_is_locked(run))
        out->verdict = VERDICT_RUNNING; /* somebody goes on with it since */
    return SPUR_OK;
}

spur_status run_outcome_left(const char *run, run_outcome *out, spur_error *err) {
    return read_status(run, false, out, err);
}

/* What the trainer writes of itself. */
static bool read_trainer(const char *run, process_id *out) {
    document doc;
    char *path = spur__path_join(run, "status.ini");
    document_init(&doc);
    bool read = path && document_read(&doc, path, NULL) == SPUR_OK;
    *out = process_self();
    out->pid = (long)integer_of(&doc, "pid");
    out->start = (unsigned long long)integer_of(&doc, "process_start");
    snprintf(out->boot, sizeof out->boot, "%s", value_of(&doc, "boot"));
    document_free(&doc);
    spur__free(path);
    return read && out->start > 0;
}

pid_t run_owner(const char *run) {
    process_id id;
    if (read_trial_owner(run, &id) && process_check(&id) == PROCESS_ALIVE) return (pid_t)id.pid;
    return read_trainer(run, &id) && process_check(&id) == PROCESS_ALIVE ? (pid_t)id.pid : 0;
}

bool run_outcome_failed(const run_outcome *o) {
    bool ended = o->verdict == VERDICT_DONE || o->verdict == VERDICT_PRUNED;
    return o->verdict == VERDICT_FAILED || (ended && !isfinite(o->best));
}

void run_last_output(const char *run, char *out, size_t n) {
    char *path = spur__path_join(run, "output.log"), *text = NULL, *line;
    size_t size = 0;
    out[0] = '\0';
    if (path && spur__file_read(path, 1u << 26, &text, &size, NULL) == SPUR_OK) {
        while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == ' ')) text[--size] = '\0';
        line = strrchr(text, '\n');
        snprintf(out, n, "%s", line ? line + 1 : text);
    }
    spur__free(text);
    spur__free(path);
}

/* Position of a column in a comma-separated header line; -1 when it is not there. */
static long find_column(const char *header, const char *column) {
    size_t n = strlen(column);
    for (long index = 0;; index++) {
        size_t length = strcspn(header, ",\r\n");
        if (length == n && strncmp(header, column, n) == 0) return index;
        header += length;
        if (*header != ',') break;
        header++;
    }
    return -1;
}

/* The number in column `index` of a line; NaN when there is none. */
static double cell(const char *line, long index) {
    char text[64];
    for (; index > 0; index--) {
        line += strcspn(line, ",\n");
        if (*line != ',') return NAN;
        line++;
    }
    size_t n = strcspn(line, ",\r\n");
    double value;
    if (n == 0 || n >= sizeof text) return NAN;
    memcpy(text, line, n);
    text[n] = '\0';
    return spur__parse_double(text, &value) ? value : NAN;
}

static size_t count_fields(const char *line) {
    size_t n = 1;
    for (; *line && *line != '\n'; line++) n += *line == ',';
    return n;
}

/* The numbers of one column. Only whole lines: the last one may be in the middle of being written. */
static spur_status read_column(const char *text, const char *path, const char *column, double *out,
                               size_t *count, spur_error *err) {
    size_t fields = count_fields(text), number = 1;
    long index = find_column(text, column);
    if (index < 0)
        return spur__fail(err, SPUR_E_NOTFOUND, "%s: no column '%s'; there are: %.*s", path, column,
                          (int)strcspn(text, "\r\n"), text);
    *count = 0;
    for (const char *line = strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        number++;
        if (!strchr(line + 1, '\n')) break;
        if (count_fields(line + 1) != fields)
            return spur__fail(err, SPUR_E_DAMAGED, "%s:%zu: found %zu fields, the header has %zu",
                              path, number, count_fields(line + 1), fields);
        out[(*count)++] = cell(line + 1, index);
    }
    return SPUR_OK;
}

spur_status run_metric_column(const char *run, const char *column, double **values, size_t *count,
                              spur_error *err) {
    char *path = spur__path_join(run, "metrics.csv"), *text = NULL;
    size_t size, rows = 0;
    double *out = NULL;
    spur_status status = path ? spur__file_read(path, 1u << 30, &text, &size, err)
                              : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", run);
    if (status == SPUR_OK) {
        for (const char *p = text; (p = strchr(p, '\n')); p++) rows++;
        out = spur__malloc_array(rows + 1, sizeof *out);
        status = out ? read_column(text, path, column, out, count, err)
                     : spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", run);
    }
    if (status == SPUR_OK)
        *values = out;
    else
        spur__free(out);
    spur__free(text);
    spur__free(path);
    return status;
}

spur_status run_metric_last(const char *run, const char *column, double *value, spur_error *err) {
    double *values;
    size_t count;
    *value = NAN;
    SPUR__TRY(run_metric_column(run, column, &values, &count, err));
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i])) *value = values[i];
    spur__free(values);
    return SPUR_OK;
}
