/* SPDX-License-Identifier: MIT
 *
 * The direct convolution's forward pass and data gradient as one job: a gather of source pixels times
 * a matrix of packed weights. direct.c packs the weights and sets the job up, gather.c does it.
 */
#ifndef SPUR_KERNELS_CONV_GATHER_H
#define SPUR_KERNELS_CONV_GATHER_H

#include "kernels/prefetch.h"
#include "kernels/conv/internal.h"

/* One dimension of the gather. */
typedef struct spur__gather_axis {
    bool transposed;
    ptrdiff_t kernel, stride, dilation, pad;
    ptrdiff_t source, target; /* pixels */
    ptrdiff_t phases, points; /* phases with pixels; grid points of the first, which has the most */
    ptrdiff_t first, reach; /* offset of the first tap, distance of the last from it */
    ptrdiff_t step; /* from point to point in the source */
    ptrdiff_t block_step,
        gap; /* from point to point in the block; between its pixels in the source */
    bool inside; /* no tap of any point falls outside of the source */
} spur__gather_axis;

/* Grid points (i, j) of one phase see source pixel (i * step + offset, ...) of every tap. */
typedef struct spur__gather_phase {
    ptrdiff_t py, px; /* where the phase begins in the destination */
    ptrdiff_t gh, gw;
    ptrdiff_t depth_before; /* steps of k in a panel before this phase's */
    ptrdiff_t run_count, run_length;
    ptrdiff_t *runs; /* offsets of the stretches of k from a point's first source pixel */
} spur__gather_phase;

/* Where tiles read: the source or a padded copy of it. */
typedef struct spur__gather_view {
    const float *origin; /* pixel (first, first) of the first image */
    ptrdiff_t image, row, column; /* floats between neighbours */
    ptrdiff_t step_y, step_x; /* rows, columns from grid point to grid point */
} spur__gather_view;

typedef struct spur__gather {
    const spur__simd *simd;
    spur__gather_axis y, x;
    spur__gather_phase *phases;
    ptrdiff_t phase_count;
    ptrdiff_t *taps; /* [kh * kw] kernel index of every tap, in the panels' order */
    /* source: n images of y.source * x.source pixels, pitch apart; `channels` of each group, behind each other */
    const float *src, *mask;
    ptrdiff_t n, groups, channels, pitch;
    ptrdiff_t outputs; /* of a group */
    float *dst;
    ptrdiff_t dst_pitch; /* floats between pixels */
    const float *bias;
    bool relu, accumulate, stream;
    spur__swish swish;
    const float *panels;
    ptrdiff_t panel_floats; /* of a group, whatever the instruction set */
    ptrdiff_t depth; /* steps of k in a panel, over all phases */
    ptrdiff_t block_rows, block_images; /* grid rows, images a task takes */
    ptrdiff_t rows, columns, block_pitch; /* of a block in scratch: pixels, floats between them */
    ptrdiff_t bundles; /* of a group's panels: tasks across its outputs */
    ptrdiff_t first_group, group_count; /* in work */
    ptrdiff_t group_parts; /* tasks for them */
    bool whole; /* the source of a group is copied once for all its bundles */
    bool trimmed; /* tiles leave out taps outside of the source; there is no padding */
    bool in_place;
    bool fetch; /* tiles ask for the source of the next row */
    bool copies; /* tasks copy their block */
    spur__gather_view source;
    const spur__exec *exec;
    float *copy; /* of the source, if it is copied whole */
    ptrdiff_t block_floats;
    const spur__pool_shape *pool; /* dst is what this max pool makes of the outputs; or NULL */
    ptrdiff_t pool_step, pool_rows; /* its rows made at a time; rows of outputs for them */
    ptrdiff_t pool_tasks; /* of an image */
} spur__gather;

static inline ptrdiff_t spur__gather_panels(const spur__gather *g) {
    return spur__ceil_div(g->outputs, g->simd->nr);
}

/* The gather of the forward pass or, transposed, of the data gradient; neither pointers nor phases. */
void spur__gather_init(spur__gather *g, const spur__conv_shape *s, ptrdiff_t n, bool transposed);

/* Lets a forward gather end in a sliding max pool; false: it cannot. */
bool spur__gather_pools(spur__gather *g, const spur__pool_shape *pool);

/* Bytes for phases, taps, runs; for a copy of the whole source; of a thread's scratch for copies of
 * blocks and rows to be pooled. */
size_t spur__gather_lists(const spur__gather *g);
size_t spur__gather_copy(const spur__gather *g);
size_t spur__gather_scratch(const spur__gather *g);

/* Chooses where tiles read, now that the pointers are known, and lays out the lists. */
void spur__gather_prepare(spur__gather *g, void *lists);
void spur__gather_run(spur__gather *g, const spur__exec *exec);

#endif
