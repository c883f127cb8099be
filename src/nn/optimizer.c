/* SPDX-License-Identifier: MIT
 *
 * What all optimizers share: parameters and their moments, groups, the threaded update. All
 * updates are elementwise, so the split over threads cannot change a bit, and neither does it when a
 * chunk of a parameter is updated by its gradient as soon as the backward run has made it.
 */
#include "nn/optimizer.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/memory.h"
#include "nn/kind.h"
#include "graph/graph.h"
#include "kernels/optim.h"
#include "nn/chunks.h"

enum { MAX_GROUPS = 16 };

typedef struct group {
    void *options;
    double lr, momentum; /* in force */
} group;

typedef struct held {
    spur_param *param;
    const spur_optimizer *owner;
    int group;
    size_t first_chunk;
    bool taken; /* updated during the backward run of this step */
    spur__arena memory[SPUR__MAX_SLOTS];
    float *slots[SPUR__MAX_SLOTS]; /* in `memory`, or NULL */
} held;

struct spur_optimizer {
    const spur__optimizer_kind *kind;
    spur_net *net;
    group groups[MAX_GROUPS];
    int group_count;
    bool cycled; /* every group has a slot for momentum, if its kind knows one */
    held *held;
    int held_count;
    spur__chunks chunks;
    double *sums; /* [chunks.count]: squares of the gradients of this step */
    bool sums_wanted;
    uint64_t steps;
};

static const spur__optimizer_common *common_of(const spur_optimizer *optimizer, int g) {
    return optimizer->groups[g].options;
}

/* Takes over `options`, also when it fails. */
static spur_status add_group(spur_optimizer *optimizer, void *options, spur_error *err) {
    const spur__optimizer_kind *kind = optimizer->kind;
    spur_status status = SPUR_OK;
    if (optimizer->group_count == MAX_GROUPS)
        status = spur__fail(err, SPUR_E_RANGE, "optimizer %s: more than %d parameter groups",
                            kind->kind.name, MAX_GROUPS);
    else if (kind->check && (status = kind->check(options, err)) != SPUR_OK)
        spur__error_prefix(err, "optimizer %s", kind->kind.name);
    if (status != SPUR_OK) {
        spur__kind_options_free(&kind->kind, options);
        return status;
    }
    group *added = &optimizer->groups[optimizer->group_count++];
    added->options = options;
    added->lr = ((const spur__optimizer_common *)options)->lr;
    added->momentum = kind->momentum ? kind->momentum(options) : 0;
    return SPUR_OK;
}

/* Fills one slot array, zeroed, with its starting value. */
static void start_slot(const spur_optimizer *optimizer, const held *h, int s) {
    const spur__optimizer_kind *kind = optimizer->kind;
    if (!kind->slot_start) return;
    float start = kind->slot_start(optimizer->groups[h->group].options, s);
    for (size_t i = 0; i < h->param->count; i++) h->slots[s][i] = start;
}

static void free_slot(held *h, int s) {
    spur__arena_destroy(&h->memory[s]);
    h->slots[s] = NULL;
}

/* Bit s for slot s. */
static unsigned slots_of(const spur_optimizer *optimizer, int g) {
    const spur__optimizer_kind *kind = optimizer->kind;
    unsigned for_momentum = optimizer->cycled && kind->momentum ? 1u << kind->momentum_slot : 0;
    return kind->slots(optimizer->groups[g].options) | for_momentum;
}

/* Gives a parameter the moments that its group needs, and no others. */
static spur_status make_slots(spur_optimizer *optimizer, held *h, spur_error *err) {
    unsigned needed = slots_of(optimizer, h->group);
    for (int s = 0; s < SPUR__MAX_SLOTS; s++) {
        if (!(needed >> s & 1u)) {
            free_slot(h, s);
            continue;
        }
        if (!h->slots[s]) {
            size_t bytes;
            if (!spur__mul(h->param->count ? h->param->count : 1, sizeof(float), &bytes) ||
                !spur__arena_create(&h->memory[s], bytes))
                return spur__fail(err, SPUR_E_MEMORY, "optimizer %s: no memory for %s of %s",
                                  optimizer->kind->kind.name, optimizer->kind->slot_names[s],
                                  h->param->name);
            h->slots[s] = (float *)(void *)h->memory[s].base;
        }
        start_slot(optimizer, h, s);
    }
    return SPUR_OK;
}

