/* SPDX-License-Identifier: MIT
 *
 * Trials that are programs of the user's own; see program.h.
 */
#include "sweep/program.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <spur/events.h>
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

spur_status program_curve(const sweep_plan *plan, const char *run, double **values, size_t *count,
                          spur_error *err) {
    spur_scalars *scalars;
    const spur_scalars_options wanted = {.tag = plan->program.objective, .supersede = true};
    const char *sub = plan->program.run[0] ? plan->program.run : ".";
    *values = NULL;
    *count = 0;
    spur_status status = spur_scalars_load(&scalars, run, &wanted, err);
    if (status == SPUR_E_NOTFOUND) return SPUR_OK;
    SPUR__TRY(status);
    const spur_series *series = spur_scalars_find(scalars, sub, plan->program.objective);
    if (series && series->count > 0) {
        *values = spur__malloc_array(series->count, sizeof **values);
        if (*values)
            memcpy(*values, series->values, series->count * sizeof **values);
        else
            status = spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", run);
        if (*values) *count = series->count;
    }
    spur_scalars_destroy(scalars);
    return status;
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
    double *values;
    size_t count;
    char why[512] = "";
    SPUR__TRY(program_curve(plan, ended->run, &values, &count, err));
    if (ended->pruned_at > 0 && count > ended->pruned_at) count = ended->pruned_at;
    if (ended->pruned_at == 0) find_fault(plan, ended, values, count, why, sizeof why);
    spur_status status = log_session(plan, ended, *why, err);
    if (status == SPUR_OK) status = write_status(plan, ended, values, count, why, err);
    spur__free(values);
    return status;
}
