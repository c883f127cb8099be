/* SPDX-License-Identifier: MIT
 *
 * Resizing; see resample.h. Forward tasks are output rows; backward tasks are stretches of channels
 * of an image, since neighbouring output rows add to the same input row.
 */
#include "kernels/resample.h"

#include <math.h>
#include <string.h>

#include "kernels/simd/table.h"

enum { CHANNELS = 64, FEW_CHANNELS = 32, FEW_IMAGES = 4 };

typedef struct resample_job {
    spur__resample_shape s; /* with pitches */
    const float *from;
    float *to;
    ptrdiff_t channels, channel_tasks; /* of a backward task; of an image */
    bool accumulate;
} resample_job;

/* The two source positions of output i and the weight of the second one. */
typedef struct source {
    ptrdiff_t a, b;
    float weight;
} source;

ptrdiff_t spur__resample_nearest(ptrdiff_t i, ptrdiff_t size, ptrdiff_t out) {
    float scale = (float)size / (float)out;
    return spur__min((ptrdiff_t)floorf((float)i * scale), size - 1);
}

static source source_of(ptrdiff_t i, ptrdiff_t size, ptrdiff_t out, bool bilinear) {
    if (!bilinear) {
        ptrdiff_t at = spur__resample_nearest(i, size, out);
        return (source){at, at, 0.0f};
    }
    float scale = (float)size / (float)out;
    float position = scale * ((float)i + 0.5f) - 0.5f;
    if (position < 0.0f) position = 0.0f;
    ptrdiff_t a = spur__min((ptrdiff_t)position, size - 1);
    return (source){a, spur__min(a + 1, size - 1), position - (float)a};
}

static spur__blend blend_of(source v, source u, ptrdiff_t w, ptrdiff_t pitch) {
    return (spur__blend){
        .offset = {(v.a * w + u.a) * pitch, (v.a * w + u.b) * pitch, (v.b * w + u.a) * pitch,
                   (v.b * w + u.b) * pitch},
        .weight = {(1.0f - v.weight) * (1.0f - u.weight), (1.0f - v.weight) * u.weight,
                   v.weight * (1.0f - u.weight), v.weight * u.weight},
    };
}

static void forward_task(void *job, ptrdiff_t index, int thread) {
    const resample_job *q = job;
    const spur__resample_shape *s = &q->s;
    const float *x = q->from + index / s->oh * s->h * s->w * s->x_pitch;
    float *y = q->to + index * s->ow * s->y_pitch;
    source v = source_of(index % s->oh, s->h, s->oh, s->bilinear);
    (void)thread;
    for (ptrdiff_t i = 0; i < s->ow; i++, y += s->y_pitch) {
        source u = source_of(i, s->w, s->ow, s->bilinear);
        spur__blend b = blend_of(v, u, s->w, s->x_pitch);
        if (s->bilinear)
            spur__simd_table()->blend(&b, x, y, s->c);
        else
            memcpy(y, x + b.offset[0], (size_t)s->c * sizeof(float));
    }
}

static spur__resample_shape with_pitches(const spur__resample_shape *s) {
    spur__resample_shape out = *s;
    if (!out.x_pitch) out.x_pitch = out.c;
    if (!out.y_pitch) out.y_pitch = out.c;
    return out;
}

void spur__resample(const spur__exec *exec, const spur__resample_shape *s, const float *x,
                    float *y) {
    resample_job q = {.s = with_pitches(s), .from = x, .to = y};
    spur__parallel(exec, s->n * s->oh, forward_task, &q);
}

static void backward_task(void *job, ptrdiff_t index, int thread) {
    const resample_job *q = job;
    const spur__resample_shape *s = &q->s;
    ptrdiff_t image = index / q->channel_tasks, c0 = index % q->channel_tasks * q->channels;
    ptrdiff_t channels = spur__min(q->channels, s->c - c0);
    const float *dy = q->from + image * s->oh * s->ow * s->y_pitch + c0;
    float *dx = q->to + image * s->h * s->w * s->x_pitch + c0;
    (void)thread;
    for (ptrdiff_t i = 0; !q->accumulate && i < s->h * s->w; i++)
        memset(dx + i * s->x_pitch, 0, (size_t)channels * sizeof(float));
    for (ptrdiff_t i = 0; i < s->oh * s->ow; i++, dy += s->y_pitch) {
        source v = source_of(i / s->ow, s->h, s->oh, s->bilinear);
        source u = source_of(i % s->ow, s->w, s->ow, s->bilinear);
        spur__blend b = blend_of(v, u, s->w, s->x_pitch);
        spur__simd_table()->spread(&b, dy, dx, channels, s->bilinear ? 4 : 1);
    }
}

void spur__resample_backward(const spur__exec *exec, const spur__resample_shape *s, const float *dy,
                             float *dx, bool accumulate) {
    resample_job q = {.s = with_pitches(s), .from = dy, .to = dx, .accumulate = accumulate};
    q.channels = s->n < FEW_IMAGES ? FEW_CHANNELS : CHANNELS;
    q.channel_tasks = spur__ceil_div(s->c, q.channels);
    spur__parallel(exec, s->n * q.channel_tasks, backward_task, &q);
}
