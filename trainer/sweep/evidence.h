/* SPDX-License-Identifier: MIT
 *
 * What the runs of a report prove: by which test two of its configurations are compared, and with
 * which p-values. docs/sweeps.md gives the reasons and what simulations came to.
 */
#ifndef SPUR_TRAINER_SWEEP_EVIDENCE_H
#define SPUR_TRAINER_SWEEP_EVIDENCE_H

#include "sweep/report.h"
#include "sweep/stats.h"

#define EVIDENCE_LEVEL 0.05

/* Digits of a p-value that is shown: one more where two would make it the level itself. */
int evidence_digits(double p);

/* All variances come from the configurations that have three runs or more. */
typedef struct evidence {
    const report *r;
    const report_group *best; /* which the others are compared with */
    size_t pairs; /* of configurations that could be tested: p-values are corrected for so many */
    double common; /* variance of runs of one configuration; NaN: not known well enough */
    double blocks_p; /* that seeds go together as they do by chance alone; NaN: cannot be told */
    bool blocks; /* they go together: seeds are compared one by one, where both sides have them */
    double common_difference; /* variance of the difference of two runs of one seed */
    double prior_df; /* what that counts in a test; 0: it is not known */
} evidence;

/* Of a sorted report. */
evidence evidence_of(const report *r);

/* Whether a configuration is compared with the best one seed by seed. */
bool evidence_is_paired(const evidence *e, const report_group *g);

/* best - g */
t_result evidence_test(const evidence *e, const report_group *g);

/* Seeds that would show, with 80 % power and corrected for all pairs, a difference of the size that
 * there is; more than there are. 0: the means are practically equal. */
size_t evidence_seeds_needed(const evidence *e, const report_group *g);

#endif
