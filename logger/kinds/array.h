/* SPDX-License-Identifier: MIT
 *
 * Elements of the caller's arrays as doubles.
 */
#ifndef SPUR_LOGGER_KINDS_ARRAY_H
#define SPUR_LOGGER_KINDS_ARRAY_H

#include <spur/log.h>

#include "base/error.h"

/* Element i of an array of a known type. */
static inline double spur__element(const void *data, spur_log_type type, size_t i) {
    switch (type) {
    case SPUR_LOG_U8:
        return ((const uint8_t *)data)[i];
    case SPUR_LOG_I16:
        return ((const int16_t *)data)[i];
    case SPUR_LOG_I32:
        return ((const int32_t *)data)[i];
    case SPUR_LOG_I64:
        return (double)((const int64_t *)data)[i];
    case SPUR_LOG_F32:
        return (double)((const float *)data)[i];
    case SPUR_LOG_F64:
        return ((const double *)data)[i];
    }
    return 0.0;
}

static inline const char *spur__type_name(spur_log_type type) {
    static const char *const names[] = {"U8", "I16", "I32", "I64", "F32", "F64"};
    size_t i = (size_t)type;
    return i < sizeof names / sizeof names[0] ? names[i] : "an unknown type";
}

static inline spur_status spur__check_type(spur_log_type type, spur_error *err) {
    if ((int)type >= SPUR_LOG_U8 && (int)type <= SPUR_LOG_F64) return SPUR_OK;
    return spur__fail(err, SPUR_E_TYPE, "%d is no element type", (int)type);
}

#endif
