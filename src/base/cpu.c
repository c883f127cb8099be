/* SPDX-License-Identifier: MIT
 *
 * CPU detection; see cpu.h.
 */
#define _GNU_SOURCE
#include "base/cpu.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static spur__isa detected;
static _Atomic int active;

static spur__isa best_of_cpu(void) {
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return SPUR__ISA_GENERIC;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return SPUR__ISA_AVX512;
    return SPUR__ISA_AVX2;
#else
    return SPUR__ISA_GENERIC;
#endif
}

const char *spur__isa_name(spur__isa isa) {
    static const char *const names[] = {"generic", "avx2", "avx512"};
    return names[isa];
}

static void detect(void) {
    const char *wish = getenv("SPUR_CPU");
    detected = best_of_cpu();
    int level = (int)detected;
    for (int i = 0; wish && i < level; i++)
        if (strcmp(wish, spur__isa_name((spur__isa)i)) == 0) level = i;
    atomic_store(&active, level);
}

spur_status spur__cpu_check(spur_error *err) {
    const char *wish = getenv("SPUR_CPU");
    bool known = !wish || !*wish;
    for (int i = 0; i < SPUR__ISA_COUNT && !known; i++)
        known = strcmp(wish, spur__isa_name((spur__isa)i)) == 0;
    if (known) return SPUR_OK;
    return spur__fail(err, SPUR_E_ARGUMENT,
                      "environment variable SPUR_CPU: found '%s', expected generic, avx2 or avx512",
                      wish);
}

spur__isa spur__cpu_isa(void) {
    pthread_once(&once, detect);
    return (spur__isa)atomic_load_explicit(&active, memory_order_relaxed);
}

spur__isa spur__cpu_force(spur__isa isa) {
    pthread_once(&once, detect);
    atomic_store(&active, (int)(isa < detected ? isa : detected));
    return spur__cpu_isa();
}

/* Whole CPUs granted by cgroup v2's cpu.max, rounded up; 0 when there is no quota. */
static int cgroup_quota(void) {
    long long quota = 0, period = 0;
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
    if (!f) return 0;
    int fields = fscanf(f, "%lld %lld", &quota, &period);
    fclose(f);
    return fields == 2 && quota > 0 && period > 0 ? (int)((quota + period - 1) / period) : 0;
}

int spur__cpu_count(void) {
    int count = 0;
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) count = CPU_COUNT(&set);
#endif
    if (count < 1) count = (int)sysconf(_SC_NPROCESSORS_ONLN);
    int quota = cgroup_quota();
    if (quota > 0 && quota < count) count = quota;
    return count < 1 ? 1 : count;
}

static pthread_once_t name_once = PTHREAD_ONCE_INIT;
static char name[128] = "unknown";

static void read_name(void) {
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    if (!f) return;
    while (fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        colon[strcspn(colon, "\n")] = '\0';
        snprintf(name, sizeof name, "%s", colon + 2);
        break;
    }
    fclose(f);
}

const char *spur__cpu_name(void) {
    pthread_once(&name_once, read_name);
    return name;
}
