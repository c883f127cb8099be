/* SPDX-License-Identifier: MIT
 *
 * Making configured things from texts: "lr=1e-3 betas=0.9,0.999" by a table of options, and copies
 * of option structs.
 */
#ifndef SPUR_NN_KIND_H
#define SPUR_NN_KIND_H

#include <spur/status.h>
#include "base/options.h"

/* Sets the members named in `text` ("key=value key=value", NULL or "" for none) of a struct that
 * was set up before. `who` ("optimizer adam") begins every message. */
spur_status spur__options_parse(const spur__options *table, void *target, const char *text,
                                const char *who, spur_error *err);

/* A new struct of the kind's options with defaults and `text` applied; free with
 * spur__kind_options_free. *options stays NULL for a kind without options. */
spur_status spur__kind_options_create(const spur__kind *kind, const char *family, const char *text,
                                      void **options, spur_error *err);

/* A deep copy. */
spur_status spur__kind_options_copy(const spur__kind *kind, const void *from, void **options,
                                    spur_error *err);
void spur__kind_options_free(const spur__kind *kind, void *options);

#endif
