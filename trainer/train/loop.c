/* SPDX-License-Identifier: MIT
 *
 * The training loop: steps, epochs, validation, what is best, when to save and when to stop.
 *
 * A step is `accumulate` batches and one update. Nothing but the position decides what comes next,
 * so that a run continued from a checkpoint goes on exactly as it would have.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "command.h"
#include "run/process.h"
#include "run/stop.h"
#include "train/checkpoint.h"
#include "train/gallery.h"
#include "train/perf.h"
#include "train/session.h"

/* Why the loop over batches ended. */
typedef enum outcome { GO_ON, EPOCH_OVER, STEPS_OVER, INTERRUPTED, TIME_OVER, FAILED } outcome;

/* A hint behind the bare fact that a number is not finite. */
static spur_status explain_nan(const session *s, spur_error *err) {
    char cause[256];
    double lr = spur_optimizer_lr(s->optimizer, 0);
    snprintf(cause, sizeof cause,
             "; likely causes: the learning rate (%g here; try a tenth of it, warm-up, or "
             "train.clip_norm = 1), or data that are not finite",
             lr);
    spur__error_prefix(err, "epoch %lld, step %lld", (long long)s->at.epoch + 1,
                       (long long)s->at.step + 1);
    size_t n = strlen(err->message);
    snprintf(err->message + n, sizeof err->message - n, "%s", cause);
    return SPUR_E_NUMERIC;
}

static spur_status count_batch(session *s, const spur_batch *batch, spur_error *err) {
    network *n = &s->net;
    size_t rows = batch->count * network_rows(n);
    pass_reset(&s->batch_pass);
    s->batch_pass.loss_sum = (double)spur_net_loss(n->net) * (double)batch->count;
    s->batch_pass.samples = (double)batch->count;
    if (s->info->task == SPUR_REGRESSION)
        spur_tally_add_values(s->batch_pass.tally, network_output(n), rows * (size_t)n->outputs,
                              batch->targets);
    else if (batch->targets && n->outputs > 1)
        SPUR__TRY(spur_tally_add_soft(s->batch_pass.tally, network_output(n), rows, n->outputs,
                                      batch->targets, err));
    else if (batch->labels)
        SPUR__TRY(spur_tally_add(s->batch_pass.tally, network_output(n), rows, n->outputs,
                                 batch->labels, err));
    spur_tally_merge(s->train_pass.tally, s->batch_pass.tally);
    s->train_pass.loss_sum += s->batch_pass.loss_sum;
    s->train_pass.samples += s->batch_pass.samples;
    s->samples_here += s->batch_pass.samples;
    s->batches_here++;
    return SPUR_OK;
}

/* One batch up to its loss. */
static spur_status forward_batch(session *s, spur_batch *batch, spur_error *err) {
    double waited = spur__monotonic();
    SPUR__TRY(spur_loader_next(s->train_loader, batch, err));
    perf_batch(spur__monotonic() - waited, batch->count);
    SPUR__TRY(network_feed(&s->net, batch, err));
    spur_net_set_step(s->net.net, (uint64_t)(s->at.epoch * s->batches + s->at.batch));
    spur_status status = spur_net_forward(s->net.net, SPUR_TRAIN, err);
    return status == SPUR_E_NUMERIC ? explain_nan(s, err) : status;
}

static spur_status run_batch(session *s, float scale, spur_error *err) {
    spur_batch batch;
    SPUR__TRY(forward_batch(s, &batch, err));
    SPUR__TRY(spur_net_backward(s->net.net, scale, err));
    s->at.batch++;
    return count_batch(s, &batch, err);
}

static spur_status clip(session *s, bool wanted, spur_error *err) {
    s->gradient_norm = NAN;
    if (s->train->clip_norm > 0)
        SPUR__TRY(spur_clip_gradient_norm(s->net.net, s->train->clip_norm, &s->gradient_norm, err));
    else if (wanted)
        s->gradient_norm = spur_gradient_norm(s->net.net);
    if (wanted && !isfinite(s->gradient_norm))
        return spur__fail(err, SPUR_E_NUMERIC, "the gradients are not finite");
    if (s->train->clip_value > 0) spur_clip_gradient_value(s->net.net, s->train->clip_value);
    return SPUR_OK;
}

