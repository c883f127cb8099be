/* SPDX-License-Identifier: MIT
 *
 * The table of one instruction set's update loops; kernels/optim.c chooses among the tables.
 */
#ifndef SPUR_KERNELS_SIMD_OPTIM_ISA_H
#define SPUR_KERNELS_SIMD_OPTIM_ISA_H

#include "kernels/optim.h"

typedef struct spur__optim_table {
    void (*sgd)(const spur__sgd_step *, size_t, float *, const float *, float *);
    void (*adam)(const spur__adam_step *, size_t, float *, const float *, float *, float *,
                 float *);
    void (*adagrad)(const spur__adagrad_step *, size_t, float *, const float *, float *);
    void (*rmsprop)(const spur__rmsprop_step *, size_t, float *, const float *, float *, float *,
                    float *);
    double (*sum_squares)(size_t, const float *);
} spur__optim_table;

extern const spur__optim_table spur__optim_table_generic;
extern const spur__optim_table spur__optim_table_avx2;
extern const spur__optim_table spur__optim_table_avx512;

#endif
