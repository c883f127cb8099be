/* SPDX-License-Identifier: MIT
 *
 * Parameters: declaring, finding, allocating, and copying between our layout and PyTorch's.
 *
 * All values lie together in one block, and behind them all gradients, each parameter starting at
 * a multiple of 64 bytes.
 */
#include <string.h>

#include "base/memory.h"
#include "graph/internal.h"

enum { ALIGN_FLOATS = 16 };

static spur__param_entry *find(const spur_net *net, const char *name) {
    for (int i = 0; i < net->param_count; i++)
        if (strcmp(net->params[i]->param.name, name) == 0) return net->params[i];
    return NULL;
}

static spur_status reuse(const spur_node *node, const spur__param_spec *spec,
                         spur__param_entry *entry, const char *name, spur_error *err) {
    if (!entry) return spur__fail(err, SPUR_E_NOTFOUND, "no parameter '%s' to share", name);
    const spur__param_spec *old = &entry->spec;
    bool same = old->rank == spec->rank && old->layout == spec->layout &&
                memcmp(old->flattened, spec->flattened, sizeof old->flattened) == 0;
    for (int i = 0; same && i < spec->rank; i++) same = old->shape[i] == spec->shape[i];
    if (same) return SPUR_OK;
    return spur__fail(err, SPUR_E_SHAPE,
                      "the input does not fit the shared parameter '%s' of layer '%s'", name,
                      node->shares->name);
}

static bool append(spur_net *net, spur__param_entry *entry) {
    if (net->param_count == net->param_capacity) {
        int capacity = net->param_capacity ? net->param_capacity * 2 : 64;
        spur__param_entry **params =
            spur__realloc_array(net->params, (size_t)capacity, sizeof(spur__param_entry *));
        if (!params) return false;
        net->params = params;
        net->param_capacity = capacity;
    }
    net->params[net->param_count++] = entry;
    return true;
}

/* A new entry that owns `name` (freed on failure). */
static spur__param_entry *make(spur_net *net, const spur__param_spec *spec, char *name,
                               spur_error *err) {
    size_t count = 1;
    for (int i = 0; i < spec->rank; i++)
        if (spec->shape[i] < 1 || !spur__mul(count, (size_t)spec->shape[i], &count) ||
            count > SIZE_MAX / 64) {
            spur__fail(err, SPUR_E_SHAPE, "parameter '%s': axis %d would have %lld values", name, i,
                       (long long)spec->shape[i]);
            spur__free(name);
            return NULL;
        }
    spur__param_entry *entry = spur__calloc(1, sizeof *entry);
    if (!entry || !append(net, entry)) {
        spur__free(entry);
        spur__free(name);
        spur__fail(err, SPUR_E_MEMORY, "out of memory");
        return NULL;
    }
    entry->spec = *spec;
    entry->spec.suffix = NULL; /* not ours to keep */
    entry->param = (spur_param){.name = name,
                                .rank = spec->rank,
                                .layout = spec->layout,
                                .count = count,
                                .trainable = !spec->buffer,
                                .decay = spec->decay,
                                .net = net};
    memcpy(entry->param.shape, spec->shape, sizeof spec->shape);
    memcpy(entry->param.flattened, spec->flattened, sizeof spec->flattened);
    return entry;
}

spur_param *spur__param_declare(spur_node *node, const spur__param_spec *spec, spur_error *err) {
    const char *owner = node->shares ? node->shares->name : node->name;
    spur__str text;
    spur__str_init(&text, 8192);
    spur__str_printf(&text, "%s.%s", owner, spec->suffix);
    char *name = spur__str_take(&text);
    spur__str_free(&text);
    if (!name) {
        spur__fail(err, SPUR_E_MEMORY, "out of memory");
        return NULL;
    }
    spur__param_entry *entry = find(node->net, name);
    if (node->shares) {
        spur_status status = reuse(node, spec, entry, name, err);
        spur__free(name);
        if (status != SPUR_OK) return NULL;
    } else if (entry) {
        spur__fail(err, SPUR_E_EXISTS, "parameter '%s' exists already", name);
        spur__free(name);
        return NULL;
    } else {
        entry = make(node->net, spec, name, err);
        if (!entry) return NULL;
    }
    if (node->param_count == SPUR__MAX_PARAMS) {
        spur__fail(err, SPUR_E_RANGE, "more than %d parameters", SPUR__MAX_PARAMS);
        return NULL;
    }
    node->params[node->param_count++] = &entry->param;
    entry->users++;
    return &entry->param;
}

