/* SPDX-License-Identifier: MIT
 *
 * Weights in files: safetensors with PyTorch's state-dict names and layouts; ONNX, which holds the
 * network as well; and checkpoints, which hold the rest of a training. docs/weights.md describes them.
 *
 * Files are written under a temporary name, synced and renamed; only a regular file is replaced
 * (E_TYPE), and of a symbolic link what it leads to. Readers check every length, shape and checksum before anything is changed: a net is
 * loaded as a whole or not at all.
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

typedef struct spur_weights_load_options {
    const char *head; /* parameters below this prefix may have another shape in the file, or be
                         missing: they keep the values they have. NULL: none */
    bool partial; /* missing tensors are let pass too */
    bool allow_unused; /* tensors that the net does not have are let pass */
    const char *ignored; /* tensors below this prefix are let pass where the net does not have them.
                            NULL: none */
    const char *below; /* the file is that of the part of the net below this prefix, "encoder": its
                          names (and `head` and `ignored`) lack it. All other parameters keep their values */
} spur_weights_load_options;

typedef struct spur_weights_load_report {
    int loaded; /* parameters set */
    int kept; /* parameters that keep their values */
    int unused; /* tensors of the file that the net does not have */
    char text[512]; /* a sentence for people, "" when everything fitted */
} spur_weights_load_report;

/* Sets the parameters of a built net (float32, float64, float16 or bfloat16 in the file). NULL
 * options: everything must fit. `report` may be NULL. E_FORMAT for a broken file, E_NOTFOUND for a
 * missing or unknown tensor, E_SHAPE for one of another shape; the message names file and tensor. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_weights_load(spur_net *net, const char *path,
                                                        const spur_weights_load_options *options,
                                                        spur_weights_load_report *report,
                                                        spur_error *err);

/* ---- ONNX ---------------------------------------------------------------------------------------- */

typedef struct spur_onnx_options {
    const char *name; /* of the graph ["spur"] */
    const char *description; /* for people, or NULL */
    const char *const *metadata; /* key, value, key, value, .., NULL; or NULL */
    /* [channels] or NULL: the model first takes its only input times scale plus shift, as a net that
     * was trained on normalised pixels needs it. */
    const float *scale, *shift;
} spur_onnx_options;

/* What a built net computes in SPUR_EVAL mode, weights included, as an ONNX model (operator set 18):
 * all that the `count` outputs need. Losses cannot be said in it.
 *
 * Inputs and outputs have the names of their nodes and PyTorch's layouts: those of rank 4 are
 * [n][c][h][w], a flattened image lies in the order c, h, w; all others are as in the net. The batch
 * may have any size, called "batch". Options may be NULL. E_ARGUMENT for an output that is an input,
 * of another net or NULL, or one that needs a loss, and for a scale with several inputs; E_UTF8 for
 * a text in the options that is not; E_RANGE above the 2 GB that the format allows. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_onnx_save(spur_net *net, spur_node *const *outputs,
                                                     int count, const spur_onnx_options *options,
                                                     const char *path, spur_error *err);

/* ---- checkpoints --------------------------------------------------------------------------------- */

/* Texts by key: whatever else a training must remember (positions, counters, history). Keys are
 * made of letters, digits and "._-/"; values are any text. Those that begin with "optimizer." or
 * "scheduler." are the library's: spur_checkpoint_save() refuses them (E_ARGUMENT). */
typedef struct spur_state spur_state;

SPUR_API spur_state *spur_state_create(void);
SPUR_API void spur_state_destroy(spur_state *state);
SPUR_API SPUR_WARN_UNUSED spur_status spur_state_set(spur_state *state, const char *key,
                                                     const char *value, spur_error *err);
/* NULL when there is no such key. */
SPUR_API const char *spur_state_get(const spur_state *state, const char *key);
/* Numbers; a double is written so that it reads back as the same bits (any NaN as a plain one). */
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
 * host, no thread count. Readers may be at work meanwhile; of writers one at a time may be in a DIRECTORY. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_checkpoint_save(const spur_checkpoint_parts *parts,
                                                           const char *directory, uint64_t step,
                                                           spur_error *err);

/* Makes DIRECTORY/NAME ("last", "best") a link to step_N, replacing an older one at once. E_NOTFOUND
 * when there is no step_N. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_checkpoint_link(const char *directory, const char *name,
                                                           uint64_t step, spur_error *err);

/* Removes every step_N that no link in DIRECTORY leads to, whoever made it, the newest `keep` of them
 * aside (E_RANGE below 0). */
SPUR_API SPUR_WARN_UNUSED spur_status spur_checkpoint_prune(const char *directory, int keep,
                                                            spur_error *err);

/* Reads a checkpoint (".../last", ".../step_120") into parts built in the same way; *step (may be
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
