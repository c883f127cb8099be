/* SPDX-License-Identifier: MIT
 *
 * Work on pixels of channels: slices, column sums, factors per channel; see vec.h.
 */
#include <string.h>

#include "kernels/simd/table.h"
#include "kernels/vec.h"

enum { GRAIN = 16 * 1024, PARTS = 32 };

typedef struct pixels_job {
    const spur__pixels *p;
    float *out;
    ptrdiff_t out_pitch, grain, parts;
    bool accumulate;
} pixels_job;

static spur__pixels slice(const spur__pixels *p, ptrdiff_t begin, ptrdiff_t count) {
    spur__pixels s = *p;
    s.x += begin * p->pitch;
    if (s.mask) s.mask += begin * p->pitch;
    s.count = count;
    return s;
}

static void copy_task(void *job, ptrdiff_t index, int thread) {
    const pixels_job *q = job;
    ptrdiff_t begin = index * q->grain;
    spur__pixels p = slice(q->p, begin, spur__least(q->grain, q->p->count - begin));
    float *out = q->out + begin * q->out_pitch;
    (void)thread;
    if (q->accumulate)
        spur__simd_table()->add_pixels(&p, out, q->out_pitch);
    else
        spur__simd_table()->copy_pixels(&p, out, q->out_pitch);
}

void spur__vec_copy_pixels(const spur__exec *exec, const spur__pixels *x, float *out,
                           ptrdiff_t out_pitch, bool accumulate) {
    pixels_job q = {.p = x, .out = out, .out_pitch = out_pitch, .accumulate = accumulate};
    q.grain = spur__most(1, GRAIN / spur__most(1, x->channels));
    spur__parallel(exec, spur__ceil_div(x->count, q.grain), copy_task, &q);
}

static void sums_task(void *job, ptrdiff_t part, int thread) {
    const pixels_job *q = job;
    ptrdiff_t begin, end;
    (void)thread;
    spur__part(q->p->count, q->parts, part, &begin, &end);
    spur__pixels p = slice(q->p, begin, end - begin);
    spur__simd_table()->column_sums(&p, q->out + part * p.channels);
}

ptrdiff_t spur__vec_column_sums_scratch(ptrdiff_t channels) {
    return PARTS * channels;
}

void spur__vec_column_sums(const spur__exec *exec, const spur__pixels *x, float *sums,
                           bool accumulate, float *scratch) {
    pixels_job q = {.p = x, .out = scratch};
    q.parts = spur__most(1, spur__least(PARTS, spur__ceil_div(x->count, 64)));
    spur__parallel(exec, q.parts, sums_task, &q);
    for (ptrdiff_t c = 0; c < x->channels; c++) {
        double sum = accumulate ? (double)sums[c] : 0.0;
        for (ptrdiff_t p = 0; p < q.parts; p++) sum += (double)scratch[p * x->channels + c];
        sums[c] = (float)sum;
    }
}

/* ---- factors per image and channel ---------------------------------------------------------- */

typedef struct scale_job {
    const spur__channel_scale *a;
    ptrdiff_t bands; /* tasks of an image */
} scale_job;

/* The pixels of a task: image `*image`, from `*begin` on. */
static spur__pixels band_of(const scale_job *q, const float *x, ptrdiff_t index, ptrdiff_t *image,
                            ptrdiff_t *begin) {
    ptrdiff_t end;
    *image = index / q->bands;
    spur__part(q->a->pixels, q->bands, index % q->bands, begin, &end);
    return (spur__pixels){.x = x + (*image * q->a->pixels + *begin) * q->a->channels,
                          .count = end - *begin,
                          .channels = q->a->channels,
                          .pitch = q->a->channels};
}

static scale_job scale_of(const spur__channel_scale *a) {
    ptrdiff_t bands = spur__ceil_div(a->pixels * a->channels, GRAIN);
    return (scale_job){a, spur__most(1, spur__least(bands, a->pixels))};
}

static void scale_task(void *job, ptrdiff_t index, int thread) {
    const scale_job *q = job;
    ptrdiff_t image, begin;
    spur__pixels p = band_of(q, q->a->x, index, &image, &begin);
    (void)thread;
    spur__simd_table()->scale_pixels(&p, q->a->s + image * p.channels,
                                     q->a->y + (image * q->a->pixels + begin) * p.channels, false);
}

static void scale_backward_task(void *job, ptrdiff_t index, int thread) {
    const scale_job *q = job;
    ptrdiff_t image, begin;
    spur__pixels p = band_of(q, q->a->dy, index, &image, &begin);
    (void)thread;
    spur__simd_table()->scale_pixels(&p, q->a->s + image * p.channels,
                                     q->a->dx + (image * q->a->pixels + begin) * p.channels,
                                     q->a->accumulate_dx);
}

/* One image: its channels' sums are one chain each. */
static void factor_task(void *job, ptrdiff_t image, int thread) {
    const scale_job *q = job;
    const spur__channel_scale *a = q->a;
    ptrdiff_t at = image * a->pixels * a->channels;
    float *ds = a->ds + image * a->channels;
    spur__pixels p = {.x = a->x + at, .count = a->pixels, .channels = a->channels};
    (void)thread;
    if (!a->accumulate_ds) memset(ds, 0, (size_t)a->channels * sizeof(float));
    spur__simd_table()->dot_pixels(&p, a->dy + at, ds);
}

void spur__vec_channel_scale(const spur__exec *exec, const spur__channel_scale *args) {
    scale_job q = scale_of(args);
    spur__parallel(exec, args->n * q.bands, scale_task, &q);
}

void spur__vec_channel_scale_backward(const spur__exec *exec, const spur__channel_scale *args) {
    scale_job q = scale_of(args);
    if (args->ds) spur__parallel(exec, args->n, factor_task, &q);
    if (args->dx) spur__parallel(exec, args->n * q.bands, scale_backward_task, &q);
}
