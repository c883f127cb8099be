/* SPDX-License-Identifier: MIT
 *
 * The loader: threads prepare whole batches into a ring of slots, the caller takes them in order.
 *
 * Ticket t (the t-th batch since the last seek) lives in slot t % slots. A thread may draw ticket
 * `issued` while issued - released < slots, fills its slot without the lock and marks it ready; the
 * caller waits for ticket `taken`, and releases a slot when it asks for the next batch. What a batch
 * holds is a pure function of its epoch and index, so neither threads nor timing can change it.
 */
#include "data/loader.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/transforms/mix.h"
#include "data/pipeline.h"
#include "data/sampler.h"

typedef struct slot {
    bool ready;
    uint32_t epoch;
    size_t index, first, count; /* batch of the epoch, its first draw, its samples */
    uint32_t *samples; /* [batch_size] positions in the split */
    float *input;
    int32_t *labels;
    float *targets;
    spur_status status;
    spur_error error;
} slot;

/* What one thread needs for itself. */
typedef struct worker {
    spur_loader *loader;
    pthread_t thread;
    spur__workspace workspace;
    float *last; /* one sample, for mixing */
} worker;

struct spur_loader {
    const spur_data *data;
    spur_split split;
    size_t batch_size, count, batches;
    uint64_t seed;
    bool drop_last, soft, augmented;
    spur__augment augment;
    spur__sampler *sampler;
    uint32_t *order; /* [sampler->count] of epoch order_epoch */
    uint32_t order_epoch;
    bool order_known;
    slot *slots;
    size_t slot_count;
    worker *workers; /* one even without threads */
    size_t worker_count, threads;
    pthread_mutex_t lock;
    pthread_cond_t work, ready; /* a slot became free; a slot became ready or a thread idle */
    uint64_t issued, taken, released;
    uint32_t issue_epoch, epoch; /* of the next ticket; of the caller */
    size_t issue_batch, batch;
    size_t busy; /* threads that fill a slot */
    bool paused, stop;
    _Atomic bool cancel; /* what is being filled is not wanted any more */
};

static size_t input_floats(const spur_loader *l) {
    const spur_data_info *info = &l->data->info;
    return (size_t)info->height * (size_t)info->width * (size_t)info->channels;
}

static size_t label_count(const spur_loader *l) {
    const spur_data_info *info = &l->data->info;
    if (info->task == SPUR_REGRESSION) return 0;
    return info->task == SPUR_SEGMENTATION ? (size_t)info->height * (size_t)info->width : 1;
}

static size_t target_count(const spur_loader *l) {
    if (l->soft) return l->data->info.classes;
    return l->data->info.task == SPUR_REGRESSION ? l->data->info.targets : 0;
}

/* ---- filling one slot ------------------------------------------------------------------------ */

/* The generator of one sample. Under a sampler that repeats samples every draw has its own. */
static void sample_rng(const spur_loader *l, const slot *s, size_t i, spur__rng *rng) {
    uint64_t draw = l->sampler->kind->weighted ? (uint64_t)(s->first + i + 1) << 32 : 0;
    spur__rng_init(rng, l->seed, SPUR__STREAM_AUGMENT, s->epoch, draw | s->samples[i]);
}

static spur_status fill_sample(const spur_loader *l, slot *s, size_t i, worker *w,
                               spur_error *err) {
    const spur_data *data = l->data;
    uint32_t item = spur__data_item(data, l->split, s->samples[i]);
    bool masks = data->info.task == SPUR_SEGMENTATION;
    spur__rng rng;
    sample_rng(l, s, i, &rng);
    SPUR__TRY(spur__sample_prepare(data, item, l->augmented ? &l->augment : NULL, &rng,
                                   &w->workspace, s->input + i * input_floats(l),
                                   masks ? s->labels + i * label_count(l) : NULL, err));
    if (data->info.task == SPUR_CLASSIFICATION) s->labels[i] = data->items[item].label;
    if (data->info.task == SPUR_REGRESSION)
        memcpy(s->targets + i * target_count(l), data->kind->targets(data, item),
               target_count(l) * sizeof(float));
    return SPUR_OK;
}

