/* SPDX-License-Identifier: MIT
 *
 * Opening a training: data, samplers, network, optimizer; see session.h.
 */
#include "train/session.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "command.h"
#include "data/transforms/augment.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "data/sampler.h"
#include "nn/optimizer.h"
#include "nn/scheduler.h"
#include "train/card.h"
#include "run/outcome.h"
#include "train/checkpoint.h"

static const spur__balance *balance_of(const config *cfg) {
    return config_common(cfg, SECTION_BALANCE, spur__balance);
}

static spur_status open_data(session *s, spur_error *err) {
    const config_part *part = &s->cfg->parts[SECTION_DATA];
    const spur__dataset_kind *kind = (const spur__dataset_kind *)part->kind;
    SPUR__TRY(spur__data_open(&s->data, kind, part->options, err));
    s->info = spur_data_describe(s->data);
    if (s->info->samples[SPUR_SPLIT_TRAIN] == 0)
        return config_fail(s->cfg, SECTION_DATA, "path", SPUR_E_NOTFOUND, err,
                           "no training samples");
    return SPUR_OK;
}

/* So many samples, spread evenly over the split, as train.limit_batches leaves: the first ones
 * would be of one class where the data are sorted. 0: all. Of train.overfit it is those that are
 * trained on. */
static size_t validation_limit(const session *s) {
    const spur__data_common *common = s->cfg->parts[SECTION_DATA].options;
    size_t batches = (size_t)s->train->limit_batches, all = s->info->samples[s->val_split];
    if (s->train->overfit > 0) return (size_t)s->train->overfit;
    return batches < all ? batches * (size_t)common->batch_size : 0;
}

/* Overfitting means the very same samples, unchanged. */
static spur_status open_loaders(session *s, spur_error *err) {
    const spur__augment *augment = config_common(s->cfg, SECTION_AUGMENT, spur__augment);
    const spur__data_common *common = s->cfg->parts[SECTION_DATA].options;
    bool overfit = s->train->overfit > 0;
    bool weighted = balance_of(s->cfg)->method == SPUR__BALANCE_WEIGHTED_SAMPLER;
    spur__loader_config train = {.split = SPUR_SPLIT_TRAIN,
                                 .seed = (uint64_t)s->run_options->seed,
                                 .sampler = weighted && !overfit ? "weighted" : NULL,
                                 .augment = overfit ? NULL : augment,
                                 .drop_last = common->drop_last && !overfit,
                                 .limit = (size_t)s->train->overfit};
    SPUR__TRY(spur__augment_check(augment, s->info, err));
    SPUR__TRY(spur__loader_create(&s->train_loader, s->data, &train, err));
    s->val_split = overfit ? SPUR_SPLIT_TRAIN : SPUR_SPLIT_VALIDATION;
    if (!overfit && s->info->samples[SPUR_SPLIT_VALIDATION] == 0) return SPUR_OK;
    spur__loader_config validation = {.split = s->val_split,
                                      .seed = train.seed,
                                      .sampler = "sequential",
                                      .limit = validation_limit(s)};
    return spur__loader_create(&s->val_loader, s->data, &validation, err);
}

static spur_status count_batches(session *s, spur_error *err) {
    int64_t limit = s->train->limit_batches;
    s->batches = (int64_t)spur_loader_batches(s->train_loader);
    s->val_batches = s->val_loader ? (int64_t)spur_loader_batches(s->val_loader) : 0;
    if (limit > 0 && limit < s->batches) s->batches = limit;
    if (s->batches == 0)
        return config_fail(s->cfg, SECTION_DATA, "batch_size", SPUR_E_RANGE, err,
                           "no full batch in %zu training samples (see data.drop_last)",
                           s->info->samples[SPUR_SPLIT_TRAIN]);
    s->steps_per_epoch = (s->batches + s->train->accumulate - 1) / s->train->accumulate;
    return SPUR_OK;
}

static spur_status check_balance(const session *s, spur_error *err) {
    if (balance_of(s->cfg)->method == SPUR__BALANCE_NONE || s->info->classes > 0) return SPUR_OK;
    return config_fail(s->cfg, SECTION_BALANCE, "method", SPUR_E_TYPE, err,
                       "the data have no classes to balance");
}

