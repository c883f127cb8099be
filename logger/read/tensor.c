/* SPDX-License-Identifier: MIT
 *
 * TensorProto (tensor.proto): type, shape and elements. Elements stand either in tensor_content
 * (raw, little-endian) or in the list of their type, packed or not; a list of one number stands for
 * a tensor filled with it. Shapes are claims of the file: nothing is allocated or read by them
 * before they are compared with the bytes that are there.
 */
#include "read/internal.h"

#include <math.h>

#include "base/memory.h"
#include "base/str.h"
#include "read/wire.h"

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

/* ---- numbers -------------------------------------------------------------------------------- */

/* IEEE half precision. */
static double half_number(uint32_t bits) {
    int exponent = (int)(bits >> 10 & 31);
    double fraction = (double)(bits & 1023u);
    double magnitude = exponent == 0    ? fraction * 0x1p-24
                       : exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                                        : (1024 + fraction) * 0x1p-25 * (double)(1u << exponent);
    return bits & 0x8000u ? -magnitude : magnitude;
}

/* One element from its bits, which stand in the low bytes of `raw`. */
static double number_of(int dtype, uint64_t raw) {
    switch (dtype) {
    case SPUR_DT_FLOAT:
        return (double)wire_float(raw);
    case SPUR_DT_DOUBLE:
        return wire_double(raw);
    case SPUR_DT_INT32:
        return (double)(int32_t)(uint32_t)raw;
    case SPUR_DT_UINT8:
        return (double)(uint8_t)raw;
    case SPUR_DT_INT16:
        return (double)(int16_t)(uint16_t)raw;
    case SPUR_DT_INT8:
        return (double)(int8_t)(uint8_t)raw;
    case SPUR_DT_INT64:
        return (double)(int64_t)raw;
    case SPUR_DT_BOOL:
        return raw != 0;
    case SPUR_DT_BFLOAT16:
        return (double)wire_float((raw & 0xffff) << 16);
    case SPUR_DT_UINT16:
        return (double)(uint16_t)raw;
    case SPUR_DT_HALF:
        return half_number((uint32_t)raw & 0xffff);
    case SPUR_DT_UINT32:
        return (double)(uint32_t)raw;
    default:
        return (double)raw; /* UINT64 */
    }
}

/* Bytes of an element in tensor_content, and the list that holds elements otherwise. */
typedef struct storage {
    uint8_t size, list, type;
} storage;

/* Size 0 for a type that is no number (or a complex one). */
static storage storage_of(int dtype) {
    static const storage table[] = {
        [SPUR_DT_FLOAT] = {4, 5, WIRE_32},         [SPUR_DT_DOUBLE] = {8, 6, WIRE_64},
        [SPUR_DT_INT32] = {4, 7, WIRE_VARINT},     [SPUR_DT_UINT8] = {1, 7, WIRE_VARINT},
        [SPUR_DT_INT16] = {2, 7, WIRE_VARINT},     [SPUR_DT_INT8] = {1, 7, WIRE_VARINT},
        [SPUR_DT_INT64] = {8, 10, WIRE_VARINT},    [SPUR_DT_BOOL] = {1, 11, WIRE_VARINT},
        [SPUR_DT_BFLOAT16] = {2, 13, WIRE_VARINT}, [SPUR_DT_UINT16] = {2, 7, WIRE_VARINT},
        [SPUR_DT_HALF] = {2, 13, WIRE_VARINT},     [SPUR_DT_UINT32] = {4, 16, WIRE_VARINT},
        [SPUR_DT_UINT64] = {8, 17, WIRE_VARINT},
    };
    bool known = dtype >= 0 && (size_t)dtype < sizeof table / sizeof table[0];
    return known ? table[dtype] : (storage){0, 0, 0};
}

static uint64_t load_raw(const char *p, size_t size) {
    const unsigned char *b = (const unsigned char *)p;
    return size == 8   ? spur__load64(b)
           : size == 4 ? spur__load32(b)
           : size == 2 ? (uint64_t)b[0] | (uint64_t)b[1] << 8
                       : b[0];
}

/* Where the numbers of a list go; `found` counts all, also those beyond the end of `out`. */
typedef struct number_sink {
    int dtype;
    double *out;
    size_t count, found;
} number_sink;

static void sink_number(number_sink *sink, uint64_t raw) {
    if (sink->found < sink->count) sink->out[sink->found] = number_of(sink->dtype, raw);
    sink->found++;
}

static bool sink_packed(number_sink *sink, spur_slice packed, uint32_t type) {
    wire w = wire_of(packed);
    uint64_t raw;
    spur_slice bytes;
    while (w.at < w.end) {
        if (type == WIRE_VARINT) {
            if (!wire_varint(&w, &raw)) return false;
        } else {
            size_t size = type == WIRE_64 ? 8 : 4;
            if (!wire_take(&w, size, &bytes)) return false;
            raw = load_raw(bytes.data, size);
        }
        sink_number(sink, raw);
    }
    return true;
}

