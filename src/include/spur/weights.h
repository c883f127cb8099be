/* SPDX-License-Identifier: MIT
 *
 * Weights in files: safetensors with PyTorch's state-dict names and layouts, and checkpoints, which
 * hold the rest of a training too. docs/weights.md describes the formats.
 *
 * Files are written under a temporary name, synced and renamed. Readers check every length, shape
 * and checksum before anything is changed: a net is loaded as a whole or not at all.
 */
#ifndef SPUR_WEIGHTS_H
#define SPUR_WEIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include <spur/optim.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- safetensors ------------------------------------------------------------------------------- */

/* All parameters and running statistics of a built net, float32. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_weights_save(spur_net *net, const char *path,
                                                        spur_error *err);

typedef struct spur_load_options {
    const char *head; /* parameters below this prefix may have another shape in the file, or be
                         missing: they keep the values they have. NULL: none */
    bool partial; /* missing tensors are let pass too */
    bool allow_unused; /* tensors that the net does not have are let pass */
} spur_load_options;

typedef struct spur_load_report {
    int loaded; /* parameters set */
    int kept; /* parameters that keep their values */
    int unused; /* tensors of the file that the net does not have */
    char text[512]; /* a sentence for people, "" when everything fitted */
} spur_load_report;

/* Sets the parameters of a built net (float32, float64, float16 or bfloat16 in the file). NULL
 * options: everything must fit. `report` may be NULL. E_FORMAT for a broken file, E_NOTFOUND for a
 * missing or unknown tensor, E_SHAPE for one of another shape; the message names file and tensor. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_weights_load(spur_net *net, const char *path,
                                                        const spur_load_options *options,
                                                        spur_load_report *report, spur_error *err);

/* ---- checkpoints --------------------------------------------------------------------------------- */

/* Texts by key: whatever else a training must remember (positions, counters, history). Keys are
 * made of letters, digits and "._-/"; values are any text. */
typedef struct spur_state spur_state;

SPUR_API spur_state *spur_state_create(void);
SPUR_API void spur_state_destroy(spur_state *state);
SPUR_API SPUR_WARN_UNUSED spur_status spur_state_set(spur_state *state, const char *key,
                                                     const char *value, spur_error *err);
/* NULL when there is no such key. */
SPUR_API const char *spur_state_get(const spur_state *state, const char *key);
/* Numbers; a double is written so that it reads back as the same bits. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_state_set_double(spur_state *state, const char *key,
                                                            double value, spur_error *err);
SPUR_API SPUR_WARN_UNUSED spur_status spur_state_set_uint(spur_state *state, const char *key,
                                                          uint64_t value, spur_error *err);
SPUR_API SPUR_WARN_UNUSED spur_status spur_state_get_double(const spur_state *state,
                                                            const char *key, double *value,
                                                            spur_error *err);
SPUR_API SPUR_WARN_UNUSED spur_status spur_state_get_uint(const spur_state *state, const char *key,
                                                          uint64_t *value, spur_error *err);

/* What a checkpoint is made of; all but the net may be NULL. */
typedef struct spur_checkpoint_parts {
    spur_net *net;
    spur_optimizer *optimizer;
    spur_scheduler *scheduler;
    spur_ema *ema;
    spur_state *state;
} spur_checkpoint_parts;

/* Writes DIRECTORY/step_N and syncs it whole. The bytes depend on the training alone: no time, no
 * host, no thread count. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_checkpoint_save(const spur_checkpoint_parts *parts,
                                                           const char *directory, uint64_t step,
                                                           spur_error *err);

/* Makes DIRECTORY/NAME ("last", "best") a link to step_N, replacing an older one at once. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_checkpoint_link(const char *directory, const char *name,
                                                           uint64_t step, spur_error *err);

/* Removes every step_N that no link in DIRECTORY points to, the newest `keep` of them aside. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_checkpoint_prune(const char *directory, int keep,
                                                            spur_error *err);

/* Reads a checkpoint (".../last", ".../step_120") into parts of the same making; *step (may be
 * NULL) is its step. Keys of the state are replaced. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_checkpoint_load(const spur_checkpoint_parts *parts,
                                                           const char *path, uint64_t *step,
                                                           spur_error *err);

/* Only the state and the step, before there is a net; checks the sizes and checksums of all its
 * files as well. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_checkpoint_peek(const char *path, spur_state *state,
                                                           uint64_t *step, spur_error *err);

#ifdef __cplusplus
}
#endif

#endif
