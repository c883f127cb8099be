/* SPDX-License-Identifier: MIT
 *
 * Factors per image and channel; see vec.h.
 */
#include "kernels/simd/table.h"
#include "kernels/vec.h"

enum { GRAIN = 16 * 1024, CHUNK = 256, STRETCH = 32 /* pixels in one chain */ };

typedef struct scale_job {
    const spur__channel_scale *a;
    ptrdiff_t bands; /* tasks of an image */
    ptrdiff_t chunks; /* the same, for its factors' gradients */
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
    return (scale_job){a, spur__max(1, spur__min(bands, a->pixels)),
                       spur__ceil_div(a->channels, CHUNK)};
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

/* A chunk of channels of an image: stretches in single precision, their sums in double. */
static void factor_task(void *job, ptrdiff_t index, int thread) {
    const scale_job *q = job;
    const spur__channel_scale *a = q->a;
    ptrdiff_t image = index / q->chunks, c = index % q->chunks * CHUNK;
    ptrdiff_t n = spur__min(CHUNK, a->channels - c), end = (image + 1) * a->pixels;
    float part[CHUNK], *ds = a->ds + image * a->channels + c;
    double sum[CHUNK] = {0};
    (void)thread;
    for (ptrdiff_t pixel = image * a->pixels; pixel < end; pixel += STRETCH) {
        ptrdiff_t at = pixel * a->channels + c;
        spur__pixels p = {a->x + at, NULL, spur__min(STRETCH, end - pixel), n, a->channels};
        spur__simd_table()->dot_pixels(&p, a->dy + at, part);
        for (ptrdiff_t i = 0; i < n; i++) sum[i] += (double)part[i];
    }
    for (ptrdiff_t i = 0; i < n; i++) ds[i] = (a->accumulate_ds ? ds[i] : 0.0f) + (float)sum[i];
}

void spur__vec_channel_scale(const spur__exec *exec, const spur__channel_scale *args) {
    scale_job q = scale_of(args);
    spur__parallel(exec, args->n * q.bands, scale_task, &q);
}

void spur__vec_channel_scale_backward(const spur__exec *exec, const spur__channel_scale *args) {
    scale_job q = scale_of(args);
    if (args->ds) spur__parallel(exec, args->n * q.chunks, factor_task, &q);
    if (args->dx) spur__parallel(exec, args->n * q.bands, scale_backward_task, &q);
}