/* ---- allocation ----------------------------------------------------------------------------- */

static size_t padded(size_t count) {
    return (count + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

/* Floats for all values; for all gradients. */
static spur_status sizes(const spur_net *net, size_t *values, size_t *gradients, spur_error *err) {
    *values = *gradients = 0;
    for (int i = 0; i < net->param_count; i++) {
        spur_param *p = &net->params[i]->param;
        if (net->params[i]->spec.buffer) p->trainable = false; /* whatever the caller set */
        size_t n = padded(p->count);
        bool trained = net->backward && p->trainable;
        if (!spur__add(*values, n, values) || (trained && !spur__add(*gradients, n, gradients)))
            return spur__fail(err, SPUR_E_RANGE, "the parameters do not fit into memory");
    }
    return SPUR_OK;
}

static spur_status fill(spur_net *net, spur_error *err) {
    size_t largest = 1;
    for (int i = 0; i < net->param_count; i++)
        if (net->params[i]->param.count > largest) largest = net->params[i]->param.count;
    spur__arena memory;
    size_t bytes;
    if (!spur__mul(largest, sizeof(float), &bytes) || !spur__arena_create(&memory, bytes))
        return spur__fail(err, SPUR_E_MEMORY, "out of memory for initial values");
    float *buffer = (float *)(void *)memory.base;
    spur_status status = SPUR_OK;
    for (int i = 0; i < net->param_count && status == SPUR_OK; i++) {
        status = spur__initialise(net->params[i], i, buffer, err);
        if (status == SPUR_OK) spur_param_import(&net->params[i]->param, buffer);
    }
    spur__arena_destroy(&memory);
    return status;
}

spur_status spur__params_build(spur_net *net, spur_error *err) {
    size_t values, gradients, total;
    SPUR__TRY(sizes(net, &values, &gradients, err));
    if (!spur__add(values, gradients, &total) || !spur__mul(total, sizeof(float), &total) ||
        !spur__arena_create(&net->param_arena, total))
        return spur__fail(err, SPUR_E_MEMORY, "out of memory for parameters (%zu values)", values);
    float *value = (float *)(void *)net->param_arena.base;
    net->gradients = gradients ? value + values : NULL;
    net->gradient_count = gradients;
    float *gradient = net->gradients;
    for (int i = 0; i < net->param_count; i++) {
        spur_param *p = &net->params[i]->param;
        p->value = value;
        value += padded(p->count);
        if (!net->backward || !p->trainable) continue;
        p->gradient = gradient;
        gradient += padded(p->count);
    }
    return fill(net, err);
}

/* ---- layouts -------------------------------------------------------------------------------- */

/* Where row `r` of PyTorch's flattened image (order c, h, w) lies in ours (h, w, c). */
static size_t flattened_row(const int64_t hwc[3], size_t r) {
    size_t h = (size_t)hwc[0], w = (size_t)hwc[1], c = (size_t)hwc[2];
    if (h == 0) return r;
    size_t channel = r / (h * w), pixel = r % (h * w);
    return pixel * c + channel;
}

/* Walks a parameter in PyTorch's order [a][b][k] and gives our index of each value. */
typedef struct walk {
    size_t a, b, k;
} walk;

static walk walk_of(const spur_param *p) {
    walk w = {p->rank > 0 ? (size_t)p->shape[0] : 1, p->rank > 1 ? (size_t)p->shape[1] : 1, 1};
    for (int i = 2; i < p->rank; i++) w.k *= (size_t)p->shape[i];
    return w;
}

/* One row of PyTorch's order, [a = i][b = j][0..k), starts in ours at *start and goes on by *step. */
static void our_place(const spur_param *p, const walk *w, size_t i, size_t j, size_t *start,
                      size_t *step) {
    switch (p->layout) {
    case SPUR_LAYOUT_HWIO:
    case SPUR_LAYOUT_HWOI: /* [kh][kw][b][a] */
        *start = j * w->a + i;
        *step = w->b * w->a;
        return;
    case SPUR_LAYOUT_IN_OUT: /* [b][a] */
        *start = flattened_row(p->flattened, j) * w->a + i;
        *step = 1;
        return;
    case SPUR_LAYOUT_PLAIN:
        break;
    }
    *start = (p->rank == 1 ? flattened_row(p->flattened, i) : i) * w->b * w->k + j * w->k;
    *step = 1;
}

/* A copy between the two orders; tasks are blocks of [a] and, within them, stretches of [b], so that
 * both sides are walked in short runs whichever way they lie. */
typedef struct copy {
    const spur_param *param;
    walk w;
    const float *in; /* PyTorch's order; NULL: export to `out` */
    float *out;
} copy;

enum { COPY_A = 16, COPY_B = 256 };

static void copy_row(const copy *c, size_t i, size_t j) {
    size_t start, step, row = (i * c->w.b + j) * c->w.k;
    our_place(c->param, &c->w, i, j, &start, &step);
    float *value = c->param->value + start;
    if (c->in)
        for (size_t k = 0; k < c->w.k; k++) value[k * step] = c->in[row + k];
    else
        for (size_t k = 0; k < c->w.k; k++) c->out[row + k] = value[k * step];
}

static void copy_task(void *job, ptrdiff_t index, int thread) {
    const copy *c = job;
    size_t begin = (size_t)index * COPY_A, end = begin + COPY_A;
    (void)thread;
    if (end > c->w.a) end = c->w.a;
    for (size_t from = 0; from < c->w.b; from += COPY_B) {
        size_t to = from + COPY_B < c->w.b ? from + COPY_B : c->w.b;
        for (size_t j = from; j < to; j++)
            for (size_t i = begin; i < end; i++) copy_row(c, i, j);
    }
}

static void copy_values(copy c) {
    c.w = walk_of(c.param);
    spur__parallel(&c.param->net->exec, spur__ceil_div((ptrdiff_t)c.w.a, COPY_A), copy_task, &c);
}

void spur_param_export(const spur_param *param, float *out) {
    if (!param->value) return; /* not built */
    copy_values((copy){.param = param, .out = out});
}

void spur_param_import(spur_param *param, const float *in) {
    if (!param->value) return;
    spur_net_params_changed(param->net);
    copy_values((copy){.param = param, .in = in});
}

/* ---- looking -------------------------------------------------------------------------------- */

int spur_net_param_count(const spur_net *net) {
    return net ? net->param_count : 0;
}

spur_param *spur_net_param(spur_net *net, int index) {
    return net && index >= 0 && index < net->param_count ? &net->params[index]->param : NULL;
}

spur_param *spur_net_find_param(spur_net *net, const char *name) {
    spur__param_entry *entry = net && name ? find(net, name) : NULL;
    return entry ? &entry->param : NULL;
}

int64_t spur_net_trainable_count(const spur_net *net) {
    int64_t count = 0;
    for (int i = 0; net && i < net->param_count; i++)
        if (net->params[i]->param.trainable && !net->params[i]->spec.buffer)
            count += (int64_t)net->params[i]->param.count;
    return count;
}

void spur_net_params_changed(spur_net *net) {
    if (net) net->prepared = false;
}

void spur_net_zero_gradients(spur_net *net) {
    if (net && net->gradients)
        memset(net->gradients, 0, net->gradient_count * sizeof *net->gradients);
}
