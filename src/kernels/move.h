/* SPDX-License-Identifier: MIT
 *
 * Moving values: boxes (concatenation, cropping, padding and their gradients) and table rows
 * (embedding). Strides are in floats.
 */
#ifndef SPUR_KERNELS_MOVE_H
#define SPUR_KERNELS_MOVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/parallel.h"

/* [images][rows][n] values, on both sides with strides of their own. */
typedef struct spur__box {
    ptrdiff_t images, rows, n;
    const float *src;
    ptrdiff_t src_image, src_row;
    float *dst;
    ptrdiff_t dst_image, dst_row;
    bool accumulate; /* dst += src instead of dst = src */
} spur__box;

void spur__move_box(const spur__exec *exec, const spur__box *box);

/* dst[i] = value for count values. */
void spur__fill(const spur__exec *exec, float *dst, ptrdiff_t count, float value);

/* Rows of a table [rows][width], picked by number. */
typedef struct spur__pick {
    ptrdiff_t rows, width;
    const int32_t *index; /* [count] */
    ptrdiff_t count;
} spur__pick;

/* out[i][width] = table[index[i]][width]; an index outside [0, rows) gives NaN. */
void spur__gather_rows(const spur__exec *exec, const spur__pick *pick, const float *table,
                       float *out);

/* dtable[index[i]] += dout[i], in the order of i; indices outside are left out. */
void spur__scatter_rows(const spur__exec *exec, const spur__pick *pick, const float *dout,
                        float *dtable);

#endif
