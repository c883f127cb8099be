/* SPDX-License-Identifier: MIT
 *
 * The table of tags; see tags.h.
 */
#include "write/tags.h"

#include <string.h>

#include "base/memory.h"

static const struct {
    const char *name, *plugin;
} kinds[SPUR__TAG_KINDS] = {
    [SPUR__TAG_SCALAR] = {"scalar", "scalars"},
    [SPUR__TAG_HISTOGRAM] = {"histogram", "histograms"},
    [SPUR__TAG_IMAGE] = {"image", "images"},
    [SPUR__TAG_TEXT] = {"text", "text"},
    [SPUR__TAG_AUDIO] = {"audio", "audio"},
    [SPUR__TAG_PR_CURVE] = {"PR curve", "pr_curves"},
    [SPUR__TAG_MESH] = {"mesh", "mesh"},
    [SPUR__TAG_HPARAMS] = {"hparams", "hparams"},
    [SPUR__TAG_LAYOUT] = {"layout", "custom_scalars"},
};

const char *spur__kind_name(spur__kind_of_tag kind) {
    return kinds[kind].name;
}

const char *spur__kind_plugin(spur__kind_of_tag kind) {
    return kinds[kind].plugin;
}

void spur__tags_init(spur__tags *tags, size_t limit) {
    *tags = (spur__tags){.limit = limit};
}

void spur__tags_free(spur__tags *tags) {
    for (size_t i = 0; i < tags->capacity; i++) {
        if (!tags->slots[i]) continue;
        spur__free(tags->slots[i]->scalar.tail);
        spur__free(tags->slots[i]->name);
        spur__free(tags->slots[i]);
    }
    spur__free(tags->slots);
    *tags = (spur__tags){0};
}

/* The slot that holds the tag or would. */
static spur__tag **slot_of(const spur__tags *tags, uint64_t hash, const char *name, size_t length) {
    for (size_t i = hash & (tags->capacity - 1);; i = (i + 1) & (tags->capacity - 1)) {
        spur__tag *tag = tags->slots[i];
        if (!tag ||
            (tag->hash == hash && tag->length == length && memcmp(tag->name, name, length) == 0))
            return &tags->slots[i];
    }
}

spur__tag *spur__tags_find(const spur__tags *tags, uint64_t hash, const char *name, size_t length) {
    return tags->capacity ? *slot_of(tags, hash, name, length) : NULL;
}

static bool grow(spur__tags *tags) {
    spur__tags larger = *tags;
    larger.capacity = tags->capacity ? tags->capacity * 2 : 64;
    larger.slots = spur__calloc(larger.capacity, sizeof larger.slots[0]);
    if (!larger.slots) return false;
    for (size_t i = 0; i < tags->capacity; i++) {
        spur__tag *tag = tags->slots[i];
        if (tag) *slot_of(&larger, tag->hash, tag->name, tag->length) = tag;
    }
    spur__free(tags->slots);
    *tags = larger;
    return true;
}

spur_status spur__tags_add(spur__tags *tags, uint64_t hash, const char *name, size_t length,
                           spur__kind_of_tag kind, spur__tag **out) {
    if (tags->count >= tags->limit) return SPUR_E_RANGE;
    if (tags->count * 4 >= tags->capacity * 3 && !grow(tags)) return SPUR_E_MEMORY;
    spur__tag *tag = spur__calloc(1, sizeof *tag);
    char *copy = spur__strndup(name, length);
    if (!tag || !copy) {
        spur__free(tag);
        spur__free(copy);
        return SPUR_E_MEMORY;
    }
    *tag = (spur__tag){.hash = hash, .name = copy, .length = length, .kind = kind};
    *slot_of(tags, hash, name, length) = tag;
    tags->count++;
    *out = tag;
    return SPUR_OK;
}