/* Gradients of `group` batches, clipped, and one update. */
static spur_status update_by_stored_gradients(session *s, int64_t group, bool log,
                                              spur_error *err) {
    spur_net_zero_gradients(s->net.net);
    for (int64_t i = 0; i < group; i++) SPUR__TRY(run_batch(s, 1.0f / (float)group, err));
    spur_status status = clip(s, log, err);
    if (status == SPUR_E_NUMERIC) return explain_nan(s, err);
    SPUR__TRY(status);
    SPUR__TRY(spur_scheduler_apply(s->scheduler, s->optimizer, (uint64_t)s->at.step, err));
    return spur_optimizer_step(s->optimizer, err);
}

/* The same from one batch of which nobody needs the gradients: large ones are never stored. */
static spur_status update_at_once(session *s, bool log, spur_error *err) {
    spur_batch batch;
    SPUR__TRY(forward_batch(s, &batch, err));
    SPUR__TRY(spur_scheduler_apply(s->scheduler, s->optimizer, (uint64_t)s->at.step, err));
    s->gradient_norm = NAN;
    SPUR__TRY(spur_optimizer_backward_step(s->optimizer, 1, log ? &s->gradient_norm : NULL, err));
    s->at.batch++;
    SPUR__TRY(count_batch(s, &batch, err));
    if (!log || isfinite(s->gradient_norm)) return SPUR_OK;
    spur__fail(err, SPUR_E_NUMERIC, "the gradients are not finite");
    return explain_nan(s, err);
}

static bool every(int64_t period, int64_t step) {
    return period > 0 && step % period == 0;
}

static void log_step(session *s) {
    spur_writer *log = s->run_log.writers[RUN_LOG_TRAIN];
    char tag[METRIC_NAME + 16];
    pass_result now = pass_finish(&s->batch_pass, &s->measures);
    spur_log_scalar(log, "batch_loss", s->at.step, now.loss);
    for (size_t i = 0; i < s->measures.count; i++) {
        snprintf(tag, sizeof tag, "batch_%s", s->measures.items[i].name);
        spur_log_scalar(log, tag, s->at.step, now.values[i]);
    }
    spur_log_scalar(log, "batch_learning_rate", s->at.step, spur_optimizer_lr(s->optimizer, 0));
    if (isfinite(s->gradient_norm))
        spur_log_scalar(log, "batch_gradient_norm", s->at.step, s->gradient_norm);
}

/* One update from up to `accumulate` batches. */
static spur_status run_step(session *s, spur_error *err) {
    int64_t left = s->batches - s->at.batch;
    int64_t group = left < s->train->accumulate ? left : s->train->accumulate;
    bool log = every(s->log->scalars_every, s->at.step + 1);
    bool last = s->at.batch + group == s->batches && s->log->histograms_every < 0;
    bool histograms = last || every(s->log->histograms_every, s->at.step + 1);
    bool clips = s->train->clip_norm > 0 || s->train->clip_value > 0;
    if (group > 1 || clips || (histograms && s->log->gradients))
        SPUR__TRY(update_by_stored_gradients(s, group, log, err));
    else
        SPUR__TRY(update_at_once(s, log, err));
    if (s->ema) spur_ema_update(s->ema);
    s->at.step++;
    if (log) log_step(s);
    if (histograms) session_log_histograms(s, s->log->gradients);
    return SPUR_OK;
}

static void show_progress(session *s) {
    char label[48], values[256], loss[32], value[32];
    double elapsed = spur__monotonic() - s->started;
    int64_t total = s->train->epochs * s->batches;
    int64_t done = s->at.epoch * s->batches + s->at.batch;
    if (!s->term->bars) return;
    pass_result now = {.loss = s->train_pass.loss_sum / s->train_pass.samples};
    snprintf(label, sizeof label, "Epoch %lld/%lld", (long long)s->at.epoch + 1,
             (long long)s->train->epochs);
    const measure *first = &s->measures.items[0];
    now.values[0] = first->kind->value(s->train_pass.tally, first->options);
    format_value(now.loss, loss, sizeof loss);
    format_value(now.values[0], value, sizeof value);
    snprintf(values, sizeof values, "loss %s  %s %s", loss, first->name, value);
    progress p = {.label = label,
                  .done = s->at.batch,
                  .total = s->batches,
                  .values = values,
                  .unit = s->info->height * s->info->width > 1 ? "img" : "rows",
                  .rate = s->samples_here / elapsed,
                  .left = elapsed / (double)s->batches_here * (double)(total - done)};
    terminal_progress(s->term, &p);
}