static void mix(const spur_loader *l, slot *s, worker *w) {
    const spur_data_info *info = &l->data->info;
    spur__mix parts = {s->input,      s->targets,   s->labels,   w->last,       s->count,
                       info->classes, info->height, info->width, info->channels};
    spur__rng rng;
    spur__rng_init(&rng, l->seed, SPUR__STREAM_MIX, s->epoch, s->index);
    spur__mix_apply(&l->augment, &parts, &rng);
}

static void fill(spur_loader *l, slot *s, worker *w) {
    s->status = SPUR_OK;
    for (size_t i = 0; i < s->count && s->status == SPUR_OK; i++) {
        if (atomic_load_explicit(&l->cancel, memory_order_relaxed)) return;
        s->status = fill_sample(l, s, i, w, &s->error);
    }
    if (s->status == SPUR_OK && l->soft) mix(l, s, w);
}

/* ---- tickets --------------------------------------------------------------------------------- */

/* Assigns the next ticket's batch to its slot. Under the lock. */
static slot *issue(spur_loader *l) {
    slot *s = &l->slots[l->issued++ % l->slot_count];
    if (!l->order_known || l->order_epoch != l->issue_epoch) {
        spur__sampler_order(l->sampler, l->issue_epoch, l->order);
        l->order_epoch = l->issue_epoch;
        l->order_known = true;
    }
    s->ready = false;
    s->epoch = l->issue_epoch;
    s->index = l->issue_batch;
    s->first = s->index * l->batch_size;
    s->count = l->count - s->first < l->batch_size ? l->count - s->first : l->batch_size;
    memcpy(s->samples, l->order + s->first, s->count * sizeof *s->samples);
    if (++l->issue_batch == l->batches) {
        l->issue_batch = 0;
        l->issue_epoch++;
    }
    return s;
}

