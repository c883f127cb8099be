/* SPDX-License-Identifier: MIT
 *
 * The texts by key of a checkpoint, and the file that holds them:
 *
 *     spur checkpoint 1
 *     step 1200
 *     file weights.safetensors 37912 1a2b3c4d        size in bytes, CRC-32C in hex
 *     value scheduler.best 0.25                      backslash and newline escaped as \\ and \n
 *     end 89abcdef                                   CRC-32C of everything before this line
 */
#ifndef SPUR_WEIGHTS_STATE_H
#define SPUR_WEIGHTS_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spur/weights.h>

enum { SPUR__CHECKPOINT_FILES_MAX = 8 };

/* One file of a checkpoint. */
typedef struct spur__checkpoint_file {
    char name[64];
    uint64_t size;
    uint32_t crc;
} spur__checkpoint_file;

typedef struct spur__manifest {
    uint64_t step;
    spur__checkpoint_file files[SPUR__CHECKPOINT_FILES_MAX];
    size_t file_count;
} spur__manifest;

/* Writes the state file; `sync_later`: without syncing it yet. */
spur_status spur__state_write(const char *path, const spur__manifest *manifest,
                              const spur_state *state, bool sync_later, spur_error *err);

/* Parses a text of n bytes (NUL-terminated behind them); keys go into `state`, which must be new. */
spur_status spur__state_parse(const char *path, const char *text, size_t n,
                              spur__manifest *manifest, spur_state *state, spur_error *err);

size_t spur__state_count(const spur_state *state);
const char *spur__state_key(const spur_state *state, size_t i);

/* Keys of the checkpoint's own, which the caller neither sets nor sees. */
bool spur__state_is_own(const char *key);

/* Sets every key of `from`, the caller's. */
spur_status spur__state_merge(spur_state *state, const spur_state *from, spur_error *err);

#endif
