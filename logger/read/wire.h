/* SPDX-License-Identifier: MIT
 *
 * A cursor over serialized protobuf: field after field, without unpacking anything.
 *
 * Every length is checked against the enclosing message before it is used. Groups (obsolete, and
 * in none of TensorBoard's messages) count as malformed. A known field with another wire type than
 * declared is an unknown field, as in Google's parsers. Of a field given twice the last one counts.
 */
#ifndef SPUR_LOGGER_READ_WIRE_H
#define SPUR_LOGGER_READ_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <spur/events.h>

#include "framing.h"

typedef enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 } wire_type;

typedef struct wire {
    const unsigned char *at, *end;
    bool bad; /* malformed; nothing more comes */
} wire;

typedef struct wire_field {
    uint32_t number;
    uint32_t type;
    uint64_t value; /* of WIRE_VARINT, WIRE_64 and WIRE_32 */
    spur_slice bytes; /* of WIRE_BYTES */
} wire_field;

/* One switch label for field number and wire type together. */
#define WIRE_KEY(number, type) ((uint32_t)(number) << 3 | (uint32_t)(type))

static inline wire wire_of(spur_slice message) {
    const unsigned char *data = (const unsigned char *)message.data;
    return (wire){data, data + message.size, false};
}

static inline uint32_t wire_key(const wire_field *field) {
    return WIRE_KEY(field->number, field->type);
}

static inline double wire_double(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline float wire_float(uint64_t bits) {
    uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return value;
}

/* A varint of at most ten bytes; false (and bad) when it is longer or cut off. */
static inline bool wire_varint(wire *w, uint64_t *out) {
    uint64_t value = 0;
    if (w->at < w->end && *w->at < 0x80) {
        *out = *w->at++;
        return true;
    }
    for (int shift = 0; shift < 70 && w->at < w->end; shift += 7) {
        uint64_t byte = *w->at++;
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    w->bad = true;
    return false;
}

static inline bool wire_fail(wire *w) {
    w->bad = true;
    return false;
}

static inline bool wire_take(wire *w, uint64_t n, spur_slice *out) {
    if (n > (uint64_t)(w->end - w->at)) return wire_fail(w);
    *out = (spur_slice){(const char *)w->at, (size_t)n};
    w->at += n;
    return true;
}

/* The next field; false at the end or when the message is malformed (`bad`). */
static inline bool wire_next(wire *w, wire_field *field) {
    uint64_t key, n;
    if (w->at == w->end || w->bad || !wire_varint(w, &key)) return false;
    if (key < 8 || key > UINT32_MAX) return wire_fail(w);
    field->number = (uint32_t)(key >> 3);
    field->type = (uint32_t)(key & 7);
    field->value = 0;
    field->bytes = (spur_slice){(const char *)w->at, 0};
    switch (field->type) {
    case WIRE_VARINT:
        return wire_varint(w, &field->value);
    case WIRE_64:
        if (!wire_take(w, 8, &field->bytes)) return false;
        field->value = spur__load64(field->bytes.data);
        return true;
    case WIRE_BYTES:
        return wire_varint(w, &n) && wire_take(w, n, &field->bytes);
    case WIRE_32:
        if (!wire_take(w, 4, &field->bytes)) return false;
        field->value = spur__load32(field->bytes.data);
        return true;
    default:
        return wire_fail(w);
    }
}

#endif
