/* SPDX-License-Identifier: MIT
 *
 * What weights and checkpoints share.
 */
#ifndef SPUR_WEIGHTS_WEIGHTS_H
#define SPUR_WEIGHTS_WEIGHTS_H

#include <stdbool.h>

#include <spur/weights.h>
#include "weights/safetensors.h"

bool spur__has_suffix(const char *name, const char *suffix);

/* How a parameter, or an array of its size and layout, is written. */
spur__tensor_out spur__tensor_of(const spur_param *param, const char *name);
bool spur__tensor_fits(const spur__tensor *tensor, const spur_param *param);

/* Writes "[64][3]" into a buffer and returns it. */
char *spur__sizes_text(int rank, const int64_t *shape, char *text, size_t size);

/* As spur_weights_save; size and CRC-32C of the file. */
spur_status spur__weights_write(spur_net *net, const char *path, bool sync_later, uint64_t *size,
                                uint32_t *crc, spur_error *err);

#endif
