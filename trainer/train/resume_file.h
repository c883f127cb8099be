/* SPDX-License-Identifier: MIT
 *
 * <run>/resume/step_N_epoch_M.ini: the names and lengths of the run's files at the checkpoint of
 * step N, when M epochs were complete.
 */
#ifndef SPUR_TRAINER_TRAIN_RESUME_FILE_H
#define SPUR_TRAINER_TRAIN_RESUME_FILE_H

#include "run/rundir.h"
#include "train/session.h"

spur_status resume_file_write(const run_dir *run, const train_position *at,
                              const run_log_position *position, spur_error *err);
spur_status resume_file_read(const run_dir *run, const train_position *at,
                             run_log_position *position, spur_error *err);

/* Removes the files of all other steps. */
void resume_file_sweep(const run_dir *run, const train_position *at);

#endif
