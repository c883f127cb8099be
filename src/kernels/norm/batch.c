/* SPDX-License-Identifier: MIT
 *
 * Batch normalisation; see norm.h. Scratch: [6][channels] factors, then per block of pixels two
 * rows of [channels] partial results.
 */
#include <math.h>
#include <stdint.h>

#include "kernels/norm/internal.h"
#include "kernels/pool.h"

/* Rows of factors: a, b and c of dx; rstd of running statistics; scale and shift of y. */
enum { RSTD = 3, SCALE = 4, SHIFT = 5, FACTORS = 6 };

enum {
    CHUNK = 16, /* channels whose blocks are added up at a time */
    STREAM_FLOATS = 3 << 20 /* outputs that no cache keeps until they are read */
};

typedef struct batch_job {
    const spur__batch_norm *p;
    const spur__norm_gradient *g;
    const float *x;
    float *y;
    ptrdiff_t x_pitch, y_pitch, blocks;
    float *factors, *partial;
    bool stream; /* y or dx goes past the caches, which spares reading it before */
    bool relu;
    spur__pool_shape pool; /* when p->pool: of this batch */
    const spur__exec *exec; /* scratch; backward behind a pool or a sum: a block's gradients */
} batch_job;

static ptrdiff_t longest_block(ptrdiff_t pixels) {
    return spur__max(SPUR__NORM_BLOCK, spur__ceil_div(pixels, SPUR__NORM_BLOCKS));
}

/* Floats of the rows of pixels that a block touches. */
static ptrdiff_t rows_of_block(const spur__pool_shape *pool, ptrdiff_t pixels) {
    ptrdiff_t rows = spur__ceil_div(longest_block(pixels), pool->w) + 1;
    return spur__round_up(rows * pool->w * pool->c, 16);
}

size_t spur__batch_norm_pool_scratch(const spur__pool_shape *pool) {
    return (size_t)rows_of_block(pool, pool->n * pool->h * pool->w) * sizeof(float);
}

size_t spur__batch_norm_plus_scratch(ptrdiff_t pixels, ptrdiff_t channels) {
    return (size_t)(longest_block(pixels) * channels) * sizeof(float);
}

static void add_pool(batch_job *q) {
    const spur__batch_norm *p = q->p;
    q->pool = *p->pool;
    q->pool.n = p->pixels / (q->pool.h * q->pool.w);
    q->pool.x_pitch = q->x_pitch;
    q->pool.y_pitch = q->y_pitch;
}

