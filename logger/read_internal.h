/* SPDX-License-Identifier: MIT
 *
 * Shared by the files of the reader.
 */
#ifndef SPUR_LOGGER_READ_INTERNAL_H
#define SPUR_LOGGER_READ_INTERNAL_H

#include <spur/events.h>

#include "base/error.h"

/* Decodes one Summary.Value. *utf8 becomes false when one of its strings is not UTF-8. */
spur_status spur__value_decode(spur_slice message, spur_value *value, bool *utf8);

/* Decodes the head (type and shape) of a TensorProto. */
spur_status spur__tensor_decode(spur_slice message, spur_tensor *tensor, bool *utf8);

/* What a plugin's values are; TENSOR for an unknown plugin. */
spur_kind spur__kind_of_plugin(spur_slice plugin);

#endif
