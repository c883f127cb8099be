/* SPDX-License-Identifier: MIT
 *
 * The direct algorithm's forward pass and data gradient: packing of weights, and the gathers
 * (gather.h) that each pass is, group of channels by group.
 */
#include "kernels/conv/gather.h"

typedef spur__gather gather;

/* ---- packing of weights -------------------------------------------------------------------- */

typedef struct pack_job {
    const spur__conv_shape *s;
    const gather *g;
    const float *w;
    float *panels;
    ptrdiff_t count; /* taps in a panel */
    bool transposed; /* for the data gradient: k in the inner sum, c across */
} pack_job;

/* One tap of one panel of one group. */
static void pack_task(void *job, ptrdiff_t index, int thread) {
    const pack_job *q = job;
    const spur__conv_shape *s = q->s;
    const spur__simd *simd = q->g->simd;
    ptrdiff_t c = s->c / s->groups, k = s->k / s->groups, tap = index % q->count;
    ptrdiff_t depth = q->transposed ? k : c, across = q->transposed ? c : k;
    ptrdiff_t panel = index / q->count, panels = spur__gather_panels(q->g), group = panel / panels;
    ptrdiff_t column = panel % panels * simd->nr;
    ptrdiff_t columns = spur__min(simd->nr, across - column);
    ptrdiff_t width = columns > simd->vl ? simd->nr : simd->vl;
    float *out = q->panels + group * q->g->panel_floats + (column * q->count + tap * width) * depth;
    ptrdiff_t kernel = q->transposed ? q->g->taps[tap] : tap;
    const float *w = q->w + kernel * c * s->k + group * k;
    (void)thread;
    if (q->transposed)
        simd->pack_transposed(w + column * s->k, s->k, columns, width, depth, out);
    else
        simd->pack_panel(&(spur__pixels){w + column, NULL, depth, columns, s->k}, width, out, NULL);
}

static void pack_weights(pack_job *q, const spur__exec *exec) {
    spur__parallel(exec, q->s->groups * spur__gather_panels(q->g) * q->count, pack_task, q);
}

/* ---- the two passes ------------------------------------------------------------------------ */

static size_t panel_bytes(const gather *g) {
    return (size_t)(g->groups * g->panel_floats) * sizeof(float);
}

size_t spur__direct_packed(const spur__conv_shape *s) {
    gather g;
    spur__gather_init(&g, s, 1, false);
    return panel_bytes(&g);
}

static spur__conv_memory memory_of(const gather *g) {
    return (spur__conv_memory){128 + spur__gather_lists(g) + panel_bytes(g) + spur__gather_copy(g),
                               spur__gather_scratch(g)};
}

spur__conv_memory spur__direct_memory(const spur__conv_plan *plan, spur__conv_pass pass) {
    const spur__conv_shape *s = &plan->shape;
    gather g;
    spur__gather_init(&g, s, s->n, pass == SPUR__CONV_BACKWARD_DATA);
    return memory_of(&g);
}

spur__conv_memory spur__direct_pooled_memory(const spur__conv_plan *plan,
                                             const spur__pool_shape *pool) {
    const spur__conv_shape *s = &plan->shape;
    gather g;
    spur__gather_init(&g, s, s->n, false);
    return spur__gather_pools(&g, pool) ? memory_of(&g) : (spur__conv_memory){0};
}

void spur__direct_pack(const spur__conv_plan *plan, const spur__exec *exec, const float *w,
                       float *packed) {
    const spur__conv_shape *s = &plan->shape;
    gather g;
    spur__gather_init(&g, s, 1, false);
    pack_weights(&(pack_job){s, &g, w, packed, s->kh * s->kw, false}, exec);
}

void spur__direct_forward(const spur__conv_plan *plan, const spur__exec *exec,
                          const spur__conv_forward_args *args) {
    const spur__conv_shape *s = &plan->shape;
    gather g;
    spur__gather_init(&g, s, args->n, false);
    if (args->window) spur__gather_pools(&g, args->window);
    char *lists = args->workspace;
    float *panels = (float *)(void *)(lists + spur__gather_lists(&g));
    g.copy = panels + g.groups * g.panel_floats;
    g.relu = args->relu;
    g.swish = args->swish;
    g.accumulate = args->accumulate;
    g.src = args->x;
    g.dst = args->y;
    g.bias = args->bias;
    if (!args->packed) spur__direct_pack(plan, exec, args->w, panels);
    g.panels = args->packed ? args->packed : panels;
    spur__gather_prepare(&g, lists);
    spur__gather_run(&g, exec);
}

void spur__direct_backward_data(const spur__conv_plan *plan, const spur__exec *exec,
                                const spur__conv_data_args *args) {
    const spur__conv_shape *s = &plan->shape;
    gather g;
    spur__gather_init(&g, s, args->n, true);
    char *lists = args->workspace;
    float *panels = (float *)(void *)(lists + spur__gather_lists(&g));
    g.panels = panels;
    g.copy = panels + g.groups * g.panel_floats;
    g.accumulate = args->accumulate;
    g.relu = args->relu;
    g.src = args->dy;
    g.mask = args->relu_y;
    g.dst = args->dx;
    g.bias = args->bias;
    spur__gather_prepare(&g, lists);
    pack_weights(&(pack_job){s, &g, args->w, panels, g.depth / g.channels, true}, exec);
    spur__gather_run(&g, exec);
}
