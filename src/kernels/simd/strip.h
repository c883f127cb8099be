/* SPDX-License-Identifier: MIT
 *
 * A register tile for products that memory limits: B is read where it lies, and between the
 * multiplications lines are asked for that later tiles will read. Requests come evenly: a burst of
 * them would fill the buffers that the tile's own loads need.
 */
#ifndef SPUR_KERNELS_SIMD_STRIP_H
#define SPUR_KERNELS_SIMD_STRIP_H

#include <stdbool.h>
#include <stddef.h>

/* Rows of lines, `pitch` bytes apart. */
typedef struct spur__lines {
    const char *at;
    ptrdiff_t rows, width, pitch; /* bytes */
} spur__lines;

enum {
    SPUR__STRIP_RUN = 16, /* steps between two looks at what is to be fetched */
    SPUR__STRIP_UNIT = 4, /* steps between two requests */
    SPUR__FETCH_LINES = 4
};

/* What is still to be asked for, in order. */
typedef struct spur__fetch {
    spur__lines lines[SPUR__FETCH_LINES];
    int first, count; /* of `lines` */
    ptrdiff_t done; /* bytes of the first row of the first of them */
    int pairs; /* of lines, in one request */
} spur__fetch;

/* C[rows][cols] (+)= A[rows][steps] * B[steps][cols]; rows <= mr, cols = nr, one chain of FMAs. */
typedef struct spur__strip {
    const float *a; /* [steps/16]: [rows][16], a_run apart */
    ptrdiff_t a_run;
    const float *b; /* [steps], b_step apart */
    ptrdiff_t b_step, steps;
    ptrdiff_t near; /* floats from what is read in b to what goes to the first cache meanwhile */
    float *c; /* [rows], c_row apart */
    ptrdiff_t rows, c_row;
    const float *bias; /* [nr], added at the end, or NULL */
    bool load; /* add C instead of overwriting it */
    bool relu; /* store max(c, 0) */
    spur__fetch *fetch;
} spur__strip;

#define SPUR__STRIP_MAP(X) X(void, strip, (const spur__strip *t))

#endif
