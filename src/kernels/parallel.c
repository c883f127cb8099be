/* SPDX-License-Identifier: MIT
 *
 * Tasks on OpenMP threads; see parallel.h.
 */
#include "kernels/parallel.h"

#include <omp.h>

void spur__parallel(const spur__exec *exec, ptrdiff_t tasks, spur__task run, void *job) {
    int team = exec->threads;
    if ((ptrdiff_t)team > tasks) team = (int)tasks;
    if (team <= 1) {
        for (ptrdiff_t i = 0; i < tasks; i++) run(job, i, 0);
        return;
    }
#pragma omp parallel num_threads(team)
    {
        int thread = omp_get_thread_num();
#pragma omp for schedule(dynamic, 1)
        for (ptrdiff_t i = 0; i < tasks; i++) run(job, i, thread);
    }
}