static batch_job job_of(const spur__batch_norm *p, const float *x, float *y) {
    batch_job q = {.p = p, .x = x, .y = y};
    q.x_pitch = p->x_pitch ? p->x_pitch : p->channels;
    q.y_pitch = p->y_pitch ? p->y_pitch : p->channels;
    q.blocks = spur__norm_blocks(p->pixels);
    q.factors = p->workspace;
    q.partial = q.factors + FACTORS * p->channels;
    q.relu = p->relu;
    if (p->pool) add_pool(&q);
    q.stream = p->channels % 16 == 0 && q.y_pitch % 16 == 0 && (uintptr_t)y % 64 == 0 &&
               p->pixels * p->channels >= STREAM_FLOATS;
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

/* Statistics of a chunk of channels from all blocks, as of Chan, Golub & LeVeque, "Updating formulae
 * and a pairwise algorithm for computing sample variances", 1979. */
static void combine_task(void *job, ptrdiff_t chunk, int thread) {
    const batch_job *q = job;
    const spur__batch_norm *p = q->p;
    ptrdiff_t first = chunk * CHUNK, n = spur__min(CHUNK, p->channels - first);
    double mean[CHUNK] = {0}, m2[CHUNK] = {0}, seen = 0.0;
    (void)thread;
    for (ptrdiff_t b = 0; b < q->blocks; b++) {
        ptrdiff_t begin, end;
        spur__part(p->pixels, q->blocks, b, &begin, &end);
        const float *means = q->partial + 2 * b * p->channels + first;
        const float *m2s = means + p->channels;
        double count = (double)(end - begin), all = seen + count;
        for (ptrdiff_t c = 0; c < n; c++) {
            double d = (double)means[c] - mean[c];
            m2[c] += (double)m2s[c] + d * d * seen * count / all;
            mean[c] += d * count / all;
        }
        seen = all;
    }
    for (ptrdiff_t c = 0; c < n; c++) {
        p->mean[first + c] = (float)mean[c];
        p->rstd[first + c] = (float)(1.0 / sqrt(m2[c] / (double)p->pixels + p->eps));
        update_running(p, first + c, mean[c], m2[c]);
    }
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
    spur__affine a = {.count = end - begin,
                      .channels = c,
                      .x_pitch = q->x_pitch,
                      .y_pitch = q->y_pitch,
                      .x = q->x + begin * q->x_pitch,
                      .y = q->y + begin * q->y_pitch,
                      .scale = q->factors + SCALE * c,
                      .shift = q->factors + SHIFT * c,
                      .plus = q->p->plus ? q->p->plus + begin * c : NULL,
                      .relu = q->relu,
                      .swish = q->p->swish,
                      .stream = q->stream};
    spur__simd_table()->affine(&a);
    if (q->stream) spur__simd_table()->end_stream();
}

/* y of the factors. */
static void normalise(const spur__exec *exec, batch_job *q) {
    ptrdiff_t c = q->p->channels;
    spur__pool_affine a = {q->factors + SCALE * c, q->factors + SHIFT * c, q->relu};
    if (q->p->pool)
        spur__max_pool_affine(exec, &q->pool, &a, q->x, q->y, q->p->argmax);
    else
        spur__parallel(exec, q->blocks, affine_task, q);
}

void spur__batch_norm_train(const spur__exec *exec, const spur__batch_norm *p, const float *x,
                            float *y) {
    batch_job q = job_of(p, x, y);
    spur__parallel(exec, q.blocks, moments_task, &q);
    spur__parallel(exec, spur__ceil_div(p->channels, CHUNK), combine_task, &q);
    affine_factors(&q, p->mean, p->rstd);
    normalise(exec, &q);
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
    normalise(exec, &q);
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

/* dy of pixels [begin, end), collected from the pool's windows into the thread's scratch. */
static const float *unpooled(const batch_job *q, ptrdiff_t begin, ptrdiff_t end, int thread) {
    spur__pool_shape s = q->pool;
    float *rows = spur__scratch(q->exec, thread);
    ptrdiff_t first = begin / s.w, row_floats = s.w * s.c;
    size_t all = spur__pool_argmax_bytes(&s);
    s.x_pitch = s.c;
    for (ptrdiff_t row = first; row * s.w < end; row++) {
        ptrdiff_t image = row / s.h;
        spur__pool_gather g = {.s = &s,
                               .row = row % s.h,
                               .dy = q->g->dy + image * s.oh * s.ow * s.y_pitch,
                               .argmax =
                                   (const char *)q->p->argmax + (size_t)image * (all / (size_t)s.n),
                               .wide = all > (size_t)(s.n * s.oh * s.ow * s.c),
                               .dx = rows + (row - first) * row_floats};
        spur__simd_table()->max_pool_gather(&g);
    }
    return rows + (begin - first * s.w) * s.c;
}

/* The block's view of x and dx, and of dy unless a pool is behind. */
static spur__norm_dx block_of(const batch_job *q, ptrdiff_t block) {
    ptrdiff_t begin, end, c = q->p->channels;
    spur__part(q->p->pixels, q->blocks, block, &begin, &end);
    spur__norm_dx d = {.count = end - begin,
                       .channels = c,
                       .x_pitch = q->x_pitch,
                       .dy_pitch = q->y_pitch,
                       .x = q->g->x + begin * q->x_pitch,
                       .a = q->factors,
                       .b = q->factors + c,
                       .c = q->factors + 2 * c,
                       .accumulate = q->g->accumulate};
    if (!q->p->pool) d.dy = q->g->dy + begin * q->y_pitch;
    if (q->p->swish || (q->relu && !q->g->dplus)) {
        d.scale = q->factors + SCALE * c;
        d.shift = q->factors + SHIFT * c;
        d.swish = q->p->swish;
    }
    if (q->g->dx) d.dx = q->g->dx + begin * q->x_pitch;
    return d;
}

/* The block's gradient of a sum is that of both operands, where its ReLU let it through. It goes to
 * the other operand in the first walk and is found there in the second, unless others have added
 * to it: then it is made again. */
static void split_dy(const batch_job *q, ptrdiff_t begin, ptrdiff_t end, int thread, bool first,
                     spur__norm_dx *d) {
    const spur__norm_gradient *g = q->g;
    ptrdiff_t at = begin * d->channels, n = (end - begin) * d->channels;
    float *dplus = g->dplus + at, *own = g->accumulate_plus ? spur__scratch(q->exec, thread) : NULL;
    if (q->relu) {
        spur__relu_split split = {.y = g->y + at,
                                  .dy = d->dy,
                                  .dx = {first ? dplus : NULL, own},
                                  .accumulate = {g->accumulate_plus}};
        if (first || own) spur__simd_table()->relu_split(&split, 0, n);
        d->dy = own ? own : dplus;
    } else if (first && dplus != d->dy) {
        spur__map copy = {
            .op = SPUR__MAP_COPY, .accumulate = g->accumulate_plus, .a = d->dy, .y = dplus};
        spur__simd_table()->map(&copy, 0, n);
    }
}

/* dy of a block, where it is not just read. Behind a pool it is collected anew for each of the two
 * walks over the block: that costs less than to store it. */
static void collect_dy(const batch_job *q, ptrdiff_t block, int thread, bool first,
                       spur__norm_dx *d) {
    ptrdiff_t begin, end;
    spur__part(q->p->pixels, q->blocks, block, &begin, &end);
    if (q->g->dplus) split_dy(q, begin, end, thread, first, d);
    if (!q->p->pool) return;
    d->dy = unpooled(q, begin, end, thread);
    d->dy_pitch = d->channels;
}

static void moments_dy_task(void *job, ptrdiff_t block, int thread) {
    const batch_job *q = job;
    ptrdiff_t c = q->p->channels;
    spur__norm_dx d = block_of(q, block);
    collect_dy(q, block, thread, true, &d);
    spur__simd_table()->moments_dy(&d, q->p->mean, q->partial + 2 * block * c,
                                   q->partial + (2 * block + 1) * c);
}

static void dx_task(void *job, ptrdiff_t block, int thread) {
    const batch_job *q = job;
    spur__norm_dx d = block_of(q, block);
    collect_dy(q, block, thread, false, &d);
    d.stream = q->stream;
    spur__simd_table()->norm_dx(&d);
    if (d.stream) spur__simd_table()->end_stream();
}

/* Sums over blocks, dgamma, dbeta, and the factors of dx = dy * a + x * b + c. */
static void gradient_task(void *job, ptrdiff_t chunk, int thread) {
    const batch_job *q = job;
    const spur__batch_norm *p = q->p;
    ptrdiff_t channels = p->channels, first = chunk * CHUNK;
    ptrdiff_t n = spur__min(CHUNK, channels - first);
    double dy[CHUNK] = {0}, dyx[CHUNK] = {0}, count = (double)p->pixels;
    (void)thread;
    for (ptrdiff_t b = 0; b < q->blocks; b++) {
        const float *sums = q->partial + 2 * b * channels + first;
        for (ptrdiff_t i = 0; i < n; i++) dy[i] += (double)sums[i];
        for (ptrdiff_t i = 0; i < n; i++) dyx[i] += (double)sums[channels + i];
    }
    for (ptrdiff_t i = 0, c = first; i < n; i++, c++) {
        double rstd = (double)p->rstd[c], mean = (double)p->mean[c];
        double gamma = p->gamma ? (double)p->gamma[c] : 1.0;
        if (q->g->dgamma) q->g->dgamma[c] += (float)(dyx[i] * rstd);
        if (q->g->dbeta) q->g->dbeta[c] += (float)dy[i];
        double b = -gamma * rstd * rstd * rstd * dyx[i] / count;
        q->factors[c] = (float)(gamma * rstd);
        q->factors[channels + c] = (float)b;
        q->factors[2 * channels + c] = (float)(-gamma * rstd * dy[i] / count - b * mean);
    }
}

void spur__batch_norm_backward(const spur__exec *exec, const spur__batch_norm *p,
                               const spur__norm_gradient *g) {
    batch_job q = job_of(p, NULL, NULL);
    q.g = g;
    q.exec = exec;
    /* Without pool and sum dx mostly lies over dy, which is near then. */
    q.stream = (p->pool || g->dplus) && !g->accumulate && q.x_pitch % 16 == 0 &&
               p->channels % 16 == 0 && (uintptr_t)g->dx % 64 == 0 &&
               p->pixels * p->channels >= STREAM_FLOATS;
    affine_factors(&q, p->mean, p->rstd);
    spur__parallel(exec, q.blocks, moments_dy_task, &q);
    spur__parallel(exec, spur__ceil_div(p->channels, CHUNK), gradient_task, &q);
    if (g->dx) spur__parallel(exec, q.blocks, dx_task, &q);
}
