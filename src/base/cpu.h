/* SPDX-License-Identifier: MIT
 *
 * What CPU this is: the instruction set to dispatch to, and how many processors we may use.
 */
#ifndef SPUR_BASE_CPU_H
#define SPUR_BASE_CPU_H

#include "base/error.h"

/* Instruction sets that kernels are compiled for, in rising order. */
typedef enum spur__isa {
    SPUR__ISA_GENERIC,
    SPUR__ISA_AVX2,
    SPUR__ISA_AVX512,
    SPUR__ISA_COUNT
} spur__isa;

/* The best set that the CPU and the operating system support. The environment variable SPUR_CPU
 * (generic, avx2 or avx512) lowers it, never raises it; read once, at the first call. */
spur__isa spur__cpu_isa(void);

/* E_ARGUMENT if SPUR_CPU is set to something else. */
spur_status spur__cpu_check(spur_error *err);

/* "generic", "avx2", "avx512". */
const char *spur__isa_name(spur__isa isa);

/* Tests only: use this set from now on (not above what the CPU has). Returns the one in force. */
spur__isa spur__cpu_force(spur__isa isa);

/* Processors in the affinity mask, reduced by a cgroup CPU quota; at least 1. */
int spur__cpu_count(void);

/* Model name for people ("Intel(R) Xeon(R) ..."), "unknown" if the system does not tell. */
const char *spur__cpu_name(void);

#endif
