/* SPDX-License-Identifier: MIT
 *
 * The tags of a run, found by hash: open addressing over an array in order of appearance. A tag
 * keeps kind and metadata of its first value. Tag and texts are one block of memory.
 */
#include "read/internal.h"

#include <string.h>

#include "base/memory.h"
#include "hash.h"

/* The slot of a name: its own, or the free one where it belongs. There is always a free one. */
static size_t slot_of(const tag_table *table, spur_slice name) {
    size_t mask = table->slot_count - 1;
    for (size_t i = (size_t)spur__tag_hash(name.data, name.size) & mask;; i = (i + 1) & mask) {
        if (table->slots[i] == 0) return i;
        const spur_tag *tag = &table->tags[table->slots[i] - 1]->tag;
        if (tag->name_size == name.size && memcmp(tag->name, name.data, name.size) == 0) return i;
    }
}

static bool grow_slots(tag_table *table) {
    if (2 * (table->count + 1) <= table->slot_count) return true;
    size_t slot_count = table->slot_count ? 2 * table->slot_count : 64;
    size_t *slots = spur__calloc(slot_count, sizeof *slots);
    if (!slots) return false;
    spur__free(table->slots);
    table->slots = slots;
    table->slot_count = slot_count;
    for (size_t i = 0; i < table->count; i++) {
        const spur_tag *tag = &table->tags[i]->tag;
        slots[slot_of(table, (spur_slice){tag->name, tag->name_size})] = i + 1;
    }
    return true;
}

static const char *put_text(char **at, spur_slice text) {
    char *begin = *at;
    memcpy(begin, text.data, text.size);
    begin[text.size] = '\0';
    *at += text.size + 1;
    return begin;
}

static tag_entry *make_tag(const spur_value *value) {
    /* all within one record, so the sum cannot overflow */
    tag_entry *entry = spur__calloc(1, sizeof *entry + value->tag.size + value->plugin.size +
                                           value->display_name.size + value->description.size + 4);
    if (!entry) return NULL;
    spur_tag *tag = &entry->tag;
    char *at = (char *)(entry + 1);
    tag->name = put_text(&at, value->tag);
    tag->name_size = value->tag.size;
    tag->plugin = put_text(&at, value->plugin);
    tag->display_name = put_text(&at, value->display_name);
    tag->description = put_text(&at, value->description);
    tag->kind = value->kind;
    tag->form = value->form;
    return entry;
}

tag_entry *spur__tag_table_get(tag_table *table, const spur_value *value) {
    if (!grow_slots(table)) return NULL;
    size_t slot = slot_of(table, value->tag);
    if (table->slots[slot]) return table->tags[table->slots[slot] - 1];
    void *tags = table->tags;
    bool fits = spur__grow(&tags, table->count, &table->capacity, sizeof *table->tags);
    table->tags = tags;
    tag_entry *entry = fits ? make_tag(value) : NULL;
    if (!entry) return NULL;
    entry->tag.index = table->count;
    table->tags[table->count++] = entry;
    table->slots[slot] = table->count;
    return entry;
}

const spur_tag *spur__tag_table_find(const tag_table *table, spur_slice name) {
    if (table->slot_count == 0) return NULL;
    size_t slot = slot_of(table, name);
    return table->slots[slot] ? &table->tags[table->slots[slot] - 1]->tag : NULL;
}

void spur__tag_table_free(tag_table *table) {
    for (size_t i = 0; i < table->count; i++) spur__free(table->tags[i]);
    spur__free(table->tags);
    spur__free(table->slots);
    *table = (tag_table){0};
}
