/* SPDX-License-Identifier: MIT
 *
 * The table of this instruction set.
 */
#include "kernels/simd/simd.h"

#define ENTRY(type, name, params) .name = SPUR__SIMD(name),
const spur__simd SPUR__PASTE(spur__simd,
                             SPUR_ISA) = {.vl = VL, .mr = MR, .nr = NR, SPUR__SIMD_MAP(ENTRY)};
