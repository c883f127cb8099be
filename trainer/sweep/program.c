/* SPDX-License-Identifier: MIT
 *
 * Trials that are programs of the user's own; see program.h.
 */
#include "sweep/program.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <spur/log.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "output/text.h"
#include "run/rundir.h"
#include "sweep/launch.h"
#include "run/outcome.h"

/* A step above every step that programs log: a restart record there makes TensorBoard forget
 * nothing. */
#define BEYOND_ALL_STEPS ((int64_t)1 << 53)

/* Where the events with the objective are. */
static char *events_path(const sweep_plan *plan, const char *run) {
    const char *below = plan->program.run;
    return below[0] && strcmp(below, ".") != 0 ? spur__path_join(run, below) : spur__strdup(run);
}

/* Whether the events that were read are there no more: an attempt that failed made room for the next. */
static bool is_gone(const spur_run *read, const char *path) {
    if (spur_run_file_count(read) == 0) return false;
    char *first = spur__path_join(path, spur_run_file_at(read, 0)->name);
    bool gone = first && !spur__exists(first);
    spur__free(first);
    return gone;
}

/* Points of the same step and later ones are those of a program that went back to it. */
static bool add_point(program_curve *c, int64_t step, double value) {
    while (c->count > 0 && c->steps[c->count - 1] >= step) c->count--;
    if (c->count == c->capacity) {
        size_t n = c->capacity ? 2 * c->capacity : 64;
        int64_t *steps = spur__realloc_array(c->steps, n, sizeof *steps);
        if (steps) c->steps = steps;
        double *values = spur__realloc_array(c->values, n, sizeof *values);
        if (values) c->values = values;
        if (!steps || !values) return false;
        c->capacity = n;
    }
    c->steps[c->count] = step;
    c->values[c->count++] = value;
    return true;
}

static spur_status read_on(program_curve *c, const char *tag, spur_error *err) {
    spur_event event;
    spur_status status;
    double number;
    while ((status = spur_run_next(c->run, &event, err)) == SPUR_OK)
        for (spur_value value = {0}; spur_run_value(c->run, &event, &value);)
            if (value.kind == SPUR_KIND_SCALAR && spur_slice_is(value.tag, tag) &&
                spur_value_scalar(&value, &number, NULL) == SPUR_OK &&
                !add_point(c, event.step, number))
                return spur__fail(err, SPUR_E_MEMORY, "sweep: out of memory");
    return status == SPUR_E_END ? SPUR_OK : status;
}

spur_status program_curve_read(program_curve *c, const sweep_plan *plan, const char *run,
                               spur_error *err) {
    char *path = events_path(plan, run);
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", run);
    spur_status status = SPUR_OK;
    if (c->run && is_gone(c->run, path)) program_curve_free(c);
    if (!c->run) status = spur_run_open(&c->run, path, err);
    if (status == SPUR_OK) status = read_on(c, plan->program.objective, err);
    spur__free(path);
    return status == SPUR_E_NOTFOUND ? SPUR_OK : status; /* nothing was written yet */
}

void program_curve_free(program_curve *c) {
    spur_run_close(c->run);
    spur__free(c->steps);
    spur__free(c->values);
    *c = (program_curve){.run = NULL};
}

/* The varied values as HParams: numbers as numbers. */
static spur_status log_session(const sweep_plan *plan, const ended_program *ended, bool failed,
                               spur_error *err) {
    spur_writer *writer;
    const space *s = &plan->space;
    const assignment *a = ended->assigned;
    spur_log_hparam *h = spur__malloc_array(s->count + 1, sizeof *h);
    if (!h) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", ended->run);
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        double number;
        const char *dot = strchr(s->parameters[i].name, '.');
        if (!a->values[i]) continue;
        h[n].name = dot ? dot + 1 : s->parameters[i].name;
        h[n++].value = spur__parse_double(a->values[i], &number) ? spur_log_number(number)
                                                                 : spur_log_string(a->values[i]);
    }
    if (sweep_records_seed(plan))
        h[n++] = (spur_log_hparam){"seed", spur_log_number((double)ended->seed)};
    const spur_writer_options options = {.directory = ended->run,
                                         .purge = true,
                                         .purge_step = BEYOND_ALL_STEPS,
                                         .flush_seconds = -1};
    spur_status status = spur_writer_open(&writer, &options, err);
    if (status == SPUR_OK) {
        spur_log_hparams(writer, h, n, &(spur_log_hparams_options){.group = ended->group});
        spur_log_hparams_end(writer, failed ? SPUR_LOG_FAILURE : SPUR_LOG_SUCCESS, NULL);
        status = spur_writer_close(writer, err);
    }
    spur__free(h);
    return status;
}

