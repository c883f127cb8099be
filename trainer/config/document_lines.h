/* SPDX-License-Identifier: MIT
 *
 * Between the files of config/ only: how lines become entries.
 */
#ifndef SPUR_TRAINER_CONFIG_DOCUMENT_LINES_H
#define SPUR_TRAINER_CONFIG_DOCUMENT_LINES_H

#include "config/document.h"

/* Keeps a file name for entries to point to; NULL when out of memory. */
const char *document_add_file(document *doc, const char *name);

/* Adds an entry; place tells file, source, line and columns. E_EXISTS for a duplicate key. */
spur_status document_add(document *doc, const document_entry *place, const char *section,
                         const char *key, const char *value, spur_error *err);

#endif
