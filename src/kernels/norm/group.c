/* SPDX-License-Identifier: MIT
 *
 * Group normalisation; see norm.h. A task is one image, or several when they are small.
 * Scratch per image: a, b, c of dx; two rows of sums that become dgamma, dbeta; scale and shift of y.
 */
#include <math.h>

#include "kernels/norm/internal.h"

enum { GRAIN = 8 * 1024, PARTS = 64, ROWS = 7 /* of [channels], per image */ };

size_t spur__norm_workspace(ptrdiff_t n, ptrdiff_t pixels, ptrdiff_t channels) {
    ptrdiff_t batch = 6 + 2 * spur__norm_blocks(n * pixels), group = ROWS * n + 2 * PARTS;
    return (size_t)(spur__max(batch, group) * channels) * sizeof(float) + 64;
}

typedef struct group_job {
    const spur__group_norm *p;
    const spur__norm_gradient *g;
    const float *x;
    float *y, *scratch;
    ptrdiff_t images; /* of a task */
    ptrdiff_t parts; /* of the reduction over images */
} group_job;

static float *image_scratch(const group_job *q, ptrdiff_t image) {
    return q->scratch + image * ROWS * q->p->channels;
}

/* Factors of y = x * scale + shift of an image's channels, from its mean and rstd. */
static void image_factors(const spur__group_norm *p, ptrdiff_t image, float *scale, float *shift) {
    ptrdiff_t width = p->channels / p->groups;
    for (ptrdiff_t c = 0; c < p->channels; c++) {
        ptrdiff_t set = image * p->groups + c / width;
        double factor = (double)p->rstd[set] * (p->gamma ? (double)p->gamma[c] : 1.0);
        scale[c] = (float)factor;
        shift[c] = (float)((p->beta ? (double)p->beta[c] : 0.0) - (double)p->mean[set] * factor);
    }
}

static void image_forward(const group_job *q, ptrdiff_t image) {
    const spur__group_norm *p = q->p;
    ptrdiff_t channels = p->channels, width = channels / p->groups;
    ptrdiff_t at = image * p->pixels * channels;
    float *scale = image_scratch(q, image), *shift = scale + channels;
    spur__pixels x = {q->x + at, NULL, p->pixels, channels, channels};
    spur__simd_table()->moments(&x, scale, shift); /* mean and m2 of every channel, for now */
    for (ptrdiff_t group = 0; group < p->groups; group++) {
        spur__moments t = {0};
        for (ptrdiff_t c = group * width; c < (group + 1) * width; c++)
            spur__moments_add(&t, (double)p->pixels, (double)scale[c], (double)shift[c]);
        p->mean[image * p->groups + group] = (float)t.mean;
        p->rstd[image * p->groups + group] = (float)(1.0 / sqrt(t.m2 / t.count + p->eps));
    }
    image_factors(p, image, scale, shift);
    spur__affine a = {.count = p->pixels,
                      .channels = channels,
                      .x_pitch = channels,
                      .y_pitch = channels,
                      .x = q->x + at,
                      .y = q->y + at,
                      .scale = scale,
                      .shift = shift,
                      .relu = p->relu};
    spur__simd_table()->affine(&a);
}

static void forward_task(void *job, ptrdiff_t index, int thread) {
    const group_job *q = job;
    ptrdiff_t end = spur__min(q->p->n, (index + 1) * q->images);
    (void)thread;
    for (ptrdiff_t i = index * q->images; i < end; i++) image_forward(q, i);
}

static group_job job_of(const spur__group_norm *p) {
    group_job q = {.p = p, .scratch = p->workspace};
    q.images = spur__max(1, GRAIN / (p->pixels * p->channels));
    return q;
}

void spur__group_norm_forward(const spur__exec *exec, const spur__group_norm *p, const float *x,
                              float *y) {
    group_job q = job_of(p);
    q.x = x;
    q.y = y;
    spur__parallel(exec, spur__ceil_div(p->n, q.images), forward_task, &q);
}

/* Factors of one group of one image from its channels' sums dy and dyx (= dy * (x - mean)):
 * dx = gamma * rstd * dy + b * x + c. The sums become dbeta and dgamma. */
