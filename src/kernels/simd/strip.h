/* SPDX-License-Identifier: MIT
 *
 * A register tile for products that memory limits. Operands may be read where they lie, and between
 * the multiplications lines are asked for that later tiles will read. Requests come evenly: a burst
 * of them would fill the buffers that the tile's own loads need.
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
    SPUR__FETCH_LINES = 8
};

/* What is still to be asked for, in order. */
typedef struct spur__fetch {
    spur__lines lines[SPUR__FETCH_LINES];
    int first, count; /* of `lines` */
    ptrdiff_t done; /* bytes of the first row of the first of them */
    int pairs; /* of lines, in one request */
} spur__fetch;

/* How the operands lie: rows of sixteen steps of A behind each other, a_run floats to the next
 * sixteen, B's steps anywhere; rows of A anywhere; A as [steps][mr]. B is packed but for the first. */
typedef enum spur__strip_walk {
    SPUR__STRIP_BLOCKED,
    SPUR__STRIP_ROWS,
    SPUR__STRIP_STEPS
} spur__strip_walk;

/* C[rows][panels * width] (+)= A[rows][steps] * B[steps][panels * width]; rows <= mr, one chain of FMAs
 * each. */
typedef struct spur__strip {
    spur__strip_walk walk;
    const float *a;
    ptrdiff_t a_run; /* BLOCKED */
    ptrdiff_t a_row; /* ROWS: floats between them */
    const float *b;
    ptrdiff_t b_step; /* BLOCKED: floats between steps of B */
    ptrdiff_t near; /* BLOCKED: from what is read in b to what goes to the first cache meanwhile */
    ptrdiff_t steps;
    ptrdiff_t panels, b_panel; /* this times over, columns of C beside each other; b_panel floats
                                * from one panel of B to the next */
    float *c; /* [rows], c_row apart */
    ptrdiff_t rows, c_row;
    ptrdiff_t width; /* vl or nr */
    const float *bias; /* [panels * width], added at the end, or NULL */
    bool load; /* add C instead of overwriting it */
    bool relu; /* store max(c, 0) */
    spur__fetch *fetch;
} spur__strip;

#define SPUR__STRIP_MAP(X) X(void, strip, (const spur__strip *t))

#endif
