/* SPDX-License-Identifier: MIT
 *
 * Names, messages and details of errors: the implementation of spur/status.h and base/error.h.
 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *spur_strstatus(spur_status status) {
    switch (status) {
#define MESSAGE(name, value, message)                                                              \
    case SPUR_##name:                                                                              \
        return message;
        SPUR_STATUS_MAP(MESSAGE)
#undef MESSAGE
    }
    return "unknown status";
}

const char *spur_status_name(spur_status status) {
    switch (status) {
#define NAME(name, value, message)                                                                 \
    case SPUR_##name:                                                                              \
        return #name;
        SPUR_STATUS_MAP(NAME)
#undef NAME
    }
    return "E_UNKNOWN";
}

const char *spur_version(void) {
    return SPUR_VERSION_STRING;
}

spur_status spur__fail(spur_error *err, spur_status status, const char *fmt, ...) {
    if (err) {
        va_list args;
        va_start(args, fmt);
        err->status = status;
        err->line = err->column = 0;
        vsnprintf(err->message, sizeof err->message, fmt, args);
        va_end(args);
    }
    return status;
}

spur_status spur__fail_at(spur_error *err, spur_status status, const char *file, int line,
                          int column, const char *fmt, ...) {
    if (err) {
        va_list args;
        err->status = status;
        err->line = line;
        err->column = column;
        int n = snprintf(err->message, sizeof err->message, "%s:%d:%d: ", file, line, column);
        if (n < 0 || (size_t)n >= sizeof err->message) return status;
        va_start(args, fmt);
        vsnprintf(err->message + n, sizeof err->message - (size_t)n, fmt, args);
        va_end(args);
    }
    return status;
}

spur_status spur__fail_errno(spur_error *err, int errnum, const char *fmt, ...) {
    spur_status status = errnum == ENOENT   ? SPUR_E_NOTFOUND
                         : errnum == EEXIST ? SPUR_E_EXISTS
                         : errnum == ENOMEM ? SPUR_E_MEMORY
                                            : SPUR_E_IO;
    if (err) {
        va_list args;
        char reason[128];
        va_start(args, fmt);
        err->status = status;
        err->line = err->column = 0;
        int n = vsnprintf(err->message, sizeof err->message, fmt, args);
        va_end(args);
        if (n < 0 || (size_t)n >= sizeof err->message) return status;
        if (strerror_r(errnum, reason, sizeof reason) != 0)
            snprintf(reason, sizeof reason, "error %d", errnum);
        snprintf(err->message + n, sizeof err->message - (size_t)n, ": %s", reason);
    }
    return status;
}

void spur__error_prefix(spur_error *err, const char *fmt, ...) {
    if (!err) return;
    char prefix[sizeof err->message];
    va_list args;
    va_start(args, fmt);
    vsnprintf(prefix, sizeof prefix - 2, fmt, args);
    va_end(args);
    size_t n = strlen(prefix), kept = strlen(err->message), room = sizeof err->message - 1;
    memcpy(prefix + n, ": ", 2);
    n += 2;
    if (kept > room - n) kept = room - n;
    memmove(err->message + n, err->message, kept);
    memcpy(err->message, prefix, n);
    err->message[n + kept] = '\0';
}

void spur__error_clear(spur_error *err) {
    if (!err) return;
    err->status = SPUR_OK;
    err->line = err->column = 0;
    err->message[0] = '\0';
}
