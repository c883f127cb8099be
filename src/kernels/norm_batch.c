/* SPDX-License-Identifier: MIT
 *
 * Batch normalisation; see norm.h. Scratch: [6][channels] factors, then per block of pixels two
 * rows of [channels] partial results.
 */
#include <math.h>

#include "kernels/norm_internal.h"

/* Rows of factors: a, b and c of dx; rstd of running statistics; scale and shift of y. */
enum { RSTD = 3, SCALE = 4, SHIFT = 5, FACTORS = 6 };

typedef struct batch_job {
    const spur__batch_norm *p;
    const spur__norm_gradient *g;
    const float *x;
    float *y;
    ptrdiff_t x_pitch, y_pitch, blocks;
    float *factors, *partial;
    bool relu;
} batch_job;

static batch_job job_of(const spur__batch_norm *p, const float *x, float *y) {
    batch_job q = {.p = p, .x = x, .y = y};
    q.x_pitch = p->x_pitch ? p->x_pitch : p->channels;
    q.y_pitch = p->y_pitch ? p->y_pitch : p->channels;
    q.blocks = spur__norm_blocks(p->pixels);
    q.factors = p->workspace;
    q.partial = q.factors + FACTORS * p->channels;
    q.relu = p->relu;
    return q;
}

static void moments_task(void *job, ptrdiff_t block, int thread) {
    const batch_job *q = job;
    ptrdiff_t begin, end, c = q->p->channels;
    (void)thread;
    spur__part(q->p->pixels, q->blocks, block, &begin, &end);
    spur__pixels x = {q->x + begin * q->x_pitch, NULL, end - begin, c, q->x_pitch};
    spur__simd_table()->moments(&x, q->partial + 2 * block * c, q->partial + (2 * block + 1) * c);
}

static void update_running(const spur__batch_norm *p, ptrdiff_t c, double mean, double m2) {
    double count = (double)p->pixels, m = p->momentum;
    double variance = m2 / (count > 1.0 ? count - 1.0 : 1.0);
    if (p->running_mean)
        p->running_mean[c] = (float)((1.0 - m) * (double)p->running_mean[c] + m * mean);
    if (p->running_var)
        p->running_var[c] = (float)((1.0 - m) * (double)p->running_var[c] + m * variance);
}

/* Channel c's statistics from all blocks. */
static void combine_task(void *job, ptrdiff_t c, int thread) {
    const batch_job *q = job;
    const spur__batch_norm *p = q->p;
    spur__moments total = {0};
    (void)thread;
    for (ptrdiff_t b = 0; b < q->blocks; b++) {
        ptrdiff_t begin, end;
        spur__part(p->pixels, q->blocks, b, &begin, &end);
        spur__moments_add(&total, (double)(end - begin),
                          (double)q->partial[2 * b * p->channels + c],
                          (double)q->partial[(2 * b + 1) * p->channels + c]);
    }
    p->mean[c] = (float)total.mean;
    p->rstd[c] = (float)(1.0 / sqrt(total.m2 / (double)p->pixels + p->eps));
    update_running(p, c, total.mean, total.m2);
}

/* scale and shift of y = x * scale + shift from mean and rstd. */
static void affine_factors(const batch_job *q, const float *mean, const float *rstd) {
    const spur__batch_norm *p = q->p;
    for (ptrdiff_t c = 0; c < p->channels; c++) {
        double scale = (double)rstd[c] * (p->gamma ? (double)p->gamma[c] : 1.0);
        q->factors[SCALE * p->channels + c] = (float)scale;
        q->factors[SHIFT * p->channels + c] =
            (float)((p->beta ? (double)p->beta[c] : 0.0) - (double)mean[c] * scale);
    }
}

static void affine_task(void *job, ptrdiff_t block, int thread) {
    const batch_job *q = job;
    ptrdiff_t begin, end, c = q->p->channels;
    (void)thread;
    spur__part(q->p->pixels, q->blocks, block, &begin, &end);
    spur__affine a = {end - begin,
                      c,
                      q->x_pitch,
                      q->y_pitch,
                      q->x + begin * q->x_pitch,
                      q->y + begin * q->y_pitch,
                      q->factors + SCALE * c,
                      q->factors + SHIFT * c,
                      q->relu};
    spur__simd_table()->affine(&a);
}

void spur__batch_norm_train(const spur__exec *exec, const spur__batch_norm *p, const float *x,
                            float *y) {
    batch_job q = job_of(p, x, y);
    spur__parallel(exec, q.blocks, moments_task, &q);
    spur__parallel(&(spur__exec){.threads = 1}, p->channels, combine_task, &q);
    affine_factors(&q, p->mean, p->rstd);
    spur__parallel(exec, q.blocks, affine_task, &q);
}

/* 1 / sqrt(running_var + eps) */
static const float *running_rstd(const batch_job *q) {
    const spur__batch_norm *p = q->p;
    float *rstd = q->factors + RSTD * p->channels;
    for (ptrdiff_t c = 0; c < p->channels; c++)
        rstd[c] = (float)(1.0 / sqrt((double)p->running_var[c] + p->eps));
    return rstd;
}

