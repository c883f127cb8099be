/* SPDX-License-Identifier: MIT
 *
 * What a writer knows of its tags: kind, last step, and for scalars the packed record of which only
 * wall time, step and value change. Guarded by the writer's queue mutex.
 */
#ifndef SPUR_LOGGER_WRITE_TAGS_H
#define SPUR_LOGGER_WRITE_TAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spur/log.h>

#include "hash.h"

typedef enum spur__kind_of_tag {
    SPUR__TAG_SCALAR,
    SPUR__TAG_HISTOGRAM,
    SPUR__TAG_IMAGE,
    SPUR__TAG_TEXT,
    SPUR__TAG_AUDIO,
    SPUR__TAG_PR_CURVE,
    SPUR__TAG_MESH,
    SPUR__TAG_HPARAMS,
    SPUR__TAG_LAYOUT,
    SPUR__TAG_KINDS
} spur__kind_of_tag;

/* A packed scalar event: wall time and step go before `tail`, the value at `tail + value_at`. */
typedef struct spur__template {
    unsigned char *tail;
    size_t tail_size, value_at;
    unsigned char head[16]; /* record header for payloads of head_payload bytes */
    size_t head_payload;
} spur__template;

typedef struct spur__tag {
    uint64_t hash;
    char *name;
    size_t length;
    spur__kind_of_tag kind;
    bool has_step;
    unsigned warned; /* which warnings were told about, by bit */
    int64_t last_step;
    size_t parts; /* audio: clips per step */
    uint64_t metadata; /* hash of description and display name; the first ones count */
    spur__template scalar;
} spur__tag;

typedef struct spur__tags {
    spur__tag **slots; /* open addressing, a power of two */
    size_t capacity, count, limit;
} spur__tags;

void spur__tags_init(spur__tags *tags, size_t limit);
void spur__tags_free(spur__tags *tags);

/* The tag, or NULL. */
spur__tag *spur__tags_find(const spur__tags *tags, uint64_t hash, const char *name, size_t length);

/* Adds a tag that is not there. E_RANGE when the limit is reached. */
spur_status spur__tags_add(spur__tags *tags, uint64_t hash, const char *name, size_t length,
                           spur__kind_of_tag kind, spur__tag **out);

/* "scalar", "histogram", ... and the name of the plugin that shows it. */
const char *spur__kind_name(spur__kind_of_tag kind);
const char *spur__kind_plugin(spur__kind_of_tag kind);

#endif
