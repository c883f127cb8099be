/* SPDX-License-Identifier: MIT
 *
 * Recognising values instead of decoding them. The values of one tag differ in their numbers only:
 * the bytes around tensor_content (or the four bytes of simple_value) are the same each time. A tag
 * keeps them from a value that was decoded; a value message of the same size with the same bytes
 * around the same place has, protobuf being what it is, the same fields at the same places.
 */
#include "read/internal.h"

#include <string.h>

#include "read/wire.h"

/* The slices of a value that lie within its message, in the order of value_template.spans. */
static void slices_of(spur_value *value, spur_slice *out[SPUR__TEMPLATE_SPANS]) {
    spur_slice *const slices[SPUR__TEMPLATE_SPANS] = {
        &value->tag,         &value->plugin, &value->plugin_content, &value->display_name,
        &value->description, &value->body,   &value->tensor.content, &value->tensor.message};
    memcpy(out, slices, sizeof slices);
}

/* The bytes that differ from value to value; false for a value that has none such. */
static bool find_hole(const spur_value *value, spur_slice *hole) {
    if (value->form == SPUR_FORM_SIMPLE) *hole = value->body;
    if (value->form == SPUR_FORM_TENSOR) *hole = value->tensor.content;
    return (value->form == SPUR_FORM_SIMPLE || value->form == SPUR_FORM_TENSOR) && hole->size > 0;
}

void spur__value_template_make(value_template *t, const spur_value *value) {
    spur_slice hole, *slices[SPUR__TEMPLATE_SPANS];
    t->size = 0;
    if (!find_hole(value, &hole)) return;
    size_t around = value->message.size - hole.size;
    if (around > sizeof t->around || value->message.size > UINT32_MAX) return;
    t->hole = (size_t)(hole.data - value->message.data);
    t->hole_size = hole.size;
    memcpy(t->around, value->message.data, t->hole);
    memcpy(t->around + t->hole, hole.data + hole.size, around - t->hole);
    t->value = *value;
    slices_of(&t->value, slices);
    for (size_t i = 0; i < SPUR__TEMPLATE_SPANS; i++) {
        spur_slice s = *slices[i];
        bool inside = s.size > 0;
        t->spans[i][0] = inside ? (uint32_t)(s.data - value->message.data) : 0;
        t->spans[i][1] = (uint32_t)s.size;
    }
    t->size = value->message.size;
}

bool spur__value_template_fits(const value_template *t, spur_slice message) {
    if (t->size == 0 || message.size != t->size) return false;
    size_t behind = t->hole + t->hole_size;
    if (memcmp(message.data, t->around, t->hole) != 0) return false;
    return memcmp(message.data + behind, t->around + t->hole, t->size - behind) == 0;
}

void spur__value_template_fill(const value_template *t, spur_slice message, spur_value *out) {
    spur_slice *slices[SPUR__TEMPLATE_SPANS];
    *out = t->value;
    out->message = message;
    slices_of(out, slices);
    for (size_t i = 0; i < SPUR__TEMPLATE_SPANS; i++)
        *slices[i] = (spur_slice){message.data + t->spans[i][0], t->spans[i][1]};
    if (out->form == SPUR_FORM_SIMPLE) out->simple = wire_float(spur__load32(out->body.data));
}
