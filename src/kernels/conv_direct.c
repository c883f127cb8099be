/* SPDX-License-Identifier: MIT
 *
 * The direct algorithm's forward pass and data gradient: packing of weights, and the gathers
 * (conv_gather.h) that each pass is, group of channels by group.
 */
#include "kernels/conv_gather.h"

typedef spur__gather gather;

/* ---- packing of weights -------------------------------------------------------------------- */

/* Floats of one group's panels, whatever the instruction set. */
static ptrdiff_t panel_floats(const spur__conv_shape *s, ptrdiff_t depth, ptrdiff_t across) {
    return s->kh * s->kw * depth * spur__round_up(across, 32);
}

typedef struct pack_job {
    const spur__conv_shape *s;
    const gather *g;
    const float *w;
    float *panels;
    ptrdiff_t group, count; /* taps in the panels */
    bool transposed; /* for the data gradient: k in the inner sum, c across */
} pack_job;

/* One tap of one panel. */
static void pack_task(void *job, ptrdiff_t index, int thread) {
    const pack_job *q = job;
    const spur__conv_shape *s = q->s;
    const spur__simd *simd = q->g->simd;
    ptrdiff_t c = s->c / s->groups, k = s->k / s->groups, tap = index % q->count;
    ptrdiff_t depth = q->transposed ? k : c, across = q->transposed ? c : k;
    ptrdiff_t column = index / q->count * simd->nr;
    ptrdiff_t columns = spur__least(simd->nr, across - column);
    ptrdiff_t width = columns > simd->vl ? simd->nr : simd->vl;
    float *out = q->panels + (column * q->count + tap * width) * depth;
    ptrdiff_t kernel = q->transposed ? q->g->taps[tap] : tap;
    const float *w = q->w + kernel * c * s->k + q->group * k;
    (void)thread;
    if (q->transposed)
        simd->pack_transposed(w + column * s->k, s->k, columns, width, depth, out);
    else
        simd->pack_panel(&(spur__pixels){w + column, NULL, depth, columns, s->k}, width, out, NULL);
}

static void pack_weights(pack_job *q, const spur__exec *exec) {
    spur__parallel(exec, spur__gather_panels(q->g) * q->count, pack_task, q);
}

/* ---- the two passes ------------------------------------------------------------------------ */

size_t spur__direct_packed(const spur__conv_shape *s) {
    return (size_t)(s->groups * panel_floats(s, s->c / s->groups, s->k / s->groups)) *
           sizeof(float);
}

static spur__conv_memory memory_of(const gather *g, size_t panels) {
    return (spur__conv_memory){128 + spur__gather_lists(g) + panels + spur__gather_copy(g),
                               spur__gather_scratch(g)};
}

spur__conv_memory spur__direct_memory(const spur__conv_plan *plan, spur__conv_pass pass) {
    const spur__conv_shape *s = &plan->shape;
    gather g;
    spur__gather_init(&g, s, s->n, pass == SPUR__CONV_BACKWARD_DATA);
    if (pass == SPUR__CONV_FORWARD) return memory_of(&g, spur__direct_packed(s));
    return memory_of(&g, (size_t)panel_floats(s, g.channels, g.outputs) * sizeof(float));
}

spur__conv_memory spur__direct_pooled_memory(const spur__conv_plan *plan,
                                             const spur__pool_shape *pool) {
    const spur__conv_shape *s = &plan->shape;
    gather g;
    spur__gather_init(&g, s, s->n, false);
    if (s->groups > 1 || !spur__gather_pools(&g, pool)) return (spur__conv_memory){0};
    return memory_of(&g, spur__direct_packed(s));
}

void spur__direct_pack(const spur__conv_plan *plan, const spur__exec *exec, const float *w,
                       float *packed) {
    const spur__conv_shape *s = &plan->shape;
    gather g;
    spur__gather_init(&g, s, 1, false);
    pack_job q = {s, &g, w, packed, 0, s->kh * s->kw, false};
    for (; q.group < s->groups; q.group++) {
        pack_weights(&q, exec);
        q.panels += panel_floats(s, g.channels, g.outputs);
    }
}

void spur__direct_forward(const spur__conv_plan *plan, const spur__exec *exec,
                          const spur__conv_forward_args *args) {
    const spur__conv_shape *s = &plan->shape;
    gather g;
    spur__gather_init(&g, s, args->n, false);
    if (args->window) spur__gather_pools(&g, args->window);
    char *lists = args->workspace;
    float *panels = (float *)(void *)(lists + spur__gather_lists(&g));
    g.copy = panels + spur__direct_packed(s) / sizeof(float);
    g.relu = args->relu;
    g.accumulate = args->accumulate;
    if (!args->packed) spur__direct_pack(plan, exec, args->w, panels);
    g.panels = args->packed ? args->packed : panels;
    bool whole = g.whole;
    for (ptrdiff_t group = 0; group < s->groups; group++) {
        g.src = args->x + group * g.channels;
        g.dst = args->y + group * g.outputs;
        g.bias = args->bias ? args->bias + group * g.outputs : NULL;
        g.whole = whole;
        spur__gather_prepare(&g, lists);
        spur__gather_run(&g, exec);
        g.panels += panel_floats(s, g.channels, g.outputs);
    }
}

void spur__direct_backward_data(const spur__conv_plan *plan, const spur__exec *exec,
                                const spur__conv_data_args *args) {
    const spur__conv_shape *s = &plan->shape;
    gather g;
    spur__gather_init(&g, s, args->n, true);
    char *lists = args->workspace;
    float *panels = (float *)(void *)(lists + spur__gather_lists(&g));
    g.panels = panels;
    g.copy = panels + panel_floats(s, g.channels, g.outputs);
    g.accumulate = args->accumulate;
    g.relu = args->relu;
    bool whole = g.whole;
    for (ptrdiff_t group = 0; group < s->groups; group++) {
        g.src = args->dy + group * g.channels;
        g.mask = args->relu_y ? args->relu_y + group * g.channels : NULL;
        g.dst = args->dx + group * g.outputs;
        g.bias = args->bias ? args->bias + group * g.outputs : NULL;
        g.whole = whole;
        spur__gather_prepare(&g, lists);
        pack_job q = {s, &g, args->w, panels, group, g.depth / g.channels, true};
        pack_weights(&q, exec);
        spur__gather_run(&g, exec);
    }
}
