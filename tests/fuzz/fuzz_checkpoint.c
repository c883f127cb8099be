/* SPDX-License-Identifier: MIT
 *
 * The state file of a checkpoint. The first byte chooses: 0, the bytes as they are; otherwise the
 * right end line is put behind them, which a fuzzer would not find. What was read is set again and
 * must come back.
 * fuzz needs: spur_nn
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "weights/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every key has its text, and setting it again changes nothing. */
static void check(spur_state *state) {
    for (size_t i = 0; i < spur__state_count(state); i++) {
        const char *key = spur__state_key(state, i);
        size_t n = strlen(spur_state_get(state, key));
        char *copy = malloc(n + 1);
        if (!copy) return;
        memcpy(copy, spur_state_get(state, key), n + 1);
        if (spur_state_set(state, key, copy, NULL) != SPUR_OK) abort();
        if (strcmp(spur_state_get(state, key), copy) != 0) abort();
        free(copy);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { END = 13 };
    spur__manifest manifest;
    spur_error err = {0};
    if (size == 0) return 0;
    size_t n = size - 1;
    char *text = malloc(n + END + 1);
    spur_state *state = spur_state_create();
    if (text && state) {
        memcpy(text, data + 1, n);
        text[n] = '\0';
        if (data[0]) {
            snprintf(text + n, END + 1, "end %08x\n", (unsigned)spur__crc32c(0, text, n));
            n += END;
        }
        if (spur__state_parse("state", text, n, &manifest, state, &err) == SPUR_OK) check(state);
    }
    spur_state_destroy(state);
    free(text);
    return 0;
}