/* What the position alone says; also where a continued run finds itself. */
static outcome where_we_are(const session *s) {
    if (s->train->max_steps > 0 && s->at.step >= s->train->max_steps) return STEPS_OVER;
    return s->at.batch == s->batches ? EPOCH_OVER : GO_ON;
}

static outcome after_step(session *s, spur_error *err) {
    show_progress(s);
    if (stop_requested()) return INTERRUPTED;
    if (s->deadline > 0 && spur__monotonic() >= s->deadline) return TIME_OVER;
    outcome here = where_we_are(s);
    if (here != GO_ON) return here;
    if (!every(s->train->checkpoint_every, s->at.step)) return GO_ON;
    if (run_log_check(&s->run_log, err) != SPUR_OK) return FAILED;
    return checkpoint_save(s, err) == SPUR_OK ? GO_ON : FAILED;
}

static outcome run_batches(session *s, spur_error *err) {
    if (spur_loader_seek(s->train_loader, (uint32_t)s->at.epoch, (size_t)s->at.batch, err) !=
        SPUR_OK)
        return FAILED;
    outcome result = where_we_are(s);
    while (result == GO_ON) result = run_step(s, err) == SPUR_OK ? after_step(s, err) : FAILED;
    return result;
}

static bool improved(const session *s, double value) {
    if (!isfinite(value)) return false;
    if (!s->at.has_best) return true;
    double delta = s->train->min_delta;
    return s->measures.monitor_maximize ? value > s->at.best + delta : value < s->at.best - delta;
}

/* Remembers the best epoch; true when this one is it. */
static bool judge(session *s, const epoch_record *r) {
    const measures *m = &s->measures;
    if (m->monitor_validation && !r->validated) return false;
    double value =
        pass_column(m->monitor_validation ? &r->validation : &r->train, m->monitor_column);
    spur_scheduler_observe(s->scheduler, value, m->monitor_maximize);
    if (!improved(s, value)) {
        s->at.bad_epochs++;
        int64_t patience = s->train->early_stopping;
        s->at.stopped_early = patience > 0 && s->at.bad_epochs >= patience;
        return false;
    }
    s->at.has_best = true;
    s->at.best = value;
    s->at.best_epoch = r->epoch;
    s->at.best_step = r->step;
    s->at.bad_epochs = 0;
    return true;
}

/* "loss 0.1234|0.2345": training, and validation where there was one. */
static void put_pair(spur__str *line, const char *name, const epoch_record *r, size_t column) {
    char value[32];
    format_value(pass_column(&r->train, column), value, sizeof value);
    spur__str_printf(line, "  %s %s", name, value);
    if (!r->validated) return;
    format_value(pass_column(&r->validation, column), value, sizeof value);
    spur__str_printf(line, "|%s", value);
}

static void say_epoch(session *s, const epoch_record *r, bool best, double seconds) {
    spur__str line;
    char time[32];
    spur__str_init(&line, 2048);
    format_duration(seconds, time, sizeof time);
    spur__str_printf(&line, "Epoch %lld/%lld  %s", (long long)r->epoch, (long long)s->train->epochs,
                     time);
    put_pair(&line, "loss", r, 0);
    for (size_t i = 0; i < s->measures.count; i++)
        put_pair(&line, s->measures.items[i].name, r, i + 1);
    terminal_say(s->term, "%s%s", spur__str_text(&line), best ? "  *" : "");
    spur__str_free(&line);
}

static void json_result(spur__str *out, const measures *m, const char *prefix,
                        const pass_result *r) {
    spur__str_printf(out, ",\"%sloss\":", prefix);
    spur__str_double(out, r->loss);
    for (size_t i = 0; i < m->count; i++) {
        spur__str_printf(out, ",\"%s%s\":", prefix, m->items[i].name);
        spur__str_double(out, r->values[i]);
    }
}

