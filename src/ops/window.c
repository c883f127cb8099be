/* SPDX-License-Identifier: MIT
 *
 * The output sizes of sliding windows, as PyTorch computes them.
 */
#include "ops/window.h"

static const char *const direction[2] = {"height", "width"};

void spur__pair(int out[2], const int in[2], int standard) {
    out[0] = in[0] ? in[0] : standard;
    out[1] = in[1] ? in[1] : out[0];
}

void spur__window_same(spur__slide *w) {
    for (int d = 0; d < 2; d++) {
        int64_t out = (w->in[d] + w->stride[d] - 1) / w->stride[d];
        int64_t span = (int64_t)w->dilation[d] * (w->kernel[d] - 1) + 1;
        int64_t total = (out - 1) * w->stride[d] + span - w->in[d];
        if (total < 0) total = 0;
        w->padding[d] = (int)(total / 2);
        w->padding[d + 2] = (int)(total - total / 2);
    }
}

spur_status spur__window_check(const spur__slide *w, int d, spur_error *err) {
    enum { LIMIT = 1 << 15 };
    if (w->kernel[d] < 1 || w->stride[d] < 1 || w->dilation[d] < 1 || w->kernel[d] > LIMIT ||
        w->stride[d] > LIMIT || w->dilation[d] > LIMIT)
        return spur__fail(err, SPUR_E_RANGE,
                          "%s: expected kernel, stride and dilation from 1 to %d, found %d, %d, %d",
                          direction[d], LIMIT, w->kernel[d], w->stride[d], w->dilation[d]);
    if (w->padding[d] < 0 || w->padding[d + 2] < 0 || w->padding[d] > LIMIT ||
        w->padding[d + 2] > LIMIT)
        return spur__fail(err, SPUR_E_RANGE, "%s: expected padding from 0 to %d, found %d and %d",
                          direction[d], LIMIT, w->padding[d], w->padding[d + 2]);
    return SPUR_OK;
}

spur_status spur__window_fit(spur__slide *w, bool ceil_mode, spur_error *err) {
    for (int d = 0; d < 2; d++) {
        SPUR__TRY(spur__window_check(w, d, err));
        int64_t span = (int64_t)w->dilation[d] * (w->kernel[d] - 1) + 1;
        int64_t room = w->in[d] + w->padding[d] + w->padding[d + 2] - span;
        if (room < 0)
            return spur__fail(err, SPUR_E_SHAPE,
                              "%s: the kernel spans %lld pixels, found an image of %lld with "
                              "padding %d and %d",
                              direction[d], (long long)span, (long long)w->in[d], w->padding[d],
                              w->padding[d + 2]);
        w->out[d] = (ceil_mode ? room + w->stride[d] - 1 : room) / w->stride[d] + 1;
        /* the last window must start inside the image or the padding before it */
        if (ceil_mode && (w->out[d] - 1) * w->stride[d] >= w->in[d] + w->padding[d]) w->out[d]--;
    }
    return SPUR_OK;
}
