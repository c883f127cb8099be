/* SPDX-License-Identifier: MIT
 *
 * Parsing one line of a [sweep] section; the grammar stands in space.h.
 */
#ifndef SPUR_TRAINER_SWEEP_SPACE_PARSE_H
#define SPUR_TRAINER_SWEEP_SPACE_PARSE_H

#include "sweep/space.h"

/* Fills *p (empty before); on error it is empty again. */
spur_status parameter_parse(parameter *p, const char *name, const char *text, bool is_list,
                            spur_error *err);
void parameter_free(parameter *p);

#endif