static spur_status weigh_classes(session *s, spur_error *err) {
    const spur__balance *b = balance_of(s->cfg);
    if (b->method != SPUR__BALANCE_CLASS_WEIGHTS) return SPUR_OK;
    s->class_weights = spur__malloc_array(s->info->classes, sizeof *s->class_weights);
    if (!s->class_weights) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur__class_weights(s->info->class_counts, s->info->classes, (spur__class_weighting)b->weights,
                        b->beta, s->class_weights);
    return SPUR_OK;
}

static spur_status build(session *s, spur_error *err) {
    const spur__augment *augment = config_common(s->cfg, SECTION_AUGMENT, spur__augment);
    const spur__data_common *common = s->cfg->parts[SECTION_DATA].options;
    network_shape shape = network_shape_of(s->info);
    shape.batch = (int)common->batch_size;
    shape.soft = spur__augment_soft(augment) && s->train->overfit == 0;
    shape.class_weights = s->class_weights;
    SPUR__TRY(network_build(&s->net, s->cfg, &shape, err));
    return s->has_own_weights ? SPUR_OK : network_load_weights(&s->net, s->cfg, s->term, err);
}

/* PyTorch's optimizers refuse an empty list of parameters, too. */
static spur_status check_trainable(const session *s, spur_error *err) {
    if (spur_net_trainable_count(s->net.net) > 0) return SPUR_OK;
    return config_fail(s->cfg, SECTION_MODEL, "freeze", SPUR_E_ARGUMENT, err,
                       "all parameters are frozen: there is nothing to train (`spur summary` lists "
                       "them)");
}

static spur_status make_schedule(session *s, spur_error *err) {
    const config_part *part = &s->cfg->parts[SECTION_SCHEDULER];
    spur_schedule_span span = {.steps_per_epoch = (uint64_t)s->steps_per_epoch,
                               .epochs = (uint64_t)s->train->epochs};
    s->scheduler =
        spur__scheduler_create((const spur__scheduler_kind *)part->kind, part->options, &span, err);
    return s->scheduler ? SPUR_OK : err ? err->status : SPUR_E_ARGUMENT;
}

static spur_status make_optimizer(session *s, spur_error *err) {
    const config_part *part = &s->cfg->parts[SECTION_OPTIMIZER];
    const spur__optimizer_kind *kind = (const spur__optimizer_kind *)part->kind;
    bool cycled = spur_scheduler_momentum(s->scheduler, 0) >= 0;
    double factor = config_common(s->cfg, SECTION_MODEL, model_settings)->head_lr;
    if (cycled && !kind->momentum)
        return config_fail(s->cfg, SECTION_SCHEDULER, "cycle_momentum", SPUR_E_ARGUMENT, err,
                           "found true, but %s has no momentum to move: expected false",
                           kind->kind.name);
    s->optimizer = spur__optimizer_create(s->net.net, kind, part->options, cycled, err);
    if (!s->optimizer) return err ? err->status : SPUR_E_ARGUMENT;
    if (factor == 1) return SPUR_OK;
    spur__str text;
    spur__str_init(&text, 64);
    spur__str_puts(&text, "lr=");
    spur__str_double(&text, spur_optimizer_base_lr(s->optimizer, 0) * factor);
    spur_status status =
        spur_optimizer_add_group(s->optimizer, s->net.model->head, spur__str_text(&text), err);
    spur__str_free(&text);
    return status;
}

/* A schedule with a rate of its own (one_cycle's max_lr) has it for all layers. */
static spur_status check_head_rate(const session *s, spur_error *err) {
    double all = spur_optimizer_base_lr(s->optimizer, 0);
    double head = spur_optimizer_group_count(s->optimizer) > 1
                      ? spur_optimizer_base_lr(s->optimizer, 1)
                      : all;
    if (all == head ||
        spur_scheduler_lr(s->scheduler, all, 0) != spur_scheduler_lr(s->scheduler, head, 0))
        return SPUR_OK;
    return config_fail(s->cfg, SECTION_MODEL, "head_lr", SPUR_E_ARGUMENT, err,
                       "head_lr would do nothing: the schedule has one highest rate for all layers "
                       "(scheduler.max_lr = auto takes optimizer.lr, and head_lr times that)");
}

static spur_status make_averages(session *s, spur_error *err) {
    if (s->train->ema == 0) return SPUR_OK;
    s->ema = spur_ema_create(s->net.net, s->train->ema, err);
    return s->ema ? SPUR_OK : err ? err->status : SPUR_E_MEMORY;
}

