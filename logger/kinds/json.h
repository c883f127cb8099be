/* SPDX-License-Identifier: MIT
 *
 * Whether a text is JSON (RFC 8259): nothing is decoded or kept.
 */
#ifndef SPUR_LOGGER_KINDS_JSON_H
#define SPUR_LOGGER_KINDS_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* True for a JSON object and nothing behind it, at most 64 deep. *at: where it stopped being one. The
 * text is UTF-8. */
bool spur__json_is_object(const char *text, size_t *at);

#endif
