/* SPDX-License-Identifier: MIT
 *
 * Layer normalisation; see norm.h. The rows are cut into at most PARTS stretches by their number alone.
 * Of each there are sums for dgamma and dbeta: of STRETCH rows in single precision, [2][channels],
 * and of all of them in double, [2][channels] as well.
 */
#include "kernels/norm/internal.h"

enum { GRAIN = 8 * 1024, PARTS = 64, STRETCH = 16 };

typedef struct layer_job {
    const spur__layer_norm *p;
    const spur__norm_gradient *g;
    spur__layer_rows rows;
    ptrdiff_t stretch, parts; /* rows of a task of the forward pass; tasks of the backward pass */
    double *sums; /* [parts][2][channels]; then floats likewise */
} layer_job;

static ptrdiff_t parts_of(ptrdiff_t rows) {
    return spur__max(1, spur__min(PARTS, spur__ceil_div(rows, STRETCH)));
}

size_t spur__layer_norm_workspace(ptrdiff_t rows, ptrdiff_t channels) {
    return (size_t)(parts_of(rows) * 2 * channels) * (sizeof(double) + sizeof(float));
}

static layer_job job_of(const spur__layer_norm *p) {
    layer_job q = {.p = p, .sums = p->workspace, .parts = parts_of(p->rows)};
    q.stretch = spur__max(1, GRAIN / p->channels);
    q.rows = (spur__layer_rows){.channels = p->channels,
                                .gamma = p->gamma,
                                .beta = p->beta,
                                .eps = p->eps,
                                .relu = p->relu,
                                .mean = p->mean,
                                .rstd = p->rstd};
    return q;
}

static void forward_task(void *job, ptrdiff_t index, int thread) {
    const layer_job *q = job;
    spur__layer_rows rows = q->rows;
    (void)thread;
    rows.begin = index * q->stretch;
    rows.end = spur__min(q->p->rows, rows.begin + q->stretch);
    spur__simd_table()->layer_norm(&rows);
}

void spur__layer_norm_forward(const spur__exec *exec, const spur__layer_norm *p, const float *x,
                              float *y) {
    layer_job q = job_of(p);
    q.rows.x = x;
    q.rows.y = y;
    spur__parallel(exec, spur__ceil_div(p->rows, q.stretch), forward_task, &q);
}

/* A stretch's sums are added to those of the part. */
static void add_stretch(double *sums, const float *stretch, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) sums[i] += (double)stretch[i];
}

static void backward_task(void *job, ptrdiff_t part, int thread) {
    const layer_job *q = job;
    const ptrdiff_t channels = q->p->channels;
    double *sums = q->sums + part * 2 * channels;
    float *stretch = (float *)(q->sums + q->parts * 2 * channels) + part * 2 * channels;
    bool wanted = q->g->dgamma || q->g->dbeta;
    spur__layer_gradient d = {.rows = q->rows,
                              .dy = q->g->dy,
                              .dx = q->g->dx,
                              .dgamma = wanted ? stretch : NULL,
                              .dbeta = wanted ? stretch + channels : NULL,
                              .accumulate = q->g->accumulate};
    ptrdiff_t begin, end;
    (void)thread;
    spur__part(q->p->rows, q->parts, part, &begin, &end);
    for (ptrdiff_t i = 0; wanted && i < 2 * channels; i++) sums[i] = 0.0;
    for (ptrdiff_t row = begin; row < end; row += STRETCH) {
        d.rows.begin = row;
        d.rows.end = spur__min(end, row + STRETCH);
        for (ptrdiff_t i = 0; wanted && i < 2 * channels; i++) stretch[i] = 0.0f;
        spur__simd_table()->layer_norm_backward(&d);
        if (wanted) add_stretch(sums, stretch, 2 * channels);
    }
}

static void add_parts(const layer_job *q, ptrdiff_t offset, float *out) {
    ptrdiff_t channels = q->p->channels;
    for (ptrdiff_t c = 0; out && c < channels; c++) {
        double sum = 0.0;
        for (ptrdiff_t p = 0; p < q->parts; p++) sum += q->sums[p * 2 * channels + offset + c];
        out[c] += (float)sum;
    }
}

void spur__layer_norm_backward(const spur__exec *exec, const spur__layer_norm *p,
                               const spur__norm_gradient *g) {
    layer_job q = job_of(p);
    q.g = g;
    q.rows.x = g->x;
    spur__parallel(exec, q.parts, backward_task, &q);
    add_parts(&q, 0, g->dgamma);
    add_parts(&q, p->channels, g->dbeta);
}