static spur_status hold_parameters(spur_optimizer *optimizer, spur_error *err) {
    spur_param **params;
    int count;
    if (!optimizer->net)
        return spur__fail(err, SPUR_E_ARGUMENT, "optimizer %s: the net is NULL",
                          optimizer->kind->kind.name);
    SPUR__TRY(spur__params_of(optimizer->net, true, &params, &count, err));
    if (count == 0 && spur_net_trainable_count(optimizer->net) > 0) {
        spur__free(params);
        return spur__fail(
            err, SPUR_E_STATE,
            "optimizer %s: no parameter has a gradient; is the net built, with a loss "
            "and not for inference?",
            optimizer->kind->kind.name);
    }
    spur_status status = spur__chunks_init(&optimizer->chunks, params, count, err);
    if (status == SPUR_OK) {
        optimizer->held = spur__calloc((size_t)count + 1, sizeof *optimizer->held);
        optimizer->sums = spur__calloc(optimizer->chunks.count + 1, sizeof *optimizer->sums);
        if (!optimizer->held || !optimizer->sums)
            status = spur__fail(err, SPUR_E_MEMORY, "optimizer: out of memory");
    }
    size_t chunk = 0;
    for (int i = 0; status == SPUR_OK && i < count; i++) {
        optimizer->held[i].param = params[i];
        optimizer->held[i].owner = optimizer;
        optimizer->held[i].first_chunk = chunk;
        while (chunk < optimizer->chunks.count && optimizer->chunks.items[chunk].param == i)
            chunk++;
        optimizer->held_count = i + 1;
        status = make_slots(optimizer, &optimizer->held[i], err);
    }
    spur__free(params);
    return status;
}

/* Takes over `options`, also when it fails. */
static spur_optimizer *create(spur_net *net, const spur__optimizer_kind *kind, void *options,
                              bool cycled, spur_error *err) {
    spur_optimizer *optimizer = spur__calloc(1, sizeof *optimizer);
    if (!optimizer) {
        spur__kind_options_free(&kind->kind, options);
        spur__fail(err, SPUR_E_MEMORY, "optimizer %s: out of memory", kind->kind.name);
        return NULL;
    }
    optimizer->kind = kind;
    optimizer->net = net;
    optimizer->cycled = cycled;
    if (add_group(optimizer, options, err) != SPUR_OK ||
        hold_parameters(optimizer, err) != SPUR_OK) {
        spur_optimizer_destroy(optimizer);
        return NULL;
    }
    return optimizer;
}

spur_optimizer *spur__optimizer_create(spur_net *net, const spur__optimizer_kind *kind,
                                       const void *options, bool cycled, spur_error *err) {
    void *copy;
    if (spur__kind_options_copy(&kind->kind, options, &copy, err) != SPUR_OK) return NULL;
    return create(net, kind, copy, cycled, err);
}

spur_optimizer *spur_optimizer_create(spur_net *net, const char *name, const char *options,
                                      spur_error *err) {
    const spur__kind *kind = spur__family_find(&spur__optimizer_family, name, err);
    void *parsed;
    if (!kind) return NULL;
    if (spur__kind_options_create(kind, "optimizer", options, &parsed, err) != SPUR_OK) return NULL;
    return create(net, (const spur__optimizer_kind *)(const void *)kind, parsed, false, err);
}

void spur_optimizer_destroy(spur_optimizer *optimizer) {
    if (!optimizer) return;
    for (int i = 0; i < optimizer->held_count; i++)
        for (int s = 0; s < SPUR__MAX_SLOTS; s++) free_slot(&optimizer->held[i], s);
    for (int g = 0; g < optimizer->group_count; g++)
        spur__kind_options_free(&optimizer->kind->kind, optimizer->groups[g].options);
    spur__free(optimizer->held);
    spur__free(optimizer->sums);
    spur__chunks_free(&optimizer->chunks);
    spur__free(optimizer);
}

static bool has_prefix(const char *name, const char *prefix) {
    size_t n = strlen(prefix);
    return strncmp(name, prefix, n) == 0 && (name[n] == '\0' || name[n] == '.');
}

static int count_matches(const spur_optimizer *optimizer, const char *prefix) {
    int found = 0;
    for (int i = 0; i < optimizer->held_count; i++)
        found += has_prefix(optimizer->held[i].param->name, prefix);
    return found;
}

