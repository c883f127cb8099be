/* SPDX-License-Identifier: MIT
 *
 * Status codes and error details shared by libspur-log and libspur-nn.
 *
 * Every fallible function returns a spur_status: SPUR_OK is 0, every error is negative. A function
 * that can say more takes a `spur_error *` as its last argument (NULL is fine) and fills it with a
 * complete sentence: the file as the user typed it, the place, what was found, what was expected.
 */
#ifndef SPUR_STATUS_H
#define SPUR_STATUS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SPUR_API __attribute__((visibility("default")))
#define SPUR_WARN_UNUSED __attribute__((warn_unused_result))
#define SPUR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define SPUR_API
#define SPUR_WARN_UNUSED
#define SPUR_PRINTF(fmt, args)
#endif

#define SPUR_VERSION_MAJOR 0
#define SPUR_VERSION_MINOR 1
#define SPUR_VERSION_PATCH 0
#define SPUR_VERSION_STRING "0.1.0"

/* name, value, message: the one list from which the enum, the names and the messages are made. */
#define SPUR_STATUS_MAP(X)                                                                         \
    X(OK, 0, "success")                                                                            \
    X(E_MEMORY, -1, "out of memory")                                                               \
    X(E_ARGUMENT, -2, "invalid argument")                                                          \
    X(E_IO, -3, "input or output failed")                                                          \
    X(E_FORMAT, -4, "malformed input")                                                             \
    X(E_NOTFOUND, -5, "not found")                                                                 \
    X(E_EXISTS, -6, "already exists")                                                              \
    X(E_RANGE, -7, "value out of range")                                                           \
    X(E_SHAPE, -8, "shape mismatch")                                                               \
    X(E_TYPE, -9, "type mismatch")                                                                 \
    X(E_STATE, -10, "not possible in this state")                                                  \
    X(E_DROPPED, -11, "dropped because the queue is full")                                         \
    X(E_DAMAGED, -12, "damaged data (checksum or framing)")                                        \
    X(E_END, -13, "end of data")                                                                   \
    X(E_AGAIN, -14, "not complete yet, try again later")                                           \
    X(E_NUMERIC, -15, "not a finite number")                                                       \
    X(E_UNSUPPORTED, -16, "not supported")                                                         \
    X(E_INTERRUPTED, -17, "interrupted")                                                           \
    X(E_UTF8, -18, "not valid UTF-8")

typedef enum spur_status {
#define SPUR__STATUS_ENUM(name, value, message) SPUR_##name = (value),
    SPUR_STATUS_MAP(SPUR__STATUS_ENUM)
#undef SPUR__STATUS_ENUM
} spur_status;

/* What went wrong, for people. `line` and `column` count from 1; 0 means not applicable. */
typedef struct spur_error {
    spur_status status;
    int line;
    int column;
    char message[1024];
} spur_error;

/* The short constant message of a status ("out of memory"); never NULL. */
SPUR_API const char *spur_strstatus(spur_status status);

/* The symbolic name of a status ("E_MEMORY"); never NULL. */
SPUR_API const char *spur_status_name(spur_status status);

/* The version of the library that runs, as opposed to the header's SPUR_VERSION_STRING. */
SPUR_API const char *spur_version(void);

#ifdef __cplusplus
}
#endif

#endif
