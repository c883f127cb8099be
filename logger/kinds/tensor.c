/* SPDX-License-Identifier: MIT
 *
 * Building TensorProto messages; see tensor.h.
 */
#include "kinds/tensor.h"

#include "base/error.h"
#include "base/memory.h"

void spur__tensor_init(spur__tensor *tensor, Spur__Tb__DataType type, const int64_t *dims,
                       size_t rank) {
    spur__tb__tensor_proto__init(&tensor->proto);
    spur__tb__tensor_shape_proto__init(&tensor->shape);
    for (size_t i = 0; i < rank; i++) {
        spur__tb__tensor_shape_proto__dim__init(&tensor->dims[i]);
        tensor->dims[i].size = dims[i];
        tensor->dim_list[i] = &tensor->dims[i];
    }
    tensor->shape.n_dim = rank;
    tensor->shape.dim = tensor->dim_list;
    tensor->proto.dtype = type;
    tensor->proto.tensor_shape = &tensor->shape;
}

void spur__tensor_bytes(spur__tensor *tensor, const void *data, size_t size) {
    tensor->proto.tensor_content.data = (uint8_t *)(uintptr_t)data;
    tensor->proto.tensor_content.len = size;
}

spur_status spur__tensor_strings(spur__tensor *tensor, size_t count, const int64_t *dims,
                                 size_t rank, spur_error *err) {
    spur__tensor_init(tensor, SPUR__TB__DATA_TYPE__DT_STRING, dims, rank);
    tensor->proto.string_val = spur__malloc_array(count, sizeof tensor->proto.string_val[0]);
    if (!tensor->proto.string_val)
        return spur__fail(err, SPUR_E_MEMORY, "%zu strings: out of memory", count);
    tensor->proto.n_string_val = count;
    return SPUR_OK;
}

void spur__tensor_string(spur__tensor *tensor, size_t i, const void *bytes, size_t size) {
    tensor->proto.string_val[i].data = (uint8_t *)(uintptr_t)bytes;
    tensor->proto.string_val[i].len = size;
}

void spur__tensor_free(spur__tensor *tensor) {
    spur__free(tensor->proto.string_val);
    tensor->proto.string_val = NULL;
}
