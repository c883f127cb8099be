/* SPDX-License-Identifier: MIT
 *
 * Growing arrays of the reader.
 */
#include "read/internal.h"

#include "base/memory.h"

bool spur__grow(void **array, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity) return true;
    size_t more = *capacity ? *capacity : 8;
    if (!spur__add(*capacity, more, &more)) return false;
    void *moved = spur__realloc_array(*array, more, size);
    if (!moved) return false;
    *array = moved;
    *capacity = more;
    return true;
}

bool spur__text_list_add(text_list *list, char *text) {
    void *texts = list->texts;
    bool fits = text && spur__grow(&texts, list->count, &list->capacity, sizeof *list->texts);
    list->texts = texts;
    if (fits)
        list->texts[list->count++] = text;
    else
        spur__free(text);
    return fits;
}

void spur__text_list_free(text_list *list) {
    for (size_t i = 0; i < list->count; i++) spur__free(list->texts[i]);
    spur__free(list->texts);
    *list = (text_list){0};
}
