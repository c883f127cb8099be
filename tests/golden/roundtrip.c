/* SPDX-License-Identifier: MIT
 *
 * The C side of test_roundtrip.py: writes a golden net's weights and logits, or reads weights and
 * writes the logits they give.
 *
 * usage: golden_roundtrip_net NET WEIGHTS.safetensors LOGITS.f32 [load]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spur/weights.h>
#include "golden_nets.h"

static int run(golden_net *n, const char *weights, const char *logits, bool load) {
    spur_error err = {0};
    size_t count = (size_t)n->rows * (size_t)n->classes;
    float *values = malloc(count * sizeof *values);
    FILE *out = fopen(logits, "wb");
    spur_status status = load ? spur_weights_load(n->net, weights, NULL, NULL, &err)
                              : spur_weights_save(n->net, weights, &err);
    if (status == SPUR_OK) status = spur_net_forward(n->net, SPUR_EVAL, &err);
    if (status != SPUR_OK) fprintf(stderr, "%s\n", err.message);
    if (status == SPUR_OK && out && values) {
        golden_net_logits(n, values);
        if (fwrite(values, sizeof *values, count, out) != count) status = SPUR_E_IO;
    }
    if (out) fclose(out);
    free(values);
    return status == SPUR_OK && out ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    golden_net n = golden_net_make(argv[1], SPUR_CONV_DIRECT, 2);
    int failed = run(&n, argv[2], argv[3], argc > 4 && strcmp(argv[4], "load") == 0);
    golden_net_free(&n);
    return failed;
}