static void json_epoch(session *s, const epoch_record *r, bool best) {
    spur__str line;
    if (!s->term->json) return;
    spur__str_init(&line, 1 << 16);
    spur__str_printf(&line, "{\"event\":\"epoch\",\"epoch\":%lld,\"step\":%lld",
                     (long long)r->epoch, (long long)r->step);
    json_result(&line, &s->measures, "", &r->train);
    if (r->validated) json_result(&line, &s->measures, "val_", &r->validation);
    spur__str_puts(&line, ",\"learning_rate\":");
    spur__str_double(&line, r->learning_rate);
    spur__str_printf(&line, ",\"best\":%s}", best ? "true" : "false");
    terminal_json(s->term, spur__str_text(&line));
    spur__str_free(&line);
}

enum { MOST_PICTURES = 100 };

/* Validates after every so many epochs and after the last. */
static bool validation_due(const session *s, int64_t epoch, bool last) {
    return s->val_loader && (last || epoch % s->train->validate_every == 0);
}

/* Pictures take longer than an epoch of a small training: a hundred show how it went. */
static int64_t picture_period(const session *s) {
    if (s->log->images_every > 0) return s->log->images_every;
    return 1 + (s->train->epochs - 1) / MOST_PICTURES;
}

static spur_status validate_epoch(session *s, epoch_record *r, bool last, spur_error *err) {
    gallery shots = {.count = 0};
    bool pictures = session_wants_pictures(s) && (last || every(picture_period(s), r->epoch));
    if (pictures) SPUR__TRY(gallery_init(&shots, s, GALLERY_FIRST, err));
    spur_status status = session_validate(s, pictures ? &shots : NULL, &r->validation, err);
    if (status == SPUR_OK && pictures) status = session_log_pictures(s, &shots, r->epoch, err);
    gallery_free(&shots);
    r->validated = true;
    return status;
}

/* What status.ini says now. */
static run_status status_of(const session *s, run_state state, int exit_code, const char *message) {
    return (run_status){.state = state,
                        .exit_code = exit_code,
                        .epoch = s->at.epoch,
                        .step = s->at.step,
                        .message = message,
                        .monitor = s->at.has_best ? s->measures.monitor_name : NULL,
                        .maximize = s->measures.monitor_maximize,
                        .best = s->at.best,
                        .best_epoch = s->at.best_epoch};
}

static spur_status end_epoch(session *s, bool last, spur_error *err) {
    epoch_record r = {.epoch = s->at.epoch + 1, .step = s->at.step};
    r.train = pass_finish(&s->train_pass, &s->measures);
    r.learning_rate = spur_optimizer_lr(s->optimizer, 0);
    perf_epoch_trained();
    if (validation_due(s, r.epoch, last)) SPUR__TRY(validate_epoch(s, &r, last, err));
    bool best = judge(s, &r);
    SPUR__TRY(run_log_epoch(&s->run_log, &r, err));
    double seconds = perf_log(s, r.epoch);
    say_epoch(s, &r, best, seconds);
    json_epoch(s, &r, best);
    s->at.epoch++;
    s->at.batch = 0;
    s->last = r;
    pass_reset(&s->train_pass);
    SPUR__TRY(checkpoint_epoch(s, err));
    if (s->is_behind) return SPUR_OK; /* it says what is saved */
    run_status now = status_of(s, RUN_RUNNING, EXIT_DONE, NULL);
    return run_write_status(&s->run, &now, err);
}

static int failed(session *s, spur_error *err) {
    (void)checkpoint_link_best(s, NULL);
    if (s->has_run_log) {
        spur_log_hparams_end(s->run_log.writers[RUN_LOG_RUN], SPUR_LOG_FAILURE, NULL);
        run_log_close(&s->run_log, NULL);
        s->has_run_log = false;
    }
    run_status now = status_of(s, RUN_FAILED, EXIT_FAILED, err->message);
    run_write_status(&s->run, &now, NULL);
    return EXIT_FAILED;
}