/* The best of the first `count` values, as the trainer's monitor counts it. */
static double best_of(const double *values, size_t count, bool maximize, size_t *epoch) {
    double best = NAN;
    *epoch = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) continue;
        if (best == best && (maximize ? values[i] <= best : values[i] >= best)) continue;
        best = values[i];
        *epoch = i + 1;
    }
    return best;
}

/* why: it failed; "" when it did not. */
static spur_status write_status(const sweep_plan *plan, const ended_program *ended,
                                const double *values, size_t count, const char *why,
                                spur_error *err) {
    size_t epoch;
    bool maximize = plan->program.maximize == 1;
    const char *state = *why ? "failed" : ended->pruned_at ? "pruned" : "done";
    double best = best_of(values, count, maximize, &epoch);
    spur__str text;
    spur__str_init(&text, 1 << 16);
    spur__str_printf(&text, "[status]\nstate = %s\nexit = %d\nepoch = %zu\nmonitor = %s\n", state,
                     ended->status, count, plan->program.objective);
    spur__str_printf(&text, "direction = %s\n", maximize ? "max" : "min");
    if (best == best) {
        spur__str_puts(&text, "best = ");
        spur__str_double(&text, best);
        spur__str_printf(&text, "\nbest_epoch = %zu\n", epoch);
    }
    if (count > 0 && values[count - 1] == values[count - 1]) {
        spur__str_puts(&text, "last = ");
        spur__str_double(&text, values[count - 1]);
        spur__str_putc(&text, '\n');
    }
    if (*why) {
        spur__str_puts(&text, "message = ");
        run_put_message(&text, why);
        spur__str_putc(&text, '\n');
    }
    char *path = spur__path_join(ended->run, "status.ini");
    spur_status result = text_write(path, &text, err);
    spur__free(path);
    spur__str_free(&text);
    return result;
}

/* Why a program that was not pruned counts as failed; "" when it does not. */
static void find_fault(const sweep_plan *plan, const ended_program *ended, const double *values,
                       size_t count, char *why, size_t n) {
    size_t epoch;
    char line[200];
    double best = best_of(values, count, plan->program.maximize == 1, &epoch);
    why[0] = '\0';
    if (ended->status < 0) {
        snprintf(why, n, "the program was killed");
    } else if (ended->status > 0) {
        run_last_output(ended->run, line, sizeof line);
        snprintf(why, n, "the program ended with exit status %d (%s/output.log)%s%s", ended->status,
                 ended->run, *line ? ": " : "", line);
    } else if (count == 0) {
        snprintf(why, n, "the program logged no scalar '%s'", plan->program.objective);
    } else if (!isfinite(best)) {
        snprintf(why, n, "diverged: '%s' was never a finite number", plan->program.objective);
    }
}

spur_status program_finish(const sweep_plan *plan, const ended_program *ended, spur_error *err) {
    program_curve curve = {.run = NULL};
    char why[512] = "";
    spur_status status = program_curve_read(&curve, plan, ended->run, err);
    size_t count = curve.count;
    if (ended->pruned_at > 0 && count > ended->pruned_at) count = ended->pruned_at;
    if (ended->pruned_at == 0) find_fault(plan, ended, curve.values, count, why, sizeof why);
    if (status == SPUR_OK) status = log_session(plan, ended, *why, err);
    if (status == SPUR_OK) status = write_status(plan, ended, curve.values, count, why, err);
    program_curve_free(&curve);
    return status;
}
