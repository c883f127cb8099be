/* SPDX-License-Identifier: MIT
 *
 * Exponential moving average of the weights, as torch.optim.swa_utils.AveragedModel with
 * get_ema_multi_avg_fn(decay) and use_buffers = False: running statistics are copied. It begins with
 * the weights at its creation, so that the first update averages already; AveragedModel's first one
 * copies.
 */
#include "nn/ema.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "kernels/optim.h"
#include "graph/graph.h"
#include "nn/chunks.h"

struct spur_ema {
    spur_net *net;
    float weight; /* 1 - decay */
    spur_param **params;
    float **averages;
    int count;
    spur__chunks chunks;
};

void spur_ema_destroy(spur_ema *ema) {
    if (!ema) return;
    for (int i = 0; ema->averages && i < ema->count; i++) spur__free(ema->averages[i]);
    spur__free(ema->averages);
    spur__free(ema->params);
    spur__chunks_free(&ema->chunks);
    spur__free(ema);
}

static spur_status fill(spur_ema *ema, spur_error *err) {
    SPUR__TRY(spur__params_of(ema->net, false, &ema->params, &ema->count, err));
    SPUR__TRY(spur__chunks_init(&ema->chunks, ema->params, ema->count, err));
    ema->averages = spur__calloc((size_t)ema->count + 1, sizeof *ema->averages);
    if (!ema->averages) return spur__fail(err, SPUR_E_MEMORY, "moving average: out of memory");
    for (int i = 0; i < ema->count; i++) {
        const spur_param *param = ema->params[i];
        if (!param->value)
            return spur__fail(err, SPUR_E_STATE,
                              "moving average: %s has no values; is the net built?", param->name);
        ema->averages[i] = spur__malloc_array(param->count ? param->count : 1, sizeof(float));
        if (!ema->averages[i])
            return spur__fail(err, SPUR_E_MEMORY, "moving average: no memory for %s", param->name);
        memcpy(ema->averages[i], param->value, param->count * sizeof(float));
    }
    return SPUR_OK;
}

spur_ema *spur_ema_create(spur_net *net, double decay, spur_error *err) {
    if (!net) {
        spur__fail(err, SPUR_E_ARGUMENT, "moving average: the net is NULL");
        return NULL;
    }
    if (!(decay >= 0 && decay < 1)) {
        spur__fail(err, SPUR_E_RANGE, "moving average: found decay %g, expected one in [0, 1)",
                   decay);
        return NULL;
    }
    spur_ema *ema = spur__calloc(1, sizeof *ema);
    if (!ema) {
        spur__fail(err, SPUR_E_MEMORY, "moving average: out of memory");
        return NULL;
    }
    ema->net = net;
    ema->weight = (float)(1 - decay);
    if (fill(ema, err) != SPUR_OK) {
        spur_ema_destroy(ema);
        return NULL;
    }
    return ema;
}

static void update_chunk(void *job, ptrdiff_t index, int thread) {
    const spur_ema *ema = job;
    const spur__chunk *chunk = &ema->chunks.items[index];
    const spur_param *param = ema->params[chunk->param];
    float *average = ema->averages[chunk->param] + chunk->begin;
    (void)thread;
    if (param->gradient)
        spur__optim_lerp(chunk->count, average, param->value + chunk->begin, ema->weight);
    else
        memcpy(average, param->value + chunk->begin, chunk->count * sizeof *average);
}

static void swap_chunk(void *job, ptrdiff_t index, int thread) {
    const spur_ema *ema = job;
    const spur__chunk *chunk = &ema->chunks.items[index];
    (void)thread;
    spur__optim_swap(chunk->count, ema->averages[chunk->param] + chunk->begin,
                     ema->params[chunk->param]->value + chunk->begin);
}

void spur_ema_update(spur_ema *ema) {
    if (!ema) return;
    const spur__exec *exec = spur__net_exec(ema->net);
    spur__parallel(exec, (ptrdiff_t)ema->chunks.count, update_chunk, ema);
}

void spur_ema_swap(spur_ema *ema) {
    if (!ema) return;
    const spur__exec *exec = spur__net_exec(ema->net);
    spur__parallel(exec, (ptrdiff_t)ema->chunks.count, swap_chunk, ema);
    spur_net_params_changed(ema->net);
}

int spur__ema_count(const spur_ema *ema) {
    return ema->count;
}

spur_param *spur__ema_param(const spur_ema *ema, int i) {
    return ema->params[i];
}

float *spur__ema_average(const spur_ema *ema, int i) {
    return ema->averages[i];
}
