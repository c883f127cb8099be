/* SPDX-License-Identifier: MIT
 *
 * What write_cases logs, one function per kind of summary. expected.py computes what TensorBoard
 * must show for each, by itself: numbers here are simple formulas or the little generator below.
 * Every call must succeed, or the program ends with status 1 and says which did not.
 */
#ifndef CASES_H
#define CASES_H

#include <stdint.h>
#include <spur/log.h>

/* Wall time of the i-th event of a case. */
#define CASE_TIME(i) (1700000000.0 + 0.25 * (double)(i))

/* Only the wall time set: the common options of most calls. */
#define AT(i)                                                                                      \
    &(spur_log_options) {                                                                          \
        .wall_time = CASE_TIME(i)                                                                  \
    }

/* Ends the program unless the call gives SPUR_OK. */
#define OK(call) case_check((call), #call, __FILE__, __LINE__)
void case_check(spur_status status, const char *call, const char *file, int line);

/* A writer on <root>/<run> whose warnings are ignored; ends the program if it cannot be opened. */
spur_writer *case_open(const char *root, const char *run);
void case_close(spur_writer *writer);

/* A linear congruential generator: multiples of 2^-24 in [0, 1). */
typedef struct case_random {
    uint32_t state;
} case_random;
double case_next(case_random *random);

void case_scalars(const char *root);
void case_histograms(const char *root);
void case_images(const char *root, const char *samples);
void case_audio(const char *root);
void case_text(const char *root);
void case_pr_curves(const char *root);
void case_hparams(const char *root, const char *experiment_root);
void case_graph(const char *root);
void case_layout(const char *root);
void case_mesh(const char *root);
void case_projector(const char *root);

#endif
