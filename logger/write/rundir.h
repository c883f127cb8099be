/* SPDX-License-Identifier: MIT
 *
 * Where a writer writes: run directories, and event files with names that sort after those that are
 * already there.
 */
#ifndef SPUR_LOGGER_WRITE_RUNDIR_H
#define SPUR_LOGGER_WRITE_RUNDIR_H

#include <stdbool.h>

#include <spur/log.h>

/* Makes the directory that the options ask for. *out: its path (spur__free). */
spur_status spur__run_directory(const spur_writer_options *options, double now, char **out,
                                spur_error *err);

/* The path as it is from anywhere (spur__free). */
spur_status spur__absolute_path(const char *path, char **out, spur_error *err);

/* Refuses names that TensorBoard cannot live with: bad UTF-8, and a last component (with `all`, any
 * component) that contains "tfevents". */
spur_status spur__check_directory_name(const char *path, bool all, spur_error *err);

/* What is in a directory before a writer comes. */
typedef struct spur__event_files {
    int count; /* event files */
    bool busy; /* one of them is being written right now */
    long long newest; /* largest seconds field in their names, 0 if there is none */
} spur__event_files;

spur_status spur__event_files_scan(const char *directory, spur__event_files *found,
                                   spur_error *err);

/* An event file's name: seconds above those of `found`. *out: spur__free. */
spur_status spur__event_file_name(const spur__event_files *found, const char *suffix, double now,
                                  char **out, spur_error *err);

/* Makes a new event file in the directory, for appending, locked. *fd and *path (spur__free). */
spur_status spur__event_file_create(const char *directory, const spur__event_files *found,
                                    const char *suffix, double now, int *fd, char **path,
                                    spur_error *err);

/* Creates a file for appending that must not exist; -1 with errno set. Never one of the descriptors 0 to
 * 2: a host that has closed them may still print to them. */
int spur__event_file_open(const char *path);

/* Takes the advisory lock by which other writers see that a file is in use; false if taken. */
bool spur__event_file_lock(int fd);

#endif
