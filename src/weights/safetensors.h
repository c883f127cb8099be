/* SPDX-License-Identifier: MIT
 *
 * The safetensors format: 8 bytes of header length (little-endian), a JSON header
 * {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}, then the values.
 */
#ifndef SPUR_WEIGHTS_SAFETENSORS_H
#define SPUR_WEIGHTS_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spur/status.h>

enum { SPUR__TENSOR_RANK_MAX = 8 };

typedef enum spur__tensor_type {
    SPUR__TENSOR_F32,
    SPUR__TENSOR_F64,
    SPUR__TENSOR_F16,
    SPUR__TENSOR_BF16,
    SPUR__TENSOR_OTHER /* integers and the rest: described, not read as floats */
} spur__tensor_type;

typedef struct spur__tensor {
    char *name;
    spur__tensor_type type;
    char dtype[16]; /* as the file writes it */
    int rank;
    int64_t shape[SPUR__TENSOR_RANK_MAX];
    uint64_t count; /* number of values */
    uint64_t begin, end; /* bytes after the header */
} spur__tensor;

typedef struct spur__tensors {
    spur__tensor *items; /* sorted by name */
    size_t count;
} spur__tensors;

/* Parses and checks a header of n bytes (NUL-terminated behind them) for `data_size` bytes of values:
 * known fields, whole numbers, no duplicate, every range inside the data, of the size that shape and
 * type say, without gap or overlap. `path` is for messages. */
spur_status spur__tensors_parse(const char *path, const char *header, size_t n, uint64_t data_size,
                                spur__tensors *tensors, spur_error *err);
void spur__tensors_free(spur__tensors *tensors);
const spur__tensor *spur__tensors_find(const spur__tensors *tensors, const char *name);

/* An open file. */
typedef struct spur__safetensors {
    char *path;
    int fd;
    uint64_t data; /* where the values begin */
    spur__tensors tensors;
} spur__safetensors;

spur_status spur__safetensors_open(spur__safetensors *file, const char *path, spur_error *err);
void spur__safetensors_close(spur__safetensors *file);

/* The values as float32; `out` holds tensor->count of them. E_TYPE for a type that is none of
 * floating point. */
spur_status spur__safetensors_read(const spur__safetensors *file, const spur__tensor *tensor,
                                   float *out, spur_error *err);

/* ---- writing ------------------------------------------------------------------------------------- */

/* A tensor to be written: float32, or an int64 scalar (rank 0) of value 0 where `counter`. */
typedef struct spur__tensor_out {
    const char *name;
    int rank;
    const int64_t *shape;
    size_t count;
    bool counter;
} spur__tensor_out;

/* All tensors of a file, and who has their values. */
typedef struct spur__tensors_out {
    const spur__tensor_out *tensors; /* [count] */
    size_t count;
    void (*fill)(void *user, size_t i, float *out); /* stores the values of tensor i */
    void *user;
    bool sync_later; /* as in spur__file_writer */
} spur__tensors_out;

/* Writes the tensors in the order given; *size and *crc (may be NULL) describe the file. */
spur_status spur__safetensors_write(const char *path, const spur__tensors_out *all, uint64_t *size,
                                    uint32_t *crc, spur_error *err);

#endif
