/* SPDX-License-Identifier: MIT
 *
 * horizontal_flip and vertical_flip, each with a probability.
 */
#include "data/transforms/transforms.h"

#include <string.h>

/* Reverses the order of n elements of `size` bytes (at most 16 each). */
static void reverse(void *row, size_t n, size_t size) {
    char *a = row, *b = a + n * size, swap[16];
    for (; a + size < b; a += size) {
        b -= size;
        memcpy(swap, a, size);
        memcpy(a, b, size);
        memcpy(b, swap, size);
    }
}

static void swap_rows(void *first, void *second, size_t n) {
    char *a = first, *b = second, swap[256];
    for (size_t part; n > 0; n -= part, a += part, b += part) {
        part = n < sizeof swap ? n : sizeof swap;
        memcpy(swap, a, part);
        memcpy(a, b, part);
        memcpy(b, swap, part);
    }
}

void spur__flip_horizontal(spur__canvas *canvas) {
    spur__pixels *p = canvas->pixels;
    size_t width = (size_t)p->width, pixel = (size_t)p->channels;
    for (int y = 0; y < p->height; y++)
        reverse(p->data + (size_t)y * width * pixel, width, pixel * sizeof(float));
    for (int y = 0; canvas->mask && y < canvas->mask->height; y++)
        reverse(canvas->mask->data + (size_t)y * width, width, 1);
}

void spur__flip_vertical(spur__canvas *canvas) {
    spur__pixels *p = canvas->pixels;
    size_t row = (size_t)p->width * (size_t)p->channels, width = (size_t)p->width;
    for (size_t y = 0, z = (size_t)p->height - 1; y < z; y++, z--) {
        swap_rows(p->data + y * row, p->data + z * row, row * sizeof(float));
        if (canvas->mask)
            swap_rows(canvas->mask->data + y * width, canvas->mask->data + z * width, width);
    }
}

bool spur__horizontal_flip_enabled(const spur__augment *augment) {
    return augment->horizontal_flip > 0;
}

spur_status spur__horizontal_flip_apply(const spur__augment *augment, spur__canvas *canvas,
                                        spur_error *err) {
    (void)err;
    if (spur__rng_double(canvas->rng) < augment->horizontal_flip) spur__flip_horizontal(canvas);
    return SPUR_OK;
}

bool spur__vertical_flip_enabled(const spur__augment *augment) {
    return augment->vertical_flip > 0;
}

spur_status spur__vertical_flip_apply(const spur__augment *augment, spur__canvas *canvas,
                                      spur_error *err) {
    (void)err;
    if (spur__rng_double(canvas->rng) < augment->vertical_flip) spur__flip_vertical(canvas);
    return SPUR_OK;
}