spur_status spur_optimizer_add_group(spur_optimizer *optimizer, const char *prefix,
                                     const char *options, spur_error *err) {
    if (!optimizer || !prefix)
        return spur__fail(err, SPUR_E_ARGUMENT, "spur_optimizer_add_group: the %s is NULL",
                          optimizer ? "prefix" : "optimizer");
    const spur__kind *kind = &optimizer->kind->kind;
    void *own;
    if (optimizer->steps > 0)
        return spur__fail(err, SPUR_E_STATE,
                          "optimizer %s: groups must be added before the first step", kind->name);
    if (count_matches(optimizer, prefix) == 0)
        return spur__fail(
            err, SPUR_E_NOTFOUND,
            "optimizer %s: no trainable parameter is called '%s' or begins with '%s.'", kind->name,
            prefix, prefix);
    SPUR__TRY(spur__kind_options_copy(kind, optimizer->groups[0].options, &own, err));
    spur_status status = spur__options_parse(kind->options, own, options, prefix, err);
    if (status != SPUR_OK) {
        spur__kind_options_free(kind, own);
        return status;
    }
    SPUR__TRY(add_group(optimizer, own, err));
    for (int i = 0; i < optimizer->held_count; i++) {
        held *h = &optimizer->held[i];
        if (!has_prefix(h->param->name, prefix)) continue;
        h->group = optimizer->group_count - 1;
        SPUR__TRY(make_slots(optimizer, h, err));
    }
    return SPUR_OK;
}

/* ---- steps ---------------------------------------------------------------------------------- */

/* One chunk of values, by its gradient: [chunk->count]. */
static void update_chunk(const spur_optimizer *optimizer, size_t index, const float *gradient) {
    const spur__chunk *chunk = &optimizer->chunks.items[index];
    const held *h = &optimizer->held[chunk->param];
    const group *g = &optimizer->groups[h->group];
    const spur__optimizer_common *common = g->options;
    bool decays = common->decay == SPUR__DECAY_ALL || h->param->decay;
    spur__update u = {.options = g->options,
                      .lr = g->lr,
                      .weight_decay = decays ? common->weight_decay : 0,
                      .momentum = g->momentum,
                      .step = optimizer->steps,
                      .count = chunk->count,
                      .value = h->param->value + chunk->begin,
                      .gradient = gradient};
    for (int s = 0; s < SPUR__MAX_SLOTS; s++)
        if (h->slots[s]) u.slot[s] = h->slots[s] + chunk->begin;
    if (optimizer->sums_wanted)
        optimizer->sums[index] = spur__optim_sum_squares(chunk->count, gradient);
    optimizer->kind->update(&u);
}

static void update_task(void *job, ptrdiff_t index, int thread) {
    const spur_optimizer *optimizer = job;
    const spur__chunk *chunk = &optimizer->chunks.items[index];
    const held *h = &optimizer->held[chunk->param];
    (void)thread;
    if (!h->taken) update_chunk(optimizer, (size_t)index, h->param->gradient + chunk->begin);
}

spur_status spur_optimizer_step(spur_optimizer *optimizer, spur_error *err) {
    if (!optimizer) return spur__fail(err, SPUR_E_ARGUMENT, "spur_optimizer_step: NULL");
    optimizer->steps++;
    spur__parallel(spur__net_exec(optimizer->net), (ptrdiff_t)optimizer->chunks.count, update_task,
                   optimizer);
    return SPUR_OK;
}

/* A block of a gradient is complete; blocks are the parameter's chunks. */
static void take(void *context, size_t begin, size_t count, const float *gradient) {
    const held *h = context;
    (void)count;
    update_chunk(h->owner, h->first_chunk + begin / spur__chunk_length(h->param), gradient);
}

static bool offer(void *context, const spur_param *param, size_t block, spur__sink *sink) {
    spur_optimizer *optimizer = context;
    for (int i = 0; i < optimizer->held_count; i++) {
        held *h = &optimizer->held[i];
        if (h->param != param || block != spur__chunk_length(param)) continue;
        h->taken = true;
        *sink = (spur__sink){.take = take, .context = h};
        for (int s = 0, reads = 0; s < SPUR__MAX_SLOTS; s++)
            if (h->slots[s]) sink->reads[reads++] = h->slots[s];
        return true;
    }
    return false;
}

/* As spur_gradient_norm adds them: per parameter, then all parameters. */
static double norm_of_sums(const spur_optimizer *optimizer) {
    double total = 0;
    for (size_t i = 0; i < optimizer->chunks.count;) {
        double sum = 0;
        int param = optimizer->chunks.items[i].param;
        for (; i < optimizer->chunks.count && optimizer->chunks.items[i].param == param; i++)
            sum += optimizer->sums[i];
        total += sum;
    }
    return sqrt(total);
}

