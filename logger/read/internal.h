/* SPDX-License-Identifier: MIT
 *
 * Shared by the files of the reader.
 */
#ifndef SPUR_LOGGER_READ_INTERNAL_H
#define SPUR_LOGGER_READ_INTERNAL_H

#include <spur/events.h>

#include "base/error.h"

/* What every open needs. */
static inline spur_status spur__check_open(const char *path, const void *out, spur_error *err) {
    if (!path) return spur__fail(err, SPUR_E_ARGUMENT, "the path is NULL");
    if (!out) return spur__fail(err, SPUR_E_ARGUMENT, "%s: the place for the reader is NULL", path);
    return SPUR_OK;
}

/* Goes on reading at `offset` (of a record), for a file that was read that far before. */
void spur__records_seek(spur_records *records, uint64_t offset);

/* Size of the file; 0 when it cannot be told. */
uint64_t spur__records_size(const spur_records *records);

/* The rule by which TensorBoard knows event files, applied to a name without directory. */
bool spur__is_event_file_name(const char *name);

/* Decodes the head (type and shape) of a TensorProto. */
spur_status spur__tensor_decode(spur_slice message, spur_tensor *tensor, bool *utf8);

/* The elements of a numeric tensor in memory of their own (spur__free); *count of them. */
spur_status spur__tensor_load(const spur_tensor *tensor, double **out, size_t *count,
                              spur_error *err);

/* The elements of a tensor of strings (spur__free). */
spur_status spur__tensor_load_strings(const spur_tensor *tensor, spur_slice **out, size_t *count,
                                      spur_error *err);

/* A tensor of this kind, or one of which nothing is known: its metadata may be left out. */
bool spur__content_is(const spur_value *value, spur_kind kind);

/* Puts the value's tag in front of an error; and the error for a value of another kind. */
spur_status spur__content_error(spur_status status, const spur_value *value, spur_error *err);
spur_status spur__content_kind(const spur_value *value, const char *expected, spur_error *err);

/* ---- lists of texts (list.c) ---- */

typedef struct text_list {
    char **texts;
    size_t count, capacity;
} text_list;

/* Takes over `text` (freed at once if that fails, or when it is NULL). False: out of memory. */
bool spur__text_list_add(text_list *list, char *text);
void spur__text_list_free(text_list *list);

/* Room for one more element of `size` bytes behind `count`; the array may move. */
bool spur__grow(void **array, size_t count, size_t *capacity, size_t size);

/* ---- values that look like one before (template.c) ---- */

enum { SPUR__TEMPLATE_SPANS = 8, SPUR__TEMPLATE_AROUND = 192 };

typedef struct value_template {
    size_t size; /* of the value's message; 0: there is no template */
    size_t hole, hole_size; /* the bytes that may differ */
    char around[SPUR__TEMPLATE_AROUND]; /* all other bytes */
    uint32_t spans[SPUR__TEMPLATE_SPANS][2]; /* place and size of the value's slices */
    spur_value value;
} value_template;

/* Keeps a decoded value as template, if it is of a form that repeats. */
void spur__value_template_make(value_template *t, const spur_value *value);

/* True when a message differs from the template in the hole only. */
bool spur__value_template_fits(const value_template *t, spur_slice message);

/* Fills *out from such a message. */
void spur__value_template_fill(const value_template *t, spur_slice message, spur_value *out);

/* spur_event_decode() that tries a template on an event of one value before decoding it. */
spur_status spur__event_decode(spur_slice payload, const value_template *guess, spur_event *event,
                               spur_error *err);

/* ---- tags of a run (tags.c) ---- */

typedef struct tag_entry {
    spur_tag tag; /* first: spur_tag pointers are handed out */
    size_t next; /* index of the tag that followed last time */
    uint64_t templates; /* made so far */
    value_template template;
} tag_entry;

typedef struct tag_table {
    tag_entry **tags;
    size_t count, capacity;
    size_t *slots; /* index + 1 by hash; 0 is free */
    size_t slot_count; /* a power of two, or 0 */
} tag_table;

/* The tag of a value, made by it if it is the first; NULL when out of memory. */
tag_entry *spur__tag_table_get(tag_table *table, const spur_value *value);
const spur_tag *spur__tag_table_find(const tag_table *table, spur_slice name);
void spur__tag_table_free(tag_table *table);

#endif
