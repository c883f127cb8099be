/* SPDX-License-Identifier: MIT
 *
 * Shared by the files of `spur export`.
 */
#ifndef SPUR_TRAINER_COMMANDS_EXPORT_H
#define SPUR_TRAINER_COMMANDS_EXPORT_H

#include <spur/events.h>

#include "output/table.h"

typedef struct exporting {
    const char *path; /* where the runs are */
    const char *run, *tag; /* shell patterns, or NULL */
    spur_kind kind;
    table_format format;
    bool supersede;
    const char *output; /* file, or directory for kinds that are files; NULL: stdout */
    FILE *file; /* where the table goes */
    uint64_t values; /* exported */
    uint64_t problems; /* reported on stderr */
    spur_error *err;
} exporting;

/* Tells of something that could not be read and goes on. */
void export_problem(exporting *ex, const char *message);

/* After a value's content could not be read: reports that and goes on, or ends the export if memory
 * is short. */
spur_status export_skip(exporting *ex, spur_status status, const char *run, spur_error *local);

bool export_wants(const char *pattern, const char *name);

/* Calls `visit` for every wanted value of the kind in every wanted run; reports damage. With kind
 * NONE for values of all kinds. */
typedef spur_status (*export_visit)(exporting *ex, void *user, const char *run,
                                    const spur_event *event, const spur_value *value);
spur_status export_walk(exporting *ex, export_visit visit, void *user);

/* One kind each; all write a table to ex->file. */
spur_status export_scalars(exporting *ex);
spur_status export_histograms(exporting *ex);
spur_status export_texts(exporting *ex);
spur_status export_pr_curves(exporting *ex);
spur_status export_hparams(exporting *ex); /* one row per session, with its last metrics */
spur_status export_files(exporting *ex); /* images, audio, graphs, ...: files below ex->output */

#endif
