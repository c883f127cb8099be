/* SPDX-License-Identifier: MIT
 *
 * TensorProto (tensor.proto): type, shape and elements. Elements stand either in tensor_content
 * (raw, little-endian) or in the list of their type, packed or not; a list of one number stands for
 * a tensor filled with it. Shapes are claims of the file: nothing is allocated or read by them
 * before they are compared with the bytes that are there.
 */
#include "read_internal.h"

#include "base/str.h"
#include "read_wire.h"

const char *spur_dtype_name(int dtype) {
    static const char *const names[] = {
        [SPUR_DT_INVALID] = "invalid", [SPUR_DT_FLOAT] = "float",       [SPUR_DT_DOUBLE] = "double",
        [SPUR_DT_INT32] = "int32",     [SPUR_DT_UINT8] = "uint8",       [SPUR_DT_INT16] = "int16",
        [SPUR_DT_INT8] = "int8",       [SPUR_DT_STRING] = "string",     [SPUR_DT_INT64] = "int64",
        [SPUR_DT_BOOL] = "bool",       [SPUR_DT_BFLOAT16] = "bfloat16", [SPUR_DT_UINT16] = "uint16",
        [SPUR_DT_HALF] = "half",       [SPUR_DT_UINT32] = "uint32",     [SPUR_DT_UINT64] = "uint64",
    };
    bool known = dtype >= 0 && (size_t)dtype < sizeof names / sizeof names[0] && names[dtype];
    return known ? names[dtype] : "unknown";
}

/* ---- type and shape ------------------------------------------------------------------------- */

static spur_status decode_dimension(spur_slice message, int64_t *size, bool *utf8) {
    wire w = wire_of(message);
    *size = 0;
    for (wire_field f; wire_next(&w, &f);) {
        if (wire_key(&f) == WIRE_KEY(1, WIRE_VARINT)) *size = (int64_t)f.value;
        if (wire_key(&f) == WIRE_KEY(2, WIRE_BYTES) &&
            !spur__utf8_valid(f.bytes.data, f.bytes.size))
            *utf8 = false;
    }
    return w.bad ? SPUR_E_FORMAT : SPUR_OK;
}

/* Adds one dimension; the rank becomes -1 when the shape is beyond us. */
static void add_dimension(spur_tensor *tensor, int64_t size) {
    if (tensor->rank < 0) return;
    bool overflow = size < 0 || (size > 0 && tensor->elements > UINT64_MAX / (uint64_t)size);
    if (overflow || tensor->rank == SPUR_TENSOR_MAX_RANK) {
        tensor->rank = -1;
        tensor->elements = 0;
        return;
    }
    tensor->shape[tensor->rank++] = size;
    tensor->elements *= (uint64_t)size;
}

static spur_status decode_shape(spur_slice message, spur_tensor *tensor, bool *utf8) {
    wire w = wire_of(message);
    bool unknown = false;
    tensor->rank = 0;
    tensor->elements = 1;
    for (wire_field f; wire_next(&w, &f);) {
        int64_t size;
        if (wire_key(&f) == WIRE_KEY(2, WIRE_BYTES)) {
            SPUR__TRY(decode_dimension(f.bytes, &size, utf8));
            add_dimension(tensor, size);
        }
        if (wire_key(&f) == WIRE_KEY(3, WIRE_VARINT)) unknown = f.value != 0;
    }
    if (unknown) {
        tensor->rank = -1;
        tensor->elements = 0;
    }
    return w.bad ? SPUR_E_FORMAT : SPUR_OK;
}

spur_status spur__tensor_decode(spur_slice message, spur_tensor *tensor, bool *utf8) {
    *tensor = (spur_tensor){.elements = 1, .content = {"", 0}, .message = message};
    wire w = wire_of(message);
    for (wire_field f; wire_next(&w, &f);) {
        switch (wire_key(&f)) {
        case WIRE_KEY(1, WIRE_VARINT):
            tensor->dtype = (int)(int32_t)(uint32_t)f.value;
            break;
        case WIRE_KEY(2, WIRE_BYTES):
            SPUR__TRY(decode_shape(f.bytes, tensor, utf8));
            break;
        case WIRE_KEY(4, WIRE_BYTES):
            tensor->content = f.bytes;
            break;
        default:
            break;
        }
    }
    return w.bad ? SPUR_E_FORMAT : SPUR_OK;
}
