/* SPDX-License-Identifier: MIT
 *
 * Cutting parameters into chunks; see chunks.h.
 */
#include "nn/chunks.h"

#include "base/error.h"
#include "base/memory.h"
#include "kernels/matrix/linear.h"

size_t spur__chunk_length(const spur_param *param) {
    if (param->layout != SPUR_LAYOUT_IN_OUT) return SPUR__CHUNK;
    ptrdiff_t units = (ptrdiff_t)param->shape[0];
    return (size_t)(spur__linear_rows(units) * units);
}

spur_status spur__chunks_init(spur__chunks *chunks, spur_param *const *params, int count,
                              spur_error *err) {
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        size_t length = spur__chunk_length(params[i]);
        total += (params[i]->count + length - 1) / length;
    }
    *chunks = (spur__chunks){spur__malloc_array(total ? total : 1, sizeof *chunks->items), 0};
    if (!chunks->items) return spur__fail(err, SPUR_E_MEMORY, "optimizer: out of memory");
    for (int i = 0; i < count; i++) {
        size_t length = spur__chunk_length(params[i]);
        for (size_t begin = 0; begin < params[i]->count; begin += length) {
            size_t left = params[i]->count - begin;
            chunks->items[chunks->count++] = (spur__chunk){i, begin, left < length ? left : length};
        }
    }
    return SPUR_OK;
}

void spur__chunks_free(spur__chunks *chunks) {
    spur__free(chunks->items);
    *chunks = (spur__chunks){0};
}

static bool is_wanted(const spur_param *param, bool only_trainable) {
    return !only_trainable || (param->trainable && param->gradient);
}

spur_status spur__params_of(spur_net *net, bool only_trainable, spur_param ***params, int *count,
                            spur_error *err) {
    int total = spur_net_param_count(net);
    *count = 0;
    *params = spur__malloc_array((size_t)total + 1, sizeof **params);
    if (!*params) return spur__fail(err, SPUR_E_MEMORY, "parameters: out of memory");
    for (int i = 0; i < total; i++) {
        spur_param *param = spur_net_param(net, i);
        if (is_wanted(param, only_trainable)) (*params)[(*count)++] = param;
    }
    return SPUR_OK;
}