/* Everything that follows from the data. */
static spur_status open_rest(session *s, spur_error *err) {
    SPUR__TRY(check_balance(s, err));
    SPUR__TRY(open_loaders(s, err));
    SPUR__TRY(count_batches(s, err));
    SPUR__TRY(measures_init(&s->measures, s->cfg, s->info, s->val_loader != NULL, err));
    SPUR__TRY(weigh_classes(s, err));
    SPUR__TRY(build(s, err));
    SPUR__TRY(make_schedule(s, err));
    SPUR__TRY(make_optimizer(s, err));
    SPUR__TRY(check_head_rate(s, err));
    SPUR__TRY(make_averages(s, err));
    SPUR__TRY(pass_init(&s->train_pass, s->info, err));
    SPUR__TRY(pass_init(&s->batch_pass, s->info, err));
    return pass_init(&s->val_pass, s->info, err);
}

static void begin(session *s, const config *cfg, terminal *term) {
    *s = (session){.cfg = cfg, .term = term, .run = {.lock = -1}, .started = spur__monotonic()};
    s->run_options = config_common(cfg, SECTION_RUN, run_settings);
    s->train = config_common(cfg, SECTION_TRAIN, train_settings);
    s->log = config_common(cfg, SECTION_LOG, log_settings);
    double limit = duration_seconds(s->train->max_time);
    if (limit > 0) s->deadline = s->started + limit;
}

spur_status session_open(session *s, const config *cfg, const session_origin *origin,
                         terminal *term, spur_error *err) {
    spur_error detail = {.status = SPUR_OK};
    static const session_origin none;
    if (!origin) origin = &none;
    begin(s, cfg, term);
    s->has_own_weights = origin->has_own_weights;
    spur_status status = open_data(s, &detail);
    if (status == SPUR_OK && origin->same_data)
        status = card_check(origin->same_data, s->info, &detail);
    if (status == SPUR_OK && origin->same_classes)
        status = card_fit(origin->same_classes, s->data, &detail);
    if (status == SPUR_OK) status = open_rest(s, &detail);
    if (status == SPUR_OK && !origin->is_shown) status = check_trainable(s, &detail);
    if (status != SPUR_OK) {
        session_close(s);
        if (err) *err = detail;
    }
    return status;
}

void session_close(session *s) {
    if (s->has_run_log) run_log_close(&s->run_log, NULL);
    s->has_run_log = false;
    run_close(&s->run);
    pass_free(&s->train_pass);
    pass_free(&s->batch_pass);
    pass_free(&s->val_pass);
    spur_ema_destroy(s->ema);
    spur_scheduler_destroy(s->scheduler);
    spur_optimizer_destroy(s->optimizer);
    network_free(&s->net);
    measures_free(&s->measures);
    spur__free(s->class_weights);
    spur_loader_destroy(s->val_loader);
    spur_loader_destroy(s->train_loader);
    if (!s->data_shared) spur_data_close(s->data);
    *s = (session){.run = {.lock = -1}};
}

void shared_data_free(shared_data *d) {
    for (size_t i = 0; i < d->count; i++) {
        spur_data_close(d->entries[i].data);
        spur__free(d->entries[i].text);
    }
    spur__free(d->entries);
    *d = (shared_data){.count = 0};
}

static void put_data_option(void *text, const char *section, const char *key, const char *value,
                            const char *initial) {
    (void)initial;
    if (strcmp(section, section_specs[SECTION_DATA].name) == 0)
        spur__str_printf(text, "%s = %s\n", key, value);
}

/* Appends an entry, taking the text over; NULL when out of memory. */
static struct shared_entry *add_shared(shared_data *d, char *text) {
    struct shared_entry *grown =
        text ? spur__realloc_array(d->entries, d->count + 1, sizeof *grown) : NULL;
    if (!grown) {
        spur__free(text);
        return NULL;
    }
    d->entries = grown;
    d->entries[d->count] = (struct shared_entry){.text = text};
    return &d->entries[d->count++];
}

/* The session's data out of those that are open already, or opened here. */
static spur_status share_data(session *s, shared_data *d, spur_error *err) {
    spur__str text;
    struct shared_entry *found = NULL;
    spur__str_init(&text, 1 << 20);
    config_each(s->cfg, put_data_option, &text);
    for (size_t i = 0; !found && i < d->count; i++)
        if (strcmp(d->entries[i].text, spur__str_text(&text)) == 0) found = &d->entries[i];
    if (found) {
        spur__str_free(&text);
    } else {
        found = add_shared(d, spur__str_take(&text));
        if (!found) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
        if (open_data(s, &found->fault) == SPUR_OK) found->data = s->data;
    }
    if (!found->data) {
        *err = found->fault;
        return err->status;
    }
    s->data = found->data;
    s->data_shared = true;
    s->info = spur_data_describe(s->data);
    return SPUR_OK;
}