static void *worker_main(void *context) {
    worker *w = context;
    spur_loader *l = w->loader;
    pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        if (l->paused || l->issued - l->released >= l->slot_count) {
            pthread_cond_wait(&l->work, &l->lock);
            continue;
        }
        slot *s = issue(l);
        l->busy++;
        pthread_mutex_unlock(&l->lock);
        fill(l, s, w);
        pthread_mutex_lock(&l->lock);
        l->busy--;
        s->ready = true;
        pthread_cond_broadcast(&l->ready);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* Waits (or works) until the ticket `taken` is ready. Under the lock. */
static slot *await(spur_loader *l) {
    if (l->threads == 0) {
        slot *s = issue(l);
        fill(l, s, &l->workers[0]);
        return s;
    }
    slot *s = &l->slots[l->taken % l->slot_count];
    while (l->issued <= l->taken || !s->ready) pthread_cond_wait(&l->ready, &l->lock);
    return s;
}

static void hand_out(const spur_loader *l, const slot *s, spur_batch *batch) {
    const spur_data_info *info = &l->data->info;
    *batch = (spur_batch){
        .count = s->count,
        .epoch = s->epoch,
        .index = s->index,
        .height = info->height,
        .width = info->width,
        .channels = info->channels,
        .input = s->input,
        .labels = s->labels,
        .targets = s->targets,
        .samples = s->samples,
    };
}

spur_status spur_loader_next(spur_loader *l, spur_batch *batch, spur_error *err) {
    spur_status status = SPUR_E_END;
    pthread_mutex_lock(&l->lock);
    if (l->released < l->taken) {
        l->released = l->taken;
        pthread_cond_broadcast(&l->work);
    }
    if (l->batch == l->batches) {
        l->batch = 0;
        l->epoch++;
    } else {
        slot *s = await(l);
        l->taken++;
        l->batch++;
        status = s->status;
        if (status == SPUR_OK)
            hand_out(l, s, batch);
        else if (err)
            *err = s->error;
    }
    pthread_mutex_unlock(&l->lock);
    return status;
}

size_t spur_loader_batches(const spur_loader *l) {
    return l->batches;
}

void spur_loader_tell(const spur_loader *l, uint32_t *epoch, size_t *batch) {
    *epoch = l->epoch;
    *batch = l->batch;
}

spur_status spur_loader_seek(spur_loader *l, uint32_t epoch, size_t batch, spur_error *err) {
    if (batch > l->batches)
        return spur__fail(err, SPUR_E_RANGE, "batch %zu of an epoch of %zu", batch, l->batches);
    pthread_mutex_lock(&l->lock);
    l->paused = true;
    atomic_store(&l->cancel, true);
    while (l->busy > 0) pthread_cond_wait(&l->ready, &l->lock);
    atomic_store(&l->cancel, false);
    l->issued = l->taken = l->released = 0;
    for (size_t i = 0; i < l->slot_count; i++) l->slots[i].ready = false;
    l->epoch = epoch;
    l->batch = batch;
    l->issue_epoch = batch == l->batches ? epoch + 1 : epoch;
    l->issue_batch = batch == l->batches ? 0 : batch;
    l->paused = l->batches == 0;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    return SPUR_OK;
}

/* ---- making and unmaking --------------------------------------------------------------------- */

static void free_slots(spur_loader *l) {
    for (size_t i = 0; l->slots && i < l->slot_count; i++) {
        spur__free(l->slots[i].samples);
        spur__free(l->slots[i].input);
        spur__free(l->slots[i].labels);
        spur__free(l->slots[i].targets);
    }
    spur__free(l->slots);
}

static void free_workers(spur_loader *l) {
    for (size_t i = 0; l->workers && i < l->worker_count; i++) {
        spur__workspace_free(&l->workers[i].workspace);
        spur__free(l->workers[i].last);
    }
    spur__free(l->workers);
}

void spur_loader_destroy(spur_loader *l) {
    if (!l) return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    atomic_store(&l->cancel, true);
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; i < l->threads; i++) pthread_join(l->workers[i].thread, NULL);
    pthread_cond_destroy(&l->work);
    pthread_cond_destroy(&l->ready);
    pthread_mutex_destroy(&l->lock);
    free_workers(l);
    free_slots(l);
    spur__sampler_destroy(l->sampler);
    spur__free(l->order);
    spur__free(l);
}

/* Memory of one slot; aligned, so that kernels may read it with whole vectors. */
static bool make_slot(const spur_loader *l, slot *s) {
    size_t inputs, labels = l->batch_size * label_count(l),
                   targets = l->batch_size * target_count(l);
    if (!spur__mul(l->batch_size, input_floats(l), &inputs) || inputs > SIZE_MAX / sizeof(float))
        return false;
    s->samples = spur__malloc_array(l->batch_size, sizeof *s->samples);
    s->input = spur__malloc_aligned(64, inputs * sizeof *s->input);
    if (labels) s->labels = spur__malloc_aligned(64, labels * sizeof *s->labels);
    if (targets) s->targets = spur__malloc_aligned(64, targets * sizeof *s->targets);
    return s->samples && s->input && (!labels || s->labels) && (!targets || s->targets);
}

static spur_status make_memory(spur_loader *l, spur_error *err) {
    bool good;
    l->order = spur__malloc_array(l->sampler->count, sizeof *l->order);
    l->slots = spur__calloc(l->slot_count, sizeof *l->slots);
    l->workers = spur__calloc(l->worker_count, sizeof *l->workers);
    good = l->order && l->slots && l->workers;
    for (size_t i = 0; good && i < l->slot_count; i++) good = make_slot(l, &l->slots[i]);
    for (size_t i = 0; good && i < l->worker_count; i++) {
        l->workers[i].loader = l;
        l->workers[i].last = spur__malloc_array(input_floats(l), sizeof(float));
        good = l->workers[i].last != NULL;
    }
    if (good) return SPUR_OK;
    return spur__fail(err, SPUR_E_MEMORY, "loader: out of memory for batches of %zu samples",
                      l->batch_size);
}