spur_status spur_optimizer_backward_step(spur_optimizer *optimizer, float scale, double *norm,
                                         spur_error *err) {
    if (!optimizer) return spur__fail(err, SPUR_E_ARGUMENT, "spur_optimizer_backward_step: NULL");
    for (int i = 0; i < optimizer->held_count; i++) optimizer->held[i].taken = false;
    optimizer->sums_wanted = norm != NULL;
    optimizer->steps++;
    spur__taker taker = {offer, optimizer};
    spur_status status = spur__net_backward_fresh(optimizer->net, scale, &taker, err);
    if (status == SPUR_OK)
        spur__parallel(spur__net_exec(optimizer->net), (ptrdiff_t)optimizer->chunks.count,
                       update_task, optimizer);
    else
        optimizer->steps--; /* refused before anything was done */
    for (int i = 0; i < optimizer->held_count; i++) optimizer->held[i].taken = false;
    optimizer->sums_wanted = false;
    if (status == SPUR_OK && norm) *norm = norm_of_sums(optimizer);
    return status;
}

uint64_t spur_optimizer_steps(const spur_optimizer *optimizer) {
    return optimizer->steps;
}

int spur_optimizer_group_count(const spur_optimizer *optimizer) {
    return optimizer->group_count;
}

static bool has_group(const spur_optimizer *optimizer, int g) {
    return g >= 0 && g < optimizer->group_count;
}

double spur_optimizer_base_lr(const spur_optimizer *optimizer, int g) {
    return has_group(optimizer, g) ? common_of(optimizer, g)->lr : NAN;
}

double spur_optimizer_lr(const spur_optimizer *optimizer, int g) {
    return has_group(optimizer, g) ? optimizer->groups[g].lr : NAN;
}

void spur_optimizer_set_lr(spur_optimizer *optimizer, int g, double lr) {
    if (has_group(optimizer, g)) optimizer->groups[g].lr = lr;
}

static bool has_momentum(const spur_optimizer *optimizer, int g) {
    const spur__optimizer_kind *kind = optimizer->kind;
    return kind->momentum && (slots_of(optimizer, g) >> kind->momentum_slot & 1u);
}

spur_status spur__optimizer_check_momentum(const spur_optimizer *optimizer, int g, double momentum,
                                           spur_error *err) {
    const spur__optimizer_kind *kind = optimizer->kind;
    const char *name = kind->kind.name;
    if (!has_group(optimizer, g))
        return spur__fail(err, SPUR_E_RANGE, "optimizer %s: found group %d, expected 0 to %d", name,
                          g, optimizer->group_count - 1);
    if (!(momentum >= 0 && momentum <= 1) || (kind->momentum_below_1 && momentum == 1))
        return spur__fail(err, SPUR_E_RANGE, "optimizer %s: momentum: found %g, expected [0, 1%c",
                          name, momentum, kind->momentum_below_1 ? ')' : ']');
    if (momentum == 0 || has_momentum(optimizer, g)) return SPUR_OK;
    return spur__fail(err, SPUR_E_STATE, "optimizer %s: there is no momentum to set to %g%s", name,
                      momentum, kind->momentum ? ", as it was made with a momentum of 0" : "");
}

spur_status spur_optimizer_set_momentum(spur_optimizer *optimizer, int g, double momentum,
                                        spur_error *err) {
    if (!optimizer) return spur__fail(err, SPUR_E_ARGUMENT, "spur_optimizer_set_momentum: NULL");
    SPUR__TRY(spur__optimizer_check_momentum(optimizer, g, momentum, err));
    optimizer->groups[g].momentum = momentum;
    return SPUR_OK;
}

const spur__optimizer_kind *spur__optimizer_kind_of(const spur_optimizer *optimizer) {
    return optimizer->kind;
}

int spur__optimizer_param_count(const spur_optimizer *optimizer) {
    return optimizer->held_count;
}

spur_param *spur__optimizer_param(const spur_optimizer *optimizer, int i) {
    return optimizer->held[i].param;
}

float *spur__optimizer_slot(const spur_optimizer *optimizer, int i, int s) {
    return optimizer->held[i].slots[s];
}

double spur__optimizer_momentum(const spur_optimizer *optimizer, int g) {
    return optimizer->groups[g].momentum;
}

void spur__optimizer_set_steps(spur_optimizer *optimizer, uint64_t steps) {
    optimizer->steps = steps;
}
