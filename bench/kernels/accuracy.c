/* SPDX-License-Identifier: MIT
 *
 * Errors of every algorithm and pass against double precision: the table of docs/kernels.md.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "bench.h"

typedef struct oracle_job {
    const layer *l;
    spur__conv_pass pass;
    double *out;
} oracle_job;

/* Offset of the input pixel under output (at) at a tap, or -1. */
static ptrdiff_t pixel_at(const spur__conv_shape *s, ptrdiff_t at, ptrdiff_t tap) {
    ptrdiff_t x = at % s->ow - s->pad_left + tap % s->kw * s->dilation_w;
    ptrdiff_t y = at / s->ow % s->oh - s->pad_top + tap / s->kw * s->dilation_h,
              image = at / s->ow / s->oh;
    return x < 0 || x >= s->w || y < 0 || y >= s->h ? -1 : (image * s->h + y) * s->w + x;
}

static void accumulate(const oracle_job *q, ptrdiff_t at, ptrdiff_t tap, ptrdiff_t from) {
    const spur__conv_shape *s = &q->l->plan.shape;
    const float *x = q->l->x + from * s->c, *dy = q->l->dy + at * s->k;
    for (ptrdiff_t c = 0; c < s->c; c++) {
        const float *w = q->l->w + (tap * s->c + c) * s->k;
        double *y = q->out + at * s->k, *dw = q->out + (tap * s->c + c) * s->k, sum = 0.0;
        if (q->pass == SPUR__CONV_FORWARD)
            for (ptrdiff_t k = 0; k < s->k; k++) y[k] += (double)x[c] * (double)w[k];
        else if (q->pass == SPUR__CONV_BACKWARD_WEIGHTS)
            for (ptrdiff_t k = 0; k < s->k; k++) dw[k] += (double)x[c] * (double)dy[k];
        else
            for (ptrdiff_t k = 0; k < s->k; k++) sum += (double)dy[k] * (double)w[k];
        if (q->pass == SPUR__CONV_BACKWARD_DATA) q->out[from * s->c + c] += sum;
    }
}

static void print_error(const layer *l, spur__conv_pass pass, const double *wanted) {
    const float *found = pass == SPUR__CONV_FORWARD         ? l->y
                         : pass == SPUR__CONV_BACKWARD_DATA ? l->dx
                                                            : l->dw;
    ptrdiff_t n = pass == SPUR__CONV_FORWARD         ? l->ny
                  : pass == SPUR__CONV_BACKWARD_DATA ? l->nx
                                                     : l->nw;
    double error = 0.0, norm = 0.0, worst = 0.0, largest = 0.0;
    for (ptrdiff_t i = 0; i < n; i++) {
        double d = (double)found[i] - wanted[i];
        error += d * d;
        norm += wanted[i] * wanted[i];
        worst = fmax(worst, fabs(d));
        largest = fmax(largest, fabs(wanted[i]));
    }
    printf(" %.1e / %.1e |", sqrt(error / norm), worst / largest);
}

static void layer_errors(const spur__conv_shape *shape, int threads) {
    static const spur__conv_algo algos[] = {SPUR__CONV_DIRECT, SPUR__CONV_WINOGRAD2,
                                            SPUR__CONV_WINOGRAD4};
    double *wanted[SPUR__CONV_PASSES];
    layer l;
    layer_create(&l, shape, SPUR__CONV_DIRECT, threads);
    ptrdiff_t sizes[] = {l.ny, l.nx, l.nw};
    for (int pass = 0; pass < SPUR__CONV_PASSES; pass++) {
        wanted[pass] = spur__calloc((size_t)sizes[pass], sizeof(double));
        if (!wanted[pass]) exit(1);
        oracle_job q = {&l, (spur__conv_pass)pass, wanted[pass]};
        for (ptrdiff_t i = 0; i < shape->n * l.plan.shape.oh * l.plan.shape.ow * 9; i++) {
            ptrdiff_t from = pixel_at(&l.plan.shape, i / 9, i % 9);
            if (from >= 0) accumulate(&q, i / 9, i % 9, from);
        }
    }
    layer_destroy(&l);
    for (size_t a = 0; a < sizeof algos / sizeof algos[0]; a++) {
        layer_create(&l, shape, algos[a], threads);
        printf("| %td,%td,%td,%td,%td", shape->n, shape->c, shape->h, shape->w, shape->k);
        if (shape->dilation_h > 1) printf(" dilated %td", shape->dilation_h);
        printf(" | %s |", spur__conv_algo_name(algos[a]));
        for (int pass = 0; pass < SPUR__CONV_PASSES; pass++) {
            layer_run(&l, (spur__conv_pass)pass);
            print_error(&l, (spur__conv_pass)pass, wanted[pass]);
        }
        printf("\n");
        layer_destroy(&l);
    }
    for (int pass = 0; pass < SPUR__CONV_PASSES; pass++) spur__free(wanted[pass]);
}

void print_accuracy(int threads) {
    static const ptrdiff_t shapes[][6] = {{8, 32, 48, 48, 64, 1},
                                          {4, 128, 32, 32, 128, 1},
                                          {2, 256, 28, 28, 256, 1},
                                          {4, 512, 8, 8, 512, 1},
                                          {4, 128, 33, 33, 128, 4}};
    printf("| N,C,H,W,K | algorithm | forward | data gradient | weight gradient |\n"
           "|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        layer_errors(&(spur__conv_shape){.n = shapes[i][0],
                                         .c = shapes[i][1],
                                         .h = shapes[i][2],
                                         .w = shapes[i][3],
                                         .k = shapes[i][4],
                                         .kh = 3,
                                         .kw = 3,
                                         .stride_h = 1,
                                         .stride_w = 1,
                                         .pad_top = shapes[i][5],
                                         .pad_left = shapes[i][5],
                                         .pad_bottom = shapes[i][5],
                                         .pad_right = shapes[i][5],
                                         .dilation_h = shapes[i][5],
                                         .dilation_w = shapes[i][5],
                                         .groups = 1},
                     threads);
}
