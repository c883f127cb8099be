/* SPDX-License-Identifier: MIT
 *
 * What lies in a log directory: runs and sweeps, with their state, value and tags. Fast: a few
 * small files per run are read, never an event file. And the tags and notes of one of them.
 */
#ifndef SPUR_TRAINER_SWEEP_CATALOG_H
#define SPUR_TRAINER_SWEEP_CATALOG_H

#include "run/outcome.h"

typedef struct catalog_entry {
    char *name; /* relative to the log directory */
    char *path;
    bool is_sweep;
    size_t trials[2]; /* of a sweep: finished, all that were started */
    run_outcome outcome; /* of a run */
    double changed; /* wall time of the last change of status.ini (or of the sweep) */
    char *tags; /* separated by blanks */
} catalog_entry;

typedef struct catalog {
    catalog_entry *entries;
    size_t count;
} catalog;

/* Reads all runs and sweeps directly under `path` (a sweep: its trials), sorted by name. A run
 * directory itself gives a catalogue of one. */
spur_status catalog_read(catalog *c, const char *path, spur_error *err);
void catalog_free(catalog *c);

/* True when there is a run at `path`, one that a program is still working on included. */
bool is_run(const char *path);

/* OK when `path` is a run's directory: one that has `file` ("config.ini" for a run of this program,
 * "status.ini" for one of any). E_NOTFOUND otherwise, with what was found there instead. */
spur_status run_require(const char *path, const char *file, spur_error *err);

/* Tags of a run (or sweep), separated by blanks: <run>/tags.txt, one a line. Free with spur__free. */
spur_status tags_read(const char *run, char **out, spur_error *err);

/* True when `tag` (n bytes) is a word of such a list. */
bool tags_have(const char *tags, const char *tag, size_t n);

/* Adds and removes tags; a word "-name" removes. */
spur_status tags_change(const char *run, char *const *words, size_t count, spur_error *err);

/* Adds a line to <run>/notes.md. */
spur_status notes_add(const char *run, const char *line, spur_error *err);

#endif