spur_status session_try(const config *cfg, shared_data *data, terminal *term, spur_error *err) {
    session s;
    spur_error detail = {.status = SPUR_OK};
    begin(&s, cfg, term);
    spur_status status = share_data(&s, data, &detail);
    if (status == SPUR_OK) status = open_rest(&s, &detail);
    if (status == SPUR_OK) status = check_trainable(&s, &detail);
    session_close(&s);
    if (status != SPUR_OK) *err = detail;
    return status;
}

/* stdout.log and the first status.ini. */
static spur_status announce(session *s, spur_error *err) {
    char *path = run_path(&s->run, "stdout.log");
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = terminal_copy_to(s->term, path, err);
    spur__free(path);
    if (status != SPUR_OK) return status;
    run_status now = {.state = RUN_RUNNING, .epoch = s->at.epoch, .step = s->at.step};
    return run_write_status(&s->run, &now, err);
}

static spur_status open_run_log(session *s, const run_log_position *from, spur_error *err) {
    SPUR__TRY(run_log_open(&s->run_log, &s->run, s->log->flush_secs, s->val_loader != NULL,
                           &s->measures, from, err));
    s->has_run_log = true;
    return SPUR_OK;
}

/* The files of a run whose status says that it is running. */
static spur_status open_files(session *s, const run_log_position *from, spur_error *err) {
    if (from) return open_run_log(s, from, err);
    SPUR__TRY(open_run_log(s, NULL, err));
    return session_log_start(s, err);
}

/* The same; a run that comes no further has failed, and says so. */
static spur_status go(session *s, const run_log_position *from, spur_error *err) {
    SPUR__TRY(announce(s, err));
    spur_status status = open_files(s, from, err);
    run_status now = {.state = RUN_FAILED,
                      .exit_code = EXIT_FAILED,
                      .epoch = s->at.epoch,
                      .step = s->at.step,
                      .message = err->message};
    if (status != SPUR_OK) run_write_status(&s->run, &now, NULL);
    return status;
}

spur_status session_start(session *s, int argc, char **argv, spur_error *err) {
    SPUR__TRY(run_create(&s->run, s->run_options->logdir, s->run_options->name, err));
    SPUR__TRY(run_describe(&s->run, s->cfg, argc, argv, network_threads(s->cfg), err));
    SPUR__TRY(card_write(&s->run, s->info, err));
    return go(s, NULL, err);
}

/* Writes what was amended into the run, if it leads anywhere. */
static spur_status amend(session *s, const resume_overrides *a, spur_error *err) {
    if (a->run_is_done && session_is_over(s))
        return spur__fail(
            err, SPUR_E_ARGUMENT, "%s: this run is done, and stays so: %lld epochs, %lld steps%s",
            s->run.path, (long long)s->at.epoch, (long long)s->at.step,
            s->at.stopped_early ? ", stopped early (a larger train.early_stopping continues it)"
                                : "");
    if (a->count == 0) return SPUR_OK;
    return run_describe_change(&s->run, s->cfg, a->argc, a->argv, err);
}

/* What was checked before the lock was ours may have been the end of another process's work. */
static spur_status check_unchanged(const char *path, const resume_overrides *a, spur_error *err) {
    run_outcome o;
    SPUR__TRY(run_outcome_left(path, &o, err));
    if (o.verdict == VERDICT_DAMAGED) return spur__fail(err, SPUR_E_DAMAGED, "%s", o.message);
    if (a->run_is_done || o.verdict != VERDICT_DONE) return SPUR_OK;
    return spur__fail(err, SPUR_E_STATE, "%s: another process has ended this run meanwhile", path);
}

spur_status session_resume(session *s, const char *path, const resume_overrides *a,
                           spur_error *err) {
    run_log_position from;
    bool found = false;
    SPUR__TRY(run_open(&s->run, path, err));
    SPUR__TRY(check_unchanged(path, a, err));
    SPUR__TRY(checkpoint_load_last(s, &from, &found, err));
    SPUR__TRY(amend(s, a, err));
    SPUR__TRY(found ? checkpoint_mend(s, err) : run_log_discard(&s->run, err));
    return go(s, found ? &from : NULL, err);
}
