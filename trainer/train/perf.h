/* SPDX-License-Identifier: MIT
 *
 * Throughput and memory of an epoch, for the tags under perf/. These are the only numbers of a run that
 * differ from one machine or repetition to the next.
 */
#ifndef SPUR_TRAINER_TRAIN_PERF_H
#define SPUR_TRAINER_TRAIN_PERF_H

#include <stddef.h>

struct session;

void perf_reset(void);

/* A batch for which training waited so many seconds. */
void perf_batch(double waited, size_t samples);

/* The training part of an epoch is over; what follows is validation. */
void perf_epoch_trained(void);

/* Logs the epoch under perf/ and returns its seconds, validation included. */
double perf_log(struct session *s, long long epoch);

#endif
