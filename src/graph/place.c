/* SPDX-License-Identifier: MIT
 *
 * Placing buffers with known life times into one block: the largest first, each into the smallest
 * gap that it fits (Pisarchyk & Lee, "Efficient Memory Management for Deep Neural Net Inference",
 * 2020: greedy by size). The result depends on sizes and life times only.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/internal.h"

enum { ALIGNMENT = 64 };

typedef struct item {
    spur__buffer *buffer;
    int number; /* order of equal sizes */
} item;

static int by_size(const void *a, const void *b) {
    const item *x = a, *y = b;
    if (x->buffer->bytes != y->buffer->bytes) return x->buffer->bytes < y->buffer->bytes ? 1 : -1;
    return x->number - y->number;
}

static bool overlap(const spur__buffer *a, const spur__buffer *b) {
    return a->begin <= b->end && b->begin <= a->end;
}

/* The offset of the smallest gap between the placed ones that live at the same time (the end when
 * there is none). placed: in order of their offsets. */
static size_t find_gap(spur__buffer *const *placed, int count, const spur__buffer *wanted) {
    size_t edge = 0, best = SIZE_MAX, best_gap = SIZE_MAX;
    for (int i = 0; i < count; i++) {
        const spur__buffer *p = placed[i];
        if (!overlap(p, wanted)) continue;
        if (p->offset >= edge && p->offset - edge >= wanted->bytes && p->offset - edge < best_gap) {
            best = edge;
            best_gap = p->offset - edge;
        }
        if (p->offset + p->bytes > edge) edge = p->offset + p->bytes;
    }
    return best == SIZE_MAX ? edge : best;
}

static void insert(spur__buffer **placed, int count, spur__buffer *buffer) {
    int i = count;
    while (i > 0 && placed[i - 1]->offset > buffer->offset) {
        placed[i] = placed[i - 1];
        i--;
    }
    placed[i] = buffer;
}

spur_status spur__place(spur__buffer *buffers, int count, size_t *total, spur_error *err) {
    size_t n = (size_t)(count > 0 ? count : 1);
    item *items = spur__malloc_array(n, sizeof *items);
    spur__buffer **placed = spur__malloc_array(n, sizeof *placed);
    spur_status status = SPUR_OK;
    *total = 0;
    if (!items || !placed) {
        status = spur__fail(err, SPUR_E_MEMORY, "out of memory while planning");
        goto done;
    }
    int live = 0;
    size_t sum = 0;
    for (int i = 0; i < count; i++) {
        if (buffers[i].bytes == 0) continue;
        if (buffers[i].bytes > SIZE_MAX / 4 ||
            !spur__add(sum, buffers[i].bytes + ALIGNMENT, &sum)) {
            status = spur__fail(err, SPUR_E_RANGE, "the net does not fit into memory");
            goto done;
        }
        buffers[i].bytes = (buffers[i].bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        items[live] = (item){&buffers[i], live};
        live++;
    }
    qsort(items, (size_t)live, sizeof *items, by_size);
    for (int i = 0; i < live; i++) {
        spur__buffer *b = items[i].buffer;
        b->offset = find_gap(placed, i, b);
        insert(placed, i, b);
        if (b->offset + b->bytes > *total) *total = b->offset + b->bytes;
    }
done:
    spur__free(items);
    spur__free(placed);
    return status;
}
