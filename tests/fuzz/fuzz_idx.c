/* SPDX-License-Identifier: MIT
 *
 * The IDX parser on any bytes. fuzz needs: spur_nn. The first byte is the rank that is expected.
 */
#include <stdint.h>
#include <stdlib.h>

#include "data/codecs/idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    spur__idx idx;
    spur_error err = {0};
    volatile uint8_t sum = 0;
    if (size < 1) return 0;
    int rank = 1 + data[0] % SPUR__IDX_RANK;
    if (spur__idx_parse(data + 1, size - 1, rank, "x", &idx, &err) != SPUR_OK) {
        if (!err.message[0]) abort();
        return 0;
    }
    size_t n = 1;
    for (int i = 0; i < rank; i++) n *= idx.sizes[i];
    for (size_t i = 0; i < n; i++) sum = (uint8_t)(sum + idx.values[i]);
    return 0;
}
