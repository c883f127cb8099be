/* SPDX-License-Identifier: MIT
 *
 * The directory of a sweep: what lies where. All of it is text.
 *
 *     <logdir>/<name>/
 *       sweep.ini            the configuration as used, [sweep] included: trials read it
 *       fingerprint.txt      what a continued sweep must have in common
 *       configurations/0001.ini   the values of configuration 1, made by exclusive creation
 *       claims/trial_0001    which worker has it (claim.h); claims/opening: which compares or writes the two files
 *                            above; claims/report: which writes what follows
 *       journal/<host>-<pid>-<start>.jsonl   what each worker did, append only
 *       trial_0001_seed_1/   one run directory per configuration and seed
 *       groups/config_0001/  mean and mean +- std over the seeds, as a run of its own
 *       results.csv
 *       changes.txt          options that changed while the sweep went on (changes.h), if any did
 */
#ifndef SPUR_TRAINER_SWEEP_LAYOUT_H
#define SPUR_TRAINER_SWEEP_LAYOUT_H

#include "sweep/plan.h"

typedef struct sweep_dir {
    char *path;
    char *changed; /* what has changed since it was opened last (changes.h); NULL: nothing */
} sweep_dir;

/* Opens the sweep's directory, making it when it is new. A directory that holds a sweep with
 * another fingerprint is refused (E_STATE, the first difference in the message) unless
 * `accept_changes`, and also then if it varies other options. *continued: there was one already. */
spur_status sweep_dir_open(sweep_dir *dir, const sweep_plan *plan, const char *path,
                           bool accept_changes, bool *continued, spur_error *err);
void sweep_dir_close(sweep_dir *dir);

/* printf into a path below the sweep's directory; NULL when out of memory. Free with spur__free. */
char *sweep_path(const sweep_dir *dir, const char *fmt, ...) SPUR_PRINTF(2, 3);

/* "trial_0001" or "trial_0001_seed_2": configuration counts from 0 here, from 1 in names. */
void sweep_trial_name(const sweep_plan *plan, size_t configuration, size_t seed, char *out,
                      size_t n);

/* Writes configuration number `index`; E_EXISTS when another worker has written one there. */
spur_status sweep_write_configuration(const sweep_dir *dir, const space *s, size_t index,
                                      const assignment *a, spur_error *err);

/* Reads configuration `index` into *out (initialised here). E_NOTFOUND when there is none. Values of
 * parameters that the space does not have are an error unless `lenient`. */
spur_status sweep_read_configuration(const sweep_dir *dir, const space *s, size_t index,
                                     assignment *out, bool lenient, spur_error *err);

#endif
