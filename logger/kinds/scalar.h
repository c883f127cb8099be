/* SPDX-License-Identifier: MIT
 *
 * Records of scalars made from a template; see scalar.c.
 */
#ifndef SPUR_LOGGER_KINDS_SCALAR_H
#define SPUR_LOGGER_KINDS_SCALAR_H

#include "write/tags.h"

/* Makes the template of a tag. */
spur_status spur__template_make(spur__template *t, const char *tag, const spur_log_options *options,
                                spur_error *err);

/* Largest record made from it, and one such record. Returns its size. */
size_t spur__template_bound(const spur__template *t);
size_t spur__template_fill(spur__template *t, double wall_time, int64_t step, float value,
                           unsigned char *record);

#endif
