/* SPDX-License-Identifier: MIT
 *
 * Our own matrix product. C is cut into blocks, one task each; a task packs its part of A and B
 * into its thread's scratch, KC steps of k at a time, and runs the register tile over them.
 * The block sizes change no bit: KC is the tile's stretch of k, after which it begins a new chain of
 * FMAs anyway, and the chains' sums are added in k order.
 *
 * Packed A: strips of mr rows, [k/16][mr][16] (rows of A given) or [k][mr] (columns given).
 * Packed B: panels of nr columns, [k][nr]; the last one [k][vl] when that is enough.
 */
#include "kernels/matrix/gemm.h"

#include <string.h>

#include "kernels/matrix/internal.h"
#include "kernels/simd/table.h"

enum { KC = SPUR__TILE_STRETCH, MC = 16 * 14, NC = 512, A_SIZE = MC * KC, B_SIZE = NC * KC };

typedef struct gemm_job {
    const spur__gemm_args *g;
    const spur__simd *simd;
    ptrdiff_t row_blocks, column_blocks;
    const spur__exec *exec;
} gemm_job;

size_t spur__gemm_scratch(void) {
    return (A_SIZE + B_SIZE) * sizeof(float);
}

/* Rows [row, row + rows) and steps [k, k + kc) of op(A); kc16 = kc rounded up to 16. */
static void pack_a(const spur__gemm_args *g, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t k,
                   ptrdiff_t kc, ptrdiff_t mr, float *out) {
    if (g->a_transposed) {
        for (ptrdiff_t i = 0; i < kc; i++)
            memcpy(out + i * mr, g->a + (k + i) * g->lda + row, (size_t)rows * sizeof(float));
        return;
    }
    for (ptrdiff_t i = 0; i < rows; i++) {
        const float *a = g->a + (row + i) * g->lda + k;
        ptrdiff_t step = 0;
        for (; step + 16 <= kc; step += 16)
            memcpy(out + step * mr + i * 16, a + step, 16 * sizeof(float));
        if (step == kc) continue;
        float *tail = out + step * mr + i * 16;
        memset(tail, 0, 16 * sizeof(float));
        memcpy(tail, a + step, (size_t)(kc - step) * sizeof(float));
    }
}

/* One panel: columns [column, column + columns), `width` floats a step, zeros to k_end. */
static void pack_b(const spur__simd *simd, const spur__gemm_args *g, ptrdiff_t column,
                   ptrdiff_t columns, ptrdiff_t width, ptrdiff_t k, ptrdiff_t kc, float *out) {
    if (g->b_transposed) {
        simd->pack_transposed(g->b + column * g->ldb + k, g->ldb, columns, width, kc, out);
    } else {
        for (ptrdiff_t i = 0; i < kc; i++) {
            memcpy(out + i * width, g->b + (k + i) * g->ldb + column,
                   (size_t)columns * sizeof(float));
            for (ptrdiff_t j = columns; j < width; j++) out[i * width + j] = 0.0f;
        }
    }
    ptrdiff_t padded = spur__round_up(kc, 16);
    memset(out + kc * width, 0, (size_t)((padded - kc) * width) * sizeof(float));
}

typedef struct block {
    ptrdiff_t row, rows, column, columns, k, kc;
    const float *a, *b;
} block;

/* The packed block's product into C. */
static void multiply(const spur__simd *simd, const spur__gemm_args *g, const block *p) {
    ptrdiff_t runs[KC / 16], padded = spur__round_up(p->kc, 16), one_run = 0;
    bool last = p->k + p->kc == g->k;
    for (ptrdiff_t r = 0; r < padded / 16; r++) runs[r] = r * 16 * simd->mr;
    spur__tile t = {.c_row = g->ldc, .load = p->k > 0 || g->accumulate, .relu = last && g->relu};
    if (g->a_transposed) {
        t.a_row = 1, t.a_step = simd->mr, t.a_run = &one_run, t.runs = 1, t.run_length = p->kc;
    } else {
        t.a_row = 16, t.a_step = 1, t.a_run = runs, t.runs = padded / 16, t.run_length = 16;
    }
    ptrdiff_t strips = spur__ceil_div(p->rows, simd->mr);
    for (ptrdiff_t j = 0; j < p->columns; j += simd->nr) {
        t.cols = spur__min(simd->nr, p->columns - j);
        t.b = p->b + j * padded;
        t.bias = last && g->bias ? g->bias + p->column + j : NULL;
        for (ptrdiff_t s = 0; s < strips; s++) {
            ptrdiff_t begin, end;
            spur__part(p->rows, strips, s, &begin, &end);
            t.a = p->a + s * simd->mr * padded;
            t.rows = end - begin;
            t.c = g->c + (p->row + begin) * g->ldc + p->column + j;
            simd->tile(&t);
        }
    }
}

