/* SPDX-License-Identifier: MIT
 *
 * Filling a spur_error. spur__fail() sets status and message and returns the status, so that a
 * failing function ends in one line: `return spur__fail(err, SPUR_E_RANGE, "%s: ...", path);`
 */
#ifndef SPUR_BASE_ERROR_H
#define SPUR_BASE_ERROR_H

#include <spur/status.h>

/* Sets *err (if not NULL) and returns `status`. A message that is too long is cut. */
spur_status spur__fail(spur_error *err, spur_status status, const char *fmt, ...) SPUR_PRINTF(3, 4);

/* The same with a place in a text file; the message is prefixed by "file:line:column: ". */
spur_status spur__fail_at(spur_error *err, spur_status status, const char *file, int line,
                          int column, const char *fmt, ...) SPUR_PRINTF(6, 7);

/* As spur__fail with ": strerror(errnum)" appended. */
spur_status spur__fail_errno(spur_error *err, int errnum, const char *fmt, ...) SPUR_PRINTF(3, 4);

/* Puts "prefix: " in front of a message already in *err, for callers who know more. */
void spur__error_prefix(spur_error *err, const char *fmt, ...) SPUR_PRINTF(2, 3);

/* Resets *err (if not NULL) to SPUR_OK. */
void spur__error_clear(spur_error *err);

/* `return` early when an expression yields an error. */
#define SPUR__TRY(expr)                                                                            \
    do {                                                                                           \
        spur_status spur__try_status = (expr);                                                     \
        if (spur__try_status != SPUR_OK) return spur__try_status;                                  \
    } while (0)

/* Jump to the function's exit label when an expression yields an error; `status` is its variable. */
#define SPUR__TRY_GOTO(expr, label)                                                                \
    do {                                                                                           \
        status = (expr);                                                                           \
        if (status != SPUR_OK) goto label;                                                         \
    } while (0)

#endif
