/* SPDX-License-Identifier: MIT
 *
 * Reading golden files, and the formula that every number going in comes from; see make_golden.py.
 */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <stddef.h>
#include <stdint.h>

typedef struct golden golden;

/* Opens tests/golden/data/NAME.safetensors; fails the test when it cannot. */
golden *golden_open(const char *name);
void golden_close(golden *file);

/* The float64 values called `key`; fails the test when they are not there. */
const double *golden_get(const golden *file, const char *key, size_t *count);
double golden_number(const golden *file, const char *key, size_t index);

/* count values of the formula times scale plus offset, rounded once to float32. */
void golden_numbers(const char *name, size_t count, double scale, double offset, float *out);
void golden_labels(const char *name, size_t count, int classes, int32_t *out);

/* Relative Euclidean distance of `values` to the golden ones; of large tensors that of the samples and
 * that of the norm together. */
double golden_distance(const golden *file, const char *key, const float *values, size_t count);

#endif