/* Rows and columns of C given by *p, all of k; `scratch` holds A_SIZE + B_SIZE floats. */
static void block_product(const spur__simd *simd, const spur__gemm_args *g, block *p,
                          float *scratch) {
    ptrdiff_t strips = spur__ceil_div(p->rows, simd->mr), k = 0;
    p->a = scratch;
    p->b = scratch + A_SIZE;
    do { /* k = 0 still stores bias or zeros */
        ptrdiff_t kc = spur__min(KC, g->k - k), padded = spur__round_up(kc, 16);
        for (ptrdiff_t s = 0; s < strips; s++) {
            ptrdiff_t begin, end;
            spur__part(p->rows, strips, s, &begin, &end);
            pack_a(g, p->row + begin, end - begin, k, kc, simd->mr,
                   scratch + s * simd->mr * padded);
        }
        for (ptrdiff_t j = 0; j < p->columns; j += simd->nr) {
            ptrdiff_t columns = spur__min(simd->nr, p->columns - j);
            pack_b(simd, g, p->column + j, columns, columns > simd->vl ? simd->nr : simd->vl, k, kc,
                   scratch + A_SIZE + j * padded);
        }
        p->k = k;
        p->kc = kc;
        multiply(simd, g, p);
        k += kc;
    } while (k < g->k);
}

static void gemm_task(void *job, ptrdiff_t index, int thread) {
    const gemm_job *q = job;
    ptrdiff_t end;
    block p = {0};
    spur__part(spur__ceil_div(q->g->m, q->simd->mr), q->row_blocks, index % q->row_blocks, &p.row,
               &end);
    p.row *= q->simd->mr;
    p.rows = spur__min(end * q->simd->mr, q->g->m) - p.row;
    spur__part(spur__ceil_div(q->g->n, q->simd->nr), q->column_blocks, index / q->row_blocks,
               &p.column, &end);
    p.column *= q->simd->nr;
    p.columns = spur__min(end * q->simd->nr, q->g->n) - p.column;
    block_product(q->simd, q->g, &p, spur__scratch(q->exec, thread));
}

/* Blocks that fit the scratch, and enough of them to keep a team busy. */
static void choose_blocks(gemm_job *q, int threads) {
    ptrdiff_t rows = spur__ceil_div(q->g->m, q->simd->mr);
    ptrdiff_t columns = spur__ceil_div(q->g->n, q->simd->nr), team = threads;
    q->row_blocks = spur__ceil_div(rows, MC / q->simd->mr);
    q->column_blocks = spur__ceil_div(columns, NC / q->simd->nr);
    while (team > 1 && q->row_blocks * q->column_blocks < 4 * team) {
        bool split_rows =
            rows / q->row_blocks >= 8 && rows / q->row_blocks > columns / q->column_blocks;
        if (split_rows)
            q->row_blocks = spur__min(rows, q->row_blocks * 2);
        else if (columns / q->column_blocks >= 2)
            q->column_blocks = spur__min(columns, q->column_blocks * 2);
        else if (rows / q->row_blocks >= 2)
            q->row_blocks = spur__min(rows, q->row_blocks * 2);
        else
            break;
    }
}

static void own_gemm(const spur__exec *exec, const spur__gemm_args *g) {
    gemm_job q = {.g = g, .simd = spur__simd_table(), .exec = exec};
    choose_blocks(&q, exec->threads);
    spur__parallel(exec, q.row_blocks * q.column_blocks, gemm_task, &q);
}

/* Where AUTO takes OpenBLAS. */
static bool is_large(const spur__gemm_args *g) {
    return g->m >= 512 && g->n >= 512 && g->k >= 512;
}

void spur__gemm(const spur__exec *exec, const spur__gemm_args *g) {
    if (g->m <= 0 || g->n <= 0) return;
    bool blas = exec->gemm == SPUR__GEMM_OPENBLAS || (exec->gemm == SPUR__GEMM_AUTO && is_large(g));
    if (blas && g->k > 0 && spur__gemm_openblas_usable())
        spur__gemm_openblas(exec, g);
    else
        own_gemm(exec, g);
}