/* Starts the threads with all signals blocked: they belong to the program's own threads. */
static spur_status start_threads(spur_loader *l, size_t count, spur_error *err) {
    sigset_t all, old;
    int failed = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (; l->threads < count && !failed; l->threads += !failed)
        failed = pthread_create(&l->workers[l->threads].thread, NULL, worker_main,
                                &l->workers[l->threads]);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return failed ? spur__fail_errno(err, failed, "loader: cannot start a thread") : SPUR_OK;
}

static void set_sizes(spur_loader *l, const spur__loader_config *config, int workers) {
    l->count = l->data->splits[l->split].count;
    if (config->limit > 0 && config->limit < l->count) l->count = config->limit;
    l->batches = l->count / l->batch_size;
    if (!l->drop_last && l->count % l->batch_size) l->batches++;
    l->worker_count = workers > 0 ? (size_t)workers : 1;
    l->slot_count = workers > 0 ? (size_t)workers + 2 : 1; /* one is with the caller */
    l->paused = l->batches == 0;
}

spur_status spur__loader_create(spur_loader **out, const spur_data *data,
                                const spur__loader_config *config, spur_error *err) {
    static const spur__loader_config defaults;
    spur_status status;
    *out = NULL;
    if (!config) config = &defaults;
    const char *sampler = config->split == SPUR_SPLIT_TRAIN ? "shuffle" : "sequential";
    int workers = config->workers ? config->workers : spur__data_workers(data);
    if (config->augment) SPUR__TRY(spur__augment_check(config->augment, &data->info, err));
    spur_loader *l = spur__calloc(1, sizeof *l);
    if (!l) return spur__fail(err, SPUR_E_MEMORY, "loader: out of memory");
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->ready, NULL);
    l->data = data;
    l->split = config->split;
    l->seed = config->seed;
    l->batch_size = config->batch_size ? config->batch_size : (size_t)data->common->batch_size;
    l->drop_last = config->drop_last;
    l->augmented = config->augment != NULL;
    if (config->augment) l->augment = *config->augment;
    l->soft = l->augmented && spur__augment_soft(&l->augment);
    set_sizes(l, config, workers);
    SPUR__TRY_GOTO(spur__sampler_create(&l->sampler, config->sampler ? config->sampler : sampler,
                                        data, l->split, config->limit, l->seed, err),
                   failed);
    SPUR__TRY_GOTO(make_memory(l, err), failed);
    if (workers > 0) SPUR__TRY_GOTO(start_threads(l, (size_t)workers, err), failed);
    *out = l;
    return SPUR_OK;
failed:
    spur_loader_destroy(l);
    return status;
}

spur_status spur_loader_create(spur_loader **out, const spur_data *data, spur_split split,
                               const spur_loader_options *options, spur_error *err) {
    static const spur_loader_options defaults;
    spur__augment augment;
    *out = NULL;
    if (!data) return spur__fail(err, SPUR_E_ARGUMENT, "spur_loader_create: the data are NULL");
    if ((unsigned)split >= SPUR_SPLIT_COUNT)
        return spur__fail(err, SPUR_E_ARGUMENT, "spur_loader_create: %d is no split", (int)split);
    if (!options) options = &defaults;
    SPUR__TRY(spur__options_init(&spur__augment_options, &augment, err));
    for (const char *const *pair = options->augment; pair && pair[0]; pair += 2) {
        if (!pair[1]) return spur__fail(err, SPUR_E_ARGUMENT, "%s: no value", pair[0]);
        SPUR__TRY(spur__options_set(&spur__augment_options, &augment, pair[0], pair[1], err));
    }
    spur__loader_config config = {
        .split = split,
        .batch_size = options->batch_size,
        .workers = options->workers,
        .seed = options->seed,
        .sampler = options->sampler,
        .augment = options->augment ? &augment : NULL,
        .drop_last = options->drop_last,
    };
    return spur__loader_create(out, data, &config, err);
}
