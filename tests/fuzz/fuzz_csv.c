/* SPDX-License-Identifier: MIT
 *
 * The CSV parser on any bytes. fuzz needs: spur_nn. The first byte chooses the separator.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/codecs/csvfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char separators[4] = {0, ',', ';', '\t'};
    spur__csv csv;
    spur_error err = {0};
    volatile size_t total = 0;
    if (size < 1) return 0;
    char *text = malloc(size);
    if (!text) return 0;
    memcpy(text, data + 1, size - 1);
    if (spur__csv_parse(text, size - 1, separators[data[0] % 4], "x", &csv, &err) == SPUR_OK) {
        if (csv.rows < 1 || csv.columns < 1) abort();
        for (size_t i = 0; i < csv.rows * csv.columns; i++) total += strlen(csv.cells[i]);
        if (total >= size) abort();
        spur__csv_free(&csv);
    } else if (!err.message[0]) {
        abort();
    }
    free(text);
    return 0;
}