/* Leaves at a position that is saved. */
static int leave(session *s, outcome why) {
    run_log_close(&s->run_log, NULL);
    s->has_run_log = false;
    bool in_time = why == TIME_OVER;
    run_status now = status_of(s, RUN_INTERRUPTED, in_time ? EXIT_DONE : EXIT_INTERRUPTED,
                               in_time ? "train.max_time is over" : "stopped by a signal");
    run_write_status(&s->run, &now, NULL);
    spur__str path;
    spur__str_init(&path, 1 << 16);
    put_shell_word(&path, s->run.path);
    terminal_say(s->term, "Stopped at step %lld and saved. To continue: spur resume %s",
                 (long long)s->at.step, spur__str_text(&path));
    spur__str_free(&path);
    return now.exit_code;
}

static int save_and_leave(session *s, outcome why, spur_error *err) {
    return checkpoint_save(s, err) == SPUR_OK ? leave(s, why) : failed(s, err);
}

/* The last checkpoint is what a run continues from that was stopped in here: the best
 * weights are in the network now, and what was logged since is cut off then. */
static int finish(session *s, const char *why, run_state state, spur_error *err) {
    if (s->is_behind && checkpoint_save(s, err) != SPUR_OK) return failed(s, err);
    spur_status status = session_log_end(s, err);
    if (status == SPUR_E_INTERRUPTED) return leave(s, INTERRUPTED);
    if (status != SPUR_OK) return failed(s, err);
    status = run_log_close(&s->run_log, err);
    s->has_run_log = false;
    if (status != SPUR_OK) return failed(s, err);
    run_status now = status_of(s, state, EXIT_DONE, why);
    return run_write_status(&s->run, &now, err) == SPUR_OK ? EXIT_DONE : EXIT_FAILED;
}

/* Asks the pruner of the sweep, if this run is one of its trials. Asked at the start of an epoch,
 * not at the end of the one before, so that a trial continued from a checkpoint is asked too. */
static spur_status ask_pruner(const session *s, bool *stop, spur_error *err) {
    *stop = false;
    if (s->at.epoch == 0) return SPUR_OK;
    return trial_should_stop(&s->trial, s->measures.monitor_name, s->measures.monitor_maximize,
                             (size_t)s->at.epoch, stop, err);
}

/* Epochs are behind us, or the steps, and the epoch in which they ended is closed. */
bool session_is_over(const session *s) {
    return s->at.epoch >= s->train->epochs || s->at.stopped_early ||
           (where_we_are(s) == STEPS_OVER && s->at.batch == 0);
}

/* A sweep compares what its trials reach in the time that they have. */
static int finish_in_time(session *s, spur_error *err) {
    if (s->at.epoch > 0) return finish(s, "train.max_time is over", RUN_DONE, err);
    spur__fail(err, SPUR_E_RANGE,
               "train.max_time was over after step %lld, before the first epoch had ended",
               (long long)s->at.step);
    return failed(s, err);
}

static int train_epochs(session *s, spur_error *err) {
    bool pruned = false;
    while (!session_is_over(s)) {
        if (ask_pruner(s, &pruned, err) != SPUR_OK) return failed(s, err);
        if (pruned) return finish(s, "stopped by the sweep's pruner", RUN_PRUNED, err);
        outcome why = run_batches(s, err);
        if (why == TIME_OVER && s->trial.active) return finish_in_time(s, err);
        if (why == INTERRUPTED || why == TIME_OVER) return save_and_leave(s, why, err);
        if (why == FAILED) return failed(s, err);
        bool last = s->at.epoch + 1 == s->train->epochs || why == STEPS_OVER;
        spur_status status = end_epoch(s, last, err);
        if (status == SPUR_E_INTERRUPTED) return save_and_leave(s, INTERRUPTED, err);
        if (status != SPUR_OK) return failed(s, err);
        if (!stop_requested()) continue;
        return s->is_behind ? save_and_leave(s, INTERRUPTED, err) : leave(s, INTERRUPTED);
    }
    return finish(s, s->at.stopped_early ? "stopped early" : NULL, RUN_DONE, err);
}

int session_train(session *s, spur_error *err) {
    s->started = spur__monotonic();
    perf_reset();
    if (trial_open(&s->trial, s->run.path, err) != SPUR_OK) return failed(s, err);
    int status = train_epochs(s, err);
    trial_close(&s->trial);
    return status;
}