static spur_status read_list(const spur_tensor *tensor, storage stored, number_sink *sink,
                             spur_error *err) {
    wire w = wire_of(tensor->message);
    for (wire_field f; wire_next(&w, &f);) {
        if (f.number != stored.list) continue;
        if (f.type == stored.type) sink_number(sink, f.value);
        if (f.type == WIRE_BYTES && !sink_packed(sink, f.bytes, stored.type))
            return spur__fail(err, SPUR_E_FORMAT, "malformed list of %s elements",
                              spur_dtype_name(tensor->dtype));
    }
    if (sink->found == 1) /* stands for every element */
        for (size_t i = 1; i < sink->count; i++) sink->out[i] = sink->out[0];
    else if (sink->found != sink->count)
        return spur__fail(err, SPUR_E_SHAPE, "tensor has %zu elements, expected %zu by its shape",
                          sink->found, sink->count);
    return SPUR_OK;
}

static spur_status check_numeric(const spur_tensor *tensor, spur_error *err) {
    if (tensor->rank < 0)
        return spur__fail(err, SPUR_E_SHAPE, "tensor of unknown or unsupported shape");
    if (storage_of(tensor->dtype).size == 0)
        return spur__fail(err, SPUR_E_TYPE, "tensor of type %s (%d), expected real numbers",
                          spur_dtype_name(tensor->dtype), tensor->dtype);
    return SPUR_OK;
}

spur_status spur_tensor_numbers(const spur_tensor *tensor, double *out, size_t count,
                                spur_error *err) {
    SPUR__TRY(check_numeric(tensor, err));
    storage stored = storage_of(tensor->dtype);
    size_t size = stored.size;
    if (tensor->elements != count)
        return spur__fail(err, SPUR_E_SHAPE, "tensor has %llu elements, expected %zu",
                          (unsigned long long)tensor->elements, count);
    if (tensor->content.size == 0) {
        number_sink sink = {tensor->dtype, out, count, 0};
        return read_list(tensor, stored, &sink, err);
    }
    if (tensor->content.size % size != 0 || tensor->content.size / size != count)
        return spur__fail(err, SPUR_E_SHAPE,
                          "tensor_content has %zu bytes, expected %zu elements of %zu bytes",
                          tensor->content.size, count, size);
    for (size_t i = 0; i < count; i++)
        out[i] = number_of(tensor->dtype, load_raw(tensor->content.data + i * size, size));
    return SPUR_OK;
}

/* Elements that a tensor may have: those of which there are bytes, or some for a filled one. */
static spur_status check_elements(const spur_tensor *tensor, spur_error *err) {
    enum { FILLED = 1 << 20 };
    if (tensor->rank >= 0 && tensor->elements > tensor->message.size && tensor->elements > FILLED)
        return spur__fail(err, SPUR_E_SHAPE, "shape of %llu elements in a tensor of %zu bytes",
                          (unsigned long long)tensor->elements, tensor->message.size);
    return SPUR_OK;
}

spur_status spur__tensor_load(const spur_tensor *tensor, double **out, size_t *count,
                              spur_error *err) {
    *out = NULL;
    SPUR__TRY(check_numeric(tensor, err));
    SPUR__TRY(check_elements(tensor, err));
    *count = (size_t)tensor->elements;
    *out = spur__malloc_array(*count, sizeof **out);
    if (!*out) return spur__fail(err, SPUR_E_MEMORY, "out of memory for %zu numbers", *count);
    spur_status status = spur_tensor_numbers(tensor, *out, *count, err);
    if (status == SPUR_OK) return SPUR_OK;
    spur__free(*out);
    *out = NULL;
    return status;
}

/* ---- strings -------------------------------------------------------------------------------- */

spur_status spur__tensor_load_strings(const spur_tensor *tensor, spur_slice **out, size_t *count,
                                      spur_error *err) {
    size_t found = 0;
    *out = NULL;
    if (tensor->dtype != SPUR_DT_STRING)
        return spur__fail(err, SPUR_E_TYPE, "tensor of type %s (%d), expected strings",
                          spur_dtype_name(tensor->dtype), tensor->dtype);
    if (tensor->rank < 0)
        return spur__fail(err, SPUR_E_SHAPE, "tensor of unknown or unsupported shape");
    SPUR__TRY(check_elements(tensor, err));
    *count = (size_t)tensor->elements;
    spur_slice *strings = spur__malloc_array(*count, sizeof *strings);
    if (!strings) return spur__fail(err, SPUR_E_MEMORY, "out of memory for %zu strings", *count);
    wire w = wire_of(tensor->message);
    for (wire_field f; wire_next(&w, &f);) {
        if (wire_key(&f) != WIRE_KEY(8, WIRE_BYTES)) continue;
        if (found < *count) strings[found] = f.bytes;
        found++;
    }
    if (found == 1)
        for (; found < *count; found++) strings[found] = strings[0];
    if (found != *count) {
        spur__free(strings);
        return spur__fail(err, SPUR_E_SHAPE, "tensor has %zu strings, expected %zu by its shape",
                          found, *count);
    }
    *out = strings;
    return SPUR_OK;
}