static void group_factors(const group_job *q, ptrdiff_t image, ptrdiff_t group, float *rows) {
    const spur__group_norm *p = q->p;
    ptrdiff_t channels = p->channels, width = channels / p->groups;
    float *dy = rows + 3 * channels, *dyx = rows + 4 * channels;
    double mean = (double)p->mean[image * p->groups + group], sum_dy = 0.0, sum_dyx = 0.0;
    double rstd = (double)p->rstd[image * p->groups + group];
    for (ptrdiff_t c = group * width; c < (group + 1) * width; c++) {
        double gamma = p->gamma ? (double)p->gamma[c] : 1.0;
        sum_dy += gamma * (double)dy[c];
        sum_dyx += gamma * (double)dyx[c];
    }
    double count = (double)(width * p->pixels), b = -rstd * rstd * rstd * sum_dyx / count;
    for (ptrdiff_t c = group * width; c < (group + 1) * width; c++) {
        rows[c] = (float)((p->gamma ? (double)p->gamma[c] : 1.0) * rstd);
        rows[channels + c] = (float)b;
        rows[2 * channels + c] = (float)(-rstd * sum_dy / count - b * mean);
        dyx[c] = (float)((double)dyx[c] * rstd);
    }
}

static void image_backward(const group_job *q, ptrdiff_t image) {
    const spur__group_norm *p = q->p;
    ptrdiff_t channels = p->channels, width = channels / p->groups;
    ptrdiff_t at = image * p->pixels * channels;
    float *rows = image_scratch(q, image);
    spur__norm_dx d = {.count = p->pixels,
                       .channels = channels,
                       .x_pitch = channels,
                       .dy_pitch = channels,
                       .x = q->g->x + at,
                       .dy = q->g->dy + at,
                       .a = rows,
                       .b = rows + channels,
                       .c = rows + 2 * channels,
                       .accumulate = q->g->accumulate};
    if (p->relu) {
        image_factors(p, image, rows + 5 * channels, rows + 6 * channels);
        d.scale = rows + 5 * channels;
        d.shift = rows + 6 * channels;
    }
    if (q->g->dx) d.dx = q->g->dx + at;
    for (ptrdiff_t c = 0; c < channels; c++) rows[c] = p->mean[image * p->groups + c / width];
    spur__simd_table()->moments_dy(&d, rows, rows + 3 * channels, rows + 4 * channels);
    for (ptrdiff_t group = 0; group < p->groups; group++) group_factors(q, image, group, rows);
    if (q->g->dx) spur__simd_table()->norm_dx(&d);
}

static void backward_task(void *job, ptrdiff_t index, int thread) {
    const group_job *q = job;
    ptrdiff_t end = spur__min(q->p->n, (index + 1) * q->images);
    (void)thread;
    for (ptrdiff_t i = index * q->images; i < end; i++) image_backward(q, i);
}

/* Sums over a fixed share of the images, both rows. */
static void reduce_task(void *job, ptrdiff_t part, int thread) {
    const group_job *q = job;
    ptrdiff_t channels = q->p->channels, begin, end;
    float *sums = q->scratch + q->p->n * ROWS * channels + part * 2 * channels;
    (void)thread;
    spur__part(q->p->n, q->parts, part, &begin, &end);
    spur__pixels rows = {image_scratch(q, begin) + 3 * channels, NULL, end - begin, 2 * channels,
                         ROWS * channels};
    spur__simd_table()->column_sums(&rows, sums);
}

static void add_parts(const group_job *q, ptrdiff_t offset, float *out) {
    ptrdiff_t channels = q->p->channels;
    const float *sums = q->scratch + q->p->n * ROWS * channels + offset;
    for (ptrdiff_t c = 0; out && c < channels; c++) {
        double sum = 0.0;
        for (ptrdiff_t p = 0; p < q->parts; p++) sum += (double)sums[p * 2 * channels + c];
        out[c] += (float)sum;
    }
}

void spur__group_norm_backward(const spur__exec *exec, const spur__group_norm *p,
                               const spur__norm_gradient *g) {
    group_job q = job_of(p);
    q.g = g;
    q.parts = spur__min(PARTS, p->n);
    spur__parallel(exec, spur__ceil_div(p->n, q.images), backward_task, &q);
    if (!g->dgamma && !g->dbeta) return;
    spur__parallel(exec, q.parts, reduce_task, &q);
    add_parts(&q, 0, g->dbeta);
    add_parts(&q, p->channels, g->dgamma);
}
