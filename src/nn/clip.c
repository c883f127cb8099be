/* SPDX-License-Identifier: MIT
 *
 * Norm and clipping of all gradients (torch.nn.utils.clip_grad_norm_ and clip_grad_value_). The
 * norm is summed per chunk of values, then over the chunks in order: the same bits for any threads.
 */
#include <math.h>

#include <spur/optim.h>
#include "base/error.h"
#include "kernels/optim.h"
#include "graph/graph.h"
#include "nn/chunks.h"

/* A pass over one parameter's gradient; tasks are its chunks. */
typedef struct pass {
    float *gradient;
    size_t count, chunk; /* values in all, in a chunk */
    float number; /* factor or limit */
    double *sums;
} pass;

enum { SUMS = 256 }; /* chunks whose sums are taken at a time */

static size_t chunk_count(const pass *p, size_t begin) {
    size_t left = p->count - begin;
    return left < p->chunk ? left : p->chunk;
}

static void sum_chunk(void *job, ptrdiff_t index, int thread) {
    pass *p = job;
    size_t begin = (size_t)index * p->chunk;
    (void)thread;
    p->sums[index] = spur__optim_sum_squares(chunk_count(p, begin), p->gradient + begin);
}

static void scale_chunk(void *job, ptrdiff_t index, int thread) {
    pass *p = job;
    size_t begin = (size_t)index * p->chunk;
    (void)thread;
    spur__optim_scale(chunk_count(p, begin), p->gradient + begin, p->number);
}

static void clamp_chunk(void *job, ptrdiff_t index, int thread) {
    pass *p = job;
    size_t begin = (size_t)index * p->chunk;
    (void)thread;
    spur__optim_clamp(chunk_count(p, begin), p->gradient + begin, p->number);
}

/* Applies `task` to every trainable gradient of the net. */
static void over_gradients(spur_net *net, spur__task task, float number) {
    const spur__exec *exec = spur__net_exec(net);
    for (int i = 0; i < spur_net_param_count(net); i++) {
        spur_param *param = spur_net_param(net, i);
        if (!param->trainable || !param->gradient) continue;
        pass p = {.gradient = param->gradient,
                  .count = param->count,
                  .chunk = spur__chunk_length(param),
                  .number = number};
        ptrdiff_t chunks = spur__ceil_div((ptrdiff_t)p.count, (ptrdiff_t)p.chunk);
        spur__parallel(exec, chunks, task, &p);
    }
}

/* Sum of squares of one gradient; the sums of at most SUMS chunks are held at a time. */
static double sum_squares(const spur__exec *exec, const spur_param *param) {
    double sums[SUMS], total = 0;
    size_t chunk = spur__chunk_length(param), most = SUMS * chunk;
    for (size_t done = 0; done < param->count; done += most) {
        size_t left = param->count - done;
        pass p = {.gradient = param->gradient + done,
                  .count = left < most ? left : most,
                  .chunk = chunk,
                  .sums = sums};
        ptrdiff_t chunks = spur__ceil_div((ptrdiff_t)p.count, (ptrdiff_t)chunk);
        spur__parallel(exec, chunks, sum_chunk, &p);
        for (ptrdiff_t i = 0; i < chunks; i++) total += sums[i];
    }
    return total;
}

double spur_gradient_norm(const spur_net *net) {
    const spur__exec *exec = spur__net_exec(net);
    spur_net *same = (spur_net *)(uintptr_t)net; /* only looked at */
    double total = 0;
    for (int i = 0; i < spur_net_param_count(net); i++) {
        const spur_param *param = spur_net_param(same, i);
        if (param->trainable && param->gradient) total += sum_squares(exec, param);
    }
    return sqrt(total);
}

spur_status spur_clip_gradient_norm(spur_net *net, double max_norm, double *norm, spur_error *err) {
    double found = spur_gradient_norm(net);
    if (norm) *norm = found;
    if (!isfinite(found))
        return spur__fail(err, SPUR_E_NUMERIC, "the norm of the gradients is not finite");
    double factor = max_norm / (found + 1e-6);
    if (factor < 1) over_gradients(net, scale_chunk, (float)factor);
    return SPUR_OK;
}

void spur_clip_gradient_value(spur_net *net, double limit) {
    over_gradients(net, clamp_chunk, (float)limit);
}
