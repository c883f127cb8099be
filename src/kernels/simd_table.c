/* SPDX-License-Identifier: MIT
 *
 * Chooses the table of kernels for the instruction set in force.
 */
#include "base/cpu.h"
#include "kernels/simd/table.h"

const spur__simd *spur__simd_table(void) {
#if defined(__x86_64__)
    switch (spur__cpu_isa()) {
    case SPUR__ISA_AVX512:
        return &spur__simd_avx512;
    case SPUR__ISA_AVX2:
        return &spur__simd_avx2;
    default:
        break;
    }
#endif
    return &spur__simd_generic;
}
