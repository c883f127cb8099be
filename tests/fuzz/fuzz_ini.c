/* SPDX-License-Identifier: MIT
 *
 * Any bytes as an INI file: an error with a place, or a configuration whose canonical text reads
 * back as itself.   fuzz needs: spur_trainer spur_nn
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int load(config *cfg, const char *text, size_t size) {
    document doc;
    spur_error err;
    document_init(&doc);
    if (document_parse(&doc, "fuzz.ini", text, size, &err) != SPUR_OK) {
        document_free(&doc);
        return 0;
    }
    return config_resolve(cfg, &doc, &err) == SPUR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    config cfg;
    spur__str first, second;
    /* the fuzzer must not read files of this machine */
    for (size_t i = 0; i + 7 <= size; i++)
        if (memcmp(data + i, "include", 7) == 0) return 0;
    if (!load(&cfg, (const char *)data, size)) return 0;
    spur__str_init(&first, 1 << 22);
    spur__str_init(&second, 1 << 22);
    config_format(&cfg, &first);
    config_free(&cfg);
    if (!load(&cfg, spur__str_text(&first), first.length)) abort();
    config_format(&cfg, &second);
    config_free(&cfg);
    if (strcmp(spur__str_text(&first), spur__str_text(&second)) != 0) abort();
    spur__str_free(&first);
    spur__str_free(&second);
    return 0;
}
