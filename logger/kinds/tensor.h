/* SPDX-License-Identifier: MIT
 *
 * TensorProto messages: numbers in tensor_content (little-endian, row-major), strings in string_val,
 * and a shape that is always there (the fast loader drops values without one).
 */
#ifndef SPUR_LOGGER_KINDS_TENSOR_H
#define SPUR_LOGGER_KINDS_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include <spur/status.h>

#include "tensor.pb-c.h"

enum { SPUR__TENSOR_RANK = 4 };

/* A message with the parts that it points to; does not own its bytes. Must not be moved. */
typedef struct spur__tensor {
    Spur__Tb__TensorProto proto;
    Spur__Tb__TensorShapeProto shape;
    Spur__Tb__TensorShapeProto__Dim dims[SPUR__TENSOR_RANK], *dim_list[SPUR__TENSOR_RANK];
} spur__tensor;

/* An empty tensor of this shape. */
void spur__tensor_init(spur__tensor *tensor, Spur__Tb__DataType type, const int64_t *dims,
                       size_t rank);

/* Points it at raw elements, which must be little-endian and outlive it. */
void spur__tensor_bytes(spur__tensor *tensor, const void *data, size_t size);

/* A tensor of `count` strings, set one by one; they must outlive it. */
spur_status spur__tensor_strings(spur__tensor *tensor, size_t count, const int64_t *dims,
                                 size_t rank, spur_error *err);
void spur__tensor_string(spur__tensor *tensor, size_t i, const void *bytes, size_t size);
void spur__tensor_free(spur__tensor *tensor);

#endif