void spur__batch_norm_eval(const spur__exec *exec, const spur__batch_norm *p, const float *x,
                           float *y) {
    batch_job q = job_of(p, x, y);
    affine_factors(&q, p->running_mean, running_rstd(&q));
    spur__parallel(exec, q.blocks, affine_task, &q);
}

void spur__batch_norm_fold(const spur__batch_norm *p, ptrdiff_t rows, const float *w,
                           const float *bias, float *w_out, float *bias_out) {
    batch_job q = job_of(p, NULL, NULL);
    affine_factors(&q, p->running_mean, running_rstd(&q));
    const float *scale = q.factors + SCALE * p->channels, *shift = q.factors + SHIFT * p->channels;
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t c = 0; c < p->channels; c++)
            w_out[r * p->channels + c] = w[r * p->channels + c] * scale[c];
    for (ptrdiff_t c = 0; c < p->channels; c++)
        bias_out[c] = (bias ? bias[c] * scale[c] : 0.0f) + shift[c];
}

/* ---- backward ------------------------------------------------------------------------------ */

/* The block's view of x, dy and dx. */
static spur__norm_dx block_of(const batch_job *q, ptrdiff_t block) {
    ptrdiff_t begin, end, c = q->p->channels;
    spur__part(q->p->pixels, q->blocks, block, &begin, &end);
    spur__norm_dx d = {.count = end - begin,
                       .channels = c,
                       .x_pitch = q->x_pitch,
                       .dy_pitch = q->y_pitch,
                       .x = q->g->x + begin * q->x_pitch,
                       .dy = q->g->dy + begin * q->y_pitch,
                       .a = q->factors,
                       .b = q->factors + c,
                       .c = q->factors + 2 * c,
                       .accumulate = q->g->accumulate};
    if (q->relu) d.scale = q->factors + SCALE * c;
    if (q->relu) d.shift = q->factors + SHIFT * c;
    if (q->g->dx) d.dx = q->g->dx + begin * q->x_pitch;
    return d;
}

static void moments_dy_task(void *job, ptrdiff_t block, int thread) {
    const batch_job *q = job;
    ptrdiff_t c = q->p->channels;
    spur__norm_dx d = block_of(q, block);
    (void)thread;
    spur__simd_table()->moments_dy(&d, q->p->mean, q->partial + 2 * block * c,
                                   q->partial + (2 * block + 1) * c);
}

static void dx_task(void *job, ptrdiff_t block, int thread) {
    spur__norm_dx d = block_of(job, block);
    (void)thread;
    spur__simd_table()->norm_dx(&d);
}

/* Sums over blocks, dgamma, dbeta, and the factors of dx = dy * a + x * b + c. `fixed`: the
 * statistics do not depend on x. */
static void gradient_factors(const batch_job *q, bool fixed, const float *rstds) {
    const spur__batch_norm *p = q->p;
    ptrdiff_t channels = p->channels;
    for (ptrdiff_t c = 0; c < channels; c++) {
        double dy = 0.0, dyx = 0.0, rstd = (double)rstds[c], mean = (double)p->mean[c];
        double gamma = p->gamma ? (double)p->gamma[c] : 1.0, count = (double)p->pixels;
        for (ptrdiff_t b = 0; b < q->blocks; b++) {
            dy += (double)q->partial[2 * b * channels + c];
            dyx += (double)q->partial[(2 * b + 1) * channels + c];
        }
        if (q->g->dgamma) q->g->dgamma[c] += (float)(dyx * rstd);
        if (q->g->dbeta) q->g->dbeta[c] += (float)dy;
        double b = fixed ? 0.0 : -gamma * rstd * rstd * rstd * dyx / count;
        q->factors[c] = (float)(gamma * rstd);
        q->factors[channels + c] = (float)b;
        q->factors[2 * channels + c] = (float)(fixed ? 0.0 : -gamma * rstd * dy / count - b * mean);
    }
}

static void backward(const spur__exec *exec, batch_job *q, bool fixed, const float *rstd) {
    affine_factors(q, q->p->mean, rstd);
    spur__parallel(exec, q->blocks, moments_dy_task, q);
    gradient_factors(q, fixed, rstd);
    if (q->g->dx) spur__parallel(exec, q->blocks, dx_task, q);
}

void spur__batch_norm_backward(const spur__exec *exec, const spur__batch_norm *p,
                               const spur__norm_gradient *g) {
    batch_job q = job_of(p, NULL, NULL);
    q.g = g;
    backward(exec, &q, false, p->rstd);
}

void spur__batch_norm_eval_backward(const spur__exec *exec, const spur__batch_norm *p,
                                    const spur__norm_gradient *g) {
    spur__batch_norm frozen = *p;
    frozen.mean = p->running_mean;
    batch_job q = job_of(&frozen, NULL, NULL);
    q.g = g;
    backward(exec, &q, true, running_rstd(&q));
}
